// SPDX-License-Identifier: GPL-2.0
/*
 * close.c - the ways out: shutdown(), close(), connect(AF_UNSPEC).
 *
 * close() with everything read sends a FIN behind the data and leaves an orphan that
 * works on without a program (RFC 9293 section 3.6).  With unread data it resets, so
 * that the peer learns that its data was lost (RFC 2525 section 2.17); SO_LINGER with
 * 0 seconds resets as well.  Orphans are counted and limited (net.tandem.max_orphans).
 * An orphan whose peer has acknowledged the FIN but does not send its own waits for
 * it as a minisock (timewait.c), at most TCP_LINGER2 or net.tandem.fin_timeout.
 */
#include <linux/sched/signal.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "cong.h"
#include "early.h"
#include "handshake.h"
#include "output.h"
#include "ports.h"
#include "rcvq.h"
#include "socket.h"
#include "state.h"
#include "thrift.h"
#include "timer.h"
#include "timewait.h"

/* Rounds of flushing the backlog before close() gives way to a flood of segments. */
#define MAX_FLUSH	4

/**
 * tandem_shutdown() - proto.shutdown: the program will send no more
 * @sk: locked
 * @how: SEND_SHUTDOWN and RCV_SHUTDOWN bits; the core has set sk_shutdown
 */
void tandem_shutdown(struct sock *sk, int how)
{
	if (!(how & SEND_SHUTDOWN))
		return;
	/* Elsewhere the FIN is on its way or there is no one to send it to. */
	if ((tandem_state_bit(sk) & (TCPF_ESTABLISHED | TCPF_SYN_SENT | TCPF_CLOSE_WAIT) ||
	     tandem_sk(sk)->fo_pending) && tandem_state_close(sk))
		tandem_send_fin(sk);
}

/* ---- the end ---- */

void tandem_orphan(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	sock_orphan(sk);
	if (tp->orphan_counted)
		return;
	tp->orphan_counted = true;
	atomic_inc(&tandem_sk(sk)->tn->orphans);
}

/**
 * tandem_destroy() - proto.destroy: give back all that is not memory of the socket
 * @sk: nobody can find it any more
 */
void tandem_destroy(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tandem_timers_stop(sk);
	tandem_cong_detach(&tp->cc);
	tandem_unchoose(sk);
	tandem_write_queue_purge(sk);
	tandem_rcvq_purge(sk);
	tandem_put_port(sk);
	sk_sockets_allocated_dec(sk);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
}

/**
 * tandem_destroy_sock() - an orphan's connection is over
 * @sk: locked, in CLOSE, orphaned; a reference is dropped
 */
void tandem_destroy_sock(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	WARN_ON_ONCE(sk->sk_state != TCP_CLOSE);
	WARN_ON_ONCE(!sock_flag(sk, SOCK_DEAD));

	sk->sk_prot->destroy(sk);
	sk_stream_kill_queues(sk);
	xfrm_sk_free_policy(sk);
	if (tp->orphan_counted) {
		tp->orphan_counted = false;
		atomic_dec(&tandem_sk(sk)->tn->orphans);
	}
	sock_put(sk);
}

/* ---- close() ---- */

/* Throw away what was received. True: the program had not read all of it. */
static bool flush_received(struct sock *sk)
{
	u32 copied = tandem_sk(sk)->copied_seq;
	bool unread = false;
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&sk->sk_receive_queue))) {
		u32 end = TANDEM_CB(skb)->end_seq;

		if (TANDEM_CB(skb)->flags & TANDEM_F_FIN)
			end--;
		unread |= seq_after(end, copied);
		__kfree_skb(skb);
	}
	return unread;
}

static bool closing(const struct sock *sk)
{
	return (1 << READ_ONCE(sk->sk_state)) &
	       (TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_LAST_ACK);
}

/* SO_LINGER: until the peer has everything, a signal, or @timeout. */
static void wait_close(struct sock *sk, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	if (!timeout)
		return;
	add_wait_queue(sk_sleep(sk), &wait);
	do {
		if (sk_wait_event(sk, &timeout, !closing(sk), &wait))
			break;
	} while (!signal_pending(current) && timeout);
	remove_wait_queue(sk_sleep(sk), &wait);
}

/* An end without a FIN.  The state goes first, so that nothing answers meanwhile. */
static void abort_with_reset(struct sock *sk, gfp_t gfp, enum tandem_reason why)
{
	tandem_count_reason(sock_net(sk), why);
	tandem_set_state(sk, TCP_CLOSE, why);
	tandem_send_active_reset(sk, gfp, why);
}

static void drop_connection(struct sock *sk, enum tandem_reason why);

static void close_connection(struct sock *sk, long timeout)
{
	bool unread = flush_received(sk);

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (unread)
		abort_with_reset(sk, sk->sk_allocation, TANDEM_R_UNREADDATA);
	else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime)
		drop_connection(sk, TANDEM_R_LINGER);
	else if (tandem_state_close(sk))
		tandem_send_fin(sk);
	wait_close(sk, timeout);
}

/*
 * Our FIN is ACKed, the peer's may never come.  True: a minisock waits for it and
 * the socket is gone.
 */
static bool close_in_fin_wait2(struct sock *sk)
{
	int timewait = msecs_to_jiffies(tandem_sk_knob(sk, timewait_ms));
	int rest;

	if (tandem_sk(sk)->linger2 < 0) {
		abort_with_reset(sk, GFP_ATOMIC, TANDEM_R_LINGER);
		return false;
	}
	rest = tandem_fin_time(sk);
	if (rest > timewait) {
		tandem_timer_keepalive(sk, rest - timewait);
		return false;
	}
	tandem_time_wait(sk, TCP_FIN_WAIT2, rest);
	return true;
}

/* What becomes of the orphan?  bh_lock_sock() is held and we own the socket. */
static void judge_orphan(struct sock *sk)
{
	if (sk->sk_state == TCP_FIN_WAIT2 && close_in_fin_wait2(sk))
		return;
	if (sk->sk_state != TCP_CLOSE) {
		if (tandem_too_many_orphans(sk)) {
			net_info_ratelimited("tandem: too many orphans or no memory; see net.tandem.max_orphans, net.tandem.mem\n");
			abort_with_reset(sk, GFP_ATOMIC, TANDEM_R_ORPHANS);
		} else if (!check_net(sock_net(sk))) {
			/* A dying netns sends nothing. */
			tandem_set_state(sk, TCP_CLOSE, TANDEM_R_USER);
		}
	}
	if (sk->sk_state == TCP_CLOSE)
		tandem_destroy_sock(sk);
}

/*
 * Work off the backlog, then take the spinlock with the backlog still empty, without
 * giving up ownership: from here on everything is as in softirq.  (What a flood puts
 * there anyway, release_sock() hands to a socket that may be in CLOSE.)
 */
static void become_softirq(struct sock *sk)
	__acquires(&sk->sk_lock.slock)
{
	int i;

	for (i = 0; ; i++) {
		__sk_flush_backlog(sk);
		local_bh_disable();
		bh_lock_sock(sk);
		if (!sk->sk_backlog.tail || i == MAX_FLUSH)
			return;
		bh_unlock_sock(sk);
		local_bh_enable();
	}
}

/**
 * tandem_close() - proto.close
 * @sk: the last program's reference to it, which is dropped
 * @timeout: how long to linger, jiffies
 */
void tandem_close(struct sock *sk, long timeout)
{
	int state;

	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == TCP_LISTEN) {
		tandem_set_state(sk, TCP_CLOSE, TANDEM_R_USER);
		tandem_listen_stop(sk);
	} else {
		close_connection(sk, timeout);
	}

	state = sk->sk_state;
	sock_hold(sk);
	tandem_orphan(sk);
	become_softirq(sk);
	/* If the backlog ended the connection, tandem_done() has destroyed it. */
	if (state == TCP_CLOSE || sk->sk_state != TCP_CLOSE)
		judge_orphan(sk);
	bh_unlock_sock(sk);
	local_bh_enable();
	release_sock(sk);
	/* A kernel socket holds no netns: no timer may outlive this call. */
	if (!sk->sk_net_refcnt)
		tandem_timers_stop_sync(sk);
	sock_put(sk);
}

/* ---- connect(AF_UNSPEC), shutdown() of a listener or of a SYN ---- */

/* Does RFC 9293 section 3.10.5 (ABORT) want a reset? */
static bool needs_reset(const struct sock *sk, int state)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if ((1 << state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 |
			    TCPF_FIN_WAIT2 | TCPF_SYN_RECV))
		return true;
	/* We call it so, but the FIN never left: to the peer we are established. */
	return (1 << state) & (TCPF_CLOSING | TCPF_LAST_ACK) &&
	       tp->snd_nxt != tp->write_seq;
}

static void drop_connection(struct sock *sk, enum tandem_reason why)
{
	int state = sk->sk_state;

	if (state != TCP_CLOSE)
		tandem_set_state(sk, TCP_CLOSE, why);
	if (state == TCP_LISTEN) {
		tandem_listen_stop(sk);
	} else if (needs_reset(sk, state)) {
		tandem_count_reason(sock_net(sk), why);
		tandem_send_active_reset(sk, gfp_any(), why);
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	} else if (state == TCP_SYN_SENT) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	}

	tandem_timers_stop(sk);
	__skb_queue_purge(&sk->sk_receive_queue);
	tandem_write_queue_purge(sk);
	tandem_rcvq_purge(sk);
	inet_sk(sk)->inet_dport = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	tandem_reset_connection(sk);
	__sk_dst_reset(sk);
	tandem_early_forget(sk);
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
	sk_error_report(sk);
}

/**
 * tandem_disconnect() - proto.disconnect: back to a socket that can connect() again
 * @sk: locked
 * @flags: O_NONBLOCK or not, the same here
 *
 * Options stay, and so does a port or address the program asked for by bind().
 *
 * Return: 0
 */
int tandem_disconnect(struct sock *sk, int flags)
{
	drop_connection(sk, TANDEM_R_DISCONNECT);
	return 0;
}
