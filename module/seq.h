/* SPDX-License-Identifier: GPL-2.0 */
/*
 * seq.h - arithmetic on the circle of 2^32 sequence numbers, RFC 9293 section 3.4.
 * Pure: compiles in user space too.
 */
#ifndef _TANDEM_SEQ_H
#define _TANDEM_SEQ_H

#include "pure.h"

static inline bool seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool seq_after(u32 a, u32 b)
{
	return seq_before(b, a);
}

static inline bool seq_before_eq(u32 a, u32 b)
{
	return !seq_after(a, b);
}

static inline bool seq_after_eq(u32 a, u32 b)
{
	return !seq_before(a, b);
}

/* lo <= s <= hi on the circle, for any lo and hi. */
static inline bool seq_between(u32 s, u32 lo, u32 hi)
{
	return hi - lo >= s - lo;
}

static inline u32 seq_max(u32 a, u32 b)
{
	return seq_after(a, b) ? a : b;
}

static inline u32 seq_min(u32 a, u32 b)
{
	return seq_before(a, b) ? a : b;
}

#endif /* _TANDEM_SEQ_H */
