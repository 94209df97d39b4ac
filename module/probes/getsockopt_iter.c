// SPDX-License-Identifier: GPL-2.0
// 7.2: getsockopt through an iterator
#include <net/sock.h>
const struct proto_ops probe = { .getsockopt_iter = NULL };
