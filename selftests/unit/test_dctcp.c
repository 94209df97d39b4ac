// SPDX-License-Identifier: GPL-2.0
/*
 * test_dctcp.c - module/cong_dctcp.c: RFC 8257's sender.
 */
#include "tunit.h"
#include "cong_dctcp.h"

/* A test has one at a time. */
static struct tandem_cc fresh(void)
{
	static u64 priv[TANDEM_CONG_PRIV / sizeof(u64)];
	struct tandem_cc cc = {
		.priv = priv,
		.ops = &tandem_dctcp, .cwnd = 100, .init_cwnd = 10, .ssthresh = 50,
		.cwnd_clamp = U32_MAX, .mss = 1448, .min_rtt_us = 100, .ecn_ok = true,
	};

	memset(priv, 0, sizeof(priv));
	tandem_dctcp.init(&cc);
	return cc;
}

/* A window of ACKs, every @each-th of them marked (0: none). */
static void window(struct tandem_cc *cc, u32 each)
{
	u32 i, n = cc->cwnd, prior = cc->delivered;

	for (i = 1; i <= n; i++) {
		struct tandem_cong_ack a = {
			.now_us = 1, .acked = 1, .rtt_us = 100, .cwnd_limited = true,
			.rs.delivered = n, .rs.interval_us = 100,
			.rs.prior_delivered = prior,
		};

		cc->delivered++;
		cc->delivered_ce += each && i % each == 0;
		cc->in_flight = cc->cwnd;
		tandem_dctcp.on_ack(cc, &a);
	}
}

/* Section 3.3: alpha = (1 - g) alpha + g F, compared in 1/2^32. */
TU_TEST(dctcp_alpha)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, n, ce, alpha = 1024, next;
	u64 want;

	for (i = 0; i < TU_LOOPS; i++) {
		n = tu_rand_u32(&rng);
		ce = tu_rand_u32(&rng);
		next = tandem_dctcp_alpha(alpha, n, ce);
		TU_WHERE("alpha %u, %u of %u", alpha, ce, n);
		if (!n) {
			if (!EXPECT_EQ(next, alpha))
				return;
			continue;
		}
		want = (((u64)alpha << 20) * 15 +
			div_u64((u64)min(ce, n) << 30, n)) / 16 >> 20;
		if (!EXPECT_NEAR(next, want, 2) || !EXPECT(next <= 1024))
			return;
		alpha = next;
	}
	TU_WHERE("all marked: 1; none: 0");
	for (i = 0; i < 200; i++)
		alpha = tandem_dctcp_alpha(alpha, 100, 100);
	EXPECT_EQ(alpha, 1024);
	for (i = 0; i < 200; i++)
		alpha = tandem_dctcp_alpha(alpha, 100, 0);
	EXPECT_EQ(alpha, 0);
}

/* Section 3.3, 4.2: alpha begins at 1, so the first mark halves. */
TU_TEST(dctcp_first_mark_halves)
{
	struct tandem_cc cc = fresh();

	/* The first ACK ends the first window, without marks: alpha = 15/16. */
	window(&cc, 100);
	EXPECT_NEAR(cc.cwnd, 100 - 100 * 15 / 32, 1);
	EXPECT_EQ(cc.ssthresh, cc.cwnd);
}

/* One cut a window however many marks; then few marks cut little. */
TU_TEST(dctcp_cut_follows_alpha)
{
	struct tandem_cc cc = fresh();
	u32 i, was, least = U32_MAX;

	for (i = 0; i < 100; i++)
		window(&cc, 0);
	was = cc.cwnd;
	TU_WHERE("alpha is 0: a mark costs nothing yet");
	EXPECT(was > 150);
	window(&cc, 10);
	EXPECT_NEAR(cc.cwnd, was, 1);
	for (i = 0; i < 100; i++) {
		was = cc.cwnd;
		window(&cc, 10);
		if (i > 50 && cc.cwnd < was)
			least = min(least, cc.cwnd * 1000 / was);
	}
	TU_WHERE("F = 0.1: cuts of 5 %%");
	EXPECT_NEAR(least, 950, 15);

	TU_WHERE("every segment marked");
	for (i = 0; i < 40; i++) {
		was = cc.cwnd;
		window(&cc, 1);
		EXPECT(cc.cwnd >= was / 2 - 1);
		EXPECT(cc.cwnd >= TANDEM_CWND_MIN);
	}
	EXPECT(cc.cwnd <= 4);
}

/* Section 3.5: losses are losses. */
TU_TEST(dctcp_loss)
{
	struct tandem_cc cc = fresh();

	EXPECT_EQ(tandem_dctcp.ssthresh(&cc), 50);
	cc.cwnd = 3;
	EXPECT_EQ(tandem_dctcp.ssthresh(&cc), 2);
	cc.prior_cwnd = 70;
	EXPECT_EQ(tandem_dctcp.undo_cwnd(&cc), 70);
}

TU_TEST(dctcp_is_complete)
{
	EXPECT(!strcmp(tandem_dctcp.choice.name, "dctcp"));
	EXPECT(tandem_dctcp.flags & TANDEM_CONG_NEEDS_ECN);
	EXPECT(tandem_dctcp.flags & TANDEM_CONG_DCTCP_ECN);
	EXPECT(tandem_dctcp.flags & TANDEM_CONG_RESTRICTED);
}

TU_SUITE(tandem_dctcp,
	 TU_CASE(dctcp_alpha),
	 TU_CASE(dctcp_first_mark_halves),
	 TU_CASE(dctcp_cut_follows_alpha),
	 TU_CASE(dctcp_loss),
	 TU_CASE(dctcp_is_complete));
