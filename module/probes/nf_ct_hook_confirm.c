// SPDX-License-Identifier: GPL-2.0
// 6.8 and stable kernels since: conntrack confirms for those who end its hooks early
#include <linux/netfilter.h>
#include <linux/skbuff.h>
int probe(const struct nf_ct_hook *hook, struct sk_buff *skb);
int probe(const struct nf_ct_hook *hook, struct sk_buff *skb)
{
	return hook->confirm(skb);
}
