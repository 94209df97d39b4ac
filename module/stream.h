/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stream.h - bytes from (sendmsg.c) and to (recvmsg.c) user space.
 */
#ifndef _TANDEM_STREAM_H
#define _TANDEM_STREAM_H

#include "sock.h"

struct msghdr;
struct pipe_inode_info;

int tandem_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
#ifdef TANDEM_HAVE_SENDPAGE
int tandem_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags);
#endif
/* proto.recvmsg in the kernel's own form, see compat.h */
int tandem_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags
		   TANDEM_RECVMSG_ADDR_LEN);
ssize_t tandem_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags);
/* Bytes ready to read, for FIONREAD; @hint semantics of SIOCINQ. */
int tandem_inq(struct sock *sk);
/* Would read return at least SO_RCVLOWAT bytes?  For poll and wakeups. */
bool tandem_stream_readable(const struct sock *sk, int target);
/* Wake a reader if enough is there. */
void tandem_data_ready(struct sock *sk);
bool tandem_stream_memory_free(const struct sock *sk, int wake);
/* Grow the send buffer with cwnd (autotuning). */
void tandem_sndbuf_expand(struct sock *sk);
/* proto_ops.set_rcvlowat */
int tandem_set_rcvlowat(struct sock *sk, int val);
/* A fresh skb for a write queue that is charged for nothing yet; NULL: no memory. */
struct sk_buff *tandem_bare_skb(gfp_t gfp);
/* A new skb at the end of the write queue with up to @want bytes; returns how many. */
int tandem_append_bytes(struct sock *sk, struct msghdr *msg, u32 want, bool push);
/* A fresh skb for the write queue; waits for nothing. */
struct sk_buff *tandem_alloc_skb(struct sock *sk, gfp_t gfp, bool force);

#endif /* _TANDEM_STREAM_H */
