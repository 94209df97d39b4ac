/* SPDX-License-Identifier: GPL-2.0 */
/*
 * socket.h - the front door: proto and proto_ops of both families (socket.c),
 * options (sockopt.c), memory accounting.
 */
#ifndef _TANDEM_SOCKET_H
#define _TANDEM_SOCKET_H

#include <linux/net.h>
#include <linux/percpu_counter.h>
#include <net/sock.h>
#include "choice.h"
#include "compat.h"

extern struct proto tandem_prot;		/* AF_INET */
extern struct proto tandemv6_prot;		/* AF_INET6 */
extern struct proto_ops tandem_stream_ops;
extern struct proto_ops tandemv6_stream_ops;
extern struct proto_ops tandem_addrform_ops;
long tandem_memory_pages(void);	/* charged now, all netns and both families */
extern struct percpu_counter tandem_sockets_allocated;
extern long tandem_sysctl_mem[3];		/* pages: net.tandem.mem, global */

int tandem_socket_init(void);		/* proto_register for both, counters */
void tandem_socket_exit(void);

/*
 * Defaults of a new connection: used by socket(), by connect(AF_UNSPEC) and for the
 * cloned child (which then overrides what the request negotiated).
 */
void tandem_init_sock_common(struct sock *sk);
/* The part of it that connect(AF_UNSPEC) needs: forgets the last connection. */
void tandem_reset_connection(struct sock *sk);

/*
 * No program holds @sk any more (close(), or a child nobody accepted): sock_orphan()
 * and count it in tandem_net.orphans, once.  tandem_destroy_sock() counts it down.
 */
void tandem_orphan(struct sock *sk);
/* Destroy an orphan whose state is CLOSE: drops a reference. BH off, lock held. */
void tandem_destroy_sock(struct sock *sk);
/* proto.disconnect */
int tandem_disconnect(struct sock *sk, int flags);
/* proto.close, proto.shutdown */
void tandem_close(struct sock *sk, long timeout);
void tandem_shutdown(struct sock *sk, int how);
/* proto.destroy */
void tandem_destroy(struct sock *sk);

/* choose.c: RTO estimator, loss detection and ACK policy of a socket */
void tandem_choose_defaults(struct sock *sk);
void tandem_choose_again(struct sock *child, const struct sock *lsk);
int tandem_choose(struct sock *sk, enum tandem_kind kind, const char *name);
void tandem_unchoose(struct sock *sk);

/* poll.c: proto_ops.poll */
__poll_t tandem_poll(struct file *file, struct socket *sock,
		     struct poll_table_struct *wait);

/* info.c: TCP_INFO; locks @sk itself. */
struct tcp_info;
void tandem_fill_info(struct sock *sk, struct tcp_info *info);
/* TCP_MAXSEG and tcpi_snd_mss */
u32 tandem_reported_mss(const struct sock *sk);

/* ipv6.c: setsockopt(IPV6_ADDRFORM, AF_INET); @sk is locked */
int tandem_v6_addrform(struct sock *sk);

/* sockopt.c */
int tandem_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		      unsigned int optlen);
/* proto_ops.setsockopt: SOL_SOCKET's too, where the core lets us */
int tandem_ops_setsockopt(struct socket *sock, int level, int optname,
			  sockptr_t optval, unsigned int optlen);
int tandem_getsockopt(struct sock *sk, int level, int optname, char __user *optval,
		      int __user *optlen);

#endif /* _TANDEM_SOCKET_H */
