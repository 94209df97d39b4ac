// SPDX-License-Identifier: GPL-2.0
// 6.11: handlers get a const ctl_table
#include <linux/sysctl.h>
int handler(const struct ctl_table *t, int write, void *buf, size_t *len, loff_t *pos);
struct ctl_table probe = { .proc_handler = handler };
