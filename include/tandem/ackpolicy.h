/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ackpolicy.h - when is an acknowledgment sent that is owed for data received?
 *
 * An ACK rides on whatever segment leaves; a policy only says how long it may wait for
 * such a ride.  What must not wait whatever the policy (out-of-order data, a filled gap,
 * a probe, a SYN: RFC 5681 section 4.2) does not ask it.
 */
#ifndef _TANDEM_ACKPOLICY_H
#define _TANDEM_ACKPOLICY_H

#include <tandem/choice.h>
#ifdef __KERNEL__
#include <linux/types.h>
#endif

/**
 * struct tandem_ack_view - what is owed, and how the connection has been
 * @owed:	bytes received in order and not acknowledged yet
 * @rcv_mss:	estimate of the peer's segment size, bytes, at least 1
 * @segs:	net.tandem.delack_segs
 * @max_delay_us: net.tandem.delack_max_ms, in microseconds; 0: never wait
 * @srtt_us:	smoothed round trip, microseconds; 0: none measured
 * @unread:	the program has so much to read yet that an ACK now could not move the right
 *		edge of the window; the next read() asks again, without this
 * @dialogue:	the program has been answering what it got, so a ride is likely
 */
struct tandem_ack_view {
	u32	owed;
	u32	rcv_mss;
	u32	segs;
	u32	max_delay_us;
	u32	srtt_us;
	bool	unread;
	bool	dialogue;
};

/**
 * struct tandem_ack_ops - a policy
 * @choice:	name and owner
 * @delay_us:	how long may the ACK wait, microseconds; 0: send it now.  Called for each
 *		segment received, and by the program's next read() when @unread was told,
 *		under the connection's lock, perhaps in softirq
 */
struct tandem_ack_ops {
	struct tandem_choice choice;
	u32	(*delay_us)(const struct tandem_ack_view *view);
};

#ifdef __KERNEL__
/* 0; -EEXIST: the name is taken; -EINVAL: the op is missing, or a bad name. */
int tandem_ack_register(struct tandem_ack_ops *ops);
void tandem_ack_unregister(struct tandem_ack_ops *ops);
#endif

#endif /* _TANDEM_ACKPOLICY_H */
