/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pure.h - what a pure room may include, in the kernel and in user space.
 *
 * A pure room (options, rtt, window, state table, congestion control) does
 * arithmetic on its own small structs and knows no socket, no skb and no clock.
 * That is why one source file compiles into tandem.ko, into the KUnit module and
 * into a user-space test under ASan, UBSan and a fuzzer.
 */
#ifndef _TANDEM_PURE_H
#define _TANDEM_PURE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math64.h>
#else
#include <tandem/pure_user.h>
#endif

#endif /* _TANDEM_PURE_H */
