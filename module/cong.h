/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong.h - the registry of congestion control algorithms, inside the module.
 * What an algorithm itself needs is in include/tandem/cong.h.
 */
#ifndef _TANDEM_CONG_ROOM_H
#define _TANDEM_CONG_ROOM_H

#include <tandem/cong.h>

struct net;

int tandem_cong_room_init(void);		/* registers reno */
void tandem_cong_room_exit(void);
int tandem_cong_net_init(struct net *net);	/* netns default: reno */
void tandem_cong_net_exit(struct net *net);

/*
 * Attach the netns's default (name NULL) or the named algorithm to @cc, holding its
 * module; an algorithm attached before is released first.  0, -ENOENT when there is
 * none of that name (a module "tandem-cong-NAME" is asked for first when
 * @may_load and the caller may sleep), -EBUSY when it is going away.
 */
int tandem_cong_attach(struct net *net, struct tandem_cc *cc, const char *name,
		       bool may_load);
/* The child of an accept(): share the listener's algorithm. */
void tandem_cong_inherit(struct net *net, struct tandem_cc *child,
			 const struct tandem_cc *parent);
void tandem_cong_detach(struct tandem_cc *cc);

/* For the sysctls congestion_control and available_congestion_control. */
int tandem_cong_set_default(struct net *net, const char *name);
void tandem_cong_get_default(struct net *net, char *name /* NAME_MAX */);
void tandem_cong_list(char *buf, size_t len);

#endif /* _TANDEM_CONG_ROOM_H */
