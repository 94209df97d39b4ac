// SPDX-License-Identifier: GPL-2.0
/*
 * test_cong.c - module/cong_reno.c: NewReno's window sizes, RFC 5681.
 */
#include "tunit.h"
#include <tandem/cong.h>

static const struct tandem_cc fresh = {
	.cwnd = 10,			/* RFC 6928 */
	.ssthresh = TANDEM_SSTHRESH_INF,
	.cwnd_clamp = U32_MAX,
	.mss = 1460,
	.min_rtt_us = U32_MAX,
};

static void ack(struct tandem_cc *cc, u32 acked, bool limited)
{
	struct tandem_cong_ack a = {
		.acked = acked,
		.prior_in_flight = cc->cwnd,
		.rtt_us = -1,
		.cwnd_limited = limited,
	};

	tandem_reno.on_ack(cc, &a);
}

/* Section 3.1: every round trip twice the window. */
TU_TEST(cong_slow_start_doubles)
{
	struct tandem_cc cc = fresh;
	u32 round, i, flight;

	for (round = 0; round < 8; round++) {
		flight = cc.cwnd;
		for (i = 0; i < flight; i++)
			ack(&cc, 1, true);
		TU_WHERE("round %u", round);
		EXPECT_EQ(cc.cwnd, 2 * flight);
	}
	EXPECT_EQ(cc.cwnd, 2560);
}

/* An ACK for n segments does what n ACKs do: no more, no less. */
TU_TEST(cong_stretch_acks)
{
	struct tandem_cc one = fresh, many = fresh;
	u32 i;

	one.ssthresh = 40;
	many.ssthresh = 40;
	for (i = 0; i < 400; i++)
		ack(&one, 1, true);
	for (i = 0; i < 50; i++)
		ack(&many, 8, true);
	TU_WHERE("400 segments");
	EXPECT_NEAR(many.cwnd, one.cwnd, 1);

	/* Parts of a segment are worth nothing (RFC 3465 section 2.1). */
	TU_WHERE("nothing whole ACKed");
	one = fresh;
	for (i = 0; i < 1000; i++)
		ack(&one, 0, true);
	EXPECT_EQ(one.cwnd, 10);
}

TU_TEST(cong_slow_start_ends)
{
	struct tandem_cc cc = fresh;

	cc.ssthresh = 16;
	TU_WHERE("leftover");
	EXPECT(tandem_cc_in_slow_start(&cc));
	EXPECT_EQ(tandem_cc_slow_start(&cc, 5), 0);
	EXPECT_EQ(cc.cwnd, 15);
	EXPECT_EQ(tandem_cc_slow_start(&cc, 5), 4);
	EXPECT_EQ(cc.cwnd, 16);
	EXPECT(!tandem_cc_in_slow_start(&cc));
	EXPECT_EQ(tandem_cc_slow_start(&cc, 7), 7);
	EXPECT_EQ(cc.cwnd, 16);

	TU_WHERE("the leftover counts for congestion avoidance");
	cc = fresh;
	cc.ssthresh = 12;
	ack(&cc, 10, true);
	EXPECT_EQ(cc.cwnd, 12);
	EXPECT_EQ(cc.cwnd_cnt, 8);
}

/* Section 3.1: one segment per round trip. */
TU_TEST(cong_avoidance)
{
	struct tandem_cc cc = fresh;
	u32 round, i, flight;

	cc.ssthresh = 10;
	for (round = 0; round < 20; round++) {
		flight = cc.cwnd;
		for (i = 0; i < flight; i++) {
			TU_WHERE("round %u, ACK %u of %u", round, i, flight);
			EXPECT_EQ(cc.cwnd, flight);
			ack(&cc, 1, true);
		}
		EXPECT_EQ(cc.cwnd, flight + 1);
		EXPECT_EQ(cc.cwnd_cnt, 0);
	}
}

TU_TEST(cong_avoid_ai)
{
	static const struct {
		const char *name;
		u32 cwnd, cnt, clamp, w, acked, want, want_cnt;
	} rows[] = {
		{ "not yet", 10, 0, 100, 10, 9, 10, 9 },
		{ "a window", 10, 9, 100, 10, 1, 11, 0 },
		{ "two and a half", 10, 0, 100, 10, 25, 12, 5 },
		{ "credit of a larger w is one", 10, 50, 100, 10, 0, 11, 0 },
		{ "and then as usual", 10, 50, 100, 10, 12, 12, 2 },
		{ "clamp", 99, 0, 100, 1, 50, 100, 0 },
		{ "above the clamp comes down", 120, 0, 100, 10, 1, 100, 1 },
		{ "w of 0 is 1", 10, 0, 100, 0, 3, 13, 0 },
		{ "huge", 10, 5, U32_MAX, 10, U32_MAX, 10 + U32_MAX / 10,
		  U32_MAX % 10 },
		{ "no overflow", U32_MAX - 1, 0, U32_MAX, 1, 100, U32_MAX, 0 },
	};
	struct tandem_cc cc;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%s", rows[i].name);
		cc = fresh;
		cc.cwnd = rows[i].cwnd;
		cc.cwnd_cnt = rows[i].cnt;
		cc.cwnd_clamp = rows[i].clamp;
		tandem_cc_avoid_ai(&cc, rows[i].w, rows[i].acked);
		EXPECT_EQ(cc.cwnd, rows[i].want);
		EXPECT_EQ(cc.cwnd_cnt, rows[i].want_cnt);
	}
}

/* RFC 7661 section 4.3: a window that is not used does not grow. */
TU_TEST(cong_not_limited)
{
	struct tandem_cc cc = fresh;
	u32 i;

	TU_WHERE("slow start");
	for (i = 0; i < 100; i++)
		ack(&cc, 2, false);
	EXPECT_EQ(cc.cwnd, 10);
	TU_WHERE("congestion avoidance");
	cc.ssthresh = 5;
	for (i = 0; i < 100; i++)
		ack(&cc, 2, false);
	EXPECT_EQ(cc.cwnd, 10);
	EXPECT_EQ(cc.cwnd_cnt, 0);
}

TU_TEST(cong_clamp)
{
	struct tandem_cc cc = fresh;
	u32 i;

	cc.cwnd_clamp = 25;
	for (i = 0; i < 100; i++)
		ack(&cc, 3, true);
	TU_WHERE("slow start");
	EXPECT_EQ(cc.cwnd, 25);
	cc.ssthresh = 20;
	for (i = 0; i < 100; i++)
		ack(&cc, 30, true);
	TU_WHERE("congestion avoidance");
	EXPECT_EQ(cc.cwnd, 25);
}

/* Section 3.1 (4) */
TU_TEST(cong_ssthresh)
{
	static const struct {
		u32 cwnd, want;
	} rows[] = {
		{ 0, 2 }, { 1, 2 }, { 2, 2 }, { 3, 2 }, { 4, 2 }, { 5, 2 }, { 6, 3 },
		{ 7, 3 }, { 10, 5 }, { 101, 50 }, { U32_MAX, U32_MAX / 2 },
	};
	struct tandem_cc cc;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("cwnd %u", rows[i].cwnd);
		cc = fresh;
		cc.cwnd = rows[i].cwnd;
		EXPECT_EQ(tandem_reno.ssthresh(&cc), rows[i].want);
		EXPECT_EQ(cc.cwnd, rows[i].cwnd);
	}
}

/* A loss that was none: the window from before, but never less than now. */
TU_TEST(cong_undo)
{
	struct tandem_cc cc = fresh;

	cc.prior_cwnd = 40;
	cc.cwnd = 20;
	TU_WHERE("undo");
	EXPECT_EQ(tandem_reno.undo_cwnd(&cc), 40);
	cc.cwnd = 44;
	EXPECT_EQ(tandem_reno.undo_cwnd(&cc), 44);
}

TU_TEST(cong_events)
{
	static const struct {
		enum tandem_cong_event ev;
		u32 cnt;
	} rows[] = {
		{ TANDEM_CONG_EV_TX_START, 7 },
		{ TANDEM_CONG_EV_CWND_RESTART, 0 },
		{ TANDEM_CONG_EV_RECOVERY, 0 },
		{ TANDEM_CONG_EV_RECOVERED, 7 },
		{ TANDEM_CONG_EV_LOSS, 0 },
	};
	struct tandem_cc cc;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("event %d", rows[i].ev);
		cc = fresh;
		cc.cwnd_cnt = 7;
		tandem_reno.event(&cc, rows[i].ev);
		EXPECT_EQ(cc.cwnd_cnt, rows[i].cnt);
		EXPECT_EQ(cc.cwnd, 10);
		EXPECT_EQ(cc.ssthresh, TANDEM_SSTHRESH_INF);
	}
}

TU_TEST(cong_reno_is_complete)
{
	TU_WHERE("reno");
	EXPECT(!strcmp(tandem_reno.choice.name, "reno"));
	EXPECT(tandem_reno.ssthresh && tandem_reno.on_ack && tandem_reno.undo_cwnd);
	EXPECT(!tandem_reno.init && !tandem_reno.release);
}

/* Any ACKs: cwnd stays in 1..clamp and grows by no more than was ACKed. */
TU_TEST(cong_random)
{
	struct tu_rng rng = tu_rng_start(test);
	struct tandem_cc cc = fresh, was;
	u32 i, n;

	for (i = 0; i < TU_LOOPS; i++) {
		if (i % 200 == 0) {
			cc = fresh;
			cc.cwnd_clamp = max(tu_rand_u32(&rng), 2U);
			cc.cwnd = 1 + tu_rand_u32(&rng) % cc.cwnd_clamp;
			cc.ssthresh = max(tu_rand_u32(&rng), TANDEM_CWND_MIN);
		}
		was = cc;
		n = tu_rand_u32(&rng) % (2 * min(cc.cwnd, 100000U));
		ack(&cc, n, tu_rand(&rng) % 4);
		TU_WHERE("round %u, cwnd %u, ssthresh %u, count %u, clamp %u, %u ACKed",
			 i, was.cwnd, was.ssthresh, was.cwnd_cnt, was.cwnd_clamp, n);
		if (!EXPECT(cc.cwnd >= was.cwnd) || !EXPECT(cc.cwnd <= cc.cwnd_clamp) ||
		    !EXPECT(cc.cwnd - was.cwnd <= n + 1) ||
		    !EXPECT_EQ(cc.ssthresh, was.ssthresh))
			return;
		if (tu_rand(&rng) % 32 == 0) {		/* a loss */
			cc.prior_cwnd = cc.cwnd;
			cc.ssthresh = tandem_reno.ssthresh(&cc);
			tandem_reno.event(&cc, TANDEM_CONG_EV_RECOVERY);
			if (!EXPECT(cc.ssthresh >= TANDEM_CWND_MIN) ||
			    !EXPECT(cc.cwnd < 4 || cc.ssthresh <= cc.cwnd / 2))
				return;
			cc.cwnd = min(cc.ssthresh, cc.cwnd_clamp);
		}
	}
}

TU_SUITE(tandem_cong,
	 TU_CASE(cong_slow_start_doubles),
	 TU_CASE(cong_stretch_acks),
	 TU_CASE(cong_slow_start_ends),
	 TU_CASE(cong_avoidance),
	 TU_CASE(cong_avoid_ai),
	 TU_CASE(cong_not_limited),
	 TU_CASE(cong_clamp),
	 TU_CASE(cong_ssthresh),
	 TU_CASE(cong_undo),
	 TU_CASE(cong_events),
	 TU_CASE(cong_reno_is_complete),
	 TU_CASE(cong_random));
