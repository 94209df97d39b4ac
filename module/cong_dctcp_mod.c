// SPDX-License-Identifier: GPL-2.0
/*
 * cong_dctcp_mod.c - cong_dctcp.c as a module of its own, tandem_dctcp.ko.
 */
#include <linux/module.h>
#include <tandem/cong.h>
#include "cong_dctcp.h"

static int __init dctcp_init(void)
{
	tandem_dctcp.choice.owner = THIS_MODULE;
	return tandem_cong_register(&tandem_dctcp);
}

static void __exit dctcp_exit(void)
{
	tandem_cong_unregister(&tandem_dctcp);
}

module_init(dctcp_init);
module_exit(dctcp_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tandem: congestion control DCTCP (RFC 8257)");
MODULE_ALIAS("tandem-cong-dctcp");
