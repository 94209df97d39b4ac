// SPDX-License-Identifier: GPL-2.0
/*
 * test_bbr.c - module/cong_bbr*.c: the model's arithmetic, the state machine, and what
 * losses, queues and idleness do to them.  Whole paths are in test_linksim.c.
 */
#include <linux/inet_diag.h>
#include "tunit.h"
#include "cong_bbr.h"

#define RTT	50000U
#define PIPE	400U		/* segments: the path's BDP */

/* A path that delivers at most PIPE segments a round trip, and queues the rest. */
struct sim_path {
	struct tandem_cc cc;
	struct bbr bbr;
	u64	now;
	u32	extra_rtt;	/* of others' queue */
};

static void begin(struct sim_path *p)
{
	*p = (struct sim_path) {
		.cc = {
			.ops = &tandem_bbr, .cwnd = 10, .init_cwnd = 10,
			.ssthresh = TANDEM_SSTHRESH_INF, .cwnd_clamp = 1U << 20,
			.mss = 1448, .srtt_us = RTT, .min_rtt_us = RTT,
		},
		.now = 1000000,
	};
	p->cc.priv = &p->bbr;
	tandem_bbr.init(&p->cc);
}

static struct bbr *state(struct sim_path *p)
{
	return bbr_of(&p->cc);
}

/*
 * One round trip in eight ACKs: what pacing and cwnd allow is sent, of these @lost are
 * lost (the ACKs say so one by one).
 */
static void round_trip(struct sim_path *p, u32 lost)
{
	struct tandem_cc *cc = &p->cc;
	u64 paced = div_u64(cc->pacing_rate * RTT, 1000000 * cc->mss);
	u32 sent = max_t(u32, min_t(u64, cc->cwnd, paced), 8), prior = cc->delivered;
	u32 queue = sent > PIPE ? sent - PIPE : 0, i, n;
	u32 rtt = RTT + queue * (RTT / PIPE) + p->extra_rtt;
	struct tandem_cong_lost l = { .segs = 1, .tx_in_flight = sent };
	u32 lost0 = cc->lost;

	for (i = 0; i < 8; i++) {
		struct tandem_cong_ack a = {
			.now_us = p->now += rtt / 8, .rtt_us = rtt,
			.prior_in_flight = sent, .cwnd_limited = sent >= cc->cwnd,
			.new_una = true,
		};

		n = sent / 8;
		for (; lost && cc->lost - lost0 < (i + 1) * lost / 8; n--) {
			cc->lost++;
			l.lost_since = cc->lost - lost0;
			a.lost++;
			tandem_bbr.on_lost(cc, &l);
		}
		a.acked = n;
		cc->delivered += n;
		cc->in_flight = sent;
		a.rs = (struct tandem_rate_sample) {
			.delivered = min(sent, PIPE * rtt / RTT), .interval_us = rtt,
			.prior_delivered = prior, .tx_in_flight = sent,
			.lost = cc->lost - lost0, .app_limited = cc->app_limited,
		};
		a.rs.delivered -= min(a.rs.delivered, lost);
		tandem_bbr.control(cc, &a);
	}
}

static void run_until(struct sim_path *p, enum bbr_state want, u32 rounds)
{
	while (state(p)->state != want && rounds--)
		round_trip(p, 0);
}

static u32 bw_per_rtt(struct sim_path *p)
{
	return ((u64)bbr_max_bw(state(p)) * RTT) >> BBR_BW_SHIFT;
}

TU_TEST(bbr_rates)
{
	static const struct {
		u32 delivered, interval, want;
	} rows[] = {
		{ 0, 100, 0 }, { 1, 1, 1 << 24 }, { 1, 0, 1 << 24 }, { 10, 50000, 3355 },
		{ 255, 1, 255U << 24 }, { 256, 1, U32_MAX }, { U32_MAX, 1, U32_MAX },
		{ 1, U32_MAX, 0 },
	};
	struct tandem_rate_sample rs = { 0 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%u in %u us", rows[i].delivered, rows[i].interval);
		rs.delivered = rows[i].delivered;
		rs.interval_us = rows[i].interval;
		EXPECT_EQ(tandem_bbr_rate_of(&rs), rows[i].want);
	}
}

TU_TEST(bbr_bdp_arithmetic)
{
	struct sim_path p;
	struct tu_rng rng = tu_rng_start(test);
	u32 i, bw, was, more;

	begin(&p);
	TU_WHERE("no RTT yet");
	EXPECT_EQ(tandem_bbr_bdp(&p.cc, U32_MAX, BBR_GAIN_ONE), 10);
	state(&p)->has_rtt = true;
	state(&p)->min_rtt = RTT;
	/* 400 segments in 50 ms: 134217.7 */
	EXPECT_EQ(tandem_bbr_bdp(&p.cc, 134218, BBR_GAIN_ONE), 401);
	EXPECT_EQ(tandem_bbr_bdp(&p.cc, 134217, BBR_GAIN_ONE), 400);
	EXPECT_EQ(tandem_bbr_bdp(&p.cc, 134217, 2 * BBR_GAIN_ONE), 800);
	EXPECT_EQ(tandem_bbr_bdp(&p.cc, 0, BBR_GAIN_ONE), 0);
	state(&p)->min_rtt = U32_MAX;
	TU_WHERE("saturates");
	EXPECT_EQ(tandem_bbr_bdp(&p.cc, U32_MAX, 1024), U32_MAX);
	for (i = 0; i < TU_LOOPS / 4; i++) {
		state(&p)->min_rtt = max(tu_rand_u32(&rng), 1U);
		bw = tu_rand_u32(&rng);
		was = tandem_bbr_bdp(&p.cc, bw, BBR_GAIN_ONE);
		more = tandem_bbr_bdp(&p.cc, bw, 2 * BBR_GAIN_ONE);
		TU_WHERE("bw %u rtt %u", bw, state(&p)->min_rtt);
		if (!EXPECT(more >= was) || !EXPECT(was == U32_MAX || more <= 2ULL * was))
			return;
	}
}

/* Section 5.3.1: exponential, and over soon after the pipe is full. */
TU_TEST(bbr_startup_finds_bw)
{
	struct sim_path p;
	u32 rounds = 0;

	begin(&p);
	while (state(&p)->state == BBR_STARTUP && rounds < 30) {
		round_trip(&p, 0);
		rounds++;
	}
	TU_WHERE("10 to 400 segments");
	EXPECT(rounds >= 5);
	EXPECT(rounds <= 11);
	EXPECT(state(&p)->full_bw_reached);
	EXPECT_NEAR(bw_per_rtt(&p), PIPE, PIPE / 20);
	EXPECT_EQ(state(&p)->inflight_longterm, BBR_INF);
}

/* Section 5.3.2, 5.3.3: all phases come, in order, and the queue is drained. */
TU_TEST(bbr_cycle)
{
	static const u8 want[] = { BBR_STARTUP, BBR_DRAIN, BBR_DOWN, BBR_CRUISE,
				   BBR_REFILL, BBR_UP, BBR_DOWN, BBR_CRUISE };
	struct sim_path p;
	u32 i, at = 0;
	u64 cruise = 0;

	begin(&p);
	for (i = 0; i < 200 && at < ARRAY_SIZE(want); i++) {
		u8 s = state(&p)->state;

		TU_WHERE("round %u", i);
		if (at + 1 < ARRAY_SIZE(want) && s == want[at + 1])
			at++;
		else if (at + 2 < ARRAY_SIZE(want) && s == want[at + 2])
			at += 2;		/* within one round */
		else if (!EXPECT_EQ(s, want[at]))
			return;
		if (s == BBR_CRUISE && !cruise)
			cruise = p.now;
		if (s == BBR_REFILL && cruise) {
			/* 2 to 3 seconds, or 63 rounds of 50 ms */
			EXPECT(p.now - cruise > 1500000);
			EXPECT(p.now - cruise < 3300000);
			cruise = 0;
		}
		if (at == ARRAY_SIZE(want) - 1)
			break;
		round_trip(&p, 0);
	}
	EXPECT_EQ(at, ARRAY_SIZE(want) - 1);
	EXPECT(p.cc.cwnd <= 2 * PIPE + 100);
	EXPECT(p.cc.pacing_rate >= (u64)PIPE * 1448 * 20 * 9 / 10);
}

/* Random loss, no queue: learnt, and the model keeps the path. */
TU_TEST(bbr_random_loss)
{
	struct sim_path p;
	u32 i, bad = 0;

	begin(&p);
	for (i = 0; i < 400; i++) {
		round_trip(&p, p.cc.cwnd >= 100 ? min(p.cc.cwnd, PIPE) / 20 : 0);
		bad += i > 50 && p.cc.cwnd < PIPE * 8 / 10 &&
		       state(&p)->state != BBR_PROBE_RTT;
	}
	TU_WHERE("5 %%");
	EXPECT_NEAR(state(&p)->base_loss, BBR_PART_ONE / 20, BBR_PART_ONE / 60);
	EXPECT(bw_per_rtt(&p) >= PIPE * 8 / 10);
	EXPECT(bad < 40);
}

/* Losses while a queue stands are others wanting room (section 5.5.10.3). */
TU_TEST(bbr_congestion_loss)
{
	struct sim_path p;
	u32 was;

	begin(&p);
	run_until(&p, BBR_CRUISE, 60);
	was = state(&p)->bw;
	p.extra_rtt = RTT / 2;
	round_trip(&p, 0);
	round_trip(&p, 40);
	round_trip(&p, 40);
	round_trip(&p, 0);
	EXPECT(state(&p)->bw < was);
	EXPECT(state(&p)->base_loss < BBR_PART_ONE / 100);
	EXPECT(state(&p)->bw_shortterm != BBR_INF);
	p.extra_rtt = 0;
	TU_WHERE("forgotten before the next probe");
	run_until(&p, BBR_UP, 200);
	EXPECT_EQ(state(&p)->state, BBR_UP);
	EXPECT_EQ(state(&p)->bw_shortterm, BBR_INF);
}

/* Without queue: 2 % above base and twice that; with: 2 % above base. */
TU_TEST(bbr_loss_thresholds)
{
	static const struct {
		u32 lost, segs, base_pct;
		bool queued, want;
	} rows[] = {
		{ 2, 100, 0, true, false }, { 3, 100, 0, true, true },
		{ 7, 100, 0, false, false }, { 8, 100, 0, false, true },
		{ 7, 100, 5, true, false }, { 8, 100, 5, true, true },
		{ 17, 100, 5, false, false }, { 18, 100, 5, false, true },
		{ 1, 4, 0, true, true }, { 1, 4, 0, false, false },
		{ U32_MAX, U32_MAX, 12, false, true }, { 0, U32_MAX, 0, true, false },
	};
	struct sim_path p;
	u32 i;

	begin(&p);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%u of %u, base %u %%, %s", rows[i].lost, rows[i].segs,
			 rows[i].base_pct, rows[i].queued ? "queue" : "no queue");
		state(&p)->base_loss = (BBR_PART_ONE * rows[i].base_pct + 99) / 100;
		EXPECT_EQ(tandem_bbr_loss_too_high(state(&p), rows[i].lost, rows[i].segs,
						   rows[i].queued), rows[i].want);
	}
}

/* Section 5.5.10.2: where in a burst the threshold was crossed. */
TU_TEST(bbr_inflight_at_loss)
{
	struct tandem_cong_lost l = { .segs = 10, .tx_in_flight = 110, .lost_since = 10 };
	struct sim_path p;

	begin(&p);
	/* (0.02 * 100 - 0) / 0.98 = 2.04 */
	EXPECT_EQ(tandem_bbr_inflight_at_loss(state(&p), &l), 102);
	l.lost_since = 20;
	EXPECT_EQ(tandem_bbr_inflight_at_loss(state(&p), &l), 100);
	l.tx_in_flight = 5;
	l.lost_since = 3;
	EXPECT_EQ(tandem_bbr_inflight_at_loss(state(&p), &l), 0);
}

/* A loss that ended a probe and was none: probe again. */
TU_TEST(bbr_undo)
{
	struct sim_path p;
	u32 hi;

	begin(&p);
	run_until(&p, BBR_UP, 200);
	round_trip(&p, 0);
	EXPECT_EQ(state(&p)->state, BBR_UP);
	hi = state(&p)->inflight_longterm;
	p.cc.prior_cwnd = p.cc.cwnd;
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_RECOVERY);
	round_trip(&p, 150);
	TU_WHERE("too much");
	EXPECT(state(&p)->state != BBR_UP);
	EXPECT(state(&p)->inflight_longterm < hi);
	p.cc.cwnd = tandem_bbr.undo_cwnd(&p.cc);
	EXPECT(p.cc.cwnd >= p.cc.prior_cwnd);
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_UNDO);
	TU_WHERE("undone");
	EXPECT_EQ(state(&p)->state, BBR_REFILL);
	EXPECT_EQ(state(&p)->inflight_longterm, hi);
}

/* Losses that ended STARTUP, and a probe later in the same recovery, and were none. */
TU_TEST(bbr_undo_startup)
{
	struct sim_path p;
	u32 i, was;

	begin(&p);
	for (i = 0; i < 4; i++)
		round_trip(&p, 0);
	EXPECT_EQ(state(&p)->state, BBR_STARTUP);
	was = p.cc.cwnd;
	p.cc.prior_cwnd = was;
	tandem_bbr.ssthresh(&p.cc);
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_RECOVERY);
	for (i = 0; i < 6 && state(&p)->state == BBR_STARTUP; i++)
		round_trip(&p, p.cc.cwnd / 3);
	TU_WHERE("ended");
	EXPECT(state(&p)->state != BBR_STARTUP);
	EXPECT(state(&p)->full_bw_reached);
	EXPECT(state(&p)->inflight_longterm != BBR_INF);
	run_until(&p, BBR_UP, 200);
	EXPECT_EQ(state(&p)->state, BBR_UP);
	round_trip(&p, p.cc.cwnd / 2);
	EXPECT(state(&p)->state != BBR_UP);
	p.cc.cwnd = tandem_bbr.undo_cwnd(&p.cc);
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_UNDO);
	TU_WHERE("undone");
	EXPECT_EQ(state(&p)->state, BBR_STARTUP);
	EXPECT(!state(&p)->full_bw_reached);
	EXPECT_EQ(state(&p)->full_bw_count, 0);
	EXPECT_EQ(state(&p)->inflight_longterm, BBR_INF);
	EXPECT_EQ(state(&p)->bw_shortterm, BBR_INF);
	EXPECT_EQ(state(&p)->inflight_shortterm, BBR_INF);
	EXPECT(p.cc.cwnd >= was);
	round_trip(&p, 0);
	EXPECT_EQ(state(&p)->state, BBR_STARTUP);
}

/* RFC 3168 marks: as losses with a queue. */
TU_TEST(bbr_ecn)
{
	struct sim_path p;
	u32 was;

	begin(&p);
	run_until(&p, BBR_CRUISE, 60);
	was = state(&p)->bw;
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_CWR);
	round_trip(&p, 0);
	round_trip(&p, 0);
	TU_WHERE("cruise");
	EXPECT(state(&p)->bw <= was);
	EXPECT(state(&p)->bw_shortterm != BBR_INF);
	run_until(&p, BBR_UP, 200);
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_CWR);
	TU_WHERE("probe");
	EXPECT_EQ(state(&p)->state, BBR_DOWN);
	EXPECT(state(&p)->inflight_longterm != BBR_INF);
}

/* Section 5.3.4: no RTT near min_rtt for 5 s; cwnd comes back afterwards. */
TU_TEST(bbr_probe_rtt)
{
	struct sim_path p;
	u32 was, i, least = U32_MAX;

	begin(&p);
	run_until(&p, BBR_CRUISE, 60);
	p.extra_rtt = 3000;		/* no queue to speak of, but no minimum */
	run_until(&p, BBR_PROBE_RTT, 300);
	EXPECT_EQ(state(&p)->state, BBR_PROBE_RTT);
	was = state(&p)->prior_cwnd;
	for (i = 0; state(&p)->state == BBR_PROBE_RTT && i < 40; i++) {
		round_trip(&p, 0);
		least = min(least, p.cc.cwnd);
	}
	TU_WHERE("half a BDP, 200 ms");
	EXPECT_NEAR(least, PIPE / 2, PIPE / 8);
	EXPECT(i >= 4);
	EXPECT(i < 12);
	round_trip(&p, 0);
	EXPECT(p.cc.cwnd >= min(was, PIPE));

	TU_WHERE("not while the RTT is at its minimum");
	p.extra_rtt = 0;
	round_trip(&p, 0);
	for (i = 0; i < 300; i++) {
		round_trip(&p, 0);
		if (!EXPECT(state(&p)->state != BBR_PROBE_RTT))
			return;
	}
}

/* Section 5.6.4.4 and 5.4: after a timeout, after idleness. */
TU_TEST(bbr_timeout_and_idle)
{
	struct sim_path p;
	u32 i, was;

	begin(&p);
	run_until(&p, BBR_CRUISE, 60);
	was = p.cc.cwnd;
	p.cc.ssthresh = tandem_bbr.ssthresh(&p.cc);
	EXPECT_EQ(p.cc.ssthresh, TANDEM_SSTHRESH_INF);
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_LOSS);
	EXPECT_EQ(p.cc.cwnd, 1);
	for (i = 0; i < 3; i++)
		round_trip(&p, 0);
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_RECOVERED);
	TU_WHERE("cwnd is restored");
	EXPECT(p.cc.cwnd >= was * 9 / 10);

	p.now += 60000000;
	p.cc.app_limited = true;
	p.cc.in_flight = 0;
	tandem_bbr.event(&p.cc, TANDEM_CONG_EV_TX_START);
	TU_WHERE("idle: no ProbeRTT, paced at bw");
	EXPECT_NEAR(p.cc.pacing_rate, PIPE * 1448 * 20, PIPE * 1448);
	round_trip(&p, 0);
	EXPECT(state(&p)->state != BBR_PROBE_RTT);
}

/* App-limited samples only say what is possible at least. */
TU_TEST(bbr_app_limited)
{
	struct sim_path p;
	u32 was;

	begin(&p);
	run_until(&p, BBR_CRUISE, 60);
	was = bbr_max_bw(state(&p));
	p.cc.app_limited = true;
	p.cc.cwnd = 20;
	round_trip(&p, 0);
	EXPECT_EQ(bbr_max_bw(state(&p)), was);
}

TU_TEST(bbr_tcp_cc_info)
{
	struct tcp_bbr_info info;
	struct sim_path p;
	int attr = 0;
	u64 bw;

	begin(&p);
	run_until(&p, BBR_CRUISE, 60);
	EXPECT_EQ(tandem_bbr.info(&p.cc, &attr, &info, sizeof(info)), sizeof(info));
	EXPECT_EQ(attr, INET_DIAG_BBRINFO);
	bw = (u64)info.bbr_bw_hi << 32 | info.bbr_bw_lo;
	EXPECT_NEAR(bw, PIPE * 1448 * 20, PIPE * 1448);
	EXPECT_EQ(info.bbr_min_rtt, RTT);
	EXPECT_EQ(info.bbr_pacing_gain, 256);
	EXPECT_EQ(info.bbr_cwnd_gain, 512);
	EXPECT_EQ(tandem_bbr.info(&p.cc, &attr, &info, 4), 4);
}

TU_SUITE(tandem_bbr,
	 TU_CASE(bbr_rates),
	 TU_CASE(bbr_bdp_arithmetic),
	 TU_CASE(bbr_startup_finds_bw),
	 TU_CASE(bbr_cycle),
	 TU_CASE(bbr_random_loss),
	 TU_CASE(bbr_congestion_loss),
	 TU_CASE(bbr_loss_thresholds),
	 TU_CASE(bbr_inflight_at_loss),
	 TU_CASE(bbr_undo),
	 TU_CASE(bbr_undo_startup),
	 TU_CASE(bbr_ecn),
	 TU_CASE(bbr_probe_rtt),
	 TU_CASE(bbr_timeout_and_idle),
	 TU_CASE(bbr_app_limited),
	 TU_CASE(bbr_tcp_cc_info));
