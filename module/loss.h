/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loss.h - where the chosen loss detector (include/tandem/loss.h) meets a socket; its
 * timer; and tail loss probes.  Everything here wants the socket lock.
 */
#ifndef _TANDEM_LOSS_ROOM_H
#define _TANDEM_LOSS_ROOM_H

#include <tandem/loss.h>
#include "seg.h"

struct sock;
struct tandem_ack_event;
struct tandem_sock;

/* What tandem_sock.loss_deadline_ns stands for now. */
enum tandem_loss_timer {
	TANDEM_LOSS_TIMER_NONE,
	TANDEM_LOSS_TIMER_REO,		/* the reordering window of a segment is over */
	TANDEM_LOSS_TIMER_TLP,		/* time for a tail loss probe */
};

/* The mechanisms tandem.ko brings: loss detectors and RTO estimators. */
int tandem_loss_init(void);
void tandem_loss_exit(void);

/* Nothing is known of the path and nothing in flight. */
void tandem_loss_reset(struct sock *sk);
/* The connection comes up: what is known of its path's reordering; 0: none. */
void tandem_loss_prime(struct sock *sk, u16 reordering, u8 mult);
/* Does the detector in use see reordering? If not, it has nothing to tell of the path. */
bool tandem_loss_sees_reordering(const struct sock *sk);
/* By how many segments the path reorders at most, as far as is known; at least 3. */
u16 tandem_loss_reordering(const struct tandem_sock *tp);
/* An ACK begins: bring what the detector sees up to date. */
void tandem_loss_look(struct sock *sk);
/*
 * This ACK is the first to cover, or to SACK, a segment; @early: it overtook others.
 * @echo_us: when that was sent whose timestamp the ACK echoes; 0: unknown.
 */
void tandem_loss_delivered(struct sock *sk, const struct tandem_skb_cb *cb, bool sacked,
			   bool early, u64 echo_us);
void tandem_loss_tell(struct sock *sk, enum tandem_loss_event ev);
/* Mark what is lost, and run the timer for what may be soon.  True: something is. */
bool tandem_loss_detect(struct sock *sk);
/* The retransmission timer expired.  @all: nothing SACKed can be relied on. */
void tandem_loss_mark_timeout(struct sock *sk, bool all);
/* Numbers that the detector tells, for TCP_INFO. */
bool tandem_loss_by_time(struct sock *sk);

/* The timer: run it for @event in @delay_us, or for nothing. */
void tandem_loss_timer_set(struct sock *sk, enum tandem_loss_timer event, u64 delay_us);
/* For alarm.c: the time is up. */
void tandem_loss_timer_expired(struct sock *sk);

/* ---- tlp.c ---- */

/*
 * Data was sent, or an ACK came: when is a probe due?  RFC 8985 section 7.2: data and
 * ACKs of new data set the time @anew; others only stop it.
 */
void tandem_tlp_schedule(struct sock *sk, bool anew);
/* It is due.  False: no probe may go now. */
bool tandem_tlp_probe(struct sock *sk);
/* Does an ACK answer the probe? True: it repaired a loss, which nobody else noticed. */
bool tandem_tlp_ack(struct sock *sk, const struct tandem_ack_event *ev);

#endif /* _TANDEM_LOSS_ROOM_H */
