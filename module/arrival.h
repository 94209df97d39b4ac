/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arrival.h - did a segment arrive in its turn, or has it overtaken others?  Pure.
 */
#ifndef _TANDEM_ARRIVAL_H
#define _TANDEM_ARRIVAL_H

#include "pure.h"

/**
 * struct tandem_arrival - of what we sent, what arrived last
 * @fack:	end of the highest segment delivered
 * @rtt_us:	round trip of the segment delivered last that had not overtaken others,
 *		microseconds; 0: none yet
 */
struct tandem_arrival {
	u32	fack;
	u32	rtt_us;
};

/**
 * struct tandem_arrived - a segment that an ACK is the first to cover, or to SACK
 * @seq:	its first sequence number
 * @end_seq:	the one behind its last
 * @una:	SND.UNA before the ACK
 * @rtt_us:	since it was sent last, microseconds
 * @min_rtt_us:	smallest RTT of the connection, ~0U: none yet
 * @retrans:	it was sent more than once
 */
struct tandem_arrived {
	u32	seq;
	u32	end_seq;
	u32	una;
	u32	rtt_us;
	u32	min_rtt_us;
	bool	retrans;
};

enum tandem_turn {
	TANDEM_TURN_NEXT,		/* right behind what arrived before it */
	TANDEM_TURN_FILLS,		/* below that */
	TANDEM_TURN_GAP,		/* beyond: what is between is late, or lost */
	TANDEM_TURN_EARLY,		/* beyond, and sooner than others: it overtook them */
};

void tandem_arrival_start(struct tandem_arrival *a, u32 una);
enum tandem_turn tandem_arrival_take(struct tandem_arrival *a,
				     const struct tandem_arrived *seg);

#endif /* _TANDEM_ARRIVAL_H */
