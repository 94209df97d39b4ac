/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ecn.h - explicit congestion notification (RFC 3168; RFC 8257 for algorithms that
 * want each mark told).
 */
#ifndef _TANDEM_ECN_H
#define _TANDEM_ECN_H

#include "sock.h"

/* tandem_sock.ecn; whether ECN is in use is cc.ecn_ok */
#define TANDEM_ECN_ASKED	0x01	/* our SYN was an ECN-setup SYN */
#define TANDEM_ECN_QUEUE_CWR	0x02	/* the next new data tells that we have reduced */
#define TANDEM_ECN_DEMAND_CWR	0x04	/* a mark came: ECE until the peer says CWR */
#define TANDEM_ECN_SEEN		0x08	/* the peer's packets are ECN-capable */
#define TANDEM_ECN_CE		0x10	/* RFC 8257: the last packet was marked */

/* Flags of our SYN: TANDEM_F_ECE | TANDEM_F_CWR, or none. */
u8 tandem_ecn_syn_flags(struct sock *sk);
/* Our SYN goes again: perhaps those flags are why it was not answered. */
void tandem_ecn_syn_lost(struct sock *sk, struct tandem_skb_cb *syn);
/* The answer to our SYN has these flags. */
void tandem_ecn_syn_answered(struct sock *sk, u8 flags);
/* May a listener agree to the ECN-setup SYN @cb of @dst? */
bool tandem_ecn_accepts(const struct sock *lsk, const struct tandem_skb_cb *cb,
			const struct dst_entry *dst);

/* A segment leaves: its flags, and by the socket's TOS the ECN field of its packet. */
u8 tandem_ecn_send(struct sock *sk, const struct tandem_skb_cb *cb, u32 len);
/* Data came: marks, and the peer's CWR. */
void tandem_ecn_data_in(struct sock *sk, const struct sk_buff *skb);
/* cwnd was reduced: tell the peer with the next new data. */
void tandem_ecn_reduced(struct tandem_sock *tp);

#endif /* _TANDEM_ECN_H */
