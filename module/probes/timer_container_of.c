// SPDX-License-Identifier: GPL-2.0
// 6.16: from_timer() became timer_container_of()
#include <linux/timer.h>
#ifndef timer_container_of
#error no
#endif
