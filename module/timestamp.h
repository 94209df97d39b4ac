/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timestamp.h - SO_TIMESTAMP, SO_TIMESTAMPNS and SO_TIMESTAMPING on a byte stream.
 */
#ifndef _TANDEM_TIMESTAMP_H
#define _TANDEM_TIMESTAMP_H

#include <linux/ktime.h>
#include <linux/types.h>

struct msghdr;
struct sk_buff;
struct sock;

/* When the last byte that a read() returned arrived; 0: not known. */
struct tandem_rx_stamp {
	ktime_t	software;
	ktime_t	hardware;
};

void tandem_rx_stamp_note(struct tandem_rx_stamp *stamp, const struct sk_buff *skb);
/* The cmsgs that @sk asked for. */
void tandem_rx_stamp_put(const struct sock *sk, struct msghdr *msg,
			 const struct tandem_rx_stamp *stamp);

/* A write begins: settle from where SOF_TIMESTAMPING_OPT_ID counts. */
void tandem_tx_stamp_base(struct sock *sk);
/* It ended, and its last byte is the last that is queued: stamp that one. */
void tandem_tx_stamp_request(struct sock *sk, u32 tsflags);
/* @tail was cut off @skb: the request goes with its byte. */
void tandem_tx_stamp_split(const struct sock *sk, struct sk_buff *skb,
			   struct sk_buff *tail);
/* @skb is acknowledged by @ack_skb. */
void tandem_tx_stamp_acked(struct sock *sk, struct sk_buff *skb,
			   const struct sk_buff *ack_skb);

#endif /* _TANDEM_TIMESTAMP_H */
