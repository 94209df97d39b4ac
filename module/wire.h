/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wire.h - between segments and IP: header build and check, replies that no socket
 * sends, and the family operations.  ipv4.c and ipv6.c are the only places that know
 * an address family.  What a wire has of its own beyond its protocol number is in
 * tcpwire.c and tcpport.c, and in encap.c.
 */
#ifndef _TANDEM_WIRE_H
#define _TANDEM_WIRE_H

#include <linux/in.h>
#include <linux/types.h>
#include <linux/udp.h>
#include "compat.h"
#include "options.h"
#include "reason.h"
#include "sock.h"

struct dst_entry;
struct net;
struct request_sock;
struct sk_buff;
struct sock;
struct tandem_flow_key;
struct tandem_request;
struct tandem_sock;

/**
 * struct tandem_af_ops - what differs between IPv4, IPv6 and v4-mapped
 * @queue_xmit:	checksum is done; route and send @skb (transport header set and at
 *		skb->data); returns as ip_queue_xmit()
 * @checksum:	fill th->check of @skb, in software
 * @rebuild_header: make sure that sk has a valid route; 0 or -errno
 * @route_child: route for a request's SYN-ACK and child, referenced; NULL on failure
 * @init_child:	addresses, options and family part of a freshly cloned child; takes
 *		@dst in any case; 0/-errno
 * @send_synack: fill the checksum of a SYN-ACK for @req and hand it to IP; consumes
 *		@skb, borrows @dst
 * @mtu_reduced: act on mtu_info (locked socket)
 * @net_header_len: bytes of IP header without options
 * @sockaddr_len: of this family
 */
struct tandem_af_ops {
	int	(*queue_xmit)(struct sock *sk, struct sk_buff *skb);
	void	(*checksum)(struct sock *sk, struct sk_buff *skb);
	int	(*rebuild_header)(struct sock *sk);
	struct dst_entry *(*route_child)(const struct sock *lsk,
					 struct tandem_request *req);
	int	(*init_child)(const struct sock *lsk, struct sock *child,
			      struct tandem_request *req, struct sk_buff *skb,
			      struct dst_entry *dst);
	int	(*send_synack)(const struct sock *lsk, struct tandem_request *req,
			       struct sk_buff *skb, struct dst_entry *dst);
	void	(*mtu_reduced)(struct sock *sk);
	u16	net_header_len;
	u16	sockaddr_len;
};

extern const struct tandem_af_ops tandem_ipv4_ops;	/* AF_INET sockets */
extern const struct tandem_af_ops tandem_mapped_ops;	/* AF_INET6 over IPv4 */
extern const struct tandem_af_ops tandem_ipv6_ops;

/* Registration of protocol and protosw per family; main.c's ladder. */
int tandem_ipv4_init(void);
void tandem_ipv4_exit(void);
int tandem_ipv6_init(void);
void tandem_ipv6_exit(void);
int tandem_wire_net_init(struct net *net);	/* control sockets */
void tandem_wire_net_exit(struct net *net);

/* proto.connect, up to and including tandem_connect() of output.c. */
int tandem_v4_connect(struct sock *sk, tandem_sockaddr_t *uaddr, int addr_len);
int tandem_v6_connect(struct sock *sk, tandem_sockaddr_t *uaddr, int addr_len);

/*
 * The common way in (wire.c), the handler of both families, with the transport header
 * at skb->data: checks length, data offset and checksum, finds the owner, asks xfrm
 * policy and socket filter, fills TANDEM_CB() and hands the segment over.
 */
int tandem_rcv(struct sk_buff *skb);
/*
 * The same for a segment of protocol 6 on its way to the kernel's TCP (tcpwire.c), with
 * skb->data at the IP header and the transport header set and linear.  True: it is
 * ours and was taken.
 */
bool tandem_rcv_tcp(struct net *net, struct sk_buff *skb);
/* And out of a UDP datagram, whose header is in front of skb->data (encap.c). */
void tandem_rcv_udp(struct sk_buff *skb);
/*
 * The owner that tandem_rcv() found is no more: find the one that took its place.
 * Takes @skb, whose TANDEM_CB() is filled. rcu_read_lock held.
 */
void tandem_rcv_again(struct net *net, struct sk_buff *skb);
/*
 * Does @sk (a listener found later than by tandem_rcv()) want @skb: minimum TTL, xfrm
 * policy, socket filter.  May trim the payload.
 */
bool tandem_rcv_admit(struct sock *sk, struct sk_buff *skb);

/* The IP protocol that a wire's segments travel under. */
static inline u8 tandem_wire_proto(u8 wire)
{
	switch (wire) {
	case TANDEM_WIRE_TCP:
		return IPPROTO_TCP;
	case TANDEM_WIRE_UDP:
		return IPPROTO_UDP;
	default:
		return IPPROTO_TANDEM;
	}
}

/* Bytes between the IP header and ours. */
static inline unsigned int tandem_wire_overhead(u8 wire)
{
	return wire == TANDEM_WIRE_UDP ? sizeof(struct udphdr) : 0;
}

static inline u8 tandem_sk_proto(const struct sock *sk)
{
	return tandem_wire_proto(tandem_sk(sk)->wire);
}

/* Push and fill the 20 bytes in front of @opt_len bytes of options at skb->data. */
struct tcphdr *tandem_push_fixed(struct sk_buff *skb, __be16 sport, __be16 dport,
				 u32 seq, u32 ack, u8 flags, u16 window,
				 unsigned int opt_len);
/* The same with its options (NULL: none). */
struct tcphdr *tandem_push_header(struct sk_buff *skb, __be16 sport, __be16 dport,
				  u32 seq, u32 ack, u8 flags, u16 window,
				  const struct tandem_opts *opts);

void tandem_v6_note_headers(struct sock *sk, struct sk_buff *skb);

/* A program may ask what the last segment's IPv6 header said, if it wants to know. */
static inline void tandem_note_headers(struct sock *sk, struct sk_buff *skb)
{
	if (IS_ENABLED(CONFIG_IPV6) && tandem_sk(sk)->af == &tandem_ipv6_ops &&
	    unlikely(inet6_sk(sk)->rxopt.all))
		tandem_v6_note_headers(sk, skb);
}

/**
 * struct tandem_reply - a segment sent without a socket: RST, TIME-WAIT's or a
 *	request's ACK
 * @seq:	sequence number
 * @ack:	ACK number, if @flags have ACK
 * @window:	as on the wire: scaled, not in bytes
 * @flags:	TANDEM_F_*
 * @tos:	TOS or traffic class
 * @mark:	of the packet, for routing
 * @oif:	device to leave by, 0: as routed
 * @opts:	what the header carries besides
 */
struct tandem_reply {
	u32	seq;
	u32	ack;
	u16	window;
	u8	flags;
	u8	tos;
	u32	mark;
	int	oif;
	struct tandem_opts opts;
};

/* Answer @skb: addresses and ports turned round. @sk may be NULL. */
void tandem_send_reply(struct net *net, const struct sock *sk, struct sk_buff *skb,
		       const struct tandem_reply *reply);

/*
 * RFC 9293 section 3.10.7.1: the reset that answers @skb (never a reset to a reset).
 */
void tandem_send_reset(struct net *net, const struct sock *sk, struct sk_buff *skb,
		       enum tandem_reason why);

/* Fill @reply as that reset; false: @skb is a reset itself and gets no answer. */
bool tandem_fill_reset(const struct sk_buff *skb, struct tandem_reply *reply);

/* RFC 5961 section 7 limit, per netns and second: may one more challenge ACK go? */
bool tandem_challenge_allowed(struct net *net);

/*
 * May an unacceptable segment get its answer now?  One without data could be half of
 * an ACK loop, so only every half second; *@last_us is kept by the caller.
 */
bool tandem_reply_allowed(const struct sk_buff *skb, u64 *last_us);

/* Parse the options of @skb's header. 0 or -EINVAL. */
int tandem_parse_options(const struct sk_buff *skb, struct tandem_opts *o);

/* Payload bytes of a received segment (after header). */
u32 tandem_payload_len(const struct sk_buff *skb);

#endif /* _TANDEM_WIRE_H */
