// SPDX-License-Identifier: GPL-2.0
/*
 * input.c - a segment meets its connection.
 *
 * RFC 9293 section 3.10.7 is written as numbered checks, and so is this file: first
 * the sequence number, second the RST bit, fourth the SYN bit, fifth the ACK field,
 * sixth urgent data, seventh the data, eighth the FIN bit (third, security, has nothing
 * to do).  RFC 5961 hardens the second, fourth and fifth; RFC 7323 section 5
 * puts PAWS before the first.
 *
 * A check either passes the segment on or ends it with a reason; only this file
 * decides, the rooms behind it (ack.c, rcvq.c) do the work.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include "ack.h"
#include "advert.h"
#include "cong.h"
#include "early.h"
#include "ecn.h"
#include "fastopen.h"
#include "input.h"
#include "mtuprobe.h"
#include "output.h"
#include "pace.h"
#include "path.h"
#include "rcvq.h"
#include "rcvq_mem.h"
#include "recovery.h"
#include "socket.h"
#include "state.h"
#include "stream.h"
#include "thrift.h"
#include "timer.h"
#include "timewait.h"
#include "trace.h"
#include "urgent.h"
#include "window.h"
#include "wire.h"

/* Of the peer's timestamps, so much counts as one tick: see paws_rejects(). */
#define PAWS_TICK_US		32768
/* Out-of-window segments of one connection are answered at most this often. */
#define OOW_ACK_INTERVAL_MS	500

/* What the checks share about one segment. */
struct segment {
	struct sk_buff *skb;
	struct tandem_skb_cb *cb;
	struct tandem_opts opts;
};

/* ---- helpers of the checks ---- */

static u32 now_ms(void)
{
	return div_u64(tandem_now_us(), USEC_PER_MSEC);
}

bool tandem_oow_limited(const struct tandem_sock *tp)
{
	return tp->last_oow_ack_ms && now_ms() - tp->last_oow_ack_ms < OOW_ACK_INTERVAL_MS;
}

void tandem_oow_answers(struct tandem_sock *tp)
{
	tp->last_oow_ack_ms = now_ms();
}

void tandem_challenge_ack(struct sock *sk)
{
	/* Per connection first, so that one flooded connection costs the rest little. */
	if (tandem_oow_limited(tandem_sk(sk)) || !tandem_challenge_allowed(sock_net(sk))) {
		TANDEM_SK_INC(sk, CHALLENGELIMITED);
		return;
	}
	tandem_oow_answers(tandem_sk(sk));
	TANDEM_SK_INC(sk, CHALLENGEACKS);
	tandem_send_ack(sk);
}

/* By more than @slack, and what we saw is not too old itself to tell. */
static bool older_tsval(const struct tandem_sock *tp, const struct tandem_opts *o, s32 slack)
{
	return tp->ts_recent_us && (s32)(o->tsval - tp->ts_recent) < -slack &&
	       tp->clock_us - tp->ts_recent_us < TANDEM_TS_VALID_US;
}

/*
 * RFC 7323 section 5.3: is the segment's timestamp older than what we saw?
 *
 * A retransmission at the left edge moves TS.Recent beyond what was sent just before it
 * and overtaken by it, which is not lost and no duplicate.  With ticks as section 5.4
 * wants them, 1 ms to 1 s, these are of one tick and pass.  A Tandem ticks in
 * microseconds, so what is one tick to PAWS is longer: a sequence number that comes
 * again within it would take a path of a terabit per second.
 */
static bool paws_rejects(const struct tandem_sock *tp, const struct tandem_opts *o)
{
	return tp->ts_ok && o->have & TANDEM_OPT_TS &&
	       older_tsval(tp, o, tp->wire == TANDEM_WIRE_TCP ? 0 : PAWS_TICK_US);
}

/* RFC 7323 section 4.3: keep TSval of the segment the next ACK will cover. */
static void store_ts_recent(struct tandem_sock *tp, const struct segment *s)
{
	if (!tp->ts_ok || !(s->opts.have & TANDEM_OPT_TS) ||
	    seq_after(s->cb->seq, tp->rcv_wup))
		return;
	/* It never goes back: R3 of section 5.3. */
	if (older_tsval(tp, &s->opts, 0))
		return;
	tp->ts_recent = s->opts.tsval;
	tp->ts_recent_us = tp->clock_us;
}

/* The receiver's view of the round trip: how old is the echo of our own clock? */
static void receiver_rtt(struct sock *sk, const struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	s64 age;

	if (!(s->opts.have & TANDEM_OPT_TS) || !s->opts.tsecr ||
	    s->cb->end_seq - s->cb->seq < tp->rcv_mss)
		return;
	age = tandem_ts_age_us(tp, s->opts.tsecr);
	if (age >= 0 && s->opts.tsecr != tp->rcv_rtt_est.last_tsecr) {
		tp->rcv_rtt_est.last_tsecr = s->opts.tsecr;
		tandem_rcvq_rtt_sample(sk, clamp_t(s64, age, tandem_ts_tick_us(tp->wire),
						   U32_MAX));
	}
}

/* ---- endings ---- */

void tandem_done(struct sock *sk, enum tandem_reason why)
{
	tandem_timers_stop(sk);
	tandem_set_state(sk, TCP_CLOSE, why);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
	else
		tandem_destroy_sock(sk);
}

void tandem_abort_err(struct sock *sk, int err, enum tandem_reason why)
{
	WRITE_ONCE(sk->sk_err, err);
	/* poll() reads sk_err without the lock after it saw the state. */
	smp_wmb();
	tandem_count_reason(sock_net(sk), why);
	tandem_write_queue_purge(sk);
	tandem_done(sk, why);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
}

void tandem_reset(struct sock *sk, enum tandem_reason why)
{
	int err = ECONNRESET;

	switch (sk->sk_state) {
	case TCP_SYN_SENT:
		err = ECONNREFUSED;
		break;
	case TCP_CLOSE_WAIT:
		err = EPIPE;
		break;
	case TCP_CLOSE:
		return;
	}
	tandem_abort_err(sk, err, why);
}

void tandem_icmp_err(struct sock *sk, int err, bool hard)
{
	TANDEM_SK_INC(sk, ICMPIN);
	if (sock_owned_by_user(sk)) {
		WRITE_ONCE(sk->sk_err_soft, err);
	} else if (tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		/* Nothing is lost yet: fail the open at once, as Linux TCP. */
		tandem_abort_err(sk, err, TANDEM_R_ICMP);
	} else if (hard) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	} else {
		WRITE_ONCE(sk->sk_err_soft, err);	/* told with the time-out */
	}
}

/* ---- the connection comes up ---- */

void tandem_init_transfer(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool late;
	u32 iw;

	tp->af->rebuild_header(sk);
	iw = tandem_init_cwnd(sk);
	tp->estab_ms = div_u64(tp->clock_us, USEC_PER_MSEC);
	/* TCP's server begins with the route's MTU, until the MSS is looked at again. */
	late = tp->passive && !tandem_thrifty(sk);
	if (!late)
		tandem_mtup_init(sk);
	tandem_sync_mss(sk, __sk_dst_get(sk) ? dst_mtu(__sk_dst_get(sk)) : tp->pmtu_cookie);
	if (late)
		tandem_mtup_init(sk);
	/*
	 * RFC 5681 section 3.1: lost SYNs mean one segment to begin with; one alone, says
	 * RFC 6928 section 2, may well have been repeated needlessly.
	 */
	tp->cc.cwnd = tp->total_retrans > 1 ? 1 : iw;
	tp->cc.init_cwnd = iw;
	tp->cc.cwnd_clamp = ~0U;
	tp->cc.ssthresh = TANDEM_SSTHRESH_INF;
	tp->cwnd_usage_seq = tp->snd_nxt;
	tandem_path_prime(sk);
	/* Fast open: some may be read, and not all of it. */
	if (!tp->fo_pending)
		tp->copied_seq = tp->rcv_nxt;
	tp->last_rcv_us = tp->clock_us;
	/* What happened to the SYN has nothing to say. */
	tandem_cong_reset(&tp->cc);
	tandem_rcvq_init(sk);
	/* In what pieces the first window goes is told on the tcp wire, by their PSH. */
	if (!tandem_thrifty(sk))
		tandem_update_pacing_rate(sk);
	tandem_timer_established(sk);
	tandem_sndbuf_expand(sk);
}

/* Options of a SYN or SYN-ACK that answer ours. */
static void take_syn_options(struct sock *sk, const struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	/* No MSS, or one of 0: the family's default, set by connect() (RFC 9293 3.7.1). */
	u16 mss = s->opts.have & TANDEM_OPT_MSS && s->opts.mss ? s->opts.mss : tp->mss_clamp;

	tp->wscale_ok = s->opts.have & TANDEM_OPT_WSCALE && tandem_sk_knob(sk, window_scaling);
	tp->snd_wscale = tp->wscale_ok ? s->opts.wscale : 0;
	if (!tp->wscale_ok) {
		tp->rcv_wscale = 0;
		tp->window_clamp = min(tp->window_clamp, 65535U);
	}
	tp->sack_ok = s->opts.have & TANDEM_OPT_SACK_OK && tandem_sk_knob(sk, sack);
	tp->ts_ok = s->opts.have & TANDEM_OPT_TS && tandem_sk_knob(sk, timestamps);
	if (tp->ts_ok) {
		tp->ts_recent = s->opts.tsval;
		tp->ts_recent_us = tandem_now_us();
	}
	mss = max_t(u16, mss, tandem_sk_knob(sk, min_mss));
	if (tp->user_mss && tp->user_mss < mss)
		mss = tp->user_mss;
	tp->mss_clamp = mss;
}

static void take_irs(struct sock *sk, const struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->irs = s->cb->seq;
	tp->rcv_nxt = s->cb->seq + 1;
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_acked = tp->rcv_nxt;
	tp->copied_seq = tp->rcv_nxt;
	tp->snd_wnd = s->cb->wnd;	/* a SYN's window is never scaled */
	tp->snd_wl1 = s->cb->seq;
	tp->max_window = tp->snd_wnd;
}

static void wake_connected(struct sock *sk)
{
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

static void active_open_done(struct sock *sk, struct sk_buff *skb)
{
	tandem_set_state(sk, TCP_ESTABLISHED, TANDEM_R_SYNACKIN);
	security_inet_conn_established(sk, skb);
	tandem_init_transfer(sk);
}

/* ---- SYN-SENT: RFC 9293 section 3.10.7.3 ---- */

static void take_data(struct sock *sk, struct segment *s);

/*
 * What a fast open's SYN-ACK has behind the SYN: "continue processing at the sixth
 * step".  Without fast open it is left for the peer to send again, as Linux does.
 * True: the skb was taken.
 */
static bool syn_ack_data(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!tp->syn_fastopen && !tp->syn_data_acked)
		return false;
	s->cb->seq++;
	s->cb->flags &= ~TANDEM_F_SYN;
	if (s->cb->seq == s->cb->end_seq)
		return false;
	take_data(sk, s);
	tandem_ack_syn_data(sk);
	return true;
}

/*
 * What the SYN brought and the peer did not take goes once more, and is our ACK.  As
 * any retransmission it is no small segment in the sense of Nagle and Minshall.
 */
static void syn_data_again(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->ack_pending |= TANDEM_ACK_SCHED;
	tandem_recovery_refused(sk);
	tandem_push_pending(sk);
	if (tp->ack_pending & TANDEM_ACK_SCHED)
		tandem_send_ack(sk);
}

static int syn_sent_open(struct sock *sk, struct segment *s)
{
	bool again, taken;
	int verdict;

	take_irs(sk, s);
	take_syn_options(sk, s);
	tandem_ecn_syn_answered(sk, s->cb->flags);
	/* Our SYN is what it acknowledges: an RTT sample, the window. */
	verdict = tandem_ack(sk, s->skb, &s->opts);
	if (verdict < 0)
		return -verdict;
	active_open_done(sk, s->skb);
	again = tandem_fastopen_synack(sk, &s->opts);
	taken = syn_ack_data(sk, s);
	wake_connected(sk);
	if (again) {
		syn_data_again(sk);
	} else if (sk->sk_state != TCP_CLOSE) {
		tandem_third_ack(sk);
		tandem_push_pending(sk);
	}
	if (taken && sk->sk_state != TCP_CLOSE)
		tandem_ack_check(sk, true);
	return taken ? -1 : 0;
}

/* Simultaneous open: a SYN without ACK (RFC 9293 figure 7). */
static int syn_sent_crossed(struct sock *sk, struct segment *s)
{
	tandem_set_state(sk, TCP_SYN_RECV, TANDEM_R_SYNIN);
	take_syn_options(sk, s);
	tandem_ecn_syn_answered(sk, s->cb->flags);
	take_irs(sk, s);
	tandem_sync_mss(sk, tandem_sk(sk)->pmtu_cookie);
	tandem_send_synack_simultaneous(sk);
	return 0;
}

/* 0, or the reason the segment ends here. Frees nothing. */
static int syn_sent_input(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_skb_cb *cb = s->cb;

	/* First: the ACK must be of our SYN. */
	if (cb->flags & TANDEM_F_ACK) {
		bool echo_wrong = s->opts.have & TANDEM_OPT_TS && s->opts.tsecr &&
				  tp->syn_tsval && !seq_between(s->opts.tsecr, tp->syn_tsval,
								tandem_ts_now(tp));

		if (!seq_after(cb->ack_seq, tp->snd_una) ||
		    seq_after(cb->ack_seq, tp->snd_nxt) || echo_wrong) {
			if (!(cb->flags & TANDEM_F_RST))
				tandem_send_reset(sock_net(sk), sk, s->skb,
						  TANDEM_R_ACKUNSENT);
			return TANDEM_R_ACKUNSENT;
		}
	}
	/* Second: a reset counts only with a good ACK. */
	if (cb->flags & TANDEM_F_RST) {
		if (!(cb->flags & TANDEM_F_ACK))
			return TANDEM_R_NOACK;
		tandem_reset(sk, TANDEM_R_RSTIN);
		return TANDEM_R_NONE;
	}
	/* Fourth: the SYN. */
	if (!(cb->flags & TANDEM_F_SYN))
		return TANDEM_R_BADFLAGS;
	return cb->flags & TANDEM_F_ACK ? syn_sent_open(sk, s) : syn_sent_crossed(sk, s);
}

/* ---- the other states: RFC 9293 section 3.10.7.4 ---- */

/*
 * Not acceptable and no reset: "send an acknowledgment" (RFC 9293, first check).  It
 * is how window probes, keepalives and lost ACKs are answered.  Segments without data
 * could be half of an ACK loop, so their answers are limited in rate.
 */
static void answer_out_of_window(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (s->cb->seq == s->cb->end_seq) {
		if (s->cb->seq == tp->rcv_nxt - 1)
			TANDEM_SK_INC(sk, WINPROBESIN);
		if (tandem_oow_limited(tp))
			return;
		tandem_oow_answers(tp);
	}
	tandem_rcvq_dup(sk, s->cb->seq, s->cb->end_seq);
	tandem_ack_now(sk);	/* leaves in tandem_ack_check() */
}

/* Is it data that we have had, not just any number behind us? */
static bool had_all(const struct tandem_sock *tp, const struct tandem_skb_cb *cb)
{
	return cb->seq != cb->end_seq && !seq_after(cb->end_seq, tp->rcv_nxt) &&
	       tp->rcv_nxt - cb->seq <= min_t(u64, tp->bytes_received + tp->fin_rcvd,
					      S32_MAX);
}

/* In a simultaneous open the ACK of our SYN comes on a copy of the peer's. */
static bool crossed_syn_ack(const struct sock *sk, const struct tandem_skb_cb *cb)
{
	return sk->sk_state == TCP_SYN_RECV && cb->flags & TANDEM_F_SYN &&
	       cb->flags & TANDEM_F_ACK && cb->seq + 1 == tandem_sk(sk)->rcv_nxt;
}

/* PAWS and the first check: is it in the window?  Unless a reset, it is answered. */
static int check_sequence(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_skb_cb *cb = s->cb;

	if (paws_rejects(tp, &s->opts) && !(cb->flags & TANDEM_F_RST)) {
		/* A pure ACK that another overtook is merely late: no answer. */
		if (cb->seq != cb->end_seq || cb->seq != tp->rcv_nxt)
			answer_out_of_window(sk, s);
		return TANDEM_R_PAWS;
	}
	/* Simultaneous open: the SYN-ACK brings the SYN again, which is behind us. */
	if (crossed_syn_ack(sk, cb))
		return 0;
	/* Fast open: the SYN that made us, again. */
	if (tp->fo_pending && cb->seq == tp->irs &&
	    (cb->flags & (TANDEM_F_SYN | TANDEM_F_ACK | TANDEM_F_RST)) == TANDEM_F_SYN) {
		tandem_fastopen_syn_again(sk);
		return TANDEM_R_DUPDATA;
	}
	if (tandem_win_acceptable(cb->seq, cb->end_seq, tp->rcv_wup, tp->rcv_nxt,
				  tandem_rcv_wnd_open(tp)))
		return 0;
	/*
	 * RFC 9293: with a zero window "special allowance should be made to accept
	 * valid ACKs".  What rides on data at the edge counts; rcvq.c refuses the data.
	 */
	if (cb->seq == tp->rcv_nxt && !tandem_rcv_wnd_open(tp) &&
	    !(cb->flags & (TANDEM_F_SYN | TANDEM_F_RST)))
		return 0;
	if (cb->flags & TANDEM_F_RST)
		return TANDEM_R_OUTWIN;
	if (cb->flags & TANDEM_F_SYN) {
		tandem_challenge_ack(sk);
		return TANDEM_R_SYNCHALLENGE;
	}
	answer_out_of_window(sk, s);
	return had_all(tp, cb) ? TANDEM_R_DUPDATA : TANDEM_R_OUTWIN;
}

/* Second check, RFC 5961 section 3.2: only the exact number resets. */
static int check_rst(struct sock *sk, struct segment *s)
{
	if (!(s->cb->flags & TANDEM_F_RST))
		return 0;
	if (s->cb->seq == tandem_sk(sk)->rcv_nxt) {
		tandem_reset(sk, TANDEM_R_RSTIN);
		return -1;
	}
	tandem_challenge_ack(sk);
	return TANDEM_R_RSTCHALLENGE;
}

/*
 * Fourth check, RFC 5961 section 4.2: a SYN never touches a synchronized connection.
 * In a simultaneous open the peer's SYN-ACK carries its SYN again; that one is good.
 */
static int check_syn(struct sock *sk, struct segment *s)
{
	const struct tandem_skb_cb *cb = s->cb;

	if (!(cb->flags & TANDEM_F_SYN))
		return 0;
	if (crossed_syn_ack(sk, cb)) {
		/* RFC 2883: the SYN came before. TCP says so, at once. */
		if (!tandem_thrifty(sk))
			tandem_rcvq_dup(sk, cb->seq, cb->seq + 1);
		s->cb->seq++;	/* only what follows the SYN is still to be looked at */
		return 0;
	}
	tandem_challenge_ack(sk);
	return TANDEM_R_SYNCHALLENGE;
}

/*
 * The SYN-ACK was a request's and is in no queue of ours: its echo is the sample, on
 * the clock of the connection.
 */
static void handshake_rtt(struct sock *sk, const struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	s64 age;

	if (!tp->ts_ok || !(s->opts.have & TANDEM_OPT_TS) || !s->opts.tsecr)
		return;
	age = tandem_ts_age_us(tp, s->opts.tsecr);
	if (age >= 0 && age <= S32_MAX)
		tandem_rtt_handshake(sk, max_t(s32, age, tandem_ts_tick_us(tp->wire)));
}

/* Fifth check in SYN-RECEIVED: the ACK of our SYN makes the connection. */
static int syn_recv_ack(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!seq_after(s->cb->ack_seq, tp->snd_una) ||
	    seq_after(s->cb->ack_seq, tp->snd_nxt)) {
		tandem_send_reset(sock_net(sk), sk, s->skb, TANDEM_R_ACKUNSENT);
		return TANDEM_R_ACKUNSENT;
	}
	/* From here on the window is scaled, but for a SYN's. */
	tp->snd_wnd = s->cb->wnd;
	if (!(s->cb->flags & TANDEM_F_SYN))
		tp->snd_wnd <<= tp->snd_wscale;
	tp->snd_wl1 = s->cb->seq;
	tp->max_window = max(tp->max_window, tp->snd_wnd);
	handshake_rtt(sk, s);
	/* A program that has a fast open's child already may have closed it. */
	if (sk->sk_state == TCP_SYN_RECV)
		tandem_set_state(sk, TCP_ESTABLISHED, TANDEM_R_ACKIN);
	tandem_init_transfer(sk);
	tandem_fastopen_done(sk, TANDEM_R_ACKIN);
	if (sk->sk_socket)
		wake_connected(sk);	/* simultaneous open; a child has no program yet */
	return 0;
}

/*
 * Nobody holds the socket any more: wait for the peer's FIN no longer than linger2
 * says, as a full socket only as long as a minisock will not do.
 */
static int orphan_fin_wait2(struct sock *sk, const struct segment *s)
{
	int timeout, timewait = msecs_to_jiffies(tandem_sk_knob(sk, timewait_ms));

	if (tandem_sk(sk)->linger2 < 0) {
		tandem_done(sk, TANDEM_R_ORPHANTIMER);
		return -1;
	}
	timeout = tandem_fin_time(sk);
	if (timeout > timewait) {
		tandem_timer_keepalive(sk, timeout - timewait);
	} else if (s->cb->end_seq != s->cb->seq || sock_owned_by_user(sk)) {
		/* Its data or FIN is still to be looked at. */
		tandem_timer_keepalive(sk, timeout);
	} else {
		tandem_time_wait(sk, TCP_FIN_WAIT2, timeout);
		return -1;
	}
	return 0;
}

/* Our FIN was acknowledged: RFC 9293, fifth check, FIN-WAIT-1, CLOSING, LAST-ACK. */
static int fin_acked(struct sock *sk, const struct segment *s)
{
	switch (sk->sk_state) {
	case TCP_FIN_WAIT1:
		tandem_set_state(sk, TCP_FIN_WAIT2, TANDEM_R_ACKIN);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		sk_dst_confirm(sk);
		if (!sock_flag(sk, SOCK_DEAD)) {
			sk->sk_state_change(sk);	/* lingering close() */
			return 0;
		}
		return orphan_fin_wait2(sk, s);
	case TCP_CLOSING:
		tandem_time_wait(sk, TCP_TIME_WAIT, 0);
		return -1;
	case TCP_LAST_ACK:
		tandem_done(sk, TANDEM_R_ACKIN);
		return -1;
	}
	return 0;
}

static int check_ack(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool pending = tp->fo_pending;
	int verdict;

	if (!(s->cb->flags & TANDEM_F_ACK))
		return TANDEM_R_NOACK;
	if (sk->sk_state == TCP_SYN_RECV || pending) {
		verdict = syn_recv_ack(sk, s);
		if (verdict)
			return verdict;
	}
	verdict = tandem_ack(sk, s->skb, &s->opts);
	if (verdict < 0)
		return -verdict;
	/* It knows our SYN-ACK, but would not have the data in it. */
	if (pending && tp->syn_data && tp->snd_una == tp->iss + 1)
		tandem_fastopen_take_back(sk);
	store_ts_recent(tp, s);
	if (tp->snd_una == tp->write_seq)
		return fin_acked(sk, s);	/* all, so the FIN too where one was sent */
	return 0;
}

/* Nobody will read it: RFC 9293 section 3.6.1, answered by a reset as Linux does. */
static bool data_after_close(const struct sock *sk, const struct tandem_skb_cb *cb)
{
	bool fin = cb->flags & TANDEM_F_FIN;

	return sk->sk_shutdown & RCV_SHUTDOWN && cb->end_seq != cb->seq &&
	       seq_after(cb->end_seq - fin, tandem_sk(sk)->rcv_nxt);
}

/* Sixth to eighth check. Takes the skb. */
static void take_data(struct sock *sk, struct segment *s)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_skb_cb *cb = s->cb;

	if (tandem_payload_len(s->skb)) {
		tp->data_segs_in += cb->segs;
		TANDEM_SK_ADD(sk, INDATASEGS, cb->segs);
	}

	switch (sk->sk_state) {
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		if (data_after_close(sk, cb)) {
			/* At SEG.ACK, which the peer is sure to take. */
			tandem_send_reset(sock_net(sk), sk, s->skb, TANDEM_R_AFTERCLOSE);
			tandem_drop(sock_net(sk), sk, s->skb, TANDEM_R_AFTERCLOSE);
			tandem_reset(sk, TANDEM_R_NONE);
			return;
		}
		fallthrough;
	case TCP_ESTABLISHED:
		tandem_urgent_input(sk, s->skb);
		receiver_rtt(sk, s);
		tandem_rcvq_input(sk, s->skb);
		return;
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		/* After the peer's FIN only what came before can come again. */
		if (seq_before(cb->seq, tp->rcv_nxt) && cb->seq != cb->end_seq)
			tandem_rcvq_dup(sk, cb->seq, cb->end_seq);
		break;
	}
	consume_skb(s->skb);
}

/*
 * Data that we have had, sent by the peer just now?  Then it is newer than all before it,
 * what it acknowledges can be, and it echoes our clock of a time since the peer was last
 * heard: who does not see our segments would have to guess all three.
 */
static bool sent_again_now(const struct tandem_sock *tp, const struct segment *s)
{
	u64 silence = tp->clock_us - tp->last_rcv_us;
	s64 age;

	if (!tp->ts_ok || !(s->opts.have & TANDEM_OPT_TS) ||
	    (s32)(s->opts.tsval - tp->ts_recent) <= 0 ||
	    !(s->cb->flags & TANDEM_F_ACK) || seq_after(s->cb->ack_seq, tp->snd_nxt) ||
	    seq_before(s->cb->ack_seq, tp->snd_una - max(tp->max_window, 1U)))
		return false;
	age = tandem_ts_age_us(tp, s->opts.tsecr);
	return age >= 0 && age <= silence + 2ULL * tp->rto_us;
}

/*
 * A NAT may give the peer another UDP port.  Only a segment that has passed the checks, and
 * is no replay, says where to send from now on.  @again: its data is old; where the ACKs of
 * both sides were lost there is no other, and who does not follow stays mute for ever.
 */
static void follow_udp_port(struct sock *sk, const struct segment *s, bool again)
{
	struct tandem_sock *tp = tandem_sk(sk);
	__be16 port = TANDEM_CB(s->skb)->udp_sport;

	if (tp->wire != TANDEM_WIRE_UDP || port == tp->udp_dport ||
	    (again ? !sent_again_now(tp, s) : seq_before(s->cb->seq, tp->rcv_nxt)))
		return;
	tp->udp_dport = port;
	TANDEM_SK_INC(sk, UDPREBINDS);
}

static void synchronized_input(struct sock *sk, struct segment *s)
{
	int verdict = check_sequence(sk, s);

	if (!verdict)
		verdict = check_rst(sk, s);
	if (!verdict)
		verdict = check_syn(sk, s);
	if (!verdict)
		verdict = check_ack(sk, s);
	if (verdict < 0) {
		/* The connection ended, by the book. */
		consume_skb(s->skb);
		return;
	}
	if (verdict) {
		if (verdict == TANDEM_R_DUPDATA)
			follow_udp_port(sk, s, true);
		tandem_drop(sock_net(sk), sk, s->skb, verdict);
		tandem_ack_check(sk, false);
		return;
	}
	follow_udp_port(sk, s, false);
	tandem_note_headers(sk, s->skb);
	take_data(sk, s);
	if (sk->sk_state == TCP_CLOSE)
		return;
	tandem_push_pending(sk);
	tandem_check_space(sk);
	tandem_ack_check(sk, true);
}

/* ---- the doors ---- */

int tandem_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct segment s = { .skb = skb, .cb = TANDEM_CB(skb) };
	struct tandem_sock *tp = tandem_sk(sk);
	int verdict;

	tandem_clock_tick(tp);
	tp->segs_in += s.cb->segs;
	trace_tandem_recv(sk, skb);
	if (!(tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN)))
		tandem_early_learn(sk, skb);
	if (tandem_parse_options(skb, &s.opts)) {
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_BADOPT);
		return 0;
	}
	switch (sk->sk_state) {
	case TCP_CLOSE:
		/*
		 * On the backlog while the connection ended: a late ACK or FIN that
		 * TIME-WAIT would have taken.  It deserves no reset (Linux likewise).
		 */
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_NONE);
		break;
	case TCP_LISTEN:
		/* Left on the backlog while listen() ran; the peer sends it again. */
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_NONE);
		break;
	case TCP_SYN_SENT:
		verdict = syn_sent_input(sk, &s);
		if (verdict < 0)
			break;	/* its data was taken */
		if (verdict)
			tandem_drop(sock_net(sk), sk, skb, verdict);
		else
			consume_skb(skb);
		break;
	default:
		synchronized_input(sk, &s);
		break;
	}
	return 0;
}

void tandem_child_rcv(struct sock *child, struct sk_buff *skb)
{
	tandem_do_rcv(child, skb);
}

void tandem_sk_rcv(struct sock *sk, struct sk_buff *skb)
{
	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		tandem_do_rcv(sk, skb);
	} else if (tandem_backlog_join(sk, skb)) {
		TANDEM_SK_INC(sk, BACKLOGJOINED);
	} else if (sk_add_backlog(sk, skb, READ_ONCE(sk->sk_rcvbuf) +
				  READ_ONCE(sk->sk_sndbuf) + 64 * 1024)) {
		bh_unlock_sock(sk);
		tandem_drop(sock_net(sk), sk, skb, TANDEM_R_BACKLOG);
		return;
	}
	bh_unlock_sock(sk);
}
