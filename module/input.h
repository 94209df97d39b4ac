/* SPDX-License-Identifier: GPL-2.0 */
/*
 * input.h - a segment meets its connection: RFC 9293 section 3.10.7.
 */
#ifndef _TANDEM_INPUT_H
#define _TANDEM_INPUT_H

#include "reason.h"

struct sock;
struct sk_buff;
struct tandem_opts;
struct tandem_sock;

/* From demux: takes @skb; locks @sk or leaves @skb on its backlog. */
void tandem_sk_rcv(struct sock *sk, struct sk_buff *skb);
/* proto.backlog_rcv and the locked way in; takes @skb. */
int tandem_do_rcv(struct sock *sk, struct sk_buff *skb);

/*
 * handshake.c: first segment of a child in SYN_RECV, i.e. the ACK that completed the
 * handshake; @child is locked (bh).  Takes @skb.  The caller unlocks.
 */
void tandem_child_rcv(struct sock *child, struct sk_buff *skb);

/* The connection is up: initial windows, buffers, MSS. */
void tandem_init_transfer(struct sock *sk);

/* The peer reset us: set sk_err as the state demands, end the connection. */
void tandem_reset(struct sock *sk, enum tandem_reason why);
/* End the connection with @err for the program. */
void tandem_abort_err(struct sock *sk, int err, enum tandem_reason why);
/* The connection is over: CLOSE, timers off, wake all, destroy when orphaned. */
void tandem_done(struct sock *sk, enum tandem_reason why);

/* ICMP told us @err at sequence @seq; @icmp_type/@code as in the message. */
void tandem_icmp_err(struct sock *sk, int err, bool hard);

/* New room in the send buffer: wake writers as sk_stream_write_space() would. */
void tandem_write_space(struct sock *sk);
void tandem_check_space(struct sock *sk);

/* Answers to what is not acceptable: was one sent just now?  One is sent. */
bool tandem_oow_limited(const struct tandem_sock *tp);
void tandem_oow_answers(struct tandem_sock *tp);
/* RFC 5961: answer with an ACK unless the limits say no; @skb is the reason. */
void tandem_challenge_ack(struct sock *sk);

#endif /* _TANDEM_INPUT_H */
