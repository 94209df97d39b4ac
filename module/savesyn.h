/* SPDX-License-Identifier: GPL-2.0 */
/*
 * savesyn.h - TCP_SAVE_SYN and TCP_SAVED_SYN: the headers of the SYN that made a
 * connection, kept for the program that accepts it.
 */
#ifndef _TANDEM_SAVESYN_H
#define _TANDEM_SAVESYN_H

#include <linux/types.h>

struct sk_buff;
struct sock;
struct tandem_request;
struct tandem_sock;

struct tandem_saved_syn {
	u32	len;
	u8	data[] __counted_by(len);
};

/* If @lsk asks for it, keep the headers of @skb with the request they make. */
void tandem_syn_save(const struct sock *lsk, struct tandem_request *req,
		     const struct sk_buff *skb);
/* The child of @req has them from now on. */
void tandem_saved_syn_take(struct tandem_sock *tp, struct tandem_request *req);
/* Of one that has tandem_sock.rare. */
void tandem_saved_syn_free(struct tandem_sock *tp);

#endif /* _TANDEM_SAVESYN_H */
