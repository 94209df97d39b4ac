// SPDX-License-Identifier: GPL-2.0
// 6.16: zero-copy sending knows device memory
#include <linux/skbuff.h>
struct ubuf_info *probe(struct sock *sk, size_t size, struct ubuf_info *uarg);
struct ubuf_info *probe(struct sock *sk, size_t size, struct ubuf_info *uarg)
{
	return msg_zerocopy_realloc(sk, size, uarg, false);
}
