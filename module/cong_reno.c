// SPDX-License-Identifier: GPL-2.0
/*
 * cong_reno.c - NewReno's window sizes (RFC 5681, RFC 6582), and the building blocks
 * other algorithms share.
 *
 *	slow start (cwnd < ssthresh):	a segment ACKed opens the window by one segment
 *	congestion avoidance:		a window ACKed opens it by one segment
 *	loss:				ssthresh = max(cwnd / 2, 2)
 *
 * Counting is by whole segments newly ACKed, never by ACKs: an ACK for many segments
 * counts for all of them, and dividing one segment's ACK into many gains nothing, which
 * is what appropriate byte counting is for (RFC 3465 section 2.1, 2.2).  The window
 * does not grow while something else than cwnd holds the sender back: such a window
 * has not been validated by the path (RFC 7661 section 4.3, RFC 2861).
 */
#include "pure.h"
#include <tandem/cong.h>

/**
 * tandem_cc_slow_start() - RFC 5681 section 3.1
 * @cc: the connection, with cwnd < ssthresh
 * @acked: segments newly ACKed
 *
 * Return: how many of @acked were left when cwnd reached ssthresh; they count for
 * congestion avoidance.
 */
u32 tandem_cc_slow_start(struct tandem_cc *cc, u32 acked)
{
	u32 step = 0;

	if (cc->cwnd < cc->ssthresh)
		step = min(acked, cc->ssthresh - cc->cwnd);
	cc->cwnd = min(cc->cwnd + step, cc->cwnd_clamp);
	return acked - step;
}
EXPORT_SYMBOL_GPL(tandem_cc_slow_start);

/**
 * tandem_cc_avoid_ai() - additive increase: one segment per @w segments ACKed
 * @cc: the connection
 * @w: segments that must be ACKed for one more; cwnd for RFC 5681 section 3.1
 * @acked: segments newly ACKed
 */
void tandem_cc_avoid_ai(struct tandem_cc *cc, u32 w, u32 acked)
{
	u32 grow = 0;

	w = max(w, 1U);

	/* Credit from when @w was larger is worth one segment, not several. */
	if (cc->cwnd_cnt >= w) {
		cc->cwnd_cnt = 0;
		grow = 1;
	}
	cc->cwnd_cnt += min(acked, U32_MAX - cc->cwnd_cnt);
	if (cc->cwnd_cnt >= w) {
		grow += cc->cwnd_cnt / w;
		cc->cwnd_cnt %= w;
	}
	cc->cwnd = min(cc->cwnd, cc->cwnd_clamp);
	cc->cwnd += min(grow, cc->cwnd_clamp - cc->cwnd);
}
EXPORT_SYMBOL_GPL(tandem_cc_avoid_ai);

static void reno_on_ack(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	u32 acked = ack->acked;

	if (!ack->cwnd_limited)
		return;
	if (tandem_cc_in_slow_start(cc)) {
		acked = tandem_cc_slow_start(cc, acked);
		if (!acked)
			return;
	}
	tandem_cc_avoid_ai(cc, cc->cwnd, acked);
}

/* RFC 5681 section 3.1 (4), cwnd in the place of FlightSize. */
static u32 reno_ssthresh(struct tandem_cc *cc)
{
	return max(cc->cwnd / 2, TANDEM_CWND_MIN);
}

/* Nothing was lost after all: back to where we were, or better. */
static u32 reno_undo_cwnd(struct tandem_cc *cc)
{
	return max(cc->cwnd, cc->prior_cwnd);
}

static void reno_event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	/* Credit earned at the old window buys nothing at the new one. */
	if (ev == TANDEM_CONG_EV_RECOVERY || ev == TANDEM_CONG_EV_LOSS ||
	    ev == TANDEM_CONG_EV_CWND_RESTART)
		cc->cwnd_cnt = 0;
}

/* Part of the module itself: no owner to hold. */
struct tandem_cong_ops tandem_reno = {
	.choice		= { .name = "reno" },
	.ssthresh	= reno_ssthresh,
	.on_ack		= reno_on_ack,
	.undo_cwnd	= reno_undo_cwnd,
	.event		= reno_event,
};
