/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handshake.h - the passive open: SYN at a listener, half-open requests, the child.
 */
#ifndef _TANDEM_HANDSHAKE_H
#define _TANDEM_HANDSHAKE_H

#include <linux/refcount.h>
#include <linux/timer.h>
#include "flow.h"
#include "options.h"

struct sock;
struct sk_buff;
struct tandem_saved_syn;

/**
 * struct tandem_request - a connection between SYN and the ACK of our SYN-ACK
 * @flow:	entry of the flow table
 * @refs:	table + timer + whoever works on it
 * @node:	in tandem_listen.requests, under its lock, while it is alive
 * @listener:	held
 * @timer:	SYN-ACK retransmission; holds a reference
 * @rcu:	for the last reference: lookups need none
 * @lock:	guards what changes after creation: @ts_recent, @snd_us, @retrans,
 *		@resent, @acked, @dead, @last_reply_us
 * @irs:	peer's initial sequence number
 * @iss:	ours
 * @ts_recent:	peer's TSval
 * @ts_recent_us: when it came
 * @ts_offset:	of our timestamp clock
 * @snd_us:	when the first SYN-ACK left, for the RTT sample; 0 after a retransmission
 *		(Karn)
 * @rcv_wnd:	window announced in the SYN-ACK, bytes, at most 65535
 * @peer_wnd:	window in the SYN, bytes (never scaled)
 * @mark:	of what we send, for routing (SO_MARK, net.ipv4.fwmark_reflect)
 * @txhash:	flow hash of what we send, and the child's
 * @iif:	device to answer by, 0: as routed
 * @mss:	peer's MSS option, or the default of RFC 9293 section 3.7.1, bytes
 * @udp_dport:	udp wire: the peer's UDP port
 * @advmss:	our own MSS option, bytes
 * @snd_wscale:	shift count for windows the peer announces
 * @rcv_wscale:	shift count for ours
 * @wscale_ok:	both ends scale
 * @sack_ok:	both ends take SACK
 * @ts_ok:	both ends stamp
 * @ecn_ok:	we agreed to ECN (RFC 3168)
 * @tos:	of the SYN, reflected
 * @retrans:	timeouts so far
 * @resent:	SYN-ACKs sent again, by timer or because the SYN came again
 * @acked:	TCP_DEFER_ACCEPT: the handshake is done, data is not here
 * @dead:	out of every table; whoever holds a reference lets go
 * @last_reply_us: rate limit of what out-of-window segments get
 * @fo_cookie:	fast open: for the SYN-ACK; length 0: none
 * @rto_us:	first timeout, from what is known of the path; 0: nothing is
 * @saved_syn:	TCP_SAVE_SYN: headers of the SYN, until the child has them
 * @ip_opt:	IPv4 options of the SYN, turned round; or NULL
 */
struct tandem_request {
	struct tandem_flow	flow;
	refcount_t		refs;
	spinlock_t		lock;		/* see above */
	union {
		struct list_head	node;
		struct rcu_head		rcu;
	};
	struct sock		*listener;
	struct timer_list	timer;
	u32	irs;
	u32	iss;
	u32	ts_recent;
	u32	ts_offset;
	u64	ts_recent_us;
	u64	snd_us;
	u32	rcv_wnd;
	u32	peer_wnd;
	u32	mark;
	u32	txhash;
	int	iif;
	u16	mss;
	u16	advmss;
	__be16	udp_dport;
	u8	snd_wscale;
	u8	rcv_wscale;
	bool	wscale_ok;
	bool	sack_ok;
	bool	ts_ok;
	bool	ecn_ok;
	u8	tos;
	u8	retrans;
	u8	resent;
	bool	acked;
	bool	dead;
	u64	last_reply_us;
	struct tandem_fo_cookie	fo_cookie;
	u32	rto_us;
	struct tandem_saved_syn	*saved_syn;
	struct ip_options_rcu	*ip_opt;
};

/* A flood of SYNs makes many of them. */
static_assert(sizeof(struct tandem_request) <= 256 || IS_ENABLED(CONFIG_DEBUG_SPINLOCK),
	      "a half-open connection is to fit into 256 bytes");

int tandem_handshake_init(void);		/* slab cache */
void tandem_handshake_exit(void);

/* A segment for which only a listener was found; takes @skb. rcu_read_lock held. */
void tandem_listen_rcv(struct sock *lsk, struct sk_buff *skb);
/* A segment for a half-open connection; takes @skb. rcu_read_lock held. */
void tandem_request_rcv(struct tandem_request *req, struct sk_buff *skb);

/* The end of a half-open connection without a word to the peer; takes its lock. */
void tandem_request_drop(struct tandem_request *req);
void tandem_request_put(struct tandem_request *req);

/* ICMP error for a half-open connection. */
void tandem_request_icmp(struct tandem_request *req, u32 seq);

/*
 * listen() and close() of a listener: make and tear down sk->listen.  Stopping drops
 * every request and resets every connection not yet accepted.  Process context,
 * socket lock held.
 */
/* What is there for listeners alone, made if need be; NULL: no memory. Locked; sleeps. */
struct tandem_listen *tandem_listen_get(struct sock *sk);
int tandem_listen_start(struct sock *sk, int backlog);
void tandem_listen_stop(struct sock *sk);

/*
 * accept(): the oldest ready child, waiting as @flags say; *err as accept(2).
 * Takes the listener's lock itself.
 */
struct sock *tandem_accept(struct sock *sk, int flags, int *err);
/* Is there something to accept?  For poll. */
bool tandem_accept_ready(const struct sock *sk);

/*
 * Fill a child's or SYN's option set from what we offer: used by SYN (output.c) and
 * SYN-ACK.
 */
void tandem_syn_window(const struct sock *sk, u32 *rcv_wnd, u32 *window_clamp,
		       u8 *rcv_wscale);

#endif /* _TANDEM_HANDSHAKE_H */
