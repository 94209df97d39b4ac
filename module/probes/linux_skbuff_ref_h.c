// SPDX-License-Identifier: GPL-2.0
// 6.10: skb_frag_ref() and skb_frag_unref() moved
#include <linux/skbuff_ref.h>
