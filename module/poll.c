// SPDX-License-Identifier: GPL-2.0
/*
 * poll.c - what poll(), select() and epoll see; bit for bit what TCP shows.
 *
 * The socket is not locked: every event changes the state first and wakes second, so
 * whoever missed the change is asked again.
 *
 *   EPOLLIN      data (SO_RCVLOWAT bytes of it), or no more will come; a listener:
 *                a connection to accept
 *   EPOLLRDHUP   the peer sent its FIN, or we shut reading down
 *   EPOLLOUT     a third of the send buffer is free and TCP_NOTSENT_LOWAT agrees, or
 *                writing would fail at once
 *   EPOLLHUP     both directions are over, or there never was a connection
 *   EPOLLERR     an error waits for SO_ERROR or in the error queue
 *   EPOLLPRI     an urgent byte is there (urgent.c)
 */
#include <linux/poll.h>
#include <net/sock.h>
#include "handshake.h"
#include "sock.h"
#include "socket.h"
#include "stream.h"
#include "thrift.h"
#include "urgent.h"

static __poll_t writable(struct sock *sk)
{
	if (__sk_stream_is_writeable(sk, 1))
		return EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/*
	 * Space that came between the test and the bit woke nobody: look again.  Pairs
	 * with the barrier in tandem_check_space().
	 */
	smp_mb__after_atomic();
	return __sk_stream_is_writeable(sk, 1) ? EPOLLOUT | EPOLLWRNORM : 0;
}

/**
 * tandem_poll() - proto_ops.poll
 * @file: the open file
 * @sock: its socket
 * @wait: where to wait for a change; NULL: only tell
 *
 * Return: EPOLL* bits.
 */
__poll_t tandem_poll(struct file *file, struct socket *sock,
		     struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 shutdown;
	int state;

	sock_poll_wait(file, sock, wait);
	tandem_thrift_poll(sk, wait);

	state = inet_sk_state_load(sk);
	if (state == TCP_LISTEN)
		return tandem_accept_ready(sk) ? EPOLLIN | EPOLLRDNORM : 0;

	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;

	if (state != TCP_SYN_SENT &&
	    (state != TCP_SYN_RECV || READ_ONCE(tandem_sk(sk)->fo_pending))) {
		int target = sock_rcvlowat(sk, 0, INT_MAX);

		mask |= tandem_urgent_poll(sk, &target);
		if (tandem_stream_readable(sk, target))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (shutdown & SEND_SHUTDOWN)
			mask |= EPOLLOUT | EPOLLWRNORM;
		else
			mask |= writable(sk);
	} else if (state == TCP_SYN_SENT &&
		   tandem_inet_flag(sk, DEFER_CONNECT, defer_connect)) {
		/* TCP_FASTOPEN_CONNECT: it is a write that will connect. */
		mask |= EPOLLOUT | EPOLLWRNORM;
	}
	/* Whoever ends a connection writes sk_err before the state. */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}
