/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mtuprobe.h - finding the path MTU by sending (RFC 4821).  Everything here wants the
 * socket lock.
 */
#ifndef _TANDEM_MTUPROBE_H
#define _TANDEM_MTUPROBE_H

#include "rare.h"
#include "sock.h"

/* The connection is up, its mss_clamp is known: where the search begins. */
void tandem_mtup_init(struct sock *sk);

/* The path MTU that ICMP and the route tell: nothing above it is tried. */
void tandem_mtup_limit(struct sock *sk, u32 pmtu);

/* Payload, options not counted, that the search allows; U32_MAX: no search. */
u32 tandem_mtup_mss(const struct sock *sk);

/* What tandem_mtup_send() did. */
enum tandem_mtup_verdict {
	TANDEM_MTUP_NONE,	/* not now: go on as ever */
	TANDEM_MTUP_WAIT,	/* soon: do not use up the data for it */
	TANDEM_MTUP_SENT,	/* a probe is on its way */
};

/* May a probe go now?  Then send it, at the head of what waits. */
enum tandem_mtup_verdict tandem_mtup_send(struct sock *sk, gfp_t gfp);

/* snd_una moved: is the probe there? */
void tandem_mtup_acked(struct sock *sk);

/*
 * The segment at snd_una is deemed lost: is that the probe, and nothing else?  True:
 * it is being sent again in pieces, and there is nothing to recover from.
 */
bool tandem_mtup_lost(struct sock *sk);

/* Something is being sent again: what the probe would tell is no longer sure. */
static inline void tandem_mtup_inconclusive(struct tandem_sock *tp)
{
	if (unlikely(tp->rare))
		tp->rare->mtup.probe_size = 0;
}

/* The peer has been silent for retries1 timeouts: perhaps our segments are too large. */
void tandem_mtup_black_hole(struct sock *sk);

#endif /* _TANDEM_MTUPROBE_H */
