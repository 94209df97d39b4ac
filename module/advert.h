/* SPDX-License-Identifier: GPL-2.0 */
/*
 * advert.h - what we tell the peer, and when: the window we advertise and the ACK
 * policy (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2).
 */
#ifndef _TANDEM_ADVERT_H
#define _TANDEM_ADVERT_H

#include "sock.h"

/* ACKs sent at once at the start of a bulk transfer; Linux's figure. */
#define TANDEM_MAX_QUICKACKS	16U

/* The window for a segment about to leave; updates rcv_wnd, rcv_wup. Wire units. */
u16 tandem_select_window(struct sock *sk);
/* Room for data in the receive buffer, bytes, and the whole of it. */
u32 tandem_rcv_space(const struct sock *sk);
u32 tandem_rcv_full_space(const struct sock *sk);
/* Bytes of receive window that @bytes of buffer can carry. */
u32 tandem_win_from_space(const struct sock *sk, u32 bytes);

/* Data was queued in order: an ACK is owed. */
void tandem_ack_data_received(struct sock *sk, const struct sk_buff *skb);
/* Data came with a SYN, whose answer, or the ACK of that, is its ACK. */
void tandem_ack_syn_data(struct sock *sk);
/* An ACK must go at once (out of order, duplicate, FIN, probe). */
void tandem_ack_now(struct sock *sk);
/* Send or schedule what is owed; end of every segment's way in. */
void tandem_ack_check(struct sock *sk, bool ofo_possible);
/* A segment with ACK left (data or pure): nothing is owed any more; count it. */
void tandem_ack_sent(struct sock *sk, bool pure);
/* The program sends data in answer: interactive. */
void tandem_ack_data_sent(struct sock *sk);
/* The program read @copied bytes: tell the peer if the window opened enough. */
void tandem_cleanup_rbuf(struct sock *sk, int copied);
void tandem_enter_quickack(struct sock *sk, unsigned int max);
void tandem_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb);

int tandem_advert_init(void);	/* registers tandem.ko's ACK policies */
void tandem_advert_exit(void);

#endif /* _TANDEM_ADVERT_H */
