// SPDX-License-Identifier: GPL-2.0
// until 7.0: inet_recv_error() had addr_len
#include <net/inet_common.h>
int probe(struct sock *sk, struct msghdr *msg, int *l);
int probe(struct sock *sk, struct msghdr *msg, int *l)
{
	return inet_recv_error(sk, msg, 0, l);
}
