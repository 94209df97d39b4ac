/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong.h - what a congestion control algorithm is to Tandem.
 *
 * An algorithm sees struct tandem_cc, never a socket: it is arithmetic on segments
 * and microseconds, so the same source runs in the kernel, in KUnit and in user
 * space.  Loss detection decides *what* is lost, proportional rate reduction (PRR)
 * how fast cwnd shrinks to ssthresh; the algorithm sizes cwnd and ssthresh.  One that
 * brings @control does all of that itself, and sets the pacing rate too.
 *
 * All calls come under the connection's lock, in softirq or process context; none
 * may sleep.  Documentation/networking/tandem-cong.rst is a tour with an example.
 */
#ifndef _TANDEM_CONG_H
#define _TANDEM_CONG_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/list.h>
#include <linux/kernel.h>
struct module;
#else
#include <tandem/pure_user.h>
#endif
#include <tandem/choice.h>

#define TANDEM_CONG_NAME_MAX	TANDEM_CHOICE_NAME_MAX
#define TANDEM_CONG_PRIV	1024U
#define TANDEM_CWND_MIN		2U
#define TANDEM_SSTHRESH_INF	0x7fffffffU

struct tandem_cong_ops;

/* tandem_cc.ca_state, as Linux TCP names it. */
enum tandem_ca_state {
	TANDEM_CA_OPEN,			/* nothing suspicious */
	TANDEM_CA_DISORDER,		/* duplicate ACKs or SACKs, no loss yet */
	TANDEM_CA_CWR,			/* reducing because of ECN, until high_seq */
	TANDEM_CA_RECOVERY,		/* fast recovery, until high_seq is ACKed */
	TANDEM_CA_LOSS,			/* after a timeout, until high_seq is ACKed */
};

/**
 * struct tandem_cc - a connection as its congestion control sees it
 * @ops:	the algorithm
 * @cwnd:	congestion window, segments, at least 1
 * @ssthresh:	slow start threshold, segments
 * @cwnd_cnt:	segments ACKed since cwnd last grew in congestion avoidance
 * @cwnd_clamp:	upper bound of cwnd, segments
 * @prior_cwnd:	cwnd when the last reduction began (for undo)
 * @init_cwnd:	initial window, segments (RFC 6928)
 * @mss:	bytes in a full segment now
 * @srtt_us:	smoothed RTT, microseconds; 0: none yet
 * @min_rtt_us:	smallest RTT seen, microseconds; ~0U: none yet
 * @in_flight:	RFC 6675's pipe, segments, before this call's event changes anything
 *		for the events, after the ACK for @on_ack and @control
 * @delivered:	segments the peer has told us of, ACKed or SACKed, since the start
 * @delivered_ce: of these, those a router marked (ECN), as far as the peer tells
 * @lost:	segments deemed lost since the start
 * @ca_state:	enum tandem_ca_state; written by recovery.c only
 * @ecn_ok:	both ends understand ECN (RFC 3168)
 * @app_limited: the program, not the network, has limited what was sent lately
 * @pacing_rate: bytes per second; an algorithm with TANDEM_CONG_PACED sets it, for the
 *		others it is derived from cwnd and srtt; 0: none yet
 * @priv:	the algorithm's own, see tandem_cc_priv().  NULL: the connection is quiet, and
 *		its algorithm is not asked: it has never used up a window, nothing of it was
 *		lost or marked
 */
struct tandem_cc {
	const struct tandem_cong_ops *ops;
	u32	cwnd;
	u32	ssthresh;
	u32	cwnd_cnt;
	u32	cwnd_clamp;
	u32	prior_cwnd;
	u32	init_cwnd;
	u32	mss;
	u32	srtt_us;
	u32	min_rtt_us;
	u32	in_flight;
	u32	delivered;
	u32	delivered_ce;
	u32	lost;
	u8	ca_state;
	bool	ecn_ok;
	bool	app_limited;
	u64	pacing_rate;
	void	*priv;
};

/**
 * struct tandem_rate_sample - how fast data was delivered (draft-ietf-ccwg-bbr,
 *	section 4.1, "delivery rate sampling"): from the newest-sent segment that an ACK
 *	covers, over the time from its sending to its delivery
 * @delivered:	segments delivered meanwhile; 0: this ACK brought no sample
 * @interval_us: over that time, at least 1
 * @prior_delivered: tandem_cc.delivered when that segment was sent: rounds are told
 *		apart by it
 * @delivered_ce: of @delivered, those that came marked
 * @lost:	segments deemed lost meanwhile
 * @tx_in_flight: in flight when that segment was sent, itself included
 * @app_limited: the sender had nothing to send meanwhile: a floor, not a measure
 * @retransmitted: that segment had been sent before
 */
struct tandem_rate_sample {
	u32	delivered;
	u32	interval_us;
	u32	prior_delivered;
	u32	delivered_ce;
	u32	lost;
	u32	tx_in_flight;
	bool	app_limited;
	bool	retransmitted;
};

/**
 * struct tandem_cong_ack - one ACK, as told to the algorithm
 * @now_us:	time of arrival, microseconds
 * @acked:	segments newly ACKed, cumulatively or by SACK
 * @lost:	segments newly deemed lost with this ACK
 * @prior_in_flight: pipe before this ACK, segments
 * @rtt_us:	RTT sample of this ACK, microseconds; -1: none
 * @cwnd_limited: cwnd, not the program or the peer's window, held us back
 * @ece:	it carries ECN-Echo
 * @new_una:	it moved the cumulative ACK
 * @rs:		delivery rate
 */
struct tandem_cong_ack {
	u64	now_us;
	u32	acked;
	u32	lost;
	u32	prior_in_flight;
	s64	rtt_us;
	bool	cwnd_limited;
	bool	ece;
	bool	new_una;
	struct tandem_rate_sample rs;
};

/**
 * struct tandem_cong_lost - one segment is now deemed lost
 * @segs:	segments of MSS size in it
 * @tx_in_flight: in flight when it was sent, itself included
 * @lost_since:	segments deemed lost since it was sent, itself included
 * @app_limited: the sender was limited by the program when it was sent
 */
struct tandem_cong_lost {
	u32	segs;
	u32	tx_in_flight;
	u32	lost_since;
	bool	app_limited;
};

enum tandem_cong_event {
	TANDEM_CONG_EV_TX_START,	/* first segment after nothing was in flight */
	TANDEM_CONG_EV_CWND_RESTART,	/* idle for more than an RTO */
	TANDEM_CONG_EV_CWR,		/* ECN: ssthresh() was asked, PRR begins */
	TANDEM_CONG_EV_RECOVERY,	/* fast recovery begins */
	TANDEM_CONG_EV_RECOVERED,	/* CWR or fast recovery ended */
	TANDEM_CONG_EV_LOSS,		/* retransmission timeout; in_flight is without what it
					 * calls lost.  With @control cwnd is left alone,
					 * else it is one segment more than that next
					 */
	TANDEM_CONG_EV_UNDO,		/* what we took for loss was none; cwnd is restored */
};

/* tandem_cong_ops.flags */
#define TANDEM_CONG_PACED	0x01	/* sets pacing_rate and must be paced */
#define TANDEM_CONG_NEEDS_ECN	0x02	/* ask for ECN whatever net.tandem.ecn says */
#define TANDEM_CONG_DCTCP_ECN	0x04	/* ECN feedback as RFC 8257: exact, per segment; no
					 * reduction by recovery.c for an ECN-Echo
					 */
#define TANDEM_CONG_RESTRICTED	0x08	/* not for unprivileged programs unless listed in
					 * net.tandem.allowed_congestion_control
					 */

/**
 * struct tandem_cong_ops - an algorithm
 * @choice:	name and owner, see tandem/choice.h
 * @flags:	TANDEM_CONG_*
 * @priv_size:	bytes that each connection has for it, at most TANDEM_CONG_PRIV
 * @init:	a connection starts using it; cwnd and ssthresh are already set.  It need not
 *		be new: before it has used up a window there is nothing to control
 * @release:	and stops
 * @ssthresh:	the new ssthresh when a loss was found (required)
 * @on_ack:	an ACK arrived outside of recovery: grow (required without @control)
 * @control:	an ACK arrived, in any state: set cwnd and pacing_rate.  PRR and @on_ack
 *		are then not used
 * @undo_cwnd:	the loss was none: the cwnd to return to (required)
 * @event:	something else happened
 * @on_lost:	a segment is deemed lost
 * @tso_segs:	fewest segments worth putting in one burst (0: no opinion)
 * @info:	TCP_CC_INFO: fill @buf (union tcp_cc_info, @len bytes) and set *@attr to
 *		the INET_DIAG_* number it is known by; return bytes filled
 */
struct tandem_cong_ops {
	struct tandem_choice choice;
	u32		flags;
	u32		priv_size;
	void		(*init)(struct tandem_cc *cc);
	void		(*release)(struct tandem_cc *cc);
	u32		(*ssthresh)(struct tandem_cc *cc);
	void		(*on_ack)(struct tandem_cc *cc,
				  const struct tandem_cong_ack *ack);
	void		(*control)(struct tandem_cc *cc,
				   const struct tandem_cong_ack *ack);
	u32		(*undo_cwnd)(struct tandem_cc *cc);
	void		(*event)(struct tandem_cc *cc, enum tandem_cong_event ev);
	void		(*on_lost)(struct tandem_cc *cc,
				   const struct tandem_cong_lost *lost);
	u32		(*tso_segs)(const struct tandem_cc *cc);
	u32		(*info)(const struct tandem_cc *cc, int *attr, void *buf, u32 len);
};

/* The algorithm's own bytes: priv_size of them, zero before init(). */
static inline void *tandem_cc_priv(struct tandem_cc *cc)
{
	return cc->priv;
}

static inline const void *tandem_cc_cpriv(const struct tandem_cc *cc)
{
	return cc->priv;
}

static inline bool tandem_cc_in_slow_start(const struct tandem_cc *cc)
{
	return cc->cwnd < cc->ssthresh;
}

/* Building blocks for algorithms (cong_reno.c); pure. */
u32 tandem_cc_slow_start(struct tandem_cc *cc, u32 acked);
void tandem_cc_avoid_ai(struct tandem_cc *cc, u32 w, u32 acked);
extern struct tandem_cong_ops tandem_reno;

#ifdef __KERNEL__
/* 0; -EEXIST: the name is taken; -EINVAL: a required op is missing, priv_size too large. */
int tandem_cong_register(struct tandem_cong_ops *ops);
void tandem_cong_unregister(struct tandem_cong_ops *ops);
#endif

#endif /* _TANDEM_CONG_H */
