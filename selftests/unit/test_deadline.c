// SPDX-License-Identifier: GPL-2.0
/*
 * test_deadline.c - module/deadline.h: deadlines that share a timer of the kernel's wheel.
 */
#include "tunit.h"
#include "deadline.h"

/* kernel/time/timer.c: 64 slots in each level, of which each is eight times as coarse. */
#define WHEEL_LEVELS	9

/* When the kernel runs a timer that is set at @now for @expires. */
static u64 wheel_fires(u64 now, u64 expires)
{
	u64 ticks = expires > now ? expires - now : 0;
	unsigned int level = 0;

	while (level < WHEEL_LEVELS - 1 && ticks >= 63ULL << (3 * level))
		level++;
	return ((max(expires, now) >> (3 * level)) + 1) << (3 * level);
}

/* One tick late is what every timer may be: it is set somewhere within one. */
TU_TEST(deadline_slack)
{
	u64 now, late;
	u32 ticks;

	EXPECT_EQ(tandem_wheel_slack(0), 0);
	EXPECT_EQ(tandem_wheel_slack(62), 0);
	for (ticks = 1; ticks < 40000000; ticks += 1 + ticks / 50) {
		for (now = 1000000; now < 1000080; now++) {
			TU_WHERE("%u ticks", ticks);
			late = wheel_fires(now, now + ticks) - (now + ticks) - 1;
			if (!EXPECT(late <= tandem_wheel_slack(ticks)))
				return;
		}
		/* And no more than it need be. */
		if (!EXPECT(tandem_wheel_slack(ticks) <= ticks / 7))
			return;
	}
}

TU_TEST(deadline_order)
{
	static const u32 base[] = { 0, 5, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		TU_WHERE("at %#x", base[i]);
		EXPECT_EQ(tandem_deadline_first(base[i], base[i] + 1), base[i]);
		EXPECT_EQ(tandem_deadline_first(base[i] + 32767000, base[i]), base[i]);
		EXPECT(tandem_deadline_due(base[i], base[i]));
		EXPECT(tandem_deadline_due(base[i] + 1, base[i]));
		EXPECT(!tandem_deadline_due(base[i], base[i] + 1));
		EXPECT(!tandem_deadline_due(base[i], base[i] + 32767000));
		/* A machine that was stopped for days finds that its time has come. */
		EXPECT(tandem_deadline_due(base[i] + 20 * 86400000U, base[i]));
	}
}

TU_TEST(deadline_served)
{
	/* Keepalive in two hours, and an ACK in 40 ms, at a thousand ticks a second. */
	EXPECT(!tandem_deadline_served(0, 40, 7200000));
	/* It has nearly come, but the timer may be 17 minutes late. */
	EXPECT(!tandem_deadline_served(7199990, 7200030,
				       7200000 + tandem_wheel_slack(7200000)));
	/* An RTO put off for an ACK: the timer of before will do. */
	EXPECT(tandem_deadline_served(10, 1010, 1000 + tandem_wheel_slack(1000)));
	EXPECT(tandem_deadline_served(10, 60, 50));
	EXPECT(tandem_deadline_served(10, 50, 50));
	EXPECT(!tandem_deadline_served(10, 49, 50));
	/* Due already: only a timer that is, too. */
	EXPECT(!tandem_deadline_served(100, 90, 101));
	EXPECT(tandem_deadline_served(100, 90, 90));
}

/* Whatever the timer was set for: a deadline it serves comes no later than by its own. */
TU_TEST(deadline_random)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, n = TU_LOOPS, served = 0;

	for (i = 0; i < n; i++) {
		u64 set = (1ULL << 32) - 50000000 + tu_rand_below(&rng, 100000000);
		u32 span = tu_rand_below(&rng, 1U << tu_rand_below(&rng, 25)) + 1;
		u32 ahead = tu_rand_below(&rng, 1U << tu_rand_below(&rng, 25)) + 1;
		u64 fires = wheel_fires(set, set + span);
		u64 now = set + tu_rand_below(&rng, fires - set);
		u32 latest = set + span + tandem_wheel_slack(span);

		TU_WHERE("set for %u, after %u ticks wanted in %u", span, (u32)(now - set),
			 ahead);
		if (!tandem_deadline_served(now, now + ahead, latest))
			continue;
		served++;
		if (!EXPECT(fires <= now + ahead + tandem_wheel_slack(ahead) + 1))
			return;
	}
	EXPECT(served > n / 10);
	EXPECT(served < n / 10 * 9);
}

TU_SUITE(tandem_deadline,
	 TU_CASE(deadline_slack),
	 TU_CASE(deadline_order),
	 TU_CASE(deadline_served),
	 TU_CASE(deadline_random));
