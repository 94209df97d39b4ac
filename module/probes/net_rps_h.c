// SPDX-License-Identifier: GPL-2.0
// 6.9: RPS/RFS helpers moved
#include <net/rps.h>
