// SPDX-License-Identifier: GPL-2.0
/*
 * rate.c - delivery rate sampling (draft-ietf-ccwg-bbr, section 4.1).
 *
 * Each segment, when it is sent, takes along how much had been delivered until then and
 * when.  When it is delivered itself, the difference is what the network delivered
 * meanwhile, and the time is the longer of two:
 *
 *	ack interval	from the last delivery before it was sent to its own
 *	send interval	from the sending of the flight's first segment to its own
 *
 * since data cannot be delivered faster than it was sent, and a burst of ACKs (the
 * return path holds them back) would otherwise look like a fast path.
 *
 * While the program has nothing to send the path is not tried out: such samples are
 * marked, and only say what the path can do at least.
 */
#include "rate.h"
#include "seq.h"

/**
 * tandem_rate_sent() - a segment is being sent, for the first time or again
 * @rate: the connection's
 * @cc: its counts
 * @seg: where to note
 * @now_us: now
 * @in_flight: segments in flight before it
 * @segs: segments it is worth
 */
void tandem_rate_sent(struct tandem_rate *rate, const struct tandem_cc *cc,
		      struct tandem_rate_seg *seg, u64 now_us, u32 in_flight, u32 segs)
{
	/* After idleness the flight, and with it all measuring, begins anew. */
	if (!in_flight) {
		rate->first_us = now_us;
		rate->delivered_us = now_us;
	}
	seg->delivered = cc->delivered;
	seg->delivered_us = rate->delivered_us;
	seg->first_us = rate->first_us;
	seg->lost = cc->lost;
	seg->delivered_ce = cc->delivered_ce;
	seg->in_flight = min(in_flight, (u32)S32_MAX - segs) + segs;
	seg->app_limited = rate->app_limited != 0;
}

/**
 * tandem_rate_pick() - a segment was delivered: is it the newest of this ACK's?
 * @rate: the connection's
 * @pick: the newest so far, all zero to begin with
 * @seg: what was noted when it was sent
 * @sent_us: when that was
 * @end_seq: its end
 * @retransmitted: it had been sent before
 * @early: it has overtaken others: what was delivered meanwhile is what was delivered in
 *	less than a round trip, and the next round trip does not begin with it
 */
void tandem_rate_pick(struct tandem_rate *rate, struct tandem_rate_pick *pick,
		      const struct tandem_rate_seg *seg, u64 sent_us, u32 end_seq,
		      bool retransmitted, bool early)
{
	pick->any = true;
	if (early)
		return;
	if (pick->have && (sent_us < pick->sent_us ||
			   (sent_us == pick->sent_us &&
			    !seq_after(end_seq, pick->end_seq))))
		return;
	pick->have = true;
	pick->retransmitted = retransmitted;
	pick->sent_us = sent_us;
	pick->end_seq = end_seq;
	pick->seg = *seg;
	/* The next flight's send interval begins where this one's ends. */
	rate->first_us = sent_us;
}

/**
 * tandem_rate_sample() - what an ACK says about the delivery rate
 * @rate: the connection's
 * @cc: its counts, with what the ACK delivered added
 * @pick: the newest segment it covers
 * @now_us: now
 * @rs: the sample; delivered is 0 when there is none
 */
void tandem_rate_sample(struct tandem_rate *rate, struct tandem_cc *cc,
			const struct tandem_rate_pick *pick, u64 now_us,
			struct tandem_rate_sample *rs)
{
	const struct tandem_rate_seg *seg = &pick->seg;
	u32 send_us, ack_us;

	memset(rs, 0, sizeof(*rs));
	if (rate->app_limited && seq_after(cc->delivered, rate->app_limited))
		rate->app_limited = 0;
	cc->app_limited = rate->app_limited != 0;
	if (pick->any)
		rate->delivered_us = now_us;
	if (!pick->have)
		return;

	send_us = (u32)pick->sent_us - seg->first_us;
	ack_us = (u32)now_us - seg->delivered_us;
	rs->interval_us = max3(send_us, ack_us, 1U);
	/*
	 * Less than a round trip: a segment was SACKed or ACKed that had just been sent
	 * again, and the ACK was of the first copy.
	 */
	if (rs->interval_us < cc->min_rtt_us && cc->min_rtt_us != ~0U)
		return;
	rs->delivered = cc->delivered - seg->delivered;
	rs->prior_delivered = seg->delivered;
	rs->delivered_ce = cc->delivered_ce - seg->delivered_ce;
	rs->lost = cc->lost - seg->lost;
	rs->tx_in_flight = seg->in_flight;
	rs->app_limited = seg->app_limited;
	rs->retransmitted = pick->retransmitted;
}

/**
 * tandem_rate_app_limited() - the program has nothing more to send, though it could
 * @rate: the connection's
 * @cc: its counts
 * @in_flight: segments in flight: until these are delivered samples are marked
 */
void tandem_rate_app_limited(struct tandem_rate *rate, struct tandem_cc *cc,
			     u32 in_flight)
{
	u32 until = cc->delivered + in_flight;

	rate->app_limited = until ? until : 1;
	cc->app_limited = true;
}
