// SPDX-License-Identifier: GPL-2.0
/*
 * rare.c - what few connections come to need, in memory of its own.
 *
 * Each of it makes a connection better and is needed by none: a search for the path MTU
 * (RFC 4821), a window remembered from another connection (Careful Resume), the headers
 * of the SYN for who wants to see them, a cookie for a peer's next fast open.  And what
 * finds losses sooner and makes them cheaper to repair, and what the path is told when the
 * connection ends: rare.h says how it goes without.  So there is no error to tell when there
 * is no memory.
 */
#include <linux/slab.h>
#include "rare.h"
#include "savesyn.h"
#include "sock.h"

static void *state_alloc(const struct tandem_sock *tp, size_t size)
{
	void *state = kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);

	if (!state)
		SNMP_INC_STATS(tp->tn->mib, TANDEM_MIB_STATENOMEM);
	return state;
}

struct tandem_rare *tandem_rare(struct tandem_sock *tp)
{
	if (!tp->rare)
		tp->rare = state_alloc(tp, sizeof(*tp->rare));
	return tp->rare;
}

struct tandem_trouble *tandem_trouble(struct tandem_sock *tp)
{
	if (!tp->trouble)
		tp->trouble = state_alloc(tp, sizeof(*tp->trouble));
	return tp->trouble;
}

struct tandem_rounds *tandem_rounds(struct tandem_sock *tp)
{
	if (!tp->rounds)
		tp->rounds = state_alloc(tp, sizeof(*tp->rounds));
	return tp->rounds;
}

void tandem_rare_free(struct tandem_sock *tp)
{
	if (tp->rare)
		tandem_saved_syn_free(tp);
	kfree(tp->rare);
	tp->rare = NULL;
	kfree(tp->rounds);
	tp->rounds = NULL;
	kfree(tp->trouble);
	tp->trouble = NULL;
	/* What these say is there. */
	tp->n_sacks = 0;
	tp->dsack = false;
	tp->loss_begun = false;
}
