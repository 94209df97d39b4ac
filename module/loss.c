// SPDX-License-Identifier: GPL-2.0
/*
 * loss.c - where a loss detector meets a socket, and the timer that goes with it.
 *
 * A detector (rack.c, dupthresh.c, or a module's) judges one segment at a time.  Here is
 * the walk that shows them to it: along sent_list, in which segments in flight are in
 * the order of their sending, or along the tree, by sequence number.  Neither begins
 * again for each ACK: what is judged lost or was SACKed leaves sent_list, so its head is
 * the first that counts; and the walk by number goes on where it stopped.
 *
 * One high resolution timer per connection serves two purposes that exclude each other:
 * a segment's reordering window (RFC 8985 section 6.2 step 5), and tail loss probes
 * (section 7), for which there is cause only as long as nothing is SACKed.  The
 * retransmission timer runs beside it, in jiffies (timer.c).  The timer, which others
 * share (alarm.c), is never moved for an ACK: the deadline is a field, and a timer that
 * fires too early runs on.
 */
#include <net/sock.h>
#include <tandem/rto.h>
#include "alarm.h"
#include "choice.h"
#include "loss.h"
#include "output.h"
#include "recovery.h"
#include "thrift.h"

/*
 * On a very short path hosts reorder by more than a quarter of the round trip.  An ACK
 * may still tell sooner.
 */
#define REO_TIMER_MIN_US	1000U
/* TCP's timer for it is this much later, and one of jiffies: by half of one on average. */
#define REO_TCP_US		2000U
#define REO_TCP_TICK_US		((u32)(USEC_PER_SEC / HZ))

/* ---- the detector ---- */

static const struct tandem_loss_ops *chosen(const struct tandem_sock *tp)
{
	return container_of(tp->choice[TANDEM_KIND_LOSS], struct tandem_loss_ops, choice);
}

static void look(struct tandem_sock *tp)
{
	struct tandem_loss *l = &tp->trouble->loss;

	l->snd_una = tp->snd_una;
	l->snd_nxt = tp->snd_nxt;
	l->mss = tp->mss_cache;
	l->srtt_us = tandem_rtt_srtt_us(&tp->rtt);
	l->min_rtt_us = tp->rtt.min_us;
	l->sacked_segs = tp->sacked_out;
	l->reord_told = false;
	l->recovering = tandem_in_recovery(tp);
}

static bool begin(struct tandem_sock *tp, const struct tandem_loss_ops *ops)
{
	struct tandem_trouble *t = tandem_trouble(tp);

	if (!t)
		return false;
	memset(&t->loss, 0, sizeof(t->loss));
	t->loss.reordering = TANDEM_DUPTHRESH;
	t->loss.known_reordering = tp->known_reordering;
	t->loss.known_mult = tp->known_mult;
	tp->loss_begun = true;
	tp->lost_upto = tp->snd_una;
	look(tp);
	if (ops->init)
		ops->init(&t->loss);
	return true;
}

/*
 * The one chosen.  It begins with the first sign that something may be missing: what was
 * sent once and acknowledged in order leaves it nothing to judge.  NULL: no memory.
 */
static const struct tandem_loss_ops *detector(struct tandem_sock *tp)
{
	const struct tandem_loss_ops *ops = chosen(tp);

	return tp->loss_begun || begin(tp, ops) ? ops : NULL;
}

void tandem_loss_reset(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->loss_begun = false;
	tp->known_reordering = 0;
	tp->known_mult = 0;
	tp->lost_upto = tp->snd_una;
	tp->tlp_out = false;
	tp->tlp_wait_rtt = false;
	tandem_loss_timer_set(sk, TANDEM_LOSS_TIMER_NONE, 0);
}

void tandem_loss_prime(struct sock *sk, u16 reordering, u8 mult)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->known_reordering = reordering;
	tp->known_mult = mult;
	/* The handshake's own ACK may have started it: it starts again, knowing this. */
	tp->loss_begun = false;
}

bool tandem_loss_sees_reordering(const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	return tp->sack_ok && chosen(tp)->flags & TANDEM_LOSS_REORDER;
}

u16 tandem_loss_reordering(const struct tandem_sock *tp)
{
	if (tp->loss_begun)
		return tp->trouble->loss.reordering;
	if (!tp->known_reordering || !(chosen(tp)->flags & TANDEM_LOSS_REORDER))
		return TANDEM_DUPTHRESH;
	return clamp_t(u16, tp->known_reordering, TANDEM_DUPTHRESH, TANDEM_REORDERING_MAX);
}

void tandem_loss_look(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	if (tp->loss_begun)
		look(tp);
}

static void show(const struct tandem_sock *tp, const struct tandem_skb_cb *cb,
		 struct tandem_loss_seg *seg)
{
	seg->now_us = tp->clock_us;
	seg->echo_us = 0;
	seg->sent_us = cb->sent_us;
	seg->seq = cb->seq;
	seg->end_seq = cb->end_seq;
	seg->segs = cb->segs;
	seg->mss = cb->mss;
	seg->retrans = cb->sacked & TANDEM_S_EVER_RETRANS;
	seg->sacked = false;
	seg->early = false;
}

void tandem_loss_delivered(struct sock *sk, const struct tandem_skb_cb *cb, bool sacked,
			   bool early, u64 echo_us)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_loss_ops *ops;
	struct tandem_loss_seg seg;
	struct tandem_loss *l;
	u32 seen;

	/* One that was sent again tells of those that had been sent before that. */
	if (!tp->sack_ok ||
	    !(tp->loss_begun || sacked || cb->sacked & TANDEM_S_EVER_RETRANS))
		return;
	ops = detector(tp);
	if (!ops || !ops->delivered)
		return;
	l = &tp->trouble->loss;
	seen = l->reord_seen;
	show(tp, cb, &seg);
	seg.echo_us = echo_us;
	seg.sacked = sacked;
	seg.early = early;
	ops->delivered(l, &seg);
	if (l->reord_seen != seen)
		TANDEM_SK_INC(sk, SACKREORDER);
}

void tandem_loss_tell(struct sock *sk, enum tandem_loss_event ev)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_loss_ops *ops;

	if (!tp->sack_ok)
		return;
	if (ev == TANDEM_LOSS_EV_FORGET)
		tp->lost_upto = tp->snd_una;
	ops = detector(tp);
	if (!ops || !ops->event)
		return;
	ops->event(&tp->trouble->loss, ev);
	/* What is known of the path may hold no longer. */
	tp->known_reordering = tp->trouble->loss.known_reordering;
}

/* Most walks end with the first: that much each ACK costs. */
static void count_walk(struct sock *sk, u32 segs)
{
	if (segs > 1)
		TANDEM_SK_ADD(sk, SEGSWALKED, segs);
}

static u32 walk_by_time(struct sock *sk, const struct tandem_loss_ops *ops)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb, *next;
	enum tandem_loss_verdict v;
	struct tandem_loss_seg seg;
	u32 wait_us = 0, walked = 0;

	list_for_each_entry_safe(skb, next, &tp->sent_list, tcp_tsorted_anchor) {
		walked++;
		show(tp, TANDEM_CB(skb), &seg);
		v = ops->judge(&tp->trouble->loss, &seg, &wait_us);
		if (v == TANDEM_LOSS_STOP)
			break;
		if (v == TANDEM_LOSS_LOST)
			tandem_rtx_mark_lost(sk, skb);
	}
	count_walk(sk, walked);
	return wait_us;
}

static u32 walk_by_number(struct sock *sk, const struct tandem_loss_ops *ops)
{
	struct tandem_sock *tp = tandem_sk(sk);
	enum tandem_loss_verdict v;
	struct tandem_loss_seg seg;
	struct sk_buff *skb;
	u32 wait_us = 0, walked = 0;

	tp->lost_upto = seq_max(tp->lost_upto, tp->snd_una);
	for (skb = tandem_rtx_find(sk, tp->lost_upto); skb; skb = tandem_rtx_next(skb)) {
		struct tandem_skb_cb *cb = TANDEM_CB(skb);

		walked++;
		if (!(cb->sacked & (TANDEM_S_SACKED | TANDEM_S_LOST))) {
			show(tp, cb, &seg);
			v = ops->judge(&tp->trouble->loss, &seg, &wait_us);
			if (v == TANDEM_LOSS_STOP)
				break;
			if (v == TANDEM_LOSS_LOST)
				tandem_rtx_mark_lost(sk, skb);
		}
		tp->lost_upto = cb->end_seq;
	}
	count_walk(sk, walked);
	return wait_us;
}

/* When to look again at what has @wait_us left. */
static u64 reo_delay_us(const struct sock *sk, u32 wait_us)
{
	if (!tandem_thrifty(sk))
		return DIV_ROUND_UP_ULL((u64)wait_us + REO_TCP_US, REO_TCP_TICK_US) *
		       REO_TCP_TICK_US + REO_TCP_TICK_US / 2;
	return max(wait_us, REO_TIMER_MIN_US);
}

bool tandem_loss_detect(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 prior = tp->cc.lost, wait_us = 0;
	const struct tandem_loss_ops *ops = NULL;
	struct tandem_loss *l;

	if (tp->sack_ok && tp->packets_out && (tp->loss_begun || tp->sacked_out))
		ops = detector(tp);
	if (ops) {
		/* SACKs and states of this ACK. */
		l = &tp->trouble->loss;
		l->sacked_segs = tp->sacked_out;
		l->recovering = tandem_in_recovery(tp);
		if (ops->prepare)
			ops->prepare(l);
		wait_us = ops->flags & TANDEM_LOSS_BY_TIME ? walk_by_time(sk, ops) :
							     walk_by_number(sk, ops);
	}
	if (wait_us)
		tandem_loss_timer_set(sk, TANDEM_LOSS_TIMER_REO, reo_delay_us(sk, wait_us));
	else if (tp->loss_event == TANDEM_LOSS_TIMER_REO)
		tandem_loss_timer_set(sk, TANDEM_LOSS_TIMER_NONE, 0);
	return tp->cc.lost != prior;
}

void tandem_loss_mark_timeout(struct sock *sk, bool all)
{
	struct sk_buff *skb, *next, *head = tandem_rtx_head(sk);
	const struct tandem_loss_ops *ops = NULL;
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_loss_seg seg;

	if (tp->sack_ok && !all)
		ops = detector(tp);
	if (!head)
		return;
	tandem_rtx_mark_lost(sk, head);
	/* Oldest first: the list of what waits to be sent again stays in order. */
	list_for_each_entry_safe(skb, next, &tp->sent_list, tcp_tsorted_anchor) {
		show(tp, TANDEM_CB(skb), &seg);
		if (!ops || !ops->expired || ops->expired(&tp->trouble->loss, &seg))
			tandem_rtx_mark_lost(sk, skb);
		else if (ops->flags & TANDEM_LOSS_BY_TIME)
			break;		/* those behind it were sent later still */
	}
	tp->lost_upto = tp->snd_nxt;
}

bool tandem_loss_by_time(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	return tp->sack_ok && chosen(tp)->flags & TANDEM_LOSS_BY_TIME;
}

/* ---- the timer ---- */

void tandem_loss_timer_set(struct sock *sk, enum tandem_loss_timer event, u64 delay_us)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->loss_event = event;
	if (event == TANDEM_LOSS_TIMER_NONE)
		return;
	tp->loss_deadline_ns = tandem_clock_ns(tp) + delay_us * NSEC_PER_USEC;
	tandem_alarm_meet(sk, tp->loss_deadline_ns);
}

void tandem_loss_timer_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u8 event = tp->loss_event;

	tp->loss_event = TANDEM_LOSS_TIMER_NONE;
	if (event == TANDEM_LOSS_TIMER_REO)
		tandem_recovery_reo_timeout(sk);
	else
		tandem_tlp_probe(sk);
}

/* ---- what there is to choose from ---- */

/**
 * tandem_loss_register() - offer a loss detector under its name
 * @ops: the detector; stays with the registry until tandem_loss_unregister()
 *
 * To be loaded on demand its module needs MODULE_ALIAS("tandem-loss-NAME").
 *
 * Return: 0; -EEXIST when the name is taken; -EINVAL for a bad name or no judge().
 */
int tandem_loss_register(struct tandem_loss_ops *ops)
{
	return ops->judge ? tandem_choice_register(TANDEM_KIND_LOSS, &ops->choice) :
			    -EINVAL;
}
EXPORT_SYMBOL_GPL(tandem_loss_register);

/**
 * tandem_loss_unregister() - take a detector back; may sleep
 * @ops: registered before, and used by nobody: its module holds see to that
 */
void tandem_loss_unregister(struct tandem_loss_ops *ops)
{
	tandem_choice_unregister(TANDEM_KIND_LOSS, &ops->choice);
}
EXPORT_SYMBOL_GPL(tandem_loss_unregister);

/**
 * tandem_rto_register() - offer an RTO estimator under its name
 * @ops: the estimator; stays with the registry until tandem_rto_unregister()
 *
 * To be loaded on demand its module needs MODULE_ALIAS("tandem-rto-NAME").
 *
 * Return: 0; -EEXIST when the name is taken; -EINVAL for a bad name or no rto_us().
 */
int tandem_rto_register(struct tandem_rto_ops *ops)
{
	return ops->rto_us ? tandem_choice_register(TANDEM_KIND_RTO, &ops->choice) :
			     -EINVAL;
}
EXPORT_SYMBOL_GPL(tandem_rto_register);

/**
 * tandem_rto_unregister() - take an estimator back; may sleep
 * @ops: registered before, and used by nobody: its module holds see to that
 */
void tandem_rto_unregister(struct tandem_rto_ops *ops)
{
	tandem_choice_unregister(TANDEM_KIND_RTO, &ops->choice);
}
EXPORT_SYMBOL_GPL(tandem_rto_unregister);

int tandem_loss_init(void)
{
	int err;

	err = tandem_loss_register(&tandem_loss_rack);
	if (err)
		return err;
	err = tandem_loss_register(&tandem_loss_dupthresh);
	if (err)
		goto err_dupthresh;
	err = tandem_rto_register(&tandem_rto_rfc6298);
	if (err)
		goto err_rfc6298;
	err = tandem_rto_register(&tandem_rto_fixed);
	if (err)
		goto err_fixed;
	tandem_choice_set_builtin(TANDEM_KIND_LOSS, &tandem_loss_rack.choice);
	tandem_choice_set_builtin(TANDEM_KIND_RTO, &tandem_rto_rfc6298.choice);
	return 0;

err_fixed:
	tandem_rto_unregister(&tandem_rto_rfc6298);
err_rfc6298:
	tandem_loss_unregister(&tandem_loss_dupthresh);
err_dupthresh:
	tandem_loss_unregister(&tandem_loss_rack);
	return err;
}

void tandem_loss_exit(void)
{
	tandem_rto_unregister(&tandem_rto_fixed);
	tandem_rto_unregister(&tandem_rto_rfc6298);
	tandem_loss_unregister(&tandem_loss_dupthresh);
	tandem_loss_unregister(&tandem_loss_rack);
}
