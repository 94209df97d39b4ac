/* SPDX-License-Identifier: GPL-2.0 */
/*
 * choice.h - the registry of mechanisms that come in several kinds: which there are, and
 * which one a netns's new sockets start with.  What a mechanism itself needs is in
 * include/tandem/.
 */
#ifndef _TANDEM_CHOICE_ROOM_H
#define _TANDEM_CHOICE_ROOM_H

#include <linux/module.h>
#include <tandem/choice.h>

struct net;

enum tandem_kind {
	TANDEM_KIND_RTO,	/* RTO estimator, rtt.c */
	TANDEM_KIND_LOSS,	/* loss detection, recovery.c */
	TANDEM_KIND_ACK,	/* when to acknowledge, advert.c */
	TANDEM_KIND_CONG,	/* congestion control, cong.c */
	TANDEM_KINDS
};

/* Of these a socket has tandem_sock.choice; congestion control is in tandem_cc.ops. */
#define TANDEM_SOCK_KINDS	TANDEM_KIND_CONG

/* In front of tandem_choice_room_exit() everything is registered and unregistered. */
int tandem_choice_register(enum tandem_kind kind, struct tandem_choice *choice);
void tandem_choice_unregister(enum tandem_kind kind, struct tandem_choice *choice);
void tandem_choice_set_builtin(enum tandem_kind kind, struct tandem_choice *choice);

const struct tandem_choice *tandem_choice_get(enum tandem_kind kind, const char *name,
					      bool may_load);
const struct tandem_choice *tandem_choice_get_default(struct net *net,
						      enum tandem_kind kind);
const struct tandem_choice *tandem_choice_get_again(struct net *net,
						    enum tandem_kind kind,
						    const struct tandem_choice *choice);

static inline void tandem_choice_put(const struct tandem_choice *choice)
{
	if (choice)
		module_put(choice->owner);
}

void tandem_choice_net_init(struct net *net);
void tandem_choice_net_exit(struct net *net);

/* For sysctl.c. */
int tandem_choice_set_default(struct net *net, enum tandem_kind kind, const char *name);
void tandem_choice_default_name(struct net *net, enum tandem_kind kind, char *name);
void tandem_choice_list(enum tandem_kind kind, char *buf, size_t len, bool allowed_only);
int tandem_choice_allow(enum tandem_kind kind, char *names);

#endif /* _TANDEM_CHOICE_ROOM_H */
