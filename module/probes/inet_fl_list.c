// SPDX-License-Identifier: GPL-2.0
// 6.18: the list of leased flow labels moved from ipv6_pinfo to inet_sock
#include <net/inet_sock.h>
bool probe(struct inet_sock *inet);
bool probe(struct inet_sock *inet) { return rcu_access_pointer(inet->ipv6_fl_list); }
