/* SPDX-License-Identifier: GPL-2.0 */
/*
 * offload.h - generic segmentation offload of protocol 254.
 */
#ifndef _TANDEM_OFFLOAD_H
#define _TANDEM_OFFLOAD_H

#include <linux/in.h>
#include <linux/netdev_features.h>
#include <linux/skbuff.h>
#include <linux/tandem.h>

/*
 * Of an skb of many segments: are they to travel in UDP datagrams (encap.c)?  A segment
 * of the native wire in somebody's tunnel has an IP header of its own in between.
 */
static inline bool tandem_in_udp(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM &&
	       skb->inner_protocol_type == ENCAP_TYPE_IPPROTO &&
	       skb->inner_ipproto == IPPROTO_TANDEM;
}

/* Made of software: no driver of a card offers to cut SCTP, goal.c. */
static inline bool tandem_soft_device(netdev_features_t features)
{
	return (features & (NETIF_F_GSO_SCTP | NETIF_F_HW_CSUM)) ==
	       (NETIF_F_GSO_SCTP | NETIF_F_HW_CSUM);
}

/* @skb is a segment with @len bytes of payload, which is not summed; @type: a gso_type. */
static inline void tandem_mark_single(struct sk_buff *skb, u32 len, unsigned int type)
{
	skb_shinfo(skb)->gso_size = len;
	skb_shinfo(skb)->gso_segs = 1;
	skb_shinfo(skb)->gso_type = type;
}

/*
 * offload_callbacks.gso_segment of both families: cut what no device below cuts.
 * @type: the family's SKB_GSO_TCPV4 or V6.
 */
struct sk_buff *tandem_gso_segment(struct sk_buff *skb, netdev_features_t features,
				   unsigned int type);

#endif /* _TANDEM_OFFLOAD_H */
