// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_rack.c - libFuzzer target: the bytes are a story of segments sent, sent again,
 * SACKed and ACKed, of time and of lies about it.
 *
 * Whatever happens: in the order of sending, once a segment is not lost none behind it
 * is, which is what lets a walk stop there; what is lost was sent before the newest
 * delivered; waiting as long as told makes the next one lost; the window never exceeds
 * SRTT, the degree of reordering its bounds.
 */
#include "fuzz.h"
#include "rack.h"
#include "seq.h"

#define N	16

struct input {
	const u8 *p, *end;
};

static u32 take(struct input *in, int bytes)
{
	u32 v = 0;

	while (bytes-- && in->p < in->end)
		v = v << 8 | *in->p++;
	return v;
}

struct story {
	struct tandem_loss l;
	struct tandem_loss_seg seg[N];
	u64	order[N];		/* when sent, as a count; 0: free */
	u64	count;
	u64	now_us;
	u64	echo_us;
};

static void put(struct story *s, u32 i, bool again)
{
	struct tandem_loss_seg *seg = &s->seg[i];

	if (!again) {
		seg->seq = s->l.snd_nxt;
		s->l.snd_nxt += s->l.mss;
		seg->end_seq = s->l.snd_nxt;
	}
	seg->retrans = again;
	seg->sent_us = s->now_us;
	s->order[i] = ++s->count;
}

static void delivered(struct story *s, u32 i, bool sacked)
{
	s->seg[i].sacked = sacked;
	s->seg[i].now_us = s->now_us;
	s->seg[i].echo_us = s->echo_us;
	tandem_loss_rack.delivered(&s->l, &s->seg[i]);
	s->order[i] = 0;
}

/* The segments in the order of sending, as judged; those lost are taken out. */
static void walk(struct story *s)
{
	const struct tandem_rack *r = tandem_loss_cpriv(&s->l);
	bool stopped = false, first_wait = true;
	u64 last = 0;
	u32 i, best, wait;

	tandem_loss_rack.prepare(&s->l);
	MUST(r->reo_wnd_us <= (s->l.srtt_us ? s->l.srtt_us : U32_MAX));
	MUST(s->l.reordering >= TANDEM_DUPTHRESH);
	MUST(s->l.reordering <= TANDEM_REORDERING_MAX);
	for (;;) {
		enum tandem_loss_verdict v;

		best = N;
		for (i = 0; i < N; i++)
			if (s->order[i] > last &&
			    (best == N || s->order[i] < s->order[best]))
				best = i;
		if (best == N)
			return;
		last = s->order[best];
		wait = 0;
		s->seg[best].now_us = s->now_us;
		v = tandem_loss_rack.judge(&s->l, &s->seg[best], &wait);
		MUST(v == TANDEM_LOSS_LOST || v == TANDEM_LOSS_STOP);
		if (v == TANDEM_LOSS_LOST) {
			/* Numbers may be sent again in any order within one microsecond. */
			MUST(!stopped || s->seg[best].sent_us == r->xmit_us);
			MUST(s->seg[best].sent_us <= r->xmit_us);
			MUST(s->seg[best].sent_us + r->rtt_us + r->reo_wnd_us <= s->now_us);
			s->order[best] = 0;
			continue;
		}
		stopped = true;
		if (wait && first_wait && wait < U32_MAX) {
			struct tandem_loss_seg later = s->seg[best];
			u32 ignored = 0;

			first_wait = false;
			later.now_us += wait - 1;
			MUST(tandem_loss_rack.judge(&s->l, &later, &ignored) ==
			     TANDEM_LOSS_STOP);
			later.now_us++;
			MUST(tandem_loss_rack.judge(&s->l, &later, &ignored) ==
			     TANDEM_LOSS_LOST);
		}
	}
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, data + size };
	struct story s = {};
	u32 i;

	s.l.snd_nxt = take(&in, 4);
	s.l.snd_una = s.l.snd_nxt;
	s.l.mss = 1 + take(&in, 1);
	s.now_us = 1 + take(&in, 4);
	s.l.srtt_us = take(&in, 2);
	s.l.min_rtt_us = take(&in, 1) & 1 ? U32_MAX : take(&in, 2);
	s.l.known_mult = take(&in, 1);
	s.l.known_reordering = s.l.known_mult & 1 ? take(&in, 2) : 0;
	tandem_loss_rack.init(&s.l);
	MUST(s.l.reo_mult >= 1 && s.l.reo_mult <= 4);

	while (in.p < in.end) {
		u8 op = take(&in, 1);

		i = op >> 4;
		switch (op & 7) {
		case 0:
			put(&s, i, s.order[i]);
			break;
		case 1:
			s.now_us += take(&in, 1 + (op >> 6));
			break;
		case 2:
			if (s.order[i])
				delivered(&s, i, op & 8);
			break;
		case 3:
			s.echo_us = s.now_us - min_t(u64, s.now_us, take(&in, 2));
			break;
		case 4:
			s.l.sacked_segs = take(&in, 1);
			s.l.recovering = op & 8;
			s.l.snd_una = s.l.snd_nxt - take(&in, 1);
			break;
		case 5:
			tandem_loss_rack.event(&s.l, i & 3);
			break;
		case 6:
			s.l.srtt_us = take(&in, 4);
			s.l.min_rtt_us = take(&in, 4);
			break;
		case 7:
			walk(&s);
			break;
		}
	}
	return 0;
}
