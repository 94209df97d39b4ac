// SPDX-License-Identifier: GPL-2.0
/*
 * recovery.c - what to do about loss.
 *
 *   OPEN      --SACK or dup ACK-->  DISORDER  --three above-->  RECOVERY
 *   any state --RTO-->  LOSS        RECOVERY, LOSS  --high_seq ACKed-->  OPEN
 *
 * With SACK (RFC 6675) the scoreboard says what is lost, and pipe says how much more
 * may go.  Without SACK (NewReno, RFC 6582) each duplicate ACK stands for one segment
 * that left the network, and each partial ACK for one more hole.  A timeout (RFC 6298
 * section 5, RFC 5681 section 3.1) calls all lost that was not SACKed and starts
 * again from one segment.
 *
 * high_seq is RFC 6582's "recover": what had been sent when recovery began.  One
 * window is reduced once.
 */
#include <net/sock.h>
#include "ack.h"
#include "mtuprobe.h"
#include "output.h"
#include "recovery.h"
#include "timer.h"

static void cong_event(struct tandem_sock *tp, enum tandem_cong_event ev)
{
	if (tp->cc.ops->event)
		tp->cc.ops->event(&tp->cc, ev);
}

void tandem_recovery_reset(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->ca_state = TANDEM_CA_OPEN;
	tp->sacked_out = 0;
	tp->lost_out = 0;
	tp->retrans_out = 0;
	tp->dupacks = 0;
	tp->n_sack_top = 0;
	tp->high_seq = tp->snd_una;
	tp->lost_upto = tp->snd_una;
	tp->rtx_hint_seq = tp->snd_una;
	tp->highest_sack = tp->snd_una;
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
}

/* RFC 6675 Update(): mark what lies below three SACKed segments. */
static void mark_lost_by_sack(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;
	u32 edge;

	if (tp->n_sack_top < TANDEM_DUPTHRESH)
		return;
	edge = tp->sack_top[TANDEM_DUPTHRESH - 1];
	tp->lost_upto = seq_max(tp->lost_upto, tp->snd_una);
	if (!seq_before(tp->lost_upto, edge))
		return;
	for (skb = tandem_rtx_find(sk, tp->lost_upto); skb; skb = tandem_rtx_next(skb)) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		if (seq_after(cb->end_seq, edge))
			break;
		if (!(cb->sacked & (TANDEM_S_SACKED | TANDEM_S_LOST)))
			tandem_rtx_mark_lost(sk, skb);
	}
	tp->lost_upto = edge;
}

/*
 * Without SACK sacked_out counts duplicate ACKs.  It can never say that everything
 * arrived: the hole itself is missing.
 */
static void count_dupack(struct tandem_sock *tp)
{
	u32 holes = max(tp->lost_out, 1U);

	tp->dupacks++;
	tp->sacked_out++;
	if (tp->sacked_out + holes > tp->packets_out)
		tp->sacked_out = tp->packets_out > holes ? tp->packets_out - holes : 0;
}

/* A cumulative ACK: one segment filled the hole, the rest had been dup ACKed. */
static void uncount_dupacks(struct tandem_sock *tp, u32 acked)
{
	u32 gone = acked > 1 ? acked - 1 : 0;

	tp->dupacks = 0;
	tp->sacked_out -= min(tp->sacked_out, gone);
	if (tp->sacked_out && tp->sacked_out + max(tp->lost_out, 1U) > tp->packets_out)
		tp->sacked_out = tp->packets_out ? tp->packets_out - 1 : 0;
}

static void mark_head_lost(struct sock *sk)
{
	struct sk_buff *head = tandem_rtx_head(sk);
	struct tandem_sock *tp = tandem_sk(sk);

	if (!head)
		return;
	/* What was sent again once is not marked again by a mere dup ACK. */
	if (!(TANDEM_CB(head)->sacked & TANDEM_S_LOST))
		tandem_rtx_mark_lost(sk, head);
	/* Room for the hole. */
	if (!tp->sack_ok && tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out - tp->lost_out;
}

/* RFC 5681 section 3.2 step 2, RFC 6675 section 5 step 4. */
static void enter_recovery(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->high_seq = tp->snd_nxt;
	tp->cc.prior_cwnd = tp->cc.cwnd;
	tp->cc.ssthresh = max(tp->cc.ops->ssthresh(&tp->cc), TANDEM_CWND_MIN);
	tp->cc.cwnd = tp->cc.ssthresh;
	tp->cc.cwnd_cnt = 0;
	tp->ca_state = TANDEM_CA_RECOVERY;
	tp->rtx_hint_seq = tp->snd_una;
	cong_event(tp, TANDEM_CONG_EV_RECOVERY);
	TANDEM_INC(sock_net(sk), RECOVERIES);
}

/*
 * Was the ACK the end of recovery?  Without SACK it must cover more than high_seq,
 * or late duplicate ACKs would start a false recovery (RFC 6582 section 3.2, 6).
 */
static bool recovered(const struct tandem_sock *tp)
{
	if (tp->sack_ok || !tp->packets_out)
		return !seq_before(tp->snd_una, tp->high_seq);
	return seq_after(tp->snd_una, tp->high_seq);
}

static void leave_recovery(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->ca_state == TANDEM_CA_RECOVERY) {
		tp->cc.cwnd = tp->cc.ssthresh;
		/* RFC 6582 section 3.2 step 3: dup ACKs hid pipe, so no burst now. */
		if (!tp->sack_ok)
			tp->cc.cwnd = clamp(tandem_pipe(tp) + 1, TANDEM_CWND_MIN,
					    tp->cc.ssthresh);
		cong_event(tp, TANDEM_CONG_EV_RECOVERED);
	}
	if (!tp->sack_ok)
		tp->sacked_out = 0;
	tp->dupacks = 0;
	tp->ca_state = tp->sacked_out ? TANDEM_CA_DISORDER : TANDEM_CA_OPEN;
}

/* OPEN and DISORDER: is it loss yet? */
static bool loss_found(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->sack_ok) {
		mark_lost_by_sack(sk);
		return tp->lost_out;
	}
	if (!ev->is_dup || tp->dupacks < TANDEM_DUPTHRESH ||
	    !seq_after(tp->snd_una, tp->high_seq))
		return false;
	mark_head_lost(sk);
	return true;
}

static void in_open(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (loss_found(sk, ev)) {
		if (!tandem_mtup_lost(sk))
			enter_recovery(sk);
	} else {
		tp->ca_state = tp->sacked_out ? TANDEM_CA_DISORDER : TANDEM_CA_OPEN;
	}
}

static void in_recovery(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (recovered(tp)) {
		leave_recovery(sk);
		in_open(sk, ev);
		return;
	}
	if (tp->sack_ok)
		mark_lost_by_sack(sk);
	else if (ev->ack != ev->prior_una)
		mark_head_lost(sk);	/* partial ACK: the next hole */
}

static void in_loss(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (recovered(tp))
		leave_recovery(sk);
	else if (!tp->sack_ok && ev->ack != ev->prior_una)
		mark_head_lost(sk);
}

static void grow(struct tandem_sock *tp, const struct tandem_ack_event *ev)
{
	struct tandem_cong_ack a = {
		.now_us = ev->now_us,
		.acked = ev->acked_segs + ev->sacked_segs,
		.prior_in_flight = ev->prior_pipe,
		.rtt_us = ev->rtt_us,
		/* Slow start doubles: half of cwnd used counts as limited by it. */
		.cwnd_limited = tandem_cc_in_slow_start(&tp->cc) ?
				tp->cc.cwnd < 2 * tp->max_packets_out :
				tp->is_cwnd_limited,
	};

	if (tp->ca_state == TANDEM_CA_RECOVERY || ev->ack == ev->prior_una || !a.acked)
		return;
	tp->cc.ops->on_ack(&tp->cc, &a);
}

/*
 * Does this ACK make one retransmission go whatever pipe says?  The one that begins
 * recovery (RFC 6675 section 5 step 4.3, RFC 5681 section 3.2 step 3), and without
 * SACK the one for each partial ACK (RFC 6582 section 3.2 step 3).
 */
static bool must_resend(const struct tandem_sock *tp, const struct tandem_ack_event *ev,
			u8 prior_state)
{
	return tp->ca_state == TANDEM_CA_RECOVERY &&
	       (prior_state != TANDEM_CA_RECOVERY ||
		(!tp->sack_ok && ev->ack != ev->prior_una));
}

void tandem_recovery_ack(struct sock *sk, struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 prior_state = tp->ca_state;

	if (!tp->sack_ok) {
		if (ev->is_dup)
			count_dupack(tp);
		else if (seq_after(ev->ack, ev->prior_una))
			uncount_dupacks(tp, ev->acked_segs);
	}

	switch (tp->ca_state) {
	case TANDEM_CA_OPEN:
	case TANDEM_CA_DISORDER:
		if (tp->sacked_out || ev->is_dup || tp->ca_state != TANDEM_CA_OPEN)
			in_open(sk, ev);
		break;
	case TANDEM_CA_RECOVERY:
		in_recovery(sk, ev);
		break;
	case TANDEM_CA_LOSS:
		in_loss(sk, ev);
		break;
	}
	if (seq_after(ev->ack, ev->prior_una))
		grow(tp, ev);
	if (tp->lost_out)
		tandem_xmit_retransmit_queue(sk, tp->ca_state == TANDEM_CA_LOSS ?
					     TANDEM_R_RTX_RTO : TANDEM_R_RTX_FAST,
					     must_resend(tp, ev, prior_state));
}

void tandem_recovery_timeout(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	/* RFC 2018 section 8: the peer may have forgotten what it SACKed. */
	skb = tandem_rtx_head(sk);
	if (skb && TANDEM_CB(skb)->sacked & TANDEM_S_SACKED) {
		TANDEM_INC(sock_net(sk), SACKRENEG);
		tandem_sack_clear(sk);
	}
	/* RFC 5681 section 3.1: the second timeout of the same data reduces no more. */
	if (!tp->retransmits && (tp->ca_state != TANDEM_CA_LOSS ||
				 !seq_before(tp->snd_una, tp->high_seq))) {
		tp->cc.prior_cwnd = tp->cc.cwnd;
		tp->cc.ssthresh = max(tp->cc.ops->ssthresh(&tp->cc), TANDEM_CWND_MIN);
		cong_event(tp, TANDEM_CONG_EV_LOSS);
	}
	tp->cc.cwnd = 1;
	tp->cc.cwnd_cnt = 0;
	if (!tp->sack_ok)
		tp->sacked_out = 0;
	for (skb = tandem_rtx_head(sk); skb; skb = tandem_rtx_next(skb))
		tandem_rtx_mark_lost(sk, skb);
	tp->lost_upto = tp->snd_nxt;
	tp->rtx_hint_seq = tp->snd_una;
	tp->high_seq = tp->snd_nxt;
	tp->dupacks = 0;
	tp->ca_state = TANDEM_CA_LOSS;
}

void tandem_simple_retransmit(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mss = tandem_current_mss(sk);
	struct sk_buff *skb;
	u32 before = tp->lost_out;

	for (skb = tandem_rtx_head(sk); skb; skb = tandem_rtx_next(skb))
		if (skb->len > mss)
			tandem_rtx_mark_lost(sk, skb);
	if (tp->lost_out == before)
		return;
	if (!tp->sack_ok && tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out - tp->lost_out;
	if (tp->ca_state < TANDEM_CA_RECOVERY) {
		tp->high_seq = tp->snd_nxt;
		tp->ca_state = TANDEM_CA_LOSS;
	}
	tandem_xmit_retransmit_queue(sk, TANDEM_R_RTX_PMTU, false);
}

/* RFC 5681 section 4.1, decayed by half for each RTO of idleness as RFC 2861. */
void tandem_cwnd_restart(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 restart = min_t(u32, tandem_knob(sock_net(sk), init_cwnd), tp->cc.cwnd);
	u64 now = tandem_now_us();
	u64 idle = now - tp->last_sent_us;
	u32 cwnd = tp->cc.cwnd;

	cong_event(tp, TANDEM_CONG_EV_CWND_RESTART);
	/* What cwnd knew is remembered in ssthresh: slow start leads back to it. */
	tp->cc.ssthresh = max(tp->cc.ssthresh, (cwnd >> 1) + (cwnd >> 2));
	while (idle > tp->rto_us && cwnd > restart) {
		cwnd >>= 1;
		idle -= tp->rto_us;
	}
	tp->cc.cwnd = max(cwnd, restart);
	tp->cwnd_usage_seq = tp->snd_nxt;
	tp->max_packets_out = 0;
	tp->last_sent_us = now;
}
