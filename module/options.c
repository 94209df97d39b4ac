// SPDX-License-Identifier: GPL-2.0
/*
 * options.c - TCP options: bytes to struct tandem_opts and back.
 *
 * An option is a kind byte, then, for all but EOL and NOP, a length byte that counts
 * both, then its value (RFC 9293 section 3.1).  Everything a remote host can put into
 * those 40 bytes comes through tandem_opts_parse(); it is fuzzed.  Multi-byte values
 * are read and written byte by byte: they stand at any alignment.
 */
#include "options.h"

enum {
	KIND_EOL	= 0,
	KIND_NOP	= 1,
	KIND_MSS	= 2,
	KIND_WSCALE	= 3,
	KIND_SACK_OK	= 4,
	KIND_SACK	= 5,
	KIND_TS		= 8,
	KIND_FASTOPEN	= 34,
	KIND_EXP	= 254,	/* RFC 6994: two more bytes say whose */
};

#define EXID_FASTOPEN	0xf989	/* fast open, before it had a kind of its own */

enum {
	LEN_MSS		= 4,
	LEN_WSCALE	= 3,
	LEN_SACK_OK	= 2,
	LEN_SACK_BASE	= 2,
	LEN_SACK_BLOCK	= 8,
	LEN_TS		= 10,
	LEN_FASTOPEN	= 2,	/* and the cookie */
	LEN_FASTOPEN_EXP = 4,
};

#define ALIGN_UP4(n)	(((n) + 3) & ~3U)

static u16 get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) << 16 | get16(p + 2);
}

static u8 *put8(u8 *p, u8 v)
{
	*p++ = v;
	return p;
}

static u8 *put16(u8 *p, u16 v)
{
	return put8(put8(p, v >> 8), v);
}

static u8 *put32(u8 *p, u32 v)
{
	return put16(put16(p, v >> 16), v);
}

static void take_ts(const u8 *p, struct tandem_opts *o)
{
	o->tsval = get32(p);
	o->tsecr = get32(p + 4);
	o->have |= TANDEM_OPT_TS;
}

static int take_sack(const u8 *p, unsigned int len, struct tandem_opts *o)
{
	unsigned int i, n = (len - LEN_SACK_BASE) / LEN_SACK_BLOCK;

	if (!n || n > TANDEM_OPT_MAX_SACK ||
	    len != LEN_SACK_BASE + n * LEN_SACK_BLOCK)
		return -EINVAL;

	for (i = 0; i < n; i++, p += LEN_SACK_BLOCK) {
		o->sack[i].start = get32(p);
		o->sack[i].end = get32(p + 4);
	}
	o->nsack = n;
	o->have |= TANDEM_OPT_SACK;
	return 0;
}

/* RFC 7413 section 4.1.1: with an invalid length, or without SYN, it "MUST be ignored". */
static void take_fastopen(const u8 *p, unsigned int len, bool exp,
			  struct tandem_opts *o)
{
	if (len && (len < TANDEM_FO_COOKIE_MIN || len > TANDEM_FO_COOKIE_MAX || len % 2))
		return;
	memset(&o->cookie, 0, sizeof(o->cookie));
	o->cookie.len = len;
	o->cookie.exp = exp;
	memcpy(o->cookie.val, p, len);
	o->have |= TANDEM_OPT_FASTOPEN;
}

/* One option of @len bytes in all, its value at @p. */
static int take(u8 kind, const u8 *p, unsigned int len, bool syn,
		struct tandem_opts *o)
{
	switch (kind) {
	case KIND_MSS:
		if (len != LEN_MSS)
			return -EINVAL;
		if (syn) {
			o->mss = get16(p);
			o->have |= TANDEM_OPT_MSS;
		}
		return 0;
	case KIND_WSCALE:
		if (len != LEN_WSCALE)
			return -EINVAL;
		if (syn) {
			/* RFC 7323 section 2.3: greater counts as 14. */
			o->wscale = min_t(u8, *p, TANDEM_OPT_MAX_WSCALE);
			o->have |= TANDEM_OPT_WSCALE;
		}
		return 0;
	case KIND_SACK_OK:
		if (len != LEN_SACK_OK)
			return -EINVAL;
		if (syn)
			o->have |= TANDEM_OPT_SACK_OK;
		return 0;
	case KIND_SACK:
		return take_sack(p, len, o);
	case KIND_TS:
		if (len != LEN_TS)
			return -EINVAL;
		take_ts(p, o);
		return 0;
	case KIND_FASTOPEN:
		if (syn)
			take_fastopen(p, len - LEN_FASTOPEN, false, o);
		return 0;
	case KIND_EXP:
		if (syn && len >= LEN_FASTOPEN_EXP && get16(p) == EXID_FASTOPEN)
			take_fastopen(p + 2, len - LEN_FASTOPEN_EXP, true, o);
		return 0;
	}
	return 0;	/* unknown: skipped, RFC 9293 section 3.2 (MUST-6) */
}

/**
 * tandem_opts_parse() - read the options of a segment
 * @p: the bytes after the fixed header
 * @len: how many
 * @syn: the segment has SYN: MSS, window scale and SACK-permitted count
 * @o: what was found; all zero but for that.  Of an option that comes twice the last
 *	one counts.
 *
 * Return: 0, or -EINVAL for an option with an impossible length; @o is then what
 * stood before it.
 */
int tandem_opts_parse(const u8 *p, unsigned int len, bool syn,
		      struct tandem_opts *o)
{
	const u8 *end = p + len;
	unsigned int optlen;
	u8 kind;

	memset(o, 0, sizeof(*o));

	/* Nearly every segment of a connection: RFC 7323 appendix A. */
	if (len == LEN_TS + 2 && p[0] == KIND_NOP && p[1] == KIND_NOP &&
	    p[2] == KIND_TS && p[3] == LEN_TS) {
		take_ts(p + 4, o);
		return 0;
	}

	while (p < end) {
		kind = *p++;
		if (kind == KIND_EOL)
			return 0;
		if (kind == KIND_NOP)
			continue;
		if (p == end)
			return -EINVAL;
		optlen = *p++;
		if (optlen < 2 || optlen - 2 > (unsigned int)(end - p))
			return -EINVAL;
		if (take(kind, p, optlen, syn, o))
			return -EINVAL;
		p += optlen - 2;
	}
	return 0;
}

/* Bytes of all options but SACK, padding included. */
static unsigned int base_len(const struct tandem_opts *o)
{
	unsigned int len = 0;

	if (o->have & TANDEM_OPT_MSS)
		len += LEN_MSS;
	/* SACK-permitted takes the place of the two NOPs before timestamps. */
	if (o->have & TANDEM_OPT_TS)
		len += 2 + LEN_TS;
	else if (o->have & TANDEM_OPT_SACK_OK)
		len += 2 + LEN_SACK_OK;
	if (o->have & TANDEM_OPT_WSCALE)
		len += 1 + LEN_WSCALE;
	if (o->have & TANDEM_OPT_FASTOPEN)
		len += ALIGN_UP4((o->cookie.exp ? LEN_FASTOPEN_EXP : LEN_FASTOPEN) +
				 o->cookie.len);
	return len;
}

/* Blocks of @o that will be written. */
static unsigned int sack_fit(const struct tandem_opts *o)
{
	if (!(o->have & TANDEM_OPT_SACK))
		return 0;
	return min_t(unsigned int, o->nsack, tandem_opts_sack_room(o));
}

/**
 * tandem_opts_sack_room() - SACK blocks that fit beside the other options
 * @o: the options; its own blocks do not matter
 *
 * Return: 4; with timestamps 3 (RFC 2018 section 3); 2 beside all options of a SYN, and
 * none when that has a fast open cookie as well.
 */
unsigned int tandem_opts_sack_room(const struct tandem_opts *o)
{
	unsigned int left = TANDEM_OPT_MAX_LEN - base_len(o);

	if (left < 2 + LEN_SACK_BASE)
		return 0;
	left -= 2 + LEN_SACK_BASE;
	return min_t(unsigned int, left / LEN_SACK_BLOCK, TANDEM_OPT_MAX_SACK);
}

/**
 * tandem_opts_write_ts() - write timestamps alone, as most segments have them
 * @p: room for TANDEM_OPTS_TS_LEN bytes
 * @tsval: TSval
 * @tsecr: TSecr
 */
void tandem_opts_write_ts(u8 *p, u32 tsval, u32 tsecr)
{
	put32(put32(put32(p, KIND_NOP << 24 | KIND_NOP << 16 | KIND_TS << 8 | LEN_TS), tsval),
	      tsecr);
}

/**
 * tandem_opts_len() - bytes tandem_opts_write() will use
 * @o: the options
 *
 * Return: a multiple of 4, at most 40.
 */
unsigned int tandem_opts_len(const struct tandem_opts *o)
{
	unsigned int n = sack_fit(o), len = base_len(o);

	if (n)
		len += 2 + LEN_SACK_BASE + n * LEN_SACK_BLOCK;
	return len;
}

/**
 * tandem_opts_write() - write the options of a segment
 * @p: room for 40 bytes
 * @o: the options; SACK blocks that do not fit are left off, the last first
 *
 * NOPs pad so that the 32-bit values of timestamps and SACK blocks stand at multiples
 * of 4 (RFC 7323 appendix A, RFC 2018 section 4).
 *
 * Return: bytes written, tandem_opts_len().
 */
unsigned int tandem_opts_write(u8 *p, const struct tandem_opts *o)
{
	unsigned int i, n = sack_fit(o);
	u8 *start = p;

	if (o->have & TANDEM_OPT_MSS) {
		p = put8(put8(p, KIND_MSS), LEN_MSS);
		p = put16(p, o->mss);
	}
	if (o->have & (TANDEM_OPT_TS | TANDEM_OPT_SACK_OK)) {
		/* SACK-permitted ends a word, so that what follows begins one. */
		if (!(o->have & TANDEM_OPT_TS) || !(o->have & TANDEM_OPT_SACK_OK))
			p = put8(put8(p, KIND_NOP), KIND_NOP);
		if (o->have & TANDEM_OPT_SACK_OK)
			p = put8(put8(p, KIND_SACK_OK), LEN_SACK_OK);
		if (o->have & TANDEM_OPT_TS) {
			p = put8(put8(p, KIND_TS), LEN_TS);
			p = put32(put32(p, o->tsval), o->tsecr);
		}
	}
	if (o->have & TANDEM_OPT_WSCALE) {
		p = put8(put8(put8(p, KIND_NOP), KIND_WSCALE), LEN_WSCALE);
		p = put8(p, min_t(u8, o->wscale, TANDEM_OPT_MAX_WSCALE));
	}
	if (o->have & TANDEM_OPT_FASTOPEN) {
		if (o->cookie.exp) {
			p = put8(put8(p, KIND_EXP), LEN_FASTOPEN_EXP + o->cookie.len);
			p = put16(p, EXID_FASTOPEN);
		} else {
			p = put8(put8(p, KIND_FASTOPEN), LEN_FASTOPEN + o->cookie.len);
		}
		memcpy(p, o->cookie.val, o->cookie.len);
		p += o->cookie.len;
		while ((p - start) % 4)
			p = put8(p, KIND_NOP);
	}
	if (n) {
		p = put8(put8(p, KIND_NOP), KIND_NOP);
		p = put8(p, KIND_SACK);
		p = put8(p, LEN_SACK_BASE + n * LEN_SACK_BLOCK);
		for (i = 0; i < n; i++)
			p = put32(put32(p, o->sack[i].start), o->sack[i].end);
	}
	return p - start;
}
