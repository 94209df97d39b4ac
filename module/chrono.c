// SPDX-License-Identifier: GPL-2.0
/*
 * chrono.c - the clocks of chrono.h.
 */
#include <net/sock.h>
#include "chrono.h"
#include "output.h"
#include "sock.h"

static void run(struct tandem_chrono *c, enum tandem_chrono_type type, u64 now)
{
	if (c->running != TANDEM_CHRONO_NONE)
		c->total_us[c->running - 1] += now - c->since_us;
	c->since_us = now;
	c->running = type;
}

void tandem_chrono_start(struct sock *sk, enum tandem_chrono_type type)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (type > tp->chrono.running)
		run(&tp->chrono, type, tp->clock_us);
}

void tandem_chrono_stop(struct sock *sk, enum tandem_chrono_type type)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_chrono *c = &tandem_sk(sk)->chrono;

	if (c->running == TANDEM_CHRONO_NONE)
		return;
	if (!tandem_rtx_head(sk) && skb_queue_empty(&sk->sk_write_queue))
		run(c, TANDEM_CHRONO_NONE, tp->clock_us);
	else if (type == c->running)
		run(c, TANDEM_CHRONO_BUSY, tp->clock_us);
}

u64 tandem_chrono_us(const struct sock *sk, enum tandem_chrono_type type)
{
	const struct tandem_chrono *c = &tandem_sk(sk)->chrono;
	u64 us = c->total_us[type - 1];

	if (type == c->running)
		us += tandem_now_us() - c->since_us;
	return us;
}
