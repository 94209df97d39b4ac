// SPDX-License-Identifier: GPL-2.0
// 6.10: zero-copy buffers have ops, not a callback
#include <linux/skbuff.h>
const void *probe(void);
const void *probe(void) { return &msg_zerocopy_ubuf_ops; }
