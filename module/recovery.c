// SPDX-License-Identifier: GPL-2.0
/*
 * recovery.c - what to do about loss.
 *
 *   OPEN       --SACK or dup ACK-->  DISORDER        OPEN, DISORDER, CWR  --loss-->  RECOVERY
 *   OPEN, DISORDER  --ECN-Echo-->  CWR               any state  --RTO-->  LOSS
 *   CWR  --beyond high_seq ACKed-->  OPEN            RECOVERY, LOSS  --high_seq ACKed-->  OPEN
 *   RECOVERY, LOSS  --it was no loss-->  OPEN
 *
 * With SACK a loss detector (loss.c) says what is lost, and pipe (RFC 6675) how much is
 * in flight.  Without SACK (NewReno, RFC 6582) each duplicate ACK stands for one segment
 * that left the network, and each partial ACK for one more hole.  A timeout (RFC 6298
 * section 5, RFC 5681 section 3.1) sends the oldest segment again, and with it calls
 * lost what was sent so long ago that it, too, should have been heard of (RFC 8985
 * section 6.3).
 *
 * In CWR and RECOVERY proportional rate reduction leads cwnd to ssthresh (prr.c); a
 * congestion control that brings control() does that itself.  If it turns out that
 * nothing was lost (undo.c) cwnd and ssthresh become what they were, and the RTO what
 * the path is now (rtt.c): RFC 4015.
 *
 * high_seq is RFC 6582's "recover": what had been sent when the reduction began.  One
 * window is reduced once.
 */
#include <net/sock.h>
#include "ack.h"
#include "cong.h"
#include "ecn.h"
#include "mtuprobe.h"
#include "output.h"
#include "recovery.h"
#include "timer.h"

void tandem_recovery_reset(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->cc.ca_state = TANDEM_CA_OPEN;
	tp->sacked_out = 0;
	tp->lost_out = 0;
	tp->retrans_out = 0;
	tp->dupacks = 0;
	tp->high_seq = tp->snd_una;
	tandem_prr_start(&tp->prr, 0);
	/* Whoever resets has emptied them, or never filled them. */
	INIT_LIST_HEAD(&tp->sent_list);
	INIT_LIST_HEAD(&tp->lost_list);
	tandem_loss_reset(sk);
}

/* Of the last reduction nothing is to be taken back: it was right, or is history. */
static void no_undo(struct tandem_sock *tp)
{
	if (tp->trouble)
		tp->trouble->undo.active = false;
}

static void no_frto(struct tandem_sock *tp)
{
	if (tp->trouble)
		tp->trouble->frto.step = TANDEM_FRTO_OFF;
}

void tandem_recovery_stands(struct tandem_sock *tp)
{
	no_undo(tp);
	no_frto(tp);
}

static bool undone_by_dsack(const struct tandem_sock *tp)
{
	return tp->trouble && tandem_undo_by_dsack(&tp->trouble->undo);
}

static bool undone_by_echo(const struct tandem_sock *tp, const struct tandem_ack_event *ev)
{
	return tp->trouble && tandem_undo_by_echo(&tp->trouble->undo, ev->echo_us);
}

static void tell_cong(struct tandem_sock *tp, enum tandem_cong_event ev)
{
	tp->cc.in_flight = tandem_pipe(tp);
	tandem_cong_event(&tp->cc, ev);
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
	/* Duplicate ACKs tell of one segment at a time. */
	if (!tp->sack_ok && TANDEM_CB(head)->segs > 1)
		tandem_fragment(sk, head, TANDEM_CB(head)->mss, TANDEM_CB(head)->mss, true,
				GFP_ATOMIC);
	/* What was sent again once is not marked again by a mere dup ACK. */
	if (!(TANDEM_CB(head)->sacked & TANDEM_S_LOST))
		tandem_rtx_mark_lost(sk, head);
	/* Room for the hole. */
	if (!tp->sack_ok && tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out - tp->lost_out;
}

static bool advanced(const struct tandem_ack_event *ev)
{
	return seq_after(ev->ack, ev->prior_una);
}

/* ---- reducing ---- */

/*
 * A reduction of the window begins: what ssthresh says, led there by PRR.  RecoverFS is
 * what was in flight before this ACK (RFC 9937 section 6).
 */
static void start_reduction(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_cc *cc = &tp->cc;

	cc->in_flight = tandem_pipe(tp);
	cc->prior_cwnd = cc->cwnd;
	cc->ssthresh = max(tandem_cong(cc)->ssthresh(cc), TANDEM_CWND_MIN);
	cc->cwnd_cnt = 0;
	tp->tlp_out = false;
	tandem_ecn_reduced(tp);
	tandem_prr_start(&tp->prr, tp->packets_out - tp->sacked_out + ev->delivered);
}

/* RFC 5681 section 3.2 step 2, RFC 6675 section 5 step 4. */
static void enter_recovery(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_trouble *t = tandem_trouble(tp);
	u32 ssthresh = tp->cc.ssthresh;

	if (tp->cc.ca_state == TANDEM_CA_CWR) {
		/* This window is being reduced already, and for good reason. */
		no_undo(tp);
	} else {
		start_reduction(sk, ev);
		if (t) {
			tandem_undo_start(&t->undo, tp->snd_una, tp->retrans_out,
					  tp->cc.prior_cwnd, ssthresh);
			/* A router told of congestion as well: that was no mistake. */
			t->undo.active = !ev->ece;
			t->undo.fast = true;
		}
	}
	tp->high_seq = tp->snd_nxt;
	tp->cc.ca_state = TANDEM_CA_RECOVERY;
	tell_cong(tp, TANDEM_CONG_EV_RECOVERY);
	TANDEM_SK_INC(sk, RECOVERIES);
}

static void begin_cwr(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	start_reduction(sk, ev);
	no_undo(tp);
	tp->high_seq = tp->snd_nxt;
	tp->cc.ca_state = TANDEM_CA_CWR;
	tell_cong(tp, TANDEM_CONG_EV_CWR);
	TANDEM_SK_INC(sk, CWRS);
}

/*
 * An ECN-Echo came (RFC 3168 section 6.1.2): as for a loss, once per window.  RFC 8257
 * reduces in another way, by the share of what was marked.
 */
static void enter_cwr(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->cc.ca_state < TANDEM_CA_CWR &&
	    !(tandem_cong(&tp->cc)->flags & TANDEM_CONG_DCTCP_ECN))
		begin_cwr(sk, ev);
}

/*
 * Our own queue is full.  Nothing is lost, what it dropped is still here; but it would
 * not be full if less were sent, so as TCP one reduction in a window.
 */
void tandem_recovery_local_drop(struct sock *sk)
{
	const struct tandem_ack_event none = {};
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->cc.ca_state >= TANDEM_CA_CWR ||
	    tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		return;
	begin_cwr(sk, &none);
}

/*
 * A tail loss probe repaired a loss all by itself, so that there was nothing to recover:
 * one reduction for it (RFC 8985 section 7.4.2).
 */
static void probe_repaired(struct sock *sk)
{
	const struct tandem_ack_event none = {};
	struct tandem_sock *tp = tandem_sk(sk);

	TANDEM_SK_INC(sk, LOSSPROBERECOVERY);
	if (tp->cc.ca_state >= TANDEM_CA_CWR)
		return;
	start_reduction(sk, &none);
	no_undo(tp);
	/* To an algorithm that does it all itself CWR would mean a mark. */
	tell_cong(tp, tandem_cong(&tp->cc)->control ? TANDEM_CONG_EV_RECOVERY : TANDEM_CONG_EV_CWR);
	if (!tandem_cong(&tp->cc)->control)
		tp->cc.cwnd = min(tp->cc.cwnd, tp->cc.ssthresh);
	tell_cong(tp, TANDEM_CONG_EV_RECOVERED);
}

/* Nothing to be done, or nothing more; holes there may be. */
static void calm(struct tandem_sock *tp)
{
	tp->dupacks = 0;
	tp->cc.ca_state = tp->sacked_out ? TANDEM_CA_DISORDER : TANDEM_CA_OPEN;
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

/* ---- undoing ---- */

/* RFC 4015 section 3.  @unmark: what is marked lost is not. */
static void undo_reduction(struct sock *sk, bool unmark)
{
	struct tandem_sock *tp = tandem_sk(sk);
	/* There is one, or nothing could be undone. */
	struct tandem_trouble *t = tp->trouble;
	struct tandem_cc *cc = &tp->cc;

	if (unmark)
		tandem_rtx_unmark_lost(sk);
	if (t->undo.fast)
		tandem_loss_tell(sk, TANDEM_LOSS_EV_UNDO);
	else
		tandem_rebase_due(&t->rebase, tp->high_seq);
	cc->cwnd = max(cc->cwnd, tandem_cong(cc)->undo_cwnd(cc));
	cc->ssthresh = max(cc->ssthresh, t->undo.ssthresh);
	/* What arrived meanwhile would have made slow start go on. */
	if (t->undo.fast && !tandem_cong(cc)->control && tandem_cc_in_slow_start(cc))
		tandem_cc_slow_start(cc, min(tp->prr.delivered, cc->cwnd));
	cc->cwnd = min(cc->cwnd, cc->cwnd_clamp);
	tp->ecn &= ~TANDEM_ECN_QUEUE_CWR;
	tandem_recovery_stands(tp);
	tell_cong(tp, TANDEM_CONG_EV_UNDO);
}

/* All that was sent again arrived twice; but for LOSS in any state, and a while after. */
static bool undo_by_dsack(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!ev->dsack || !undone_by_dsack(tp))
		return false;
	undo_reduction(sk, false);
	TANDEM_SK_INC(sk, DSACKUNDO);
	return true;
}

/* RECOVERY: the ACK of an original, while more is missing. */
static bool undo_partial(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!advanced(ev) || !undone_by_echo(tp, ev))
		return false;
	TANDEM_SK_INC(sk, TSREORDER);
	if (tp->retrans_out)
		return true;		/* call no more lost until their fate is known */
	undo_reduction(sk, true);
	calm(tp);
	TANDEM_SK_INC(sk, PARTIALUNDO);
	return true;
}

/* LOSS: the timeout was a mistake, whether @frto says so or the echo. */
static void undo_loss(struct sock *sk, bool frto)
{
	struct tandem_sock *tp = tandem_sk(sk);

	undo_reduction(sk, true);
	tp->retransmits = 0;
	tp->backoff = 0;
	TANDEM_SK_INC(sk, LOSSUNDO);
	if (frto)
		TANDEM_SK_INC(sk, SPURIOUSRTOS);
	calm(tp);
}

/* ---- after every ACK ---- */

static void leave_recovery(struct sock *sk, const struct tandem_ack_event *ev)
{
	bool was_loss = tandem_sk(sk)->cc.ca_state == TANDEM_CA_LOSS;
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_cc *cc = &tp->cc;

	if (undone_by_dsack(tp) || undone_by_echo(tp, ev)) {
		undo_reduction(sk, false);
		if (was_loss)
			TANDEM_SK_INC(sk, LOSSUNDO);
		else
			TANDEM_SK_INC(sk, FULLUNDO);
	} else {
		tandem_loss_tell(sk, TANDEM_LOSS_EV_RECOVERED);
		if (!was_loss && !tandem_cong(cc)->control) {
			cc->cwnd = cc->ssthresh;
			/* RFC 6582 section 3.2 step 3: dup ACKs hid pipe, so no burst. */
			if (!tp->sack_ok)
				cc->cwnd = clamp(tandem_pipe(tp) + 1, TANDEM_CWND_MIN,
						 cc->ssthresh);
		}
		if (!was_loss)
			tell_cong(tp, TANDEM_CONG_EV_RECOVERED);
	}
	no_frto(tp);
	if (!tp->sack_ok)
		tp->sacked_out = 0;
	calm(tp);
}

/* RFC 3168 section 6.1.2: something sent after the reduction began was ACKed. */
static void leave_cwr(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!tandem_cong(&tp->cc)->control)
		tp->cc.cwnd = tp->cc.ssthresh;
	tell_cong(tp, TANDEM_CONG_EV_RECOVERED);
	calm(tp);
}

/* OPEN, DISORDER and CWR: is it loss yet? */
static bool loss_found(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->sack_ok) {
		tandem_loss_detect(sk);
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

	bool lost;

	if (tp->cc.ca_state == TANDEM_CA_CWR && seq_after(tp->snd_una, tp->high_seq))
		leave_cwr(sk);
	undo_by_dsack(sk, ev);
	lost = loss_found(sk, ev);
	if (lost && tandem_mtup_lost(sk))
		return;		/* a probe that was too long: no sign of congestion */
	if (lost)
		enter_recovery(sk, ev);
	else if (ev->ece)
		enter_cwr(sk, ev);
	else if (tp->cc.ca_state != TANDEM_CA_CWR)
		tp->cc.ca_state = tp->sacked_out ? TANDEM_CA_DISORDER : TANDEM_CA_OPEN;
}

/* False: nothing is to be sent again now. */
static bool in_recovery(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (recovered(tp)) {
		leave_recovery(sk, ev);
		in_open(sk, ev);
		return true;
	}
	if (undo_partial(sk, ev))
		return false;
	if (undo_by_dsack(sk, ev)) {
		calm(tp);
		in_open(sk, ev);
		return true;
	}
	if (tp->sack_ok)
		tandem_loss_detect(sk);
	else if (advanced(ev))
		mark_head_lost(sk);	/* partial ACK: the next hole */
	return true;
}

/* The next bytes were written, and the peer has room for them. */
static bool can_send_new(const struct sock *sk)
{
	const struct sk_buff *skb = tandem_send_head(sk);

	return skb && seq_before(TANDEM_CB(skb)->seq, tandem_snd_wnd_end(tandem_sk(sk)));
}

static enum tandem_frto_verdict ask_frto(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_frto_ack ack = {
		.una = tp->snd_una,
		.advanced = advanced(ev),
		.original = ev->orig_acked,
		.dup = tp->sack_ok ? ev->sacked_segs : ev->is_dup,
		.can_send = can_send_new(sk),
	};

	return tandem_frto_ack(&tp->trouble->frto, &ack);
}

/* False: nothing is to be sent again now. */
static bool in_loss(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool dsack = ev->dsack && undone_by_dsack(tp);
	enum tandem_frto_verdict verdict;

	if (dsack || (advanced(ev) && undone_by_echo(tp, ev))) {
		undo_loss(sk, false);
		if (dsack)
			TANDEM_SK_INC(sk, DSACKUNDO);
		if (tp->sack_ok || recovered(tp)) {
			calm(tp);
			in_open(sk, ev);
		}
		return true;
	}
	if (tandem_frto_waits(tp)) {
		verdict = ask_frto(sk, ev);
		if (verdict == TANDEM_FRTO_SPURIOUS) {
			undo_loss(sk, true);
			in_open(sk, ev);
			return true;
		}
		if (verdict != TANDEM_FRTO_REAL) {
			if (tp->sack_ok)
				tandem_loss_detect(sk);
			return false;
		}
	}
	if (recovered(tp)) {
		leave_recovery(sk, ev);
		in_open(sk, ev);
		return true;
	}
	if (tp->sack_ok)
		tandem_loss_detect(sk);
	else if (advanced(ev))
		mark_head_lost(sk);
	return true;
}

/*
 * RFC 5681 section 3.1 grows the window by what is ACKed in order.  Where the path is
 * known to reorder there is a hole nearly always: SACKs tell then as well that segments
 * have left the network, and what they told is not told again when SEG.ACK moves.
 */
static bool grows(const struct tandem_sock *tp, const struct tandem_cong_ack *a)
{
	return a->new_una || (tp->loss_begun ? tandem_loss_reorders(&tp->trouble->loss) :
					      tp->known_reordering);
}

/* A window that is used up is a reason to begin with congestion control, or trouble is. */
static bool stays_quiet(const struct tandem_sock *tp, const struct tandem_ack_event *ev)
{
	return tandem_cong_is_quiet(&tp->cc) && tp->cc.ca_state <= TANDEM_CA_DISORDER &&
	       !ev->ece && !tandem_cwnd_limited(tp);
}

/* The window after the ACK: the algorithm's, PRR's, or grown. */
static void size_cwnd(struct sock *sk, struct tandem_ack_event *ev, u32 lost)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_cong_ops *ops;
	struct tandem_cc *cc = &tp->cc;
	struct tandem_cong_ack a = {
		.now_us = ev->now_us,
		.acked = ev->delivered,
		.lost = lost,
		.prior_in_flight = ev->prior_pipe,
		.rtt_us = ev->cc_rtt_us >= 0 ? ev->cc_rtt_us : ev->rtt_us,
		.cwnd_limited = tandem_cwnd_limited(tp),
		.ece = ev->ece,
		.new_una = advanced(ev),
		.rs = ev->rs,
	};

	/* The sample was taken before the losses were found that this ACK tells of. */
	if (a.rs.delivered)
		a.rs.lost += lost;
	cc->in_flight = tandem_pipe(tp);
	ops = tandem_cong(cc);
	if (ops->control)
		ops->control(cc, &a);
	else if (cc->ca_state == TANDEM_CA_CWR || cc->ca_state == TANDEM_CA_RECOVERY)
		cc->cwnd = tandem_prr_cwnd(&tp->prr, cc->cwnd, ev->delivered, cc->in_flight,
					   cc->ssthresh, a.new_una && !lost);
	else if (a.acked && grows(tp, &a))
		ops->on_ack(cc, &a);
}

/*
 * Does this ACK make one retransmission go whatever pipe says?  The one that begins
 * recovery (RFC 6675 section 5 step 4.3, RFC 5681 section 3.2 step 3), and without
 * SACK the one for each partial ACK (RFC 6582 section 3.2 step 3).
 */
static bool must_resend(const struct tandem_sock *tp, const struct tandem_ack_event *ev,
			u8 prior_state)
{
	return tp->cc.ca_state == TANDEM_CA_RECOVERY &&
	       (prior_state != TANDEM_CA_RECOVERY || (!tp->sack_ok && advanced(ev)));
}

enum tandem_reason tandem_recovery_reason(struct sock *sk)
{
	if (tandem_sk(sk)->cc.ca_state == TANDEM_CA_LOSS)
		return TANDEM_R_RTX_RTO;
	return tandem_loss_by_time(sk) ? TANDEM_R_RTX_RACK : TANDEM_R_RTX_FAST;
}

/*
 * What PRR counts and cwnd grows by: segments that left the network for good.  Without
 * SACK a duplicate ACK stands for one, and the ACK that ends them for those it did not
 * stand for.
 */
static void count_delivered(struct tandem_sock *tp, struct tandem_ack_event *ev)
{
	u32 before = tp->packets_out + ev->acked_segs - tp->sacked_out, after;

	if (tp->sack_ok) {
		ev->delivered = ev->acked_segs + ev->sacked_segs;
		return;
	}
	if (ev->is_dup)
		count_dupack(tp);
	else if (advanced(ev))
		uncount_dupacks(tp, ev->acked_segs);
	after = tp->packets_out - tp->sacked_out;
	ev->delivered = before > after ? before - after : 0;
}

void tandem_recovery_ack(struct sock *sk, struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 prior_state = tp->cc.ca_state;
	u32 prior_lost = tp->cc.lost;
	bool resend = true;

	count_delivered(tp, ev);
	if (ev->dsack && !ev->dsack_tlp)
		tandem_loss_tell(sk, TANDEM_LOSS_EV_DSACK);
	if (tandem_tlp_ack(sk, ev))
		probe_repaired(sk);

	switch (tp->cc.ca_state) {
	case TANDEM_CA_OPEN:
	case TANDEM_CA_DISORDER:
	case TANDEM_CA_CWR:
		in_open(sk, ev);
		break;
	case TANDEM_CA_RECOVERY:
		resend = in_recovery(sk, ev);
		break;
	case TANDEM_CA_LOSS:
		resend = in_loss(sk, ev);
		break;
	}
	if (!stays_quiet(tp, ev))
		size_cwnd(sk, ev, tp->cc.lost - prior_lost);
	if (resend && tp->lost_out > tp->retrans_out)
		tandem_xmit_retransmit_queue(sk, tandem_recovery_reason(sk),
					     must_resend(tp, ev, prior_state));
	tandem_tlp_schedule(sk, advanced(ev));
}

/* ---- timeouts ---- */

void tandem_recovery_reo_timeout(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_ack_event ev = {
		.now_us = tandem_clock_tick(tp),
		.ack = tp->snd_una,
		.prior_una = tp->snd_una,
	};
	bool begins = tp->cc.ca_state < TANDEM_CA_RECOVERY;
	u32 room = 1;

	tandem_loss_look(sk);
	if (!tandem_loss_detect(sk))
		return;
	TANDEM_SK_INC(sk, REOTIMEOUTS);
	if (begins)
		enter_recovery(sk, &ev);
	tp->cc.in_flight = tandem_pipe(tp);
	/* Nothing was delivered: no more than PRR's conservative bound, but one. */
	if (tp->cc.ca_state == TANDEM_CA_RECOVERY && !tandem_cong(&tp->cc)->control) {
		if (tp->prr.delivered > tp->prr.out)
			room = tp->prr.delivered - tp->prr.out;
		tp->cc.cwnd = min(tp->cc.cwnd, tp->cc.in_flight + room);
	}
	if (!tandem_frto_waits(tp))
		tandem_xmit_retransmit_queue(sk, tandem_recovery_reason(sk), begins);
}

/*
 * Does a timeout reduce ssthresh?  Not again in a window that was reduced, nor the
 * second for the same data (RFC 5681 section 3.1).
 */
static bool timeout_reduces(const struct tandem_sock *tp)
{
	if (tp->retransmits)
		return false;
	return tp->cc.ca_state <= TANDEM_CA_DISORDER || tp->cc.ca_state == TANDEM_CA_LOSS ||
	       !seq_before(tp->snd_una, tp->high_seq);
}

void tandem_recovery_timeout(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *head = tandem_rtx_head(sk);
	bool first = tp->cc.ca_state < TANDEM_CA_RECOVERY && !tp->retransmits;
	bool reduces = timeout_reduces(tp);
	struct tandem_trouble *t = tandem_trouble(tp);
	struct tandem_cc *cc = &tp->cc;
	u32 ssthresh = cc->ssthresh;
	bool reneged = false;

	tandem_clock_tick(tp);
	tandem_loss_look(sk);
	/* RFC 2018 section 8: the peer may have forgotten what it SACKed. */
	if (head && TANDEM_CB(head)->sacked & TANDEM_S_SACKED) {
		TANDEM_SK_INC(sk, SACKRENEG);
		tandem_sack_clear(sk);
		reneged = true;
	}
	if (!tp->sack_ok)
		tp->sacked_out = 0;
	tandem_loss_mark_timeout(sk, reneged);
	if (reduces) {
		cc->in_flight = tandem_pipe(tp);
		cc->prior_cwnd = cc->cwnd;
		cc->ssthresh = max(tandem_cong(cc)->ssthresh(cc), TANDEM_CWND_MIN);
		if (t) {
			tandem_undo_start(&t->undo, tp->snd_una, tp->retrans_out,
					  cc->prior_cwnd, ssthresh);
			tandem_rebase_save(&t->rebase, &tp->rtt);
		}
		tandem_ecn_reduced(tp);
		tell_cong(tp, TANDEM_CONG_EV_LOSS);
	}
	/* The one that goes now (RFC 5681's loss window), beside what is under way. */
	if (!tandem_cong(cc)->control)
		cc->cwnd = tandem_pipe(tp) + 1;
	cc->cwnd_cnt = 0;
	tp->high_seq = tp->snd_nxt;
	tp->dupacks = 0;
	tp->tlp_out = false;
	cc->ca_state = TANDEM_CA_LOSS;
	tandem_loss_timer_set(sk, TANDEM_LOSS_TIMER_NONE, 0);
	no_frto(tp);
	if (t && first && reduces && !reneged && head &&
	    !(TANDEM_CB(head)->flags & TANDEM_F_SYN) && tandem_sk_knob(sk, frto))
		tandem_frto_start(&t->frto, tp->high_seq);
}

/*
 * RFC 7413 section 4.1.3: what of the SYN's data was not acknowledged goes at once.  It is
 * a retransmission, and LOSS until it is acknowledged, as for TCP; but the network lost
 * nothing, so congestion control hears of nothing.
 */
void tandem_recovery_refused(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	for (skb = tandem_rtx_head(sk); skb; skb = tandem_rtx_next(skb))
		tandem_rtx_must_resend(sk, skb);
	tp->high_seq = tp->snd_nxt;
	tandem_recovery_stands(tp);
	tp->cc.ca_state = TANDEM_CA_LOSS;
	tandem_xmit_retransmit_queue(sk, TANDEM_R_RTX_SYNDATA, true);
}

void tandem_simple_retransmit(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mss = tandem_current_mss(sk);
	struct sk_buff *skb;
	u32 before = tp->lost_out;

	/* The SYN was too long for its data: it goes again without (RFC 7413 4.1.3). */
	if (sk->sk_state == TCP_SYN_SENT && tp->syn_data && tandem_rtx_head(sk)) {
		tandem_retransmit_skb(sk, tandem_rtx_head(sk), 1, TANDEM_R_RTX_PMTU);
		return;
	}
	for (skb = tandem_rtx_head(sk); skb; skb = tandem_rtx_next(skb))
		if (min_t(u32, skb->len, TANDEM_CB(skb)->mss) > mss)
			tandem_rtx_mark_lost(sk, skb);
	if (tp->lost_out == before)
		return;
	if (!tp->sack_ok && tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out - tp->lost_out;
	if (tp->cc.ca_state < TANDEM_CA_RECOVERY) {
		tp->high_seq = tp->snd_nxt;
		tandem_recovery_stands(tp);
		tp->cc.ca_state = TANDEM_CA_LOSS;
	}
	tandem_xmit_retransmit_queue(sk, TANDEM_R_RTX_PMTU, false);
}

/* RFC 5681 section 4.1, decayed by half for each RTO of idleness as RFC 2861. */
void tandem_cwnd_restart(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 restart = min(tandem_init_cwnd(sk), tp->cc.cwnd);
	u64 now = tp->clock_us;
	u64 idle = now - tp->last_sent_us;
	u32 cwnd = tp->cc.cwnd;

	if (tandem_cong_is_quiet(&tp->cc) && cwnd <= restart)
		return;
	tell_cong(tp, TANDEM_CONG_EV_CWND_RESTART);
	if (tandem_cong(&tp->cc)->control)	/* it starts again as it sees fit, paced */
		return;
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
