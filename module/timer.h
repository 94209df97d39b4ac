/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timer.h - the timers of a connection, as named events in and expiries out.
 */
#ifndef _TANDEM_TIMER_H
#define _TANDEM_TIMER_H

#include "sock.h"

void tandem_timers_init(struct sock *sk);
/* Stop all; timers that run find the state CLOSE. */
void tandem_timers_stop(struct sock *sk);
/* And until none runs any more; process context, the lock is not held. */
void tandem_timers_stop_sync(struct sock *sk);

/* Data (or SYN, FIN) left: run the retransmission timer unless it runs. */
void tandem_timer_data_sent(struct sock *sk);
/* A SYN left, to be sent once more soon if the knob syn_probe_ms says so. */
void tandem_timer_syn_sent(struct sock *sk);
/* New data was ACKed: restart it, or stop it when nothing is out (RFC 6298 5.2, 5.3) */
void tandem_timer_data_acked(struct sock *sk);
/* The oldest segment was sent again in recovery: give it a whole RTO. */
void tandem_timer_head_resent(struct sock *sk);
/* Nothing is out and the window is shut: probe. */
void tandem_timer_window_closed(struct sock *sk);
/* The probe did not get beyond our own queue: soon again. */
void tandem_timer_probe_refused(struct sock *sk);
/* The window opened, or data went out. */
void tandem_timer_window_opened(struct sock *sk);
/* An ACK is owed in @delay jiffies. */
void tandem_timer_ack_owed(struct sock *sk, unsigned long delay);
void tandem_timer_ack_sent(struct sock *sk);
/* Keepalive, FIN-WAIT-2 of orphans, linger2: in @delay jiffies. */
void tandem_timer_keepalive(struct sock *sk, unsigned long delay);
void tandem_timer_keepalive_stop(struct sock *sk);
/* setsockopt(SO_KEEPALIVE): proto.keepalive. */
void tandem_set_keepalive(struct sock *sk, int val);

/* When the RTO expires, microseconds from now; U64_MAX: it does not run. */
u64 tandem_timer_rto_left_us(const struct sock *sk);
/* RTO now, with backoff, jiffies (at least 1). */
unsigned long tandem_rto_jiffies(const struct sock *sk);
/* Recompute rto_us from rtt. */
void tandem_update_rto(struct sock *sk);

/* The handshake is done: fallback RTO (RFC 6298 section 5.7), keepalive. */
void tandem_timer_established(struct sock *sk);

/* proto.release_cb: what timers and ICMP left while the program had the lock. */
void tandem_release_cb(struct sock *sk);

/* An orphan uses memory or retries: too many? Then end it. True: it is gone. */
bool tandem_orphan_limits(struct sock *sk, bool reset);
bool tandem_too_many_orphans(const struct sock *sk);

/* FIN-WAIT-2 time of @sk, jiffies. */
int tandem_fin_time(const struct sock *sk);
int tandem_keepalive_time(const struct tandem_sock *tp);
int tandem_keepalive_intvl(const struct tandem_sock *tp);
int tandem_keepalive_probes(const struct tandem_sock *tp);

#endif /* _TANDEM_TIMER_H */
