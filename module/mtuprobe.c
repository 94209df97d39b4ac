// SPDX-License-Identifier: GPL-2.0
/*
 * mtuprobe.c - packetization layer path MTU discovery, RFC 4821.
 *
 * ICMP that says "too big" may never come: routers are told to be silent, firewalls
 * eat it.  Then every full segment vanishes while small ones pass, a black hole.  TCP
 * has its own evidence, though: what is acknowledged did fit.
 *
 *   search_low     a packet of this size fits, as far as anybody knows
 *   search_high    one of more bytes does not, or nobody would want it
 *   probe_size     of the one probe under way, between the two; 0: none
 *
 * While the search is on, segments are made for search_low.  Now and then data is put
 * into one larger segment, the probe (section 7.3).  Acknowledged: search_low rises to
 * it.  Lost, and nothing else with it: search_high falls below it, its bytes go again
 * in pieces, and cwnd stays, for that was no congestion (section 7.6).  Lost together
 * with others, or sent again for any reason: it said nothing.
 *
 * net.tandem.mtu_probing: 0 never; 1 begins after a black hole is suspected, that is
 * retries1 timeouts in a row (section 7.7); 2 always.  The numbers are those of Linux.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/sock.h>
#include "mtuprobe.h"
#include "output.h"
#include "rare.h"
#include "recovery.h"
#include "stream.h"
#include "wire.h"
#include "xmit.h"

/* A smaller cwnd would make the loss of a probe a timeout (section 7.4). */
#define PROBE_CWND	11
/* Segments that follow a probe, so that duplicate ACKs tell of its loss. */
#define PROBE_TRAIL	(TANDEM_DUPTHRESH + 1)

/* Headers and fixed options of a segment with data; SACK blocks are not. */
static u32 overhead(const struct tandem_sock *tp)
{
	return tp->af->net_header_len + tp->ext_hdr_len + tandem_wire_overhead(tp->wire) +
	       sizeof(struct tcphdr) + (tp->ts_ok ? 12 : 0);
}

static u32 size_of(const struct tandem_sock *tp, u32 payload)
{
	return payload + overhead(tp);
}

static u32 payload_of(const struct tandem_sock *tp, u32 size)
{
	return size > overhead(tp) ? size - overhead(tp) : 0;
}

/* The largest packet the peer takes; mss_clamp counts the options in (RFC 6691). */
static u32 peers_limit(const struct tandem_sock *tp)
{
	return tp->mss_clamp + overhead(tp) - (tp->ts_ok ? 12 : 0);
}

/* And the route, as far as it tells, carries. */
static u32 ceiling(const struct tandem_sock *tp)
{
	u32 size = peers_limit(tp);

	return tp->pmtu_cookie ? min(size, tp->pmtu_cookie) : size;
}

/* The search, while it is on. */
static struct tandem_mtup *search_of(const struct tandem_sock *tp)
{
	return unlikely(tp->rare) && tp->rare->mtup.enabled ? &tp->rare->mtup : NULL;
}

/* False: no memory, no search. */
static bool begin(struct sock *sk, u32 high)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_rare *rare = tandem_rare(tp);

	if (!rare)
		return false;
	rare->mtup = (struct tandem_mtup){
		.enabled	= true,
		.search_high	= high,
		.search_low	= min(size_of(tp, tandem_sk_knob(sk, base_mss)), high),
		.begun_us	= tandem_now_us(),
	};
	return true;
}

void tandem_mtup_init(struct sock *sk)
{
	/* Of the route tandem_mtup_limit() will tell. */
	if (tandem_sk_knob(sk, mtu_probing) > 1)
		begin(sk, peers_limit(tandem_sk(sk)));
}

void tandem_mtup_limit(struct sock *sk, u32 pmtu)
{
	struct tandem_mtup *m = search_of(tandem_sk(sk));

	if (!m || m->search_high <= pmtu)
		return;
	m->search_high = pmtu;
	m->search_low = min(m->search_low, pmtu);
}

u32 tandem_mtup_mss(const struct sock *sk)
{
	const struct tandem_mtup *m = search_of(tandem_sk(sk));

	return m ? tandem_mtu_to_mss(sk, m->search_low) : U32_MAX;
}

/* ---- sending a probe ---- */

/* What was found holds for a while; then the path may have become better. */
static void search_again(struct sock *sk, struct tandem_mtup *m)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u64 interval = (u64)tandem_sk_knob(sk, probe_interval) * USEC_PER_SEC;

	if (tandem_now_us() - m->begun_us < interval)
		return;
	m->search_high = ceiling(tp);
	m->search_low = min(size_of(tp, tp->mss_cache), m->search_high);
	m->begun_us = tandem_now_us();
}

/* Is the connection in a state in which a probe can be told apart from trouble? */
static bool quiet(const struct tandem_sock *tp)
{
	return tp->cc.ca_state == TANDEM_CA_OPEN && tp->cc.cwnd >= PROBE_CWND &&
	       !tp->n_sacks && !tp->dsack;
}

/* Can this skb of the write queue become part of a probe? */
static bool joins(struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);

	return !cb->eor && !cb->ts_ack && !skb_zcopy(skb) &&
	       !(cb->flags & (TANDEM_F_SYN | TANDEM_F_FIN)) &&
	       !(skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP);
}

/* Do the first @want bytes that wait join, with @frags fragments at most? */
static bool can_gather(const struct sock *sk, u32 want)
{
	struct sk_buff *skb;
	unsigned int frags = 0;
	u32 have = 0;

	skb_queue_walk(&sk->sk_write_queue, skb) {
		if (!joins(skb))
			return false;
		frags += skb_shinfo(skb)->nr_frags;
		if (frags > MAX_SKB_FRAGS)
			return false;
		have += skb->len;
		if (have >= want)
			return true;
	}
	return false;
}

/* Payload is in page fragments only: the probe shares the pages, and @skb goes. */
static void take_over(struct sock *sk, struct sk_buff *probe, struct sk_buff *skb)
{
	const struct skb_shared_info *from = skb_shinfo(skb);
	int i, n;

	for (i = 0; i < from->nr_frags; i++) {
		const skb_frag_t *frag = &from->frags[i];
		struct page *page = skb_frag_page(frag);

		n = skb_shinfo(probe)->nr_frags;
		if (skb_can_coalesce(probe, n, page, skb_frag_off(frag))) {
			skb_frag_size_add(&skb_shinfo(probe)->frags[n - 1],
					  skb_frag_size(frag));
		} else {
			get_page(page);
			skb_fill_page_desc(probe, n, page, skb_frag_off(frag),
					   skb_frag_size(frag));
		}
	}
	probe->len += skb->len;
	probe->data_len += skb->len;
	probe->truesize += skb->len;
	TANDEM_CB(probe)->flags |= TANDEM_CB(skb)->flags;
	TANDEM_CB(probe)->end_seq = TANDEM_CB(skb)->end_seq;
	__skb_unlink(skb, &sk->sk_write_queue);
	sk_wmem_queued_add(sk, -skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	__kfree_skb(skb);
}

/* One skb of @want bytes at the head of what waits; NULL: no memory. */
static struct sk_buff *make_probe(struct sock *sk, u32 want, gfp_t gfp)
{
	struct sk_buff *probe, *skb;
	u32 left = want;

	/* The last piece may be too long: cut it first, that alone can fail. */
	skb_queue_walk(&sk->sk_write_queue, skb) {
		if (skb->len >= left)
			break;
		left -= skb->len;
	}
	if (skb->len > left &&
	    tandem_fragment(sk, skb, left, tandem_sk(sk)->mss_cache, false, gfp))
		return NULL;
	probe = tandem_alloc_skb(sk, gfp, true);
	if (!probe)
		return NULL;
	TANDEM_CB(probe)->seq = TANDEM_CB(tandem_send_head(sk))->seq;
	TANDEM_CB(probe)->segs = 1;
	while (probe->len < want)
		take_over(sk, probe, tandem_send_head(sk));
	__skb_queue_head(&sk->sk_write_queue, probe);
	sk_wmem_queued_add(sk, probe->truesize);
	sk_mem_charge(sk, probe->truesize);
	return probe;
}

enum tandem_mtup_verdict tandem_mtup_send(struct sock *sk, gfp_t gfp)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_mtup *m = search_of(tp);
	u32 size, want, needed;
	struct sk_buff *probe;

	if (likely(!m) || m->probe_size || !quiet(tp))
		return TANDEM_MTUP_NONE;
	size = (m->search_high + m->search_low) >> 1;
	want = payload_of(tp, size);
	if (m->search_high - m->search_low <
	    tandem_sk_knob(sk, probe_threshold) || want <= tp->mss_cache) {
		search_again(sk, m);
		return TANDEM_MTUP_NONE;
	}
	/* Without a trail its loss would be a timeout. */
	needed = want + PROBE_TRAIL * tp->mss_cache;
	if (tp->write_seq - tp->snd_nxt < needed || tp->snd_wnd < needed)
		return TANDEM_MTUP_NONE;
	if (seq_after(tp->snd_nxt + needed, tandem_snd_wnd_end(tp)))
		return TANDEM_MTUP_WAIT;
	if (tandem_pipe(tp) + 2 > tp->cc.cwnd)
		return tp->packets_out ? TANDEM_MTUP_WAIT : TANDEM_MTUP_NONE;
	if (!can_gather(sk, want))
		return TANDEM_MTUP_NONE;

	probe = make_probe(sk, want, gfp);
	/* What was not sent waits as ever, and is cut when its turn comes. */
	if (!probe || tandem_send_head_now(sk, probe, want, gfp))
		return TANDEM_MTUP_NONE;
	m->probe_size = size;
	m->probe_start = TANDEM_CB(probe)->seq;
	m->probe_end = TANDEM_CB(probe)->end_seq;
	TANDEM_SK_INC(sk, MTUPROBES);
	return TANDEM_MTUP_SENT;
}

/* ---- what became of it ---- */

void tandem_mtup_acked(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_mtup *m = search_of(tp);
	u32 before = tp->mss_cache;

	if (likely(!m) || !m->probe_size || seq_after(m->probe_end, tp->snd_una))
		return;
	m->search_low = m->probe_size;
	m->probe_size = 0;
	/* The route may have become another since the MSS was looked at: it went this way. */
	tandem_sync_mss(sk, dst ? dst_mtu(dst) : tp->pmtu_cookie);
	/* cwnd counts segments, the path bytes (section 7.6.1 wants no burst). */
	tp->cc.cwnd = max_t(u32, 1, (u64)tp->cc.cwnd * before / tp->mss_cache);
	tp->cc.cwnd_cnt = 0;
	TANDEM_SK_INC(sk, MTUPROBESOK);
}

bool tandem_mtup_lost(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_mtup *m = search_of(tp);

	if (likely(!m) || !m->probe_size)
		return false;
	if (tp->snd_una != m->probe_start || tp->lost_out != 1) {
		tandem_mtup_inconclusive(tp);
		return false;
	}
	m->search_high = m->probe_size - 1;
	m->probe_size = 0;
	TANDEM_SK_INC(sk, MTUPROBESLOST);
	tp->high_seq = tp->snd_nxt;
	tandem_recovery_stands(tp);
	tp->cc.ca_state = TANDEM_CA_LOSS;	/* sends again what is lost; cwnd stays */
	tandem_xmit_retransmit_queue(sk, TANDEM_R_RTX_PMTU, true);
	return true;
}

void tandem_mtup_black_hole(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_mtup *m = search_of(tp);
	u32 mss;

	if (!tandem_sk_knob(sk, mtu_probing))
		return;
	if (!m) {
		if (!begin(sk, ceiling(tp)))
			return;
		TANDEM_SK_INC(sk, MTUBLACKHOLES);
	} else {
		/* Still silent: half of it, again and again. */
		mss = payload_of(tp, m->search_low) >> 1;
		mss = min_t(u32, mss, tandem_sk_knob(sk, base_mss));
		mss = max3(mss, (u32)tandem_sk_knob(sk, mtu_probe_floor),
			   (u32)tandem_sk_knob(sk, min_mss));
		m->search_low = min(size_of(tp, mss), m->search_high);
	}
	tandem_sync_mss(sk, tp->pmtu_cookie);
}
