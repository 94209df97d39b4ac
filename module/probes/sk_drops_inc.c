// SPDX-License-Identifier: GPL-2.0
// 6.18: sk_drops may be per NUMA node
#include <net/sock.h>
void probe(struct sock *sk);
void probe(struct sock *sk) { sk_drops_inc(sk); }
