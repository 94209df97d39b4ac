/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong_cubic.h - CUBIC's arithmetic, for its module and its tests.
 */
#ifndef _TANDEM_CONG_CUBIC_H
#define _TANDEM_CONG_CUBIC_H

#include <tandem/cong.h>

extern struct tandem_cong_ops tandem_cubic;

#endif /* _TANDEM_CONG_CUBIC_H */
