/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state_table.h - the diagram of RFC 9293 figure 5 as a table.  Pure.
 */
#ifndef _TANDEM_STATE_TABLE_H
#define _TANDEM_STATE_TABLE_H

#include "pure.h"

#ifdef __KERNEL__
#include <net/tcp_states.h>
#else
/* The numbers every tool knows; in the kernel they come from net/tcp_states.h. */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
};
#endif

/*
 * Is @from -> @to an edge of the diagram?  CLOSE can be reached from every state
 * (RST, timeout, ABORT).  A number that is no state is no edge.
 */
bool tandem_state_allowed(int from, int to);

/* Where close() leads from @from; *fin: a FIN must be sent. */
int tandem_state_after_close(int from, bool *fin);

/* "ESTABLISHED" and so on; "UNKNOWN" for a number that is no state. */
const char *tandem_state_name(int state);

#endif /* _TANDEM_STATE_TABLE_H */
