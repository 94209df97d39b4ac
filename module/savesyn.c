// SPDX-License-Identifier: GPL-2.0
/*
 * savesyn.c - the headers of a SYN, network and transport, or from the link layer on
 * (TCP_SAVE_SYN 1 and 2).
 *
 * They belong to the request, then to its child, and are gone when TCP_SAVED_SYN has
 * told them once.  A connection made by a SYN cookie has none: nothing was kept.
 * Bounded: a listener has as many as it has requests, each at most the headers' size.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "handshake.h"
#include "rare.h"
#include "savesyn.h"
#include "seg.h"
#include "sock.h"

void tandem_syn_save(const struct sock *lsk, struct tandem_request *req,
		     const struct sk_buff *skb)
{
	u8 mode = READ_ONCE(tandem_sk(lsk)->save_syn);
	struct tandem_saved_syn *saved;
	const u8 *from;
	u32 len;

	if (!mode)
		return;
	from = skb_network_header(skb);
	if (mode == 2 && skb_mac_header_was_set(skb))
		from = skb_mac_header(skb);
	len = skb_transport_header(skb) + tandem_hdr_len(tandem_hdr(skb)) - from;
	saved = kmalloc(struct_size(saved, data, len), GFP_ATOMIC | __GFP_NOWARN);
	if (!saved)
		return;
	saved->len = len;
	memcpy(saved->data, from, len);
	req->saved_syn = saved;
}

void tandem_saved_syn_take(struct tandem_sock *tp, struct tandem_request *req)
{
	struct tandem_rare *rare = tandem_rare(tp);

	if (!rare)
		return;
	rare->saved_syn = req->saved_syn;
	req->saved_syn = NULL;
}

void tandem_saved_syn_free(struct tandem_sock *tp)
{
	kfree(tp->rare->saved_syn);
	tp->rare->saved_syn = NULL;
}
