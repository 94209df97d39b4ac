// SPDX-License-Identifier: GPL-2.0
/*
 * arrival.c - did a segment arrive in its turn, or has it overtaken others?
 *
 * A path that reorders makes some segments late, or some early.  A late one is told by
 * what arrived before it.  An early one looks like the first after a loss, but for its
 * round trip: who came sooner than those before it did not queue where they did.  That
 * trip is no measure of anybody else's, so neither loss detection by time (RFC 8985
 * section 6.2, where all that take longer would be late), nor the delivery rate, nor
 * the count of round trips may be led by it.
 *
 * It is a guess, and a wrong one costs little: the first segment after a true loss, with
 * a queue that has just become much shorter, is no sample then, but the next one is.
 */
#include "arrival.h"
#include "seq.h"

/**
 * tandem_arrival_start() - a connection begins
 * @a: all of it is written
 * @una: SND.UNA
 */
void tandem_arrival_start(struct tandem_arrival *a, u32 una)
{
	a->fack = una;
	a->rtt_us = 0;
}

/* By an eighth; what is less is jitter, and well inside of a reordering window. */
static bool sooner(u32 rtt_us, u32 than_us)
{
	return rtt_us < than_us - than_us / 8;
}

/**
 * tandem_arrival_take() - a segment was delivered
 * @a: what was before
 * @seg: the segment
 *
 * Of a segment that was sent twice nobody knows which copy it was; only a trip that is
 * shorter than any before is certainly none.
 *
 * Return: whether it was its turn.
 */
enum tandem_turn tandem_arrival_take(struct tandem_arrival *a,
				     const struct tandem_arrived *seg)
{
	enum tandem_turn turn = TANDEM_TURN_NEXT;

	if (seq_before(a->fack, seg->una))
		a->fack = seg->una;
	if (seq_before(seg->seq, a->fack))
		turn = TANDEM_TURN_FILLS;
	else if (seg->seq != a->fack)
		turn = sooner(seg->rtt_us, a->rtt_us) ? TANDEM_TURN_EARLY :
							TANDEM_TURN_GAP;
	a->fack = seq_max(a->fack, seg->end_seq);
	if (turn != TANDEM_TURN_EARLY &&
	    (!seg->retrans || (seg->min_rtt_us != U32_MAX && seg->rtt_us >= seg->min_rtt_us)))
		a->rtt_us = max(seg->rtt_us, 1U);
	return turn;
}
