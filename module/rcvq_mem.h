/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rcvq_mem.h - the memory side of the receive queues, for rcvq.c, and of the backlog.
 */
#ifndef _TANDEM_RCVQ_MEM_H
#define _TANDEM_RCVQ_MEM_H

#include "reason.h"

struct sock;
struct sk_buff;

/* Charge room for @skb, pruning if need be. False: there is none. */
bool tandem_rmem_schedule(struct sock *sk, struct sk_buff *skb);
/* Merge @skb behind @to when they are neighbours. True: @skb is gone. */
bool tandem_try_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *skb);
/*
 * The socket has its owner, and @skb would wait in the backlog: make it part of the one
 * that came before, so that both are handled, and acknowledged, as one.  True: @skb is gone.
 * Under bh_lock_sock().
 */
bool tandem_backlog_join(struct sock *sk, struct sk_buff *skb);
/* Free a segment taken out of the out-of-order tree. */
void tandem_drop_ofo(struct sock *sk, struct sk_buff *skb, enum tandem_reason why);

#endif /* _TANDEM_RCVQ_MEM_H */
