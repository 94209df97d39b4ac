// SPDX-License-Identifier: GPL-2.0
/*
 * goal.c - how many segments one skb is worth.
 *
 * What the stack does for a packet it does once for an skb, so an skb of many segments
 * that is cut only in front of the wire (GSO; offload.c, or the device) costs a fraction
 * of as many skbs.  Two bounds:
 *
 *   goal    how much sendmsg.c puts into one skb: what the device takes in one piece,
 *           and half of the largest window the peer ever offered, for a window that is
 *           one skb long would make every ACK wait for the next (RFC 9293 section
 *           3.8.6.2.1 says so of segments).
 *   burst   how much of it leaves at once: what the pacing rate sends in a millisecond,
 *           so that a slow path gets segments spread and not in lumps of 64 KB.  On a
 *           very short path more: queues that drain in microseconds are not hurt, and
 *           the rate says little there.  Never less than net.tandem.min_tso_segs: a
 *           shorter one is not worth the timer that ends it.
 *
 * A GSO skb says in gso_type who may cut it.  On the tcp wire it is TCP's own, and a
 * network card may do it.  For protocol 254 it says "TCP and SCTP": no card offers both,
 * all software devices do, so that an skb stays whole on those and comes to
 * tandem_gso_segment() in front of every other, while the TCP bit makes the core read
 * the length of our header where TCP's is.  On the udp wire encap.c adds that it is in a
 * tunnel, and UDP comes in between.
 *
 * A device need not know of any of this.  In front of one that has no GSO the core cuts
 * all the same, and one skb through the stack for many segments is still the cheaper way;
 * for TCP sk_setup_caps() knows that, for us tandem_soft_gso() has to say so.
 *
 * Segments are sent one by one when the device or net.tandem.gso says so (gso_max_segs
 * 1), and on the udp wire when IP has options or extension headers: the core leaves UDP's
 * checksum to devices, of which some cannot find it behind those.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "goal.h"
#include "offload.h"
#include "xmit.h"

/* 1/1024 s of the pacing rate. */
#define BURST_SHIFT	10
/* For each doubling of the smallest RTT, 512 us, the extra burst is halved. */
#define NEAR_SHIFT	9

void tandem_set_gso_type(struct sock *sk, bool v6)
{
	int type = v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;

	if (tandem_sk(sk)->wire != TANDEM_WIRE_TCP)
		type |= SKB_GSO_SCTP;
	sk->sk_gso_type = type;
}

void tandem_soft_gso(struct sock *sk, const struct dst_entry *dst)
{
	const struct net_device *dev = dst->dev;
	struct tandem_sock *tp = tandem_sk(sk);

	/* Where there are headers in front of ours (IPsec's), those are to be summed as well. */
	tp->sum_waits = tp->wire == TANDEM_WIRE_NATIVE && !dst->header_len &&
			tandem_soft_device(dev->features) && tandem_sk_knob(sk, gso);
	/* IPsec's headers come in front of each segment, so it wants them one by one. */
	if (!sk->sk_gso_type || sk_can_gso(sk) || dst->header_len)
		return;
	sk->sk_route_caps |= NETIF_F_GSO | NETIF_F_GSO_SOFTWARE | NETIF_F_SG |
			     NETIF_F_HW_CSUM;
	sk->sk_gso_max_size = min_t(u32, READ_ONCE(dev->gso_max_size), GSO_LEGACY_MAX_SIZE) -
			      (TANDEM_MAX_HEADER + 1);
	sk->sk_gso_max_segs = max_t(u32, READ_ONCE(dev->gso_max_segs), 1);
}

/* Bytes of payload in the largest skb; less than a segment: there is no GSO. */
static u32 largest(const struct sock *sk, u32 mss)
{
	u32 bytes;

	if (!sk->sk_gso_type || !sk_can_gso(sk) || !tandem_sk_knob(sk, gso))
		return 0;
	if (unlikely(tandem_sk(sk)->ext_hdr_len) && tandem_sk(sk)->wire == TANDEM_WIRE_UDP)
		return 0;
	/* Room for the headers is deducted, by sk_setup_caps(). */
	bytes = min_t(u32, sk->sk_gso_max_size, GSO_LEGACY_MAX_SIZE - TANDEM_MAX_HEADER - 1);
	return min_t(u64, bytes, (u64)mss * READ_ONCE(sk->sk_gso_max_segs));
}

u32 tandem_size_goal(struct sock *sk, u32 mss)
{
	u32 bytes = min(largest(sk, mss), tandem_sk(sk)->max_window >> 1);

	return bytes > mss ? rounddown(bytes, mss) : mss;
}

u32 tandem_burst_segs(struct sock *sk, u32 mss)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 most = largest(sk, mss), near = tp->cc.min_rtt_us >> NEAR_SHIFT;
	u64 bytes;

	if (most < 2 * mss)
		return 1;
	bytes = READ_ONCE(sk->sk_pacing_rate) >> BURST_SHIFT;
	if (near < 32)
		bytes += most >> near;
	return max_t(u32, div_u64(min_t(u64, bytes, most), mss),
		     tandem_sk_knob(sk, min_tso_segs));
}
