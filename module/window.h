/* SPDX-License-Identifier: GPL-2.0 */
/*
 * window.h - the arithmetic of windows: what to advertise, when a change is worth
 * telling, what may be sent.  Pure.
 */
#ifndef _TANDEM_WINDOW_H
#define _TANDEM_WINDOW_H

#include "pure.h"

/*
 * Shift count for a receive buffer that may grow to @max_space bytes: the smallest
 * that lets 16 bits express it, at most 14 (RFC 7323 section 2.3).
 */
u8 tandem_win_scale(u32 max_space);

/*
 * The window to advertise, bytes (RFC 9293 section 3.8.6.2.2).
 * @cur:	what is still open of the window advertised last:
 *		max(0, rcv_wup + rcv_wnd - rcv_nxt)
 * @free:	bytes of buffer free for data
 * @full:	bytes of buffer in all
 * @mss:	estimate of the peer's segment size
 * @wscale:	our shift count, 0 when not negotiated
 * The result is a multiple of 1 << wscale, never more than 65535 << wscale, never
 * less than @cur (the right edge never shrinks, RFC 9293 section 3.8.6), and the
 * edge moves only by at least min(full / 2, mss), the receiver's part of silly
 * window avoidance (or less, when only by rounding @cur up; buffer beyond
 * 65535 << wscale does not count as @full).
 */
u32 tandem_win_select(u32 cur, u32 free, u32 full, u32 mss, u8 wscale);

/*
 * Is the step from @cur to @fresh worth a segment of its own once the program has
 * read?  Two full segments, or half the buffer, or from below one segment to at
 * least one, or from zero to anything tandem_win_select() grants.
 */
bool tandem_win_worth_update(u32 cur, u32 fresh, u32 full, u32 mss);

/* Bytes usable now: snd_una + snd_wnd - snd_nxt, 0 when the edge moved back. */
u32 tandem_win_usable(u32 snd_una, u32 snd_wnd, u32 snd_nxt);

/*
 * Take the window of an ACK?  RFC 9293 section 3.10.7.4, SND.WL1/WL2 test, with
 * Linux's addition that a larger window at equal numbers is taken.
 */
bool tandem_win_may_update(u32 snd_una, u32 ack, u32 ack_seq, u32 snd_wl1,
			   u32 new_wnd, u32 snd_wnd);

/*
 * Is [seq, end_seq) acceptable, RFC 9293 section 3.10.7.4 first check, the four
 * cases of the table?  @rcv_wnd is what is open from @rcv_nxt on.
 */
bool tandem_win_acceptable(u32 seq, u32 end_seq, u32 rcv_wup, u32 rcv_nxt,
			   u32 rcv_wnd);

#endif /* _TANDEM_WINDOW_H */
