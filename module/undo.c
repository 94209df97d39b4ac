// SPDX-License-Identifier: GPL-2.0
/*
 * undo.c - was it loss at all?  Three witnesses that it was not.
 *
 *   D-SACK (RFC 2883, RFC 3708)  The peer reports what came twice.  When everything sent
 *		again in an episode came twice, nothing had been lost.
 *   Eifel (RFC 3522)		  The first ACK that counts echoes a timestamp older than
 *		the first retransmission: it is the original that arrived.
 *   F-RTO (RFC 5682)		  After a timeout send the oldest segment, then something
 *		new, and nothing else again.  If the next ACK covers something that was
 *		sent before the timeout and not since, the originals are arriving.
 *
 * What follows from it (RFC 4015's response: window and threshold as before, a timer for
 * the path as it is now) is done in recovery.c and rtt.c.
 */
#include "undo.h"
#include "seq.h"

/**
 * tandem_undo_start() - a reduction begins
 * @u: where to remember it
 * @una: snd_una
 * @retrans_out: segments in flight that were sent again before; their D-SACKs would be
 *	taken for those of this episode
 * @cwnd: the window
 * @ssthresh: the threshold
 */
void tandem_undo_start(struct tandem_undo *u, u32 una, u32 retrans_out, u32 cwnd,
		       u32 ssthresh)
{
	u->active = true;
	u->any = false;
	/* They are ACKed during it, and echo a time before the first that it sends. */
	u->older = retrans_out;
	u->fast = false;
	u->una = una;
	u->retrans = retrans_out;
	u->stamp_us = u->older ? u->copies_us : 0;
	u->cwnd = cwnd;
	u->ssthresh = ssthresh;
}

/**
 * tandem_undo_resent() - something was sent again
 * @u: the reduction, or none
 * @segs: how many segments
 * @now_us: the time their timestamp tells
 * @alone: no copy of anything was in flight before
 */
void tandem_undo_resent(struct tandem_undo *u, u32 segs, u64 now_us, bool alone)
{
	if (alone)
		u->copies_us = now_us;
	if (!u->active)
		return;
	if (!u->any && !u->older)
		u->stamp_us = now_us;
	u->any = true;
	u->retrans += min(segs, U32_MAX - u->retrans);
}

/**
 * tandem_undo_dsack() - the peer got something twice
 * @u: the reduction, or none
 * @start: first number of the D-SACK
 * @end: and the one behind its last
 * @segs: how many segments that is, at least 1
 */
void tandem_undo_dsack(struct tandem_undo *u, u32 start, u32 end, u32 segs)
{
	if (!u->active || !u->any)
		return;
	if (!seq_before(start, end) || !seq_after(end, u->una))
		return;			/* an older one */
	u->retrans -= min(u->retrans, segs);
}

/* Everything that was sent again arrived twice. */
bool tandem_undo_by_dsack(const struct tandem_undo *u)
{
	return u->active && u->any && !u->retrans;
}

/**
 * tandem_undo_by_echo() - does an ACK that moved snd_una prove a mistake by its echo?
 * @u: the reduction, or none
 * @echo_us: when the segment was sent whose timestamp it echoes; 0: unknown
 *
 * Nothing sent again at all, and yet what was called lost is ACKed: that proves it, too.
 */
bool tandem_undo_by_echo(const struct tandem_undo *u, u64 echo_us)
{
	if (!u->active)
		return false;
	if (!u->any && !u->older)
		return true;
	return echo_us && echo_us < u->stamp_us;
}

/**
 * tandem_frto_start() - a timeout sent the oldest segment again, RFC 5682 step 1
 * @f: F-RTO
 * @high_seq: snd_nxt
 */
void tandem_frto_start(struct tandem_frto *f, u32 high_seq)
{
	f->step = TANDEM_FRTO_SENT;
	f->high_seq = high_seq;
}

/**
 * tandem_frto_ack() - an ACK after a timeout, RFC 5682 section 3.1 steps 2 and 3
 * @f: F-RTO
 * @ack: what came
 *
 * Section 2.1 is the same without SACK, where only what is cumulatively ACKed can be
 * @original.
 *
 * Return: what to think of it; with SPURIOUS and REAL it is over.
 */
enum tandem_frto_verdict tandem_frto_ack(struct tandem_frto *f,
					 const struct tandem_frto_ack *ack)
{
	if (f->step == TANDEM_FRTO_OFF)
		return TANDEM_FRTO_REAL;

	if (f->step == TANDEM_FRTO_SENT) {
		/* Duplicates of before the timeout still come: they tell nothing. */
		if (!ack->advanced)
			return TANDEM_FRTO_UNKNOWN;
		/* Step 2b; in 2a the copy filled the only hole there was. */
		if (seq_before(ack->una, f->high_seq) && ack->can_send) {
			f->step = TANDEM_FRTO_NEW;
			return TANDEM_FRTO_SEND_NEW;
		}
	} else if (ack->original) {
		f->step = TANDEM_FRTO_OFF;
		return TANDEM_FRTO_SPURIOUS;	/* step 3b */
	} else if (!ack->dup && !ack->advanced) {
		return TANDEM_FRTO_UNKNOWN;
	}
	/* Steps 2a and 3a, or nothing new to send: as always. */
	f->step = TANDEM_FRTO_OFF;
	return TANDEM_FRTO_REAL;
}
