/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recovery.h - what to do about loss and congestion: recovery with SACK and without
 * (RFC 6582), timeouts (RFC 6298 section 5), ECN; and when it was none after all.
 */
#ifndef _TANDEM_RECOVERY_H
#define _TANDEM_RECOVERY_H

#include "reason.h"

struct sock;
struct tandem_sock;
struct tandem_ack_event;

/* After every ACK: move through OPEN, DISORDER, RECOVERY, LOSS; size cwnd; resend. */
void tandem_recovery_ack(struct sock *sk, struct tandem_ack_event *ev);
/* The retransmission timer fired: mark what is lost; the caller sends the oldest. */
void tandem_recovery_timeout(struct sock *sk);
/* So did the timer of a segment's reordering window. */
void tandem_recovery_reo_timeout(struct sock *sk);
/* The queue of this host dropped a segment, which is still here: send less. */
void tandem_recovery_local_drop(struct sock *sk);
/* The peer took the SYN and not its data, which are in rtx_queue: they go again. */
void tandem_recovery_refused(struct sock *sk);
/* Why what is marked lost is sent again now. */
enum tandem_reason tandem_recovery_reason(struct sock *sk);
/* The path MTU shrank: what is too long now must go again, without blaming cwnd. */
void tandem_simple_retransmit(struct sock *sk);
/* Idle for more than an RTO: cwnd decays to the restart window, RFC 5681 4.1. */
void tandem_cwnd_restart(struct sock *sk);
/* The last reduction was right, or is history: neither undo nor F-RTO. */
void tandem_recovery_stands(struct tandem_sock *tp);
/* Back to a clean scoreboard (disconnect, new connection). */
void tandem_recovery_reset(struct sock *sk);

#endif /* _TANDEM_RECOVERY_H */
