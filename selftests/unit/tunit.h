/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tunit.h - one test source, two worlds: a user-space program that prints KTAP, and
 * a KUnit suite.
 *
 *	TU_TEST(adds_up)
 *	{
 *		EXPECT_EQ(1 + 1, 2);
 *	}
 *	TU_SUITE(tandem_sums, TU_CASE(adds_up));
 *
 * An EXPECT that fails says where and what, marks the case failed, goes on, and is
 * false: a loop over a table or random input can stop at the first.  TU_WHERE() puts a
 * row's name into the messages that follow.
 */
#ifndef TUNIT_H
#define TUNIT_H

#include "pure.h"

#ifdef __KERNEL__

#include <kunit/test.h>

#define TU_LOOPS	20000U
#define TU_SEED		0x7a6e64656d2019ULL
#define tu		kunit
#define TU_FAIL(t, fmt, ...)	KUNIT_FAIL(t, fmt, ##__VA_ARGS__)
#define TU_NOTE(t, fmt, ...)	kunit_info(t, fmt, ##__VA_ARGS__)
#define TU_CASE(fn)	KUNIT_CASE(fn)
#define TU_SUITE(id, ...)					\
	static struct kunit_case id##_cases[] = { __VA_ARGS__, {} };	\
	static struct kunit_suite id##_suite = {		\
		.name = #id,					\
		.test_cases = id##_cases,			\
	};							\
	kunit_test_suite(id##_suite)

#else

#include <stdarg.h>

struct tu {
	bool failed;
};

struct tu_case {
	void (*run)(struct tu *test);
	const char *name;
};

/* TU_SEED=number and TU_LOOPS=number in the environment override these. */
static inline u64 tu_env(const char *name, u64 dflt)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : dflt;
}

#define TU_LOOPS	((u32)tu_env("TU_LOOPS", 200000))
#define TU_SEED		tu_env("TU_SEED", 0x7a6e64656d2019ULL)
#define TU_NOTE(t, fmt, ...)	printf("# " fmt "\n", ##__VA_ARGS__)
#define TU_FAIL(t, fmt, ...) do {				\
	struct tu *_t = (t);					\
								\
	_t->failed = true;					\
	TU_NOTE(_t, fmt, ##__VA_ARGS__);			\
} while (0)
#define TU_CASE(fn)	{ .run = fn, .name = #fn }
#define TU_SUITE(id, ...)						\
	static const struct tu_case id##_cases[] = { __VA_ARGS__ };	\
	int main(void)							\
	{								\
		return tu_main(id##_cases, ARRAY_SIZE(id##_cases));	\
	}								\
	struct tu

static inline int tu_main(const struct tu_case *cases, size_t n)
{
	bool failed = false;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%zu\n", n);
	for (i = 0; i < n; i++) {
		struct tu test = { .failed = false };

		cases[i].run(&test);
		failed |= test.failed;
		printf("%sok %zu %s\n", test.failed ? "not " : "", i + 1,
		       cases[i].name);
	}
	return failed;
}

#endif /* __KERNEL__ */

#define TU_TEST(fn)	static void fn(struct tu *test)

/* What the table or loop is at; part of every failure's message. */
static char tu_where[96];

#define TU_WHERE(fmt, ...) \
	snprintf(tu_where, sizeof(tu_where), ": " fmt, ##__VA_ARGS__)

static inline bool tu_true(struct tu *test, bool ok, const char *what,
			   const char *file, int line)
{
	if (!ok)
		TU_FAIL(test, "%s:%d%s: expected %s", file, line, tu_where, what);
	return ok;
}

static inline bool tu_eq(struct tu *test, long long got, long long want,
			 const char *what, const char *file, int line)
{
	if (got != want)
		TU_FAIL(test, "%s:%d%s: %s is %lld (0x%llx), expected %lld (0x%llx)",
			file, line, tu_where, what, got, got, want, want);
	return got == want;
}

/* |got - want| <= tol */
static inline bool tu_near(struct tu *test, long long got, long long want,
			   long long tol, const char *what, const char *file,
			   int line)
{
	bool ok = got >= want - tol && got <= want + tol;

	if (!ok)
		TU_FAIL(test, "%s:%d%s: %s is %lld, expected %lld +- %lld",
			file, line, tu_where, what, got, want, tol);
	return ok;
}

static inline bool tu_bytes(struct tu *test, const void *got, const void *want,
			    size_t len, const char *what, const char *file,
			    int line)
{
	const u8 *g = got, *w = want;
	size_t i;

	for (i = 0; i < len; i++) {
		if (g[i] == w[i])
			continue;
		TU_FAIL(test, "%s:%d%s: %s: byte %zu is 0x%02x, expected 0x%02x",
			file, line, tu_where, what, i, g[i], w[i]);
		return false;
	}
	return true;
}

#define EXPECT(cond)	tu_true(test, cond, #cond, __FILE__, __LINE__)
#define EXPECT_EQ(got, want) \
	tu_eq(test, got, want, #got, __FILE__, __LINE__)
#define EXPECT_NEAR(got, want, tol) \
	tu_near(test, got, want, tol, #got, __FILE__, __LINE__)
#define EXPECT_BYTES(got, want, len) \
	tu_bytes(test, got, want, len, #got, __FILE__, __LINE__)

/* xorshift64*, the same numbers everywhere for one seed. */
struct tu_rng {
	u64 s;
};

static inline struct tu_rng tu_rng_start(struct tu *test)
{
	struct tu_rng rng = { .s = TU_SEED };

	TU_NOTE(test, "seed 0x%llx", rng.s);
	if (!rng.s)
		rng.s = 1;
	return rng;
}

static inline u32 tu_rand(struct tu_rng *rng)
{
	rng->s ^= rng->s >> 12;
	rng->s ^= rng->s << 25;
	rng->s ^= rng->s >> 27;
	return (rng->s * 0x2545f4914f6cdd1dULL) >> 32;
}

static inline u32 tu_rand_below(struct tu_rng *rng, u32 n)
{
	return ((u64)tu_rand(rng) * n) >> 32;
}

/* Numbers of all sizes, and the corners more often than chance has them. */
static inline u32 tu_rand_u32(struct tu_rng *rng)
{
	static const u32 corner[] = {
		0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001,
		0xfffffffe, 0xffffffff, 65535, 65536, 1460,
	};
	u32 r = tu_rand(rng);

	if (!(r & 7))
		return corner[tu_rand_below(rng, ARRAY_SIZE(corner))];
	return tu_rand(rng) >> (r >> 27);
}

#endif /* TUNIT_H */
