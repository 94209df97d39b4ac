// SPDX-License-Identifier: GPL-2.0
/*
 * rcvq.c - data in.
 *
 *   sk_receive_queue   in order, read by recvmsg.c from copied_seq on
 *   ofo_queue          out of order: a red-black tree by sequence number
 *
 * What brings anything new is queued whole, and merged into its neighbour when the
 * pages allow; bytes that two segments have in common are skipped when they are read
 * (recvmsg.c goes by sequence number).  A filled gap moves the front of the tree to
 * the queue.  The
 * tree's runs are what SACK blocks report, the newest first (RFC 2018 section 4);
 * what came twice is reported once as a D-SACK (RFC 2883).
 *
 * Memory: every queued byte is charged to the socket.  A peer that ignores our window
 * or fragments its data into dust meets pruning: tiny segments are copied together,
 * then out-of-order data is dropped (it was SACKed, but RFC 2018 section 8 allows
 * it), then in-order data is refused.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "advert.h"
#include "ecn.h"
#include "input.h"
#include "output.h"
#include "rcvq.h"
#include "rcvq_mem.h"
#include "reason.h"
#include "state.h"
#include "stream.h"
#include "timer.h"
#include "timewait.h"
#include "wire.h"

/* ---- SACK blocks ---- */

static void note_dsack(struct sock *sk, u32 start, u32 end)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_trouble *t;

	if (!tp->sack_ok || !tandem_sk_knob(sk, dsack) || start == end)
		return;
	t = tandem_trouble(tp);
	if (!t)
		return;
	/* The same once more: our ACKs may be what is lost.  As TCP, try another path. */
	if (start == t->dsack_block.start && sk_rethink_txhash(sk))
		TANDEM_SK_INC(sk, DUPDATAREHASH);
	tp->dsack = true;
	t->dsack_block.start = start;
	t->dsack_block.end = end;
}

void tandem_rcvq_dup(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (seq == end_seq || !seq_before(seq, tp->rcv_nxt))
		return;
	/* The piece that was there already is what RFC 2883 section 4.1 wants. */
	note_dsack(sk, seq, seq_min(end_seq, tp->rcv_nxt));
	tandem_ack_now(sk);
}

/* The run [start, end) grew or began: it goes to the front, eating its neighbours. */
static void sack_note_run(struct tandem_sock *tp, u32 start, u32 end)
{
	struct tandem_sack_block kept[TANDEM_OPT_MAX_SACK];
	struct tandem_trouble *t = tandem_trouble(tp);
	int i, n = 0;

	if (!t)
		return;
	for (i = 0; i < tp->n_sacks; i++) {
		struct tandem_sack_block *b = &t->sacks[i];

		if (!seq_after(b->start, end) && !seq_before(b->end, start)) {
			start = seq_min(start, b->start);
			end = seq_max(end, b->end);
		} else if (n < TANDEM_OPT_MAX_SACK - 1) {
			kept[n++] = *b;
		}
	}
	t->sacks[0].start = start;
	t->sacks[0].end = end;
	memcpy(&t->sacks[1], kept, n * sizeof(kept[0]));
	tp->n_sacks = n + 1;
}

/* rcv_nxt moved: blocks it swallowed go. */
static void sack_forget_old(struct tandem_sock *tp)
{
	int i, n = 0;

	if (RB_EMPTY_ROOT(&tp->ofo_queue)) {
		tp->n_sacks = 0;
		return;
	}
	for (i = 0; i < tp->n_sacks; i++)
		if (seq_after(tp->trouble->sacks[i].start, tp->rcv_nxt))
			tp->trouble->sacks[n++] = tp->trouble->sacks[i];
	tp->n_sacks = n;
}

void tandem_rcvq_sacks(struct sock *sk, struct tandem_opts *o)
{
	struct tandem_sock *tp = tandem_sk(sk);
	unsigned int room, n = 0, i;

	if (!tp->dsack && !tp->n_sacks)
		return;
	o->have |= TANDEM_OPT_SACK;
	o->nsack = 0;
	room = tandem_opts_sack_room(o);
	if (tp->dsack && n < room) {
		o->sack[n++] = tp->trouble->dsack_block;
		tp->dsack = false;
		TANDEM_SK_INC(sk, DSACKOUT);
	}
	for (i = 0; i < tp->n_sacks && n < room; i++)
		o->sack[n++] = tp->trouble->sacks[i];
	o->nsack = n;
	if (!n)
		o->have &= ~TANDEM_OPT_SACK;
	TANDEM_SK_ADD(sk, SACKBLOCKSOUT, n);
}

/* ---- queueing ---- */

/* The FIN was reached: RFC 9293 section 3.10.7.4, eighth check. */
static void process_fin(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->ack_pending |= TANDEM_ACK_SCHED;
	tp->fin_rcvd = true;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	tandem_rcvq_purge(sk);	/* nothing can follow a FIN */

	switch (sk->sk_state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		tp->fin_ack = true;	/* it may ride on our own FIN */
		tandem_set_state(sk, TCP_CLOSE_WAIT, TANDEM_R_FININ);
		break;
	case TCP_FIN_WAIT1:
		/* Simultaneous close. */
		tandem_send_ack(sk);
		tandem_set_state(sk, TCP_CLOSING, TANDEM_R_FININ);
		break;
	case TCP_FIN_WAIT2:
		tandem_send_ack(sk);
		tandem_time_wait(sk, TCP_TIME_WAIT, 0);
		break;
	default:
		break;
	}
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	/* POLL_HUP for programs that asked for SIGIO, as TCP. */
	sk_wake_async(sk, SOCK_WAKE_WAITD,
		      sk->sk_shutdown == SHUTDOWN_MASK || sk->sk_state == TCP_CLOSE ?
		      POLL_HUP : POLL_IN);
}

/* Put an in-order skb at the end of the queue, into the last skb if it fits. */
static void append(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	struct tandem_sock *tp = tandem_sk(sk);
	bool fin = TANDEM_CB(skb)->flags & TANDEM_F_FIN;
	u32 fresh = TANDEM_CB(skb)->end_seq - tp->rcv_nxt - fin;

	tp->rcv_nxt = TANDEM_CB(skb)->end_seq;
	tp->bytes_received += fresh;
	TANDEM_SK_ADD(sk, INBYTES, fresh);
	if (tail && tandem_try_coalesce(sk, tail, skb))
		return;
	skb_set_owner_r(skb, sk);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

/* The front of the out-of-order queue may be in order now. True: it held a FIN. */
static bool pull_ofo(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool fin = false;
	struct rb_node *n;

	while ((n = rb_first(&tp->ofo_queue))) {
		struct sk_buff *skb = rb_to_skb(n);
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		if (seq_after(cb->seq, tp->rcv_nxt))
			break;
		rb_erase(n, &tp->ofo_queue);
		RB_CLEAR_NODE(n);
		skb->dev = NULL;
		if (skb == tp->ofo_last)
			tp->ofo_last = NULL;
		skb_orphan(skb);
		if (!seq_after(cb->end_seq, tp->rcv_nxt)) {
			tandem_drop(sock_net(sk), sk, skb, TANDEM_R_OFODUP);
			continue;
		}
		fin = cb->flags & TANDEM_F_FIN;
		if (skb->len) {
			append(sk, skb);
		} else {
			tp->rcv_nxt = cb->end_seq;
			__kfree_skb(skb);
		}
		if (fin)
			break;
	}
	if (RB_EMPTY_ROOT(&tp->ofo_queue))
		tp->ofo_last = NULL;
	else if (!tp->ofo_last)
		tp->ofo_last = rb_to_skb(rb_last(&tp->ofo_queue));
	return fin;
}

/* The window we offer grows as long as the peer's segments are worth their memory. */
static void grow_window(struct sock *sk, const struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 room = min(tp->window_clamp, tandem_rcv_full_space(sk));

	if (tp->rcv_ssthresh < room && !sk_under_memory_pressure(sk) &&
	    tandem_win_from_space(sk, skb->truesize) <= skb->len)
		tp->rcv_ssthresh = min(room, tp->rcv_ssthresh + 2 * tp->advmss);
}

static void queue_in_order(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool fin = TANDEM_CB(skb)->flags & TANDEM_F_FIN;
	bool gap = !RB_EMPTY_ROOT(&tp->ofo_queue);

	if (skb->len) {
		tandem_measure_rcv_mss(sk, skb);
		grow_window(sk, skb);
		tandem_ack_data_received(sk, skb);
		append(sk, skb);
	} else {
		tp->rcv_nxt = TANDEM_CB(skb)->end_seq;
		__kfree_skb(skb);
	}

	if (!fin && gap) {
		fin = pull_ofo(sk);
		/* RFC 5681 section 4.2: a segment that fills a gap is ACKed at once. */
		tandem_ack_now(sk);
	}
	sack_forget_old(tp);
	if (fin)
		process_fin(sk);
	if (sk->sk_state != TCP_CLOSE && !sock_flag(sk, SOCK_DEAD))
		tandem_data_ready(sk);
}

/* ---- out of order ---- */

/* Find @skb's place in the tree.  False: a queued segment covers all of it. */
static bool ofo_place(struct sock *sk, struct sk_buff *skb, struct rb_node **parent,
		      struct rb_node ***link)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	struct rb_node **p = &tp->ofo_queue.rb_node;

	*parent = NULL;
	while (*p) {
		struct sk_buff *at = rb_to_skb(*p);
		struct tandem_skb_cb *acb = TANDEM_CB(at);

		*parent = *p;
		if (seq_before(cb->seq, acb->seq)) {
			p = &(*p)->rb_left;
			continue;
		}
		if (seq_before(cb->seq, acb->end_seq)) {
			u32 overlap = seq_min(cb->end_seq, acb->end_seq);

			note_dsack(sk, cb->seq, overlap);
			if (!seq_after(cb->end_seq, acb->end_seq))
				return false;
		}
		p = &(*p)->rb_right;
	}
	*link = p;
	return true;
}

/* Drop what @skb, now in the tree, covers behind it. */
static void ofo_eat_followers(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	struct rb_node *n;

	while ((n = rb_next(&skb->rbnode))) {
		struct sk_buff *next = rb_to_skb(n);
		struct tandem_skb_cb *ncb = TANDEM_CB(next);

		if (!seq_after(cb->end_seq, ncb->seq))
			break;
		if (seq_before(cb->end_seq, ncb->end_seq)) {
			note_dsack(sk, ncb->seq, cb->end_seq);
			break;
		}
		note_dsack(sk, ncb->seq, ncb->end_seq);
		rb_erase(n, &tp->ofo_queue);
		tandem_drop_ofo(sk, next, TANDEM_R_OFODUP);
	}
	if (!rb_next(&skb->rbnode))
		tp->ofo_last = skb;
}

static void queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	struct rb_node *parent, **link;
	u32 seq = cb->seq, end_seq = cb->end_seq;

	tp->ack_pending |= TANDEM_ACK_DUP;
	tandem_ack_now(sk);
	tp->rcv_ofo += cb->segs;
	TANDEM_SK_ADD(sk, OFOQUEUED, cb->segs);
	if (!tandem_rmem_schedule(sk, skb)) {
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_OFOPRUNE);
		return;
	}
	/* On a lossy path most of it comes so: the window must not stand still for it. */
	grow_window(sk, skb);

	/* The common case: the next of a run at the end. */
	if (tp->ofo_last && seq == TANDEM_CB(tp->ofo_last)->end_seq) {
		if (tandem_try_coalesce(sk, tp->ofo_last, skb)) {
			sack_note_run(tp, seq, end_seq);
			return;
		}
	}
	if (!ofo_place(sk, skb, &parent, &link)) {
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_OFODUP);
		return;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &tp->ofo_queue);
	skb_set_owner_r(skb, sk);
	ofo_eat_followers(sk, skb);
	sack_note_run(tp, cb->seq, cb->end_seq);
}

/* ---- the door ---- */

void tandem_rcvq_input(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);

	if (cb->seq == cb->end_seq) {
		__kfree_skb(skb);
		return;
	}
	skb_dst_drop(skb);
	__skb_pull(skb, tandem_hdr_len(tandem_hdr(skb)));
	tandem_ecn_data_in(sk, skb);

	if (!seq_after(cb->end_seq, tp->rcv_nxt)) {
		tandem_rcvq_dup(sk, cb->seq, cb->end_seq);
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_DUPDATA);
		return;
	}
	if (!seq_before(cb->seq, tp->rcv_nxt + tandem_rcv_wnd_open(tp))) {
		/* Into a shut window: a probe with data.  It is answered, not taken. */
		TANDEM_SK_INC(sk, WINPROBESIN);
		tandem_ack_now(sk);
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_OUTWIN);
		return;
	}
	if (seq_after(cb->seq, tp->rcv_nxt)) {
		queue_ofo(sk, skb);
		return;
	}
	if (seq_before(cb->seq, tp->rcv_nxt))
		tandem_rcvq_dup(sk, cb->seq, tp->rcv_nxt);
	/* An empty queue takes one segment whatever memory says, or nothing moves. */
	if (skb->len && !tandem_rmem_schedule(sk, skb) &&
	    !skb_queue_empty(&sk->sk_receive_queue)) {
		tandem_ack_now(sk);
		sk->sk_data_ready(sk);
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_RCVBUF);
		return;
	}
	queue_in_order(sk, skb);
}
