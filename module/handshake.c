// SPDX-License-Identifier: GPL-2.0
/*
 * handshake.c - the passive open: a SYN at a listener, segments for a half-open
 * connection, the child (RFC 9293 sections 3.10.7.2 and 3.10.7.4, SYN-RECEIVED).
 *
 * A SYN becomes a request minisock (request.c).  The ACK of our SYN-ACK makes a full
 * socket, cloned from the listener, which replaces the request in its place in the
 * flow table and waits in the accept queue (accept.c).  The listener's own lock is
 * never taken: its socket is only read, and struct tandem_listen has a lock of its own.
 *
 * Locks: req->lock, then a child's socket lock, then listen->lock.
 *
 * When there are too many requests, the SYN-ACK carries a cookie (cookie.c) and no
 * request is kept.
 */
#include <linux/security.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "ack.h"
#include "cong.h"
#include "cookie.h"
#include "demux.h"
#include "ecn.h"
#include "family.h"
#include "fastopen.h"
#include "handshake.h"
#include "input.h"
#include "output.h"
#include "ports.h"
#include "rare.h"
#include "recovery.h"
#include "request.h"
#include "savesyn.h"
#include "socket.h"
#include "sock.h"
#include "state.h"
#include "stream.h"
#include "timer.h"
#include "trace.h"
#include "window.h"
#include "wire.h"

/* ---- SYN at a listener ---- */

/* May another request be kept?  *@cookie: no, but a cookie may go. */
static enum tandem_reason may_open(struct sock *lsk, u32 tw_isn, bool *cookie)
{
	const struct tandem_listen *listen = tandem_sk(lsk)->listen;
	struct net *net = sock_net(lsk);
	int cookies = tandem_knob(net, syncookies);
	int max = tandem_knob(net, max_syn_backlog);
	u32 len = READ_ONCE(listen->n_requests);

	*cookie = false;
	if (sk_acceptq_is_full(lsk))
		return TANDEM_R_ACCEPTFULL;
	/* A TIME-WAIT's heir costs nothing more, and its peer is real. */
	if (tw_isn)
		return TANDEM_R_NONE;
	if (cookies == 2 || len > READ_ONCE(lsk->sk_max_ack_backlog) || len >= max) {
		*cookie = cookies;
		return cookies ? TANDEM_R_NONE : TANDEM_R_REQFULL;
	}
	return TANDEM_R_NONE;
}

static void answer_with_cookie(struct tandem_request *req, struct dst_entry *dst)
{
	struct tandem_listen *listen = tandem_sk(req->listener)->listen;
	struct tandem_cookie cookie;

	/* Only a timestamp can carry these to us again. */
	if (!req->ts_ok) {
		req->wscale_ok = false;
		req->rcv_wscale = 0;
		req->sack_ok = false;
		req->ecn_ok = false;
	}
	cookie.mss = req->mss;
	cookie.wscale_ok = req->wscale_ok;
	cookie.wscale = req->snd_wscale;
	cookie.sack_ok = req->sack_ok;
	cookie.ecn_ok = req->ecn_ok;
	req->iss = tandem_cookie_make(&req->flow.key, req->irs, &cookie);
	WRITE_ONCE(listen->cookie_us, tandem_now_us());
	TANDEM_INC(sock_net(req->listener), COOKIESSENT);
	tandem_send_synack(req, dst, &cookie);
}

/* False: another CPU took the 4-tuple, and has answered, or the listener closes. */
static bool answer_with_synack(struct tandem_request *req, struct dst_entry *dst,
			       u32 tw_isn)
{
	if (tw_isn)
		req->iss = tw_isn;
	req->snd_us = tandem_now_us();
	if (!tandem_request_publish(req))
		return false;
	tandem_send_synack(req, dst, NULL);
	return true;
}

static struct sock *child_create(struct tandem_request *req, struct sk_buff *skb);

/* Fast open: the child is made now.  False: it could not be, a request will do. */
static bool answer_with_child(struct tandem_request *req, struct sk_buff *skb, u32 tw_isn)
{
	struct sk_buff *synack = tandem_bare_skb(GFP_ATOMIC | __GFP_NOWARN);
	struct sock *lsk = req->listener, *child = NULL;

	if (tw_isn)
		req->iss = tw_isn;
	if (synack)
		child = child_create(req, skb);
	if (!child) {
		kfree_skb(synack);
		tandem_fastopen_unadmit(lsk);
		return false;
	}
	__acquire(&child->sk_lock.slock);	/* for sparse: by sk_clone_lock() */
	if (req->fo_cookie.len) {
		struct tandem_rare *rare = tandem_rare(tandem_sk(child));

		if (rare)
			rare->fo_cookie = req->fo_cookie;
	}
	tandem_fastopen_child(lsk, child, skb, synack);
	bh_unlock_sock(child);
	lsk->sk_data_ready(lsk);
	sock_put(child);
	return true;
}

/* NONE: answered; else the reason it was not. */
static enum tandem_reason syn_rcv(struct sock *lsk, struct sk_buff *skb,
				  const struct tandem_opts *o)
{
	u32 tw_isn = TANDEM_CB(skb)->tw_isn;
	struct net *net = sock_net(lsk);
	struct tandem_request *req;
	enum tandem_reason why;
	struct dst_entry *dst;
	bool cookie, sent = true, child = false;

	why = may_open(lsk, tw_isn, &cookie);
	if (why)
		return why;
	req = tandem_request_alloc(lsk, skb, o);
	if (!req)
		return TANDEM_R_NOMEM;
	req->irs = TANDEM_CB(skb)->seq;
	req->peer_wnd = TANDEM_CB(skb)->wnd;
	why = TANDEM_R_POLICY;
	if (tandem_request_allowed(req, skb))
		goto out;
	why = TANDEM_R_NOMEM;
	dst = tandem_request_af(req)->route_child(lsk, req);
	if (!dst)
		goto out;
	req->advmss = tandem_advmss(lsk, dst);
	req->ecn_ok = tandem_ecn_accepts(lsk, TANDEM_CB(skb), dst);

	if (!cookie)
		tandem_syn_save(lsk, req, skb);
	if (!cookie && tandem_fastopen_admit(req, skb, o))
		child = answer_with_child(req, skb, tw_isn);
	if (cookie)
		answer_with_cookie(req, dst);
	else if (!child)
		sent = answer_with_synack(req, dst, tw_isn);
	if (sent)
		TANDEM_INC(net, INSYNS);
	if (sent && !child) {
		TANDEM_INC(net, OUTSEGS);
		trace_tandem_reply(skb, req->iss, req->irs + 1,
				   TANDEM_F_SYN | TANDEM_F_ACK, req->rcv_wnd);
	}
	dst_release(dst);
	why = TANDEM_R_NONE;
out:
	tandem_request_put(req);
	return why;
}

/* ---- the child ---- */

/* The clone copied the listener's memory: put our own in its place. */
static void child_identity(const struct sock *lsk, struct sock *child,
			   const struct tandem_request *req)
{
	struct tandem_sock *tp = tandem_sk(child);
	struct inet_sock *inet = inet_sk(child);

	/* Of the core's tracepoints; ours comes when the addresses are there. */
	inet_sk_set_state(child, TCP_SYN_RECV);
	RCU_INIT_POINTER(inet->inet_opt, NULL);
	inet->mc_list = NULL;
#if IS_ENABLED(CONFIG_IPV6)
	if (lsk->sk_family == AF_INET)
		inet->pinet6 = NULL;	/* one that IPV6_ADDRFORM changed has its own */
#endif
	tandem_init_sock_common(child);
	tp->passive = true;
	tandem_cong_inherit(sock_net(child), &tp->cc, &tandem_sk(lsk)->cc);
	tandem_choose_again(child, lsk);

	inet->inet_num = ntohs(req->flow.key.lport);
	inet->inet_sport = req->flow.key.lport;
	inet->inet_dport = req->flow.key.rport;
	tandem_inet_id_set(inet, get_random_u16());
	atomic64_set(&child->sk_cookie, 0);
	child->sk_mark = req->mark;
	child->sk_bound_dev_if = req->iif;
	child->sk_txhash = req->txhash;
	security_sk_clone(lsk, child);

	tp->af = tandem_request_af(req);
	tp->flow.key = req->flow.key;
	tp->flow.bound_dev_if = req->iif;
	tp->flow.kind = TANDEM_FLOW_SOCK;
	tp->udp_dport = req->udp_dport;
}

/* What the SYNs agreed on, in the words of RFC 9293 section 3.3.1. */
static void child_numbers(const struct sock *lsk, struct sock *child,
			  const struct tandem_request *req)
{
	struct tandem_sock *tp = tandem_sk(child);
	u32 rcv_wnd;
	u8 wscale;

	tp->irs = req->irs;
	tp->rcv_nxt = req->irs + 1;
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_acked = tp->rcv_nxt;
	WRITE_ONCE(tp->copied_seq, tp->rcv_nxt);
	tp->rcv_wnd = req->rcv_wnd;
	tp->rcv_ssthresh = req->rcv_wnd;

	/* Our SYN is out and not ACKed: the segment at hand will do that. */
	tp->iss = req->iss;
	tp->snd_una = req->iss;
	tp->snd_nxt = req->iss + 1;
	tp->write_seq = req->iss + 1;
	tp->pushed_seq = tp->write_seq;
	tp->snd_up = tp->snd_una;
	tp->snd_sml = tp->snd_nxt;
	tandem_arrival_start(&tp->arrival, tp->snd_una);
	tp->snd_wl1 = req->irs;
	tp->snd_wnd = req->peer_wnd;
	tp->max_window = tp->snd_wnd;
	tp->total_retrans = req->resent;

	tp->ts_ok = req->ts_ok;
	tp->ts_offset = req->ts_offset;
	tp->ts_recent = req->ts_recent;
	tp->ts_recent_us = req->ts_recent_us;
	tp->sack_ok = req->sack_ok;
	tp->ecn = 0;
	tp->cc.ecn_ok = req->ecn_ok;
	if (req->ecn_ok)
		TANDEM_SK_INC(child, ECNOPENS);
	tp->wscale_ok = req->wscale_ok;
	tp->snd_wscale = req->snd_wscale;
	tp->rcv_wscale = req->rcv_wscale;
	tp->mss_clamp = req->mss;
	tp->advmss = req->advmss;
	tp->rcv_tos = req->tos;

	tp->window_clamp = READ_ONCE(tandem_sk(lsk)->window_clamp);
	tandem_syn_window(child, &rcv_wnd, &tp->window_clamp, &wscale);
	tp->window_clamp = min_t(u32, tp->window_clamp, U16_MAX << req->rcv_wscale);

	tandem_sync_mss(child, dst_mtu(__sk_dst_get(child)));
	if (req->snd_us && !req->ts_ok)
		tandem_rtt_handshake(child, tandem_now_us() - req->snd_us);
	tandem_recovery_reset(child);
	tandem_update_rto(child);
}

/* A child that nobody knows of yet goes again. Its lock and both references too. */
static void child_abandon(struct sock *child)
{
	__acquire(&child->sk_lock.slock);	/* for sparse: by sk_clone_lock() */
	tandem_set_state(child, TCP_CLOSE, TANDEM_R_NOMEM);
	tandem_orphan(child);
	tandem_destroy_sock(child);
	bh_unlock_sock(child);
	sock_put(child);
}

/* False: the listener is closing. */
static bool child_enqueue(struct sock *lsk, struct sock *child)
{
	struct tandem_listen *listen = tandem_sk(lsk)->listen;
	struct tandem_sock *tp = tandem_sk(child);
	bool ok;

	spin_lock(&listen->lock);
	ok = !listen->closed;
	if (ok) {
		sock_hold(lsk);
		tp->accept_linked = true;
		list_add_tail(&tp->accept_node, &listen->accept_q);
		sk_acceptq_added(lsk);
	}
	spin_unlock(&listen->lock);
	return ok;
}

/*
 * Make the full socket, put it in the flow table (in the place of @req, when it is
 * there) and in the accept queue.  Returned locked, with a reference beside that of
 * the queue; the segment that did it is still to be fed to it.  NULL: not now.
 */
static struct sock *child_create(struct tandem_request *req, struct sk_buff *skb)
{
	struct sock *lsk = req->listener, *child;
	struct net *net = sock_net(lsk);
	struct dst_entry *dst;
	int err;

	dst = tandem_request_af(req)->route_child(lsk, req);
	if (!dst)
		return NULL;
	child = sk_clone_lock(lsk, GFP_ATOMIC);
	if (!child) {
		dst_release(dst);
		return NULL;
	}
	child_identity(lsk, child, req);
	tandem_clock_tick(tandem_sk(child));
	err = tandem_request_af(req)->init_child(lsk, child, req, skb, dst);
	if (err)
		goto abandon;
	child_numbers(lsk, child, req);
	trace_tandem_state(child, TCP_LISTEN, TCP_SYN_RECV, TANDEM_R_SYNIN);
	if (tandem_claim_inherit(lsk, child))
		goto abandon;
	if (req->flow.hashed)
		err = tandem_flow_replace(net, &req->flow, &tandem_sk(child)->flow);
	else
		err = tandem_flow_insert(net, &tandem_sk(child)->flow);
	if (err || !child_enqueue(lsk, child))
		goto abandon;
	if (req->saved_syn)
		tandem_saved_syn_take(tandem_sk(child), req);
	TANDEM_INC(net, PASSIVEOPENS);
	return child;

abandon:
	child_abandon(child);
	return NULL;
}

/* Feed the ACK to the child and tell the program. Ends our reference and lock. */
static void child_start(struct sock *lsk, struct sock *child, struct sk_buff *skb)
{
	__acquire(&child->sk_lock.slock);	/* for sparse: by sk_clone_lock() */
	skb->dev = NULL;
	secpath_reset(skb);
	tandem_child_rcv(child, skb);
	bh_unlock_sock(child);
	lsk->sk_data_ready(lsk);
	sock_put(child);
}

/* ---- segments for a request ---- */

enum req_verdict {
	REQ_DROP,
	REQ_SYNACK,	/* the SYN again: answer again */
	REQ_ACK,	/* answer with what we expect */
	REQ_RESET,	/* answer with a reset */
	REQ_ABORT,	/* and end, too */
	REQ_KILL,	/* end without a word */
	REQ_OPEN,	/* the handshake is complete */
};

/* RFC 7323 section 4.3 (2); the segment is at or before the last ACK, and passed PAWS. */
static void take_ts_recent(struct tandem_request *req, const struct tandem_opts *o)
{
	if (!req->ts_ok || !(o->have & TANDEM_OPT_TS))
		return;
	WRITE_ONCE(req->ts_recent, o->tsval);
	req->ts_recent_us = tandem_now_us();
}

/* RFC 9293 section 3.10.7.4 in SYN-RECEIVED, in the order of tcp_check_req(). */
static enum req_verdict req_judge(struct tandem_request *req,
				  const struct tandem_skb_cb *cb,
				  const struct tandem_opts *o, enum tandem_reason *why)
{
	u32 rcv_nxt = req->irs + 1;
	u8 flags = cb->flags;
	bool paws;

	/* RFC 7323 section 5.3 */
	paws = req->ts_ok && o->have & TANDEM_OPT_TS && !(flags & TANDEM_F_RST) &&
	       (s32)(o->tsval - req->ts_recent) < 0 &&
	       tandem_now_us() - req->ts_recent_us < TANDEM_TS_VALID_US;
	if (cb->seq == req->irs && !paws &&
	    (flags & (TANDEM_F_SYN | TANDEM_F_ACK | TANDEM_F_RST | TANDEM_F_FIN)) ==
	    TANDEM_F_SYN) {
		/* The answer's echo is of this one: it is a round trip for the peer. */
		take_ts_recent(req, o);
		return REQ_SYNACK;
	}
	if (flags & TANDEM_F_ACK && cb->ack_seq != req->iss + 1) {
		*why = TANDEM_R_ACKUNSENT;
		return flags & TANDEM_F_RST ? REQ_DROP : REQ_RESET;
	}
	/* First: the sequence number. */
	if (paws || !tandem_win_acceptable(cb->seq, cb->end_seq, rcv_nxt, rcv_nxt,
					   req->rcv_wnd)) {
		*why = paws ? TANDEM_R_PAWS : TANDEM_R_OUTWIN;
		return flags & TANDEM_F_RST ? REQ_DROP : REQ_ACK;
	}
	/* Second: RST, with the care of RFC 5961 section 3.2. */
	if (flags & TANDEM_F_RST) {
		*why = cb->seq == rcv_nxt ? TANDEM_R_RSTIN : TANDEM_R_RSTCHALLENGE;
		return cb->seq == rcv_nxt ? REQ_KILL : REQ_ACK;
	}
	/* Fourth: a SYN that is not the first one's. Fifth: ACK. */
	if (flags & TANDEM_F_SYN && cb->seq != req->irs) {
		*why = TANDEM_R_SYNCHALLENGE;
		return REQ_ABORT;
	}
	if (!(flags & TANDEM_F_ACK)) {
		*why = TANDEM_R_NOACK;
		return REQ_DROP;
	}
	if (!seq_after(cb->seq, rcv_nxt))
		take_ts_recent(req, o);
	/* TCP_DEFER_ACCEPT: a bare ACK does not count until data comes. */
	if (req->retrans < READ_ONCE(tandem_sk(req->listener)->defer_accept) &&
	    cb->end_seq == rcv_nxt) {
		req->acked = true;
		return REQ_DROP;
	}
	return REQ_OPEN;
}

/* What a request answers to a segment it does not accept. */
static void send_req_ack(struct tandem_request *req, struct sk_buff *skb)
{
	struct tandem_reply reply = {
		.flags	= TANDEM_F_ACK,
		.seq	= req->iss + 1,
		.ack	= req->irs + 1,
		.window	= req->rcv_wnd >> req->rcv_wscale,
		.tos	= req->tos,
		.mark	= req->mark,
		.oif	= req->iif,
	};

	if (req->ts_ok) {
		reply.opts.have = TANDEM_OPT_TS;
		reply.opts.tsval = tandem_ts_clock(req->flow.key.wire, tandem_now_us()) +
			req->ts_offset;
		reply.opts.tsecr = req->ts_recent;
	}
	tandem_send_reply(sock_net(req->listener), req->listener, skb, &reply);
}

/*
 * Act on what must be done under the lock; req->lock is held.  Returns the verdict as
 * it is then; *child is set for REQ_OPEN.
 */
static enum req_verdict req_act(struct tandem_request *req, struct sk_buff *skb,
				enum req_verdict verdict, enum tandem_reason *why,
				struct sock **child)
{
	struct net *net = sock_net(req->listener);

	switch (verdict) {
	case REQ_SYNACK:
		if (!tandem_reply_allowed(skb, &req->last_reply_us))
			return REQ_DROP;
		tandem_request_resent(req);
		mod_timer_pending(&req->timer, jiffies + tandem_request_timeout(req));
		return REQ_SYNACK;
	case REQ_ACK:
		if (!tandem_reply_allowed(skb, &req->last_reply_us))
			return REQ_DROP;
		if (*why != TANDEM_R_RSTCHALLENGE)
			return REQ_ACK;
		if (!tandem_challenge_allowed(net)) {
			TANDEM_INC(net, CHALLENGELIMITED);
			return REQ_DROP;
		}
		TANDEM_INC(net, CHALLENGEACKS);
		return REQ_ACK;
	case REQ_ABORT:
	case REQ_KILL:
		TANDEM_INC(net, ATTEMPTFAILS);
		tandem_request_kill(req);
		return verdict;
	case REQ_OPEN:
		if (!sk_acceptq_is_full(req->listener))
			*child = child_create(req, skb);
		else
			TANDEM_INC(net, ACCEPTOVERFLOW);
		if (*child) {
			tandem_request_kill(req);
			return REQ_OPEN;
		}
		if (tandem_knob(net, abort_on_overflow)) {
			TANDEM_INC(net, ATTEMPTFAILS);
			tandem_request_kill(req);
			return REQ_RESET;
		}
		/* The next SYN-ACK makes the peer ask again. */
		req->acked = true;
		return REQ_DROP;
	default:
		return verdict;
	}
}

void tandem_request_rcv(struct tandem_request *req, struct sk_buff *skb)
{
	struct sock *lsk = req->listener, *child = NULL;
	enum tandem_reason why = TANDEM_R_NONE;
	struct net *net = sock_net(lsk);
	enum req_verdict verdict;
	struct tandem_opts opts;

	if (tandem_parse_options(skb, &opts)) {
		tandem_drop(net, lsk, skb, TANDEM_R_BADOPT);
		return;
	}
	spin_lock(&req->lock);
	if (req->dead) {
		spin_unlock(&req->lock);
		tandem_rcv_again(net, skb);
		return;
	}
	refcount_inc(&req->refs);	/* and with it lsk, until we are done */
	verdict = req_judge(req, TANDEM_CB(skb), &opts, &why);
	verdict = req_act(req, skb, verdict, &why, &child);
	spin_unlock(&req->lock);

	switch (verdict) {
	case REQ_SYNACK:
		tandem_resend_synack(req);
		break;
	case REQ_ACK:
		send_req_ack(req, skb);
		break;
	case REQ_RESET:
	case REQ_ABORT:
		tandem_send_reset(net, lsk, skb, why);
		break;
	default:
		break;
	}
	if (child)
		child_start(lsk, child, skb);
	else
		tandem_drop(net, lsk, skb, why);
	tandem_request_put(req);
}

/* ---- other segments at a listener ---- */

/*
 * Is the ACK the answer to a cookie?  True: @skb was taken.
 */
static bool cookie_rcv(struct sock *lsk, struct sk_buff *skb, struct tandem_opts *o)
{
	const struct tandem_listen *listen = tandem_sk(lsk)->listen;
	u64 sent_us = READ_ONCE(listen->cookie_us);
	u32 irs = TANDEM_CB(skb)->seq - 1, iss = TANDEM_CB(skb)->ack_seq - 1;
	struct net *net = sock_net(lsk);
	struct tandem_cookie cookie = {};
	struct tandem_flow_key key;
	struct tandem_request *req;
	struct sock *child = NULL;

	if (!tandem_knob(net, syncookies) || !sent_us ||
	    tandem_now_us() - sent_us > TANDEM_COOKIE_LIFE_US)
		return false;
	tandem_key_from_skb(&key, skb, TANDEM_CB(skb)->wire);
	if (!tandem_cookie_check(&key, irs, iss, &cookie)) {
		TANDEM_INC(net, COOKIESFAILED);
		return false;
	}
	TANDEM_INC(net, COOKIESRECV);
	if (sk_acceptq_is_full(lsk)) {
		TANDEM_INC(net, ACCEPTOVERFLOW);
		tandem_drop(net, lsk, skb, TANDEM_R_NONE);
		return true;
	}
	/* Rebuild the SYN's options: from the cookie, the rest from the timestamp. */
	o->have = (o->have & TANDEM_OPT_TS) | TANDEM_OPT_MSS;
	o->mss = cookie.mss;
	if (o->have & TANDEM_OPT_TS) {
		tandem_cookie_unclock(o->tsecr - tandem_ts_offset(&key), &cookie);
		o->have |= cookie.sack_ok ? TANDEM_OPT_SACK_OK : 0;
		o->have |= cookie.wscale_ok ? TANDEM_OPT_WSCALE : 0;
		o->wscale = min_t(u8, cookie.wscale, TANDEM_OPT_MAX_WSCALE);
	}
	req = tandem_request_alloc(lsk, skb, o);
	if (req) {
		struct dst_entry *dst = tandem_request_af(req)->route_child(lsk, req);

		req->irs = irs;
		req->iss = iss;
		req->peer_wnd = TANDEM_CB(skb)->wnd;
		req->ecn_ok = cookie.ecn_ok;
		req->advmss = tandem_advmss(lsk, dst);
		if (dst && !tandem_request_allowed(req, skb))
			child = child_create(req, skb);
		dst_release(dst);
	}
	if (child)
		child_start(lsk, child, skb);
	else
		tandem_drop(net, lsk, skb, TANDEM_R_NOMEM);
	if (req)
		tandem_request_put(req);
	return true;
}

/* RFC 9293 section 3.10.7.2, LISTEN. NONE: @skb can go, all is done. */
static enum tandem_reason listen_segment(struct sock *lsk, struct sk_buff *skb,
					 const struct tandem_opts *o)
{
	u8 flags = TANDEM_CB(skb)->flags;

	/* First: RST. Second: ACK (a cookie's was looked for before). Third: SYN. */
	if (flags & TANDEM_F_RST)
		return TANDEM_R_BADFLAGS;
	if (flags & TANDEM_F_ACK) {
		tandem_send_reset(sock_net(lsk), lsk, skb, TANDEM_R_ACKUNSENT);
		return TANDEM_R_ACKUNSENT;
	}
	if ((flags & (TANDEM_F_SYN | TANDEM_F_FIN)) != TANDEM_F_SYN)
		return TANDEM_R_BADFLAGS;
	if (!tandem_skb_unicast(skb))
		return TANDEM_R_BADFLAGS;
	return syn_rcv(lsk, skb, o);
}

void tandem_listen_rcv(struct sock *lsk, struct sk_buff *skb)
{
	struct net *net = sock_net(lsk);
	struct tandem_opts opts;
	enum tandem_reason why;

	if (inet_sk_state_load(lsk) != TCP_LISTEN) {
		/* It closed since the lookup: nobody is there. */
		tandem_send_reset(net, NULL, skb, TANDEM_R_NOSOCK);
		tandem_drop(net, lsk, skb, TANDEM_R_NOSOCK);
		return;
	}
	if (tandem_parse_options(skb, &opts)) {
		tandem_drop(net, lsk, skb, TANDEM_R_BADOPT);
		return;
	}
	if ((TANDEM_CB(skb)->flags & (TANDEM_F_SYN | TANDEM_F_ACK | TANDEM_F_RST)) ==
	    TANDEM_F_ACK && cookie_rcv(lsk, skb, &opts))
		return;
	why = listen_segment(lsk, skb, &opts);
	if (!why) {
		consume_skb(skb);
		return;
	}
	sk_drops_inc(lsk);
	tandem_drop(net, lsk, skb, why);
}
