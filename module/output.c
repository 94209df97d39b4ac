// SPDX-License-Identifier: GPL-2.0
/*
 * output.c - what may be sent now.
 *
 * The program chooses sizes, this room chooses segments.  The write queue holds what
 * was never sent; a segment at its head may go when all of these agree:
 *
 *   cwnd    pipe < cwnd                           RFC 5681 section 3.1
 *   window  it ends inside snd_una + snd_wnd      RFC 9293 section 3.8.6
 *   Nagle   it is full, or nothing small is out   RFC 9293 section 3.7.4, Minshall's
 *           variant as in Linux
 *
 * Once sent it moves to the retransmission tree (rtxq.c).  When nothing is in flight
 * and the window lets nothing out, the probe timer takes over (timer.c).
 */
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/sock.h>
#include "advert.h"
#include "cong.h"
#include "early.h"
#include "ecn.h"
#include "fastopen.h"
#include "goal.h"
#include "handshake.h"
#include "input.h"
#include "mtuprobe.h"
#include "output.h"
#include "pace.h"
#include "path.h"
#include "rcvq.h"
#include "recovery.h"
#include "state.h"
#include "stream.h"
#include "thrift.h"
#include "timer.h"
#include "tsq.h"
#include "urgent.h"
#include "wire.h"
#include "xmit.h"

/* better_later(): a sender that sent nothing for so long does not wait for more room. */
#define DEFER_RECENT_US	USEC_PER_MSEC

void tandem_moved_out(struct sock *sk, struct sk_buff *skb)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 prior = tp->packets_out;

	tp->snd_nxt = TANDEM_CB(skb)->end_seq;
	__skb_unlink(skb, &sk->sk_write_queue);
	tandem_rtx_insert(sk, skb);
	tandem_rtx_sent(sk, skb);
	tandem_rtx_count(tp, TANDEM_CB(skb));
	tandem_prr_sent(&tp->prr, TANDEM_CB(skb)->segs);
	tandem_hold_settle(sk);
	if (!prior || tp->rtx_event == TANDEM_TIMER_PROBE)
		tandem_timer_data_sent(sk);
}

int tandem_send_head_now(struct sock *sk, struct sk_buff *skb, u32 mss, gfp_t gfp)
{
	struct tandem_sock *tp = tandem_sk(sk);
	int err;

	TANDEM_CB(skb)->flags |= TANDEM_F_ACK;
	tandem_set_segs(skb, mss);
	if (!tandem_pipe(tp))
		tandem_cong_tx_start(&tp->cc);
	/* What did not leave is not lost: it stays at the head and is tried again. */
	err = tandem_transmit_at(sk, skb, true, gfp);
	if (unlikely(err))
		return err;
	if (skb->len < mss * TANDEM_CB(skb)->segs)
		tp->snd_sml = TANDEM_CB(skb)->end_seq;
	tandem_ack_data_sent(sk);
	tandem_pace_sent(sk, skb->len);
	tandem_moved_out(sk, skb);
	return 0;
}

/* Minshall's test: is a small segment of ours still unacknowledged? */
static bool small_segment_out(const struct tandem_sock *tp)
{
	return seq_after(tp->snd_sml, tp->snd_una) &&
	       !seq_after(tp->snd_sml, tp->snd_nxt);
}

static bool nagle_allows(const struct tandem_sock *tp, const struct sk_buff *skb,
			 u32 mss, u8 nonagle)
{
	if (nonagle & TANDEM_NAGLE_PUSH || skb->len >= mss ||
	    TANDEM_CB(skb)->flags & TANDEM_F_FIN || tandem_urgent_out(tp))
		return true;
	if (nonagle & TANDEM_NAGLE_CORK)
		return false;
	if (nonagle & TANDEM_NAGLE_OFF)
		return true;
	return !tp->packets_out || !small_segment_out(tp);
}

/* TCP's rule, too: cwnd is no reason to keep the last segment of all. */
static bool is_last(const struct sk_buff *skb, u32 mss)
{
	return TANDEM_CB(skb)->flags & TANDEM_F_FIN && skb->len <= mss;
}

static bool window_allows(const struct tandem_sock *tp, const struct sk_buff *skb,
			  u32 mss)
{
	u32 end = TANDEM_CB(skb)->end_seq;

	if (skb->len > mss)
		end = TANDEM_CB(skb)->seq + mss;
	return !seq_after(end, tandem_snd_wnd_end(tp));
}

/*
 * The window for data.  The SYN-ACK of a fast open waits for its ACK like data, but the
 * initial window counts what comes behind the handshake (RFC 7413 section 4.2.2, RFC 6928).
 */
static u32 data_cwnd(const struct tandem_sock *tp)
{
	return tp->cc.cwnd + (unlikely(tp->fo_pending) && !tp->total_retrans);
}

/*
 * Of a long skb cwnd or the peer's window lets out a few segments: is it worth waiting for
 * the ACK that makes room for more?  For host and peer a short piece is as much work as a
 * long one, and its ACK lets out another short one.  The limits are Linux's
 * (tcp_tso_should_defer()): not when much may go (the knob tso_win_divisor), nor after a
 * pause; and the ACK must be near, that is, half a round trip old is what it will be of.
 * *@cwnd, *@rwnd: which of the two it was.
 */
static bool better_later(const struct sock *sk, const struct sk_buff *skb, u32 mss,
			 u32 burst, bool *cwnd, bool *rwnd)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	const struct tandem_sock *tp = tandem_sk(sk);
	u64 room = (u64)(data_cwnd(tp) - tandem_pipe(tp)) * mss;
	u32 share = tandem_sk_knob(sk, tso_win_divisor);
	u32 wnd = tandem_snd_wnd_end(tp) - cb->seq;
	u64 most = min_t(u64, room, wnd);
	const struct sk_buff *oldest;

	/* All of it may go: nothing says that more is to come. */
	if (!share || most >= (u64)burst * mss || most >= skb->len ||
	    most >= div_u64(min_t(u64, tp->snd_wnd, (u64)data_cwnd(tp) * mss), share))
		return false;
	if (tandem_in_recovery(tp) || cb->eor || cb->flags & TANDEM_F_FIN ||
	    tandem_urgent_out(tp) || tp->clock_us - tp->last_sent_us > DEFER_RECENT_US ||
	    list_empty(&tp->sent_list))
		return false;
	oldest = list_first_entry(&tp->sent_list, struct sk_buff, tcp_tsorted_anchor);
	/* What left in this very push is not answered soon, however short the round trip. */
	if (tp->clock_us - TANDEM_CB(oldest)->sent_us <= tp->cc.srtt_us / 2)
		return false;
	*cwnd = room < wnd && room <= skb->len;
	*rwnd = wnd <= room && wnd <= skb->len;
	return true;
}

/*
 * How much of @skb, which is longer than a segment, may go in one piece: as cwnd, pacing
 * and the peer's window allow, in full segments.  What is left over at its end goes with
 * them if Nagle lets it.
 */
static u32 piece(struct sock *sk, const struct sk_buff *skb, u32 mss, u32 burst, u8 nonagle,
		 u32 cwnd)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 wnd = tandem_snd_wnd_end(tp) - cb->seq, rest = skb->len % mss;
	u32 segs = min(cwnd - tandem_pipe(tp), burst);
	u32 most;

	/* As TCP: two pieces at least are under way, lest ACKs and sending take turns. */
	if (!tandem_thrifty(sk))
		segs = min(segs, max(tp->cc.cwnd >> 1, 1U));
	/* The urgent pointer is a segment's own. */
	if (unlikely(tandem_urgent_out(tp)))
		segs = 1;
	most = min_t(u64, skb->len, (u64)segs * mss);
	if (wnd < cb->end_seq - cb->seq)	/* which a FIN may be beyond, alone */
		most = min3(most, wnd, skb->len - 1);
	if (most < skb->len)
		return rounddown(most, mss);
	if (rest && (nonagle & TANDEM_NAGLE_CORK ||
		     (!(nonagle & TANDEM_NAGLE_OFF) && small_segment_out(tp))) &&
	    !(nonagle & TANDEM_NAGLE_PUSH || cb->flags & TANDEM_F_FIN))
		return skb->len - rest;
	return skb->len;
}

/*
 * RFC 7661 in spirit, as tcp_cwnd_validate(): did cwnd hold us back in this flight?
 * Only then may it grow.
 */
static void cwnd_validate(struct tandem_sock *tp, bool limited)
{
	if (seq_after_eq(tp->snd_una, tp->cwnd_usage_seq) || limited ||
	    (!tp->is_cwnd_limited && tp->packets_out > tp->max_packets_out)) {
		tp->is_cwnd_limited = limited;
		tp->max_packets_out = tp->packets_out;
		tp->cwnd_usage_seq = tp->snd_nxt;
	}
}

/* Nothing to send, and a writer waits: the send buffer is what is too small. */
static void note_sndbuf_limit(struct sock *sk)
{
	if (skb_queue_empty(&sk->sk_write_queue) && sk->sk_socket &&
	    test_bit(SOCK_NOSPACE, &sk->sk_socket->flags) &&
	    tandem_state_bit(sk) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))
		tandem_chrono_start(sk, TANDEM_CHRONO_SNDBUF);
}

/*
 * The sending loop.  @one: stop after one skb.  True: nothing is in flight and something
 * waits, so only a probe can get it moving.
 */
static bool write_xmit(struct sock *sk, u32 mss, u8 nonagle, bool one, gfp_t gfp)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool limited = false, rwnd = false, paced = false;
	u32 len, cwnd = data_cwnd(tp);
	struct sk_buff *skb;
	bool sent = false;

	/*
	 * As TCP: what leaves in one go was sent at one time.  RACK would else give what left
	 * a microsecond later than the last that arrived a timer's tick more.
	 */
	tp->push_at_once = !tandem_thrifty(sk);
	/* tandem_push_one() has a segment in mind, not a long one. */
	if (!one) {
		enum tandem_mtup_verdict probe = tandem_mtup_send(sk, gfp);

		if (probe == TANDEM_MTUP_WAIT) {
			tp->push_at_once = false;
			return false;
		}
		if (probe == TANDEM_MTUP_SENT)
			sent = true;
	}
	while (!(one && sent) && (skb = tandem_send_head(sk))) {
		u8 may = skb_queue_is_last(&sk->sk_write_queue, skb) ?
			 nonagle : nonagle | TANDEM_NAGLE_PUSH;

		if (tandem_pipe(tp) >= cwnd && !is_last(skb, mss)) {
			limited = true;
			TANDEM_SK_INC(sk, CWNDSTALL);
			break;
		}
		if (tandem_pace_blocks(sk)) {
			paced = true;
			break;
		}
		if (!window_allows(tp, skb, mss)) {
			TANDEM_SK_INC(sk, SNDWNDSTALL);
			rwnd = true;
			break;
		}
		if (skb->len > mss) {
			u32 burst = tandem_burst_segs(sk, mss);

			if (!one && better_later(sk, skb, mss, burst, &limited, &rwnd))
				break;
			len = piece(sk, skb, mss, burst, may, cwnd);
			if (len < skb->len && tandem_fragment(sk, skb, len, mss, false, gfp))
				break;
		} else if (!nagle_allows(tp, skb, mss, may)) {
			break;
		}
		if (tandem_tsq_blocks(sk, skb)) {
			TANDEM_SK_INC(sk, OUTTHROTTLED);
			paced = true;
			break;
		}
		if (sent && !tp->push_at_once)
			tandem_clock_tick(tp);
		if (tandem_send_head_now(sk, skb, mss, gfp))
			break;
		sent = true;
	}
	tp->push_at_once = false;
	if (rwnd)
		tandem_chrono_start(sk, TANDEM_CHRONO_RWND);
	else if (tp->chrono_runs == TANDEM_CHRONO_RWND)
		tandem_chrono_stop(sk, TANDEM_CHRONO_RWND);
	if (sent)
		tandem_tlp_schedule(sk, true);
	limited |= tandem_pipe(tp) >= cwnd;
	if (sent || limited)
		cwnd_validate(tp, limited);
	if (!limited && !paced)
		note_sndbuf_limit(sk);
	return !sent && !paced && !tp->packets_out && tandem_send_head(sk);
}

void tandem_check_app_limited(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->write_seq - tp->snd_nxt < tp->mss_cache &&
	    refcount_read(&sk->sk_wmem_alloc) < SKB_TRUESIZE(1) &&
	    tandem_pipe(tp) < tp->cc.cwnd && tp->lost_out <= tp->retrans_out)
		tandem_rate_app_limited(&tp->rate, &tp->cc, tandem_pipe(tp));
}

/* Idle for longer than an RTO: what cwnd knew is stale (RFC 5681 section 4.1). */
static void restart_after_idle(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!tp->packets_out && tp->last_sent_us &&
	    tandem_sk_knob(sk, slow_start_after_idle) &&
	    tp->clock_us - tp->last_sent_us > tp->rto_us)
		tandem_cwnd_restart(sk);
}

static void push_segs(struct sock *sk, u32 mss, u8 nonagle, bool one, gfp_t gfp)
{
	if (sk->sk_state == TCP_CLOSE || !tandem_send_head(sk))
		return;
	tandem_clock_tick(tandem_sk(sk));
	tandem_chrono_start(sk, TANDEM_CHRONO_BUSY);
	restart_after_idle(sk);
	/* A SYN-ACK that is held back waits for something to go with. */
	if (unlikely(tandem_sk(sk)->syn_held) &&
	    (skb_queue_is_last(&sk->sk_write_queue, tandem_send_head(sk)) ||
	     !tandem_send_syn_head(sk, nonagle, gfp)))
		return;
	if (write_xmit(sk, mss, nonagle, one, sk_gfp_mask(sk, gfp)) &&
	    tandem_sk(sk)->rtx_event == TANDEM_TIMER_NONE)
		tandem_timer_window_closed(sk);
}

void tandem_push(struct sock *sk, u32 mss, u8 nonagle)
{
	push_segs(sk, mss, nonagle, false, GFP_ATOMIC);
}

void tandem_push_one(struct sock *sk, u32 mss)
{
	push_segs(sk, mss, TANDEM_NAGLE_PUSH, true, GFP_ATOMIC);
}

void tandem_push_pending(struct sock *sk)
{
	if (tandem_send_head(sk))
		tandem_push(sk, tandem_current_mss(sk), tandem_sk(sk)->nonagle);
}

/* Put a segment that only has a flag (SYN, FIN) at the end of what was written. */
static struct sk_buff *flag_segment(struct sock *sk, u8 flags, gfp_t gfp)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb = tandem_alloc_skb(sk, gfp, true);
	struct tandem_skb_cb *cb;

	if (!skb)
		return NULL;
	cb = TANDEM_CB(skb);
	cb->seq = tp->write_seq;
	cb->end_seq = tp->write_seq + 1;
	cb->flags = flags;
	cb->segs = 1;
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	return skb;
}

void tandem_send_fin(struct sock *sk)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	struct tandem_sock *tp = tandem_sk(sk);

	tandem_thrift_fin(sk);
	if (skb && !(TANDEM_CB(skb)->flags & TANDEM_F_SYN)) {
		/* It rides on the last data (RFC 9293 section 3.10.4). */
		TANDEM_CB(skb)->flags |= TANDEM_F_FIN | TANDEM_F_PSH;
		TANDEM_CB(skb)->end_seq++;
		tp->write_seq++;
	} else {
		skb = flag_segment(sk, TANDEM_F_ACK | TANDEM_F_FIN,
				   sk->sk_allocation | __GFP_NOFAIL);
		if (!skb)
			return;
		tp->write_seq++;
		__skb_queue_tail(&sk->sk_write_queue, skb);
	}
	tandem_push(sk, tandem_current_mss(sk), TANDEM_NAGLE_PUSH);
}

/* Send variables, window and MSS of an active open. */
static void connect_init(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	u32 rto_us;

	/* A peer without the option still gets no more than the default. */
	if (tp->user_mss && tp->user_mss < tp->mss_clamp)
		tp->mss_clamp = tp->user_mss;
	tp->max_window = 0;
	tp->advmss = tandem_advmss(sk, dst);
	tandem_sync_mss(sk, dst ? dst_mtu(dst) : TCP_MSS_DEFAULT + 40);
	tandem_syn_window(sk, &tp->rcv_wnd, &tp->window_clamp, &tp->rcv_wscale);
	tp->rcv_ssthresh = tp->rcv_wnd;

	tp->write_seq = tp->iss;
	tp->snd_una = tp->iss;
	tp->snd_nxt = tp->iss;
	tp->snd_sml = tp->iss;
	tandem_arrival_start(&tp->arrival, tp->iss);
	tp->pushed_seq = tp->iss;
	tp->snd_up = tp->iss;
	tp->snd_wnd = 0;
	tp->snd_wl1 = 0;
	tp->rcv_nxt = 0;
	tp->rcv_wup = 0;
	tp->rcv_acked = 0;
	tp->copied_seq = 0;
	tp->backoff = 0;
	tp->retransmits = 0;
	tp->first_rtx_us = 0;
	tandem_recovery_reset(sk);
	/* Of an open that failed, perhaps by another way. */
	tandem_early_forget(sk);
	tandem_update_rto(sk);
	rto_us = tandem_path_syn_rto_us(sock_net(sk), &tp->flow.key, tp->flow.bound_dev_if);
	if (rto_us)
		tp->rto_us = rto_us;
	sk->sk_err = 0;
	sock_reset_flag(sk, SOCK_DONE);
}

int tandem_connect(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	if (tp->af->rebuild_header(sk))
		return -EHOSTUNREACH;
	if (tandem_fastopen_defer(sk))
		return 0;
	connect_init(sk);

	skb = flag_segment(sk, TANDEM_F_SYN | tandem_ecn_syn_flags(sk), sk->sk_allocation);
	if (!skb)
		return -ENOBUFS;
	tp->write_seq++;
	__skb_queue_tail(&sk->sk_write_queue, skb);
	tp->syn_tsval = tandem_ts_now(tp);
	tandem_fastopen_syn(sk);
	if (tandem_send_syn_head(sk, TANDEM_NAGLE_PUSH, sk->sk_allocation))
		tandem_timer_syn_sent(sk);
	tp->pushed_seq = tp->write_seq;
	TANDEM_SK_INC(sk, ACTIVEOPENS);
	/* A refusal is told at once; anything else the SYN's timer will repair. */
	return tp->fo_err == -ECONNREFUSED ? tp->fo_err : 0;
}

int tandem_send_synack_simultaneous(struct sock *sk)
{
	struct sk_buff *skb = tandem_rtx_head(sk);

	if (!skb || !(TANDEM_CB(skb)->flags & TANDEM_F_SYN))
		return -EFAULT;
	TANDEM_CB(skb)->flags |= TANDEM_F_ACK;
	TANDEM_CB(skb)->flags &= ~(TANDEM_F_ECE | TANDEM_F_CWR);
	if (tandem_sk(sk)->cc.ecn_ok)
		TANDEM_CB(skb)->flags |= TANDEM_F_ECE;
	return tandem_transmit_skb(sk, skb, true, GFP_ATOMIC);
}
