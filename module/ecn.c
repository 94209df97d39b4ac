// SPDX-License-Identifier: GPL-2.0
/*
 * ecn.c - explicit congestion notification, RFC 3168.
 *
 *	SYN      ECE and CWR ask for it, ECE alone on the SYN-ACK agrees (section 6.1.1)
 *	data     new data is sent in packets that routers may mark (ECT); what is sent
 *		 again, and what carries no data, is not (sections 6.1.4, 6.1.5)
 *	CE       a mark that came is echoed by ECE on every segment until the peer
 *		 answers by CWR (section 6.1.3)
 *	ECE      the sender reduces once per window, as for a loss, and says CWR
 *		 (section 6.1.2); recovery.c does it
 *
 * An algorithm with TANDEM_CONG_DCTCP_ECN wants to know how many packets were marked:
 * then ECE says whether the packets acknowledged were, and a change is told at once
 * (RFC 8257 section 3.2).  Its SYNs and ACKs are ECN-capable too, as Linux's.
 *
 * net.tandem.ecn: 0 never, 1 ask and agree, 2 agree only.  A path that drops ECN-setup
 * SYNs gets the second one without (section 6.1.1.1; net.tandem.ecn_fallback).
 */
#include <net/dst.h>
#include <net/inet_ecn.h>
#include <net/sock.h>
#include "advert.h"
#include "ecn.h"
#include "output.h"
#include "wire.h"

static bool cong_has(const struct sock *sk, u32 flag)
{
	const struct tandem_cong_ops *ops = READ_ONCE(tandem_sk(sk)->cc.ops);

	return ops && ops->flags & flag;
}

u8 tandem_ecn_syn_flags(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	bool needs = cong_has(sk, TANDEM_CONG_NEEDS_ECN);

	tp->ecn = 0;
	tp->cc.ecn_ok = false;
	if (!needs && tandem_sk_knob(sk, ecn) != 1 &&
	    !(dst && dst_feature(dst, RTAX_FEATURE_ECN)))
		return 0;
	tp->ecn = TANDEM_ECN_ASKED;
	if (needs)
		INET_ECN_xmit(sk);
	return TANDEM_F_ECE | TANDEM_F_CWR;
}

void tandem_ecn_syn_lost(struct sock *sk, struct tandem_skb_cb *syn)
{
	/* What the peer may have seen before counts no more: it will see this one. */
	if (!tandem_sk_knob(sk, ecn_fallback) || !(syn->flags & TANDEM_F_ECE))
		return;
	syn->flags &= ~(TANDEM_F_ECE | TANDEM_F_CWR);
	tandem_sk(sk)->ecn &= ~TANDEM_ECN_ASKED;
	INET_ECN_dontxmit(sk);
}

void tandem_ecn_syn_answered(struct sock *sk, u8 flags)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 bits = flags & (TANDEM_F_ECE | TANDEM_F_CWR);
	/* Simultaneous open: the peer's SYN asks as ours did. */
	u8 agreed = flags & TANDEM_F_ACK ? TANDEM_F_ECE : TANDEM_F_ECE | TANDEM_F_CWR;

	/* RFC 3168 section 6.1.1: both set is a host that only reflects the bits. */
	tp->cc.ecn_ok = tp->ecn & TANDEM_ECN_ASKED && bits == agreed;
	if (tp->cc.ecn_ok)
		TANDEM_SK_INC(sk, ECNOPENS);
	else
		INET_ECN_dontxmit(sk);
}

bool tandem_ecn_accepts(const struct sock *lsk, const struct tandem_skb_cb *cb,
			const struct dst_entry *dst)
{
	bool needs = cong_has(lsk, TANDEM_CONG_NEEDS_ECN);

	if ((cb->flags & (TANDEM_F_ECE | TANDEM_F_CWR)) != (TANDEM_F_ECE | TANDEM_F_CWR))
		return false;
	/* A SYN must not be ECN-capable; DCTCP's is, and wants DCTCP at our end. */
	if (!INET_ECN_is_not_ect(cb->tos) && !needs)
		return false;
	return needs || tandem_sk_knob(lsk, ecn) ||
	       (dst && dst_feature(dst, RTAX_FEATURE_ECN));
}

u8 tandem_ecn_send(struct sock *sk, const struct tandem_skb_cb *cb, u32 len)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 flags = 0;

	if (cb->flags & (TANDEM_F_SYN | TANDEM_F_RST) || !tp->cc.ecn_ok)
		return 0;
	if (len && !(cb->sacked & TANDEM_S_EVER_RETRANS)) {
		INET_ECN_xmit(sk);
		if (tp->ecn & TANDEM_ECN_QUEUE_CWR) {
			tp->ecn &= ~TANDEM_ECN_QUEUE_CWR;
			flags |= TANDEM_F_CWR;
			TANDEM_SK_INC(sk, ECNCWROUT);
		}
	} else if (!cong_has(sk, TANDEM_CONG_NEEDS_ECN)) {
		INET_ECN_dontxmit(sk);
	}
	if (tp->ecn & TANDEM_ECN_DEMAND_CWR)
		flags |= TANDEM_F_ECE;
	return flags;
}

/* RFC 8257 section 3.2: an ACK speaks for packets that were all marked, or all not. */
static void dctcp_mark(struct sock *sk, bool ce)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (ce != !!(tp->ecn & TANDEM_ECN_CE)) {
		/* What came before this packet, in its own words. */
		if (tp->ack_pending & TANDEM_ACK_SCHED && tp->rcv_acked != tp->rcv_nxt)
			tandem_send_ack(sk);
		tandem_ack_now(sk);
		tp->ecn ^= TANDEM_ECN_CE;
	}
	if (ce)
		tp->ecn |= TANDEM_ECN_DEMAND_CWR;
	else
		tp->ecn &= ~TANDEM_ECN_DEMAND_CWR;
}

void tandem_ecn_data_in(struct sock *sk, const struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	struct tandem_sock *tp = tandem_sk(sk);
	bool dctcp = cong_has(sk, TANDEM_CONG_DCTCP_ECN);

	if (!tp->cc.ecn_ok)
		return;
	if (cb->flags & TANDEM_F_CWR && !dctcp) {
		tp->ecn &= ~TANDEM_ECN_DEMAND_CWR;
		/* Its cwnd may be one segment now: do not let it wait (Linux likewise). */
		tandem_ack_now(sk);
	}
	switch (cb->tos & INET_ECN_MASK) {
	case INET_ECN_NOT_ECT:
		/* Marking ended, or a retransmission: let the sender's timer not run. */
		if (tp->ecn & TANDEM_ECN_SEEN)
			tandem_enter_quickack(sk, 2);
		break;
	case INET_ECN_CE:
		TANDEM_SK_INC(sk, ECNCEIN);
		tp->ecn |= TANDEM_ECN_SEEN;
		if (dctcp) {
			dctcp_mark(sk, true);
		} else if (!(tp->ecn & TANDEM_ECN_DEMAND_CWR)) {
			tandem_enter_quickack(sk, 2);
			tandem_ack_now(sk);
			tp->ecn |= TANDEM_ECN_DEMAND_CWR;
		}
		break;
	default:
		tp->ecn |= TANDEM_ECN_SEEN;
		if (dctcp)
			dctcp_mark(sk, false);
		break;
	}
}

void tandem_ecn_reduced(struct tandem_sock *tp)
{
	if (tp->cc.ecn_ok)
		tp->ecn |= TANDEM_ECN_QUEUE_CWR;
}
