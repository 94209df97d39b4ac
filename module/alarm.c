// SPDX-License-Identifier: GPL-2.0
/*
 * alarm.c - one hrtimer for all of a connection that is due to the microsecond.
 *
 *   loss   a segment's reordering window is over, or a tail loss probe is due (RFC 8985):
 *          loss.c; while loss_event says which, at loss_deadline_ns
 *   hold   the end of an answer has waited for close() long enough: thrift.c; while
 *          fin_hold, at hold_until_ns
 *   pace   the next burst may go: pace.c; while pace_waits, at pace_next_ns
 *
 * A timer for each would be 64 bytes in each connection, of which hardly any has two of
 * them running.  What is due is a field and a mark.  The timer is moved only to fire
 * earlier; one that fires too early is set for what comes next, and one for nothing is let
 * fire, for all of them are near.
 *
 * It runs in softirq; when a program has the socket it leaves a bit for
 * tandem_release_cb().  An armed timer holds no reference: other CPUs arm it while it
 * runs, and whose a reference was could not be told.  It takes one when it fires, unless
 * the last is gone, and what is still armed then is taken off before the memory goes,
 * tandem_alarm_stop_sync().
 */
#include <linux/hrtimer.h>
#include <net/sock.h>
#include "alarm.h"
#include "pace.h"
#include "sock.h"
#include "thrift.h"

void tandem_alarm_meet(struct sock *sk, u64 at_ns)
{
	struct tandem_sock *tp = tandem_sk(sk);

	/* In the midst of serving: it is set when all are served. */
	if (tp->alarm_serving)
		return;
	if (!hrtimer_is_queued(&tp->alarm) ||
	    ktime_to_ns(hrtimer_get_expires(&tp->alarm)) > at_ns)
		hrtimer_start(&tp->alarm, ns_to_ktime(at_ns), HRTIMER_MODE_ABS_PINNED_SOFT);
}

static u64 next_alarm_ns(const struct tandem_sock *tp)
{
	u64 at = U64_MAX;

	if (tp->loss_event != TANDEM_LOSS_TIMER_NONE)
		at = tp->loss_deadline_ns;
	if (tp->fin_hold)
		at = min(at, tp->hold_until_ns);
	if (tp->pace_waits)
		at = min(at, tp->pace_next_ns);
	return at;
}

void tandem_alarm_expired(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u64 now, next;

	if (tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN))
		return;
	tandem_clock_tick(tp);
	/* A tick of that clock ahead, or it would be set for this very moment again. */
	now = tandem_clock_ns(tp) + NSEC_PER_USEC - 1;
	tp->alarm_serving = true;
	if (tp->loss_event != TANDEM_LOSS_TIMER_NONE && tp->loss_deadline_ns <= now)
		tandem_loss_timer_expired(sk);
	if (tp->fin_hold && tp->hold_until_ns <= now)
		tandem_hold_expired(sk);
	if (tp->pace_waits && tp->pace_next_ns <= now) {
		tp->pace_waits = false;
		tandem_pace_expired(sk);
	}
	tp->alarm_serving = false;
	/* One that ended the connection has taken back all others. */
	next = next_alarm_ns(tp);
	if (next != U64_MAX)
		tandem_alarm_meet(sk, next);
}

static enum hrtimer_restart alarm_fn(struct hrtimer *timer)
{
	struct tandem_sock *tp = container_of(timer, struct tandem_sock, alarm);
	struct sock *sk = tandem_to_sk(tp);

	if (!refcount_inc_not_zero(&sk->sk_refcnt))
		return HRTIMER_NORESTART;
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		tandem_alarm_expired(sk);
	else if (!test_and_set_bit(TANDEM_DEFER_ALARM, &tp->deferred))
		sock_hold(sk);
	bh_unlock_sock(sk);
	sock_put(sk);
	return HRTIMER_NORESTART;
}

void tandem_alarm_init(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	hrtimer_setup(&tp->alarm, alarm_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	tp->loss_event = TANDEM_LOSS_TIMER_NONE;
	tp->pace_waits = false;
	tp->alarm_serving = false;
}

void tandem_alarm_stop(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->loss_event = TANDEM_LOSS_TIMER_NONE;
	tp->pace_waits = false;
	/* One that runs just now waits for the lock, and finds that. */
	hrtimer_try_to_cancel(&tp->alarm);
}

void tandem_alarm_stop_sync(struct sock *sk)
{
	hrtimer_cancel(&tandem_sk(sk)->alarm);
}
