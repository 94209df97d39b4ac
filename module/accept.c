// SPDX-License-Identifier: GPL-2.0
/*
 * accept.c - the program's side of a listener: listen(), accept(), close().
 *
 * handshake.c fills the accept queue from softirq; what both share is struct
 * tandem_listen, which lives as long as the listening socket, so that a reader under
 * RCU can always look at it.  A listener that stops sets @closed; whatever softirq
 * still had in its hands finds that and gives up.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "demux.h"
#include "handshake.h"
#include "input.h"
#include "output.h"
#include "ports.h"
#include "socket.h"
#include "sock.h"
#include "state.h"

/* ---- listen() ---- */

static struct tandem_listen *listen_alloc(void)
{
	struct tandem_listen *listen = kzalloc(sizeof(*listen), GFP_KERNEL);

	if (!listen)
		return NULL;
	spin_lock_init(&listen->lock);
	INIT_LIST_HEAD(&listen->accept_q);
	INIT_LIST_HEAD(&listen->requests);
	return listen;
}

struct tandem_listen *tandem_listen_get(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_listen *listen = tp->listen;

	if (listen)
		return listen;
	listen = listen_alloc();
	if (!listen)
		return NULL;
	/* For those who look without the lock, tandem_accept_ready(). */
	smp_store_release(&tp->listen, listen);
	return listen;
}

static void listen_set_closed(struct tandem_listen *listen, bool closed)
{
	spin_lock_bh(&listen->lock);
	listen->closed = closed;
	spin_unlock_bh(&listen->lock);
}

/**
 * tandem_listen_start() - listen()
 * @sk: locked, in CLOSE
 * @backlog: already in sk_max_ack_backlog
 *
 * Return: 0, -EADDRINUSE, -ENOMEM, or what SO_REUSEPORT has to say.
 */
int tandem_listen_start(struct sock *sk, int backlog)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct inet_sock *inet = inet_sk(sk);
	int err;

	if (!tandem_listen_get(sk))
		return -ENOMEM;
	INIT_HLIST_NODE(&tp->listen_node);	/* it was accepted once, perhaps */
	listen_set_closed(tp->listen, false);
	WRITE_ONCE(sk->sk_ack_backlog, 0);

	/*
	 * LISTEN before the port is checked: two sockets that bound one port with
	 * SO_REUSEADDR and listen at the same time must see each other.
	 */
	tandem_set_state(sk, TCP_LISTEN, TANDEM_R_USER);
	err = tandem_get_port(sk, inet->inet_num);
	if (!err) {
		inet->inet_sport = htons(inet->inet_num);
		sk_dst_reset(sk);
		err = tandem_listener_insert(sk);
		if (!err)
			return 0;
	}
	listen_set_closed(tp->listen, true);
	tandem_set_state(sk, TCP_CLOSE, TANDEM_R_USER);
	return err;
}

/* ---- the accept queue ---- */

/* The oldest child, off the queue; its reference is the caller's. */
static struct sock *take_child(struct sock *sk)
{
	struct tandem_listen *listen = tandem_sk(sk)->listen;
	struct tandem_sock *child;

	spin_lock_bh(&listen->lock);
	child = list_first_entry_or_null(&listen->accept_q, struct tandem_sock,
					 accept_node);
	if (child) {
		list_del(&child->accept_node);
		child->accept_linked = false;
		sk_acceptq_removed(sk);
	}
	spin_unlock_bh(&listen->lock);
	if (!child)
		return NULL;
	sock_put(sk);		/* held by child_enqueue() */
	return tandem_to_sk(child);
}

bool tandem_accept_ready(const struct sock *sk)
{
	/* Pairs with smp_store_release() in tandem_listen_get(). */
	const struct tandem_listen *listen = smp_load_acquire(&tandem_sk(sk)->listen);

	return listen && !list_empty_careful(&listen->accept_q);
}

/* Exclusive: each connection wakes one accept(). @sk is locked, before and after. */
static int wait_for_child(struct sock *sk, long timeo)
{
	DEFINE_WAIT(wait);
	int err;

	for (;;) {
		prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
		release_sock(sk);
		if (!tandem_accept_ready(sk))
			timeo = schedule_timeout(timeo);
		sched_annotate_sleep();
		lock_sock(sk);
		err = 0;
		if (tandem_accept_ready(sk))
			break;
		err = -EINVAL;
		if (sk->sk_state != TCP_LISTEN)
			break;
		err = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		err = -EAGAIN;
		if (!timeo)
			break;
	}
	finish_wait(sk_sleep(sk), &wait);
	return err;
}

/**
 * tandem_accept() - accept()
 * @sk: the listener, not locked
 * @flags: O_NONBLOCK
 * @err: -EINVAL: not a listener; -EAGAIN: nothing there, or SO_RCVTIMEO is over;
 *	-EINTR or -ERESTARTSYS: a signal
 *
 * Return: the oldest connection, with a reference; or NULL and *err.
 */
struct sock *tandem_accept(struct sock *sk, int flags, int *err)
{
	struct sock *child = NULL;
	long timeo;

	lock_sock(sk);
	*err = -EINVAL;
	if (sk->sk_state != TCP_LISTEN)
		goto out;
	if (!tandem_accept_ready(sk)) {
		timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK);
		*err = -EAGAIN;
		if (!timeo)
			goto out;
		*err = wait_for_child(sk, timeo);
		if (*err)
			goto out;
	}
	child = take_child(sk);
	*err = child ? 0 : -EINVAL;
out:
	release_sock(sk);
	return child;
}

/* ---- close() ---- */

/*
 * A connection nobody will accept: the peer believes it is up, so it gets a reset
 * (RFC 9293 section 3.10.4 has no better word for it).
 */
static void reset_child(struct sock *child)
{
	local_bh_disable();
	bh_lock_sock(child);
	WARN_ON_ONCE(sock_owned_by_user(child));
	sock_hold(child);
	tandem_orphan(child);
	if (child->sk_state == TCP_CLOSE) {
		tandem_destroy_sock(child);	/* it was reset while it waited */
	} else {
		tandem_send_active_reset(child, GFP_ATOMIC, TANDEM_R_USER);
		tandem_done(child, TANDEM_R_USER);
	}
	bh_unlock_sock(child);
	local_bh_enable();
	sock_put(child);
}

static struct tandem_request *first_request(struct tandem_listen *listen)
{
	struct tandem_request *req;

	spin_lock_bh(&listen->lock);
	req = list_first_entry_or_null(&listen->requests, struct tandem_request, node);
	if (req)
		refcount_inc(&req->refs);
	spin_unlock_bh(&listen->lock);
	return req;
}

/**
 * tandem_listen_stop() - the listener closes: drop what it has, reset who waits
 * @sk: locked; already out of LISTEN, so nobody new finds it
 */
void tandem_listen_stop(struct sock *sk)
{
	struct tandem_listen *listen = tandem_sk(sk)->listen;
	struct tandem_request *req;
	struct sock *child;

	if (!listen)
		return;
	listen_set_closed(listen, true);
	while ((req = first_request(listen))) {
		tandem_request_drop(req);
		tandem_request_put(req);
		cond_resched();
	}
	while ((child = take_child(sk))) {
		reset_child(child);
		cond_resched();
	}
	WARN_ON_ONCE(READ_ONCE(sk->sk_ack_backlog));
}
