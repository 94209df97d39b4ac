// SPDX-License-Identifier: GPL-2.0
/*
 * timer.c - the timers of a connection.
 *
 * There are two.  What is counted in microseconds shares an hrtimer: alarm.c.  What is
 * counted in jiffies shares sk->sk_timer, with a deadline each:
 *
 *   rtx     RTO: runs while data is unacknowledged (RFC 6298 section 5).
 *           PROBE: runs while nothing is in flight, something waits and the window is
 *           shut (RFC 9293 section 3.8.6.1).
 *           SYNPROBE: runs while a first SYN may go once more, ahead of its RTO.
 *   delack  runs while an ACK is owed and may wait (RFC 9293 section 3.8.6.3).
 *   keep    keepalive (RFC 9293 section 3.8.4); for an orphan FIN-WAIT-2.
 *
 * Other rooms report events (data sent, data ACKed, window closed, ...) and never
 * handle durations.  An armed timer holds a reference on the socket.  A timer that
 * fires while the program has the socket leaves a bit in tp->deferred and is served
 * from release_cb.  The timer is not moved backwards for every ACK, nor stopped when
 * nothing is due: it fires too early and arms itself for what comes next, if anything.
 * It is moved only for a deadline that it would miss (deadline.h).
 */
#include <linux/timer.h>
#include <net/dst.h>
#include <net/sock.h>
#include "advert.h"
#include "alarm.h"
#include "deadline.h"
#include "ecn.h"
#include "fastopen.h"
#include "input.h"
#include "mtuprobe.h"
#include "output.h"
#include "pace.h"
#include "recovery.h"
#include "socket.h"
#include "state.h"
#include "stream.h"
#include "thrift.h"
#include "timer.h"
#include "timewait.h"
#include "wire.h"

/* How soon to try again when our own machine refused to send. */
#define LOCAL_RETRY		(HZ / 2)
/* Backoff shifts are saturated by the RTO's maximum long before this. */
#define THIN_SEGS	4	/* in flight: fewer make a stream thin, */
#define THIN_RETRIES	6	/* which may try so often without backing off */
#define MAX_BACKOFF		30
/* RTO after a SYN was lost and nothing was measured: RFC 6298 section 5.7. */
#define FALLBACK_RTO_US		(3 * USEC_PER_SEC)

static u32 rto_max_us(const struct sock *sk)
{
	return tandem_sk_knob(sk, rto_max_ms) * 1000U;
}

/* ip route ... rto_min lock, or the knob. */
static u32 rto_min_us(struct sock *sk)
{
	/* A socket in the making is not locked, and nobody else's yet. */
	const struct dst_entry *dst = rcu_dereference_raw(sk->sk_dst_cache);
	u32 max = rto_max_us(sk);

	if (dst && dst_metric_locked(dst, RTAX_RTO_MIN))
		return min(dst_metric(dst, RTAX_RTO_MIN), max / USEC_PER_MSEC) * USEC_PER_MSEC;
	return tandem_sk_knob(sk, rto_min_ms) * 1000U;
}

void tandem_update_rto(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_rto_limits limits = {
		.g_us = jiffies_to_usecs(1),
		.init_us = tandem_sk_knob(sk, rto_init_ms) * 1000U,
		.min_us = rto_min_us(sk),
		.max_us = rto_max_us(sk),
		.fixed_us = tandem_sk_knob(sk, rto_fixed_ms) * 1000U,
	};

	/*
	 * Linux TCP has its least timeout below the variance: SRTT + max(min, 4 * RTTVAR).
	 * Where the peer is a TCP, so have we.
	 */
	if (tp->wire == TANDEM_WIRE_TCP)
		limits.g_us = max(limits.g_us, limits.min_us);
	tp->rto_us = tandem_rto_ops(tp)->rto_us(&tp->rtt, &limits);
}

unsigned long tandem_rto_jiffies(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 us = tandem_rtt_backoff_us(tp->rto_us, tp->backoff, rto_max_us(sk));

	return max(usecs_to_jiffies(us), 1UL);
}

u64 tandem_timer_rto_left_us(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	s32 left = tp->rtx_deadline - (u32)jiffies;

	if (tp->rtx_event != TANDEM_TIMER_RTO)
		return U64_MAX;
	return left > 0 ? jiffies_to_usecs(left) : 0;
}

/* ---- arming ---- */

/* TCP_USER_TIMEOUT ends the connection on time, not at the next doubled RTO. */
static unsigned long clamp_to_user_timeout(const struct tandem_sock *tp,
					   unsigned long delay)
{
	s64 left;

	if (!tp->user_timeout_ms || !tp->first_rtx_us)
		return delay;
	left = tp->first_rtx_us + tp->user_timeout_ms * 1000ULL - tandem_now_us();
	if (left <= 0)
		return 1;
	/* One jiffy more, or the timer would fire just before the time is up. */
	return min_t(u64, delay, nsecs_to_jiffies64(left * NSEC_PER_USEC) + 1);
}

/* The first of what is due some time; false: nothing is. */
static bool first_deadline(const struct tandem_sock *tp, u32 *first)
{
	bool any = false;

	if (tp->rtx_event != TANDEM_TIMER_NONE) {
		*first = tp->rtx_deadline;
		any = true;
	}
	if (tp->ack_pending & TANDEM_ACK_TIMER) {
		*first = any ? tandem_deadline_first(*first, tp->delack_deadline) :
			       tp->delack_deadline;
		any = true;
	}
	if (tp->keep_on) {
		*first = any ? tandem_deadline_first(*first, tp->keep_deadline) :
			       tp->keep_deadline;
		any = true;
	}
	return any;
}

/* Run the timer for the first of all. */
static void start_timer(struct sock *sk)
{
	struct timer_list *timer = &sk->sk_timer;
	struct tandem_sock *tp = tandem_sk(sk);
	unsigned long now = jiffies, at;
	u32 first, ticks;

	if (!first_deadline(tp, &first))
		return;
	ticks = tandem_deadline_due(now, first) ? 0 : first - (u32)now;
	at = now + ticks;
	/*
	 * What was put into a coarse slot of the wheel stays there if it is to fire when it
	 * was to fire before: rather a tick too early, when it is put into a fine one.
	 */
	if (timer_pending(timer) && READ_ONCE(timer->expires) == at)
		at--;
	tp->timer_latest = first + tandem_wheel_slack(ticks);
	sk_reset_timer(sk, timer, at);
}

/* @deadline is one more that is to be met. */
static void meet(struct sock *sk, u32 deadline)
{
	/* A timer set earlier finds it when it fires. */
	if (!timer_pending(&sk->sk_timer) ||
	    !tandem_deadline_served(jiffies, deadline, tandem_sk(sk)->timer_latest))
		start_timer(sk);
}

static void arm_rtx(struct sock *sk, u8 event, unsigned long delay)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->rtx_event = event;
	tp->rtx_deadline = jiffies + clamp_to_user_timeout(tp, delay);
	meet(sk, tp->rtx_deadline);
}

void tandem_timer_data_sent(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->rtx_event == TANDEM_TIMER_PROBE) {
		/* What the probes had doubled was not loss. */
		tp->backoff = 0;
		tp->probes_out = 0;
		tp->first_rtx_us = 0;
	}
	arm_rtx(sk, TANDEM_TIMER_RTO, tandem_rto_jiffies(sk));
}

/*
 * A path of which nothing is known has a first RTO of a second (RFC 6298 section 2.1),
 * which is the whole delay of a short exchange whose SYN or SYN-ACK was lost.  So one
 * SYN more goes ahead of it, as the connection attempts of RFC 8305 section 5 go after
 * each other, and as a tail loss probe goes ahead of an RTO: nothing is concluded from
 * its need, and the RTO stays where it was.  Not with data in the SYN, of which no second
 * copy is wanted on a hunch; and not where the peer is a TCP, for ours is not to differ.
 */
void tandem_timer_syn_sent(struct sock *sk)
{
	u32 probe_us = tandem_sk_knob(sk, syn_probe_ms) * 1000U;
	const struct tandem_sock *tp = tandem_sk(sk);

	if (probe_us && probe_us < tp->rto_us && tp->wire != TANDEM_WIRE_TCP && !tp->syn_data)
		arm_rtx(sk, TANDEM_TIMER_SYNPROBE, max(usecs_to_jiffies(probe_us), 1UL));
}

void tandem_timer_data_acked(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->packets_out)
		arm_rtx(sk, TANDEM_TIMER_RTO, tandem_rto_jiffies(sk));
	else
		tp->rtx_event = TANDEM_TIMER_NONE;
}

void tandem_timer_head_resent(struct sock *sk)
{
	arm_rtx(sk, TANDEM_TIMER_RTO, tandem_rto_jiffies(sk));
}

void tandem_timer_window_closed(struct sock *sk)
{
	arm_rtx(sk, TANDEM_TIMER_PROBE, tandem_rto_jiffies(sk));
}

void tandem_timer_probe_refused(struct sock *sk)
{
	arm_rtx(sk, TANDEM_TIMER_PROBE, LOCAL_RETRY);
}

void tandem_timer_window_opened(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->rtx_event != TANDEM_TIMER_PROBE)
		return;
	tp->backoff = 0;
	tp->rtx_event = TANDEM_TIMER_NONE;
}

void tandem_timer_ack_owed(struct sock *sk, unsigned long delay)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 deadline = jiffies + max(delay, 1UL);

	/* An ACK owed already is not put off by owing another. */
	if (tp->ack_pending & TANDEM_ACK_TIMER &&
	    tandem_deadline_due(deadline, tp->delack_deadline))
		return;
	tp->ack_pending |= TANDEM_ACK_SCHED | TANDEM_ACK_TIMER;
	tp->delack_deadline = deadline;
	meet(sk, deadline);
}

void tandem_timer_ack_sent(struct sock *sk)
{
	tandem_sk(sk)->ack_pending &= ~TANDEM_ACK_TIMER;
}

void tandem_timer_keepalive(struct sock *sk, unsigned long delay)
{
	struct tandem_sock *tp = tandem_sk(sk);

	WRITE_ONCE(tp->keep_deadline, jiffies + delay);
	WRITE_ONCE(tp->keep_on, true);
	meet(sk, tp->keep_deadline);
}

void tandem_timer_keepalive_stop(struct sock *sk)
{
	WRITE_ONCE(tandem_sk(sk)->keep_on, false);
}

/* ---- giving up ---- */

/*
 * retries @n as a time: the sum of @n doublings of the smallest RTO, so that the
 * number means the same on every path (RFC 9293 section 3.8.3, R1 and R2).
 */
static u64 retries_to_us(const struct sock *sk, unsigned int n)
{
	u64 rto = tandem_sk_knob(sk, rto_min_ms) * 1000ULL;
	u64 max = rto_max_us(sk), sum = 0;
	unsigned int i;

	for (i = 0; i <= n; i++) {
		sum += min(rto, max);
		rto = min(rto * 2, max);
	}
	return sum;
}

/* Was the peer silent for longer than @n retries, or than the user's timeout? */
static bool silent_too_long(const struct sock *sk, unsigned int n)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u64 limit = tp->user_timeout_ms ? tp->user_timeout_ms * 1000ULL :
					  retries_to_us(sk, n);

	return tp->first_rtx_us && tandem_now_us() - tp->first_rtx_us >= limit;
}

static unsigned int orphan_retries(const struct sock *sk, bool alive)
{
	int n = tandem_sk_knob(sk, orphan_retries);

	/* Eight is about 50 s; nothing for a peer that is known to be unreachable. */
	if (sk->sk_err_soft && !alive)
		return 0;
	return n ? n : 8;
}

bool tandem_too_many_orphans(const struct sock *sk)
{
	return atomic_read(&tandem_sk(sk)->tn->orphans) > tandem_sk_knob(sk, max_orphans) ||
	       (sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
		sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2));
}

bool tandem_orphan_limits(struct sock *sk, bool reset)
{
	if (!tandem_too_many_orphans(sk))
		return false;
	if (reset)
		tandem_send_active_reset(sk, GFP_ATOMIC, TANDEM_R_ORPHANS);
	tandem_done(sk, TANDEM_R_ORPHANS);
	return true;
}

static void give_up(struct sock *sk, enum tandem_reason why)
{
	int err = sk->sk_err_soft ? sk->sk_err_soft : ETIMEDOUT;

	tandem_abort_err(sk, err, why);
}

/* The peer is silent: has it been for too long?  True: the connection is gone. */
static bool write_timeout(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		unsigned int n = tp->syn_retries ? : tp->fo_pending ?
				 tandem_sk_knob(sk, synack_retries) :
				 tandem_sk_knob(sk, syn_retries);

		if (tp->retransmits >= n ||
		    (tp->user_timeout_ms && silent_too_long(sk, n))) {
			give_up(sk, TANDEM_R_SYNGIVEUP);
			return true;
		}
		return false;
	}

	if (tp->retransmits >= tandem_sk_knob(sk, retries1)) {
		tandem_mtup_black_hole(sk);	/* perhaps smaller segments arrive, */
		sk_dst_reset(sk);		/* or another route works: R1 */
	}

	if (sock_flag(sk, SOCK_DEAD)) {
		bool alive = tandem_rto_jiffies(sk) < usecs_to_jiffies(rto_max_us(sk));

		if (tandem_orphan_limits(sk, alive))
			return true;
		if (silent_too_long(sk, orphan_retries(sk, alive))) {
			give_up(sk, TANDEM_R_ORPHANTIMER);
			return true;
		}
	}
	if (silent_too_long(sk, tandem_sk_knob(sk, retries2))) {
		give_up(sk, TANDEM_R_GIVEUP);
		return true;
	}
	return false;
}

/* ---- expiries; socket locked, not owned by a program ---- */

/* The peer shut its window below what is in flight: ask, do not blame the network. */
static void shrunk_window_timeout(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	/* The clock starts here: before, the peer did answer (SHLD-17). */
	if (!tp->first_rtx_us) {
		tp->first_rtx_us = tandem_now_us();
	} else if (silent_too_long(sk, tandem_sk_knob(sk, retries2))) {
		give_up(sk, TANDEM_R_GIVEUP);
		return;
	}
	tandem_retransmit_skb(sk, tandem_rtx_head(sk), 1, TANDEM_R_RTX_RTO);
	if (tp->backoff < MAX_BACKOFF)
		tp->backoff++;
	arm_rtx(sk, TANDEM_TIMER_RTO, tandem_rto_jiffies(sk));
}

/*
 * TCP_THIN_LINEAR_TIMEOUTS: a stream too thin for duplicate ACKs may try a few times
 * without RFC 6298's doubling (Documentation/networking/tcp-thin.rst).
 */
static bool thin_linear(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return tp->thin_lto && sk->sk_state == TCP_ESTABLISHED &&
	       tp->packets_out < THIN_SEGS && !tandem_cc_in_slow_start(&tp->cc) &&
	       tp->retransmits < THIN_RETRIES;
}

static enum tandem_reason rto_reason(const struct tandem_sock *tp,
				     const struct sk_buff *head)
{
	if (!(TANDEM_CB(head)->flags & TANDEM_F_SYN))
		return TANDEM_R_RTX_RTO;
	return tp->fo_pending ? TANDEM_R_RTX_SYNACK : TANDEM_R_RTX_SYN;
}

/* RFC 6298 sections 5.4 to 5.7. */
static void rto_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *head = tandem_rtx_head(sk);
	bool syn = tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV);
	struct tandem_trouble *t;
	int err;

	if (!head)
		return;
	if (!tp->snd_wnd && !syn && !sock_flag(sk, SOCK_DEAD)) {
		shrunk_window_timeout(sk);
		return;
	}
	if (!tp->first_rtx_us)
		tp->first_rtx_us = TANDEM_CB(head)->sent_us;
	if (write_timeout(sk))
		return;
	/* A probe was to go at just this time: it goes instead (RFC 8985 section 7.2). */
	if (tp->loss_event == TANDEM_LOSS_TIMER_TLP && tandem_tlp_probe(sk))
		return;

	t = tandem_trouble(tp);
	/* Perhaps another of several equal paths works: the flow label follows the hash. */
	if (sk_rethink_txhash(sk)) {
		if (t)
			t->timeout_rehash++;
		TANDEM_SK_INC(sk, TIMEOUTREHASH);
	}
	TANDEM_SK_INC(sk, RTOS);
	if (syn)
		tandem_ecn_syn_lost(sk, TANDEM_CB(head));
	if (t) {
		if (!tp->retransmits || !t->rto_stamp_us)
			t->rto_stamp_us = tandem_now_us();
		t->total_rto++;
	}
	tandem_recovery_timeout(sk);
	head = tandem_rtx_head(sk);
	tandem_fastopen_timeout(sk);
	err = tandem_retransmit_skb(sk, head, 1, rto_reason(tp, head));
	if (err > 0 || err == -ENOBUFS || err == -ENOMEM) {
		/* A full queue or no memory here is no silence there: soon again, no backoff. */
		arm_rtx(sk, TANDEM_TIMER_RTO, LOCAL_RETRY);
		return;
	}
	if (thin_linear(sk))
		tp->backoff = 0;
	else if (tp->backoff < MAX_BACKOFF)
		tp->backoff++;
	if (tp->retransmits < U8_MAX)
		tp->retransmits++;
	if (syn && !tp->rtt.srtt_us8)
		tp->cc.ca_state = TANDEM_CA_OPEN;	/* there is no flight to recover */
	arm_rtx(sk, TANDEM_TIMER_RTO, tandem_rto_jiffies(sk));
}

static void syn_probe_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *syn = tandem_rtx_head(sk);
	unsigned long rto;
	u64 sent_us;

	if (!syn)
		return;
	sent_us = TANDEM_CB(syn)->sent_us;
	/* A SYN that crossed ours was answered: what is out is a SYN-ACK. */
	if (sk->sk_state == TCP_SYN_SENT) {
		if (!tp->first_rtx_us)
			tp->first_rtx_us = sent_us;
		if (!tandem_retransmit_skb(sk, syn, 1, TANDEM_R_RTX_SYN))
			TANDEM_SK_INC(sk, SYNPROBES);
	}
	/* The RTO is that of the first one. */
	rto = tandem_rto_jiffies(sk);
	rto -= min_t(u64, rto - 1, usecs_to_jiffies(min_t(u64, tandem_now_us() - sent_us,
							   U32_MAX)));
	arm_rtx(sk, TANDEM_TIMER_RTO, rto);
}

static void probe_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	unsigned int retries = tandem_sk_knob(sk, retries2);

	if (tp->packets_out || !tandem_send_head(sk)) {
		tp->probes_out = 0;
		return;
	}
	if (sock_flag(sk, SOCK_DEAD)) {
		bool alive = tandem_rto_jiffies(sk) < usecs_to_jiffies(rto_max_us(sk));

		if (tandem_orphan_limits(sk, true))
			return;
		retries = orphan_retries(sk, alive);
	}
	/* first_rtx_us is cleared by every answer: a stall may last for ever. */
	if (tp->probes_out && silent_too_long(sk, retries))
		give_up(sk, TANDEM_R_GIVEUP);
	else
		tandem_send_probe0(sk);
}

static void rtx_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 event = tp->rtx_event;

	tp->rtx_event = TANDEM_TIMER_NONE;
	tandem_clock_tick(tp);
	if (event == TANDEM_TIMER_RTO)
		rto_expired(sk);
	else if (event == TANDEM_TIMER_SYNPROBE)
		syn_probe_expired(sk);
	else
		probe_expired(sk);
}

static void delack_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->ack_pending &= ~TANDEM_ACK_TIMER;
	if (!(tp->ack_pending & TANDEM_ACK_SCHED))
		return;
	/* The program did not answer within the delay: not a dialogue after all. */
	tp->pingpong = false;
	tp->ack_pending |= TANDEM_ACK_DELAYED;
	tandem_send_ack(sk);
}

/* ---- keepalive and FIN-WAIT-2 ---- */

int tandem_keepalive_time(const struct tandem_sock *tp)
{
	const struct sock *sk = (const struct sock *)tp;

	return (READ_ONCE(tp->keepalive_time) ? : tandem_sk_knob(sk, keepalive_time)) * HZ;
}

int tandem_keepalive_intvl(const struct tandem_sock *tp)
{
	const struct sock *sk = (const struct sock *)tp;

	return (READ_ONCE(tp->keepalive_intvl) ? : tandem_sk_knob(sk, keepalive_intvl)) *
	       HZ;
}

int tandem_keepalive_probes(const struct tandem_sock *tp)
{
	const struct sock *sk = (const struct sock *)tp;

	return tp->keepalive_probes ? : tandem_sk_knob(sk, keepalive_probes);
}

int tandem_fin_time(const struct sock *sk)
{
	int fin = (tandem_sk(sk)->linger2 ? : tandem_sk_knob(sk, fin_timeout)) * HZ;
	int rto = tandem_rto_jiffies(sk);

	/* At least as long as a lost FIN of the peer needs to come again. */
	return max(fin, (rto << 2) - (rto >> 1));
}

static void fin_wait2_expired(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if (tp->linger2 >= 0) {
		int rest = tandem_fin_time(sk) - msecs_to_jiffies(tandem_sk_knob(sk, timewait_ms));

		if (rest > 0) {
			tandem_time_wait(sk, TCP_FIN_WAIT2, rest);
			return;
		}
	}
	tandem_send_active_reset(sk, GFP_ATOMIC, TANDEM_R_ORPHANTIMER);
	tandem_done(sk, TANDEM_R_ORPHANTIMER);
}

/* How long ago the peer was last heard, jiffies. */
static unsigned long silence(const struct tandem_sock *tp)
{
	return usecs_to_jiffies(min_t(u64, tandem_now_us() - tp->last_rcv_us, U32_MAX));
}

static bool keepalive_failed(const struct tandem_sock *tp, unsigned long quiet)
{
	if (tp->user_timeout_ms)
		return quiet >= msecs_to_jiffies(tp->user_timeout_ms) && tp->probes_out;
	return tp->probes_out >= tandem_keepalive_probes(tp);
}

/* RFC 9293 section 3.8.4. */
static void keepalive_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	unsigned long idle = tandem_keepalive_time(tp), quiet;

	if (!sock_flag(sk, SOCK_KEEPOPEN) ||
	    tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_SYN_SENT))
		return;
	/* Unacknowledged or unsent data has timers of its own. */
	if (tp->packets_out || tandem_send_head(sk)) {
		tandem_timer_keepalive(sk, idle);
		return;
	}
	quiet = silence(tp);
	if (quiet < idle) {
		tandem_timer_keepalive(sk, idle - quiet);
		return;
	}
	if (keepalive_failed(tp, quiet)) {
		tandem_send_active_reset(sk, GFP_ATOMIC, TANDEM_R_KEEPALIVE);
		give_up(sk, TANDEM_R_KEEPALIVE);
		return;
	}
	if (tandem_write_wakeup(sk) <= 0) {
		tp->probes_out++;
		TANDEM_SK_INC(sk, KEEPALIVES);
		tandem_timer_keepalive(sk, tandem_keepalive_intvl(tp));
	} else {
		tandem_timer_keepalive(sk, LOCAL_RETRY);
	}
}

/* For an orphan in FIN-WAIT-2 the end of waiting, else keepalive. */
static void keep_expired(struct sock *sk)
{
	WRITE_ONCE(tandem_sk(sk)->keep_on, false);
	if (sk->sk_state == TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD))
		fin_wait2_expired(sk);
	else
		keepalive_expired(sk);
}

/* ---- the timer function ---- */

/* The socket is locked and no program has it. */
static void serve_deadlines(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN))
		return;
	/* One that ends the connection takes back all others, tandem_timers_stop(). */
	if (tp->rtx_event != TANDEM_TIMER_NONE &&
	    tandem_deadline_due(jiffies, tp->rtx_deadline))
		rtx_expired(sk);
	if (tp->ack_pending & TANDEM_ACK_TIMER &&
	    tandem_deadline_due(jiffies, tp->delack_deadline))
		delack_expired(sk);
	if (tp->keep_on && tandem_deadline_due(jiffies, tp->keep_deadline))
		keep_expired(sk);
	if (!timer_pending(&sk->sk_timer))
		start_timer(sk);
}

static void timer_fn(struct timer_list *t)
{
	struct sock *sk = timer_container_of(sk, t, sk_timer);

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		serve_deadlines(sk);
	else if (!test_and_set_bit(TANDEM_DEFER_TIMER, &tandem_sk(sk)->deferred))
		sock_hold(sk);
	bh_unlock_sock(sk);
	sock_put(sk);
}

void tandem_release_cb(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (likely(!(READ_ONCE(tp->deferred) & TANDEM_DEFERRED)))
		return;
	/*
	 * The lock is still ours, but the backlog is empty and timers that fire now
	 * must not see an owner for whom nobody will run again.
	 */
	sock_release_ownership(sk);
	if (test_and_clear_bit(TANDEM_DEFER_TIMER, &tp->deferred)) {
		serve_deadlines(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(TANDEM_DEFER_TSQ, &tp->deferred)) {
		tandem_pace_expired(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(TANDEM_DEFER_ALARM, &tp->deferred)) {
		tandem_alarm_expired(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(TANDEM_DEFER_PMTU, &tp->deferred)) {
		tp->af->mtu_reduced(sk);
		__sock_put(sk);
	}
}

/* ---- birth and end ---- */

void tandem_set_keepalive(struct sock *sk, int val)
{
	if (tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN))
		return;
	if (val && !sock_flag(sk, SOCK_KEEPOPEN))
		tandem_timer_keepalive(sk, tandem_keepalive_time(tandem_sk(sk)));
	else if (!val)
		tandem_timer_keepalive_stop(sk);
}

void tandem_timers_init(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	timer_setup(&sk->sk_timer, timer_fn, 0);
	tandem_alarm_init(sk);
	tandem_thrift_init(sk);
	tp->rtx_event = TANDEM_TIMER_NONE;
	tp->keep_on = false;
	tp->ack_pending = 0;
	tp->deferred = 0;
}

void tandem_timers_stop(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->rtx_event = TANDEM_TIMER_NONE;
	tp->ack_pending = 0;
	WRITE_ONCE(tp->keep_on, false);
	tandem_thrift_stop(sk);
	sk_stop_timer(sk, &sk->sk_timer);
	tandem_alarm_stop(sk);
}

void tandem_timers_stop_sync(struct sock *sk)
{
	sk_stop_timer_sync(sk, &sk->sk_timer);
	tandem_alarm_stop_sync(sk);
}

/* A SYN was lost and nothing measured: be careful with the first data. */
void tandem_timer_established(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	/* RFC 6298 section 5.7 in the place of what the SYN had doubled. */
	tp->backoff = 0;
	if (!tp->rtt.srtt_us8 && tp->total_retrans)
		tp->rto_us = clamp_t(u32, FALLBACK_RTO_US, tp->rto_us, rto_max_us(sk));
	if (sock_flag(sk, SOCK_KEEPOPEN))
		tandem_timer_keepalive(sk, tandem_keepalive_time(tp));
}
