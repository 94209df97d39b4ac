// SPDX-License-Identifier: GPL-2.0
// 6.5: GSO helpers moved
#include <net/gso.h>
