/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ports.h - who holds which local port: bind() conflicts, SO_REUSEADDR and
 * SO_REUSEPORT, ephemeral ports (RFC 6056).  Rules are Linux TCP's
 * (inet_csk_get_port), seen from outside.
 */
#ifndef _TANDEM_PORTS_H
#define _TANDEM_PORTS_H

#include "flow.h"

struct net;
struct sock;

struct tandem_port_slot {
	spinlock_t		lock;	/* BH; inside it nothing but flow inserts */
	struct hlist_head	head;	/* struct tandem_port */
};

int tandem_ports_init(void);			/* slab caches */
void tandem_ports_exit(void);
int tandem_ports_net_init(struct net *net);
void tandem_ports_net_exit(struct net *net);

/*
 * proto.get_port: bind @sk to @snum, or to a free one when 0.  A socket that holds
 * @snum already is only checked again, for listen().  0, -EADDRINUSE or -ENOMEM.
 */
int tandem_get_port(struct sock *sk, unsigned short snum);
/* proto.put_port: give the port back. */
void tandem_put_port(struct sock *sk);

/*
 * connect(): choose an ephemeral port if @sk has none, such that the 4-tuple is
 * unique, and insert sk->flow in the flow table (key filled in here).  Addresses of
 * the socket are already set.  0 or -EADDRNOTAVAIL, -ENOMEM.
 *
 * tp->iss becomes the initial sequence number that continues a TIME-WAIT whose
 * 4-tuple was taken over (RFC 6191), never 0; else 0: choose one by tandem_numbers().
 */
int tandem_connect_port(struct sock *sk);

/*
 * accept(): the child shares the listener's port; its claim is overwritten, not
 * released, as it is a copy after a clone.  0, -ENOENT (the listener closed), -ENOMEM.
 */
int tandem_claim_inherit(const struct sock *parent, struct sock *child);
/*
 * TIME-WAIT takes over the socket's claim, which is then none, unless the program
 * bound the port itself and still has the socket: then both hold it.
 */
void tandem_claim_move(struct net *net, struct tandem_claim *from,
		       struct tandem_claim *to);
/* Release a claim; idempotent. */
void tandem_claim_drop(struct net *net, struct tandem_claim *claim);

#endif /* _TANDEM_PORTS_H */
