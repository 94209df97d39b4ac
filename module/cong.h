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
/* Another connection of the same socket: as new, with the same algorithm. */
void tandem_cong_reset(struct tandem_cc *cc);

/*
 * A connection that sends little never needs its algorithm: a window that is not used up
 * need not grow.  So until it is, or something is lost or marked, the connection is
 * quiet: the algorithm has no memory yet, and is not asked.
 */
static inline bool tandem_cong_is_quiet(const struct tandem_cc *cc)
{
	return !cc->priv;
}

/* Begins with it; returns what tandem_cong() returns. */
const struct tandem_cong_ops *tandem_cong_rouse(struct tandem_cc *cc);

/*
 * Who is to be asked now: the connection's algorithm, which begins if it has not yet.
 * While there is no memory for it Reno, which needs none.
 */
static inline const struct tandem_cong_ops *tandem_cong(struct tandem_cc *cc)
{
	return likely(cc->priv) ? cc->ops : tandem_cong_rouse(cc);
}

static inline void tandem_cong_event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	const struct tandem_cong_ops *ops = tandem_cong(cc);

	if (ops->event)
		ops->event(cc, ev);
}

/* Nothing was in flight, and now something will be: no reason to begin with it. */
static inline void tandem_cong_tx_start(struct tandem_cc *cc)
{
	if (tandem_cong_is_quiet(cc))
		return;
	cc->in_flight = 0;
	tandem_cong_event(cc, TANDEM_CONG_EV_TX_START);
}

#endif /* _TANDEM_CONG_ROOM_H */
