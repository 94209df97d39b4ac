// SPDX-License-Identifier: GPL-2.0
/*
 * ports.c - who holds which local port.
 *
 * Every socket with a port, and every TIME-WAIT minisock, has a claim on it.  The
 * claims of one port number (and one l3 master device, where net.ipv4.
 * tcp_l3mdev_accept says so) hang on one struct tandem_port; ports are found in
 * slots by number, and a slot's lock guards everything below it.
 *
 * bind() asks all claims of the port whether they can live with the newcomer: the
 * rules are those of SO_REUSEADDR and SO_REUSEPORT in Linux TCP, see may_share().
 * connect() needs less: the flow table keeps 4-tuples apart, so a port may serve any
 * number of connections as long as nobody asked for it by bind().
 *
 * Ephemeral ports are chosen by double hash, RFC 6056 section 3.3.4 (algorithm 4),
 * with the table of counters and the randomness that later work asks for; connect()
 * prefers the parity of the range's lower end, bind() the other, so that the two
 * seldom meet.
 */
#include <linux/mm.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
#include <net/netns/hash.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>
#include "demux.h"
#include "ports.h"
#include "sock.h"
#include "tcpport.h"
#include "timewait.h"

/* Entries of RFC 6056's table T: 64 Ki, or a tracker could fill it and watch. */
#define PERTURB_SIZE	65536U
/* Ports of TCP's choice that bind() to any port looks at on the tcp wire. */
#define TCP_PORT_TRIES	64

/**
 * struct tandem_port - a port number that somebody holds; gone with its last claim
 * @node:	in the slot
 * @owners:	tandem_claim.node of all who hold it
 * @l3mdev:	ifindex of the l3 master device it belongs to, or 0
 * @num:	the number
 * @wire:	TANDEM_WIRE_*, each a port space of its own
 * @connect_only: no owner ever came by bind(), so connect() may share it
 */
struct tandem_port {
	struct hlist_node	node;
	struct hlist_head	owners;
	int			l3mdev;
	u16			num;
	u8			wire;
	bool			connect_only;
};

/* One end of a comparison: what bind() rules look at in a socket or minisock. */
struct local_end {
	struct in6_addr	addr;		/* IPv4 as v4-mapped, so 0.0.0.0 is ::ffff:0 */
	kuid_t		uid;
	int		dev;
	bool		v4;		/* of an AF_INET socket */
	bool		v6only;
	bool		reuse;
	bool		reuseport;
	bool		listening;
	bool		tw;
};

static struct kmem_cache *port_cache;
static siphash_aligned_key_t port_key;
static u32 *perturb;

static struct tandem_port_slot *port_slot(struct net *net, u16 num)
{
	return &tandem_pernet(net)->ports[num % TANDEM_PORT_SLOTS];
}

static struct tandem_port *find_port(struct tandem_port_slot *slot, u16 num, u8 wire,
				     int l3mdev)
{
	struct tandem_port *port;

	hlist_for_each_entry(port, &slot->head, node)
		if (port->num == num && port->wire == wire && port->l3mdev == l3mdev)
			return port;
	return NULL;
}

/* Put *@fresh in @slot as @num and take it from the caller. */
static struct tandem_port *new_port(struct tandem_port_slot *slot, u16 num, u8 wire,
				    int l3mdev, struct tandem_port **fresh)
{
	struct tandem_port *port = *fresh;

	*fresh = NULL;
	INIT_HLIST_HEAD(&port->owners);
	port->num = num;
	port->wire = wire;
	port->l3mdev = l3mdev;
	port->connect_only = false;
	hlist_add_head(&port->node, &slot->head);
	return port;
}

static void add_claim(struct tandem_port *port, struct tandem_claim *claim)
{
	hlist_add_head(&claim->node, &port->owners);
	claim->port = port;
}

/* A maker's hold stays with what remains of it: connections, TIME-WAIT. */
static void drop_hold(struct tandem_claim *claim)
{
	if (claim->hold_maker)
		tandem_hold_relax(claim->hold);
	tandem_hold_put(claim->hold);
	claim->hold = NULL;
	claim->hold_maker = false;
}

static void remove_claim(struct tandem_claim *claim)
{
	struct tandem_port *port = claim->port;

	hlist_del_init(&claim->node);
	claim->port = NULL;
	drop_hold(claim);
	if (hlist_empty(&port->owners)) {
		hlist_del(&port->node);
		kmem_cache_free(port_cache, port);
	}
}

/* ---- may two live on one port? ---- */

static struct sock *claim_sk(const struct tandem_claim *claim)
{
	return tandem_to_sk(container_of(claim, struct tandem_sock, claim));
}

static void end_of_sk(struct local_end *end, const struct sock *sk)
{
	end->v4 = sk->sk_family == AF_INET;
	end->v6only = !end->v4 && ipv6_only_sock(sk);
#if IS_ENABLED(CONFIG_IPV6)
	if (!end->v4)
		end->addr = sk->sk_v6_rcv_saddr;
	else
#endif
		ipv6_addr_set_v4mapped(READ_ONCE(inet_sk(sk)->inet_rcv_saddr), &end->addr);
	end->uid = tandem_sk_uid(sk);
	end->dev = READ_ONCE(sk->sk_bound_dev_if);
	end->reuse = sk->sk_reuse;
	end->reuseport = sk->sk_reuseport;
	end->listening = READ_ONCE(sk->sk_state) == TCP_LISTEN;
	end->tw = false;
}

static void end_of_claim(struct local_end *end, const struct tandem_claim *claim)
{
	const struct tandem_timewait *tw;

	if (!claim->is_tw) {
		end_of_sk(end, claim_sk(claim));
		return;
	}
	tw = container_of(claim, struct tandem_timewait, claim);
	end->addr = tw->flow.key.laddr;
	end->v4 = !tw->v6;
	end->v6only = tw->v6only;
	end->uid = tw->uid;
	end->dev = tw->flow.bound_dev_if;
	end->reuse = tw->reuse;
	end->reuseport = tw->reuseport;
	end->listening = false;
	end->tw = true;
}

static bool is_any4(const struct in6_addr *mapped)
{
	return !mapped->s6_addr32[3];
}

/* Is there a destination address that both @new and @old would take? */
static bool addrs_overlap(const struct local_end *new, const struct local_end *old)
{
	bool new4 = ipv6_addr_v4mapped(&new->addr);
	bool old4 = ipv6_addr_v4mapped(&old->addr);

	if (new4 && old4)
		return ipv6_addr_equal(&new->addr, &old->addr) ||
		       is_any4(&new->addr) || is_any4(&old->addr);
	if (ipv6_addr_any(&old->addr))
		return !(old->v6only && new4);
	if (ipv6_addr_any(&new->addr))
		return !(new->v6only && old4);
	/*
	 * There is none here, but Linux has an AF_INET socket on 0.0.0.0 collide with
	 * any earlier AF_INET6 one that is not v6only.  Programs know it so.
	 */
	if (new4)
		return new->v4 && is_any4(&new->addr) && !old->v6only;
	return ipv6_addr_equal(&new->addr, &old->addr);
}

/*
 * How strict bind() is.  @relax: SO_REUSEADDR on both and nobody listening is enough.
 * @reuseport_ok: so is SO_REUSEPORT on both and one user.  An explicit port number
 * gets both, a search for a free one starts with neither.
 */
struct strictness {
	bool	relax;
	bool	reuseport_ok;
	bool	group_ok;	/* see reuseport_group_ok() */
};

/* SO_REUSEPORT: both agreed, and one user cannot steal another's connections. */
static bool same_group(const struct local_end *new, const struct local_end *old,
		       const struct strictness *how)
{
	return new->reuseport && old->reuseport && how->group_ok &&
	       (old->tw || uid_eq(new->uid, old->uid));
}

static bool may_share(const struct local_end *new, const struct local_end *old,
		      const struct strictness *how)
{
	if (new->dev && old->dev && new->dev != old->dev)
		return true;
	if (new->reuse && old->reuse && !old->listening) {
		if (how->relax && (how->reuseport_ok || !same_group(new, old, how)))
			return true;
	} else if (how->reuseport_ok && same_group(new, old, how)) {
		return true;
	}
	return !addrs_overlap(new, old);
}

/*
 * A socket that is in a SO_REUSEPORT group already (a BPF program was attached before
 * bind()) may join others only if its group waits for a closed listener's successor.
 */
static bool reuseport_group_ok(const struct sock *sk)
{
	const struct sock_reuseport *group;
	bool ok;

	rcu_read_lock();
	group = rcu_dereference(sk->sk_reuseport_cb);
	ok = !group || READ_ONCE(group->num_closed_socks);
	rcu_read_unlock();
	return ok;
}

static bool port_free_for(const struct sock *sk, const struct tandem_port *port,
			  const struct strictness *how)
{
	const struct tandem_claim *claim;
	struct local_end new, old;

	end_of_sk(&new, sk);
	hlist_for_each_entry(claim, &port->owners, node) {
		if (claim == &tandem_sk(sk)->claim)
			continue;
		end_of_claim(&old, claim);
		if (!may_share(&new, &old, how))
			return false;
	}
	return true;
}

/* ---- bind() ---- */

static int bind_to(struct sock *sk, u16 num, int l3mdev, const struct strictness *how,
		   struct tandem_port **fresh)
{
	struct tandem_port_slot *slot = port_slot(sock_net(sk), num);
	struct tandem_claim *claim = &tandem_sk(sk)->claim;
	u8 wire = tandem_sk(sk)->wire;
	struct tandem_port *port;
	int err = 0;

	spin_lock_bh(&slot->lock);
	/* SO_BINDTODEVICE after bind() does not move a claim to another l3mdev. */
	port = claim->port ? claim->port : find_port(slot, num, wire, l3mdev);
	if (port && !port_free_for(sk, port, how)) {
		err = -EADDRINUSE;
		goto out;
	}
	if (!port)
		port = new_port(slot, num, wire, l3mdev, fresh);
	port->connect_only = false;
	if (!claim->port)
		add_claim(port, claim);
	inet_sk(sk)->inet_num = num;
out:
	spin_unlock_bh(&slot->lock);
	return err;
}

/* Try the ports of [low, high) from a random one on, odd distances from low first. */
static int bind_in_range(struct sock *sk, int low, int high, int l3mdev,
			 const struct strictness *how, struct tandem_port **fresh)
{
	u32 remaining = high - low, offset, i;
	int parity, num;

	if (remaining > 1)
		remaining &= ~1U;
	offset = get_random_u32_below(remaining) | 1U;
	for (parity = 0; parity < 2; parity++, offset--) {
		num = low + offset;
		for (i = 0; i < remaining; i += 2, num += 2) {
			if (num >= high)
				num -= remaining;
			if (!inet_is_local_reserved_port(sock_net(sk), num) &&
			    !bind_to(sk, num, l3mdev, how, fresh))
				return 0;
			cond_resched();
		}
	}
	return -EADDRINUSE;
}

static int bind_any(struct sock *sk, int l3mdev, struct strictness *how,
		    struct tandem_port **fresh)
{
	struct net *net = sock_net(sk);
	int low, high, half, err;

	inet_sk_get_local_port_range(sk, &low, &high);
	high++;
	half = low + (((high - low) >> 2) << 1);
again:
	/* With SO_REUSEADDR stay in the lower half while it has room: more is shared. */
	if (sk->sk_reuse == SK_CAN_REUSE && high - low >= 4) {
		err = bind_in_range(sk, low, half, l3mdev, how, fresh);
		if (err)
			err = bind_in_range(sk, half, high, l3mdev, how, fresh);
	} else {
		err = bind_in_range(sk, low, high, l3mdev, how, fresh);
	}
	if (err && !how->relax && READ_ONCE(net->ipv4.sysctl_ip_autobind_reuse)) {
		how->relax = true;
		goto again;
	}
	return err;
}

static int get_port(struct sock *sk, u16 num, struct strictness *how,
		    struct tandem_port **fresh)
{
	int l3mdev = inet_sk_bound_l3mdev(sk);

	return num ? bind_to(sk, num, l3mdev, how, fresh) :
		     bind_any(sk, l3mdev, how, fresh);
}

/* Is @claim's hold the only one of its port? */
static bool hold_alone(struct net *net, const struct tandem_claim *claim)
{
	struct tandem_port_slot *slot = port_slot(net, claim->port->num);
	const struct tandem_claim *other;
	bool alone = true;

	spin_lock_bh(&slot->lock);
	hlist_for_each_entry(other, &claim->port->owners, node)
		alone &= !other->hold || other->hold == claim->hold;
	spin_unlock_bh(&slot->lock);
	return alone;
}

/*
 * net.ipv4.ip_autobind_reuse on the tcp wire: TCP has no port left to give, but one that
 * only sockets of ours have may be shared.  TCP's own choice leaves our holds alone.
 */
static int share_tcp_port(struct sock *sk, struct strictness *how,
			  struct tandem_port **fresh)
{
	struct tandem_claim *claim = &tandem_sk(sk)->claim;
	int err, tries = TCP_PORT_TRIES;
	u16 num;

	how->relax = true;
	do {
		if (!*fresh)
			*fresh = kmem_cache_alloc(port_cache, GFP_KERNEL);
		if (!*fresh)
			return -ENOMEM;
		err = get_port(sk, 0, how, fresh);
		if (err)
			return err;
		num = inet_sk(sk)->inet_num;
		err = tandem_hold_port(sk, &num);
		if (err)
			tandem_claim_drop(sock_net(sk), claim);
	} while (err == -EADDRINUSE && --tries > 0);
	return err;
}

/*
 * On the tcp wire a port is the kernel's TCP's to give, then ours: among its claims
 * may be a TIME-WAIT that TCP knows nothing of.
 */
static int get_tcp_port(struct sock *sk, u16 num, struct strictness *how,
			struct tandem_port **fresh)
{
	struct tandem_claim *claim = &tandem_sk(sk)->claim;
	int err, tries = num ? 1 : TCP_PORT_TRIES;

	if (claim->port) {	/* listen() */
		err = tandem_hold_check(sk, hold_alone(sock_net(sk), claim));
		return err ? err : get_port(sk, num, how, fresh);
	}
	do {
		u16 got = num;

		err = tandem_hold_port(sk, &got);
		if (err == -EADDRINUSE && !num && sk->sk_reuse &&
		    READ_ONCE(sock_net(sk)->ipv4.sysctl_ip_autobind_reuse))
			return share_tcp_port(sk, how, fresh);
		if (err)
			return err;
		err = get_port(sk, got, how, fresh);
		if (err)
			drop_hold(claim);
	} while (err == -EADDRINUSE && --tries > 0);
	return err;
}

/**
 * tandem_get_port() - proto.get_port: bind to a local port
 * @sk: locked, its local address is set; process context
 * @snum: the port, host order; 0: choose one
 *
 * Return: 0, -EADDRINUSE or -ENOMEM; on the tcp wire also what tandem_hold_port() says.
 */
int tandem_get_port(struct sock *sk, unsigned short snum)
{
	struct strictness how = {
		.relax		= snum,
		.reuseport_ok	= snum,
		.group_ok	= reuseport_group_ok(sk),
	};
	struct tandem_port *fresh = kmem_cache_alloc(port_cache, GFP_KERNEL);
	int err;

	if (!fresh)
		return -ENOMEM;
	if (tandem_sk(sk)->wire == TANDEM_WIRE_TCP)
		err = get_tcp_port(sk, snum, &how, &fresh);
	else
		err = get_port(sk, snum, &how, &fresh);
	if (fresh)
		kmem_cache_free(port_cache, fresh);
	return err;
}

/**
 * tandem_put_port() - proto.put_port: give the port back
 * @sk: locked
 */
void tandem_put_port(struct sock *sk)
{
	tandem_claim_drop(sock_net(sk), &tandem_sk(sk)->claim);
	inet_sk(sk)->inet_num = 0;
}

/* ---- connect() ---- */

/* Is a TIME-WAIT in our way, and may it go?  Not under a port slot's lock. */
static bool reuse_timewait(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);
	struct tandem_flow *other;
	bool freed = false;
	u32 isn;

	rcu_read_lock();
	other = tandem_flow_lookup(net, &tp->flow.key, tp->flow.bound_dev_if, 0);
	if (other && other->kind == TANDEM_FLOW_TIMEWAIT &&
	    tandem_tw_reuse(net, other, &isn)) {
		tp->iss = isn ? : 1;
		freed = true;
	}
	rcu_read_unlock();
	return freed;
}

static int insert_flow(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tandem_key_from_sk(&tp->flow.key, sk);
	tp->flow.kind = TANDEM_FLOW_SOCK;
	tp->flow.bound_dev_if = sk->sk_bound_dev_if;
	return tandem_flow_insert(sock_net(sk), &tp->flow);
}

static void set_local_port(struct sock *sk, u16 num)
{
	inet_sk(sk)->inet_num = num;
	inet_sk(sk)->inet_sport = htons(num);
}

/* The program (or an earlier connection with SOCK_BINDPORT_LOCK) chose the port. */
static int connect_bound(struct sock *sk)
{
	int err;

	if (!tandem_sk(sk)->claim.port) {
		err = tandem_get_port(sk, inet_sk(sk)->inet_num);
		if (err)
			return err == -EADDRINUSE ? -EADDRNOTAVAIL : err;
	}
	inet_sk(sk)->inet_sport = htons(inet_sk(sk)->inet_num);
	err = insert_flow(sk);
	if (err == -EADDRNOTAVAIL && reuse_timewait(sk))
		err = insert_flow(sk);
	return err;
}

static int connect_from_locked(struct sock *sk, struct tandem_port_slot *slot, u16 num,
			       int l3mdev, struct tandem_port **fresh)
{
	struct tandem_port *port = find_port(slot, num, tandem_sk(sk)->wire, l3mdev);
	int err;

	if (port && !port->connect_only)
		return -EADDRINUSE;
	/* A segment may come as soon as the flow is in: be complete by then. */
	set_local_port(sk, num);
	err = insert_flow(sk);
	if (err) {
		set_local_port(sk, 0);
		return err;
	}
	if (!port) {
		port = new_port(slot, num, tandem_sk(sk)->wire, l3mdev, fresh);
		port->connect_only = true;
	}
	add_claim(port, &tandem_sk(sk)->claim);
	return 0;
}

static int connect_from(struct sock *sk, u16 num, int l3mdev, struct tandem_port **fresh)
{
	struct tandem_port_slot *slot = port_slot(sock_net(sk), num);
	bool retried = false;
	int err;

again:
	spin_lock_bh(&slot->lock);
	err = connect_from_locked(sk, slot, num, l3mdev, fresh);
	spin_unlock_bh(&slot->lock);
	if (err != -EADDRNOTAVAIL || retried)
		return err;
	/* The flow's key still says what we wanted. */
	retried = true;
	if (reuse_timewait(sk))
		goto again;
	return err;
}

/* RFC 6056 section 3.3.4: F(), keyed, over all of the 4-tuple that is known. */
static u64 port_offset(const struct sock *sk)
{
	struct {
		struct tandem_flow_key	key;
		u32			net;
	} __aligned(SIPHASH_ALIGNMENT) in;

	memset(&in, 0, sizeof(in));
	tandem_key_from_sk(&in.key, sk);
	in.key.lport = 0;
	in.net = net_hash_mix(sock_net(sk));
	return siphash(&in, sizeof(in), &port_key);
}

/* The kernel's TCP first: from the moment our flow is there its segments are ours. */
static int hold_and_connect_from(struct sock *sk, u16 num, int l3mdev,
				 struct tandem_port **fresh)
{
	int err;

	if (tandem_sk(sk)->wire == TANDEM_WIRE_TCP) {
		err = tandem_hold_port(sk, &num);
		if (err)
			return err;
	}
	err = connect_from(sk, num, l3mdev, fresh);
	if (err)
		drop_hold(&tandem_sk(sk)->claim);
	return err;
}

static int connect_any(struct sock *sk, struct tandem_port **fresh)
{
	int l3mdev = inet_sk_bound_l3mdev(sk);
	u32 remaining, offset, i, *counter;
	int low, high, num, parity, err;
	u64 hash = port_offset(sk);

	inet_sk_get_local_port_range(sk, &low, &high);
	high++;
	remaining = high - low;
	if (remaining > 1)
		remaining &= ~1U;
	counter = &perturb[hash & (PERTURB_SIZE - 1)];
	offset = (READ_ONCE(*counter) + (u32)(hash >> 32)) % remaining;
	offset &= ~1U;

	for (parity = 0; parity < (remaining > 1 ? 2 : 1); parity++, offset++) {
		num = low + offset;
		for (i = 0; i < remaining; i += 2, num += 2) {
			if (num >= high)
				num -= remaining;
			if (inet_is_local_reserved_port(sock_net(sk), num))
				continue;
			err = hold_and_connect_from(sk, num, l3mdev, fresh);
			if (!err) {
				/* Some noise, or the counter tells how busy we are. */
				i = max(i, get_random_u32_below(8) * 2);
				WRITE_ONCE(*counter, READ_ONCE(*counter) + i + 2);
				return 0;
			}
			if (err != -EADDRINUSE && err != -EADDRNOTAVAIL)
				return err;
			cond_resched();
		}
	}
	return -EADDRNOTAVAIL;
}

/**
 * tandem_connect_port() - port and place in the flow table for an active open
 * @sk: locked, addresses and peer's port are set; process context
 *
 * Return: 0, -EADDRNOTAVAIL when the 4-tuple or every port is taken, -ENOMEM.
 */
int tandem_connect_port(struct sock *sk)
{
	struct tandem_port *fresh;
	int err;

	tandem_sk(sk)->iss = 0;
	if (tandem_sk(sk)->claim.port || inet_sk(sk)->inet_num)
		return connect_bound(sk);

	fresh = kmem_cache_alloc(port_cache, GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	err = connect_any(sk, &fresh);
	if (fresh)
		kmem_cache_free(port_cache, fresh);
	return err;
}

/* ---- claims that change hands ---- */

/**
 * tandem_claim_inherit() - a child of accept() holds the listener's port too
 * @parent: the listener, which may be closing
 * @child: clone of it, locked; its claim is overwritten
 *
 * Return: 0, or -ENOENT when the listener has given the port back.
 */
int tandem_claim_inherit(const struct sock *parent, struct sock *child)
{
	struct tandem_claim *claim = &tandem_sk(child)->claim;
	struct tandem_port_slot *slot = port_slot(sock_net(child), inet_sk(child)->inet_num);
	struct tandem_port *port;
	int err = -ENOENT;

	memset(claim, 0, sizeof(*claim));
	spin_lock_bh(&slot->lock);
	/* A port of another slot would be guarded by another lock: look, do not touch. */
	port = READ_ONCE(tandem_sk(parent)->claim.port);
	if (port && inet_sk(parent)->inet_num == inet_sk(child)->inet_num) {
		add_claim(port, claim);
		claim->hold = tandem_hold_get(tandem_sk(parent)->claim.hold);
		err = 0;
	}
	spin_unlock_bh(&slot->lock);
	return err;
}

/**
 * tandem_claim_move() - TIME-WAIT takes over a socket's claim
 * @net: their netns
 * @from: the socket's, which is locked
 * @to: the minisock's
 */
void tandem_claim_move(struct net *net, struct tandem_claim *from,
		       struct tandem_claim *to)
{
	struct tandem_port *port = from->port;
	struct sock *sk = claim_sk(from);
	struct tandem_port_slot *slot;

	memset(to, 0, sizeof(*to));
	to->is_tw = true;
	if (!port)
		return;
	slot = port_slot(net, port->num);
	spin_lock_bh(&slot->lock);
	add_claim(port, to);
	to->hold = tandem_hold_get(from->hold);
	/* connect(AF_UNSPEC), then connect() again must find the port still bound. */
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK) || sock_flag(sk, SOCK_DEAD)) {
		remove_claim(from);
		inet_sk(sk)->inet_num = 0;
	}
	spin_unlock_bh(&slot->lock);
}

/**
 * tandem_claim_drop() - release a claim
 * @net: the owner's netns
 * @claim: may be none; only its owner calls this
 */
void tandem_claim_drop(struct net *net, struct tandem_claim *claim)
{
	struct tandem_port *port = claim->port;
	struct tandem_port_slot *slot;

	if (!port)
		return;
	slot = port_slot(net, port->num);
	spin_lock_bh(&slot->lock);
	remove_claim(claim);
	/* As inet_bind() wants it for a socket that is used again. */
	if (!claim->is_tw)
		inet_sk(claim_sk(claim))->inet_num = 0;
	spin_unlock_bh(&slot->lock);
}

/* ---- init ---- */

int tandem_ports_init(void)
{
	port_cache = KMEM_CACHE(tandem_port, SLAB_HWCACHE_ALIGN);
	if (!port_cache)
		return -ENOMEM;
	perturb = kvmalloc_array(PERTURB_SIZE, sizeof(*perturb), GFP_KERNEL);
	if (!perturb) {
		kmem_cache_destroy(port_cache);
		return -ENOMEM;
	}
	get_random_bytes(perturb, PERTURB_SIZE * sizeof(*perturb));
	get_random_bytes(&port_key, sizeof(port_key));
	return 0;
}

void tandem_ports_exit(void)
{
	kvfree(perturb);
	kmem_cache_destroy(port_cache);
}

int tandem_ports_net_init(struct net *net)
{
	struct tandem_port_slot *slots;
	unsigned int i;

	slots = kvmalloc_array(TANDEM_PORT_SLOTS, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < TANDEM_PORT_SLOTS; i++) {
		spin_lock_init(&slots[i].lock);
		INIT_HLIST_HEAD(&slots[i].head);
	}
	tandem_pernet(net)->ports = slots;
	return 0;
}

void tandem_ports_net_exit(struct net *net)
{
	struct tandem_port_slot *slots = tandem_pernet(net)->ports;
	unsigned int i;

	for (i = 0; i < TANDEM_PORT_SLOTS; i++)
		WARN_ON_ONCE(!hlist_empty(&slots[i].head));
	kvfree(slots);
}
