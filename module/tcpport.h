/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tcpport.h - ports of the kernel's TCP that sockets on the tcp wire hold.
 */
#ifndef _TANDEM_TCPPORT_H
#define _TANDEM_TCPPORT_H

#include <linux/types.h>

struct net;
struct sock;
struct tandem_hold;

int tandem_tcpport_init(void);			/* workqueue */
void tandem_tcpport_exit(void);
/* After the last claim of @net is gone: wait for the holds' sockets. */
void tandem_tcpport_net_exit(struct net *net);

/*
 * Reserve *@num (0: one of TCP's choice, which is put there) for @sk in the kernel's
 * TCP; the hold goes into its claim.  Process context, @sk locked.  0, -EADDRINUSE,
 * -ENOMEM, -EPERM (net.tandem.tcp_wire is 0) or what registering netfilter hooks says.
 */
int tandem_hold_port(struct sock *sk, u16 *num);
/*
 * @sk, which has a hold, wants to listen: is nobody else there, not even by
 * SO_REUSEADDR?  @alone: no other hold is on the port.  0 or -EADDRINUSE.
 */
int tandem_hold_check(struct sock *sk, bool alone);

struct tandem_hold *tandem_hold_get(struct tandem_hold *hold);	/* NULL is fine */
void tandem_hold_put(struct tandem_hold *hold);			/* in any context */
/*
 * The socket that made it closes; what is left are connections and TIME-WAIT, which
 * by SO_REUSEADDR a new listener may join.
 */
void tandem_hold_relax(struct tandem_hold *hold);

#endif /* _TANDEM_TCPPORT_H */
