// SPDX-License-Identifier: GPL-2.0
/*
 * chrono.c - the clocks of chrono.h.
 */
#include <net/sock.h>
#include "chrono.h"
#include "output.h"
#include "sock.h"

static void run(struct tandem_sock *tp, enum tandem_chrono_type type, u64 now)
{
	struct tandem_chrono *c = &tp->chrono;

	if (tp->chrono_runs != TANDEM_CHRONO_NONE)
		c->total_us[tp->chrono_runs - 1] += now - c->since_us;
	c->since_us = now;
	tp->chrono_runs = type;
}

void tandem_chrono_start(struct sock *sk, enum tandem_chrono_type type)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (type > tp->chrono_runs)
		run(tp, type, tp->clock_us);
}

void tandem_chrono_stop(struct sock *sk, enum tandem_chrono_type type)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->chrono_runs == TANDEM_CHRONO_NONE)
		return;
	if (!tandem_rtx_head(sk) && skb_queue_empty(&sk->sk_write_queue))
		run(tp, TANDEM_CHRONO_NONE, tp->clock_us);
	else if (type == tp->chrono_runs)
		run(tp, TANDEM_CHRONO_BUSY, tp->clock_us);
}

u64 tandem_chrono_us(const struct sock *sk, enum tandem_chrono_type type)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_chrono *c = &tp->chrono;
	u64 us = c->total_us[type - 1];

	if (type == tp->chrono_runs)
		us += tandem_now_us() - c->since_us;
	return us;
}
