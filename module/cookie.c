// SPDX-License-Identifier: GPL-2.0
/*
 * cookie.c - SYN cookies (D. J. Bernstein; RFC 4987 section 3.6).
 *
 * When the queue of requests is full, a SYN is answered without remembering anything:
 * our ISN is a number that only we can make, and the ACK brings it back.
 *
 *	ISN = P + (T << 24 | M << 22 | H)	(mod 2^32)
 *	P = siphash(key 0; 4-tuple, IRS)		hides the rest
 *	T = time in steps of 2^26 us (67 s), 8 bits
 *	M = index into the table of MSS values, 2 bits
 *	H = siphash(key 1; 4-tuple, IRS, T, M), 22 bits
 *
 * A blind attacker hits a valid number once in about 2^21 tries, and only while we
 * send cookies at all.  Window scale, SACK-permitted and ECN do not fit; with timestamps
 * (RFC 7323) they ride in the lowest bits of TSval, which the peer echoes.
 */
#include <linux/net.h>
#include <linux/siphash.h>
#include <linux/timekeeping.h>
#include "cookie.h"
#include "flow.h"
#include "sock.h"

#define STEP_SHIFT	26
#define T_SHIFT		24
#define M_SHIFT		22
#define H_MASK		((1U << M_SHIFT) - 1)

/* In the lowest bits of the clock. */
#define CLOCK_BITS	6
#define CLOCK_MASK	((1U << CLOCK_BITS) - 1)
#define CLOCK_ECN	0x20
#define CLOCK_SACK	0x10
#define CLOCK_WSCALE	0x0f
#define NO_WSCALE	0x0f

/* Sorted: the minimum, PPP tunnels, IPv6 over Ethernet, IPv4 over Ethernet. */
static const u16 mss_table[] = { 536, 1220, 1440, 1460 };

static siphash_key_t keys[2] __read_mostly;

static u32 step_now(void)
{
	return tandem_now_us() >> STEP_SHIFT;
}

/* The struct has no padding: siphash() reads every byte. */
static u32 mac(int i, const struct tandem_flow_key *key, u32 irs, u32 extra)
{
	struct {
		struct tandem_flow_key	key;
		u32			irs;
		u32			extra;
	} in = { .key = *key, .irs = irs, .extra = extra };

	net_get_random_once(keys, sizeof(keys));
	return siphash(&in, sizeof(in), &keys[i]);
}

u32 tandem_cookie_make(const struct tandem_flow_key *key, u32 irs,
		       struct tandem_cookie *c)
{
	u32 t = step_now() & 0xff;
	u32 m = ARRAY_SIZE(mss_table) - 1;
	u32 body;

	while (m && c->mss < mss_table[m])
		m--;
	c->mss = mss_table[m];
	body = t << T_SHIFT | m << M_SHIFT;
	return mac(0, key, irs, 0) + (body | (mac(1, key, irs, body) & H_MASK));
}

bool tandem_cookie_check(const struct tandem_flow_key *key, u32 irs, u32 isn,
			 struct tandem_cookie *c)
{
	u32 cookie = isn - mac(0, key, irs, 0);
	u32 body = cookie & ~H_MASK;

	if (((step_now() - (cookie >> T_SHIFT)) & 0xff) > 1 ||
	    (cookie & H_MASK) != (mac(1, key, irs, body) & H_MASK))
		return false;
	c->mss = mss_table[cookie >> M_SHIFT & 3];
	return true;
}

u32 tandem_cookie_clock(u32 now, const struct tandem_cookie *c)
{
	u32 bits = c->wscale_ok ? c->wscale : NO_WSCALE;

	if (c->sack_ok)
		bits |= CLOCK_SACK;
	if (c->ecn_ok)
		bits |= CLOCK_ECN;
	/* Into the past by less than 128 ticks, never into the future. */
	return ((now & ~CLOCK_MASK) - CLOCK_MASK - 1) | bits;
}

void tandem_cookie_unclock(u32 clock, struct tandem_cookie *c)
{
	c->wscale = clock & CLOCK_WSCALE;
	c->wscale_ok = c->wscale != NO_WSCALE;
	c->sack_ok = clock & CLOCK_SACK;
	c->ecn_ok = clock & CLOCK_ECN;
}
