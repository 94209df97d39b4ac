/* SPDX-License-Identifier: GPL-2.0 */
/*
 * family.h - what wire.c asks of ipv4.c and ipv6.c, each question answered by the
 * family of the segment at hand.  Only the rooms of the wire include it.
 */
#ifndef _TANDEM_FAMILY_H
#define _TANDEM_FAMILY_H

#include <linux/if_ether.h>
#include <net/checksum.h>
#include "sock.h"
#include "wire.h"

struct dst_entry;
struct net;
struct sk_buff;
struct sock;
struct tandem_reply;

/**
 * struct tandem_icmp - an ICMP error that quotes a segment of ours
 * @skb:	the message, skb->data at the quoted IP header
 * @key:	the quoted segment's flow, our side local
 * @dif:	arrival device
 * @sdif:	the slave's below an l3 master, or 0
 * @kind:	what it wants
 * @err:	errno, for TANDEM_ICMP_ERROR
 * @fatal:	a half-open connection does not survive it
 * @mtu:	for TANDEM_ICMP_PMTU
 * @info:	for MSG_ERRQUEUE
 * @type:	for MSG_ERRQUEUE
 * @code:	for MSG_ERRQUEUE
 * @daddr:	the quoted destination address, inside @skb
 * @th:		the first 8 bytes of the quoted segment, inside @skb
 */
struct tandem_icmp {
	struct sk_buff			*skb;
	struct tandem_flow_key		key;
	int				dif;
	int				sdif;
	enum {
		TANDEM_ICMP_ERROR,
		TANDEM_ICMP_PMTU,
		TANDEM_ICMP_REDIRECT,
		TANDEM_ICMP_IGNORE,
	}				kind;
	int				err;
	bool				fatal;
	u32				mtu;
	u32				info;
	u8				type;
	u8				code;
	const void			*daddr;
	const struct tcphdr		*th;
};

/* 0, or -ENOENT: nobody here sent that. */
int tandem_icmp_deliver(struct net *net, const struct tandem_icmp *icmp);

/* An ICMP error that quotes a segment of @wire; 0, or -ENOENT. rcu_read_lock held. */
int tandem_v4_icmp(struct sk_buff *skb, u8 type, u8 code, int offset, u32 info,
		   u8 wire);
int tandem_v6_icmp(struct sk_buff *skb, u8 type, u8 code, int offset, __be32 info,
		   u8 wire);

/* xfrm policy; @sk may be NULL.  Before TANDEM_CB() is filled. */
bool tandem_v4_policy(struct sock *sk, struct sk_buff *skb);
bool tandem_v6_policy(struct sock *sk, struct sk_buff *skb);
/* From one host to this host: may it be answered without a socket? */
bool tandem_v4_unicast(const struct sk_buff *skb);
bool tandem_v6_unicast(const struct sk_buff *skb);
/* Checksum, route and send @out, the answer to @skb. Consumes @out. */
void tandem_v4_reply(struct net *net, const struct sock *sk, struct sk_buff *skb,
		     struct sk_buff *out, const struct tandem_reply *reply);
void tandem_v6_reply(struct net *net, const struct sock *sk, struct sk_buff *skb,
		     struct sk_buff *out, const struct tandem_reply *reply);
/* Route a v4 or v4-mapped socket anew. */
int tandem_v4_rebuild_header(struct sock *sk);
/* The IPv4 half of init_child, shared with v4-mapped children. */
int tandem_v4_init_child(const struct sock *lsk, struct sock *child,
			 struct tandem_request *req, struct sk_buff *skb,
			 struct dst_entry *dst);
int tandem_mapped_init_child(const struct sock *lsk, struct sock *child,
			     struct tandem_request *req, struct sk_buff *skb,
			     struct dst_entry *dst);

/* An answer to @skb without a full socket has to leave by this device; 0: any. */
int tandem_reply_oif(struct net *net, const struct sk_buff *skb, int oif);

/* Write sequence, timestamps' start and what else a new active open has of its own. */
void tandem_connect_numbers(struct sock *sk);

/* For connect(): 0, or -ENETUNREACH when there is no tunnel to send through. */
static inline int tandem_wire_closed(const struct sock *sk)
{
	return tandem_sk(sk)->wire == TANDEM_WIRE_UDP &&
	       !tandem_sk_knob(sk, udp_port) ? -ENETUNREACH : 0;
}

/* The pseudo header's sum is in th->check: let the device, or who needs it, do the rest. */
static inline void tandem_sum_later(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

/*
 * The sum of all from skb->data on: skb_checksum() without its generality, for a small
 * segment lies in one or two places.
 */
static inline __wsum tandem_sum(const struct sk_buff *skb)
{
	const skb_frag_t *frag = skb_shinfo(skb)->frags;
	unsigned int linear = skb_headlen(skb);
	__wsum sum;

	if (skb_has_frag_list(skb) || skb_shinfo(skb)->nr_frags > 1 ||
	    (skb_shinfo(skb)->nr_frags && PageHighMem(skb_frag_page(frag))))
		return skb_checksum(skb, 0, skb->len, 0);
	sum = csum_partial(skb->data, linear, 0);
	if (skb_is_nonlinear(skb))
		sum = csum_block_add(sum, csum_partial(skb_frag_address(frag),
						       skb_frag_size(frag), 0), linear);
	return sum;
}

static inline bool tandem_skb_v6(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6);
}

/* Does @sk talk IPv6 (else IPv4, be it v4-mapped)? */
static inline bool tandem_sk_v6(const struct sock *sk)
{
	return tandem_sk(sk)->af == &tandem_ipv6_ops;
}

static inline bool tandem_skb_policy(struct sock *sk, struct sk_buff *skb)
{
	return tandem_skb_v6(skb) ? tandem_v6_policy(sk, skb) :
				    tandem_v4_policy(sk, skb);
}

static inline bool tandem_skb_unicast(const struct sk_buff *skb)
{
	return tandem_skb_v6(skb) ? tandem_v6_unicast(skb) : tandem_v4_unicast(skb);
}

/* IP_MINTTL and IPV6_MINHOPCOUNT, RFC 5082. */
static inline bool tandem_skb_ttl_ok(const struct sock *sk, const struct sk_buff *skb)
{
	if (!tandem_skb_v6(skb))
		return ip_hdr(skb)->ttl >= READ_ONCE(inet_sk(sk)->min_ttl);
	return ipv6_hdr(skb)->hop_limit >= READ_ONCE(inet6_sk(sk)->min_hopcount);
}

#endif /* _TANDEM_FAMILY_H */
