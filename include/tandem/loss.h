/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loss.h - what a loss detector is to Tandem.
 *
 * A detector decides which of the segments sent and not ACKed are lost, and nothing
 * else: what is sent again, and how fast, is recovery.c's.  It sees struct tandem_loss
 * and one segment at a time, never a socket: it is arithmetic on sequence numbers and
 * microseconds, so the same source runs in the kernel, in KUnit and in user space.
 *
 * For each ACK of a connection with SACK, in this order:
 *
 *	delivered()	for each segment that the ACK newly covers, or SACKs
 *	event()		for a D-SACK in it
 *	prepare()	once
 *	judge()		for one segment in flight after the other, until it says STOP
 *
 * and the last two again when the time is up that judge() asked to wait for.  The order
 * of the segments is that of their sending (TANDEM_LOSS_BY_TIME), or that of their
 * sequence numbers; in the latter a segment is judged once, and the walk goes on the
 * next time where it stopped.  A detector must stop at the first segment of which it
 * cannot know yet: what an ACK costs is then the segments it decides on, not the
 * thousands in flight.
 *
 * It begins with the first sign that something may be missing, a SACK, a D-SACK, a timeout or
 * the ACK of what was sent again: what was sent once and is acknowledged in order leaves
 * nothing to judge.
 *
 * Without SACK no detector is asked: duplicate ACKs are counted (RFC 5681, RFC 6582).
 *
 * All calls come under the connection's lock, in softirq or process context; none may
 * sleep.
 */
#ifndef _TANDEM_LOSS_H
#define _TANDEM_LOSS_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/kernel.h>
#else
#include <tandem/pure_user.h>
#endif
#include <tandem/choice.h>

#define TANDEM_LOSS_PRIV	(5 * sizeof(u64))

/* Segments SACKed above one that make it lost: RFC 5681, RFC 6675's DupThresh. */
#define TANDEM_DUPTHRESH	3
#define TANDEM_REORDERING_MAX	300

/**
 * struct tandem_loss - a connection as its loss detector sees it
 * @snd_una:	oldest sequence number not ACKed, after this ACK
 * @snd_nxt:	next to be sent
 * @mss:	bytes in a full segment
 * @srtt_us:	smoothed RTT, microseconds; 0: none yet
 * @min_rtt_us:	smallest RTT seen, microseconds; ~0U: none yet
 * @sacked_segs: segments SACKed and not ACKed
 * @reord_seen:	told by the detector: how often it saw segments reordered
 * @reordering:	told by the detector: by how many at most, segments
 * @reo_mult:	told by the detector: how late a segment may be, in a unit of its own
 * @known_mult:	@reo_mult of the last connection on this path that saw reordering
 * @known_reordering: and its @reordering; 0: none is known.  The detector clears it when
 *		it finds that it holds no longer
 * @reord_told:	the detector's mark that this ACK told it of reordering; false again for
 *		the next
 * @recovering:	in fast recovery, or after a timeout
 * @priv:	the detector's own, see tandem_loss_priv(); zero before init()
 */
struct tandem_loss {
	u32	snd_una;
	u32	snd_nxt;
	u32	mss;
	u32	srtt_us;
	u32	min_rtt_us;
	u32	sacked_segs;
	u32	reord_seen;
	u16	reordering;
	u16	known_reordering;
	u8	reo_mult;
	u8	known_mult;
	bool	reord_told;
	bool	recovering;
	u64	priv[TANDEM_LOSS_PRIV / sizeof(u64)];
};

/**
 * struct tandem_loss_seg - a segment that was sent, or several that were sent as one
 * @now_us:	the time, microseconds
 * @echo_us:	delivered(): when the segment was sent whose timestamp this ACK echoes;
 *		0: unknown
 * @sent_us:	when it was sent last, microseconds
 * @seq:	its first sequence number
 * @end_seq:	the one behind its last
 * @segs:	how many segments; all of them have the same fate
 * @mss:	@segs > 1: bytes in each but the last
 * @retrans:	it was sent more than once
 * @sacked:	delivered(): by a SACK block, not by the cumulative ACK
 * @early:	delivered(): it seems to have overtaken what is missing before it: its
 *		round trip was shorter than that of what had arrived before
 */
struct tandem_loss_seg {
	u64	now_us;
	u64	echo_us;
	u64	sent_us;
	u32	seq;
	u32	end_seq;
	u16	segs;
	u16	mss;
	bool	retrans;
	bool	sacked;
	bool	early;
};

enum tandem_loss_verdict {
	TANDEM_LOSS_LOST,		/* it is lost; go on */
	TANDEM_LOSS_KEEP,		/* it is not; go on */
	TANDEM_LOSS_STOP,		/* no more can be said now */
};

enum tandem_loss_event {
	TANDEM_LOSS_EV_DSACK,		/* the peer got something twice that we sent twice */
	TANDEM_LOSS_EV_RECOVERED,	/* fast recovery ended */
	TANDEM_LOSS_EV_UNDO,		/* fast recovery was a mistake: nothing was lost */
	TANDEM_LOSS_EV_FORGET,		/* all SACKs are void: the peer reneged */
};

/* tandem_loss_ops.flags */
#define TANDEM_LOSS_BY_TIME	0x01	/* judge() wants the order of sending */
#define TANDEM_LOSS_PROBES	0x02	/* tail loss probes go with it (RFC 8985 section 7) */
#define TANDEM_LOSS_REORDER	0x04	/* it sees reordering, and begins with what is known */

/**
 * struct tandem_loss_ops - a loss detector
 * @choice:	name and owner, see tandem/choice.h
 * @flags:	TANDEM_LOSS_*
 * @init:	a connection starts using it, at any time
 * @delivered:	the peer has a segment, as this ACK is the first to tell
 * @event:	something else happened
 * @prepare:	the ACK was looked at; judge() comes next
 * @judge:	is @seg lost?  With STOP *@wait_us may say when to ask again, in
 *		microseconds, 0: not before the next ACK (required)
 * @expired:	the retransmission timer has expired and the oldest segment counts as
 *		lost: does @seg, too?  NULL: all do
 */
struct tandem_loss_ops {
	struct tandem_choice choice;
	u32		flags;
	void		(*init)(struct tandem_loss *l);
	void		(*delivered)(struct tandem_loss *l,
				     const struct tandem_loss_seg *seg);
	void		(*event)(struct tandem_loss *l, enum tandem_loss_event ev);
	void		(*prepare)(struct tandem_loss *l);
	enum tandem_loss_verdict (*judge)(struct tandem_loss *l,
					  const struct tandem_loss_seg *seg,
					  u32 *wait_us);
	bool		(*expired)(const struct tandem_loss *l,
				   const struct tandem_loss_seg *seg);
};

/* Does this path deliver segments out of order, as far as we know? */
static inline bool tandem_loss_reorders(const struct tandem_loss *l)
{
	return l->reord_seen || l->known_reordering;
}

/* The detector's own bytes: at most TANDEM_LOSS_PRIV. */
static inline void *tandem_loss_priv(struct tandem_loss *l)
{
	return l->priv;
}

static inline const void *tandem_loss_cpriv(const struct tandem_loss *l)
{
	return l->priv;
}

#ifdef __KERNEL__
/* 0; -EEXIST: the name is taken; -EINVAL: judge() is missing, or a bad name. */
int tandem_loss_register(struct tandem_loss_ops *ops);
void tandem_loss_unregister(struct tandem_loss_ops *ops);
#endif

/* The two that come with Tandem. */
extern struct tandem_loss_ops tandem_loss_rack;		/* "rack", the default */
extern struct tandem_loss_ops tandem_loss_dupthresh;	/* "dupthresh" */

#endif /* _TANDEM_LOSS_H */
