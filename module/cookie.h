/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cookie.h - SYN cookies: a request that lives in the peer instead of in our memory.
 */
#ifndef _TANDEM_COOKIE_H
#define _TANDEM_COOKIE_H

#include <linux/types.h>

struct tandem_flow_key;
struct tandem_opts;

/* How long a cookie is good, at most. */
#define TANDEM_COOKIE_LIFE_US	(2 * (1ULL << 26))	/* 134 s */

/* What a cookie remembers of the SYN. */
struct tandem_cookie {
	u16	mss;
	u8	wscale;		/* only with timestamps */
	bool	wscale_ok;
	bool	sack_ok;
	bool	ecn_ok;
};

/*
 * The ISN that encodes c->mss, which is rounded down to what can be encoded.
 * @irs: the peer's ISN.
 */
u32 tandem_cookie_make(const struct tandem_flow_key *key, u32 irs,
		       struct tandem_cookie *c);
/* The number is one of ours and fresh: fills c->mss. */
bool tandem_cookie_check(const struct tandem_flow_key *key, u32 irs, u32 isn,
			 struct tandem_cookie *c);

/* Our clock (offset not added), with the rest of @c in its lowest bits; and back. */
u32 tandem_cookie_clock(u32 now, const struct tandem_cookie *c);
void tandem_cookie_unclock(u32 clock, struct tandem_cookie *c);

#endif /* _TANDEM_COOKIE_H */
