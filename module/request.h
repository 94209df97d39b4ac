/* SPDX-License-Identifier: GPL-2.0 */
/*
 * request.h - half-open connections, for handshake.c.
 */
#ifndef _TANDEM_REQUEST_H
#define _TANDEM_REQUEST_H

#include <linux/types.h>

struct dst_entry;
struct sk_buff;
struct sock;
struct tandem_af_ops;
struct tandem_cookie;
struct tandem_opts;
struct tandem_request;

/*
 * A request for the peer of @skb, a SYN or an ACK with a cookie, with options @o;
 * irs, iss, peer_wnd and advmss are the caller's to fill.  In no table, one reference.
 */
struct tandem_request *tandem_request_alloc(struct sock *lsk, struct sk_buff *skb,
					    const struct tandem_opts *o);
/* What LSM says of it. 0 or -errno. */
int tandem_request_allowed(const struct tandem_request *req, struct sk_buff *skb);
/* Into the flow table and the listener's list, timer armed. False: not possible. */
bool tandem_request_publish(struct tandem_request *req);
/* Out again; its lock is held, it is published and not dead. */
void tandem_request_kill(struct tandem_request *req);

const struct tandem_af_ops *tandem_request_af(const struct tandem_request *req);
/* Until the next SYN-ACK, jiffies. */
unsigned long tandem_request_timeout(const struct tandem_request *req);

/* @cookie: NULL, or what rides on the timestamp. rcu_read_lock held. */
void tandem_send_synack(struct tandem_request *req, struct dst_entry *dst,
			const struct tandem_cookie *cookie);
/* The same again: note it under its lock, then send without. */
void tandem_request_resent(struct tandem_request *req);
void tandem_resend_synack(struct tandem_request *req);

#endif /* _TANDEM_REQUEST_H */
