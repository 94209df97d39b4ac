// SPDX-License-Identifier: GPL-2.0
/*
 * scoreboard.c - SACK blocks of the peer onto our segments (RFC 2018, RFC 2883), and
 * which segments RFC 6675 calls lost.
 *
 * Two things keep the work per ACK small however many segments are out.  Blocks that
 * repeat what the last ACK said are cut away before the tree is walked.  And the
 * three highest SACKed sequence numbers are remembered: a segment is lost when three
 * SACKed ones lie above it (RFC 6675 IsLost(), DupThresh counted in segments as Linux
 * does), so everything unSACKed below the lowest of the three is, and the mark only
 * moves up.
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

/* Only what lies in flight can be SACKed. */
static bool block_valid(const struct tandem_sock *tp, const struct tandem_sack_block *b)
{
	return seq_before(b->start, b->end) && !seq_after(b->end, tp->snd_nxt) &&
	       seq_after(b->end, tp->snd_una) &&
	       !seq_before(b->start, tp->snd_una);
}

/* Keep the DUPTHRESH highest SACKed starts, highest first. */
static void note_top(struct tandem_sock *tp, u32 seq)
{
	int i, n = tp->n_sack_top;

	if (n == TANDEM_DUPTHRESH && !seq_after(seq, tp->sack_top[n - 1]))
		return;
	if (n < TANDEM_DUPTHRESH)
		tp->n_sack_top = ++n;
	for (i = n - 1; i > 0 && seq_after(seq, tp->sack_top[i - 1]); i--)
		tp->sack_top[i] = tp->sack_top[i - 1];
	tp->sack_top[i] = seq;
}

/*
 * Of the segments that begin in [from, to), or hold @from, mark those that lie whole
 * inside @b.
 */
static void mark_range(struct sock *sk, u32 from, u32 to,
		       const struct tandem_sack_block *b, struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb = tandem_rtx_find(sk, from);

	for (; skb; skb = tandem_rtx_next(skb)) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		if (!seq_before(cb->seq, to))
			break;
		if (seq_before(cb->seq, b->start) || seq_after(cb->end_seq, b->end) ||
		    cb->sacked & TANDEM_S_SACKED)
			continue;
		tandem_ack_delivered(sk, cb, ev);
		tandem_rtx_mark_sacked(sk, skb);
		ev->sacked_segs += cb->segs;
		note_top(tp, cb->seq);
		tp->highest_sack = seq_max(tp->highest_sack, cb->end_seq);
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
	const struct tandem_sock *tp = tandem_sk(sk);
	int i;

	for (i = 0; i < TANDEM_OPT_MAX_SACK; i++) {
		const struct tandem_sack_block *old = &tp->sack_seen[i];

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
	int i, first = 0, n = 0;

	if (!tp->sack_ok || !(o->have & TANDEM_OPT_SACK) || !o->nsack)
		return;
	TANDEM_ADD(sock_net(sk), SACKBLOCKSIN, o->nsack);
	if (is_dsack(o, ev->ack)) {
		ev->dsack = true;
		tp->dsack_dups++;
		TANDEM_INC(sock_net(sk), DSACKIN);
		first = 1;
	}
	for (i = first; i < o->nsack; i++) {
		struct tandem_sack_block b = o->sack[i];

		/* An old ACK's block may begin below what is ACKed by now. */
		if (seq_before(b.start, tp->snd_una) && seq_after(b.end, tp->snd_una))
			b.start = tp->snd_una;
		if (!block_valid(tp, &b)) {
			if (seq_after(b.end, tp->snd_nxt) || !seq_before(b.start, b.end))
				TANDEM_INC(sock_net(sk), SACKDISCARD);
			continue;
		}
		mark_news(sk, &b, ev);
		seen[n++] = b;
	}
	memcpy(tp->sack_seen, seen, sizeof(seen));
}

void tandem_sack_clear(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	for (skb = tandem_rtx_head(sk); skb; skb = tandem_rtx_next(skb))
		TANDEM_CB(skb)->sacked &= ~TANDEM_S_SACKED;
	tp->sacked_out = 0;
	tp->n_sack_top = 0;
	tp->lost_upto = tp->snd_una;
	tp->highest_sack = tp->snd_una;
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
}
