/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - every difference between kernels, and nothing else.
 *
 * What a kernel offers is found by compiling module/probes/ (scripts/probe.sh
 * writes tandem_config.h), never by its version: distributions carry backports.
 * Rooms are written for the newest kernel; what older ones lack is made up here.
 * Where a prototype changed, a macro stands for the part that changed.
 */
#ifndef _TANDEM_COMPAT_H
#define _TANDEM_COMPAT_H

#include "tandem_config.h"

#include <linux/bpf-cgroup.h>
#include <linux/cgroup.h>
#include <linux/hrtimer.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#ifdef TANDEM_HAVE_LINUX_SKBUFF_REF_H
#include <linux/skbuff_ref.h>
#endif
#include <linux/sysctl.h>
#include <linux/timer.h>
#include <net/gro.h>
#include <net/inet_common.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/udp_tunnel.h>
#ifdef TANDEM_HAVE_NET_GSO_H
#include <net/gso.h>
#endif
#ifdef TANDEM_HAVE_NET_PROTO_MEMORY_H
#include <net/proto_memory.h>
#endif
#ifdef TANDEM_HAVE_NET_RPS_H
#include <net/rps.h>
#endif
#ifdef TANDEM_HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* ---- prototypes in struct proto and struct proto_ops ---- */

/*
 * The addr_len of proto.recvmsg, gone in 7.1:
 *	int f(struct sock *sk, struct msghdr *msg, size_t len, int flags
 *	      TANDEM_RECVMSG_ADDR_LEN);
 *	f(sk, msg, len, flags TANDEM_RECVMSG_ADDR_ARG);
 */
#ifdef TANDEM_HAVE_PROTO_RECVMSG_ADDR_LEN
#define TANDEM_RECVMSG_ADDR_LEN		, int *addr_len
#define TANDEM_RECVMSG_ADDR_ARG		, addr_len
#else
#define TANDEM_RECVMSG_ADDR_LEN
#define TANDEM_RECVMSG_ADDR_ARG
#endif

/* inet_recv_error() (MSG_ERRQUEUE) lost the same argument, in the same kernel. */
#ifdef TANDEM_HAVE_INET_RECV_ERROR_ADDR_LEN
#define tandem_inet_recv_error(sk, msg, len) ({				\
	int __addr_len = 0;						\
	int __rc = inet_recv_error(sk, msg, len, &__addr_len);		\
	if ((msg)->msg_name && __addr_len)				\
		(msg)->msg_namelen = __addr_len;			\
	__rc; })
#else
#define tandem_inet_recv_error(sk, msg, len)	inet_recv_error(sk, msg, len)
#endif

/*
 * Type behind the address argument of bind(), connect(), pre_connect() in struct
 * proto and struct proto_ops (not of getname()): tandem_sockaddr_t *uaddr.
 */
#ifdef TANDEM_HAVE_SOCKADDR_UNSIZED
#define tandem_sockaddr_t		struct sockaddr_unsized
#else
#define tandem_sockaddr_t		struct sockaddr
#endif

/*
 * Define proto.accept @name as a call of @fn(sk, flags, &err), which returns a
 * struct sock * or NULL with err < 0.
 */
#ifdef TANDEM_HAVE_PROTO_ACCEPT_ARG
/* proto_ops.accept: inet_accept(), then @ready(newsock) when it succeeded. */
#define TANDEM_DEFINE_OPS_ACCEPT(name, ready)				\
static int name(struct socket *sock, struct socket *newsock,		\
		struct proto_accept_arg *arg)				\
{									\
	int err = inet_accept(sock, newsock, arg);			\
									\
	if (!err)							\
		ready(newsock);						\
	return err;							\
}

#define TANDEM_DEFINE_PROTO_ACCEPT(name, fn)				\
static struct sock *name(struct sock *sk, struct proto_accept_arg *arg)	\
{									\
	return fn(sk, arg->flags, &arg->err);				\
}
#else
#define TANDEM_DEFINE_OPS_ACCEPT(name, ready)				\
static int name(struct socket *sock, struct socket *newsock, int flags,	\
		bool kern)						\
{									\
	int err = inet_accept(sock, newsock, flags, kern);		\
									\
	if (!err)							\
		ready(newsock);						\
	return err;							\
}

#define TANDEM_DEFINE_PROTO_ACCEPT(name, fn)				\
static struct sock *name(struct sock *sk, int flags, int *err, bool kern) \
{									\
	return fn(sk, flags, err);					\
}
#endif

/*
 * Define proto.ioctl @name as a call of @fn(sk, cmd, int *karg), which stores the
 * answer in *karg and returns 0, or a negative errno.
 */
#ifdef TANDEM_HAVE_PROTO_IOCTL_KARG
#define TANDEM_DEFINE_PROTO_IOCTL(name, fn)				\
static int name(struct sock *sk, int cmd, int *karg)			\
{									\
	return fn(sk, cmd, karg);					\
}
#else
#define TANDEM_DEFINE_PROTO_IOCTL(name, fn)				\
static int name(struct sock *sk, int cmd, unsigned long arg)		\
{									\
	int karg = 0;							\
	int rc = fn(sk, cmd, &karg);					\
									\
	return rc ?: put_user(karg, (int __user *)arg);			\
}
#endif

/* In the initializer of the AF_INET6 struct proto; @member: the ipv6_pinfo. */
#ifdef TANDEM_HAVE_IPV6_PINFO_OFFSET
#define TANDEM_PROTO_IPV6_PINFO(type, member)				\
	.ipv6_pinfo_offset = offsetof(type, member),
#else
#define TANDEM_PROTO_IPV6_PINFO(type, member)
#endif

/* In both; the accounting itself is the core's. @var: DEFINE_PER_CPU(int, var). */
#ifdef TANDEM_HAVE_PER_CPU_FW_ALLOC
#define TANDEM_PROTO_FW_ALLOC(var)	.per_cpu_fw_alloc = &(var),
#else
#define TANDEM_PROTO_FW_ALLOC(var)
#endif

/*
 * Ask the core to hand us SOL_SOCKET options, too; older kernels have no such way.
 */
static inline void tandem_own_sol_socket(struct socket *sock)
{
#ifdef TANDEM_HAVE_SOCK_CUSTOM_SOCKOPT
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#endif
}

/* ---- timers ---- */

#ifndef TANDEM_HAVE_TIMER_DELETE
#define timer_delete(t)			del_timer(t)
#define timer_delete_sync(t)		del_timer_sync(t)
#endif
#ifndef TANDEM_HAVE_TIMER_SHUTDOWN
/* The callers make sure by a flag that nothing arms the timer again. */
#define timer_shutdown(t)		del_timer(t)
#define timer_shutdown_sync(t)		del_timer_sync(t)
#endif
#ifndef TANDEM_HAVE_TIMER_CONTAINER_OF
#define timer_container_of(var, t, field)	from_timer(var, t, field)
#endif

#ifndef TANDEM_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

/* ---- sockets ---- */

static inline kuid_t tandem_sk_uid(const struct sock *sk)
{
#ifdef TANDEM_HAVE_SK_UID
	return sk_uid(sk);
#else
	return sk->sk_uid;
#endif
}

/*
 * The flags of struct inet_sock and ipv6_pinfo were bit fields before they became
 * bits of inet_flags.  Give both names:
 *	tandem_inet_flag(sk, FREEBIND, freebind)
 *	tandem_inet6_flag(sk, RECVERR6, recverr)
 */
#ifdef TANDEM_HAVE_INET_TEST_BIT
#define tandem_inet_flag(sk, bit, field)	(!!inet_test_bit(bit, sk))
#define tandem_inet_flag_set(sk, bit, field, v)	inet_assign_bit(bit, sk, v)
#else
#define tandem_inet_flag(sk, bit, field)	(!!inet_sk(sk)->field)
#define tandem_inet_flag_set(sk, bit, field, v)	\
	((void)(inet_sk(sk)->field = !!(v)))
#endif
#ifdef TANDEM_HAVE_INET6_TEST_BIT
#define tandem_inet6_flag(sk, bit, field)	(!!inet6_test_bit(bit, sk))
#define tandem_inet6_flag_set(sk, bit, field, v) inet6_assign_bit(bit, sk, v)
#else
#define tandem_inet6_flag(sk, bit, field)	(!!inet6_sk(sk)->field)
#define tandem_inet6_flag_set(sk, bit, field, v) \
	((void)(inet6_sk(sk)->field = !!(v)))
#endif

/* IP_RECVERR or IPV6_RECVERR, by the socket's family. */
static inline bool tandem_sk_recverr(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return tandem_inet6_flag(sk, RECVERR6, recverr);
#endif
	return tandem_inet_flag(sk, RECVERR, recverr);
}

static inline bool tandem_sk_recverr4(const struct sock *sk)
{
	return tandem_inet_flag(sk, RECVERR, recverr);
}

static inline bool tandem_sk_freebind(const struct sock *sk)
{
	return tandem_inet_flag(sk, FREEBIND, freebind);
}

static inline bool tandem_sk_transparent(const struct sock *sk)
{
	return tandem_inet_flag(sk, TRANSPARENT, transparent);
}

static inline bool tandem_sk_bind_no_port(const struct sock *sk)
{
	return tandem_inet_flag(sk, BIND_ADDRESS_NO_PORT, bind_address_no_port);
}

static inline void tandem_inet_id_set(struct inet_sock *inet, u16 id)
{
#ifdef TANDEM_HAVE_INET_ID_ATOMIC
	atomic_set(&inet->inet_id, id);
#else
	inet->inet_id = id;
#endif
}

/*
 * Charge @size bytes to @sk whatever the limits say: for SYN, FIN and RST, which
 * must not fail for want of memory.  sk_forced_mem_schedule() is not exported, but
 * the core forces the charge of a stream socket that is beyond its send buffer,
 * memory cgroup included; so seem to be beyond it.  Locked socket.
 */
static inline void tandem_forced_mem_schedule(struct sock *sk, int size)
{
	int sndbuf = sk->sk_sndbuf;
	bool locked = sk->sk_userlocks & SOCK_SNDBUF_LOCK;

	if (sk_wmem_schedule(sk, size))
		return;
	/* The lock keeps the core from changing sk_sndbuf meanwhile. */
	sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(sk->sk_sndbuf, 0);
	sk_wmem_schedule(sk, size);
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	if (!locked)
		sk->sk_userlocks &= ~SOCK_SNDBUF_LOCK;
}

#ifndef TANDEM_HAVE_SK_DROPS_INC
static inline void sk_drops_inc(struct sock *sk)
{
	atomic_inc(&sk->sk_drops);
}
#endif

/* ---- skbs ---- */

/* Free a segment that was dropped; @sk (may be NULL) is told to tracers that know. */
static inline void tandem_kfree_skb_reason(const struct sock *sk,
					   struct sk_buff *skb,
					   enum skb_drop_reason reason)
{
#ifdef TANDEM_HAVE_SK_SKB_REASON_DROP
	sk_skb_reason_drop((struct sock *)sk, skb, reason);
#else
	kfree_skb_reason(skb, reason);
#endif
}

/* MSG_ZEROCOPY; device memory (6.16) is none of ours. */
#ifdef TANDEM_HAVE_ZEROCOPY_DEVMEM
#define tandem_zerocopy_realloc(sk, size, uarg)				\
	msg_zerocopy_realloc(sk, size, uarg, false)
#define tandem_zerocopy_iter(sk, skb, msg, len, uarg)			\
	skb_zerocopy_iter_stream(sk, skb, msg, len, uarg, NULL)
#else
#define tandem_zerocopy_realloc(sk, size, uarg)				\
	msg_zerocopy_realloc(sk, size, uarg)
#define tandem_zerocopy_iter(sk, skb, msg, len, uarg)			\
	skb_zerocopy_iter_stream(sk, skb, msg, len, uarg)
#endif

/*
 * Pages that are sent where they lie, for splice() and sendfile(): of a sendmsg() with
 * MSG_SPLICE_PAGES since 6.5, before of sendpage(), one at a time (tandem_sendpage()).
 * User space has no such flag: on old kernels nobody but us knows it.
 */
#ifdef TANDEM_HAVE_SENDPAGE
#define MSG_SPLICE_PAGES	0x8000000
#ifndef MSG_NO_SHARED_FRAGS	/* some of 6.1 have it */
#define MSG_NO_SHARED_FRAGS	0
#endif
#define TANDEM_SENDMSG_FLAGS	(~MSG_SPLICE_PAGES)

static inline ssize_t tandem_splice_from_iter(struct sk_buff *skb, struct iov_iter *iter,
					      size_t most, gfp_t gfp)
{
	const struct bio_vec *bv = iter->bvec;
	size_t n = min(most, iov_iter_count(iter));
	unsigned int at = bv->bv_offset + iter->iov_offset;
	int i = skb_shinfo(skb)->nr_frags;

	if (skb_can_coalesce(skb, i, bv->bv_page, at)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], n);
	} else if (i < MAX_SKB_FRAGS) {
		get_page(bv->bv_page);
		skb_fill_page_desc(skb, i, bv->bv_page, at, n);
	} else {
		return -EMSGSIZE;
	}
	iov_iter_advance(iter, n);
	skb->len += n;
	skb->data_len += n;
	skb->truesize += n;
	return n;
}
#else
#define TANDEM_SENDMSG_FLAGS	(~0U)
#ifdef TANDEM_HAVE_SKB_SPLICE_GFP
#define tandem_splice_from_iter(skb, iter, most, gfp)			\
	skb_splice_from_iter(skb, iter, most, gfp)
#else
#define tandem_splice_from_iter(skb, iter, most, gfp)			\
	skb_splice_from_iter(skb, iter, most)
#endif
#endif

/* Earliest departure time on the monotonic clock, for fq. */
static inline void tandem_skb_set_edt(struct sk_buff *skb, ktime_t when)
{
#ifdef TANDEM_HAVE_SKB_TSTAMP_TYPE
	skb_set_delivery_time(skb, when, SKB_CLOCK_MONOTONIC);
#else
	skb_set_delivery_time(skb, when, true);
#endif
}

/*
 * GRO: do the network headers of a segment (at @th) and of the packet @p kept so far
 * (its at @pth) forbid to join them?  The newest kernels compare when they are asked.
 */
static inline bool tandem_gro_network_flush(const void *th, const void *pth,
					    struct sk_buff *p)
{
#ifdef TANDEM_HAVE_GRO_RECEIVE_NETWORK_FLUSH
	return gro_receive_network_flush(th, pth, p);
#else
	struct napi_gro_cb *cb = NAPI_GRO_CB(p);

	if (cb->flush)
		return true;
	/* The second packet tells whether this flow's IPv4 IDs stay the same. */
	if (cb->flush_id != 1 || cb->count != 1 || !cb->is_atomic)
		return cb->flush_id;
	cb->is_atomic = false;
	return false;
#endif
}

/*
 * @sk, a UDP socket, has a gro_receive: where there is but one in the whole system the
 * newest kernels call it directly, so they must know of each.  (Of the shortcut to the only
 * tunnel of a netns, udp_tunnel_update_gro_lookup(), we make no use: it would find ours for
 * what belongs to a VRF, too.)
 */
static inline void tandem_udp_tunnel_gro(struct sock *sk)
{
#ifdef TANDEM_HAVE_UDP_TUNNEL_GRO_RCV
	udp_tunnel_update_gro_rcv(sk, true);
#endif
}

/* ---- routes ---- */

#if IS_ENABLED(CONFIG_IPV6)
/* Keep @dst; nothing of it may be reused for other addresses. */
static inline void tandem_ip6_dst_store(struct sock *sk, struct dst_entry *dst)
{
#ifdef TANDEM_HAVE_IP6_DST_STORE_BOOL
	ip6_dst_store(sk, dst, false, false);
#else
	ip6_dst_store(sk, dst, NULL, NULL);
#endif
}
#endif

/* The DSCP key of an IPv4 route, from the TOS byte. */
static inline void tandem_fl4_set_tos(struct flowi4 *fl4, u8 tos)
{
#ifdef TANDEM_HAVE_FLOWI4_DSCP
	fl4->flowi4_dscp = inet_dsfield_to_dscp(tos);
#else
	fl4->flowi4_tos = tos & INET_DSCP_MASK;
#endif
}

/* ---- cgroup BPF: connect hooks; @uaddr is any sockaddr pointer, @len an int * ---- */

#ifdef TANDEM_HAVE_BPF_CONNECT_LEN
#define TANDEM_CGROUP_CONNECT4(sk, uaddr, len)				\
	BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr, len)
#define TANDEM_CGROUP_CONNECT6(sk, uaddr, len)				\
	BPF_CGROUP_RUN_PROG_INET6_CONNECT(sk, uaddr, len)
#else
#define TANDEM_CGROUP_CONNECT4(sk, uaddr, len)				\
	({ (void)(len); BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr); })
#define TANDEM_CGROUP_CONNECT6(sk, uaddr, len)				\
	({ (void)(len); BPF_CGROUP_RUN_PROG_INET6_CONNECT(sk, uaddr); })
#endif

/* ---- sysctl ---- */

/* int handler(TANDEM_CTL_CONST struct ctl_table *t, int write, void *buf, ...) */
#ifdef TANDEM_HAVE_CONST_CTL_TABLE
#define TANDEM_CTL_CONST		const
#else
#define TANDEM_CTL_CONST
#endif

/* Where the size is told, a sentinel at the table's end must not be counted. */
#ifdef TANDEM_HAVE_REGISTER_NET_SYSCTL_SZ
#define tandem_register_sysctl(net, path, table, n)			\
	register_net_sysctl_sz(net, path, table, n)
#else
#define tandem_register_sysctl(net, path, table, n)			\
	register_net_sysctl(net, path, table)
#endif

/* ---- the rest ---- */

#ifndef TANDEM_HAVE_GET_RANDOM_U32_BELOW
static inline u32 get_random_u32_below(u32 ceil)
{
	return prandom_u32_max(ceil);
}
#endif

#endif /* _TANDEM_COMPAT_H */
