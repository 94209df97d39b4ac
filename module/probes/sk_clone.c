// SPDX-License-Identifier: GPL-2.0
// 7.0: sk_clone(), which locks only when asked to
#include <net/sock.h>
struct sock *probe(const struct sock *sk);
struct sock *probe(const struct sock *sk) { return sk_clone(sk, GFP_ATOMIC, true); }
