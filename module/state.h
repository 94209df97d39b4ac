/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state.h - the connection's state: one door for every change, and the transition
 * table of RFC 9293 figure 5.  States are TCP's (net/tcp_states.h), because the core
 * and every tool know those numbers.
 */
#ifndef _TANDEM_STATE_H
#define _TANDEM_STATE_H

#include "reason.h"
#include "state_table.h"	/* the pure part */

struct sock;

/*
 * Change the state.  The only writer of sk->sk_state after creation: checks the
 * table, counts, traces, and on the way to CLOSE takes the socket out of the flow or
 * listener table and gives its port back (unless SOCK_BINDPORT_LOCK).  Locked socket.
 */
void tandem_set_state(struct sock *sk, int state, enum tandem_reason why);

/*
 * The program sends its FIN (close or shutdown): go to the state figure 5 says.
 * True when a FIN must be sent.
 */
bool tandem_state_close(struct sock *sk);

#endif /* _TANDEM_STATE_H */
