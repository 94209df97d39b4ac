// SPDX-License-Identifier: GPL-2.0
// 6.5: proto.ioctl gets the kernel's copy of the argument
#include <net/sock.h>
int ioctl(struct sock *sk, int cmd, int *karg);
struct proto probe = { .ioctl = ioctl };
