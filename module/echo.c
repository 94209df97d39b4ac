// SPDX-License-Identifier: GPL-2.0
/*
 * echo.c - IPv4 options: those of a received packet turned round for the answers, and those
 * of a packet that leaves.
 *
 * RFC 1122 section 4.2.3.8: a source route that came with a SYN is saved and used in
 * reverse for all that goes to its sender; record route and timestamp go back as well, so
 * that they show the way there and back (section 3.2.2.6 has it so for echo replies, and
 * Linux TCP does it for connections and for resets).  The one idea: the IP layer has
 * checked the options of what it delivers and put our own address into the slot that was
 * next; what goes back has the following slot to fill.
 *
 * Source routes are dropped by the IP layer, unless accept_source_route lets them in.
 */
#include <linux/slab.h>
#include <net/cipso_ipv4.h>
#include <net/ip.h>
#include <net/route.h>
#include "echo.h"

#define SECS_PER_DAY	(24 * 60 * 60)
#define TS_FLAGS(p)	((p)[3] & 0xf)

/* The option of that kind in the header, or NULL; never reads beyond it. */
static const u8 *find(const struct iphdr *iph, u8 kind)
{
	const u8 *p = (const u8 *)(iph + 1), *end = (const u8 *)iph + iph->ihl * 4;

	while (p < end && *p != IPOPT_END) {
		if (*p == IPOPT_NOOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return NULL;
		/* Three bytes of head are what all of these have. */
		if (*p == kind)
			return p[1] >= 3 ? p : NULL;
		p += p[1];
	}
	return NULL;
}

/* Copy an option; where it lies in the header to be. */
static u8 add(struct ip_options *opt, const u8 *from, u8 len)
{
	u8 at = sizeof(struct iphdr) + opt->optlen;

	memcpy(opt->__data + opt->optlen, from, len);
	opt->optlen += len;
	return at;
}

static u8 *option_at(struct ip_options *opt, u8 at)
{
	return opt->__data + at - sizeof(struct iphdr);
}

/* RFC 791, record route: [7, length, pointer, addresses...]. */
static void echo_route_record(struct ip_options *opt, const u8 *from)
{
	u8 *p;

	opt->rr = add(opt, from, from[1]);
	p = option_at(opt, opt->rr);
	if (p[2] + 3 > p[1])
		return;		/* it is full */
	p[2] += 4;
	opt->rr_needaddr = 1;
}

/* RFC 791, timestamp: [68, length, pointer, overflow and flags, entries...]. */
static void echo_timestamp(struct net *net, struct ip_options *opt, const u8 *from)
{
	__be32 addr;
	u8 *p;

	if (from[1] < 4)
		return;
	opt->ts = add(opt, from, from[1]);
	p = option_at(opt, opt->ts);
	switch (TS_FLAGS(p)) {
	case IPOPT_TS_TSONLY:
		if (p[2] + 3 > p[1])
			return;
		p[2] += 4;
		break;
	case IPOPT_TS_TSANDADDR:
		if (p[2] + 7 > p[1])
			return;
		p[2] += 8;
		opt->ts_needaddr = 1;
		break;
	case IPOPT_TS_PRESPEC:
		/* Only whose address comes next. */
		if (p[2] + 7 > p[1] || p[2] < 5)
			return;
		memcpy(&addr, p + p[2] - 1, sizeof(addr));
		if (inet_addr_type(net, addr) == RTN_UNICAST)
			return;
		p[2] += 8;
		break;
	default:
		return;
	}
	opt->ts_needtime = 1;
}

/*
 * RFC 791, source route, which has come to its end: [kind, length, pointer, addresses...].
 * Back it goes by the same addresses in reverse: the last is the first hop, and behind the
 * first the sender takes its place, when the packet leaves.
 */
static void echo_source_route(const struct iphdr *iph, struct ip_options *opt, const u8 *from)
{
	u8 n, i, first, *p;
	__be32 hop;

	if (from[2] < 4)
		return;
	n = (min_t(int, from[2] - 1, from[1]) - 3) / 4;
	if (!n)
		return;
	/* Against RFC 1122 section 3.2.1.8 some put themselves there. */
	memcpy(&hop, from + 3, 4);
	first = hop == iph->saddr;
	if (n == first)
		return;
	memcpy(&opt->faddr, from + 3 + 4 * (n - 1), 4);
	opt->is_strictroute = from[0] == IPOPT_SSRR;
	opt->srr = add(opt, from, 3 + 4 * (n - first));
	p = option_at(opt, opt->srr);
	p[1] = 3 + 4 * (n - first);
	p[2] = 4;
	for (i = 0; i + 1 < n - first; i++)
		memcpy(p + 3 + 4 * i, from + 3 + 4 * (n - 2 - i), 4);
	memset(p + 3 + 4 * i, 0, 4);
}

struct ip_options_rcu *tandem_echo_options(struct net *net, const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	unsigned int room = iph->ihl * 4 - sizeof(*iph);
	struct ip_options_rcu *echo;
	struct ip_options *opt;
	const u8 *p;

	echo = kzalloc(sizeof(*echo) + room, GFP_ATOMIC | __GFP_NOWARN);
	if (!echo)
		return NULL;
	opt = &echo->opt;
	/* Each is there once, or the IP layer had not let it pass: they fit. */
	p = find(iph, IPOPT_RR);
	if (p)
		echo_route_record(opt, p);
	p = find(iph, IPOPT_TIMESTAMP);
	if (p)
		echo_timestamp(net, opt, p);
	p = find(iph, IPOPT_LSRR) ? : find(iph, IPOPT_SSRR);
	if (p)
		echo_source_route(iph, opt, p);
	p = find(iph, IPOPT_CIPSO);
	if (p)
		opt->cipso = add(opt, p, p[1]);
	while (opt->optlen & 3)
		opt->__data[opt->optlen++] = IPOPT_END;
	if (!opt->optlen) {
		kfree(echo);
		return NULL;
	}
	return echo;
}

/* Milliseconds since midnight, UT. */
static __be32 midnight_ms(void)
{
	struct timespec64 now;
	s32 secs;

	ktime_get_real_ts64(&now);
	div_s64_rem(now.tv_sec, SECS_PER_DAY, &secs);
	return htonl((u32)secs * MSEC_PER_SEC + (u32)now.tv_nsec / NSEC_PER_MSEC);
}

void tandem_put_options(struct sk_buff *skb, const struct ip_options *opt, __be32 daddr)
{
	struct iphdr *iph = ip_hdr(skb);
	u8 *p = (u8 *)iph;
	__be32 ms;

	IPCB(skb)->opt = *opt;
	memcpy(iph + 1, opt->__data, opt->optlen);
	if (opt->srr)
		memcpy(p + opt->srr + p[opt->srr + 1] - 4, &daddr, 4);
	if (opt->rr_needaddr)
		memcpy(p + opt->rr + p[opt->rr + 2] - 5, &iph->saddr, 4);
	if (opt->ts_needaddr)
		memcpy(p + opt->ts + p[opt->ts + 2] - 9, &iph->saddr, 4);
	if (opt->ts_needtime) {
		ms = midnight_ms();
		memcpy(p + opt->ts + p[opt->ts + 2] - 5, &ms, 4);
	}
}
