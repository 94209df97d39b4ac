/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong_dctcp.h - DCTCP's arithmetic, for its module and its tests.
 */
#ifndef _TANDEM_CONG_DCTCP_H
#define _TANDEM_CONG_DCTCP_H

#include <tandem/cong.h>

extern struct tandem_cong_ops tandem_dctcp;

u32 tandem_dctcp_alpha(u32 alpha, u32 delivered, u32 marked);

#endif /* _TANDEM_CONG_DCTCP_H */
