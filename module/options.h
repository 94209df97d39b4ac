/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options.h - the TCP options we speak, as a codec over bytes.  Pure.
 *
 * Kinds (RFC 9293 section 3.2): 0 EOL, 1 NOP, 2 MSS, 3 window scale (RFC 7323),
 * 4 SACK permitted and 5 SACK (RFC 2018), 8 timestamps (RFC 7323), 34 fast open cookie
 * (RFC 7413).  Unknown kinds with a legal length are skipped.
 */
#ifndef _TANDEM_OPTIONS_H
#define _TANDEM_OPTIONS_H

#include "pure.h"

#define TANDEM_OPT_MAX_LEN	40	/* what the data offset can express */
#define TANDEM_OPT_MAX_SACK	4
#define TANDEM_OPT_MAX_WSCALE	14	/* RFC 7323 section 2.3 */

#define TANDEM_OPT_MSS		0x01
#define TANDEM_OPT_WSCALE	0x02
#define TANDEM_OPT_SACK_OK	0x04
#define TANDEM_OPT_TS		0x08
#define TANDEM_OPT_SACK		0x10
#define TANDEM_OPT_FASTOPEN	0x20

#define TANDEM_FO_COOKIE_MIN	4	/* RFC 7413 section 4.1.1, bytes */
#define TANDEM_FO_COOKIE_MAX	16

struct tandem_sack_block {
	u32	start;
	u32	end;
};

/**
 * struct tandem_fo_cookie - a fast open cookie, RFC 7413 section 4.1.1
 * @len:	bytes, 4 to 16 and even; 0: in a SYN, the request for one
 * @exp:	by the experimental option (RFC 6994, ExID 0xF989) that older peers use
 * @tried:	of a path without cookie: it was asked for by either option, in vain
 * @val:	the bytes
 */
struct tandem_fo_cookie {
	u8	len;
	bool	exp;
	bool	tried;
	u8	val[TANDEM_FO_COOKIE_MAX];
};

/**
 * struct tandem_opts - the options of one segment
 * @have:	TANDEM_OPT_*: which of the fields are present
 * @wscale:	shift count, already clamped to 14
 * @nsack:	number of blocks in @sack
 * @mss:	bytes
 * @tsval:	TSval
 * @tsecr:	TSecr
 * @sack:	blocks, as on the wire (host order)
 * @cookie:	of fast open
 */
struct tandem_opts {
	u8	have;
	u8	wscale;
	u8	nsack;
	u16	mss;
	u32	tsval;
	u32	tsecr;
	struct tandem_sack_block sack[TANDEM_OPT_MAX_SACK];
	struct tandem_fo_cookie cookie;
};

/*
 * Parse @len bytes of options at @p.  MSS, window scale, SACK-permitted and fast open
 * count only when @syn (RFC 9293: others ignore them).  0, or -EINVAL for an option whose
 * length is below 2, runs past the end, or is not the one its kind demands; then
 * @o is what was understood until there.  Never reads outside [p, p + len).
 */
int tandem_opts_parse(const u8 *p, unsigned int len, bool syn,
		      struct tandem_opts *o);

/* Bytes tandem_opts_write() will use: a multiple of 4, at most 40. */
unsigned int tandem_opts_len(const struct tandem_opts *o);

/*
 * Write the options of @o at @p (40 bytes of room), padded with NOPs so that
 * timestamps and SACK blocks are 4-byte aligned.  Blocks that do not fit are left
 * off, the last first.  Returns the bytes written.
 */
unsigned int tandem_opts_write(u8 *p, const struct tandem_opts *o);

#define TANDEM_OPTS_TS_LEN	12
/* The same for timestamps and nothing else. */
void tandem_opts_write_ts(u8 *p, u32 tsval, u32 tsecr);

/* How many SACK blocks still fit beside the other options of @o. */
unsigned int tandem_opts_sack_room(const struct tandem_opts *o);

#endif /* _TANDEM_OPTIONS_H */
