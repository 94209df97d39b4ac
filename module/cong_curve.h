/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong_curve.h - CUBIC's curve (RFC 9438 section 4.2).  Pure.
 */
#ifndef _TANDEM_CONG_CURVE_H
#define _TANDEM_CONG_CURVE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <tandem/pure_user.h>
#endif

#define TANDEM_CUBIC_SHIFT	8	/* tandem_cubic_window() is in 1/256 segments */

u32 tandem_cubic_root(u64 x);
u32 tandem_cubic_k_ms(u32 segs);
u64 tandem_cubic_window(u32 w_max, u32 k_ms, u64 t_ms);

#endif /* _TANDEM_CONG_CURVE_H */
