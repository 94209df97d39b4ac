// SPDX-License-Identifier: GPL-2.0
/*
 * path.c - what is remembered of a path: RFC 9040's temporal sharing.
 *
 * A connection that ends leaves what it measured to the next one between the same two
 * addresses, so that a lost SYN is sent again after the path's RTO instead of a second,
 * fast open (RFC 7413) finds its cookie, and what is only late is not taken for lost
 * from the first flight on.  The key is the pair of addresses, the
 * device the socket is bound to (an l3mdev has addresses of its own) and the wire:
 * another wire may be treated otherwise on the way, and has another server's cookies.
 *
 * Nothing is learnt from what anybody could have forged: only from connections whose
 * handshake was completed and whose data was acknowledged, but for a cookie, which comes
 * with the SYN-ACK that acknowledges our SYN.
 *
 * Bounds.  At most path_cache_max entries, of which each lives path_cache_ttl seconds
 * after it was learnt last.  A bucket holds at most CHAIN_MAX; a new entry takes the
 * place of the oldest in its bucket when that is full, and of one in a bucket taken at
 * random when the cache is, both in constant time.  The hash is keyed, so nobody chooses
 * a bucket.
 *
 * Locks: writers take their bucket's; readers look under RCU and copy under its sequence
 * count.  Both are only needed when connections begin and end.
 */
#include <linux/hash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/seqlock.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "cong.h"
#include "fastopen.h"
#include "loss.h"
#include "path.h"
#include "rare.h"
#include "rtt.h"
#include "sock.h"
#include "timer.h"

#define BUCKETS		1024
#define CHAIN_MAX	8
/* Buckets that are tried for a victim when the cache is full. */
#define EVICT_TRIES	16
/* So many segments in order, and half of what is known of a path's reordering goes. */
#define IN_ORDER_SEGS	1000

struct path_key {
	struct in6_addr	laddr;
	struct in6_addr	raddr;
	u32		dev;
	u32		wire;
};

struct path_entry {
	struct hlist_node	node;
	struct rcu_head		rcu;
	struct path_key		key;
	struct tandem_path_info	info;	/* writers: bucket lock; readers: its count */
};

struct path_bucket {
	spinlock_t		lock;	/* this bucket's chain and entries */
	seqcount_spinlock_t	count;
	struct hlist_head	chain;
};

struct tandem_paths {
	hsiphash_key_t		secret;
	atomic_t		n;
	struct path_bucket	buckets[BUCKETS];
};

/* ---- finding ---- */

static void make_key(struct path_key *key, const struct tandem_flow_key *flow, int dev)
{
	key->laddr = flow->laddr;
	key->raddr = flow->raddr;
	key->dev = dev;
	key->wire = flow->wire;
}

static struct path_bucket *bucket_of(struct tandem_paths *paths,
				     const struct path_key *key)
{
	u32 hash;

	if (ipv6_addr_v4mapped(&key->laddr) && ipv6_addr_v4mapped(&key->raddr))
		hash = hsiphash_4u32((__force u32)key->laddr.s6_addr32[3],
				     (__force u32)key->raddr.s6_addr32[3], key->dev,
				     key->wire, &paths->secret);
	else
		hash = hsiphash(key, sizeof(*key), &paths->secret);
	return &paths->buckets[hash % BUCKETS];
}

/* Under RCU or the bucket's lock. */
static struct path_entry *find(struct path_bucket *b, const struct path_key *key)
{
	struct path_entry *e;

	hlist_for_each_entry_rcu(e, &b->chain, node, lockdep_is_held(&b->lock))
		if (!memcmp(&e->key, key, sizeof(*key)))
			return e;
	return NULL;
}

/* When something was learnt, to the tick: minutes count, and reading it costs nothing. */
static u64 coarse_us(void)
{
	return div_u64(ktime_get_coarse_ns(), NSEC_PER_USEC);
}

static bool expired(const struct net *net, const struct tandem_path_info *info)
{
	return coarse_us() - info->learnt_us >
	       (u64)tandem_knob(net, path_cache_ttl) * USEC_PER_SEC;
}

static void snapshot(struct path_bucket *b, const struct path_entry *e,
		     struct tandem_path_info *info)
{
	unsigned int start;

	do {
		start = read_seqcount_begin(&b->count);
		*info = e->info;
	} while (read_seqcount_retry(&b->count, start));
}

bool tandem_path_lookup(struct net *net, const struct tandem_flow_key *flow, int dev,
			struct tandem_path_info *info)
{
	struct tandem_paths *paths = tandem_pernet(net)->paths;
	struct path_bucket *b;
	struct path_entry *e;
	struct path_key key;

	if (!tandem_knob(net, path_cache))
		return false;
	make_key(&key, flow, dev);
	b = bucket_of(paths, &key);
	rcu_read_lock();
	e = find(b, &key);
	if (e)
		snapshot(b, e, info);
	rcu_read_unlock();
	return e && !expired(net, info);
}

/* ---- coming and going; the bucket's lock is held ---- */

static void remove_entry(struct tandem_paths *paths, struct path_entry *e)
{
	hlist_del_rcu(&e->node);
	atomic_dec(&paths->n);
	kfree_rcu(e, rcu);
}

/* The one learnt longest ago; a bucket has at most CHAIN_MAX. */
static struct path_entry *oldest(struct path_bucket *b, unsigned int *len)
{
	struct path_entry *e, *old = NULL;

	*len = 0;
	hlist_for_each_entry(e, &b->chain, node) {
		(*len)++;
		if (!old || e->info.learnt_us < old->info.learnt_us)
			old = e;
	}
	return old;
}

/* The cache is full: an entry of some other bucket has to go. No lock is held. */
static void evict_somewhere(struct net *net, struct tandem_paths *paths)
{
	u32 at = get_random_u32();
	struct path_entry *victim;
	struct path_bucket *b;
	unsigned int len;
	int i;

	for (i = 0; i < EVICT_TRIES; i++) {
		b = &paths->buckets[(at + i) % BUCKETS];
		if (hlist_empty(&b->chain))
			continue;
		spin_lock_bh(&b->lock);
		victim = oldest(b, &len);
		if (victim)
			remove_entry(paths, victim);
		spin_unlock_bh(&b->lock);
		if (victim) {
			TANDEM_INC(net, PATHSEVICTED);
			return;
		}
	}
}

static struct path_entry *add_entry(struct net *net, struct tandem_paths *paths,
				    struct path_bucket *b, const struct path_key *key)
{
	struct path_entry *e, *old;
	unsigned int len;

	old = oldest(b, &len);
	if (old && (len >= CHAIN_MAX || expired(net, &old->info))) {
		if (!expired(net, &old->info))
			TANDEM_INC(net, PATHSEVICTED);
		remove_entry(paths, old);
	}
	if (atomic_read(&paths->n) >= tandem_knob(net, path_cache_max))
		return NULL;
	e = kzalloc(sizeof(*e), GFP_ATOMIC | __GFP_NOWARN);
	if (!e)
		return NULL;
	e->key = *key;
	atomic_inc(&paths->n);
	hlist_add_head_rcu(&e->node, &b->chain);
	return e;
}

/* The entry of @sk's path, new if need be, with its bucket locked; NULL: neither. */
static struct path_entry *open_entry(struct sock *sk, struct path_bucket **bucket)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);
	struct tandem_paths *paths = tandem_sk(sk)->tn->paths;
	struct path_bucket *b;
	struct path_entry *e;
	struct path_key key;

	if (!tandem_sk_knob(sk, path_cache) || !tandem_sk_knob(sk, path_cache_max))
		return NULL;
	make_key(&key, &tp->flow.key, tp->flow.bound_dev_if);
	b = bucket_of(paths, &key);
	if (atomic_read(&paths->n) >= tandem_sk_knob(sk, path_cache_max)) {
		rcu_read_lock();
		e = find(b, &key);
		rcu_read_unlock();
		if (!e)
			evict_somewhere(net, paths);
	}
	spin_lock_bh(&b->lock);
	e = find(b, &key);
	if (!e)
		e = add_entry(net, paths, b, &key);
	if (!e) {
		spin_unlock_bh(&b->lock);
		return NULL;
	}
	write_seqcount_begin(&b->count);
	if (expired(net, &e->info))
		memset(&e->info, 0, sizeof(e->info));
	e->info.learnt_us = coarse_us();
	*bucket = b;
	__release(&b->lock);		/* sparse cannot know that it is held if there is one */
	return e;
}

static void close_entry(struct path_bucket *b)
{
	__acquire(&b->lock);		/* open_entry() took it */
	write_seqcount_end(&b->count);
	spin_unlock_bh(&b->lock);
}

/* ---- learning ---- */

/*
 * Bytes acknowledged in a round trip, over its time: what the path, or the program,
 * carried.  The highest of the last rounds counts, in two halves so that it can fall.
 * And how many segments had company: one alone cannot be overtaken.
 */
void tandem_path_sample(struct sock *sk, u64 now_us)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 mss = max(tp->mss_cache, 1U);
	struct tandem_rounds *r;
	u32 bytes;
	u64 us;

	/* One segment at a time says nothing of what the path could carry. */
	if (tandem_cong_is_quiet(&tp->cc) && !tandem_cwnd_limited(tp))
		return;
	r = tandem_rounds(tp);
	if (!r)
		return;
	if (!r->start_us) {
		r->start_us = now_us;
		r->bytes = tp->bytes_acked;
		r->end_seq = tp->snd_nxt;
		return;
	}
	if (seq_before(tp->snd_una, r->end_seq))
		return;
	us = now_us - r->start_us;
	/* Nothing was in flight when it began, or ACKs came in a bunch: no round trip. */
	if (!us || us < tp->rtt.min_us)
		return;
	bytes = (u32)tp->bytes_acked - r->bytes;
	r->bw[0] = max(r->bw[0], div64_u64((u64)bytes * USEC_PER_SEC, us));
	if (bytes > TANDEM_DUPTHRESH * mss)
		r->segs += min(bytes / mss, U32_MAX - r->segs);
	if (++r->n % 8 == 0) {
		r->bw[1] = r->bw[0];
		r->bw[0] = 0;
	}
	r->start_us = now_us;
	r->bytes = tp->bytes_acked;
	r->end_seq = tp->snd_nxt;
}

/*
 * RFC 9040 section 8, and Linux's way to fold: a longer round trip replaces what was
 * known, a shorter one moves it by an eighth, for a timer that is too early costs more
 * than one that is late.
 */
static u32 fold_rtt(u32 old, u32 new)
{
	return !old || new > old ? new : old - ((old - new) >> 3);
}

/* A connection that asked for little says little of the rate. */
static void fold_rate(struct tandem_path_info *info, const struct tandem_rounds *r)
{
	u64 bw = max(r->bw[0], r->bw[1]);

	if (bw > info->bw || r->n >= 8)
		info->bw = bw;
}

/*
 * Whether the path reorders: the degree is the largest that was seen, in segments, as in
 * Linux's tcp_metrics; with it goes how late the detector allowed them to be.  Segments
 * that could have been overtaken and were not speak against it, and by halves it is
 * forgotten: a path is not slower for ever because a router on it once was odd, and a
 * hundred exchanges of one segment each prove nothing.
 */
static void fold_reordering(struct tandem_path_info *info, const struct sock *sk)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_loss *l = tp->loss_begun ? &tp->trouble->loss : NULL;

	if (!tandem_loss_sees_reordering(sk))
		return;
	if (l && l->reord_seen) {
		info->reordering = max(info->reordering, l->reordering);
		info->reo_mult = l->reo_mult;
		info->in_order_segs = 0;
		return;
	}
	if (!info->reordering)
		return;
	if (tp->rounds)
		info->in_order_segs += min(tp->rounds->segs, U32_MAX - info->in_order_segs);
	for (; info->in_order_segs >= IN_ORDER_SEGS && info->reordering;
	     info->in_order_segs -= IN_ORDER_SEGS) {
		info->reordering /= 2;
		info->reo_mult = max(info->reo_mult / 2, 1);
		if (info->reordering < TANDEM_DUPTHRESH)
			info->reordering = 0;
	}
}

void tandem_path_learn(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_path_info *info;
	struct path_bucket *b;
	struct path_entry *e;

	/* More than our SYN was acknowledged, and it is told once. */
	if (!tp->path_learns || tp->bytes_acked <= 1 || !tp->rtt.srtt_us8 || tp->backoff)
		return;
	tp->path_learns = false;
	tandem_fastopen_went_well(sk);
	e = open_entry(sk, &b);
	if (!e)
		return;
	info = &e->info;
	info->srtt_us = fold_rtt(info->srtt_us, tandem_rtt_srtt_us(&tp->rtt));
	info->rttvar_us = fold_rtt(info->rttvar_us, tp->rtt.rttvar_us4 >> 2);
	info->min_rtt_us = tp->rtt.min_us;
	info->mss = tp->mss_clamp;
	if (tp->cc.ssthresh < TANDEM_SSTHRESH_INF)
		info->ssthresh = info->ssthresh ? (info->ssthresh + tp->cc.ssthresh) / 2 :
						  tp->cc.ssthresh;
	if (tp->rounds)
		fold_rate(info, tp->rounds);
	fold_reordering(info, sk);
	close_entry(b);
	TANDEM_SK_INC(sk, PATHSLEARNT);
}

void tandem_path_learn_fastopen(struct sock *sk, u16 mss,
				const struct tandem_fo_cookie *cookie, bool syn_lost)
{
	struct path_bucket *b;
	struct path_entry *e = open_entry(sk, &b);

	if (!e)
		return;
	if (mss)
		e->info.mss = mss;
	if (cookie && (cookie->len || !e->info.cookie.len))
		e->info.cookie = *cookie;
	if (syn_lost) {
		if (e->info.syn_losses < U8_MAX)
			e->info.syn_losses++;
		e->info.syn_loss_us = tandem_now_us();
	} else {
		e->info.syn_losses = 0;
	}
	close_entry(b);
}

/* ---- using ---- */

/*
 * RFC 6298 section 2.3 with what was measured, doubled: the path may have changed, and
 * a SYN sent again too early is worse than one that is a little late.
 */
static u32 syn_rto_us(const struct net *net, const struct tandem_path_info *info)
{
	u64 rto = info->srtt_us + max_t(u64, jiffies_to_usecs(1), 4ULL * info->rttvar_us);

	rto = max_t(u64, 2 * rto, tandem_knob(net, rto_min_ms) * 1000ULL);
	return min_t(u64, rto, tandem_knob(net, rto_max_ms) * 1000ULL);
}

u32 tandem_path_syn_rto_us(struct net *net, const struct tandem_flow_key *flow, int dev)
{
	struct tandem_path_info info;

	/* TCPs wait a second, and who counts SYNs on their wire expects it. */
	if (flow->wire == TANDEM_WIRE_TCP && !tandem_knob(net, tcp_wire_thrift))
		return 0;
	if (!tandem_path_lookup(net, flow, dev, &info) || !info.srtt_us)
		return 0;
	TANDEM_INC(net, PATHSUSED);
	return syn_rto_us(net, &info);
}

/* A jump of cwnd is spread over the round trip: by fq on the way out, else by pace.c. */
static void ask_for_pacing(struct sock *sk)
{
	cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE, SK_PACING_NEEDED);
}

static void resume_prime(struct sock *sk, const struct tandem_path_info *info, u64 pipe)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_rare *rare;

	if (tandem_sk_knob(sk, path_cache) != 2 || tp->total_retrans)
		return;
	rare = tandem_rare(tp);
	if (!rare)
		return;
	ask_for_pacing(sk);
	tandem_resume_start(&rare->resume, min_t(u64, pipe, U32_MAX / 2), info->min_rtt_us,
			    tp->cc.cwnd);
}

/* The path is not what it was. */
static void forget_rate(struct sock *sk)
{
	struct path_bucket *b;
	struct path_entry *e = open_entry(sk, &b);

	if (!e)
		return;
	e->info.bw = 0;
	e->info.ssthresh = 0;
	close_entry(b);
}

void tandem_path_prime(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_path_info info;
	u64 pipe;

	tp->path_learns = true;
	if (!tandem_path_lookup(sock_net(sk), &tp->flow.key, tp->flow.bound_dev_if, &info))
		return;
	/* Karn left us without a sample: the path's is better than RFC 6298's 3 s. */
	if (!tp->rtt.srtt_us8 && info.srtt_us) {
		tp->rtt.srtt_us8 = min(info.srtt_us, U32_MAX / 8) * 8;
		tp->rtt.rttvar_us4 = min(max(info.rttvar_us, info.srtt_us / 2),
					 U32_MAX / 4) * 4;
		tandem_update_rto(sk);
	}
	if (info.reordering) {
		tandem_loss_prime(sk, info.reordering, info.reo_mult);
		TANDEM_SK_INC(sk, PATHSREORDER);
	}
	pipe = mul_u64_u32_div(info.bw, info.min_rtt_us, USEC_PER_SEC);
	pipe = div_u64(pipe, max(tp->mss_cache, 1U));
	resume_prime(sk, &info, pipe);
	/*
	 * RFC 9040 section 8: slow start ends where congestion was met last, but not
	 * below what the path is known to carry, lest one lossy connection makes the
	 * next ones slow.
	 */
	if (info.ssthresh && !tp->total_retrans)
		tp->cc.ssthresh = clamp_t(u64, max_t(u64, info.ssthresh, pipe),
					  2 * tp->cc.cwnd, TANDEM_SSTHRESH_INF);
}

/*
 * Over one round trip, says the draft.  An algorithm with a rate of its own has set it for
 * the window of before, and all ACKs of that may be in: the next comes after the jump.
 */
static void pace_jump(struct tandem_sock *tp)
{
	struct tandem_cc *cc = &tp->cc;
	u64 rate;

	if (!cc->pacing_rate || !cc->srtt_us)
		return;
	rate = mul_u64_u32_div((u64)cc->cwnd * tp->mss_cache, USEC_PER_SEC, cc->srtt_us);
	cc->pacing_rate = max(cc->pacing_rate, rate);
}

void tandem_path_step(struct sock *sk, u32 acked)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_resume_ack a;
	struct tandem_resume *r;
	u32 ssthresh;
	u8 was;

	if (likely(!tp->rare))
		return;
	r = &tp->rare->resume;
	was = r->state;
	if (was == TANDEM_RESUME_NORMAL)
		return;
	if (was == TANDEM_RESUME_RETREAT) {
		ssthresh = tandem_resume_retreat_ack(r, tp->snd_una, acked);
		if (ssthresh)
			tp->cc.ssthresh = ssthresh;
		return;
	}
	if (tandem_in_recovery(tp)) {
		if (!tandem_resume_congestion(r, tp->snd_nxt, &tp->cc.cwnd))
			return;
		/* Recovery ends at ssthresh: not above where the retreat begins. */
		tp->cc.ssthresh = max(min(tp->cc.ssthresh, tp->cc.cwnd), TANDEM_CWND_MIN);
		forget_rate(sk);
		TANDEM_SK_INC(sk, RESUMERETREATS);
		return;
	}
	a.una = tp->snd_una;
	a.nxt = tp->snd_nxt;
	a.acked = acked;
	a.flight = tandem_pipe(tp);
	a.cwnd = tp->cc.cwnd;
	a.min_rtt_us = tp->rtt.min_us;
	a.has_more = !skb_queue_empty(&sk->sk_write_queue);
	tp->cc.cwnd = min(tandem_resume_ack(r, &a), tp->cc.cwnd_clamp);
	if (r->state == TANDEM_RESUME_UNVALIDATED && r->state != was) {
		pace_jump(tp);
		TANDEM_SK_INC(sk, RESUMES);
	}
	if (r->state == TANDEM_RESUME_NORMAL && was == TANDEM_RESUME_VALIDATING)
		TANDEM_SK_INC(sk, RESUMESVALID);
}

/* ---- for people ---- */

void tandem_path_flush(struct net *net)
{
	struct tandem_paths *paths = tandem_pernet(net)->paths;
	struct hlist_node *next;
	struct path_entry *e;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		struct path_bucket *b = &paths->buckets[i];

		spin_lock_bh(&b->lock);
		hlist_for_each_entry_safe(e, next, &b->chain, node)
			remove_entry(paths, e);
		spin_unlock_bh(&b->lock);
		cond_resched();
	}
}

static void show_entry(struct seq_file *m, const struct path_key *key,
		       const struct tandem_path_info *info)
{
	static const char * const wires[] = { "native", "tcp", "udp" };

	seq_printf(m, "%pI6c %pI6c dev %u wire %s age %llu rtt_us %u rttvar_us %u min_rtt_us %u mss %u ssthresh %u bw %llu cookie %u syn_losses %u reordering %u reo_mult %u\n",
		   &key->laddr, &key->raddr, key->dev, wires[key->wire % 3],
		   div_u64(coarse_us() - info->learnt_us, USEC_PER_SEC),
		   info->srtt_us, info->rttvar_us, info->min_rtt_us, info->mss,
		   info->ssthresh, info->bw, max_t(int, info->cookie.len, 0),
		   info->syn_losses, info->reordering, info->reo_mult);
}

/* /proc/net/tandem/paths; a line each.  No cookie is shown, only its length. */
int tandem_path_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct tandem_paths *paths = tandem_pernet(net)->paths;
	struct tandem_path_info info;
	struct path_entry *e;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		struct path_bucket *b = &paths->buckets[i];

		rcu_read_lock();
		hlist_for_each_entry_rcu(e, &b->chain, node) {
			snapshot(b, e, &info);
			if (!expired(net, &info))
				show_entry(m, &e->key, &info);
		}
		rcu_read_unlock();
	}
	return 0;
}

int tandem_path_net_init(struct net *net)
{
	struct tandem_paths *paths = kvzalloc(sizeof(*paths), GFP_KERNEL);
	int i;

	if (!paths)
		return -ENOMEM;
	get_random_bytes(&paths->secret, sizeof(paths->secret));
	for (i = 0; i < BUCKETS; i++) {
		spin_lock_init(&paths->buckets[i].lock);
		seqcount_spinlock_init(&paths->buckets[i].count, &paths->buckets[i].lock);
		INIT_HLIST_HEAD(&paths->buckets[i].chain);
	}
	tandem_pernet(net)->paths = paths;
	return 0;
}

/* Sockets, requests and /proc are gone. */
void tandem_path_net_exit(struct net *net)
{
	tandem_path_flush(net);
	kvfree(tandem_pernet(net)->paths);
	tandem_pernet(net)->paths = NULL;
}
