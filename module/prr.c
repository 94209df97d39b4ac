// SPDX-License-Identifier: GPL-2.0
/*
 * prr.c - how fast a window shrinks to ssthresh: proportional rate reduction (RFC 9937).
 *
 * A window cut at once leaves the sender silent until half of the flight was ACKed, and
 * then it may burst.  PRR lets each ACK send in proportion instead: of @delivered
 * segments, delivered * ssthresh / RecoverFS.  So when RecoverFS segments were delivered,
 * a round trip later, ssthresh are in flight, and there was never a pause.
 *
 * Losses may take more out of flight than that.  Below ssthresh, then, what was
 * delivered may be sent, no more (the conservative reduction bound, CRB), for losses are
 * still coming in; but one segment more for each ACK that moves snd_una while nothing
 * new is found lost, which is slow start (the slow start reduction bound, SSRB).
 *
 * Counting is by segments, which is what pipe counts.
 */
#include "prr.h"

/**
 * tandem_prr_cwnd() - the window after an ACK, RFC 9937 section 6
 * @prr: the reduction
 * @cwnd: the window so far
 * @delivered: segments that this ACK is the first to cover, cumulatively or by SACK
 * @in_flight: the pipe now, losses found with this ACK taken out
 * @ssthresh: where to
 * @safe_ack: it moved snd_una, and told of no further loss
 *
 * Return: the window, at least 1.  Without anything delivered it stays @cwnd, but for the
 * one segment that begins a recovery.
 */
u32 tandem_prr_cwnd(struct tandem_prr *prr, u32 cwnd, u32 delivered, u32 in_flight,
		    u32 ssthresh, bool safe_ack)
{
	u64 due, sndcnt;

	if (!delivered && prr->out)
		return max(cwnd, 1U);
	prr->delivered += min(delivered, U32_MAX - prr->delivered);

	if (in_flight > ssthresh) {
		/* Rounded up; the product leaves room for that. */
		due = div_u64((u64)prr->delivered * ssthresh + prr->recover_fs - 1,
			      prr->recover_fs);
		sndcnt = due > prr->out ? due - prr->out : 0;
	} else {
		due = prr->delivered > prr->out ? prr->delivered - prr->out : 0;
		sndcnt = max_t(u64, due, delivered) + safe_ack;
		sndcnt = min_t(u64, sndcnt, ssthresh - in_flight);
	}
	/* The retransmission that begins recovery goes in any case. */
	if (!prr->out && !sndcnt)
		sndcnt = 1;
	return clamp_t(u64, in_flight + sndcnt, 1, U32_MAX);
}
