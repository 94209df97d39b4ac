// SPDX-License-Identifier: GPL-2.0
/*
 * offload.c - cutting an skb of many segments (GSO) in front of a device that does not.
 *
 * What tandem_transmit_skb() gives to IP may be many segments with one header.  In front
 * of the device, in the qdisc's way or where a router meets a smaller MTU, the core asks
 * for the real ones.  Each gets a copy of the header and of its sequence number what
 * makes it its own (RFC 9293 section 3.1):
 *
 *	SEQ	  counts on by the payload of those in front of it
 *	FIN, PSH  the last alone: they stand behind its bytes
 *	CWR	  the first alone (RFC 3168 section 6.1.2: "the first new data packet")
 *	checksum  by software, whatever the device offers: what its parser makes of
 *		  protocol 254 is not known
 *
 * A packet that stays in this machine need not be summed at all, but the core leaves a sum
 * that is still to be made to any device that says it can.  For an skb with gso_type it asks
 * us, if the device lacks a bit of it, and every device made of metal lacks one (goal.c).
 * So a single segment has a gso_type as well (tandem_mark_single()): software devices pass
 * it on as it is, and in front of the first other one it comes here to be summed, in place.
 * What is cut here for a software device (its TSO is off) stays unsummed in the same way.
 *
 * On the udp wire it is the core's UDP that asks, and goes on from here: our checksum field
 * stays 0, and each datagram gets its header and UDP's checksum, which the device may do.
 *
 * An skb need not be ours: a router cuts what its GRO joined, and a guest's virtio ring
 * may hold anything.  So nothing in it is taken for granted, neither lengths nor that it
 * has an owner.
 *
 * The owner, one of our sockets, is charged for the segments as it was for the whole, so
 * that it knows what is still in the qdisc.
 */
#include <linux/skbuff.h>
#include <net/protocol.h>
#include <net/sock.h>
#include "compat.h"
#include "netns.h"
#include "offload.h"
#include "seg.h"
#include "sock.h"
#include "tsq.h"

/* A program wants to know when a byte leaves: the segment that holds it says so. */
static void move_tstamp(const struct sk_buff *skb, struct sk_buff *segs, u32 seq, u32 mss)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	u8 stamps = info->tx_flags & SKBTX_ANY_TSTAMP;
	u32 at;

	if (likely(!stamps) || skb->destructor != tandem_wfree)
		return;
	at = info->tskey + READ_ONCE(tandem_sk(skb->sk)->tskey_base) - seq;
	for (; segs->next && at >= mss; segs = segs->next)
		at -= mss;
	skb_shinfo(segs)->tx_flags |= stamps;
	skb_shinfo(segs)->tskey = info->tskey;
}

/* The segments are the owner's, and the whole is no longer. */
static void share_owner(struct sk_buff *skb, struct sk_buff *segs)
{
	struct sock *sk = skb->sk;
	int more = -skb->truesize;

	if (skb->destructor != tandem_wfree)
		return;
	for (; segs; segs = segs->next) {
		segs->sk = sk;
		segs->destructor = tandem_wfree;
		more += segs->truesize;
	}
	if (more >= 0)
		refcount_add(more, &sk->sk_wmem_alloc);
	else
		WARN_ON_ONCE(refcount_sub_and_test(-more, &sk->sk_wmem_alloc));
	skb->sk = NULL;
	skb->destructor = NULL;
}

/* The checksum of @seg; @sum: the pseudo header's with the length left out. */
static void sum_segment(struct sk_buff *seg, struct tcphdr *th, __wsum sum)
{
	u32 len = seg->len - skb_transport_offset(seg);

	th->check = ~csum_fold(csum_add(sum, (__force __wsum)htonl(len)));
	th->check = gso_make_checksum(seg, ~csum_unfold(th->check));
}

/*
 * They need not be summed now, but in front of the first device that is not of software.
 * skb_segment() has left them as the whole was, csum_start and all.
 */
static void leave_sums(struct sk_buff *segs, u32 mss, __wsum sum, unsigned int type)
{
	u32 thlen = tandem_hdr_len(tandem_hdr(segs));
	__sum16 check = ~csum_fold(csum_add(sum, (__force __wsum)htonl(mss + thlen)));
	struct sk_buff *seg;

	for (seg = segs; seg; seg = seg->next) {
		u32 len = seg->len - skb_transport_offset(seg);

		if (!seg->next && len != mss + thlen)
			check = ~csum_fold(csum_add(sum, (__force __wsum)htonl(len)));
		tandem_hdr(seg)->check = check;
		tandem_mark_single(seg, len - thlen, type);
	}
}

/* Headers of the segments, copies of the whole's until now; their checksums come last. */
static u32 number(struct sk_buff *segs, u32 mss)
{
	u32 seq = ntohl(tandem_hdr(segs)->seq), n = 0;
	struct sk_buff *seg;

	for (seg = segs; seg; seg = seg->next, n++) {
		struct tcphdr *th = tandem_hdr(seg);

		th->seq = htonl(seq + n * mss);
		if (seg->next) {
			th->fin = 0;
			th->psh = 0;
		}
		if (n)
			th->cwr = 0;
	}
	return n;
}

/* And those.  @type: the family's; @waits: nobody need sum them by now. */
static void sum_segments(struct sk_buff *segs, u32 mss, bool in_udp, __wsum sum,
			 unsigned int type, bool waits)
{
	struct sk_buff *seg;

	if (waits) {
		leave_sums(segs, mss, sum, type | SKB_GSO_SCTP);
		return;
	}
	for (seg = segs; seg; seg = seg->next) {
		if (in_udp)
			tandem_hdr(seg)->check = 0;
		else
			sum_segment(seg, tandem_hdr(seg), sum);
	}
}

/* Some tunnel's header is in front, or around, and wants to be dealt with. */
static bool in_tunnel(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type &
	       ~(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_SCTP | SKB_GSO_TCP_ECN |
		 SKB_GSO_DODGY);
}

/* The other end of a veth joins what comes, if it is summed: gro.c. */
static bool peer_joins(struct net_device *dev)
{
	struct net_device *peer = NULL;

	if (dev->netdev_ops->ndo_get_peer_dev)
		peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	return peer && peer->features & NETIF_F_GRO;
}

/* For a device with @features, need nobody sum? */
static bool sum_waits(const struct sk_buff *skb, netdev_features_t features)
{
	return tandem_soft_device(features) && !in_tunnel(skb) && skb->dev &&
	       !peer_joins(skb->dev);
}

/*
 * An skb of one segment in front of a device that @waits for no sum, or wants one.  As if
 * it had been cut, it is returned as the only piece, and the caller's own reference stays.
 */
static struct sk_buff *finish_single(struct sk_buff *skb, unsigned int thlen, bool waits)
{
	int err;

	if (!waits) {
		/* Others who look at the same bytes keep theirs, and the gso_type. */
		err = skb_ensure_writable(skb, thlen);
		if (err)
			return ERR_PTR(err);
		skb_gso_reset(skb);
		err = skb_checksum_help(skb);
		if (err)
			return ERR_PTR(err);
	}
	__skb_push(skb, skb->data - skb_mac_header(skb));
	skb_mark_not_on_list(skb);
	skb->prev = skb;
	return skb_get(skb);
}

/* 0, or -EINVAL: no segment of ours, or none that can be cut. The header is linear then. */
static int check_whole(struct sk_buff *skb, unsigned int type)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int thlen, least;

	if (!(info->gso_type & type) || !info->gso_size || info->gso_size == GSO_BY_FRAGS)
		return -EINVAL;
	if (!pskb_may_pull(skb, sizeof(struct tcphdr)))
		return -EINVAL;
	thlen = tandem_hdr_len(tandem_hdr(skb));
	/* A guest has no reason to give us just one. */
	least = thlen + (info->gso_type & SKB_GSO_SCTP ? 0 : info->gso_size);
	if (thlen < sizeof(struct tcphdr) || skb->len <= least || !pskb_may_pull(skb, thlen))
		return -EINVAL;
	/* It must be clear what was left to be summed. */
	if (skb->ip_summed != CHECKSUM_PARTIAL ||
	    skb_checksum_start(skb) != skb_transport_header(skb) ||
	    skb->csum_offset != offsetof(struct tcphdr, check))
		return -EINVAL;
	return 0;
}

struct sk_buff *tandem_gso_segment(struct sk_buff *skb, netdev_features_t features,
				   unsigned int type)
{
	struct sk_buff *segs;
	u32 len = skb->len, seq, mss, n;
	bool in_udp = tandem_in_udp(skb), waits;
	unsigned int thlen;
	__wsum sum;
	int err;

	err = check_whole(skb, type);
	if (err)
		return ERR_PTR(err);
	mss = skb_shinfo(skb)->gso_size;
	seq = ntohl(tandem_hdr(skb)->seq);
	/* The sum in the header is that of the whole's pseudo header, length and all. */
	sum = csum_sub(csum_unfold(tandem_hdr(skb)->check), (__force __wsum)htonl(len));
	thlen = tandem_hdr_len(tandem_hdr(skb));
	waits = sum_waits(skb, features);
	if (len - thlen <= mss && !in_tunnel(skb))
		return finish_single(skb, thlen, waits);
	__skb_pull(skb, thlen);

	/* A guest's skb says that TCP's rules are enough for it.  They are not. */
	skb_shinfo(skb)->gso_type |= SKB_GSO_SCTP;
	if (skb_gso_ok(skb, features | NETIF_F_GSO_ROBUST)) {
		/* The device takes it, now that it was looked at. */
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, mss);
		segs = NULL;
		goto whole;
	}
	/* Each segment by itself, not pieces that a device would cut further. */
	features &= ~NETIF_F_GSO_MASK;
	if (!waits)
		features &= ~NETIF_F_CSUM_MASK;
	segs = skb_segment(skb, features);
	if (IS_ERR(segs))
		goto whole;
	move_tstamp(skb, segs, seq, mss);
	n = number(segs, mss);
	sum_segments(segs, mss, in_udp, sum, type, waits);
	share_owner(skb, segs);
	if (skb->dev)
		TANDEM_ADD(dev_net(skb->dev), GSOCUT, n);
	return segs;
whole:
	/* UDP puts its header back in front of what we were given. */
	__skb_push(skb, thlen);
	return segs;
}
