/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timewait.h - what is left of a connection in TIME-WAIT (and of an orphan in
 * FIN-WAIT-2): a minisock that holds no netns, no route and no buffers, and answers
 * late segments (RFC 9293 section 3.10.7.4, RFC 7323 section 5.8 for reuse).
 */
#ifndef _TANDEM_TIMEWAIT_H
#define _TANDEM_TIMEWAIT_H

#include <linux/refcount.h>
#include <linux/timer.h>
#include "flow.h"

struct net;
struct sock;
struct sk_buff;

struct tandem_timewait {
	struct tandem_flow	flow;
	struct tandem_claim	claim;
	refcount_t		refs;
	spinlock_t		lock;		/* what changes below */
	struct list_head	node;		/* tandem_net.tw_list */
	struct timer_list	timer;
	struct rcu_head		rcu;
	struct net		*net;		/* not held; purged in pernet exit */
	u64	ts_recent_us;
	u32	rcv_nxt;
	u32	snd_nxt;
	u32	rcv_wnd;			/* scaled down, as on the wire */
	u32	ts_recent;
	u32	ts_offset;
	u32	mark;
	u32	timeout;			/* jiffies of TIME-WAIT proper */
	u64	last_ack_us;			/* out-of-window ACK rate limit */
	u8	substate;			/* TCP_FIN_WAIT2 or TCP_TIME_WAIT */
	u8	tos;
	u8	rcv_wscale;
	bool	ts_ok;
	bool	v6;
	bool	reuse;				/* SO_REUSEADDR of the socket */
	bool	reuseport;
	bool	v6only;
	bool	dead;
	kuid_t	uid;
};

/* A busy server has a minute's worth of them. */
static_assert(sizeof(struct tandem_timewait) <= 256 || IS_ENABLED(CONFIG_DEBUG_SPINLOCK),
	      "TIME-WAIT is to fit into 256 bytes");

int tandem_timewait_init(void);			/* slab cache */
void tandem_timewait_exit(void);
int tandem_timewait_net_init(struct net *net);
void tandem_timewait_net_exit(struct net *net);	/* purge, waits for timers */

/*
 * Turn @sk (locked, BH may be on) into a minisock in @substate that lives @timeo
 * jiffies, then end the socket with tandem_done().  Without memory, or above
 * max_tw_buckets, the socket just ends.
 */
void tandem_time_wait(struct sock *sk, int substate, int timeo);

/* A segment for it; takes @skb. rcu_read_lock held.  May hand a SYN to a listener. */
void tandem_tw_rcv(struct tandem_timewait *tw, struct sk_buff *skb);

/*
 * connect() met @flow in its way: may the 4-tuple be used again (net.tandem.tw_reuse,
 * RFC 6191)?  True: it was killed, *isn is a safe initial sequence number.
 */
bool tandem_tw_reuse(struct net *net, struct tandem_flow *flow, u32 *isn);

#endif /* _TANDEM_TIMEWAIT_H */
