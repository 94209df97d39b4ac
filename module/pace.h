/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pace.h - spreading what may be sent over the round trip.  All want the socket lock.
 */
#ifndef _TANDEM_PACE_H
#define _TANDEM_PACE_H

#include "sock.h"

/*
 * Must the next segment wait?  True: the timer runs, and sending goes on when it fires.
 */
bool tandem_pace_blocks(struct sock *sk);
/* @len bytes of payload left. */
void tandem_pace_sent(struct sock *sk, u32 len);
/* Bring sk_pacing_rate up to date with congestion control. */
void tandem_update_pacing_rate(struct sock *sk);

/* For alarm.c, tsq.c and tandem_release_cb(): sending may go on. */
void tandem_pace_expired(struct sock *sk);

#endif /* _TANDEM_PACE_H */
