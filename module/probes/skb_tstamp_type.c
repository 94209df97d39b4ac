// SPDX-License-Identifier: GPL-2.0
// 6.10: delivery times carry a clock
#include <linux/skbuff.h>
void probe(struct sk_buff *skb);
void probe(struct sk_buff *skb)
{
	skb_set_delivery_time(skb, 1, SKB_CLOCK_MONOTONIC);
}
