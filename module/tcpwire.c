// SPDX-License-Identifier: GPL-2.0
/*
 * tcpwire.c - the tcp wire's way in: the other end is plain TCP.
 *
 * IP protocol 6 belongs to the kernel's TCP.  At netfilter's LOCAL_IN, the last door
 * before it, hooks of ours look every such segment up in Tandem's tables: what belongs
 * to a connection, request, TIME-WAIT minisock or listener on the tcp wire goes to
 * tandem_rcv_tcp(), everything else passes on untouched.  Conntrack, nftables and packet
 * sockets have seen it by then as what it is, TCP.  ICMP errors are only read here:
 * the kernel goes on with them as with any other.
 *
 * The hooks come with the first socket on this wire in a netns and stay till its end,
 * so that a host that does not use the wire pays nothing.  Ports: tcpport.c.
 *
 * IPv6 fragments are put together behind LOCAL_IN unless conntrack is in use, so a
 * fragmented segment does not reach us then; TCP does not fragment at the source.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip6_checksum.h>
#include <net/netfilter/nf_conntrack.h>
#include "family.h"
#include "tcpwire.h"
#include "wire.h"

/* Behind all who judge, before conntrack makes up its mind (NF_IP_PRI_CONNTRACK_CONFIRM). */
#define HOOK_PRIORITY	(INT_MAX - 1)

static DEFINE_MUTEX(open_mutex);

bool tandem_tcpwire_confirm(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK) && defined(TANDEM_HAVE_NF_CT_HOOK_CONFIRM)
	const struct nf_ct_hook *hook = rcu_dereference(nf_ct_hook);
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (hook && ct && !nf_ct_is_confirmed(ct))
		return hook->confirm(skb) == NF_ACCEPT;
#endif
	return true;
}

/* The transport header is at @thoff from the network header, where skb->data is. */
static unsigned int offer_segment(struct sk_buff *skb, struct net *net, int thoff)
{
	/* IPv6 counts from here on through its extension headers. */
	int before = skb_transport_offset(skb);

	if (skb->pkt_type != PACKET_HOST ||
	    !pskb_may_pull(skb, thoff + sizeof(struct tcphdr)))
		return NF_ACCEPT;
	skb_set_transport_header(skb, thoff);
	if (tandem_rcv_tcp(net, skb))
		return NF_STOLEN;
	skb_set_transport_header(skb, before);
	return NF_ACCEPT;
}

/* ---- IPv4 ---- */

/* An ICMP error for a segment of ours?  skb->data is the IP header, and is so again. */
static void read_icmp(struct sk_buff *skb, struct net *net)
{
	unsigned int icmp_at = ip_hdrlen(skb), quote_at = icmp_at + sizeof(struct icmphdr);
	const struct icmphdr *icmp;
	const struct iphdr *quote;
	u8 type, code, ihl;
	u32 info = 0;

	if (!pskb_may_pull(skb, quote_at + sizeof(*quote)))
		return;
	icmp = (const struct icmphdr *)(skb->data + icmp_at);
	quote = (const struct iphdr *)(skb->data + quote_at);
	switch (icmp->type) {
	case ICMP_DEST_UNREACH:
		if (icmp->code != ICMP_FRAG_NEEDED)
			break;
		/* 1 and 2: PMTU discovery is off. */
		if (READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc) % 3)
			return;
		info = ntohs(icmp->un.frag.mtu);
		break;
	case ICMP_PARAMETERPROB:
		info = ntohl(icmp->un.gateway) >> 24;
		break;
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
		break;
	default:
		return;
	}
	type = icmp->type;
	code = icmp->code;
	ihl = quote->ihl;
	if (quote->protocol != IPPROTO_TCP || ihl < 5 ||
	    quote->frag_off & htons(IP_OFFSET) ||
	    !pskb_may_pull(skb, quote_at + ihl * 4 + 8))
		return;
	if (!skb_csum_unnecessary(skb) &&
	    csum_fold(skb_checksum(skb, icmp_at, skb->len - icmp_at, 0)))
		return;
	__skb_pull(skb, quote_at);
	tandem_v4_icmp(skb, type, code, ihl * 4, info, TANDEM_WIRE_TCP);
	__skb_push(skb, quote_at);
}

static unsigned int hook4(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol == IPPROTO_TCP && !ip_is_fragment(iph))
		return offer_segment(skb, state->net, ip_hdrlen(skb));
	if (iph->protocol == IPPROTO_ICMP && !ip_is_fragment(iph))
		read_icmp(skb, state->net);
	return NF_ACCEPT;
}

/* ---- IPv6 ---- */

#if IS_ENABLED(CONFIG_IPV6)
static bool icmp6_sum_ok(const struct sk_buff *skb, int icmp_at)
{
	u32 len = skb->len - icmp_at;

	return skb_csum_unnecessary(skb) ||
	       !csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len,
				IPPROTO_ICMPV6, skb_checksum(skb, icmp_at, len, 0));
}

static void read_icmp6(struct sk_buff *skb, int icmp_at)
{
	int quote_at = icmp_at + sizeof(struct icmp6hdr), at;
	const struct icmp6hdr *icmp;
	__be16 frag;
	__be32 info;
	u8 next;
	u8 type, code;

	if (!pskb_may_pull(skb, quote_at + sizeof(struct ipv6hdr)))
		return;
	icmp = (const struct icmp6hdr *)(skb->data + icmp_at);
	type = icmp->icmp6_type;
	code = icmp->icmp6_code;
	info = icmp->icmp6_mtu;
	if (type != ICMPV6_DEST_UNREACH && type != ICMPV6_PKT_TOOBIG &&
	    type != ICMPV6_TIME_EXCEED && type != ICMPV6_PARAMPROB)
		return;
	next = ((const struct ipv6hdr *)(skb->data + quote_at))->nexthdr;
	at = ipv6_skip_exthdr(skb, quote_at + sizeof(struct ipv6hdr), &next, &frag);
	if (at < 0 || next != IPPROTO_TCP || frag & htons(IP6_OFFSET) ||
	    !pskb_may_pull(skb, at + 8) || !icmp6_sum_ok(skb, icmp_at))
		return;
	__skb_pull(skb, quote_at);
	tandem_v6_icmp(skb, type, code, at - quote_at, info, TANDEM_WIRE_TCP);
	__skb_push(skb, quote_at);
}

static unsigned int hook6(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	u8 next = ipv6_hdr(skb)->nexthdr;
	__be16 frag;
	int at;

	at = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &next, &frag);
	if (at < 0 || frag)
		return NF_ACCEPT;
	if (next == IPPROTO_TCP)
		return offer_segment(skb, state->net, at);
	if (next == IPPROTO_ICMPV6)
		read_icmp6(skb, at);
	return NF_ACCEPT;
}
#endif

static const struct nf_hook_ops hooks[] = {
	{
		.hook		= hook4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= HOOK_PRIORITY,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook		= hook6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= HOOK_PRIORITY,
	},
#endif
};

int tandem_tcpwire_open(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	int err = 0;

	if (READ_ONCE(tn->tcp_hooks))
		return 0;
	if (!IS_ENABLED(CONFIG_NETFILTER))
		return -EOPNOTSUPP;
	mutex_lock(&open_mutex);
	if (!tn->tcp_hooks) {
		err = nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
		if (!err)
			WRITE_ONCE(tn->tcp_hooks, true);
	}
	mutex_unlock(&open_mutex);
	return err;
}

/* Sockets and their connections are gone; waits for segments on their way through. */
void tandem_tcpwire_net_exit(struct net *net)
{
	if (tandem_pernet(net)->tcp_hooks)
		nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
