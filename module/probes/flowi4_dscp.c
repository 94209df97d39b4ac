// SPDX-License-Identifier: GPL-2.0
// 6.18: flowi4_tos became flowi4_dscp
#include <net/flow.h>
void probe(struct flowi4 *fl4, dscp_t d);
void probe(struct flowi4 *fl4, dscp_t d) { fl4->flowi4_dscp = d; }
