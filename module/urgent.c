// SPDX-License-Identifier: GPL-2.0
/*
 * urgent.c - urgent data: one byte that may overtake the others (RFC 9293 section
 * 3.8.5), as programs know it from Berkeley sockets and Linux (RFC 6093).
 *
 * The sender marks a place in the stream: as long as it is not acknowledged, segments
 * say by URG and a pointer where it is.  The RFC counts the pointer to the last urgent
 * byte, every stack to the one behind it (RFC 6093 section 2.1), and so do we.
 *
 * At the receiver the byte at the mark is the urgent one.  It is taken out of the
 * stream and handed to recv(MSG_OOB), unless SO_OOBINLINE leaves it there; read()
 * stops in front of it once, so that a program can ask SIOCATMARK.  A new mark makes
 * the old byte an ordinary one, or it is gone if it had been passed already.
 *
 *   urg_data   0: no mark; NOTYET: the byte is on its way; VALID | byte; READ
 *   urg_seq    where it is
 *
 * New programs should use a second connection (RFC 6093 section 5).
 */
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <net/sock.h>
#include "netns.h"
#include "urgent.h"
#include "wire.h"

#define NOTYET		0x0100
#define VALID		0x0200
#define READ_IT		0x0400

u8 tandem_urgent_header(const struct tandem_sock *tp, u32 seq, struct tcphdr *th)
{
	u32 ahead = tp->snd_up - seq;

	if (!seq_before(seq, tp->snd_up))
		return 0;
	if (ahead > U16_MAX) {
		/* Further than the pointer reaches: as far as it goes, if that is sent. */
		if (!seq_after(seq + U16_MAX, tp->snd_nxt))
			return 0;
		ahead = U16_MAX;
	}
	th->urg = 1;
	th->urg_ptr = htons(ahead);
	return TANDEM_F_URG;
}

/* ---- from the peer ---- */

/* URG and a pointer: is that a mark we did not know? */
static void take_mark(struct sock *sk, const struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 ptr = ntohs(tandem_hdr(skb)->urg_ptr);
	u32 at = TANDEM_CB(skb)->seq + (ptr ? ptr - 1 : 0);

	/* Read already, received already (then it was told), or not beyond the last. */
	if (seq_after(tp->copied_seq, at) || seq_before(at, tp->rcv_nxt) ||
	    (tp->urg_data && !seq_after(at, tp->urg_seq)))
		return;
	sk_send_sigurg(sk);
	/*
	 * The program stands in front of the last urgent byte, and that was out of
	 * line: it will not find it in the stream when the mark is elsewhere.
	 */
	if (tp->urg_data && tp->urg_seq == tp->copied_seq &&
	    !sock_flag(sk, SOCK_URGINLINE) && tp->copied_seq != tp->rcv_nxt)
		WRITE_ONCE(tp->copied_seq, tp->copied_seq + 1);
	WRITE_ONCE(tp->urg_data, NOTYET);
	WRITE_ONCE(tp->urg_seq, at);
}

/* Before the header is pulled, and before rcv_nxt moves over the segment's bytes. */
void tandem_urgent_input(struct sock *sk, const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	u32 offset;
	u8 byte;

	if (unlikely(cb->flags & TANDEM_F_URG)) {
		TANDEM_SK_INC(sk, INURGENT);
		take_mark(sk, skb);
	}
	if (likely(tp->urg_data != NOTYET))
		return;
	offset = tp->urg_seq - cb->seq;
	if (offset >= tandem_payload_len(skb) ||
	    skb_copy_bits(skb, skb->len - tandem_payload_len(skb) + offset, &byte, 1))
		return;
	WRITE_ONCE(tp->urg_data, VALID | byte);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_data_ready(sk);
}

int tandem_urgent_recv(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 byte = tp->urg_data;

	/* It is in line, never came, or was fetched: EINVAL, as TCP has it. */
	if (sock_flag(sk, SOCK_URGINLINE) || !tp->urg_data || tp->urg_data == READ_IT)
		return -EINVAL;
	if (sk->sk_state == TCP_CLOSE && !sock_flag(sk, SOCK_DONE))
		return -ENOTCONN;
	if (tp->urg_data == NOTYET)
		return sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN ?
		       0 : -EAGAIN;

	if (!(flags & MSG_PEEK))
		WRITE_ONCE(tp->urg_data, READ_IT);
	msg->msg_flags |= MSG_OOB;
	if (!len) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC) && memcpy_to_msg(msg, &byte, 1))
		return -EFAULT;
	return 1;
}

bool tandem_urgent_mark(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return READ_ONCE(tp->urg_data) &&
	       READ_ONCE(tp->urg_seq) == READ_ONCE(tp->copied_seq);
}

/*
 * The bytes in front of the mark, if it is among these; if it is the first, and out
 * of line, *@skip says so, and what counts is what follows.
 */
u32 tandem_urgent_limit(const struct sock *sk, u32 seq, u32 len, bool *skip)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 offset = tp->urg_seq - seq;

	*skip = false;
	if (likely(!tp->urg_data) || offset >= len)
		return len;
	if (offset)
		return offset;
	if (sock_flag(sk, SOCK_URGINLINE))
		return len;
	*skip = true;
	return len - 1;
}

void tandem_urgent_passed(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (unlikely(tp->urg_data) && seq_after(tp->copied_seq, tp->urg_seq))
		WRITE_ONCE(tp->urg_data, 0);
}

int tandem_urgent_inq(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if (sock_flag(sk, SOCK_URGINLINE) || !tp->urg_data ||
	    seq_before(tp->urg_seq, tp->copied_seq) ||
	    !seq_before(tp->urg_seq, tp->rcv_nxt))
		return tp->rcv_nxt - tp->copied_seq - tp->fin_rcvd;
	return tp->urg_seq - tp->copied_seq;
}

__poll_t tandem_urgent_poll(const struct sock *sk, int *target)
{
	u16 urg_data = READ_ONCE(tandem_sk(sk)->urg_data);

	if (likely(!urg_data))
		return 0;
	if (!sock_flag(sk, SOCK_URGINLINE) && tandem_urgent_mark(sk))
		++*target;
	return urg_data & VALID ? EPOLLPRI : 0;
}
