/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tcpwire.h - the tcp wire: the other end is plain TCP.
 */
#ifndef _TANDEM_TCPWIRE_H
#define _TANDEM_TCPWIRE_H

#include <linux/types.h>

struct net;
struct sk_buff;

/* From now on @net's segments of protocol 6 are looked at; idempotent. Sleeps. */
int tandem_tcpwire_open(struct net *net);

/*
 * A segment that we take does not reach conntrack's last hook, which makes a new entry
 * valid: ask for that.  False: conntrack wants it dropped.
 */
bool tandem_tcpwire_confirm(struct sk_buff *skb);

void tandem_tcpwire_net_exit(struct net *net);

#endif /* _TANDEM_TCPWIRE_H */
