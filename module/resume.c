// SPDX-License-Identifier: GPL-2.0
/*
 * resume.c - Careful Resume, draft-ietf-tsvwg-careful-resume: begin where the last
 * connection on this path was, without trusting that the path is as it was.
 *
 *   RECONNAISSANCE  the initial window goes as always.  When all of it is acknowledged
 *                   without congestion, the RTT is what it was (more than half of it,
 *                   less than ten times) and there is more to send:
 *   UNVALIDATED     cwnd is half of what was remembered, for one round trip, paced by
 *                   the caller.  When the first of these segments is acknowledged:
 *   VALIDATING      cwnd stays at what is in flight, until the last is acknowledged:
 *   NORMAL          congestion control goes on from there.
 *
 * Congestion while any of it is unvalidated means that the path has changed:
 *
 *   RETREAT         cwnd is at most half of what the path has proven to carry (PipeSize:
 *                   what was in flight before the jump, and what of it was acknowledged
 *                   since), and slow start ends at seven tenths of that.
 *
 * Anything else that does not fit, an RTT that differs or a program with nothing
 * to send, leads to NORMAL with what congestion control has.
 */
#include "resume.h"
#include "seq.h"

/* The draft's bounds of an RTT that is "the same". */
#define RTT_LOW_DIV	2
#define RTT_HIGH_MUL	10
/* Beta, in tenths. */
#define BETA_10		7
#define CWND_FLOOR	2U

/**
 * tandem_resume_start() - a connection begins on a known path
 * @r: all of it is written
 * @saved: segments per round trip that the path carried
 * @saved_rtt_us: its smallest RTT, microseconds
 * @iw: the connection's initial window, segments
 *
 * Where half of @saved is not beyond the initial window there is nothing to gain.
 */
void tandem_resume_start(struct tandem_resume *r, u32 saved, u32 saved_rtt_us, u32 iw)
{
	memset(r, 0, sizeof(*r));
	r->saved_rtt_us = saved_rtt_us;
	r->jump = saved / 2;
	r->iw = iw;
	if (r->jump > iw && saved_rtt_us)
		r->state = TANDEM_RESUME_RECONNAISSANCE;
}

static bool same_rtt(const struct tandem_resume *r, u32 rtt_us)
{
	return rtt_us > r->saved_rtt_us / RTT_LOW_DIV &&
	       rtt_us < (u64)r->saved_rtt_us * RTT_HIGH_MUL;
}

static u32 reconnoitre(struct tandem_resume *r, const struct tandem_resume_ack *a)
{
	r->pipe += a->acked;
	if (!same_rtt(r, a->min_rtt_us)) {
		r->state = TANDEM_RESUME_NORMAL;
		return a->cwnd;
	}
	if (r->pipe < r->iw)
		return a->cwnd;
	if (!a->has_more || r->jump <= a->cwnd) {
		r->state = TANDEM_RESUME_NORMAL;
		return a->cwnd;
	}
	r->state = TANDEM_RESUME_UNVALIDATED;
	r->pipe = a->flight;
	r->mark = a->nxt;
	return r->jump;
}

static u32 unvalidated(struct tandem_resume *r, const struct tandem_resume_ack *a)
{
	r->pipe += a->acked;
	if (!seq_after(a->una, r->mark))
		return r->jump;
	/* A round trip is over: what is in flight is what is to be validated. */
	r->mark = a->nxt;
	r->state = TANDEM_RESUME_VALIDATING;
	if (a->flight > r->pipe)
		return a->flight;
	r->state = TANDEM_RESUME_NORMAL;
	return max(r->pipe, r->iw);
}

static u32 validate(struct tandem_resume *r, const struct tandem_resume_ack *a)
{
	r->pipe += a->acked;
	if (!seq_before(a->una, r->mark))
		r->state = TANDEM_RESUME_NORMAL;
	return a->cwnd;
}

/**
 * tandem_resume_ack() - an ACK came, and no congestion with it
 * @r: the state
 * @a: what it says
 *
 * Return: the congestion window to have, segments.
 */
u32 tandem_resume_ack(struct tandem_resume *r, const struct tandem_resume_ack *a)
{
	switch (r->state) {
	case TANDEM_RESUME_RECONNAISSANCE:
		return reconnoitre(r, a);
	case TANDEM_RESUME_UNVALIDATED:
		return unvalidated(r, a);
	case TANDEM_RESUME_VALIDATING:
		return validate(r, a);
	default:
		return a->cwnd;
	}
}

/**
 * tandem_resume_congestion() - loss was found, or a mark came
 * @r: the state
 * @nxt: SND.NXT
 * @cwnd: as congestion control has reduced it; reduced further, never raised
 *
 * Return: true when a segment of the jump may be to blame.
 */
bool tandem_resume_congestion(struct tandem_resume *r, u32 nxt, u32 *cwnd)
{
	bool jumped = r->state == TANDEM_RESUME_UNVALIDATED ||
		      r->state == TANDEM_RESUME_VALIDATING;

	if (r->state == TANDEM_RESUME_RETREAT)
		return false;
	if (!jumped) {
		r->state = TANDEM_RESUME_NORMAL;
		return false;
	}
	r->state = TANDEM_RESUME_RETREAT;
	r->mark = nxt;
	*cwnd = min(*cwnd, max(r->pipe / 2, CWND_FLOOR));
	return true;
}

/**
 * tandem_resume_retreat_ack() - an ACK while in RETREAT
 * @r: the state
 * @una: SND.UNA after it
 * @acked: segments newly acknowledged
 *
 * Return: the ssthresh to go on with when all that was unvalidated has been
 * acknowledged; 0 until then.
 */
u32 tandem_resume_retreat_ack(struct tandem_resume *r, u32 una, u32 acked)
{
	if (r->state != TANDEM_RESUME_RETREAT)
		return 0;
	r->pipe += acked;
	if (seq_before(una, r->mark))
		return 0;
	r->state = TANDEM_RESUME_NORMAL;
	return max_t(u32, (u64)r->pipe * BETA_10 / 10, r->iw);
}
