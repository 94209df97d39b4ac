/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - the tracepoints, /sys/kernel/tracing/events/tandem/.  Addresses are
 * v4-mapped, sequence numbers as on the wire, windows in bytes; "net" is the inode
 * of the network namespace (ls -l /proc/PID/ns/net).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tandem

#if !defined(_TANDEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TANDEM_TRACE_H

#include <linux/tracepoint.h>
#include <net/tcp_states.h>
#include "reason.h"

#ifndef _TANDEM_TRACE_ONCE
#define _TANDEM_TRACE_ONCE

/* What all events begin with. */
struct tandem_trace_flow {
	u8	laddr[16];
	u8	raddr[16];
	u32	net;
	u16	lport;
	u16	rport;
};

/* What an event says of a segment. */
struct tandem_trace_seg {
	u32	seq;
	u32	ack;
	u32	len;
	u32	wnd;
	u8	flags;
};

/* trace.c; only called while the event is on. */
void tandem_trace_flow_sk(struct tandem_trace_flow *f, const struct sock *sk);
void tandem_trace_flow_skb(struct tandem_trace_flow *f, const struct sock *sk,
			   const struct sk_buff *skb);
void tandem_trace_seg_in(struct tandem_trace_seg *s, const struct sock *sk,
			 const struct sk_buff *skb);
void tandem_trace_seg_hdr(struct tandem_trace_seg *s, const struct sk_buff *skb);
void tandem_trace_seg_out(struct tandem_trace_seg *s, const struct sk_buff *skb);
u32 tandem_trace_wnd_out(const struct sock *sk, u8 flags, u32 wnd);
u32 tandem_trace_cwnd(const struct sock *sk);
u32 tandem_trace_pipe(const struct sock *sk);
#endif /* _TANDEM_TRACE_ONCE */

#define TANDEM_TRACE_FLAGS(f)						\
	__print_flags(f, "|",						\
		      { 0x01, "FIN" }, { 0x02, "SYN" }, { 0x04, "RST" },	\
		      { 0x08, "PSH" }, { 0x10, "ACK" }, { 0x20, "URG" },	\
		      { 0x40, "ECE" }, { 0x80, "CWR" })

#define TANDEM_TRACE_STATE(s)						\
	__print_symbolic(s,						\
			 { 1, "ESTABLISHED" }, { 2, "SYN-SENT" },	\
			 { 3, "SYN-RECEIVED" }, { 4, "FIN-WAIT-1" },	\
			 { 5, "FIN-WAIT-2" }, { 6, "TIME-WAIT" },	\
			 { 7, "CLOSED" }, { 8, "CLOSE-WAIT" },		\
			 { 9, "LAST-ACK" }, { 10, "LISTEN" },		\
			 { 11, "CLOSING" })

/* Names of the reasons, for us and for tools that read the format file. */
#define tandem_trace_enum(e, t, m)	TRACE_DEFINE_ENUM(TANDEM_R_##e);
TANDEM_REASON_LIST(tandem_trace_enum)
TRACE_DEFINE_ENUM(__TANDEM_R_MAX);
#undef tandem_trace_enum

#undef tandem_trace_sym
#define tandem_trace_sym(e, t, m)	{ TANDEM_R_##e, t },
#define TANDEM_TRACE_REASON(r)						\
	__print_symbolic(r, TANDEM_REASON_LIST(tandem_trace_sym)		\
			 { __TANDEM_R_MAX, "?" })

/* Flat fields, for tools cannot look into a struct in a struct. */
#define TANDEM_TRACE_FLOW						\
	__array(u8, laddr, 16) __array(u8, raddr, 16)			\
	__field(u32, net) __field(u16, lport) __field(u16, rport)
#define TANDEM_TRACE_FLOW_SET(fill) do {				\
	struct tandem_trace_flow flow;					\
									\
	fill;								\
	memcpy(__entry->laddr, flow.laddr, sizeof(flow.laddr));		\
	memcpy(__entry->raddr, flow.raddr, sizeof(flow.raddr));		\
	__entry->net = flow.net;					\
	__entry->lport = flow.lport;					\
	__entry->rport = flow.rport;					\
} while (0)
#define TANDEM_TRACE_FLOW_FMT	"net=%u %pI6c.%u > %pI6c.%u "
#define TANDEM_TRACE_FLOW_ARG	__entry->net,				\
	__entry->laddr, __entry->lport, __entry->raddr, __entry->rport

#define TANDEM_TRACE_SEG						\
	__field(u32, seq) __field(u32, ack) __field(u32, len)		\
	__field(u32, wnd) __field(u8, flags)
#define TANDEM_TRACE_SEG_SET(fill) do {					\
	struct tandem_trace_seg seg;					\
									\
	fill;								\
	__entry->seq = seg.seq;						\
	__entry->ack = seg.ack;						\
	__entry->len = seg.len;						\
	__entry->wnd = seg.wnd;						\
	__entry->flags = seg.flags;					\
} while (0)
#define TANDEM_TRACE_SEG_FMT	"flags=%s seq=%u ack=%u len=%u wnd=%u "
#define TANDEM_TRACE_SEG_ARG	TANDEM_TRACE_FLAGS(__entry->flags),	\
	__entry->seq, __entry->ack, __entry->len, __entry->wnd

/* The state of a connection changes. */
TRACE_EVENT(tandem_state,

	TP_PROTO(const struct sock *sk, int from, int to, enum tandem_reason why),

	TP_ARGS(sk, from, to, why),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		__field(const void *, sk)
		__field(u8, from)
		__field(u8, to)
		__field(u8, why)
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_sk(&flow, sk));
		__entry->sk = sk;
		__entry->from = from;
		__entry->to = to;
		__entry->why = why;
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT "sk=%p from=%s to=%s why=%s",
		  TANDEM_TRACE_FLOW_ARG, __entry->sk,
		  TANDEM_TRACE_STATE(__entry->from),
		  TANDEM_TRACE_STATE(__entry->to),
		  TANDEM_TRACE_REASON(__entry->why))
);

/* A connection's segment leaves, retransmissions included; @wnd as on the wire. */
TRACE_EVENT(tandem_send,

	TP_PROTO(const struct sock *sk, const struct sk_buff *skb, u32 seq, u32 ack,
		 u8 flags, u32 len, u32 wnd),

	TP_ARGS(sk, skb, seq, ack, flags, len, wnd),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		TANDEM_TRACE_SEG
		__field(u32, cwnd)
		__field(u32, pipe)
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_sk(&flow, sk));
		__entry->seq = seq;
		__entry->ack = ack;
		__entry->flags = flags;
		__entry->len = len;
		__entry->wnd = tandem_trace_wnd_out(sk, flags, wnd);
		__entry->cwnd = tandem_trace_cwnd(sk);
		__entry->pipe = tandem_trace_pipe(sk);
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT TANDEM_TRACE_SEG_FMT "cwnd=%u pipe=%u",
		  TANDEM_TRACE_FLOW_ARG, TANDEM_TRACE_SEG_ARG,
		  __entry->cwnd, __entry->pipe)
);

/* A segment reaches its connection. */
TRACE_EVENT(tandem_recv,

	TP_PROTO(const struct sock *sk, const struct sk_buff *skb),

	TP_ARGS(sk, skb),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		TANDEM_TRACE_SEG
		__field(u8, state)
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_sk(&flow, sk));
		TANDEM_TRACE_SEG_SET(tandem_trace_seg_in(&seg, sk, skb));
		__entry->state = sk->sk_state;
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT TANDEM_TRACE_SEG_FMT "state=%s",
		  TANDEM_TRACE_FLOW_ARG, TANDEM_TRACE_SEG_ARG,
		  TANDEM_TRACE_STATE(__entry->state))
);

/* A segment is sent again; a tandem_send of the same segment follows. */
TRACE_EVENT(tandem_retransmit,

	TP_PROTO(const struct sock *sk, const struct sk_buff *skb,
		 enum tandem_reason why),

	TP_ARGS(sk, skb, why),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		TANDEM_TRACE_SEG
		__field(u32, cwnd)
		__field(u32, pipe)
		__field(u8, why)
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_sk(&flow, sk));
		TANDEM_TRACE_SEG_SET(tandem_trace_seg_out(&seg, skb));
		__entry->cwnd = tandem_trace_cwnd(sk);
		__entry->pipe = tandem_trace_pipe(sk);
		__entry->why = why;
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT
		  "flags=%s seq=%u len=%u cwnd=%u pipe=%u why=%s",
		  TANDEM_TRACE_FLOW_ARG,
		  TANDEM_TRACE_FLAGS(__entry->flags),
		  __entry->seq, __entry->len,
		  __entry->cwnd, __entry->pipe,
		  TANDEM_TRACE_REASON(__entry->why))
);

/* A received segment is thrown away; @sk may be NULL. */
TRACE_EVENT(tandem_drop,

	TP_PROTO(const struct sock *sk, const struct sk_buff *skb,
		 enum tandem_reason why),

	TP_ARGS(sk, skb, why),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		TANDEM_TRACE_SEG
		__field(u8, why)
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_skb(&flow, sk, skb));
		TANDEM_TRACE_SEG_SET(tandem_trace_seg_hdr(&seg, skb));
		__entry->why = why;
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT TANDEM_TRACE_SEG_FMT "why=%s",
		  TANDEM_TRACE_FLOW_ARG, TANDEM_TRACE_SEG_ARG,
		  TANDEM_TRACE_REASON(__entry->why))
);

/* We reset a connection.  (The peer's resets: tandem_state, why=peer-reset.) */
TRACE_EVENT(tandem_reset,

	TP_PROTO(const struct sock *sk, enum tandem_reason why),

	TP_ARGS(sk, why),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		__field(u8, state)
		__field(u8, why)
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_sk(&flow, sk));
		__entry->state = sk->sk_state;
		__entry->why = why;
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT "state=%s why=%s",
		  TANDEM_TRACE_FLOW_ARG,
		  TANDEM_TRACE_STATE(__entry->state),
		  TANDEM_TRACE_REASON(__entry->why))
);

/*
 * A segment that no full socket sends: a reset, or the answer of a request or of
 * TIME-WAIT.  @skb is the received segment that it answers.
 */
TRACE_EVENT(tandem_reply,

	TP_PROTO(const struct sk_buff *skb, u32 seq, u32 ack, u8 flags, u32 wnd),

	TP_ARGS(skb, seq, ack, flags, wnd),

	TP_STRUCT__entry(
		TANDEM_TRACE_FLOW
		TANDEM_TRACE_SEG
	),

	TP_fast_assign(
		TANDEM_TRACE_FLOW_SET(tandem_trace_flow_skb(&flow, NULL, skb));
		__entry->seq = seq;
		__entry->ack = ack;
		__entry->flags = flags;
		__entry->len = 0;
		__entry->wnd = wnd;
	),

	TP_printk(TANDEM_TRACE_FLOW_FMT TANDEM_TRACE_SEG_FMT,
		  TANDEM_TRACE_FLOW_ARG, TANDEM_TRACE_SEG_ARG)
);

#endif /* _TANDEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
