// SPDX-License-Identifier: GPL-2.0
/*
 * mss.c - how large a segment may be: the peer's MSS option, the path MTU (RFC 1191,
 * RFC 8201), the options each segment carries (RFC 6691), and half of the largest
 * window the peer ever offered (so that two segments always fit, RFC 9293 3.8.6.2.1);
 * and what the search of RFC 4821 has found, if it is on (mtuprobe.c).
 */
#include <net/dst.h>
#include <net/sock.h>
#include "mtuprobe.h"
#include "output.h"
#include "wire.h"
#include "xmit.h"

/* Payload bytes, options not counted, that @pmtu has room for. */
u32 tandem_mtu_to_mss(const struct sock *sk, u32 pmtu)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 overhead = tp->af->net_header_len + tp->ext_hdr_len +
		       tandem_wire_overhead(tp->wire) + sizeof(struct tcphdr);
	u32 mss = pmtu > overhead ? pmtu - overhead : 0;

	mss = min_t(u32, mss, tp->mss_clamp);
	return max_t(u32, mss, tandem_sk_knob(sk, min_mss));
}

u32 tandem_mss_to_mtu(const struct sock *sk, u32 mss)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return mss + tandem_established_opts_len(tp) + sizeof(struct tcphdr) +
	       tp->ext_hdr_len + tp->af->net_header_len + tandem_wire_overhead(tp->wire);
}

/* Never more than half the peer's window, or it could be told one segment a time. */
static u32 bound_to_half_window(const struct tandem_sock *tp, u32 mss)
{
	u32 bound;

	/* A window below 536 is a tiny peer; above it the usual half. */
	bound = tp->max_window > 536 ? tp->max_window >> 1 : tp->max_window;
	if (bound && mss > bound)
		return max(bound, 48U);
	return mss;
}

u32 tandem_sync_mss(struct sock *sk, u32 pmtu)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mss = tandem_mtu_to_mss(sk, pmtu);
	u32 fixed = tp->ts_ok ? 12 : 0;

	tandem_mtup_limit(sk, pmtu);
	mss = min(mss, tandem_mtup_mss(sk));
	mss = mss > fixed + 8 ? mss - fixed : 8;
	mss = bound_to_half_window(tp, mss);
	tp->pmtu_cookie = pmtu;
	tp->mss_cache = mss;
	tp->cc.mss = mss;
	return mss;
}

u32 tandem_current_mss(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct dst_entry *dst = __sk_dst_get(sk);
	unsigned int fixed, opts;
	u32 mss = tp->mss_cache;

	if (dst) {
		u32 mtu = dst_mtu(dst);

		if (mtu != tp->pmtu_cookie)
			mss = tandem_sync_mss(sk, mtu);
	}
	if (likely(!tp->n_sacks && !tp->dsack))
		return mss;
	/* SACK blocks owed take room too (RFC 2018 section 3). */
	fixed = tp->ts_ok ? 12 : 0;
	opts = tandem_established_opts_len(tp);
	if (opts > fixed && mss > opts - fixed + 8)
		mss -= opts - fixed;
	return mss;
}

/* The route's word (ip route ... initcwnd), or the knob's. */
u32 tandem_init_cwnd(const struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get((struct sock *)sk);
	u32 segs = dst ? dst_metric(dst, RTAX_INITCWND) : 0;

	return segs ? : tandem_sk_knob(sk, init_cwnd);
}

u16 tandem_advmss(const struct sock *sk, const struct dst_entry *dst)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 advmss = dst ? dst_metric_advmss(dst) : TCP_MSS_DEFAULT;

	advmss -= tandem_wire_overhead(tp->wire);
	if (tp->user_mss && tp->user_mss < advmss)
		advmss = tp->user_mss;
	return min_t(u32, advmss, 65535);
}
