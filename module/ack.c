// SPDX-License-Identifier: GPL-2.0
/*
 * ack.c - the ACK field: what the peer now has (RFC 9293 section 3.10.7.4, fifth
 * check; RFC 5961 section 5; RFC 7323 section 4 for the RTT sample).
 *
 * The order is: is the ACK believable; which window does it bring; which segments
 * does it cover, cumulatively and by SACK; what does it say about the round trip;
 * and last recovery.c, which judges all that together.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "ack.h"
#include "input.h"
#include "mtuprobe.h"
#include "output.h"
#include "pace.h"
#include "path.h"
#include "recovery.h"
#include "stream.h"
#include "timer.h"
#include "timestamp.h"
#include "urgent.h"
#include "wire.h"
#include "window.h"

/* How many samples a round trip brings: RFC 7323 appendix G, two segments per ACK. */
static u32 expected_samples(const struct tandem_sock *tp, u32 prior_pipe)
{
	return max(1U, DIV_ROUND_UP(prior_pipe, 2U));
}

/* @first: the sample is of nothing sent before it. */
static void rtt_sample(struct sock *sk, s64 rtt_us, u32 expected, u32 first)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (rtt_us < 0)
		return;
	rtt_us = min_t(s64, rtt_us, U32_MAX);
	if (tandem_rto_ops(tp)->sample) {
		tandem_rto_ops(tp)->sample(&tp->rtt, rtt_us, expected);
	} else if (unlikely(tp->trouble) && tp->trouble->rebase.due &&
		   !seq_before(first, tp->trouble->rebase.seq)) {
		tandem_rtt_rebase(&tp->rtt, &tp->trouble->rebase, rtt_us);
		TANDEM_SK_INC(sk, RTTREBASED);
	} else {
		tandem_rtt_sample(&tp->rtt, rtt_us, expected);
	}
	tp->tlp_wait_rtt = false;
	tp->cc.srtt_us = tandem_rtt_srtt_us(&tp->rtt);
	tp->cc.min_rtt_us = tp->rtt.min_us;
	tandem_update_rto(sk);
	TANDEM_SK_INC(sk, RTTSAMPLES);
}

/* The first timeout of a peer that does not know the path, RFC 6298 section 2.1. */
#define PEER_RTO_INIT_US	(1 * USEC_PER_SEC)

/*
 * Of a handshake in which something was sent again: is it no round trip?  An echo tells
 * which of our SYNs is answered, not when the answer was made: the peer's timer may have
 * sent that again.  Taken for a round trip, its wait would make the first loss of data
 * cost three times as much.
 */
static bool handshake_blurred(const struct sock *sk, s64 rtt_us)
{
	return tandem_sk(sk)->total_retrans && rtt_us >= PEER_RTO_INIT_US;
}

void tandem_rtt_handshake(struct sock *sk, s64 rtt_us)
{
	if (!handshake_blurred(sk, rtt_us))
		rtt_sample(sk, rtt_us, 1, tandem_sk(sk)->snd_una);
}

/* RFC 9293 section 3.10.7.4: SND.WND, SND.WL1.  True: the window is another one. */
static bool update_window(struct sock *sk, const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	u32 wnd = cb->wnd;

	if (!(cb->flags & TANDEM_F_SYN))
		wnd <<= tp->snd_wscale;
	if (!tandem_win_may_update(tp->snd_una, cb->ack_seq, cb->seq, tp->snd_wl1, wnd,
				   tp->snd_wnd))
		return false;
	tp->snd_wl1 = cb->seq;
	if (wnd == tp->snd_wnd)
		return false;
	if (!wnd)
		TANDEM_SK_INC(sk, ZEROWININ);
	tp->snd_wnd = wnd;
	if (wnd > tp->max_window) {
		tp->max_window = wnd;
		tandem_sync_mss(sk, tp->pmtu_cookie);
	}
	return true;
}

/*
 * In its turn?  And for congestion control, round trips of what comes right behind the
 * newest data delivered so far, SACKed or ACKed: while a hole keeps SEG.ACK from moving
 * there are no others.
 */
static bool has_overtaken(struct tandem_sock *tp, const struct tandem_skb_cb *cb,
			  struct tandem_ack_event *ev)
{
	struct tandem_arrived seg = {
		.seq = cb->seq,
		.end_seq = cb->end_seq,
		.una = ev->prior_una,
		.rtt_us = clamp_t(s64, ev->now_us - cb->sent_us, 1, U32_MAX),
		.min_rtt_us = tp->rtt.min_us,
		.retrans = cb->sacked & TANDEM_S_EVER_RETRANS,
	};
	enum tandem_turn turn;

	/* To begin with there is the handshake's. */
	if (!tp->arrival.rtt_us)
		tp->arrival.rtt_us = tp->cc.srtt_us;
	/* Of a piece the first segment may be early; the others then came in their turn. */
	if (cb->segs > 1) {
		seg.end_seq = cb->seq + cb->mss;
		tandem_arrival_take(&tp->arrival, &seg);
		seg.seq = seg.end_seq;
		seg.end_seq = cb->end_seq;
	}
	turn = tandem_arrival_take(&tp->arrival, &seg);
	if (turn == TANDEM_TURN_NEXT && !seg.retrans)
		ev->cc_rtt_us = seg.rtt_us;
	return turn == TANDEM_TURN_EARLY;
}

void tandem_ack_delivered(struct sock *sk, const struct tandem_skb_cb *cb, bool sacked,
			  struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool retrans = cb->sacked & TANDEM_S_EVER_RETRANS;
	bool early = has_overtaken(tp, cb, ev);

	if (!retrans && !seq_after(cb->end_seq, tp->high_seq))
		ev->orig_acked = true;
	tandem_loss_delivered(sk, cb, sacked, early, ev->echo_us);
	tandem_rate_pick(&tp->rate, &ev->pick, &cb->rate, cb->sent_us, cb->end_seq, retrans,
			 early);
}

static void tally_acked(struct sock *sk, const struct tandem_skb_cb *cb,
			struct tandem_ack_event *ev, u64 *first_sent)
{
	if (cb->sacked & TANDEM_S_EVER_RETRANS)
		ev->rtx_acked = true;
	else if (!*first_sent && !(cb->sacked & TANDEM_S_SACKED))
		*first_sent = cb->sent_us;
	if (!(cb->sacked & TANDEM_S_SACKED)) {
		ev->acked_segs += cb->segs;
		tandem_ack_delivered(sk, cb, false, ev);
	}
	if (cb->flags & TANDEM_F_SYN)
		ev->syn_acked = true;
}

/* SEG.ACK ends inside @skb: the whole segments in front of it are done with. */
static void clean_part(struct sock *sk, struct sk_buff *skb, struct tandem_ack_event *ev,
		       u64 *first_sent)
{
	struct tandem_skb_cb part = *TANDEM_CB(skb);
	u32 acked = tandem_sk(sk)->snd_una - part.seq;

	if (part.segs <= 1 || acked < part.mss)
		return;
	part.segs = min_t(u32, acked / part.mss, part.segs - 1);
	part.end_seq = part.seq + part.segs * part.mss;
	if (!tandem_rtx_trim(sk, skb, part.segs))
		tally_acked(sk, &part, ev, first_sent);
}

/* Free what SEG.ACK covers; one RTT sample from the oldest of it that Karn allows. */
static void clean_rtx_queue(struct sock *sk, const struct sk_buff *ack_skb,
			    struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u64 first_sent = 0;
	struct sk_buff *skb;

	while ((skb = tandem_rtx_head(sk))) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		if (seq_after(cb->end_seq, tp->snd_una)) {
			if (seq_before(cb->seq, tp->snd_una))
				clean_part(sk, skb, ev, &first_sent);
			break;
		}
		tally_acked(sk, cb, ev, &first_sent);
		tandem_rtx_uncount(sk, skb);
		tandem_rtx_unlink(sk, skb);
		tandem_tx_stamp_acked(sk, skb, ack_skb);
		tandem_free_queued(sk, skb);
	}
	if (!skb)
		tandem_chrono_stop(sk, TANDEM_CHRONO_BUSY);
	if (first_sent && !ev->rtx_acked)
		ev->rtt_us = ev->now_us - first_sent;
}

/*
 * A sample from the echoed timestamp where the segments themselves cannot tell: they
 * were sent more than once (RFC 7323 section 4.1; this is what makes Karn's rule
 * unnecessary).  TSecr is the peer's word: only a span that can be real counts.
 */
static void timestamp_sample(struct tandem_sock *tp, const struct tandem_opts *o,
			     struct tandem_ack_event *ev)
{
	s64 age;

	if (ev->rtt_us >= 0 || !(o->have & TANDEM_OPT_TS) || !tp->ts_ok || !o->tsecr)
		return;
	age = tandem_ts_age_us(tp, o->tsecr);
	if (age >= 0 && age <= S32_MAX)
		ev->rtt_us = max_t(s32, age, tandem_ts_tick_us(tp->wire));
}

/*
 * When that was sent, at the latest, whose timestamp comes back; 0: there is none, or
 * it is nonsense.
 */
static u64 echo_time(const struct tandem_sock *tp, const struct tandem_opts *o, u64 now_us)
{
	u32 tick_us = tandem_ts_tick_us(tp->wire);
	u64 now = div_u64(now_us, tick_us);
	s32 span;

	if (!(o->have & TANDEM_OPT_TS) || !tp->ts_ok || !o->tsecr)
		return 0;
	span = (u32)now + tp->ts_offset - o->tsecr;
	return span >= 0 && span < now ? (now - span) * tick_us + tick_us - 1 : 0;
}

/* RFC 5961 section 5.2 and RFC 9293: believable at all? 0, or -reason. */
static int ack_believable(struct sock *sk, u32 ack)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (seq_after(ack, tp->snd_nxt)) {
		tandem_challenge_ack(sk);
		return -TANDEM_R_ACKUNSENT;
	}
	if (seq_before(ack, tp->snd_una - max(tp->max_window, 1U))) {
		tandem_challenge_ack(sk);
		return -TANDEM_R_ACKOLD;
	}
	return 0;
}

/* Any answer proves the peer alive: the give-up clock starts anew. */
static void peer_answered(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->probes_out = 0;
	sk->sk_err_soft = 0;
	tp->last_rcv_us = tp->clock_us;
}

/* Nothing was in flight: the ACK answers a probe, or opens the window. */
static void ack_without_flight(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *head = tandem_send_head(sk);

	tp->first_rtx_us = 0;
	if (!head)
		return;
	if (!seq_after(TANDEM_CB(head)->end_seq, tandem_snd_wnd_end(tp)))
		tandem_timer_window_opened(sk);
	else if (tp->rtx_event == TANDEM_TIMER_NONE)
		tandem_timer_window_closed(sk);
}

static void new_data_acked(struct sock *sk, struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	ev->acked_bytes = ev->ack - ev->prior_una;
	tp->bytes_acked += ev->acked_bytes;
	tp->snd_una = ev->ack;
	tandem_urgent_acked(tp);
	if (tp->retransmits && tp->trouble && tp->trouble->rto_stamp_us) {
		struct tandem_trouble *t = tp->trouble;

		/* The run of timeouts ends here. */
		t->total_rto_recoveries++;
		t->total_rto_ms += div_u64(ev->now_us - t->rto_stamp_us, USEC_PER_MSEC);
	}
	tp->retransmits = 0;
	tp->first_rtx_us = 0;
	sk_dst_confirm(sk);
}

static void count_ack(struct sock *sk, struct tandem_ack_event *ev)
{
	u32 delivered = ev->acked_segs + ev->sacked_segs;
	struct tandem_sock *tp = tandem_sk(sk);

	tp->cc.delivered += delivered;
	if (ev->ece) {
		tp->cc.delivered_ce += delivered;
		TANDEM_SK_INC(sk, ECNECEIN);
	}
	tandem_rate_sample(&tp->rate, &tp->cc, &ev->pick, ev->now_us, &ev->rs);
	if (!ev->has_data)
		TANDEM_SK_INC(sk, PUREACKSIN);
	if (ev->is_dup)
		TANDEM_SK_INC(sk, DUPACKSIN);
}

static void take_ack(struct sock *sk, struct sk_buff *skb, const struct tandem_opts *o)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_ack_event ev = {
		.now_us = tp->clock_us,
		.ack = cb->ack_seq,
		.prior_una = tp->snd_una,
		.prior_pipe = tandem_pipe(tp),
		.rtt_us = -1,
		.cc_rtt_us = -1,
		.has_data = cb->end_seq != cb->seq,
		.ece = tp->cc.ecn_ok && cb->flags & TANDEM_F_ECE && !(cb->flags & TANDEM_F_SYN),
	};

	ev.echo_us = echo_time(tp, o, ev.now_us);
	if (seq_before(ev.ack, tp->snd_una)) {
		/* Late, but its SACK blocks may still be news. */
		if (tp->packets_out) {
			tandem_loss_look(sk);
			tandem_sack_input(sk, o, &ev);
			count_ack(sk, &ev);
			tandem_recovery_ack(sk, &ev);
		}
		return;
	}

	ev.window_update = update_window(sk, skb);
	if (!tp->snd_wnd)
		tp->first_rtx_us = 0;	/* it answers: a stall, not silence */
	if (seq_after(ev.ack, tp->snd_una)) {
		new_data_acked(sk, &ev);
		tandem_path_sample(sk, ev.now_us);
	}
	tandem_loss_look(sk);
	tandem_sack_input(sk, o, &ev);
	if (!tp->packets_out) {
		count_ack(sk, &ev);
		/* All is there; but a D-SACK may still tell that a copy was needless. */
		if (ev.dsack)
			tandem_recovery_ack(sk, &ev);
		ack_without_flight(sk);
		return;
	}
	ev.is_dup = ev.ack == ev.prior_una && !ev.has_data && !ev.window_update;
	if (ev.ack != ev.prior_una) {
		clean_rtx_queue(sk, skb, &ev);
		tandem_mtup_acked(sk);
		timestamp_sample(tp, o, &ev);
		if (sk->sk_state == TCP_SYN_SENT && handshake_blurred(sk, ev.rtt_us))
			ev.rtt_us = -1;
		rtt_sample(sk, ev.rtt_us, expected_samples(tp, ev.prior_pipe),
			   ev.prior_una);
		/* Karn: the backed-off timer stays until there is a sample, RFC 6298 3. */
		if (ev.rtt_us >= 0)
			tp->backoff = 0;
		tandem_timer_data_acked(sk);
		if (!tp->packets_out)
			ack_without_flight(sk);
	}
	count_ack(sk, &ev);
	tandem_recovery_ack(sk, &ev);
	tandem_path_step(sk, ev.acked_segs + ev.sacked_segs);
	tandem_update_pacing_rate(sk);
}

/*
 * Of one who only receives: nothing is in flight and none of it is acknowledged, so there is
 * neither loss nor round trip nor rate to tell.  (A SACK block may be a D-SACK.)
 */
static bool tells_window_only(const struct tandem_sock *tp, const struct tandem_skb_cb *cb,
			      const struct tandem_opts *o)
{
	return cb->ack_seq == tp->snd_una && !tp->packets_out &&
	       !(o->have & TANDEM_OPT_SACK) && !(cb->flags & (TANDEM_F_ECE | TANDEM_F_SYN));
}

static void window_only(struct sock *sk, const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);

	update_window(sk, skb);
	if (cb->seq == cb->end_seq)
		TANDEM_SK_INC(sk, PUREACKSIN);
	ack_without_flight(sk);
}

int tandem_ack(struct sock *sk, struct sk_buff *skb, const struct tandem_opts *o)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	int err = ack_believable(sk, cb->ack_seq);

	if (err)
		return err;
	tandem_check_app_limited(sk);
	peer_answered(sk);
	if (tells_window_only(tandem_sk(sk), cb, o))
		window_only(sk, skb);
	else
		take_ack(sk, skb, o);
	return 1;
}
