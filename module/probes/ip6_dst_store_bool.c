// SPDX-License-Identifier: GPL-2.0
// 7.0: ip6_dst_store() takes two booleans instead of two addresses
#include <net/ip6_route.h>
void probe(struct sock *sk, struct dst_entry *dst, bool a, bool b);
void probe(struct sock *sk, struct dst_entry *dst, bool a, bool b)
{
	void (*f)(struct sock *, struct dst_entry *, bool, bool) = ip6_dst_store;

	f(sk, dst, a, b);
}
