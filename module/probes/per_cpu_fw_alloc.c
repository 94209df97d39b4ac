// SPDX-License-Identifier: GPL-2.0
// 6.0: forward allocation per processor
#include <net/sock.h>
struct proto probe = { .per_cpu_fw_alloc = NULL };
