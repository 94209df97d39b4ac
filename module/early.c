// SPDX-License-Identifier: GPL-2.0
/*
 * early.c - whose segment is it, before it is routed.
 *
 * IP routes what comes in to learn that it is for this host: two looks into the tables of
 * routes, for the destination and for the way back to the source.  For a segment whose
 * socket is known the last one's answer will do, which is why the kernel's TCP is asked
 * before routing ("early demux").  That list is closed, so we ask ourselves, at netfilter's
 * PRE_ROUTING, behind all who may change the addresses.
 *
 * The route is used as TCP uses its own: as long as it is valid (dst_check()) and segments
 * come in by the same device; one that comes in elsewhere is routed, and judged (rp_filter),
 * anew.  net.ipv4.ip_early_demux switches it off here, too.  What a VRF's device delivers
 * is left alone: who it belongs to is not known yet.
 *
 * The socket that was found goes with the skb, so that it is not looked up again; the
 * reference on it is the skb's, which may wait in a queue of netfilter's.
 *
 * The hooks come with the first socket of a netns and stay till its end.  Of the three wires
 * only the native one is looked at: TCP's segments have an early demux of their own to go
 * through, and UDP's socket is the tunnel's.
 */
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/sock.h>
#include "demux.h"
#include "early.h"
#include "family.h"
#include "sock.h"
#include "wire.h"

static DEFINE_MUTEX(open_mutex);

struct sock *tandem_early_take(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	if (!sk || skb->destructor != sock_edemux)
		return NULL;
	skb->destructor = NULL;
	skb->sk = NULL;
	return sk;
}

void tandem_early_learn(struct sock *sk, const struct sk_buff *skb)
{
	struct dst_entry *dst = rcu_dereference_protected(sk->sk_rx_dst,
							  lockdep_sock_is_held(sk));

	if (likely(dst)) {
		/* All is well if that is how it came. */
		if (likely(dst == skb_dst(skb)))
			return;
		if (sk->sk_rx_dst_ifindex == skb->skb_iif &&
		    dst_check(dst, sk->sk_rx_dst_cookie))
			return;
		tandem_early_forget(sk);
	}
	dst = skb_dst(skb);
	if (!dst || tandem_sk(sk)->wire != TANDEM_WIRE_NATIVE || !dst_hold_safe(dst))
		return;
#if IS_ENABLED(CONFIG_IPV6)
	if (tandem_skb_v6(skb))
		sk->sk_rx_dst_cookie = rt6_get_cookie((const struct rt6_info *)dst);
#endif
	sk->sk_rx_dst_ifindex = skb->skb_iif;
	rcu_assign_pointer(sk->sk_rx_dst, dst);
}

void tandem_early_forget(struct sock *sk)
{
	dst_release(unrcu_pointer(xchg(&sk->sk_rx_dst, NULL)));
}

/* Headers are linear, and skb_transport_header() is ours. */
static void find_socket(struct net *net, struct sk_buff *skb)
{
	struct sock *sk = tandem_sk_of_skb(net, skb, TANDEM_WIRE_NATIVE);
	struct dst_entry *dst;

	if (!sk)
		return;
	skb->sk = sk;
	/* Not a function of ours: netfilter may keep the skb longer than the module lives. */
	skb->destructor = sock_edemux;
	dst = rcu_dereference(sk->sk_rx_dst);
	if (dst && sk->sk_rx_dst_ifindex == skb->skb_iif &&
	    dst_check(dst, sk->sk_rx_dst_cookie))
		skb_dst_set_noref(skb, dst);
}

static bool may_look(const struct sk_buff *skb, const struct net *net)
{
	return skb->pkt_type == PACKET_HOST && !skb->sk && !skb_dst(skb) &&
	       !netif_is_l3_slave(skb->dev) && !netif_is_l3_master(skb->dev) &&
	       READ_ONCE(net->ipv4.sysctl_ip_early_demux);
}

static unsigned int hook4(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol == IPPROTO_TANDEM && !ip_is_fragment(iph) &&
	    may_look(skb, state->net) &&
	    pskb_may_pull(skb, ip_hdrlen(skb) + sizeof(struct tcphdr)))
		find_socket(state->net, skb);
	return NF_ACCEPT;
}

#if IS_ENABLED(CONFIG_IPV6)
static unsigned int hook6(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	if (ipv6_hdr(skb)->nexthdr == IPPROTO_TANDEM && may_look(skb, state->net) &&
	    pskb_may_pull(skb, sizeof(struct ipv6hdr) + sizeof(struct tcphdr)))
		find_socket(state->net, skb);
	return NF_ACCEPT;
}
#endif

static const struct nf_hook_ops hooks[] = {
	{
		.hook		= hook4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= INT_MAX,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook		= hook6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= INT_MAX,
	},
#endif
};

void tandem_early_open(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	if (READ_ONCE(tn->early_hooks) || !IS_ENABLED(CONFIG_NETFILTER))
		return;
	mutex_lock(&open_mutex);
	if (!tn->early_hooks && !nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks)))
		WRITE_ONCE(tn->early_hooks, true);
	mutex_unlock(&open_mutex);
}

/* No socket is left; waits for segments on their way through. */
void tandem_early_net_exit(struct net *net)
{
	if (tandem_pernet(net)->early_hooks)
		nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
