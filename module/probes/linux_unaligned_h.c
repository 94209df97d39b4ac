// SPDX-License-Identifier: GPL-2.0
// 6.12: moved from asm/
#include <linux/unaligned.h>
