/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rtt.h - the round-trip estimator of RFC 6298, pure.
 */
#ifndef _TANDEM_RTT_H
#define _TANDEM_RTT_H

#include <tandem/rto.h>
#include "pure.h"

/**
 * struct tandem_rebase - the estimator before a timeout, RFC 4015 section 3.3
 * @srtt_us8:	SRTT_prev, microseconds, times 8
 * @rttvar_us4:	RTTVAR_prev, microseconds, times 4
 * @seq:	what is sent from here on was sent after the timeout
 * @due:	the timeout was spurious: the first sample of that is to count
 */
struct tandem_rebase {
	u32	srtt_us8;
	u32	rttvar_us4;
	u32	seq;
	bool	due;
};

void tandem_rtt_init(struct tandem_rtt *rtt);

/*
 * Take one sample (RFC 6298 section 2.2, 2.3).  @expected: how many samples one
 * round trip is expected to bring (RFC 7323 appendix G), at least 1; the gains are
 * divided by it so that a sample per ACK does not forget history too fast.
 * Samples of 0 count as 1 us; samples above 120 s are clamped.
 */
void tandem_rtt_sample(struct tandem_rtt *rtt, u32 sample_us, u32 expected);

/* A timeout; it was spurious; the first sample since. */
void tandem_rebase_save(struct tandem_rebase *was, const struct tandem_rtt *rtt);
void tandem_rebase_due(struct tandem_rebase *was, u32 seq);
void tandem_rtt_rebase(struct tandem_rtt *rtt, struct tandem_rebase *was, u32 sample_us);

/*
 * RTO in microseconds: SRTT + max(G, 4 * RTTVAR) (RFC 6298 section 2.3) clamped to
 * [min_us, max_us]; @init_us while there is no sample.  @g_us: clock granularity.
 */
u32 tandem_rtt_rto_us(const struct tandem_rtt *rtt, u32 g_us, u32 init_us,
		      u32 min_us, u32 max_us);

/*
 * RFC 8985 section 7.2: how long after data or an ACK of it a tail loss probe is due,
 * microseconds.  @lone: a single segment is in flight, whose ACK the peer may delay by
 * @ack_delay_us.
 */
u64 tandem_rtt_pto_us(u32 srtt_us, bool lone, u32 ack_delay_us);

/* RFC 6298 section 5.5: rto * 2^shift, saturating at max_us. */
u32 tandem_rtt_backoff_us(u32 rto_us, unsigned int shift, u32 max_us);

static inline u32 tandem_rtt_srtt_us(const struct tandem_rtt *rtt)
{
	return rtt->srtt_us8 >> 3;
}

#endif /* _TANDEM_RTT_H */
