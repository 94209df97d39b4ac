// SPDX-License-Identifier: GPL-2.0
/*
 * rtt.c - the round-trip estimator and the retransmission timeout, RFC 6298.
 *
 *	first sample R (section 2.2):	SRTT = R, RTTVAR = R / 2
 *	each other (section 2.3):	RTTVAR += beta  * (|SRTT - R| - RTTVAR)
 *					SRTT   += alpha * (R - SRTT)
 *	with alpha = 1/8 and beta = 1/4, the old SRTT in the first line, and
 *	RTO = SRTT + max(G, 4 * RTTVAR)
 *
 * A sample per ACK would make the estimator forget within a fraction of a round
 * trip.  RFC 7323 appendix G therefore divides both gains by the number of samples a
 * round trip is expected to bring.
 *
 * When a timeout was spurious, the samples around it are of a path that stood still.
 * Averaged in, they would make the timer neither right for a path that has become
 * longer, where it expires too early again, nor for one that has not.  So the first
 * sample of what was sent after it, R, counts alone (RFC 4015 section 3.3):
 *
 *	SRTT = max(SRTT_prev, R), RTTVAR = max(RTTVAR_prev, R / 2)
 *
 * where _prev is before the timeout.  The RFC adds 2 * G to SRTT_prev, for clocks that
 * measure in ticks; ours measures in microseconds.
 *
 * Integers: 8 * SRTT and 4 * RTTVAR are kept with 16 bits behind the point.  A step
 * is rounded toward zero, so neither ever overshoots its target.  Fed the same sample
 * for ever, SRTT comes within expected / 65536 of a microsecond, RTTVAR likewise of
 * zero.  The largest sample, 120 s, is 2^30 as 8 * SRTT and 2^46 with the fraction:
 * nothing here can overflow.
 */
#include "rtt.h"

#define SAMPLE_MAX_US	120000000U
#define EXPECTED_MAX	65536U
#define FRAC_BITS	16

/**
 * tandem_rtt_init() - forget all
 * @rtt: the estimator
 */
void tandem_rtt_init(struct tandem_rtt *rtt)
{
	memset(rtt, 0, sizeof(*rtt));
	rtt->min_us = ~0U;
}

/**
 * tandem_rtt_sample() - take one measured round trip
 * @rtt: the estimator
 * @sample_us: the round trip in microseconds; 0 counts as 1, more than 120 s as 120 s
 * @expected: samples to expect per round trip (RFC 7323 appendix G); 0 counts as 1
 */
void tandem_rtt_sample(struct tandem_rtt *rtt, u32 sample_us, u32 expected)
{
	s64 srtt, rttvar, target, err;
	s32 n;

	sample_us = clamp(sample_us, 1U, SAMPLE_MAX_US);
	n = clamp(expected, 1U, EXPECTED_MAX);

	rtt->last_us = sample_us;
	rtt->min_us = min(rtt->min_us, sample_us);

	if (!rtt->srtt_us8) {
		rtt->srtt_us8 = sample_us * 8;
		rtt->rttvar_us4 = sample_us * 2;
		rtt->srtt_frac = 0;
		rtt->rttvar_frac = 0;
		return;
	}

	srtt = (s64)rtt->srtt_us8 << FRAC_BITS | rtt->srtt_frac;
	rttvar = (s64)rtt->rttvar_us4 << FRAC_BITS | rtt->rttvar_frac;
	target = (s64)sample_us * 8 << FRAC_BITS;

	err = target - srtt;			/* 8 * (R - SRTT) */
	srtt += div_s64(err, 8 * n);
	if (err < 0)
		err = -err;
	rttvar += div_s64(err / 2 - rttvar, 4 * n);

	rtt->srtt_us8 = srtt >> FRAC_BITS;
	rtt->srtt_frac = srtt;
	rtt->rttvar_us4 = rttvar >> FRAC_BITS;
	rtt->rttvar_frac = rttvar;
}

/**
 * tandem_rebase_save() - a timeout: what the estimator knows before it
 * @was: where to keep it
 * @rtt: the estimator
 */
void tandem_rebase_save(struct tandem_rebase *was, const struct tandem_rtt *rtt)
{
	was->srtt_us8 = rtt->srtt_us8;
	was->rttvar_us4 = rtt->rttvar_us4;
	was->due = false;
}

/**
 * tandem_rebase_due() - the timeout was spurious
 * @was: what was kept of it
 * @seq: SND.NXT when it was
 */
void tandem_rebase_due(struct tandem_rebase *was, u32 seq)
{
	was->seq = seq;
	was->due = true;
}

/**
 * tandem_rtt_rebase() - the first round trip since, RFC 4015 section 3.3
 * @rtt: the estimator
 * @was: what was kept; used up
 * @sample_us: of a segment that was sent after the timeout; as for tandem_rtt_sample()
 */
void tandem_rtt_rebase(struct tandem_rtt *rtt, struct tandem_rebase *was, u32 sample_us)
{
	sample_us = clamp(sample_us, 1U, SAMPLE_MAX_US);
	rtt->last_us = sample_us;
	rtt->min_us = min(rtt->min_us, sample_us);
	rtt->srtt_us8 = max(was->srtt_us8, sample_us * 8);
	rtt->rttvar_us4 = max(was->rttvar_us4, sample_us * 2);
	rtt->srtt_frac = 0;
	rtt->rttvar_frac = 0;
	was->due = false;
}

/**
 * tandem_rtt_rto_us() - the retransmission timeout, before any backoff
 * @rtt: the estimator
 * @g_us: clock granularity G
 * @init_us: the timeout while there is no sample (RFC 6298 section 2.1)
 * @min_us: never less (section 2.4)
 * @max_us: never more (section 2.5), not even when @min_us is greater
 *
 * Return: microseconds; SRTT is rounded up, so that the timer is never early.
 */
u32 tandem_rtt_rto_us(const struct tandem_rtt *rtt, u32 g_us, u32 init_us,
		      u32 min_us, u32 max_us)
{
	u64 rto = init_us;

	if (rtt->srtt_us8)
		rto = (u64)DIV_ROUND_UP(rtt->srtt_us8, 8) +
		      max(g_us, rtt->rttvar_us4);

	rto = max_t(u64, rto, min_us);
	return min_t(u64, rto, max_us);
}

/* How long, at least, hosts may need beside the path: a tick or two of theirs. */
#define HOST_DELAY_US	2000U
/* How long to wait while no round trip was measured. */
#define PTO_NO_RTT_US	1000000U

/**
 * tandem_rtt_pto_us() - when a tail loss probe is due, RFC 8985 section 7.2
 * @srtt_us: smoothed round trip; 0: none was measured
 * @lone: one segment is in flight
 * @ack_delay_us: so long its ACK may wait at the peer
 *
 * The RFC adds the delay of ACKs only for a lone segment; hosts may be late for others.
 *
 * Return: microseconds, without the bound that the retransmission timer is.
 */
u64 tandem_rtt_pto_us(u32 srtt_us, bool lone, u32 ack_delay_us)
{
	if (!srtt_us)
		return PTO_NO_RTT_US;
	return 2ULL * srtt_us + (lone ? ack_delay_us : HOST_DELAY_US);
}

/**
 * tandem_rtt_backoff_us() - back off the timer, RFC 6298 section 5.5
 * @rto_us: timeout of the first try
 * @shift: how often it expired since
 * @max_us: never more
 *
 * Return: @rto_us doubled @shift times, at most @max_us.
 */
u32 tandem_rtt_backoff_us(u32 rto_us, unsigned int shift, u32 max_us)
{
	if (rto_us > max_us)
		return max_us;
	if (!rto_us)
		return 0;
	/* Compare on the side that cannot overflow. */
	if (shift >= 32 || rto_us > max_us >> shift)
		return max_us;
	return rto_us << shift;
}
