/* SPDX-License-Identifier: GPL-2.0 */
/*
 * urgent.h - urgent data.  Everything here wants the socket lock, but for
 * tandem_urgent_poll() and tandem_urgent_mark().
 */
#ifndef _TANDEM_URGENT_H
#define _TANDEM_URGENT_H

#include "seg.h"
#include "sock.h"

struct msghdr;

/* ---- to the peer ---- */

/* Is there an urgent byte that the peer has not acknowledged? */
static inline bool tandem_urgent_out(const struct tandem_sock *tp)
{
	return tp->snd_up != tp->snd_una;
}

/* All that was written is urgent. */
static inline void tandem_urgent_send(struct tandem_sock *tp)
{
	tp->snd_up = tp->write_seq;
}

/* snd_una moved. */
static inline void tandem_urgent_acked(struct tandem_sock *tp)
{
	if (!seq_after(tp->snd_up, tp->snd_una))
		tp->snd_up = tp->snd_una;
}

/* The URG bit and pointer of a segment that begins at @seq; returns the bit or 0. */
u8 tandem_urgent_header(const struct tandem_sock *tp, u32 seq, struct tcphdr *th);

/* ---- from the peer ---- */

/* Sixth check of RFC 9293 section 3.10.7.4, for any segment. */
void tandem_urgent_input(struct sock *sk, const struct sk_buff *skb);

/* recv(MSG_OOB). */
int tandem_urgent_recv(struct sock *sk, struct msghdr *msg, size_t len, int flags);

/* Does the next byte to be read bear the mark? */
bool tandem_urgent_mark(const struct sock *sk);

/* What of the @len bytes from @seq on a read() may take in one go; see urgent.c. */
u32 tandem_urgent_limit(const struct sock *sk, u32 seq, u32 len, bool *skip);

/* The program has read up to copied_seq. */
void tandem_urgent_passed(struct sock *sk);

/* SIOCINQ: bytes up to the mark, or all. */
int tandem_urgent_inq(struct sock *sk);

/* For poll(): EPOLLPRI or 0, and 1 more in *@target if the next byte is no data. */
__poll_t tandem_urgent_poll(const struct sock *sk, int *target);

#endif /* _TANDEM_URGENT_H */
