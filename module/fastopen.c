// SPDX-License-Identifier: GPL-2.0
/*
 * fastopen.c - data in the SYN and in the SYN-ACK, RFC 7413.
 *
 * The server.  A SYN with a good cookie makes the child at once, a full socket in
 * SYN-RECEIVED with the SYN's data in its receive queue; accept() and read() have it
 * before the handshake is over.  From there on the child is what a simultaneous open
 * makes, too: the SYN-ACK is a segment of its own at the head of the write queue, is
 * retransmitted like any other, and its ACK makes the connection.
 *
 * What limits the harm of replayed SYNs (section 5.1): only listeners that asked
 * (TCP_FASTOPEN, or net.tandem.fastopen has 0x400), and no more children at a time
 * whose handshake is not complete than they asked for.  A child that a reset ends
 * counts on for a while, or resets would buy new tries.  Beyond the limit a SYN is
 * answered as one without data.
 *
 * The SYN-ACK rides on the answer.  It is held back a few milliseconds, when the SYN
 * had all that the client has to say: no full segment.  Whatever the connection sends
 * next takes it along; a program that reads on, or takes longer, makes it go alone, and
 * its port is not believed to be quick again soon (thrift.c).  On the tcp wire it waits
 * only with net.tandem.tcp_wire_thrift, and even then no FIN goes with a SYN-ACK: RFC 9293
 * allows it, firewalls do not.
 *
 * The client's side of the segments.  The SYN stands at the head of the write queue and
 * the data behind it; they leave as one segment and are remembered as two, so that a
 * SYN that is lost goes again without data (section 4.1.3), and data that the peer did
 * not acknowledge goes again by itself.
 */
#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "advert.h"
#include "fastopen.h"
#include "handshake.h"
#include "input.h"
#include "output.h"
#include "rcvq.h"
#include "recovery.h"
#include "stream.h"
#include "thrift.h"
#include "timer.h"
#include "wire.h"
#include "xmit.h"

/* How long the SYN-ACK may wait for the answer. */
#define SYNACK_HOLD_MS	10
/* A child that was reset counts between once and twice that long. */
#define RESET_COUNTS	(60 * HZ)

/* ---- server: who is let in ---- */

/* listen->lock is held: resets that are old enough count no more. */
static void forget_resets(struct tandem_listen *l)
{
	if (!l->fo_resets[0] && !l->fo_resets[1])
		return;
	if (time_before(jiffies, l->fo_reset_turn))
		return;
	l->fo_qlen -= l->fo_resets[1];
	l->fo_resets[1] = l->fo_resets[0];
	l->fo_resets[0] = 0;
	if (time_after(jiffies, l->fo_reset_turn + RESET_COUNTS)) {
		l->fo_qlen -= l->fo_resets[1];
		l->fo_resets[1] = 0;
	}
	l->fo_reset_turn = jiffies + RESET_COUNTS;
}

static u32 max_qlen(const struct sock *lsk)
{
	u32 max = READ_ONCE(tandem_sk(lsk)->listen->fo_qlen_max);
	u32 backlog = READ_ONCE(lsk->sk_max_ack_backlog);

	if (!max && tandem_sk_knob(lsk, fastopen) & TANDEM_FO_SERVER_ALL)
		max = backlog;
	return min(max, backlog);
}

/* One more child whose peer is not proven? */
static bool queue_admits(struct sock *lsk)
{
	struct tandem_listen *l = tandem_sk(lsk)->listen;
	u32 max = max_qlen(lsk);
	bool ok;

	if (!max)
		return false;
	spin_lock(&l->lock);
	forget_resets(l);
	ok = l->fo_qlen < max;
	if (ok)
		l->fo_qlen++;
	spin_unlock(&l->lock);
	if (!ok)
		TANDEM_SK_INC(lsk, FOLISTENOVERFLOW);
	return ok;
}

void tandem_fastopen_unadmit(struct sock *lsk)
{
	struct tandem_listen *l = tandem_sk(lsk)->listen;

	spin_lock(&l->lock);
	l->fo_qlen--;
	spin_unlock(&l->lock);
	TANDEM_SK_INC(lsk, FOPASSIVEFAIL);
}

/* RFC 7413 section 4.2.2. */
bool tandem_fastopen_admit(struct tandem_request *req, struct sk_buff *skb,
			   const struct tandem_opts *o)
{
	bool asks = o->have & TANDEM_OPT_FASTOPEN;
	bool data = tandem_payload_len(skb);
	struct sock *lsk = req->listener;
	struct net *net = sock_net(lsk);
	int bits = tandem_knob(net, fastopen), good = 0;
	bool free;

	if (!asks && !data)
		return false;
	if (asks && !o->cookie.len)
		TANDEM_INC(net, FOCOOKIEREQD);
	if (!(bits & TANDEM_FO_SERVER) || !max_qlen(lsk))
		return false;
	free = bits & TANDEM_FO_SERVER_NO_COOKIE ||
	       READ_ONCE(tandem_sk(lsk)->fo_no_cookie);
	if (!free && !asks)
		return false;
	if (!free && o->cookie.len) {
		good = tandem_fastopen_check(lsk, skb, &o->cookie);
		if (!good)
			TANDEM_INC(net, FOPASSIVEFAIL);
	}
	/* Who asks, has a wrong one or an old one, gets the one that is good now. */
	if (!free && good != 1)
		if (tandem_fastopen_cookie(lsk, skb, &req->fo_cookie))
			req->fo_cookie.exp = o->cookie.exp;
	if ((!free && !good) || !queue_admits(lsk))
		return false;
	if (good == 2)
		TANDEM_INC(net, FOPASSIVEALTKEY);
	return true;
}

/* ---- server: the child ---- */

/*
 * May the SYN-ACK wait for the answer?  Not if the client has more to send: it could
 * not before the SYN-ACK.  A SYN that could hold more, or ends with a push, held all.
 */
static bool may_hold(const struct sock *sk, const struct sk_buff *skb, u32 len)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 room = min(tp->mss_clamp, tp->advmss) - TANDEM_OPT_MAX_LEN;

	return len && tandem_thrifty(sk) && tandem_sk_knob(sk, delack_max_ms) &&
	       (TANDEM_CB(skb)->flags & TANDEM_F_PSH || len + 8 < room) &&
	       tandem_thrift_hold_synack(sk);
}

/* The data of the SYN; @skb stays the caller's. */
static void take_syn_data(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *data = skb_clone(skb, GFP_ATOMIC);

	/* Without memory the SYN-ACK says so: it acknowledges nothing. */
	if (!data)
		return;
	data->dev = NULL;
	secpath_reset(data);
	TANDEM_CB(data)->seq++;
	TANDEM_CB(data)->flags &= ~TANDEM_F_SYN;
	tandem_sk(sk)->data_segs_in++;
	TANDEM_SK_INC(sk, INDATASEGS);
	tandem_rcvq_input(sk, data);
}

void tandem_fastopen_child(struct sock *lsk, struct sock *child, struct sk_buff *skb,
			   struct sk_buff *synack)
{
	struct tandem_sock *tp = tandem_sk(child);
	struct tandem_skb_cb *cb = TANDEM_CB(synack);
	u32 len = tandem_payload_len(skb);
	unsigned long hold = 0;

	sock_hold(lsk);
	tp->fo_listener = lsk;
	WRITE_ONCE(tp->fo_pending, true);
	tp->segs_in++;

	/* The SYN-ACK is the first segment to go, and has not gone. */
	cb->seq = tp->iss;
	cb->end_seq = tp->iss + 1;
	cb->flags = TANDEM_F_SYN | TANDEM_F_ACK;
	cb->segs = 1;
	cb->eor = 1;
	tp->snd_nxt = tp->iss;
	tp->snd_sml = tp->iss;
	tandem_arrival_start(&tp->arrival, tp->iss);
	tandem_forced_mem_schedule(child, synack->truesize);
	sk_wmem_queued_add(child, synack->truesize);
	sk_mem_charge(child, synack->truesize);
	__skb_queue_head(&child->sk_write_queue, synack);
	tp->syn_held = true;
	tandem_chrono_start(child, TANDEM_CHRONO_BUSY);

	if (len)
		take_syn_data(child, skb);
	/* The window in the SYN-ACK counts from what it acknowledges. */
	tp->rcv_wup = tp->rcv_nxt;
	tp->syn_data_acked = tp->rcv_nxt != tp->irs + 1;
	tandem_ack_syn_data(child);
	TANDEM_SK_INC(child, FOPASSIVE);
	if (may_hold(child, skb, len))
		hold = msecs_to_jiffies(min(SYNACK_HOLD_MS,
					    tandem_sk_knob(child, delack_max_ms)));
	if (hold)
		tandem_timer_ack_owed(child, hold);
	else
		tandem_fastopen_release(child);
}

void tandem_fastopen_done(struct sock *sk, enum tandem_reason why)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sock *lsk = tp->passive ? tp->fo_listener : NULL;
	struct tandem_listen *l;

	WRITE_ONCE(tp->fo_pending, false);
	if (!lsk)
		return;
	tp->fo_listener = NULL;
	l = tandem_sk(lsk)->listen;
	spin_lock_bh(&l->lock);
	forget_resets(l);
	if (why != TANDEM_R_RSTIN) {
		l->fo_qlen--;
	} else {
		if (!l->fo_resets[0] && !l->fo_resets[1])
			l->fo_reset_turn = jiffies + RESET_COUNTS;
		l->fo_resets[0]++;
	}
	spin_unlock_bh(&l->lock);
	sock_put(lsk);
}

void tandem_fastopen_release(struct sock *sk)
{
	if (tandem_send_syn_head(sk, TANDEM_NAGLE_PUSH, GFP_ATOMIC))
		tandem_push_pending(sk);
}

void tandem_fastopen_syn_again(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *head;

	if (tp->syn_held) {
		tandem_fastopen_release(sk);
		return;
	}
	if (tandem_oow_limited(tp))
		return;
	tandem_oow_answers(tp);
	head = tandem_rtx_head(sk);
	if (head && TANDEM_CB(head)->flags & TANDEM_F_SYN)
		tandem_retransmit_skb(sk, head, 1, TANDEM_R_RTX_SYNACK);
}

/* ---- the segments ---- */

/* Room for data in a segment with SYN. */
static u32 syn_room(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u32 mss = tp->mss_cache + (tp->ts_ok ? 12 : 0);

	return mss > TANDEM_OPT_MAX_LEN ? mss - TANDEM_OPT_MAX_LEN : 0;
}

static bool rides(const struct sock *sk, const struct sk_buff *syn,
		  const struct sk_buff *data)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if (!data || data->len > syn_room(sk))
		return false;
	if (!(TANDEM_CB(syn)->flags & TANDEM_F_ACK))
		return tp->syn_data;	/* a SYN's data was cut to fit, and is allowed */
	if (seq_after(TANDEM_CB(data)->end_seq, tandem_snd_wnd_end(tp)))
		return false;
	return tp->wire != TANDEM_WIRE_TCP || !(TANDEM_CB(data)->flags & TANDEM_F_FIN);
}

/* One segment for two of the queue. */
static int transmit_both(struct sock *sk, struct sk_buff *syn, struct sk_buff *data,
			 gfp_t gfp)
{
	struct sk_buff *both = pskb_copy(data, gfp);
	struct tandem_skb_cb *cb;

	if (!both)
		return -ENOBUFS;
	cb = TANDEM_CB(both);
	*cb = *TANDEM_CB(data);
	cb->seq = TANDEM_CB(syn)->seq;
	cb->flags = TANDEM_CB(syn)->flags |
		    (cb->flags & (TANDEM_F_PSH | TANDEM_F_FIN));
	/* PSH tells our like that this is all; TCPs do not put it into a SYN. */
	if (!tandem_thrifty(sk))
		cb->flags &= ~TANDEM_F_PSH;
	both->dev = NULL;
	TANDEM_CB(syn)->sent_us = tandem_now_us();
	TANDEM_CB(data)->sent_us = TANDEM_CB(syn)->sent_us;
	return tandem_transmit_skb(sk, both, false, gfp);
}

bool tandem_send_syn_head(struct sock *sk, u8 nonagle, gfp_t gfp)
{
	struct sk_buff *syn = tandem_send_head(sk), *data = NULL;
	struct tandem_sock *tp = tandem_sk(sk);
	bool late = tp->ack_pending & TANDEM_ACK_DELAYED;
	int err;

	/* The program has more to say, or is about to close. */
	if (tp->syn_held && nonagle & TANDEM_NAGLE_CORK && !(nonagle & TANDEM_NAGLE_PUSH))
		return false;
	if (!skb_queue_is_last(&sk->sk_write_queue, syn))
		data = skb_queue_next(&sk->sk_write_queue, syn);
	if (!rides(sk, syn, data))
		data = NULL;
	err = data ? transmit_both(sk, syn, data, gfp) :
		     tandem_transmit_skb(sk, syn, true, gfp);
	if (err == -ENOBUFS && tp->syn_held) {
		/* Nothing left; the timer of the ACK that is owed tries again. */
		tandem_timer_ack_owed(sk, 1);
		return false;
	}
	tp->fo_err = err;
	if (tp->syn_held && (data || late))
		tandem_thrift_synack_sent(sk, data);
	tp->syn_held = false;
	tp->syn_data = !!data;
	tandem_moved_out(sk, syn);
	if (data) {
		tandem_set_segs(data, tp->mss_cache);
		tandem_ack_data_sent(sk);
		tandem_moved_out(sk, data);
	}
	return true;
}

void tandem_fastopen_take_back(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;
	struct rb_node *n;

	skb = tandem_rtx_head(sk);
	/* Acknowledged in part, and no memory to cut it: it stays there, for the timer. */
	if (!skb || (seq_before(TANDEM_CB(skb)->seq, tp->snd_una) &&
		     tandem_rtx_trim_acked(sk, skb)))
		return;
	tp->snd_nxt = tp->snd_una;
	while ((n = rb_last(&tp->rtx_queue))) {
		skb = rb_to_skb(n);
		tandem_rtx_uncount(sk, skb);
		rb_erase(n, &tp->rtx_queue);
		RB_CLEAR_NODE(n);
		skb->dev = NULL;
		TANDEM_CB(skb)->sacked = 0;
		__skb_queue_head(&sk->sk_write_queue, skb);
	}
	tandem_recovery_reset(sk);
	tandem_timer_data_acked(sk);
}
