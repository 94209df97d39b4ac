// SPDX-License-Identifier: GPL-2.0
/*
 * test_arrival.c - module/arrival.c: what arrives in its turn, and what overtook others.
 */
#include "tunit.h"
#include "arrival.h"

#define MSS	1000U
#define RTT	50000U

static enum tandem_turn take(struct tandem_arrival *a, u32 una, u32 seq, u32 rtt_us,
			     bool retrans)
{
	struct tandem_arrived seg = {
		.seq = seq,
		.end_seq = seq + MSS,
		.una = una,
		.rtt_us = rtt_us,
		.min_rtt_us = RTT,
		.retrans = retrans,
	};

	return tandem_arrival_take(a, &seg);
}

/* One after the other; the numbers wrap meanwhile. */
TU_TEST(arrival_in_order)
{
	struct tandem_arrival a;
	u32 seq = -3 * MSS;
	int i;

	tandem_arrival_start(&a, seq);
	EXPECT_EQ(a.rtt_us, 0);
	for (i = 0; i < 6; i++, seq += MSS) {
		TU_WHERE("segment %d", i);
		EXPECT_EQ(take(&a, seq, seq, RTT + i, false), TANDEM_TURN_NEXT);
		EXPECT_EQ(a.rtt_us, RTT + i);
		EXPECT_EQ(a.fack, seq + MSS);
	}
}

/* Two are missing: lost, or late; who comes then has queued as they have. */
TU_TEST(arrival_gap)
{
	struct tandem_arrival a;

	tandem_arrival_start(&a, 0);
	take(&a, 0, 0, RTT, false);
	EXPECT_EQ(take(&a, MSS, 3 * MSS, RTT, false), TANDEM_TURN_GAP);
	EXPECT_EQ(take(&a, MSS, 4 * MSS, RTT + 100, false), TANDEM_TURN_NEXT);
	EXPECT_EQ(take(&a, MSS, MSS, RTT + 900, false), TANDEM_TURN_FILLS);
	EXPECT_EQ(a.rtt_us, RTT + 900);
	EXPECT_EQ(a.fack, 5 * MSS);
	/* Nothing to compare with: the first of all. */
	tandem_arrival_start(&a, 0);
	EXPECT_EQ(take(&a, 0, MSS, 1, false), TANDEM_TURN_GAP);
}

/* One has overtaken the others: its trip is nobody else's, and is forgotten. */
TU_TEST(arrival_early)
{
	struct tandem_arrival a;
	u32 i;

	tandem_arrival_start(&a, 0);
	take(&a, 0, 0, RTT, false);
	EXPECT_EQ(take(&a, MSS, 9 * MSS, RTT / 2, false), TANDEM_TURN_EARLY);
	EXPECT_EQ(a.rtt_us, RTT);
	for (i = 1; i < 9; i++) {
		TU_WHERE("segment %u", i);
		EXPECT_EQ(take(&a, i * MSS, i * MSS, RTT - i, false), TANDEM_TURN_FILLS);
		EXPECT_EQ(a.rtt_us, RTT - i);
	}
	EXPECT_EQ(take(&a, 10 * MSS, 10 * MSS, RTT, false), TANDEM_TURN_NEXT);
	/* Behind a cumulative ACK nothing is missing, whoever told of it. */
	EXPECT_EQ(take(&a, 20 * MSS, 20 * MSS, RTT / 2, false), TANDEM_TURN_NEXT);
}

/* A queue that gets shorter: the first after a loss is taken for early, once. */
TU_TEST(arrival_shorter_queue)
{
	struct tandem_arrival a;

	tandem_arrival_start(&a, 0);
	take(&a, 0, 0, 2 * RTT, false);
	EXPECT_EQ(take(&a, MSS, 2 * MSS, 2 * RTT - RTT / 4 - 1, false), TANDEM_TURN_EARLY);
	EXPECT_EQ(a.rtt_us, 2 * RTT);
	EXPECT_EQ(take(&a, MSS, 3 * MSS, RTT + RTT / 2, false), TANDEM_TURN_NEXT);
	EXPECT_EQ(a.rtt_us, RTT + RTT / 2);
	/* An eighth is jitter. */
	tandem_arrival_start(&a, 0);
	take(&a, 0, 0, 2 * RTT, false);
	EXPECT_EQ(take(&a, MSS, 2 * MSS, 2 * RTT - RTT / 4, false), TANDEM_TURN_GAP);
	EXPECT_EQ(a.rtt_us, 2 * RTT - RTT / 4);
}

/* Which copy was it?  A trip that is shorter than any was is none. */
TU_TEST(arrival_copies)
{
	struct tandem_arrival a;

	tandem_arrival_start(&a, 0);
	take(&a, 0, 0, 2 * RTT, false);
	take(&a, MSS, 2 * MSS, 2 * RTT, false);
	EXPECT_EQ(take(&a, MSS, MSS, RTT - 1, true), TANDEM_TURN_FILLS);
	EXPECT_EQ(a.rtt_us, 2 * RTT);
	EXPECT_EQ(take(&a, MSS, MSS, RTT, true), TANDEM_TURN_FILLS);
	EXPECT_EQ(a.rtt_us, RTT);
}

TU_SUITE(tandem_arrival,
	 TU_CASE(arrival_in_order),
	 TU_CASE(arrival_gap),
	 TU_CASE(arrival_early),
	 TU_CASE(arrival_shorter_queue),
	 TU_CASE(arrival_copies));
