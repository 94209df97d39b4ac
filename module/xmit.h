/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xmit.h - one segment onto the wire: header, options, ACK and window, checksum.
 * output.c decides what may go, rtxq.c what must go again; both end here.
 */
#ifndef _TANDEM_XMIT_H
#define _TANDEM_XMIT_H

#include "sock.h"

/* Room in front of the payload for every header below us. */
#define TANDEM_MAX_HEADER	L1_CACHE_ALIGN(128 + MAX_HEADER)

/*
 * Send @skb, whose cb says seq and flags.  @clone: the original stays queued for
 * retransmission and a clone goes out; else @skb is consumed, whatever happens.
 * 0, -ENOBUFS without memory, or what the IP layer said.
 */
int tandem_transmit_at(struct sock *sk, struct sk_buff *skb, bool clone, gfp_t gfp);

/* Now; tandem_transmit_at() takes clock_us for it, which its caller has just set. */
static inline int tandem_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone,
				      gfp_t gfp)
{
	tandem_clock_tick(tandem_sk(sk));
	return tandem_transmit_at(sk, skb, clone, gfp);
}

/* Option bytes a segment with data carries now (timestamps, SACK blocks owed). */
unsigned int tandem_established_opts_len(const struct tandem_sock *tp);

#endif /* _TANDEM_XMIT_H */
