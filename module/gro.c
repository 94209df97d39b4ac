// SPDX-License-Identifier: GPL-2.0
/*
 * gro.c - joining segments that arrive one behind the other (GRO).
 *
 * While a device's poll function runs, the core keeps one packet of each flow back and
 * asks whether the next continues it.  If it does, its payload becomes part of the first,
 * and what the stack does for a packet is done once for many.  Rules:
 *
 *   A segment joins only if nothing is lost by it: same header but for the sequence
 *   number, which must be the next, and for FIN and PSH, which end the piece.  Timestamps,
 *   the ACK number, window and ECN bits must be equal, all segments as long as the first,
 *   and only the last shorter.  So the piece can be cut into the same segments again, on a
 *   router for example (offload.c).
 *
 *   Anything else of the flow sends what was kept on its way first, for order.
 *
 *   Checksums are verified here, by software: no card knows those of protocol 254.  The
 *   result is kept, so that it is not done again.
 *
 * On the udp wire the core's UDP finds the tunnel socket, sees to its own checksum, sorts by
 * its ports and asks encap.c, which asks here; to us its header is one in front of ours.
 *
 * How payload is joined: page fragments move to the end of the first skb's own, and what
 * continues the last page there only lengthens it.  What is in the linear part, or finds
 * no place, is chained as a whole in frag_list.
 *
 * The core calls gro_complete for a joined packet when it lets go of it, and warns if the
 * protocol is gone by then.  So we count those, and rmmod first ends the joining, then
 * waits until the last is on its way.  Without its tunnel socket a datagram would be taken
 * for many of a program's, so that is closed in the same manner.
 */
#include <linux/delay.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include "compat.h"
#include "gro.h"
#include "netns.h"
#include "seg.h"
#include "tsq.h"

/* What ends a piece. */
#define ENDS	(TCP_FLAG_FIN | TCP_FLAG_PSH)
/* Segments with these stay alone. */
#define ALONE	(TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_URG | TCP_FLAG_CWR)

/* How long rmmod waits for packets that are kept back; gro_flush_timeout is less. */
#define STOP_WAIT_MS	10000

/* Joined packets that the core has not let go of: begun on any CPU, ended on any. */
static DEFINE_PER_CPU(long, held);
static bool stopped;

/* The whole header, linear or in the first fragment; NULL: there is none. */
static struct tcphdr *header(struct sk_buff *skb)
{
	unsigned int off = skb_gro_offset(skb), len;
	struct tcphdr *th = skb_gro_header(skb, off + sizeof(*th), off);

	if (!th)
		return NULL;
	len = tandem_hdr_len(th);
	if (len < sizeof(*th))
		return NULL;
	return skb_gro_header(skb, off + len, off);
}

/* The header of a kept packet: where those of its flow have it, linear. */
static struct tcphdr *kept_header(const struct sk_buff *p, unsigned int off)
{
	return (struct tcphdr *)(p->data + off);
}

/* The kept packet of the same connection; the others are none of its flow. */
static struct sk_buff *find(struct list_head *head, const struct tcphdr *th,
			    unsigned int off)
{
	struct sk_buff *p;

	list_for_each_entry(p, head, list) {
		const struct tcphdr *pth = kept_header(p, off);

		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		if (th->source == pth->source && th->dest == pth->dest)
			return p;
		NAPI_GRO_CB(p)->same_flow = 0;
	}
	return NULL;
}

/*
 * Does @th continue what is kept in @p, header @pth, with its @len bytes?  @front: bytes
 * between IP's header and ours.
 */
static bool continues(struct sk_buff *p, const struct tcphdr *pth, const struct tcphdr *th,
		      u32 len, unsigned int front)
{
	__be32 words = tcp_flag_word(th) ^ tcp_flag_word(pth);

	/* A CWR at the front may stay there.  doff is in this word, too. */
	if (words & ~(ENDS | TCP_FLAG_CWR) || tcp_flag_word(pth) & ENDS ||
	    th->ack_seq != pth->ack_seq ||
	    memcmp(th + 1, pth + 1, tandem_hdr_len(th) - sizeof(*th)))
		return false;
	if (ntohl(th->seq) != ntohl(pth->seq) + skb_gro_len(p))
		return false;
	return len <= skb_shinfo(p)->gso_size &&
	       !tandem_gro_network_flush((const u8 *)th - front, (const u8 *)pth - front, p);
}

/* Put the fragments of @skb, the first @offset bytes left out, behind those of @to. */
static bool move_frags(struct sk_buff *to, struct sk_buff *skb, unsigned int offset)
{
	struct skb_shared_info *info = skb_shinfo(to), *from = skb_shinfo(skb);
	int i;

	if (info->nr_frags + from->nr_frags > MAX_SKB_FRAGS || !from->nr_frags ||
	    offset >= skb_frag_size(&from->frags[0]))
		return false;
	skb_frag_off_add(&from->frags[0], offset);
	skb_frag_size_sub(&from->frags[0], offset);
	for (i = 0; i < from->nr_frags; i++) {
		skb_frag_t *frag = &from->frags[i];
		int n = info->nr_frags;

		if (!skb->pp_recycle &&
		    skb_can_coalesce(to, n, skb_frag_page(frag), skb_frag_off(frag))) {
			skb_frag_size_add(&info->frags[n - 1], skb_frag_size(frag));
			put_page(skb_frag_page(frag));
		} else {
			info->frags[n] = *frag;
			info->nr_frags++;
		}
	}
	from->nr_frags = 0;
	return true;
}

static void chain(struct sk_buff *p, struct sk_buff *skb, unsigned int offset)
{
	unsigned int linear = skb_headlen(skb);

	if (offset > linear) {
		skb_frag_off_add(&skb_shinfo(skb)->frags[0], offset - linear);
		skb_frag_size_sub(&skb_shinfo(skb)->frags[0], offset - linear);
		skb->data_len -= offset - linear;
		skb->len -= offset - linear;
		offset = linear;
	}
	__skb_pull(skb, offset);
	if (NAPI_GRO_CB(p)->last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		NAPI_GRO_CB(p)->last->next = skb;
	NAPI_GRO_CB(p)->last = skb;
	__skb_header_release(skb);
}

/* @p holds its second segment: somebody has to wait for it. */
static void begin_piece(const struct sk_buff *p, unsigned int front)
{
	this_cpu_inc(held);
	if (front)
		atomic_inc(&tandem_pernet(dev_net(p->dev))->udp_held);
}

/* Add the payload of @skb, @len bytes, to @p.  False: it cannot be. */
static bool join(struct sk_buff *p, struct sk_buff *skb, u32 len, unsigned int front)
{
	unsigned int offset = skb_gro_offset(skb), most, delta;
	struct sk_buff *last = NAPI_GRO_CB(p)->last;

	/* Pages of a pool go back in another way than all others. */
	if (p->pp_recycle != skb->pp_recycle)
		return false;
	most = min_t(u32, READ_ONCE(p->dev->gro_max_size), GRO_LEGACY_MAX_SIZE);
	if (p->len + len >= most)
		return false;
	/* Payload that begins in the fragments: header and skb are not needed then. */
	if (skb_headlen(skb) <= offset && move_frags(last, skb, offset - skb_headlen(skb))) {
		delta = skb->truesize - SKB_TRUESIZE(skb_end_offset(skb));
		skb->truesize -= delta;
		skb->len -= skb->data_len;
		skb->data_len = 0;
		NAPI_GRO_CB(skb)->free = NAPI_GRO_FREE;
		if (last != p) {
			last->data_len += len;
			last->len += len;
			last->truesize += delta;
		}
	} else {
		if (skb_headlen(skb) < offset &&
		    offset - skb_headlen(skb) >= skb_frag_size(&skb_shinfo(skb)->frags[0]))
			return false;
		delta = skb->truesize;
		chain(p, skb, offset);
	}
	p->data_len += len;
	p->len += len;
	p->truesize += delta;
	skb_shinfo(p)->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	if (NAPI_GRO_CB(p)->count++ == 1)
		begin_piece(p, front);
	NAPI_GRO_CB(skb)->same_flow = 1;
	TANDEM_INC(dev_net(p->dev), GROJOINED);
	return true;
}

/* On the udp wire our checksum field is 0, and cut again it will be. */
static bool alone_in_udp(const struct sk_buff *skb, const struct tcphdr *th)
{
	return th->check || READ_ONCE(tandem_pernet(dev_net(skb->dev))->udp_closing);
}

/* Must @skb, with @len bytes of payload, go its way alone? */
static bool alone(struct sk_buff *skb, const struct tcphdr *th, u32 len, unsigned int front)
{
	if (!len || tcp_flag_word(th) & ALONE || NAPI_GRO_CB(skb)->flush ||
	    skb_is_gso(skb) || skb_cloned(skb) || skb_zcopy(skb) || READ_ONCE(stopped) ||
	    (front && alone_in_udp(skb, th)))
		return true;
	/* From a socket on this very machine, over a veth: it has arrived. */
	if (skb->destructor == tandem_wfree)
		skb_orphan(skb);
	return skb->sk;
}

struct sk_buff *tandem_gro_receive(struct list_head *head, struct sk_buff *skb,
				   unsigned int front, bool good)
{
	unsigned int off = skb_gro_offset(skb);
	const struct tcphdr *th = header(skb);
	struct sk_buff *p;
	bool apart, ends;
	u32 len;

	if (!th || !good) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	skb_gro_pull(skb, tandem_hdr_len(th));
	len = skb_gro_len(skb);
	p = find(head, th, off);
	apart = alone(skb, th, len, front);
	ends = tcp_flag_word(th) & ENDS;
	if (p && !apart && !NAPI_GRO_CB(p)->flush &&
	    continues(p, kept_header(p, off), th, len, front)) {
		/* @th may lie in a fragment that moves. */
		__be32 add = tcp_flag_word(th) & ENDS;

		if (join(p, skb, len, front)) {
			tcp_flag_word(kept_header(p, off)) |= add;
			return ends || len < skb_shinfo(p)->gso_size ? p : NULL;
		}
	}
	/* Kept, as the first of a new piece, or not; what was kept goes in front of it. */
	if (apart || ends)
		NAPI_GRO_CB(skb)->flush = 1;
	return p;
}

int tandem_gro_complete(struct sk_buff *skb, int thoff, unsigned int type, __sum16 check)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + thoff);
	struct skb_shared_info *info = skb_shinfo(skb);

	this_cpu_dec(held);
	th->check = check;
	skb->csum_start = (unsigned char *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	info->gso_segs = NAPI_GRO_CB(skb)->count;
	info->gso_type |= type | SKB_GSO_SCTP;
	if (th->cwr)
		info->gso_type |= SKB_GSO_TCP_ECN;
	return 0;
}

static bool any_held(struct tandem_net *unused)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(held, cpu));
	return sum > 0;
}

/* A device that went away with packets in it never lets go of them. */
static void await_none(bool (*some)(struct tandem_net *tn), struct tandem_net *tn)
{
	unsigned long end = jiffies + msecs_to_jiffies(STOP_WAIT_MS);

	synchronize_net();	/* who did not see it has joined */
	while (some(tn) && time_before(jiffies, end))
		msleep(20);
}

static bool any_in_udp(struct tandem_net *tn)
{
	return atomic_read(&tn->udp_held) > 0;
}

void tandem_gro_close_udp(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	WRITE_ONCE(tn->udp_closing, true);
	await_none(any_in_udp, tn);
	/* Those of such a device are not to be waited for again. */
	atomic_set(&tn->udp_held, 0);
}

void tandem_gro_open_udp(struct net *net)
{
	WRITE_ONCE(tandem_pernet(net)->udp_closing, false);
}

void tandem_gro_stop(void)
{
	WRITE_ONCE(stopped, true);
	await_none(any_held, NULL);
}
