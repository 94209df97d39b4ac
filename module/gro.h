/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gro.h - generic receive offload of protocol 254.  Softirq, rcu_read_lock held.
 */
#ifndef _TANDEM_GRO_H
#define _TANDEM_GRO_H

#include <linux/types.h>

struct list_head;
struct sk_buff;

/*
 * offload_callbacks.gro_receive, behind the family's check of the checksum; @good: it
 * was right, or the packet will not be joined anyway.
 */
struct sk_buff *tandem_gro_receive(struct list_head *head, struct sk_buff *skb, bool good);

/* gro_complete: @skb holds several segments; their pseudo header's sum is @check. */
int tandem_gro_complete(struct sk_buff *skb, unsigned int type, __sum16 check);

/* From now on nothing is joined, and what was is on its way.  Sleeps; once, at rmmod. */
void tandem_gro_stop(void);

#endif /* _TANDEM_GRO_H */
