/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tsq.h - how much of one connection waits in the host's own queues.
 */
#ifndef _TANDEM_TSQ_H
#define _TANDEM_TSQ_H

#include <linux/bitops.h>
#include "sock.h"

struct sk_buff;

void tandem_tsq_init(void);
/* There is no socket left. */
void tandem_tsq_exit(void);

/*
 * Enough is down there: @skb must wait.  True: sending goes on when some of it has left.
 * Locked socket.
 */
bool tandem_tsq_blocks(struct sock *sk, const struct sk_buff *skb);

/* Some of what was sent has left, and its charge but for one unit is given back. */
void tandem_tsq_freed(struct sock *sk);
static inline bool tandem_tsq_waits(const struct tandem_sock *tp)
{
	return test_bit(TANDEM_TSQ_THROTTLED, &tp->deferred);
}

/* Destructor of what we send; the segments that tandem_gso_segment() makes share it. */
void tandem_wfree(struct sk_buff *skb);

#endif /* _TANDEM_TSQ_H */
