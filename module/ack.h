/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ack.h - what a segment's ACK field and SACK option tell about what we sent.
 */
#ifndef _TANDEM_ACK_H
#define _TANDEM_ACK_H

#include "sock.h"

/* What one incoming ACK did; filled by ack.c, read by recovery.c. */
struct tandem_ack_event {
	u64	now_us;
	u32	ack;		/* SEG.ACK */
	u32	prior_una;
	u32	prior_pipe;	/* before this ACK */
	u32	acked_segs;	/* newly covered by SEG.ACK and not SACKed before */
	u32	sacked_segs;	/* newly SACKed */
	u32	walked;		/* segments looked at to find these */
	u32	acked_bytes;
	u32	delivered;	/* segments that left the network with it (recovery.c) */
	s64	rtt_us;		/* -1: no sample */
	s64	cc_rtt_us;	/* for congestion control, see cc_rtt_sample(); -1: none */
	bool	window_update;	/* SND.WND changed */
	bool	has_data;	/* the segment carries data */
	bool	dsack;		/* carried a D-SACK that can be of a copy of ours, */
	bool	dsack_tlp;	/* and is of the tail loss probe */
	bool	orig_acked;	/* something sent before high_seq, once, was delivered */
	u64	echo_us;	/* when that was sent whose timestamp it echoes; 0: unknown */
	bool	syn_acked;
	bool	rtx_acked;	/* something retransmitted was covered (Karn) */
	bool	is_dup;		/* a duplicate ACK, RFC 5681 section 2 */
	bool	ece;		/* ECN-Echo, RFC 3168 */
	struct tandem_rate_pick pick;	/* the newest-sent segment it delivers */
	struct tandem_rate_sample rs;	/* and what that says */
};

/*
 * Process the ACK of @skb.  1: fine, or old and useless; negative: do not process
 * the segment further, -reason (TANDEM_R_*) says why.
 */
int tandem_ack(struct sock *sk, struct sk_buff *skb, const struct tandem_opts *o);

/* A segment of ours was ACKed, or @sacked, for the first time. */
void tandem_ack_delivered(struct sock *sk, const struct tandem_skb_cb *cb, bool sacked,
			  struct tandem_ack_event *ev);

/* scoreboard.c: mark what the SACK blocks of @o cover. */
void tandem_sack_input(struct sock *sk, const struct tandem_opts *o,
		       struct tandem_ack_event *ev);
/* Forget everything SACKed: the peer reneged, or a timeout made us doubt. */
void tandem_sack_clear(struct sock *sk);

/* The round trip of the handshake, @rtt_us: a sample, if it may be one. */
void tandem_rtt_handshake(struct sock *sk, s64 rtt_us);

#endif /* _TANDEM_ACK_H */
