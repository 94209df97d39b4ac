// SPDX-License-Identifier: GPL-2.0
/*
 * cong_dctcp.c - DCTCP (RFC 8257): the window follows how much was marked, not whether.
 *
 * Switches mark early, at a short queue.  Each window the sender takes the share F of
 * its segments that came marked and averages,
 *
 *	alpha = (1 - g) alpha + g F,	g = 1/16
 *
 * and the first mark of a window cuts cwnd by alpha / 2: by little when few are marked,
 * by half when all are.  Losses cut it as Reno's (section 3.5).
 *
 * It needs a network that marks as data centres do, and starves or is starved beside
 * loss-based flows elsewhere (section 5, 6): unprivileged programs may choose it only
 * where the administrator says so.
 */
#include <linux/inet_diag.h>
#include "pure.h"
#include "cong_dctcp.h"

/* alpha and F in 1/1024, as RFC 8257's section 4.4 suggests fixed point. */
#define ALPHA_SHIFT	10
#define ALPHA_ONE	(1U << ALPHA_SHIFT)
#define G_SHIFT		4		/* section 4.2: g = 1/16 */

struct dctcp {
	u32	window_end;		/* delivered at the begin of this window */
	u32	old_delivered;
	u32	old_ce;
	u32	last_ce;		/* delivered_ce at the last ACK */
	u32	cwr_end;		/* no second cut until this is delivered */
	u16	alpha;
	bool	cut;			/* within that window */
};

/**
 * tandem_dctcp_alpha() - RFC 8257 section 3.3, steps 6 to 8
 * @alpha: the average until now, 1/1024
 * @delivered: segments delivered in the window
 * @marked: of these, marked
 *
 * Return: the new average.
 */
u32 tandem_dctcp_alpha(u32 alpha, u32 delivered, u32 marked)
{
	u32 share;

	if (!delivered)
		return alpha;
	share = div_u64((u64)min(marked, delivered) << ALPHA_SHIFT, delivered);
	/* Rounded so that it can reach 0 (section 4.4) and 1. */
	alpha -= min(alpha, max(alpha >> G_SHIFT, 1U));
	alpha += (share + (1U << G_SHIFT) - 1) >> G_SHIFT;
	return min(alpha, ALPHA_ONE);
}

/* Section 3.3, step 9: cwnd = cwnd (1 - alpha / 2), once a window. */
static void cut(struct tandem_cc *cc, struct dctcp *ca)
{
	u32 less = ((u64)cc->cwnd * ca->alpha) >> (ALPHA_SHIFT + 1);

	cc->prior_cwnd = cc->cwnd;
	cc->cwnd = max(cc->cwnd - less, TANDEM_CWND_MIN);
	cc->ssthresh = cc->cwnd;
	cc->cwnd_cnt = 0;
	ca->cut = true;
	ca->cwr_end = cc->delivered + cc->in_flight;
}

static void new_window(struct tandem_cc *cc, struct dctcp *ca)
{
	ca->window_end = cc->delivered;
	ca->old_delivered = cc->delivered;
	ca->old_ce = cc->delivered_ce;
}

static void dctcp_on_ack(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	struct dctcp *ca = tandem_cc_priv(cc);
	bool marked = cc->delivered_ce != ca->last_ce;
	u32 acked = ack->acked;

	ca->last_ce = cc->delivered_ce;
	if (ca->cut && (s32)(cc->delivered - ca->cwr_end) > 0)
		ca->cut = false;
	/* A window is over when what was sent after its begin is delivered. */
	if (ack->rs.delivered &&
	    (s32)(ack->rs.prior_delivered - ca->window_end) >= 0) {
		ca->alpha = tandem_dctcp_alpha(ca->alpha, cc->delivered - ca->old_delivered,
					       cc->delivered_ce - ca->old_ce);
		new_window(cc, ca);
	}
	if (marked && !ca->cut) {
		cut(cc, ca);
		return;
	}
	if (ca->cut || !ack->cwnd_limited)
		return;
	if (tandem_cc_in_slow_start(cc)) {
		acked = tandem_cc_slow_start(cc, acked);
		if (!acked)
			return;
	}
	tandem_cc_avoid_ai(cc, cc->cwnd, acked);
}

/* Section 3.5: losses as in RFC 5681. */
static u32 dctcp_ssthresh(struct tandem_cc *cc)
{
	return max(cc->cwnd / 2, TANDEM_CWND_MIN);
}

static u32 dctcp_undo_cwnd(struct tandem_cc *cc)
{
	return max(cc->cwnd, cc->prior_cwnd);
}

static void dctcp_event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	struct dctcp *ca = tandem_cc_priv(cc);

	if (ev == TANDEM_CONG_EV_RECOVERY || ev == TANDEM_CONG_EV_LOSS ||
	    ev == TANDEM_CONG_EV_CWND_RESTART)
		cc->cwnd_cnt = 0;
	/* What was marked before a timeout says nothing about after (section 3.5). */
	if (ev == TANDEM_CONG_EV_LOSS)
		new_window(cc, ca);
}

static void dctcp_init(struct tandem_cc *cc)
{
	struct dctcp *ca = tandem_cc_priv(cc);

	/* Section 4.2: cautious, as Reno, until alpha is known. */
	ca->alpha = ALPHA_ONE;
	ca->last_ce = cc->delivered_ce;
	new_window(cc, ca);
}

static u32 dctcp_info(const struct tandem_cc *cc, int *attr, void *buf, u32 len)
{
	const struct dctcp *ca = tandem_cc_cpriv(cc);
	struct tcp_dctcp_info info = {
		.dctcp_enabled = cc->ecn_ok,
		.dctcp_ce_state = ca->cut,
		.dctcp_alpha = ca->alpha,
		.dctcp_ab_ecn = (cc->delivered_ce - ca->old_ce) * cc->mss,
		.dctcp_ab_tot = (cc->delivered - ca->old_delivered) * cc->mss,
	};

	len = min_t(u32, len, sizeof(info));
	memcpy(buf, &info, len);
	*attr = INET_DIAG_DCTCPINFO;
	return len;
}

struct tandem_cong_ops tandem_dctcp = {
	.choice		= { .name = "dctcp" },
	.flags		= TANDEM_CONG_NEEDS_ECN | TANDEM_CONG_DCTCP_ECN |
			  TANDEM_CONG_RESTRICTED,
	.priv_size	= sizeof(struct dctcp),
	.init		= dctcp_init,
	.ssthresh	= dctcp_ssthresh,
	.on_ack		= dctcp_on_ack,
	.undo_cwnd	= dctcp_undo_cwnd,
	.event		= dctcp_event,
	.info		= dctcp_info,
};
