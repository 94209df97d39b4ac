// SPDX-License-Identifier: GPL-2.0
/*
 * linksim.c - see linksim.h.
 *
 * An event is a segment's arrival, an ACK's, or a timer of a flow; a binary heap orders
 * them by time and, at equal times, by when they were made, so that runs repeat.  The
 * queue needs no events: with one FIFO at a fixed rate, the time at which a segment
 * leaves is known when it enters.
 *
 * A transmission, not a sequence number, is the unit of book-keeping: each sending, first
 * or repeated, gets the next number, arrivals name it, and a transmission is lost when
 * three later ones arrived, or a later one did and it is late (RFC 8985 section 6.2).
 */
#include "linksim.h"
#include "fuzz.h"

#define RING		(1U << 17)
#define SLOT(n)		((n) & (RING - 1))
#define DUPTHRESH	3U
#define SAMPLES		(1U << 20)
#define INITIAL_BURST	10	/* not paced (RFC 6928), as Linux */
#define DELACK_US	40000U
#define RTO_MIN_US	200000U

enum ev_kind { EV_START, EV_ARRIVE, EV_ACK, EV_SEND, EV_DELACK, EV_TIMER, EV_SAMPLE };

struct ev {
	u64	at;			/* nanoseconds */
	u64	order;
	u32	arg;
	u16	flow;
	u8	kind;
};

enum { TX_OUT = 1, TX_DELIVERED, TX_LOST };

struct tx {
	u64	sent_us, delivered_us, first_us;
	u32	seq, delivered, lost, ce, in_flight;
	u8	state;
	bool	app_limited, again, marked;
};

struct flow {
	struct linksim_flow *cfg;
	struct tandem_cc *cc;
	u32	id;
	struct tx *tx;			/* RING, by transmission */
	u8	*got;			/* RING, by sequence: the sender knows it arrived */
	u8	*there;			/* RING, by sequence: it arrived */
	u32	*arrived;		/* RING, transmissions not ACKed yet */
	u32	*again;			/* RING, sequences to send again */
	u32	arr_head, arr_acked, arr_tail, again_head, again_tail;
	u32	next_tx, oldest_tx, high_tx;
	u32	next_seq, una, high_seq, cwr_seq;
	u32	pipe, max_pipe, max_pipe_seq;
	u64	delivered_us, first_us, next_send_ns, delack_ns, timer_us;
	u32	app_limited, rttvar_us, backoff;
	u32	prr_delivered, prr_out, prr_base;
	bool	send_pending, timer_pending, delack_pending, tlp_done, cwnd_full, started;
};

struct world {
	struct linksim *sim;
	struct ev *heap;
	size_t	n, room;
	u64	order, now_ns, link_free_ns;
	u64	rng;
	struct flow flows[LINKSIM_FLOWS];
	u32	*samples;
	u32	n_samples;
};

static void *zalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	MUST(p);
	return p;
}

static bool earlier(const struct ev *a, const struct ev *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void post(struct world *w, u64 at, enum ev_kind kind, u32 flow, u32 arg)
{
	struct ev e = { .at = at, .order = w->order++, .arg = arg, .flow = flow,
			.kind = kind };
	size_t i = w->n++, up;

	if (w->n > w->room) {
		w->room = w->room * 2 + 1024;
		w->heap = realloc(w->heap, w->room * sizeof(*w->heap));
		MUST(w->heap);
	}
	for (; i; i = up) {
		up = (i - 1) / 2;
		if (!earlier(&e, &w->heap[up]))
			break;
		w->heap[i] = w->heap[up];
	}
	w->heap[i] = e;
}

static struct ev take(struct world *w)
{
	struct ev top = w->heap[0], e = w->heap[--w->n];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < w->n) {
		if (down + 1 < w->n && earlier(&w->heap[down + 1], &w->heap[down]))
			down++;
		if (!earlier(&w->heap[down], &e))
			break;
		w->heap[i] = w->heap[down];
		i = down;
	}
	w->heap[i] = e;
	return top;
}

static u32 chance(struct world *w)		/* parts of a million */
{
	w->rng ^= w->rng >> 12;
	w->rng ^= w->rng << 25;
	w->rng ^= w->rng >> 27;
	return ((w->rng * 0x2545f4914f6cdd1dULL) >> 32) * 1000000ULL >> 32;
}

static u64 wire_ns(u64 bytes, u64 rate_bps)
{
	return bytes * 8000000000ULL / rate_bps;
}

/* One segment enters the link: when it arrives, or 0 if it is lost. */
static u64 through_link(struct world *w, struct flow *f, bool *marked)
{
	struct linksim *sim = w->sim;
	u64 wait = w->link_free_ns > w->now_ns ? w->link_free_ns - w->now_ns : 0;
	u64 queued = wait * (sim->rate_bps / 1000) / 8000000;

	*marked = false;
	if (sim->loss_ppm && chance(w) < sim->loss_ppm)
		return 0;
	if (queued + LINKSIM_WIRE > sim->buffer) {
		sim->drops++;
		return 0;
	}
	if (sim->ecn_mark && queued >= sim->ecn_mark && f->cc->ecn_ok) {
		*marked = true;
		sim->marks++;
	}
	w->link_free_ns = w->now_ns + wait + wire_ns(LINKSIM_WIRE, sim->rate_bps);
	return w->link_free_ns + (sim->rtt_us + f->cfg->extra_rtt_us) * 500ULL;
}

static u64 now_us(const struct world *w)
{
	return w->now_ns / 1000;
}

static void arm_timer(struct world *w, struct flow *f, u64 at_us)
{
	f->timer_us = at_us;
	if (f->timer_pending)
		return;				/* it looks again when it fires */
	f->timer_pending = true;
	post(w, at_us * 1000, EV_TIMER, f->id, 0);
}

static u64 rto_us(const struct flow *f)
{
	u64 rto = f->cc->srtt_us + max(4 * f->rttvar_us, RTO_MIN_US);

	return rto << f->backoff;
}

static void transmit(struct world *w, struct flow *f, u32 seq, bool again)
{
	struct tx *t = &f->tx[SLOT(f->next_tx)];
	bool marked;
	u64 at;

	MUST(f->next_tx - f->oldest_tx < RING - 1);
	if (!f->pipe) {
		f->first_us = now_us(w);
		f->delivered_us = now_us(w);
		if (f->cfg->ops->event)
			f->cfg->ops->event(f->cc, TANDEM_CONG_EV_TX_START);
	}
	f->pipe++;
	f->cc->in_flight = f->pipe;
	f->prr_out++;
	f->cfg->sent++;
	if (f->pipe > f->max_pipe || f->una >= f->max_pipe_seq) {
		f->max_pipe = f->pipe;
		f->max_pipe_seq = f->next_seq;
	}
	*t = (struct tx) {
		.sent_us = now_us(w), .delivered_us = f->delivered_us,
		.first_us = f->first_us, .seq = seq, .delivered = f->cc->delivered,
		.lost = f->cc->lost, .ce = f->cc->delivered_ce, .in_flight = f->pipe,
		.state = TX_OUT, .app_limited = f->app_limited, .again = again,
	};
	at = through_link(w, f, &marked);
	t->marked = marked;
	if (at)
		post(w, at, EV_ARRIVE, f->id, f->next_tx);
	f->next_tx++;
	if (f->pipe == 1 || !f->timer_us)
		arm_timer(w, f, now_us(w) + 2 * f->cc->srtt_us + DELACK_US);
}

static u64 pacing_rate(const struct flow *f)
{
	const struct tandem_cc *cc = f->cc;
	u64 rate;

	if (f->cfg->ops->flags & TANDEM_CONG_PACED)
		return cc->pacing_rate;
	if (!f->cfg->paced || !cc->srtt_us)
		return 0;
	rate = (u64)cc->cwnd * cc->mss * 1000000 / cc->srtt_us;
	return cc->cwnd < cc->ssthresh / 2 ? rate * 2 : rate * 12 / 10;
}

/* How many sequences the program has written so far. */
static u64 written(const struct world *w, const struct flow *f)
{
	const struct linksim_flow *c = f->cfg;
	u64 all = c->bytes ? DIV_ROUND_UP(c->bytes, LINKSIM_MSS) : U32_MAX, some;

	if (c->stop_us && now_us(w) >= c->stop_us)
		return min(all, (u64)f->next_seq);
	if (!c->chunk_bytes)
		return all;
	some = (now_us(w) - c->start_us) / c->chunk_us + 1;
	return min(all, some * c->chunk_bytes / LINKSIM_MSS);
}

static bool next_to_send(struct world *w, struct flow *f, u32 *seq, bool *again)
{
	while (f->again_head != f->again_tail) {
		*seq = f->again[SLOT(f->again_head++)];
		*again = true;
		if (!f->got[SLOT(*seq)])
			return true;
	}
	*again = false;
	if (f->next_seq >= written(w, f) || f->next_seq - f->una >= RING / 2)
		return false;
	*seq = f->next_seq++;
	f->got[SLOT(*seq)] = 0;
	f->there[SLOT(*seq)] = 0;
	return true;
}

static void send_more(struct world *w, struct flow *f)
{
	u64 rate, at;
	bool again;
	u32 seq;

	f->cwnd_full = false;
	for (;;) {
		if (f->pipe >= f->cc->cwnd) {
			f->cwnd_full = true;
			return;
		}
		rate = pacing_rate(f);
		if (rate && f->next_send_ns > w->now_ns) {
			if (!f->send_pending)
				post(w, f->next_send_ns, EV_SEND, f->id, 0);
			f->send_pending = true;
			return;
		}
		if (!next_to_send(w, f, &seq, &again))
			break;
		transmit(w, f, seq, again);
		if (rate && f->cfg->sent > INITIAL_BURST)
			f->next_send_ns = max(f->next_send_ns, w->now_ns) +
				f->cc->mss * 1000000000ULL / rate;
	}
	/* Nothing to send, though we could. */
	f->app_limited = max(f->cc->delivered + f->pipe, 1U);
	f->cc->app_limited = true;
	if (f->cfg->chunk_bytes && !f->send_pending &&
	    (!f->cfg->stop_us || now_us(w) < f->cfg->stop_us)) {
		at = now_us(w) - f->cfg->start_us;
		at = f->cfg->start_us + (at / f->cfg->chunk_us + 1) * f->cfg->chunk_us;
		post(w, at * 1000, EV_SEND, f->id, 0);
		f->send_pending = true;
	}
}

static void event(struct flow *f, enum tandem_cong_event ev)
{
	if (f->cfg->ops->event)
		f->cfg->ops->event(f->cc, ev);
}

static void reduce(struct flow *f, enum tandem_ca_state state)
{
	struct tandem_cc *cc = f->cc;

	cc->prior_cwnd = cc->cwnd;
	cc->ssthresh = max(f->cfg->ops->ssthresh(cc), TANDEM_CWND_MIN);
	f->high_seq = f->next_seq;
	f->prr_delivered = 0;
	f->prr_out = 0;
	f->prr_base = max(f->pipe, 1U);
	cc->ca_state = state;
	if (state != TANDEM_CA_LOSS && !f->cfg->ops->control)
		cc->cwnd = max(cc->cwnd, 1U);
}

/* RFC 6937 section 3.1, with slow start reduction bound. */
static void prr(struct flow *f, u32 acked, bool progress)
{
	struct tandem_cc *cc = f->cc;
	s64 send;

	f->prr_delivered += acked;
	if (f->pipe > cc->ssthresh) {
		send = ((u64)f->prr_delivered * cc->ssthresh + f->prr_base - 1) /
			f->prr_base;
		send -= f->prr_out;
	} else {
		send = max((s64)f->prr_delivered - f->prr_out, (s64)acked);
		if (progress)
			send++;
		send = min(send, (s64)cc->ssthresh - f->pipe);
	}
	cc->cwnd = max(f->pipe + (u32)max(send, (s64)0), 1U);
}

static void lose(struct world *w, struct flow *f, u32 n, bool tell)
{
	struct tx *t = &f->tx[SLOT(n)];
	struct tandem_cong_lost l;

	t->state = TX_LOST;
	f->pipe--;
	f->cc->lost++;
	f->cfg->lost++;
	f->again[SLOT(f->again_tail++)] = t->seq;
	if (!tell || !f->cfg->ops->on_lost)
		return;
	l = (struct tandem_cong_lost) {
		.segs = 1, .tx_in_flight = t->in_flight,
		.lost_since = f->cc->lost - t->lost, .app_limited = t->app_limited,
	};
	f->cfg->ops->on_lost(f->cc, &l);
}

static u32 find_losses(struct world *w, struct flow *f, u32 rtt)
{
	u32 n, lost = 0, late = rtt + f->cc->min_rtt_us / 4;
	struct tx *t;

	while (f->oldest_tx != f->next_tx && f->tx[SLOT(f->oldest_tx)].state != TX_OUT)
		f->oldest_tx++;
	for (n = f->oldest_tx; n != f->next_tx && n < f->high_tx; n++) {
		t = &f->tx[SLOT(n)];
		if (t->state != TX_OUT)
			continue;
		if (f->high_tx - n < DUPTHRESH && now_us(w) < t->sent_us + late)
			break;
		lose(w, f, n, true);
		lost++;
	}
	return lost;
}

static void take_rtt(struct flow *f, u32 rtt)
{
	struct tandem_cc *cc = f->cc;
	s64 err;

	if (!cc->srtt_us) {
		cc->srtt_us = rtt;
		f->rttvar_us = rtt / 2;
	} else {
		err = (s64)rtt - cc->srtt_us;
		cc->srtt_us += err / 8;
		f->rttvar_us += ((err < 0 ? -err : err) - (s64)f->rttvar_us) / 4;
	}
	cc->min_rtt_us = min(cc->min_rtt_us, rtt);
}

/* What the next @n arrivals deliver; true if there is a newest one. */
static bool deliver(struct world *w, struct flow *f, u32 n, struct tandem_cong_ack *a,
		    struct tx *newest)
{
	struct tandem_cc *cc = f->cc;
	bool have = false;
	struct tx *t;

	while (n--) {
		u32 id = f->arrived[SLOT(f->arr_head++)];

		t = &f->tx[SLOT(id)];
		if (t->state == TX_OUT)
			f->pipe--;
		t->state = TX_DELIVERED;
		if (id + 1 > f->high_tx)
			f->high_tx = id + 1;
		if (!f->got[SLOT(t->seq)] && t->seq >= f->una) {
			f->got[SLOT(t->seq)] = 1;
			a->acked++;
			cc->delivered++;
			if (t->marked)
				cc->delivered_ce++;
		}
		if (t->marked)
			a->ece = true;
		*newest = *t;
		have = true;
	}
	while (f->una < f->next_seq && f->got[SLOT(f->una)]) {
		f->una++;
		a->new_una = true;
	}
	return have;
}

static void sample_rate(struct world *w, struct flow *f, const struct tx *t,
			struct tandem_rate_sample *rs)
{
	struct tandem_cc *cc = f->cc;
	u64 send, back;

	if (f->app_limited && cc->delivered > f->app_limited)
		f->app_limited = 0;
	cc->app_limited = f->app_limited != 0;
	f->delivered_us = now_us(w);
	f->first_us = t->sent_us;
	send = t->sent_us - t->first_us;
	back = now_us(w) - t->delivered_us;
	rs->interval_us = max3(send, back, 1ULL);
	if (rs->interval_us < cc->min_rtt_us)
		return;
	rs->delivered = cc->delivered - t->delivered;
	rs->prior_delivered = t->delivered;
	rs->delivered_ce = cc->delivered_ce - t->ce;
	rs->lost = cc->lost - t->lost;
	rs->tx_in_flight = t->in_flight;
	rs->app_limited = t->app_limited;
	rs->retransmitted = t->again;
}

static void change_state(struct flow *f, const struct tandem_cong_ack *a)
{
	struct tandem_cc *cc = f->cc;
	const struct tandem_cong_ops *ops = f->cfg->ops;

	if (cc->ca_state >= TANDEM_CA_CWR && f->una >= f->high_seq) {
		if (cc->ca_state != TANDEM_CA_LOSS && !ops->control)
			cc->cwnd = cc->ssthresh;
		cc->ca_state = TANDEM_CA_OPEN;
		event(f, TANDEM_CONG_EV_RECOVERED);
	}
	if (a->lost && cc->ca_state < TANDEM_CA_RECOVERY) {
		reduce(f, TANDEM_CA_RECOVERY);
		f->cfg->recoveries++;
		event(f, TANDEM_CONG_EV_RECOVERY);
	} else if (a->ece && !(ops->flags & TANDEM_CONG_DCTCP_ECN) &&
		   cc->ca_state < TANDEM_CA_CWR && f->una > f->cwr_seq) {
		f->cwr_seq = f->next_seq;
		reduce(f, TANDEM_CA_CWR);
		event(f, TANDEM_CONG_EV_CWR);
	}
}

static void on_ack(struct world *w, struct flow *f, u32 n)
{
	struct tandem_cong_ack a = { .now_us = now_us(w), .rtt_us = -1,
				     .prior_in_flight = f->pipe };
	const struct tandem_cong_ops *ops = f->cfg->ops;
	struct tandem_cc *cc = f->cc;
	struct tx newest;
	u32 rtt;

	if (!deliver(w, f, n, &a, &newest))
		return;
	rtt = now_us(w) - newest.sent_us;
	a.rtt_us = rtt;
	take_rtt(f, rtt);
	sample_rate(w, f, &newest, &a.rs);
	a.lost = find_losses(w, f, rtt);
	a.rs.lost = a.rs.delivered ? cc->lost - newest.lost : 0;
	a.cwnd_limited = f->cwnd_full ||
		(tandem_cc_in_slow_start(cc) && cc->cwnd < 2 * f->max_pipe);
	cc->in_flight = f->pipe;
	change_state(f, &a);
	if (ops->control)
		ops->control(cc, &a);
	else if (cc->ca_state == TANDEM_CA_RECOVERY || cc->ca_state == TANDEM_CA_CWR)
		prr(f, a.acked, a.new_una && !a.lost);
	else if (a.acked)
		ops->on_ack(cc, &a);
	MUST(cc->cwnd >= 1);
	if (w->sim->each_ack)
		w->sim->each_ack(w->sim, f->id, &a);
	f->tlp_done = false;
	f->backoff = 0;
	if (f->cfg->bytes && !f->cfg->done_us &&
	    f->una >= DIV_ROUND_UP(f->cfg->bytes, LINKSIM_MSS))
		f->cfg->done_us = now_us(w) -
			(w->sim->rtt_us + f->cfg->extra_rtt_us) / 2;
	arm_timer(w, f, now_us(w) + 2 * cc->srtt_us + DELACK_US);
	send_more(w, f);
}

static void on_arrive(struct world *w, struct flow *f, u32 id)
{
	struct tx *t = &f->tx[SLOT(id)];
	u32 n, every = f->cfg->ack_every ? f->cfg->ack_every : 2;
	u64 at = w->now_ns + (w->sim->rtt_us + f->cfg->extra_rtt_us) * 500ULL;
	bool in_order;

	if (!f->there[SLOT(t->seq)]) {
		f->there[SLOT(t->seq)] = 1;
		if (now_us(w) >= w->sim->measure_us)
			f->cfg->got++;
	}
	f->arrived[SLOT(f->arr_tail++)] = id;
	n = f->arr_tail - f->arr_acked;
	/* Holes make for immediate ACKs (RFC 5681 section 4.2). */
	in_order = f->cc->ca_state < TANDEM_CA_RECOVERY && !t->again;
	if (n >= every || !in_order) {
		f->arr_acked = f->arr_tail;
		post(w, at, EV_ACK, f->id, n);
	} else if (!f->delack_pending) {
		f->delack_pending = true;
		post(w, w->now_ns + DELACK_US * 1000ULL, EV_DELACK, f->id, f->arr_tail);
	}
}

static void on_timer(struct world *w, struct flow *f)
{
	u32 n;

	f->timer_pending = false;
	if (!f->pipe && f->again_head == f->again_tail) {
		f->timer_us = 0;
		return;
	}
	if (now_us(w) < f->timer_us) {
		arm_timer(w, f, f->timer_us);
		return;
	}
	if (!f->tlp_done && f->pipe) {
		/* RFC 8985 section 7.3: the newest again. */
		f->tlp_done = true;
		transmit(w, f, f->tx[SLOT(f->next_tx - 1)].seq, true);
		arm_timer(w, f, now_us(w) + rto_us(f));
		return;
	}
	f->cfg->timeouts++;
	if (f->cc->ca_state != TANDEM_CA_LOSS) {
		reduce(f, TANDEM_CA_LOSS);
		event(f, TANDEM_CONG_EV_LOSS);
	}
	f->cc->cwnd = 1;
	for (n = f->oldest_tx; n != f->next_tx; n++)
		if (f->tx[SLOT(n)].state == TX_OUT)
			lose(w, f, n, true);
	f->oldest_tx = f->next_tx;
	f->cc->in_flight = 0;
	f->backoff = min(f->backoff + 1, 8U);
	arm_timer(w, f, now_us(w) + rto_us(f));
	send_more(w, f);
}

static void on_start(struct world *w, struct flow *f)
{
	struct tandem_cc *cc = f->cc;

	if (!f->started) {			/* the SYN */
		f->started = true;
		post(w, w->now_ns + (w->sim->rtt_us + f->cfg->extra_rtt_us) * 1000ULL,
		     EV_START, f->id, 0);
		return;
	}
	*cc = (struct tandem_cc) {
		.ops = f->cfg->ops, .cwnd = 10, .init_cwnd = 10,
		.ssthresh = TANDEM_SSTHRESH_INF, .cwnd_clamp = RING / 4,
		.mss = LINKSIM_MSS, .min_rtt_us = U32_MAX, .ecn_ok = w->sim->ecn_mark,
	};
	take_rtt(f, w->sim->rtt_us + f->cfg->extra_rtt_us);
	memset(f->cfg->cc_priv, 0, sizeof(f->cfg->cc_priv));
	cc->priv = f->cfg->cc_priv;
	if (f->cfg->ops->init)
		f->cfg->ops->init(cc);
	send_more(w, f);
}

static void handle(struct world *w, const struct ev *e)
{
	struct flow *f = &w->flows[e->flow];
	u64 at;

	switch ((enum ev_kind)e->kind) {
	case EV_START:
		on_start(w, f);
		break;
	case EV_ARRIVE:
		on_arrive(w, f, e->arg);
		break;
	case EV_ACK:
		on_ack(w, f, e->arg);
		break;
	case EV_SEND:
		f->send_pending = false;
		send_more(w, f);
		break;
	case EV_DELACK:
		f->delack_pending = false;
		if (f->arr_acked == f->arr_tail)
			break;
		at = w->now_ns + (w->sim->rtt_us + f->cfg->extra_rtt_us) * 500ULL;
		post(w, at, EV_ACK, f->id, f->arr_tail - f->arr_acked);
		f->arr_acked = f->arr_tail;
		break;
	case EV_TIMER:
		on_timer(w, f);
		break;
	case EV_SAMPLE:
		if (now_us(w) >= w->sim->measure_us && w->n_samples < SAMPLES)
			w->samples[w->n_samples++] = w->link_free_ns > w->now_ns ?
				(w->link_free_ns - w->now_ns) / 1000 : 0;
		post(w, w->now_ns + 1000000, EV_SAMPLE, 0, 0);
		break;
	}
}

static int by_size(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static bool finished(const struct linksim *sim)
{
	u32 i;

	for (i = 0; i < sim->n; i++)
		if (!sim->flows[i].bytes || !sim->flows[i].done_us)
			return false;
	return sim->n;
}

void linksim_run(struct linksim *sim)
{
	struct world w = { .sim = sim, .rng = sim->seed * 0x9e3779b97f4a7c15ULL | 1 };
	struct ev e;
	u32 i;

	if (!sim->buffer)
		sim->buffer = linksim_bdp(sim);
	w.samples = zalloc(SAMPLES, sizeof(*w.samples));
	for (i = 0; i < sim->n; i++) {
		struct flow *f = &w.flows[i];

		f->cfg = &sim->flows[i];
		f->cc = &f->cfg->cc;
		f->id = i;
		f->tx = zalloc(RING, sizeof(*f->tx));
		f->got = zalloc(RING, 1);
		f->there = zalloc(RING, 1);
		f->arrived = zalloc(RING, sizeof(u32));
		f->again = zalloc(RING, sizeof(u32));
		post(&w, f->cfg->start_us * 1000, EV_START, i, 0);
	}
	post(&w, 0, EV_SAMPLE, 0, 0);
	while (w.n && !finished(sim)) {
		e = take(&w);
		if (sim->run_us && e.at >= sim->run_us * 1000)
			break;
		w.now_ns = e.at;
		handle(&w, &e);
	}
	sim->now_us = now_us(&w);
	qsort(w.samples, w.n_samples, sizeof(u32), by_size);
	if (w.n_samples) {
		sim->queue_p50_us = w.samples[w.n_samples / 2];
		sim->queue_p95_us = w.samples[w.n_samples * 95ULL / 100];
	}
	for (i = 0; i < sim->n; i++) {
		struct flow *f = &w.flows[i];

		if (f->started && f->cc->ops && f->cfg->ops->release)
			f->cfg->ops->release(f->cc);
		free(f->tx);
		free(f->got);
		free(f->there);
		free(f->arrived);
		free(f->again);
	}
	free(w.samples);
	free(w.heap);
}

u32 linksim_goodput(const struct linksim *sim, u32 flow)
{
	const struct linksim_flow *f = &sim->flows[flow];
	u64 us, bytes;

	if (f->bytes && f->done_us) {
		us = f->done_us - f->start_us;
		bytes = f->bytes;
	} else {
		us = sim->now_us - max(sim->measure_us, f->start_us);
		bytes = f->got * LINKSIM_MSS;
	}
	if (!us)
		return 0;
	return (u32)(bytes * 8000 * 1000000 / us / sim->rate_bps);
}

u32 linksim_jain(const struct linksim *sim)
{
	u64 sum = 0, squares = 0, x;
	u32 i;

	for (i = 0; i < sim->n; i++) {
		x = sim->flows[i].got / 16;
		sum += x;
		squares += x * x;
	}
	return squares ? (u32)(sum * sum * 1000 / (sim->n * squares)) : 0;
}
