// SPDX-License-Identifier: GPL-2.0
// until 7.0: proto.recvmsg had addr_len
#include <net/sock.h>
int recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len);
struct proto probe = { .recvmsg = recvmsg };
