// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_cong.c - libFuzzer target: the bytes are a story of ACKs, losses, marks, events
 * and undos, true to the order that include/tandem/cong.h promises but wild in numbers,
 * told to each algorithm.
 *
 * cwnd is never 0 and never beyond its clamp, ssthresh is at least 2, an algorithm that
 * paces has a rate, undo never shrinks the window, nothing grows by more than was
 * ACKed, and the private area's neighbours stay as they are.
 */
#include "fuzz.h"
#include "cong_bbr.h"
#include "cong_cubic.h"
#include "cong_dctcp.h"

struct input {
	const u8 *p, *end;
};

static u64 take(struct input *in, int bytes)
{
	u64 v = 0;

	while (bytes-- && in->p < in->end)
		v = v << 8 | *in->p++;
	return v;
}

/* Of all sizes: the first byte says how many follow. */
static u32 some(struct input *in)
{
	u8 n = take(in, 1);

	return n & 1 ? n >> 1 : take(in, (n >> 1 & 3) + 1);
}

static void sound(const struct tandem_cc *cc)
{
	MUST(cc->cwnd >= 1);
	MUST(cc->cwnd <= cc->cwnd_clamp);
	MUST(cc->ssthresh >= TANDEM_CWND_MIN);
	if (cc->ops->flags & TANDEM_CONG_PACED)
		MUST(cc->pacing_rate);
}

static void event(struct tandem_cc *cc, enum tandem_cong_event ev)
{
	cc->ops->event(cc, ev);
	sound(cc);
}

static void reduce(struct tandem_cc *cc, enum tandem_ca_state state,
		   enum tandem_cong_event ev)
{
	u32 was = cc->cwnd;

	cc->prior_cwnd = cc->cwnd;
	cc->ssthresh = max(cc->ops->ssthresh(cc), TANDEM_CWND_MIN);
	MUST(cc->cwnd == was);
	if (!cc->ops->control)
		MUST(cc->ssthresh <= max(was, TANDEM_CWND_MIN));
	cc->ca_state = state;
	event(cc, ev);
	if (!cc->ops->control)
		cc->cwnd = state == TANDEM_CA_LOSS ? 1 : min(cc->ssthresh, cc->cwnd);
}

static void lose(struct tandem_cc *cc, struct input *in)
{
	struct tandem_cong_lost l = {
		.segs = 1 + take(in, 1), .tx_in_flight = some(in),
		.lost_since = some(in), .app_limited = take(in, 1) & 1,
	};

	cc->lost += l.segs;
	if (cc->ops->on_lost)
		cc->ops->on_lost(cc, &l);
	sound(cc);
	if (cc->ca_state < TANDEM_CA_RECOVERY)
		reduce(cc, TANDEM_CA_RECOVERY, TANDEM_CONG_EV_RECOVERY);
}

static void ack(struct tandem_cc *cc, struct input *in, u64 *now)
{
	u8 flags = take(in, 1);
	struct tandem_cong_ack a = {
		.acked = some(in), .lost = flags & 1, .prior_in_flight = cc->in_flight,
		.rtt_us = flags & 2 ? (s64)some(in) : -1, .cwnd_limited = flags & 4,
		.ece = flags & 8, .new_una = flags & 16,
	};
	u32 was = cc->cwnd;

	*now += some(in);
	a.now_us = *now;
	cc->delivered += a.acked;
	if (flags & 8)
		cc->delivered_ce += take(in, 1) % (a.acked + 1ULL);
	cc->in_flight = flags & 32 ? some(in) : cc->cwnd;
	cc->app_limited = flags & 64;
	if (flags & 128) {
		a.rs.delivered = some(in);
		a.rs.interval_us = max(some(in), 1U);
		a.rs.prior_delivered = cc->delivered - some(in);
		a.rs.lost = some(in);
		a.rs.tx_in_flight = some(in);
		a.rs.app_limited = cc->app_limited;
	}
	if (a.rtt_us > 0)
		cc->min_rtt_us = min_t(s64, cc->min_rtt_us, a.rtt_us);
	if (cc->ops->control)
		cc->ops->control(cc, &a);
	else if (cc->ca_state != TANDEM_CA_RECOVERY && cc->ca_state != TANDEM_CA_CWR)
		cc->ops->on_ack(cc, &a);
	sound(cc);
	if (tandem_cc_in_slow_start(cc) && !cc->ops->control)
		MUST(cc->cwnd <= (u64)was + a.acked + 1);
}

static void step(struct tandem_cc *cc, struct input *in, u64 *now)
{
	int attr = -1;
	u8 info[32];
	u32 was;

	switch (take(in, 1) % 16) {
	case 0:
		lose(cc, in);
		break;
	case 1:
		if (cc->ca_state < TANDEM_CA_CWR)
			reduce(cc, TANDEM_CA_CWR, TANDEM_CONG_EV_CWR);
		break;
	case 2:
		reduce(cc, TANDEM_CA_LOSS, TANDEM_CONG_EV_LOSS);
		break;
	case 3:
	case 4:
		if (cc->ca_state >= TANDEM_CA_CWR) {
			cc->ca_state = TANDEM_CA_OPEN;
			event(cc, TANDEM_CONG_EV_RECOVERED);
		}
		break;
	case 5:
		if (cc->ca_state < TANDEM_CA_RECOVERY)
			break;
		was = cc->cwnd;
		cc->cwnd = min(cc->ops->undo_cwnd(cc), cc->cwnd_clamp);
		MUST(cc->cwnd >= was);
		cc->ca_state = TANDEM_CA_OPEN;
		event(cc, TANDEM_CONG_EV_UNDO);
		break;
	case 6:
		event(cc, TANDEM_CONG_EV_TX_START);
		break;
	case 7:
		event(cc, TANDEM_CONG_EV_CWND_RESTART);
		cc->cwnd = min(cc->cwnd, 10U);
		break;
	case 8:
		cc->mss = 1 + take(in, 2);
		cc->srtt_us = some(in);
		break;
	case 9:
		if (cc->ops->info)
			MUST(cc->ops->info(cc, &attr, info, sizeof(info)) <= sizeof(info));
		if (cc->ops->tso_segs)
			MUST(cc->ops->tso_segs(cc) <= 64);
		break;
	default:
		ack(cc, in, now);
		break;
	}
}

static void tell(const struct tandem_cong_ops *ops, struct input in)
{
	struct {
		u64	before;
		struct tandem_cc cc;
		u64	after;
	} box = { .before = 0x5a5a5a5a5a5a5a5aULL, .after = 0xa5a5a5a5a5a5a5a5ULL };
	struct tandem_cc *cc = &box.cc;
	/* No byte more than it asks for. */
	void *priv = calloc(1, max(ops->priv_size, 1U));
	u64 now = some(&in);

	MUST(priv && ops->priv_size <= TANDEM_CONG_PRIV);
	*cc = (struct tandem_cc) {
		.ops = ops, .priv = priv, .cwnd_clamp = max(some(&in), 10U), .init_cwnd = 10,
		.ssthresh = TANDEM_SSTHRESH_INF, .mss = 1 + take(&in, 2),
		.srtt_us = some(&in), .min_rtt_us = U32_MAX, .delivered = some(&in),
	};
	cc->cwnd = min(10U, cc->cwnd_clamp);
	cc->delivered_ce = cc->delivered;
	cc->lost = cc->delivered;
	if (ops->init)
		ops->init(cc);
	while (in.p < in.end)
		step(cc, &in, &now);
	if (ops->release)
		ops->release(cc);
	free(priv);
	MUST(box.before == 0x5a5a5a5a5a5a5a5aULL && box.after == 0xa5a5a5a5a5a5a5a5ULL);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, data + size };

	tell(&tandem_reno, in);
	tell(&tandem_cubic, in);
	tell(&tandem_dctcp, in);
	tell(&tandem_bbr, in);
	return 0;
}
