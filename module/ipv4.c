// SPDX-License-Identifier: GPL-2.0
/*
 * ipv4.c - all that is IPv4 about a segment: routes, addresses, checksums, ICMP, and
 * the registration of the protocol.  v4-mapped connections of AF_INET6 sockets use the
 * same code; what is different for them stands in tandem_mapped_ops.
 *
 * A socket keeps its route in sk_dst_cache and the addresses that go with it in
 * inet_sk(sk)->cork.fl, as ip_queue_xmit() wants it.
 *
 * IP options of a received SYN are turned round for all answers to it (echo.c); those the
 * program sets (IP_OPTIONS) are used, source routes too (RFC 9293 section 3.9.2.1).
 */
#include <linux/icmp.h>
#include <linux/in.h>
#include <linux/security.h>
#include <net/icmp.h>
#include <net/inet_common.h>
#include <net/inet_ecn.h>
#include <net/inet_hashtables.h>
#include <net/protocol.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "demux.h"
#include "echo.h"
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

/* ---- checksum ---- */

/*
 * A NIC knows protocol 6 and sums it in hardware; what it makes of ours differs from
 * one to the next, so that is summed here.  Many segments in one skb have no sum yet.
 */
static void v4_sum(struct sk_buff *skb, __be32 saddr, __be32 daddr, u8 proto)
{
	struct tcphdr *th = tandem_hdr(skb);

	th->check = 0;
	skb->ip_summed = CHECKSUM_NONE;
	if (proto == IPPROTO_UDP)	/* encap.c: UDP's covers it */
		return;
	if (proto == IPPROTO_TCP || skb_is_gso(skb)) {
		th->check = ~csum_tcpudp_magic(saddr, daddr, skb->len, proto, 0);
		tandem_sum_later(skb);
		return;
	}
	th->check = csum_tcpudp_magic(saddr, daddr, skb->len, proto,
				      tandem_sum(skb));
}

static void v4_checksum(struct sock *sk, struct sk_buff *skb)
{
	v4_sum(skb, inet_sk(sk)->inet_saddr, inet_sk(sk)->inet_daddr, tandem_sk_proto(sk));
}

/* ---- routes ---- */

/* Route @sk to its peer and keep the route. Locked. 0 or -errno. */
static int v4_route_sk(struct sock *sk, struct flowi4 *fl4)
{
	struct inet_sock *inet = inet_sk(sk);
	struct ip_options_rcu *opt;
	struct rtable *rt;

	rcu_read_lock();
	opt = rcu_dereference(inet->inet_opt);
	flowi4_init_output(fl4, sk->sk_bound_dev_if, READ_ONCE(sk->sk_mark),
			   ip_sock_rt_tos(sk), ip_sock_rt_scope(sk), tandem_sk_proto(sk),
			   inet_sk_flowi_flags(sk), tandem_first_hop(opt, inet->inet_daddr),
			   inet->inet_saddr, inet->inet_dport, inet->inet_sport,
			   tandem_sk_uid(sk));
	rcu_read_unlock();
	security_sk_classify_flow(sk, flowi4_to_flowi_common(fl4));
	rt = ip_route_output_flow(sock_net(sk), fl4, sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	sk_setup_caps(sk, &rt->dst);
	tandem_soft_gso(sk, &rt->dst);
	return 0;
}

int tandem_v4_rebuild_header(struct sock *sk)
{
	int err;

	if (__sk_dst_check(sk, 0))
		return 0;
	err = v4_route_sk(sk, &inet_sk(sk)->cork.fl.u.ip4);
	if (err) {
		sk->sk_route_caps = 0;
		WRITE_ONCE(sk->sk_err_soft, -err);
	}
	return err;
}

static struct dst_entry *v4_route_child(const struct sock *lsk,
					struct tandem_request *req)
{
	const struct tandem_flow_key *key = &req->flow.key;
	struct flowi4 fl4;
	struct rtable *rt;

	flowi4_init_output(&fl4, req->iif, req->mark, ip_sock_rt_tos(lsk),
			   ip_sock_rt_scope(lsk), tandem_sk_proto(lsk),
			   inet_sk_flowi_flags(lsk),
			   tandem_first_hop(req->ip_opt, key->raddr.s6_addr32[3]),
			   key->laddr.s6_addr32[3], key->rport, key->lport,
			   tandem_sk_uid(lsk));
	security_sk_classify_flow((struct sock *)lsk, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(sock_net(lsk), &fl4, lsk);
	if (!IS_ERR(rt))
		return &rt->dst;
	__IP_INC_STATS(sock_net(lsk), IPSTATS_MIB_OUTNOROUTES);
	return NULL;
}

/* ---- onto the wire ---- */

/*
 * What is the same in every IP header; @skb has a route.  tot_len, check and
 * skb->protocol are ip_local_out()'s.
 */
static struct iphdr *v4_push_header(const struct sock *sk, struct sk_buff *skb,
				    unsigned int optlen, u8 proto)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph) + optlen);
	int ttl = READ_ONCE(inet_sk(sk)->uc_ttl);

	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = (sizeof(*iph) + optlen) / 4;
	iph->ttl = ttl < 0 ? ip4_dst_hoplimit(skb_dst(skb)) : ttl;
	iph->protocol = proto;
	skb->priority = READ_ONCE(sk->sk_priority);
	return iph;
}

/*
 * In the place of ip_queue_xmit(), for a protocol number that need not be the socket's: the
 * core takes a socket whose sk_protocol is TCP's for a struct tcp_sock, so ours cannot say
 * 6.  And a route that is found anew tells of GSO in the way of ours, tandem_soft_gso().
 */
static int v4_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	struct inet_sock *inet = inet_sk(sk);
	const struct ip_options_rcu *opt;
	u8 proto = tandem_sk_proto(sk);
	struct net *net = sock_net(sk);
	struct dst_entry *dst;
	struct iphdr *iph;
	int err;

	rcu_read_lock();
	err = tandem_v4_rebuild_header(sk);
	if (err) {
		IP_INC_STATS(net, IPSTATS_MIB_OUTNOROUTES);
		kfree_skb(skb);
		goto out;
	}
	dst = __sk_dst_get(sk);
	skb_dst_set_noref(skb, dst);
	err = -ENETUNREACH;
	if (proto == IPPROTO_UDP &&
	    !tandem_encap_push4(net, skb, inet->inet_saddr, inet->inet_daddr,
				tandem_sk(sk)->udp_dport)) {
		kfree_skb(skb);
		goto out;
	}
	opt = rcu_dereference(inet->inet_opt);
	iph = v4_push_header(sk, skb, opt ? opt->opt.optlen : 0, proto);
	iph->tos = READ_ONCE(inet->tos);
	iph->frag_off = ip_dont_fragment(sk, dst) ? htons(IP_DF) : 0;
	iph->saddr = inet->cork.fl.u.ip4.saddr;
	iph->daddr = inet->cork.fl.u.ip4.daddr;
	if (opt && opt->opt.optlen)
		tandem_put_options(skb, &opt->opt, inet->inet_daddr);
	ip_select_ident_segs(net, skb, sk, max_t(int, skb_shinfo(skb)->gso_segs, 1));
	skb->mark = READ_ONCE(sk->sk_mark);
	err = ip_local_out(net, sk, skb);
out:
	rcu_read_unlock();
	return err;
}

/* ---- segments without a full socket ---- */

/*
 * Put an IP header before @skb, which has a route, and send it.  Such segments are
 * small: DF is set and no identification needed (RFC 6864 section 4.1).
 */
static void v4_send(struct net *net, struct sock *sk, struct sk_buff *skb,
		    __be32 saddr, __be32 daddr, u8 tos, u8 proto,
		    const struct ip_options_rcu *opt)
{
	struct iphdr *iph = v4_push_header(sk, skb, opt ? opt->opt.optlen : 0, proto);

	iph->tos = tos;
	iph->id = 0;
	iph->frag_off = htons(IP_DF);
	iph->saddr = saddr;
	iph->daddr = tandem_first_hop(opt, daddr);
	if (opt)
		tandem_put_options(skb, &opt->opt, daddr);
	/* tot_len, check and skb->protocol are ip_local_out()'s. */
	rcu_read_lock();
	ip_local_out(net, sk, skb);
	rcu_read_unlock();
}

void tandem_v4_reply(struct net *net, const struct sock *sk, struct sk_buff *skb,
		     struct sk_buff *out, const struct tandem_reply *reply)
{
	__be32 saddr = ip_hdr(skb)->daddr, daddr = ip_hdr(skb)->saddr;
	u8 proto = tandem_wire_proto(TANDEM_CB(skb)->wire);
	const struct tcphdr *th = tandem_hdr(out);
	struct ip_options_rcu *opt = NULL;
	u8 tos = reply->tos & ~INET_ECN_MASK;
	struct flowi4 fl4;
	struct rtable *rt;
	u32 mark;

	if (ip_hdr(skb)->ihl > 5)
		opt = tandem_echo_options(net, skb);
	v4_sum(out, saddr, daddr, proto);
	mark = IP4_REPLY_MARK(net, skb->mark) ?: reply->mark;
	flowi4_init_output(&fl4, tandem_reply_oif(net, skb, reply->oif), mark,
			   tos & INET_DSCP_MASK, RT_SCOPE_UNIVERSE, proto,
			   sk ? inet_sk_flowi_flags(sk) : 0,
			   tandem_first_hop(opt, daddr), saddr, th->dest,
			   th->source, sk ? tandem_sk_uid(sk) : sock_net_uid(net, NULL));
	security_skb_classify_flow(skb, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(net, &fl4, sk);
	if (IS_ERR(rt)) {
		kfree_skb(out);
		goto out;
	}
	skb_dst_set(out, &rt->dst);
	out->mark = mark;
	if (proto == IPPROTO_UDP && !tandem_encap_push4(net, out, saddr, daddr,
							TANDEM_CB(skb)->udp_sport)) {
		kfree_skb(out);
		goto out;
	}
	v4_send(net, tandem_pernet(net)->ctl4, out, saddr, daddr, tos, proto, opt);
out:
	kfree(opt);
}

static int v4_send_synack(const struct sock *lsk, struct tandem_request *req,
			  struct sk_buff *skb, struct dst_entry *dst)
{
	__be32 saddr = req->flow.key.laddr.s6_addr32[3];
	__be32 daddr = req->flow.key.raddr.s6_addr32[3];

	u8 proto = tandem_sk_proto(lsk);

	v4_sum(skb, saddr, daddr, proto);
	if (proto == IPPROTO_UDP && !tandem_encap_push4(sock_net(lsk), skb, saddr, daddr,
							req->udp_dport)) {
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	skb_dst_set(skb, dst_clone(dst));
	skb->mark = req->mark;
	v4_send(sock_net(lsk), (struct sock *)lsk, skb, saddr, daddr,
		READ_ONCE(inet_sk(lsk)->tos) & ~INET_ECN_MASK, proto, req->ip_opt);
	return 0;
}

bool tandem_v4_unicast(const struct sk_buff *skb)
{
	return skb_dst(skb) && skb_rtable(skb)->rt_type == RTN_LOCAL;
}

bool tandem_v4_policy(struct sock *sk, struct sk_buff *skb)
{
	return xfrm4_policy_check(sk, XFRM_POLICY_IN, skb);
}

/* ---- the child ---- */

int tandem_v4_init_child(const struct sock *lsk, struct sock *child,
			 struct tandem_request *req, struct sk_buff *skb,
			 struct dst_entry *dst)
{
	const struct tandem_flow_key *key = &req->flow.key;
	struct inet_sock *inet = inet_sk(child);
	struct flowi4 *fl4 = &inet->cork.fl.u.ip4;
	struct ip_options_rcu *opt = NULL;

	sk_rcv_saddr_set(child, key->laddr.s6_addr32[3]);
	sk_daddr_set(child, key->raddr.s6_addr32[3]);
	inet->inet_saddr = key->laddr.s6_addr32[3];
	/* What ip_queue_xmit() reads while the route lasts. */
	memset(fl4, 0, sizeof(*fl4));
	fl4->saddr = inet->inet_saddr;
	/* A copy: the request may be answered again, if the child comes to nothing. */
	if (unlikely(req->ip_opt))
		opt = kmemdup(req->ip_opt, sizeof(*opt) + req->ip_opt->opt.optlen,
			      GFP_ATOMIC | __GFP_NOWARN);
	RCU_INIT_POINTER(inet->inet_opt, opt);
	fl4->daddr = tandem_first_hop(opt, inet->inet_daddr);
	inet->mc_index = TANDEM_CB(skb)->dif;
	inet->mc_ttl = ip_hdr(skb)->ttl;
	inet->rcv_tos = ip_hdr(skb)->tos;
	tandem_sk(child)->ext_hdr_len = opt ? opt->opt.optlen : 0;
	tandem_set_gso_type(child, false);
	sk_setup_caps(child, dst);
	tandem_soft_gso(child, dst);
	return 0;
}

/* ---- ICMP ---- */

static void v4_mtu_reduced(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct dst_entry *dst;
	u32 mtu;

	if (tandem_state_bit(sk) & (TCPF_LISTEN | TCPF_CLOSE) ||
	    tandem_v4_rebuild_header(sk))
		return;
	dst = __sk_dst_get(sk);
	dst->ops->update_pmtu(dst, sk, NULL, READ_ONCE(tp->mtu_info), true);
	/* That may have made the route obsolete; the next one knows the MTU. */
	if (tandem_v4_rebuild_header(sk))
		return;
	mtu = dst_mtu(__sk_dst_get(sk));
	if (READ_ONCE(inet_sk(sk)->pmtudisc) != IP_PMTUDISC_DONT &&
	    ip_sk_accept_pmtu(sk) && tp->pmtu_cookie > mtu) {
		TANDEM_SK_INC(sk, PMTUSHRINK);
		tandem_sync_mss(sk, mtu);
		tandem_simple_retransmit(sk);
	}
}

/* What does the message want?  Fills @icmp, whose type and code are set. */
static void v4_classify_icmp(struct tandem_icmp *icmp, u32 info)
{
	icmp->kind = TANDEM_ICMP_IGNORE;
	switch (icmp->type) {
	case ICMP_REDIRECT:
		icmp->kind = TANDEM_ICMP_REDIRECT;
		break;
	case ICMP_PARAMETERPROB:
		icmp->kind = TANDEM_ICMP_ERROR;
		icmp->err = EPROTO;
		icmp->fatal = true;
		break;
	case ICMP_TIME_EXCEEDED:
		icmp->kind = TANDEM_ICMP_ERROR;
		icmp->err = EHOSTUNREACH;
		icmp->fatal = true;
		break;
	case ICMP_DEST_UNREACH:
		if (icmp->code > NR_ICMP_UNREACH)
			break;
		if (icmp->code == ICMP_FRAG_NEEDED) {
			icmp->kind = TANDEM_ICMP_PMTU;
			icmp->mtu = info;
			break;
		}
		icmp->kind = TANDEM_ICMP_ERROR;
		icmp->err = icmp_err_convert[icmp->code].errno;
		icmp->fatal = icmp->code == ICMP_NET_UNREACH ||
			      icmp->code == ICMP_HOST_UNREACH;
		break;
	}
}

/* skb->data is the quoted IP header, 8 bytes of the segment are at @offset. */
int tandem_v4_icmp(struct sk_buff *skb, u8 type, u8 code, int offset, u32 info, u8 wire)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	struct net *net = dev_net(skb->dev);
	struct tandem_icmp icmp = {
		.skb	= skb,
		.dif	= inet_iif(skb),
		.type	= type,
		.code	= code,
		.info	= info,
		.daddr	= &iph->daddr,
		.th	= (const struct tcphdr *)(skb->data + offset),
	};

	ipv6_addr_set_v4mapped(iph->saddr, &icmp.key.laddr);
	ipv6_addr_set_v4mapped(iph->daddr, &icmp.key.raddr);
	icmp.key.lport = icmp.th->source;
	icmp.key.rport = icmp.th->dest;
	icmp.key.wire = wire;
	v4_classify_icmp(&icmp, info);
	return tandem_icmp_deliver(net, &icmp);
}

/* net_protocol.err_handler */
static int v4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	int err = tandem_v4_icmp(skb, icmp_hdr(skb)->type, icmp_hdr(skb)->code,
				 iph->ihl * 4, info, TANDEM_WIRE_NATIVE);

	if (err)
		__ICMP_INC_STATS(dev_net(skb->dev), ICMP_MIB_INERRORS);
	return err;
}

/* ---- connect() ---- */

void tandem_connect_numbers(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 isn;

	tandem_numbers(sock_net(sk), &tp->flow.key, &isn, &tp->ts_offset);
	/* Not 0: tandem_connect_port() took over a TIME-WAIT and continues its numbers. */
	if (!tp->iss)
		tp->iss = isn;
	if (!tp->udp_dport)
		tp->udp_dport = htons(tandem_sk_knob(sk, udp_port));
	tandem_inet_id_set(inet_sk(sk), get_random_u16());
}

/* Route to @usin; the answer also says from which address. */
static struct rtable *v4_connect_route(struct sock *sk, const struct sockaddr_in *usin,
				       const struct ip_options_rcu *opt)
{
	struct inet_sock *inet = inet_sk(sk);
	struct rtable *rt;

	rt = ip_route_connect(&inet->cork.fl.u.ip4,
			      tandem_first_hop(opt, usin->sin_addr.s_addr), inet->inet_saddr,
			      sk->sk_bound_dev_if, tandem_sk_proto(sk), inet->inet_sport,
			      usin->sin_port, sk);
	if (IS_ERR(rt)) {
		if (PTR_ERR(rt) == -ENETUNREACH)
			IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTNOROUTES);
	} else if (rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		ip_rt_put(rt);
		rt = ERR_PTR(-ENETUNREACH);
	}
	return rt;
}

/* Port, flow table, route for the final ports, SYN. Consumes @rt. */
static int v4_open(struct sock *sk, struct rtable *rt, __be16 orig_sport)
{
	struct inet_sock *inet = inet_sk(sk);
	int err;

	/*
	 * The port may still be unknown, but a segment may come as soon as we are in
	 * the table; in SYN-SENT it waits on the backlog until all is complete.
	 */
	tandem_set_state(sk, TCP_SYN_SENT, TANDEM_R_USER);
	err = tandem_wire_closed(sk);
	if (!err)
		err = tandem_connect_port(sk);
	if (err) {
		ip_rt_put(rt);
		return err;
	}
	sk_set_txhash(sk);
	rt = ip_route_newports(&inet->cork.fl.u.ip4, rt, orig_sport, inet->inet_dport,
			       inet->inet_sport, inet->inet_dport, sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	tandem_set_gso_type(sk, false);
	sk_setup_caps(sk, &rt->dst);
	tandem_soft_gso(sk, &rt->dst);
	tandem_connect_numbers(sk);
	return tandem_connect(sk);
}

/**
 * tandem_v4_connect() - proto.connect of AF_INET, and of AF_INET6 when v4-mapped
 * @sk: locked, in CLOSE
 * @uaddr: struct sockaddr_in
 * @addr_len: its length
 *
 * Return: 0 when a SYN is on its way, or -errno with the socket in CLOSE again.
 */
int tandem_v4_connect(struct sock *sk, tandem_sockaddr_t *uaddr, int addr_len)
{
	struct sockaddr_in *usin = (struct sockaddr_in *)uaddr;
	struct inet_sock *inet = inet_sk(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	__be16 orig_sport = inet->inet_sport;
	struct ip_options_rcu *opt;
	struct rtable *rt;
	bool srr;
	int err;

	if (addr_len < sizeof(*usin))
		return -EINVAL;
	if (usin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	opt = rcu_dereference_protected(inet->inet_opt, lockdep_sock_is_held(sk));
	srr = opt && opt->opt.srr;
	if (srr && !usin->sin_addr.s_addr)
		return -EINVAL;

	rt = v4_connect_route(sk, usin, opt);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	if (!inet->inet_saddr)
		inet->inet_saddr = inet->cork.fl.u.ip4.saddr;
	sk_rcv_saddr_set(sk, inet->inet_saddr);
	inet->inet_dport = usin->sin_port;
	/* The route turned 0.0.0.0 into this host. */
	sk_daddr_set(sk, srr ? usin->sin_addr.s_addr : inet->cork.fl.u.ip4.daddr);
	tp->ext_hdr_len = opt ? opt->opt.optlen : 0;
	tp->mss_clamp = TCP_MSS_DEFAULT;	/* RFC 9293 section 3.7.1 */

	err = v4_open(sk, rt, orig_sport);
	if (!err)
		return 0;
	/* Out of the table, the port given back unless bind() asked for it. */
	tandem_set_state(sk, TCP_CLOSE, TANDEM_R_USER);
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	sk->sk_route_caps = 0;
	inet->inet_dport = 0;
	return err;
}

/* ---- registration ---- */

const struct tandem_af_ops tandem_ipv4_ops = {
	.queue_xmit	= v4_queue_xmit,
	.checksum	= v4_checksum,
	.rebuild_header	= tandem_v4_rebuild_header,
	.route_child	= v4_route_child,
	.init_child	= tandem_v4_init_child,
	.send_synack	= v4_send_synack,
	.mtu_reduced	= v4_mtu_reduced,
	.net_header_len	= sizeof(struct iphdr),
	.sockaddr_len	= sizeof(struct sockaddr_in),
};

/* An AF_INET6 socket that talks to ::ffff:a.b.c.d. */
const struct tandem_af_ops tandem_mapped_ops = {
	.queue_xmit	= v4_queue_xmit,
	.checksum	= v4_checksum,
	.rebuild_header	= tandem_v4_rebuild_header,
	.route_child	= v4_route_child,
	.init_child	= tandem_mapped_init_child,
	.send_synack	= v4_send_synack,
	.mtu_reduced	= v4_mtu_reduced,
	.net_header_len	= sizeof(struct iphdr),
	.sockaddr_len	= sizeof(struct sockaddr_in6),
};

static struct net_protocol v4_protocol = {
	.handler	= tandem_rcv,
	.err_handler	= v4_err,
	.no_policy	= 1,
	.icmp_strict_tag_validation = 1,
};

static struct sk_buff *v4_gso_segment(struct sk_buff *skb, netdev_features_t features)
{
	/* A guest need not leave the sum to us; then the core has made the header ours. */
	if (!tandem_in_udp(skb) && skb->ip_summed != CHECKSUM_PARTIAL &&
	    pskb_may_pull(skb, sizeof(struct tcphdr))) {
		tandem_hdr(skb)->check = ~csum_tcpudp_magic(ip_hdr(skb)->saddr,
							    ip_hdr(skb)->daddr, skb->len,
							    IPPROTO_TANDEM, 0);
		tandem_sum_later(skb);
	}
	return tandem_gso_segment(skb, features, SKB_GSO_TCPV4);
}

static struct sk_buff *v4_gro_receive(struct list_head *head, struct sk_buff *skb)
{
	return tandem_gro_receive(head, skb, 0, NAPI_GRO_CB(skb)->flush ||
				  !skb_gro_checksum_validate(skb, IPPROTO_TANDEM,
							     inet_gro_compute_pseudo));
}

static int v4_gro_complete(struct sk_buff *skb, int thoff)
{
	const struct iphdr *iph = ip_hdr(skb);

	return tandem_gro_complete(skb, thoff, SKB_GSO_TCPV4,
				   ~csum_tcpudp_magic(iph->saddr, iph->daddr, skb->len - thoff,
						      IPPROTO_TANDEM, 0));
}

static const struct net_offload v4_offload = {
	.callbacks = {
		.gso_segment	= v4_gso_segment,
		.gro_receive	= v4_gro_receive,
		.gro_complete	= v4_gro_complete,
	},
};

static struct inet_protosw v4_protosw = {
	.type		= SOCK_STREAM,
	.protocol	= IPPROTO_TANDEM,
	.prot		= &tandem_prot,
	.ops		= &tandem_stream_ops,
	/* Not INET_PROTOSW_ICSK: the core would take us for an inet_connection_sock. */
	.flags		= 0,
};

int tandem_ipv4_init(void)
{
	int err = inet_add_protocol(&v4_protocol, IPPROTO_TANDEM);

	if (!err) {
		err = inet_add_offload(&v4_offload, IPPROTO_TANDEM);
		if (err)
			inet_del_protocol(&v4_protocol, IPPROTO_TANDEM);
	}
	if (err) {
		pr_err("tandem: IP protocol %d is taken by another module\n",
		       IPPROTO_TANDEM);
		return err;
	}
	inet_register_protosw(&v4_protosw);
	return 0;
}

void tandem_ipv4_exit(void)
{
	inet_unregister_protosw(&v4_protosw);
	inet_del_offload(&v4_offload, IPPROTO_TANDEM);
	inet_del_protocol(&v4_protocol, IPPROTO_TANDEM);
}
