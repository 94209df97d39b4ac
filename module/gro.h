/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gro.h - generic receive offload of protocol 254.  Softirq, rcu_read_lock held.
 */
#ifndef _TANDEM_GRO_H
#define _TANDEM_GRO_H

#include <linux/types.h>

struct list_head;
struct net;
struct sk_buff;

/*
 * offload_callbacks.gro_receive, behind the family's check of the checksum; @good: it
 * was right, or the packet will not be joined anyway.  @front: bytes of UDP's header, which
 * is linear with ours then; 0 on the native wire.
 */
struct sk_buff *tandem_gro_receive(struct list_head *head, struct sk_buff *skb,
				   unsigned int front, bool good);

/*
 * gro_complete: @skb holds several segments, header at @thoff from skb->data; @check: their
 * pseudo header's sum.
 */
int tandem_gro_complete(struct sk_buff *skb, int thoff, unsigned int type, __sum16 check);

/*
 * Before tunnel sockets of @net close: join nothing in UDP there, and what was joined is on
 * its way.  Sleeps.  Until tandem_gro_open_udp().
 */
void tandem_gro_close_udp(struct net *net);
void tandem_gro_open_udp(struct net *net);

/* From now on nothing is joined, and what was is on its way.  Sleeps; once, at rmmod. */
void tandem_gro_stop(void);

#endif /* _TANDEM_GRO_H */
