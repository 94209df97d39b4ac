// SPDX-License-Identifier: GPL-2.0
/*
 * wire.c - between segments and IP.
 *
 * In: every segment of both families comes through tandem_rcv(), which checks that it
 * is one (length, data offset, checksum), finds its owner, asks xfrm, netfilter and
 * the socket filter, and hands it over with its numbers in TANDEM_CB().
 *
 * Out: headers are built here; replies that no full socket sends (resets, the ACKs of
 * requests and TIME-WAIT) leave through a control socket of the netns.  What a family
 * has of its own is in ipv4.c and ipv6.c, see family.h.
 *
 * ICMP errors of both families end in tandem_icmp_deliver(): they count only when the
 * sequence number they quote is in flight (RFC 5927 section 4.1).
 */
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/skbuff.h>
#include <net/busy_poll.h>
#include <net/dsfield.h>
#include <net/inet_common.h>
#include <net/ip6_checksum.h>
#include <net/l3mdev.h>
#include <net/xfrm.h>
#include "demux.h"
#include "early.h"
#include "family.h"
#include "handshake.h"
#include "input.h"
#include "tcpwire.h"
#include "timewait.h"
#include "trace.h"
#include "wire.h"
#include "xmit.h"

/* Answers to out-of-window segments of one minisock, as Linux's default. */
#define OOW_REPLY_INTERVAL_US	(500 * USEC_PER_MSEC)

/* ---- headers ---- */

struct tcphdr *tandem_push_fixed(struct sk_buff *skb, __be16 sport, __be16 dport,
				 u32 seq, u32 ack, u8 flags, u16 window,
				 unsigned int opt_len)
{
	struct tcphdr *th;

	th = skb_push(skb, sizeof(*th));
	skb_reset_transport_header(skb);
	th->source = sport;
	th->dest = dport;
	th->seq = htonl(seq);
	th->ack_seq = htonl(ack);
	((u8 *)th)[12] = (sizeof(*th) + opt_len) / 4 << 4;
	((u8 *)th)[13] = flags;
	th->window = htons(window);
	th->check = 0;
	th->urg_ptr = 0;
	return th;
}

struct tcphdr *tandem_push_header(struct sk_buff *skb, __be16 sport, __be16 dport,
				  u32 seq, u32 ack, u8 flags, u16 window,
				  const struct tandem_opts *opts)
{
	unsigned int opt_len = opts ? tandem_opts_len(opts) : 0;

	if (opt_len)
		tandem_opts_write(skb_push(skb, opt_len), opts);
	return tandem_push_fixed(skb, sport, dport, seq, ack, flags, window, opt_len);
}

int tandem_parse_options(const struct sk_buff *skb, struct tandem_opts *o)
{
	const struct tcphdr *th = tandem_hdr(skb);

	return tandem_opts_parse((const u8 *)(th + 1), tandem_hdr_len(th) - sizeof(*th),
				 th->syn, o);
}

u32 tandem_payload_len(const struct sk_buff *skb)
{
	/* The header may be pulled already: then the offset is negative. */
	return skb->len - (skb_transport_offset(skb) + tandem_hdr_len(tandem_hdr(skb)));
}

/* ---- in ---- */

static noinline bool sum_is_good(struct sk_buff *skb, u8 proto)
{
	bool v6 = tandem_skb_v6(skb);

	/* Nobody has looked at it yet. */
	if (skb->ip_summed == CHECKSUM_NONE && !skb->csum_valid)
		return !csum_fold(csum_add(v6 ? ip6_compute_pseudo(skb, proto) :
						inet_compute_pseudo(skb, proto),
					   tandem_sum(skb)));
	if (v6 ? skb_checksum_init(skb, proto, ip6_compute_pseudo) :
		 skb_checksum_init(skb, proto, inet_compute_pseudo))
		return false;
	return skb_csum_unnecessary(skb) || !__skb_checksum_complete(skb);
}

/* Bad or good?  0, or the reason to drop it. Makes the whole header linear. */
static __always_inline enum tandem_reason check_segment(struct sk_buff *skb, u8 wire)
{
	const struct tcphdr *th;

	if (!pskb_may_pull(skb, sizeof(*th)))
		return TANDEM_R_SHORT;
	th = (const struct tcphdr *)skb->data;
	if (tandem_hdr_len(th) < sizeof(*th) || tandem_hdr_len(th) > skb->len)
		return TANDEM_R_DOFF;
	if (!pskb_may_pull(skb, tandem_hdr_len(th)))
		return TANDEM_R_SHORT;
	/* UDP has looked at its own; what never left this machine was never summed. */
	if (wire == TANDEM_WIRE_UDP || skb_csum_unnecessary(skb))
		return TANDEM_R_NONE;
	return sum_is_good(skb, tandem_wire_proto(wire)) ? TANDEM_R_NONE : TANDEM_R_CSUM;
}

/* What came in one piece, by GRO or from a virtual machine, which need not count. */
static u16 segs_of(const struct sk_buff *skb, u32 payload)
{
	const struct skb_shared_info *info = skb_shinfo(skb);

	if (info->gso_segs || !info->gso_size)
		return max_t(u16, info->gso_segs, 1);
	return clamp_t(u32, DIV_ROUND_UP(payload, info->gso_size), 1, U16_MAX);
}

/* Returns how many segments it is. */
static u16 count_in(struct net *net, const struct sk_buff *skb, enum tandem_reason why)
{
	u16 segs = why ? 1 : segs_of(skb, skb->len - tandem_hdr_len(tandem_hdr(skb)));

	TANDEM_ADD(net, INSEGS, segs);
	return segs;
}

static __always_inline void fill_cb(struct sk_buff *skb, u8 wire, u16 segs, int dif, int sdif)
{
	const struct tcphdr *th = tandem_hdr(skb);
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	u16 nhoff = tandem_skb_v6(skb) ? IP6CB(skb)->nhoff : 0;

	BUILD_BUG_ON(sizeof(struct tandem_skb_cb) > sizeof_field(struct sk_buff, cb));

	/* All of what an arriving segment has of it, seg.h. */
	cb->sacked = 0;
	cb->eor = 0;
	cb->ts_ack = 0;
	cb->wire = wire;
	cb->tw_isn = 0;
	cb->dif = dif;
	cb->sdif = sdif;
	cb->nhoff = nhoff;
	cb->udp_sport = wire == TANDEM_WIRE_UDP ? ((const struct udphdr *)th - 1)->source : 0;
	cb->flags = tandem_hdr_flags(th);
	cb->seq = ntohl(th->seq);
	cb->end_seq = cb->seq + skb->len - tandem_hdr_len(th) +
		      !!(cb->flags & TANDEM_F_SYN) + !!(cb->flags & TANDEM_F_FIN);
	cb->ack_seq = ntohl(th->ack_seq);
	cb->segs = segs;
	cb->wnd = ntohs(th->window);
	cb->tos = tandem_skb_v6(skb) ? ipv6_get_dsfield(ipv6_hdr(skb)) :
					   ip_hdr(skb)->tos;
}

/*
 * Does the owner (or, without one, the host) want it?  RFC 5082, xfrm policy, then the
 * socket filter, which cgroup BPF and LSM are part of and which may cut the payload.
 * skb->cb is still the IP layer's: the decoder of xfrm reads it.
 */
static __always_inline bool admit(struct sock *sk, struct sk_buff *skb)
{
	if (sk && !tandem_skb_ttl_ok(sk, skb))
		return false;
	if (!tandem_skb_policy(sk, skb))
		return false;
	nf_reset_ct(skb);
	return !sk || !sk_filter_trim_cap(sk, skb, tandem_hdr_len(tandem_hdr(skb)));
}

bool tandem_rcv_admit(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb saved = *TANDEM_CB(skb);
	u32 len = skb->len;
	bool ok;

	memset(skb->cb, 0, sizeof(skb->cb));
	if (tandem_skb_v6(skb))
		IP6CB(skb)->nhoff = saved.nhoff;
	ok = admit(sk, skb);
	*TANDEM_CB(skb) = saved;
	TANDEM_CB(skb)->end_seq -= len - skb->len;
	return ok;
}

/* The one whose policy, filter and TTL count. */
static struct sock *flow_judge(struct tandem_flow *flow)
{
	switch (flow->kind) {
	case TANDEM_FLOW_SOCK:
		return tandem_flow_sk(flow);
	case TANDEM_FLOW_REQUEST:
		return container_of(flow, struct tandem_request, flow)->listener;
	default:
		return NULL;
	}
}

static void no_owner(struct net *net, struct sk_buff *skb)
{
	tandem_send_reset(net, NULL, skb, TANDEM_R_NOSOCK);
	tandem_drop(net, NULL, skb, TANDEM_R_NOSOCK);
}

/* To a socket of which we hold a reference, which ends here. */
static __always_inline void hand_to_sock(struct sock *sk, struct sk_buff *skb)
{
	sk_incoming_cpu_update(sk);
	sk_mark_napi_id(sk, skb);
	sock_rps_save_rxhash(sk, skb);	/* RFS: where its program reads, it is received */
	/* It may wait in queues longer than its device and its IPsec state live. */
	skb->dev = NULL;
	if (sk->sk_state != TCP_SYN_SENT)	/* an LSM will ask for the peer's label */
		secpath_reset(skb);
	tandem_sk_rcv(sk, skb);
	sock_put(sk);
}

static __always_inline void hand_to_flow(struct tandem_flow *flow, struct sk_buff *skb)
{
	switch (flow->kind) {
	case TANDEM_FLOW_SOCK:
		hand_to_sock(tandem_flow_sk(flow), skb);
		break;
	case TANDEM_FLOW_REQUEST:
		tandem_request_rcv(container_of(flow, struct tandem_request, flow), skb);
		break;
	case TANDEM_FLOW_TIMEWAIT:
		tandem_tw_rcv(container_of(flow, struct tandem_timewait, flow), skb);
		break;
	}
}

/* A socket on its way out is as good as gone. */
static bool hold_flow(struct tandem_flow *flow)
{
	return flow->kind != TANDEM_FLOW_SOCK ||
	       refcount_inc_not_zero(&tandem_flow_sk(flow)->sk_refcnt);
}

void tandem_rcv_again(struct net *net, struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_flow_key key;
	struct tandem_flow *flow;

	tandem_key_from_skb(&key, skb, cb->wire);
	flow = tandem_flow_lookup(net, &key, cb->dif, cb->sdif);
	/* Not to another request: that would not end.  The peer will ask again. */
	if (flow && flow->kind == TANDEM_FLOW_SOCK && hold_flow(flow))
		hand_to_sock(tandem_flow_sk(flow), skb);
	else
		tandem_drop(net, NULL, skb, TANDEM_R_NONE);
}

/* Who gets a segment: a flow (a socket's is held), else a listener as its judge. */
struct owner {
	struct tandem_flow	*flow;
	struct sock		*judge;
	int			dif;
	int			sdif;
};

/* Is @flow still what would be looked up for @skb? */
static __always_inline bool same_flow(const struct tandem_flow *flow,
				      const struct sk_buff *skb, u8 wire)
{
	const struct tandem_flow_key *key = &flow->key;
	const struct tcphdr *th = tandem_hdr(skb);

	if (!READ_ONCE(flow->hashed) || key->lport != th->dest || key->rport != th->source ||
	    key->wire != wire)
		return false;
	if (tandem_skb_v6(skb))
		return ipv6_addr_equal(&key->laddr, &ipv6_hdr(skb)->daddr) &&
		       ipv6_addr_equal(&key->raddr, &ipv6_hdr(skb)->saddr);
	return key->laddr.s6_addr32[3] == ip_hdr(skb)->daddr &&
	       key->raddr.s6_addr32[3] == ip_hdr(skb)->saddr && flow->v4;
}

static __always_inline bool find_owner(struct net *net, struct sk_buff *skb, u8 wire,
				       struct owner *o)
{
	struct tandem_flow_key key;

	o->judge = wire == TANDEM_WIRE_NATIVE ? tandem_early_take(skb) : NULL;
	o->dif = tandem_skb_v6(skb) ? inet6_iif(skb) : inet_iif(skb);
	o->sdif = tandem_skb_v6(skb) ? inet6_sdif(skb) : inet_sdif(skb);
	if (o->judge) {
		o->flow = &tandem_sk(o->judge)->flow;
		if (likely(same_flow(o->flow, skb, wire)))
			return true;
		/* It was closed meanwhile, or a NAT at LOCAL_IN changed the port. */
		sock_put(o->judge);
	}
	tandem_key_from_skb(&key, skb, wire);
	o->flow = tandem_flow_lookup(net, &key, o->dif, o->sdif);
	if (o->flow && !hold_flow(o->flow))
		o->flow = NULL;
	o->judge = o->flow ? flow_judge(o->flow) :
			     tandem_listener_lookup(net, skb, &key, o->dif, o->sdif);
	return o->flow || o->judge;
}

static void drop_owned(struct net *net, struct sk_buff *skb, const struct owner *o,
		       enum tandem_reason why)
{
	tandem_drop(net, o->judge, skb, why);
	if (o->flow && o->flow->kind == TANDEM_FLOW_SOCK)
		sock_put(o->judge);
}

static __always_inline void hand_to_owner(struct net *net, struct sk_buff *skb, u8 wire,
					  u16 segs, const struct owner *o)
{
	if (!admit(o->judge, skb)) {
		drop_owned(net, skb, o, TANDEM_R_POLICY);
		return;
	}
	fill_cb(skb, wire, segs, o->dif, o->sdif);

	if (o->flow)
		hand_to_flow(o->flow, skb);
	else if (o->judge)
		tandem_listen_rcv(o->judge, skb);
	else
		no_owner(net, skb);
}

/*
 * Every segment of two wires comes this way.  So that it is one way, not a dozen calls, the
 * steps are inlined into it, once for each of them.
 */
static __always_inline void rcv(struct sk_buff *skb, u8 wire)
{
	struct net *net = dev_net(skb->dev);
	enum tandem_reason why;
	struct owner owner;
	u16 segs;

	if (skb->pkt_type != PACKET_HOST) {
		kfree_skb(skb);
		return;
	}
	why = check_segment(skb, wire);
	segs = count_in(net, skb, why);
	if (unlikely(why)) {
		tandem_drop(net, NULL, skb, why);
		return;
	}
	find_owner(net, skb, wire, &owner);
	hand_to_owner(net, skb, wire, segs, &owner);
}

/**
 * tandem_rcv() - a segment has arrived
 * @skb: with the transport header at skb->data; consumed
 *
 * Softirq, rcu_read_lock held.
 *
 * Return: 0, for the IP layer.
 */
int tandem_rcv(struct sk_buff *skb)
{
	rcv(skb, TANDEM_WIRE_NATIVE);
	return 0;
}

void tandem_rcv_udp(struct sk_buff *skb)
{
	rcv(skb, TANDEM_WIRE_UDP);
}

/*
 * On the tcp wire the owner comes first: what is nobody's here is the kernel's TCP's,
 * and is not even counted.
 */
bool tandem_rcv_tcp(struct net *net, struct sk_buff *skb)
{
	unsigned int off = skb_network_header_len(skb);
	enum tandem_reason why;
	struct owner owner;
	bool ours;
	u16 segs;

	/* BPF that picks a listener sees what it sees of TCP: from our header on. */
	__skb_pull(skb, off);
	ours = find_owner(net, skb, TANDEM_WIRE_TCP, &owner);
	__skb_push(skb, off);
	if (!ours)
		return false;
	if (!tandem_tcpwire_confirm(skb)) {
		TANDEM_INC(net, INSEGS);
		drop_owned(net, skb, &owner, TANDEM_R_POLICY);
		return true;
	}
	/* What ip_local_deliver_finish() and ip6_protocol_deliver_rcu() would do. */
	skb_clear_delivery_time(skb);
	__skb_pull(skb, off);
	if (tandem_skb_v6(skb))
		skb_postpull_rcsum(skb, skb_network_header(skb), off);
	why = check_segment(skb, TANDEM_WIRE_TCP);
	segs = count_in(net, skb, why);
	if (why)
		drop_owned(net, skb, &owner, why);
	else
		hand_to_owner(net, skb, TANDEM_WIRE_TCP, segs, &owner);
	return true;
}

/* ---- replies ---- */

int tandem_reply_oif(struct net *net, const struct sk_buff *skb, int oif)
{
	if (!oif && netif_index_is_l3_master(net, skb->skb_iif))
		return skb->skb_iif;
	return oif;
}

void tandem_send_reply(struct net *net, const struct sock *sk, struct sk_buff *skb,
		       const struct tandem_reply *reply)
{
	const struct tcphdr *th = tandem_hdr(skb);
	struct sk_buff *out;

	out = alloc_skb(TANDEM_MAX_HEADER, GFP_ATOMIC | __GFP_NOWARN);
	if (!out) {
		TANDEM_INC(net, OUTNOMEM);
		return;
	}
	skb_reserve(out, TANDEM_MAX_HEADER);
	tandem_push_header(out, th->dest, th->source, reply->seq, reply->ack,
			   reply->flags, reply->window, &reply->opts);
	trace_tandem_reply(skb, reply->seq, reply->ack, reply->flags, reply->window);
	TANDEM_INC(net, OUTSEGS);
	if (reply->flags & TANDEM_F_RST)
		TANDEM_INC(net, OUTRSTS);
	if (tandem_skb_v6(skb))
		tandem_v6_reply(net, sk, skb, out, reply);
	else
		tandem_v4_reply(net, sk, skb, out, reply);
}

bool tandem_fill_reset(const struct sk_buff *skb, struct tandem_reply *reply)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);

	if (cb->flags & TANDEM_F_RST)
		return false;
	memset(reply, 0, sizeof(*reply));
	reply->tos = cb->tos;
	if (cb->flags & TANDEM_F_ACK) {
		reply->flags = TANDEM_F_RST;
		reply->seq = cb->ack_seq;
	} else {
		reply->flags = TANDEM_F_RST | TANDEM_F_ACK;
		reply->ack = cb->end_seq;
	}
	return true;
}

void tandem_send_reset(struct net *net, const struct sock *sk, struct sk_buff *skb,
		       enum tandem_reason why)
{
	struct tandem_reply reply;

	/* Without a connection nothing says that it was meant for us alone. */
	if (!tandem_fill_reset(skb, &reply) || (!sk && !tandem_skb_unicast(skb)))
		return;
	if (sk) {
		reply.oif = READ_ONCE(sk->sk_bound_dev_if);
		reply.mark = READ_ONCE(sk->sk_mark);
		trace_tandem_reset(sk, why);
	}
	tandem_send_reply(net, sk, skb, &reply);
}

/*
 * RFC 5961 section 7, with Linux's remedy for what that limit told an off-path
 * attacker: the budget of each second is random, half to one and a half times the
 * knob (CVE-2016-5696).
 */
bool tandem_challenge_allowed(struct net *net)
{
	int limit = tandem_knob(net, challenge_ack_limit);
	struct tandem_net *tn = tandem_pernet(net);
	unsigned long now = jiffies / HZ;
	bool allowed;

	if (limit == INT_MAX)
		return true;
	spin_lock_bh(&tn->challenge_lock);
	if (tn->challenge_stamp != now) {
		tn->challenge_stamp = now;
		tn->challenge_left = limit <= 0 ? 0 :
			limit / 2 + limit % 2 + reciprocal_scale(get_random_u32(), limit);
	}
	allowed = tn->challenge_left > 0;
	if (allowed)
		tn->challenge_left--;
	spin_unlock_bh(&tn->challenge_lock);
	return allowed;
}

bool tandem_reply_allowed(const struct sk_buff *skb, u64 *last_us)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	u64 now = tandem_now_us();

	if (cb->seq != cb->end_seq && !(cb->flags & TANDEM_F_SYN))
		return true;
	if (*last_us && now - *last_us < OOW_REPLY_INTERVAL_US)
		return false;
	*last_us = now;
	return true;
}

/* ---- ICMP errors ---- */

/* For a program that reads MSG_ERRQUEUE: the message from the quoted payload on. */
static void queue_icmp_error(struct sock *sk, const struct tandem_icmp *icmp)
{
	struct sock_exterr_skb *serr;
	struct sk_buff *skb;

	if (!tandem_sk_recverr(sk))
		return;
	skb = skb_clone(icmp->skb, GFP_ATOMIC);
	if (!skb)
		return;
	serr = SKB_EXT_ERR(skb);
	memset(serr, 0, sizeof(*serr));
	serr->ee.ee_errno = icmp->err;
	serr->ee.ee_origin = tandem_skb_v6(icmp->skb) ? SO_EE_ORIGIN_ICMP6 :
							SO_EE_ORIGIN_ICMP;
	serr->ee.ee_type = icmp->type;
	serr->ee.ee_code = icmp->code;
	serr->ee.ee_info = icmp->info;
	serr->addr_offset = (const u8 *)icmp->daddr - skb_network_header(skb);
	serr->port = icmp->th->dest;
	__skb_pull(skb, (const u8 *)icmp->th - skb->data);
	skb_reset_transport_header(skb);
	if (sock_queue_err_skb(sk, skb))
		kfree_skb(skb);
}

static void icmp_redirect(struct sock *sk, const struct tandem_icmp *icmp)
{
	struct dst_entry *dst;
	u32 cookie = 0;

	if (sock_owned_by_user(sk))
		return;
	if (tandem_sk_v6(sk))
		cookie = inet6_sk(sk)->dst_cookie;
	dst = __sk_dst_check(sk, cookie);
	if (dst)
		dst->ops->redirect(dst, sk, icmp->skb);
}

static void icmp_pmtu(struct sock *sk, u32 mtu)
{
	struct tandem_sock *tp = tandem_sk(sk);

	WRITE_ONCE(tp->mtu_info, mtu);
	if (!sock_owned_by_user(sk))
		tp->af->mtu_reduced(sk);
	else if (!test_and_set_bit(TANDEM_DEFER_PMTU, &tp->deferred))
		sock_hold(sk);	/* until tandem_release_cb() */
}

/* @sk is locked. */
static void icmp_to_sock(struct sock *sk, const struct tandem_icmp *icmp)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (!tandem_skb_ttl_ok(sk, icmp->skb)) {
		tandem_count_reason(net, TANDEM_R_POLICY);
		return;
	}
	if (!seq_between(ntohl(icmp->th->seq), tp->snd_una, tp->snd_nxt)) {
		TANDEM_SK_INC(sk, ICMPOUTWIN);
		return;
	}
	switch (icmp->kind) {
	case TANDEM_ICMP_IGNORE:
		break;
	case TANDEM_ICMP_REDIRECT:
		TANDEM_SK_INC(sk, ICMPIN);
		icmp_redirect(sk, icmp);
		break;
	case TANDEM_ICMP_PMTU:
		TANDEM_SK_INC(sk, ICMPIN);
		icmp_pmtu(sk, icmp->mtu);
		break;
	case TANDEM_ICMP_ERROR:
		if (tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
			queue_icmp_error(sk, icmp);
		/* RFC 1122 section 4.2.3.9; a program may ask to be told at once. */
		tandem_icmp_err(sk, icmp->err, tandem_sk_recverr(sk));
		break;
	}
}

int tandem_icmp_deliver(struct net *net, const struct tandem_icmp *icmp)
{
	struct tandem_flow *flow;
	struct sock *sk;

	flow = tandem_flow_lookup(net, &icmp->key, icmp->dif, icmp->sdif);
	if (!flow || !hold_flow(flow))
		return -ENOENT;
	if (flow->kind == TANDEM_FLOW_REQUEST && icmp->fatal)
		tandem_request_icmp(container_of(flow, struct tandem_request, flow),
				    ntohl(icmp->th->seq));
	if (flow->kind != TANDEM_FLOW_SOCK)
		return 0;
	sk = tandem_flow_sk(flow);
	bh_lock_sock(sk);
	icmp_to_sock(sk, icmp);
	bh_unlock_sock(sk);
	sock_put(sk);
	return 0;
}

/* ---- per netns ---- */

int tandem_wire_net_init(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	int err;

	err = inet_ctl_sock_create(&tn->ctl4, PF_INET, SOCK_RAW, IPPROTO_TANDEM, net);
	if (err || !ipv6_mod_enabled())
		return err;
	err = inet_ctl_sock_create(&tn->ctl6, PF_INET6, SOCK_RAW, IPPROTO_TANDEM, net);
	if (err)
		inet_ctl_sock_destroy(tn->ctl4);
	return err;
}

void tandem_wire_net_exit(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	if (tn->ctl6)
		inet_ctl_sock_destroy(tn->ctl6);
	inet_ctl_sock_destroy(tn->ctl4);
}
