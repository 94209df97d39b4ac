// SPDX-License-Identifier: GPL-2.0
/*
 * test_seq.c - module/seq.h: comparison on the circle of 2^32, RFC 9293 section 3.4.
 */
#include "tunit.h"
#include "seq.h"

struct order {
	u32 a, b;
	int cmp;		/* -1: a before b, 0: equal, 1: a after b */
};

TU_TEST(seq_order)
{
	static const struct order rows[] = {
		{ 0, 0, 0 },
		{ 0xffffffff, 0xffffffff, 0 },
		{ 0x80000000, 0x80000000, 0 },
		{ 0, 1, -1 },
		{ 1, 0, 1 },
		{ 0xffffffff, 0, -1 },			/* across the wrap */
		{ 0, 0xffffffff, 1 },
		{ 0xfffffff0, 0x10, -1 },
		{ 0x7fffffff, 0x80000000, -1 },		/* across the sign */
		{ 0x80000000, 0x7fffffff, 1 },
		{ 0, 0x7fffffff, -1 },			/* as far as it goes */
		{ 0x7fffffff, 0, 1 },
		{ 0x80000001, 0, -1 },
		{ 0xc0000000, 0x3fffffff, -1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct order *r = &rows[i];

		TU_WHERE("0x%x, 0x%x", r->a, r->b);
		EXPECT_EQ(seq_before(r->a, r->b), r->cmp < 0);
		EXPECT_EQ(seq_after(r->a, r->b), r->cmp > 0);
		EXPECT_EQ(seq_before_eq(r->a, r->b), r->cmp <= 0);
		EXPECT_EQ(seq_after_eq(r->a, r->b), r->cmp >= 0);
		EXPECT_EQ(seq_max(r->a, r->b), r->cmp > 0 ? r->a : r->b);
		EXPECT_EQ(seq_min(r->a, r->b), r->cmp < 0 ? r->a : r->b);
	}
}

TU_TEST(seq_between_edges)
{
	TU_WHERE("edges");
	EXPECT(seq_between(5, 5, 5));
	EXPECT(!seq_between(4, 5, 5));
	EXPECT(!seq_between(6, 5, 5));
	EXPECT(seq_between(5, 5, 9));
	EXPECT(seq_between(9, 5, 9));
	EXPECT(!seq_between(10, 5, 9));
	EXPECT(seq_between(0, 0xffffffff, 1));
	EXPECT(seq_between(0xffffffff, 0xffffffff, 1));
	EXPECT(seq_between(1, 0xffffffff, 1));
	EXPECT(!seq_between(2, 0xffffffff, 1));
	EXPECT(!seq_between(0xfffffffe, 0xffffffff, 1));
	/* An interval longer than half the circle. */
	EXPECT(seq_between(0xf0000000, 1, 0xffffffff));
	EXPECT(!seq_between(0, 1, 0xffffffff));
}

/* A step of 1..2^31-1 is forward wherever it starts. */
TU_TEST(seq_random)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, a, d, b;

	for (i = 0; i < TU_LOOPS; i++) {
		a = tu_rand_u32(&rng);
		d = tu_rand_u32(&rng) & 0x7fffffff;
		if (!d)
			d = 1;
		b = a + d;
		TU_WHERE("0x%x + 0x%x", a, d);
		if (!EXPECT(seq_before(a, b)) || !EXPECT(!seq_before(b, a)) ||
		    !EXPECT(seq_after(b, a)) || !EXPECT(!seq_after_eq(a, b)) ||
		    !EXPECT(seq_between(a + d / 2, a, b)) ||
		    !EXPECT(!seq_between(b + 1, a, b)) ||
		    !EXPECT_EQ(seq_max(a, b), b) || !EXPECT_EQ(seq_min(b, a), a))
			return;
	}
}

TU_SUITE(tandem_seq,
	 TU_CASE(seq_order),
	 TU_CASE(seq_between_edges),
	 TU_CASE(seq_random));
