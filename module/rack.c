// SPDX-License-Identifier: GPL-2.0
/*
 * rack.c - RACK: what is lost, told by time (RFC 8985 section 6).
 *
 * If a segment was delivered that had been sent later than another, then the other
 * should have been delivered, too; if it has not been after a little longer than a round
 * trip, it is lost:
 *
 *	lost  when  sent + RACK.rtt + reo_wnd <= now,
 *	      for whatever was sent before RACK.xmit_ts
 *
 * This holds for a retransmission as for anything else, so one that is lost again is
 * found without waiting for a timeout; and the last segments of a flight need nothing
 * sent after them but a probe (tlp.c).
 *
 * The reordering window is what the path may delay one segment longer than others.  It
 * starts at a quarter of the minimal RTT.  While no reordering was seen the classic rule
 * of three is kept by making it 0 as soon as three segments are SACKed; each round trip
 * with a D-SACK, which is a retransmission too many, widens it by a quarter up to SRTT;
 * and after 16 recoveries without any it is what it was.
 *
 * What an earlier connection on the same path saw is known from the beginning (path.c):
 * that there is reordering, and how wide the window had to be, up to one minimal RTT.
 * After 16 recoveries that show none of it, it is forgotten.
 *
 * Segments are judged in the order of their sending.  The first whose time is not up
 * ends the walk, as all behind it have even more of it: RFC 8985 section 6.2 step 5 takes
 * the longest time left of all for its timer, at the price of looking at all of them for
 * every ACK; we take the shortest, and look again when it is over.
 */
#include "rack.h"
#include "seq.h"

#define REO_WND_PERSIST	16
/* What is remembered at most of the window, in quarters of the minimal RTT. */
#define KNOWN_MULT_MAX	4

static bool sent_after(u64 us, u32 end_seq, u64 than_us, u32 than_end_seq)
{
	return us > than_us || (us == than_us && seq_after(end_seq, than_end_seq));
}

static void rack_init(struct tandem_loss *l)
{
	struct tandem_rack *r = tandem_loss_priv(l);

	BUILD_BUG_ON(sizeof(*r) > TANDEM_LOSS_PRIV);
	memset(r, 0, sizeof(*r));
	r->mult = 1;
	l->reord_seen = 0;
	l->reordering = TANDEM_DUPTHRESH;
	if (l->known_reordering) {
		r->mult = clamp_t(u8, l->known_mult, 1, KNOWN_MULT_MAX);
		r->persist = REO_WND_PERSIST;
		l->reordering = clamp_t(u16, l->known_reordering, TANDEM_DUPTHRESH,
					TANDEM_REORDERING_MAX);
	}
	l->reo_mult = r->mult;
}

/*
 * Section 6.2 step 3: something never sent again comes after what was sent after it.
 * Only what earlier ACKs told counts: ACKs themselves are lost and merged.
 */
static void detect_reordering(struct tandem_loss *l, struct tandem_rack *r,
			      const struct tandem_loss_seg *seg)
{
	u32 by;

	r->fack_next = r->have_next ? seq_max(r->fack_next, seg->end_seq) : seg->end_seq;
	r->have_next = true;
	if (!r->have_fack || seg->retrans || !seq_before(seg->end_seq, r->fack))
		return;
	by = DIV_ROUND_UP(r->fack - seg->seq, max(l->mss, 1U));
	/* However many segments tell of it, it is one event that this ACK tells of. */
	if (!l->reord_told)
		l->reord_seen++;
	l->reord_told = true;
	l->reordering = clamp_t(u32, by, l->reordering, TANDEM_REORDERING_MAX);
}

/*
 * Which of its copies was it?  What is ACKed in order is told by the echo of its
 * timestamp.  A SACK echoes what came before the hole (RFC 7323 section 4.3), which says
 * nothing of it; then only what is faster than the path can be is an older one.
 */
static bool older_copy(const struct tandem_loss *l, const struct tandem_loss_seg *seg,
		       u64 rtt)
{
	if (!seg->retrans)
		return false;
	if (seg->echo_us && !seg->sacked)
		return seg->echo_us < seg->sent_us;
	return rtt < l->min_rtt_us;
}

/*
 * Section 6.2 step 2: RACK.rtt is that of the newest segment that an ACK tells of, which
 * took the shortest time; what it SACKs comes here before what it ACKs.  What a segment
 * takes on this path is not told by one that was early: by its trip all that come in their
 * time would be late.
 */
static void rack_delivered(struct tandem_loss *l, const struct tandem_loss_seg *seg)
{
	struct tandem_rack *r = tandem_loss_priv(l);
	u64 rtt = seg->now_us > seg->sent_us ? seg->now_us - seg->sent_us : 0;

	detect_reordering(l, r, seg);
	if (older_copy(l, seg, rtt))
		return;
	if (seg->early)
		rtt = max_t(u64, rtt, r->rtt_us ? r->rtt_us : l->srtt_us);
	if (r->told_us != (u32)seg->now_us || rtt < r->rtt_us)
		r->rtt_us = min_t(u64, rtt, U32_MAX);
	r->told_us = seg->now_us;
	if (sent_after(seg->sent_us, seg->end_seq, r->xmit_us, r->end_seq)) {
		r->xmit_us = seg->sent_us;
		r->end_seq = seg->end_seq;
	}
}

/* So many recoveries had no use for a wide window, or for what was known of the path. */
static void narrow(struct tandem_loss *l, struct tandem_rack *r)
{
	r->mult = 1;
	if (l->reord_seen || !l->known_reordering)
		return;
	l->known_reordering = 0;
	l->reordering = TANDEM_DUPTHRESH;
}

/* Section 6.2 step 4: the part that follows D-SACKs. */
static void rack_event(struct tandem_loss *l, enum tandem_loss_event ev)
{
	struct tandem_rack *r = tandem_loss_priv(l);

	switch (ev) {
	case TANDEM_LOSS_EV_DSACK:
		if (r->in_dsack_round && seq_before(l->snd_una, r->dsack_round))
			return;		/* once per round trip */
		r->in_dsack_round = true;
		r->dsack_round = l->snd_nxt;
		if (r->mult < U8_MAX)
			r->mult++;
		r->persist = REO_WND_PERSIST;
		break;
	case TANDEM_LOSS_EV_RECOVERED:
		if (!r->persist || !--r->persist)
			narrow(l, r);
		break;
	case TANDEM_LOSS_EV_UNDO:
		/* It was only late, and by more than the window. */
		l->reord_seen++;
		break;
	case TANDEM_LOSS_EV_FORGET:
		break;			/* when something was sent stays true */
	}
	l->reo_mult = r->mult;
}

/* And the part that sets the window. */
static void rack_prepare(struct tandem_loss *l)
{
	struct tandem_rack *r = tandem_loss_priv(l);
	u32 limit = l->srtt_us ? l->srtt_us : U32_MAX;
	u64 wnd = (u64)r->mult * (l->min_rtt_us / 4);

	r->fack = r->fack_next;
	r->have_fack = r->have_next;
	if (l->min_rtt_us == U32_MAX)
		wnd = 0;
	if (!tandem_loss_reorders(l) &&
	    (l->recovering || l->sacked_segs >= TANDEM_DUPTHRESH))
		wnd = 0;
	r->reo_wnd_us = min_t(u64, wnd, limit);
}

/* How long @seg has left, microseconds; 0 or less: nothing. */
static s64 time_left(const struct tandem_loss *l, const struct tandem_rack *r,
		     const struct tandem_loss_seg *seg)
{
	return (s64)(seg->sent_us - seg->now_us) + r->rtt_us + r->reo_wnd_us;
}

/* Section 6.2 step 5. */
static enum tandem_loss_verdict rack_judge(struct tandem_loss *l,
					   const struct tandem_loss_seg *seg,
					   u32 *wait_us)
{
	const struct tandem_rack *r = tandem_loss_cpriv(l);
	s64 left;

	if (!sent_after(r->xmit_us, r->end_seq, seg->sent_us, seg->end_seq))
		return TANDEM_LOSS_STOP;
	left = time_left(l, r, seg);
	if (left <= 0)
		return TANDEM_LOSS_LOST;
	*wait_us = min_t(s64, left, U32_MAX);
	return TANDEM_LOSS_STOP;
}

/*
 * Section 6.3: what was sent within the last round trip may still be under way when the
 * oldest has timed out.  Before any segment was delivered the handshake's round trip has
 * to do.
 */
static bool rack_expired(const struct tandem_loss *l, const struct tandem_loss_seg *seg)
{
	struct tandem_rack r = *(const struct tandem_rack *)tandem_loss_cpriv(l);

	if (!r.have_next)
		r.rtt_us = l->srtt_us;
	return time_left(l, &r, seg) <= 0;
}

/* Part of the module itself: no owner to hold. */
struct tandem_loss_ops tandem_loss_rack = {
	.choice.name	= "rack",
	.flags		= TANDEM_LOSS_BY_TIME | TANDEM_LOSS_PROBES | TANDEM_LOSS_REORDER,
	.init		= rack_init,
	.delivered	= rack_delivered,
	.event		= rack_event,
	.prepare	= rack_prepare,
	.judge		= rack_judge,
	.expired	= rack_expired,
};
