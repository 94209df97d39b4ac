// SPDX-License-Identifier: GPL-2.0
/*
 * cong_bbr_fair.c - BBR beside others: what it leaves them, and what it does not.
 *
 * The draft knows that others want room by their losses.  Before a loss there is the
 * queue: flows that each believe in their max_bw together send more than the link has,
 * and fill the buffer up to what their windows allow.  Nothing then moves their shares
 * but a few percent per probe, and whoever came first keeps most.  So in CRUISE, where
 * nobody should queue:
 *
 *	RTT above min_rtt by 1/8 or more:	inflight = rate x min_rtt + 4 segments
 *	no queue:				4 segments more each round
 *
 * The first is FAST's window: what a flow has delivered, without its part of the queue.
 * Large flows give up much, small ones little, all gain the same: that converges within
 * seconds (Chiu and Jain), and keeps the queue below 1/8 of min_rtt meanwhile.  It is
 * not less than 3/8 of what the last probe got, at first.
 *
 * Against a flow that fills the queue until it overflows this loses, so it must be told
 * from our like.  Our like lets the queue run empty now and then; if it did not do so for
 * RIVAL_DRAIN rounds, all of us (we see the same queue, so we count alike) hold back
 * for two rounds to make it so.  If it still stands, and drops what we send, or stands
 * for RIVAL_LONG rounds, it is a rival's; rounds with more than a BDP of queue count
 * thrice.  We then share by the rival's own rule: CUBIC's curve, a cut to 0.7 for each
 * loss, no probes in between (RFC 9438).  Each ProbeRTT, and an empty queue, ask anew.
 *
 * Where min_rtt is microseconds, an RTT says more of the hosts than of a queue: less than
 * BBR_HOST_US of it is none.
 *
 * All of it is without effect for a flow alone: its queue is empty in CRUISE.
 */
#include "cong_bbr.h"
#include "cong_curve.h"

#define FAIR_SEGS	4U	/* in the queue, of each flow */
#define FAIR_ROUNDS	8	/* without queue, until the step doubles */
#define YIELD_ROUNDS	4	/* until what was yielded shows in the RTT */
#define RIVAL_DRAIN	16
#define RIVAL_SURE	22
#define RIVAL_LONG	40
#define CURVE_HASTE	7	/* beyond W_max time counts so much more */
#define FLOOR_SHIFT	5	/* empty: less than 1/32 of min_rtt */
#define FLOOR_ROUNDS	4

void tandem_bbr_reset_fair(struct bbr *b)
{
	b->bw_fair = BBR_INF;
	b->inflight_fair = BBR_INF;
	b->fair_rounds = 0;
}

static void set_fair(struct bbr *b, u32 inflight)
{
	b->inflight_fair = max(inflight, BBR_MIN_PIPE_CWND);
	b->bw_fair = min(div_u64((u64)b->inflight_fair << BBR_BW_SHIFT, max(b->min_rtt, 1U)),
			 (u64)U32_MAX - 1);
}

/* The curve begins at @inflight, now, and returns to @w_max. */
static void begin_curve(struct bbr *b, u32 inflight, u32 w_max)
{
	b->curve_max = max(w_max, inflight);
	b->curve_k_ms = tandem_cubic_k_ms(b->curve_max - inflight);
	b->cycle_us = b->now_us;
	set_fair(b, inflight);
}

/*
 * Along CUBIC's curve, and not slower than Reno (RFC 9438 section 4.3).  Who is back at
 * W_max before the next loss has the smaller window of the rivals, and may look for more
 * sooner than CUBIC itself does.
 */
static void follow_curve(struct bbr *b, const struct tandem_cc *cc)
{
	u64 t = div_u64(b->now_us - b->cycle_us + b->min_rtt, 1000), w;

	if (t > b->curve_k_ms)
		t += CURVE_HASTE * (t - b->curve_k_ms);
	w = tandem_cubic_window(b->curve_max, b->curve_k_ms, t) >> TANDEM_CUBIC_SHIFT;
	w = clamp(w, (u64)b->inflight_fair + 1,
		  (u64)b->inflight_fair + b->inflight_fair / 2 + 1);
	/* The draft's bound holds here too, should the rival be one of us after all. */
	w = min_t(u64, w, 2ULL * tandem_bbr_bdp(cc, bbr_max_bw(b), BBR_GAIN_ONE));
	/* Only what is used has been tried. */
	set_fair(b, clamp_t(u64, w, BBR_MIN_PIPE_CWND,
			    max(2ULL * cc->in_flight, 4ULL)));
}

static void begin_rivalry(struct bbr *b, const struct tandem_cc *cc)
{
	u32 w;

	b->rivalry = true;
	tandem_bbr_reset_shortterm(b);
	if (b->rival_known) {
		follow_curve(b, cc);
		return;
	}
	b->rival_known = true;
	/* What the last probe could have, not what is left after all the yielding. */
	w = tandem_bbr_bdp(cc, bbr_max_bw(b), BBR_GAIN_ONE);
	w = bbr_scale(w, b->rtt_low, max(b->min_rtt, 1U));
	begin_curve(b, max3(cc->in_flight, w, BBR_MIN_PIPE_CWND), 0);
}

/* ProbeRTT has emptied the queue: perhaps all that are left would cooperate. */
void tandem_bbr_pause_rivalry(struct bbr *b)
{
	b->rivalry = false;
	b->rival = RIVAL_DRAIN - 2;
}

/* Once a round, in ProbeBW: how long ago was the queue empty, once it had stood? */
void tandem_bbr_watch_queue(struct bbr *b)
{
	u32 step;

	if (!tandem_bbr_queue_above(b, b->rtt_low, FLOOR_SHIFT)) {
		if (b->rivalry && ++b->floor_rounds < FLOOR_ROUNDS)
			return;
		b->rivalry = false;
		b->rival_known = false;
		b->rival_lost = false;
		b->rival = 0;
	} else if (b->rival || tandem_bbr_queued(b, b->rtt_low)) {
		/* Our like keeps no more than a BDP there. */
		step = b->rtt_low / 2 > b->min_rtt ? 3 : 1;
		b->rival = min(b->rival + step, (u32)U8_MAX - 1);
		b->floor_rounds = 0;
	}
}

/* A BDP, but not less than what the hosts' own time takes: tandem_bbr_queue_above(). */
static u32 bdp_and_hosts(const struct tandem_cc *cc, u32 bw, u32 gain)
{
	const struct bbr *b = tandem_cc_cpriv(cc);
	u32 bdp = tandem_bbr_bdp(cc, bw, gain);

	return b->min_rtt < BBR_HOST_US ? bbr_scale(bdp, BBR_HOST_US, max(b->min_rtt, 1U)) : bdp;
}

/* Once a round, in CRUISE. */
void tandem_bbr_yield_to_queue(struct bbr *b, const struct tandem_cc *cc,
			       const struct tandem_rate_sample *rs)
{
	u32 step, inflight, least;

	if (b->rivalry) {
		follow_curve(b, cc);
		return;
	}
	if (b->rival > (b->rival_known || b->rival_lost ? RIVAL_SURE : RIVAL_LONG))
		begin_rivalry(b, cc);
	/* Known: it would not yield before, so hold, and see whether it does now. */
	if (b->rival_known)
		return;
	if (!tandem_bbr_queued(b, b->rtt_low)) {
		b->since_yield = 0;
		if (b->inflight_fair == BBR_INF)
			return;
		step = min(FAIR_SEGS << min(b->fair_rounds / FAIR_ROUNDS, 16),
			   max(b->inflight_fair / 8, FAIR_SEGS));
		b->fair_rounds += b->fair_rounds < U8_MAX;
		if (b->bw_fair < bbr_max_bw(b) + bbr_max_bw(b) / 4)
			set_fair(b, b->inflight_fair +
				    min(step, BBR_INF - 1 - b->inflight_fair));
		return;
	}
	b->fair_rounds = 0;
	if (b->since_yield++ % YIELD_ROUNDS || rs->app_limited)
		return;
	inflight = bdp_and_hosts(cc, tandem_bbr_rate_of(rs), BBR_GAIN_ONE);
	inflight += min(FAIR_SEGS, BBR_INF - 1 - inflight);
	least = (BBR_GAIN_ONE * 3 / 8) >> b->rival / RIVAL_DRAIN;
	least = bdp_and_hosts(cc, bbr_max_bw(b), least);
	set_fair(b, min(max(inflight, least), b->inflight_fair));
}

/* In CRUISE: what yielding to a queue leaves, and less when it must be emptied. */
u32 tandem_bbr_fair_inflight(const struct bbr *b)
{
	if (b->inflight_fair == BBR_INF)
		return BBR_INF;
	if (!b->rivalry && b->rival >= RIVAL_DRAIN && b->rival < RIVAL_DRAIN + 2)
		return bbr_scale(b->inflight_fair, BBR_BETA_PCT, 100);
	return b->inflight_fair;
}

/*
 * Congestion cost us segments, outside of a probe.  True when that is all there is to
 * do; the draft's lower bounds (section 5.5.10.3) are for the other case.
 */
bool tandem_bbr_yield_to_loss(struct bbr *b, const struct tandem_cc *cc)
{
	u32 w;

	if (b->state == BBR_CRUISE && b->rival > RIVAL_DRAIN && !b->ce_in_round &&
	    tandem_bbr_queued(b, b->round_rtt))
		b->rival_lost = true;
	if (b->rival_known) {
		/* RFC 9438 sections 4.6, 4.7 */
		w = min(b->inflight_fair, max(b->inflight_latest, 1U));
		begin_curve(b, bbr_scale(w, BBR_BETA_PCT, 100),
			    w < b->curve_max ? bbr_scale(w, 85, 100) : w);
		return true;
	}
	/* What STARTUP had coming says nothing yet about others. */
	if (!bbr_in_probe_bw(b) || !b->max_bw[0])
		return false;
	w = tandem_bbr_bdp(cc, b->bw_latest, BBR_GAIN_ONE);
	w = bbr_scale(w, 100 - BBR_HEADROOM_PCT, 100);
	set_fair(b, min(w, b->inflight_fair));
	b->fair_rounds = 0;
	return false;
}

/* A probe begins or ends: no rival was there, or there is none any more. */
void tandem_bbr_forget_rival(struct bbr *b)
{
	b->rivalry = false;
	b->rival_known = false;
}
