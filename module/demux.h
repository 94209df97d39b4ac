/* SPDX-License-Identifier: GPL-2.0 */
/*
 * demux.h - whose segment is it?  The flow table (rhashtable by 4-tuple: sockets,
 * requests, TIME-WAIT) and the listener slots.  Readers need only rcu_read_lock();
 * everything found is freed after a grace period.
 */
#ifndef _TANDEM_DEMUX_H
#define _TANDEM_DEMUX_H

#include "flow.h"

struct net;
struct sock;
struct sk_buff;

/* One slot of listeners, by hash of (address, port); wildcard ones by (::, port). */
struct tandem_listen_slot {
	spinlock_t		lock;	/* writers; BH */
	struct hlist_head	head;	/* tandem_sock.listen_node, RCU */
};

int tandem_demux_net_init(struct net *net);
void tandem_demux_net_exit(struct net *net);

/* Fill a key from a segment that came by @wire / from a socket's addresses. */
void tandem_key_from_skb(struct tandem_flow_key *key, const struct sk_buff *skb,
			 u8 wire);
void tandem_key_from_sk(struct tandem_flow_key *key, const struct sock *sk);

/*
 * Find the flow of a received segment.  Under rcu_read_lock(); no reference is
 * taken.  @dif: arrival device, @sdif: the slave's below an l3 master, or 0.
 */
struct tandem_flow *tandem_flow_lookup(struct net *net,
				       const struct tandem_flow_key *key,
				       int dif, int sdif);

/*
 * The connected socket @skb is for, with a reference, or NULL: in front of routing, so
 * that the device it came by is skb_iif.  Under rcu_read_lock().
 */
struct sock *tandem_sk_of_skb(struct net *net, const struct sk_buff *skb, u8 wire);

/* 0, -EADDRNOTAVAIL when the 4-tuple is taken, -ENOMEM. Sets flow->hashed. */
int tandem_flow_insert(struct net *net, struct tandem_flow *flow);
/* Idempotent. */
void tandem_flow_remove(struct net *net, struct tandem_flow *flow);
/*
 * Put @fresh in the place of @old at once, same key, so that no segment ever misses
 * both.  0, or -ENOENT when @old was no longer there (then @fresh is not hashed).
 */
int tandem_flow_replace(struct net *net, struct tandem_flow *old,
			struct tandem_flow *fresh);

/* Socket of a TANDEM_FLOW_SOCK flow. */
struct sock *tandem_flow_sk(struct tandem_flow *flow);

/*
 * The listener for a SYN: highest score (bound address, device, family), then
 * SO_REUSEPORT selection.  Under rcu_read_lock(), no reference.
 */
struct sock *tandem_listener_lookup(struct net *net, struct sk_buff *skb,
				    const struct tandem_flow_key *key,
				    int dif, int sdif);
int tandem_listener_insert(struct sock *sk);	/* may join a reuseport group */
void tandem_listener_remove(struct sock *sk);

/* Socket for @key with a reference, for ICMP errors and diag; or NULL. */
struct sock *tandem_sk_get(struct net *net, const struct tandem_flow_key *key,
			   int dif, int sdif);

/* RFC 6528 ISN, which is another one at any time, and RFC 7323 timestamp offset of a 4-tuple. */
void tandem_numbers(struct net *net, const struct tandem_flow_key *key, u32 *isn,
		    u32 *ts_offset);
u32 tandem_ts_offset(const struct tandem_flow_key *key);

#endif /* _TANDEM_DEMUX_H */
