// SPDX-License-Identifier: GPL-2.0
/*
 * thrift.c - segments that short exchanges can do without.
 *
 * connect, request, response, close takes ten segments where every event is told at
 * once.  Four of them say what the next one says anyway:
 *
 *   - The third ACK of the handshake rides on the request.  connect() returns before
 *     the program can write, so that ACK is owed for a quarter of the round trip (RFC
 *     9293 section 3.8.6.3 lets any ACK wait), and no longer than net.tandem.delack_max_ms.
 *     A client that reads or polls for input first has nothing to add: it goes at once.
 *   - The response's ACK duty is the response (advert.c).
 *   - The FIN rides on the last data (RFC 9293 section 3.10.4).  When write() returns
 *     nobody knows whether close() is next, so the last, small segment of an answer is
 *     held for net.tandem.fin_hold_us at most.  It goes as soon as the program reads,
 *     polls for input or writes a full segment.
 *   - The ACK of a FIN rides on our own FIN, when the program closes within the delay
 *     that any ACK may have.
 *
 * What a hold may cost.  A server that keeps its connections would pay fin_hold_us for
 * every answer, if holding did not follow its habit: each local port has a small count
 * of holds in vain.  Two in a row, and there are no more on that port, until
 * connections are seen again that close right behind their answer.  Only passive
 * sockets hold, only for an answer (data came since they sent last, and all of it was
 * read), and never with TCP_NODELAY, which asks for segments now.
 *
 * So with the SYN-ACK of a fast open, which fastopen.c holds for the answer: a server that
 * takes its time would make every client wait for the handshake.  After two in vain on a
 * port only one in sixty is held, to see whether that has changed.
 *
 * On the tcp wire nothing waits, unless net.tandem.tcp_wire_thrift says so.
 */
#include <net/sock.h>
#include "advert.h"
#include "alarm.h"
#include "output.h"
#include "stream.h"
#include "thrift.h"
#include "timer.h"

/* Holds in vain on a port that stop holding there, and the most that are counted. */
#define HABIT_OFF	2
#define HABIT_MAX	4
/* Of SYN-ACKs: not held that often, then once more. */
#define HABIT_RETRY	62
/* How long TCP waits for a ride of the third ACK: its longest delay of an ACK. */
#define TCP_THIRD_ACK_JIFFIES	(HZ / 5)

/* Of @sk's port, in @counts of its namespace. */
static u8 *habit_in(u8 *counts, const struct sock *sk)
{
	return &counts[inet_sk(sk)->inet_num % TANDEM_HABITS];
}

static u8 *habit(const struct sock *sk)
{
	return habit_in(tandem_sk(sk)->tn->fin_habit, sk);
}

/* ---- the SYN-ACK of a fast open ---- */

static u8 *synack_habit(const struct sock *sk)
{
	return habit_in(tandem_sk(sk)->tn->synack_habit, sk);
}

bool tandem_thrift_hold_synack(const struct sock *sk)
{
	u8 *count = synack_habit(sk);
	u8 was = READ_ONCE(*count);

	if (was < HABIT_OFF)
		return true;
	if (was < HABIT_OFF + HABIT_RETRY) {
		WRITE_ONCE(*count, was + 1);
		return false;
	}
	WRITE_ONCE(*count, HABIT_OFF - 1);
	return true;
}

void tandem_thrift_synack_sent(const struct sock *sk, bool rides)
{
	u8 *count = synack_habit(sk);
	u8 was = READ_ONCE(*count);

	if (rides) {
		TANDEM_SK_INC(sk, SYNACKRIDES);
		WRITE_ONCE(*count, 0);
		return;
	}
	TANDEM_SK_INC(sk, SYNACKHOLDSINVAIN);
	if (was < HABIT_OFF)
		WRITE_ONCE(*count, was + 1);
}

/* ---- the third ACK ---- */

/* What TCP takes for a promise: a write that waits, or an option that says so. */
static bool data_comes_first(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return sk->sk_write_pending || tp->defer_accept || tp->pingpong ||
	       (tp->fo_req && tp->fo_req->copied < tp->fo_req->size);
}

/* And what it does then: the ACK rides on that, and an answer to it is acknowledged late. */
static void third_ack_as_tcp(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!data_comes_first(sk)) {
		tandem_send_ack(sk);
		return;
	}
	tandem_enter_quickack(sk, TANDEM_MAX_QUICKACKS);
	tp->last_data_us = tp->clock_us;
	tandem_timer_ack_owed(sk, TCP_THIRD_ACK_JIFFIES);
}

void tandem_third_ack(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	unsigned long most = msecs_to_jiffies(tandem_sk_knob(sk, delack_max_ms));
	unsigned long delay = usecs_to_jiffies(tandem_rtt_srtt_us(&tp->rtt) / 4);

	tp->ack_pending |= TANDEM_ACK_SCHED;
	if (!tandem_thrifty(sk)) {
		third_ack_as_tcp(sk);
		return;
	}
	if (!most || !tandem_sk_knob(sk, third_ack_delay)) {
		tandem_send_ack(sk);
		return;
	}
	WRITE_ONCE(tp->third_ack, true);
	/* The request went with the SYN: what comes next is the answer, as ever. */
	tandem_timer_ack_owed(sk, tp->syn_data_acked ? most : min(delay, most));
}

void tandem_thrift_ack_sent(struct sock *sk, bool pure)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->third_ack) {
		WRITE_ONCE(tp->third_ack, false);
		if (!pure)
			TANDEM_SK_INC(sk, THIRDACKRIDES);
	}
	if (tp->fin_ack) {
		tp->fin_ack = false;
		if (!pure)
			TANDEM_SK_INC(sk, FINACKRIDES);
	}
}

/* ---- holding the end of an answer for the FIN ---- */

/* Is what was just written an answer, and complete as far as we can tell? */
static bool is_answer(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return tp->last_data_us && tp->last_data_us >= tp->last_sent_us &&
	       !tandem_inq((struct sock *)sk);
}

static bool may_hold(const struct sock *sk, u32 hold_us)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return hold_us && tandem_thrifty(sk) && tp->passive && !tp->nonagle &&
	       tandem_state_bit(sk) & (TCPF_SYN_RECV | TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) &&
	       READ_ONCE(*habit(sk)) < HABIT_OFF && is_answer(sk);
}

bool tandem_hold_for_fin(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 hold_us = tandem_sk_knob(sk, fin_hold_us);
	const struct sk_buff *tail = skb_peek_tail(&sk->sk_write_queue);

	if (!tail || !(tail->len % tp->mss_cache) || TANDEM_CB(tail)->eor) {
		tandem_hold_end(sk, TANDEM_HOLD_MOOT);
		return false;
	}
	if (tp->fin_hold)
		return true;	/* more of the same answer; the time runs on */
	if (!may_hold(sk, hold_us))
		return false;
	WRITE_ONCE(tp->fin_hold, true);
	tp->hold_until_ns = ktime_get_ns() + hold_us * NSEC_PER_USEC;
	tandem_alarm_meet(sk, tp->hold_until_ns);
	TANDEM_SK_INC(sk, FINHOLDS);
	return true;
}

void tandem_hold_end(struct sock *sk, enum tandem_hold_end how)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 *count = habit(sk);
	u8 was = READ_ONCE(*count);

	if (!tp->fin_hold)
		return;
	WRITE_ONCE(tp->fin_hold, false);
	switch (how) {
	case TANDEM_HOLD_FIN:
		WRITE_ONCE(*count, 0);
		break;
	case TANDEM_HOLD_IN_VAIN:
		if (was < HABIT_MAX)
			WRITE_ONCE(*count, was + 1);
		TANDEM_SK_INC(sk, FINHOLDSINVAIN);
		break;
	case TANDEM_HOLD_MOOT:
		break;
	}
}

void tandem_hold_expired(struct sock *sk)
{
	if (!tandem_sk(sk)->fin_hold)
		return;
	tandem_hold_end(sk, TANDEM_HOLD_IN_VAIN);
	tandem_push_pending(sk);
}

void tandem_thrift_fin(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 hold_us = tandem_sk_knob(sk, fin_hold_us);
	const struct sk_buff *tail = skb_peek_tail(&sk->sk_write_queue);
	u8 was = READ_ONCE(*habit(sk));

	if (tail && tail->len)
		TANDEM_SK_INC(sk, FINRIDES);
	if (tp->fin_hold) {
		tandem_hold_end(sk, TANDEM_HOLD_FIN);
	} else if (tp->passive && was && !(tp->nonagle & TANDEM_NAGLE_OFF) &&
		   tp->last_sent_us > tp->last_data_us &&
		   tandem_now_us() - tp->last_sent_us < hold_us) {
		/* It would have been worth holding. */
		WRITE_ONCE(*habit(sk), was - 1);
	}
}

/* ---- the program waits for input ---- */

void tandem_thrift_read_waits(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->fin_hold) {
		tandem_hold_end(sk, TANDEM_HOLD_IN_VAIN);
		tandem_push_pending(sk);
	}
	if (tp->third_ack && !tp->syn_data_acked)
		tandem_send_ack(sk);
}

void tandem_thrift_poll_waits(struct sock *sk)
{
	lock_sock(sk);
	/* Who has something to read does not wait. */
	if (sk->sk_state != TCP_CLOSE && !tandem_inq(sk))
		tandem_thrift_read_waits(sk);
	release_sock(sk);
}

/* ---- birth and end ---- */

void tandem_thrift_init(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->third_ack = false;
	tp->fin_ack = false;
	tp->fin_hold = false;
	tp->passive = false;
}

void tandem_thrift_stop(struct sock *sk)
{
	tandem_hold_end(sk, TANDEM_HOLD_MOOT);
	tandem_sk(sk)->third_ack = false;
	tandem_sk(sk)->fin_ack = false;
}
