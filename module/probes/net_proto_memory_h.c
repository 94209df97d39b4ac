// SPDX-License-Identifier: GPL-2.0
// 6.9: sk_memory_allocated() and friends moved
#include <net/proto_memory.h>
