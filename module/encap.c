// SPDX-License-Identifier: GPL-2.0
/*
 * encap.c - the udp wire: our segment as the payload of a UDP datagram, for paths on
 * which NATs, firewalls or network cards know nothing but TCP and UDP.
 *
 * One UDP socket of the kernel's for each family and netns, on net.tandem.udp_port,
 * receives for all connections on this wire; what a socket sends gets its header here
 * and leaves as that socket's own packet.  The UDP checksum covers the segment and is
 * required, in IPv4 too; the segment's own checksum field is 0, for a NAT that changes
 * addresses mends only UDP's.
 *
 * Many segments leave as one skb here, too.  To the core it is what any UDP tunnel hands it
 * (SKB_GSO_UDP_TUNNEL_CSUM, inner_ipproto): it copies the UDP header for each segment that
 * offload.c cuts, and sums it, or lets the device do so.  There is no IP header inside, so
 * what the core calls the inner MAC, network and transport header are all three ours.  A
 * device must tell for tunnels (hw_enc_features) what it takes whole, as veth does and lo
 * does not: in front of any other the skb is cut.  On the way in gro.c joins segments for
 * the tunnel sockets, and makes the like of what was sent.
 *
 * Connections keep the four numbers they have on the other wires, the segment's ports
 * and the IP addresses.  The UDP port to send to is what the peer's segments come from;
 * when a NAT gives it another, the connection follows (input.c).
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>
#include <net/ndisc.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "encap.h"
#include "family.h"
#include "gro.h"
#include "wire.h"

static DEFINE_MUTEX(port_mutex);

/* ---- out ---- */

/* Many segments, with @skb->data at the header: say so to who cuts tunnels' packets. */
static void mark_inner(struct sk_buff *skb)
{
	/* Behind the UDP header, whose sum is what the core makes of each piece. */
	tandem_sum_later(skb);
	skb_set_inner_mac_header(skb, 0);
	skb_set_inner_network_header(skb, 0);
	skb_set_inner_transport_header(skb, 0);
	skb_set_inner_ipproto(skb, IPPROTO_TANDEM);
	skb->encapsulation = 1;
	skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL_CSUM;
}

static struct udphdr *push_header(struct net *net, struct sk_buff *skb, __be16 dport)
{
	u16 sport = tandem_knob(net, udp_port);
	struct udphdr *uh;

	if (!sport)
		return NULL;
	if (skb_is_gso(skb))
		mark_inner(skb);
	uh = skb_push(skb, sizeof(*uh));
	skb_reset_transport_header(skb);
	uh->source = htons(sport);
	uh->dest = dport;
	uh->len = htons(skb->len);
	return uh;
}

bool tandem_encap_push4(struct net *net, struct sk_buff *skb, __be32 saddr, __be32 daddr,
			__be16 dport)
{
	if (!push_header(net, skb, dport))
		return false;
	udp_set_csum(false, skb, saddr, daddr, skb->len);
	return true;
}

bool tandem_encap_push6(struct net *net, struct sk_buff *skb, const struct in6_addr *saddr,
			const struct in6_addr *daddr, __be16 dport)
{
	if (!push_header(net, skb, dport))
		return false;
	udp6_set_csum(false, skb, saddr, daddr, skb->len);
	return true;
}

/* ---- in ---- */

/* udp_sock.encap_rcv: skb->data is the UDP header, its checksum is right or absent. */
static int encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	if (!pskb_may_pull(skb, sizeof(struct udphdr) + sizeof(struct tcphdr)) ||
	    !udp_hdr(skb)->check) {
		TANDEM_INC(sock_net(sk), INSEGS);
		tandem_drop(sock_net(sk), NULL, skb, udp_hdr(skb)->check ?
			    TANDEM_R_SHORT : TANDEM_R_CSUM);
		return 0;
	}
	__skb_pull(skb, sizeof(struct udphdr));
	skb_reset_transport_header(skb);
	skb->encapsulation = 0;
	tandem_rcv_udp(skb);
	return 0;
}

/*
 * udp_sock.encap_err_lookup: an ICMP error quotes a datagram of ours.  The quoted IP
 * header is at skb->data, its UDP header is the transport header, and the ICMP header
 * is in front.  Many hosts quote more than the 8 bytes that they must; of those who do
 * not, there is no telling whose segment it was.
 *
 * UDP would act on a new path MTU or route by itself, and it has no sequence number to
 * believe the message by (RFC 5927 section 7).  We have, and do so ourselves, so UDP is
 * told that nobody is concerned: not 0.  (A router that quotes too little is one for
 * net.tandem.mtu_probing.  Over IPv4 udp_err() has by then believed it, for all that go
 * to that address, TCP's as well: nothing of ours can help that.)
 */
static int encap_err(struct sock *sk, struct sk_buff *skb)
{
	int at = skb_transport_offset(skb) + sizeof(struct udphdr);
	bool route_news;

	/* Sequence number included. */
	if (!pskb_may_pull(skb, at + 8))
		return 1;
	if (sk->sk_family == AF_INET) {
		const struct icmphdr *icmp = (const struct icmphdr *)skb->data - 1;
		bool too_big = icmp->type == ICMP_DEST_UNREACH &&
			       icmp->code == ICMP_FRAG_NEEDED;
		u32 info = too_big ? ntohs(icmp->un.frag.mtu) : 0;

		route_news = too_big || icmp->type == ICMP_REDIRECT;
		tandem_v4_icmp(skb, icmp->type, icmp->code, at, info, TANDEM_WIRE_UDP);
	} else {
		const struct icmp6hdr *icmp = (const struct icmp6hdr *)skb->data - 1;

		route_news = icmp->icmp6_type == ICMPV6_PKT_TOOBIG ||
			     icmp->icmp6_type == NDISC_REDIRECT;
		tandem_v6_icmp(skb, icmp->icmp6_type, icmp->icmp6_code, at,
			       icmp->icmp6_mtu, TANDEM_WIRE_UDP);
	}
	return route_news;
}

/* ---- GRO ---- */

/* udp_sock.gro_receive: UDP's checksum is right or absent, and its header is behind us. */
static struct sk_buff *encap_gro_receive(struct sock *sk, struct list_head *head,
					 struct sk_buff *skb)
{
	unsigned int off = skb_gro_offset(skb), front = sizeof(struct udphdr);
	const struct udphdr *uh = skb_gro_header(skb, off, off - front);

	/* The mark says that there is another IP header inside, which would be compared. */
	NAPI_GRO_CB(skb)->encap_mark = 0;
	return tandem_gro_receive(head, skb, front, uh && uh->check);
}

/* udp_sock.gro_complete: UDP has made its header that of the whole. */
static int encap_gro_complete(struct sock *sk, struct sk_buff *skb, int thoff)
{
	atomic_dec(&tandem_pernet(sock_net(sk))->udp_held);
	skb_set_inner_mac_header(skb, thoff);
	skb_set_inner_network_header(skb, thoff);
	skb_set_inner_transport_header(skb, thoff);
	skb_set_inner_ipproto(skb, IPPROTO_TANDEM);
	return tandem_gro_complete(skb, thoff, sk->sk_family == AF_INET6 ? SKB_GSO_TCPV6 :
									   SKB_GSO_TCPV4, 0);
}

/* ---- the tunnel sockets ---- */

static int open_tunnel(struct net *net, int family, u16 port, struct socket **sock)
{
	struct sockaddr_storage any = { .ss_family = family };
	struct socket *s;
	int err;

	err = sock_create_kern(net, family, SOCK_DGRAM, IPPROTO_UDP, &s);
	if (err)
		return err;
	if (family == AF_INET6) {
		((struct sockaddr_in6 *)&any)->sin6_port = htons(port);
		s->sk->sk_ipv6only = 1;
	} else {
		((struct sockaddr_in *)&any)->sin_port = htons(port);
	}
	err = kernel_bind(s, (tandem_sockaddr_t *)&any,
			  family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					       sizeof(struct sockaddr_in));
	if (err) {
		sock_release(s);
		return err;
	}
	udp_sk(s->sk)->encap_err_lookup = encap_err;
	udp_sk(s->sk)->encap_type = 1;
	/* A datagram may come as soon as this is set. */
	WRITE_ONCE(udp_sk(s->sk)->encap_rcv, encap_rcv);
	udp_sk(s->sk)->gro_complete = encap_gro_complete;
	/* And none is joined before it is known what follows. */
	smp_store_release(&udp_sk(s->sk)->gro_receive, encap_gro_receive);
	tandem_udp_tunnel_gro(s->sk);
	udp_tunnel_encap_enable(s->sk);
	*sock = s;
	return 0;
}

static void close_tunnels(struct socket *sock[2])
{
	bool any = sock[0] || sock[1];
	int i;

	for (i = 0; i < 2; i++) {
		if (sock[i]) {
			kernel_sock_shutdown(sock[i], SHUT_RDWR);
			sock_release(sock[i]);
		}
	}
	if (any)
		synchronize_net();	/* encap_rcv() may be at work */
}

int tandem_encap_set_port(struct net *net, u16 port)
{
	struct socket *fresh[2] = {}, *old[2] = {};
	struct tandem_net *tn = tandem_pernet(net);
	int err = 0;

	mutex_lock(&port_mutex);
	if (port == tn->knobs.udp_port)
		goto out;
	if (port) {
		err = open_tunnel(net, AF_INET, port, &fresh[0]);
		if (!err && ipv6_mod_enabled())
			err = open_tunnel(net, AF_INET6, port, &fresh[1]);
	}
	memcpy(old, err ? fresh : tn->udp, sizeof(old));
	if (!err) {
		memcpy(tn->udp, fresh, sizeof(fresh));
		WRITE_ONCE(tn->knobs.udp_port, port);
	}
	if (old[0] || old[1])
		tandem_gro_close_udp(net);
	close_tunnels(old);
	tandem_gro_open_udp(net);
out:
	mutex_unlock(&port_mutex);
	return err;
}

/* The devices of @net are gone, and rmmod has seen to it that nothing is held. */
void tandem_encap_net_exit(struct net *net)
{
	close_tunnels(tandem_pernet(net)->udp);
}
