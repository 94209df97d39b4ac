/* SPDX-License-Identifier: GPL-2.0 */
/*
 * encap.h - the udp wire: our segment as the payload of a UDP datagram.
 */
#ifndef _TANDEM_ENCAP_H
#define _TANDEM_ENCAP_H

#include <linux/types.h>

struct in6_addr;
struct net;
struct sk_buff;

/*
 * net.tandem.udp_port: open the tunnel sockets of @net on @port instead of where they
 * are, or close them (0).  Sleeps.  0, -EADDRINUSE, ...: then nothing has changed.
 */
int tandem_encap_set_port(struct net *net, u16 port);
void tandem_encap_net_exit(struct net *net);

/*
 * Put a UDP header, checksum and all, in front of a segment for the peer's @dport.
 * False: the tunnel is closed.
 */
bool tandem_encap_push4(struct net *net, struct sk_buff *skb, __be32 saddr, __be32 daddr,
			__be16 dport);
bool tandem_encap_push6(struct net *net, struct sk_buff *skb, const struct in6_addr *saddr,
			const struct in6_addr *daddr, __be16 dport);

#endif /* _TANDEM_ENCAP_H */
