// SPDX-License-Identifier: GPL-2.0
// 6.13: hrtimer_init() and .function became hrtimer_setup()
#include <linux/hrtimer.h>
void probe(struct hrtimer *t, enum hrtimer_restart (*f)(struct hrtimer *));
void probe(struct hrtimer *t, enum hrtimer_restart (*f)(struct hrtimer *))
{
	hrtimer_setup(t, f, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
}
