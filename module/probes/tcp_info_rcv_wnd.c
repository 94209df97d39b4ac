// SPDX-License-Identifier: GPL-2.0
// 6.2: tcp_info tells the window we advertise
#include <linux/tcp.h>
__u32 probe(const struct tcp_info *info);
__u32 probe(const struct tcp_info *info) { return info->tcpi_rcv_wnd; }
