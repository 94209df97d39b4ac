// SPDX-License-Identifier: GPL-2.0
/*
 * reason.c - the names of the reasons, and the one way to drop a segment.
 */
#include "compat.h"
#include "netns.h"
#include "reason.h"
#include "trace.h"

static const char * const reason_names[__TANDEM_R_MAX] = {
#define X(e, t, m) t,
	TANDEM_REASON_LIST(X)
#undef X
};

static const u8 reason_mibs[__TANDEM_R_MAX] = {
#define X(e, t, m) m,
	TANDEM_REASON_LIST(X)
#undef X
};

/* The nearest word of the core's own drop monitor (dropwatch, perf). */
static const u8 reason_core[__TANDEM_R_MAX] = {
	[TANDEM_R_SHORT]	= SKB_DROP_REASON_PKT_TOO_SMALL,
	[TANDEM_R_CSUM]		= SKB_DROP_REASON_TCP_CSUM,
	[TANDEM_R_BADFLAGS]	= SKB_DROP_REASON_TCP_FLAGS,
	[TANDEM_R_NOSOCK]	= SKB_DROP_REASON_NO_SOCKET,
	[TANDEM_R_POLICY]	= SKB_DROP_REASON_SOCKET_FILTER,
	[TANDEM_R_OUTWIN]	= SKB_DROP_REASON_TCP_INVALID_SEQUENCE,
	[TANDEM_R_ACKUNSENT]	= SKB_DROP_REASON_TCP_ACK_UNSENT_DATA,
	[TANDEM_R_ACKOLD]	= SKB_DROP_REASON_TCP_TOO_OLD_ACK,
	[TANDEM_R_NOACK]	= SKB_DROP_REASON_TCP_FLAGS,
	[TANDEM_R_PAWS]		= SKB_DROP_REASON_TCP_RFC7323_PAWS,
	[TANDEM_R_SYNCHALLENGE]	= SKB_DROP_REASON_TCP_INVALID_SYN,
	[TANDEM_R_RSTCHALLENGE]	= SKB_DROP_REASON_TCP_RESET,
	[TANDEM_R_DUPDATA]	= SKB_DROP_REASON_TCP_OLD_DATA,
	[TANDEM_R_OFODUP]	= SKB_DROP_REASON_TCP_OFOMERGE,
	[TANDEM_R_OFOPRUNE]	= SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE,
	[TANDEM_R_RCVBUF]	= SKB_DROP_REASON_SOCKET_RCVBUFF,
	[TANDEM_R_BACKLOG]	= SKB_DROP_REASON_SOCKET_BACKLOG,
	[TANDEM_R_AFTERCLOSE]	= SKB_DROP_REASON_TCP_CLOSE,
	[TANDEM_R_NOMEM]	= SKB_DROP_REASON_NOMEM,
	[TANDEM_R_RSTIN]	= SKB_DROP_REASON_TCP_RESET,
};

/**
 * tandem_reason_name() - a reason as traces and the documentation call it
 * @reason: the reason
 */
const char *tandem_reason_name(enum tandem_reason reason)
{
	return reason < __TANDEM_R_MAX ? reason_names[reason] : "?";
}

/**
 * tandem_reason_mib() - the counter that goes with a reason
 * @reason: the reason
 *
 * Return: the counter, TANDEM_MIB_NUM (0) when there is none.
 */
enum tandem_mib_item tandem_reason_mib(enum tandem_reason reason)
{
	return reason < __TANDEM_R_MAX ? reason_mibs[reason] : TANDEM_MIB_NUM;
}

/**
 * tandem_count_reason() - count that something happened for @reason
 * @net: where
 * @reason: why
 */
void tandem_count_reason(struct net *net, enum tandem_reason reason)
{
	tandem_count_reason_segs(net, reason, 1);
}

/**
 * tandem_count_reason_segs() - count that it happened to several segments at once
 * @net: where
 * @reason: why
 * @segs: how many
 */
void tandem_count_reason_segs(struct net *net, enum tandem_reason reason, u32 segs)
{
	enum tandem_mib_item item = tandem_reason_mib(reason);

	if (item != TANDEM_MIB_NUM)
		SNMP_ADD_STATS(tandem_pernet(net)->mib, item, segs);
}

/**
 * tandem_drop() - count, trace and free a received segment
 * @net: where
 * @sk: the socket it was for, or NULL
 * @skb: the segment, consumed
 * @reason: why; TANDEM_R_NONE: nothing is wrong with it, it has done its work
 */
void tandem_drop(struct net *net, const struct sock *sk, struct sk_buff *skb,
		 enum tandem_reason reason)
{
	enum skb_drop_reason core = SKB_DROP_REASON_NOT_SPECIFIED;

	if (reason == TANDEM_R_NONE) {
		consume_skb(skb);
		return;
	}
	if (reason < __TANDEM_R_MAX && reason_core[reason])
		core = reason_core[reason];
	tandem_count_reason(net, reason);
	trace_tandem_drop(sk, skb, reason);
	tandem_kfree_skb_reason(sk, skb, core);
}
