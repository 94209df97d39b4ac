/* SPDX-License-Identifier: GPL-2.0 */
/*
 * alarm.h - one hrtimer for all of a connection that is due to the microsecond (alarm.c).
 * Everything here wants the socket lock.
 */
#ifndef _TANDEM_ALARM_H
#define _TANDEM_ALARM_H

#include "sock.h"

void tandem_alarm_init(struct sock *sk);
/* A deadline was set: it is to be met.  @at_ns: of the monotonic clock. */
void tandem_alarm_meet(struct sock *sk, u64 at_ns);
/* Nothing is due any more; a timer function that runs finds that. */
void tandem_alarm_stop(struct sock *sk);
/*
 * And until none runs any more.  The lock is not held; for the destructor, after the last
 * reference and a grace period, and for the end of a kernel socket.
 */
void tandem_alarm_stop_sync(struct sock *sk);
/* For tandem_release_cb(): it fired while a program had the socket. */
void tandem_alarm_expired(struct sock *sk);

#endif /* _TANDEM_ALARM_H */
