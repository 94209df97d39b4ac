// SPDX-License-Identifier: GPL-2.0
// until 6.17: skb_splice_from_iter() was told how to allocate
#include <linux/skbuff.h>
ssize_t probe(struct sk_buff *skb, struct iov_iter *iter)
{
	return skb_splice_from_iter(skb, iter, 1, GFP_KERNEL);
}
