// SPDX-License-Identifier: GPL-2.0
// 6.7: tcp_info counts timeouts
#include <linux/tcp.h>
__u16 probe(const struct tcp_info *info);
__u16 probe(const struct tcp_info *info) { return info->tcpi_total_rto; }
