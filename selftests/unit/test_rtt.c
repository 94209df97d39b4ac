// SPDX-License-Identifier: GPL-2.0
/*
 * test_rtt.c - module/rtt.c: RFC 6298's estimator and timeout.
 */
#include "tunit.h"
#include "rtt.h"

#define MS	1000U
#define SEC	1000000U

#define G_US	(4 * MS)
#define RTO_INIT	SEC
#define RTO_NO_MIN	0
#define RTO_MAX	(120 * SEC)

static u32 rto(const struct tandem_rtt *r)
{
	return tandem_rtt_rto_us(r, G_US, RTO_INIT, RTO_NO_MIN, RTO_MAX);
}

/* Section 2.1 */
TU_TEST(rtt_no_sample)
{
	struct tandem_rtt r;

	TU_WHERE("fresh");
	memset(&r, 0xa5, sizeof(r));
	tandem_rtt_init(&r);
	EXPECT_EQ(tandem_rtt_srtt_us(&r), 0);
	EXPECT_EQ(r.min_us, U32_MAX);
	EXPECT_EQ(rto(&r), SEC);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, 3 * SEC, RTO_NO_MIN, RTO_MAX), 3 * SEC);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, 3 * SEC, RTO_NO_MIN, 2 * SEC), 2 * SEC);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, SEC, 2 * SEC, RTO_MAX), 2 * SEC);
}

/* Sections 2.2 and 2.3 with numbers worked out by hand. */
TU_TEST(rtt_by_hand)
{
	static const struct {
		u32 sample, srtt, rttvar, rto;
	} rows[] = {
		/* SRTT = R, RTTVAR = R/2 */
		{ 100 * MS, 100000, 50000, 300000 },
		/* RTTVAR = .75 * 50 + .25 * 100; SRTT = .875 * 100 + .125 * 200 */
		{ 200 * MS, 112500, 62500, 362500 },
		/* .75 * 62.5 + .25 * |112.5 - 112.5|; SRTT stays */
		{ 112500, 112500, 46875, 300000 },
		/* .75 * 46.875 + .25 * 72.5; .875 * 112.5 + .125 * 40 */
		{ 40 * MS, 103437, 53281, 316563 },
	};
	struct tandem_rtt r;
	size_t i;

	tandem_rtt_init(&r);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("sample %zu", i);
		tandem_rtt_sample(&r, rows[i].sample, 1);
		EXPECT_EQ(tandem_rtt_srtt_us(&r), rows[i].srtt);
		EXPECT_EQ(r.rttvar_us4 / 4, rows[i].rttvar);
		EXPECT_EQ(rto(&r), rows[i].rto);	/* SRTT rounded up */
		EXPECT_EQ(r.last_us, rows[i].sample);
	}
	EXPECT_EQ(r.min_us, 40 * MS);
}

/* Section 2.3: the variance term is never below the clock's granularity. */
TU_TEST(rtt_granularity)
{
	struct tandem_rtt r;
	int i;

	TU_WHERE("granularity");
	tandem_rtt_init(&r);
	for (i = 0; i < 200; i++)
		tandem_rtt_sample(&r, 50 * MS, 1);
	EXPECT_EQ(tandem_rtt_srtt_us(&r), 50 * MS);
	EXPECT_EQ(rto(&r), 54 * MS);
	EXPECT_EQ(tandem_rtt_rto_us(&r, 1, RTO_INIT, RTO_NO_MIN, RTO_MAX), 50 * MS + 1);
	EXPECT_EQ(tandem_rtt_rto_us(&r, U32_MAX, RTO_INIT, RTO_NO_MIN, RTO_MAX), RTO_MAX);
}

/* Sections 2.4 and 2.5 */
TU_TEST(rtt_min_max)
{
	struct tandem_rtt r;

	TU_WHERE("min and max");
	tandem_rtt_init(&r);
	tandem_rtt_sample(&r, 100 * MS, 1);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, RTO_INIT, SEC, RTO_MAX), SEC);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, RTO_INIT, 300 * MS, RTO_MAX), 300 * MS);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, RTO_INIT, 300 * MS + 1, RTO_MAX), 300 * MS + 1);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, RTO_INIT, RTO_NO_MIN, 250 * MS), 250 * MS);
	/* Nonsense from the knobs: the maximum wins. */
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, RTO_INIT, 2 * SEC, SEC), SEC);
}

TU_TEST(rtt_extremes)
{
	static const u32 n[] = { 0, 1, 2, 65536, 65537, U32_MAX };
	struct tandem_rtt r;
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(n); i++) {
		TU_WHERE("expected %u", n[i]);
		tandem_rtt_init(&r);
		tandem_rtt_sample(&r, 0, n[i]);
		EXPECT_EQ(r.srtt_us8, 8);		/* 0 counts as 1 */
		EXPECT_EQ(r.min_us, 1);
		for (j = 0; j < 100; j++)
			tandem_rtt_sample(&r, U32_MAX, n[i]);
		EXPECT_EQ(r.last_us, 120 * SEC);
		EXPECT(tandem_rtt_srtt_us(&r) <= 120 * SEC);
		EXPECT(r.rttvar_us4 <= 4 * 120 * SEC);
		EXPECT(rto(&r) <= RTO_MAX);
		for (j = 0; j < 100; j++)
			tandem_rtt_sample(&r, 0, n[i]);
		EXPECT(r.srtt_us8 >= 8);
		EXPECT_EQ(r.min_us, 1);
	}
	TU_WHERE("expected 1, back again");
	tandem_rtt_init(&r);
	tandem_rtt_sample(&r, U32_MAX, 1);
	EXPECT_EQ(tandem_rtt_srtt_us(&r), 120 * SEC);
	EXPECT_EQ(tandem_rtt_rto_us(&r, G_US, RTO_INIT, RTO_NO_MIN, U32_MAX), 360 * SEC);
	for (j = 0; j < 1000; j++)
		tandem_rtt_sample(&r, 0, 1);
	EXPECT_EQ(r.srtt_us8 >> 3, 1);
	EXPECT(r.rttvar_us4 <= 1);
}

/*
 * RFC 7323 appendix G: n samples a round trip, each with gains divided by n, move the
 * estimate as far as one sample with the full gains; (1 - 1/8n)^n is nearly 7/8.
 */
TU_TEST(rtt_expected_samples)
{
	static const u32 n[] = { 1, 2, 5, 10, 100, 1000, 10000 };
	struct tandem_rtt r;
	size_t i;
	u32 j;

	for (i = 0; i < ARRAY_SIZE(n); i++) {
		TU_WHERE("expected %u", n[i]);
		tandem_rtt_init(&r);
		tandem_rtt_sample(&r, 100 * MS, n[i]);
		for (j = 0; j < n[i]; j++)
			tandem_rtt_sample(&r, 200 * MS, n[i]);
		/* 112.5 ms with one; 100 + 100 * (1 - e^-1/8) = 111.75 with many */
		EXPECT_NEAR(tandem_rtt_srtt_us(&r), 112125, 400);
		/* 62.5 ms with one, 59.68 with many */
		EXPECT_NEAR(r.rttvar_us4 / 4, 61090, 1420);
	}
}

/* A small round trip under a big window still converges: nothing is rounded away. */
TU_TEST(rtt_expected_converges)
{
	static const u32 n[] = { 1, 8, 500, 20000 };
	struct tandem_rtt r;
	size_t i;
	u32 j;

	for (i = 0; i < ARRAY_SIZE(n); i++) {
		TU_WHERE("expected %u", n[i]);
		tandem_rtt_init(&r);
		tandem_rtt_sample(&r, 100, n[i]);
		for (j = 0; j < 100 * n[i]; j++)
			tandem_rtt_sample(&r, 60, n[i]);
		EXPECT_NEAR(tandem_rtt_srtt_us(&r), 60, 1);
		EXPECT(r.rttvar_us4 <= 8);
	}
}

/* Section 5.5 */
TU_TEST(rtt_backoff)
{
	static const struct {
		u32 rto;
		unsigned int shift;
		u32 max, want;
	} rows[] = {
		{ SEC, 0, 120 * SEC, SEC },
		{ SEC, 1, 120 * SEC, 2 * SEC },
		{ SEC, 6, 120 * SEC, 64 * SEC },
		{ SEC, 7, 120 * SEC, 120 * SEC },
		{ 200 * MS, 9, 120 * SEC, 102400 * MS },
		{ 200 * MS, 10, 120 * SEC, 120 * SEC },
		{ SEC, 31, 120 * SEC, 120 * SEC },
		{ SEC, 32, 120 * SEC, 120 * SEC },
		{ SEC, 255, 120 * SEC, 120 * SEC },
		{ SEC, ~0U, 120 * SEC, 120 * SEC },
		{ 1, 31, U32_MAX, 0x80000000 },
		{ 1, 32, U32_MAX, U32_MAX },
		{ 3, 31, U32_MAX, U32_MAX },
		{ 0, 200, 120 * SEC, 0 },
		{ 2 * SEC, 0, SEC, SEC },
		{ U32_MAX, 0, U32_MAX, U32_MAX },
		{ U32_MAX, 1, U32_MAX, U32_MAX },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%u << %u, at most %u", rows[i].rto, rows[i].shift,
			 rows[i].max);
		EXPECT_EQ(tandem_rtt_backoff_us(rows[i].rto, rows[i].shift,
						rows[i].max), rows[i].want);
	}
}

/* Doubling never makes a timeout shorter, nor does a longer start. */
TU_TEST(rtt_backoff_monotone)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, start, max, now, prev;
	unsigned int shift;

	for (i = 0; i < TU_LOOPS / 32; i++) {
		start = tu_rand_u32(&rng);
		max = tu_rand_u32(&rng);
		prev = tandem_rtt_backoff_us(start, 0, max);
		TU_WHERE("start %u, max %u", start, max);
		if (!EXPECT_EQ(prev, min(start, max)))
			return;
		for (shift = 1; shift < 40; shift++) {
			now = tandem_rtt_backoff_us(start, shift, max);
			if (!EXPECT(now >= prev) || !EXPECT(now <= max) ||
			    !EXPECT_EQ(now, min_t(u64, max, (u64)prev * 2)))
				return;
			prev = now;
		}
	}
}

/* The RFC's formulas again, with 24 bits behind the point and no cleverness. */
struct model {
	s64 srtt, rttvar;
};

#define MODEL_BITS	24

static void model_sample(struct model *m, u32 sample, s32 n)
{
	s64 r = (s64)sample << MODEL_BITS;
	s64 err = m->srtt - r;

	if (!m->srtt) {
		m->srtt = r;
		m->rttvar = r / 2;
		return;
	}
	if (err < 0)
		err = -err;
	m->rttvar += div_s64(err - m->rttvar, 4 * n);
	m->srtt += div_s64(r - m->srtt, 8 * n);
}

TU_TEST(rtt_random_against_model)
{
	struct tu_rng rng = tu_rng_start(test);
	struct model m = { 0 };
	struct tandem_rtt r;
	u32 i, sample, n, lo = U32_MAX, hi = 0, base = 0;

	tandem_rtt_init(&r);
	for (i = 0; i < TU_LOOPS; i++) {
		if (i % 500 == 0) {		/* a new connection */
			tandem_rtt_init(&r);
			memset(&m, 0, sizeof(m));
			lo = U32_MAX;
			hi = 0;
			base = 1 + tu_rand_below(&rng, 60 * SEC) / (1 + (i & 0xfff));
		}
		sample = base + tu_rand_below(&rng, base);
		n = 1 + tu_rand_below(&rng, i & 1 ? 8 : 1000);
		lo = min(lo, sample);
		hi = max(hi, sample);
		tandem_rtt_sample(&r, sample, n);
		model_sample(&m, sample, n);
		TU_WHERE("sample %u of %u us, expected %u", i, sample, n);
		if (!EXPECT_NEAR(tandem_rtt_srtt_us(&r), m.srtt >> MODEL_BITS, 1) ||
		    !EXPECT_NEAR(r.rttvar_us4 / 4, m.rttvar >> MODEL_BITS, 1) ||
		    !EXPECT_EQ(r.min_us, lo) || !EXPECT_EQ(r.last_us, sample) ||
		    !EXPECT(tandem_rtt_srtt_us(&r) >= lo) ||
		    !EXPECT(tandem_rtt_srtt_us(&r) <= hi) ||
		    !EXPECT(rto(&r) >= min(RTO_MAX, tandem_rtt_srtt_us(&r) + G_US)))
			return;
	}
}

/* Of two connections the one that saw the longer round trip has the longer SRTT. */
TU_TEST(rtt_monotone)
{
	struct tu_rng rng = tu_rng_start(test);
	struct tandem_rtt a, b;
	u32 i, n, sample, more;

	for (i = 0; i < TU_LOOPS; i++) {
		tandem_rtt_init(&a);
		tandem_rtt_sample(&a, 1 + tu_rand_below(&rng, 119 * SEC), 1);
		b = a;
		n = 1 + tu_rand_below(&rng, 64);
		sample = 1 + tu_rand_below(&rng, 60 * SEC);
		more = sample + tu_rand_below(&rng, 60 * SEC);
		tandem_rtt_sample(&a, sample, n);
		tandem_rtt_sample(&b, more, n);
		TU_WHERE("%u and %u us, expected %u", sample, more, n);
		if (!EXPECT(a.srtt_us8 <= b.srtt_us8))
			return;
	}
}

/* The estimators to choose from (rto.c). */
TU_TEST(rto_kinds)
{
	struct tandem_rto_limits lim = {
		.g_us = G_US, .init_us = SEC, .min_us = 200 * MS, .max_us = 120 * SEC,
		.fixed_us = 700 * MS,
	};
	struct tandem_rtt r;

	TU_WHERE("no sample");
	tandem_rtt_init(&r);
	EXPECT_EQ(tandem_rto_rfc6298.rto_us(&r, &lim), SEC);
	EXPECT_EQ(tandem_rto_fixed.rto_us(&r, &lim), 700 * MS);
	TU_WHERE("samples");
	tandem_rtt_sample(&r, 100 * MS, 1);
	EXPECT_EQ(tandem_rto_rfc6298.rto_us(&r, &lim), 300 * MS);
	EXPECT_EQ(tandem_rto_fixed.rto_us(&r, &lim), 700 * MS);
	tandem_rtt_sample(&r, 10 * SEC, 1);
	EXPECT(tandem_rto_rfc6298.rto_us(&r, &lim) > 700 * MS);
	EXPECT_EQ(tandem_rto_fixed.rto_us(&r, &lim), 700 * MS);
	TU_WHERE("limits");
	lim.max_us = 500 * MS;
	EXPECT_EQ(tandem_rto_rfc6298.rto_us(&r, &lim), 500 * MS);
	EXPECT_EQ(tandem_rto_fixed.rto_us(&r, &lim), 500 * MS);
	lim.max_us = 0;
	EXPECT_EQ(tandem_rto_fixed.rto_us(&r, &lim), 1);
}

/* RFC 8985 section 7.2 */
TU_TEST(rtt_probe_timeout)
{
	static const struct {
		u32 srtt;
		bool lone;
		u32 delay;
		u64 want;
	} rows[] = {
		{ 0, false, 200 * MS, SEC }, { 0, true, 200 * MS, SEC },
		{ 50 * MS, false, 200 * MS, 102 * MS }, { 50 * MS, true, 200 * MS, 300 * MS },
		{ 1, false, 0, 2 * MS + 2 }, { 1, true, 0, 2 },
		{ U32_MAX, true, U32_MAX, 3ULL * U32_MAX },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("row %zu", i);
		EXPECT_EQ(tandem_rtt_pto_us(rows[i].srtt, rows[i].lone, rows[i].delay),
			  rows[i].want);
	}
}

/* RFC 4015 section 3.3, both ways, and its bounds. */
TU_TEST(rtt_rebase)
{
	static const struct {
		u32 before, spike, after, srtt, rttvar;
	} rows[] = {
		/* the path is longer: SRTT = R, RTTVAR = R / 2 */
		{ 100 * MS, 900 * MS, 800 * MS, 800 * MS, 400 * MS },
		/* it only paused: as before */
		{ 100 * MS, 900 * MS, 90 * MS, 100 * MS, 50 * MS },
		/* between: a longer trip, but no more variation than there was */
		{ 100 * MS, 900 * MS, 100 * MS + 2, 100 * MS + 2, 50 * MS + 1 },
		{ 100 * MS, 900 * MS, 0, 100 * MS, 50 * MS },
		{ 100 * MS, U32_MAX, U32_MAX, 120 * SEC, 60 * SEC },
	};
	struct tandem_rebase was;
	struct tandem_rtt r;
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("row %zu", i);
		tandem_rtt_init(&r);
		tandem_rtt_sample(&r, rows[i].before, 1);
		memset(&was, 0xa5, sizeof(was));
		tandem_rebase_save(&was, &r);
		EXPECT(!was.due);
		for (j = 0; j < 7; j++)
			tandem_rtt_sample(&r, rows[i].spike, 5);
		tandem_rebase_due(&was, 0xfffffff0U);
		EXPECT(was.due);
		EXPECT_EQ(was.seq, 0xfffffff0U);
		tandem_rtt_rebase(&r, &was, rows[i].after);
		EXPECT(!was.due);
		EXPECT_EQ(tandem_rtt_srtt_us(&r), rows[i].srtt);
		EXPECT_EQ(r.rttvar_us4 / 4, rows[i].rttvar);
		EXPECT_EQ(r.srtt_frac, 0);
		EXPECT_EQ(r.rttvar_frac, 0);
		EXPECT_EQ(r.last_us, clamp(rows[i].after, 1U, 120 * SEC));
		EXPECT(r.min_us <= r.last_us);
		EXPECT(r.min_us <= rows[i].before);
	}
	/* Before there was any sample: as the first (RFC 6298 section 2.2). */
	TU_WHERE("no sample before");
	tandem_rtt_init(&r);
	tandem_rebase_save(&was, &r);
	tandem_rtt_rebase(&r, &was, 100 * MS);
	EXPECT_EQ(tandem_rtt_srtt_us(&r), 100 * MS);
	EXPECT_EQ(r.rttvar_us4 / 4, 50 * MS);
	EXPECT_EQ(r.min_us, 100 * MS);
}

TU_SUITE(tandem_rtt,
	 TU_CASE(rtt_no_sample),
	 TU_CASE(rtt_by_hand),
	 TU_CASE(rtt_granularity),
	 TU_CASE(rtt_min_max),
	 TU_CASE(rtt_extremes),
	 TU_CASE(rtt_expected_samples),
	 TU_CASE(rtt_expected_converges),
	 TU_CASE(rtt_backoff),
	 TU_CASE(rtt_backoff_monotone),
	 TU_CASE(rtt_random_against_model),
	 TU_CASE(rtt_monotone),
	 TU_CASE(rto_kinds),
	 TU_CASE(rtt_rebase),
	 TU_CASE(rtt_probe_timeout));
