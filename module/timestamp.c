// SPDX-License-Identifier: GPL-2.0
/*
 * timestamp.c - when bytes came and went, as Documentation/networking/timestamping.rst
 * wants it from a stream.
 *
 * Received: the core stamps the segment; what a read() returns is told with the stamp
 * of the last segment it took from.  Sent: a write() asks for its last byte; the skb
 * that holds the byte carries the request, the qdisc and the driver answer it
 * (SCM_TSTAMP_SCHED, SND), and ack.c when the byte is acknowledged (SCM_TSTAMP_ACK).
 *
 * With SOF_TIMESTAMPING_OPT_ID an answer names its byte.  For TCP the core subtracts
 * where counting began, for us it does not know to: skb_shinfo()->tskey is the
 * difference already.  The core zeroes sk_tskey whenever OPT_ID is switched on and
 * leaves it alone else, so 0 there says that tskey_base is still to be taken.
 */
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <net/sock.h>
#include "output.h"
#include "sock.h"
#include "timestamp.h"

/* Flags that came after 6.1; no kernel lets a program set what it does not know. */
#define OPT_ID_TCP	BIT(16)	/* SOF_TIMESTAMPING_OPT_ID_TCP, 6.2 */
#define OPT_RX_FILTER	BIT(17)	/* SOF_TIMESTAMPING_OPT_RX_FILTER, 6.12 */

/* ---- received ---- */

void tandem_rx_stamp_note(struct tandem_rx_stamp *stamp, const struct sk_buff *skb)
{
	stamp->software = skb->tstamp;
	stamp->hardware = skb_hwtstamps((struct sk_buff *)skb)->hwtstamp;
}

/* SO_TIMESTAMP and SO_TIMESTAMPNS, each in the old form or that of 2038. */
static void put_simple(const struct sock *sk, struct msghdr *msg, ktime_t when)
{
	struct timespec64 ts = ktime_to_timespec64(when);
	bool fresh = sock_flag(sk, SOCK_TSTAMP_NEW);

	if (sock_flag(sk, SOCK_RCVTSTAMPNS) && fresh) {
		struct __kernel_timespec t = { ts.tv_sec, ts.tv_nsec };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_NEW, sizeof(t), &t);
	} else if (sock_flag(sk, SOCK_RCVTSTAMPNS)) {
		struct __kernel_old_timespec t = { ts.tv_sec, ts.tv_nsec };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_OLD, sizeof(t), &t);
	} else if (fresh) {
		struct __kernel_sock_timeval t = { ts.tv_sec, ts.tv_nsec / 1000 };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_NEW, sizeof(t), &t);
	} else {
		struct __kernel_old_timeval t = { ts.tv_sec, ts.tv_nsec / 1000 };

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_OLD, sizeof(t), &t);
	}
}

/* SO_TIMESTAMPING: three stamps, the second of which nobody uses any more. */
static void put_timestamping(const struct sock *sk, struct msghdr *msg,
			     ktime_t software, ktime_t hardware)
{
	struct timespec64 sw = ktime_to_timespec64(software);
	struct timespec64 hw = ktime_to_timespec64(hardware);

	if (sock_flag(sk, SOCK_TSTAMP_NEW)) {
		struct scm_timestamping64 t = {
			.ts = { { sw.tv_sec, sw.tv_nsec }, {},
				{ hw.tv_sec, hw.tv_nsec } },
		};

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPING_NEW, sizeof(t), &t);
	} else {
		struct scm_timestamping t = {
			.ts = { { sw.tv_sec, sw.tv_nsec }, {},
				{ hw.tv_sec, hw.tv_nsec } },
		};

		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPING_OLD, sizeof(t), &t);
	}
}

/* Does the program want stamps of this source, when it may have asked for others? */
static bool wanted(u32 tsflags, u32 report, u32 generate)
{
	return tsflags & report &&
	       (tsflags & generate || !(tsflags & OPT_RX_FILTER));
}

void tandem_rx_stamp_put(const struct sock *sk, struct msghdr *msg,
			 const struct tandem_rx_stamp *stamp)
{
	ktime_t software = stamp->software, hardware = stamp->hardware;
	u32 tsflags = READ_ONCE(sk->sk_tsflags);

	if (software && sock_flag(sk, SOCK_RCVTSTAMP))
		put_simple(sk, msg, software);
	if (!wanted(tsflags, SOF_TIMESTAMPING_SOFTWARE, SOF_TIMESTAMPING_RX_SOFTWARE))
		software = 0;
	if (!wanted(tsflags, SOF_TIMESTAMPING_RAW_HARDWARE, SOF_TIMESTAMPING_RX_HARDWARE))
		hardware = 0;
	if (software || hardware)
		put_timestamping(sk, msg, software, hardware);
}

/* ---- sent ---- */

void tandem_tx_stamp_base(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 tsflags = READ_ONCE(sk->sk_tsflags);

	if (!(tsflags & SOF_TIMESTAMPING_OPT_ID) || atomic_read(&sk->sk_tskey))
		return;
	/* Without OPT_ID_TCP what is still unacknowledged counts, as for TCP. */
	tp->tskey_base = tsflags & OPT_ID_TCP ? tp->write_seq : tp->snd_una;
	atomic_set(&sk->sk_tskey, 1);
}

void tandem_tx_stamp_request(struct sock *sk, u32 tsflags)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	struct tandem_sock *tp = tandem_sk(sk);
	struct skb_shared_info *info;

	if (!tsflags)
		return;
	if (!skb)
		skb = skb_rb_last(&tp->rtx_queue);
	if (!skb)
		return;
	info = skb_shinfo(skb);
	__sock_tx_timestamp(tsflags, &info->tx_flags);
	if (tsflags & SOF_TIMESTAMPING_TX_ACK)
		TANDEM_CB(skb)->ts_ack = 1;
	if (tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK)
		info->tskey = TANDEM_CB(skb)->seq + skb->len - 1 - tp->tskey_base;
}

void tandem_tx_stamp_split(const struct sock *sk, struct sk_buff *skb,
			   struct sk_buff *tail)
{
	struct skb_shared_info *from = skb_shinfo(skb), *to = skb_shinfo(tail);
	u8 stamps = from->tx_flags & SKBTX_ANY_TSTAMP;

	/* The control block was copied whole. */
	if (!stamps && !TANDEM_CB(skb)->ts_ack)
		return;
	if (seq_before(from->tskey + tandem_sk(sk)->tskey_base, TANDEM_CB(tail)->seq)) {
		TANDEM_CB(tail)->ts_ack = 0;
		return;
	}
	from->tx_flags &= ~stamps;
	to->tx_flags |= stamps;
	swap(from->tskey, to->tskey);
	TANDEM_CB(skb)->ts_ack = 0;
}

void tandem_tx_stamp_acked(struct sock *sk, struct sk_buff *skb,
			   const struct sk_buff *ack_skb)
{
	if (likely(!TANDEM_CB(skb)->ts_ack))
		return;
	/* The answer is a clone, and a tree's node lies where a clone has its device. */
	if (WARN_ON_ONCE(skb->rbnode.rb_left))
		return;
	__skb_tstamp_tx(skb, ack_skb, NULL, sk, SCM_TSTAMP_ACK);
}
