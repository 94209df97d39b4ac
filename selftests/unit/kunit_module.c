// SPDX-License-Identifier: GPL-2.0
/*
 * kunit_module.c - what makes the unit tests a kernel module: its name and licence.
 * The suites are in test_*.c; they run when the module is loaded.
 */
#include <linux/module.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of Tandem's pure rooms");
