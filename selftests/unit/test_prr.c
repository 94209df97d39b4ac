// SPDX-License-Identifier: GPL-2.0
/*
 * test_prr.c - module/prr.c: RFC 9937.
 */
#include "tunit.h"
#include "prr.h"

/*
 * One segment of a flight of @fs is lost; ACK after ACK SACKs one more.  The sender
 * always uses the window.
 */
static u32 one_loss(struct tu *test, u32 fs, u32 ssthresh)
{
	struct tandem_prr prr;
	u32 pipe = fs - 1, cwnd = fs, sent = 0, burst, i;

	TU_WHERE("%u to %u", fs, ssthresh);
	tandem_prr_start(&prr, fs);
	for (i = 0; i < fs - 1; i++) {
		pipe--;
		cwnd = tandem_prr_cwnd(&prr, cwnd, 1, pipe, ssthresh, false);
		burst = cwnd > pipe ? cwnd - pipe : 0;
		/* Never faster than the ACKs, never a pause longer than the ratio's. */
		if (!EXPECT(burst <= 1))
			break;
		sent += burst;
		pipe += burst;
		tandem_prr_sent(&prr, burst);
		if (!EXPECT(sent + 1 >= (u64)(i + 1) * ssthresh / fs))
			break;
	}
	return pipe;
}

TU_TEST(prr_one_loss)
{
	EXPECT_NEAR(one_loss(test, 20, 10), 10, 1);
	EXPECT_NEAR(one_loss(test, 20, 14), 14, 1);	/* CUBIC's 0.7 */
	EXPECT_NEAR(one_loss(test, 1000, 700), 700, 1);
	EXPECT_NEAR(one_loss(test, 10, 2), 2, 1);
}

/* Section 6: the first one goes whatever the arithmetic says. */
TU_TEST(prr_first_goes)
{
	struct tandem_prr prr;

	TU_WHERE("first");
	tandem_prr_start(&prr, 1000);
	EXPECT_EQ(tandem_prr_cwnd(&prr, 1000, 0, 900, 1, false), 901);
	tandem_prr_sent(&prr, 1);
	EXPECT_EQ(tandem_prr_cwnd(&prr, 901, 0, 901, 1, false), 901);
	EXPECT_EQ(tandem_prr_cwnd(&prr, 901, 1, 900, 1, false), 900);
}

/* Conservative bound: most of the flight was lost, so as many go as arrive. */
TU_TEST(prr_heavy_loss)
{
	struct tandem_prr prr;
	u32 pipe = 5, cwnd = 20, i;

	TU_WHERE("heavy loss");
	tandem_prr_start(&prr, 20);		/* 15 of 20 are lost */
	for (i = 0; i < 5; i++) {
		pipe--;
		cwnd = tandem_prr_cwnd(&prr, cwnd, 1, pipe, 10, false);
		EXPECT_EQ(cwnd - pipe, 1);
		tandem_prr_sent(&prr, cwnd - pipe);
		pipe = cwnd;
	}
	EXPECT_EQ(pipe, 5);
	/* Then snd_una moves: slow start, two for one, up to ssthresh and no further. */
	for (i = 0; i < 5; i++) {
		pipe--;
		cwnd = tandem_prr_cwnd(&prr, cwnd, 1, pipe, 10, true);
		EXPECT_EQ(cwnd - pipe, 2);
		tandem_prr_sent(&prr, cwnd - pipe);
		pipe = cwnd;
	}
	EXPECT_EQ(pipe, 10);
	pipe--;
	EXPECT_EQ(tandem_prr_cwnd(&prr, cwnd, 1, pipe, 10, true), 10);
}

/* What the program or the peer's window held back may be caught up with later. */
TU_TEST(prr_catches_up)
{
	struct tandem_prr prr;
	u32 cwnd;

	TU_WHERE("catches up");
	tandem_prr_start(&prr, 20);
	tandem_prr_sent(&prr, 1);
	cwnd = tandem_prr_cwnd(&prr, 20, 14, 5, 10, false);
	EXPECT_EQ(cwnd, 10);
	cwnd = tandem_prr_cwnd(&prr, cwnd, 1, 4, 10, false);
	EXPECT_EQ(cwnd, 10);
}

TU_TEST(prr_corners)
{
	struct tu_rng rng = tu_rng_start(test);
	struct tandem_prr prr;
	u32 i, cwnd, pipe, ssthresh, delivered, out;

	for (i = 0; i < TU_LOOPS; i++) {
		if (i % 50 == 0)
			tandem_prr_start(&prr, tu_rand_u32(&rng));
		cwnd = tu_rand_u32(&rng);
		pipe = tu_rand_u32(&rng);
		ssthresh = tu_rand_u32(&rng);
		delivered = tu_rand_u32(&rng);
		out = prr.out;
		TU_WHERE("fs %u, delivered %u, pipe %u, ssthresh %u", prr.recover_fs,
			 delivered, pipe, ssthresh);
		cwnd = tandem_prr_cwnd(&prr, cwnd, delivered, pipe, ssthresh, i & 1);
		if (!EXPECT(cwnd >= 1))
			return;
		/* Below ssthresh never beyond it, but for the very first. */
		if (out && delivered && pipe <= ssthresh &&
		    !EXPECT(cwnd <= max(ssthresh, 1U)))
			return;
		tandem_prr_sent(&prr, tu_rand_u32(&rng));
		if (!EXPECT(prr.out >= out))
			return;
	}
}

TU_SUITE(tandem_prr,
	 TU_CASE(prr_one_loss),
	 TU_CASE(prr_first_goes),
	 TU_CASE(prr_heavy_loss),
	 TU_CASE(prr_catches_up),
	 TU_CASE(prr_corners));
