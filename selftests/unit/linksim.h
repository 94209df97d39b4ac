/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linksim.h - congestion control algorithms on a simulated link, in user space.
 *
 *	sender 0 ─┐                                        ┌─ receiver 0
 *	sender 1 ─┼─ random loss ─ queue ─ rate ─ delay ───┼─ receiver 1
 *	...      ─┘                                        └─ ...
 *
 * All flows share one FIFO queue with tail drop and, if asked, an ECN threshold; ACKs
 * come back after a delay and are never lost.  Senders follow include/tandem/cong.h:
 * they sample the delivery rate, pace, find losses by what was sent later and arrived
 * earlier (RFC 8985 without reordering), probe for tail losses, time out, and reduce by
 * PRR (RFC 6937).  The network does not reorder.
 *
 * Everything follows from the configuration and its seed: no clock, no other
 * randomness, the same figures everywhere.
 */
#ifndef LINKSIM_H
#define LINKSIM_H

#include <tandem/cong.h>

#define LINKSIM_FLOWS	16
#define LINKSIM_MSS	1448U
#define LINKSIM_PRIV	128		/* words of an algorithm: TANDEM_CONG_PRIV */
#define LINKSIM_WIRE	1514U		/* of a full segment, with all headers */

/**
 * struct linksim_flow - one sender and its receiver
 * @ops:	the algorithm
 * @start_us:	when it sends its SYN
 * @stop_us:	when it stops sending, 0: never
 * @bytes:	how much it has to send, 0: no end
 * @chunk_bytes, @chunk_us: if set, the program writes that much that often
 * @extra_rtt_us: added to the link's delay
 * @ack_every:	segments per ACK, 0: 2
 * @paced:	pace although the algorithm does not ask for it (twice cwnd / srtt in slow
 *		start, 1.2 times else, as Linux)
 *
 * Results:
 * @cc:		as it was at the end, and @cc_priv
 * @done_us:	when all @bytes were ACKed, 0: not yet
 * @got:	segments that arrived first, since linksim.measure_us
 * @sent, @lost, @timeouts, @recoveries: since the start
 */
struct linksim_flow {
	struct tandem_cong_ops *ops;
	u64	start_us;
	u64	stop_us;
	u64	bytes;
	u32	chunk_bytes;
	u32	chunk_us;
	u32	extra_rtt_us;
	u32	ack_every;
	bool	paced;

	struct tandem_cc cc;
	u64	cc_priv[LINKSIM_PRIV];
	u64	done_us;
	u64	got;
	u64	sent;
	u64	lost;
	u32	timeouts;
	u32	recoveries;
};

/**
 * struct linksim - a link and its flows
 * @rate_bps:	bits per second
 * @rtt_us:	round trip without queue
 * @buffer:	bytes of queue, 0: one BDP
 * @ecn_mark:	mark from this many bytes of queue on, 0: never
 * @loss_ppm:	segments lost at random, per million
 * @seed:	of that loss
 * @run_us:	for how long, 0: until all flows with @bytes are done
 * @measure_us:	results count from here on
 * @flows, @n:	the flows
 * @each_ack:	called after each ACK, for tests that watch
 *
 * Results:
 * @queue_p50_us, @queue_p95_us: of the queueing delay, sampled each millisecond
 * @drops, @marks: by the full queue, by ECN
 * @now_us:	when it ended
 */
struct linksim {
	u64	rate_bps;
	u32	rtt_us;
	u64	buffer;
	u64	ecn_mark;
	u32	loss_ppm;
	u64	seed;
	u64	run_us;
	u64	measure_us;
	struct linksim_flow flows[LINKSIM_FLOWS];
	u32	n;
	void	(*each_ack)(struct linksim *sim, u32 flow,
			    const struct tandem_cong_ack *ack);

	u32	queue_p50_us;
	u32	queue_p95_us;
	u64	drops;
	u64	marks;
	u64	now_us;
};

/* Bytes of one bandwidth-delay product. */
static inline u64 linksim_bdp(const struct linksim *sim)
{
	return sim->rate_bps / 8 * sim->rtt_us / 1000000;
}

void linksim_run(struct linksim *sim);

/* Payload delivered, permille of the link, since @measure_us or until done. */
u32 linksim_goodput(const struct linksim *sim, u32 flow);
/* Jain's index of the flows' @got, permille. */
u32 linksim_jain(const struct linksim *sim);

#endif /* LINKSIM_H */
