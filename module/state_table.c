// SPDX-License-Identifier: GPL-2.0
/*
 * state_table.c - the state diagram, RFC 9293 section 3.3.2 figure 5, as a table.
 *
 * Each row lists the states one segment, call or timeout can lead to.  CLOSE is in
 * every row: a RST, a timeout or an ABORT ends a connection from anywhere (RFC 9293
 * section 3.10.5).  The functions here know no socket; state.c is the door that asks
 * them.
 */
#include "state_table.h"

#define TO(state)	BIT(TCP_##state)

struct state_row {
	const char	*name;
	unsigned long	next;		/* TO() bits */
	u8		after_close;	/* RFC 9293 section 3.10.4 */
	bool		fin;		/* and close() sends a FIN on the way */
};

static const struct state_row table[] = {
	[TCP_CLOSE] = {
		.name = "CLOSE",
		.next = TO(CLOSE) | TO(LISTEN) | TO(SYN_SENT),
		.after_close = TCP_CLOSE,
	},
	[TCP_LISTEN] = {
		.name = "LISTEN",
		.next = TO(CLOSE) | TO(SYN_RECV) | TO(SYN_SENT),
		.after_close = TCP_CLOSE,
	},
	[TCP_SYN_SENT] = {
		.name = "SYN_SENT",
		.next = TO(CLOSE) | TO(ESTABLISHED) | TO(SYN_RECV),
		.after_close = TCP_CLOSE,
	},
	/*
	 * Back to LISTEN: a RST after a passive open (figure 5, note 1).  To
	 * CLOSE_WAIT: section 3.10.7.4, eighth step, names both states.
	 */
	[TCP_SYN_RECV] = {
		.name = "SYN_RECV",
		.next = TO(CLOSE) | TO(ESTABLISHED) | TO(FIN_WAIT1) |
			TO(CLOSE_WAIT) | TO(LISTEN),
		.after_close = TCP_FIN_WAIT1,
		.fin = true,
	},
	[TCP_ESTABLISHED] = {
		.name = "ESTABLISHED",
		.next = TO(CLOSE) | TO(FIN_WAIT1) | TO(CLOSE_WAIT),
		.after_close = TCP_FIN_WAIT1,
		.fin = true,
	},
	/* To TIME_WAIT: a FIN that also ACKs ours (figure 5, note 2). */
	[TCP_FIN_WAIT1] = {
		.name = "FIN_WAIT1",
		.next = TO(CLOSE) | TO(FIN_WAIT2) | TO(CLOSING) | TO(TIME_WAIT),
		.after_close = TCP_FIN_WAIT1,
	},
	[TCP_FIN_WAIT2] = {
		.name = "FIN_WAIT2",
		.next = TO(CLOSE) | TO(TIME_WAIT),
		.after_close = TCP_FIN_WAIT2,
	},
	[TCP_CLOSE_WAIT] = {
		.name = "CLOSE_WAIT",
		.next = TO(CLOSE) | TO(LAST_ACK),
		.after_close = TCP_LAST_ACK,
		.fin = true,
	},
	[TCP_CLOSING] = {
		.name = "CLOSING",
		.next = TO(CLOSE) | TO(TIME_WAIT),
		.after_close = TCP_CLOSING,
	},
	[TCP_LAST_ACK] = {
		.name = "LAST_ACK",
		.next = TO(CLOSE),
		.after_close = TCP_LAST_ACK,
	},
	[TCP_TIME_WAIT] = {
		.name = "TIME_WAIT",
		.next = TO(CLOSE),
		.after_close = TCP_TIME_WAIT,
	},
};

static const struct state_row *row(int state)
{
	if (state <= 0 || state >= (int)ARRAY_SIZE(table) || !table[state].name)
		return NULL;
	return &table[state];
}

/**
 * tandem_state_allowed() - is a change of state an edge of the diagram?
 * @from: the state now
 * @to: the state wanted
 *
 * Return: true when figure 5 (with its notes) has the edge, or @to is CLOSE.
 */
bool tandem_state_allowed(int from, int to)
{
	const struct state_row *r = row(from);

	return r && row(to) && (r->next & BIT(to));
}

/**
 * tandem_state_after_close() - what the CLOSE call does, RFC 9293 section 3.10.4
 * @from: the state now
 * @fin: set: a FIN must be sent
 *
 * Return: the state to go to; @from itself when there is nothing to do (the FIN is
 * already out, or @from is no state).
 */
int tandem_state_after_close(int from, bool *fin)
{
	const struct state_row *r = row(from);

	*fin = r && r->fin;
	return r ? r->after_close : from;
}

/**
 * tandem_state_name() - a state's name, as net/tcp_states.h spells it without "TCP_"
 * @state: TCP_ESTABLISHED and so on
 *
 * Return: a constant string, never NULL.
 */
const char *tandem_state_name(int state)
{
	const struct state_row *r = row(state);

	return r ? r->name : "UNKNOWN";
}
