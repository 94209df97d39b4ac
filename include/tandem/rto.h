/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rto.h - what an estimator of the retransmission timeout is to Tandem.
 *
 * It turns round-trip samples into a timeout.  Sampling (whom to time, Karn's rule,
 * timestamps) is ack.c's, the timer and its backoff are timer.c's.  An estimator sees
 * struct tandem_rtt, never a socket.
 *
 * All calls come under the connection's lock, in softirq or process context; none may
 * sleep.
 */
#ifndef _TANDEM_RTO_H
#define _TANDEM_RTO_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/kernel.h>
#else
#include <tandem/pure_user.h>
#endif
#include <tandem/choice.h>

/**
 * struct tandem_rtt - smoothed round-trip time and its variation
 * @srtt_us8:	SRTT in microseconds, times 8; 0: no sample yet
 * @rttvar_us4:	RTTVAR in microseconds, times 4
 * @min_us:	smallest sample ever, microseconds; ~0U: none
 * @last_us:	newest sample, microseconds
 * @srtt_frac:	what @srtt_us8 lacks, in 1/65536 of its unit
 * @rttvar_frac: what @rttvar_us4 lacks, likewise
 *
 * Gains of 1/(8 * expected) are small; without the fractions every step below the
 * unit would be lost and SRTT would stop some @expected microseconds off.
 *
 * After a spurious timeout tandem_rtt_sample() gives way to tandem_rtt_rebase(); who
 * brings a sample() of his own has to do without.
 *
 * Others read @srtt_us8 (pacing, loss detection, probes): an estimator that brings its
 * own sample() keeps @srtt_us8, @min_us and @last_us true.
 */
struct tandem_rtt {
	u32	srtt_us8;
	u32	rttvar_us4;
	u32	min_us;
	u32	last_us;
	u16	srtt_frac;
	u16	rttvar_frac;
};

/**
 * struct tandem_rto_limits - what the knobs ask of a timeout, all in microseconds
 * @g_us:	granularity of the clock
 * @init_us:	net.tandem.rto_init_ms: while there is no sample
 * @min_us:	net.tandem.rto_min_ms
 * @max_us:	net.tandem.rto_max_ms; wins over @min_us
 * @fixed_us:	net.tandem.rto_fixed_ms
 */
struct tandem_rto_limits {
	u32	g_us;
	u32	init_us;
	u32	min_us;
	u32	max_us;
	u32	fixed_us;
};

/**
 * struct tandem_rto_ops - an estimator
 * @choice:	name and owner, see tandem/choice.h
 * @sample:	take one round trip; @expected: how many of them a round trip brings
 *		(RFC 7323 appendix G); NULL: tandem_rtt_sample()
 * @rto_us:	the timeout before any backoff, microseconds (required)
 */
struct tandem_rto_ops {
	struct tandem_choice choice;
	void		(*sample)(struct tandem_rtt *rtt, u32 sample_us, u32 expected);
	u32		(*rto_us)(const struct tandem_rtt *rtt,
				  const struct tandem_rto_limits *limits);
};

#ifdef __KERNEL__
/* 0; -EEXIST: the name is taken; -EINVAL: rto_us() is missing, or a bad name. */
int tandem_rto_register(struct tandem_rto_ops *ops);
void tandem_rto_unregister(struct tandem_rto_ops *ops);
#endif

/* The two that come with Tandem. */
extern struct tandem_rto_ops tandem_rto_rfc6298;	/* "rfc6298", the default */
extern struct tandem_rto_ops tandem_rto_fixed;		/* "fixed" */

#endif /* _TANDEM_RTO_H */
