// SPDX-License-Identifier: GPL-2.0
/*
 * socket.c - the front door: what the core knows of us.
 *
 * struct proto and struct proto_ops of both families, birth and death of a socket,
 * listen(), ioctl(), and the memory that all sockets share.  Next door: close.c,
 * poll.c, sockopt.c, ports.c.  connect() begins in ipv4.c and ipv6.c, accept() in
 * handshake.c, and bytes flow through sendmsg.c and recvmsg.c.
 *
 * Memory is accounted as TCP's: net.tandem.mem limits all netns together, and above
 * its middle value sockets are under pressure and stop growing their buffers.
 */
#include <linux/mm.h>
#include <linux/sockios.h>
#include <linux/swap.h>
#include <asm/ioctls.h>
#include <net/inet_common.h>
#include <net/sock.h>
#include <net/transp_v6.h>
#include "advert.h"
#include "alarm.h"
#include "cong.h"
#include "early.h"
#include "fastopen.h"
#include "handshake.h"
#include "input.h"
#include "ports.h"
#include "rare.h"
#include "rcvq.h"
#include "recovery.h"
#include "socket.h"
#include "stream.h"
#include "timer.h"
#include "urgent.h"
#include "wire.h"
#include "xmit.h"

/* ---- memory ---- */

long tandem_sysctl_mem[3];
static atomic_long_t tandem_memory_allocated;
struct percpu_counter tandem_sockets_allocated;
static unsigned long memory_pressure;
#ifdef TANDEM_HAVE_PER_CPU_FW_ALLOC
static DEFINE_PER_CPU(int, tandem_memory_fw_alloc);
#endif

/*
 * What a socket may always have, even above the limits: the core reads entry 0.
 * Buffer sizes come from the netns's knobs, see tandem_init_sock().
 */
static int min_wmem[3] = { PAGE_SIZE, 16 * 1024, 4 * 1024 * 1024 };
static int min_rmem[3] = { PAGE_SIZE, 128 * 1024, 6 * 1024 * 1024 };

static void enter_memory_pressure(struct sock *sk)
{
	unsigned long now = jiffies;

	if (READ_ONCE(memory_pressure))
		return;
	/* 0 means no pressure, whatever the clock says. */
	if (!cmpxchg(&memory_pressure, 0, now ? now : 1))
		TANDEM_SK_INC(sk, MEMPRESSURE);
}

static void leave_memory_pressure(struct sock *sk)
{
	if (READ_ONCE(memory_pressure))
		xchg(&memory_pressure, 0);
}

/* The core keeps up to 1 MB of change on every CPU: count that, too. */
long tandem_memory_pages(void)
{
	long sum = atomic_long_read(&tandem_memory_allocated);
#ifdef TANDEM_HAVE_PER_CPU_FW_ALLOC
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(tandem_memory_fw_alloc, cpu);
#endif
	return max(sum, 0L);
}

/* A sixteenth of low memory, as TCP takes it. */
static void init_mem_limits(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);

	tandem_sysctl_mem[0] = limit / 4 * 3;
	tandem_sysctl_mem[1] = limit;
	tandem_sysctl_mem[2] = tandem_sysctl_mem[0] * 2;
}

/* ---- birth ---- */

static void reset_send_side(struct tandem_sock *tp)
{
	tp->snd_una = tp->write_seq;
	tp->snd_nxt = tp->write_seq;
	tp->snd_sml = tp->write_seq;
	tandem_arrival_start(&tp->arrival, tp->write_seq);
	tp->pushed_seq = tp->write_seq;
	tp->snd_up = tp->snd_una;
	tp->snd_wnd = 0;
	tp->snd_wl1 = 0;
	tp->max_window = 0;
	tp->snd_wscale = 0;
	tp->mss_cache = TCP_MSS_DEFAULT;
	tp->mss_clamp = TCP_MSS_DEFAULT;	/* RFC 9293 section 3.7.1 */
	tp->nonagle &= ~TANDEM_NAGLE_PUSH;
	tp->packets_out = 0;
	tp->max_packets_out = 0;
	tp->cwnd_usage_seq = tp->write_seq;
	tp->is_cwnd_limited = false;
	tp->backoff = 0;
	tp->retransmits = 0;
	tp->probes_out = 0;
	tp->first_rtx_us = 0;
	tp->last_sent_us = 0;
	tp->total_retrans = 0;
	tp->syn_tsval = 0;
	tp->last_oow_ack_ms = 0;
	tp->pmtu_cookie = 0;
	tp->mtu_info = 0;
}

static void reset_receive_side(struct tandem_sock *tp)
{
	WRITE_ONCE(tp->copied_seq, tp->rcv_nxt);
	tp->urg_data = 0;
	tp->rcv_wnd = 0;
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_acked = tp->rcv_nxt;
	tp->rcv_wscale = 0;
	tp->rcv_mss = TCP_MSS_DEFAULT;
	tp->window_clamp = 0;
	tp->rcv_ssthresh = 0;
	tp->ack_pending = 0;
	tp->quickacks = 0;
	tp->pingpong = false;
	tp->last_data_us = 0;
	tp->estab_ms = 0;
	tp->last_rcv_us = 0;
	tp->ofo_last = NULL;
	tp->fin_rcvd = false;
	memset(&tp->rcvq_space, 0, sizeof(tp->rcvq_space));
	memset(&tp->rcv_rtt_est, 0, sizeof(tp->rcv_rtt_est));
	tp->last_oow_ack_ms = 0;
	tp->syn_tsval = 0;
}

static void reset_negotiated(struct tandem_sock *tp)
{
	tp->wscale_ok = false;
	tp->sack_ok = false;
	tp->ecn = 0;
	tp->ts_ok = false;
	tp->advmss = 0;
	tp->ts_offset = 0;
	tp->ts_recent = 0;
	tp->ts_recent_us = 0;
}

static void reset_statistics(struct tandem_sock *tp)
{
	tp->bytes_acked = 0;
	tp->bytes_received = 0;
	tp->bytes_sent = 0;
	tp->segs_in = 0;
	tp->segs_out = 0;
	tp->data_segs_in = 0;
	tp->data_segs_out = 0;
	memset(&tp->chrono, 0, sizeof(tp->chrono));
	tp->chrono_runs = TANDEM_CHRONO_NONE;
	tp->rcv_ofo = 0;
}

static void reset_fastopen(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tandem_inet_flag_set(sk, DEFER_CONNECT, defer_connect, 0);
	tp->passive = false;
	tp->syn_held = false;
	tp->syn_fastopen = false;
	tp->syn_data = false;
	tp->syn_data_acked = false;
	tp->fo_fail = 0;
	tp->syn_cookie = false;
	tp->path_learns = false;
}

/* The algorithm stays, what it has learnt goes. */
static void reset_cong(struct net *net, struct tandem_cc *cc)
{
	cc->cwnd = tandem_knob(net, init_cwnd);		/* RFC 6928 */
	cc->ssthresh = TANDEM_SSTHRESH_INF;
	cc->cwnd_clamp = ~0U;
	cc->cwnd_cnt = 0;
	cc->prior_cwnd = 0;
	cc->mss = TCP_MSS_DEFAULT;
	cc->init_cwnd = cc->cwnd;
	cc->srtt_us = 0;
	cc->min_rtt_us = ~0U;
	cc->in_flight = 0;
	cc->delivered = 0;
	cc->delivered_ce = 0;
	cc->lost = 0;
	cc->pacing_rate = 0;
	cc->ecn_ok = false;
	cc->app_limited = false;
}

void tandem_reset_connection(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);

	reset_send_side(tp);
	reset_receive_side(tp);
	reset_negotiated(tp);
	reset_statistics(tp);
	reset_fastopen(sk);
	tandem_rare_free(tp);
	tandem_recovery_reset(sk);
	tandem_rtt_init(&tp->rtt);
	tandem_update_rto(sk);
	tandem_cong_reset(&tp->cc);
	reset_cong(net, &tp->cc);
	memset(&tp->rate, 0, sizeof(tp->rate));
	tp->pace_next_ns = 0;
#if IS_ENABLED(CONFIG_IPV6)
	/* The next peer of an AF_INET6 socket need not be v4-mapped like the last. */
	if (sk->sk_family == AF_INET6)
		tp->af = &tandem_ipv6_ops;
	else
#endif
		tp->af = &tandem_ipv4_ops;
}

void tandem_init_sock_common(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	/* Whatever a clone has of these is the listener's: forget, do not free. */
	memset(&tp->flow, 0, sizeof(tp->flow));
	memset(&tp->claim, 0, sizeof(tp->claim));
	INIT_HLIST_NODE(&tp->listen_node);
	tp->listen = NULL;
	tp->rare = NULL;
	tp->trouble = NULL;
	tp->rounds = NULL;
	RCU_INIT_POINTER(sk->sk_rx_dst, NULL);
	tp->fo_listener = NULL;
	tp->fo_pending = false;
	tp->syn_held = false;
	tp->accept_linked = false;
	tp->orphan_counted = false;
	tp->cc.priv = NULL;
	tp->cc.ops = NULL;	/* for tandem_cong_attach() or tandem_cong_inherit() */
	memset(tp->choice, 0, sizeof(tp->choice));
	tp->rtx_queue = RB_ROOT;
	tp->ofo_queue = RB_ROOT;
	tandem_timers_init(sk);
	tandem_reset_connection(sk);

	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_write_space = tandem_write_space;
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
}

/* After the last reference and a grace period. */
static void destruct(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tandem_alarm_stop_sync(sk);
	if (tp->listen)
		tandem_fastopen_free_keys(tp->listen);
	kfree(tp->listen);
	tandem_rare_free(tp);
#if IS_ENABLED(CONFIG_IPV6)
	/* Not the family: IPV6_ADDRFORM may have changed that. */
	if (sk->sk_prot_creator == &tandemv6_prot) {
		inet6_sock_destruct(sk);
		return;
	}
#endif
	inet_sock_destruct(sk);
}

/* proto.init: the core has made a socket for socket(). */
static int init_sock(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);

	tp->tn = tandem_pernet(net);
	tandem_early_open(net);
	tandem_init_sock_common(sk);
	tp->nonagle = tandem_sk_knob(sk, no_delay) ? TANDEM_NAGLE_OFF : 0;
	tp->wire = tandem_sk_knob(sk, wire);
	WRITE_ONCE(sk->sk_sndbuf, READ_ONCE(tandem_sk(sk)->tn->knobs.wmem[1]));
	WRITE_ONCE(sk->sk_rcvbuf, READ_ONCE(tandem_sk(sk)->tn->knobs.rmem[1]));
	sk->sk_destruct = destruct;
	if (sk->sk_socket)
		tandem_own_sol_socket(sk->sk_socket);
	sk_sockets_allocated_inc(sk);
	tandem_choose_defaults(sk);
	/* The default is always there. */
	return tandem_cong_attach(net, &tp->cc, NULL, false);
}

/* ---- calls ---- */

static int listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED || sock->type != SOCK_STREAM)
		goto out;
	if (!(tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN)))
		goto out;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	err = 0;
	/* A second listen() only changes the backlog. */
	if (sk->sk_state != TCP_LISTEN)
		err = tandem_listen_start(sk, backlog);
out:
	release_sock(sk);
	return err;
}

static int do_ioctl(struct sock *sk, int cmd, int *karg)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	bool slow;

	if (cmd == SIOCATMARK) {
		*karg = tandem_urgent_mark(sk);
		return 0;
	}
	if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOIOCTLCMD;
	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;

	if (cmd == SIOCINQ) {
		slow = lock_sock_fast(sk);
		*karg = tandem_urgent_inq(sk);
		unlock_sock_fast(sk, slow);
	} else if (tandem_state_bit(sk) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		*karg = 0;
	} else {
		*karg = READ_ONCE(tp->write_seq) -
			(cmd == SIOCOUTQ ? READ_ONCE(tp->snd_una) :
					   READ_ONCE(tp->snd_nxt));
	}
	return 0;
}

TANDEM_DEFINE_PROTO_IOCTL(ioctl, do_ioctl)
TANDEM_DEFINE_PROTO_ACCEPT(accept, tandem_accept)
TANDEM_DEFINE_OPS_ACCEPT(ops_accept, tandem_own_sol_socket)

/* The cgroup BPF hooks of connect(); the core calls them before proto.connect. */
static int pre_connect_v4(struct sock *sk, tandem_sockaddr_t *uaddr, int addr_len)
{
	if (addr_len < sizeof(struct sockaddr_in))
		return -EINVAL;
	return TANDEM_CGROUP_CONNECT4(sk, uaddr, &addr_len);
}

#if IS_ENABLED(CONFIG_IPV6)
static int pre_connect_v6(struct sock *sk, tandem_sockaddr_t *uaddr, int addr_len)
{
	if (uaddr->sa_family == AF_INET)
		return pre_connect_v4(sk, uaddr, addr_len);
	if (addr_len < SIN6_LEN_RFC2133)
		return -EINVAL;
	return TANDEM_CGROUP_CONNECT6(sk, uaddr, &addr_len);
}
#endif

/* Our tables are our own, but the core calls this without looking. */
static void unhash(struct sock *sk)
{
}

#ifdef TANDEM_HAVE_SENDPAGE
#define PROTO_SENDPAGE	.sendpage = tandem_sendpage,
#define OPS_SENDPAGE	.sendpage = inet_sendpage,
#else
#define PROTO_SENDPAGE
#define OPS_SENDPAGE
#endif

/* What both families' struct proto have in common. */
#define PROTO_COMMON							\
	.owner			= THIS_MODULE,				\
	.close			= tandem_close,				\
	.disconnect		= tandem_disconnect,			\
	.accept			= accept,				\
	.ioctl			= ioctl,				\
	.init			= init_sock,				\
	.destroy		= tandem_destroy,			\
	.shutdown		= tandem_shutdown,			\
	.setsockopt		= tandem_setsockopt,			\
	.getsockopt		= tandem_getsockopt,			\
	.keepalive		= tandem_set_keepalive,			\
	.sendmsg		= tandem_sendmsg,			\
	PROTO_SENDPAGE							\
	.recvmsg		= tandem_recvmsg,			\
	.backlog_rcv		= tandem_do_rcv,			\
	.release_cb		= tandem_release_cb,			\
	.unhash			= unhash,				\
	.get_port		= tandem_get_port,			\
	.put_port		= tandem_put_port,			\
	.stream_memory_free	= tandem_stream_memory_free,		\
	.enter_memory_pressure	= enter_memory_pressure,		\
	.leave_memory_pressure	= leave_memory_pressure,		\
	.memory_allocated	= &tandem_memory_allocated,		\
	TANDEM_PROTO_FW_ALLOC(tandem_memory_fw_alloc)			\
	.sockets_allocated	= &tandem_sockets_allocated,		\
	.memory_pressure	= &memory_pressure,			\
	.sysctl_mem		= tandem_sysctl_mem,			\
	.sysctl_wmem		= min_wmem,				\
	.sysctl_rmem		= min_rmem,				\
	.max_header		= TANDEM_MAX_HEADER,			\
	.no_autobind		= true

struct proto tandem_prot = {
	.name			= "TANDEM",
	PROTO_COMMON,
	.pre_connect		= pre_connect_v4,
	.connect		= tandem_v4_connect,
	.obj_size		= sizeof(struct tandem_sock),
};

#define OPS_COMMON							\
	.owner			= THIS_MODULE,				\
	.connect		= inet_stream_connect,			\
	.socketpair		= sock_no_socketpair,			\
	.accept			= ops_accept,				\
	.poll			= tandem_poll,				\
	.gettstamp		= sock_gettstamp,			\
	.listen			= listen,				\
	.shutdown		= inet_shutdown,			\
	.setsockopt		= tandem_ops_setsockopt,		\
	.getsockopt		= sock_common_getsockopt,		\
	.sendmsg		= inet_sendmsg,				\
	.recvmsg		= inet_recvmsg,				\
	.mmap			= sock_no_mmap,				\
	.splice_read		= tandem_splice_read,			\
	OPS_SENDPAGE							\
	.set_rcvlowat		= tandem_set_rcvlowat

struct proto_ops tandem_stream_ops __ro_after_init = {
	.family			= PF_INET,
	.release		= inet_release,
	.bind			= inet_bind,
	.getname		= inet_getname,
	.ioctl			= inet_ioctl,
	OPS_COMMON,
};

#if IS_ENABLED(CONFIG_IPV6)
struct proto tandemv6_prot = {
	.name			= "TANDEMv6",
	PROTO_COMMON,
	.pre_connect		= pre_connect_v6,
	.connect		= tandem_v6_connect,
	.obj_size		= sizeof(struct tandem6_sock),
	TANDEM_PROTO_IPV6_PINFO(struct tandem6_sock, inet6)
};

struct proto_ops tandemv6_stream_ops __ro_after_init = {
	.family			= PF_INET6,
	.release		= inet6_release,
	.bind			= inet6_bind,
	.getname		= inet6_getname,
	.ioctl			= inet6_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl		= inet6_compat_ioctl,
#endif
	OPS_COMMON,
};

/*
 * After IPV6_ADDRFORM: of AF_INET, but IPv6's anycast groups may have to be left.  What
 * such a socket accepts later has these operations, too, and nothing of IPv6.
 */
struct proto_ops tandem_addrform_ops __ro_after_init;

static int addrform_release(struct socket *sock)
{
	return sock->sk && inet_sk(sock->sk)->pinet6 ? inet6_release(sock) :
						       inet_release(sock);
}
#endif

/* ---- init ---- */

int tandem_socket_init(void)
{
	int err;

#if IS_ENABLED(CONFIG_IPV6)
	/* Where kernels without proto.ipv6_pinfo_offset look for it. */
	BUILD_BUG_ON(offsetofend(struct tandem6_sock, inet6) !=
		     sizeof(struct tandem6_sock));
#endif
	/* SO_PEEK_OFF exists where this kernel's TCP has it (6.9). */
	tandem_stream_ops.set_peek_off = inet_stream_ops.set_peek_off;
#if IS_ENABLED(CONFIG_IPV6)
	tandemv6_stream_ops.set_peek_off = inet_stream_ops.set_peek_off;
	tandem_addrform_ops = tandem_stream_ops;
	tandem_addrform_ops.release = addrform_release;
#endif
	init_mem_limits();
	err = percpu_counter_init(&tandem_sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = proto_register(&tandem_prot, 1);
	if (err)
		goto free_counter;
#if IS_ENABLED(CONFIG_IPV6)
	err = proto_register(&tandemv6_prot, 1);
	if (err)
		goto unregister_v4;
#endif
	return 0;

#if IS_ENABLED(CONFIG_IPV6)
unregister_v4:
	proto_unregister(&tandem_prot);
#endif
free_counter:
	percpu_counter_destroy(&tandem_sockets_allocated);
	return err;
}

/* After an rcu_barrier(): sockets are freed by RCU. */
void tandem_socket_exit(void)
{
#if IS_ENABLED(CONFIG_IPV6)
	proto_unregister(&tandemv6_prot);
#endif
	proto_unregister(&tandem_prot);
	percpu_counter_destroy(&tandem_sockets_allocated);
}
