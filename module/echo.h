/* SPDX-License-Identifier: GPL-2.0 */
/*
 * echo.h - IPv4 options: of a received packet turned round, of one that leaves filled in.
 */
#ifndef _TANDEM_ECHO_H
#define _TANDEM_ECHO_H

#include <net/inet_sock.h>

struct sk_buff;

/*
 * Those of @skb, an IPv4 packet that the IP layer let in, for answers to its sender; NULL:
 * there are none, or no memory.  To be freed by kfree() or kfree_rcu().
 */
struct ip_options_rcu *tandem_echo_options(struct net *net, const struct sk_buff *skb);

/*
 * Into the header of @skb, behind its fixed part, for which there is room: @opt, with what
 * this host has to fill in; @daddr: the end of a source route.
 */
void tandem_put_options(struct sk_buff *skb, const struct ip_options *opt, __be32 daddr);

/* Where a packet to @daddr with these options, if any, goes first. */
static inline __be32 tandem_first_hop(const struct ip_options_rcu *opt, __be32 daddr)
{
	return opt && opt->opt.srr ? opt->opt.faddr : daddr;
}

#endif /* _TANDEM_ECHO_H */
