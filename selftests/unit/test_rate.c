// SPDX-License-Identifier: GPL-2.0
/*
 * test_rate.c - module/rate.c: delivery rate samples; module/ackpolicy.c.
 *
 * A sender and a link of one segment per MS, by hand: segment i leaves at its time, is
 * delivered at its time, and each sample is compared with what the draft's formula
 * gives.
 */
#include "tunit.h"
#include "rate.h"
#include <tandem/ackpolicy.h>
#include "ackpolicy.h"

#define MS	1000U

struct link {
	struct tandem_rate	rate;
	struct tandem_cc	cc;
	u32			in_flight;
};

struct seg {
	struct tandem_rate_seg	note;
	u64			sent_us;
	u32			end_seq;
	bool			again;
	bool			early;
};

static void link_init(struct link *l)
{
	memset(l, 0, sizeof(*l));
	l->cc.min_rtt_us = ~0U;
}

static void send(struct link *l, struct seg *s, u64 now_us, u32 end_seq)
{
	tandem_rate_sent(&l->rate, &l->cc, &s->note, now_us, l->in_flight, 1);
	s->sent_us = now_us;
	s->end_seq = end_seq;
	s->again = false;
	s->early = false;
	l->in_flight++;
}

/* One ACK for the @n segments at @s. */
static struct tandem_rate_sample ack(struct link *l, const struct seg *s, int n,
				     u64 now_us)
{
	struct tandem_rate_pick pick = {};
	struct tandem_rate_sample rs;
	int i;

	for (i = 0; i < n; i++)
		tandem_rate_pick(&l->rate, &pick, &s[i].note, s[i].sent_us,
				 s[i].end_seq, s[i].again, s[i].early);
	l->cc.delivered += n;
	l->in_flight -= n;
	tandem_rate_sample(&l->rate, &l->cc, &pick, now_us, &rs);
	return rs;
}

/* Ten segments sent at once come out of the bottleneck one each millisecond. */
TU_TEST(rate_burst)
{
	struct tandem_rate_sample rs;
	struct seg s[10];
	struct link l;
	int i;

	link_init(&l);
	for (i = 0; i < 10; i++)
		send(&l, &s[i], 5000 * MS, i + 1);
	for (i = 0; i < 10; i++) {
		TU_WHERE("segment %d", i);
		rs = ack(&l, &s[i], 1, (5000 + 20 + i) * MS);
		EXPECT_EQ(rs.delivered, (u32)i + 1);
		EXPECT_EQ(rs.interval_us, (20 + i) * MS);
		EXPECT_EQ(rs.prior_delivered, 0U);
		EXPECT_EQ(rs.tx_in_flight, (u32)i + 1);
		EXPECT(!rs.app_limited);
	}
}

/* In the long run the sample is the bottleneck's rate, whatever the ACKs cover. */
TU_TEST(rate_steady)
{
	struct tandem_rate_sample rs = {};
	static struct seg s[400];	/* more than a kernel stack has */
	struct link l;
	int i, next = 0;

	link_init(&l);
	for (; next < 40; next++)
		send(&l, &s[next], 1000 * MS + next * MS, next + 1);
	/* Each fourth delivery is acknowledged, for four. */
	for (i = 0; next < 400; i += 4) {
		u64 now = 1040 * MS + i * MS;
		int n;

		TU_WHERE("segment %d", i);
		rs = ack(&l, &s[i], 4, now);
		if (i >= 80 && !EXPECT_EQ(rs.interval_us, rs.delivered * MS))
			break;
		for (n = 0; n < 4; n++, next++)
			send(&l, &s[next], now, next + 1);
	}
	EXPECT(rs.delivered >= 36);
}

/* ACKs that come in one clump do not make the path faster than it was sent to. */
TU_TEST(rate_ack_compression)
{
	struct tandem_rate_sample rs;
	struct seg s[20];
	struct link l;
	int i;

	link_init(&l);
	for (i = 0; i < 20; i++)
		send(&l, &s[i], 1000 * MS + i * MS, i + 1);
	/* The return path holds the ACKs back: all at once, at 1100 ms. */
	for (i = 0; i < 20; i++) {
		rs = ack(&l, &s[i], 1, 1100 * MS);
		EXPECT(rs.delivered <= (u32)i + 1);
		/* Never more than one segment a millisecond, how it was sent. */
		EXPECT(rs.delivered * MS <= rs.interval_us + MS);
	}
}

TU_TEST(rate_app_limited)
{
	struct tandem_rate_sample rs;
	struct seg s[4];
	struct link l;

	link_init(&l);
	send(&l, &s[0], 1000 * MS, 1);
	tandem_rate_app_limited(&l.rate, &l.cc, l.in_flight);
	EXPECT(l.cc.app_limited);
	send(&l, &s[1], 1001 * MS, 2);
	rs = ack(&l, &s[0], 1, 1010 * MS);
	EXPECT(!rs.app_limited);		/* sent before the program paused */
	EXPECT(l.cc.app_limited);
	send(&l, &s[2], 1010 * MS, 3);
	rs = ack(&l, &s[1], 1, 1011 * MS);
	EXPECT(rs.app_limited);
	EXPECT(!l.cc.app_limited);		/* what was in flight then is through */
	send(&l, &s[3], 1012 * MS, 4);
	rs = ack(&l, &s[2], 1, 1020 * MS);
	EXPECT(rs.app_limited);
	rs = ack(&l, &s[3], 1, 1022 * MS);
	EXPECT(!rs.app_limited);
	/* A count of 0 is a mark as well. */
	link_init(&l);
	tandem_rate_app_limited(&l.rate, &l.cc, 0);
	send(&l, &s[0], 1000 * MS, 1);
	EXPECT_EQ(s[0].note.app_limited, 1U);
}

/* The newest-sent counts, be it a retransmission of the oldest. */
TU_TEST(rate_newest_sent)
{
	struct tandem_rate_sample rs;
	struct seg s[3];
	struct link l;

	link_init(&l);
	send(&l, &s[0], 1000 * MS, 1);
	send(&l, &s[1], 1001 * MS, 2);
	send(&l, &s[2], 1002 * MS, 3);
	rs = ack(&l, &s[1], 1, 1051 * MS);
	EXPECT_EQ(rs.delivered, 1U);
	l.in_flight--;
	send(&l, &s[0], 1052 * MS, 1);
	s[0].again = true;
	l.cc.min_rtt_us = 50 * MS;
	{
		/* The ACK covers the retransmission and the third. */
		const struct seg both[] = { s[2], s[0] };

		rs = ack(&l, both, 2, 1102 * MS);
	}
	EXPECT(rs.retransmitted);
	EXPECT_EQ(rs.prior_delivered, 1U);
	EXPECT_EQ(rs.delivered, 2U);
	EXPECT_EQ(rs.interval_us, 51 * MS);
}

/* An ACK of the first copy, just after the second was sent, is no sample. */
TU_TEST(rate_too_short)
{
	struct tandem_rate_sample rs;
	struct seg s;
	struct link l;

	link_init(&l);
	send(&l, &s, 1000 * MS, 1);
	l.cc.min_rtt_us = 20 * MS;
	l.in_flight = 0;
	send(&l, &s, 1050 * MS, 1);
	s.again = true;
	rs = ack(&l, &s, 1, 1051 * MS);
	EXPECT_EQ(rs.delivered, 0U);
}

/* Marks and losses while it was under way; counters that wrap. */
TU_TEST(rate_counts_wrap)
{
	struct tandem_rate_sample rs;
	struct seg s;
	struct link l;

	link_init(&l);
	l.cc.delivered = U32_MAX;
	l.cc.lost = U32_MAX - 1;
	l.cc.delivered_ce = U32_MAX;
	send(&l, &s, 0xffffff00ULL, 1);
	l.cc.lost += 3;
	l.cc.delivered_ce += 2;
	rs = ack(&l, &s, 1, 0x100000100ULL);
	EXPECT_EQ(rs.delivered, 1U);
	EXPECT_EQ(rs.prior_delivered, U32_MAX);
	EXPECT_EQ(rs.lost, 3U);
	EXPECT_EQ(rs.delivered_ce, 2U);
	EXPECT_EQ(rs.interval_us, 0x200U);
}

TU_TEST(ackpolicy_delayed)
{
	struct tandem_ack_view v = {
		.rcv_mss = 1448, .segs = 2, .max_delay_us = 40 * MS,
	};
	u32 (*delay)(const struct tandem_ack_view *v) = tandem_ack_delayed.delay_us;

	v.owed = 1;
	EXPECT_EQ(delay(&v), 40 * MS);
	v.owed = 2895;
	EXPECT_EQ(delay(&v), 40 * MS);
	v.owed = 2896;
	EXPECT_EQ(delay(&v), 0U);
	/* Not while the window could not move. */
	v.unread = true;
	EXPECT_EQ(delay(&v), 40 * MS);
	v.unread = false;
	v.owed = 1448;
	v.segs = 1;
	EXPECT_EQ(delay(&v), 0U);
	/* The product is more than 32 bits hold. */
	v.segs = 255;
	v.rcv_mss = 0x7fffffff;
	v.owed = 0x7fffffff;
	EXPECT_EQ(delay(&v), 40 * MS);
	v.owed = 1;
	v.max_delay_us = 0;
	EXPECT_EQ(delay(&v), 0U);
}

TU_TEST(ackpolicy_every)
{
	struct tandem_ack_view v = {
		.rcv_mss = 1448, .segs = 2, .max_delay_us = 40 * MS, .owed = 1,
	};

	EXPECT_EQ(tandem_ack_every.delay_us(&v), 0U);
	/* A bare FIN is not data. */
	v.owed = 0;
	EXPECT_EQ(tandem_ack_every.delay_us(&v), 40 * MS);
}

/* One that overtook the others: delivered, but no sample, and no end of a round trip. */
TU_TEST(rate_early)
{
	struct tandem_rate_sample rs;
	struct seg s[30];
	struct link l;
	int i;

	link_init(&l);
	for (i = 0; i < 10; i++)
		send(&l, &s[i], 1000 * MS + i * MS, i + 1);
	rs = ack(&l, &s[0], 1, 1020 * MS);
	EXPECT_EQ(rs.delivered, 1U);
	s[9].early = true;
	rs = ack(&l, &s[9], 1, 1021 * MS);
	EXPECT_EQ(rs.delivered, 0U);
	EXPECT_EQ(l.rate.first_us, 1000U * MS);
	/* What is sent now knows that it arrived, and when. */
	send(&l, &s[10], 1021 * MS, 11);
	EXPECT_EQ(s[10].note.delivered, 2U);
	EXPECT_EQ(s[10].note.delivered_us, 1021U * MS);
	EXPECT_EQ(s[10].note.first_us, 1000U * MS);
	/* Of an ACK for both the other one counts. */
	send(&l, &s[11], 1022 * MS, 12);
	s[11].early = true;
	rs = ack(&l, &s[10], 2, 1041 * MS);
	EXPECT_EQ(rs.prior_delivered, 2U);
	EXPECT_EQ(rs.delivered, 2U);
}

TU_SUITE(tandem_rate,
	 TU_CASE(rate_burst),
	 TU_CASE(rate_steady),
	 TU_CASE(rate_ack_compression),
	 TU_CASE(rate_app_limited),
	 TU_CASE(rate_newest_sent),
	 TU_CASE(rate_early),
	 TU_CASE(rate_too_short),
	 TU_CASE(rate_counts_wrap),
	 TU_CASE(ackpolicy_delayed),
	 TU_CASE(ackpolicy_every));
