/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recovery.h - what to do about loss: duplicate ACKs, SACK-based recovery (RFC 6675),
 * NewReno (RFC 6582), timeouts (RFC 6298 section 5).
 */
#ifndef _TANDEM_RECOVERY_H
#define _TANDEM_RECOVERY_H

struct sock;
struct tandem_ack_event;

/* After every ACK: move through OPEN, DISORDER, RECOVERY, LOSS; size cwnd; resend. */
void tandem_recovery_ack(struct sock *sk, struct tandem_ack_event *ev);
/* The retransmission timer fired: everything is lost until told otherwise. */
void tandem_recovery_timeout(struct sock *sk);
/* The path MTU shrank: what is too long now must go again, without blaming cwnd. */
void tandem_simple_retransmit(struct sock *sk);
/* Idle for more than an RTO: cwnd decays to the restart window, RFC 5681 4.1. */
void tandem_cwnd_restart(struct sock *sk);
/* Back to a clean scoreboard (disconnect, new connection). */
void tandem_recovery_reset(struct sock *sk);

#endif /* _TANDEM_RECOVERY_H */
