/* SPDX-License-Identifier: GPL-2.0 */
/*
 * undo.h - was it loss at all?  D-SACK, Eifel and F-RTO, pure.
 */
#ifndef _TANDEM_UNDO_H
#define _TANDEM_UNDO_H

#include "pure.h"

/**
 * struct tandem_undo - what it takes to find out that a reduction was a mistake
 * @active:	there is one that can be undone
 * @una:	snd_una when it began; D-SACKs below tell of older retransmissions
 * @retrans:	segments sent again since, less those the peer reported as duplicates
 * @any:	something was sent again
 * @older:	and something before it, which was still under way when it began
 * @fast:	it was fast recovery, not a timeout: a mistake then means reordering
 * @stamp_us:	when the first of all these was
 * @copies_us:	when the first was sent of the copies that are in flight now
 * @cwnd:	the window before it
 * @ssthresh:	and the threshold
 */
struct tandem_undo {
	bool	active;
	bool	any;
	bool	older;
	bool	fast;
	u32	una;
	u32	retrans;
	u64	stamp_us;
	u64	copies_us;
	u32	cwnd;
	u32	ssthresh;
};

/* struct tandem_frto.step */
enum tandem_frto_step {
	TANDEM_FRTO_OFF,
	TANDEM_FRTO_SENT,		/* the oldest was sent again: step 1 */
	TANDEM_FRTO_NEW,		/* and something new since: step 2b */
};

/**
 * struct tandem_frto - F-RTO, RFC 5682, after one timeout
 * @step:	enum tandem_frto_step
 * @high_seq:	snd_nxt when the timeout was
 */
struct tandem_frto {
	u8	step;
	u32	high_seq;
};

/**
 * struct tandem_frto_ack - an ACK as F-RTO sees it
 * @una:	snd_una after it
 * @advanced:	it moved snd_una
 * @original:	it covers or SACKs, for the first time, data sent before the timeout and
 *		never again
 * @dup:	it is a duplicate ACK, or SACKs something new
 * @can_send:	new data waits, and the peer's window has room for it
 */
struct tandem_frto_ack {
	u32	una;
	bool	advanced;
	bool	original;
	bool	dup;
	bool	can_send;
};

enum tandem_frto_verdict {
	TANDEM_FRTO_UNKNOWN,		/* wait for the next ACK, send nothing again */
	TANDEM_FRTO_SEND_NEW,		/* send up to two new segments, then wait */
	TANDEM_FRTO_SPURIOUS,		/* the timeout was: the originals arrive */
	TANDEM_FRTO_REAL,		/* it was not, or we cannot tell: recover */
};

void tandem_undo_start(struct tandem_undo *u, u32 una, u32 retrans_out, u32 cwnd,
		       u32 ssthresh);
void tandem_undo_resent(struct tandem_undo *u, u32 segs, u64 now_us, bool alone);
void tandem_undo_dsack(struct tandem_undo *u, u32 start, u32 end, u32 segs);
bool tandem_undo_by_dsack(const struct tandem_undo *u);
bool tandem_undo_by_echo(const struct tandem_undo *u, u64 echo_us);

void tandem_frto_start(struct tandem_frto *f, u32 high_seq);
enum tandem_frto_verdict tandem_frto_ack(struct tandem_frto *f,
					 const struct tandem_frto_ack *ack);

#endif /* _TANDEM_UNDO_H */
