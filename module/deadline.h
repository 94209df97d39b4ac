/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deadline.h - several deadlines that share one timer, in jiffies.  Pure.
 *
 * A deadline is the low 32 bits of jiffies: none is set further ahead than the 32767
 * seconds of TCP_KEEPIDLE, a sixtieth of what these tell apart even where a second has
 * a thousand ticks.
 *
 * The kernel's timer wheel is the coarser the longer a timer has to run: up to 62 ticks
 * it is exact, beyond that it may be late by an eighth of the time and a little.  A timer
 * that was set long ago for another deadline can therefore be late for one that is near,
 * even if it was to fire before it.
 */
#ifndef _TANDEM_DEADLINE_H
#define _TANDEM_DEADLINE_H

#include "pure.h"

#define TANDEM_WHEEL_EXACT	63	/* ticks from which on it is not */

/* How late a timer of the wheel may be that is to run for @ticks. */
static inline u32 tandem_wheel_slack(u32 ticks)
{
	return ticks < TANDEM_WHEEL_EXACT ? 0 : ticks / 7;
}

static inline bool tandem_deadline_due(u32 now, u32 deadline)
{
	return (s32)(now - deadline) >= 0;
}

static inline u32 tandem_deadline_first(u32 a, u32 b)
{
	return (s32)(a - b) < 0 ? a : b;
}

/*
 * The timer runs, and fires at @latest at the latest.  Will @deadline be met as well as
 * by a timer that is set for it now?
 */
static inline bool tandem_deadline_served(u32 now, u32 deadline, u32 latest)
{
	u32 ticks = tandem_deadline_due(now, deadline) ? 0 : deadline - now;

	return (s32)(deadline + tandem_wheel_slack(ticks) - latest) >= 0;
}

#endif /* _TANDEM_DEADLINE_H */
