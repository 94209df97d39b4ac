// SPDX-License-Identifier: GPL-2.0
// 6.2: a timer can be shut down for good
#include <linux/timer.h>
int probe(struct timer_list *t);
int probe(struct timer_list *t) { return timer_shutdown_sync(t); }
