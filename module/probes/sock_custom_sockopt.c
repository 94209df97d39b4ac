// SPDX-License-Identifier: GPL-2.0
// 6.4: a protocol may ask for SOL_SOCKET options to be its own
#include <linux/net.h>
int probe(void);
int probe(void) { return SOCK_CUSTOM_SOCKOPT; }
