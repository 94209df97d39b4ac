// SPDX-License-Identifier: GPL-2.0
/*
 * ipv6.c - all that is IPv6 about a segment: routes, addresses, flow labels,
 * checksums, ICMPv6, and the registration of the protocol.
 *
 * A socket keeps its route in sk_dst_cache with the cookie in np->dst_cookie.  A
 * connect() to a v4-mapped address switches the socket to tandem_mapped_ops and goes
 * on in ipv4.c.
 */
#include <linux/icmpv6.h>
#include <linux/in6.h>
#include <linux/security.h>
#include <linux/seg6.h>
#include <net/inet_common.h>
#include <net/inet_ecn.h>
#include <net/inet_hashtables.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/protocol.h>
#include <net/transp_v6.h>
#include <net/xfrm.h>
#include "demux.h"
#include "encap.h"
#include "family.h"
#include "goal.h"
#include "gro.h"
#include "handshake.h"
#include "offload.h"
#include "output.h"
#include "ports.h"
#include "recovery.h"
#include "socket.h"
#include "state.h"
#include "wire.h"

/* RFC 9293 section 3.7.1: without an MSS option. */
#define V6_MSS_DEFAULT	(IPV6_MIN_MTU - sizeof(struct tcphdr) - sizeof(struct ipv6hdr))

/* ---- checksum ---- */

/* See v4_sum(). */
static void v6_sum(struct sk_buff *skb, const struct in6_addr *saddr,
		   const struct in6_addr *daddr, u8 proto)
{
	struct tcphdr *th = tandem_hdr(skb);

	th->check = 0;
	skb->ip_summed = CHECKSUM_NONE;
	if (proto == IPPROTO_UDP)
		return;
	if (proto == IPPROTO_TCP || skb_is_gso(skb)) {
		th->check = ~csum_ipv6_magic(saddr, daddr, skb->len, proto, 0);
		tandem_sum_later(skb);
		return;
	}
	th->check = csum_ipv6_magic(saddr, daddr, skb->len, proto,
				    tandem_sum(skb));
}

static void v6_checksum(struct sock *sk, struct sk_buff *skb)
{
	v6_sum(skb, &inet6_sk(sk)->saddr, &sk->sk_v6_daddr, tandem_sk_proto(sk));
}

/* ---- routes ---- */

/*
 * A routing header sends the packet to its first hop: look up that, and remember the
 * final destination in *@final.  NULL: there is no such header.
 */
static struct in6_addr *first_hop(struct flowi6 *fl6, const struct ipv6_txoptions *opt,
				  struct in6_addr *final)
{
	const struct ipv6_sr_hdr *srh;

	if (!opt || !opt->srcrt)
		return NULL;
	*final = fl6->daddr;
	switch (opt->srcrt->type) {
	case IPV6_SRCRT_TYPE_0:
	case IPV6_SRCRT_STRICT:
	case IPV6_SRCRT_TYPE_2:
		fl6->daddr = ((const struct rt0_hdr *)opt->srcrt)->addr[0];
		return final;
	case IPV6_SRCRT_TYPE_4:
		srh = (const struct ipv6_sr_hdr *)opt->srcrt;
		fl6->daddr = srh->segments[srh->segments_left];
		return final;
	}
	return NULL;
}

/* Takes @dst; @sk is locked or nobody else's. */
static void keep_route(struct sock *sk, struct dst_entry *dst)
{
	tandem_ip6_dst_store(sk, dst);
	tandem_soft_gso(sk, dst);
}

/* The route of a connected socket; kept by the socket. Locked. */
static struct dst_entry *v6_route_sk(struct sock *sk, struct flowi6 *fl6)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct in6_addr *final_p, final;
	struct dst_entry *dst;

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = tandem_sk_proto(sk);
	fl6->daddr = sk->sk_v6_daddr;
	fl6->saddr = np->saddr;
	fl6->flowlabel = np->flow_label;
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = READ_ONCE(sk->sk_mark);
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
	fl6->fl6_dport = inet_sk(sk)->inet_dport;
	fl6->flowi6_uid = tandem_sk_uid(sk);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));

	dst = __sk_dst_check(sk, np->dst_cookie);
	if (dst)
		return dst;
	rcu_read_lock();
	final_p = first_hop(fl6, rcu_dereference(np->opt), &final);
	rcu_read_unlock();
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, fl6, final_p);
	if (!IS_ERR(dst))
		keep_route(sk, dst);
	return dst;
}

static int v6_rebuild_header(struct sock *sk)
{
	struct dst_entry *dst;
	struct flowi6 fl6;

	if (__sk_dst_check(sk, inet6_sk(sk)->dst_cookie))
		return 0;
	dst = v6_route_sk(sk, &fl6);
	if (!IS_ERR(dst))
		return 0;
	sk->sk_route_caps = 0;
	WRITE_ONCE(sk->sk_err_soft, -PTR_ERR(dst));
	return PTR_ERR(dst);
}

static int v6_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct dst_entry *dst;
	struct flowi6 fl6;
	int err;

	dst = v6_route_sk(sk, &fl6);
	if (IS_ERR(dst)) {
		WRITE_ONCE(sk->sk_err_soft, -PTR_ERR(dst));
		sk->sk_route_caps = 0;
		kfree_skb(skb);
		return PTR_ERR(dst);
	}
	if (fl6.flowi6_proto == IPPROTO_UDP &&
	    !tandem_encap_push6(sock_net(sk), skb, &np->saddr, &sk->sk_v6_daddr,
				tandem_sk(sk)->udp_dport)) {
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	rcu_read_lock();
	skb_dst_set_noref(skb, dst);
	/* ip6_xmit() goes by the routing header itself. */
	fl6.daddr = sk->sk_v6_daddr;
	err = ip6_xmit(sk, skb, &fl6, READ_ONCE(sk->sk_mark), rcu_dereference(np->opt),
		       np->tclass, READ_ONCE(sk->sk_priority));
	rcu_read_unlock();
	return err;
}

static void request_flow(const struct sock *lsk, const struct tandem_request *req,
			 struct flowi6 *fl6)
{
	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = tandem_sk_proto(lsk);
	fl6->daddr = req->flow.key.raddr;
	fl6->saddr = req->flow.key.laddr;
	fl6->flowi6_oif = req->iif;
	fl6->flowi6_mark = req->mark;
	fl6->fl6_sport = req->flow.key.lport;
	fl6->fl6_dport = req->flow.key.rport;
	fl6->flowi6_uid = tandem_sk_uid(lsk);
	security_sk_classify_flow((struct sock *)lsk, flowi6_to_flowi_common(fl6));
}

/* rcu_read_lock held. */
static struct dst_entry *v6_route_child(const struct sock *lsk,
					struct tandem_request *req)
{
	struct in6_addr *final_p, final;
	struct dst_entry *dst;
	struct flowi6 fl6;

	request_flow(lsk, req, &fl6);
	final_p = first_hop(&fl6, rcu_dereference(inet6_sk(lsk)->opt), &final);
	dst = ip6_dst_lookup_flow(sock_net(lsk), lsk, &fl6, final_p);
	return IS_ERR(dst) ? NULL : dst;
}

/* ---- segments without a full socket ---- */

void tandem_v6_reply(struct net *net, const struct sock *sk, struct sk_buff *skb,
		     struct sk_buff *out, const struct tandem_reply *reply)
{
	struct sock *ctl = tandem_pernet(net)->ctl6;
	const struct tcphdr *th = tandem_hdr(out);
	struct flowi6 fl6 = {
		.daddr = ipv6_hdr(skb)->saddr,
		.saddr = ipv6_hdr(skb)->daddr,
	};
	struct dst_entry *dst;

	fl6.flowi6_proto = tandem_wire_proto(TANDEM_CB(skb)->wire);
	v6_sum(out, &fl6.saddr, &fl6.daddr, fl6.flowi6_proto);
	if (rt6_need_strict(&fl6.daddr) && !reply->oif)
		fl6.flowi6_oif = TANDEM_CB(skb)->dif;
	else
		fl6.flowi6_oif = tandem_reply_oif(net, skb, reply->oif);
	fl6.flowi6_mark = IP6_REPLY_MARK(net, skb->mark) ?: reply->mark;
	fl6.fl6_dport = th->dest;
	fl6.fl6_sport = th->source;
	fl6.flowi6_uid = sk ? tandem_sk_uid(sk) : sock_net_uid(net, NULL);
	security_skb_classify_flow(skb, flowi6_to_flowi_common(&fl6));
	dst = ip6_dst_lookup_flow(net, sk ? sk : ctl, &fl6, NULL);
	if (IS_ERR(dst)) {
		kfree_skb(out);
		return;
	}
	skb_dst_set(out, dst);
	if (fl6.flowi6_proto == IPPROTO_UDP &&
	    !tandem_encap_push6(net, out, &fl6.saddr, &fl6.daddr,
				TANDEM_CB(skb)->udp_sport)) {
		kfree_skb(out);
		return;
	}
	ip6_xmit(ctl, out, &fl6, fl6.flowi6_mark, NULL, reply->tos & ~INET_ECN_MASK, 0);
}

/* rcu_read_lock held. */
static int v6_send_synack(const struct sock *lsk, struct tandem_request *req,
			  struct sk_buff *skb, struct dst_entry *dst)
{
	const struct ipv6_pinfo *np = inet6_sk(lsk);
	struct flowi6 fl6;

	request_flow(lsk, req, &fl6);
	v6_sum(skb, &fl6.saddr, &fl6.daddr, fl6.flowi6_proto);
	if (fl6.flowi6_proto == IPPROTO_UDP &&
	    !tandem_encap_push6(sock_net(lsk), skb, &fl6.saddr, &fl6.daddr,
				req->udp_dport)) {
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	skb_dst_set(skb, dst_clone(dst));
	return ip6_xmit(lsk, skb, &fl6, req->mark, rcu_dereference(np->opt),
			np->tclass & ~INET_ECN_MASK, READ_ONCE(lsk->sk_priority));
}

bool tandem_v6_unicast(const struct sk_buff *skb)
{
	/* A mapped address on the wire would pass for an IPv4 host's. */
	return ipv6_unicast_destination(skb) &&
	       !ipv6_addr_v4mapped(&ipv6_hdr(skb)->saddr);
}

bool tandem_v6_policy(struct sock *sk, struct sk_buff *skb)
{
	return xfrm6_policy_check(sk, XFRM_POLICY_IN, skb);
}

/* ---- the child ---- */

/*
 * The IPv6 part of a clone starts as a copy of the listener's: keep the settings, let
 * go of what is the listener's own.
 */
static struct ipv6_pinfo *fresh_pinfo(const struct sock *lsk, struct sock *child)
{
	struct ipv6_pinfo *np = &((struct tandem6_sock *)child)->inet6;

	inet_sk(child)->pinet6 = np;
	memcpy(np, inet6_sk(lsk), sizeof(*np));
	RCU_INIT_POINTER(np->ipv6_mc_list, NULL);
	np->ipv6_ac_list = NULL;
#ifdef TANDEM_HAVE_INET_FL_LIST
	RCU_INIT_POINTER(inet_sk(child)->ipv6_fl_list, NULL);
#else
	np->ipv6_fl_list = NULL;
#endif
	np->pktoptions = NULL;
	np->rxpmtu = NULL;
	RCU_INIT_POINTER(np->opt, NULL);
	return np;
}

int tandem_mapped_init_child(const struct sock *lsk, struct sock *child,
			     struct tandem_request *req, struct sk_buff *skb,
			     struct dst_entry *dst)
{
	struct ipv6_pinfo *np = fresh_pinfo(lsk, child);
	int err;

	err = tandem_v4_init_child(lsk, child, req, skb, dst);
	np->saddr = child->sk_v6_rcv_saddr;
	np->mcast_oif = TANDEM_CB(skb)->dif;
	np->mcast_hops = ip_hdr(skb)->ttl;
	np->rcv_flowinfo = 0;
	np->flow_label = 0;
	return err;
}

/*
 * IPV6_2292PKTOPTIONS tells, as of TCP, what the headers of the last segment said.  Its
 * extension headers have been left behind by then.
 */
void tandem_v6_note_headers(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *kept = skb_clone_and_charge_r(skb, sk);

	if (!kept)
		return;
	skb_dst_drop(kept);
	nf_reset_ct(kept);
	secpath_reset(kept);
	memset(kept->cb, 0, sizeof(kept->cb));
	IP6CB(kept)->iif = TANDEM_CB(skb)->dif;
	kfree_skb(xchg(&inet6_sk(sk)->pktoptions, kept));
}

/* rcu_read_lock held. */
static int v6_init_child(const struct sock *lsk, struct sock *child,
			 struct tandem_request *req, struct sk_buff *skb,
			 struct dst_entry *dst)
{
	struct ipv6_pinfo *np = fresh_pinfo(lsk, child);
	struct inet_sock *inet = inet_sk(child);
	struct ipv6_txoptions *opt;

	child->sk_v6_daddr = req->flow.key.raddr;
	child->sk_v6_rcv_saddr = req->flow.key.laddr;
	np->saddr = req->flow.key.laddr;
	/* What the IPv4 fields of an IPv6 socket say in Linux. */
	inet->inet_daddr = LOOPBACK4_IPV6;
	inet->inet_saddr = LOOPBACK4_IPV6;
	inet->inet_rcv_saddr = LOOPBACK4_IPV6;

	np->mcast_oif = TANDEM_CB(skb)->dif;
	np->mcast_hops = ipv6_hdr(skb)->hop_limit;
	np->rcv_flowinfo = ip6_flowinfo(ipv6_hdr(skb));
	if (tandem_inet6_flag(lsk, REPFLOW, repflow))
		np->flow_label = ip6_flowlabel(ipv6_hdr(skb));

	opt = rcu_dereference(inet6_sk(lsk)->opt);
	if (opt)
		opt = ipv6_dup_options(child, opt);
	RCU_INIT_POINTER(np->opt, opt);
	tandem_sk(child)->ext_hdr_len = opt ? opt->opt_nflen + opt->opt_flen : 0;
	tandem_set_gso_type(child, true);
	keep_route(child, dst);
	return 0;
}

/* ---- ICMPv6 ---- */

static void v6_mtu_reduced(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mtu = READ_ONCE(tp->mtu_info);
	struct dst_entry *dst;
	struct flowi6 fl6;

	if (tandem_state_bit(sk) & (TCPF_LISTEN | TCPF_CLOSE) ||
	    !ip6_sk_accept_pmtu(sk))
		return;
	/* A message that would make segments longer is forged or stale. */
	if (tandem_mtu_to_mss(sk, mtu) >= tp->mss_cache)
		return;
	dst = v6_route_sk(sk, &fl6);
	if (IS_ERR(dst))
		return;
	dst->ops->update_pmtu(dst, sk, NULL, mtu, true);
	/* That may have made the route obsolete; the next one knows the MTU. */
	dst = v6_route_sk(sk, &fl6);
	if (IS_ERR(dst))
		return;
	mtu = dst_mtu(dst);
	if (tp->pmtu_cookie > mtu) {
		TANDEM_SK_INC(sk, PMTUSHRINK);
		tandem_sync_mss(sk, mtu);
		tandem_simple_retransmit(sk);
	}
}

/* skb->data is the quoted IPv6 header, the segment begins at @offset from it. */
int tandem_v6_icmp(struct sk_buff *skb, u8 type, u8 code, int offset, __be32 info, u8 wire)
{
	const struct ipv6hdr *hdr = (const struct ipv6hdr *)skb->data;
	struct net *net = dev_net(skb->dev);
	struct tandem_icmp icmp = {
		.skb	= skb,
		.dif	= skb->dev->ifindex,
		.sdif	= inet6_sdif(skb),
		.type	= type,
		.code	= code,
		.info	= ntohl(info),
		.mtu	= ntohl(info),
		.daddr	= &hdr->daddr,
		.th	= (const struct tcphdr *)(skb->data + offset),
	};

	icmp.key.laddr = hdr->saddr;
	icmp.key.raddr = hdr->daddr;
	icmp.key.lport = icmp.th->source;
	icmp.key.rport = icmp.th->dest;
	icmp.key.wire = wire;
	icmp.fatal = icmpv6_err_convert(type, code, &icmp.err);
	icmp.kind = TANDEM_ICMP_ERROR;
	if (type == NDISC_REDIRECT)
		icmp.kind = TANDEM_ICMP_REDIRECT;
	else if (type == ICMPV6_PKT_TOOBIG)
		icmp.kind = icmp.mtu < IPV6_MIN_MTU ? TANDEM_ICMP_IGNORE :
						      TANDEM_ICMP_PMTU;
	return tandem_icmp_deliver(net, &icmp);
}

/* inet6_protocol.err_handler */
static int v6_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		  int offset, __be32 info)
{
	int err = tandem_v6_icmp(skb, type, code, offset, info, TANDEM_WIRE_NATIVE);

	if (err)
		__ICMP6_INC_STATS(dev_net(skb->dev), __in6_dev_get(skb->dev),
				  ICMP6_MIB_INERRORS);
	return err;
}

/* ---- connect() ---- */

/* The program sends on a flow label it has leased (IPV6_FLOWLABEL_MGR). */
static int check_flowlabel(struct sock *sk, const struct sockaddr_in6 *usin,
			   __be32 *label)
{
	struct ip6_flowlabel *lease;

	*label = 0;
	if (!tandem_inet6_flag(sk, SNDFLOW, sndflow))
		return 0;
	*label = usin->sin6_flowinfo & IPV6_FLOWINFO_MASK;
	IP6_ECN_flow_init(*label);
	if (!(*label & IPV6_FLOWLABEL_MASK))
		return 0;
	lease = fl6_sock_lookup(sk, *label);
	if (IS_ERR(lease))
		return -EINVAL;
	fl6_sock_release(lease);
	return 0;
}

/* A link-local address means nothing without a device. */
static int check_scope(struct sock *sk, const struct sockaddr_in6 *usin, int addr_len)
{
	if (!(ipv6_addr_type(&usin->sin6_addr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (addr_len >= sizeof(*usin) && usin->sin6_scope_id) {
		if (!sk_dev_equal_l3scope(sk, usin->sin6_scope_id))
			return -EINVAL;
		sk->sk_bound_dev_if = usin->sin6_scope_id;
	}
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

static int connect_mapped(struct sock *sk, const struct sockaddr_in6 *usin)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u16 ext_hdr_len = tp->ext_hdr_len;
	struct sockaddr_in sin = {
		.sin_family	 = AF_INET,
		.sin_port	 = usin->sin6_port,
		.sin_addr.s_addr = usin->sin6_addr.s6_addr32[3],
	};
	int err;

	if (ipv6_only_sock(sk))
		return -ENETUNREACH;
	WRITE_ONCE(tp->af, &tandem_mapped_ops);
	err = tandem_v4_connect(sk, (tandem_sockaddr_t *)&sin, sizeof(sin));
	if (!err) {
		inet6_sk(sk)->saddr = sk->sk_v6_rcv_saddr;
		return 0;
	}
	tp->ext_hdr_len = ext_hdr_len;
	WRITE_ONCE(tp->af, &tandem_ipv6_ops);
	inet_sk(sk)->inet_dport = 0;
	sk->sk_route_caps = 0;
	return err;
}

/*
 * IPV6_ADDRFORM: a v4-mapped connection becomes one of AF_INET.  What it has of IPv6 stays
 * until its end, for it was allocated as an AF_INET6 socket.
 */
int tandem_v6_addrform(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);

	if (sk->sk_family != AF_INET6)
		return -ENOPROTOOPT;	/* another thread was first */
	if (sk->sk_state != TCP_ESTABLISHED)
		return -ENOTCONN;
	if (ipv6_only_sock(sk) || !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return -EADDRNOTAVAIL;
	sock_prot_inuse_add(net, &tandemv6_prot, -1);
	sock_prot_inuse_add(net, &tandem_prot, 1);
	WRITE_ONCE(sk->sk_prot, &tandem_prot);
	WRITE_ONCE(tp->af, &tandem_ipv4_ops);
	WRITE_ONCE(sk->sk_socket->ops, &tandem_addrform_ops);
	WRITE_ONCE(sk->sk_family, PF_INET);
	inet6_sk(sk)->rxopt.all = 0;
	tandem_sync_mss(sk, tp->pmtu_cookie);
	return 0;
}

/* Route to sk_v6_daddr, with it the source address if there is none yet. */
static int v6_connect_route(struct sock *sk, const struct sockaddr_in6 *usin)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	struct in6_addr *final_p, final;
	struct ipv6_txoptions *opt;
	struct dst_entry *dst;
	struct flowi6 fl6 = {
		.daddr = sk->sk_v6_daddr,
		.saddr = np->saddr,
		.flowlabel = ip6_make_flowinfo(np->tclass, np->flow_label),
	};

	if (!ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		fl6.saddr = sk->sk_v6_rcv_saddr;
	fl6.flowi6_proto = tandem_sk_proto(sk);
	fl6.flowi6_oif = sk->sk_bound_dev_if;
	fl6.flowi6_mark = READ_ONCE(sk->sk_mark);
	fl6.fl6_dport = usin->sin6_port;
	fl6.fl6_sport = inet_sk(sk)->inet_sport;
	fl6.flowi6_uid = tandem_sk_uid(sk);
	opt = rcu_dereference_protected(np->opt, lockdep_sock_is_held(sk));
	final_p = first_hop(&fl6, opt, &final);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl6));

	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl6, final_p);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		sk->sk_v6_rcv_saddr = fl6.saddr;
	np->saddr = sk->sk_v6_rcv_saddr;
	inet_sk(sk)->inet_rcv_saddr = LOOPBACK4_IPV6;
	tandem_set_gso_type(sk, true);
	keep_route(sk, dst);
	tp->ext_hdr_len = opt ? opt->opt_flen + opt->opt_nflen : 0;
	tp->mss_clamp = V6_MSS_DEFAULT;
	return 0;
}

/* Port, flow table, SYN; see v4_open(). */
static int v6_open(struct sock *sk)
{
	int err;

	tandem_set_state(sk, TCP_SYN_SENT, TANDEM_R_USER);
	err = tandem_wire_closed(sk);
	if (!err)
		err = tandem_connect_port(sk);
	if (err)
		return err;
	sk_set_txhash(sk);
	tandem_connect_numbers(sk);
	return tandem_connect(sk);
}

/**
 * tandem_v6_connect() - proto.connect of AF_INET6
 * @sk: locked, in CLOSE
 * @uaddr: struct sockaddr_in6, perhaps without sin6_scope_id (RFC 2133)
 * @addr_len: its length
 *
 * Return: 0 when a SYN is on its way, or -errno with the socket in CLOSE again.
 */
int tandem_v6_connect(struct sock *sk, tandem_sockaddr_t *uaddr, int addr_len)
{
	struct sockaddr_in6 *usin = (struct sockaddr_in6 *)uaddr;
	struct ipv6_pinfo *np = inet6_sk(sk);
	__be32 label;
	int err;

	if (addr_len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (usin->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	err = check_flowlabel(sk, usin, &label);
	if (err)
		return err;

	/* BSD's habit: the wildcard means this host. */
	if (ipv6_addr_any(&usin->sin6_addr)) {
		if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
			ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK), &usin->sin6_addr);
		else
			usin->sin6_addr = in6addr_loopback;
	}
	if (ipv6_addr_is_multicast(&usin->sin6_addr))
		return -ENETUNREACH;
	err = check_scope(sk, usin, addr_len);
	if (err)
		return err;
	sk->sk_v6_daddr = usin->sin6_addr;
	np->flow_label = label;
	if (ipv6_addr_v4mapped(&usin->sin6_addr))
		return connect_mapped(sk, usin);

	err = v6_connect_route(sk, usin);
	if (err)
		goto out;
	inet_sk(sk)->inet_dport = usin->sin6_port;
	err = v6_open(sk);
	if (!err)
		return 0;
	tandem_set_state(sk, TCP_CLOSE, TANDEM_R_USER);
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
out:
	inet_sk(sk)->inet_dport = 0;
	sk->sk_route_caps = 0;
	return err;
}

/* ---- registration ---- */

const struct tandem_af_ops tandem_ipv6_ops = {
	.queue_xmit	= v6_queue_xmit,
	.checksum	= v6_checksum,
	.rebuild_header	= v6_rebuild_header,
	.route_child	= v6_route_child,
	.init_child	= v6_init_child,
	.send_synack	= v6_send_synack,
	.mtu_reduced	= v6_mtu_reduced,
	.net_header_len	= sizeof(struct ipv6hdr),
	.sockaddr_len	= sizeof(struct sockaddr_in6),
};

static struct inet6_protocol v6_protocol = {
	.handler	= tandem_rcv,
	.err_handler	= v6_err,
	.flags		= INET6_PROTO_NOPOLICY | INET6_PROTO_FINAL,
};

/* See v4_gso_segment(). */
static struct sk_buff *v6_gso_segment(struct sk_buff *skb, netdev_features_t features)
{
	if (!tandem_in_udp(skb) && skb->ip_summed != CHECKSUM_PARTIAL &&
	    pskb_may_pull(skb, sizeof(struct tcphdr))) {
		tandem_hdr(skb)->check = ~csum_ipv6_magic(&ipv6_hdr(skb)->saddr,
							  &ipv6_hdr(skb)->daddr, skb->len,
							  IPPROTO_TANDEM, 0);
		tandem_sum_later(skb);
	}
	return tandem_gso_segment(skb, features, SKB_GSO_TCPV6);
}

static struct sk_buff *v6_gro_receive(struct list_head *head, struct sk_buff *skb)
{
	return tandem_gro_receive(head, skb, 0, NAPI_GRO_CB(skb)->flush ||
				  !skb_gro_checksum_validate(skb, IPPROTO_TANDEM,
							     ip6_gro_compute_pseudo));
}

static int v6_gro_complete(struct sk_buff *skb, int thoff)
{
	const struct ipv6hdr *hdr = ipv6_hdr(skb);

	return tandem_gro_complete(skb, thoff, SKB_GSO_TCPV6,
				   ~csum_ipv6_magic(&hdr->saddr, &hdr->daddr, skb->len - thoff,
						    IPPROTO_TANDEM, 0));
}

static const struct net_offload v6_offload = {
	.callbacks = {
		.gso_segment	= v6_gso_segment,
		.gro_receive	= v6_gro_receive,
		.gro_complete	= v6_gro_complete,
	},
};

static struct inet_protosw v6_protosw = {
	.type		= SOCK_STREAM,
	.protocol	= IPPROTO_TANDEM,
	.prot		= &tandemv6_prot,
	.ops		= &tandemv6_stream_ops,
	/* Not INET_PROTOSW_ICSK, see ipv4.c. */
	.flags		= 0,
};

/* Without IPv6 (ipv6.disable=1) there is nothing to register with. */
int tandem_ipv6_init(void)
{
	int err;

	if (!ipv6_mod_enabled())
		return 0;
	err = inet6_add_protocol(&v6_protocol, IPPROTO_TANDEM);
	if (err) {
		pr_err("tandem: IPv6 protocol %d is taken by another module\n",
		       IPPROTO_TANDEM);
		return err;
	}
	err = inet6_add_offload(&v6_offload, IPPROTO_TANDEM);
	if (err)
		goto err_offload;
	err = inet6_register_protosw(&v6_protosw);
	if (err)
		goto err_protosw;
	return 0;

err_protosw:
	inet6_del_offload(&v6_offload, IPPROTO_TANDEM);
err_offload:
	inet6_del_protocol(&v6_protocol, IPPROTO_TANDEM);
	return err;
}

void tandem_ipv6_exit(void)
{
	if (!ipv6_mod_enabled())
		return;
	inet6_unregister_protosw(&v6_protosw);
	inet6_del_offload(&v6_offload, IPPROTO_TANDEM);
	inet6_del_protocol(&v6_protocol, IPPROTO_TANDEM);
}
