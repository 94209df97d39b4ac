// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg.c - bytes from user space.
 *
 * The program's bytes are copied into page fragments and appended to the last unsent
 * skb until it holds as many full segments as one skb may (goal.c); what the program
 * wrote in one call or in a hundred makes no difference on the wire.  The send buffer is
 * charged for every byte until the ACK frees it; a full buffer waits, or says EAGAIN (RFC
 * 9293 section 3.9.1 SEND).
 */
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include "fastopen.h"
#include "goal.h"
#include "input.h"
#include "output.h"
#include "stream.h"
#include "thrift.h"
#include "timestamp.h"
#include "tsq.h"
#include "urgent.h"
#include "wire.h"
#include "xmit.h"

struct sk_buff *tandem_bare_skb(gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb_fclone(TANDEM_MAX_HEADER, gfp);

	if (!skb)
		return NULL;
	skb_reserve(skb, TANDEM_MAX_HEADER);
	skb->ip_summed = CHECKSUM_PARTIAL;
	/* Clones may write their own header in front of the data they share. */
	__skb_header_release(skb);
	memset(TANDEM_CB(skb), 0, sizeof(struct tandem_skb_cb));
	return skb;
}

struct sk_buff *tandem_alloc_skb(struct sock *sk, gfp_t gfp, bool force)
{
	struct sk_buff *skb = tandem_bare_skb(gfp);

	if (!skb)
		return NULL;
	if (force) {
		/* What must go (SYN, FIN, a piece cut off) goes, above the limit. */
		tandem_forced_mem_schedule(sk, skb->truesize);
	} else if (!sk_wmem_schedule(sk, skb->truesize)) {
		__kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/* ---- write space ---- */

bool tandem_stream_memory_free(const struct sock *sk, int wake)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 unsent = READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt);
	u32 lowat = READ_ONCE(tp->notsent_lowat) ?:
		    (u32)tandem_sk_knob(sk, notsent_lowat);

	if (READ_ONCE(sk->sk_wmem_queued) >= READ_ONCE(sk->sk_sndbuf))
		return false;
	/* Larger than any queue: none. */
	if (lowat >= S32_MAX)
		return true;
	/* TCP_NOTSENT_LOWAT: a waiting writer is woken at half of it. */
	return (unsent << wake) < lowat;
}

/*
 * There may be room for a writer: with the lock.  Or some of what was sent has left: from
 * sock_wfree(), see tsq.c, without it, so that the struct socket may be going away.
 */
void tandem_write_space(struct sock *sk)
{
	struct socket *sock;
	struct socket_wq *wq;

	/* sock_wfree() gave the charge back.  Pairs with tandem_tsq_blocks(). */
	smp_mb();
	if (unlikely(tandem_tsq_waits(tandem_sk(sk))))
		tandem_tsq_freed(sk);
	rcu_read_lock();
	sock = READ_ONCE(sk->sk_socket);
	if (!sock || !test_bit(SOCK_NOSPACE, &sock->flags) || !__sk_stream_is_writeable(sk, 1))
		goto out;
	clear_bit(SOCK_NOSPACE, &sock->flags);
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (wq && wq->fasync_list && !(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
out:
	rcu_read_unlock();
}

/* A send buffer that holds two windows never makes the window wait for the program. */
void tandem_sndbuf_expand(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 per_seg, segs;
	u64 want;

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK || sk_under_memory_pressure(sk) ||
	    sk_memory_allocated(sk) >= sk_prot_mem_limits(sk, 0))
		return;
	per_seg = SKB_TRUESIZE(TANDEM_MAX_HEADER) + max_t(u32, tp->mss_cache, tp->mss_clamp);
	segs = max3(tp->cc.cwnd, (u32)tandem_sk_knob(sk, init_cwnd), 4U);
	want = 2ULL * segs * per_seg;
	want = min_t(u64, want, READ_ONCE(tandem_sk(sk)->tn->knobs.wmem[2]));
	if (sk->sk_sndbuf < want)
		WRITE_ONCE(sk->sk_sndbuf, want);
}

void tandem_check_space(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	/* Pairs with the barrier of poll(), which sets NOSPACE and looks again. */
	smp_mb();
	if (!sk->sk_socket || !test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		return;
	if (tp->packets_out < tp->cc.cwnd || tandem_cc_in_slow_start(&tp->cc))
		tandem_sndbuf_expand(sk);
	sk->sk_write_space(sk);
	if (!test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		tandem_chrono_stop(sk, TANDEM_CHRONO_SNDBUF);
}

/* ---- filling the tail ---- */

static void append_skb(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);

	cb->seq = tp->write_seq;
	cb->end_seq = tp->write_seq;
	cb->flags = TANDEM_F_ACK;
	cb->segs = 1;
	__skb_queue_tail(&sk->sk_write_queue, skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	if (tp->nonagle & TANDEM_NAGLE_PUSH)
		tp->nonagle &= ~TANDEM_NAGLE_PUSH;
}

/* The unsent skb that takes more bytes, and how many; NULL: a new one is needed. */
static struct sk_buff *open_tail(struct sock *sk, u32 goal, u32 *room)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (!skb || TANDEM_CB(skb)->eor || skb->len >= goal)
		return NULL;
	*room = goal - skb->len;
	return skb;
}

static void remove_empty_tail(struct sock *sk)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (!skb || TANDEM_CB(skb)->end_seq != TANDEM_CB(skb)->seq)
		return;
	__skb_unlink(skb, &sk->sk_write_queue);
	tandem_chrono_stop(sk, TANDEM_CHRONO_BUSY);
	sk_wmem_queued_add(sk, -skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	__kfree_skb(skb);
}

/*
 * Charge the send buffer for up to @want bytes: how many, 0 if there is no memory.  Above
 * the hard limit of net.tandem.mem the core refuses everybody; but each socket may have the
 * least of net.tandem.wmem, or one that holds nothing would wait for an ACK that never comes.
 */
static u32 wmem_schedule(struct sock *sk, u32 want)
{
	int least;

	if (likely(sk_wmem_schedule(sk, want)))
		return want;
	least = READ_ONCE(tandem_sk(sk)->tn->knobs.wmem[0]) - sk->sk_wmem_queued;
	if (least > 0)
		tandem_forced_mem_schedule(sk, min_t(u32, least, want));
	return min_t(u32, want, max(sk->sk_forward_alloc, 0));
}

/*
 * Copy up to @want bytes into @skb. Returns the bytes; 0: @skb is full of fragments;
 * -ENOMEM: wait for memory; -EFAULT.
 */
static int copy_to_tail(struct sock *sk, struct sk_buff *skb, struct msghdr *msg,
			u32 want)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	int i = skb_shinfo(skb)->nr_frags, copy, err;
	bool merge;

	if (!sk_page_frag_refill(sk, pfrag))
		return -ENOMEM;
	merge = skb_can_coalesce(skb, i, pfrag->page, pfrag->offset);
	if (!merge && i >= MAX_SKB_FRAGS)
		return 0;
	copy = wmem_schedule(sk, min_t(u32, want, pfrag->size - pfrag->offset));
	if (!copy)
		return -ENOMEM;
	err = skb_copy_to_page_nocache(sk, &msg->msg_iter, skb, pfrag->page,
				       pfrag->offset, copy);
	if (err)
		return err;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], copy);
	} else {
		skb_fill_page_desc(skb, i, pfrag->page, pfrag->offset, copy);
		page_ref_inc(pfrag->page);
	}
	pfrag->offset += copy;
	WRITE_ONCE(tp->write_seq, tp->write_seq + copy);
	TANDEM_CB(skb)->end_seq += copy;
	return copy;
}

int tandem_append_bytes(struct sock *sk, struct msghdr *msg, u32 want, bool push)
{
	struct sk_buff *skb = tandem_alloc_skb(sk, sk->sk_allocation, false);
	u32 copied = 0;
	int n = 0;

	if (!skb)
		return 0;
	append_skb(sk, skb);
	tandem_clock_tick(tandem_sk(sk));
	tandem_chrono_start(sk, TANDEM_CHRONO_BUSY);
	while (copied < want) {
		n = copy_to_tail(sk, skb, msg, want - copied);
		if (n <= 0)
			break;
		copied += n;
	}
	remove_empty_tail(sk);
	if (push && copied == want)
		TANDEM_CB(skb)->flags |= TANDEM_F_PSH;
	return copied;
}

/* ---- MSG_ZEROCOPY ---- */

/*
 * Who tells the program when its pages are free again (error queue): *@uarg.  NULL:
 * the bytes are copied, and there is nothing to tell.  0 or -ENOBUFS.
 */
static int zerocopy_begin(struct sock *sk, const struct msghdr *msg, size_t size,
			  struct ubuf_info **uarg)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_write_queue);

	*uarg = NULL;
	/* io_uring's msg_ubuf waits for us in its own way, and we do not use it. */
	if (!(msg->msg_flags & MSG_ZEROCOPY) || !size || msg->msg_ubuf ||
	    !sock_flag(sk, SOCK_ZEROCOPY))
		return 0;
	*uarg = tandem_zerocopy_realloc(sk, size, skb_zcopy(tail));
	if (!*uarg)
		return -ENOBUFS;
	if (!(sk->sk_route_caps & NETIF_F_SG))
		uarg_to_msgzc(*uarg)->zerocopy = 0;	/* tell that we copy */
	return 0;
}

/* As copy_to_tail(), but the pages are the program's own. */
static int map_to_tail(struct sock *sk, struct sk_buff *skb, struct msghdr *msg,
		       u32 want, struct ubuf_info *uarg)
{
	struct tandem_sock *tp = tandem_sk(sk);
	int n;

	want = wmem_schedule(sk, want);
	if (!want)
		return -ENOMEM;
	n = tandem_zerocopy_iter(sk, skb, msg, want, uarg);
	if (n == -EMSGSIZE || n == -EEXIST)
		return 0;	/* no room, or another write's pages are in it */
	if (n <= 0)
		return n ? : -EFAULT;
	WRITE_ONCE(tp->write_seq, tp->write_seq + n);
	TANDEM_CB(skb)->end_seq += n;
	return n;
}

/* ---- MSG_SPLICE_PAGES ---- */

/*
 * As copy_to_tail(), but the pages are a file's or a pipe's and stay where they are: up to
 * the peer's ACK they may be written to, and then that is what is sent, as with TCP.  (A
 * segment summed before and sent after such a write is dropped by the peer, and sent again.)
 */
static int splice_to_tail(struct sock *sk, struct sk_buff *skb, struct msghdr *msg, u32 want)
{
	struct tandem_sock *tp = tandem_sk(sk);
	ssize_t n;

	want = wmem_schedule(sk, want);
	if (!want)
		return -ENOMEM;
	n = tandem_splice_from_iter(skb, &msg->msg_iter, want, sk->sk_allocation);
	if (n == -EMSGSIZE)
		return 0;	/* no room */
	if (n <= 0)
		return n ? : -EFAULT;
	if (!(msg->msg_flags & MSG_NO_SHARED_FRAGS))
		skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	sk_wmem_queued_add(sk, n);
	sk_mem_charge(sk, n);
	WRITE_ONCE(tp->write_seq, tp->write_seq + n);
	TANDEM_CB(skb)->end_seq += n;
	return n;
}

/* ---- pushing ---- */

static void mark_push(struct tandem_sock *tp, struct sk_buff *skb)
{
	TANDEM_CB(skb)->flags |= TANDEM_F_PSH;
	tp->pushed_seq = tp->write_seq;
}

/* PSH at least every half window, so that no receiver sits on data (Linux). */
static bool push_is_due(const struct tandem_sock *tp)
{
	return seq_after(tp->write_seq, tp->pushed_seq + (tp->max_window >> 1));
}

/* The call ends, or must wait: send what may be sent. */
static void push_tail(struct sock *sk, int flags, u32 mss)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	struct tandem_sock *tp = tandem_sk(sk);
	u8 nonagle = tp->nonagle;

	if (!skb)
		return;
	if (!(flags & MSG_MORE) || push_is_due(tp))
		mark_push(tp, skb);
	if (flags & MSG_OOB)
		tandem_urgent_send(tp);
	if (flags & MSG_MORE || (!(flags & MSG_OOB) && tandem_hold_for_fin(sk)))
		nonagle = TANDEM_NAGLE_CORK;
	tandem_push(sk, mss, nonagle);
}

/* An skb is full: send early, so that a long write keeps the pipe busy. */
static void push_full(struct sock *sk, struct sk_buff *skb, u32 mss)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (push_is_due(tp)) {
		mark_push(tp, skb);
		tandem_push(sk, mss, TANDEM_NAGLE_PUSH);
	} else if (skb == tandem_send_head(sk)) {
		tandem_push_one(sk, mss);
	}
}

/* Wait for room in the send buffer. 0, or the error of sk_stream_wait_memory(). */
static int wait_for_space(struct sock *sk, int flags, u32 mss, bool copied, long *timeo)
{
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	remove_empty_tail(sk);
	if (copied)
		push_tail(sk, flags & ~MSG_MORE, mss);
	else
		tandem_push_pending(sk);
	return sk_stream_wait_memory(sk, timeo);
}

static int check_cmsg(struct sock *sk, struct msghdr *msg, u32 *tsflags)
{
	struct sockcm_cookie sockc;
	int err = 0;

	sockcm_init(&sockc, sk);
	if (msg->msg_controllen)
		err = sock_cmsg_send(sk, msg, &sockc);
	*tsflags = sockc.tsflags;
	return err ? -EINVAL : 0;
}

static bool holds_nothing(const struct sock *sk)
{
	return skb_queue_empty(&sk->sk_write_queue) &&
	       RB_EMPTY_ROOT(&tandem_sk(sk)->rtx_queue);
}

static int may_send(struct sock *sk, long *timeo)
{
	int err;

	/* Fast open: the server need not wait for the end of the handshake. */
	if (tandem_state_bit(sk) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) &&
	    !(sk->sk_state == TCP_SYN_RECV && tandem_sk(sk)->fo_pending)) {
		err = sk_stream_wait_connect(sk, timeo);
		if (err)
			return err;
	}
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	return 0;
}

/*
 * The copy loop. Returns 0 or -errno; *copied is true either way, and *last_mss what
 * segments have now.
 */
static int send_bytes(struct sock *sk, struct msghdr *msg, struct ubuf_info *uarg,
		      long *timeo, int *copied, u32 *last_mss)
{
	bool sg = sk->sk_route_caps & NETIF_F_SG;
	u32 mss = tandem_current_mss(sk), goal = tandem_size_goal(sk, mss), room;
	int flags = msg->msg_flags, n, err;
	struct sk_buff *skb;

	*last_mss = mss;
	while (msg_data_left(msg)) {
		skb = open_tail(sk, goal, &room);
		if (!skb) {
			room = goal;
			if (sk_stream_memory_free(sk))
				skb = tandem_alloc_skb(sk, sk->sk_allocation, holds_nothing(sk));
			if (skb)
				append_skb(sk, skb);
		}
		room = min_t(size_t, room, msg_data_left(msg));
		/* More follows what was pushed; a push within this write stays one (Linux). */
		if (skb && !*copied)
			TANDEM_CB(skb)->flags &= ~TANDEM_F_PSH;
		if (!skb)
			n = -ENOMEM;
		else if (sg && uarg)
			n = map_to_tail(sk, skb, msg, room, uarg);
		else if (sg && flags & MSG_SPLICE_PAGES)
			n = splice_to_tail(sk, skb, msg, room);
		else
			n = copy_to_tail(sk, skb, msg, room);
		if (n == 0) {
			/* No fragment left: this skb is done, whatever its size, and says so. */
			TANDEM_CB(skb)->eor = 1;
			mark_push(tandem_sk(sk), skb);
			continue;
		}
		if (n == -ENOMEM) {
			err = wait_for_space(sk, flags, mss, *copied, timeo);
			if (!err && (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN))
				err = -EPIPE;
			if (err)
				return err;
			mss = tandem_current_mss(sk);
			*last_mss = mss;
			goal = tandem_size_goal(sk, mss);
			continue;
		}
		if (n < 0)
			return n;
		*copied += n;
		if (skb->len >= goal && msg_data_left(msg))
			push_full(sk, skb, mss);
		else if (flags & MSG_EOR && !msg_data_left(msg))
			TANDEM_CB(skb)->eor = 1;
	}
	return 0;
}

static int sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	int flags = msg->msg_flags, copied = 0, err;
	struct ubuf_info *uarg = NULL;
	u32 tsflags = 0, mss = 0;

	err = zerocopy_begin(sk, msg, size, &uarg);
	if (!err)
		err = may_send(sk, &timeo);
	if (!err)
		err = check_cmsg(sk, msg, &tsflags);
	if (!err && tsflags)
		tandem_tx_stamp_base(sk);
	tandem_check_app_limited(sk);
	if (!err)
		err = sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN ? -EPIPE : 0;
	if (!err)
		err = send_bytes(sk, msg, uarg, &timeo, &copied, &mss);
	remove_empty_tail(sk);
	if (copied) {
		tandem_tx_stamp_request(sk, tsflags);
		push_tail(sk, flags, mss);
	}
	if (copied || !err) {
		net_zcopy_put(uarg);
		return copied;
	}
	net_zcopy_put_abort(uarg, true);
	err = sk_stream_error(sk, flags, err);
	/* An edge-triggered poller must hear of the room that is there after all. */
	if (err == -EAGAIN && holds_nothing(sk)) {
		sk->sk_write_space(sk);
		tandem_chrono_stop(sk, TANDEM_CHRONO_SNDBUF);
	}
	return err;
}

/* sendmsg() that opens the connection: with the SYN goes what may, then the rest. */
static int sendmsg_opens(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct ubuf_info *uarg;
	int copied, err, ret;

	err = zerocopy_begin(sk, msg, size, &uarg);
	if (err)
		return sk_stream_error(sk, msg->msg_flags, err);
	err = tandem_fastopen_sendmsg(sk, msg, size, &copied);
	if (!copied) {
		net_zcopy_put_abort(uarg, true);
	} else if (uarg) {
		/* What went with the SYN was copied.  So is the rest: it is told of once. */
		uarg_to_msgzc(uarg)->zerocopy = 0;
		net_zcopy_put(uarg);
		msg->msg_flags &= ~MSG_ZEROCOPY;
	}
	if (err == -EINPROGRESS && copied)
		return copied;
	if (err)
		return sk_stream_error(sk, msg->msg_flags, err);
	if (copied == size && size)
		return copied;
	ret = sendmsg_locked(sk, msg, size - copied);
	return copied && ret < 0 ? copied : copied + ret;
}

/**
 * tandem_sendmsg() - proto.sendmsg
 * @sk:		the socket
 * @msg:	bytes and flags
 * @size:	bytes in all
 *
 * Return: bytes taken, which may be fewer than @size; -EPIPE (with SIGPIPE unless
 * MSG_NOSIGNAL), -EAGAIN, -ENOTCONN, -EOPNOTSUPP, -EFAULT, -EINTR, or the error that
 * ended the connection; with MSG_FASTOPEN also connect()'s.
 */
int tandem_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	int ret;

	msg->msg_flags &= TANDEM_SENDMSG_FLAGS;
	lock_sock(sk);
	if (unlikely(tandem_fastopen_opens(sk, msg->msg_flags)))
		ret = sendmsg_opens(sk, msg, size);
	else
		ret = sendmsg_locked(sk, msg, size);
	release_sock(sk);
	return ret;
}

#ifdef TANDEM_HAVE_SENDPAGE
/**
 * tandem_sendpage() - proto.sendpage, until 6.5
 * @sk:		the socket
 * @page:	gets a reference until its bytes are acknowledged
 * @offset:	of the first byte in it
 * @size:	bytes
 * @flags:	as sendmsg()'s, and MSG_SENDPAGE_NOTLAST: more pages come at once
 *
 * Return: as tandem_sendmsg().
 */
int tandem_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	struct bio_vec bv = { .bv_page = page, .bv_len = size, .bv_offset = offset };
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };
	int ret;

	/* Memory that cannot be shared, or a write that goes with a SYN: copied. */
	if (!sendpage_ok(page) || tandem_fastopen_opens(sk, flags))
		return sock_no_sendpage(sk->sk_socket, page, offset, size, flags);
	if (flags & MSG_SENDPAGE_NOTLAST)
		msg.msg_flags |= MSG_MORE;
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, size);
	lock_sock(sk);
	ret = sendmsg_locked(sk, &msg, size);
	release_sock(sk);
	return ret;
}
#endif
