// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - the bodies of the tracepoints: addresses and segment fields from
 * whatever is at hand.
 */
#include <linux/ip.h>
#include <linux/module.h>
#include "demux.h"
#include "sock.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The length of the segment's text, from the range of numbers it occupies. */
static u32 trace_text_len(const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	u32 len = cb->end_seq - cb->seq;

	len -= !!(cb->flags & TANDEM_F_SYN);
	len -= !!(cb->flags & TANDEM_F_FIN);
	return len;
}

void tandem_trace_flow_sk(struct tandem_trace_flow *f, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct tandem_flow_key key;

	tandem_key_from_sk(&key, sk);
	memcpy(f->laddr, &key.laddr, sizeof(f->laddr));
	memcpy(f->raddr, &key.raddr, sizeof(f->raddr));
	f->lport = ntohs(inet->inet_sport);
	f->rport = ntohs(inet->inet_dport);
	f->net = sock_net(sk)->ns.inum;
}

/* First @len bytes of the transport header, or NULL when they are not all there. */
static const void *trace_hdr(const struct sk_buff *skb, unsigned int len)
{
	const u8 *p;

	if (!skb_transport_header_was_set(skb))
		return NULL;
	p = skb_transport_header(skb);
	return p + len <= skb_tail_pointer(skb) ? p : NULL;
}

/*
 * A received segment, the wrong way round so that "local" is our side.  Nothing of
 * the segment was checked yet, perhaps, except the IP header.
 */
void tandem_trace_flow_skb(struct tandem_trace_flow *f, const struct sock *sk,
			   const struct sk_buff *skb)
{
	const __be16 *ports = trace_hdr(skb, 2 * sizeof(__be16));
	struct in6_addr addr;

	memset(f, 0, sizeof(*f));
	if (skb->protocol == htons(ETH_P_IPV6)) {
		memcpy(f->laddr, &ipv6_hdr(skb)->daddr, sizeof(f->laddr));
		memcpy(f->raddr, &ipv6_hdr(skb)->saddr, sizeof(f->raddr));
	} else {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &addr);
		memcpy(f->laddr, &addr, sizeof(f->laddr));
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &addr);
		memcpy(f->raddr, &addr, sizeof(f->raddr));
	}
	if (ports) {
		f->rport = ntohs(ports[0]);
		f->lport = ntohs(ports[1]);
	}
	if (sk)
		f->net = sock_net(sk)->ns.inum;
	else if (skb->dev)
		f->net = dev_net(skb->dev)->ns.inum;
	else if (skb_dst(skb))
		f->net = dev_net(skb_dst(skb)->dev)->ns.inum;
}

/* Before TANDEM_CB() is filled, or after: from the header itself. */
void tandem_trace_seg_hdr(struct tandem_trace_seg *s, const struct sk_buff *skb)
{
	const struct tcphdr *th = trace_hdr(skb, sizeof(*th));

	memset(s, 0, sizeof(*s));
	if (!th)
		return;
	s->seq = ntohl(th->seq);
	s->ack = ntohl(th->ack_seq);
	s->flags = tandem_hdr_flags(th);
	s->wnd = ntohs(th->window);
	s->len = skb->len;
	/* skb->data is at the header until a queue has pulled it. */
	if (skb->data == (const u8 *)th)
		s->len -= min(s->len, tandem_hdr_len(th));
}

void tandem_trace_seg_in(struct tandem_trace_seg *s, const struct sock *sk,
			 const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);

	s->seq = cb->seq;
	s->ack = cb->ack_seq;
	s->flags = cb->flags;
	s->len = trace_text_len(skb);
	s->wnd = cb->wnd;
	/* RFC 7323 section 2.2: the window of a SYN is never scaled. */
	if (!(cb->flags & TANDEM_F_SYN))
		s->wnd <<= tandem_sk(sk)->snd_wscale;
}

void tandem_trace_seg_out(struct tandem_trace_seg *s, const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);

	memset(s, 0, sizeof(*s));
	s->seq = cb->seq;
	s->flags = cb->flags;
	s->len = trace_text_len(skb);
}

/* RFC 7323 section 2.2 once more, the other way. */
u32 tandem_trace_wnd_out(const struct sock *sk, u8 flags, u32 wnd)
{
	return flags & TANDEM_F_SYN ? wnd : wnd << tandem_sk(sk)->rcv_wscale;
}

u32 tandem_trace_cwnd(const struct sock *sk)
{
	return tandem_sk(sk)->cc.cwnd;
}

u32 tandem_trace_pipe(const struct sock *sk)
{
	return tandem_pipe(tandem_sk(sk));
}
