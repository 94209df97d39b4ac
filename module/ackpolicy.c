// SPDX-License-Identifier: GPL-2.0
/*
 * ackpolicy.c - the ACK policies that tandem.ko brings; pure.
 *
 *	delayed   RFC 5681 section 4.2, RFC 9293 section 3.8.6.3: at least every second
 *		  full segment (net.tandem.delack_segs) at once, else within
 *		  net.tandem.delack_max_ms.  The default.  As Linux, not at once while the
 *		  program is behind with reading: such an ACK opens no window, what it
 *		  lets go would only wait here, and the read that it waits for tells both.
 *	every     each segment with data at once: what textbooks draw first, and what a
 *		  sender that counts ACKs, not bytes, wants.
 */
#include "pure.h"
#include <tandem/ackpolicy.h>
#include "ackpolicy.h"

static u32 delayed_delay_us(const struct tandem_ack_view *v)
{
	if (!v->unread && (u64)v->owed >= (u64)v->segs * v->rcv_mss)
		return 0;
	return v->max_delay_us;
}

struct tandem_ack_ops tandem_ack_delayed = {
	.choice		= { .name = "delayed" },
	.delay_us	= delayed_delay_us,
};

static u32 every_delay_us(const struct tandem_ack_view *v)
{
	return v->owed ? 0 : v->max_delay_us;
}

struct tandem_ack_ops tandem_ack_every = {
	.choice		= { .name = "every" },
	.delay_us	= every_delay_us,
};
