// SPDX-License-Identifier: GPL-2.0
/*
 * timewait.c - what is left of a connection when all was said.
 *
 * The end that closed first remembers the 4-tuple for a while (RFC 9293 section 3.6),
 * so that the peer's FIN, should our last ACK be lost, is acknowledged again, and no
 * late segment disturbs a successor.  A full socket would be a waste and would pin
 * the module and the netns; a minisock of a few hundred bytes takes its place in the
 * flow table and its claim on the port.  An orphan in FIN-WAIT-2 becomes one as well.
 *
 * The flow table and the armed timer each hold a reference.  Whoever sets @dead under
 * @lock, be it the timer, a reset, a new SYN, connect() or the end of the netns, takes
 * the minisock out of every table.  It does not hold its netns: it is purged when the
 * netns goes.
 */
#include <linux/slab.h>
#include <net/sock.h>
#include "demux.h"
#include "handshake.h"
#include "input.h"
#include "ports.h"
#include "sock.h"
#include "state.h"
#include "timewait.h"
#include "trace.h"
#include "window.h"
#include "wire.h"

/* RFC 6191 wants the clock to have ticked; Linux waits a second, and so do we. */
#define REUSE_AFTER_US		((u64)USEC_PER_SEC)

static struct kmem_cache *tw_cache;

/* What to do with a segment. */
enum tw_verdict {
	TW_DROP,
	TW_ACK,		/* answer with what we have and expect */
	TW_RESET,	/* answer with a reset, end */
	TW_KILL,	/* end */
	TW_SYN,		/* a new connection, if somebody listens */
};

static void tw_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(tw_cache, container_of(rcu, struct tandem_timewait, rcu));
}

static void tw_put(struct tandem_timewait *tw)
{
	if (refcount_dec_and_test(&tw->refs))
		call_rcu(&tw->rcu, tw_free_rcu);
}

/*
 * tw->lock is held, tw is not dead.  Leaving the list comes last: from then on the
 * netns may go.
 */
static void tw_kill(struct tandem_timewait *tw)
{
	struct tandem_net *tn = tandem_pernet(tw->net);

	tw->dead = true;
	tandem_flow_remove(tw->net, &tw->flow);
	tandem_claim_drop(tw->net, &tw->claim);
	if (timer_delete(&tw->timer))
		tw_put(tw);
	spin_lock(&tn->tw_lock);
	list_del(&tw->node);
	atomic_dec(&tn->tw_count);
	spin_unlock(&tn->tw_lock);
	tw_put(tw);
}

static void tw_timer(struct timer_list *t)
{
	struct tandem_timewait *tw = timer_container_of(tw, t, timer);

	spin_lock(&tw->lock);
	if (!tw->dead)
		tw_kill(tw);
	spin_unlock(&tw->lock);
	tw_put(tw);
}

/* A segment showed that the peer is not done. If the timer fires already, so be it. */
static void tw_restart(struct tandem_timewait *tw)
{
	mod_timer_pending(&tw->timer, jiffies + tw->timeout);
}

/* ---- from a socket ---- */

static void tw_fill(struct tandem_timewait *tw, struct sock *sk, int substate)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);

	tw->net = net;
	tw->flow.key = tp->flow.key;
	tw->flow.bound_dev_if = sk->sk_bound_dev_if;
	tw->flow.kind = TANDEM_FLOW_TIMEWAIT;
	tw->substate = substate;
	tw->timeout = msecs_to_jiffies(tandem_sk_knob(sk, timewait_ms));
	tw->rcv_nxt = tp->rcv_nxt;
	tw->snd_nxt = tp->snd_nxt;
	tw->rcv_wnd = tandem_rcv_wnd_open(tp) >> tp->rcv_wscale;
	tw->rcv_wscale = tp->rcv_wscale;
	tw->ts_ok = tp->ts_ok;
	tw->ts_recent = tp->ts_recent;
	tw->ts_recent_us = tp->ts_recent_us;
	tw->ts_offset = tp->ts_offset;
	tw->mark = READ_ONCE(sk->sk_mark);
	tw->v6 = sk->sk_family == AF_INET6;
	tw->v6only = ipv6_only_sock(sk);
	tw->tos = inet_sk(sk)->tos;
	if (tp->af == &tandem_ipv6_ops)
		tw->tos = inet6_sk(sk)->tclass;
	tw->reuse = sk->sk_reuse;
	tw->reuseport = sk->sk_reuseport;
	tw->uid = tandem_sk_uid(sk);
}

static struct tandem_timewait *tw_alloc(struct tandem_net *tn, struct net *net)
{
	struct tandem_timewait *tw = NULL;

	if (atomic_inc_return(&tn->tw_count) <= tandem_knob(net, max_tw_buckets))
		tw = kmem_cache_zalloc(tw_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (tw)
		return tw;
	atomic_dec(&tn->tw_count);
	TANDEM_INC(net, TWOVERFLOW);
	return NULL;
}

/* Put @tw in the place of @sk. False: @sk was in no table. */
static bool tw_replace(struct tandem_timewait *tw, struct sock *sk, unsigned long timeo)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_net *tn = tandem_pernet(tw->net);
	bool ok;

	/* Segments find it as soon as it is in the table, and wait for the lock. */
	spin_lock_bh(&tw->lock);
	ok = !tandem_flow_replace(tw->net, &tp->flow, &tw->flow);
	if (ok) {
		tandem_claim_move(tw->net, &tp->claim, &tw->claim);
		spin_lock(&tn->tw_lock);
		list_add_tail(&tw->node, &tn->tw_list);
		spin_unlock(&tn->tw_lock);
		mod_timer(&tw->timer, jiffies + timeo);
	}
	spin_unlock_bh(&tw->lock);
	return ok;
}

/* At least three and a half RTOs, for a retransmitted FIN to reach us. */
static unsigned long tw_life(const struct tandem_timewait *tw, const struct sock *sk,
			     int timeo)
{
	unsigned long rto = usecs_to_jiffies(tandem_sk(sk)->rto_us);

	if (tw->substate == TCP_TIME_WAIT)
		return tw->timeout;
	return max_t(unsigned long, timeo, rto * 7 / 2);
}

/**
 * tandem_time_wait() - a minisock takes over from a socket, which ends
 * @sk: locked, BH may be on
 * @substate: TCP_TIME_WAIT, or TCP_FIN_WAIT2 for an orphan
 * @timeo: how long, jiffies; TIME-WAIT itself lasts net.tandem.timewait_ms
 */
void tandem_time_wait(struct sock *sk, int substate, int timeo)
{
	enum tandem_reason why = substate == TCP_TIME_WAIT ? TANDEM_R_FININ :
							     TANDEM_R_USER;
	struct tandem_net *tn = tandem_sk(sk)->tn;
	struct tandem_timewait *tw = tw_alloc(tn, sock_net(sk));

	if (tw) {
		spin_lock_init(&tw->lock);
		refcount_set(&tw->refs, 2);	/* flow table, timer */
		timer_setup(&tw->timer, tw_timer, 0);
		tw_fill(tw, sk, substate);
		if (tw_replace(tw, sk, tw_life(tw, sk, timeo))) {
			TANDEM_SK_INC(sk, TWSTARTED);
			if (substate == TCP_TIME_WAIT)
				trace_tandem_state(sk, sk->sk_state, TCP_TIME_WAIT, why);
		} else {
			/* Never seen by anyone. */
			atomic_dec(&tn->tw_count);
			kmem_cache_free(tw_cache, tw);
		}
	}
	tandem_done(sk, why);
}

/* ---- segments ---- */

/* RFC 7323 section 5.3; a reset need not carry our echo, so it is exempt. */
static bool tw_paws_rejects(const struct tandem_timewait *tw, const struct tandem_opts *o,
			    u8 flags)
{
	return tw->ts_ok && o->have & TANDEM_OPT_TS && !(flags & TANDEM_F_RST) &&
	       tw->ts_recent_us && (s32)(o->tsval - tw->ts_recent) < 0 &&
	       tandem_now_us() - tw->ts_recent_us < TANDEM_TS_VALID_US;
}

static void tw_take_ts(struct tandem_timewait *tw, const struct tandem_opts *o)
{
	if (!tw->ts_ok || !(o->have & TANDEM_OPT_TS))
		return;
	tw->ts_recent = o->tsval;
	tw->ts_recent_us = tandem_now_us();
}

/* Our FIN is acknowledged, the peer's is to come; the program is gone. */
static enum tw_verdict judge_fin_wait2(struct tandem_timewait *tw,
				       const struct tandem_skb_cb *cb,
				       const struct tandem_opts *o,
				       enum tandem_reason *why)
{
	bool paws = tw_paws_rejects(tw, o, cb->flags);

	if (paws || !tandem_win_acceptable(cb->seq, cb->end_seq, tw->rcv_nxt, tw->rcv_nxt,
					   tw->rcv_wnd << tw->rcv_wscale)) {
		*why = paws ? TANDEM_R_PAWS : TANDEM_R_OUTWIN;
		return cb->flags & TANDEM_F_RST ? TW_DROP : TW_ACK;
	}
	if (cb->flags & TANDEM_F_RST) {
		*why = TANDEM_R_RSTIN;
		if (cb->seq == tw->rcv_nxt)
			return TW_KILL;
		*why = TANDEM_R_RSTCHALLENGE;	/* RFC 5961 section 3.2 */
		return TW_ACK;
	}
	if (cb->flags & TANDEM_F_SYN && !seq_before(cb->seq, tw->rcv_nxt)) {
		*why = TANDEM_R_SYNCHALLENGE;
		return TW_RESET;
	}
	if (!(cb->flags & TANDEM_F_ACK)) {
		*why = TANDEM_R_NOACK;
		return TW_DROP;
	}
	if (!seq_after(cb->end_seq, tw->rcv_nxt) || cb->end_seq == cb->seq)
		return TW_DROP;			/* an ACK, or old data */
	/* Data for nobody, RFC 9293 section 3.6.1; or the FIN we wait for. */
	if (!(cb->flags & TANDEM_F_FIN) || cb->end_seq != tw->rcv_nxt + 1) {
		*why = TANDEM_R_AFTERCLOSE;
		return TW_RESET;
	}
	tw->substate = TCP_TIME_WAIT;
	tw->rcv_nxt = cb->end_seq;
	tw_take_ts(tw, o);
	tw_restart(tw);
	return TW_ACK;
}

/*
 * May a SYN begin a new connection at once?  Its numbers, or its timestamp, must be
 * beyond the old connection's (RFC 9293 section 3.10.7.4, RFC 6191 section 2).
 */
static bool is_new_syn(const struct tandem_timewait *tw, const struct tandem_skb_cb *cb,
		       const struct tandem_opts *o)
{
	if ((cb->flags & (TANDEM_F_SYN | TANDEM_F_RST | TANDEM_F_ACK)) != TANDEM_F_SYN)
		return false;
	if (seq_after(cb->seq, tw->rcv_nxt))
		return true;
	return tw->ts_ok && o->have & TANDEM_OPT_TS && (s32)(o->tsval - tw->ts_recent) > 0;
}

static enum tw_verdict judge_time_wait(struct tandem_timewait *tw,
				       const struct tandem_skb_cb *cb,
				       const struct tandem_opts *o,
				       enum tandem_reason *why)
{
	bool paws = tw_paws_rejects(tw, o, cb->flags);
	bool rst = cb->flags & TANDEM_F_RST;

	if (!paws && cb->seq == tw->rcv_nxt && (cb->seq == cb->end_seq || rst)) {
		if (rst) {
			*why = TANDEM_R_RSTIN;
			return TW_KILL;
		}
		tw_take_ts(tw, o);
		tw_restart(tw);
		return TW_DROP;
	}
	if (!paws && is_new_syn(tw, cb, o))
		return TW_SYN;
	*why = paws ? TANDEM_R_PAWS : TANDEM_R_OUTWIN;
	if (rst)
		return TW_DROP;
	/* Not for a SYN: it may be the new connection's, and time will let it in. */
	if (paws || cb->flags & TANDEM_F_ACK)
		tw_restart(tw);
	return TW_ACK;
}

/* The reply is made under the lock and sent without it. */
static void fill_ack(const struct tandem_timewait *tw, struct tandem_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->flags = TANDEM_F_ACK;
	reply->seq = tw->snd_nxt;
	reply->ack = tw->rcv_nxt;
	reply->window = min(tw->rcv_wnd, 65535U);
	reply->tos = tw->tos;
	reply->mark = tw->mark;
	reply->oif = tw->flow.bound_dev_if;
	if (tw->ts_ok) {
		reply->opts.have = TANDEM_OPT_TS;
		reply->opts.tsval = tandem_ts_clock(tw->flow.key.wire, tandem_now_us()) +
			tw->ts_offset;
		reply->opts.tsecr = tw->ts_recent;
	}
}

/* The listener that takes over from @tw, or NULL. */
static struct sock *find_heir(const struct tandem_timewait *tw, struct sk_buff *skb)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);

	return tandem_listener_lookup(tw->net, skb, &tw->flow.key, cb->dif, cb->sdif);
}

/*
 * Decide and act on @tw, which is locked.  True: *reply is to be sent.  *heir: the
 * listener the segment is for, after @tw has gone.
 */
static bool tw_segment(struct tandem_timewait *tw, struct sk_buff *skb,
		       const struct tandem_opts *o, struct tandem_reply *reply,
		       enum tandem_reason *why, struct sock **heir)
{
	const struct tandem_skb_cb *cb = TANDEM_CB(skb);
	enum tw_verdict verdict;
	u32 isn;

	verdict = tw->substate == TCP_FIN_WAIT2 ? judge_fin_wait2(tw, cb, o, why) :
						  judge_time_wait(tw, cb, o, why);
	if (verdict == TW_SYN) {
		*heir = find_heir(tw, skb);
		if (*heir) {
			/* RFC 6191's advice on ISNs, so that old numbers stay behind. */
			isn = tw->snd_nxt + 65535 + 2;
			TANDEM_CB(skb)->tw_isn = isn ? : 1;
			TANDEM_INC(tw->net, TWRECYCLED);
			tw_kill(tw);
			return false;
		}
		verdict = TW_ACK;
	}
	switch (verdict) {
	case TW_ACK:
		if (!tandem_reply_allowed(skb, &tw->last_ack_us))
			return false;
		fill_ack(tw, reply);
		return true;
	case TW_RESET:
		tandem_fill_reset(skb, reply);
		reply->mark = tw->mark;
		reply->oif = tw->flow.bound_dev_if;
		tw_kill(tw);
		return true;
	case TW_KILL:
		TANDEM_INC(tw->net, TWKILLED);
		tw_kill(tw);
		return false;
	default:
		return false;
	}
}

void tandem_tw_rcv(struct tandem_timewait *tw, struct sk_buff *skb)
{
	enum tandem_reason why = TANDEM_R_NONE;
	struct net *net = tw->net;
	struct tandem_reply reply;
	struct sock *heir = NULL;
	struct tandem_opts opts;
	bool answer;

	if (tandem_parse_options(skb, &opts)) {
		tandem_drop(net, NULL, skb, TANDEM_R_BADOPT);
		return;
	}
	spin_lock(&tw->lock);
	if (tw->dead) {
		spin_unlock(&tw->lock);
		tandem_rcv_again(net, skb);
		return;
	}
	answer = tw_segment(tw, skb, &opts, &reply, &why, &heir);
	spin_unlock(&tw->lock);

	if (answer)
		tandem_send_reply(net, NULL, skb, &reply);
	if (!heir)
		tandem_drop(net, NULL, skb, why);
	else if (tandem_rcv_admit(heir, skb))
		tandem_listen_rcv(heir, skb);
	else
		tandem_drop(net, heir, skb, TANDEM_R_POLICY);
}

/* ---- connect() ---- */

/* net.tandem.tw_reuse: 0 no, 1 yes, 2 for loopback only. */
static bool reuse_wanted(struct net *net, const struct tandem_timewait *tw)
{
	const struct in6_addr *l = &tw->flow.key.laddr, *r = &tw->flow.key.raddr;

	switch (tandem_knob(net, reuse_tw)) {
	case 1:
		return true;
	case 2:
		return tw->flow.bound_dev_if == LOOPBACK_IFINDEX ||
		       ipv6_addr_loopback(l) || ipv6_addr_loopback(r) ||
		       (ipv6_addr_v4mapped(l) && ipv4_is_loopback(l->s6_addr32[3])) ||
		       (ipv6_addr_v4mapped(r) && ipv4_is_loopback(r->s6_addr32[3]));
	default:
		return false;
	}
}

bool tandem_tw_reuse(struct net *net, struct tandem_flow *flow, u32 *isn)
{
	struct tandem_timewait *tw;
	bool ok;

	if (flow->kind != TANDEM_FLOW_TIMEWAIT)
		return false;
	tw = container_of(flow, struct tandem_timewait, flow);
	if (!reuse_wanted(net, tw))
		return false;
	spin_lock_bh(&tw->lock);
	/* The peer's PAWS must be able to tell old from new. */
	ok = !tw->dead && tw->substate == TCP_TIME_WAIT && tw->ts_ok &&
	     tw->ts_recent_us && tandem_now_us() - tw->ts_recent_us > REUSE_AFTER_US;
	if (ok) {
		*isn = tw->snd_nxt + 65535 + 2;
		tw_kill(tw);
	}
	spin_unlock_bh(&tw->lock);
	if (ok)
		TANDEM_INC(net, TWRECYCLED);
	return ok;
}

/* ---- init ---- */

int tandem_timewait_init(void)
{
	tw_cache = KMEM_CACHE(tandem_timewait, SLAB_HWCACHE_ALIGN);
	return tw_cache ? 0 : -ENOMEM;
}

/* After an rcu_barrier(). */
void tandem_timewait_exit(void)
{
	kmem_cache_destroy(tw_cache);
}

int tandem_timewait_net_init(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	spin_lock_init(&tn->tw_lock);
	INIT_LIST_HEAD(&tn->tw_list);
	atomic_set(&tn->tw_count, 0);
	return 0;
}

void tandem_timewait_net_exit(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	struct tandem_timewait *tw;

	for (;;) {
		spin_lock_bh(&tn->tw_lock);
		tw = list_first_entry_or_null(&tn->tw_list, struct tandem_timewait, node);
		if (tw)
			refcount_inc(&tw->refs);
		spin_unlock_bh(&tn->tw_lock);
		if (!tw)
			return;
		spin_lock_bh(&tw->lock);
		if (!tw->dead)
			tw_kill(tw);
		spin_unlock_bh(&tw->lock);
		timer_shutdown_sync(&tw->timer);
		tw_put(tw);
		cond_resched();
	}
}
