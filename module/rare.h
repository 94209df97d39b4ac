/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rare.h - what few connections come to need, and none must have (rare.c).
 */
#ifndef _TANDEM_RARE_H
#define _TANDEM_RARE_H

#include <linux/types.h>
#include "options.h"
#include "resume.h"

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

/*
 * The one there is, or a new one; NULL: no memory, and the connection goes without what
 * it was wanted for.  The socket is locked, or nobody else's yet; does not sleep.
 */
struct tandem_rare *tandem_rare(struct tandem_sock *tp);
/* And all that hangs on it. */
void tandem_rare_free(struct tandem_sock *tp);

#endif /* _TANDEM_RARE_H */
