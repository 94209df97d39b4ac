/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fastopen.h - data in the SYN, RFC 7413: fastopen.c (both ends' segments and the
 * server's side), fastopen_client.c (who may, and what came of it), fastopen_key.c.
 */
#ifndef _TANDEM_FASTOPEN_H
#define _TANDEM_FASTOPEN_H

#include <linux/sockptr.h>
#include "options.h"
#include "reason.h"
#include "sock.h"

struct dst_entry;
struct msghdr;
struct tandem_request;

/* net.tandem.fastopen, with the bits of net.ipv4.tcp_fastopen */
#define TANDEM_FO_CLIENT		0x001	/* connect: MSG_FASTOPEN and friends */
#define TANDEM_FO_SERVER		0x002	/* listeners that ask for it */
#define TANDEM_FO_CLIENT_NO_COOKIE	0x004	/* data in the SYN without a cookie */
#define TANDEM_FO_SERVER_NO_COOKIE	0x200	/* and taken without one */
#define TANDEM_FO_SERVER_ALL		0x400	/* listeners that did not ask, too */
#define TANDEM_FO_ALL_BITS		0x607

#define TANDEM_FO_KEY_LEN	16

/* tcpi_fastopen_client_fail, as Linux numbers it */
enum tandem_fo_fail {
	TANDEM_FO_UNSPEC,
	TANDEM_FO_COOKIE_UNAVAILABLE,
	TANDEM_FO_DATA_NOT_ACKED,
	TANDEM_FO_SYN_RETRANSMITTED,
};

/* ---- keys ---- */

int tandem_fastopen_net_init(struct net *net);
void tandem_fastopen_net_exit(struct net *net);
/*
 * One key or two (primary, backup) of 16 bytes for @listen; NULL: for @net.  Return 0,
 * -ENOMEM.
 */
int tandem_fastopen_set_keys(struct net *net, struct tandem_listen *listen, const u8 *keys,
			     int n);
/* Copy out the keys in force, primary first; returns how many. */
int tandem_fastopen_get_keys(struct net *net, const struct sock *sk, u8 *keys);
/* A grace period after nobody can find its socket any more. */
void tandem_fastopen_free_keys(struct tandem_listen *listen);
/* The cookie for the peer that sent @skb to @lsk. False: no key. */
bool tandem_fastopen_cookie(const struct sock *lsk, const struct sk_buff *skb,
			    struct tandem_fo_cookie *cookie);
/* Is @cookie ours?  0: no; 1: by the primary key; 2: by the backup. */
int tandem_fastopen_check(const struct sock *lsk, const struct sk_buff *skb,
			  const struct tandem_fo_cookie *cookie);

/* ---- server ---- */

/*
 * A SYN with options @o at a listener: true: its data may be taken now, before the
 * handshake.  Either way @req has the cookie that the SYN-ACK shall bring, if any.
 */
bool tandem_fastopen_admit(struct tandem_request *req, struct sk_buff *skb,
			   const struct tandem_opts *o);
/* The listener counted this SYN for nothing: no child came of it. */
void tandem_fastopen_unadmit(struct sock *lsk);
/* @child was made at the SYN @skb: take its data, and owe the SYN-ACK @synack. Locked. */
void tandem_fastopen_child(struct sock *lsk, struct sock *child, struct sk_buff *skb,
			   struct sk_buff *synack);
/* The handshake is complete, or will never be. */
void tandem_fastopen_done(struct sock *sk, enum tandem_reason why);
/* The peer's SYN came again: so does the SYN-ACK. */
void tandem_fastopen_syn_again(struct sock *sk);
/* A SYN-ACK is still held back: it goes now, with what is there to go with it. */
void tandem_fastopen_release(struct sock *sk);

/* ---- the segments ---- */

/*
 * The head of the write queue is a SYN or SYN-ACK that never left: send it, with the
 * segment behind it when that fits. False: it stays, for good or bad reason.
 */
bool tandem_send_syn_head(struct sock *sk, u8 nonagle, gfp_t gfp);
/* The peer took our SYN and not what came with it: that becomes ordinary data again. */
void tandem_fastopen_take_back(struct sock *sk);

/* ---- client ---- */

/* connect() with TCP_FASTOPEN_CONNECT and a cookie: the SYN waits for the first write. */
bool tandem_fastopen_defer(struct sock *sk);
/* Before the SYN: what option and data it has. The data is queued behind the SYN. */
void tandem_fastopen_syn(struct sock *sk);
/* The SYN-ACK came. True: some data of the SYN is to be sent again. */
bool tandem_fastopen_synack(struct sock *sk, const struct tandem_opts *o);
/* A retransmission timeout, the head of rtx_queue is about to go again. */
void tandem_fastopen_timeout(struct sock *sk);
/* A connection that began so went well. */
void tandem_fastopen_went_well(struct sock *sk);
/* sendmsg() on a socket that is to connect with it; *copied bytes left with the SYN. */
int tandem_fastopen_sendmsg(struct sock *sk, struct msghdr *msg, size_t size, int *copied);
int tandem_fastopen_set_connect(struct sock *sk, int val);

/* Does a write on @sk open the connection? */
static inline bool tandem_fastopen_opens(const struct sock *sk, int flags)
{
	return flags & MSG_FASTOPEN ||
	       tandem_inet_flag(sk, DEFER_CONNECT, defer_connect);
}

#endif /* _TANDEM_FASTOPEN_H */
