// SPDX-License-Identifier: GPL-2.0
/*
 * rare.c - what few connections come to need, in memory of its own.
 *
 * Each of it makes a connection better and is needed by none: a search for the path MTU
 * (RFC 4821), a window remembered from another connection (Careful Resume), the headers
 * of the SYN for who wants to see them, a cookie for a peer's next fast open.  So there
 * is no error to tell when there is no memory: the connection goes without.
 */
#include <linux/slab.h>
#include "rare.h"
#include "savesyn.h"
#include "sock.h"

struct tandem_rare *tandem_rare(struct tandem_sock *tp)
{
	if (!tp->rare)
		tp->rare = kzalloc(sizeof(*tp->rare), GFP_ATOMIC | __GFP_NOWARN);
	return tp->rare;
}

void tandem_rare_free(struct tandem_sock *tp)
{
	if (!tp->rare)
		return;
	tandem_saved_syn_free(tp);
	kfree(tp->rare);
	tp->rare = NULL;
}
