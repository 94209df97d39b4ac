/* SPDX-License-Identifier: GPL-2.0 */
/*
 * path.h - what is remembered of a path (path.c, RFC 9040).
 */
#ifndef _TANDEM_PATH_H
#define _TANDEM_PATH_H

#include <linux/in6.h>
#include <linux/types.h>
#include "options.h"

struct net;
struct seq_file;
struct sock;
struct tandem_flow_key;

/**
 * struct tandem_path_info - a path's memory, as a snapshot
 * @srtt_us:	smoothed RTT, microseconds; 0: never measured
 * @rttvar_us:	its variation, microseconds
 * @min_rtt_us:	the smallest RTT of the last connection, microseconds
 * @reordering:	by how many segments at most some came late; 0: none was seen to
 * @reo_mult:	what the loss detector allowed them in the end, in its own unit
 * @in_order_segs: segments in a row, over connections, that had a chance to be reordered
 *		and were not
 * @mss:	the peer's MSS, bytes; 0: not known
 * @ssthresh:	slow start threshold, segments; 0: never reached
 * @bw:		delivery rate, the highest of recent rounds, bytes per second; 0: unknown
 * @cookie:	of fast open; @cookie.len 0: none
 * @syn_losses:	SYNs with data or cookie in a row that had to be sent again without
 * @syn_loss_us: when the last of these was, tandem_now_us()
 * @learnt_us:	when anything was learnt last, to the tick, of the monotonic clock
 */
struct tandem_path_info {
	u32	srtt_us;
	u32	rttvar_us;
	u32	min_rtt_us;
	u32	ssthresh;
	u64	bw;
	u64	syn_loss_us;
	u64	learnt_us;
	u32	in_order_segs;
	u16	reordering;
	u16	mss;
	u8	reo_mult;
	u8	syn_losses;
	struct tandem_fo_cookie cookie;
};

int tandem_path_net_init(struct net *net);
void tandem_path_net_exit(struct net *net);

/* What is known; false: nothing, or the cache is off.  @dev: bound device or 0. */
bool tandem_path_lookup(struct net *net, const struct tandem_flow_key *flow, int dev,
			struct tandem_path_info *info);
/* A connection whose handshake is complete ends: keep what it measured. sk is locked. */
void tandem_path_learn(struct sock *sk);
/*
 * How a fast open went: @mss of the SYN-ACK, or 0; @cookie, or how to ask for one the next
 * time (its @len is 0), or NULL: nothing new.
 */
void tandem_path_learn_fastopen(struct sock *sk, u16 mss,
				const struct tandem_fo_cookie *cookie, bool syn_lost);
/* Bytes were acknowledged: the delivery rate of a round. */
void tandem_path_sample(struct sock *sk, u64 now_us);

/* The RTO for a SYN or SYN-ACK to a known path, microseconds; 0: nothing is known. */
u32 tandem_path_syn_rto_us(struct net *net, const struct tandem_flow_key *flow, int dev);
/* An established connection without a sample of its own takes what is remembered. */
void tandem_path_prime(struct sock *sk);

/* An ACK came and congestion control has seen it: does Careful Resume know better? */
void tandem_path_step(struct sock *sk, u32 acked);

void tandem_path_flush(struct net *net);
int tandem_path_show(struct seq_file *m, void *v);

#endif /* _TANDEM_PATH_H */
