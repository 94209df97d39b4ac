/* SPDX-License-Identifier: GPL-2.0 */
/*
 * choice.h - a mechanism that comes in several kinds, chosen by name.
 *
 * Congestion control (cong.h), the RTO estimator (rto.h), loss detection (loss.h) and
 * the ACK policy (ackpolicy.h) are tables of functions that begin with this.  A module
 * that brings one registers it and needs an alias to be loaded on demand, such as
 * MODULE_ALIAS("tandem-cong-NAME").
 */
#ifndef _TANDEM_CHOICE_H
#define _TANDEM_CHOICE_H

#ifdef __KERNEL__
#include <linux/list.h>
#include <linux/types.h>
struct module;
#else
#include <tandem/pure_user.h>
#endif

#define TANDEM_CHOICE_NAME_MAX	16

/**
 * struct tandem_choice - one of several implementations
 * @name:	as in sysctls and socket options; no blanks, not empty
 * @owner:	the module, held by every socket and netns that uses it; NULL: tandem's own
 * @list:	the registry's
 * @allowed:	the registry's: any program may choose it, not only privileged ones
 */
struct tandem_choice {
	char		name[TANDEM_CHOICE_NAME_MAX];
	struct module	*owner;
	struct list_head list;
	bool		allowed;
};

#endif /* _TANDEM_CHOICE_H */
