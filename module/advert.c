// SPDX-License-Identifier: GPL-2.0
/*
 * advert.c - what we tell the peer, and when.
 *
 * The window: what the receive buffer can still take, in steps worth telling
 * (receiver-side silly window avoidance, RFC 9293 section 3.8.6.2.2), its right edge
 * never moving back.  Half of the buffer counts as payload, half as the overhead of
 * the skbs that carry it.
 *
 * The ACK: owed from the moment data arrives.  It leaves with whatever leaves next;
 * alone, it leaves
 *   - at once for out-of-order data, a filled gap, a duplicate, a probe
 *     (RFC 5681 section 4.2),
 *   - when the ACK policy says so (ackpolicy.c): by default at once for every
 *     delack_segs-th full segment, unless the program must read before the window's
 *     edge can move,
 *   - at once for the first full segments of a transfer (quickacks), while the
 *     sender's window is so small that it may wait for each of them,
 *   - with the window update when the program's read opens the window,
 *   - else when delack_max_ms have passed.
 */
#include <net/sock.h>
#include <tandem/ackpolicy.h>
#include "ackpolicy.h"
#include "advert.h"
#include "choice.h"
#include "input.h"
#include "output.h"
#include "rcvq.h"
#include "thrift.h"
#include "timer.h"
#include "window.h"

/* A program that has left so many full segments unread is behind with reading. */
#define BEHIND_SEGS	16

u32 tandem_win_from_space(const struct sock *sk, u32 bytes)
{
	return bytes / 2;
}

u32 tandem_rcv_full_space(const struct sock *sk)
{
	return tandem_win_from_space(sk, READ_ONCE(sk->sk_rcvbuf));
}

u32 tandem_rcv_space(const struct sock *sk)
{
	int free = READ_ONCE(sk->sk_rcvbuf) - READ_ONCE(sk->sk_backlog.len) -
		   atomic_read(&sk->sk_rmem_alloc);

	return free > 0 ? tandem_win_from_space(sk, free) : 0;
}

static u32 fresh_window(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 full = min(tp->window_clamp, tandem_rcv_full_space(sk));
	u32 free = tandem_rcv_space(sk);

	if (free < full / 2 && sk_under_memory_pressure(sk))
		tp->rcv_ssthresh = min(tp->rcv_ssthresh, 4U * tp->advmss);
	free = min(free, tp->rcv_ssthresh);
	return tandem_win_select(tandem_rcv_wnd_open(tp), free, full,
				 min_t(u32, tp->rcv_mss, full), tp->rcv_wscale);
}

u16 tandem_select_window(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 old = tp->rcv_wnd;

	tp->rcv_wnd = fresh_window(sk);
	tp->rcv_wup = tp->rcv_nxt;
	if (!tp->rcv_wnd && old)
		TANDEM_SK_INC(sk, ZEROWINOUT);
	return tp->rcv_wnd >> tp->rcv_wscale;
}

void tandem_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	/* GRO has made one of several: as long as they were. */
	u32 len = skb_shinfo(skb)->gso_size ? : skb->len;

	if (len > tp->rcv_mss)
		tp->rcv_mss = min_t(u32, len, tp->advmss);
}

static void grant_quickacks(struct tandem_sock *tp, unsigned int max)
{
	u32 n = tandem_rcv_wnd_open(tp) / (2 * max(tp->rcv_mss, 1U));

	tp->quickacks = clamp(n, 2U, min(max, TANDEM_MAX_QUICKACKS));
}

void tandem_enter_quickack(struct sock *sk, unsigned int max)
{
	struct tandem_sock *tp = tandem_sk(sk);

	grant_quickacks(tp, max);
	tp->pingpong = false;
}

void tandem_ack_now(struct sock *sk)
{
	tandem_sk(sk)->ack_pending |= TANDEM_ACK_SCHED | TANDEM_ACK_NOW;
}

void tandem_ack_data_received(struct sock *sk, const struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u64 now = tp->clock_us;

	tp->ack_pending |= TANDEM_ACK_SCHED;
	if (!tp->last_data_us || now - tp->last_data_us > tp->rto_us) {
		/* A new transfer, or one after a pause: its sender starts slowly. */
		grant_quickacks(tp, TANDEM_MAX_QUICKACKS);
		/* Only full segments then (below); a TCP waits on in a dialogue. */
		if (tandem_thrifty(sk))
			tp->pingpong = false;
	}
	tp->last_data_us = now;
	/*
	 * Only full segments: a small message is answered soon, or not urgent.  And not
	 * what ends with a push: as far as rcv_mss knows a message of 1 KB is full, too.
	 * Where we are not to be told from TCP: all, as it does.
	 */
	if (tp->quickacks && !tp->pingpong &&
	    (!tandem_thrifty(sk) ||
	     (skb->len >= tp->rcv_mss && tp->rcv_mss > TCP_MSS_DEFAULT &&
	      !(TANDEM_CB(skb)->flags & TANDEM_F_PSH)))) {
		tp->quickacks--;
		tp->ack_pending |= TANDEM_ACK_NOW;
	}
}

void tandem_ack_syn_data(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	/* Linux counts it as received, not as a transfer that began. */
	if (tandem_thrifty(sk))
		return;
	tp->last_data_us = 0;
	tp->quickacks = 0;
}

void tandem_ack_data_sent(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	/* The program answers what it got: the next ACK will find a ride too. */
	if (tp->clock_us - tp->last_data_us <
	    tandem_sk_knob(sk, delack_max_ms) * 1000ULL)
		tp->pingpong = true;
}

void tandem_ack_sent(struct sock *sk, bool pure)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 was = tp->ack_pending;

	if (!pure) {
		if (was & TANDEM_ACK_SCHED)
			TANDEM_SK_INC(sk, PIGGYACKSOUT);
	} else if (!(was & TANDEM_ACK_SCHED) && was & TANDEM_ACK_WIN) {
		TANDEM_SK_INC(sk, WINUPDATESOUT);
	} else {
		TANDEM_SK_INC(sk, PUREACKSOUT);
		if (was & TANDEM_ACK_WIN)
			TANDEM_SK_INC(sk, MERGEDACKSOUT);
		if (was & TANDEM_ACK_DELAYED)
			TANDEM_SK_INC(sk, DELAYEDACKS);
		else if (was & TANDEM_ACK_SCHED)
			TANDEM_SK_INC(sk, QUICKACKS);
		if (was & TANDEM_ACK_DUP)
			TANDEM_SK_INC(sk, DUPACKSOUT);
	}
	tandem_thrift_ack_sent(sk, pure);
	tp->ack_pending = 0;
	tp->rcv_acked = tp->rcv_nxt;
	tandem_timer_ack_sent(sk);
}

/* How long may the ACK that is owed wait?  Microseconds.  @read: the program just did. */
static u32 ack_delay_us(struct sock *sk, bool read)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_ack_ops *ops = container_of(tp->choice[TANDEM_KIND_ACK],
							struct tandem_ack_ops, choice);
	const struct dst_entry *dst = __sk_dst_get(sk);
	struct tandem_ack_view view;
	u32 delay_us;

	if (tp->ack_pending & TANDEM_ACK_NOW || (dst && dst_metric(dst, RTAX_QUICKACK)))
		return 0;
	/* A FIN before any data: TCP has no delay yet, and takes none. */
	if (!tp->last_data_us && !tandem_thrifty(sk))
		return 0;
	view = (struct tandem_ack_view) {
		.owed		= tp->rcv_nxt - tp->rcv_acked,
		.rcv_mss	= max(tp->rcv_mss, 1U),
		.segs		= tandem_sk_knob(sk, delack_segs),
		.max_delay_us	= tandem_sk_knob(sk, delack_max_ms) * USEC_PER_MSEC,
		.srtt_us	= tp->cc.srtt_us,
		.dialogue	= tp->pingpong,
	};
	if (!read && tp->rcv_nxt - tp->copied_seq > (u64)BEHIND_SEGS * view.rcv_mss)
		view.unread = fresh_window(sk) < tp->rcv_wnd;
	delay_us = ops->delay_us(&view);
	/* A read() would change nothing, so it need not ask again. */
	if (delay_us && !view.unread)
		tp->ack_pending |= TANDEM_ACK_WAITS;
	return delay_us;
}

void tandem_ack_check(struct sock *sk, bool ofo_possible)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 delay_us = 0;

	if (!(tp->ack_pending & TANDEM_ACK_SCHED) || sk->sk_state == TCP_CLOSE)
		return;
	tp->ack_pending &= ~TANDEM_ACK_WAITS;
	if (!ofo_possible || RB_EMPTY_ROOT(&tp->ofo_queue))
		delay_us = ack_delay_us(sk, false);
	if (delay_us)
		tandem_timer_ack_owed(sk, usecs_to_jiffies(delay_us));
	else
		tandem_send_ack(sk);
}

/*
 * The program read: is there enough new window to tell, and with it the ACK that is
 * owed anyway?
 */
void tandem_cleanup_rbuf(struct sock *sk, int copied)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 open = tandem_rcv_wnd_open(tp), full, fresh;
	bool update = false;

	if (copied > 0 && !(sk->sk_shutdown & RCV_SHUTDOWN) &&
	    !(tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT))) {
		full = min(tp->window_clamp, tandem_rcv_full_space(sk));
		/* Far from closed: the next ACK tells it soon enough. */
		if (2 * open <= full) {
			fresh = fresh_window(sk);
			/* Linux's thrift: at least twice what the peer knows of. */
			update = fresh >= 2 * open &&
				 tandem_win_worth_update(open, fresh, full, tp->rcv_mss);
		}
	}
	if (update) {
		tp->ack_pending |= TANDEM_ACK_WIN;
		tandem_send_ack(sk);
	} else if ((tp->ack_pending & (TANDEM_ACK_SCHED | TANDEM_ACK_WAITS)) ==
		   TANDEM_ACK_SCHED && !ack_delay_us(sk, true)) {
		tandem_send_ack(sk);
	}
}

/* ---- policies ---- */

/**
 * tandem_ack_register() - offer an ACK policy under its name
 * @ops: the policy; stays with the registry until tandem_ack_unregister()
 *
 * To be loaded on demand its module needs MODULE_ALIAS("tandem-ack-NAME").
 *
 * Return: 0; -EEXIST when the name is taken; -EINVAL for a bad name or no op.
 */
int tandem_ack_register(struct tandem_ack_ops *ops)
{
	return ops->delay_us ? tandem_choice_register(TANDEM_KIND_ACK, &ops->choice) :
			       -EINVAL;
}
EXPORT_SYMBOL_GPL(tandem_ack_register);

/**
 * tandem_ack_unregister() - take a policy back; may sleep
 * @ops: registered before, and used by nobody: its module holds see to that
 */
void tandem_ack_unregister(struct tandem_ack_ops *ops)
{
	tandem_choice_unregister(TANDEM_KIND_ACK, &ops->choice);
}
EXPORT_SYMBOL_GPL(tandem_ack_unregister);

int tandem_advert_init(void)
{
	int err = tandem_ack_register(&tandem_ack_delayed);

	if (err)
		return err;
	tandem_choice_set_builtin(TANDEM_KIND_ACK, &tandem_ack_delayed.choice);
	err = tandem_ack_register(&tandem_ack_every);
	if (err)
		tandem_ack_unregister(&tandem_ack_delayed);
	return err;
}

void tandem_advert_exit(void)
{
	tandem_ack_unregister(&tandem_ack_every);
	tandem_ack_unregister(&tandem_ack_delayed);
}
