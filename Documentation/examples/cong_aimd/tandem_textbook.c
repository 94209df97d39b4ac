// SPDX-License-Identifier: GPL-2.0
/*
 * tandem_textbook.c - the three mechanisms beside congestion control, one of each, as
 * early textbooks had them, to be compared with what Tandem brings.
 *
 *	rfc793	  RTO = 2 * SRTT (RFC 793 section 3.7, its BETA): no variation is measured,
 *		  so a path whose delay varies times out for nothing
 *	impatient a segment is lost as soon as one above it was SACKed: any reordering costs
 *		  a retransmission and half the window
 *	fourth	  an ACK for every fourth full segment
 *
 *	modprobe tandem_textbook
 *	sysctl net.tandem.rto_estimator=rfc793 net.tandem.loss_detection=impatient
 *	sysctl net.tandem.ack_policy=fourth
 *
 * Sequence numbers are compared on the circle: the difference, signed (RFC 9293 3.4).
 */
#include <linux/module.h>
#include <tandem/ackpolicy.h>
#include <tandem/loss.h>
#include <tandem/rto.h>

static u32 rfc793_rto_us(const struct tandem_rtt *rtt,
			 const struct tandem_rto_limits *limits)
{
	u64 rto = rtt->srtt_us8 ? rtt->srtt_us8 / 4 : limits->init_us;

	return clamp_t(u64, rto, min(limits->min_us, limits->max_us), limits->max_us);
}

static struct tandem_rto_ops rfc793 = {
	.choice		= { .name = "rfc793", .owner = THIS_MODULE },
	.rto_us		= rfc793_rto_us,
};

struct impatient {
	u32	top;		/* start of the highest SACKed segment */
	bool	any;
};

static void impatient_delivered(struct tandem_loss *l, const struct tandem_loss_seg *seg)
{
	u32 start = seg->seq + (seg->segs ? seg->segs - 1 : 0) * seg->mss;
	struct impatient *p = tandem_loss_priv(l);

	if (!seg->sacked || (p->any && (s32)(start - p->top) < 0))
		return;
	p->top = start;
	p->any = true;
}

static void impatient_event(struct tandem_loss *l, enum tandem_loss_event ev)
{
	struct impatient *p = tandem_loss_priv(l);

	if (ev == TANDEM_LOSS_EV_FORGET)
		p->any = false;
}

/* What is ACKed counts no longer, or a number that wrapped would be the highest. */
static void impatient_prepare(struct tandem_loss *l)
{
	struct impatient *p = tandem_loss_priv(l);

	if ((s32)(p->top - l->snd_una) < 0)
		p->any = false;
}

static enum tandem_loss_verdict impatient_judge(struct tandem_loss *l,
						const struct tandem_loss_seg *seg,
						u32 *wait_us)
{
	const struct impatient *p = tandem_loss_cpriv(l);

	return p->any && (s32)(seg->end_seq - p->top) <= 0 ? TANDEM_LOSS_LOST :
							     TANDEM_LOSS_STOP;
}

static struct tandem_loss_ops impatient = {
	.choice		= { .name = "impatient", .owner = THIS_MODULE },
	.delivered	= impatient_delivered,
	.event		= impatient_event,
	.prepare	= impatient_prepare,
	.judge		= impatient_judge,
};

static u32 fourth_delay_us(const struct tandem_ack_view *v)
{
	return (u64)v->owed >= 4ULL * v->rcv_mss ? 0 : v->max_delay_us;
}

static struct tandem_ack_ops fourth = {
	.choice		= { .name = "fourth", .owner = THIS_MODULE },
	.delay_us	= fourth_delay_us,
};

static int __init textbook_init(void)
{
	int err = tandem_rto_register(&rfc793);

	if (err)
		return err;
	err = tandem_loss_register(&impatient);
	if (err)
		goto err_loss;
	err = tandem_ack_register(&fourth);
	if (err)
		goto err_ack;
	return 0;

err_ack:
	tandem_loss_unregister(&impatient);
err_loss:
	tandem_rto_unregister(&rfc793);
	return err;
}

static void __exit textbook_exit(void)
{
	tandem_ack_unregister(&fourth);
	tandem_loss_unregister(&impatient);
	tandem_rto_unregister(&rfc793);
}

module_init(textbook_init);
module_exit(textbook_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Early textbooks' timeout, loss detection and ACKs for Tandem");
MODULE_ALIAS("tandem-rto-rfc793");
MODULE_ALIAS("tandem-loss-impatient");
MODULE_ALIAS("tandem-ack-fourth");
