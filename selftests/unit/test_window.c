// SPDX-License-Identifier: GPL-2.0
/*
 * test_window.c - module/window.c: what to advertise, what may be sent, what is
 * acceptable.
 */
#include "tunit.h"
#include "seq.h"
#include "window.h"

/* RFC 7323 section 2.3 */
TU_TEST(window_scale)
{
	static const struct {
		u32 space;
		u8 shift;
	} rows[] = {
		{ 0, 0 }, { 1, 0 }, { 65535, 0 }, { 65536, 1 }, { 131070, 1 },
		{ 131071, 2 }, { 262140, 2 }, { 6291456, 7 }, { 65535 << 13, 13 },
		{ (65535 << 13) + 1, 14 }, { 65535 << 14, 14 }, { 0x40000000, 14 },
		{ 0x80000000, 14 }, { 0xffffffff, 14 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%u bytes", rows[i].space);
		EXPECT_EQ(tandem_win_scale(rows[i].space), rows[i].shift);
	}
}

TU_TEST(window_select)
{
	static const struct {
		const char *name;
		u32 cur, free, full, mss;
		u8 wscale;
		u32 want;
	} rows[] = {
		{ "all free", 0, 65536, 65536, 1460, 0, 65535 },
		{ "all free, scaled", 0, 65536, 65536, 1460, 2, 65536 },
		{ "a multiple of the unit", 0, 65535, 65535, 1460, 7, 65408 },
		{ "nothing free", 0, 0, 65536, 1460, 0, 0 },
		{ "promise kept when nothing is free", 5000, 0, 65536, 1460, 0, 5000 },
		{ "promise kept, rounded up", 5000, 0, 65536, 1460, 7, 5120 },
		{ "promise kept when less is free", 5000, 3000, 65536, 1460, 0, 5000 },
		/* RFC 9293 section 3.8.6.2.2: a step of min(full / 2, mss) */
		{ "a byte less than a segment", 5000, 6459, 65536, 1460, 0, 5000 },
		{ "exactly a segment", 5000, 6460, 65536, 1460, 0, 6460 },
		{ "from zero, a byte less", 0, 1459, 65536, 1460, 0, 0 },
		{ "from zero, a segment", 0, 1460, 65536, 1460, 0, 1460 },
		{ "small buffer, less than half", 0, 499, 1000, 1460, 0, 0 },
		{ "small buffer, half", 0, 500, 1000, 1460, 0, 500 },
		{ "step counts from the true edge", 4999, 6460, 65536, 1460, 2, 6460 },
		{ "step lost by rounding", 5000, 6463, 65536, 1460, 7, 5120 },
		{ "never above 16 bits", 0, 1 << 30, 1 << 30, 1460, 0, 65535 },
		{ "never above 16 bits, scaled", 0, 0xffffffff, 0xffffffff, 1460, 14,
		  65535 << 14 },
		{ "cur beyond what can be said", 70000, 80000, 80000, 1460, 0, 65535 },
		{ "a shift that is none", 0, 1 << 30, 1 << 30, 1460, 200,
		  65535 << 14 },
		/* 1 << 14 is more than all of this buffer: open it nevertheless */
		{ "unit above buffer, empty", 0, 4000, 4000, 1460, 14, 16384 },
		{ "unit above buffer, too little free", 0, 1459, 4000, 1460, 14, 0 },
		{ "segments larger than 16 bits", 0, 1 << 20, 1 << 20, 65536, 0, 65535 },
		{ "and half of that is a step", 32768, 1 << 20, 1 << 20, 65536, 0, 65535 },
		{ "less is none", 32769, 1 << 20, 1 << 20, 65536, 0, 32769 },
		{ "no buffer", 0, 0, 0, 1460, 0, 0 },
		{ "no buffer, scaled", 0, 0, 0, 1460, 7, 0 },
		{ "no segment size known", 100, 101, 65536, 0, 0, 101 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%s", rows[i].name);
		EXPECT_EQ(tandem_win_select(rows[i].cur, rows[i].free, rows[i].full,
					    rows[i].mss, rows[i].wscale),
			  rows[i].want);
	}
}

/* What tandem_win_select() promises, whatever it is given. */
TU_TEST(window_select_random)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, cur, free, full, mss, win, top;
	u8 shift;

	for (i = 0; i < TU_LOOPS; i++) {
		shift = tu_rand_below(&rng, 15);
		top = 65535 << shift;
		cur = tu_rand_u32(&rng) % (top + 1);
		full = tu_rand_u32(&rng);
		free = full ? tu_rand_u32(&rng) % full : 0;
		mss = tu_rand_u32(&rng) & 0x1ffff;
		win = tandem_win_select(cur, free, full, mss, shift);
		TU_WHERE("select(%u, %u, %u, %u, %u) = %u", cur, free, full, mss,
			 shift, win);
		if (!EXPECT_EQ(win & ((1U << shift) - 1), 0) ||
		    !EXPECT(win <= top) || !EXPECT(win >= cur) ||
		    /* not more promised than free, but for rounding */
		    !EXPECT(win < (u64)max(cur, free) + (1U << shift)) ||
		    /* a step is worth a segment, or only rounding */
		    !EXPECT(win - cur >= min(min(full, top) / 2, mss) ||
			    win - cur < 1U << shift))
			return;
	}
}

/* A receiver as the module is one, with a buffer of @full bytes. */
struct rcv {
	u32 nxt, wup, wnd;
	u32 used, full, mss;
	u8 shift;
};

static u32 rcv_open(const struct rcv *r)
{
	u32 edge = r->wup + r->wnd;

	return seq_after(edge, r->nxt) ? edge - r->nxt : 0;
}

static u32 rcv_free(const struct rcv *r)
{
	return r->used < r->full ? r->full - r->used : 0;
}

static void rcv_advertise(struct rcv *r)
{
	r->wnd = tandem_win_select(rcv_open(r), rcv_free(r), r->full, r->mss,
				   r->shift);
	r->wup = r->nxt;
}

/*
 * Data in any sizes, reads of any sizes, ACKs now and then, from sequence numbers that
 * wrap: the right edge never moves left (RFC 9293 section 3.8.6), never moves by a
 * silly step, and when the program has read all, the window is open again.
 */
TU_TEST(window_edge_never_shrinks)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, n, edge, moved, unit, step;
	struct rcv r = { 0 };

	for (i = 0; i < TU_LOOPS; i++) {
		if (i % 1000 == 0) {
			r.nxt = 0 - tu_rand_below(&rng, 100000);
			r.full = 1 + tu_rand_below(&rng, 1U << (4 + (i / 1000) % 18));
			r.shift = tu_rand_below(&rng, 15);
			r.mss = 1 + tu_rand_below(&rng, i & 1024 ? 9000 : 70000);
			r.used = 0;
			r.wup = r.nxt;
			r.wnd = 0;
			rcv_advertise(&r);
		}
		unit = 1U << r.shift;
		step = min(min(r.full, 65535U << r.shift) / 2, r.mss);
		TU_WHERE("step %u, buffer %u, mss %u, shift %u", i, r.full, r.mss,
			 r.shift);
		n = rcv_open(&r);
		if (n && (tu_rand(&rng) & 1)) {
			n = tu_rand_below(&rng, min(n, 3 * r.mss) + 1);
			r.nxt += n;
			r.used += n;
		}
		if (tu_rand(&rng) & 1)
			r.used -= tu_rand_below(&rng, r.used + 1);
		if (tu_rand(&rng) % 16 == 0)
			r.used = 0;

		edge = r.wup + r.wnd;
		rcv_advertise(&r);
		moved = r.wup + r.wnd - edge;
		if (!EXPECT(!seq_before(r.wup + r.wnd, edge)) ||
		    !EXPECT(moved >= step || moved < unit) ||
		    !EXPECT(r.wnd >> r.shift <= 65535) ||
		    !EXPECT(r.used || r.wnd || !r.full))
			return;
	}
}

TU_TEST(window_worth_update)
{
	static const struct {
		const char *name;
		u32 cur, fresh, full, mss;
		bool want;
	} rows[] = {
		{ "same", 5000, 5000, 65536, 1460, false },
		{ "less", 5000, 4000, 65536, 1460, false },
		{ "both zero", 0, 0, 65536, 1460, false },
		{ "one segment", 5000, 6460, 65536, 1460, false },
		{ "a byte less than two", 5000, 7919, 65536, 1460, false },
		{ "two segments", 5000, 7920, 65536, 1460, true },
		{ "half the buffer", 2000, 4000, 4000, 1460, true },
		{ "less than half the buffer", 2000, 3999, 4000, 1460, false },
		{ "from zero to a segment", 0, 1460, 65536, 1460, true },
		{ "from zero to what there is", 0, 1459, 65536, 1460, true },
		{ "below a segment all the time", 1, 1459, 65536, 1460, false },
		{ "from below a segment to one", 1459, 1460, 65536, 1460, true },
		{ "from a segment on", 1460, 1461, 65536, 1460, false },
		{ "huge segments", 1, 0xffffffff, 0xffffffff, 0xffffffff, true },
		{ "huge step", 1, 0xfffffffe, 0xffffffff, 0xffffffff, true },
		{ "huge segments, small step", 1, 2, 0xffffffff, 0xffffffff, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%s", rows[i].name);
		EXPECT_EQ(tandem_win_worth_update(rows[i].cur, rows[i].fresh,
						  rows[i].full, rows[i].mss),
			  rows[i].want);
	}
}

/* Whatever the buffer: a program that reads all of a full one makes an update due. */
TU_TEST(window_worth_update_opens)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, full, mss, fresh;
	u8 shift;

	for (i = 0; i < TU_LOOPS; i++) {
		full = 1 + (tu_rand_u32(&rng) & 0x3fffffff);
		mss = 1 + tu_rand_below(&rng, 70000);
		shift = i & 1 ? tandem_win_scale(full) : tu_rand_below(&rng, 15);
		fresh = tandem_win_select(0, full, full, mss, shift);
		TU_WHERE("buffer %u, mss %u, window %u", full, mss, fresh);
		if (!EXPECT(fresh) ||
		    !EXPECT(tandem_win_worth_update(0, fresh, full, mss)))
			return;
	}
}

TU_TEST(window_usable)
{
	static const struct {
		u32 una, wnd, nxt, want;
	} rows[] = {
		{ 1000, 0, 1000, 0 },
		{ 1000, 500, 1000, 500 },
		{ 1000, 500, 1499, 1 },
		{ 1000, 500, 1500, 0 },
		{ 1000, 500, 1501, 0 },			/* the edge moved back */
		{ 1000, 0, 0x40000000, 0 },
		{ 0xffffff00, 0x200, 0xffffff80, 0x180 },
		{ 0xffffff00, 0x200, 0x80, 0x80 },
		{ 0xffffff00, 0x200, 0x100, 0 },
		{ 0xffffff00, 0x200, 0x101, 0 },
		{ 0, 65535 << 14, 0, 65535 << 14 },	/* the largest there is */
		{ 0x80000000, 65535 << 14, 0x80000001, (65535 << 14) - 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("row %zu", i);
		EXPECT_EQ(tandem_win_usable(rows[i].una, rows[i].wnd, rows[i].nxt),
			  rows[i].want);
	}
}

/* RFC 9293 section 3.10.7.4, fifth step */
TU_TEST(window_may_update)
{
	static const struct {
		const char *name;
		u32 una, ack, seq, wl1, fresh, wnd;
		bool want;
	} rows[] = {
		{ "new ACK, smaller", 100, 101, 50, 50, 10, 20, true },
		{ "new ACK on an older segment", 100, 101, 49, 50, 10, 20, true },
		{ "newer segment, smaller", 100, 100, 51, 50, 10, 20, true },
		{ "same numbers, larger", 100, 100, 50, 50, 21, 20, true },
		{ "same numbers, same", 100, 100, 50, 50, 20, 20, false },
		{ "same numbers, smaller", 100, 100, 50, 50, 19, 20, false },
		{ "same numbers, opens", 100, 100, 50, 50, 1, 0, true },
		{ "older segment, larger", 100, 100, 49, 50, 99, 20, false },
		{ "across the wrap, newer", 0xfffffff0, 0xfffffff0, 5, 0xfffffffb,
		  1, 20, true },
		{ "across the wrap, older", 5, 5, 0xfffffffb, 5, 99, 20, false },
		{ "ACK across the wrap", 0xfffffff0, 5, 50, 50, 1, 20, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%s", rows[i].name);
		EXPECT_EQ(tandem_win_may_update(rows[i].una, rows[i].ack, rows[i].seq,
						rows[i].wl1, rows[i].fresh,
						rows[i].wnd), rows[i].want);
	}
}

/* RFC 9293 section 3.10.7.4, first step; numbers are offsets from rcv_nxt. */
TU_TEST(window_acceptable)
{
	static const struct {
		const char *name;
		s32 seq, end, wup;
		u32 wnd;
		bool want;
	} rows[] = {
		/* no data, no window: only at the edge */
		{ "ACK, closed", 0, 0, 0, 0, true },
		{ "ACK, closed, beyond", 1, 1, 0, 0, false },
		{ "ACK, closed, before", -1, -1, 0, 0, false },
		/* no data, a window */
		{ "ACK", 0, 0, 0, 100, true },
		{ "ACK inside", 50, 50, 0, 100, true },
		{ "ACK, last byte", 99, 99, 0, 100, true },
		{ "ACK at the right edge", 100, 100, 0, 100, true },
		{ "ACK beyond", 101, 101, 0, 100, false },
		{ "ACK before", -1, -1, 0, 100, false },
		{ "ACK before, our ACK is delayed", -1, -1, -10, 100, true },
		{ "ACK where our last ACK was", -10, -10, -10, 100, true },
		{ "ACK before that", -11, -11, -10, 100, false },
		{ "ACK half the circle away", S32_MAX, S32_MAX, 0, 100, false },
		/* data, no window */
		{ "data, closed", 0, 1, 0, 0, false },
		{ "old data, closed", -10, 0, 0, 0, false },
		{ "probe beyond, closed", 1, 2, 0, 0, false },
		/* data and a window */
		{ "data", 0, 10, 0, 100, true },
		{ "all of the window", 0, 100, 0, 100, true },
		{ "more than the window", 0, 200, 0, 100, true },
		{ "last byte", 99, 100, 0, 100, true },
		{ "begins at the right edge", 100, 110, 0, 100, false },
		{ "begins beyond", 101, 111, 0, 100, false },
		{ "ends where it begins", -10, 0, 0, 100, false },
		{ "one new byte", -10, 1, 0, 100, true },
		{ "around all of it", -10, 200, 0, 100, true },
		{ "old data", -20, -10, 0, 100, false },
		{ "old data, our ACK is delayed", -20, -10, -20, 100, true },
		{ "FIN in the last byte", 99, 100, 0, 100, true },
	};
	static const u32 base[] = { 0, 1, 10, 0xffffffff, 0xffffffce, 0x7fffffff,
				    0x80000000 };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (j = 0; j < ARRAY_SIZE(base); j++) {
			TU_WHERE("%s, rcv_nxt 0x%x", rows[i].name, base[j]);
			EXPECT_EQ(tandem_win_acceptable(base[j] + rows[i].seq,
							base[j] + rows[i].end,
							base[j] + rows[i].wup,
							base[j], rows[i].wnd),
				  rows[i].want);
		}
	}
}

/* The RFC's table, one case per line, for small numbers around any rcv_nxt. */
static bool rfc_acceptable(s64 seq, s64 len, s64 wnd)
{
	if (!len && !wnd)
		return seq == 0;
	if (!len)
		return seq >= 0 && seq < wnd;
	if (!wnd)
		return false;
	return (seq >= 0 && seq < wnd) ||
	       (seq + len - 1 >= 0 && seq + len - 1 < wnd) ||
	       /* section 3.4's "begins before, ends beyond": has new data too */
	       (seq < 0 && seq + len - 1 >= wnd);
}

TU_TEST(window_acceptable_random)
{
	struct tu_rng rng = tu_rng_start(test);
	u32 i, nxt, len, wnd;
	bool want;
	s32 seq;

	for (i = 0; i < TU_LOOPS; i++) {
		nxt = tu_rand_u32(&rng);
		wnd = tu_rand_below(&rng, 8);
		len = tu_rand_below(&rng, 12);
		seq = (s32)tu_rand_below(&rng, 24) - 12;
		want = rfc_acceptable(seq, len, wnd) || (!len && seq == (s32)wnd);
		TU_WHERE("nxt 0x%x, wnd %u, seq %d, len %u", nxt, wnd, seq, len);
		if (!EXPECT_EQ(tandem_win_acceptable(nxt + seq, nxt + seq + len, nxt,
						     nxt, wnd), want))
			return;
	}
}

TU_SUITE(tandem_window,
	 TU_CASE(window_scale),
	 TU_CASE(window_select),
	 TU_CASE(window_select_random),
	 TU_CASE(window_edge_never_shrinks),
	 TU_CASE(window_worth_update),
	 TU_CASE(window_worth_update_opens),
	 TU_CASE(window_usable),
	 TU_CASE(window_may_update),
	 TU_CASE(window_acceptable),
	 TU_CASE(window_acceptable_random));
