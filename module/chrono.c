// SPDX-License-Identifier: GPL-2.0
/*
 * chrono.c - the clocks of chrono.h, and the pacing rate, which is what the sender
 * would do if nothing held it back.
 */
#include <net/sock.h>
#include "chrono.h"
#include "output.h"
#include "sock.h"

static void run(struct tandem_chrono *c, enum tandem_chrono_type type)
{
	u64 now = tandem_now_us();

	if (c->running != TANDEM_CHRONO_NONE)
		c->total_us[c->running] += now - c->since_us;
	c->since_us = now;
	c->running = type;
}

void tandem_chrono_start(struct sock *sk, enum tandem_chrono_type type)
{
	struct tandem_chrono *c = &tandem_sk(sk)->chrono;

	if (type > c->running)
		run(c, type);
}

void tandem_chrono_stop(struct sock *sk, enum tandem_chrono_type type)
{
	struct tandem_chrono *c = &tandem_sk(sk)->chrono;

	if (!tandem_rtx_head(sk) && skb_queue_empty(&sk->sk_write_queue))
		run(c, TANDEM_CHRONO_NONE);
	else if (type == c->running)
		run(c, TANDEM_CHRONO_BUSY);
}

u64 tandem_chrono_us(const struct sock *sk, enum tandem_chrono_type type)
{
	const struct tandem_chrono *c = &tandem_sk(sk)->chrono;
	u64 us = c->total_us[type];

	if (type == c->running)
		us += tandem_now_us() - c->since_us;
	return us;
}

/**
 * tandem_update_pacing_rate() - what fq may spread the segments to
 * @sk: locked
 *
 * As Linux TCP: cwnd per round trip, doubled while slow start doubles cwnd, else with a
 * fifth to spare, and never above SO_MAX_PACING_RATE.
 */
void tandem_update_pacing_rate(struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 percent = tp->cc.cwnd < tp->cc.ssthresh / 2 ? 200 : 120;
	u64 rate;

	if (!tp->cc.srtt_us)
		return;
	rate = (u64)tp->mss_cache * max(tp->cc.cwnd, tp->packets_out) * percent;
	rate = div_u64(rate * (USEC_PER_SEC / 100), tp->cc.srtt_us);
	WRITE_ONCE(sk->sk_pacing_rate,
		   min_t(u64, rate, READ_ONCE(sk->sk_max_pacing_rate)));
}
