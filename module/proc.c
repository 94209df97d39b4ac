// SPDX-License-Identifier: GPL-2.0
/*
 * proc.c - /proc/net/tandem/:
 *
 *   snmp      every counter, a name and a value to a line, as nstat reads SCTP's
 *   tandem    sockets of AF_INET, in the form of /proc/net/tcp, so that
 *             PROC_NET_TCP=/proc/net/tandem/tandem ss -tan shows them
 *   tandem6   sockets of AF_INET6, in the form of /proc/net/tcp6 (PROC_NET_TCP6)
 *   sockstat  how many there are and what they use, in the form of /proc/net/sockstat
 *
 * A table lists listeners first, then the flow table: connections, half-open requests,
 * TIME-WAIT.  A read keeps no table alive and sleeps only between two buffers; there
 * it remembers where it was (bucket and distance), so that a long table is not walked
 * from its start again.  While the flow table is resized a reader may see an entry
 * twice or not at all.
 */
#include <linux/proc_fs.h>
#include <linux/rhashtable.h>
#include <linux/seq_file.h>
#include <net/sock.h>
#include "demux.h"
#include "handshake.h"
#include "mib.h"
#include "path.h"
#include "proc.h"
#include "sock.h"
#include "socket.h"
#include "timer.h"
#include "timewait.h"

#ifdef CONFIG_PROC_FS

/* Width of a line of /proc/net/tcp, without its newline. */
#define LINE_WIDTH	149

/* ---- one line ---- */

/* What a line says, whatever kind of entry it is about. */
struct line {
	const void	*id;		/* address of the entry, printed by %pK */
	struct in6_addr	laddr;
	struct in6_addr	raddr;
	__be16		lport;
	__be16		rport;
	int		state;
	u32		tx_queue;
	u32		rx_queue;
	int		timer;		/* 0 none, 1 RTO, 2 keepalive, 3 TIME-WAIT, 4 probe */
	long		expires;	/* jiffies from now */
	u32		retransmits;
	kuid_t		uid;
	int		probes;
	unsigned long	inode;
	int		refs;
};

static void show_addr(struct seq_file *m, const struct in6_addr *a, __be16 port, bool v6)
{
	const __be32 *w = a->s6_addr32;

	/* Words as they lie in memory, which is what readers of these files expect. */
	if (v6)
		seq_printf(m, "%08X%08X%08X%08X:%04X ", (__force u32)w[0],
			   (__force u32)w[1], (__force u32)w[2], (__force u32)w[3],
			   ntohs(port));
	else
		seq_printf(m, "%08X:%04X ", (__force u32)w[3], ntohs(port));
}

static void show_line(struct seq_file *m, const struct line *l, loff_t n, bool v6)
{
	seq_printf(m, "%4d: ", (int)n);
	show_addr(m, &l->laddr, l->lport, v6);
	show_addr(m, &l->raddr, l->rport, v6);
	seq_printf(m, "%02X %08X:%08X %02X:%08lX %08X %5u %8d %lu %d %pK",
		   l->state, l->tx_queue, l->rx_queue, l->timer,
		   (unsigned long)jiffies_delta_to_clock_t(l->expires), l->retransmits,
		   from_kuid_munged(seq_user_ns(m), l->uid), l->probes, l->inode,
		   l->refs, l->id);
}

static void sk_timer_line(const struct sock *sk, struct line *l)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u8 event = READ_ONCE(tp->rtx_event);

	if (event != TANDEM_TIMER_NONE) {
		l->timer = event == TANDEM_TIMER_PROBE ? 4 : 1;
		l->expires = (s32)(READ_ONCE(tp->rtx_deadline) - (u32)jiffies);
	} else if (READ_ONCE(tp->keep_on)) {
		l->timer = 2;
		l->expires = (s32)(READ_ONCE(tp->keep_deadline) - (u32)jiffies);
	}
}

/* The socket is not locked: fields may be of different moments. */
static void show_sk(struct seq_file *m, struct sock *sk, loff_t n)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	const struct inet_sock *inet = inet_sk(sk);
	bool v6 = sk->sk_family == AF_INET6;
	u32 cwnd = READ_ONCE(tp->cc.cwnd), ssthresh = READ_ONCE(tp->cc.ssthresh);
	int state = inet_sk_state_load(sk);
	struct line l = {
		.id = sk,
		.lport = READ_ONCE(inet->inet_sport),
		.rport = READ_ONCE(inet->inet_dport),
		.state = state,
		.tx_queue = READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_una),
		.retransmits = READ_ONCE(tp->retransmits),
		.uid = tandem_sk_uid(sk),
		.probes = READ_ONCE(tp->probes_out),
		.inode = sock_i_ino(sk),
		.refs = refcount_read(&sk->sk_refcnt),
	};

	if (state == TCP_LISTEN)
		l.rx_queue = READ_ONCE(sk->sk_ack_backlog);
	else
		l.rx_queue = max_t(int, READ_ONCE(tp->rcv_nxt) -
					READ_ONCE(tp->copied_seq), 0);
	if (v6) {
#if IS_ENABLED(CONFIG_IPV6)
		l.laddr = sk->sk_v6_rcv_saddr;
		l.raddr = sk->sk_v6_daddr;
#endif
	} else {
		ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, &l.laddr);
		ipv6_addr_set_v4mapped(inet->inet_daddr, &l.raddr);
	}
	sk_timer_line(sk, &l);
	show_line(m, &l, n, v6);
	seq_printf(m, " %lu %lu %u %u %d", jiffies_to_clock_t(tandem_rto_jiffies(sk)),
		   jiffies_to_clock_t(msecs_to_jiffies(tandem_sk_knob(sk, delack_max_ms))),
		   READ_ONCE(tp->quickacks) << 1 | READ_ONCE(tp->pingpong), cwnd,
		   state == TCP_LISTEN ? 0 :
		   ssthresh >= TANDEM_SSTHRESH_INF ? -1 : (int)ssthresh);
}

static void flow_line(const struct tandem_flow *flow, struct line *l)
{
	l->laddr = flow->key.laddr;
	l->raddr = flow->key.raddr;
	l->lport = flow->key.lport;
	l->rport = flow->key.rport;
}

static void show_request(struct seq_file *m, const struct tandem_request *req, loff_t n)
{
	struct line l = {
		.id = req,
		.state = TCP_SYN_RECV,
		.timer = 1,
		.expires = READ_ONCE(req->timer.expires) - jiffies,
		.retransmits = READ_ONCE(req->retrans),
		.uid = tandem_sk_uid(req->listener),
	};

	flow_line(&req->flow, &l);
	show_line(m, &l, n, req->listener->sk_family == AF_INET6);
}

static void show_tw(struct seq_file *m, const struct tandem_timewait *tw, loff_t n)
{
	struct line l = {
		.id = tw,
		.state = READ_ONCE(tw->substate),
		.timer = 3,
		.expires = READ_ONCE(tw->timer.expires) - jiffies,
		.uid = GLOBAL_ROOT_UID,
		.refs = refcount_read(&tw->refs),
	};

	flow_line(&tw->flow, &l);
	show_line(m, &l, n, tw->v6);
}

/* ---- the walk ---- */

/**
 * struct walk - where a reader of a table is
 * @p:		the netns; first, as seq_file_net() wants it
 * @flows:	walker, entered between start and stop
 * @in_flows:	listeners are done
 * @listener:	the entry is a listener, else a flow
 * @pos:	number of the entry; 0 is the heading
 * @slot:	bucket of the listeners or of the flow table
 * @skip:	entries of it that come before ours
 */
struct walk {
	struct seq_net_private	p;
	struct rhashtable_iter	flows;
	bool			in_flows;
	bool			listener;
	loff_t			pos;
	unsigned int		slot;
	unsigned int		skip;
};

static int file_family(const struct seq_file *m)
{
	return (int)(long)pde_data(file_inode(m->file));
}

static bool flow_matches(const struct tandem_flow *flow, int family)
{
	switch (flow->kind) {
	case TANDEM_FLOW_SOCK:
		return tandem_flow_sk((struct tandem_flow *)flow)->sk_family == family;
	case TANDEM_FLOW_REQUEST:
		return container_of(flow, struct tandem_request,
				    flow)->listener->sk_family == family;
	case TANDEM_FLOW_TIMEWAIT:
		return container_of(flow, struct tandem_timewait, flow)->v6 ==
		       (family == AF_INET6);
	}
	return false;
}

/* The listener at or behind slot and skip, which then say where it is; or NULL. */
static void *find_listener(struct seq_file *m)
{
	struct tandem_listen_slot *slots = tandem_pernet(seq_file_net(m))->listeners;
	struct walk *w = m->private;
	struct tandem_sock *tp;
	unsigned int i;

	for (; w->slot < TANDEM_LISTEN_SLOTS; w->slot++, w->skip = 0) {
		i = 0;
		hlist_for_each_entry_rcu(tp, &slots[w->slot].head, listen_node) {
			if (i++ < w->skip)
				continue;
			w->skip = i - 1;
			if (tandem_to_sk(tp)->sk_family == file_family(m))
				return tandem_to_sk(tp);
		}
	}
	return NULL;
}

/*
 * The next flow of the walker.  Our slot and skip are kept as of before it, so that a
 * walk can begin with it again.
 */
static void *find_flow(struct seq_file *m)
{
	struct walk *w = m->private;
	struct tandem_flow *flow;

	for (;;) {
		w->slot = w->flows.slot;
		w->skip = w->flows.skip;
		flow = rhashtable_walk_next(&w->flows);
		if (!flow)
			return NULL;
		/* Resized: the walker has gone back to the start, which is harmless. */
		if (PTR_ERR(flow) == -EAGAIN)
			continue;
		if (IS_ERR(flow))
			return NULL;
		if (flow_matches(flow, file_family(m)))
			return flow;
	}
}

static void *find(struct seq_file *m)
{
	struct walk *w = m->private;
	void *entry;

	if (!w->in_flows) {
		entry = find_listener(m);
		if (entry) {
			w->listener = true;
			return entry;
		}
		w->in_flows = true;
	}
	w->listener = false;
	return find_flow(m);
}

static void *table_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct walk *w = m->private;

	w->pos = ++*pos;
	if (v != SEQ_START_TOKEN && w->listener)
		w->skip++;
	return find(m);
}

static void *table_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	struct tandem_net *tn = tandem_pernet(seq_file_net(m));
	struct walk *w = m->private;
	bool again = *pos && *pos == w->pos;
	loff_t left = *pos;
	void *entry;

	rhashtable_walk_enter(&tn->flows, &w->flows);
	rhashtable_walk_start(&w->flows);
	if (again) {
		if (w->in_flows) {
			w->flows.slot = w->slot;
			w->flows.skip = w->skip;
		}
		return find(m);
	}
	/* From the start, or somebody used lseek(). */
	w->in_flows = false;
	w->slot = 0;
	w->skip = 0;
	w->pos = *pos;
	if (!left)
		return SEQ_START_TOKEN;
	for (entry = find(m); entry && --left; entry = find(m))
		if (w->listener)
			w->skip++;
	return entry;
}

static void table_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	struct walk *w = m->private;

	rhashtable_walk_stop(&w->flows);
	rhashtable_walk_exit(&w->flows);
}

static void show_heading(struct seq_file *m, bool v6)
{
	if (v6)
		seq_puts(m, "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
	else
		seq_puts(m, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
}

static int table_show(struct seq_file *m, void *v)
{
	const struct walk *w = m->private;
	bool v6 = file_family(m) == AF_INET6;
	struct tandem_flow *flow = v;

	if (!v6)
		seq_setwidth(m, LINE_WIDTH);
	if (v == SEQ_START_TOKEN)
		show_heading(m, v6);
	else if (w->listener)
		show_sk(m, v, w->pos - 1);
	else if (flow->kind == TANDEM_FLOW_SOCK)
		show_sk(m, tandem_flow_sk(flow), w->pos - 1);
	else if (flow->kind == TANDEM_FLOW_REQUEST)
		show_request(m, container_of(flow, struct tandem_request, flow),
			     w->pos - 1);
	else
		show_tw(m, container_of(flow, struct tandem_timewait, flow), w->pos - 1);
	if (v6)
		seq_putc(m, '\n');
	else
		seq_pad(m, '\n');
	return 0;
}

static const struct seq_operations table_ops = {
	.start	= table_start,
	.next	= table_next,
	.stop	= table_stop,
	.show	= table_show,
};

/* ---- counters and sums ---- */

static int snmp_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	int i;

	for (i = 1; i < __TANDEM_MIB_MAX; i++)
		seq_printf(m, "Tandem%-26s\t%lu\n", tandem_mib_name(i),
			   tandem_mib_fold(net, i));
	return 0;
}

static int sockstat_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct tandem_net *tn = tandem_pernet(net);

	seq_printf(m, "TANDEM: inuse %d orphan %d tw %d alloc %lld mem %ld\n",
		   sock_prot_inuse_get(net, &tandem_prot), atomic_read(&tn->orphans),
		   atomic_read(&tn->tw_count),
		   percpu_counter_sum_positive(&tandem_sockets_allocated),
		   tandem_memory_pages());
#if IS_ENABLED(CONFIG_IPV6)
	seq_printf(m, "TANDEM6: inuse %d\n", sock_prot_inuse_get(net, &tandemv6_prot));
#endif
	return 0;
}

int tandem_proc_net_init(struct net *net)
{
	struct proc_dir_entry *dir = proc_net_mkdir(net, "tandem", net->proc_net);

	if (!dir)
		return -ENOMEM;
	tandem_pernet(net)->proc_dir = dir;
	if (!proc_create_net_single("snmp", 0444, dir, snmp_show, NULL) ||
	    !proc_create_net_single("sockstat", 0444, dir, sockstat_show, NULL) ||
	    !proc_create_net_single("paths", 0400, dir, tandem_path_show, NULL) ||
	    !proc_create_net_data("tandem", 0444, dir, &table_ops, sizeof(struct walk),
				  (void *)AF_INET))
		goto fail;
#if IS_ENABLED(CONFIG_IPV6)
	if (!proc_create_net_data("tandem6", 0444, dir, &table_ops, sizeof(struct walk),
				  (void *)AF_INET6))
		goto fail;
#endif
	return 0;

fail:
	tandem_proc_net_exit(net);
	return -ENOMEM;
}

void tandem_proc_net_exit(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	/* Waits for readers. */
	proc_remove(tn->proc_dir);
	tn->proc_dir = NULL;
}

#else /* !CONFIG_PROC_FS */

int tandem_proc_net_init(struct net *net)
{
	return 0;
}

void tandem_proc_net_exit(struct net *net)
{
}

#endif
