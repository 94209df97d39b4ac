// SPDX-License-Identifier: GPL-2.0
/*
 * tlp.c - tail loss probes (RFC 8985 section 7).
 *
 * When the last segments of a flight are lost nothing comes back that would tell, and
 * the retransmission timer is slow and throws the window away.  So after two round trips
 * without a word one segment is sent as a probe: new data if there is some, else the
 * last segment once more.  What the peer answers tells the rest: SACKs, from which the
 * loss detector sees the holes; or an ACK of all, and then the question is whether the
 * probe itself repaired a loss, for that is congestion, too (section 7.4).
 *
 *	a D-SACK of the probe, or a duplicate	the original had arrived: no loss
 *	an ACK beyond the probe without these	the original was lost: one reduction
 *
 * There is one probe at a time, and none before a round trip was measured since the
 * last: with nothing but copies in flight SRTT would not be learned anew.
 */
#include <net/sock.h>
#include "ack.h"
#include "loss.h"
#include "output.h"
#include "reason.h"
#include "rtt.h"
#include "timer.h"

/* RFC 8985 section 7.2: how long a TCP may delay the ACK of a lone segment. */
#define TCP_ACK_DELAY_US	200000U

/* Section 7.2: is a probe of use? */
static bool worth_probing(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_loss_ops *ops;

	if (!tp->sack_ok || !tp->packets_out || tp->sacked_out || !tp->snd_wnd)
		return false;
	if (tp->cc.ca_state != TANDEM_CA_OPEN && tp->cc.ca_state != TANDEM_CA_CWR)
		return false;
	if (tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV) || tp->tlp_out)
		return false;
	ops = container_of(tp->choice[TANDEM_KIND_LOSS], struct tandem_loss_ops, choice);
	return ops->flags & TANDEM_LOSS_PROBES && tandem_sk_knob(sk, tlp);
}

/* The peer is as we are, unless it is a TCP; and its ticks may be as long as ours. */
static u32 peer_ack_delay_us(const struct sock *sk)
{
	u32 own = tandem_sk_knob(sk, delack_max_ms) * 1000U;

	if (tandem_sk(sk)->wire == TANDEM_WIRE_TCP)
		return TCP_ACK_DELAY_US;
	return own + own / 2 + jiffies_to_usecs(2);
}

void tandem_tlp_schedule(struct sock *sk, bool anew)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u64 pto;

	if (tp->loss_event == TANDEM_LOSS_TIMER_REO)
		return;
	if (!worth_probing(sk)) {
		tandem_loss_timer_set(sk, TANDEM_LOSS_TIMER_NONE, 0);
		return;
	}
	if (!anew && tp->loss_event == TANDEM_LOSS_TIMER_TLP)
		return;
	pto = tandem_rtt_pto_us(tp->cc.srtt_us, tp->packets_out == 1, peer_ack_delay_us(sk));
	/*
	 * Never after the retransmission timer; when that one comes first, it finds us
	 * waiting and sends the probe in its place.
	 */
	pto = min(pto, tandem_timer_rto_left_us(sk));
	tandem_loss_timer_set(sk, TANDEM_LOSS_TIMER_TLP, pto);
}

/* New data, whatever cwnd and Nagle say: section 7.3. */
static bool probe_with_new(struct sock *sk)
{
	struct sk_buff *skb = tandem_send_head(sk);
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mss = tandem_current_mss(sk);
	u32 end;

	if (!skb)
		return false;
	end = TANDEM_CB(skb)->seq + min(skb->len, mss);
	if (seq_after(seq_max(end, TANDEM_CB(skb)->seq + 1), tandem_snd_wnd_end(tp)))
		return false;
	if (skb->len > mss && tandem_fragment(sk, skb, mss, mss, false, GFP_ATOMIC))
		return false;
	return !tandem_send_head_now(sk, skb, mss, GFP_ATOMIC);
}

/* The last segment once more. */
static bool probe_with_last(struct sock *sk)
{
	struct sk_buff *skb = skb_rb_last(&tandem_sk(sk)->rtx_queue);

	if (!skb)
		return false;
	if (TANDEM_CB(skb)->segs > 1) {
		u32 mss = TANDEM_CB(skb)->mss, last = skb->len % mss ? : mss;

		if (tandem_fragment(sk, skb, skb->len - last, mss, true, GFP_ATOMIC))
			return false;
		skb = tandem_rtx_next(skb);
	}
	return !tandem_retransmit_skb(sk, skb, 1, TANDEM_R_RTX_TLP);
}

bool tandem_tlp_probe(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool fresh;

	if (!worth_probing(sk) || tp->tlp_wait_rtt)
		return false;
	/* If nothing answers, it is since the first of these that the peer is silent. */
	if (!tp->first_rtx_us)
		tp->first_rtx_us = TANDEM_CB(tandem_rtx_head(sk))->sent_us;
	fresh = probe_with_new(sk);
	if (!fresh && !probe_with_last(sk))
		return false;
	tp->tlp_out = true;
	tp->tlp_retrans = !fresh;
	tp->tlp_end_seq = tp->snd_nxt;
	tp->tlp_wait_rtt = true;
	TANDEM_SK_INC(sk, LOSSPROBES);
	/* The answer gets a whole RTO. */
	tandem_timer_head_resent(sk);
	return true;
}

bool tandem_tlp_ack(struct sock *sk, const struct tandem_ack_event *ev)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (!tp->tlp_out || seq_before(ev->ack, tp->tlp_end_seq))
		return false;
	if (!tp->tlp_retrans || ev->dsack_tlp) {
		tp->tlp_out = false;
		return false;
	}
	if (seq_after(ev->ack, tp->tlp_end_seq)) {
		tp->tlp_out = false;
		return true;
	}
	/* A duplicate without SACK: the peer has no D-SACK to tell it by. */
	if (ev->is_dup && !ev->sacked_segs)
		tp->tlp_out = false;
	return false;
}
