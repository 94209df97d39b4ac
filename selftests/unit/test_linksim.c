// SPDX-License-Identifier: GPL-2.0
/*
 * test_linksim.c - the congestion control algorithms on simulated links (linksim.h).
 *
 * What must hold whatever the seed: orders of magnitude, shares, queues.  The figures
 * themselves are measured with real kernels (make bench-sim).  User space only.
 */
#include "tunit.h"
#include "linksim.h"
#include "cong_bbr.h"
#include "cong_cubic.h"
#include "cong_dctcp.h"

#define MBIT	1000000ULL
#define SEC	1000000ULL
#define SEEDS	3

static struct linksim link_of(u64 rate_bps, u32 rtt_us)
{
	return (struct linksim) { .rate_bps = rate_bps, .rtt_us = rtt_us, .seed = 1 };
}

static struct linksim_flow *add(struct linksim *sim, struct tandem_cong_ops *ops)
{
	struct linksim_flow *f = &sim->flows[sim->n++];

	f->ops = ops;
	return f;
}

/* Permille of a 100 Mbit/s, 50 ms link that a transfer of 20 MB gets. */
static u32 transfer(struct tandem_cong_ops *ops, u32 loss_ppm, u64 seed)
{
	struct linksim sim = link_of(100 * MBIT, 50000);

	sim.loss_ppm = loss_ppm;
	sim.seed = seed;
	sim.run_us = 60 * SEC;
	add(&sim, ops)->bytes = 20000000;
	linksim_run(&sim);
	return linksim_goodput(&sim, 0);
}

/* The most there can be is 1448 / 1514 = 956 permille, less what is lost. */
TU_TEST(linksim_clean_link)
{
	EXPECT(transfer(&tandem_reno, 0, 1) > 700);
	EXPECT(transfer(&tandem_cubic, 0, 1) > 700);
	EXPECT(transfer(&tandem_bbr, 0, 1) > 750);
}

/* 1 % is the end of loss-based control at this BDP: sqrt(1.5 / p) segments an RTT. */
TU_TEST(linksim_loss_based_collapse)
{
	EXPECT(transfer(&tandem_reno, 10000, 1) < 60);
	EXPECT(transfer(&tandem_cubic, 10000, 1) < 60);
}

TU_TEST(linksim_bbr_random_loss)
{
	static const u32 ppm[] = { 1000, 10000, 30000, 50000, 80000 };
	u64 seed;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ppm); i++)
		for (seed = 1; seed <= SEEDS; seed++) {
			TU_WHERE("%u ppm, seed %llu", ppm[i], (unsigned long long)seed);
			EXPECT(transfer(&tandem_bbr, ppm[i], seed) > 600);
		}
}

/* A flow alone leaves a deep buffer nearly empty, and uses the link. */
TU_TEST(linksim_bbr_deep_buffer)
{
	/* Probes are as many rounds at 200 ms, and so a larger part of the time. */
	static const struct {
		u32 rtt_us, p95_us;
	} rows[] = {
		{ 10000, 2500 }, { 50000, 11000 }, { 200000, 66000 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct linksim sim = link_of(100 * MBIT, rows[i].rtt_us);

		TU_WHERE("%u us", rows[i].rtt_us);
		sim.buffer = 10 * linksim_bdp(&sim);
		sim.measure_us = 5 * SEC;
		sim.run_us = 20 * SEC;
		add(&sim, &tandem_bbr);
		linksim_run(&sim);
		EXPECT(linksim_goodput(&sim, 0) >= 900);
		EXPECT(sim.queue_p95_us <= rows[i].p95_us);
		EXPECT_EQ(sim.drops, 0);
	}
}

/* In a very short one it keeps the headroom that section 2.7 asks for, and loses little. */
TU_TEST(linksim_bbr_shallow_buffer)
{
	struct linksim sim = link_of(100 * MBIT, 50000);

	sim.buffer = linksim_bdp(&sim) / 50;
	sim.measure_us = 5 * SEC;
	sim.run_us = 20 * SEC;
	add(&sim, &tandem_bbr);
	linksim_run(&sim);
	EXPECT(linksim_goodput(&sim, 0) >= 800);
	EXPECT(sim.flows[0].lost * 100 < sim.flows[0].sent * 3);
}

/* Newcomers, one after the other, get their share. */
TU_TEST(linksim_bbr_fair)
{
	static const struct {
		u32 flows, percent_bdp, loss_ppm;
	} rows[] = {
		{ 2, 100, 0 }, { 4, 100, 0 }, { 8, 100, 0 }, { 4, 1000, 0 }, { 4, 30, 0 },
		{ 4, 10, 0 }, { 4, 100, 10000 }, { 4, 100, 50000 },
	};
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct linksim sim = link_of(100 * MBIT, 50000);
		u64 sent = 0, lost = 0;

		TU_WHERE("%u flows, %u %% BDP, %u ppm", rows[i].flows,
			 rows[i].percent_bdp, rows[i].loss_ppm);
		sim.buffer = linksim_bdp(&sim) * rows[i].percent_bdp / 100;
		sim.loss_ppm = rows[i].loss_ppm;
		sim.measure_us = 12 * SEC;
		sim.run_us = 32 * SEC;
		for (j = 0; j < rows[i].flows; j++)
			add(&sim, &tandem_bbr)->start_us = j * 230000;
		linksim_run(&sim);
		for (j = 0; j < sim.n; j++) {
			sent += sim.flows[j].sent;
			lost += sim.flows[j].lost;
		}
		EXPECT(linksim_jain(&sim) >= 900);
		EXPECT(lost * 1000 < sent * (40 + rows[i].loss_ppm / 1000));
	}
}

/* Beside CUBIC in one BDP of buffer neither starves, whoever comes first. */
TU_TEST(linksim_bbr_beside_cubic)
{
	static const u32 rtt_ms[] = { 10, 50 };
	u32 i, first, share;

	for (i = 0; i < ARRAY_SIZE(rtt_ms); i++)
		for (first = 0; first < 2; first++) {
			struct linksim sim = link_of(100 * MBIT, rtt_ms[i] * 1000);

			TU_WHERE("%u ms, %s first", rtt_ms[i], first ? "cubic" : "bbr");
			sim.measure_us = 10 * SEC;
			sim.run_us = 50 * SEC;
			add(&sim, &tandem_bbr)->start_us = first * SEC;
			add(&sim, &tandem_cubic)->start_us = !first * SEC;
			linksim_run(&sim);
			share = sim.flows[0].got * 100 /
				(sim.flows[0].got + sim.flows[1].got);
			TU_NOTE(test, "bbr has %u %%%s", share, tu_where);
			EXPECT(share >= 25);
			EXPECT(share <= 75);
		}
}

TU_TEST(linksim_cubic_shares)
{
	struct linksim sim = link_of(100 * MBIT, 20000);

	sim.measure_us = 10 * SEC;
	sim.run_us = 60 * SEC;
	add(&sim, &tandem_cubic);
	add(&sim, &tandem_cubic)->start_us = 330000;
	linksim_run(&sim);
	EXPECT(linksim_jain(&sim) >= 850);
	EXPECT(linksim_goodput(&sim, 0) + linksim_goodput(&sim, 1) >= 900);
}

/* RFC 8257: the queue stays at the mark, the link full, without a drop. */
TU_TEST(linksim_dctcp)
{
	struct linksim sim = link_of(1000 * MBIT, 500);
	u32 i;

	sim.buffer = 200 * LINKSIM_WIRE;
	sim.ecn_mark = 20 * LINKSIM_WIRE;
	sim.measure_us = SEC / 2;
	sim.run_us = 2 * SEC;
	for (i = 0; i < 2; i++)
		add(&sim, &tandem_dctcp)->start_us = i * 10000;
	linksim_run(&sim);
	EXPECT(linksim_goodput(&sim, 0) + linksim_goodput(&sim, 1) >= 900);
	EXPECT(linksim_jain(&sim) >= 900);
	EXPECT_EQ(sim.drops, 0);
	EXPECT(sim.marks > 0);
	EXPECT(sim.queue_p95_us < 60 * LINKSIM_WIRE * 8 / 1000);
}

/* RFC 3168: bbr heeds marks where nothing is lost. */
TU_TEST(linksim_bbr_ecn)
{
	struct linksim sim = link_of(100 * MBIT, 50000);
	u32 i;

	sim.buffer = 4 * linksim_bdp(&sim);
	sim.ecn_mark = linksim_bdp(&sim) / 4;
	sim.measure_us = 5 * SEC;
	sim.run_us = 20 * SEC;
	for (i = 0; i < 4; i++)
		add(&sim, &tandem_bbr)->start_us = i * 100000;
	linksim_run(&sim);
	EXPECT_EQ(sim.drops, 0);
	EXPECT(sim.queue_p95_us < 25000);
	EXPECT(linksim_jain(&sim) >= 850);
}

/* A program that pauses finds its rate again, and is not sent into ProbeRTT. */
TU_TEST(linksim_bbr_app_limited)
{
	struct linksim sim = link_of(100 * MBIT, 50000);
	struct linksim_flow *f = add(&sim, &tandem_bbr);

	f->chunk_bytes = 1000000;
	f->chunk_us = 1000000;
	sim.run_us = 20 * SEC;
	linksim_run(&sim);
	EXPECT_EQ(f->timeouts, 0);
	EXPECT(f->got >= 19 * 1000000 / LINKSIM_MSS);
	EXPECT(((u64)bbr_max_bw(bbr_of(&f->cc)) * LINKSIM_MSS >> 4) * SEC >> 20 >=
	       100 * MBIT / 8 / 2);
}

TU_TEST(linksim_repeats)
{
	u32 a = transfer(&tandem_bbr, 30000, 7), b = transfer(&tandem_bbr, 30000, 7);

	EXPECT_EQ(a, b);
	EXPECT(transfer(&tandem_cubic, 1000, 3) != transfer(&tandem_cubic, 1000, 4));
}

TU_SUITE(tandem_linksim,
	 TU_CASE(linksim_clean_link),
	 TU_CASE(linksim_loss_based_collapse),
	 TU_CASE(linksim_bbr_random_loss),
	 TU_CASE(linksim_bbr_deep_buffer),
	 TU_CASE(linksim_bbr_shallow_buffer),
	 TU_CASE(linksim_bbr_fair),
	 TU_CASE(linksim_bbr_beside_cubic),
	 TU_CASE(linksim_cubic_shares),
	 TU_CASE(linksim_dctcp),
	 TU_CASE(linksim_bbr_ecn),
	 TU_CASE(linksim_bbr_app_limited),
	 TU_CASE(linksim_repeats));
