// SPDX-License-Identifier: GPL-2.0
/*
 * rcvq_mem.c - how much memory received data may take: merging, pruning, and the
 * autotuning of the receive buffer (dynamic right-sizing: twice what the program
 * read in the last round trip, so that the window is never what limits a fast path).
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "advert.h"
#include "rcvq.h"
#include "rcvq_mem.h"
#include "sock.h"

bool tandem_try_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *skb)
{
	struct tandem_skb_cb *tcb = TANDEM_CB(to), *cb = TANDEM_CB(skb);
	bool stolen;
	int delta;

	if (tcb->end_seq != cb->seq || tcb->flags & TANDEM_F_FIN)
		return false;
	if (!skb_try_coalesce(to, skb, &stolen, &delta))
		return false;
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	tcb->end_seq = cb->end_seq;
	tcb->flags |= cb->flags;
	if (skb->tstamp || skb_hwtstamps(skb)->hwtstamp) {
		to->tstamp = skb->tstamp;
		skb_hwtstamps(to)->hwtstamp = skb_hwtstamps(skb)->hwtstamp;
	}
	TANDEM_SK_INC(sk, COALESCED);
	kfree_skb_partial(skb, stolen);
	return true;
}

/* Options are whole words, and few: not worth a call of memcmp(). */
static bool same_options(const struct tcphdr *a, const struct tcphdr *b, unsigned int len)
{
	const u32 *wa = (const u32 *)(a + 1), *wb = (const u32 *)(b + 1);

	if (likely(len == TANDEM_OPTS_TS_LEN))
		return !((wa[0] ^ wb[0]) | (wa[1] ^ wb[1]) | (wa[2] ^ wb[2]));
	for (; len; len -= sizeof(u32))
		if (*wa++ != *wb++)
			return false;
	return true;
}

/* Is @skb the bytes behind @tail, in all else like it?  Their headers are linear. */
static bool continues(const struct sk_buff *tail, const struct sk_buff *skb)
{
	const struct tandem_skb_cb *tcb = TANDEM_CB(tail), *cb = TANDEM_CB(skb);
	const struct tcphdr *tth = tandem_hdr(tail), *th = tandem_hdr(skb);
	unsigned int hdr_len = tandem_hdr_len(th);
	u8 both = tcb->flags & cb->flags, one = tcb->flags | cb->flags, bad;

	bad = (one & (TANDEM_F_SYN | TANDEM_F_RST | TANDEM_F_URG)) |
	      (tcb->flags & TANDEM_F_FIN) | (~both & TANDEM_F_ACK) |
	      ((one ^ both) & (TANDEM_F_ECE | TANDEM_F_CWR));
	return tcb->end_seq == cb->seq && !bad && tcb->tos == cb->tos &&
	       tcb->udp_sport == cb->udp_sport && tth->doff == th->doff &&
	       tail->len > hdr_len && skb->len > hdr_len &&
	       same_options(tth, th, hdr_len - sizeof(*th));
}

bool tandem_backlog_join(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = sk->sk_backlog.tail;
	struct tandem_skb_cb *tcb, *cb = TANDEM_CB(skb);
	struct skb_shared_info *info;
	unsigned int hdr_len;
	u32 mss, tail_mss;
	bool stolen;
	int delta;

	if (!tail || !continues(tail, skb))
		return false;
	hdr_len = tandem_hdr_len(tandem_hdr(skb));
	tail_mss = skb_shinfo(tail)->gso_size ? : tail->len - hdr_len;
	mss = skb_shinfo(skb)->gso_size ? : skb->len - hdr_len;
	__skb_pull(skb, hdr_len);
	if (!skb_try_coalesce(tail, skb, &stolen, &delta)) {
		__skb_push(skb, hdr_len);
		return false;
	}
	tcb = TANDEM_CB(tail);
	tcb->end_seq = cb->end_seq;
	tcb->segs = min_t(u32, tcb->segs + cb->segs, U16_MAX);
	tcb->flags |= cb->flags;
	/* The newer header's say, unless it came late. */
	if (!seq_before(cb->ack_seq, tcb->ack_seq)) {
		tcb->ack_seq = cb->ack_seq;
		tcb->wnd = cb->wnd;
	}
	/* How large they were: tandem_measure_rcv_mss(). */
	info = skb_shinfo(tail);
	if (unlikely(mss > info->gso_size))
		info->gso_size = min_t(u32, max(tail_mss, mss), U16_MAX - 1);
	info->gso_segs = tcb->segs;
	if (skb->tstamp || skb_hwtstamps(skb)->hwtstamp) {
		tail->tstamp = skb->tstamp;
		skb_hwtstamps(tail)->hwtstamp = skb_hwtstamps(skb)->hwtstamp;
	}
	sk->sk_backlog.len += delta;
	kfree_skb_partial(skb, stolen);
	return true;
}

void tandem_drop_ofo(struct sock *sk, struct sk_buff *skb, enum tandem_reason why)
{
	RB_CLEAR_NODE(&skb->rbnode);
	skb->dev = NULL;
	tandem_drop(sock_net(sk), sk, skb, why);
}

void tandem_rcvq_purge(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct rb_node *n;

	while ((n = rb_first(&tp->ofo_queue))) {
		struct sk_buff *skb = rb_to_skb(n);

		rb_erase(n, &tp->ofo_queue);
		skb->dev = NULL;
		kfree_skb(skb);
	}
	tp->ofo_last = NULL;
	tp->n_sacks = 0;
	tp->dsack = false;
}

/* May @a be read on into @b without a hole, and is it worth copying them? */
static bool mergeable(const struct sk_buff *a, const struct sk_buff *b)
{
	return TANDEM_CB(a)->end_seq == TANDEM_CB(b)->seq &&
	       !(TANDEM_CB(a)->flags & TANDEM_F_FIN);
}

static struct sk_buff *next_or_null(struct sk_buff_head *q, struct sk_buff *skb)
{
	return skb_queue_is_last(q, skb) ? NULL : skb_queue_next(q, skb);
}

/* Does @skb cost more than the window that was promised for its bytes? */
static bool is_dust(const struct sk_buff *skb)
{
	return skb->truesize > 2 * skb->len;
}

/*
 * Copy the run of neighbours that begins with @first into one buffer.  Returns the
 * skb to look at next.
 */
static struct sk_buff *merge_run(struct sock *sk, struct sk_buff *first)
{
	struct sk_buff_head *q = &sk->sk_receive_queue;
	struct sk_buff *skb = first, *fresh, *next;
	u32 len = 0, runs = 0;

	for (; skb; skb = next_or_null(q, skb)) {
		if (len + skb->len > SKB_MAX_ORDER(0, 0) || !is_dust(skb) ||
		    (skb != first && !mergeable(skb_queue_prev(q, skb), skb)))
			break;
		len += skb->len;
		runs++;
	}
	if (runs < 2)
		return next_or_null(q, first);
	fresh = alloc_skb(len, GFP_ATOMIC | __GFP_NOWARN);
	if (!fresh)
		return NULL;
	*TANDEM_CB(fresh) = *TANDEM_CB(first);
	__skb_queue_before(q, first, fresh);
	skb_set_owner_r(fresh, sk);
	for (skb = first; runs--; skb = next) {
		next = next_or_null(q, skb);
		if (skb_copy_bits(skb, 0, skb_put(fresh, skb->len), skb->len))
			WARN_ON_ONCE(1);
		TANDEM_CB(fresh)->end_seq = TANDEM_CB(skb)->end_seq;
		TANDEM_CB(fresh)->flags |= TANDEM_CB(skb)->flags;
		fresh->tstamp = skb->tstamp;
		__skb_unlink(skb, q);
		__kfree_skb(skb);
	}
	return next;
}

/* Dust in the in-order queue becomes pages. */
static void collapse(struct sock *sk)
{
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	while (skb && atomic_read(&sk->sk_rmem_alloc) > sk->sk_rcvbuf / 2)
		skb = merge_run(sk, skb);
}

/* Give up out-of-order data from the far end until there is room. */
static void prune_ofo(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct rb_node *n;

	while (atomic_read(&sk->sk_rmem_alloc) > sk->sk_rcvbuf / 2 &&
	       (n = rb_last(&tp->ofo_queue))) {
		rb_erase(n, &tp->ofo_queue);
		tandem_drop_ofo(sk, rb_to_skb(n), TANDEM_R_OFOPRUNE);
	}
	n = rb_last(&tp->ofo_queue);
	tp->ofo_last = n ? rb_to_skb(n) : NULL;
	/* What was SACKed may be gone: say nothing rather than something false. */
	tp->n_sacks = 0;
}

static bool has_room(struct sock *sk, struct sk_buff *skb)
{
	return atomic_read(&sk->sk_rmem_alloc) <= sk->sk_rcvbuf &&
	       sk_rmem_schedule(sk, skb, skb->truesize);
}

bool tandem_rmem_schedule(struct sock *sk, struct sk_buff *skb)
{
	if (likely(has_room(sk, skb)))
		return true;
	collapse(sk);
	if (has_room(sk, skb))
		return true;
	prune_ofo(sk);
	return has_room(sk, skb);
}

/* ---- autotuning ---- */

void tandem_rcvq_init(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->rcv_mss = min_t(u32, tp->advmss, TCP_MSS_DEFAULT);
	tp->rcvq_space.space = min(tp->rcv_wnd, 10U * tp->advmss);
	tp->rcvq_space.seq = tp->copied_seq;
	tp->rcvq_space.time_us = tp->clock_us;
	tp->window_clamp = max(tp->window_clamp, 1U);
	tp->rcv_ssthresh = min(tp->rcv_ssthresh, tp->window_clamp);
}

void tandem_rcvq_rtt_sample(struct sock *sk, u32 rtt_us)
{
	u32 *est = &tandem_sk(sk)->rcv_rtt_est.rtt_us8;

	rtt_us = clamp(rtt_us, 1U, (u32)USEC_PER_SEC);
	if (!*est)
		*est = rtt_us << 3;
	else
		*est += rtt_us - (*est >> 3);
}

/* Twice what was read, and more while it grows: bytes of window. */
static u32 wanted_window(const struct tandem_sock *tp, u32 copied)
{
	u64 grow, win = 2ULL * copied + 16 * tp->advmss;

	grow = win * (copied - tp->rcvq_space.space);
	do_div(grow, max(tp->rcvq_space.space, 1U));
	return min_t(u64, win + (grow << 1), INT_MAX / 4);
}

void tandem_rcvq_space_adjust(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 copied, win, rcvbuf;
	u64 now;

	if (!tp->rcv_rtt_est.rtt_us8)
		return;
	now = tandem_now_us();
	if (now - tp->rcvq_space.time_us < tp->rcv_rtt_est.rtt_us8 >> 3)
		return;
	copied = tp->copied_seq - tp->rcvq_space.seq;
	if (copied > tp->rcvq_space.space) {
		if (tandem_sk_knob(sk, moderate_rcvbuf) &&
		    !(sk->sk_userlocks & SOCK_RCVBUF_LOCK)) {
			win = wanted_window(tp, copied);
			rcvbuf = min_t(u64, 2ULL * win,
				       READ_ONCE(tandem_sk(sk)->tn->knobs.rmem[2]));
			if (rcvbuf > sk->sk_rcvbuf) {
				WRITE_ONCE(sk->sk_rcvbuf, rcvbuf);
				tp->window_clamp = tandem_win_from_space(sk, rcvbuf);
			}
		}
		tp->rcvq_space.space = copied;
	}
	tp->rcvq_space.seq = tp->copied_seq;
	tp->rcvq_space.time_us = now;
}
