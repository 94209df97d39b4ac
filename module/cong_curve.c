// SPDX-License-Identifier: GPL-2.0
/*
 * cong_curve.c - CUBIC's curve (RFC 9438 section 4.2), for cubic and for bbr where it
 * shares a queue with the like of it.
 *
 *	W_cubic(t) = C (t - K)^3 + W_max,	C = 0.4 segments/s^3
 *	K = cbrt((W_max - cwnd at t = 0) / C)
 *
 * Time is in milliseconds and windows are in 1/256 segments; d segments below W_max
 * make K = cbrt(2.5e9 d) ms, and x ms away from K the curve is x^3 / 2.5e9 segments
 * away from W_max.  All of it is exact in 64 bits for every cwnd.
 */
#include "pure.h"
#include "cong_curve.h"

#define CUBE_MS		2500000000U	/* ms^3 in a segment: 1000^3 / C */
#define MS_MAX		2642245U	/* cube root of U64_MAX */
#define Q_SHIFT		TANDEM_CUBIC_SHIFT

/**
 * tandem_cubic_root() - cube root
 * @x: any number
 *
 * Return: the largest r with r^3 <= @x.
 */
u32 tandem_cubic_root(u64 x)
{
	u32 r = 0, bit;

	/* Bit by bit from the top: (2^21)^3 = 2^63 is the highest that can be set. */
	for (bit = 1U << 21; bit; bit >>= 1) {
		u64 t = r | bit;

		if (t <= MS_MAX && t * t * t <= x)
			r = t;
	}
	return r;
}
EXPORT_SYMBOL_GPL(tandem_cubic_root);

/**
 * tandem_cubic_k_ms() - RFC 9438 section 4.2, K
 * @segs: W_max less the window at the epoch's start
 *
 * Return: milliseconds until the curve reaches W_max.
 */
u32 tandem_cubic_k_ms(u32 segs)
{
	return tandem_cubic_root((u64)segs * CUBE_MS);
}
EXPORT_SYMBOL_GPL(tandem_cubic_k_ms);

/**
 * tandem_cubic_window() - RFC 9438 section 4.2, W_cubic(t)
 * @w_max: plateau, segments
 * @k_ms: when it is reached
 * @t_ms: time since the epoch's start
 *
 * Return: 1/256 segments, between 0 and what 2^32 segments are.
 */
u64 tandem_cubic_window(u32 w_max, u32 k_ms, u64 t_ms)
{
	u64 top = (u64)w_max << Q_SHIFT, limit = (u64)U32_MAX << Q_SHIFT;
	u64 x = t_ms > k_ms ? t_ms - k_ms : k_ms - t_ms;
	u64 delta;

	x = min_t(u64, x, MS_MAX);
	delta = x * x * x;
	/* As fine as fits. */
	if (delta <= U64_MAX >> Q_SHIFT)
		delta = div_u64(delta << Q_SHIFT, CUBE_MS);
	else
		delta = div_u64(delta, CUBE_MS) << Q_SHIFT;
	if (t_ms > k_ms)
		return min(top + delta, limit);
	return top > delta ? top - delta : 0;
}
EXPORT_SYMBOL_GPL(tandem_cubic_window);
