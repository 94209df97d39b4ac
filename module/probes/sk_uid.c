// SPDX-License-Identifier: GPL-2.0
// 6.17: sk_uid is read through a function
#include <net/sock.h>
kuid_t probe(const struct sock *sk);
kuid_t probe(const struct sock *sk) { return sk_uid(sk); }
