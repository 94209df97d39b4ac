// SPDX-License-Identifier: GPL-2.0
/*
 * cong_cubic.c - CUBIC (RFC 9438) with HyStart++ (RFC 9406).
 *
 * After a reduction cwnd follows a cubic curve of the time t since then:
 *
 *	W_cubic(t) = C (t - K)^3 + W_max,	C = 0.4 segments/s^3
 *	K = cbrt((W_max - cwnd at t = 0) / C)
 *
 * fast while far below W_max, where the last loss was, flat around it, and then ever
 * faster to look for more.  Time, not ACKs, drives it, so that flows of different RTT
 * grow alike.  Where Reno would be faster (short RTT, small window) it grows as Reno
 * would, W_est.  Losses cut cwnd to beta = 0.7.
 *
 * The curve itself is in cong_curve.c.
 *
 * Slow start ends before the queue overflows when the RTT of a round rose (HyStart++):
 * Conservative Slow Start then grows at a quarter of the speed for five rounds, and
 * goes back should the RTT turn out not to have risen.  RFC 9406's limit L is left
 * off, as section 4.3 has it for paced senders: Tandem paces every algorithm.
 *
 * A flight that leaves twice as fast as the last one was ACKed fills the queue towards its
 * end, and the queue is empty again when the next begins.  So beside a round's first
 * samples, which section 4.2 looks at, any eight in a row count here when ACKs have been
 * coming for half a round trip: the flight then fills half of the path, and its
 * successor all of it, which is what the first HyStart found by the length of the train.
 * When eight have risen by the threshold once more slow start is over, whereas five
 * rounds, each a quarter larger, would treble the window meanwhile.
 */
#include "pure.h"
#include "cong_cubic.h"
#include "cong_curve.h"

#define Q_SHIFT		TANDEM_CUBIC_SHIFT
/* RFC 9438 section 4.6: beta 0.7; 4.7: fast convergence (1 + beta) / 2. */
#define BETA_NUM	7U
#define BETA_DEN	10U
/* Section 4.3: alpha = 3 (1 - beta) / (1 + beta) = 9/17. */
#define ALPHA_NUM	9U
#define ALPHA_DEN	17U

/* RFC 9406 section 4.3 */
#define MIN_RTT_THRESH_US	4000U
#define MAX_RTT_THRESH_US	16000U
#define MIN_RTT_DIVISOR		8
#define N_RTT_SAMPLE		8
#define CSS_GROWTH_DIVISOR	4
#define CSS_ROUNDS		5

/*
 * What a reduction changes, and an undo brings back (RFC 9438 section 4.9.1).
 * epoch_us: when the curve's t was 0, 0: not begun
 */
struct curve {
	u64	epoch_us;
	u64	est_cnt;		/* ACKed towards w_est, in 1/17 segments */
	u32	k_ms;
	u32	w_max;
	u32	w_est;
	u32	cwnd_prior;
};

struct cubic {
	struct curve now, saved;
	u64	last_ack_us;
	u64	train_us;		/* ACKs have been coming without a pause since */
	bool	have_saved;
	bool	idle;			/* nothing was in flight since the last ACK */
	/* HyStart++, round by round */
	u8	samples;
	u8	css_round;		/* 0: not in CSS */
	u32	round_end;
	u32	last_min_us;
	u32	cur_min_us;
	u32	run_min_us;		/* of the last N_RTT_SAMPLE, or fewer */
	u32	css_min_us;
	u32	css_acked;
};

static void begin_epoch(struct tandem_cc *cc, struct cubic *ca, u64 now_us)
{
	struct curve *c = &ca->now;

	c->epoch_us = now_us ? now_us : 1;
	c->est_cnt = 0;
	c->w_est = cc->cwnd;
	if (cc->cwnd < c->w_max) {
		c->k_ms = tandem_cubic_k_ms(c->w_max - cc->cwnd);
	} else {
		/* Slow start or an undo led beyond it, or there is none (4.8). */
		c->k_ms = 0;
		c->w_max = cc->cwnd;
	}
}

/*
 * Section 4.3.  alpha makes up for beta being larger than Reno's 1/2, until the window
 * is where it was, and is 1 from there on.
 */
static void grow_estimate(struct tandem_cc *cc, struct curve *c, u32 acked)
{
	u64 each = (u64)cc->cwnd * ALPHA_DEN;
	u64 cnt = c->est_cnt;

	cnt += (u64)acked * (c->w_est < c->cwnd_prior ? ALPHA_NUM : ALPHA_DEN);
	if (cnt >= each) {
		u64 n = div64_u64(cnt, each);

		c->w_est += min(n, (u64)U32_MAX - c->w_est);
		cnt -= n * each;
	}
	c->est_cnt = cnt;
}

/*
 * Sections 4.2 to 4.5: along the curve, one RTT ahead since that is when what is sent
 * now matters; the increase is spread over a window's ACKs by cwnd_cnt.
 */
static void avoid_congestion(struct tandem_cc *cc, struct cubic *ca, u64 now_us,
			     u32 acked)
{
	struct curve *c = &ca->now;
	u64 target, cwnd_q = (u64)cc->cwnd << Q_SHIFT;

	if (!c->epoch_us)
		begin_epoch(cc, ca, now_us);
	grow_estimate(cc, c, acked);

	target = now_us > c->epoch_us ? now_us - c->epoch_us : 0;
	target = tandem_cubic_window(c->w_max, c->k_ms,
				     div_u64(target + (cc->min_rtt_us == U32_MAX ? 0 :
						       cc->min_rtt_us), 1000));
	if (target < (u64)c->w_est << Q_SHIFT) {
		/* Reno-friendly region, section 4.3. */
		if (c->w_est > cc->cwnd)
			cc->cwnd = min(c->w_est, cc->cwnd_clamp);
		return;
	}
	/* Section 4.2: never more than half as much again in one RTT. */
	target = min(target, cwnd_q + cwnd_q / 2);
	if (target > cwnd_q)
		tandem_cc_avoid_ai(cc, min_t(u64, div64_u64(cwnd_q, target - cwnd_q),
					     U32_MAX), acked);
}

static void hystart_done(struct tandem_cc *cc, struct cubic *ca)
{
	cc->ssthresh = cc->cwnd;
	ca->css_round = 0;
}

/* RFC 9406 section 4.2: a round is over when data sent after its begin is ACKed. */
static void hystart_round(struct tandem_cc *cc, struct cubic *ca)
{
	ca->round_end = cc->delivered;
	ca->last_min_us = ca->cur_min_us;
	ca->cur_min_us = U32_MAX;
	ca->run_min_us = U32_MAX;
	ca->samples = 0;
	if (ca->css_round && ++ca->css_round > CSS_ROUNDS)
		hystart_done(cc, ca);
}

static u32 rtt_thresh(u32 rtt_us)
{
	return clamp(rtt_us / MIN_RTT_DIVISOR, MIN_RTT_THRESH_US, MAX_RTT_THRESH_US);
}

static void hystart(struct tandem_cc *cc, struct cubic *ca,
		    const struct tandem_cong_ack *ack)
{
	u32 run_min;

	if (ack->rs.delivered &&
	    (s32)(ack->rs.prior_delivered - ca->round_end) >= 0)
		hystart_round(cc, ca);
	if (ack->rtt_us < 0)
		return;
	ca->cur_min_us = min_t(s64, ca->cur_min_us, ack->rtt_us);
	ca->run_min_us = min_t(s64, ca->run_min_us, ack->rtt_us);
	if (++ca->samples < N_RTT_SAMPLE)
		return;
	run_min = ca->run_min_us;
	ca->samples = 0;
	ca->run_min_us = U32_MAX;
	if (ca->css_round && run_min < ca->css_min_us) {
		ca->css_round = 0;	/* it did not rise after all: slow start again */
		return;
	}
	if (ca->last_min_us == U32_MAX ||
	    ack->now_us - ca->train_us < ca->last_min_us / 2)
		return;
	if (ca->css_round) {
		if (run_min - ca->css_min_us >= rtt_thresh(ca->css_min_us))
			hystart_done(cc, ca);
	} else if (run_min - (s64)ca->last_min_us >= rtt_thresh(ca->last_min_us)) {
		ca->css_min_us = run_min;
		ca->css_acked = 0;
		ca->css_round = 1;
	}
}

/* How many ACKed segments are left for congestion avoidance. */
static u32 slow_start(struct tandem_cc *cc, struct cubic *ca,
		      const struct tandem_cong_ack *ack)
{
	u32 acked = ack->acked;

	/* Only the first slow start seeks the path's limit (RFC 9406 section 4.3). */
	if (cc->ssthresh == TANDEM_SSTHRESH_INF)
		hystart(cc, ca, ack);
	if (ca->css_round) {
		u64 sum = (u64)ca->css_acked + acked;

		acked = min_t(u64, sum / CSS_GROWTH_DIVISOR, U32_MAX);
		ca->css_acked = sum % CSS_GROWTH_DIVISOR;
	}
	if (!tandem_cc_in_slow_start(cc))
		return acked;
	return tandem_cc_slow_start(cc, acked);
}

/* Time in which the program had nothing to send is no time on the curve (5.8). */
static void skip_idle(struct cubic *ca, const struct tandem_cong_ack *ack)
{
	u64 gone = ack->now_us - ca->last_ack_us;

	if ((!ack->cwnd_limited || ca->idle) && ca->now.epoch_us &&
	    ack->now_us > ca->last_ack_us)
		ca->now.epoch_us += min(gone, ack->now_us - ca->now.epoch_us);
	ca->last_ack_us = ack->now_us;
	ca->idle = false;
}

/* An eighth of a round trip without an ACK ends a train of them. */
static void follow_train(const struct tandem_cc *cc, struct cubic *ca, u64 now_us)
{
	if (now_us - ca->last_ack_us > cc->min_rtt_us / 8)
		ca->train_us = now_us;
}

static void cubic_on_ack(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct cubic *ca = tandem_cc_priv(cc);
	u32 acked = ack->acked;

	if (cc->ca_state <= TANDEM_CA_DISORDER)
		ca->have_saved = false;		/* too late for an undo */
	follow_train(cc, ca, ack->now_us);
	skip_idle(ca, ack);
	if (!ack->cwnd_limited)
		return;
	if (tandem_cc_in_slow_start(cc)) {
		acked = slow_start(cc, ca, ack);
		if (!acked || tandem_cc_in_slow_start(cc))
			return;
	}
	avoid_congestion(cc, ca, ack->now_us, acked);
}

/* Sections 4.6 and 4.7. */
static u32 cubic_ssthresh(struct tandem_cc *cc)
{
	struct cubic *ca = tandem_cc_priv(cc);
	struct curve *c = &ca->now;
	u64 cwnd = cc->cwnd;

	/* A timeout amid recovery does not make what recovery began right. */
	if (!ca->have_saved)
		ca->saved = *c;
	ca->have_saved = true;

	c->epoch_us = 0;
	/* Fast convergence: losing ground means that others gain, let them. */
	if (cc->cwnd < c->w_max)
		c->w_max = div_u64(cwnd * (BETA_DEN + BETA_NUM), 2 * BETA_DEN);
	else
		c->w_max = cc->cwnd;
	c->cwnd_prior = cc->cwnd;
	ca->css_round = 0;
	return max_t(u32, div_u64(cwnd * BETA_NUM, BETA_DEN), TANDEM_CWND_MIN);
}

static u32 cubic_undo_cwnd(struct tandem_cc *cc)
{
	return max(cc->cwnd, cc->prior_cwnd);
}

static void hystart_reset(struct tandem_cc *cc, struct cubic *ca)
{
	ca->round_end = cc->delivered;
	ca->last_min_us = U32_MAX;
	ca->cur_min_us = U32_MAX;
	ca->run_min_us = U32_MAX;
	ca->samples = 0;
	ca->css_round = 0;
}

static void cubic_event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	struct cubic *ca = tandem_cc_priv(cc);

	switch (ev) {
	case TANDEM_CONG_EV_TX_START:
		ca->idle = true;
		break;
	case TANDEM_CONG_EV_CWND_RESTART:
		/* cwnd is another: t = 0 here. */
		ca->now.epoch_us = 0;
		cc->cwnd_cnt = 0;
		hystart_reset(cc, ca);
		break;
	case TANDEM_CONG_EV_RECOVERY:
	case TANDEM_CONG_EV_CWR:
		cc->cwnd_cnt = 0;
		break;
	case TANDEM_CONG_EV_LOSS:
		/* Section 4.8: the path may be another one, so nothing is aimed at. */
		ca->now.w_max = 0;
		cc->cwnd_cnt = 0;
		hystart_reset(cc, ca);
		break;
	case TANDEM_CONG_EV_UNDO:
		if (ca->have_saved)
			ca->now = ca->saved;
		ca->have_saved = false;
		break;
	case TANDEM_CONG_EV_RECOVERED:
		break;
	}
}

static void cubic_init(struct tandem_cc *cc)
{
	hystart_reset(cc, tandem_cc_priv(cc));
}

struct tandem_cong_ops tandem_cubic = {
	.choice		= { .name = "cubic" },
	.priv_size	= sizeof(struct cubic),
	.init		= cubic_init,
	.ssthresh	= cubic_ssthresh,
	.on_ack		= cubic_on_ack,
	.undo_cwnd	= cubic_undo_cwnd,
	.event		= cubic_event,
};
