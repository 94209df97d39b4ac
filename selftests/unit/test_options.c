// SPDX-License-Identifier: GPL-2.0
/*
 * test_options.c - module/options.c: TCP options, both directions.
 */
#include "tunit.h"
#include "options.h"

#define MSS	TANDEM_OPT_MSS
#define WS	TANDEM_OPT_WSCALE
#define SOK	TANDEM_OPT_SACK_OK
#define TS	TANDEM_OPT_TS
#define SACK	TANDEM_OPT_SACK
#define FO	TANDEM_OPT_FASTOPEN

/* The same options as on the wire, in hexadecimal, and in struct tandem_opts. */
#define TS_HEX	"080a 01020304 f0e0d0c0 "
#define BLOCK_A	"00000001 00000002 "
#define BLOCK_B	"fffffff0 00000010 "
#define BLOCK_C	"80000000 800005a8 "
#define BLOCK_D	"7fffffff 80000000 "
#define HAVE_TS		.tsval = 0x01020304, .tsecr = 0xf0e0d0c0
#define HAVE_A		{ 1, 2 }
#define HAVE_B		{ 0xfffffff0, 0x10 }
#define HAVE_C		{ 0x80000000, 0x800005a8 }
#define HAVE_D		{ 0x7fffffff, 0x80000000 }

/* Options in hexadecimal, up to the 44 bytes that would be five SACK blocks. */
static unsigned int from_hex(const char *hex, u8 *buf)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int n = 0;

	for (; *hex; hex++)
		if (*hex != ' ') {
			buf[n / 2] = buf[n / 2] << 4 | (strchr(digits, *hex) - digits);
			n++;
		}
	return n / 2;
}

/* All that counts of two option sets is the same. */
static bool same(struct tu *test, const struct tandem_opts *got,
		 const struct tandem_opts *want)
{
	int i;

	if (!EXPECT_EQ(got->have, want->have))
		return false;
	if ((want->have & MSS) && !EXPECT_EQ(got->mss, want->mss))
		return false;
	if ((want->have & WS) && !EXPECT_EQ(got->wscale, want->wscale))
		return false;
	if ((want->have & TS) && (!EXPECT_EQ(got->tsval, want->tsval) ||
				  !EXPECT_EQ(got->tsecr, want->tsecr)))
		return false;
	if ((want->have & FO) &&
	    (!EXPECT_EQ(got->cookie.len, want->cookie.len) ||
	     !EXPECT_EQ(got->cookie.exp, want->cookie.exp) ||
	     !EXPECT(!memcmp(got->cookie.val, want->cookie.val, want->cookie.len))))
		return false;
	if (!EXPECT_EQ(got->nsack, want->nsack))
		return false;
	for (i = 0; i < want->nsack; i++)
		if (!EXPECT_EQ(got->sack[i].start, want->sack[i].start) ||
		    !EXPECT_EQ(got->sack[i].end, want->sack[i].end))
			return false;
	return true;
}

struct parse_row {
	const char *name;
	const char *hex;
	bool syn;
	int ret;
	struct tandem_opts want;
};

static const struct parse_row good[] = {
	{ "none", "00", true, 0, { 0 } },
	{ "nops", "01 01 01 01", true, 0, { 0 } },
	{ "mss", "02 04 05 b4", true, 0, { .have = MSS, .mss = 1460 } },
	{ "mss 0", "02 04 00 00", true, 0, { .have = MSS, .mss = 0 } },
	{ "mss 65535", "02 04 ff ff", true, 0,
	  { .have = MSS, .mss = 65535 } },
	{ "mss without syn", "02 04 05 b4", false, 0, { 0 } },
	{ "wscale", "01 03 03 07", true, 0, { .have = WS, .wscale = 7 } },
	{ "wscale 14", "03 03 0e", true, 0, { .have = WS, .wscale = 14 } },
	{ "wscale 15 is 14", "03 03 0f", true, 0,
	  { .have = WS, .wscale = 14 } },
	{ "wscale 255 is 14", "03 03 ff", true, 0,
	  { .have = WS, .wscale = 14 } },
	{ "wscale without syn", "03 03 07", false, 0, { 0 } },
	{ "sack permitted", "04 02", true, 0, { .have = SOK } },
	{ "sack permitted without syn", "04 02", false, 0, { 0 } },
	{ "timestamps", TS_HEX, false, 0, { .have = TS, HAVE_TS } },
	{ "timestamps, usual form", "01 01 " TS_HEX, false, 0,
	  { .have = TS, HAVE_TS } },
	{ "timestamps at the end", TS_HEX "01 01", false, 0,
	  { .have = TS, HAVE_TS } },
	{ "one block", "01 01 05 0a " BLOCK_A, false, 0,
	  { .have = SACK, .nsack = 1, .sack = { HAVE_A } } },
	{ "four blocks", "05 22 " BLOCK_A BLOCK_B BLOCK_C BLOCK_D, false, 0,
	  { .have = SACK, .nsack = 4,
	    .sack = { HAVE_A, HAVE_B, HAVE_C, HAVE_D } } },
	{ "timestamps and three blocks",
	  "01 01 " TS_HEX "01 01 05 1a " BLOCK_C BLOCK_B BLOCK_A, false, 0,
	  { .have = TS | SACK, HAVE_TS, .nsack = 3,
	    .sack = { HAVE_C, HAVE_B, HAVE_A } } },
	{ "the SYN of everybody",
	  "02 04 05 b4 04 02 " TS_HEX "01 03 03 07", true, 0,
	  { .have = MSS | SOK | TS | WS, .mss = 1460, .wscale = 7, HAVE_TS } },
	{ "nothing counts after EOL", "04 02 00 02 04 05 b4", true, 0,
	  { .have = SOK } },
	{ "rubbish after EOL", "00 02 00 ff ff", true, 0, { 0 } },
	{ "unknown kinds", "fe 04 01 02 04 02 1e 03 09 63 02", true, 0,
	  { .have = SOK } },
	{ "twice: the last counts", "02 04 01 00 02 04 02 00", true, 0,
	  { .have = MSS, .mss = 512 } },
};

static const struct parse_row bad[] = {
	{ "kind alone", "01 02", true, -EINVAL, { 0 } },
	{ "unknown kind alone", "04 02 63", true, -EINVAL, { .have = SOK } },
	{ "length 0", "63 00 04 02", true, -EINVAL, { 0 } },
	{ "length 1", "04 02 63 01 04 02", true, -EINVAL, { .have = SOK } },
	{ "past the end", "63 04 01", true, -EINVAL, { 0 } },
	{ "far past the end", "63 ff 01", true, -EINVAL, { 0 } },
	{ "mss too short", "02 03 05", true, -EINVAL, { 0 } },
	{ "mss too long", "02 05 05 05 05", true, -EINVAL, { 0 } },
	{ "mss too short without syn", "02 03 05", false, -EINVAL, { 0 } },
	{ "mss cut", "02 04 05", true, -EINVAL, { 0 } },
	{ "wscale too short", "03 02", true, -EINVAL, { 0 } },
	{ "wscale too long", "03 04 01 01", true, -EINVAL, { 0 } },
	{ "sack permitted too long", "04 03 00", true, -EINVAL, { 0 } },
	{ "timestamps too short", "08 09 01 02 03 04 05 06 07", false, -EINVAL,
	  { 0 } },
	{ "timestamps too long", "08 0b 01 02 03 04 05 06 07 08 09", false,
	  -EINVAL, { 0 } },
	{ "timestamps, usual form, wrong length",
	  "01 01 08 09 01 02 03 04 05 06 07 08", false, -EINVAL, { 0 } },
	{ "no block", "05 02", false, -EINVAL, { 0 } },
	{ "half a block", "05 06 01 02 03 04", false, -EINVAL, { 0 } },
	{ "one block and a byte", "05 0b " BLOCK_A "00", false, -EINVAL, { 0 } },
	{ "five blocks",
	  "05 2a " BLOCK_A BLOCK_A BLOCK_A BLOCK_A BLOCK_A, false, -EINVAL,
	  { 0 } },
	{ "block cut", "05 0a 01 02 03 04 05 06 07", false, -EINVAL, { 0 } },
	{ "good, then bad", TS_HEX "02 01", false, -EINVAL,
	  { .have = TS, HAVE_TS } },
};

static void parse_rows(struct tu *test, const struct parse_row *rows, size_t n)
{
	struct tandem_opts o;
	u8 buf[48], *p;
	unsigned int len;
	size_t i;

	for (i = 0; i < n; i++) {
		TU_WHERE("%s", rows[i].name);
		len = from_hex(rows[i].hex, buf);
		/* To the very end, where a sanitizer sees a step too far. */
		p = buf + sizeof(buf) - len;
		memmove(p, buf, len);
		memset(&o, 0xa5, sizeof(o));
		EXPECT_EQ(tandem_opts_parse(p, len, rows[i].syn, &o), rows[i].ret);
		same(test, &o, &rows[i].want);
	}
}

TU_TEST(options_parse)
{
	parse_rows(test, good, ARRAY_SIZE(good));
}

TU_TEST(options_parse_malformed)
{
	parse_rows(test, bad, ARRAY_SIZE(bad));
}

/* No options at all; not one byte may be touched. */
TU_TEST(options_parse_empty)
{
	struct tandem_opts o;

	TU_WHERE("empty");
	memset(&o, 0xa5, sizeof(o));
	EXPECT_EQ(tandem_opts_parse((const u8 *)"", 0, true, &o), 0);
	EXPECT_EQ(o.have, 0);
	EXPECT_EQ(o.nsack, 0);
}

/* A cut anywhere gives the options that are whole, and -EINVAL inside one. */
TU_TEST(options_parse_cut)
{
	u8 syn[20];
	struct tandem_opts o;
	unsigned int len;
	bool inside;
	u8 have;

	TU_WHERE("a SYN");
	EXPECT_EQ(from_hex("02 04 05b4 04 02 " TS_HEX "01 03 03 07", syn), 20);
	for (len = 0; len <= sizeof(syn); len++) {
		TU_WHERE("%u bytes", len);
		have = (len >= 4 ? MSS : 0) | (len >= 6 ? SOK : 0) |
		       (len >= 16 ? TS : 0) | (len >= 20 ? WS : 0);
		inside = len != 0 && len != 4 && len != 6 && len != 16 &&
			 len != 17 && len != 20;
		EXPECT_EQ(tandem_opts_parse(syn, len, true, &o),
			  inside ? -EINVAL : 0);
		EXPECT_EQ(o.have, have);
	}
}

struct write_row {
	const char *name;
	struct tandem_opts o;
	const char *hex;
};

static const struct write_row written[] = {
	{ "mss", { .have = MSS, .mss = 1460 }, "02 04 05 b4" },
	{ "wscale", { .have = WS, .wscale = 7 }, "01 03 03 07" },
	{ "wscale never above 14", { .have = WS, .wscale = 99 },
	  "01 03 03 0e" },
	{ "sack permitted, as everybody", { .have = SOK }, "01 01 04 02" },
	/* RFC 7323 appendix A */
	{ "timestamps", { .have = TS, HAVE_TS }, "01 01 " TS_HEX },
	{ "a SYN", { .have = MSS | SOK | TS | WS, .mss = 1460, .wscale = 7,
		     HAVE_TS },
	  "02 04 05 b4 04 02 " TS_HEX "01 03 03 07" },
	{ "timestamps and three blocks",
	  { .have = TS | SACK, HAVE_TS, .nsack = 3,
	    .sack = { HAVE_A, HAVE_B, HAVE_C } },
	  "01 01 " TS_HEX "01 01 05 1a " BLOCK_A BLOCK_B BLOCK_C },
	{ "the fourth is left off beside timestamps",
	  { .have = TS | SACK, HAVE_TS, .nsack = 4,
	    .sack = { HAVE_A, HAVE_B, HAVE_C, HAVE_D } },
	  "01 01 " TS_HEX "01 01 05 1a " BLOCK_A BLOCK_B BLOCK_C },
	{ "four blocks",
	  { .have = SACK, .nsack = 4,
	    .sack = { HAVE_A, HAVE_B, HAVE_C, HAVE_D } },
	  "01 01 05 22 " BLOCK_A BLOCK_B BLOCK_C BLOCK_D },
	{ "blocks that were not asked for",
	  { .have = TS, HAVE_TS, .nsack = 2 },
	  "01 01 " TS_HEX },
	{ "two beside all of a SYN",
	  { .have = MSS | SOK | TS | WS | SACK, .mss = 536, .wscale = 1,
	    HAVE_TS, .nsack = 4, .sack = { HAVE_D, HAVE_C, HAVE_B } },
	  "02 04 02 18 04 02 " TS_HEX "01 03 03 01 01 01 05 12 " BLOCK_D BLOCK_C },
};

TU_TEST(options_write)
{
	u8 buf[TANDEM_OPT_MAX_LEN + 1], want[48];
	unsigned int len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(written); i++) {
		TU_WHERE("%s", written[i].name);
		memset(buf, 0x5a, sizeof(buf));
		len = from_hex(written[i].hex, want);
		EXPECT_EQ(tandem_opts_len(&written[i].o), len);
		EXPECT_EQ(tandem_opts_write(buf, &written[i].o), len);
		EXPECT_BYTES(buf, want, len);
		EXPECT_EQ(buf[len], 0x5a);
	}
}

/* The short way writes what the long one does. */
TU_TEST(options_write_ts)
{
	struct tandem_opts o = { .have = TS, .tsval = 0x80c0ffee, .tsecr = 0xfe010203 };
	u8 buf[TANDEM_OPTS_TS_LEN + 1], want[TANDEM_OPT_MAX_LEN];

	TU_WHERE("timestamps");
	buf[TANDEM_OPTS_TS_LEN] = 0x5a;
	tandem_opts_write_ts(buf, o.tsval, o.tsecr);
	EXPECT_EQ(tandem_opts_write(want, &o), TANDEM_OPTS_TS_LEN);
	EXPECT_BYTES(buf, want, TANDEM_OPTS_TS_LEN);
	EXPECT_EQ(buf[TANDEM_OPTS_TS_LEN], 0x5a);
}

TU_TEST(options_write_nothing)
{
	struct tandem_opts o = { .have = 0, .nsack = 4 };
	u8 buf[1] = { 0x5a };

	TU_WHERE("nothing");
	EXPECT_EQ(tandem_opts_len(&o), 0);
	EXPECT_EQ(tandem_opts_write(buf, &o), 0);
	EXPECT_EQ(buf[0], 0x5a);
	o.have = SACK;
	o.nsack = 0;
	EXPECT_EQ(tandem_opts_write(buf, &o), 0);
	EXPECT_EQ(buf[0], 0x5a);
}

/* RFC 2018 section 3: four blocks, three beside timestamps. */
TU_TEST(options_sack_room)
{
	static const struct {
		u8 have;
		unsigned int room;
	} rows[] = {
		{ 0, 4 }, { SACK, 4 }, { MSS, 4 }, { WS, 4 }, { SOK, 4 },
		{ MSS | WS, 3 }, { TS, 3 }, { TS | SOK, 3 }, { TS | MSS, 2 },
		{ TS | WS, 2 }, { TS | MSS | WS | SOK, 2 }, { MSS | WS | SOK, 3 },
	};
	struct tandem_opts o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("have 0x%x", rows[i].have);
		memset(&o, 0, sizeof(o));
		o.have = rows[i].have;
		EXPECT_EQ(tandem_opts_sack_room(&o), rows[i].room);
		/* And that many really are written, one more is not. */
		o.have |= SACK;
		o.nsack = rows[i].room;
		EXPECT(tandem_opts_len(&o) <= TANDEM_OPT_MAX_LEN);
		if (rows[i].room < TANDEM_OPT_MAX_SACK) {
			unsigned int len = tandem_opts_len(&o);

			o.nsack++;
			EXPECT_EQ(tandem_opts_len(&o), len);
		}
	}
}

static void random_opts(struct tu_rng *rng, struct tandem_opts *o)
{
	int i;

	memset(o, 0, sizeof(*o));
	o->have = tu_rand_below(rng, 32);
	o->mss = tu_rand_u32(rng);
	o->wscale = tu_rand_below(rng, TANDEM_OPT_MAX_WSCALE + 1);
	o->tsval = tu_rand_u32(rng);
	o->tsecr = tu_rand_u32(rng);
	o->nsack = tu_rand_below(rng, TANDEM_OPT_MAX_SACK + 1);
	for (i = 0; i < TANDEM_OPT_MAX_SACK; i++) {
		o->sack[i].start = tu_rand_u32(rng);
		o->sack[i].end = tu_rand_u32(rng);
	}
}

/* parse(write(o)) == o, in whole words, with 4-byte aligned values. */
TU_TEST(options_round_trip)
{
	struct tu_rng rng = tu_rng_start(test);
	struct tandem_opts o, back;
	u8 buf[TANDEM_OPT_MAX_LEN];
	unsigned int len, room;
	u32 i;

	for (i = 0; i < TU_LOOPS; i++) {
		random_opts(&rng, &o);
		TU_WHERE("round %u, have 0x%x, %u blocks", i, o.have, o.nsack);
		len = tandem_opts_write(buf, &o);
		if (!EXPECT_EQ(len, tandem_opts_len(&o)) ||
		    !EXPECT(len <= TANDEM_OPT_MAX_LEN) || !EXPECT_EQ(len % 4, 0) ||
		    !EXPECT_EQ(tandem_opts_parse(buf, len, true, &back), 0))
			return;

		room = tandem_opts_sack_room(&o);
		o.nsack = o.have & SACK ? min_t(u8, o.nsack, room) : 0;
		if (!o.nsack)
			o.have &= ~SACK;
		if (!same(test, &back, &o))
			return;
	}
}

/* Any bytes: no crash, the result is well formed, and what was read can be written. */
TU_TEST(options_random_bytes)
{
	static const u8 kinds[] = { 0, 1, 2, 3, 4, 5, 8, 2, 3, 4, 5, 8, 30, 254 };
	struct tu_rng rng = tu_rng_start(test);
	u8 in[TANDEM_OPT_MAX_LEN], out[TANDEM_OPT_MAX_LEN];
	struct tandem_opts o;
	u32 i, j, len, ok = 0;

	for (i = 0; i < TU_LOOPS; i++) {
		len = tu_rand_below(&rng, sizeof(in) + 1);
		/* At the very end, where a sanitizer sees a step too far. */
		for (j = sizeof(in) - len; j < sizeof(in); j++)
			in[j] = tu_rand(&rng) & 1 ? tu_rand_below(&rng, 12) :
				kinds[tu_rand_below(&rng, ARRAY_SIZE(kinds))];
		TU_WHERE("round %u", i);
		if (!tandem_opts_parse(in + sizeof(in) - len, len, i & 1, &o))
			ok++;
		if (!EXPECT(o.nsack <= TANDEM_OPT_MAX_SACK) ||
		    !EXPECT_EQ(o.nsack > 0, !!(o.have & SACK)) ||
		    !EXPECT(o.wscale <= TANDEM_OPT_MAX_WSCALE) ||
		    !EXPECT((i & 1) || !(o.have & (MSS | WS | SOK))) ||
		    !EXPECT(tandem_opts_write(out, &o) <= sizeof(out)))
			return;
	}
	/* The generator is worth something only if both outcomes are common. */
	TU_WHERE("%u of %u legal", ok, i);
	EXPECT(ok > i / 100 && ok < i - i / 100);
}

/* RFC 7413 section 4.1.1: which lengths are cookies, and where one counts. */
TU_TEST(options_fastopen)
{
	static const u8 cookie[18] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
				       16, 17, 18 };
	struct tandem_opts o, back;
	u8 buf[TANDEM_OPT_MAX_LEN];
	unsigned int len, n;

	for (len = 0; len <= sizeof(cookie); len++) {
		bool good = !len || (len >= 4 && len <= 16 && len % 2 == 0);

		TU_WHERE("cookie of %u", len);
		buf[0] = 34;
		buf[1] = 2 + len;
		memcpy(buf + 2, cookie, len);
		EXPECT_EQ(tandem_opts_parse(buf, 2 + len, true, &o), 0);
		EXPECT_EQ(o.have, good ? FO : 0);
		EXPECT_EQ(o.cookie.len, good ? len : 0);
		/* Without SYN it says nothing. */
		EXPECT_EQ(tandem_opts_parse(buf, 2 + len, false, &back), 0);
		EXPECT_EQ(back.have, 0);
		if (!good)
			continue;
		/* Beside everything else that a SYN has, even the longest fits. */
		o.have |= MSS | WS | SOK | TS;
		o.mss = 1460;
		o.wscale = 7;
		n = tandem_opts_write(buf, &o);
		EXPECT_EQ(n, tandem_opts_len(&o));
		EXPECT(n <= sizeof(buf) && n % 4 == 0);
		EXPECT_EQ(tandem_opts_parse(buf, n, true, &back), 0);
		same(test, &back, &o);
	}
	/* Under its experimental number it is the same (RFC 6994), and answered so. */
	for (len = 0; len <= sizeof(cookie); len++) {
		bool good = !len || (len >= 4 && len <= 16 && len % 2 == 0);

		TU_WHERE("experimental cookie of %u", len);
		buf[0] = 254;
		buf[1] = 4 + len;
		buf[2] = 0xf9;
		buf[3] = 0x89;
		memcpy(buf + 4, cookie, len);
		EXPECT_EQ(tandem_opts_parse(buf, 4 + len, true, &o), 0);
		EXPECT_EQ(o.have, good ? FO : 0);
		EXPECT_EQ(tandem_opts_parse(buf, 4 + len, false, &back), 0);
		EXPECT_EQ(back.have, 0);
		/* Somebody else's experiment. */
		buf[3] = 0x88;
		EXPECT_EQ(tandem_opts_parse(buf, 4 + len, true, &back), 0);
		EXPECT_EQ(back.have, 0);
		if (!good)
			continue;
		EXPECT(o.cookie.exp);
		o.have |= MSS | WS | SOK | TS;
		o.mss = 1460;
		n = tandem_opts_write(buf, &o);
		EXPECT_EQ(n, tandem_opts_len(&o));
		EXPECT(n <= sizeof(buf) && n % 4 == 0);
		EXPECT_EQ(tandem_opts_parse(buf, n, true, &back), 0);
		same(test, &back, &o);
	}
	/* With the longest nothing is left for SACK blocks. */
	TU_WHERE("full");
	memset(&o, 0, sizeof(o));
	o.have = MSS | WS | SOK | TS | FO | SACK;
	o.cookie.len = 16;
	o.nsack = 1;
	EXPECT_EQ(tandem_opts_sack_room(&o), 0);
	EXPECT_EQ(tandem_opts_len(&o), 40);
}

TU_SUITE(tandem_options,
	 TU_CASE(options_parse),
	 TU_CASE(options_parse_malformed),
	 TU_CASE(options_parse_empty),
	 TU_CASE(options_parse_cut),
	 TU_CASE(options_write),
	 TU_CASE(options_write_ts),
	 TU_CASE(options_write_nothing),
	 TU_CASE(options_sack_room),
	 TU_CASE(options_fastopen),
	 TU_CASE(options_round_trip),
	 TU_CASE(options_random_bytes));
