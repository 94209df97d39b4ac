// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - the one door through which the state of a connection changes.
 */
#include <net/net_debug.h>
#include "compat.h"
#include "demux.h"
#include "fastopen.h"
#include "path.h"
#include "ports.h"
#include "sock.h"
#include "state.h"
#include "trace.h"

/* Counted by CurrEstab? */
static bool state_is_up(int state)
{
	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
}

/* RFC 4022: tcpCurrEstab, tcpAttemptFails, tcpEstabResets. */
static void state_count(struct net *net, int from, int to)
{
	if (!state_is_up(from) && state_is_up(to))
		TANDEM_INC(net, CURRESTAB);
	if (state_is_up(from) && !state_is_up(to))
		TANDEM_DEC(net, CURRESTAB);
	if (to != TCP_CLOSE)
		return;
	if (state_is_up(from))
		TANDEM_INC(net, ESTABRESETS);
	else if (from == TCP_SYN_SENT || from == TCP_SYN_RECV)
		TANDEM_INC(net, ATTEMPTFAILS);
}

/* A closed socket is found by nobody and holds no port that bind() did not ask for. */
static void state_leave_tables(struct sock *sk, int from)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (from == TCP_LISTEN)
		tandem_listener_remove(sk);
	tandem_flow_remove(sock_net(sk), &tp->flow);
	if (tp->claim.port && !(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		tandem_put_port(sk);
}

/**
 * tandem_set_state() - change the state of a connection
 * @sk: the socket, locked
 * @state: TCP_*, the new state
 * @why: for the trace
 *
 * An edge that is not in figure 5 of RFC 9293 is a bug of ours, told by kernels with
 * CONFIG_DEBUG_NET.
 */
void tandem_set_state(struct sock *sk, int state, enum tandem_reason why)
{
	int from = sk->sk_state;

	if (from != state) {
		DEBUG_NET_WARN_ON_ONCE(!tandem_state_allowed(from, state));
		trace_tandem_state(sk, from, state, why);
		state_count(sock_net(sk), from, state);
	}
	/* Out of the tables first: no lookup shall find a closed socket. */
	if (state == TCP_CLOSE) {
		tandem_path_learn(sk);
		tandem_fastopen_done(sk, why);
		state_leave_tables(sk, from);
	}
	/* Pairs with inet_sk_state_load() of those who look without the lock. */
	smp_wmb();
	inet_sk_set_state(sk, state);
}

/**
 * tandem_state_close() - the program closes or shuts down its sending half
 * @sk: the socket, locked
 *
 * Return: true when a FIN must be sent.
 */
bool tandem_state_close(struct sock *sk)
{
	bool fin = false;
	int next = tandem_state_after_close(sk->sk_state, &fin);

	tandem_set_state(sk, next, TANDEM_R_USER);
	return fin;
}
