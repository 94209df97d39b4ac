/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flow.h - the part that sockets, half-open requests and TIME-WAIT minisocks have
 * in common: what demux.c finds by the 4-tuple of an arriving segment.
 */
#ifndef _TANDEM_FLOW_H
#define _TANDEM_FLOW_H

#include <linux/in6.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>

enum tandem_flow_kind {
	TANDEM_FLOW_SOCK,
	TANDEM_FLOW_REQUEST,
	TANDEM_FLOW_TIMEWAIT,
};

/* IPv4 addresses are kept v4-mapped (::ffff:a.b.c.d), so there is one table. */
struct tandem_flow_key {
	struct in6_addr	laddr;		/* ours */
	struct in6_addr	raddr;		/* the peer's */
	__be16		lport;
	__be16		rport;
	u8		wire;		/* TANDEM_WIRE_*: each has ports of its own */
	u8		zero[3];	/* compared with the rest */
};

/**
 * struct tandem_flow - one entry of the flow table
 * @node:	the table's own
 * @key:	the 4-tuple, constant while hashed
 * @hash:	of @key, while hashed
 * @bound_dev_if: device the owner is bound to; 0: any
 * @kind:	what it is embedded in
 * @hashed:	in the table now; written under the owner's lock
 * @v4:		both addresses are v4-mapped; since it was hashed
 */
struct tandem_flow {
	struct rhash_head	node;
	struct tandem_flow_key	key;
	u32			hash;
	int			bound_dev_if;
	u8			kind;
	bool			hashed;
	bool			v4;
};

struct tandem_hold;
struct tandem_port;

/* A claim on a local port: embedded in sockets and TIME-WAIT minisocks. */
struct tandem_claim {
	struct hlist_node	node;	/* in tandem_port.owners */
	struct tandem_port	*port;	/* NULL: none held */
	struct tandem_hold	*hold;	/* tcp wire: the port in the kernel's TCP */
	bool			hold_maker; /* of the program's own socket */
	bool			is_tw;	/* else embedded in struct tandem_sock */
};

#endif /* _TANDEM_FLOW_H */
