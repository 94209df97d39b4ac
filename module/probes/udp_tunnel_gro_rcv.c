// SPDX-License-Identifier: GPL-2.0
// 6.16: the gro_receive of UDP tunnels are counted, for static calls
#include <net/udp_tunnel.h>
void probe(struct sock *sk);
void probe(struct sock *sk)
{
	udp_tunnel_update_gro_rcv(sk, true);
}
