// SPDX-License-Identifier: GPL-2.0
/*
 * request.c - half-open connections: what a SYN leaves behind until its ACK comes.
 *
 * A request minisock owns the 4-tuple in the flow table and sends SYN-ACKs, with
 * exponential backoff (RFC 6298 section 5.5), until the ACK comes or patience ends.
 * What segments do to it is in handshake.c.
 *
 * Lifetime.  A request holds its listener.  The flow table and the armed timer each
 * hold a reference on the request; whoever sets @dead under its lock takes it out of
 * everything.  It is freed by RCU, so lookups need no reference.
 */
#include <linux/security.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
#include <net/request_sock.h>
#include <net/sock.h>
#include "advert.h"
#include "cookie.h"
#include "demux.h"
#include "echo.h"
#include "family.h"
#include "handshake.h"
#include "path.h"
#include "reason.h"
#include "request.h"
#include "sock.h"
#include "window.h"
#include "wire.h"
#include "xmit.h"

static struct kmem_cache *req_cache;

/* ---- what we offer ---- */

/**
 * tandem_syn_window() - receive window and scale for a SYN or SYN-ACK
 * @sk: the socket, or the listener
 * @rcv_wnd: window to announce, bytes; not scaled, so at most 65535
 * @window_clamp: in: TCP_WINDOW_CLAMP, 0: none; out: the most we can ever advertise
 * @rcv_wscale: shift count to announce, for the buffer that autotuning may reach
 */
void tandem_syn_window(const struct sock *sk, u32 *rcv_wnd, u32 *window_clamp,
		       u8 *rcv_wscale)
{
	u32 space = tandem_rcv_full_space(sk);
	u32 clamp = *window_clamp, max_space;

	if (!clamp)
		clamp = U16_MAX << TANDEM_OPT_MAX_WSCALE;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		clamp = min(clamp, space);
	space = min(space, clamp);
	/* As TCP, of the whole buffer, though bookkeeping takes a part of it. */
	max_space = max_t(u32, space, tandem_sk_knob(sk, rmem[2]));

	*rcv_wnd = min_t(u32, space, U16_MAX);
	*rcv_wscale = 0;
	if (tandem_sk_knob(sk, window_scaling))
		*rcv_wscale = tandem_win_scale(min(max_space, clamp));
	*window_clamp = min_t(u32, clamp, U16_MAX << *rcv_wscale);
}

/* ---- requests: birth and death ---- */

const struct tandem_af_ops *tandem_request_af(const struct tandem_request *req)
{
	if (req->listener->sk_family == AF_INET)
		return &tandem_ipv4_ops;
	return ipv6_addr_v4mapped(&req->flow.key.laddr) ? &tandem_mapped_ops :
							  &tandem_ipv6_ops;
}

static void req_free_rcu(struct rcu_head *rcu)
{
	struct tandem_request *req = container_of(rcu, struct tandem_request, rcu);

	kfree(req->saved_syn);
	kfree(req->ip_opt);
	kmem_cache_free(req_cache, req);
}

void tandem_request_put(struct tandem_request *req)
{
	if (!refcount_dec_and_test(&req->refs))
		return;
	sock_put(req->listener);
	call_rcu(&req->rcu, req_free_rcu);
}

void tandem_request_kill(struct tandem_request *req)
{
	struct tandem_listen *listen = tandem_sk(req->listener)->listen;

	req->dead = true;
	tandem_flow_remove(sock_net(req->listener), &req->flow);
	spin_lock(&listen->lock);
	list_del_init(&req->node);
	WRITE_ONCE(listen->n_requests, listen->n_requests - 1);
	if (!req->retrans)
		WRITE_ONCE(listen->n_young, listen->n_young - 1);
	spin_unlock(&listen->lock);
	if (timer_delete(&req->timer))
		tandem_request_put(req);
	tandem_request_put(req);
}

void tandem_request_drop(struct tandem_request *req)
{
	spin_lock_bh(&req->lock);
	if (!req->dead)
		tandem_request_kill(req);
	spin_unlock_bh(&req->lock);
}

void tandem_request_icmp(struct tandem_request *req, u32 seq)
{
	struct net *net = sock_net(req->listener);

	if (seq != req->iss) {
		TANDEM_INC(net, ICMPOUTWIN);
		return;
	}
	TANDEM_INC(net, ICMPIN);
	TANDEM_INC(net, ATTEMPTFAILS);
	/* POSIX wants no network errors from accept(): nobody is told. */
	tandem_request_drop(req);
}

/* The SYN's options, as far as we agree. */
static void req_negotiate(struct tandem_request *req, const struct tandem_opts *o)
{
	const struct tandem_sock *ltp = tandem_sk(req->listener);
	struct net *net = sock_net(req->listener);
	bool v4 = ipv6_addr_v4mapped(&req->flow.key.laddr);
	u16 user_mss = READ_ONCE(ltp->user_mss);
	u32 mss;

	/* RFC 9293 section 3.7.1 */
	mss = v4 ? TCP_MSS_DEFAULT : IPV6_MIN_MTU - 60;
	if (o->have & TANDEM_OPT_MSS && o->mss)
		mss = max_t(u32, o->mss, tandem_knob(net, min_mss));
	if (user_mss)
		mss = min_t(u32, mss, user_mss);
	req->mss = mss;
	req->sack_ok = o->have & TANDEM_OPT_SACK_OK && tandem_knob(net, sack);
	req->wscale_ok = o->have & TANDEM_OPT_WSCALE && tandem_knob(net, window_scaling);
	if (req->wscale_ok)
		req->snd_wscale = o->wscale;
	req->ts_ok = o->have & TANDEM_OPT_TS && tandem_knob(net, timestamps);
	if (req->ts_ok) {
		req->ts_recent = o->tsval;
		req->ts_recent_us = tandem_now_us();
	}
}

/* The device replies must leave by: the listener's, or for link-local peers theirs. */
static int req_device(const struct sock *lsk, struct sk_buff *skb)
{
	int bound = READ_ONCE(lsk->sk_bound_dev_if);
	struct sock *sk = (struct sock *)lsk;

	if ((!bound || TANDEM_CB(skb)->sdif) && tandem_skb_v6(skb) &&
	    ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL)
		return TANDEM_CB(skb)->dif;
	return bound ? bound : inet_request_bound_dev_if(sk, skb);
}

struct tandem_request *tandem_request_alloc(struct sock *lsk, struct sk_buff *skb,
					    const struct tandem_opts *o)
{
	struct tandem_request *req;
	u32 clamp;

	req = kmem_cache_zalloc(req_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!req)
		return NULL;
	if (!refcount_inc_not_zero(&lsk->sk_refcnt)) {
		kmem_cache_free(req_cache, req);
		return NULL;
	}
	req->listener = lsk;
	spin_lock_init(&req->lock);
	refcount_set(&req->refs, 1);
	INIT_LIST_HEAD(&req->node);
	tandem_key_from_skb(&req->flow.key, skb, TANDEM_CB(skb)->wire);
	req->flow.kind = TANDEM_FLOW_REQUEST;
	req->udp_dport = TANDEM_CB(skb)->udp_sport;
	req->iif = req_device(lsk, skb);
	req->flow.bound_dev_if = req->iif;
	req->mark = inet_request_mark(lsk, skb);
	req->tos = TANDEM_CB(skb)->tos;
	req->txhash = net_tx_rndhash();
	tandem_numbers(sock_net(lsk), &req->flow.key, &req->iss, &req->ts_offset);
	if (!tandem_skb_v6(skb) && ip_hdr(skb)->ihl > 5)
		req->ip_opt = tandem_echo_options(sock_net(lsk), skb);
	req_negotiate(req, o);
	clamp = READ_ONCE(tandem_sk(lsk)->window_clamp);
	tandem_syn_window(lsk, &req->rcv_wnd, &clamp, &req->rcv_wscale);
	if (!req->wscale_ok)
		req->rcv_wscale = 0;
	return req;
}

/*
 * LSM's say on a new connection.  Its hook wants a struct request_sock and may leave
 * labels there; what takes them over for a child is not exported, so a child gets its
 * listener's label (security_sk_clone()) and only the verdict counts.
 */
int tandem_request_allowed(const struct tandem_request *req, struct sk_buff *skb)
{
	const struct tandem_flow_key *key = &req->flow.key;
	bool v6 = tandem_skb_v6(skb);
	struct request_sock_ops ops = { .family = v6 ? AF_INET6 : AF_INET };
	struct inet_request_sock *ireq;
	int err;

	if (!IS_ENABLED(CONFIG_SECURITY_NETWORK))
		return 0;
	ireq = kzalloc(sizeof(*ireq), GFP_ATOMIC | __GFP_NOWARN);
	if (!ireq)
		return -ENOMEM;
	ireq->req.rsk_ops = &ops;
	ireq->req.rsk_listener = req->listener;
	ireq->ireq_state = TCP_NEW_SYN_RECV;
	ireq->ireq_family = ops.family;
	write_pnet(&ireq->ireq_net, sock_net(req->listener));
	ireq->ir_v6_loc_addr = key->laddr;
	ireq->ir_v6_rmt_addr = key->raddr;
	if (!v6) {
		ireq->ir_loc_addr = key->laddr.s6_addr32[3];
		ireq->ir_rmt_addr = key->raddr.s6_addr32[3];
	}
	ireq->ir_num = ntohs(key->lport);
	ireq->ir_rmt_port = key->rport;

	err = security_inet_conn_request(req->listener, skb, &ireq->req);
	/* Labelled networking may have hung IP options on it. */
	if (!v6) {
		kfree(rcu_access_pointer(ireq->ireq_opt));
	} else if (ireq->ipv6_opt) {
		atomic_sub(ireq->ipv6_opt->tot_len, &req->listener->sk_omem_alloc);
		txopt_put(ireq->ipv6_opt);
	}
	kfree(ireq);
	return err;
}

/* ---- SYN-ACK ---- */

void tandem_send_synack(struct tandem_request *req, struct dst_entry *dst,
			const struct tandem_cookie *cookie)
{
	const struct tandem_flow_key *key = &req->flow.key;
	struct tandem_opts opts = { .have = TANDEM_OPT_MSS, .mss = req->advmss };
	struct sock *lsk = req->listener;
	u32 now = tandem_ts_clock(key->wire, tandem_now_us());
	struct sk_buff *skb;

	if (req->wscale_ok) {
		opts.have |= TANDEM_OPT_WSCALE;
		opts.wscale = req->rcv_wscale;
	}
	if (req->sack_ok)
		opts.have |= TANDEM_OPT_SACK_OK;
	if (req->fo_cookie.len) {
		opts.have |= TANDEM_OPT_FASTOPEN;
		opts.cookie = req->fo_cookie;
	}
	if (req->ts_ok) {
		opts.have |= TANDEM_OPT_TS;
		opts.tsval = (cookie ? tandem_cookie_clock(now, cookie) : now) +
			     req->ts_offset;
		opts.tsecr = READ_ONCE(req->ts_recent);
	}
	skb = alloc_skb(TANDEM_MAX_HEADER, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb) {
		TANDEM_SK_INC(lsk, OUTNOMEM);
		return;
	}
	skb_reserve(skb, TANDEM_MAX_HEADER);
	tandem_push_header(skb, key->lport, key->rport, req->iss, req->irs + 1,
			   TANDEM_F_SYN | TANDEM_F_ACK | (req->ecn_ok ? TANDEM_F_ECE : 0),
			   req->rcv_wnd, &opts);
	if (!cookie) {
		/* For the hooks on the way out; a flood need not fight for the count. */
		sock_hold(lsk);
		skb->sk = lsk;
		skb->destructor = sock_efree;
	}
	skb_set_hash(skb, req->txhash, PKT_HASH_TYPE_L4);
	tandem_request_af(req)->send_synack(lsk, req, skb, dst);
}

void tandem_resend_synack(struct tandem_request *req)
{
	struct net *net = sock_net(req->listener);
	struct dst_entry *dst;

	rcu_read_lock();
	dst = tandem_request_af(req)->route_child(req->listener, req);
	if (dst) {
		TANDEM_INC(net, RETRANSSEGS);
		tandem_count_reason(net, TANDEM_R_RTX_SYNACK);
		tandem_send_synack(req, dst, NULL);
		dst_release(dst);
	}
	rcu_read_unlock();
}

/* RFC 6298 section 5.5: the initial RTO, or the path's, doubled each time. */
unsigned long tandem_request_timeout(const struct tandem_request *req)
{
	struct net *net = sock_net(req->listener);
	u32 us = req->rto_us ? : tandem_knob(net, rto_init_ms) * 1000U;

	us = tandem_rtt_backoff_us(us, req->retrans, tandem_knob(net, rto_max_ms) * 1000U);
	return max(usecs_to_jiffies(us), 1UL);
}

/*
 * How often may a SYN-ACK be sent?  While the queue is more than half full, old
 * requests have to make room for young ones (as reqsk_timer_handler() in Linux).
 */
static int req_max_retrans(const struct sock *lsk)
{
	const struct tandem_listen *listen = tandem_sk(lsk)->listen;
	int max = READ_ONCE(tandem_sk(lsk)->syn_retries);
	u32 len = READ_ONCE(listen->n_requests), young;

	if (!max)
		max = tandem_sk_knob(lsk, synack_retries);
	if (len * 2 <= max_t(u32, 8, READ_ONCE(lsk->sk_max_ack_backlog)))
		return max;
	young = READ_ONCE(listen->n_young) * 2;
	while (max > 2 && len >= young) {
		max--;
		young *= 2;
	}
	return max;
}

/* TCP_DEFER_ACCEPT: an ACK came, data did not; ask again only for the last time. */
static bool req_expired(const struct tandem_request *req, const struct sock *lsk,
			bool *resend)
{
	u8 defer = READ_ONCE(tandem_sk(lsk)->defer_accept);
	int max = req_max_retrans(lsk);

	*resend = true;
	if (!defer)
		return req->retrans >= max;
	*resend = !req->acked || req->retrans >= defer - 1;
	return req->retrans >= max && (!req->acked || req->retrans >= defer);
}

/* A SYN-ACK goes again; its lock is held.  Karn: which one will be acknowledged? */
void tandem_request_resent(struct tandem_request *req)
{
	req->snd_us = 0;
	if (req->resent < U8_MAX)
		req->resent++;
}

/* The timer's reference goes with it, or stays for the next round. */
static void req_timer(struct timer_list *t)
{
	struct tandem_request *req = timer_container_of(req, t, timer);
	struct sock *lsk = req->listener;
	struct tandem_listen *listen = tandem_sk(lsk)->listen;
	bool resend;

	spin_lock(&req->lock);
	if (req->dead)
		goto out;
	if (inet_sk_state_load(lsk) != TCP_LISTEN || req_expired(req, lsk, &resend)) {
		TANDEM_SK_INC(lsk, REQTIMEOUTS);
		tandem_request_kill(req);
		goto out;
	}
	if (resend)
		tandem_request_resent(req);
	if (!req->retrans) {
		spin_lock(&listen->lock);
		WRITE_ONCE(listen->n_young, listen->n_young - 1);
		spin_unlock(&listen->lock);
	}
	if (req->retrans < U8_MAX)
		req->retrans++;
	mod_timer(&req->timer, jiffies + tandem_request_timeout(req));
	/* For the sending; the timer has its reference again. */
	refcount_inc(&req->refs);
	spin_unlock(&req->lock);
	if (resend)
		tandem_resend_synack(req);
	tandem_request_put(req);
	return;
out:
	spin_unlock(&req->lock);
	tandem_request_put(req);
}

bool tandem_request_publish(struct tandem_request *req)
{
	struct tandem_listen *listen = tandem_sk(req->listener)->listen;
	struct net *net = sock_net(req->listener);
	bool ok;

	timer_setup(&req->timer, req_timer, 0);
	req->rto_us = tandem_path_syn_rto_us(net, &req->flow.key, req->flow.bound_dev_if);
	/* Segments find it as soon as it is in the table, and wait for the lock. */
	spin_lock(&req->lock);
	refcount_set(&req->refs, 3);	/* flow table, timer, the caller */
	ok = !tandem_flow_insert(net, &req->flow);
	if (ok) {
		spin_lock(&listen->lock);
		ok = !listen->closed;
		if (ok) {
			list_add_tail(&req->node, &listen->requests);
			WRITE_ONCE(listen->n_requests, listen->n_requests + 1);
			WRITE_ONCE(listen->n_young, listen->n_young + 1);
		}
		spin_unlock(&listen->lock);
		if (!ok)
			tandem_flow_remove(net, &req->flow);
	}
	if (ok) {
		mod_timer(&req->timer, jiffies + tandem_request_timeout(req));
	} else {
		req->dead = true;
		refcount_set(&req->refs, 1);
	}
	spin_unlock(&req->lock);
	return ok;
}

/* ---- init ---- */

int tandem_handshake_init(void)
{
	req_cache = KMEM_CACHE(tandem_request, SLAB_HWCACHE_ALIGN);
	return req_cache ? 0 : -ENOMEM;
}

/* After an rcu_barrier(). */
void tandem_handshake_exit(void)
{
	kmem_cache_destroy(req_cache);
}
