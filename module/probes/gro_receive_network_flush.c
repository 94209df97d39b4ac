// SPDX-License-Identifier: GPL-2.0
// 6.10: one helper compares the network headers
#include <net/gro.h>
int probe(const void *th, const void *th2, struct sk_buff *p);
int probe(const void *th, const void *th2, struct sk_buff *p)
{
	return gro_receive_network_flush(th, th2, p);
}
