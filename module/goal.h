/* SPDX-License-Identifier: GPL-2.0 */
/*
 * goal.h - how many segments one skb is worth: generic segmentation offload, from the
 * sender's side.  All want the socket lock.
 */
#ifndef _TANDEM_GOAL_H
#define _TANDEM_GOAL_H

#include "sock.h"

/*
 * The kind of GSO skb that a socket makes, from its wire and family (@v6: IPv6, not
 * v4-mapped).  Before sk_setup_caps(), which looks whether the device goes with it.
 */
void tandem_set_gso_type(struct sock *sk, bool v6);

/*
 * Behind sk_setup_caps(): @dst's device has no GSO, so the core will cut.  A socket in the
 * making need not be locked.
 */
void tandem_soft_gso(struct sock *sk, const struct dst_entry *dst);

/* Bytes that one skb of the write queue is filled with; a multiple of @mss. */
u32 tandem_size_goal(struct sock *sk, u32 mss);

/* Segments that one skb may have when it leaves now; at least 1. */
u32 tandem_burst_segs(struct sock *sk, u32 mss);

#endif /* _TANDEM_GOAL_H */
