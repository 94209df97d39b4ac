// SPDX-License-Identifier: GPL-2.0
// until 6.5: proto and proto_ops had sendpage
#include <net/sock.h>
struct proto probe = { .sendpage = NULL };
