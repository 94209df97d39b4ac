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

/*
 * offload_callbacks.gso_segment of both families: cut what no device below cuts.
 * @type: the family's SKB_GSO_TCPV4 or V6.
 */
struct sk_buff *tandem_gso_segment(struct sk_buff *skb, netdev_features_t features,
				   unsigned int type);

#endif /* _TANDEM_OFFLOAD_H */
