// SPDX-License-Identifier: GPL-2.0
/*
 * dupthresh.c - what is lost, told by counting (RFC 6675 section 4, IsLost()): a segment
 * above which three were SACKed.
 *
 * The three highest SACKed sequence numbers are remembered.  Everything below the lowest
 * of the three that is not SACKed is lost, and that mark only moves up, so a segment is
 * judged once.  The count is of segments, as Linux's, not of bytes.
 *
 * A retransmission that is lost, or a loss in the last three segments of a flight, is
 * nothing this rule can see: the retransmission timer repairs it.  Three is three,
 * whatever the path is known to do: that is what the textbook's rule is here to show.
 */
#include <tandem/loss.h>
#include "pure.h"
#include "seq.h"

/* Starts of the highest SACKed segments, highest first. */
struct dupthresh {
	u32	top[TANDEM_DUPTHRESH];
	u32	n;
};

static void dupthresh_init(struct tandem_loss *l)
{
	struct dupthresh *d = tandem_loss_priv(l);

	BUILD_BUG_ON(sizeof(*d) > TANDEM_LOSS_PRIV);
	d->n = 0;
	l->reord_seen = 0;
	l->reordering = TANDEM_DUPTHRESH;
}

static void note_sacked(struct dupthresh *d, u32 seq)
{
	int i;

	if (d->n == TANDEM_DUPTHRESH && !seq_after(seq, d->top[d->n - 1]))
		return;
	if (d->n < TANDEM_DUPTHRESH)
		d->n++;
	for (i = d->n - 1; i > 0 && seq_after(seq, d->top[i - 1]); i--)
		d->top[i] = d->top[i - 1];
	d->top[i] = seq;
}

static void dupthresh_delivered(struct tandem_loss *l, const struct tandem_loss_seg *seg)
{
	int i, first = max(0, (int)seg->segs - (int)TANDEM_DUPTHRESH);

	if (!seg->sacked)
		return;
	/* Of several segments in one those at the end are the highest. */
	for (i = seg->segs - 1; i > first; i--)
		note_sacked(tandem_loss_priv(l), seg->seq + i * seg->mss);
	note_sacked(tandem_loss_priv(l), seg->seq + first * seg->mss);
}

static void dupthresh_event(struct tandem_loss *l, enum tandem_loss_event ev)
{
	struct dupthresh *d = tandem_loss_priv(l);

	if (ev == TANDEM_LOSS_EV_FORGET)
		d->n = 0;
}

/* What is ACKed now counts no longer, or a wrapped number would be the highest. */
static void dupthresh_prepare(struct tandem_loss *l)
{
	struct dupthresh *d = tandem_loss_priv(l);

	while (d->n && seq_before(d->top[d->n - 1], l->snd_una))
		d->n--;
}

static enum tandem_loss_verdict dupthresh_judge(struct tandem_loss *l,
						const struct tandem_loss_seg *seg,
						u32 *wait_us)
{
	const struct dupthresh *d = tandem_loss_cpriv(l);

	if (d->n < TANDEM_DUPTHRESH ||
	    seq_after(seg->end_seq, d->top[TANDEM_DUPTHRESH - 1]))
		return TANDEM_LOSS_STOP;
	return TANDEM_LOSS_LOST;
}

/* Part of the module itself: no owner to hold. */
struct tandem_loss_ops tandem_loss_dupthresh = {
	.choice.name	= "dupthresh",
	.init		= dupthresh_init,
	.delivered	= dupthresh_delivered,
	.event		= dupthresh_event,
	.prepare	= dupthresh_prepare,
	.judge		= dupthresh_judge,
};
