// SPDX-License-Identifier: GPL-2.0
/*
 * cong_bbr_model.c - what BBR believes about the path (draft-ietf-ccwg-bbr, section 5.5).
 *
 *	long-term	max_bw			best delivery rate of the last two cycles
 *			inflight_longterm	what a probe found to be too much
 *	short-term	bw_shortterm, inflight_shortterm
 *			what was delivered when losses said that others want room;
 *			forgotten before each probe
 *	min_rtt		over 10 seconds, kept fresh by ProbeRTT
 *	extra_acked	how bursty ACKs come
 *
 * One thing is not in the draft: which losses count.  There, any loss outside of a probe
 * slows the flow, and more than 2 % in a probe end it, so that a path which loses 3 % of
 * everything (radio) shrinks the model round by round although nobody is in the way.
 * Congestion loss differs from such loss in two things that a sender can see: there is a
 * queue when it happens, and it depends on how much is sent.  So:
 *
 *  - base_loss is learnt from rounds in which the RTT says that there was no queue and
 *    we did not probe: the share of loss that is not of our making.
 *  - with a queue (the RTT is more than 1/8 of min_rtt and 4 segments' time above it),
 *    the draft's rules hold for what is lost beyond base_loss.
 *  - without a queue twice that much must be lost, and three segments more.  A probe
 *    into a buffer too short for RTTs to show loses 1 - 1/1.25 = 20 %, and is caught.
 *  - base_loss counts up to 1/8, rises only slowly, by rounds that were not themselves
 *    excessive, and falls as fast as it likes; so neither a policer nor many flows in a
 *    short buffer can teach it that their drops are natural.
 *
 * On a path without random loss base_loss is 0.  A pacing rate of bw / (1 - base_loss)
 * makes up for what never arrives.
 */
#include "cong_bbr.h"

#define BBR_QUEUE_SHIFT	3	/* a queue: 1/8 of min_rtt */
#define QUEUE_SEGS	4	/* and what so many segments take */
#define BASE_LOSS_MAX	(BBR_PART_ONE / 8)
#define BASE_SEGS_MAX	2048U

/* Segments per microsecond, 1/2^24; 0: no sample. */
u32 tandem_bbr_rate_of(const struct tandem_rate_sample *rs)
{
	if (!rs->delivered)
		return 0;
	return min_t(u64, U32_MAX, div_u64((u64)rs->delivered << BBR_BW_SHIFT,
					   max(rs->interval_us, 1U)));
}

/* BDPMultiple(): never 0 once there is a rate. */
u32 tandem_bbr_bdp(const struct tandem_cc *cc, u32 bw, u32 gain)
{
	const struct bbr *b = tandem_cc_cpriv(cc);
	u64 bdp;

	if (!b->has_rtt)
		return cc->init_cwnd;
	bdp = ((u64)bw * b->min_rtt) >> BBR_GAIN_SHIFT;
	if (bdp > div_u64(U64_MAX, max(gain, 1U)) - (1U << BBR_BW_SHIFT))
		return U32_MAX;
	bdp = (bdp * gain + (1U << BBR_BW_SHIFT) - 1) >> BBR_BW_SHIFT;
	return min_t(u64, bdp, U32_MAX);
}

/* SetSendQuantum(): a millisecond's worth, 2 segments to 64 KB. */
u32 tandem_bbr_send_quantum(const struct tandem_cc *cc)
{
	u64 bytes = min(div_u64(cc->pacing_rate, 1000), 65536ULL);

	return max((u32)bytes / max(cc->mss, 1U), 2U);
}

/* QuantizationBudget(): room for what is held back in offloads on the way. */
u32 tandem_bbr_budget(const struct tandem_cc *cc, u32 inflight)
{
	const struct bbr *b = tandem_cc_cpriv(cc);

	inflight = max3(inflight, 3 * tandem_bbr_send_quantum(cc), BBR_MIN_PIPE_CWND);
	if (b->state == BBR_UP)
		inflight += min(2U, U32_MAX - inflight);
	return inflight;
}

u32 tandem_bbr_inflight(const struct tandem_cc *cc, u32 bw, u32 gain)
{
	return tandem_bbr_budget(cc, tandem_bbr_bdp(cc, bw, gain));
}

u32 tandem_bbr_target_inflight(const struct tandem_cc *cc)
{
	const struct bbr *b = tandem_cc_cpriv(cc);

	return min(tandem_bbr_bdp(cc, b->bw, BBR_GAIN_ONE), cc->cwnd);
}

u32 tandem_bbr_inflight_with_headroom(const struct bbr *b)
{
	u32 hi = b->inflight_longterm;

	if (hi == BBR_INF)
		return BBR_INF;
	return max(hi - min(hi, max(bbr_scale(hi, BBR_HEADROOM_PCT, 100), 1U)),
		   BBR_MIN_PIPE_CWND);
}

/*
 * Does an RTT show a queue of 1/2^@shift of min_rtt and 4 segments?  On a path of
 * microseconds that would be the hosts' own time: one skb of many segments takes longer.
 */
bool tandem_bbr_queue_above(const struct bbr *b, u32 rtt, u32 shift)
{
	u64 segs, queue;

	/* A round without a sample says nothing. */
	if (!b->has_rtt || rtt == U32_MAX)
		return false;
	/* Most have no queue at all, and need no division. */
	if (rtt <= b->min_rtt || rtt - b->min_rtt <= BBR_HOST_US)
		return false;
	segs = b->bw ? div_u64((u64)QUEUE_SEGS << BBR_BW_SHIFT, b->bw) : 0;
	queue = (b->min_rtt >> shift) + min_t(u64, segs, b->min_rtt);
	return rtt > b->min_rtt + max_t(u64, queue, BBR_HOST_US);
}

bool tandem_bbr_queued(const struct bbr *b, u32 rtt)
{
	return tandem_bbr_queue_above(b, rtt, BBR_QUEUE_SHIFT);
}

/*
 * IsInflightTooHigh(): of @segs in flight, were too many lost?  See above for what
 * base_loss and @queued do to the draft's threshold.
 */
bool tandem_bbr_loss_too_high(const struct bbr *b, u32 lost, u32 segs, bool queued)
{
	u64 limit = (u64)segs * (BBR_LOSS_THRESH + b->base_loss);
	u64 bad = (u64)lost << BBR_PART_SHIFT;

	if (queued)
		return bad > limit;
	return bad > 2 * limit + (3ULL << BBR_PART_SHIFT);
}

/* InflightAtLoss(): where in the lost burst the threshold was crossed. */
u32 tandem_bbr_inflight_at_loss(const struct bbr *b, const struct tandem_cong_lost *l)
{
	u32 thresh = BBR_LOSS_THRESH + b->base_loss;
	u32 inflight_prev = l->tx_in_flight - min(l->tx_in_flight, l->segs);
	u32 lost_prev = l->lost_since - min(l->lost_since, l->segs);
	u64 allowed = (u64)inflight_prev * thresh, had = (u64)lost_prev << BBR_PART_SHIFT;
	u64 at = inflight_prev;

	if (allowed > had)
		at += div_u64(allowed - had, BBR_PART_ONE - thresh);
	return min_t(u64, at, U32_MAX);
}

/* A loss of this round that is more than the path's own? (short-term model) */
static bool loss_is_congestion(const struct tandem_cc *cc, const struct bbr *b)
{
	u32 lost = cc->lost - b->round_lost0;
	u32 segs = lost + (cc->delivered - b->round_delivered0);
	u64 own = (u64)segs * b->base_loss;

	if (b->ce_in_round)
		return true;
	if (tandem_bbr_queued(b, b->round_rtt))
		return ((u64)lost << BBR_PART_SHIFT) > own + own / 2;
	return tandem_bbr_loss_too_high(b, lost, segs, false);
}

/* At the end of a round: was there a queue, and if not, what was lost? */
static void learn_base_loss(struct tandem_cc *cc, struct bbr *b)
{
	u32 lost = cc->lost - b->round_lost0;
	u32 segs = lost + (cc->delivered - b->round_delivered0);
	u32 part, weight;
	s64 step;

	if (!segs || b->round_rtt == U32_MAX || tandem_bbr_queue_above(b, b->round_rtt, 5))
		return;
	if (b->state != BBR_STARTUP && b->ack_phase != BBR_ACKS_INIT)
		return;
	/* Where nothing is lost there is nothing to learn from it. */
	if (lost || b->base_loss) {
		part = div_u64((u64)lost << BBR_PART_SHIFT, segs);
		part = min3(part, b->base_loss + BBR_LOSS_THRESH, BASE_LOSS_MAX);
		segs = min(segs, BASE_SEGS_MAX);
		weight = min(b->base_segs + segs, max(BASE_SEGS_MAX, 8 * segs));
		step = div_s64(((s64)part - b->base_loss) * segs, weight);
		b->base_loss += step;
	}
	segs = min(segs, BASE_SEGS_MAX);
	b->base_segs = min(b->base_segs + segs, 8 * BASE_SEGS_MAX);
}

void tandem_bbr_reset_full_bw(struct bbr *b)
{
	b->full_bw = 0;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

/*
 * CheckFullBWReached(): three rounds that grew by less than a quarter; or one, when the
 * RTT shows that what was sent more went to a queue of half a BDP.
 */
void tandem_bbr_check_full_bw(struct bbr *b, const struct tandem_rate_sample *rs, u32 rate)
{
	if (b->full_bw_now || !b->round_start || rs->app_limited)
		return;
	if (rate >= (u64)b->full_bw + b->full_bw / 4) {
		tandem_bbr_reset_full_bw(b);
		b->full_bw = rate;
		return;
	}
	b->full_bw_count++;
	if (b->full_bw_count < BBR_FULL_BW_ROUNDS &&
	    b->rtt_low <= b->min_rtt + b->min_rtt / 2)
		return;
	b->full_bw_now = true;
	b->full_bw_reached = true;
}

void tandem_bbr_start_round(struct tandem_cc *cc)
{
	bbr_of(cc)->next_round_delivered = cc->delivered;
}

void tandem_bbr_reset_congestion_signals(struct bbr *b)
{
	b->loss_in_round = false;
	b->ce_in_round = false;
	b->losses_in_round = 0;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

void tandem_bbr_reset_shortterm(struct bbr *b)
{
	b->bw_shortterm = BBR_INF;
	b->inflight_shortterm = BBR_INF;
}

/* The last cwnd that neither recovery nor ProbeRTT had reduced. */
void tandem_bbr_save_cwnd(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	if (!b->in_recovery && b->state != BBR_PROBE_RTT)
		b->prior_cwnd = cc->cwnd;
	else
		b->prior_cwnd = max(b->prior_cwnd, cc->cwnd);
}

/*
 * NoteLoss(), SaveStateUponLoss(): the first of a round begins the round it will be
 * judged by.  What an undo brings back is from before the first loss of a recovery: the
 * draft takes it again after the loss has ended a probe, when it is too late.
 */
void tandem_bbr_note_loss(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	if (b->loss_in_round || b->ce_in_round)
		return;
	b->loss_round_delivered = cc->delivered;
	if (b->undo_saved)
		return;
	b->undo_saved = true;
	b->undo_state = BBR_PROBE_RTT;
	b->undo_bw_shortterm = b->bw_shortterm;
	b->undo_inflight_shortterm = b->inflight_shortterm;
	b->undo_inflight_longterm = b->inflight_longterm;
}

static void update_round(struct tandem_cc *cc, struct bbr *b,
			 const struct tandem_rate_sample *rs)
{
	b->round_start = false;
	if (!rs->delivered ||
	    (s32)(rs->prior_delivered - b->next_round_delivered) < 0)
		return;
	tandem_bbr_start_round(cc);
	b->round_start = true;
	b->rounds_since_probe += b->rounds_since_probe < U8_MAX;
	b->drain_rounds += b->drain_rounds < U8_MAX;
	b->extra_rounds++;
}

/* Section 5.5.6: not less than known, or not limited by the program. */
static void update_max_bw(struct bbr *b, const struct tandem_rate_sample *rs, u32 rate)
{
	if (rate && (rate >= bbr_max_bw(b) || !rs->app_limited))
		b->max_bw[1] = max(b->max_bw[1], rate);
}

/*
 * Once per round with losses, when not probing (section 5.5.10.3).  Not in the draft:
 * tandem_bbr_yield_to_loss().
 */
static void adapt_lower_bounds(struct tandem_cc *cc, struct bbr *b)
{
	if (bbr_is_probing(b) || !(b->loss_in_round || b->ce_in_round) ||
	    !loss_is_congestion(cc, b) || tandem_bbr_yield_to_loss(b, cc))
		return;
	if (b->bw_shortterm == BBR_INF)
		b->bw_shortterm = bbr_max_bw(b);
	if (b->inflight_shortterm == BBR_INF)
		b->inflight_shortterm = cc->cwnd;
	b->bw_shortterm = max(b->bw_latest,
			      bbr_scale(b->bw_shortterm, BBR_BETA_PCT, 100));
	b->inflight_shortterm = max(b->inflight_latest,
				    bbr_scale(b->inflight_shortterm, BBR_BETA_PCT, 100));
}

/* Section 5.5.9: how far ACKs ran ahead of bw, over 5 to 10 rounds. */
static void update_aggregation(struct tandem_cc *cc, struct bbr *b,
			       const struct tandem_cong_ack *ack)
{
	u64 interval = ack->now_us - b->extra_start, expected;
	u32 extra;

	expected = interval > U32_MAX ? U64_MAX :
		   ((u64)b->bw * interval) >> BBR_BW_SHIFT;
	if (b->extra_delivered <= expected) {
		b->extra_delivered = 0;
		b->extra_start = ack->now_us;
		expected = 0;
	}
	b->extra_delivered += min(ack->acked, U32_MAX - b->extra_delivered);
	extra = min(b->extra_delivered - (u32)expected, cc->cwnd);
	if (b->extra_rounds >= (b->full_bw_reached ? BBR_EXTRA_ACKED_ROUNDS / 2 : 1)) {
		b->extra_rounds = 0;
		b->extra_acked[0] = b->extra_acked[1];
		b->extra_acked[1] = 0;
	}
	b->extra_acked[1] = max(b->extra_acked[1], extra);
}

static void take_rtt(struct bbr *b, s64 rtt)
{
	u32 us = min(rtt, (s64)U32_MAX - 1);

	if (rtt < 0)
		return;
	us = max(us, 1U);
	b->round_rtt = min(b->round_rtt, us);
	if (us < b->rtt_low || b->rtt_low == U32_MAX)
		b->rtt_low = us;
	else
		b->rtt_low += (us - b->rtt_low + 3) / 4;
}

/**
 * tandem_bbr_model_update() - the beginning of each ACK: what does it say?
 * @cc: the connection
 * @ack: the ACK
 *
 * Return: the rate of its sample, 0: it brought none.
 */
u32 tandem_bbr_model_update(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	const struct tandem_rate_sample *rs = &ack->rs;
	u32 rate = tandem_bbr_rate_of(rs);
	struct bbr *b = bbr_of(cc);

	take_rtt(b, ack->rtt_us);

	/* UpdateLatestDeliverySignals() */
	b->loss_round_start = false;
	b->bw_latest = max(b->bw_latest, rate);
	b->inflight_latest = max(b->inflight_latest, rs->delivered);
	if (rs->delivered && (s32)(rs->prior_delivered - b->loss_round_delivered) >= 0) {
		b->loss_round_delivered = cc->delivered;
		b->loss_round_start = true;
	}
	/* UpdateCongestionSignals() */
	update_round(cc, b, rs);
	update_max_bw(b, rs, rate);
	if (b->loss_round_start) {
		adapt_lower_bounds(cc, b);
		learn_base_loss(cc, b);
	}
	if (b->round_start && bbr_in_probe_bw(b))
		tandem_bbr_watch_queue(b);
	if (b->round_start && b->state == BBR_CRUISE)
		tandem_bbr_yield_to_queue(b, cc, rs);
	update_aggregation(cc, b, ack);
	return rate;
}

/**
 * tandem_bbr_model_min_rtt() - UpdateMinRTT()
 * @cc: the connection
 * @ack: the ACK
 *
 * An RTT as good as the best known (1/64 is noise) shows that there is no queue just
 * now, and spares the next ProbeRTT: the draft has that for lower ones only.
 */
void tandem_bbr_model_min_rtt(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);
	u32 rtt;

	b->probe_rtt_expired = ack->now_us > b->probe_rtt_min_at +
				BBR_PROBE_RTT_INTERVAL_US;
	if (ack->rtt_us >= 0) {
		rtt = clamp_t(s64, ack->rtt_us, 1, U32_MAX - 1);
		if (!b->has_rtt || rtt < b->probe_rtt_min || b->probe_rtt_expired) {
			b->probe_rtt_min = rtt;
			b->probe_rtt_min_at = ack->now_us;
		} else if (rtt - b->probe_rtt_min <= b->probe_rtt_min >> 6) {
			b->probe_rtt_min_at = ack->now_us;
		}
		if (!b->has_rtt) {
			b->min_rtt = rtt;
			b->min_rtt_at = ack->now_us;
			b->has_rtt = true;
		}
	}
	if (!b->has_rtt)
		return;
	if (b->probe_rtt_min < b->min_rtt ||
	    ack->now_us > b->min_rtt_at + BBR_MIN_RTT_WINDOW_US) {
		b->min_rtt = b->probe_rtt_min;
		b->min_rtt_at = b->probe_rtt_min_at;
	}
}

/**
 * tandem_bbr_model_finish() - the end of each ACK, when the state machine has moved
 * @cc: the connection
 * @ack: the ACK
 * @rate: what tandem_bbr_model_update() said
 */
void tandem_bbr_model_finish(struct tandem_cc *cc, const struct tandem_cong_ack *ack, u32 rate)
{
	struct bbr *b = bbr_of(cc);

	/* AdvanceLatestDeliverySignals() */
	if (b->loss_round_start) {
		b->bw_latest = rate;
		b->inflight_latest = ack->rs.delivered;
		b->loss_in_round = false;
		b->ce_in_round = false;
		b->losses_in_round = 0;
		b->round_rtt = U32_MAX;
		b->round_lost0 = cc->lost;
		b->round_delivered0 = cc->delivered;
	}
	/* BoundBWForModel() */
	b->bw = bbr_max_bw(b);
	if (b->bw_fair != BBR_INF && (b->state == BBR_CRUISE || b->state == BBR_DOWN))
		b->bw = b->bw_fair;
	b->bw = min(b->bw, b->bw_shortterm);
}
