// SPDX-License-Identifier: GPL-2.0
// until 6.10: GRO kept flush_id in the control block
#include <net/gro.h>
int probe(struct sk_buff *skb);
int probe(struct sk_buff *skb) { return NAPI_GRO_CB(skb)->flush_id; }
