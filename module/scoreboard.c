// SPDX-License-Identifier: GPL-2.0
/*
 * scoreboard.c - SACK blocks of the peer onto our segments (RFC 2018, RFC 2883).
 *
 * Two things keep the work per ACK small however many segments are out.  Blocks that
 * repeat what the last ACK said are cut away before the tree is walked.  And a SACKed
 * segment knows how far everything behind it is SACKed, too: a walk that comes upon one
 * goes on there.  What it knows may be out of date; a walk that finds more notes it on
 * its way, so none is long twice.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "ack.h"
#include "output.h"
#include "recovery.h"

/* RFC 2883 section 4: a first block below the ACK, or inside the second block. */
static bool is_dsack(const struct tandem_opts *o, u32 ack)
{
	const struct tandem_sack_block *b = o->sack;

	if (seq_before(b[0].start, ack))
		return true;
	return o->nsack > 1 && !seq_before(b[0].start, b[1].start) &&
	       !seq_after(b[0].end, b[1].end);
}

/*
 * The peer got twice what a copy of ours can have brought; more of them than there were
 * copies, or of what was never sent, are the network's doing, or lies.
 */
static void take_dsack(struct sock *sk, const struct tandem_sack_block *b,
		       struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_trouble *t = tandem_trouble(tp);
	u32 len = b->end - b->start;

	if (t)
		t->dsack_dups++;
	TANDEM_SK_INC(sk, DSACKIN);
	if (!t || !seq_before(b->start, b->end) || seq_after(b->end, tp->snd_nxt) ||
	    len > max(tp->max_window, tp->mss_cache) || t->dsack_dups > tp->total_retrans)
		return;
	ev->dsack = true;
	ev->dsack_tlp = tp->tlp_out && tp->tlp_retrans && b->end == tp->tlp_end_seq;
	tandem_undo_dsack(&t->undo, b->start, b->end,
			  DIV_ROUND_UP(len, max(tp->mss_cache, 1U)));
}

/* Only what lies in flight can be SACKed. */
static bool block_valid(const struct tandem_sock *tp, const struct tandem_sack_block *b)
{
	return seq_before(b->start, b->end) && !seq_after(b->end, tp->snd_nxt) &&
	       seq_after(b->end, tp->snd_una) &&
	       !seq_before(b->start, tp->snd_una);
}

/* Behind the run of SACKed segments that begins with @skb; or NULL. */
static struct sk_buff *skip_sacked(struct sock *sk, struct sk_buff *skb,
				   struct tandem_ack_event *ev)
{
	while (skb && TANDEM_CB(skb)->sacked & TANDEM_S_SACKED) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);
		struct sk_buff *next;

		ev->walked++;
		next = cb->sacked_upto == cb->end_seq ? tandem_rtx_next(skb) :
							tandem_rtx_find(sk, cb->sacked_upto);
		if (next && TANDEM_CB(next)->sacked & TANDEM_S_SACKED)
			cb->sacked_upto = TANDEM_CB(next)->sacked_upto;
		skb = next;
	}
	return skb;
}

/*
 * A block may begin or end inside an skb of several segments: cut it there, so that the
 * segments it covers whole stand alone.
 */
static void cut_at(struct sock *sk, struct sk_buff *skb, const struct tandem_sack_block *b)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	u32 mss = cb->mss, at;

	if (cb->segs <= 1)
		return;
	if (seq_after(b->start, cb->seq))
		at = roundup(b->start - cb->seq, mss);
	else
		at = rounddown(b->end - cb->seq, mss);
	if (at && at < skb->len)
		tandem_fragment(sk, skb, at, mss, true, GFP_ATOMIC);
}

/*
 * Of the segments that begin in [from, to), or hold @from, mark those that lie whole
 * inside @b.
 */
static void mark_range(struct sock *sk, u32 from, u32 to,
		       const struct tandem_sack_block *b, struct tandem_ack_event *ev)
{
	struct sk_buff *skb = skip_sacked(sk, tandem_rtx_find(sk, from), ev);

	for (; skb; skb = skip_sacked(sk, tandem_rtx_next(skb), ev)) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		ev->walked++;
		if (!seq_before(cb->seq, to))
			break;
		if (seq_before(cb->seq, b->start) || seq_after(cb->end_seq, b->end)) {
			cut_at(sk, skb, b);
			if (seq_before(cb->seq, b->start) ||
			    seq_after(cb->end_seq, b->end))
				continue;
		}
		tandem_ack_delivered(sk, cb, true, ev);
		tandem_rtx_mark_sacked(sk, skb);
		ev->sacked_segs += cb->segs;
	}
}

/*
 * Mark what @b adds to the blocks of the last ACK.  A block only ever grows while it
 * lives, so what it shares with an old one is skipped, but for a segment that
 * straddles the old one's edge.
 */
static void mark_news(struct sock *sk, const struct tandem_sack_block *b,
		      struct tandem_ack_event *ev)
{
	const struct tandem_trouble *t = tandem_sk(sk)->trouble;
	int i;

	for (i = 0; t && i < TANDEM_OPT_MAX_SACK; i++) {
		const struct tandem_sack_block *old = &t->sack_seen[i];

		if (old->start == old->end || seq_before(old->start, b->start) ||
		    seq_after(old->end, b->end))
			continue;
		if (old->start != b->start)
			mark_range(sk, b->start, old->start, b, ev);
		if (old->end != b->end)
			mark_range(sk, old->end, b->end, b, ev);
		return;
	}
	mark_range(sk, b->start, b->end, b, ev);
}

void tandem_sack_input(struct sock *sk, const struct tandem_opts *o,
		       struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_sack_block seen[TANDEM_OPT_MAX_SACK] = {};
	struct tandem_trouble *t;
	int i, first = 0, n = 0;

	if (!tp->sack_ok || !(o->have & TANDEM_OPT_SACK) || !o->nsack)
		return;
	TANDEM_SK_ADD(sk, SACKBLOCKSIN, o->nsack);
	if (is_dsack(o, ev->ack)) {
		take_dsack(sk, &o->sack[0], ev);
		first = 1;
	}
	for (i = first; i < o->nsack; i++) {
		struct tandem_sack_block b = o->sack[i];

		/* An old ACK's block may begin below what is ACKed by now. */
		if (seq_before(b.start, tp->snd_una) && seq_after(b.end, tp->snd_una))
			b.start = tp->snd_una;
		if (!block_valid(tp, &b)) {
			if (seq_after(b.end, tp->snd_nxt) || !seq_before(b.start, b.end))
				TANDEM_SK_INC(sk, SACKDISCARD);
			continue;
		}
		mark_news(sk, &b, ev);
		seen[n++] = b;
	}
	t = tandem_trouble(tp);
	if (t)
		memcpy(t->sack_seen, seen, sizeof(seen));
	if (ev->walked)
		TANDEM_SK_ADD(sk, SEGSWALKED, ev->walked);
}

void tandem_sack_clear(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u64 now_us = tp->clock_us;
	struct sk_buff *skb;

	for (skb = tandem_rtx_head(sk); skb; skb = tandem_rtx_next(skb)) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		if (!(cb->sacked & TANDEM_S_SACKED))
			continue;
		cb->sacked &= ~TANDEM_S_SACKED;
		tp->sacked_out -= cb->segs;
		/* What was noted when it was sent has made room for sacked_upto. */
		tandem_rate_sent(&tp->rate, &tp->cc, &cb->rate, now_us, tandem_pipe(tp),
				 cb->segs);
		tandem_rtx_sent(sk, skb);
	}
	if (tp->trouble)
		memset(tp->trouble->sack_seen, 0, sizeof(tp->trouble->sack_seen));
	tandem_loss_tell(sk, TANDEM_LOSS_EV_FORGET);
}
