// SPDX-License-Identifier: GPL-2.0
/*
 * test_undo.c - module/undo.c: D-SACK, Eifel and F-RTO.
 */
#include "tunit.h"
#include "undo.h"

#define T0	5000000ULL

/* All that was sent again came twice. */
TU_TEST(undo_dsack_all)
{
	struct tandem_undo u = {};

	TU_WHERE("dsack");
	EXPECT(!tandem_undo_by_dsack(&u));
	tandem_undo_dsack(&u, 1000, 2000, 1);		/* no reduction to undo */
	EXPECT(!tandem_undo_by_dsack(&u));
	tandem_undo_start(&u, 1000, 0, 20, 10);
	EXPECT(!tandem_undo_by_dsack(&u));		/* nothing sent again yet */
	tandem_undo_resent(&u, 1, T0, false);
	tandem_undo_resent(&u, 2, T0 + 5, false);
	EXPECT_EQ(u.stamp_us, T0);
	tandem_undo_dsack(&u, 1000, 2000, 1);
	EXPECT(!tandem_undo_by_dsack(&u));
	tandem_undo_dsack(&u, 0, 1000, 1);		/* of before the episode */
	EXPECT(!tandem_undo_by_dsack(&u));
	tandem_undo_dsack(&u, 2000, 4000, 2);
	EXPECT(tandem_undo_by_dsack(&u));
	EXPECT_EQ(u.cwnd, 20);
	EXPECT_EQ(u.ssthresh, 10);
	tandem_undo_dsack(&u, 2000, 4000, 2);		/* more than there were */
	EXPECT(tandem_undo_by_dsack(&u));
	tandem_undo_resent(&u, 1, T0 + 9, false);
	EXPECT(!tandem_undo_by_dsack(&u));
}

/* A probe of before the episode is not of the episode. */
TU_TEST(undo_dsack_of_earlier)
{
	struct tandem_undo u = {};

	TU_WHERE("earlier");
	tandem_undo_start(&u, 0xfffffc00U, 1, 20, 10);
	tandem_undo_resent(&u, 1, T0, false);
	tandem_undo_dsack(&u, 5000, 6000, 1);
	EXPECT(!tandem_undo_by_dsack(&u));
	tandem_undo_dsack(&u, 0xfffffc00U, 0, 1);
	EXPECT(tandem_undo_by_dsack(&u));
}

/* RFC 3522: older than the first retransmission. */
TU_TEST(undo_eifel)
{
	struct tandem_undo u = {};

	TU_WHERE("eifel");
	EXPECT(!tandem_undo_by_echo(&u, 1));
	tandem_undo_start(&u, 1000, 0, 20, 10);
	EXPECT(tandem_undo_by_echo(&u, 0));		/* ACKed without our doing */
	tandem_undo_resent(&u, 1, T0, false);
	tandem_undo_resent(&u, 1, T0 + 100, false);
	EXPECT(tandem_undo_by_echo(&u, T0 - 1));
	EXPECT(!tandem_undo_by_echo(&u, T0));		/* the copy itself */
	EXPECT(!tandem_undo_by_echo(&u, T0 + 50));
	EXPECT(!tandem_undo_by_echo(&u, 0));		/* no timestamps: no Eifel */
}

/* Copies of before the episode are ACKed during it: their echoes prove nothing. */
TU_TEST(undo_eifel_amid_copies)
{
	struct tandem_undo u = {};

	TU_WHERE("amid copies");
	tandem_undo_resent(&u, 1, T0, true);		/* a probe, say */
	tandem_undo_resent(&u, 1, T0 + 10, false);
	tandem_undo_start(&u, 1000, 2, 20, 10);
	EXPECT_EQ(u.stamp_us, T0);
	EXPECT(!tandem_undo_by_echo(&u, T0));		/* the probe arrived */
	EXPECT(!tandem_undo_by_echo(&u, 0));		/* nothing new sent again, and yet */
	EXPECT(tandem_undo_by_echo(&u, T0 - 1));
	tandem_undo_resent(&u, 1, T0 + 50, false);
	EXPECT(!tandem_undo_by_echo(&u, T0 + 20));	/* before ours, but not the first copy */
	EXPECT(tandem_undo_by_echo(&u, T0 - 1));
	/* The next begins with none in flight. */
	tandem_undo_start(&u, 9000, 0, 20, 10);
	tandem_undo_resent(&u, 1, T0 + 200, true);
	EXPECT(tandem_undo_by_echo(&u, T0 + 199));
	EXPECT(!tandem_undo_by_echo(&u, T0 + 200));
}

TU_TEST(frto_table)
{
	static const struct {
		const char *what;
		struct tandem_frto_ack ack[3];
		enum tandem_frto_verdict want[3];
		int n;
	} rows[] = {
		{ "spurious: the originals arrive one after the other",
		  { { .una = 2000, .advanced = true, .can_send = true },
		    { .una = 3000, .advanced = true, .original = true } },
		  { TANDEM_FRTO_SEND_NEW, TANDEM_FRTO_SPURIOUS }, 2 },
		{ "spurious, told by SACK",
		  { { .una = 2000, .advanced = true, .can_send = true },
		    { .una = 2000, .original = true, .dup = true } },
		  { TANDEM_FRTO_SEND_NEW, TANDEM_FRTO_SPURIOUS }, 2 },
		{ "real: the new data is SACKed, the old is not there",
		  { { .una = 2000, .advanced = true, .can_send = true },
		    { .una = 2000, .dup = true } },
		  { TANDEM_FRTO_SEND_NEW, TANDEM_FRTO_REAL }, 2 },
		{ "an ACK that tells nothing",
		  { { .una = 2000, .advanced = true, .can_send = true },
		    { .una = 2000 },
		    { .una = 3000, .advanced = true, .original = true } },
		  { TANDEM_FRTO_SEND_NEW, TANDEM_FRTO_UNKNOWN, TANDEM_FRTO_SPURIOUS }, 3 },
		{ "late duplicates come first; they prove nothing, originals or not",
		  { { .una = 1000, .dup = true, .original = true },
		    { .una = 2000, .advanced = true, .can_send = true },
		    { .una = 2000, .dup = true } },
		  { TANDEM_FRTO_UNKNOWN, TANDEM_FRTO_SEND_NEW, TANDEM_FRTO_REAL }, 3 },
		{ "2a: all is ACKed",
		  { { .una = 10000, .advanced = true, .original = true, .can_send = true },
		    { .una = 11000, .advanced = true } },
		  { TANDEM_FRTO_REAL, TANDEM_FRTO_REAL }, 2 },
		{ "nothing new to send",
		  { { .una = 2000, .advanced = true },
		    { .una = 3000, .advanced = true, .original = true } },
		  { TANDEM_FRTO_REAL, TANDEM_FRTO_REAL }, 2 },
	};
	struct tandem_frto f = {};
	size_t i;
	int j;

	TU_WHERE("off");
	EXPECT_EQ(tandem_frto_ack(&f, &rows[0].ack[0]), TANDEM_FRTO_REAL);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		tandem_frto_start(&f, 10000);
		for (j = 0; j < rows[i].n; j++) {
			TU_WHERE("%s, ACK %d", rows[i].what, j);
			EXPECT_EQ(tandem_frto_ack(&f, &rows[i].ack[j]), rows[i].want[j]);
		}
	}
}

TU_SUITE(tandem_undo,
	 TU_CASE(undo_dsack_all),
	 TU_CASE(undo_dsack_of_earlier),
	 TU_CASE(undo_eifel),
	 TU_CASE(undo_eifel_amid_copies),
	 TU_CASE(frto_table));
