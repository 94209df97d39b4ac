// SPDX-License-Identifier: GPL-2.0
// 6.5: where ipv6_pinfo lies in the socket is told, not assumed
#include <net/sock.h>
struct proto probe = { .ipv6_pinfo_offset = 1 };
