// SPDX-License-Identifier: GPL-2.0
// 6.11: kfree_skb_reason() that knows the socket
#include <linux/skbuff.h>
void probe(struct sock *sk, struct sk_buff *skb);
void probe(struct sock *sk, struct sk_buff *skb)
{
	sk_skb_reason_drop(sk, skb, SKB_DROP_REASON_NOT_SPECIFIED);
}
