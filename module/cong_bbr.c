// SPDX-License-Identifier: GPL-2.0
/*
 * cong_bbr.c - BBR version 3 (draft-ietf-ccwg-bbr): state machine, pacing and window.
 *
 *	STARTUP --> DRAIN --> DOWN --> CRUISE --> REFILL --> UP
 *	 x 2.77     x 0.5     x 0.9     x 1        x 1     x 1.25
 *			       ^                              |
 *			       +------------------------------+
 *	PROBE_RTT, from anywhere, when min_rtt is 5 seconds old
 *
 * BBR measures how fast data is delivered and how long a round trip takes, sends at
 * that rate, and keeps about one bandwidth-delay product in flight.  UP tries every two
 * to three seconds, or as often as Reno would, whether there is more, until the queue or
 * losses say no; DOWN drains what UP left; CRUISE yields to losses, and a probe begins
 * (REFILL) by forgetting that it did.  cong_bbr_model.c has the model, and which losses
 * count.
 *
 * Where this is not the draft to the letter, and why:
 *  - losses are told apart (cong_bbr_model.c);
 *  - a queue that stands while nobody probes is yielded to, as losses are, so that
 *    flows converge in seconds and without filling the buffer first; and where a rival
 *    fills it whatever we do, we share it as CUBIC does (cong_bbr_fair.c);
 *  - UP also ends when a quarter of a BDP stands in the queue, as in version 2: waiting
 *    for three rounds without growth would build one BDP of queue in every probe;
 *  - STARTUP is slow start until the RTT or the rate says that the pipe may be full,
 *    then holds, and ends after one round without growth if half a BDP queues;
 *  - a mark (RFC 3168) counts as congestion wherever a loss would, as section 3.5 of
 *    the draft demands without saying how;
 *  - an RTT as good as min_rtt spares ProbeRTT.
 */
#include <linux/inet_diag.h>
#include "pure.h"
#include "cong_bbr.h"

#define DRAIN_ROUNDS		3
#define PERCENT_GAIN(pct)	((pct) * BBR_GAIN_ONE / 100)

static const struct {
	u16 pacing, cwnd;
} gains[] = {
	[BBR_STARTUP]	= { PERCENT_GAIN(277) + 1, PERCENT_GAIN(200) },
	[BBR_DRAIN]	= { PERCENT_GAIN(50),	PERCENT_GAIN(200) },
	[BBR_DOWN]	= { PERCENT_GAIN(90),	PERCENT_GAIN(200) },
	[BBR_CRUISE]	= { PERCENT_GAIN(100),	PERCENT_GAIN(200) },
	[BBR_REFILL]	= { PERCENT_GAIN(100),	PERCENT_GAIN(200) },
	[BBR_UP]	= { PERCENT_GAIN(125),	PERCENT_GAIN(225) },
	[BBR_PROBE_RTT]	= { PERCENT_GAIN(100),	PERCENT_GAIN(50) },
};

/* What the time of an ACK and the counts have of chance; spreads flows apart. */
static u32 some_number(const struct tandem_cc *cc)
{
	const struct bbr *b = tandem_cc_cpriv(cc);
	u64 x = b->now_us ^ ((u64)cc->delivered << 32) ^ b->rtt_low;

	x *= 0x9e3779b97f4a7c15ULL;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x >> 32;
}

/* SetPacingRateWithGain(); before the pipe was full only upwards. */
static void set_pacing_rate(struct tandem_cc *cc, u32 gain)
{
	const struct bbr *b = bbr_of(cc);
	u64 rate = (u64)b->bw * min(cc->mss, 65535U);	/* bytes per us, 1/2^24 */
	u32 part;

	if (!b->bw)
		return;
	/*
	 * 1 % less, for the queue to stay short, unless it is empty anyway; more for
	 * what is lost whatever we do.
	 */
	rate = (rate >> BBR_GAIN_SHIFT) * gain;
	rate = b->base_loss ? div_u64(rate, BBR_PART_ONE - b->base_loss) :
			      rate >> BBR_PART_SHIFT;
	rate <<= BBR_PART_SHIFT;
	part = b->state == BBR_CRUISE && b->inflight_fair == BBR_INF ? 1000000 :
								       990000;
	rate = rate >> 43 ? (rate >> BBR_BW_SHIFT) * part :
			    (rate * part) >> BBR_BW_SHIFT;
	if (b->full_bw_reached || rate > cc->pacing_rate)
		cc->pacing_rate = max(rate, 1ULL);
}

/*
 * InitPacingRate(): STARTUP's gain times a window per round trip; at the beginning, and
 * for each window until there is a sign that the pipe may be full, see pipe_shows().
 */
static void pace_window(struct tandem_cc *cc)
{
	u32 rtt = cc->srtt_us ? cc->srtt_us : 1000;
	u64 rate;

	rate = div_u64((u64)min(cc->cwnd, 1U << 16) * min(cc->mss, 65535U) * 1000000, rtt);
	rate = (rate * gains[BBR_STARTUP].pacing) >> BBR_GAIN_SHIFT;
	cc->pacing_rate = max3(cc->pacing_rate, rate, 1ULL);
}

/* PickProbeWait() */
static void pick_probe_wait(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);
	u32 r = some_number(cc);

	b->rounds_since_probe = r & 1;
	b->probe_wait_us = 2000000 + (((u64)(r >> 1) * 1000000) >> 31);
}

static void start_down(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	tandem_bbr_reset_congestion_signals(b);
	tandem_bbr_forget_rival(b);
	b->up_acked_per_inc = BBR_INF;
	pick_probe_wait(cc);
	b->cycle_us = b->now_us;
	b->ack_phase = BBR_ACKS_STOPPING;
	tandem_bbr_start_round(cc);
	b->drain_rounds = 0;
	b->state = BBR_DOWN;
}

static void start_refill(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	tandem_bbr_reset_shortterm(b);
	tandem_bbr_forget_rival(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->prev_probe_precautionary = false;
	b->ack_phase = BBR_ACKS_REFILLING;
	tandem_bbr_start_round(cc);
	b->state = BBR_REFILL;
}

/* RaiseInflightLongtermSlope(): 1, 2, 4, ... segments a round */
static void raise_slope(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	b->up_acked_per_inc = max(cc->cwnd >> b->up_rounds, 1U);
	b->up_rounds = min(b->up_rounds + 1, 30);
}

static void start_up(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);

	b->ack_phase = BBR_ACKS_STARTING;
	tandem_bbr_start_round(cc);
	tandem_bbr_reset_full_bw(b);
	b->full_bw = tandem_bbr_rate_of(&ack->rs);
	b->state = BBR_UP;
	b->queue_at_up = tandem_bbr_queue_above(b, b->rtt_low, 4);
	b->cycle_us = b->now_us;
	raise_slope(cc);
}

/* HandleInflightTooHigh() */
static void inflight_too_high(struct tandem_cc *cc, u32 tx_in_flight, bool app_limited)
{
	struct bbr *b = bbr_of(cc);

	b->prev_probe_too_high = true;
	b->is_probe_sample = false;		/* once a probe */
	if (!app_limited)
		b->inflight_longterm =
			max3(tx_in_flight,
			     bbr_scale(tandem_bbr_target_inflight(cc), BBR_BETA_PCT, 100),
			     BBR_MIN_PIPE_CWND);
	if (b->state == BBR_UP) {
		/* One recovery may end STARTUP and then probes: what it ended first counts. */
		if (b->undo_state == BBR_PROBE_RTT)
			b->undo_state = BBR_UP;
		start_down(cc);
	}
}

/* ProbeInflightLongtermUpward() */
static void probe_upward(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);
	u32 delta;

	if (!ack->cwnd_limited || cc->cwnd < b->inflight_longterm)
		return;
	b->up_acked += min(ack->acked, U32_MAX - b->up_acked);
	if (b->up_acked >= b->up_acked_per_inc) {
		delta = b->up_acked / b->up_acked_per_inc;
		b->up_acked -= delta * b->up_acked_per_inc;
		b->inflight_longterm += min(delta, BBR_INF - 1 - b->inflight_longterm);
	}
	if (b->round_start)
		raise_slope(cc);
}

/* AdaptLongTermModel(); true when it moved the state machine. */
static bool adapt_longterm(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	const struct tandem_rate_sample *rs = &ack->rs;
	struct bbr *b = bbr_of(cc);
	bool queued = tandem_bbr_queued(b, b->rtt_low);

	if (b->ack_phase == BBR_ACKS_STARTING && b->round_start)
		b->ack_phase = BBR_ACKS_FEEDBACK;
	if (b->ack_phase == BBR_ACKS_STOPPING && b->round_start) {
		b->is_probe_sample = false;
		b->ack_phase = BBR_ACKS_INIT;
		if (bbr_in_probe_bw(b)) {
			/* AdvanceMaxBwFilter() */
			if (!rs->app_limited && b->max_bw[1]) {
				b->max_bw[0] = b->max_bw[1];
				b->max_bw[1] = 0;
			}
			if (b->prev_probe_precautionary && !b->prev_probe_too_high) {
				start_refill(cc);
				return true;
			}
		}
	}
	if (!rs->delivered ||
	    tandem_bbr_loss_too_high(b, rs->lost, rs->tx_in_flight, queued) ||
	    b->inflight_longterm == BBR_INF)
		return false;
	if (rs->tx_in_flight > b->inflight_longterm)
		b->inflight_longterm = rs->tx_in_flight;
	if (b->state == BBR_UP)
		probe_upward(cc, ack);
	return false;
}

static bool time_to_probe(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	if (b->rival_known)
		return false;
	if (b->now_us <= b->cycle_us + b->probe_wait_us &&
	    b->rounds_since_probe < min(tandem_bbr_target_inflight(cc), 63U))
		return false;
	start_refill(cc);
	return true;
}

static bool time_to_cruise(const struct tandem_cc *cc)
{
	const struct bbr *b = tandem_cc_cpriv(cc);

	return b->drain_rounds > DRAIN_ROUNDS ||
	       (cc->in_flight <= tandem_bbr_inflight_with_headroom(b) &&
		cc->in_flight <= tandem_bbr_inflight(cc, bbr_max_bw(b), BBR_GAIN_ONE));
}

static bool time_to_go_down(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);

	if (b->prev_probe_too_high && cc->in_flight >= b->inflight_longterm) {
		b->prev_probe_precautionary = true;
		return true;
	}
	if (b->inflight_fair != BBR_INF && b->now_us > b->cycle_us + b->min_rtt &&
	    tandem_bbr_queued(b, b->rtt_low))
		return true;
	if (ack->cwnd_limited && cc->cwnd >= b->inflight_longterm) {
		/* Not the path limits bw, inflight_longterm does. */
		tandem_bbr_reset_full_bw(b);
		b->full_bw = tandem_bbr_rate_of(&ack->rs);
		return false;
	}
	if (b->full_bw_now)
		return true;
	/* Version 2's: a round trip's time of it, and what we added queues. */
	return b->now_us > b->cycle_us + b->min_rtt &&
	       cc->in_flight >= tandem_bbr_inflight(cc, bbr_max_bw(b), PERCENT_GAIN(125)) &&
	       !b->queue_at_up && tandem_bbr_queue_above(b, b->rtt_low, 4);
}

/* UpdateProbeBWCyclePhase() */
static void update_cycle(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);

	if (!b->full_bw_reached || adapt_longterm(cc, ack))
		return;
	switch (b->state) {
	case BBR_DOWN:
		if (!time_to_probe(cc) && time_to_cruise(cc))
			b->state = BBR_CRUISE;
		break;
	case BBR_CRUISE:
		time_to_probe(cc);
		break;
	case BBR_REFILL:
		if (b->round_start) {
			b->is_probe_sample = true;
			start_up(cc, ack);
		}
		break;
	case BBR_UP:
		if (time_to_go_down(cc, ack)) {
			b->prev_probe_too_high = false;
			start_down(cc);
		}
		break;
	}
}

/* CheckStartupHighLoss(), section 5.3.1.3 */
static void check_startup_loss(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);
	u32 lost = cc->lost - b->round_lost0;
	u32 segs = lost + (cc->delivered - b->round_delivered0);

	if (b->state != BBR_STARTUP || b->full_bw_reached || !b->loss_round_start)
		return;
	if (!b->ce_in_round &&
	    (!b->recovery_round || b->losses_in_round < BBR_STARTUP_LOSSES ||
	     !tandem_bbr_loss_too_high(b, lost, segs, tandem_bbr_queued(b, b->round_rtt)))) {
		b->recovery_round = b->in_recovery;
		return;
	}
	b->undo_state = BBR_STARTUP;
	b->full_bw_reached = true;
	b->inflight_longterm = max3(tandem_bbr_bdp(cc, bbr_max_bw(b), BBR_GAIN_ONE),
				    b->inflight_latest, BBR_MIN_PIPE_CWND);
}

static void check_startup_and_drain(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	check_startup_loss(cc);
	if (b->state == BBR_STARTUP && b->full_bw_reached) {
		b->state = BBR_DRAIN;
		b->drain_rounds = 0;
		tandem_bbr_reset_shortterm(b);
	}
	if (b->state == BBR_DRAIN &&
	    (b->drain_rounds > DRAIN_ROUNDS ||
	     cc->in_flight <= tandem_bbr_inflight(cc, bbr_max_bw(b), BBR_GAIN_ONE)))
		start_down(cc);
}

static u32 probe_rtt_cwnd(const struct tandem_cc *cc)
{
	const struct bbr *b = tandem_cc_cpriv(cc);

	return max(tandem_bbr_bdp(cc, b->bw, gains[BBR_PROBE_RTT].cwnd), BBR_MIN_PIPE_CWND);
}

/* CheckProbeRTTDone(), ExitProbeRTT() */
static void check_probe_rtt_done(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	if (!b->probe_rtt_done_at || b->now_us <= b->probe_rtt_done_at)
		return;
	b->probe_rtt_min_at = b->now_us;
	cc->cwnd = max(cc->cwnd, b->prior_cwnd);
	tandem_bbr_reset_shortterm(b);
	if (b->full_bw_reached) {
		if (b->rivalry)
			tandem_bbr_pause_rivalry(b);
		else
			start_down(cc);
		b->state = BBR_CRUISE;
	} else {
		b->state = BBR_STARTUP;
	}
}

static void check_probe_rtt(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);

	if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
		tandem_bbr_save_cwnd(cc);
		b->state = BBR_PROBE_RTT;
		b->probe_rtt_done_at = 0;
		b->ack_phase = BBR_ACKS_STOPPING;
		tandem_bbr_start_round(cc);
	}
	if (b->state == BBR_PROBE_RTT) {
		if (!b->probe_rtt_done_at) {
			if (cc->in_flight <= probe_rtt_cwnd(cc)) {
				b->probe_rtt_done_at = b->now_us + BBR_PROBE_RTT_US;
				b->probe_rtt_round_done = false;
				tandem_bbr_start_round(cc);
			}
		} else {
			if (b->round_start)
				b->probe_rtt_round_done = true;
			if (b->probe_rtt_round_done)
				check_probe_rtt_done(cc);
		}
	}
	if (ack->rs.delivered)
		b->idle_restart = false;
}

/*
 * STARTUP: is there any sign that the pipe may be full?  Until then slow start is all
 * right, as for any TCP (RFC 5681 section 3.1): a flight of a few segments is not sent
 * over the whole round trip, its delivery rate is too low, and twice the BDP of that
 * would not let it double.
 */
static bool pipe_shows(const struct bbr *b)
{
	return b->full_bw_count || tandem_bbr_queued(b, b->rtt_low);
}

/* SetCwnd() and BoundCwndForModel() */
static void set_cwnd(struct tandem_cc *cc, u32 acked)
{
	struct bbr *b = bbr_of(cc);
	u32 most = tandem_bbr_bdp(cc, b->bw, gains[b->state].cwnd);
	u32 cap = BBR_INF;

	most += min(max(b->extra_acked[0], b->extra_acked[1]), U32_MAX - most);
	most = tandem_bbr_budget(cc, most);
	if (b->full_bw_reached)
		cc->cwnd = min(cc->cwnd + min(acked, U32_MAX - cc->cwnd), most);
	else if (!pipe_shows(b) || (cc->cwnd < most && !tandem_bbr_queued(b, b->rtt_low)))
		cc->cwnd += min(acked, U32_MAX - cc->cwnd);
	cc->cwnd = max(cc->cwnd, BBR_MIN_PIPE_CWND);
	if (b->state == BBR_PROBE_RTT)
		cc->cwnd = min(cc->cwnd, probe_rtt_cwnd(cc));

	if (b->state == BBR_CRUISE || b->state == BBR_PROBE_RTT)
		cap = tandem_bbr_inflight_with_headroom(b);
	else if (bbr_in_probe_bw(b))
		cap = b->inflight_longterm;
	cap = min(cap, b->inflight_shortterm);
	if (b->rival_known && b->state == BBR_CRUISE)
		cap = tandem_bbr_fair_inflight(b);
	else if (b->state == BBR_CRUISE || b->state == BBR_DOWN)
		cap = min(cap, tandem_bbr_fair_inflight(b));
	cap = max(cap, BBR_MIN_PIPE_CWND);
	cc->cwnd = max(min3(cc->cwnd, cap, cc->cwnd_clamp), 1U);
}

/* UpdateOnACK() */
static void bbr_control(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct bbr *b = bbr_of(cc);
	u32 rate;

	b->now_us = ack->now_us;
	if (!b->started) {
		b->started = true;
		b->min_rtt_at = b->now_us;
		b->probe_rtt_min_at = b->now_us;
		b->extra_start = b->now_us;
	}
	if (ack->lost)
		b->losses_in_round += b->losses_in_round < U8_MAX;
	rate = tandem_bbr_model_update(cc, ack);
	tandem_bbr_check_full_bw(b, &ack->rs, rate);
	check_startup_and_drain(cc);
	update_cycle(cc, ack);
	tandem_bbr_model_min_rtt(cc, ack);
	check_probe_rtt(cc, ack);
	tandem_bbr_model_finish(cc, ack, rate);

	set_pacing_rate(cc, gains[b->state].pacing);
	set_cwnd(cc, ack->acked);
	if (b->state == BBR_STARTUP && !pipe_shows(b))
		pace_window(cc);
}

/* HandleLostPacket() */
static void bbr_on_lost(struct tandem_cc *cc, const struct tandem_cong_lost *l)
{
	struct bbr *b = bbr_of(cc);
	bool queued = tandem_bbr_queued(b, b->rtt_low);

	tandem_bbr_note_loss(cc);
	b->loss_in_round = true;
	if (!b->is_probe_sample)
		return;
	if (tandem_bbr_loss_too_high(b, l->lost_since, l->tx_in_flight, queued))
		inflight_too_high(cc, tandem_bbr_inflight_at_loss(b, l), l->app_limited);
}

/* Section 5.3.1.3 reads as: the model decides, not a halved window. */
static u32 bbr_ssthresh(struct tandem_cc *cc)
{
	tandem_bbr_save_cwnd(cc);
	return cc->ssthresh;
}

static u32 bbr_undo_cwnd(struct tandem_cc *cc)
{
	return max3(cc->cwnd, cc->prior_cwnd, bbr_of(cc)->prior_cwnd);
}

/* HandleSpuriousLossDetection() */
static void undo(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	b->loss_in_round = false;
	b->losses_in_round = 0;
	b->round_lost0 = cc->lost;
	tandem_bbr_reset_full_bw(b);
	b->bw_shortterm = max(b->bw_shortterm, b->undo_bw_shortterm);
	b->inflight_shortterm = max(b->inflight_shortterm, b->undo_inflight_shortterm);
	b->inflight_longterm = max(b->inflight_longterm, b->undo_inflight_longterm);
	if (b->undo_state == BBR_STARTUP && b->state != BBR_STARTUP) {
		b->full_bw_reached = false;
		if (b->state != BBR_PROBE_RTT)
			b->state = BBR_STARTUP;
	} else if (b->undo_state == BBR_UP && b->state != BBR_UP &&
		   b->state != BBR_PROBE_RTT) {
		start_refill(cc);
	}
	b->undo_state = BBR_PROBE_RTT;
}

/* A router says so (RFC 3168): what a loss under load would say. */
static void congestion_marked(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	tandem_bbr_note_loss(cc);
	b->ce_in_round = true;
	if (b->is_probe_sample)
		inflight_too_high(cc, b->inflight_latest, cc->app_limited);
}

static void bbr_event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	struct bbr *b = bbr_of(cc);

	switch (ev) {
	case TANDEM_CONG_EV_TX_START:
		/* HandleRestartFromIdle() */
		if (!cc->app_limited)
			break;
		b->idle_restart = true;
		b->extra_delivered = 0;
		if (bbr_in_probe_bw(b))
			set_pacing_rate(cc, BBR_GAIN_ONE);
		break;
	case TANDEM_CONG_EV_CWND_RESTART:
		break;
	case TANDEM_CONG_EV_CWR:
		congestion_marked(cc);
		break;
	case TANDEM_CONG_EV_LOSS:
		/* Section 5.6.4.4: one segment; it grows back by what is ACKed. */
		cc->cwnd = 1;
		fallthrough;
	case TANDEM_CONG_EV_RECOVERY:
		b->in_recovery = true;
		b->recovery_round = false;
		break;
	case TANDEM_CONG_EV_RECOVERED:
		if (b->in_recovery && b->state != BBR_PROBE_RTT)
			cc->cwnd = max(cc->cwnd, b->prior_cwnd);
		b->in_recovery = false;
		b->undo_saved = false;
		break;
	case TANDEM_CONG_EV_UNDO:
		b->in_recovery = false;
		b->undo_saved = false;
		undo(cc);
		break;
	}
}

static u32 bbr_tso_segs(const struct tandem_cc *cc)
{
	return cc->pacing_rate < 150000 ? 1 : 2;	/* 1.2 Mbit/s */
}

static u32 bbr_info(const struct tandem_cc *cc, int *attr, void *buf, u32 len)
{
	const struct bbr *b = tandem_cc_cpriv(cc);
	u64 bw = (u64)b->bw * min(cc->mss, 65535U);
	struct tcp_bbr_info info = {
		.bbr_min_rtt = b->has_rtt ? b->min_rtt : 0,
		.bbr_pacing_gain = gains[b->state].pacing,
		.bbr_cwnd_gain = gains[b->state].cwnd,
	};

	bw = bw < U64_MAX / 1000000 ? (bw * 1000000) >> BBR_BW_SHIFT :
				      (bw >> BBR_BW_SHIFT) * 1000000;
	info.bbr_bw_lo = bw;
	info.bbr_bw_hi = bw >> 32;
	len = min_t(u32, len, sizeof(info));
	memcpy(buf, &info, len);
	*attr = INET_DIAG_BBRINFO;
	return len;
}

/* OnInit() */
static void bbr_init(struct tandem_cc *cc)
{
	struct bbr *b = bbr_of(cc);

	b->prior_cwnd = cc->cwnd;
	b->inflight_longterm = BBR_INF;
	b->undo_inflight_longterm = BBR_INF;
	b->undo_bw_shortterm = BBR_INF;
	b->undo_inflight_shortterm = BBR_INF;
	b->up_acked_per_inc = BBR_INF;
	b->undo_state = BBR_PROBE_RTT;
	b->round_rtt = U32_MAX;
	b->rtt_low = U32_MAX;
	b->round_lost0 = cc->lost;
	b->round_delivered0 = cc->delivered;
	b->next_round_delivered = cc->delivered;
	b->loss_round_delivered = cc->delivered;
	tandem_bbr_reset_shortterm(b);
	tandem_bbr_reset_fair(b);
	cc->pacing_rate = 0;
	pace_window(cc);
}

struct tandem_cong_ops tandem_bbr = {
	.choice		= { .name = "bbr" },
	.flags		= TANDEM_CONG_PACED,
	.priv_size	= sizeof(struct bbr),
	.init		= bbr_init,
	.ssthresh	= bbr_ssthresh,
	.control	= bbr_control,
	.undo_cwnd	= bbr_undo_cwnd,
	.event		= bbr_event,
	.on_lost	= bbr_on_lost,
	.tso_segs	= bbr_tso_segs,
	.info		= bbr_info,
};
