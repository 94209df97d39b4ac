/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reason.h - one enum says why: every drop, reset, state change, ACK and
 * retransmission carries a value of it, shared by the tracepoints, the counters
 * (each reason names its counter) and the documentation.
 */
#ifndef _TANDEM_REASON_H
#define _TANDEM_REASON_H

#include "mib.h"

/* X(enum suffix, text in traces, counter bumped by tandem_drop(), 0: none) */
#define TANDEM_REASON_LIST(X)						\
	X(NONE, "none", 0)						\
	/* drops */							\
	X(SHORT, "short", TANDEM_MIB_INSHORT)				\
	X(CSUM, "checksum", TANDEM_MIB_INCSUMERRORS)			\
	X(DOFF, "data-offset", TANDEM_MIB_INBADDOFF)			\
	X(BADOPT, "bad-option", TANDEM_MIB_INBADOPT)			\
	X(BADFLAGS, "bad-flags", TANDEM_MIB_INBADFLAGS)			\
	X(NOSOCK, "no-socket", TANDEM_MIB_INNOSOCK)			\
	X(POLICY, "policy", TANDEM_MIB_INPOLICY)			\
	X(OUTWIN, "out-of-window", TANDEM_MIB_INOUTWIN)			\
	X(ACKUNSENT, "ack-of-unsent", TANDEM_MIB_INACKUNSENT)		\
	X(ACKOLD, "ack-too-old", TANDEM_MIB_INACKOLD)			\
	X(NOACK, "no-ack-flag", TANDEM_MIB_INNOACK)			\
	X(PAWS, "paws", TANDEM_MIB_INPAWS)				\
	X(SYNCHALLENGE, "syn-in-window", TANDEM_MIB_INSYNCHALLENGE)	\
	X(RSTCHALLENGE, "rst-not-exact", TANDEM_MIB_INRSTCHALLENGE)	\
	X(DUPDATA, "duplicate-data", TANDEM_MIB_INDUPDATA)		\
	X(OFODUP, "ofo-duplicate", TANDEM_MIB_OFOMERGED)		\
	X(OFOPRUNE, "ofo-pruned", TANDEM_MIB_OFOPRUNED)			\
	X(RCVBUF, "receive-buffer", TANDEM_MIB_RCVPRUNED)		\
	X(BACKLOG, "backlog", TANDEM_MIB_BACKLOGDROP)			\
	X(AFTERCLOSE, "after-close", TANDEM_MIB_INAFTERCLOSE)		\
	X(REQFULL, "request-queue-full", TANDEM_MIB_SYNDROPREQ)		\
	X(ACCEPTFULL, "accept-queue-full", TANDEM_MIB_SYNDROPACCEPT)	\
	X(NOMEM, "no-memory", TANDEM_MIB_SYNDROPMEM)			\
	/* resets and ends */						\
	X(RSTIN, "peer-reset", TANDEM_MIB_INRSTS)			\
	X(UNREADDATA, "close-with-unread-data", TANDEM_MIB_ABORTONDATA)	\
	X(LINGER, "linger-0", TANDEM_MIB_ABORTONCLOSE)			\
	X(DISCONNECT, "disconnect", TANDEM_MIB_ABORTONCLOSE)		\
	X(ORPHANS, "too-many-orphans", TANDEM_MIB_ABORTONMEMORY)	\
	X(ORPHANTIMER, "orphan-timeout", TANDEM_MIB_ABORTONTIMEOUT)	\
	X(GIVEUP, "gave-up", TANDEM_MIB_GIVEUPS)			\
	X(SYNGIVEUP, "syn-gave-up", TANDEM_MIB_SYNGIVEUPS)		\
	X(KEEPALIVE, "keepalive", TANDEM_MIB_KEEPALIVEGIVEUPS)		\
	X(ICMP, "icmp", TANDEM_MIB_ICMPIN)				\
	/* state changes */						\
	X(USER, "program", 0)						\
	X(SYNIN, "syn", 0)						\
	X(SYNACKIN, "syn-ack", 0)					\
	X(ACKIN, "ack", 0)						\
	X(FININ, "fin", 0)						\
	/* retransmissions */						\
	X(RTX_RTO, "timeout", TANDEM_MIB_RTORETRANS)			\
	X(RTX_FAST, "fast-retransmit", TANDEM_MIB_FASTRETRANS)		\
	X(RTX_RACK, "rack", TANDEM_MIB_RACKRETRANS)			\
	X(RTX_TLP, "tail-loss-probe", TANDEM_MIB_TLPRETRANS)		\
	X(RTX_SYN, "syn-timeout", TANDEM_MIB_SYNRETRANS)		\
	X(RTX_SYNACK, "syn-ack-timeout", TANDEM_MIB_SYNACKRETRANS)	\
	X(RTX_SYNDATA, "syn-data-refused", 0)				\
	X(RTX_PMTU, "smaller-mtu", 0)

enum tandem_reason {
#define X(e, t, m) TANDEM_R_##e,
	TANDEM_REASON_LIST(X)
#undef X
	__TANDEM_R_MAX
};

struct net;
struct sock;
struct sk_buff;

/* The reason's name and counter (0: none). */
const char *tandem_reason_name(enum tandem_reason reason);
enum tandem_mib_item tandem_reason_mib(enum tandem_reason reason);

/* Count @reason in @net. */
void tandem_count_reason(struct net *net, enum tandem_reason reason);
void tandem_count_reason_segs(struct net *net, enum tandem_reason reason, u32 segs);

/* Count, trace and free a received segment. @sk may be NULL. */
void tandem_drop(struct net *net, const struct sock *sk, struct sk_buff *skb,
		 enum tandem_reason reason);

#endif /* _TANDEM_REASON_H */
