// SPDX-License-Identifier: GPL-2.0
/*
 * pace.c - spreading what may be sent over the round trip.
 *
 * A window's worth of segments sent at once fills the bottleneck's queue, or overflows
 * it; sent evenly it does neither (RFC 9002 section 7.7 gives the reasons).  The rate is
 * sk_pacing_rate, bytes of payload per second: congestion control's own if it has one,
 * else cwnd over srtt with room to grow, as Linux TCP does.
 *
 * Who enforces it: the fq qdisc, which says so in sk_pacing_status; without fq this file
 * does, by a timer (alarm.c), for algorithms that ask for it (TANDEM_CONG_PACED)
 * and for programs that set SO_MAX_PACING_RATE.
 *
 * Segments go in bursts of up to a millisecond (at most 64 KB), for a timer for each
 * would cost more than it helps; TCP's TSO bursts are as long.  A timer that was late
 * may catch up, at up to twice the rate.
 */
#include <net/sock.h>
#include "alarm.h"
#include "cong.h"
#include "output.h"
#include "pace.h"
#include "reason.h"
#include "recovery.h"

#define BURST_NS	NSEC_PER_MSEC
#define BURST_BYTES	65536U
#define FIRST_SEGS	10

static bool pacing_is_ours(const struct sock *sk)
{
	const struct tandem_cong_ops *ops = tandem_sk(sk)->cc.ops;
	u32 status = READ_ONCE(sk->sk_pacing_status);

	if (status != SK_PACING_NONE)
		return status == SK_PACING_NEEDED;
	/* While it is quiet it sends no more at once than it may to begin with (RFC 6928). */
	return ops && ops->flags & TANDEM_CONG_PACED && !tandem_cong_is_quiet(&tandem_sk(sk)->cc);
}

/*
 * How far ahead of time a segment may go, so that bursts are worth a timer.  Never less than
 * a tick of tandem_clock_ns(), behind which the timer may be: it would be armed for the very
 * moment again and again until the next tick.
 */
static u64 burst_ns(unsigned long rate)
{
	u64 ns = div64_ul((u64)BURST_BYTES * NSEC_PER_SEC, rate);

	return clamp_t(u64, ns, NSEC_PER_USEC, BURST_NS);
}

bool tandem_pace_blocks(struct sock *sk)
{
	unsigned long rate = READ_ONCE(sk->sk_pacing_rate);
	struct tandem_sock *tp = tandem_sk(sk);

	if (!tp->pace_next_ns || !pacing_is_ours(sk) || !rate || rate == ~0UL)
		return false;
	if (tp->pace_next_ns <= tandem_clock_ns(tp) + burst_ns(rate))
		return false;
	/*
	 * What is spread is a flight.  With nothing in it one segment may always go: a rate
	 * measured on a path that stood still must not hold up the first that could mend it.
	 */
	if (!tandem_pipe(tp))
		return false;
	tp->pace_waits = true;
	tandem_alarm_meet(sk, tp->pace_next_ns);
	return true;
}

void tandem_pace_sent(struct sock *sk, u32 len)
{
	unsigned long rate = READ_ONCE(sk->sk_pacing_rate);
	struct tandem_sock *tp = tandem_sk(sk);
	u64 now, len_ns;

	/* The first window is IW10 (RFC 6928), which is to go at once; fq does so, too. */
	if (!len || tp->data_segs_out < FIRST_SEGS || !pacing_is_ours(sk) || !rate || rate == ~0UL)
		return;
	now = tandem_clock_ns(tp);
	len_ns = div64_ul((u64)len * NSEC_PER_SEC, rate);
	if (tp->pace_next_ns < now) {
		/* Late: up to half of the time is given as a present. */
		len_ns -= min_t(u64, len_ns / 2, now - tp->pace_next_ns);
		tp->pace_next_ns = now;
	}
	tp->pace_next_ns += len_ns;
}

/**
 * tandem_update_pacing_rate() - what the segments are spread to
 * @sk: locked
 *
 * The algorithm's own rate, or as Linux TCP: cwnd per round trip, doubled while slow
 * start doubles cwnd, else with a fifth to spare; never above SO_MAX_PACING_RATE.
 */
void tandem_update_pacing_rate(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 percent = tp->cc.cwnd < tp->cc.ssthresh / 2 ? 200 : 120;
	u64 rate = tp->cc.pacing_rate;

	if (!rate) {
		if (!tp->cc.srtt_us)
			return;
		rate = (u64)tp->mss_cache * max(tp->cc.cwnd, tp->packets_out) * percent;
		rate = div_u64(rate * (USEC_PER_SEC / 100), tp->cc.srtt_us);
	}
	WRITE_ONCE(sk->sk_pacing_rate,
		   min_t(u64, rate, READ_ONCE(sk->sk_max_pacing_rate)));
}

void tandem_pace_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN))
		return;
	tandem_clock_tick(tp);
	/* F-RTO sends nothing again until it knows. */
	if (tp->lost_out > tp->retrans_out && !tandem_frto_waits(tp))
		tandem_xmit_retransmit_queue(sk, tandem_recovery_reason(sk), false);
	tandem_push_pending(sk);
}
