// SPDX-License-Identifier: GPL-2.0
/*
 * cong_aimd.c - a congestion control algorithm to begin with: additive increase,
 * multiplicative decrease, with both numbers for you to choose.
 *
 *	modprobe cong_aimd alpha=2 beta=80
 *	sysctl net.tandem.congestion_control=aimd
 *
 * See Documentation/networking/tandem-cong.rst.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <tandem/cong.h>

static unsigned int alpha = 1;
module_param(alpha, uint, 0644);
MODULE_PARM_DESC(alpha, "segments a window grows by in a round trip");

static unsigned int beta = 50;
module_param(beta, uint, 0644);
MODULE_PARM_DESC(beta, "percent of the window left after a loss");

/* An ACK outside of recovery. */
static void aimd_on_ack(struct tandem_cc *cc, const struct tandem_cong_ack *ack)
{
	u32 acked = ack->acked;

	if (!ack->cwnd_limited)
		return;			/* a window that is not used proves nothing */
	if (tandem_cc_in_slow_start(cc))
		acked = tandem_cc_slow_start(cc, acked);
	if (acked)
		tandem_cc_avoid_ai(cc, cc->cwnd / max(READ_ONCE(alpha), 1U), acked);
}

/* A loss: the window to come down to; PRR does it. */
static u32 aimd_ssthresh(struct tandem_cc *cc)
{
	return max_t(u32, div_u64((u64)cc->cwnd * min(READ_ONCE(beta), 99U), 100),
		     TANDEM_CWND_MIN);
}

/* It was none. */
static u32 aimd_undo_cwnd(struct tandem_cc *cc)
{
	return max(cc->cwnd, cc->prior_cwnd);
}

static struct tandem_cong_ops aimd = {
	.choice		= { .name = "aimd", .owner = THIS_MODULE },
	.ssthresh	= aimd_ssthresh,
	.on_ack		= aimd_on_ack,
	.undo_cwnd	= aimd_undo_cwnd,
};

static int __init aimd_init(void)
{
	return tandem_cong_register(&aimd);
}

static void __exit aimd_exit(void)
{
	tandem_cong_unregister(&aimd);
}

module_init(aimd_init);
module_exit(aimd_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("AIMD congestion control for Tandem, an example");
MODULE_ALIAS("tandem-cong-aimd");
