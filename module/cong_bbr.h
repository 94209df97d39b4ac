/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cong_bbr.h - BBR's state, shared by its model of the path (cong_bbr_model.c), its
 * state machine (cong_bbr.c) and their tests.  Names are those of draft-ietf-ccwg-bbr.
 *
 * Rates are segments per microsecond in 1/2^24, as bbr of Linux TCP has them; gains are
 * in 1/256; shares of loss in 1/65536; volumes in segments.
 */
#ifndef _TANDEM_CONG_BBR_H
#define _TANDEM_CONG_BBR_H

#include "pure.h"
#include <tandem/cong.h>

#define BBR_BW_SHIFT		24
#define BBR_GAIN_SHIFT		8
#define BBR_GAIN_ONE		(1U << BBR_GAIN_SHIFT)
#define BBR_PART_SHIFT		16
#define BBR_PART_ONE		(1U << BBR_PART_SHIFT)
#define BBR_INF			U32_MAX

/* Section 2.7: design parameters. */
#define BBR_LOSS_THRESH		(BBR_PART_ONE / 50 + 1)	/* 2 % */
#define BBR_BETA_PCT		70
#define BBR_HEADROOM_PCT	15
#define BBR_MIN_PIPE_CWND	4U
#define BBR_HOST_US		1000U	/* of a round trip, what two busy hosts may take */
#define BBR_MIN_RTT_WINDOW_US	10000000U
#define BBR_PROBE_RTT_INTERVAL_US 5000000U
#define BBR_PROBE_RTT_US	200000U
#define BBR_EXTRA_ACKED_ROUNDS	10
#define BBR_FULL_BW_ROUNDS	3
#define BBR_STARTUP_LOSSES	6

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN,		/* these four are ProbeBW */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT,
};

enum bbr_ack_phase {
	BBR_ACKS_INIT,		/* not probing, no feedback of a probe */
	BBR_ACKS_REFILLING,
	BBR_ACKS_STARTING,	/* probe begun, feedback is still of before */
	BBR_ACKS_FEEDBACK,
	BBR_ACKS_STOPPING,	/* probe over, feedback still arrives */
};

/*
 * struct bbr - section 2, and what this implementation adds
 * @now_us:	of the last ACK
 * @cycle_us, @min_rtt_at, @probe_rtt_min_at, @probe_rtt_done_at: stamps; the last is
 *		0 while not set
 * @extra_start: begin of the interval of @extra_delivered
 * @max_bw:	best of the previous and of this ProbeBW cycle
 * @bw:		min(max_bw, bw_shortterm)
 * @next_round_delivered: ends this round
 * @loss_round_delivered: ends the round of a loss
 * @round_rtt:	smallest RTT of this round of losses (@loss_round_delivered)
 * @rtt_low:	RTT of late, isolated outliers left off: it rises by a quarter of the
 *		way and falls at once
 * @round_lost0, @round_delivered0: tandem_cc.lost and .delivered at its begin
 * @base_segs:	segments that @base_loss was learnt from, saturating
 * @base_loss:	share lost while no queue was there, see cong_bbr_model.c
 * @bw_fair, @inflight_fair: what is ours in CRUISE since a queue stood, BBR_INF: all
 * @fair_rounds: rounds without a queue since
 * @since_yield: rounds with one
 * @rival:	rounds since the queue was last empty, 0 while it does not stand
 * @rival_lost:	and in these it dropped segments of ours
 * @rivalry:	we share it as CUBIC does, along @curve_max, @curve_k_ms from @cycle_us
 * @rival_known: so we do, or did until a ProbeRTT just now
 * @floor_rounds: rounds of an empty queue, in rivalry
 * @queue_at_up: UP began with a queue that is not ours
 * The rest is named as in the draft.
 */
struct bbr {
	u64	now_us;
	u64	cycle_us;
	u64	min_rtt_at;
	u64	probe_rtt_min_at;
	u64	probe_rtt_done_at;
	u64	extra_start;
	u32	max_bw[2];
	u32	bw;
	u32	bw_shortterm;
	u32	bw_latest;
	u32	full_bw;
	u32	inflight_shortterm;
	u32	inflight_longterm;
	u32	inflight_latest;
	u32	next_round_delivered;
	u32	loss_round_delivered;
	u32	min_rtt;
	u32	probe_rtt_min;
	u32	round_rtt;
	u32	rtt_low;
	u32	round_lost0;
	u32	round_delivered0;
	u32	extra_delivered;
	u32	extra_acked[2];
	u32	prior_cwnd;
	u32	undo_bw_shortterm;
	u32	undo_inflight_shortterm;
	u32	undo_inflight_longterm;
	union {
		u32	up_acked_per_inc;	/* UP */
		u32	curve_max;		/* rivalry: W_max, segments */
	};
	union {
		u32	up_acked;
		u32	curve_k_ms;		/* rivalry: K */
	};
	u32	probe_wait_us;
	u32	bw_fair;
	u32	inflight_fair;
	u16	base_loss;
	u16	base_segs;
	u8	state;
	u8	ack_phase;
	u8	undo_state;		/* BBR_PROBE_RTT: none */
	u8	full_bw_count;
	u8	up_rounds;
	u8	rounds_since_probe;
	u8	extra_rounds;
	u8	drain_rounds;
	u8	losses_in_round;
	u8	fair_rounds;
	u8	rival;
	u8	since_yield;
	u8	floor_rounds;
	u8	started : 1,
		round_start : 1,
		loss_round_start : 1,
		loss_in_round : 1,
		ce_in_round : 1,
		in_recovery : 1,
		recovery_round : 1,	/* it lasts for a round */
		idle_restart : 1;
	u8	full_bw_reached : 1,
		full_bw_now : 1,
		is_probe_sample : 1,
		prev_probe_too_high : 1,
		prev_probe_precautionary : 1,
		probe_rtt_expired : 1,
		probe_rtt_round_done : 1,
		has_rtt : 1;
	u8	undo_saved : 1,
		queue_at_up : 1,
		rivalry : 1,
		rival_lost : 1,
		rival_known : 1;
};

static inline struct bbr *bbr_of(struct tandem_cc *cc)
{
	return tandem_cc_priv(cc);
}

static inline bool bbr_in_probe_bw(const struct bbr *b)
{
	return b->state >= BBR_DOWN && b->state <= BBR_UP;
}

static inline bool bbr_is_probing(const struct bbr *b)
{
	return b->state == BBR_STARTUP || b->state == BBR_REFILL || b->state == BBR_UP;
}

static inline u32 bbr_max_bw(const struct bbr *b)
{
	return max(b->max_bw[0], b->max_bw[1]);
}

/* @v * @num / @den without overflow, saturating */
static inline u32 bbr_scale(u32 v, u32 num, u32 den)
{
	u64 r = div_u64((u64)v * num, den);

	return min_t(u64, r, U32_MAX);
}

/* cong_bbr_fair.c */
void tandem_bbr_reset_fair(struct bbr *b);
void tandem_bbr_pause_rivalry(struct bbr *b);
void tandem_bbr_forget_rival(struct bbr *b);
void tandem_bbr_watch_queue(struct bbr *b);
void tandem_bbr_yield_to_queue(struct bbr *b, const struct tandem_cc *cc,
			       const struct tandem_rate_sample *rs);
bool tandem_bbr_yield_to_loss(struct bbr *b, const struct tandem_cc *cc);
u32 tandem_bbr_fair_inflight(const struct bbr *b);

/* cong_bbr_model.c */
u32 tandem_bbr_rate_of(const struct tandem_rate_sample *rs);
u32 tandem_bbr_bdp(const struct tandem_cc *cc, u32 bw, u32 gain);
u32 tandem_bbr_budget(const struct tandem_cc *cc, u32 inflight);
u32 tandem_bbr_inflight(const struct tandem_cc *cc, u32 bw, u32 gain);
u32 tandem_bbr_target_inflight(const struct tandem_cc *cc);
u32 tandem_bbr_inflight_with_headroom(const struct bbr *b);
u32 tandem_bbr_send_quantum(const struct tandem_cc *cc);
bool tandem_bbr_queue_above(const struct bbr *b, u32 rtt, u32 shift);
bool tandem_bbr_queued(const struct bbr *b, u32 rtt);
bool tandem_bbr_loss_too_high(const struct bbr *b, u32 lost, u32 segs, bool queued);
u32 tandem_bbr_inflight_at_loss(const struct bbr *b, const struct tandem_cong_lost *l);
void tandem_bbr_reset_full_bw(struct bbr *b);
void tandem_bbr_check_full_bw(struct bbr *b, const struct tandem_rate_sample *rs, u32 rate);
void tandem_bbr_start_round(struct tandem_cc *cc);
void tandem_bbr_reset_congestion_signals(struct bbr *b);
void tandem_bbr_reset_shortterm(struct bbr *b);
void tandem_bbr_save_cwnd(struct tandem_cc *cc);
void tandem_bbr_note_loss(struct tandem_cc *cc);
u32 tandem_bbr_model_update(struct tandem_cc *cc, const struct tandem_cong_ack *ack);
void tandem_bbr_model_min_rtt(struct tandem_cc *cc, const struct tandem_cong_ack *ack);
void tandem_bbr_model_finish(struct tandem_cc *cc, const struct tandem_cong_ack *ack, u32 rate);

extern struct tandem_cong_ops tandem_bbr;

#endif /* _TANDEM_CONG_BBR_H */
