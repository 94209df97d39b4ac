/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netns.h - what Tandem keeps per network namespace: tables, knobs, counters.
 */
#ifndef _TANDEM_NETNS_H
#define _TANDEM_NETNS_H

#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/atomic.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "choice.h"
#include "mib.h"

struct ctl_table;
struct socket;
struct ctl_table_header;
struct proc_dir_entry;
struct tandem_port_slot;
struct tandem_listen_slot;
struct tandem_choice;
struct tandem_fo_keys;
struct tandem_paths;

/**
 * struct tandem_knobs - net.tandem.*, one copy per netns
 * @rmem:		receive buffer, bytes: least, default, most of autotuning
 * @wmem:		the same for the send buffer
 * @syn_retries:	SYNs sent again before connect() fails
 * @synack_retries:	SYN-ACKs sent again before a request is dropped
 * @retries1:		timeouts before the route is looked up anew
 * @retries2:		give up after the time that so many timeouts would take
 * @orphan_retries:	the same when no program holds the socket; 0: 8
 * @rto_min_ms:		bounds of the retransmission timeout
 * @rto_max_ms:		and the longest it backs off to
 * @rto_fixed_ms:	RTO of the estimator "fixed"
 * @rto_init_ms:	before the first sample
 * @syn_probe_ms:	a SYN goes once more so soon; 0: not before rto_init_ms
 * @rto_fixed_ms:	of the estimator "fixed"
 * @tlp:		tail loss probes, where the loss detector goes with them
 * @frto:		F-RTO after a timeout
 * @delack_max_ms:	how long an ACK may wait for company
 * @delack_segs:	ACK at least every n-th full segment
 * @keepalive_time:	idle seconds before the first probe
 * @keepalive_intvl:	seconds between probes
 * @keepalive_probes:	unanswered probes that end the connection
 * @fin_timeout:	seconds an orphan stays in FIN-WAIT-2
 * @timewait_ms:	2 MSL
 * @max_tw_buckets:	most TIME-WAIT minisocks
 * @max_syn_backlog:	most requests of one listener
 * @max_orphans:	most sockets that no program holds
 * @reuse_tw:		tw_reuse, but that is a macro of the core: 0 never, 1 for
 *			every peer, 2 on loopback
 * @timestamps:		RFC 7323 timestamps
 * @sack:		RFC 2018 selective ACKs
 * @dsack:		RFC 2883 reports of duplicates
 * @window_scaling:	RFC 7323 window scaling
 * @third_ack_delay:	the third ACK of a handshake waits for data to ride on
 * @tcp_wire_thrift:	what thrift.c does it does on the tcp wire, too
 * @fin_hold_us:	how long the end of an answer waits for close(); 0: never
 * @fastopen:		TANDEM_FO_*, the bits of net.ipv4.tcp_fastopen
 * @fastopen_key_rotate: seconds until random fast open keys change; 0: never
 * @fastopen_blackhole_timeout: seconds without fast open after a black hole; 0: none
 * @path_cache:		0 off, 1 remember estimates and cookies, 2 and resume carefully
 * @path_cache_max:	most paths remembered
 * @path_cache_ttl:	seconds a path is remembered
 * @init_cwnd:		segments of the initial window (RFC 6928)
 * @slow_start_after_idle: that much again after a pause longer than RTO (RFC 5681 4.1)
 * @notsent_lowat:	TCP_NOTSENT_LOWAT of sockets that have none, bytes
 * @ecn:		RFC 3168: 0 never, 1 ask and agree, 2 agree only
 * @ecn_fallback:	a SYN that is not answered goes again without asking
 * @min_mss:		bytes, floor for the peer's option and for ICMP
 * @mtu_probing:	RFC 4821: 0 never, 1 after a black hole, 2 always
 * @base_mss:		bytes, where its search begins
 * @mtu_probe_floor:	bytes, and the least it comes down to
 * @probe_threshold:	bytes, where it ends
 * @probe_interval:	seconds until it begins again
 * @moderate_rcvbuf:	autotune the receive buffer
 * @abort_on_overflow:	reset what the accept queue has no room for
 * @challenge_ack_limit: RFC 5961, per second and netns; INT_MAX: none
 * @syncookies:		0 never, 1 when requests are too many, 2 always
 * @no_delay:		TCP_NODELAY of new sockets
 * @wire:		TANDEM_WIRE_* of new sockets
 * @tcp_wire:		may sockets use the tcp wire
 * @udp_port:		of the udp wire's tunnel sockets; 0: closed
 * @gso:		segments leave many at a time where the device goes with it
 * @tso_win_divisor:	that part of the window free is not waited to grow; 0: none is
 * @min_tso_segs:	segments, so many at least, however slow the path
 * @isn_fixed:		tests: 0 off, else the ISN to use
 *
 * Read with READ_ONCE() through the tandem_knob() macro.  Ranges and defaults are in
 * sysctl.c and Documentation/networking/tandem-sysctl.rst.
 */
struct tandem_knobs {
	int	rmem[3];
	int	wmem[3];
	int	syn_retries;
	int	synack_retries;
	int	retries1;
	int	retries2;
	int	orphan_retries;
	int	rto_min_ms;
	int	rto_max_ms;
	int	rto_init_ms;
	int	syn_probe_ms;
	int	rto_fixed_ms;
	int	tlp;
	int	frto;
	int	delack_max_ms;
	int	delack_segs;
	int	keepalive_time;
	int	keepalive_intvl;
	int	keepalive_probes;
	int	fin_timeout;
	int	timewait_ms;
	int	max_tw_buckets;
	int	max_syn_backlog;
	int	max_orphans;
	int	reuse_tw;
	int	timestamps;
	int	sack;
	int	dsack;
	int	window_scaling;
	int	third_ack_delay;
	int	tcp_wire_thrift;
	int	fin_hold_us;
	int	fastopen;
	int	fastopen_key_rotate;
	int	fastopen_blackhole_timeout;
	int	path_cache;
	int	path_cache_max;
	int	path_cache_ttl;
	int	init_cwnd;
	int	slow_start_after_idle;
	u32	notsent_lowat;
	int	ecn;
	int	ecn_fallback;
	int	min_mss;
	int	mtu_probing;
	int	base_mss;
	int	mtu_probe_floor;
	int	probe_threshold;
	int	probe_interval;
	int	moderate_rcvbuf;
	int	abort_on_overflow;
	int	challenge_ack_limit;
	int	syncookies;
	int	no_delay;
	int	wire;
	int	tcp_wire;
	int	udp_port;
	int	gso;
	int	tso_win_divisor;
	int	min_tso_segs;
	u32	isn_fixed;
};

#define tandem_knob(net, name)	READ_ONCE(tandem_pernet(net)->knobs.name)

#define TANDEM_PORT_SLOTS	1024
#define TANDEM_LISTEN_SLOTS	256
#define TANDEM_HABITS		256

/**
 * struct tandem_net - per-netns root
 * @knobs:	sysctls
 * @flows:	established sockets, requests and TIME-WAIT by 4-tuple (demux.c)
 * @listeners:	TANDEM_LISTEN_SLOTS slots (demux.c)
 * @ports:	TANDEM_PORT_SLOTS slots of bound ports (ports.c)
 * @ctl4:	control socket for replies without a socket, IPv4
 * @ctl6:	the same, IPv6
 * @mib:	counters
 * @choice:	default congestion control, RTO estimator, loss detection, ACK policy
 * @tw_lock:	guards @tw_list
 * @tw_list:	every TIME-WAIT minisock, for the purge in netns exit
 * @tw_count:	length of @tw_list
 * @orphans:	sockets no program holds any more
 * @challenge_lock: guards the two below
 * @challenge_stamp: second the challenge budget belongs to, jiffies / HZ
 * @challenge_left: what is left of it
 * @fin_habit:	by local port: holds of an answer's end that were in vain (thrift.c)
 * @synack_habit: the same of SYN-ACKs with fast open
 * @paths:	what is remembered of paths (path.c)
 * @fo_lock:	guards all fast open keys of the namespace and its listeners
 * @fo_keys:	fast open keys; NULL: none were needed yet
 * @fo_holes:	black holes met in a row by fast open (fastopen_client.c)
 * @fo_hole_us:	when the last was met
 * @early_hooks: netfilter hooks that look before routing are in place (early.c)
 * @tcp_hooks:	netfilter hooks of the tcp wire are in place
 * @udp:	tunnel sockets of the udp wire, IPv4 and IPv6
 * @udp_held:	packets for them that GRO joined and has not let go of
 * @udp_closing: and joins no more
 * @sysctl_table: of net.tandem.*, with this netns' addresses
 * @sysctl_hdr:	its registration
 * @proc_dir:	/proc/net/tandem
 */
struct tandem_net {
	struct tandem_knobs		knobs;
	struct rhashtable		flows;
	struct tandem_listen_slot	*listeners;
	struct tandem_port_slot		*ports;
	struct sock			*ctl4;
	struct sock			*ctl6;
	struct tandem_mib __percpu	*mib;
	const struct tandem_choice __rcu *choice[TANDEM_KINDS];
	spinlock_t			tw_lock;	/* tw_list */
	struct list_head		tw_list;
	atomic_t			tw_count;
	atomic_t			orphans;
	spinlock_t			challenge_lock;	/* the two below */
	unsigned long			challenge_stamp;
	int				challenge_left;
	u8				fin_habit[TANDEM_HABITS];
	u8				synack_habit[TANDEM_HABITS];
	struct tandem_paths		*paths;
	spinlock_t			fo_lock;	/* fast open keys */
	struct tandem_fo_keys __rcu	*fo_keys;
	u32				fo_holes;
	u64				fo_hole_us;
	bool				early_hooks;
	bool				tcp_hooks;
	struct socket			*udp[2];
	atomic_t			udp_held;
	bool				udp_closing;
	struct ctl_table		*sysctl_table;
	struct ctl_table_header		*sysctl_hdr;
	struct proc_dir_entry		*proc_dir;
};

extern unsigned int tandem_net_id;

/*
 * net_generic() with preemption off for its read side: the same to RCU, and without
 * the two calls that rcu_read_lock() and its counterpart are on preemptible kernels.
 * Each counter and each knob comes through here.
 */
static inline struct tandem_net *tandem_pernet(const struct net *net)
{
	const struct net_generic *gen;
	struct tandem_net *tn;

	preempt_disable();
	gen = rcu_dereference_sched(net->gen);
	tn = gen->ptr[tandem_net_id];
	preempt_enable();
	return tn;
}

#endif /* _TANDEM_NETNS_H */
