/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sock.h - struct tandem_sock: everything a connection knows.
 *
 * The names are RFC 9293's (section 3.3.1) and RFC 6298's.  All fields are guarded
 * by the socket lock unless their comment says otherwise.
 */
#ifndef _TANDEM_SOCK_H
#define _TANDEM_SOCK_H

#include <linux/hrtimer.h>
#include <linux/ipv6.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/timer.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/tcp_states.h>
#include <tandem/cong.h>
#include <uapi/linux/tandem.h>
#include "arrival.h"
#include "choice.h"
#include "chrono.h"
#include "flow.h"
#include "loss.h"
#include "netns.h"
#include "options.h"
#include "prr.h"
#include "rare.h"
#include "rtt.h"
#include "seg.h"
#include "compat.h"

struct tandem_af_ops;
struct tandem_fo_keys;
struct msghdr;

/* tandem_sock.ack_pending */
#define TANDEM_ACK_SCHED	0x01	/* an ACK is owed */
#define TANDEM_ACK_TIMER	0x02	/* the delay timer runs for it */
#define TANDEM_ACK_NOW		0x04	/* it must not wait */
#define TANDEM_ACK_DUP		0x08	/* it will be a duplicate ACK */
#define TANDEM_ACK_WIN		0x10	/* a window update is owed as well */
#define TANDEM_ACK_DELAYED	0x20	/* it is being sent because the timer fired */
#define TANDEM_ACK_WAITS	0x40	/* it may wait, whatever the program reads */

/* tandem_sock.deferred: bits, what a timer, ICMP or tsq.c left for release_cb */
enum tandem_deferred {
	TANDEM_DEFER_TIMER,		/* sk_timer: timer.c */
	TANDEM_DEFER_ALARM,		/* the hrtimer: alarm.c */
	TANDEM_DEFER_PMTU,		/* tandem_sock.mtu_info holds the new MTU */
	TANDEM_DEFER_TSQ,		/* tsq.c: there is room in the qdisc again */

	/* Not for release_cb, and changed without the lock: tsq.c */
	TANDEM_TSQ_THROTTLED,		/* the sender waits for room */
	TANDEM_TSQ_QUEUED,		/* tsq_node is in a CPU's list */
};

#define TANDEM_DEFERRED		(BIT(TANDEM_TSQ_THROTTLED) - 1)	/* those for release_cb */

/* tandem_sock.nonagle */
#define TANDEM_NAGLE_OFF	1	/* TCP_NODELAY */
#define TANDEM_NAGLE_CORK	2	/* TCP_CORK */
#define TANDEM_NAGLE_PUSH	4	/* cork was pulled: push what is there once */

/* What tandem_sock.rtx_deadline stands for now. */
enum tandem_rtx_event {
	TANDEM_TIMER_NONE,
	TANDEM_TIMER_RTO,		/* RFC 6298 */
	TANDEM_TIMER_PROBE,		/* zero-window probe, RFC 9293 3.8.6.1 */
	TANDEM_TIMER_SYNPROBE,		/* the SYN once more, ahead of its RTO */
};

/* The half of a listener that other sockets do not need: by listen(), or an option of it. */
struct tandem_listen {
	spinlock_t		lock;		/* guards all below; BH */
	struct list_head	accept_q;	/* children, by tandem_sock.accept_node */
	struct list_head	requests;	/* by tandem_request.node */
	u32			n_requests;
	u32			n_young;	/* requests never retransmitted */
	bool			closed;		/* listener is shutting: refuse all */
	u64			cookie_us;	/* when the last SYN cookie was sent; 0: never */
	u32			fo_qlen;	/* fast open: children whose peer is unproven */
	u32			fo_resets[2];	/* of these, reset: lately, and before */
	unsigned long		fo_reset_turn;	/* when the latter count no more, jiffies */
	u32			fo_qlen_max;	/* TCP_FASTOPEN */
	struct tandem_fo_keys __rcu *fo_keys;	/* TCP_FASTOPEN_KEY; else the netns's */
};

/* A write that is to go with the SYN; on the stack of tandem_fastopen_sendmsg(). */
struct tandem_fo_req {
	struct msghdr	*msg;
	size_t		size;
	int		copied;		/* bytes that went */
	struct tandem_fo_cookie cookie;	/* for the SYN, while syn_cookie */
};

/*
 * The order is by use, in groups of as few cache lines as may be (64 bytes); the sizes
 * of the first three are asserted below.  A segment that comes in order, and one that
 * goes out, touch the flow, these three, cc and what follows it up to the line "now and
 * then".  inet_sock's size differs between kernels, so a group can begin anywhere in a
 * line.  Put a new field where it is used, and look for a hole that it fits in.
 */
struct tandem_sock {
	struct inet_sock	inet;		/* must be first */
	struct tandem_flow	flow;		/* our entry in the flow table */

	/* ---- each segment, either way: begins with af ---- */
	const struct tandem_af_ops *af;		/* IPv4, IPv6 or v4-mapped */
	struct tandem_net *tn;	/* tandem_pernet() of its netns, which it holds */
	u64	clock_us;	/* when the event at hand came, tandem_clock_tick() */
	unsigned long	deferred;	/* bits of enum tandem_deferred; atomic */
	u8	nonagle;	/* TANDEM_NAGLE_* */
	u8	rtx_event;	/* enum tandem_rtx_event */
	u8	loss_event;	/* enum tandem_loss_timer */
	u8	backoff;	/* doublings of the RTO, RFC 6298 section 5.5 */
	u8	retransmits;	/* consecutive timeouts of the same data */
	u8	probes_out;	/* unanswered zero-window or keepalive probes */
	u8	ack_pending;	/* TANDEM_ACK_* */
	u8	quickacks;	/* ACKs still to send at once (start, after idle) */
	bool	pingpong;	/* interactive: the program answers, so wait */
	bool	is_cwnd_limited;/* in the last flight, cwnd_usage_seq */
	u8	n_sacks;	/* SACK blocks to tell: trouble->sacks */
	bool	dsack;		/* trouble->dsack_block goes first in the next ACK */
	u8	snd_wscale;	/* negotiated by the SYNs, as the next six */
	u8	rcv_wscale;
	bool	wscale_ok;
	bool	sack_ok;
	bool	ts_ok;
	u8	ecn;		/* TANDEM_ECN_*, ecn.h; in use: cc.ecn_ok */
	u8	wire;		/* TANDEM_WIRE_* */
	bool	third_ack;	/* the ACK owed completes the handshake; thrift.c */
	bool	fin_ack;	/* the ACK owed is of the peer's FIN */
	bool	passive;	/* a listener's child */
	bool	fin_hold;	/* the end of an answer waits for close() */
	bool	fin_rcvd;	/* the peer's FIN is in order */
	bool	fo_pending;	/* a child made at the SYN; the handshake is not over */
	bool	syn_held;	/* its SYN-ACK, the head of the queue, waits for the answer */
	bool	tlp_out;	/* a tail loss probe is unanswered */
	bool	tlp_retrans;	/* it was no new data */
	bool	tlp_wait_rtt;	/* no round trip was measured since */
	bool	path_learns;	/* the handshake is complete, nothing was told yet */
	u16	urg_data;	/* what we have of the urgent byte: urgent.c */

	/* ---- sending, RFC 9293 section 3.3.1: begins with snd_una ---- */
	u32	snd_una;	/* oldest unacknowledged */
	u32	snd_nxt;	/* next to send */
	u32	snd_wnd;	/* peer's window, bytes, scaled up */
	u32	snd_wl1;	/* SEG.SEQ of the last window update */
	u32	write_seq;	/* tail + 1 of all that was written */
	u32	pushed_seq;	/* last PSH set at */
	u32	snd_up;		/* end of the urgent data; snd_una: none is out */
	u32	snd_sml;	/* end of the last small segment sent (Minshall) */
	u32	max_window;	/* largest window the peer ever offered */
	u32	mss_cache;	/* payload bytes of a full segment, options deducted */
	u32	pmtu_cookie;	/* path MTU the mss_cache was made for */
	u32	packets_out;	/* segments in rtx_queue */
	u32	sacked_out;	/* of these, SACKed (or dupACKs seen, without SACK) */
	u32	lost_out;	/* of these, deemed lost */
	u32	retrans_out;	/* retransmissions in flight */
	u32	max_packets_out;/* since the last cwnd_limited verdict */
	u32	cwnd_usage_seq;	/* and where that verdict's flight ends */
	u32	rto_us;		/* before backoff */
	struct rb_root	rtx_queue;	/* sent, not ACKed; by seq */
	struct list_head sent_list;	/* of these, in flight; by time of sending */
	struct list_head lost_list;	/* and those to be sent again; by seq, nearly */
	u64	pace_next_ns;	/* when the next segment may go, pace.c */

	/* ---- receiving: begins with rcv_nxt ---- */
	u32	rcv_nxt;	/* next expected */
	u32	rcv_wnd;	/* advertised at rcv_wup, bytes */
	u32	rcv_wup;	/* rcv_nxt when it was advertised */
	u32	rcv_acked;	/* rcv_nxt told by the last ACK we sent */
	u32	copied_seq;	/* next byte for the program */
	u32	rcv_mss;	/* estimate of the peer's segment size */
	u32	window_clamp;	/* upper bound of what we advertise */
	u32	rcv_ssthresh;	/* what we advertise for now, grows to the clamp */
	u32	ts_offset;	/* RFC 7323 section 5.4: random start of our clock */
	u32	ts_recent;	/* TS.Recent */
	u64	ts_recent_us;	/* when it was taken, tandem_now_us() */
	u64	last_data_us;	/* when data last arrived */
	u64	last_rcv_us;	/* when anything last arrived (keepalive) */
	u64	last_sent_us;	/* when data was last sent */
	struct rb_root	ofo_queue;	/* out of order, by seq, no overlap */
	struct sk_buff	*ofo_last;	/* highest of these */
	struct {
		u32	space;		/* bytes read in the last round trip */
		u32	seq;		/* copied_seq when measuring began */
		u64	time_us;
	} rcvq_space;		/* receive buffer autotuning */

	/* ---- each ACK; and what is counted ---- */
	struct tandem_cc	cc;	/* congestion control */
	struct tandem_rate	rate;	/* delivery rate, rate.c */
	struct tandem_rtt	rtt;
	struct tandem_arrival	arrival;	/* in which order it arrives, arrival.c */
	u64	bytes_acked;
	u64	bytes_received;
	u64	bytes_sent;
	u32	segs_in;
	u32	segs_out;
	u32	data_segs_in;
	u32	data_segs_out;
	u64	first_rtx_us;	/* when the unanswered sending began; 0: answered */
	struct tandem_chrono	chrono;
	struct tandem_rounds	*rounds; /* what the path is told at the end, path.c */
	/* By enum tandem_kind; congestion control is in cc.ops. */
	const struct tandem_choice *choice[TANDEM_SOCK_KINDS];
	u16	known_reordering;	/* of the path, from earlier connections: loss.c */
	u8	known_mult;

	/* ---- timers; sk_timer holds a reference while it is armed ---- */
	struct llist_node	tsq_node;	/* while TANDEM_TSQ_QUEUED */
	/* jiffies, their low half: deadlines of sk_timer, timer.c and deadline.h */
	u32			rtx_deadline;	/* rtx_event says of what */
	u32			delack_deadline;/* while TANDEM_ACK_TIMER */
	u32			keep_deadline;	/* while keep_on */
	u32			timer_latest;	/* when it fires at the latest, if it runs */
	struct hrtimer		alarm;		/* alarm.c; pace_next_ns is its, too */
	u64			loss_deadline_ns; /* loss.c; loss_event says of what */
	u64			hold_until_ns;	/* thrift.c; while fin_hold */
	bool			keep_on;	/* keepalive, or FIN-WAIT-2 of an orphan */
	bool			pace_waits : 1;	/* for pace_next_ns */
	bool			alarm_serving : 1; /* what is due: set it when all is done */
	bool			loss_begun : 1;	/* the detector chosen has: trouble->loss */
	bool			push_at_once : 1; /* all that one push sends was sent at one time */
	bool			sum_waits : 1;	/* the device needs no checksums: goal.c */
	u8			chrono_runs;	/* enum tandem_chrono_type */

	/* ---- now and then: while something is lost or out of order ---- */
	u32	high_seq;	/* snd_nxt when recovery began (recover, RFC 6582) */
	u32	dupacks;	/* duplicate ACKs in a row, without SACK */
	u32	lost_upto;	/* where a detector's walk by number goes on */
	union {
		u32	tlp_end_seq;	/* snd_nxt when the probe was sent, tlp_out */
		u32	syn_tsval;	/* TSval of our first SYN, SYN-SENT; 0: none */
	};
	u32	total_retrans;
	struct tandem_prr	prr;	/* in CWR and RECOVERY */
	u32	urg_seq;	/* the urgent byte */
	struct tandem_trouble	*trouble; /* all else of it: rare.h */
	u32	estab_ms;	/* when the handshake was complete; for 49 days */
	u32	rcv_ofo;		/* segments that came out of order */
	u32	last_oow_ack_ms;/* last answer to something unacceptable; 0: none */
	struct {
		u32	rtt_us8;	/* receiver's estimate, times 8 */
		u32	last_tsecr;	/* echo that was sampled last */
	} rcv_rtt_est;		/* full segments only */

	u32	mtu_info;		/* from ICMP, under bh_lock_sock */
	struct tandem_rare	*rare;	/* what few connections need: rare.h */

	/* ---- fast open, RFC 7413 ---- */
	union {
		struct tandem_fo_req	*fo_req;	/* a write waits to go with the SYN */
		struct sock		*fo_listener;	/* passive: counts us; held */
	};
	int	fo_err;		/* of sending the SYN */
	bool	fo_connect : 1;	/* TCP_FASTOPEN_CONNECT */
	bool	syn_fastopen : 1;	/* our SYN had the option */
	bool	syn_cookie : 1;	/* with a cookie, that of fo_req; else it asked for one */
	bool	syn_exp : 1;	/* by the experimental option, */
	bool	syn_tried : 1;	/* and the other one had been in vain */
	bool	syn_data : 1;	/* our SYN, or SYN-ACK, had data */
	bool	syn_data_acked : 1;	/* the SYN's data was taken, by the peer or by us */
	bool	fo_no_cookie;	/* TCP_FASTOPEN_NO_COOKIE */
	u8	fo_fail;	/* enum tandem_fo_fail */
	u8	syn_retries;	/* TCP_SYNCNT; 0: the knob */

	/* ---- setup and options ---- */
	u32	iss;
	u32	irs;
	u16	mss_clamp;		/* peer's MSS option */
	u16	user_mss;		/* TCP_MAXSEG */
	u16	advmss;			/* what we announced */
	u16	ext_hdr_len;		/* IP options or extension headers, bytes */
	__be16	udp_dport;		/* udp wire: the peer's UDP port */
	u8	keepalive_probes;	/* TCP_KEEPCNT; 0: the knob */
	u8	defer_accept;		/* TCP_DEFER_ACCEPT, retransmissions; 0 off */
	u8	rcv_tos;
	u8	save_syn;		/* TCP_SAVE_SYN; a listener's, then its children's */
	bool	accept_linked;		/* in a listener's accept queue */
	bool	orphan_counted;		/* in tandem_net.orphans */
	bool	recvmsg_inq;		/* TCP_INQ */
	bool	thin_lto;		/* TCP_THIN_LINEAR_TIMEOUTS */
	u16	keepalive_time;		/* seconds; 0: the knob */
	u16	keepalive_intvl;	/* seconds; 0: the knob */
	s16	linger2;		/* TCP_LINGER2, seconds; 0: knob, < 0: none */
	u32	user_timeout_ms;	/* TCP_USER_TIMEOUT, RFC 5482; 0: retries2 */
	u32	notsent_lowat;		/* TCP_NOTSENT_LOWAT; 0: none */
	u32	tx_delay_us;		/* TCP_TX_DELAY; 0: none */
	u32	tskey_base;		/* SOF_TIMESTAMPING_OPT_ID: number of byte 0 */

	struct tandem_claim	claim;		/* on the local port */
	struct tandem_listen	*listen;	/* listeners only */
	union {		/* no child that waits to be accepted listens */
		struct list_head	accept_node;	/* children waiting in a listener */
		struct hlist_node	listen_node;	/* in a listener slot, RCU */
	};
};

#define TANDEM_SOCK_SPAN(first, last)			\
	(offsetofend(struct tandem_sock, last) - offsetof(struct tandem_sock, first))
static_assert(TANDEM_SOCK_SPAN(af, urg_data) <= 64, "both ways: one line");
static_assert(TANDEM_SOCK_SPAN(snd_una, pace_next_ns) <= 128, "sending: two lines");
static_assert(TANDEM_SOCK_SPAN(rcv_nxt, rcvq_space) <= 128, "receiving: two lines");
/* Each idle connection has it, and each child is a copy of it: see rare.h before it grows. */
#define TANDEM_SOCK_OWN		840	/* but for what kernels have of different sizes */
#ifndef __CHECKER__	/* sparse gives each flag of a bit a place of its own */
static_assert(sizeof(struct tandem_sock) - sizeof(struct inet_sock) -
	      sizeof(struct hrtimer) <= TANDEM_SOCK_OWN, "an idle connection is light");
#endif

/* For AF_INET6 sockets: ipv6_pinfo last, as kernels before 6.5 find it. */
struct tandem6_sock {
	struct tandem_sock	tandem;
	struct ipv6_pinfo	inet6;
};

static inline struct tandem_sock *tandem_sk(const struct sock *sk)
{
	return (struct tandem_sock *)sk;
}

static inline struct sock *tandem_to_sk(struct tandem_sock *tp)
{
	return (struct sock *)tp;
}

/* Knobs and counters of a socket's netns, without the way there through struct net. */
#define tandem_sk_knob(sk, name)	READ_ONCE(tandem_sk(sk)->tn->knobs.name)
#define TANDEM_SK_INC(sk, e)	\
	SNMP_INC_STATS(tandem_sk(sk)->tn->mib, TANDEM_MIB_##e)
#define TANDEM_SK_ADD(sk, e, n)	\
	SNMP_ADD_STATS(tandem_sk(sk)->tn->mib, TANDEM_MIB_##e, n)

/* Microseconds on the monotonic clock. */
static inline u64 tandem_now_us(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_USEC);
}

/*
 * What happens for one event happens at one time.  The clock is read when a segment
 * comes in, before a queue is pushed and when a segment leaves; what is done for these
 * reads clock_us.
 */
static inline u64 tandem_clock_tick(struct tandem_sock *tp)
{
	tp->clock_us = tandem_now_us();
	return tp->clock_us;
}

static inline u64 tandem_clock_ns(const struct tandem_sock *tp)
{
	return tp->clock_us * NSEC_PER_USEC;
}

/*
 * Our timestamp clock, RFC 7323, from a secret start per connection.  Ticks of 1 us among
 * ourselves; of 1 ms where the peer is a TCP, which takes a clock that went half round
 * since it heard of it last for one that went back, for 24 days (section 5.5).
 */
#define TANDEM_TS_VALID_US	((u64)S32_MAX)	/* older: a 1 us clock may have wrapped */

static inline u32 tandem_ts_tick_us(u8 wire)
{
	return wire == TANDEM_WIRE_TCP ? USEC_PER_MSEC : 1;
}

static inline u32 tandem_ts_clock(u8 wire, u64 us)
{
	return wire == TANDEM_WIRE_TCP ? div_u64(us, USEC_PER_MSEC) : us;
}

static inline u32 tandem_ts_at(const struct tandem_sock *tp, u64 us)
{
	return tandem_ts_clock(tp->wire, us) + tp->ts_offset;
}

static inline u32 tandem_ts_now(const struct tandem_sock *tp)
{
	return tandem_ts_at(tp, tandem_now_us());
}

/* How old an echo of it is, us; below 0: it is of the future, or nonsense. */
static inline s64 tandem_ts_age_us(const struct tandem_sock *tp, u32 tsecr)
{
	return (s64)(s32)(tandem_ts_at(tp, tp->clock_us) - tsecr) *
	       tandem_ts_tick_us(tp->wire);
}

/* What is open of the window we advertised. */
static inline u32 tandem_rcv_wnd_open(const struct tandem_sock *tp)
{
	s32 win = tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt;

	return win < 0 ? 0 : win;
}

/* End of the window the peer granted us. */
static inline u32 tandem_snd_wnd_end(const struct tandem_sock *tp)
{
	return tp->snd_una + tp->snd_wnd;
}

/* Did cwnd hold us back?  Slow start doubles: then half of it used counts as limited. */
static inline bool tandem_cwnd_limited(const struct tandem_sock *tp)
{
	return tandem_cc_in_slow_start(&tp->cc) ? tp->cc.cwnd < 2 * tp->max_packets_out :
						  tp->is_cwnd_limited;
}

static inline const struct tandem_rto_ops *tandem_rto_ops(const struct tandem_sock *tp)
{
	const struct tandem_choice *choice = tp->choice[TANDEM_KIND_RTO];

	/* A socket in the making has none yet. */
	return choice ? container_of(choice, struct tandem_rto_ops, choice) :
			&tandem_rto_rfc6298;
}

/* RFC 6675's pipe, in segments. */
static inline u32 tandem_pipe(const struct tandem_sock *tp)
{
	return tp->packets_out - tp->sacked_out - tp->lost_out + tp->retrans_out;
}

static inline bool tandem_in_recovery(const struct tandem_sock *tp)
{
	return tp->cc.ca_state >= TANDEM_CA_RECOVERY;
}

/* After a timeout: until F-RTO knows, nothing more is sent again. */
static inline bool tandem_frto_waits(const struct tandem_sock *tp)
{
	return tp->cc.ca_state == TANDEM_CA_LOSS && tp->trouble &&
	       tp->trouble->frto.step != TANDEM_FRTO_OFF;
}

/* The state bit, for tests against several states at once (TCPF_*). */
static inline int tandem_state_bit(const struct sock *sk)
{
	return 1 << sk->sk_state;
}

#endif /* _TANDEM_SOCK_H */
