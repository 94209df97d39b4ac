// SPDX-License-Identifier: GPL-2.0
/*
 * cong_dctcp_mod.c - tandem_dctcp.ko: what makes cong_dctcp.c a module.
 */
#include <linux/module.h>
#include "cong_dctcp.h"

static int __init dctcp_module_init(void)
{
	tandem_dctcp.choice.owner = THIS_MODULE;
	return tandem_cong_register(&tandem_dctcp);
}

static void __exit dctcp_module_exit(void)
{
	tandem_cong_unregister(&tandem_dctcp);
}

module_init(dctcp_module_init);
module_exit(dctcp_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("DCTCP congestion control for Tandem (RFC 8257)");
MODULE_ALIAS("tandem-cong-dctcp");
