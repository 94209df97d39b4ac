// SPDX-License-Identifier: GPL-2.0
/*
 * tsq.c - how much of one connection waits in the host's own queues.
 *
 * What lies in a qdisc or in the ring of a card is in flight to cwnd, but to nobody's
 * use: it delays others and our own retransmissions, and the round trip grows by it.  So
 * a connection hands down what the pacing rate sends in two milliseconds, or two skbs when
 * that is less, and goes on when some of it was freed (Linux calls it TCP small queues).
 *
 * An skb is charged to sk_wmem_alloc from tandem_transmit_skb() on until the driver
 * frees it; tandem_wfree(), its destructor, then looks whether the sender waits.
 *
 *   THROTTLED  the sender waits; set by tandem_tsq_blocks()
 *   QUEUED     the socket is in a CPU's list, and a tasklet will look at it
 *
 * A piece on the tcp wire has sock_wfree() for a destructor: when a shaper has the kernel's
 * TCP cut it, skb_segment() hands that one's charge on to the last of the segments, and drops
 * any other's.  sock_wfree() calls sk_write_space(), and that tandem_tsq_freed().
 *
 * A destructor may run anywhere, so it only puts the socket in the list of its CPU; the
 * tasklet takes the lock, and when a program has the socket leaves it to
 * tandem_release_cb().  A socket in a list is kept by one unit of sk_wmem_alloc, not by a
 * reference: it may be nobody's any more, and be freed by the tasklet's sk_free().
 */
#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include "output.h"
#include "pace.h"
#include "sock.h"
#include "tsq.h"

/* 1/512 s of the pacing rate: two bursts of pace.c, or one would be held up by itself. */
#define QUEUE_SHIFT	9
/* Where nothing tells the rate. */
#define QUEUE_MAX	1048576UL

struct tsq_cpu {
	struct llist_head	socks;	/* by tandem_sock.tsq_node */
	struct tasklet_struct	tasklet;
};

static DEFINE_PER_CPU(struct tsq_cpu, tsq_cpu);

bool tandem_tsq_blocks(struct sock *sk, const struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct rb_node *first;
	unsigned long limit;

	/* TCP_TX_DELAY: the program wants it to wait there. */
	if (unlikely(tp->tx_delay_us))
		return false;
	limit = max_t(unsigned long, 2 * skb->truesize,
		      READ_ONCE(sk->sk_pacing_rate) >> QUEUE_SHIFT);
	limit = min_t(unsigned long, limit, max(QUEUE_MAX, 2UL * skb->truesize));
	if (likely(refcount_read(&sk->sk_wmem_alloc) <= limit))
		return false;
	/* Next to nothing in flight: a driver that is slow to free must not stop us. */
	first = rb_first(&tp->rtx_queue);
	if (!first || !rb_next(first))
		return false;
	set_bit(TANDEM_TSQ_THROTTLED, &tp->deferred);
	/*
	 * It may have left just before that was set.  Pairs with tandem_wfree() and
	 * tandem_write_space().
	 */
	smp_mb__after_atomic();
	return refcount_read(&sk->sk_wmem_alloc) > limit;
}

/* True: the sender waited, and the tasklet now has a unit of sk_wmem_alloc of the caller's. */
static bool wake(struct tandem_sock *tp)
{
	struct tsq_cpu *cpu;

	if (!test_and_clear_bit(TANDEM_TSQ_THROTTLED, &tp->deferred) ||
	    test_and_set_bit(TANDEM_TSQ_QUEUED, &tp->deferred))
		return false;
	cpu = get_cpu_ptr(&tsq_cpu);
	if (llist_add(&tp->tsq_node, &cpu->socks))
		tasklet_schedule(&cpu->tasklet);
	put_cpu_ptr(&tsq_cpu);
	return true;
}

/*
 * Our own destructor rather than sock_wfree(), which would wake writers for every
 * segment: a writer waits for ACKs, not for the device.
 */
void tandem_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	/* One unit stays for sk_free(), which ends the socket when it is the last. */
	WARN_ON_ONCE(refcount_sub_and_test(skb->truesize - 1, &sk->sk_wmem_alloc));
	/* Pairs with tandem_tsq_blocks(). */
	smp_mb__after_atomic();
	if (unlikely(tandem_tsq_waits(tandem_sk(sk))) && wake(tandem_sk(sk)))
		return;
	sk_free(sk);
}

void tandem_tsq_freed(struct sock *sk)
{
	/* The caller's unit is the caller's: the tasklet gets one of its own. */
	refcount_inc(&sk->sk_wmem_alloc);
	if (!wake(tandem_sk(sk)))
		WARN_ON_ONCE(refcount_dec_and_test(&sk->sk_wmem_alloc));
}

static void resume(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		tandem_pace_expired(sk);
	else if (!test_and_set_bit(TANDEM_DEFER_TSQ, &tp->deferred))
		sock_hold(sk);	/* who owns it has a reference */
	bh_unlock_sock(sk);
}

static void tasklet_fn(struct tasklet_struct *t)
{
	struct tsq_cpu *cpu = container_of(t, struct tsq_cpu, tasklet);
	struct llist_node *socks = llist_del_all(&cpu->socks);
	struct tandem_sock *tp, *next;

	llist_for_each_entry_safe(tp, next, socks, tsq_node) {
		/* From here on it may be put in a list again. */
		smp_mb__before_atomic();
		clear_bit(TANDEM_TSQ_QUEUED, &tp->deferred);
		resume(tandem_to_sk(tp));
		sk_free(tandem_to_sk(tp));
	}
}

void tandem_tsq_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct tsq_cpu *q = per_cpu_ptr(&tsq_cpu, cpu);

		init_llist_head(&q->socks);
		tasklet_setup(&q->tasklet, tasklet_fn);
	}
}

void tandem_tsq_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(&tsq_cpu, cpu)->tasklet);
}
