// SPDX-License-Identifier: GPL-2.0
// 6.7: the bit fields of ipv6_pinfo became atomic flags
#include <linux/ipv6.h>
#include <net/ipv6.h>
bool probe(struct sock *sk);
bool probe(struct sock *sk) { return inet6_test_bit(RECVERR6, sk); }
