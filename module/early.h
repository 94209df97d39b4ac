/* SPDX-License-Identifier: GPL-2.0 */
/*
 * early.h - whose segment is it, before it is routed.
 */
#ifndef _TANDEM_EARLY_H
#define _TANDEM_EARLY_H

#include <linux/types.h>

struct net;
struct sk_buff;
struct sock;

/*
 * From now on @net's segments are looked up before they are routed; idempotent. Sleeps.
 * Where it fails, routing them is merely dearer.
 */
void tandem_early_open(struct net *net);
void tandem_early_net_exit(struct net *net);

/*
 * The socket that was found then, with its reference; NULL: nobody looked, or found one.
 * Only for segments of the native wire: for others, the kernel's TCP and UDP look.
 */
struct sock *tandem_early_take(struct sk_buff *skb);

/* Keep the route @skb came by for those that follow.  Locked socket with a peer. */
void tandem_early_learn(struct sock *sk, const struct sk_buff *skb);
/* The socket loses its peer. */
void tandem_early_forget(struct sock *sk);

#endif /* _TANDEM_EARLY_H */
