// SPDX-License-Identifier: GPL-2.0
/*
 * cong_cubic_mod.c - tandem_cubic.ko: what makes cong_cubic.c a module.
 */
#include <linux/module.h>
#include "cong_cubic.h"

static int __init cubic_module_init(void)
{
	tandem_cubic.choice.owner = THIS_MODULE;
	return tandem_cong_register(&tandem_cubic);
}

static void __exit cubic_module_exit(void)
{
	tandem_cong_unregister(&tandem_cubic);
}

module_init(cubic_module_init);
module_exit(cubic_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CUBIC congestion control for Tandem (RFC 9438, RFC 9406)");
MODULE_ALIAS("tandem-cong-cubic");
