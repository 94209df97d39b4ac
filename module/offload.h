/* SPDX-License-Identifier: GPL-2.0 */
/*
 * offload.h - generic segmentation offload of protocol 254.
 */
#ifndef _TANDEM_OFFLOAD_H
#define _TANDEM_OFFLOAD_H

#include <linux/netdev_features.h>

struct sk_buff;

/*
 * offload_callbacks.gso_segment of both families: cut what no device below cuts.
 * @type: the family's SKB_GSO_TCPV4 or V6.
 */
struct sk_buff *tandem_gso_segment(struct sk_buff *skb, netdev_features_t features,
				   unsigned int type);

#endif /* _TANDEM_OFFLOAD_H */
