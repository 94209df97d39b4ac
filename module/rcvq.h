/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rcvq.h - data in: the in-order queue the program reads from, the out-of-order
 * queue, and the SACK blocks that describe it.
 */
#ifndef _TANDEM_RCVQ_H
#define _TANDEM_RCVQ_H

#include "options.h"

struct sock;
struct sk_buff;

/* A segment with data and/or FIN, already acceptable; takes @skb. */
void tandem_rcvq_input(struct sock *sk, struct sk_buff *skb);
/* Blocks for the next ACK, D-SACK first. */
void tandem_rcvq_sacks(struct sock *sk, struct tandem_opts *o);
/* A segment wholly old arrived (zero-window probe, duplicate): note a D-SACK. */
void tandem_rcvq_dup(struct sock *sk, u32 seq, u32 end_seq);
/* The program has read up to copied_seq: autotune (DRS), free room. */
void tandem_rcvq_space_adjust(struct sock *sk);
/* A receiver-side RTT sample from the timestamps of a data segment. */
void tandem_rcvq_rtt_sample(struct sock *sk, u32 rtt_us);
/* Initial receive buffer and window. */
void tandem_rcvq_init(struct sock *sk);
/* Free the out-of-order queue. */
void tandem_rcvq_purge(struct sock *sk);

#endif /* _TANDEM_RCVQ_H */
