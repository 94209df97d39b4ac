/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong.h - what a congestion control algorithm is to Tandem.
 *
 * An algorithm sees struct tandem_cc, never a socket: it is arithmetic on segments
 * and microseconds, so the same source runs in the kernel, in KUnit and in user
 * space.  Loss detection decides *what* is lost; the algorithm only sizes cwnd.
 *
 * All calls come under the connection's lock, in softirq or process context; none
 * may sleep.
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

#define TANDEM_CONG_NAME_MAX	16
#define TANDEM_CONG_PRIV	(16 * sizeof(u64))
#define TANDEM_CWND_MIN		2U
#define TANDEM_SSTHRESH_INF	0x7fffffffU

struct tandem_cong_ops;

/**
 * struct tandem_cc - a connection as its congestion control sees it
 * @ops:	the algorithm
 * @cwnd:	congestion window, segments, at least 1
 * @ssthresh:	slow start threshold, segments
 * @cwnd_cnt:	segments ACKed since cwnd last grew in congestion avoidance
 * @cwnd_clamp:	upper bound of cwnd, segments
 * @prior_cwnd:	cwnd when the last reduction began (for undo)
 * @mss:	bytes in a full segment now
 * @srtt_us:	smoothed RTT, microseconds; 0: none yet
 * @min_rtt_us:	smallest RTT seen, microseconds; ~0U: none yet
 * @priv:	the algorithm's own
 */
struct tandem_cc {
	const struct tandem_cong_ops *ops;
	u32	cwnd;
	u32	ssthresh;
	u32	cwnd_cnt;
	u32	cwnd_clamp;
	u32	prior_cwnd;
	u32	mss;
	u32	srtt_us;
	u32	min_rtt_us;
	u64	priv[TANDEM_CONG_PRIV / sizeof(u64)];
};

/**
 * struct tandem_cong_ack - one ACK, as told to the algorithm
 * @now_us:	time of arrival, microseconds
 * @acked:	segments newly ACKed, cumulatively or by SACK
 * @prior_in_flight: pipe before this ACK, segments
 * @rtt_us:	RTT sample of this ACK, microseconds; -1: none
 * @cwnd_limited: cwnd, not the program or the peer's window, held us back
 */
struct tandem_cong_ack {
	u64	now_us;
	u32	acked;
	u32	prior_in_flight;
	s64	rtt_us;
	bool	cwnd_limited;
};

enum tandem_cong_event {
	TANDEM_CONG_EV_TX_START,	/* first segment after an idle time */
	TANDEM_CONG_EV_CWND_RESTART,	/* idle for more than an RTO */
	TANDEM_CONG_EV_RECOVERY,	/* fast recovery begins */
	TANDEM_CONG_EV_RECOVERED,	/* fast recovery ends */
	TANDEM_CONG_EV_LOSS,		/* retransmission timeout */
};

/**
 * struct tandem_cong_ops - an algorithm
 * @name:	as in net.tandem.congestion_control and TCP_CONGESTION
 * @init:	a connection starts using it; cwnd and ssthresh are already set
 * @release:	and stops
 * @ssthresh:	the new ssthresh when a loss was found (required)
 * @on_ack:	an ACK arrived outside of recovery: grow (required)
 * @undo_cwnd:	the loss was none: the cwnd to return to (required)
 * @event:	something else happened
 * @owner:	the module, held while a connection uses the algorithm
 * @list:	the registry's
 */
struct tandem_cong_ops {
	char		name[TANDEM_CONG_NAME_MAX];
	void		(*init)(struct tandem_cc *cc);
	void		(*release)(struct tandem_cc *cc);
	u32		(*ssthresh)(struct tandem_cc *cc);
	void		(*on_ack)(struct tandem_cc *cc,
				  const struct tandem_cong_ack *ack);
	u32		(*undo_cwnd)(struct tandem_cc *cc);
	void		(*event)(struct tandem_cc *cc, enum tandem_cong_event ev);
	struct module	*owner;
	struct list_head list;
};

static inline bool tandem_cc_in_slow_start(const struct tandem_cc *cc)
{
	return cc->cwnd < cc->ssthresh;
}

/* Building blocks for algorithms (cong_reno.c); pure. */
u32 tandem_cc_slow_start(struct tandem_cc *cc, u32 acked);
void tandem_cc_avoid_ai(struct tandem_cc *cc, u32 w, u32 acked);
extern struct tandem_cong_ops tandem_reno;

#ifdef __KERNEL__
/* 0; -EEXIST: the name is taken; -EINVAL: a required op is missing. */
int tandem_cong_register(struct tandem_cong_ops *ops);
void tandem_cong_unregister(struct tandem_cong_ops *ops);
#endif

#endif /* _TANDEM_CONG_H */
