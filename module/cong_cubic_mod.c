// SPDX-License-Identifier: GPL-2.0
/*
 * cong_cubic_mod.c - cong_cubic.c as a module of its own, tandem_cubic.ko.
 */
#include <linux/module.h>
#include <tandem/cong.h>
#include "cong_cubic.h"

static int __init cubic_init(void)
{
	tandem_cubic.choice.owner = THIS_MODULE;
	return tandem_cong_register(&tandem_cubic);
}

static void __exit cubic_exit(void)
{
	tandem_cong_unregister(&tandem_cubic);
}

module_init(cubic_init);
module_exit(cubic_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tandem: congestion control CUBIC (RFC 9438)");
MODULE_ALIAS("tandem-cong-cubic");
