/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rack.h - the state of RACK (RFC 8985), pure; outside of rack.c for its tests only.
 */
#ifndef _TANDEM_RACK_H
#define _TANDEM_RACK_H

#include <tandem/loss.h>
#include "pure.h"

/**
 * struct tandem_rack - RFC 8985 section 5.2's per-connection variables
 * @xmit_us:	RACK.xmit_ts: when the segment was sent that, of all delivered ones, was
 *		sent last; 0: none was yet
 * @end_seq:	RACK.end_seq: its end, which orders segments sent in one microsecond
 * @told_us:	when the ACK came that told @rtt_us, the low 32 bits: all that is asked is
 *		whether it was the one at hand, and another of a microsecond like it, hours
 *		ago, would only have its smaller RTT count
 * @rtt_us:	RACK.rtt: of the newest segment which the last ACK told of, unless it was early
 * @reo_wnd_us:	RACK.reo_wnd, of the last prepare()
 * @fack:	RACK.fack: end of the highest segment delivered, before this ACK
 * @fack_next:	and after it
 * @dsack_round: RACK.dsack_round: a round trip of D-SACKs ends when this is ACKed
 * @in_dsack_round: RACK.dsack_round is not None
 * @have_fack:	something was delivered by earlier ACKs: @fack means something
 * @have_next:	something was delivered: @fack_next does
 * @mult:	RACK.reo_wnd_mult: the window in quarters of the minimal RTT
 * @persist:	RACK.reo_wnd_persist: recoveries until @mult is 1 again
 */
struct tandem_rack {
	u64	xmit_us;
	u32	told_us;
	u32	end_seq;
	u32	rtt_us;
	u32	reo_wnd_us;
	u32	fack;
	u32	fack_next;
	u32	dsack_round;
	u8	mult;
	u8	persist;
	bool	in_dsack_round : 1;
	bool	have_fack : 1;
	bool	have_next : 1;
};

#endif /* _TANDEM_RACK_H */
