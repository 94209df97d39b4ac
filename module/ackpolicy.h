/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ackpolicy.h - tandem.ko's own ACK policies.
 */
#ifndef _TANDEM_ACKPOLICY_ROOM_H
#define _TANDEM_ACKPOLICY_ROOM_H

struct tandem_ack_ops;

extern struct tandem_ack_ops tandem_ack_delayed;	/* the default */
extern struct tandem_ack_ops tandem_ack_every;

#endif /* _TANDEM_ACKPOLICY_ROOM_H */
