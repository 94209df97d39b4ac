// SPDX-License-Identifier: GPL-2.0
/*
 * test_cubic.c - module/cong_cubic.c and cong_curve.c: RFC 9438 and RFC 9406.
 */
#include "tunit.h"
#include "cong_cubic.h"
#include "cong_curve.h"

#define SEC	1000000ULL

/* A test has one at a time. */
static struct tandem_cc fresh(void)
{
	static u64 priv[TANDEM_CONG_PRIV / sizeof(u64)];
	struct tandem_cc cc = {
		.priv = priv,
		.ops = &tandem_cubic, .cwnd = 10, .init_cwnd = 10,
		.ssthresh = TANDEM_SSTHRESH_INF, .cwnd_clamp = U32_MAX, .mss = 1448,
		.srtt_us = 50000, .min_rtt_us = 50000,
	};

	memset(priv, 0, sizeof(priv));
	tandem_cubic.init(&cc);
	return cc;
}

static void ack(struct tandem_cc *cc, u64 now_us, u32 acked, s64 rtt, bool limited,
		u32 prior)
{
	struct tandem_cong_ack a = {
		.now_us = now_us, .acked = acked, .rtt_us = rtt, .cwnd_limited = limited,
		.rs.delivered = 1, .rs.interval_us = 50000, .rs.prior_delivered = prior,
	};

	cc->delivered += acked;
	tandem_cubic.on_ack(cc, &a);
}

/* A round trip of a window, ACKed one by one. */
static void round_trip(struct tandem_cc *cc, u64 *now, u32 rtt_us)
{
	u32 i, n = cc->cwnd, prior = cc->delivered;

	for (i = 0; i < n; i++) {
		*now += rtt_us / n;
		ack(cc, *now, 1, rtt_us, true, prior);
	}
}

static void lose(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	cc->prior_cwnd = cc->cwnd;
	cc->ssthresh = tandem_cubic.ssthresh(cc);
	tandem_cubic.event(cc, ev);
	cc->cwnd = ev == TANDEM_CONG_EV_LOSS ? 1 : cc->ssthresh;
	cc->ca_state = ev == TANDEM_CONG_EV_LOSS ? TANDEM_CA_LOSS : TANDEM_CA_RECOVERY;
}

static void recovered(struct tandem_cc *cc)
{
	cc->ca_state = TANDEM_CA_OPEN;
	tandem_cubic.event(cc, TANDEM_CONG_EV_RECOVERED);
}

static bool is_root(u64 x, u64 r)
{
	/* r^3 <= x < (r + 1)^3, the latter perhaps beyond 64 bits */
	return r <= 2642245 && r * r * r <= x &&
	       (r == 2642245 || (r + 1) * (r + 1) * (r + 1) > x);
}

TU_TEST(cubic_root)
{
	static const u64 edges[] = {
		0, 1, 7, 8, 26, 27, 999999999, 1000000000, U64_MAX, U64_MAX - 1,
		2642245ULL * 2642245 * 2642245, 2642245ULL * 2642245 * 2642245 - 1,
	};
	struct tu_rng rng = tu_rng_start(test);
	u64 x;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		TU_WHERE("%llu", (unsigned long long)edges[i]);
		EXPECT(is_root(edges[i], tandem_cubic_root(edges[i])));
	}
	for (i = 0; i < TU_LOOPS / 4; i++) {
		x = ((u64)tu_rand(&rng) << 32 | tu_rand(&rng)) >> (tu_rand(&rng) & 63);
		TU_WHERE("%llu", (unsigned long long)x);
		if (!EXPECT(is_root(x, tandem_cubic_root(x))))
			return;
	}
}

/* Section 4.2: K = cbrt((W_max - cwnd) / C); 300 segments: cbrt(750) = 9.0856 s. */
TU_TEST(cubic_k)
{
	static const struct {
		u32 segs, k_ms;
	} rows[] = {
		{ 0, 0 }, { 1, 1357 }, { 3, 1957 }, { 50, 5000 }, { 300, 9085 },
		{ 400, 10000 }, { 400000, 100000 }, { U32_MAX, 2206141 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%u", rows[i].segs);
		EXPECT_EQ(tandem_cubic_k_ms(rows[i].segs), rows[i].k_ms);
	}
}

TU_TEST(cubic_curve)
{
	static const struct {
		u32 w_max, k_ms;
		u64 t_ms, want;
	} rows[] = {
		/* C = 0.4: 10 s away are 400 segments, 1 s is 0.4 */
		{ 1000, 10000, 0, 600 * 256 },
		{ 1000, 10000, 10000, 1000 * 256 },
		{ 1000, 10000, 20000, 1400 * 256 },
		{ 1000, 10000, 9000, 1000 * 256 - 102 },
		{ 1000, 10000, 11000, 1000 * 256 + 102 },
		{ 100, 10000, 0, 0 },			/* never below 0 */
		{ 100, 0, U64_MAX, (u64)U32_MAX << 8 },	/* nor beyond all */
		{ U32_MAX, 0, 1000, (u64)U32_MAX << 8 },
	};
	struct tu_rng rng = tu_rng_start(test);
	u64 t, w, was = 0;
	u32 i, top, k;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("row %u", i);
		EXPECT_EQ(tandem_cubic_window(rows[i].w_max, rows[i].k_ms, rows[i].t_ms),
			  rows[i].want);
	}
	/* It never falls with time, whatever the numbers. */
	for (i = 0; i < TU_LOOPS / 4; i++) {
		top = tu_rand_u32(&rng);
		k = tu_rand_u32(&rng);
		t = (u64)tu_rand_u32(&rng) << (tu_rand(&rng) % 20);
		was = tandem_cubic_window(top, k, t);
		w = tandem_cubic_window(top, k, t + 1 + tu_rand_u32(&rng) % 5000);
		TU_WHERE("w_max %u K %u t %llu", top, k, (unsigned long long)t);
		if (!EXPECT(w >= was))
			return;
	}
}

/* Section 4.6, 4.7: 0.7, and 0.85 of it as W_max when losing ground. */
TU_TEST(cubic_reduction)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC;
	u32 i;

	cc.cwnd = 1000;
	lose(&cc, TANDEM_CONG_EV_RECOVERY);
	TU_WHERE("first");
	EXPECT_EQ(cc.ssthresh, 700);
	recovered(&cc);
	/* K = cbrt(300 / 0.4) = 9.09 s: at the plateau then. */
	for (i = 0; now < 10 * SEC && i < 1000; i++)
		round_trip(&cc, &now, 50000);
	TU_WHERE("plateau");
	EXPECT_NEAR(cc.cwnd, 1000, 3);
	lose(&cc, TANDEM_CONG_EV_RECOVERY);
	recovered(&cc);
	/* Again at once: 0.7 of 0.7, and W_max = 0.85 of that before. */
	lose(&cc, TANDEM_CONG_EV_RECOVERY);
	recovered(&cc);
	EXPECT_NEAR(cc.cwnd, 490, 3);
	for (now = 30 * SEC, i = 0; now < 35400000 && i < 1000; i++)
		round_trip(&cc, &now, 50000);
	TU_WHERE("fast convergence: cbrt((595 - 490) / 0.4) = 6.4 s to 595");
	EXPECT_NEAR(cc.cwnd, 594, 4);

	TU_WHERE("never below 2");
	cc.cwnd = 1;
	EXPECT_EQ(tandem_cubic.ssthresh(&cc), 2);
	cc.cwnd = U32_MAX;
	EXPECT_EQ(tandem_cubic.ssthresh(&cc), (u32)(U32_MAX * 7ULL / 10));
}

/*
 * Section 4.8: after a timeout the curve begins flat where slow start ends, K = 0; back to
 * 1000 it would be at 790 a second later already.
 */
TU_TEST(cubic_timeout)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC;
	u32 i;

	cc.cwnd = 1000;
	lose(&cc, TANDEM_CONG_EV_LOSS);
	EXPECT_EQ(cc.ssthresh, 700);
	recovered(&cc);
	while (tandem_cc_in_slow_start(&cc))
		round_trip(&cc, &now, 50000);
	for (i = 0; i < 20; i++)
		round_trip(&cc, &now, 50000);
	TU_WHERE("flat for a second: 9/17 a round trip");
	EXPECT_NEAR(cc.cwnd, 711, 2);
	for (i = 0; i < 160; i++)
		round_trip(&cc, &now, 50000);
	TU_WHERE("nine seconds: 0.4 * 9^3 above");
	EXPECT_NEAR(cc.cwnd, 700 + 292, 6);
}

/* Section 4.3: at small windows and RTTs as Reno with alpha = 9/17, then 1. */
TU_TEST(cubic_reno_friendly)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC;
	u32 i;

	cc.min_rtt_us = 1000;
	cc.cwnd = 20;
	lose(&cc, TANDEM_CONG_EV_RECOVERY);
	recovered(&cc);
	EXPECT_EQ(cc.cwnd, 14);
	for (i = 0; i < 12; i++)
		round_trip(&cc, &now, 1000);
	TU_WHERE("12 rounds of 9/17");
	EXPECT_NEAR(cc.cwnd, 20, 1);
	i = cc.cwnd;
	for (now += 0; cc.cwnd < i + 20 && now < 2 * SEC;)
		round_trip(&cc, &now, 1000);
	TU_WHERE("20 rounds of 1");
	EXPECT_NEAR(now, SEC + 32000, 4000);
}

/* Section 4.2: not more than half as much again in a round trip. */
TU_TEST(cubic_bounded_growth)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC;
	u32 was;

	cc.cwnd = 10;
	cc.ssthresh = 10;
	ack(&cc, now, 1, 50000, true, 0);
	now += 1000 * SEC;		/* far out on the curve at once */
	was = cc.cwnd;
	round_trip(&cc, &now, 50000);
	EXPECT(cc.cwnd > was);
	EXPECT(cc.cwnd <= was + was / 2 + 1);
}

/* Section 4.9: what a spurious loss changed comes back, and the curve goes on. */
TU_TEST(cubic_undo)
{
	static u64 priv[TANDEM_CONG_PRIV / sizeof(u64)];
	struct tandem_cc a = fresh(), b;
	u64 now = SEC, then;
	u32 i;

	a.cwnd = 1000;
	lose(&a, TANDEM_CONG_EV_RECOVERY);
	recovered(&a);
	for (i = 0; i < 60; i++)
		round_trip(&a, &now, 50000);
	b = a;
	b.priv = memcpy(priv, a.priv, tandem_cubic.priv_size);
	/* Fast recovery, then a timeout in it, then both turn out wrong. */
	lose(&b, TANDEM_CONG_EV_RECOVERY);
	lose(&b, TANDEM_CONG_EV_LOSS);
	b.prior_cwnd = a.cwnd;
	b.cwnd = tandem_cubic.undo_cwnd(&b);
	b.ssthresh = a.ssthresh;
	tandem_cubic.event(&b, TANDEM_CONG_EV_UNDO);
	b.ca_state = TANDEM_CA_OPEN;
	TU_WHERE("window");
	EXPECT_EQ(b.cwnd, a.cwnd);
	then = now;
	for (i = 0; i < 60; i++)
		round_trip(&a, &now, 50000);
	now = then;
	for (i = 0; i < 60; i++)
		round_trip(&b, &now, 50000);
	TU_WHERE("curve");
	EXPECT_NEAR(b.cwnd, a.cwnd, 1);
}

/* Section 5.8: time without data to send does not move along the curve. */
TU_TEST(cubic_idle)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC;
	u32 i, was;

	cc.cwnd = 1000;
	lose(&cc, TANDEM_CONG_EV_RECOVERY);
	recovered(&cc);
	for (i = 0; i < 20; i++)
		round_trip(&cc, &now, 50000);
	was = cc.cwnd;
	now += 60 * SEC;
	tandem_cubic.event(&cc, TANDEM_CONG_EV_TX_START);
	round_trip(&cc, &now, 50000);
	TU_WHERE("after a minute");
	EXPECT(cc.cwnd - was <= 30);
	for (i = 0, was = cc.cwnd; i < 200; i++)
		ack(&cc, now += 100000, 1, 50000, false, 0);
	TU_WHERE("not limited by cwnd");
	EXPECT_EQ(cc.cwnd, was);
	round_trip(&cc, &now, 50000);
	EXPECT(cc.cwnd - was <= 30);
}

/* RFC 9406: RTTs that rise end slow start by way of CSS; one that falls resumes it. */
TU_TEST(cubic_hystart)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC;
	u32 i, was;

	for (i = 0; i < 4; i++)
		round_trip(&cc, &now, 50000);
	TU_WHERE("flat RTT");
	EXPECT_EQ(cc.cwnd, 160);
	round_trip(&cc, &now, 53000);
	TU_WHERE("3 ms are noise");
	EXPECT_EQ(cc.cwnd, 320);
	/* 53 / 8 = 6.6 ms more: the 8th sample of this round begins CSS. */
	round_trip(&cc, &now, 60000);
	TU_WHERE("CSS grows at a quarter");
	EXPECT_NEAR(cc.cwnd, 320 + 8 + 312 / 4, 2);
	was = cc.cwnd;
	round_trip(&cc, &now, 50000);
	TU_WHERE("spurious: slow start again");
	EXPECT(cc.cwnd > was + was * 9 / 10);
	EXPECT_EQ(cc.ssthresh, TANDEM_SSTHRESH_INF);
	for (i = 0; i < 7 && cc.ssthresh == TANDEM_SSTHRESH_INF; i++)
		round_trip(&cc, &now, 80000);
	TU_WHERE("five rounds of it");
	EXPECT(cc.ssthresh != TANDEM_SSTHRESH_INF);
	EXPECT(i >= 5);
	was = cc.cwnd;
	round_trip(&cc, &now, 80000);
	EXPECT(cc.cwnd < was + was / 8);
}

/*
 * A path of 100 segments a round trip, unpaced: a flight leaves in no time as it is ACKed,
 * two for one, and queues towards its end.  Slow start ends when it fills the path, before
 * it fills a queue as long as that.
 */
TU_TEST(cubic_hystart_train)
{
	struct tandem_cc cc = fresh();
	u64 now = SEC, start;
	u32 i, n, prior;

	for (start = now; cc.ssthresh == TANDEM_SSTHRESH_INF; start += 50000) {
		prior = cc.delivered;
		n = cc.cwnd;
		for (i = 0; i < n && cc.ssthresh == TANDEM_SSTHRESH_INF; i++) {
			/* Two for each that the last flight's ACKs let go. */
			now = max_t(u64, start + i * 500, now);
			ack(&cc, now, 1, 50000 + i / 2 * 500, true, prior);
		}
		TU_WHERE("flight of %u", n);
		if (n < 50)
			EXPECT_EQ(cc.cwnd, 2 * n);
		if (!EXPECT(n < 400))
			return;
	}
	TU_WHERE("the end");
	EXPECT(cc.cwnd >= 100);
	EXPECT(cc.cwnd < 200);
}

TU_TEST(cubic_is_complete)
{
	EXPECT(!strcmp(tandem_cubic.choice.name, "cubic"));
	EXPECT(tandem_cubic.ssthresh && tandem_cubic.on_ack && tandem_cubic.undo_cwnd);
	EXPECT_EQ(tandem_cubic.flags, 0);
}

TU_SUITE(tandem_cubic,
	 TU_CASE(cubic_root),
	 TU_CASE(cubic_k),
	 TU_CASE(cubic_curve),
	 TU_CASE(cubic_reduction),
	 TU_CASE(cubic_timeout),
	 TU_CASE(cubic_reno_friendly),
	 TU_CASE(cubic_bounded_growth),
	 TU_CASE(cubic_undo),
	 TU_CASE(cubic_idle),
	 TU_CASE(cubic_hystart),
	 TU_CASE(cubic_hystart_train),
	 TU_CASE(cubic_is_complete));
