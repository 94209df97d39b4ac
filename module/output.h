/* SPDX-License-Identifier: GPL-2.0 */
/*
 * output.h - what may be sent now, and the segments that carry it.  Everything here
 * wants the socket lock.
 */
#ifndef _TANDEM_OUTPUT_H
#define _TANDEM_OUTPUT_H

#include <linux/rbtree.h>
#include "reason.h"
#include "sock.h"

struct dst_entry;

/* Active open: build and send the SYN. sk is bound, routed and hashed. 0/-errno. */
int tandem_connect(struct sock *sk);

/* Send what window, cwnd and Nagle allow. @nonagle: TANDEM_NAGLE_* to use. */
void tandem_push(struct sock *sk, u32 mss, u8 nonagle);
/* The same with the socket's own Nagle state; arms the probe timer if stuck. */
void tandem_push_pending(struct sock *sk);
/* After sendmsg() while more is to come: send one skb, if a full segment waits. */
void tandem_push_one(struct sock *sk, u32 mss);

/* Is it the program that limits what is in flight?  For rate.c. */
void tandem_check_app_limited(struct sock *sk);

/* Queue a FIN behind all data and try to send it. */
void tandem_send_fin(struct sock *sk);
/* Reset the connection from our side (RFC 9293 3.9.1 ABORT). */
void tandem_send_active_reset(struct sock *sk, gfp_t gfp, enum tandem_reason why);
/* SYN-ACK of a simultaneous open. */
int tandem_send_synack_simultaneous(struct sock *sk);

/* A segment without data: what is owed (ACK, window update) rides on it. */
void tandem_send_ack(struct sock *sk);
/* Window probe: one old byte (or the first new one), RFC 9293 section 3.8.6.1. */
int tandem_write_wakeup(struct sock *sk);
void tandem_send_probe0(struct sock *sk);

/* A segment of the write queue left for the first time. */
void tandem_moved_out(struct sock *sk, struct sk_buff *skb);
/*
 * Send the head of the unsent now, in segments of @mss bytes, whatever Nagle thinks;
 * windows are the caller's, and a clock_us that is not older than this very moment.
 */
int tandem_send_head_now(struct sock *sk, struct sk_buff *skb, u32 mss, gfp_t gfp);

/* Send @skb of rtx_queue again, at most @segs segments of it. 0/-errno. */
int tandem_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs,
			  enum tandem_reason why);
/* Go through what is marked lost as cwnd allows; @first: one goes in any case. */
void tandem_xmit_retransmit_queue(struct sock *sk, enum tandem_reason why, bool first);

/* Cut @skb at @len bytes; the rest becomes a new skb behind it. 0/-ENOMEM. */
int tandem_fragment(struct sock *sk, struct sk_buff *skb, u32 len, u32 mss,
		    bool in_rtx, gfp_t gfp);

/* Current payload bytes per segment; follows the path MTU. */
u32 tandem_current_mss(struct sock *sk);
u32 tandem_sync_mss(struct sock *sk, u32 pmtu);
u32 tandem_mtu_to_mss(const struct sock *sk, u32 pmtu);
u32 tandem_mss_to_mtu(const struct sock *sk, u32 mss);
/* MSS option for our SYN or SYN-ACK, from the device MTU of @dst. */
u16 tandem_advmss(const struct sock *sk, const struct dst_entry *dst);
/* Segments of the first window of this path. */
u32 tandem_init_cwnd(const struct sock *sk);

/* Is @skb the one that goes out next, i.e. head of the unsent? */
static inline struct sk_buff *tandem_send_head(const struct sock *sk)
{
	return skb_peek(&sk->sk_write_queue);
}

static inline struct sk_buff *tandem_rtx_head(const struct sock *sk)
{
	struct rb_node *n = rb_first(&tandem_sk(sk)->rtx_queue);

	return n ? rb_to_skb(n) : NULL;
}

static inline struct sk_buff *tandem_rtx_next(const struct sk_buff *skb)
{
	struct rb_node *n = rb_next(&skb->rbnode);

	return n ? rb_to_skb(n) : NULL;
}

/* Bookkeeping of a segment's flags; all counts of the scoreboard change here. */
void tandem_rtx_mark_lost(struct sock *sk, struct sk_buff *skb);
/* The same for what the network did not lose.  False: it is marked, or SACKed. */
bool tandem_rtx_must_resend(struct sock *sk, struct sk_buff *skb);
void tandem_rtx_unmark_lost(struct sock *sk);
void tandem_rtx_mark_sacked(struct sock *sk, struct sk_buff *skb);
void tandem_rtx_uncount(struct sock *sk, struct sk_buff *skb);

/* The inverse: a segment joins the sums with the flags it has. */
static inline void tandem_rtx_count(struct tandem_sock *tp,
				    const struct tandem_skb_cb *cb)
{
	tp->packets_out += cb->segs;
	if (cb->sacked & TANDEM_S_SACKED)
		tp->sacked_out += cb->segs;
	if (cb->sacked & TANDEM_S_LOST)
		tp->lost_out += cb->segs;
	if (cb->sacked & TANDEM_S_RETRANS)
		tp->retrans_out += cb->segs;
}

/*
 * A segment on sent_list or lost_list keeps the list's node where a clone has its route
 * and its destructor.  Around whatever makes a clone, or a copy, the route must look
 * empty, or it would be taken over; the destructor never is.
 */
static inline unsigned long tandem_rtx_hide(struct sk_buff *skb)
{
	unsigned long node = skb->_skb_refdst;

	skb->_skb_refdst = 0;
	return node;
}

static inline void tandem_rtx_show(struct sk_buff *skb, unsigned long node)
{
	skb->_skb_refdst = node;
}

/* Into the tree; it is on no list yet. */
void tandem_rtx_insert(struct sock *sk, struct sk_buff *skb);
/* It was sent just now: the last on sent_list. */
void tandem_rtx_sent(struct sock *sk, struct sk_buff *skb);
/* Out of tree and list, for its last moments. */
void tandem_rtx_unlink(struct sock *sk, struct sk_buff *skb);
void tandem_free_queued(struct sock *sk, struct sk_buff *skb);
/* The segment of rtx_queue that holds @seq, or the first behind it; or NULL. */
struct sk_buff *tandem_rtx_find(const struct sock *sk, u32 seq);
void tandem_rtx_unlink_free(struct sock *sk, struct sk_buff *skb);
/* The first @segs segments of @skb, not all, are ACKed: let go of them. 0/-ENOMEM. */
int tandem_rtx_trim(struct sock *sk, struct sk_buff *skb, u32 segs);
/* Bytes at the front of @skb are ACKed, not all: let go of them. 0/-ENOMEM. */
int tandem_rtx_trim_acked(struct sock *sk, struct sk_buff *skb);
/* Free everything that waits to be sent or ACKed; wakes nobody. */
void tandem_write_queue_purge(struct sock *sk);

#endif /* _TANDEM_OUTPUT_H */
