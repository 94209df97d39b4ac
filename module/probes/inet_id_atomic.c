// SPDX-License-Identifier: GPL-2.0
// 6.7 and stable: inet_id is an atomic_t
#include <net/inet_sock.h>
void probe(struct inet_sock *inet);
void probe(struct inet_sock *inet) { atomic_set(&inet->inet_id, 1); }
