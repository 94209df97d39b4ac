/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rare.h - what few connections come to need, and none must have (rare.c): struct
 * tandem_rare, struct tandem_trouble for when something is lost or out of order, and
 * struct tandem_rounds of those that use up their window.
 */
#ifndef _TANDEM_RARE_H
#define _TANDEM_RARE_H

#include <linux/types.h>
#include <tandem/loss.h>
#include "options.h"
#include "resume.h"
#include "rtt.h"
#include "undo.h"

struct tandem_saved_syn;
struct tandem_sock;

/**
 * struct tandem_mtup - path MTU probing, RFC 4821: mtuprobe.c; packet sizes, bytes
 * @enabled:	the search is on: the others mean something
 * @search_low:	fits, as far as anybody knows
 * @search_high: more does not, or is not wanted
 * @probe_size:	of the probe under way; 0: none
 * @probe_start: its sequence numbers
 * @probe_end:	and where they end
 * @begun_us:	when the search began
 */
struct tandem_mtup {
	u64	begun_us;
	u32	search_low;
	u32	search_high;
	u32	probe_size;
	u32	probe_start;
	u32	probe_end;
	bool	enabled;
};

/**
 * struct tandem_rare - allocated when the first of these is needed; zero then
 * @mtup:	probing of the path MTU
 * @resume:	Careful Resume; NORMAL: none
 * @saved_syn:	TCP_SAVE_SYN: until TCP_SAVED_SYN fetches it
 * @fo_cookie:	a child's made at the SYN: for its SYN-ACK; length 0: none
 */
struct tandem_rare {
	struct tandem_mtup	mtup;
	struct tandem_resume	resume;
	struct tandem_saved_syn	*saved_syn;
	struct tandem_fo_cookie	fo_cookie;
};

/**
 * struct tandem_trouble - allocated when something is lost, or comes out of order
 * @sack_seen:	the last ACK's blocks, so that only what is new is walked
 * @sacks:	blocks for our next ACK, tandem_sock.n_sacks of them: RFC 2018
 * @dsack_block: goes first while tandem_sock.dsack: RFC 2883
 * @loss:	the connection as its loss detector sees it, while tandem_sock.loss_begun
 * @undo:	of the last reduction; not active: it stands
 * @frto:	after a timeout
 * @rebase:	and if it was spurious: rtt.c
 * @rto_stamp_us: when the present run of timeouts began; 0: not noted
 * @bytes_retrans: sent again
 * @total_rto_ms: how long runs of timeouts that ended took
 * @dsack_dups:	D-SACKs that came
 * @total_rto:	timeouts
 * @total_rto_recoveries: runs of them that ended
 * @timeout_rehash: timeouts that chose another flow hash
 *
 * Without it, for there was no memory: we tell no SACK blocks, which are advice (RFC 2018
 * section 8); each of the peer's is looked at as if it were new; what is lost is found by
 * the retransmission timer; a reduction is never undone; and TCP_INFO's statistics miss
 * what happened.
 */
struct tandem_trouble {
	struct tandem_sack_block sack_seen[TANDEM_OPT_MAX_SACK];
	struct tandem_sack_block sacks[TANDEM_OPT_MAX_SACK];
	struct tandem_sack_block dsack_block;
	struct tandem_loss	loss;
	struct tandem_undo	undo;
	struct tandem_frto	frto;
	struct tandem_rebase	rebase;
	u64			rto_stamp_us;
	u64			bytes_retrans;
	u32			total_rto_ms;
	u32			dsack_dups;
	u16			total_rto;
	u16			total_rto_recoveries;
	u16			timeout_rehash;
};

/**
 * struct tandem_rounds - what was acknowledged in a round trip, for path.c; allocated when
 *	congestion control begins: what a quiet connection carries says nothing of the path
 * @start_us:	of this round trip; 0: none yet
 * @bytes:	tandem_sock.bytes_acked then: less than 2 GB come in one
 * @end_seq:	it ends when this is acknowledged
 * @n:		rounds
 * @segs:	of rounds in which some could overtake others
 * @bw:		highest rate of these eight, and of the last
 */
struct tandem_rounds {
	u64	start_us;
	u32	bytes;
	u32	end_seq;
	u32	n;
	u32	segs;
	u64	bw[2];
};

/*
 * The one there is, or a new one; NULL: no memory, and the connection goes without what
 * it was wanted for.  The socket is locked, or nobody else's yet; does not sleep.
 */
struct tandem_rare *tandem_rare(struct tandem_sock *tp);
struct tandem_trouble *tandem_trouble(struct tandem_sock *tp);
struct tandem_rounds *tandem_rounds(struct tandem_sock *tp);
/* All three, and all that hangs on them. */
void tandem_rare_free(struct tandem_sock *tp);

#endif /* _TANDEM_RARE_H */
