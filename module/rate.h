/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rate.h - how fast data is delivered (draft-ietf-ccwg-bbr, section 4.1).  Pure.
 */
#ifndef _TANDEM_RATE_H
#define _TANDEM_RATE_H

#include "pure.h"
#include <tandem/cong.h>

/**
 * struct tandem_rate_seg - the connection as it was when a segment was sent
 * @delivered:	tandem_cc.delivered
 * @delivered_us: when the last of these was delivered
 * @first_us:	when the first segment of that flight was sent
 * @lost:	tandem_cc.lost
 * @delivered_ce: tandem_cc.delivered_ce
 * @in_flight:	segments in flight, this one included
 * @app_limited: the program had nothing more to send
 *
 * Times are the low 32 bits of tandem_now_us(): only differences count.
 */
struct tandem_rate_seg {
	u32	delivered;
	u32	delivered_us;
	u32	first_us;
	u32	lost;
	u32	delivered_ce;
	u32	in_flight:31,
		app_limited:1;
};

/**
 * struct tandem_rate - per connection, beside what struct tandem_cc counts
 * @delivered_us: when data was last delivered
 * @first_us:	when the newest segment delivered so far was sent
 * @app_limited: 0, or samples are limited by the program until tandem_cc.delivered is
 *		beyond this
 */
struct tandem_rate {
	u32	delivered_us;
	u32	first_us;
	u32	app_limited;
};

/**
 * struct tandem_rate_pick - of the segments that one ACK covers, the newest sent that has
 *	not overtaken others
 * @any:	the ACK covers segments
 * @have:	and there is such a one
 * @retransmitted: it had been sent before
 * @end_seq:	its end, to tell segments apart that were sent at the same time
 * @sent_us:	when it was sent
 * @seg:	what was noted then
 */
struct tandem_rate_pick {
	bool	any;
	bool	have;
	bool	retransmitted;
	u32	end_seq;
	u64	sent_us;
	struct tandem_rate_seg seg;
};

void tandem_rate_sent(struct tandem_rate *rate, const struct tandem_cc *cc,
		      struct tandem_rate_seg *seg, u64 now_us, u32 in_flight, u32 segs);
void tandem_rate_pick(struct tandem_rate *rate, struct tandem_rate_pick *pick,
		      const struct tandem_rate_seg *seg, u64 sent_us, u32 end_seq,
		      bool retransmitted, bool early);
void tandem_rate_sample(struct tandem_rate *rate, struct tandem_cc *cc,
			const struct tandem_rate_pick *pick, u64 now_us,
			struct tandem_rate_sample *rs);
void tandem_rate_app_limited(struct tandem_rate *rate, struct tandem_cc *cc,
			     u32 in_flight);

#endif /* _TANDEM_RATE_H */
