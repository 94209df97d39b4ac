// SPDX-License-Identifier: GPL-2.0
/*
 * window.c - the arithmetic of windows, both directions.
 *
 * Receiver: the right edge rcv_nxt + window is a promise.  It moves right in steps
 * worth a segment (silly window avoidance, RFC 9293 section 3.8.6.2.2) and never left
 * (section 3.8.6: a window MUST NOT be shrunk by a receiver that can avoid it).  With
 * a scaled window only multiples of 1 << wscale can be said (RFC 7323 section 2.2);
 * what is still open of an old promise is then rounded up, because rounding down is
 * the "retracted window" of RFC 7323 section 2.4.  The price is less than one unit of
 * buffer promised twice.
 *
 * Sender: usable window, and which segment's window to believe.
 */
#include "seq.h"
#include "window.h"

#define WND_MAX		65535U		/* what the header's 16 bits hold */
#define WSCALE_MAX	14		/* RFC 7323 section 2.3 */

/**
 * tandem_win_scale() - the shift count to offer in our SYN
 * @max_space: bytes the receive buffer may ever grow to
 *
 * Return: the smallest shift with 65535 << shift >= @max_space, at most 14.
 */
u8 tandem_win_scale(u32 max_space)
{
	u8 shift = 0;

	while (shift < WSCALE_MAX && WND_MAX << shift < max_space)
		shift++;
	return shift;
}

/**
 * tandem_win_select() - the window to advertise
 * @cur: what is still open of the last advertised window
 * @free: bytes of buffer free for data
 * @full: bytes of buffer in all
 * @mss: estimate of the peer's segment size
 * @wscale: our shift count
 *
 * Return: bytes, a multiple of 1 << @wscale, at least @cur (while @cur is within
 * what @wscale can express, as all earlier results are).
 */
u32 tandem_win_select(u32 cur, u32 free, u32 full, u32 mss, u8 wscale)
{
	u8 shift = min_t(u8, wscale, WSCALE_MAX);
	u32 top = WND_MAX << shift, unit = 1U << shift;
	u32 keep, fresh, step;

	/* @top is a multiple of @unit: rounding up stays below it. */
	cur = min(cur, top);
	keep = (cur + unit - 1) & ~(unit - 1);
	fresh = min(free, top) & ~(unit - 1);
	/* Buffer that cannot be said is as good as none. */
	step = min(min(full, top) / 2, mss);

	/*
	 * A small buffer under a large shift: less than a unit cannot be said, and
	 * saying 0 would close the window for ever.  Promise one unit.
	 */
	if (!fresh && free && free >= step)
		fresh = unit;

	if (fresh <= keep || fresh - cur < step)
		return keep;
	return fresh;
}

/**
 * tandem_win_worth_update() - send a window update now that the program has read?
 * @cur: what the peer thinks is open
 * @fresh: what tandem_win_select() would say
 * @full: bytes of buffer in all
 * @mss: estimate of the peer's segment size
 *
 * Return: true for a step of two segments or half the buffer, or when the peer
 * could not send a full segment, or nothing at all, before and can now.
 */
bool tandem_win_worth_update(u32 cur, u32 fresh, u32 full, u32 mss)
{
	u32 step = fresh - cur;

	if (fresh <= cur)
		return false;
	return !cur || step / 2 >= mss || step >= full / 2 ||
	       (cur < mss && fresh >= mss);
}

/**
 * tandem_win_usable() - bytes the peer's window lets us send now
 * @snd_una: oldest unacknowledged
 * @snd_wnd: the peer's window from there
 * @snd_nxt: next to send
 *
 * Return: RFC 9293 section 3.8.6.2.1's U; 0 when @snd_nxt is at or beyond the edge,
 * as after a peer shrank its window (which a sender MUST bear, section 3.8.6).
 */
u32 tandem_win_usable(u32 snd_una, u32 snd_wnd, u32 snd_nxt)
{
	u32 edge = snd_una + snd_wnd;

	return seq_after(edge, snd_nxt) ? edge - snd_nxt : 0;
}

/**
 * tandem_win_may_update() - believe the window of this segment?
 * @snd_una: oldest unacknowledged, before this segment
 * @ack: SEG.ACK, already known to be acceptable
 * @ack_seq: SEG.SEQ
 * @snd_wl1: SEG.SEQ of the last segment whose window was taken
 * @new_wnd: SEG.WND, scaled up
 * @snd_wnd: the window now
 *
 * RFC 9293 section 3.10.7.4, fifth step, keeps old segments from undoing a newer
 * window by SND.WL1 and SND.WL2.  SND.WL2 is not needed: a segment that ACKs more
 * than any before is newer than them whatever its sequence number (it may carry a
 * retransmission), and of two segments with equal numbers the larger window is the
 * later one, since windows do not shrink.
 *
 * Return: true to take @new_wnd.
 */
bool tandem_win_may_update(u32 snd_una, u32 ack, u32 ack_seq, u32 snd_wl1,
			   u32 new_wnd, u32 snd_wnd)
{
	return seq_after(ack, snd_una) || seq_after(ack_seq, snd_wl1) ||
	       (ack_seq == snd_wl1 && new_wnd > snd_wnd);
}

/**
 * tandem_win_acceptable() - the first check of RFC 9293 section 3.10.7.4
 * @seq: SEG.SEQ
 * @end_seq: @seq + SEG.LEN, SYN and FIN counted
 * @rcv_wup: the left edge the peer knows, at or before @rcv_nxt
 * @rcv_nxt: next expected
 * @rcv_wnd: what is open from @rcv_nxt on
 *
 * Two allowances on the RFC's table.  The left edge is @rcv_wup: while our ACK is
 * delayed, an ACK or RST overtaken by data still carries the older number.  And a
 * segment without data may stand at the right edge itself: that is where SND.NXT of
 * a peer that filled our window is, and its ACKs are valid.
 *
 * Return: true when acceptable.
 */
bool tandem_win_acceptable(u32 seq, u32 end_seq, u32 rcv_wup, u32 rcv_nxt,
			   u32 rcv_wnd)
{
	u32 right = rcv_nxt + rcv_wnd;

	if (seq == end_seq)
		return seq_between(seq, rcv_wup, right);
	if (!rcv_wnd)
		return false;
	return seq_before(seq, right) && seq_after(end_seq, rcv_wup);
}
