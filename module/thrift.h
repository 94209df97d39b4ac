/* SPDX-License-Identifier: GPL-2.0 */
/*
 * thrift.h - segments that short exchanges can do without (thrift.c).  Everything here
 * wants the socket lock, but for tandem_thrift_poll().
 */
#ifndef _TANDEM_THRIFT_H
#define _TANDEM_THRIFT_H

#include <linux/poll.h>
#include "sock.h"

/* Ways a hold can end, for what is learnt from it. */
enum tandem_hold_end {
	TANDEM_HOLD_FIN,	/* close() came: one segment saved */
	TANDEM_HOLD_IN_VAIN,	/* time was up, or the program waits for more */
	TANDEM_HOLD_MOOT,	/* what was held has left for other reasons */
};

void tandem_thrift_init(struct sock *sk);
void tandem_thrift_stop(struct sock *sk);

/*
 * Whether any of it is wanted.  On the tcp wire the peer, what stands between, and who
 * tests us expect the segments of TCP, one for each event.
 */
static inline bool tandem_thrifty(const struct sock *sk)
{
	return tandem_sk(sk)->wire != TANDEM_WIRE_TCP ||
	       tandem_sk_knob(sk, tcp_wire_thrift);
}

/* May the SYN-ACK of a child wait for the answer, as far as its port has learnt? */
bool tandem_thrift_hold_synack(const struct sock *sk);
/* It went: with the answer, or when its time was up. */
void tandem_thrift_synack_sent(const struct sock *sk, bool rides);
/* The handshake is complete: its third ACK is owed, and waits a little for company. */
void tandem_third_ack(struct sock *sk);

/* A write() ends: may its small last segment wait for close()? */
bool tandem_hold_for_fin(struct sock *sk);
void tandem_hold_end(struct sock *sk, enum tandem_hold_end how);
/* For alarm.c: its time is up. */
void tandem_hold_expired(struct sock *sk);
/* A FIN is about to be queued. */
void tandem_thrift_fin(struct sock *sk);
/* The program is about to wait for data: what was held for its next call goes now. */
void tandem_thrift_read_waits(struct sock *sk);
void tandem_thrift_poll_waits(struct sock *sk);
/* A segment with ACK left; @pure: nothing else was in it. */
void tandem_thrift_ack_sent(struct sock *sk, bool pure);

/* The same for poll(): only for who asks for input alone.  Takes the lock if need be. */
static inline void tandem_thrift_poll(struct sock *sk, const struct poll_table_struct *wait)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if (unlikely(READ_ONCE(tp->third_ack) || READ_ONCE(tp->fin_hold)) && wait &&
	    (poll_requested_events(wait) & (EPOLLIN | EPOLLOUT)) == EPOLLIN)
		tandem_thrift_poll_waits(sk);
}

/* Segments left: does the hold still have something to hold? */
static inline void tandem_hold_settle(struct sock *sk)
{
	if (unlikely(tandem_sk(sk)->fin_hold) && skb_queue_empty(&sk->sk_write_queue))
		tandem_hold_end(sk, TANDEM_HOLD_MOOT);
}

#endif /* _TANDEM_THRIFT_H */
