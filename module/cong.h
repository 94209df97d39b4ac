/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong.h - congestion control of a connection, inside the module.  What an algorithm
 * itself needs is in include/tandem/cong.h, the registry in choice.h.
 */
#ifndef _TANDEM_CONG_ROOM_H
#define _TANDEM_CONG_ROOM_H

#include <tandem/cong.h>
#include "choice.h"

struct net;

int tandem_cong_room_init(void);		/* registers tandem.ko's own */
void tandem_cong_room_exit(void);

/*
 * Attach the netns's default (name NULL) or the named algorithm to @cc, holding its
 * module; an algorithm attached before is released first.  0, -ENOENT when there is
 * none of that name (a module "tandem-cong-NAME" is asked for first when
 * @may_load and the caller may sleep), -EBUSY when it is going away, -EPERM when it is
 * not for everybody and the caller not privileged.
 */
int tandem_cong_attach(struct net *net, struct tandem_cc *cc, const char *name,
		       bool may_load);
/* The child of an accept(): share the listener's algorithm. */
void tandem_cong_inherit(struct net *net, struct tandem_cc *child,
			 const struct tandem_cc *parent);
void tandem_cong_detach(struct tandem_cc *cc);

static inline void tandem_cong_event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	if (cc->ops->event)
		cc->ops->event(cc, ev);
}

#endif /* _TANDEM_CONG_ROOM_H */
