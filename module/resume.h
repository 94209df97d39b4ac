/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resume.h - Careful Resume, draft-ietf-tsvwg-careful-resume, as a state machine over
 * segments and sequence numbers.  Pure.
 */
#ifndef _TANDEM_RESUME_H
#define _TANDEM_RESUME_H

#include "pure.h"

enum tandem_resume_state {
	TANDEM_RESUME_NORMAL,		/* congestion control alone rules */
	TANDEM_RESUME_RECONNAISSANCE,	/* the initial window: is it the same path? */
	TANDEM_RESUME_UNVALIDATED,	/* the jump is on its way */
	TANDEM_RESUME_VALIDATING,	/* and being acknowledged */
	TANDEM_RESUME_RETREAT,		/* it was too much */
};

/**
 * struct tandem_resume - where a connection stands
 * @state:	enum tandem_resume_state
 * @saved_rtt_us: the remembered path's smallest RTT, microseconds
 * @jump:	the window to jump to, segments: half of what was remembered
 * @iw:		the initial window, segments
 * @pipe:	PipeSize: what the path has proven to carry, segments
 * @mark:	UNVALIDATED: where the unvalidated segments begin; then: where they end
 */
struct tandem_resume {
	u8	state;
	u32	saved_rtt_us;
	u32	jump;
	u32	iw;
	u32	pipe;
	u32	mark;
};

/**
 * struct tandem_resume_ack - what an ACK says
 * @una:	SND.UNA after it
 * @nxt:	SND.NXT
 * @acked:	segments newly acknowledged
 * @flight:	segments in flight after it
 * @cwnd:	as congestion control has it after this ACK, segments
 * @min_rtt_us:	smallest RTT of this connection, microseconds
 * @has_more:	there is more to send than cwnd lets out
 */
struct tandem_resume_ack {
	u32	una;
	u32	nxt;
	u32	acked;
	u32	flight;
	u32	cwnd;
	u32	min_rtt_us;
	bool	has_more;
};

/*
 * A connection begins on a path that carried @saved segments per round trip of
 * @saved_rtt_us; @iw is its cwnd.
 */
void tandem_resume_start(struct tandem_resume *r, u32 saved, u32 saved_rtt_us, u32 iw);

/* An ACK without a sign of congestion; returns the cwnd to have from now on. */
u32 tandem_resume_ack(struct tandem_resume *r, const struct tandem_resume_ack *a);

/*
 * Loss, or a mark: true: the jump was to blame; *@cwnd, already reduced by congestion
 * control, is reduced further, and what was remembered is to be forgotten.
 */
bool tandem_resume_congestion(struct tandem_resume *r, u32 nxt, u32 *cwnd);

/* RETREAT ends at this ACK: the ssthresh to go on with, segments; 0: it does not. */
u32 tandem_resume_retreat_ack(struct tandem_resume *r, u32 una, u32 acked);

#endif /* _TANDEM_RESUME_H */
