// SPDX-License-Identifier: GPL-2.0
/*
 * rtxq.c - what was sent and is not acknowledged yet, and sending it again.
 *
 * Sent segments live in a red-black tree by sequence number until an ACK covers
 * them.  Each carries flags (TANDEM_S_*), and four sums over the flags give RFC
 * 6675's pipe: packets_out - sacked_out - lost_out + retrans_out.  A segment that
 * was lost and sent again is both LOST and RETRANS; SACKED excludes both.  All flag
 * changes go through the helpers here, so that sums and flags cannot part.
 *
 * Beside the tree a segment is on one list at most: on sent_list, in the order of
 * sending, while it is in flight; on lost_list while it is lost and waits to be sent
 * again; on none once it was SACKed.  So neither finding what is lost nor sending it
 * again looks at anything else.  The list's node lies where a clone has its route and
 * its destructor: see tandem_rtx_hide().
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "cong.h"
#include "goal.h"
#include "input.h"
#include "mtuprobe.h"
#include "output.h"
#include "pace.h"
#include "recovery.h"
#include "stream.h"
#include "timer.h"
#include "timestamp.h"
#include "trace.h"
#include "tsq.h"
#include "urgent.h"
#include "wire.h"
#include "xmit.h"

void tandem_rtx_insert(struct sock *sk, struct sk_buff *skb)
{
	struct rb_root *root = &tandem_sk(sk)->rtx_queue;
	struct rb_node **p = &root->rb_node;
	struct rb_node *parent = NULL;
	u32 seq = TANDEM_CB(skb)->seq;

	while (*p) {
		parent = *p;
		if (seq_before(seq, TANDEM_CB(rb_to_skb(parent))->seq))
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&skb->rbnode, parent, p);
	rb_insert_color(&skb->rbnode, root);
	INIT_LIST_HEAD(&skb->tcp_tsorted_anchor);
}

void tandem_rtx_sent(struct sock *sk, struct sk_buff *skb)
{
	list_move_tail(&skb->tcp_tsorted_anchor, &tandem_sk(sk)->sent_list);
}

static struct sk_buff *list_skb(struct list_head *node)
{
	return list_entry(node, struct sk_buff, tcp_tsorted_anchor);
}

/* How far to look for a segment's place in lost_list. */
#define LOST_LOOK	8

/*
 * Lowest number first, for it is what the peer's program waits for.  Segments are found
 * lost in about that order, from the end or (what was sent again) from the start of the
 * list; a place a little off costs less than a search.
 */
static void list_lost(struct tandem_sock *tp, struct sk_buff *skb)
{
	struct list_head *list = &tp->lost_list, *low = list, *high = list;
	u32 seq = TANDEM_CB(skb)->seq;
	int i;

	list_del(&skb->tcp_tsorted_anchor);
	for (i = 0; i < LOST_LOOK; i++) {
		if (high->prev == list ||
		    seq_before(TANDEM_CB(list_skb(high->prev))->seq, seq))
			break;
		high = high->prev;
		if (low->next == list ||
		    seq_after(TANDEM_CB(list_skb(low->next))->seq, seq)) {
			list_add(&skb->tcp_tsorted_anchor, low);
			return;
		}
		low = low->next;
	}
	list_add_tail(&skb->tcp_tsorted_anchor, high);
}

struct sk_buff *tandem_rtx_find(const struct sock *sk, u32 seq)
{
	struct rb_node *n = tandem_sk(sk)->rtx_queue.rb_node;
	struct sk_buff *behind = NULL;

	while (n) {
		struct sk_buff *skb = rb_to_skb(n);

		if (!seq_before(seq, TANDEM_CB(skb)->end_seq)) {
			n = n->rb_right;
			continue;
		}
		/* It covers @seq, or is the nearest behind it so far. */
		behind = skb;
		if (!seq_before(seq, TANDEM_CB(skb)->seq))
			break;
		n = n->rb_left;
	}
	return behind;
}

/* Take a segment's flags out of the sums, before it leaves or changes. */
void tandem_rtx_uncount(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);

	tp->packets_out -= cb->segs;
	if (cb->sacked & TANDEM_S_SACKED)
		tp->sacked_out -= cb->segs;
	if (cb->sacked & TANDEM_S_LOST)
		tp->lost_out -= cb->segs;
	if (cb->sacked & TANDEM_S_RETRANS)
		tp->retrans_out -= cb->segs;
}

/* Every copy that is lost is a loss. */
static void note_lost(struct tandem_sock *tp, const struct tandem_skb_cb *cb)
{
	struct tandem_cong_lost lost = {
		.segs = cb->segs,
		.tx_in_flight = cb->rate.in_flight,
		.app_limited = cb->rate.app_limited,
	};
	const struct tandem_cong_ops *ops;

	tp->cc.lost += cb->segs;
	tp->cc.in_flight = tandem_pipe(tp);
	lost.lost_since = tp->cc.lost - cb->rate.lost;
	ops = tandem_cong(&tp->cc);
	if (ops->on_lost)
		ops->on_lost(&tp->cc, &lost);
}

bool tandem_rtx_must_resend(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);

	if (cb->sacked & TANDEM_S_SACKED ||
	    (cb->sacked & (TANDEM_S_LOST | TANDEM_S_RETRANS)) == TANDEM_S_LOST)
		return false;
	if (cb->sacked & TANDEM_S_RETRANS) {
		cb->sacked &= ~TANDEM_S_RETRANS;
		tp->retrans_out -= cb->segs;
		TANDEM_SK_ADD(sk, LOSTRETRANSMIT, cb->segs);
	}
	if (!(cb->sacked & TANDEM_S_LOST)) {
		cb->sacked |= TANDEM_S_LOST;
		tp->lost_out += cb->segs;
	}
	list_lost(tp, skb);
	return true;
}

void tandem_rtx_mark_lost(struct sock *sk, struct sk_buff *skb)
{
	if (tandem_rtx_must_resend(sk, skb))
		note_lost(tandem_sk(sk), TANDEM_CB(skb));
}

/* What was called lost was not: it is in flight again, as old as it is. */
void tandem_rtx_unmark_lost(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb, *next;

	list_for_each_entry_safe_reverse(skb, next, &tp->lost_list, tcp_tsorted_anchor) {
		TANDEM_CB(skb)->sacked &= ~TANDEM_S_LOST;
		tp->lost_out -= TANDEM_CB(skb)->segs;
		list_move(&skb->tcp_tsorted_anchor, &tp->sent_list);
	}
	/* The copies in flight stay what they are; their originals count again. */
	if (!tp->lost_out)
		return;
	list_for_each_entry(skb, &tp->sent_list, tcp_tsorted_anchor) {
		if (!(TANDEM_CB(skb)->sacked & TANDEM_S_LOST))
			continue;
		TANDEM_CB(skb)->sacked &= ~TANDEM_S_LOST;
		tp->lost_out -= TANDEM_CB(skb)->segs;
		if (!tp->lost_out)
			break;
	}
}

void tandem_rtx_mark_sacked(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);

	if (cb->sacked & TANDEM_S_LOST)
		tp->lost_out -= cb->segs;
	if (cb->sacked & TANDEM_S_RETRANS)
		tp->retrans_out -= cb->segs;
	cb->sacked &= ~(TANDEM_S_LOST | TANDEM_S_RETRANS);
	cb->sacked |= TANDEM_S_SACKED;
	cb->sacked_upto = cb->end_seq;
	tp->sacked_out += cb->segs;
	list_del_init(&skb->tcp_tsorted_anchor);
}

void tandem_free_queued(struct sock *sk, struct sk_buff *skb)
{
	sk_wmem_queued_add(sk, -skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	__kfree_skb(skb);
}

void tandem_rtx_unlink(struct sock *sk, struct sk_buff *skb)
{
	rb_erase(&skb->rbnode, &tandem_sk(sk)->rtx_queue);
	list_del(&skb->tcp_tsorted_anchor);
	/* What the list's node leaves behind is no route and no destructor. */
	skb->_skb_refdst = 0;
	skb->destructor = NULL;
}

void tandem_rtx_unlink_free(struct sock *sk, struct sk_buff *skb)
{
	tandem_rtx_unlink(sk, skb);
	tandem_free_queued(sk, skb);
}

void tandem_write_queue_purge(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&sk->sk_write_queue)))
		tandem_free_queued(sk, skb);
	while ((skb = tandem_rtx_head(sk)))
		tandem_rtx_unlink_free(sk, skb);
	tp->packets_out = 0;
	tandem_chrono_stop(sk, TANDEM_CHRONO_BUSY);
	tandem_recovery_reset(sk);
}

/* Write to the frags of an skb whose clones may be out: make them our own first. */
static int unshare(struct sk_buff *skb, gfp_t gfp)
{
	unsigned int truesize = skb->truesize;
	int err = skb_unclone(skb, gfp);

	skb->truesize = truesize;	/* the charge was taken for this */
	return err;
}

/*
 * Where a piece of many segments is cut is the peer's choice, by what it SACKs, and each cut
 * costs an skb: with segments of 48 bytes many times what the send buffer was charged for.
 * So beyond twice of that only the first and the last piece are cut, which an ACK, a
 * timeout or a probe needs; what is SACKed inside of another is not noted.
 */
static bool too_many_pieces(const struct sock *sk, const struct sk_buff *skb)
{
	u32 limit = READ_ONCE(sk->sk_sndbuf) + 2 * SKB_TRUESIZE(GSO_LEGACY_MAX_SIZE);

	return unlikely(READ_ONCE(sk->sk_wmem_queued) >> 1 > limit) &&
	       skb != tandem_rtx_head(sk) &&
	       skb != skb_rb_last(&tandem_sk(sk)->rtx_queue);
}

int tandem_fragment(struct sock *sk, struct sk_buff *skb, u32 len, u32 mss,
		    bool in_rtx, gfp_t gfp)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb), *tail_cb;
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *tail;
	u32 moved;

	if (WARN_ON_ONCE(!len || len >= skb->len))
		return -EINVAL;
	if (in_rtx && too_many_pieces(sk, skb)) {
		TANDEM_SK_INC(sk, WQUEUETOOBIG);
		return -ENOMEM;
	}
	if (unshare(skb, gfp))
		return -ENOMEM;
	tail = tandem_alloc_skb(sk, gfp, true);
	if (!tail)
		return -ENOMEM;

	/* A segment's head room was charged when it was made; the tail's is new. */
	sk_wmem_queued_add(sk, tail->truesize);
	sk_mem_charge(sk, tail->truesize);

	if (in_rtx)
		tandem_rtx_uncount(sk, skb);
	moved = skb->len - len;
	skb_split(skb, tail, len);
	tail->truesize += moved;
	skb->truesize -= moved;

	tail_cb = TANDEM_CB(tail);
	*tail_cb = *cb;
	tail_cb->seq = cb->seq + len;
	cb->end_seq = tail_cb->seq;
	cb->flags &= ~(TANDEM_F_FIN | TANDEM_F_PSH);
	cb->eor = 0;
	tandem_set_segs(skb, mss);
	tandem_set_segs(tail, mss);
	/* What was in flight then, up to and with this piece (rate.h). */
	if (in_rtx && !(cb->sacked & TANDEM_S_SACKED))
		cb->rate.in_flight -= min_t(u32, cb->rate.in_flight, tail_cb->segs);

	tandem_tx_stamp_split(sk, skb, tail);

	if (!in_rtx) {
		__skb_queue_after(&sk->sk_write_queue, skb, tail);
		return 0;
	}
	tandem_rtx_insert(sk, tail);
	if (!list_empty(&skb->tcp_tsorted_anchor))
		list_add(&tail->tcp_tsorted_anchor, &skb->tcp_tsorted_anchor);
	if (cb->sacked & TANDEM_S_SACKED) {
		cb->sacked_upto = cb->end_seq;
		tail_cb->sacked_upto = tail_cb->end_seq;
	}
	tandem_rtx_count(tp, cb);
	tandem_rtx_count(tp, tail_cb);
	return 0;
}

/*
 * The front of a segment was ACKed: drop @len bytes there, and what was charged for them.
 * Payload is in page fragments only.
 */
static int trim_front(struct sock *sk, struct sk_buff *skb, u32 len)
{
	struct skb_shared_info *info;
	int from = 0, to = 0;
	u32 left = len;

	if (len >= skb->len)
		return -EINVAL;
	if (unshare(skb, GFP_ATOMIC))
		return -ENOMEM;
	info = skb_shinfo(skb);
	for (; from < info->nr_frags && left >= skb_frag_size(&info->frags[from]); from++) {
		left -= skb_frag_size(&info->frags[from]);
		skb_frag_unref(skb, from);
	}
	if (left) {
		skb_frag_off_add(&info->frags[from], left);
		skb_frag_size_sub(&info->frags[from], left);
	}
	while (from < info->nr_frags)
		info->frags[to++] = info->frags[from++];
	info->nr_frags = to;
	skb->data_len -= len;
	skb->len -= len;
	skb->truesize -= len;
	sk_wmem_queued_add(sk, -(int)len);
	sk_mem_uncharge(sk, len);
	TANDEM_CB(skb)->seq += len;
	return 0;
}

int tandem_rtx_trim_acked(struct sock *sk, struct sk_buff *skb)
{
	return trim_front(sk, skb, tandem_sk(sk)->snd_una - TANDEM_CB(skb)->seq);
}

int tandem_rtx_trim(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	int err = trim_front(sk, skb, segs * cb->mss);

	if (err)
		return err;
	tandem_rtx_uncount(sk, skb);
	cb->segs -= segs;
	tandem_rtx_count(tandem_sk(sk), cb);
	return 0;
}

/*
 * Make @skb fit what may be sent again: una, the peer's window, today's MSS, and
 * @segs segments at most.
 */
static int fit_for_retransmit(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mss, room;
	int err;

	if (seq_before(cb->seq, tp->snd_una)) {
		err = tandem_rtx_trim_acked(sk, skb);
		if (err)
			return err;
	}

	mss = tandem_current_mss(sk);
	room = tandem_snd_wnd_end(tp) - cb->seq;
	if ((s32)room <= 0) {
		/*
		 * The peer took its window back.  Only the first segment may go
		 * again: it is our probe (RFC 9293 section 3.8.6.1).
		 */
		if (cb->seq != tp->snd_una)
			return -EAGAIN;
		room = mss;
	}
	/* The peer's edge may cut a segment only where nothing else would go. */
	if (room > mss)
		room = rounddown(min_t(u64, room, (u64)mss * segs), mss);
	if (skb->len > room)
		return tandem_fragment(sk, skb, room, mss, true, GFP_ATOMIC);
	/* It goes in today's segments, and counts as such. */
	tandem_rtx_uncount(sk, skb);
	tandem_set_segs(skb, mss);
	tandem_rtx_count(tp, cb);
	return 0;
}

int tandem_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs,
			  enum tandem_reason why)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb), was;
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_trouble *t;
	bool alone;
	int err;

	/* Still in our own qdisc: sending it again would only lengthen the queue. */
	if (skb_fclone_busy(sk, skb))
		return -EBUSY;
	err = fit_for_retransmit(sk, skb, tandem_urgent_out(tp) ? 1 : segs);
	if (err)
		return err;
	if (tp->af->rebuild_header(sk))
		return -EHOSTUNREACH;

	tandem_mtup_inconclusive(tp);
	trace_tandem_retransmit(sk, skb, why);
	alone = !tp->retrans_out;
	was = *cb;
	if (!(cb->sacked & TANDEM_S_RETRANS)) {
		cb->sacked |= TANDEM_S_RETRANS;
		tp->retrans_out += cb->segs;
	}
	cb->sacked |= TANDEM_S_EVER_RETRANS;
	err = tandem_transmit_skb(sk, skb, true, GFP_ATOMIC);
	if (unlikely(err)) {
		/* It did not leave: it is not in flight, and as old as it was. */
		if (!(was.sacked & TANDEM_S_RETRANS))
			tp->retrans_out -= cb->segs;
		*cb = was;
		cb->sacked |= TANDEM_S_EVER_RETRANS;
		return err;
	}
	tandem_rtx_sent(sk, skb);
	tandem_prr_sent(&tp->prr, cb->segs);
	t = tandem_trouble(tp);
	if (t) {
		tandem_undo_resent(&t->undo, cb->segs, cb->sent_us, alone);
		t->bytes_retrans += skb->len;
	}
	tandem_count_reason_segs(sock_net(sk), why, cb->segs);
	tp->total_retrans += cb->segs;
	tandem_pace_sent(sk, skb->len);
	return 0;
}

void tandem_xmit_retransmit_queue(struct sock *sk, enum tandem_reason why, bool first)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb, *head;
	u32 pipe, room;

	while (!list_empty(&tp->lost_list)) {
		pipe = tandem_pipe(tp);
		room = tp->cc.cwnd > pipe ? tp->cc.cwnd - pipe : 0;
		if (!first && (!room || tandem_pace_blocks(sk)))
			return;
		skb = list_skb(tp->lost_list.next);
		if (!first && tandem_tsq_blocks(sk, skb)) {
			TANDEM_SK_INC(sk, OUTTHROTTLED);
			return;
		}
		head = tandem_rtx_head(sk);
		room = clamp(room, 1U, tandem_burst_segs(sk, tandem_current_mss(sk)));
		if (tandem_retransmit_skb(sk, skb, room, why))
			return;
		first = false;
		if (skb == head)
			tandem_timer_head_resent(sk);
	}
}
