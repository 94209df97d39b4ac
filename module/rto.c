// SPDX-License-Identifier: GPL-2.0
/*
 * rto.c - the estimators of the retransmission timeout to choose from.
 *
 *	rfc6298		SRTT + max(G, 4 * RTTVAR), within its limits (rtt.c)
 *	fixed		the same whatever the path does: what the textbook begins with,
 *			to show what measuring is good for
 *
 * With both an expiry doubles the timer (RFC 6298 section 5.5), and both measure: RACK,
 * probes and pacing go by SRTT whoever makes the timeout.
 */
#include "pure.h"
#include "rtt.h"

static u32 rfc6298_rto_us(const struct tandem_rtt *rtt,
			  const struct tandem_rto_limits *limits)
{
	return tandem_rtt_rto_us(rtt, limits->g_us, limits->init_us, limits->min_us,
				 limits->max_us);
}

static u32 fixed_rto_us(const struct tandem_rtt *rtt,
			const struct tandem_rto_limits *limits)
{
	return clamp(limits->fixed_us, 1U, max(limits->max_us, 1U));
}

/* Part of the module itself: no owner to hold. */
struct tandem_rto_ops tandem_rto_rfc6298 = {
	.choice.name	= "rfc6298",
	.rto_us		= rfc6298_rto_us,
};

struct tandem_rto_ops tandem_rto_fixed = {
	.choice.name	= "fixed",
	.rto_us		= fixed_rto_us,
};
