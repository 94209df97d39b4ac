// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg.c - bytes to user space.
 *
 * The program reads from copied_seq on; segments may overlap, so where in an skb the
 * next byte lies is always computed from sequence numbers.  What was read frees
 * buffer, and freed buffer is told to the peer when it is worth a segment
 * (tandem_cleanup_rbuf()).
 */
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/busy_poll.h>
#include <net/ip.h>
#include <net/sock.h>
#include "advert.h"
#include "output.h"
#include "rcvq.h"
#include "stream.h"
#include "thrift.h"
#include "timestamp.h"
#include "urgent.h"

int tandem_inq(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	/* The FIN has a number but is no byte. */
	return READ_ONCE(tp->rcv_nxt) - READ_ONCE(tp->copied_seq) -
	       READ_ONCE(tp->fin_rcvd);
}

bool tandem_stream_readable(const struct sock *sk, int target)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	int avail = tandem_inq((struct sock *)sk);

	if (avail <= 0)
		return false;
	/* No more will come while the buffer or the window is full: enough is this. */
	return avail >= target ||
	       atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf) -
						 (READ_ONCE(sk->sk_rcvbuf) >> 3) ||
	       tandem_rcv_wnd_open(tp) <= tp->rcv_mss;
}

void tandem_data_ready(struct sock *sk)
{
	if (sock_flag(sk, SOCK_DONE) ||
	    tandem_stream_readable(sk, READ_ONCE(sk->sk_rcvlowat)))
		sk->sk_data_ready(sk);
}

int tandem_set_rcvlowat(struct sock *sk, int val)
{
	bool locked = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	int cap = locked ? sk->sk_rcvbuf / 2 :
			   tandem_sk(sk)->tn->knobs.rmem[2] / 2;

	val = min(val, cap);
	WRITE_ONCE(sk->sk_rcvlowat, val ? : 1);
	tandem_data_ready(sk);
	if (locked)
		return 0;
	/* The buffer must hold what the program waits for. */
	if (val * 2 > sk->sk_rcvbuf) {
		WRITE_ONCE(sk->sk_rcvbuf, val * 2);
		tandem_sk(sk)->window_clamp = tandem_win_from_space(sk, val * 2);
	}
	return 0;
}

/* The queued skb that holds @seq; skbs wholly before it go unless we only peek. */
static struct sk_buff *find_skb(struct sock *sk, u32 seq, bool peek, u32 *offset)
{
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(&sk->sk_receive_queue, skb, next) {
		*offset = seq - TANDEM_CB(skb)->seq;
		if (WARN_ON_ONCE((s32)*offset < 0))
			return NULL;
		if (*offset < skb->len)
			return skb;
		if (!peek)
			sk_eat_skb(sk, skb);
	}
	return NULL;
}

/* Nothing to read now: 0: wait for it; else what the call returns (copied is 0). */
static int why_not_wait(struct sock *sk, long timeo)
{
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_state == TCP_CLOSE)
		/* Never connected, or ended without our noticing. */
		return -ENOTCONN;
	if (!timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(timeo);
	return 0;
}

static bool stream_ended(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DONE) ||
	       (!sk->sk_err && sk->sk_shutdown & RCV_SHUTDOWN);
}

/*
 * The queue is empty and less than @target was copied, or the backlog may hold more.
 * True: go on reading; false: return *copied.
 */
static bool wait_for_more(struct sock *sk, int target, long *timeo, int *copied)
{
	int err;

	if (*copied >= target) {
		if (!READ_ONCE(sk->sk_backlog.tail))
			return false;
		release_sock(sk);	/* works the backlog off */
		lock_sock(sk);
		return true;
	}
	if (*copied) {
		if (sk->sk_err || sk->sk_state == TCP_CLOSE || !*timeo ||
		    sk->sk_shutdown & RCV_SHUTDOWN || signal_pending(current))
			return false;
	} else {
		if (stream_ended(sk))
			return false;
		err = why_not_wait(sk, *timeo);
		if (err) {
			if (err == -EAGAIN)
				tandem_thrift_read_waits(sk);
			*copied = err;
			return false;
		}
	}
	if (*copied || tandem_sk(sk)->ack_pending & TANDEM_ACK_SCHED)
		tandem_cleanup_rbuf(sk, *copied);
	tandem_thrift_read_waits(sk);
	err = sk_wait_data(sk, timeo, skb_peek_tail(&sk->sk_receive_queue));
	if (err < 0 && !*copied)
		*copied = err;
	return err >= 0;
}

static int recvmsg_locked(struct sock *sk, struct msghdr *msg, size_t len, int flags,
			  struct tandem_rx_stamp *stamp)
{
	bool peek = flags & MSG_PEEK, trunc = flags & MSG_TRUNC, skip;
	struct tandem_sock *tp = tandem_sk(sk);
	int target, copied = 0, peek_off = 0;
	u32 peek_seq, *seq = &tp->copied_seq;
	struct sk_buff *skb;
	u32 offset, used;
	long timeo;

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return tandem_urgent_recv(sk, msg, len, flags);
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	if (peek) {
		peek_off = max(sk_peek_offset(sk, flags), 0);
		peek_seq = tp->copied_seq + peek_off;
		seq = &peek_seq;
	}

	do {
		/* A read stops in front of the mark, and the next one goes on there. */
		if (unlikely(tp->urg_data) && tp->urg_seq == *seq) {
			if (copied)
				break;
			if (signal_pending(current)) {
				copied = timeo ? sock_intr_errno(timeo) : -EAGAIN;
				break;
			}
		}
		skb = find_skb(sk, *seq, peek, &offset);
		if (!skb) {
			u32 base = tp->copied_seq;

			if (copied >= target && !READ_ONCE(sk->sk_backlog.tail))
				break;
			if (!wait_for_more(sk, target, &timeo, &copied))
				break;
			/* Another thread read meanwhile: peek goes on from there. */
			if (peek && base != tp->copied_seq)
				peek_seq = tp->copied_seq + peek_off;
			continue;
		}
		used = min_t(size_t, skb->len - offset, len);
		used = tandem_urgent_limit(sk, *seq, used, &skip);
		if (unlikely(skip)) {
			WRITE_ONCE(*seq, *seq + 1);
			offset++;
		}
		if (!trunc && used && skb_copy_datagram_msg(skb, offset, msg, used)) {
			if (!copied)
				copied = -EFAULT;
			break;
		}
		WRITE_ONCE(*seq, *seq + used);
		copied += used;
		len -= used;
		tandem_rx_stamp_note(stamp, skb);
		if (peek) {
			sk_peek_offset_fwd(sk, used);
			continue;
		}
		sk_peek_offset_bwd(sk, used);
		tandem_urgent_passed(sk);
		if (used + offset == skb->len)
			sk_eat_skb(sk, skb);
		tandem_rcvq_space_adjust(sk);
		/* Reading nothing waits for data all the same, as TCP does. */
	} while (len > 0);
	tandem_cleanup_rbuf(sk, copied);
	return copied;
}

/* At the end of the stream, 1 says "read again", as Linux TCP. */
static int stream_inq(struct sock *sk)
{
	int inq = tandem_inq(sk);

	return !inq && sock_flag(sk, SOCK_DONE) ? 1 : inq;
}

/*
 * proto.recvmsg.  Flags: MSG_PEEK, MSG_TRUNC (discard), MSG_WAITALL, MSG_DONTWAIT,
 * MSG_ERRQUEUE, MSG_OOB.  (No kernel-doc: the last parameter depends on the kernel.)
 *
 * Return: bytes read; 0 at the end of the stream; -EAGAIN, -ENOTCONN, -EINTR,
 * -EFAULT, -EINVAL (MSG_OOB without such), or the error that ended the connection.
 */
int tandem_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags
		   TANDEM_RECVMSG_ADDR_LEN)
{
	struct tandem_rx_stamp stamp = {};
	int ret, inq = 0;
	bool want_inq;

	if (unlikely(flags & MSG_ERRQUEUE))
		return tandem_inet_recv_error(sk, msg, len);
	/* SO_BUSY_POLL: fetch from the device rather than wait for its interrupt. */
	if (sk_can_busy_loop(sk) && skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	    inet_sk_state_load(sk) == TCP_ESTABLISHED)
		sk_busy_loop(sk, flags & MSG_DONTWAIT);
	lock_sock(sk);
	ret = recvmsg_locked(sk, msg, len, flags, &stamp);
	want_inq = ret >= 0 && tandem_sk(sk)->recvmsg_inq;
	if (ret >= 0 && (want_inq || msg->msg_get_inq))
		inq = stream_inq(sk);
	release_sock(sk);
	if (ret < 0)
		return ret;
	if (stamp.software || stamp.hardware)
		tandem_rx_stamp_put(sk, msg, &stamp);
	if (msg->msg_get_inq)
		msg->msg_inq = inq;
	if (want_inq)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(inq), &inq);
	return ret;
}

/* ---- splice() from a socket ---- */

/* What is queued, in order and in front of an urgent byte, into @pipe; as pages. */
static ssize_t splice_queued(struct sock *sk, struct pipe_inode_info *pipe, size_t len,
			     unsigned int flags)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 offset, used, ahead;
	struct sk_buff *skb;
	ssize_t spliced = 0;
	int n;

	while (len && (skb = find_skb(sk, tp->copied_seq, false, &offset))) {
		used = min_t(size_t, skb->len - offset, len);
		ahead = tp->urg_seq - tp->copied_seq;
		if (unlikely(tp->urg_data) && ahead < used)
			used = ahead;
		if (!used)
			break;
		n = skb_splice_bits(skb, sk, offset, pipe, used, flags);
		if (n <= 0) {
			if (!spliced)
				spliced = n;
			break;
		}
		WRITE_ONCE(tp->copied_seq, tp->copied_seq + n);
		spliced += n;
		len -= n;
		if (offset + n == skb->len)
			sk_eat_skb(sk, skb);
	}
	if (spliced > 0) {
		tandem_rcvq_space_adjust(sk);
		tandem_cleanup_rbuf(sk, spliced);
	}
	return spliced;
}

/* Nothing was there: 0 to try again; 1: the call returns 0; else its error. */
static int splice_wait(struct sock *sk, long *timeo)
{
	int err;

	if (stream_ended(sk))
		return 1;
	err = why_not_wait(sk, *timeo);
	if (err == -EAGAIN)
		tandem_thrift_read_waits(sk);
	if (err)
		return err;
	/* An urgent byte is next, and no splice will pass it. */
	if (!skb_queue_empty(&sk->sk_receive_queue))
		return 1;
	tandem_thrift_read_waits(sk);
	err = sk_wait_data(sk, timeo, NULL);
	return err < 0 ? err : 0;
}

/**
 * tandem_splice_read() - proto_ops.splice_read
 * @sock: to read from
 * @ppos: must be 0, a stream has no positions
 * @pipe: locked; gets the pages that the segments came in, not copies
 * @len: most bytes to take
 * @flags: SPLICE_F_*
 *
 * Takes what is there and waits only while there is nothing, as TCP's.  It stops in front
 * of an urgent byte, even one in line.
 *
 * Return: bytes; 0 at the end of the stream or at an urgent byte; or what recvmsg() says.
 */
ssize_t tandem_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags)
{
	ssize_t n = 0, spliced = 0;
	struct sock *sk = sock->sk;
	long timeo;
	int err;

	if (unlikely(*ppos))
		return -ESPIPE;
	sock_rps_record_flow(sk);
	lock_sock(sk);
	timeo = sock_rcvtimeo(sk, sock->file->f_flags & O_NONBLOCK);
	while (len) {
		n = sk->sk_state == TCP_LISTEN ? -ENOTCONN :
						 splice_queued(sk, pipe, len, flags);
		if (n < 0)
			break;
		if (n) {
			spliced += n;
			len -= n;
			if (!len || !timeo)
				break;
			release_sock(sk);	/* works the backlog off */
			lock_sock(sk);
			if (sk->sk_err || sk->sk_state == TCP_CLOSE ||
			    sk->sk_shutdown & RCV_SHUTDOWN || signal_pending(current))
				break;
			continue;
		}
		if (spliced)
			break;
		err = splice_wait(sk, &timeo);
		if (err) {
			n = min(err, 0);
			break;
		}
	}
	release_sock(sk);
	return spliced ? : n;
}
