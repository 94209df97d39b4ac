// SPDX-License-Identifier: GPL-2.0
/*
 * sysctl.c - net.tandem.*: each knob with its range and default in one line, from
 * which scripts/check-docs.py checks Documentation/networking/tandem-sysctl.rst.
 *
 * A value out of range gives EINVAL and leaves the old one.  Every network namespace
 * has its own copy, begun with the defaults, which its administrator may change.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <uapi/linux/tandem.h>
#include "compat.h"
#include "choice.h"
#include "encap.h"
#include "fastopen.h"
#include "netns.h"
#include "path.h"
#include "socket.h"
#include "sysctl.h"

struct knob {
	const char	*name;
	size_t		offset;
	int		lo;
	int		hi;
	int		def;
};

#define KNOB(name, field, lo, hi, def)					\
	{ name, offsetof(struct tandem_knobs, field), lo, hi, def }

/* Name in /proc/sys, field, lowest, highest, default. */
static const struct knob knobs[] = {
	KNOB("syn_retries", syn_retries, 1, 127, 6),
	KNOB("synack_retries", synack_retries, 0, 255, 5),
	KNOB("retries1", retries1, 0, 255, 3),
	KNOB("retries2", retries2, 0, 255, 15),
	KNOB("orphan_retries", orphan_retries, 0, 255, 0),
	KNOB("rto_init_ms", rto_init_ms, 1, 120000, 1000),
	KNOB("syn_probe_ms", syn_probe_ms, 0, 120000, 250),
	KNOB("rto_fixed_ms", rto_fixed_ms, 1, 120000, 1000),
	KNOB("tlp", tlp, 0, 1, 1),
	KNOB("frto", frto, 0, 1, 1),
	KNOB("delack_max_ms", delack_max_ms, 0, 499, 40),
	KNOB("delack_segs", delack_segs, 1, 255, 2),
	KNOB("keepalive_time", keepalive_time, 1, 32767, 7200),
	KNOB("keepalive_intvl", keepalive_intvl, 1, 32767, 75),
	KNOB("keepalive_probes", keepalive_probes, 1, 127, 9),
	KNOB("fin_timeout", fin_timeout, 0, 3600, 60),
	KNOB("timewait_ms", timewait_ms, 1, 600000, 60000),
	KNOB("max_tw_buckets", max_tw_buckets, 0, INT_MAX, 262144),
	KNOB("max_syn_backlog", max_syn_backlog, 1, INT_MAX, 4096),
	KNOB("max_orphans", max_orphans, 0, INT_MAX, 262144),
	KNOB("tw_reuse", reuse_tw, 0, 2, 2),
	KNOB("timestamps", timestamps, 0, 1, 1),
	KNOB("sack", sack, 0, 1, 1),
	KNOB("dsack", dsack, 0, 1, 1),
	KNOB("window_scaling", window_scaling, 0, 1, 1),
	KNOB("third_ack_delay", third_ack_delay, 0, 1, 1),
	KNOB("fin_hold_us", fin_hold_us, 0, 10000, 200),
	KNOB("tcp_wire_thrift", tcp_wire_thrift, 0, 1, 0),
	KNOB("fastopen_key_rotate", fastopen_key_rotate, 0, INT_MAX, 86400),
	KNOB("fastopen_blackhole_timeout", fastopen_blackhole_timeout, 0, 86400, 3600),
	KNOB("path_cache", path_cache, 0, 2, 2),
	KNOB("path_cache_max", path_cache_max, 0, 8192, 4096),
	KNOB("path_cache_ttl", path_cache_ttl, 1, 604800, 3600),
	KNOB("init_cwnd", init_cwnd, 1, 1000, 10),
	KNOB("slow_start_after_idle", slow_start_after_idle, 0, 1, 1),
	KNOB("min_mss", min_mss, 48, 65535, 48),
	KNOB("mtu_probing", mtu_probing, 0, 2, 0),
	KNOB("base_mss", base_mss, 48, 65535, 1024),
	KNOB("mtu_probe_floor", mtu_probe_floor, 48, 65535, 48),
	KNOB("probe_threshold", probe_threshold, 1, 65535, 8),
	KNOB("probe_interval", probe_interval, 1, INT_MAX, 600),
	KNOB("moderate_rcvbuf", moderate_rcvbuf, 0, 1, 1),
	KNOB("abort_on_overflow", abort_on_overflow, 0, 1, 0),
	KNOB("challenge_ack_limit", challenge_ack_limit, 0, INT_MAX, INT_MAX),
	KNOB("syncookies", syncookies, 0, 2, 1),
	KNOB("ecn", ecn, 0, 2, 2),
	KNOB("ecn_fallback", ecn_fallback, 0, 1, 1),
	KNOB("no_delay", no_delay, 0, 1, 0),
	KNOB("tcp_wire", tcp_wire, 0, 1, 1),
	KNOB("gso", gso, 0, 1, 1),
	KNOB("tso_win_divisor", tso_win_divisor, 0, 255, 3),
	KNOB("min_tso_segs", min_tso_segs, 1, 65535, 2),
};

/* Buffers, bytes: a segment must fit, and sums of them an int. */
#define BUF_LO	2048
#define BUF_HI	0x40000000
/* RTO bounds, ms. */
#define RTO_MIN_LO	1
#define RTO_MAX_LO	1000
#define RTO_HI		120000

/* Values that depend on each other are checked and written together. */
static DEFINE_MUTEX(knob_mutex);

/* rmem, wmem: three values in order. */
static int knob_buffer(TANDEM_CTL_CONST struct ctl_table *table, int write,
		       void *buffer, size_t *lenp, loff_t *ppos)
{
	static const int lo = BUF_LO, hi = BUF_HI;
	int *knob = table->data;
	int val[3];
	struct ctl_table tmp = {
		.data	= val,
		.maxlen	= sizeof(val),
		.mode	= table->mode,
		.extra1	= (void *)&lo,
		.extra2	= (void *)&hi,
	};
	int i, ret;

	mutex_lock(&knob_mutex);
	memcpy(val, knob, sizeof(val));
	ret = proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
	if (!ret && write && (val[0] > val[1] || val[1] > val[2]))
		ret = -EINVAL;
	for (i = 0; !ret && write && i < 3; i++)
		WRITE_ONCE(knob[i], val[i]);
	mutex_unlock(&knob_mutex);
	return ret;
}

/* rto_min_ms and rto_max_ms: the lower never above the upper. */
static int knob_rto(TANDEM_CTL_CONST struct ctl_table *table, int write,
		    void *buffer, size_t *lenp, loff_t *ppos)
{
	struct tandem_knobs *all = table->extra1;
	bool is_min = table->data == &all->rto_min_ms;
	int *knob = table->data;
	int val, lo, hi, ret;
	struct ctl_table tmp = {
		.data	= &val,
		.maxlen	= sizeof(val),
		.mode	= table->mode,
		.extra1	= &lo,
		.extra2	= &hi,
	};

	mutex_lock(&knob_mutex);
	val = *knob;
	lo = is_min ? RTO_MIN_LO : max(RTO_MAX_LO, all->rto_min_ms);
	hi = is_min ? all->rto_max_ms : RTO_HI;
	ret = proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
	if (!ret && write)
		WRITE_ONCE(*knob, val);
	mutex_unlock(&knob_mutex);
	return ret;
}

/* wire: by name. */
static int knob_wire(TANDEM_CTL_CONST struct ctl_table *table, int write,
		     void *buffer, size_t *lenp, loff_t *ppos)
{
	static const char * const names[] = {
		[TANDEM_WIRE_NATIVE] = "native",
		[TANDEM_WIRE_TCP] = "tcp",
		[TANDEM_WIRE_UDP] = "udp",
	};
	int *knob = table->data;
	char name[16];
	struct ctl_table tmp = { .data = name, .maxlen = sizeof(name) };
	int i, ret;

	strscpy(name, names[READ_ONCE(*knob)], sizeof(name));
	ret = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (ret || !write)
		return ret;
	i = match_string(names, ARRAY_SIZE(names), name);
	if (i < 0)
		return -EINVAL;
	WRITE_ONCE(*knob, i);
	return 0;
}

/* udp_port: the tunnel opens and closes with it. */
static int knob_udp_port(TANDEM_CTL_CONST struct ctl_table *table, int write,
			 void *buffer, size_t *lenp, loff_t *ppos)
{
	static int lo, hi = U16_MAX;
	struct net *net = table->extra1;
	int port = tandem_knob(net, udp_port);
	struct ctl_table tmp = {
		.data	= &port,
		.maxlen	= sizeof(port),
		.extra1	= &lo,
		.extra2	= &hi,
	};
	int ret = proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);

	return ret || !write ? ret : tandem_encap_set_port(net, port);
}

/* fastopen: bits, of which some mean nothing. */
static int knob_fastopen(TANDEM_CTL_CONST struct ctl_table *table, int write,
			 void *buffer, size_t *lenp, loff_t *ppos)
{
	int *knob = table->data, bits = READ_ONCE(*knob);
	struct ctl_table tmp = { .data = &bits, .maxlen = sizeof(bits) };
	int ret = proc_dointvec(&tmp, write, buffer, lenp, ppos);

	if (ret || !write)
		return ret;
	if (bits & ~TANDEM_FO_ALL_BITS)
		return -EINVAL;
	WRITE_ONCE(*knob, bits);
	return 0;
}

/* fastopen_key: one or two, as tcp_fastopen_key: four words of eight digits each. */
static int knob_fastopen_key(TANDEM_CTL_CONST struct ctl_table *table, int write,
			     void *buffer, size_t *lenp, loff_t *ppos)
{
	u8 raw[2 * TANDEM_FO_KEY_LEN];
	struct net *net = table->extra1;
	char text[2 * 36 + 4], *at = text;
	struct ctl_table tmp = { .data = text, .maxlen = sizeof(text) };
	int i, n, ret, len;
	u32 word[8];

	n = write ? 0 : tandem_fastopen_get_keys(net, NULL, raw);
	for (i = 0; i < 4 * n; i++)
		at += sprintf(at, "%s%08x", i ? i == 4 ? "," : "-" : "",
			      get_unaligned_le32(raw + 4 * i));
	*at = '\0';
	ret = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (ret || !write)
		goto out;
	ret = -EINVAL;
	n = sscanf(text, "%8x-%8x-%8x-%8x%n,%8x-%8x-%8x-%8x%n", &word[0], &word[1],
		   &word[2], &word[3], &len, &word[4], &word[5], &word[6], &word[7], &len);
	if ((n != 4 && n != 8) || text[len])
		goto out;
	for (i = 0; i < n; i++)
		put_unaligned_le32(word[i], raw + 4 * i);
	ret = tandem_fastopen_set_keys(net, NULL, raw, n / 4);
out:
	memzero_explicit(raw, sizeof(raw));
	memzero_explicit(text, sizeof(text));
	return ret;
}

/* path_cache_flush: whatever is written. */
static int knob_path_flush(TANDEM_CTL_CONST struct ctl_table *table, int write,
			   void *buffer, size_t *lenp, loff_t *ppos)
{
	int val = 0;
	struct ctl_table tmp = { .data = &val, .maxlen = sizeof(val) };
	int ret = proc_dointvec(&tmp, write, buffer, lenp, ppos);

	if (!ret && write)
		tandem_path_flush(table->extra1);
	return ret;
}

static int knob_choice(TANDEM_CTL_CONST struct ctl_table *table, int write,
		       void *buffer, size_t *lenp, loff_t *ppos)
{
	char name[NAME_MAX] = "";
	struct ctl_table tmp = { .data = name, .maxlen = sizeof(name) };
	enum tandem_kind kind = (unsigned long)table->extra2;
	struct net *net = table->extra1;
	int ret;

	tandem_choice_default_name(net, kind, name);
	ret = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (!ret && write)
		ret = tandem_choice_set_default(net, kind, name);
	return ret;
}

static int knob_choice_list(TANDEM_CTL_CONST struct ctl_table *table, int write,
			    void *buffer, size_t *lenp, loff_t *ppos)
{
	enum tandem_kind kind = (unsigned long)table->extra2;
	bool allowed_only = table->extra1;
	struct ctl_table tmp = { .maxlen = PAGE_SIZE };
	int ret;

	tmp.data = kzalloc(tmp.maxlen, GFP_KERNEL);
	if (!tmp.data)
		return -ENOMEM;
	tandem_choice_list(kind, tmp.data, tmp.maxlen, allowed_only);
	ret = proc_dostring(&tmp, write, buffer, lenp, ppos);
	if (!ret && write)
		ret = tandem_choice_allow(kind, tmp.data);
	kfree(tmp.data);
	return ret;
}

/* The default, and what there is. */
static const char * const choice_names[TANDEM_KINDS][2] = {
	[TANDEM_KIND_CONG] = { "congestion_control", "available_congestion_control" },
	[TANDEM_KIND_RTO] = { "rto_estimator", "available_rto_estimator" },
	[TANDEM_KIND_LOSS] = { "loss_detection", "available_loss_detection" },
	[TANDEM_KIND_ACK] = { "ack_policy", "available_ack_policy" },
};

/* Those with a handler of their own. */
struct other_knob {
	const char	*name;
	size_t		offset;
	size_t		size;
	proc_handler	*handler;
};

static const struct other_knob other_knobs[] = {
	{ "rmem", offsetof(struct tandem_knobs, rmem), 3 * sizeof(int), knob_buffer },
	{ "wmem", offsetof(struct tandem_knobs, wmem), 3 * sizeof(int), knob_buffer },
	{ "rto_min_ms", offsetof(struct tandem_knobs, rto_min_ms), sizeof(int), knob_rto },
	{ "rto_max_ms", offsetof(struct tandem_knobs, rto_max_ms), sizeof(int), knob_rto },
	{ "fastopen", offsetof(struct tandem_knobs, fastopen), sizeof(int), knob_fastopen },
	{ "wire", offsetof(struct tandem_knobs, wire), sizeof(int), knob_wire },
	{ "notsent_lowat", offsetof(struct tandem_knobs, notsent_lowat), sizeof(u32),
	  proc_douintvec },
	{ "isn_fixed", offsetof(struct tandem_knobs, isn_fixed), sizeof(u32), proc_douintvec },
};

/* Of the whole machine, or not of struct tandem_knobs. */
/* mem, udp_port, fastopen_key, path_cache_flush, allowed_congestion_control, choices */
#define N_EXTRA	(5 + 2 * TANDEM_KINDS)
#define N_KNOBS	(ARRAY_SIZE(knobs) + ARRAY_SIZE(other_knobs) + N_EXTRA)

/* What TCP allows itself: one connection's remains per 256 KiB of memory. */
static int knob_by_memory(int most)
{
	unsigned long n = nr_free_buffer_pages() >> (18 - PAGE_SHIFT);

	return clamp_t(unsigned long, n, 4096, most);
}

/**
 * tandem_knobs_init() - give a new namespace its defaults
 * @net: the namespace
 */
void tandem_knobs_init(struct net *net)
{
	struct tandem_knobs *k = &tandem_pernet(net)->knobs;
	/* A buffer may take 1/128 of the memory, as TCP's. */
	unsigned long share = nr_free_buffer_pages() << (PAGE_SHIFT - 7);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		*(int *)((char *)k + knobs[i].offset) = knobs[i].def;
	k->rmem[0] = 4096;
	k->rmem[1] = 131072;
	k->rmem[2] = clamp(share, 131072UL, 6291456UL);
	k->wmem[0] = 4096;
	k->wmem[1] = 16384;
	k->wmem[2] = clamp(share, 65536UL, 4194304UL);
	k->rto_min_ms = 200;
	k->rto_max_ms = RTO_HI;
	k->wire = TANDEM_WIRE_NATIVE;
	k->isn_fixed = 0;
	k->notsent_lowat = U32_MAX;
	k->fastopen = TANDEM_FO_CLIENT | TANDEM_FO_SERVER;
	k->max_tw_buckets = knob_by_memory(k->max_tw_buckets);
	k->max_orphans = knob_by_memory(k->max_orphans);
}

static void sysctl_fill(struct net *net, struct ctl_table *t)
{
	char *base = (char *)&tandem_pernet(net)->knobs;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++, t++) {
		t->procname = knobs[i].name;
		t->data = base + knobs[i].offset;
		t->maxlen = sizeof(int);
		t->mode = 0644;
		t->proc_handler = proc_dointvec_minmax;
		t->extra1 = (void *)&knobs[i].lo;
		t->extra2 = (void *)&knobs[i].hi;
	}
	for (i = 0; i < ARRAY_SIZE(other_knobs); i++, t++) {
		t->procname = other_knobs[i].name;
		t->data = base + other_knobs[i].offset;
		t->maxlen = other_knobs[i].size;
		t->mode = 0644;
		t->proc_handler = other_knobs[i].handler;
		/* knob_rto() looks at its neighbour. */
		if (t->proc_handler == knob_rto)
			t->extra1 = base;
	}
	/* Memory is the machine's, so only its own namespace may set the limit. */
	t->procname = "mem";
	t->data = tandem_sysctl_mem;
	t->maxlen = sizeof(tandem_sysctl_mem);
	t->mode = net_eq(net, &init_net) ? 0644 : 0444;
	t->proc_handler = proc_doulongvec_minmax;
	t++;
	t->procname = "udp_port";
	t->mode = 0644;
	t->proc_handler = knob_udp_port;
	t->extra1 = net;
	t++;
	t->procname = "fastopen_key";
	t->mode = 0600;
	t->proc_handler = knob_fastopen_key;
	t->extra1 = net;
	t++;
	t->procname = "path_cache_flush";
	t->mode = 0200;
	t->proc_handler = knob_path_flush;
	t->extra1 = net;
	t++;
	/* Modules are the machine's, and so is who may use them. */
	t->procname = "allowed_congestion_control";
	t->mode = net_eq(net, &init_net) ? 0644 : 0444;
	t->proc_handler = knob_choice_list;
	t->extra1 = t;		/* not NULL: only these */
	t->extra2 = (void *)TANDEM_KIND_CONG;
	t++;
	for (i = 0; i < TANDEM_KINDS; i++) {
		t->procname = choice_names[i][0];
		t->mode = 0644;
		t->proc_handler = knob_choice;
		t->extra1 = net;
		t->extra2 = (void *)(unsigned long)i;
		t++;
		t->procname = choice_names[i][1];
		t->mode = 0444;
		t->proc_handler = knob_choice_list;
		t->extra2 = (void *)(unsigned long)i;
		t++;
	}
}

int tandem_sysctl_net_init(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	/* One more, all zero: kernels that are not told the size stop there. */
	tn->sysctl_table = kcalloc(N_KNOBS + 1, sizeof(*tn->sysctl_table), GFP_KERNEL);
	if (!tn->sysctl_table)
		return -ENOMEM;
	sysctl_fill(net, tn->sysctl_table);
	tn->sysctl_hdr = tandem_register_sysctl(net, "net/tandem", tn->sysctl_table,
						N_KNOBS);
	if (!tn->sysctl_hdr) {
		kfree(tn->sysctl_table);
		tn->sysctl_table = NULL;
		return -ENOMEM;
	}
	return 0;
}

void tandem_sysctl_net_exit(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	if (!tn->sysctl_hdr)
		return;
	unregister_net_sysctl_table(tn->sysctl_hdr);
	kfree(tn->sysctl_table);
	tn->sysctl_hdr = NULL;
}
