// SPDX-License-Identifier: GPL-2.0
// 6.9: inet_diag handlers name their module
#include <linux/module.h>
#include <linux/inet_diag.h>
struct inet_diag_handler probe = { .owner = THIS_MODULE };
