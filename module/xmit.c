// SPDX-License-Identifier: GPL-2.0
/*
 * xmit.c - one segment onto the wire.
 *
 * Every segment leaves through tandem_transmit_skb(): data, SYN, FIN, pure ACK,
 * probe and reset alike.  That is what makes piggybacking a property of the design
 * rather than a special case: whatever leaves carries the newest ACK number, window,
 * timestamps and SACK blocks (RFC 9293 section 3.10.2), and settles the ACK we owed.
 *
 * A queued segment is never given away.  A clone goes down to IP; payload lives in
 * page fragments that clone and original share, and the header is written into the
 * head room.  When the last clone is still alive somewhere (a qdisc, a receiver on
 * the same machine) the header room is copied, not overwritten under its feet.
 */
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/sock.h>
#include "ack.h"
#include "advert.h"
#include "demux.h"
#include "ecn.h"
#include "fastopen.h"
#include "handshake.h"
#include "input.h"
#include "offload.h"
#include "output.h"
#include "rare.h"
#include "rcvq.h"
#include "recovery.h"
#include "stream.h"
#include "timer.h"
#include "trace.h"
#include "tsq.h"
#include "urgent.h"
#include "wire.h"
#include "xmit.h"

/* Less payload is summed sooner than said not to be. */
#define SUM_WAITS_LEN	256

unsigned int tandem_established_opts_len(const struct tandem_sock *tp)
{
	struct tandem_opts o = {};

	if (tp->ts_ok)
		o.have |= TANDEM_OPT_TS;
	if (tp->sack_ok && (tp->n_sacks || tp->dsack)) {
		o.have |= TANDEM_OPT_SACK;
		o.nsack = min_t(u8, tp->n_sacks + tp->dsack,
				tandem_opts_sack_room(&o));
	}
	return tandem_opts_len(&o);
}

/* Options of a SYN: what we offer; of a SYN-ACK: what both sides have. */
static void syn_options(struct sock *sk, struct tandem_opts *o, bool syn_ack)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	struct tandem_sock *tp = tandem_sk(sk);

	o->have = TANDEM_OPT_MSS;
	o->mss = tp->advmss;
	/* ICMP may have told of a smaller path since the first SYN. */
	if (dst)
		o->mss = min(o->mss, tandem_advmss(sk, dst));
	if (syn_ack ? tp->wscale_ok : tandem_sk_knob(sk, window_scaling)) {
		o->have |= TANDEM_OPT_WSCALE;
		o->wscale = tp->rcv_wscale;
	}
	if (syn_ack ? tp->sack_ok : tandem_sk_knob(sk, sack))
		o->have |= TANDEM_OPT_SACK_OK;
	if (syn_ack ? tp->ts_ok : tandem_sk_knob(sk, timestamps))
		o->have |= TANDEM_OPT_TS;
}

/* RFC 7413 section 4.1.3: a SYN that goes again goes without. */
static void fastopen_option(const struct tandem_sock *tp, struct tandem_opts *o,
			    bool syn_ack, bool again)
{
	if (syn_ack) {
		if (!tp->passive || !tp->rare || !tp->rare->fo_cookie.len)
			return;
		o->cookie = tp->rare->fo_cookie;
	} else {
		if (!tp->syn_fastopen || again)
			return;
		/* Without one that asks for one. */
		o->cookie.len = 0;
		if (tp->syn_cookie)
			o->cookie = tp->fo_req->cookie;
		o->cookie.exp = tp->syn_exp;
	}
	o->have |= TANDEM_OPT_FASTOPEN;
}

static void build_options(struct sock *sk, struct tandem_opts *o, u8 flags, bool again)
{
	struct tandem_sock *tp = tandem_sk(sk);

	o->have = 0;
	o->nsack = 0;
	if (flags & TANDEM_F_SYN) {
		syn_options(sk, o, flags & TANDEM_F_ACK);
		fastopen_option(tp, o, flags & TANDEM_F_ACK, again);
	} else if (tp->ts_ok) {
		o->have = TANDEM_OPT_TS;
	}

	if (o->have & TANDEM_OPT_TS) {
		o->tsval = tandem_ts_at(tp, tp->clock_us);
		o->tsecr = flags & TANDEM_F_ACK ? tp->ts_recent : 0;
	}
	if (tp->sack_ok && !(flags & (TANDEM_F_SYN | TANDEM_F_RST)))
		tandem_rcvq_sacks(sk, o);
}

/* The 16 bits of the window field; a SYN's is never scaled (RFC 7323 2.2). */
static u16 window_field(struct sock *sk, u8 flags)
{
	if (flags & TANDEM_F_RST)
		return 0;
	if (flags & TANDEM_F_SYN)
		return min(tandem_sk(sk)->rcv_wnd, 65535U);
	return tandem_select_window(sk);
}

static void count_sent(struct sock *sk, const struct tandem_skb_cb *cb, u32 len)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 segs = max_t(u32, cb->segs, 1);	/* 0: it is in no queue */

	tp->segs_out += segs;
	if (cb->sacked & TANDEM_S_EVER_RETRANS) {
		TANDEM_SK_ADD(sk, RETRANSSEGS, segs);
		if (len)
			TANDEM_SK_ADD(sk, RETRANSBYTES, len);
	} else {
		TANDEM_SK_ADD(sk, OUTSEGS, segs);
	}
	if (!len)
		return;
	tp->data_segs_out += segs;
	tp->bytes_sent += len;
	tp->last_sent_us = tp->clock_us;
	TANDEM_SK_ADD(sk, OUTDATASEGS, segs);
	if (segs > 1)
		TANDEM_SK_INC(sk, OUTSUPER);
	if (!(cb->sacked & TANDEM_S_EVER_RETRANS))
		TANDEM_SK_ADD(sk, OUTBYTES, len);
}

/* Who cuts the skb down there, and how.  Nobody else sees this shared info now. */
static void note_gso(const struct sock *sk, struct sk_buff *skb,
		     const struct tandem_skb_cb *cb, u8 flags)
{
	struct skb_shared_info *info = skb_shinfo(skb);

	info->gso_segs = max_t(u16, cb->segs, 1);
	info->gso_size = 0;
	info->gso_type = 0;
	if (cb->segs <= 1) {
		if (tandem_sk(sk)->sum_waits && skb->len >= SUM_WAITS_LEN)
			tandem_mark_single(skb, skb->len, sk->sk_gso_type);
		return;
	}
	info->gso_size = cb->mss;
	info->gso_type = sk->sk_gso_type;
	if (flags & TANDEM_F_CWR)	/* of the first alone */
		info->gso_type |= SKB_GSO_TCP_ECN;
}

/* With options of whatever kind. */
static noinline struct tcphdr *push_with_options(struct sock *sk, struct sk_buff *skb,
						 const struct tandem_skb_cb *cb, u32 ack,
						 u8 flags, u16 window)
{
	struct tandem_opts opts;

	build_options(sk, &opts, flags, cb->sacked & TANDEM_S_EVER_RETRANS);
	return tandem_push_header(skb, inet_sk(sk)->inet_sport, inet_sk(sk)->inet_dport,
				  cb->seq, ack, flags, window, &opts);
}

/* Nearly every segment has timestamps and nothing else. */
static struct tcphdr *push_header(struct sock *sk, struct sk_buff *skb,
				  const struct tandem_skb_cb *cb, u32 ack, u8 flags,
				  u16 window)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if (!tp->ts_ok || tp->n_sacks || tp->dsack || !(flags & TANDEM_F_ACK) ||
	    flags & TANDEM_F_SYN)
		return push_with_options(sk, skb, cb, ack, flags, window);
	skb_push(skb, TANDEM_OPTS_TS_LEN);
	tandem_opts_write_ts(skb->data, tandem_ts_at(tp, tp->clock_us), tp->ts_recent);
	return tandem_push_fixed(skb, inet_sk(sk)->inet_sport, inet_sk(sk)->inet_dport,
				 cb->seq, ack, flags, window, TANDEM_OPTS_TS_LEN);
}

int tandem_transmit_at(struct sock *sk, struct sk_buff *skb, bool clone, gfp_t gfp)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_skb_cb sent = *cb;
	u8 flags = sent.flags;
	u32 len = skb->len;
	struct tcphdr *th;
	unsigned long node;
	u16 window;
	u32 ack;
	int err;

	if (clone) {
		struct sk_buff *queued = skb;

		cb->sent_us = tp->clock_us;
		tandem_rate_sent(&tp->rate, &tp->cc, &cb->rate, cb->sent_us,
				 tandem_pipe(tp), cb->segs);
		node = tandem_rtx_hide(queued);
		skb = skb_cloned(skb) ? pskb_copy(skb, gfp) : skb_clone(skb, gfp);
		tandem_rtx_show(queued, node);
		if (unlikely(!skb)) {
			TANDEM_SK_INC(sk, OUTNOMEM);
			return -ENOBUFS;
		}
		/* In the retransmission tree the node shares its place with dev. */
		skb->dev = NULL;
		skb->tstamp = 0;
	}
	if (unlikely(tp->tx_delay_us))
		tandem_skb_set_edt(skb, tandem_clock_ns(tp) +
				   (u64)tp->tx_delay_us * NSEC_PER_USEC);

	flags |= tandem_ecn_send(sk, &sent, len);
	/* As TCP's: where many go in one piece, a receiver's GRO need not wait for more. */
	if (sent.segs > 1 && tp->wire == TANDEM_WIRE_TCP)
		flags |= TANDEM_F_PSH;
	note_gso(sk, skb, &sent, flags);
	window = window_field(sk, flags);
	ack = sent.flags & TANDEM_F_ACK ? tp->rcv_nxt : 0;
	th = push_header(sk, skb, &sent, ack, flags, window);
	if (unlikely(tandem_urgent_out(tp)))
		flags |= tandem_urgent_header(tp, sent.seq, th);

	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = tp->wire == TANDEM_WIRE_TCP && skb_is_gso(skb) ? sock_wfree :
									    tandem_wfree;
	refcount_add(skb->truesize, &sk->sk_wmem_alloc);
	skb_set_hash_from_sk(skb, sk);
	skb_set_dst_pending_confirm(skb, READ_ONCE(sk->sk_dst_pending_confirm));

	if (sent.flags & TANDEM_F_ACK)
		tandem_ack_sent(sk, !len && !(sent.flags & (TANDEM_F_SYN |
							    TANDEM_F_FIN |
							    TANDEM_F_RST)));
	count_sent(sk, &sent, len);
	trace_tandem_send(sk, skb, sent.seq, ack, flags, len, window);

	tp->af->checksum(sk, skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	err = tp->af->queue_xmit(sk, skb);
	if (likely(err <= 0))
		return err;
	/* The local queue dropped it, or asks for less: there is congestion here. */
	TANDEM_SK_INC(sk, OUTLOCALDROP);
	if (clone)
		tandem_recovery_local_drop(sk);
	return net_xmit_eval(err);
}

/* An skb without payload whose header will say @seq and @flags. */
static struct sk_buff *bare_segment(struct sock *sk, u32 seq, u8 flags, gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb(TANDEM_MAX_HEADER, gfp | __GFP_NOWARN);
	struct tandem_skb_cb *cb;

	if (!skb) {
		TANDEM_SK_INC(sk, OUTNOMEM);
		return NULL;
	}
	skb_reserve(skb, TANDEM_MAX_HEADER);
	cb = TANDEM_CB(skb);
	memset(cb, 0, sizeof(*cb));
	cb->seq = seq;
	cb->end_seq = seq + !!(flags & TANDEM_F_SYN) + !!(flags & TANDEM_F_FIN);
	cb->flags = flags;
	return skb;
}

/*
 * A sequence number that the peer accepts for a segment without data: SND.NXT, but
 * never beyond the edge of a window that has shrunk (Linux tcp_acceptable_seq()).
 */
static u32 acceptable_seq(const struct tandem_sock *tp)
{
	u32 edge = tandem_snd_wnd_end(tp);

	return seq_before(edge, tp->snd_nxt) ? edge : tp->snd_nxt;
}

void tandem_send_ack(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (unlikely(tp->syn_held)) {
		/* Nobody knows this connection before the SYN-ACK: that is our ACK. */
		tandem_fastopen_release(sk);
		return;
	}
	skb = bare_segment(sk, acceptable_seq(tp), TANDEM_F_ACK, sk_gfp_mask(sk, GFP_ATOMIC));
	if (!skb) {
		/* No memory now: an ACK owed a little longer is better than none. */
		tp->ack_pending |= TANDEM_ACK_SCHED;
		tandem_timer_ack_owed(sk, msecs_to_jiffies(200));
		return;
	}
	tandem_transmit_skb(sk, skb, false, GFP_ATOMIC);
}

/*
 * A probe carries SND.UNA - 1, an old number the peer must answer with an ACK that
 * tells its window (RFC 9293 section 3.10.7.4, first check).  One with SND.UNA itself
 * it need not answer, but it is not old, so its urgent pointer counts (MUST-66).
 */
static int send_probe(struct sock *sk, bool urgent)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	skb = bare_segment(sk, tp->snd_una - !urgent, TANDEM_F_ACK,
			   sk_gfp_mask(sk, GFP_ATOMIC));
	if (!skb)
		return -ENOBUFS;
	return tandem_transmit_skb(sk, skb, false, GFP_ATOMIC);
}

int tandem_write_wakeup(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb = tandem_send_head(sk);
	u32 room, mss;

	if (sk->sk_state == TCP_CLOSE)
		return -1;
	if (!skb || !seq_before(TANDEM_CB(skb)->seq, tandem_snd_wnd_end(tp))) {
		if (tandem_urgent_out(tp))
			send_probe(sk, true);
		return send_probe(sk, false);
	}

	/*
	 * There is a little room: the override of sender-side silly window
	 * avoidance (RFC 9293 section 3.8.6.2.1, case 4), so the peer cannot keep
	 * us waiting for ever with a window below one segment.
	 */
	mss = tandem_current_mss(sk);
	room = tandem_snd_wnd_end(tp) - TANDEM_CB(skb)->seq;
	if (room < skb->len || skb->len > mss) {
		room = min(room, mss);
		if (tandem_fragment(sk, skb, room, mss, false, GFP_ATOMIC))
			return -1;
	}
	/* Whoever gets it should not wait for more: we did, and none came. */
	TANDEM_CB(skb)->flags |= TANDEM_F_PSH;
	tandem_clock_tick(tp);
	return tandem_send_head_now(sk, skb, mss, GFP_ATOMIC);
}

void tandem_send_probe0(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	int err = tandem_write_wakeup(sk);

	if (tp->packets_out || !tandem_send_head(sk)) {
		/* The probe was data, or there is nothing left to ask for. */
		tp->probes_out = 0;
		tp->backoff = 0;
		return;
	}
	TANDEM_SK_INC(sk, WINPROBES);
	if (err <= 0 && tp->backoff < 30)
		tp->backoff++;
	if (tp->probes_out < U8_MAX)
		tp->probes_out++;
	if (!tp->first_rtx_us)
		tp->first_rtx_us = tandem_now_us();
	if (err > 0)
		tandem_timer_probe_refused(sk);
	else
		tandem_timer_window_closed(sk);
}

void tandem_send_active_reset(struct sock *sk, gfp_t gfp, enum tandem_reason why)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	skb = bare_segment(sk, acceptable_seq(tp), TANDEM_F_ACK | TANDEM_F_RST, gfp);
	if (!skb)
		return;
	TANDEM_SK_INC(sk, OUTRSTS);
	trace_tandem_reset(sk, why);
	tandem_transmit_skb(sk, skb, false, gfp);
}
