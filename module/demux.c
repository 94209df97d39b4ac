// SPDX-License-Identifier: GPL-2.0
/*
 * demux.c - whose segment is it?
 *
 * Two tables per netns.  The flow table is an rhashtable by 4-tuple, IPv4 addresses
 * v4-mapped, with everything that has a peer: sockets, half-open requests, TIME-WAIT
 * minisocks.  The listener slots hold sockets that wait for a SYN, by (local address,
 * port); a SYN asks first for its exact address, then for the wildcard.
 *
 * A flow changes its owner (request to socket, socket to minisock) by replacement
 * in its place, so that no segment ever finds nobody.  Readers hold rcu_read_lock()
 * and nothing else: sockets have SOCK_RCU_FREE and minisocks are freed by call_rcu().
 *
 * Remote hosts choose their half of the 4-tuple, so hashes are keyed with a secret of
 * this boot, and so are initial sequence numbers (RFC 6528) and the start of each
 * connection's timestamp clock (RFC 7323 section 5.4).  The flow table's hash is the
 * kernel's TCP's, jhash: half the work of hsiphash, for every segment; where nothing but
 * a listener is found, and for the numbers, it is the stronger ones.
 */
#include <linux/jhash.h>
#include <linux/net.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>
#include "demux.h"
#include "family.h"
#include "handshake.h"
#include "sock.h"
#include "timewait.h"

static u32 flow_secret __read_mostly;
static hsiphash_key_t table_key __read_mostly;
static siphash_key_t number_key __read_mostly;

/* ---- keys ---- */

void tandem_key_from_skb(struct tandem_flow_key *key, const struct sk_buff *skb,
			 u8 wire)
{
	const struct tcphdr *th = tandem_hdr(skb);

	BUILD_BUG_ON(sizeof(*key) != 40);	/* every byte is hashed: no padding */
	memset(key->zero, 0, sizeof(key->zero));
	key->wire = wire;
	if (tandem_skb_v6(skb)) {
		key->laddr = ipv6_hdr(skb)->daddr;
		key->raddr = ipv6_hdr(skb)->saddr;
	} else {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &key->laddr);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &key->raddr);
	}
	key->lport = th->dest;
	key->rport = th->source;
}

/* The address @sk is bound to; 0.0.0.0 is ::ffff:0.0.0.0 here. */
static void sk_local_addr(const struct sock *sk, struct in6_addr *addr)
{
	if (sk->sk_family == AF_INET6)
		*addr = sk->sk_v6_rcv_saddr;
	else
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_rcv_saddr, addr);
}

void tandem_key_from_sk(struct tandem_flow_key *key, const struct sock *sk)
{
	sk_local_addr(sk, &key->laddr);
	if (sk->sk_family == AF_INET6)
		key->raddr = sk->sk_v6_daddr;
	else
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_daddr, &key->raddr);
	key->lport = inet_sk(sk)->inet_sport;
	key->rport = inet_sk(sk)->inet_dport;
	key->wire = tandem_sk(sk)->wire;
	memset(key->zero, 0, sizeof(key->zero));
}

/* ---- the flow table ---- */

/* What a lookup compares: @insert is set for a would-be owner of the 4-tuple. */
struct demux_match {
	const struct tandem_flow_key	*key;
	u32				hash;
	int				dif;
	int				sdif;
	bool				insert;
};

/* Of a v4-mapped address only the last word says anything: half the work. */
static bool key_v4(const struct tandem_flow_key *key)
{
	return ipv6_addr_v4mapped(&key->laddr) && ipv6_addr_v4mapped(&key->raddr);
}

static u32 key_ports(const struct tandem_flow_key *key)
{
	return (__force u32)key->lport << 16 | (__force u16)key->rport;
}

static __always_inline u32 hash_v4(__be32 laddr, __be32 raddr, u32 ports, u8 wire)
{
	return jhash_3words((__force u32)laddr, (__force u32)raddr, ports,
			    flow_secret + wire);
}

static u32 key_hash(const struct tandem_flow_key *key)
{
	if (key_v4(key))
		return hash_v4(key->laddr.s6_addr32[3], key->raddr.s6_addr32[3],
			       key_ports(key), key->wire);
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), flow_secret);
}

/* The same for numbers that others must not guess, with a key of their own. */
static u64 key_secret(const struct tandem_flow_key *key, const siphash_key_t *secret)
{
	if (!key_v4(key))
		return siphash(key, sizeof(*key), secret);
	return siphash_4u32((__force u32)key->laddr.s6_addr32[3],
			    (__force u32)key->raddr.s6_addr32[3], key_ports(key),
			    key->wire, secret);
}

static bool key_equal(const struct tandem_flow_key *a, const struct tandem_flow_key *b)
{
	return ipv6_addr_equal(&a->laddr, &b->laddr) &&
	       ipv6_addr_equal(&a->raddr, &b->raddr) && key_ports(a) == key_ports(b) &&
	       a->wire == b->wire;
}

static u32 flow_hashfn(const void *data, u32 len, u32 seed)
{
	const struct demux_match *match = data;

	return match->hash ^ seed;
}

static u32 flow_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct tandem_flow *flow = data;

	return flow->hash ^ seed;
}

/*
 * An owner that is bound to a device takes only what came in there, one that is not
 * takes anything but what an l3 master (VRF) delivers, as if net.ipv4.
 * tcp_l3mdev_accept were off.
 */
static bool dev_match(int bound, int dif, int sdif)
{
	return bound ? bound == dif || bound == sdif : !sdif;
}

/* SO_BINDTODEVICE works on a connected socket too. */
static int flow_device(const struct tandem_flow *flow)
{
	if (flow->kind == TANDEM_FLOW_SOCK)
		return READ_ONCE(container_of_const(flow, struct tandem_sock,
						    flow)->inet.sk.sk_bound_dev_if);
	return flow->bound_dev_if;
}

/* rhashtable's way: 0 when equal. */
static int flow_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct demux_match *match = arg->key;
	const struct tandem_flow *flow = obj;
	int bound;

	if (match->hash != flow->hash || !key_equal(match->key, &flow->key))
		return 1;
	bound = flow_device(flow);
	/* Two may have one 4-tuple only on two devices. */
	if (match->insert)
		return bound && match->dif && bound != match->dif;
	return !dev_match(bound, match->dif, match->sdif);
}

static const struct rhashtable_params flow_params = {
	.head_offset		= offsetof(struct tandem_flow, node),
	.hashfn			= flow_hashfn,
	.obj_hashfn		= flow_obj_hashfn,
	.obj_cmpfn		= flow_cmpfn,
	.key_len		= sizeof(struct tandem_flow_key),
	.min_size		= 256,
	.automatic_shrinking	= true,
};

struct tandem_flow *tandem_flow_lookup(struct net *net,
				       const struct tandem_flow_key *key,
				       int dif, int sdif)
{
	struct demux_match match = {
		.key = key,
		.hash = key_hash(key),
		.dif = dif,
		.sdif = sdif,
	};

	return rhashtable_lookup(&tandem_pernet(net)->flows, &match, flow_params);
}

/* The same for each IPv4 segment that comes in, without making a key of it. */
struct v4_match {
	__be32	laddr;
	__be32	raddr;
	u32	ports;
	u32	hash;
	int	dif;
	u8	wire;
};

static u32 v4_hashfn(const void *data, u32 len, u32 seed)
{
	const struct v4_match *match = data;

	return match->hash ^ seed;
}

static int v4_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct v4_match *match = arg->key;
	const struct tandem_flow *flow = obj;

	return match->hash != flow->hash || match->ports != key_ports(&flow->key) ||
	       match->laddr != flow->key.laddr.s6_addr32[3] ||
	       match->raddr != flow->key.raddr.s6_addr32[3] ||
	       match->wire != flow->key.wire || !flow->v4 ||
	       !dev_match(flow_device(flow), match->dif, 0);
}

/* To look up with, and nothing else: flow_params says how the table grows. */
static const struct rhashtable_params v4_params = {
	.head_offset	= offsetof(struct tandem_flow, node),
	.hashfn		= v4_hashfn,
	.obj_cmpfn	= v4_cmpfn,
	.key_len	= sizeof(struct v4_match),
};

static struct tandem_flow *lookup_v4(struct net *net, const struct sk_buff *skb, u8 wire)
{
	const struct tcphdr *th = tandem_hdr(skb);
	struct v4_match match = {
		.laddr = ip_hdr(skb)->daddr,
		.raddr = ip_hdr(skb)->saddr,
		.ports = (__force u32)th->dest << 16 | (__force u16)th->source,
		.dif = skb->skb_iif,
		.wire = wire,
	};

	match.hash = hash_v4(match.laddr, match.raddr, match.ports, wire);
	return rhashtable_lookup(&tandem_pernet(net)->flows, &match, v4_params);
}

static noinline struct tandem_flow *lookup_v6(struct net *net, const struct sk_buff *skb,
					      u8 wire)
{
	struct tandem_flow_key key;

	tandem_key_from_skb(&key, skb, wire);
	return tandem_flow_lookup(net, &key, skb->skb_iif, 0);
}

struct sock *tandem_sk_of_skb(struct net *net, const struct sk_buff *skb, u8 wire)
{
	struct tandem_flow *flow = tandem_skb_v6(skb) ? lookup_v6(net, skb, wire) :
							lookup_v4(net, skb, wire);
	struct sock *sk;

	if (!flow || flow->kind != TANDEM_FLOW_SOCK)
		return NULL;
	sk = tandem_flow_sk(flow);
	return refcount_inc_not_zero(&sk->sk_refcnt) ? sk : NULL;
}

/**
 * tandem_flow_insert() - make @flow the owner of its 4-tuple
 * @net: netns
 * @flow: key, kind and bound_dev_if are set; the caller holds its owner's lock
 *
 * Return: 0; -EADDRNOTAVAIL when the 4-tuple has an owner that is not bound to
 * another device; -ENOMEM.
 */
int tandem_flow_insert(struct net *net, struct tandem_flow *flow)
{
	struct demux_match match = {
		.key = &flow->key,
		.hash = key_hash(&flow->key),
		.dif = flow->bound_dev_if,
		.insert = true,
	};
	int err;

	if (WARN_ON_ONCE(flow->hashed))
		return -EADDRNOTAVAIL;
	/* A reader may find it before we are back. */
	flow->hash = match.hash;
	flow->v4 = key_v4(&flow->key);
	flow->hashed = true;
	err = rhashtable_lookup_insert_key(&tandem_pernet(net)->flows, &match,
					   &flow->node, flow_params);
	if (!err)
		return 0;
	flow->hashed = false;
	return err == -EEXIST ? -EADDRNOTAVAIL : -ENOMEM;
}

void tandem_flow_remove(struct net *net, struct tandem_flow *flow)
{
	if (!flow->hashed)
		return;
	flow->hashed = false;
	rhashtable_remove_fast(&tandem_pernet(net)->flows, &flow->node, flow_params);
}

int tandem_flow_replace(struct net *net, struct tandem_flow *old,
			struct tandem_flow *fresh)
{
	int err;

	if (!old->hashed)
		return -ENOENT;
	fresh->hash = old->hash;	/* one key, see demux.h */
	fresh->v4 = old->v4;
	fresh->hashed = true;
	err = rhashtable_replace_fast(&tandem_pernet(net)->flows, &old->node,
				      &fresh->node, flow_params);
	if (err) {
		fresh->hashed = false;
		return -ENOENT;
	}
	old->hashed = false;
	return 0;
}

struct sock *tandem_flow_sk(struct tandem_flow *flow)
{
	return tandem_to_sk(container_of(flow, struct tandem_sock, flow));
}

struct sock *tandem_sk_get(struct net *net, const struct tandem_flow_key *key,
			   int dif, int sdif)
{
	struct tandem_flow *flow;
	struct sock *sk = NULL;

	rcu_read_lock();
	flow = tandem_flow_lookup(net, key, dif, sdif);
	if (flow && flow->kind == TANDEM_FLOW_SOCK) {
		sk = tandem_flow_sk(flow);
		if (!refcount_inc_not_zero(&sk->sk_refcnt))
			sk = NULL;
	}
	rcu_read_unlock();
	return sk;
}

/* ---- listeners ---- */

/* Wildcards of both families share a slot: one look for both. */
static bool addr_is_any(const struct in6_addr *addr)
{
	return ipv6_addr_any(addr) || (ipv6_addr_v4mapped(addr) && !addr->s6_addr32[3]);
}

static struct tandem_listen_slot *listen_slot(struct net *net,
					      const struct in6_addr *addr, u16 num)
{
	struct {
		struct in6_addr	addr;
		u32		num;
	} in = { .num = num };

	if (!addr_is_any(addr))
		in.addr = *addr;
	return &tandem_pernet(net)->listeners[hsiphash(&in, sizeof(in), &table_key) %
					      TANDEM_LISTEN_SLOTS];
}

/*
 * -1: not for @sk.  Among those that match, the address decided already (which slot);
 * then a bound device counts more than the exact family, and that more than the CPU.
 */
static int listener_score(const struct sock *sk, const struct tandem_flow_key *key,
			  bool v4, int dif, int sdif)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	struct in6_addr addr;
	int score = 0;

	if (READ_ONCE(inet_sk(sk)->inet_num) != ntohs(key->lport) ||
	    tandem_sk(sk)->wire != key->wire || !dev_match(bound, dif, sdif))
		return -1;
	sk_local_addr(sk, &addr);
	if (ipv6_addr_any(&addr)) {
		if (v4 && ipv6_only_sock(sk))
			return -1;
	} else if (addr_is_any(&addr)) {
		if (!v4)
			return -1;
	} else if (!ipv6_addr_equal(&addr, &key->laddr)) {
		return -1;
	}
	if (bound)
		score += 4;
	if (sk->sk_family == (v4 ? AF_INET : AF_INET6))
		score += 2;
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		score++;
	return score;
}

static struct sock *slot_lookup(struct tandem_listen_slot *slot,
				const struct tandem_flow_key *key, int dif, int sdif)
{
	bool v4 = ipv6_addr_v4mapped(&key->laddr);
	struct sock *best = NULL;
	struct tandem_sock *tp;
	int score, hiscore = -1;

	hlist_for_each_entry_rcu(tp, &slot->head, listen_node) {
		score = listener_score(tandem_to_sk(tp), key, v4, dif, sdif);
		if (score > hiscore) {
			hiscore = score;
			best = tandem_to_sk(tp);
		}
	}
	return best;
}

struct sock *tandem_listener_lookup(struct net *net, struct sk_buff *skb,
				    const struct tandem_flow_key *key,
				    int dif, int sdif)
{
	u16 num = ntohs(key->lport);
	struct sock *sk, *chosen;

	sk = slot_lookup(listen_slot(net, &key->laddr, num), key, dif, sdif);
	if (!sk)
		sk = slot_lookup(listen_slot(net, &in6addr_any, num), key, dif, sdif);
	if (!sk || !sk->sk_reuseport)
		return sk;
	chosen = reuseport_select_sock(sk, key_hash(key), skb,
				       tandem_hdr_len(tandem_hdr(skb)));
	return chosen ? chosen : sk;
}

/* Do the two share every SYN, so that SO_REUSEPORT balances between them? */
static bool same_group(const struct sock *sk, const struct sock *other)
{
	struct in6_addr addr, other_addr;

	if (!other->sk_reuseport || other->sk_family != sk->sk_family ||
	    inet_sk(other)->inet_num != inet_sk(sk)->inet_num ||
	    tandem_sk(other)->wire != tandem_sk(sk)->wire ||
	    other->sk_bound_dev_if != sk->sk_bound_dev_if ||
	    ipv6_only_sock(other) != ipv6_only_sock(sk) ||
	    !uid_eq(tandem_sk_uid(other), tandem_sk_uid(sk)))
		return false;
	sk_local_addr(sk, &addr);
	sk_local_addr(other, &other_addr);
	return ipv6_addr_equal(&addr, &other_addr);
}

static int join_reuseport(struct tandem_listen_slot *slot, struct sock *sk)
{
	struct tandem_sock *tp;
	struct in6_addr addr;
	bool any;

	sk_local_addr(sk, &addr);
	any = addr_is_any(&addr);
	hlist_for_each_entry(tp, &slot->head, listen_node)
		if (same_group(sk, tandem_to_sk(tp)))
			return reuseport_add_sock(sk, tandem_to_sk(tp), any);
	return reuseport_alloc(sk, any);
}

static struct tandem_listen_slot *sk_listen_slot(const struct sock *sk)
{
	struct in6_addr addr;

	sk_local_addr(sk, &addr);
	return listen_slot(sock_net(sk), &addr, inet_sk(sk)->inet_num);
}

/**
 * tandem_listener_insert() - from now on SYNs find @sk
 * @sk: locked; bound, its address stays until tandem_listener_remove()
 *
 * Return: 0, or -ENOMEM or what reuseport_add_sock() says when SO_REUSEPORT is on.
 */
int tandem_listener_insert(struct sock *sk)
{
	struct tandem_listen_slot *slot = sk_listen_slot(sk);
	int err = 0;

	spin_lock_bh(&slot->lock);
	if (sk->sk_reuseport)
		err = join_reuseport(slot, sk);
	if (!err)
		hlist_add_head_rcu(&tandem_sk(sk)->listen_node, &slot->head);
	spin_unlock_bh(&slot->lock);
	return err;
}

void tandem_listener_remove(struct sock *sk)
{
	struct tandem_listen_slot *slot;

	if (hlist_unhashed(&tandem_sk(sk)->listen_node))
		return;
	slot = sk_listen_slot(sk);
	spin_lock_bh(&slot->lock);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	hlist_del_init_rcu(&tandem_sk(sk)->listen_node);
	spin_unlock_bh(&slot->lock);
}

/* ---- numbers that others must not guess ---- */

/*
 * RFC 6528: ISN = M + F(4-tuple, secret).  M ticks every 64 ns as Linux's does, not
 * every 4 us: at today's rates a slower clock would let a new connection's numbers
 * run into an old one's.  Of F's 64 bits the other half starts the timestamp clock: who
 * knows one of the halves, and both are told to the peer, knows nothing of the other.
 */
void tandem_numbers(struct net *net, const struct tandem_flow_key *key, u32 *isn,
		    u32 *ts_offset)
{
	u32 fixed = tandem_knob(net, isn_fixed);
	u64 f = key_secret(key, &number_key);

	*isn = unlikely(fixed) ? fixed : (u32)f + (u32)(ktime_get_ns() >> 6);
	*ts_offset = f >> 32;
}

u32 tandem_ts_offset(const struct tandem_flow_key *key)
{
	return key_secret(key, &number_key) >> 32;
}

/* ---- per netns ---- */

int tandem_demux_net_init(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	int i, err;

	net_get_random_once(&flow_secret, sizeof(flow_secret));
	net_get_random_once(&table_key, sizeof(table_key));
	net_get_random_once(&number_key, sizeof(number_key));

	tn->listeners = kvcalloc(TANDEM_LISTEN_SLOTS, sizeof(*tn->listeners), GFP_KERNEL);
	if (!tn->listeners)
		return -ENOMEM;
	for (i = 0; i < TANDEM_LISTEN_SLOTS; i++) {
		spin_lock_init(&tn->listeners[i].lock);
		INIT_HLIST_HEAD(&tn->listeners[i].head);
	}
	err = rhashtable_init(&tn->flows, &flow_params);
	if (err)
		kvfree(tn->listeners);
	return err;
}

void tandem_demux_net_exit(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	WARN_ON_ONCE(atomic_read(&tn->flows.nelems));
	rhashtable_destroy(&tn->flows);
	kvfree(tn->listeners);
}
