// SPDX-License-Identifier: GPL-2.0
/*
 * test_resume.c - module/resume.c: Careful Resume's states.
 */
#include "tunit.h"
#include "resume.h"

#define MS	1000U
#define IW	10
#define MSS	1000U
#define SAVED	200
#define RTT	(50 * MS)

/* A sender that always has more, one segment acknowledged at a time. */
struct sender {
	struct tandem_resume r;
	u32 una, nxt, cwnd;
};

static void begin(struct sender *s, u32 isn)
{
	memset(s, 0, sizeof(*s));
	s->una = isn;
	s->nxt = isn + IW * MSS;
	s->cwnd = IW;
	tandem_resume_start(&s->r, SAVED, RTT, IW);
}

static u32 flight(const struct sender *s)
{
	return (s->nxt - s->una) / MSS;
}

/* An ACK of @n segments; then what cwnd allows leaves. */
static void ack(struct sender *s, u32 n, u32 rtt_us, bool has_more)
{
	struct tandem_resume_ack a = {
		.una = s->una + n * MSS,
		.nxt = s->nxt,
		.acked = n,
		.flight = flight(s) - n,
		.cwnd = s->cwnd + n,	/* slow start */
		.min_rtt_us = rtt_us,
		.has_more = has_more,
	};

	s->una = a.una;
	s->cwnd = tandem_resume_ack(&s->r, &a);
	while (has_more && flight(s) < s->cwnd)
		s->nxt += MSS;
}

/* From an ISN where all of it wraps. */
#define ISN	0xffffe000U

TU_TEST(resume_not_worth_it)
{
	struct tandem_resume r;

	TU_WHERE("half is the initial window");
	tandem_resume_start(&r, 2 * IW, RTT, IW);
	EXPECT_EQ(r.state, TANDEM_RESUME_NORMAL);
	tandem_resume_start(&r, 2 * IW + 2, RTT, IW);
	EXPECT_EQ(r.state, TANDEM_RESUME_RECONNAISSANCE);
	TU_WHERE("no RTT");
	tandem_resume_start(&r, SAVED, 0, IW);
	EXPECT_EQ(r.state, TANDEM_RESUME_NORMAL);
}

TU_TEST(resume_goes_well)
{
	struct sender s;
	u32 i, before, sent;

	begin(&s, ISN);
	for (i = 0; i < IW - 1; i++) {
		ack(&s, 1, RTT, true);
		TU_WHERE("reconnaissance %u", i);
		EXPECT_EQ(s.r.state, TANDEM_RESUME_RECONNAISSANCE);
		EXPECT_EQ(s.cwnd, IW + i + 1);
	}
	before = s.nxt;
	ack(&s, 1, RTT, true);
	TU_WHERE("the jump");
	EXPECT_EQ(s.r.state, TANDEM_RESUME_UNVALIDATED);
	EXPECT_EQ(s.cwnd, SAVED / 2);
	EXPECT_EQ(flight(&s), SAVED / 2);
	EXPECT_EQ(s.r.pipe, 2 * (IW - 1));

	/* What was in flight before changes nothing, nor does cwnd grow. */
	while (s.una != before) {
		ack(&s, 1, RTT, true);
		TU_WHERE("at %u", s.una);
		EXPECT_EQ(s.r.state, TANDEM_RESUME_UNVALIDATED);
		EXPECT_EQ(s.cwnd, SAVED / 2);
	}
	ack(&s, 1, RTT, true);
	TU_WHERE("first of the jump");
	EXPECT_EQ(s.r.state, TANDEM_RESUME_VALIDATING);
	EXPECT(s.cwnd <= SAVED / 2 && s.cwnd > IW);

	sent = s.r.mark;
	while (s.una != sent - MSS) {
		ack(&s, 1, RTT, true);
		TU_WHERE("validating at %u", s.una);
		EXPECT_EQ(s.r.state, TANDEM_RESUME_VALIDATING);
	}
	ack(&s, 1, RTT, true);
	TU_WHERE("done");
	EXPECT_EQ(s.r.state, TANDEM_RESUME_NORMAL);
}

TU_TEST(resume_other_rtt)
{
	static const struct {
		u32 rtt_us;
		bool same;
	} rows[] = {
		{ RTT / 2, false }, { RTT / 2 + 1, true }, { RTT * 10 - 1, true },
		{ RTT * 10, false }, { 1, false }, { ~0U, false },
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("rtt %u", rows[i].rtt_us);
		begin(&s, ISN);
		ack(&s, IW, rows[i].rtt_us, true);
		EXPECT_EQ(s.r.state, rows[i].same ? TANDEM_RESUME_UNVALIDATED :
						    TANDEM_RESUME_NORMAL);
		EXPECT_EQ(s.cwnd, rows[i].same ? SAVED / 2 : 2 * IW);
	}
}

TU_TEST(resume_nothing_to_send)
{
	struct sender s;

	TU_WHERE("at the jump");
	begin(&s, ISN);
	ack(&s, IW, RTT, false);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_NORMAL);
	EXPECT_EQ(s.cwnd, 2 * IW);

	TU_WHERE("after it");
	begin(&s, ISN);
	ack(&s, IW, RTT, true);
	s.nxt = s.r.mark + 2 * MSS;	/* only two left */
	ack(&s, 1, RTT, false);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_NORMAL);
	EXPECT_EQ(s.cwnd, IW);
}

TU_TEST(resume_loss)
{
	u32 cwnd, pipe, ssthresh;
	struct sender s;

	TU_WHERE("in reconnaissance");
	begin(&s, ISN);
	cwnd = 5;
	EXPECT(!tandem_resume_congestion(&s.r, s.nxt, &cwnd));
	EXPECT_EQ(cwnd, 5);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_NORMAL);

	TU_WHERE("of the jump");
	begin(&s, ISN);
	ack(&s, IW, RTT, true);
	ack(&s, 20, RTT, true);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_VALIDATING);
	pipe = s.r.pipe;
	EXPECT_EQ(pipe, 20);
	cwnd = s.cwnd * 7 / 10;
	EXPECT(tandem_resume_congestion(&s.r, s.nxt, &cwnd));
	EXPECT_EQ(cwnd, pipe / 2);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_RETREAT);
	/* It is punished once. */
	cwnd = 50;
	EXPECT(!tandem_resume_congestion(&s.r, s.nxt, &cwnd));
	EXPECT_EQ(cwnd, 50);

	TU_WHERE("retreat");
	EXPECT_EQ(tandem_resume_retreat_ack(&s.r, s.nxt - MSS, 30), 0);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_RETREAT);
	ssthresh = tandem_resume_retreat_ack(&s.r, s.nxt, 10);
	EXPECT_EQ(ssthresh, (pipe + 40) * 7 / 10);
	EXPECT_EQ(s.r.state, TANDEM_RESUME_NORMAL);
	EXPECT_EQ(tandem_resume_retreat_ack(&s.r, s.nxt, 1), 0);

	TU_WHERE("never raised, never below two");
	begin(&s, ISN);
	ack(&s, IW, RTT, true);
	s.r.pipe = 0;
	cwnd = 1;
	EXPECT(tandem_resume_congestion(&s.r, s.nxt, &cwnd));
	EXPECT_EQ(cwnd, 1);
}

TU_SUITE(tandem_resume,
	 TU_CASE(resume_not_worth_it),
	 TU_CASE(resume_goes_well),
	 TU_CASE(resume_other_rtt),
	 TU_CASE(resume_nothing_to_send),
	 TU_CASE(resume_loss));
