// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_window.c - libFuzzer target: the bytes are a story of data arriving, reads and
 * ACKs between a sender that trusts the window and a receiver that computes it.
 *
 * The right edge never moves left, the sender never has cause to send beyond it, all
 * it sends is acceptable, and a receiver whose program has read everything is open.
 */
#include "fuzz.h"
#include "seq.h"
#include "window.h"

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

/* Receiver and sender of one direction. */
struct link {
	u32 nxt, wup, wnd, used, full, mss;
	u8 shift;
	u32 una, snd_wnd, snd_nxt, wl1;
};

static u32 rcv_open(const struct link *l)
{
	u32 edge = l->wup + l->wnd;

	return seq_after(edge, l->nxt) ? edge - l->nxt : 0;
}

/* The receiver ACKs; the sender hears it. @ack_seq: of the ACK segment. */
static void advertise(struct link *l, u32 ack_seq)
{
	u32 edge = l->wup + l->wnd, cur = rcv_open(l);
	u32 free = l->used < l->full ? l->full - l->used : 0;
	u32 unit = 1U << l->shift, win, step;

	win = tandem_win_select(cur, free, l->full, l->mss, l->shift);
	MUST(win % unit == 0 && win >> l->shift <= 65535);
	MUST(win >= cur);
	MUST(l->used || win || !l->full);
	step = min(min(l->full, 65535U << l->shift) / 2, l->mss);
	MUST(win - cur >= step || win - cur < unit);
	if (tandem_win_worth_update(cur, win, l->full, l->mss))
		MUST(win > cur);
	else
		MUST(cur || !win);
	l->wup = l->nxt;
	l->wnd = win;
	MUST(!seq_before(l->wup + l->wnd, edge));

	if (tandem_win_may_update(l->una, l->nxt, ack_seq, l->wl1, win,
				  l->snd_wnd)) {
		l->snd_wnd = win;
		l->wl1 = ack_seq;
	}
	l->una = l->nxt;
}

static void send_some(struct link *l, u32 want)
{
	u32 usable = tandem_win_usable(l->una, l->snd_wnd, l->snd_nxt);
	u32 n = want < usable ? want : usable, from;

	MUST(usable <= l->snd_wnd);
	if (!n)
		return;
	from = l->snd_nxt;
	l->snd_nxt += n;
	MUST(!seq_after(l->snd_nxt, l->wup + l->wnd));
	MUST(tandem_win_acceptable(from, from + n, l->wup, l->nxt, rcv_open(l)));
	l->nxt += n;
	l->used += n;
	/* And its own ACK-only segments from there. */
	MUST(tandem_win_acceptable(l->snd_nxt, l->snd_nxt, l->wup, l->nxt,
				   rcv_open(l)));
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, data + size };
	struct link l = { 0 };
	u32 ack_seq;

	l.nxt = take(&in, 4);
	l.full = take(&in, 4) & 0x3fffffff;
	l.shift = take(&in, 1) % 15;
	l.mss = 1 + take(&in, 2);
	ack_seq = take(&in, 4);
	l.wup = l.nxt;
	l.una = l.nxt;
	l.snd_nxt = l.nxt;
	l.wl1 = ack_seq;
	MUST(tandem_win_scale(l.full) <= 14);
	advertise(&l, ack_seq);

	while (in.p < in.end) {
		u8 op = take(&in, 1);

		switch (op & 3) {
		case 0:
			send_some(&l, take(&in, 1 + (op >> 6)));
			break;
		case 1:
			l.used -= l.used ? take(&in, 1 + (op >> 6)) % (l.used + 1) : 0;
			break;
		case 2:
			l.used = 0;
			break;
		case 3:
			ack_seq += op >> 2;
			advertise(&l, ack_seq);
			break;
		}
	}
	return 0;
}
