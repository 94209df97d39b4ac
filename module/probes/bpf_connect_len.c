// SPDX-License-Identifier: GPL-2.0
// 6.7: the cgroup hooks get the address length
#include <linux/cgroup.h>
#include <linux/bpf-cgroup.h>
#include <net/sock.h>
int probe(struct sock *sk, struct sockaddr *uaddr, int *len);
int probe(struct sock *sk, struct sockaddr *uaddr, int *len)
{
	return BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr, len);
}
