/* SPDX-License-Identifier: GPL-2.0 */
/*
 * chrono.h - what a sender spends its time with: TCP_INFO's busy_time, rwnd_limited and
 * sndbuf_limited.
 *
 * At any time one clock runs, or none.  BUSY runs while anything is queued or
 * unacknowledged; the other two are the part of it in which the peer's window or our
 * send buffer held us back, and replace it meanwhile.
 */
#ifndef _TANDEM_CHRONO_H
#define _TANDEM_CHRONO_H

#include <linux/types.h>

struct sock;

enum tandem_chrono_type {
	TANDEM_CHRONO_NONE,
	TANDEM_CHRONO_BUSY,
	TANDEM_CHRONO_RWND,
	TANDEM_CHRONO_SNDBUF,
	TANDEM_CHRONO_MAX
};

struct tandem_chrono {
	u64	total_us[TANDEM_CHRONO_MAX - 1];	/* of BUSY and on */
	u64	since_us;			/* when the one was started that runs */
};

/* @type holds the sender now, unless something graver does already. */
void tandem_chrono_start(struct sock *sk, enum tandem_chrono_type type);
/* @type does no longer: back to BUSY, or to NONE with nothing queued. */
void tandem_chrono_stop(struct sock *sk, enum tandem_chrono_type type);
/* Microseconds @type ran, the running one up to now. Locked socket. */
u64 tandem_chrono_us(const struct sock *sk, enum tandem_chrono_type type);

#endif /* _TANDEM_CHRONO_H */
