/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong_cubic.h - CUBIC's arithmetic, for its module and its tests.
 */
#ifndef _TANDEM_CONG_CUBIC_H
#define _TANDEM_CONG_CUBIC_H

#include <tandem/cong.h>

extern struct tandem_cong_ops tandem_cubic;

u32 tandem_cubic_root(u64 x);
u32 tandem_cubic_k_ms(u32 segs);
u64 tandem_cubic_window(u32 w_max, u32 k_ms, u64 t_ms);

#endif /* _TANDEM_CONG_CUBIC_H */
