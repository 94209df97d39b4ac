// SPDX-License-Identifier: GPL-2.0
// 6.6: the bit fields of inet_sock became atomic flags
#include <net/inet_sock.h>
bool probe(struct sock *sk);
bool probe(struct sock *sk) { return inet_test_bit(FREEBIND, sk); }
