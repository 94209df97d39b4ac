// SPDX-License-Identifier: GPL-2.0
/*
 * sockopt.c - options: TCP's numbers and rules, at level SOL_TANDEM and, so that a
 * program written for TCP needs no change, at level IPPROTO_TCP.
 *
 * Ranges and errors are those of Linux TCP.  An option of TCP whose feature we do not
 * have answers as a kernel built without it, or as if it were not permitted.
 */
#include <linux/inet_diag.h>
#include <linux/net_tstamp.h>
#include <linux/sockptr.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include "advert.h"
#include "choice.h"
#include "cong.h"
#include "fastopen.h"
#include "handshake.h"
#include "output.h"
#include "rare.h"
#include "savesyn.h"
#include "socket.h"
#include "timer.h"
#include "timestamp.h"

#define MIN_USER_MSS	88		/* as TCP: room for a full set of options */
#define MAX_USER_MSS	32767
#define MAX_KEEP_SECS	32767
#define MAX_KEEP_PROBES	127
#define MAX_SYN_RETRIES	127
#define MAX_LINGER2	120		/* seconds */
#define MAX_TX_DELAY	((1 << 28) - 1)	/* us */
#define ULP_NAME_MAX	16

/* ---- setting, with the socket locked ---- */

static int set_nagle(struct sock *sk, u8 bit, bool on)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool push;

	if (bit == TANDEM_NAGLE_OFF) {
		/* What waits goes now, even past a cork. */
		push = on;
		if (on)
			tp->nonagle |= TANDEM_NAGLE_OFF | TANDEM_NAGLE_PUSH;
		else
			tp->nonagle &= ~TANDEM_NAGLE_OFF;
	} else {
		push = !on;
		if (on)
			tp->nonagle |= TANDEM_NAGLE_CORK;
		else
			tp->nonagle &= ~TANDEM_NAGLE_CORK;
		if (!on && tp->nonagle & TANDEM_NAGLE_OFF)
			tp->nonagle |= TANDEM_NAGLE_PUSH;
	}
	if (push)
		tandem_push_pending(sk);
	return 0;
}

static int set_maxseg(struct tandem_sock *tp, int val)
{
	if (val && (val < MIN_USER_MSS || val > MAX_USER_MSS))
		return -EINVAL;
	tp->user_mss = val;
	return 0;
}

static int set_keepidle(struct sock *sk, int val)
{
	struct tandem_sock *tp = tandem_sk(sk);
	unsigned long quiet;

	if (val < 1 || val > MAX_KEEP_SECS)
		return -EINVAL;
	WRITE_ONCE(tp->keepalive_time, val);
	if (sock_flag(sk, SOCK_KEEPOPEN) &&
	    !(tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN))) {
		quiet = usecs_to_jiffies(min_t(u64, U32_MAX,
					       tandem_now_us() - tp->last_rcv_us));
		tandem_timer_keepalive(sk, (unsigned long)val * HZ -
				       min_t(unsigned long, quiet, (unsigned long)val * HZ));
	}
	return 0;
}

static int set_linger2(struct tandem_sock *tp, int val)
{
	if (val < 0)
		WRITE_ONCE(tp->linger2, -1);
	else
		WRITE_ONCE(tp->linger2, min(val, MAX_LINGER2));
	return 0;
}

/*
 * TCP_DEFER_ACCEPT counts seconds at the program's side and retransmissions of the
 * SYN-ACK here: the smallest number that lasts so long, and the time a number lasts.
 */
static u8 secs_to_retrans(const struct net *net, int secs)
{
	int rto = max(tandem_knob(net, rto_init_ms) / 1000, 1);
	int max = max(tandem_knob(net, rto_max_ms) / 1000, 1);
	int period = rto;
	u8 n = 0;

	if (secs <= 0)
		return 0;
	for (n = 1; secs > period && n < U8_MAX; n++) {
		rto = min(rto * 2, max);
		period += rto;
	}
	return n;
}

static int retrans_to_secs(const struct net *net, u8 n)
{
	int rto = max(tandem_knob(net, rto_init_ms) / 1000, 1);
	int max = max(tandem_knob(net, rto_max_ms) / 1000, 1);
	int period = 0;

	for (; n; n--) {
		period += rto;
		rto = min(rto * 2, max);
	}
	return period;
}

static int set_window_clamp(struct sock *sk, int val)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u32 clamp;

	if (!val) {
		if (sk->sk_state != TCP_CLOSE)
			return -EINVAL;
		tp->window_clamp = 0;
		return 0;
	}
	clamp = max_t(u32, val, SOCK_MIN_RCVBUF / 2);
	if (clamp == tp->window_clamp)
		return 0;
	if (clamp < tp->window_clamp)
		tp->rcv_ssthresh = min(tp->rcv_ssthresh, clamp);
	else
		tp->rcv_ssthresh = max(tp->rcv_ssthresh, min(tp->rcv_wnd, clamp));
	tp->window_clamp = clamp;
	return 0;
}

static int set_quickack(struct sock *sk, int val)
{
	struct tandem_sock *tp = tandem_sk(sk);

	tp->pingpong = !val;
	if (val && tandem_state_bit(sk) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) &&
	    tp->ack_pending & TANDEM_ACK_SCHED) {
		tandem_send_ack(sk);
		/* An even value asks for this one ACK only. */
		if (!(val & 1))
			tp->pingpong = true;
	}
	return 0;
}

static int set_wire(struct sock *sk, int val)
{
	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (inet_sk(sk)->inet_num || val < TANDEM_WIRE_NATIVE || val > TANDEM_WIRE_UDP)
		return -EINVAL;
	if (val == TANDEM_WIRE_TCP && !tandem_sk_knob(sk, tcp_wire))
		return -EPERM;
	tandem_sk(sk)->wire = val;
	return 0;
}

/* The core lets only what it knows to be TCP or UDP send without copying. */
static int set_zerocopy(struct sock *sk, int val)
{
	if (val < 0 || val > 1)
		return -EINVAL;
	sock_valbool_flag(sk, SOCK_ZEROCOPY, val);
	return 0;
}

/* 0: the same as ours. */
static int set_udp_port(struct sock *sk, int val)
{
	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (val < 0 || val > U16_MAX)
		return -EINVAL;
	tandem_sk(sk)->udp_dport = htons(val);
	return 0;
}

/* Fast open, RFC 7413: of sockets that are not connected. */
static int set_fastopen(struct sock *sk, int optname, int val)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool idle = tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN);

	if (val < 0 || !idle)
		return -EINVAL;
	if (optname == TCP_FASTOPEN) {
		struct tandem_listen *listen = tandem_listen_get(sk);

		if (!listen)
			return -ENOMEM;
		WRITE_ONCE(listen->fo_qlen_max, min_t(u32, val, SOMAXCONN));
		return 0;
	}
	if (val > 1)
		return -EINVAL;
	WRITE_ONCE(tp->fo_no_cookie, val);
	return 0;
}

static int set_ranged_u8(u8 *field, int val, int min, int max)
{
	if (val < min || val > max)
		return -EINVAL;
	WRITE_ONCE(*field, val);
	return 0;
}

/* Options of TCP that are not built; what TCP says when it will not have them. */
static int set_unsupported(const struct sock *sk, int optname, int val)
{
	bool closed = sk->sk_state == TCP_CLOSE;

	switch (optname) {
	case TCP_THIN_DUPACK:		/* TCP ignores it as well */
		return val < 0 || val > 1 ? -EINVAL : 0;
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_REPAIR_WINDOW:
	case TCP_TIMESTAMP:		/* only under TCP_REPAIR */
		return -EPERM;
	case TCP_QUEUE_SEQ:
		return closed ? -EINVAL : -EPERM;
	case TCP_REPAIR_OPTIONS:
		return -EINVAL;
	}
	return -ENOPROTOOPT;
}

static int set_int(struct sock *sk, int level, int optname, int val)
{
	struct tandem_sock *tp = tandem_sk(sk);

	switch (optname) {
	case TCP_NODELAY:
		return set_nagle(sk, TANDEM_NAGLE_OFF, val);
	case TCP_CORK:
		return set_nagle(sk, TANDEM_NAGLE_CORK, val);
	case TCP_MAXSEG:
		return set_maxseg(tp, val);
	case TCP_KEEPIDLE:
		return set_keepidle(sk, val);
	case TCP_KEEPINTVL:
		if (val < 1 || val > MAX_KEEP_SECS)
			return -EINVAL;
		WRITE_ONCE(tp->keepalive_intvl, val);
		return 0;
	case TCP_KEEPCNT:
		return set_ranged_u8(&tp->keepalive_probes, val, 1, MAX_KEEP_PROBES);
	case TCP_SYNCNT:
		return set_ranged_u8(&tp->syn_retries, val, 1, MAX_SYN_RETRIES);
	case TCP_LINGER2:
		return set_linger2(tp, val);
	case TCP_DEFER_ACCEPT:
		WRITE_ONCE(tp->defer_accept, secs_to_retrans(sock_net(sk), val));
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(sk, val);
	case TCP_QUICKACK:
		return set_quickack(sk, val);
	case TCP_USER_TIMEOUT:
		if (val < 0)
			return -EINVAL;
		WRITE_ONCE(tp->user_timeout_ms, val);
		return 0;
	case TCP_NOTSENT_LOWAT:
		WRITE_ONCE(tp->notsent_lowat, val);
		sk->sk_write_space(sk);
		return 0;
	case TCP_INQ:
		if (val < 0 || val > 1)
			return -EINVAL;
		tp->recvmsg_inq = val;
		return 0;
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(sk, optname, val);
	case TCP_FASTOPEN_CONNECT:
		return tandem_fastopen_set_connect(sk, val);
	case TCP_SAVE_SYN:
		return set_ranged_u8(&tp->save_syn, val, 0, 2);
	case TCP_THIN_LINEAR_TIMEOUTS:
		if (val < 0 || val > 1)
			return -EINVAL;
		tp->thin_lto = val;
		return 0;
	case TCP_TX_DELAY:
		/* The round trip holds it, and times 8 it must fit 31 bits (Linux 6.18). */
		if (val < 0 || val > MAX_TX_DELAY)
			return -EINVAL;
		WRITE_ONCE(tp->tx_delay_us, val);
		return 0;
	case TANDEM_WIRE:
		if (level == SOL_TANDEM)
			return set_wire(sk, val);
		break;
	case TANDEM_ZEROCOPY:
		if (level == SOL_TANDEM)
			return set_zerocopy(sk, val);
		break;
	case TANDEM_REMOTE_UDP_PORT:
		if (level == SOL_TANDEM)
			return set_udp_port(sk, val);
		break;
	}
	return set_unsupported(sk, optname, val);
}

/* ---- setsockopt() ---- */

/* Congestion control and the other mechanisms that go by name. */
static int set_choice(struct sock *sk, enum tandem_kind kind, sockptr_t optval,
		      unsigned int optlen)
{
	char name[TANDEM_CHOICE_NAME_MAX];
	int n, err;

	if (optlen < 1)
		return -EINVAL;
	n = strncpy_from_sockptr(name, optval, min_t(long, sizeof(name) - 1, optlen));
	if (n < 0)
		return -EFAULT;
	name[n] = '\0';
	lock_sock(sk);
	if (kind == TANDEM_KIND_CONG)
		err = tandem_cong_attach(sock_net(sk), &tandem_sk(sk)->cc, name, true);
	else
		err = tandem_choose(sk, kind, name);
	release_sock(sk);
	return err;
}

/* The kind that an option of our own chooses, or -1. */
static int option_kind(int level, int optname)
{
	switch (optname) {
	case TCP_CONGESTION:
		return TANDEM_KIND_CONG;
	case TANDEM_RTO_ESTIMATOR:
		return level == SOL_TANDEM ? TANDEM_KIND_RTO : -1;
	case TANDEM_LOSS_DETECTION:
		return level == SOL_TANDEM ? TANDEM_KIND_LOSS : -1;
	case TANDEM_ACK_POLICY:
		return level == SOL_TANDEM ? TANDEM_KIND_ACK : -1;
	}
	return -1;
}

/* No protocol sits on us; the name is read, for TCP would have told a bad pointer. */
static int set_ulp(sockptr_t optval, unsigned int optlen)
{
	char name[ULP_NAME_MAX];

	if (optlen < 1)
		return -EINVAL;
	if (strncpy_from_sockptr(name, optval,
				 min_t(long, sizeof(name) - 1, optlen)) < 0)
		return -EFAULT;
	return -ENOENT;
}

/* One key, or two, of 16 bytes: the primary and the backup. */
static int set_fastopen_key(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	struct tandem_listen *listen;
	u8 key[2 * TANDEM_FO_KEY_LEN];
	int err = -ENOMEM;

	if (optlen != TANDEM_FO_KEY_LEN && optlen != 2 * TANDEM_FO_KEY_LEN)
		return -EINVAL;
	if (copy_from_sockptr(key, optval, optlen))
		return -EFAULT;
	lock_sock(sk);
	listen = tandem_listen_get(sk);
	if (listen)
		err = tandem_fastopen_set_keys(sock_net(sk), listen, key,
					       optlen / TANDEM_FO_KEY_LEN);
	release_sock(sk);
	memzero_explicit(key, sizeof(key));
	return err;
}

static int set_own(struct sock *sk, int level, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	int kind = option_kind(level, optname);
	int val, err;

	if (kind >= 0)
		return set_choice(sk, kind, optval, optlen);
	switch (optname) {
	case TCP_ULP:
		return set_ulp(optval, optlen);
	case TCP_FASTOPEN_KEY:
		return set_fastopen_key(sk, optval, optlen);
	}
	if (optlen < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	lock_sock(sk);
	err = set_int(sk, level, optname, val);
	release_sock(sk);
	return err;
}

/* Bytes of IP options or IPv6 extension headers that every segment carries. */
static u16 ext_hdr_len(const struct sock *sk)
{
	const struct ip_options_rcu *opt4;
#if IS_ENABLED(CONFIG_IPV6)
	const struct ipv6_txoptions *opt6;

	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		opt6 = rcu_dereference(inet6_sk(sk)->opt);
		return opt6 ? opt6->opt_flen + opt6->opt_nflen : 0;
	}
#endif
	opt4 = rcu_dereference(inet_sk(sk)->inet_opt);
	return opt4 ? opt4->opt.optlen : 0;
}

/* They take room from the payload; the core tells only inet_connection_sock users. */
static void update_ext_hdr_len(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u16 len;

	lock_sock(sk);
	rcu_read_lock();
	len = ext_hdr_len(sk);
	rcu_read_unlock();
	if (len != tp->ext_hdr_len) {
		tp->ext_hdr_len = len;
		if (tandem_state_bit(sk) & ~(TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT))
			tandem_sync_mss(sk, tp->pmtu_cookie);
	}
	release_sock(sk);
}

/* Multicast groups are not for streams: the core knows that of TCP. 0: go on. */
static int check_membership(const struct sock *sk, int level, int optname,
			    unsigned int optlen)
{
	if (level == SOL_IP &&
	    (optname == IP_ADD_MEMBERSHIP || optname == IP_DROP_MEMBERSHIP))
		return -EPROTO;
	if (level == SOL_IPV6 && sk->sk_family == AF_INET6 &&
	    (optname == IPV6_ADD_MEMBERSHIP || optname == IPV6_DROP_MEMBERSHIP))
		return optlen < sizeof(struct ipv6_mreq) ? -EINVAL : -EPROTO;
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
/* The core does it for the protocols it knows. */
static int set_addrform(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	int val = 0, err;

	if (!sockptr_is_null(optval) && optlen >= sizeof(val) &&
	    copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (optlen < sizeof(val) || val != PF_INET)
		return -EINVAL;
	lock_sock(sk);
	err = tandem_v6_addrform(sk);
	release_sock(sk);
	return err;
}
#endif

static bool is_own_level(int level)
{
	return level == SOL_TANDEM || level == IPPROTO_TCP;
}

/**
 * tandem_setsockopt() - proto.setsockopt
 * @sk: not locked
 * @level: ours, IPPROTO_TCP, or one of IP's (SOL_SOCKET is the core's)
 * @optname: TCP_*, TANDEM_*, IP_*, IPV6_*
 * @optval: in user or kernel space
 * @optlen: bytes there
 *
 * Return: 0, -EINVAL for a value or length out of range, -ENOPROTOOPT for an option
 * that is none, -EFAULT, or what the option's own rules say.
 */
int tandem_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		      unsigned int optlen)
{
	int err;

	if (is_own_level(level))
		return set_own(sk, level, optname, optval, optlen);
	err = check_membership(sk, level, optname, optlen);
	if (err)
		return err;
#if IS_ENABLED(CONFIG_IPV6)
	if (level == SOL_IPV6 && optname == IPV6_ADDRFORM && sk->sk_family == AF_INET6)
		return set_addrform(sk, optval, optlen);
	if (sk->sk_family == AF_INET6 && level != SOL_IP)
		err = ipv6_setsockopt(sk, level, optname, optval, optlen);
	else
#endif
		err = ip_setsockopt(sk, level, optname, optval, optlen);
	if (!err)
		update_ext_hdr_len(sk);
	return err;
}

/* ---- SOL_SOCKET, where the core asks us ---- */

static int set_sol_zerocopy(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	int val, err;

	if (optlen < sizeof(int))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	lock_sock(sk);
	err = set_zerocopy(sk, val);
	release_sock(sk);
	return err;
}

/*
 * SOF_TIMESTAMPING_OPT_ID numbers the bytes of a connection, so there must be one, and
 * from where it counts is settled now rather than with the next write.
 */
static int set_timestamping(struct socket *sock, int optname, sockptr_t optval,
			    unsigned int optlen)
{
	struct sock *sk = sock->sk;
	u32 val = 0;
	int err;

	if (optlen >= sizeof(val) && copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (val & SOF_TIMESTAMPING_OPT_ID &&
	    !(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID) &&
	    (1 << inet_sk_state_load(sk)) & (TCPF_CLOSE | TCPF_LISTEN))
		return -EINVAL;
	err = sock_setsockopt(sock, SOL_SOCKET, optname, optval, optlen);
	if (!err) {
		lock_sock(sk);
		tandem_tx_stamp_base(sk);
		release_sock(sk);
	}
	return err;
}

/* Newer cores do it for TCP alone. */
static int set_txrehash(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	int val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (val < -1 || val > 1)
		return -EINVAL;
	if ((u8)val == SOCK_TXREHASH_DEFAULT)
		val = READ_ONCE(sock_net(sk)->core.sysctl_txrehash);
	WRITE_ONCE(sk->sk_txrehash, (u8)val);
	return 0;
}

int tandem_ops_setsockopt(struct socket *sock, int level, int optname,
			  sockptr_t optval, unsigned int optlen)
{
	if (level != SOL_SOCKET)
		return sock_common_setsockopt(sock, level, optname, optval, optlen);
	switch (optname) {
	case SO_ZEROCOPY:
		return set_sol_zerocopy(sock->sk, optval, optlen);
	case SO_TXREHASH:
		return set_txrehash(sock->sk, optval, optlen);
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		return set_timestamping(sock, optname, optval, optlen);
	}
	return sock_setsockopt(sock, level, optname, optval, optlen);
}

/* ---- getsockopt() ---- */

/* Options that TCP has not. */
static int get_own_int(const struct sock *sk, int optname, int *val)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	switch (optname) {
	case TANDEM_WIRE:
		*val = tp->wire;
		break;
	case TANDEM_ZEROCOPY:
		*val = sock_flag(sk, SOCK_ZEROCOPY);
		break;
	case TANDEM_REMOTE_UDP_PORT:
		*val = ntohs(tp->udp_dport);
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

/* The value of an option that is an int. */
static int get_int(struct sock *sk, int level, int optname, int *val)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	const struct net *net = sock_net(sk);
	const struct tandem_listen *listen;

	switch (optname) {
	case TCP_NODELAY:
		*val = !!(tp->nonagle & TANDEM_NAGLE_OFF);
		break;
	case TCP_CORK:
		*val = !!(tp->nonagle & TANDEM_NAGLE_CORK);
		break;
	case TCP_MAXSEG:
		*val = tandem_reported_mss(sk);
		if (tp->user_mss && tandem_state_bit(sk) & (TCPF_CLOSE | TCPF_LISTEN))
			*val = tp->user_mss;
		break;
	case TCP_KEEPIDLE:
		*val = tandem_keepalive_time(tp) / HZ;
		break;
	case TCP_KEEPINTVL:
		*val = tandem_keepalive_intvl(tp) / HZ;
		break;
	case TCP_KEEPCNT:
		*val = tandem_keepalive_probes(tp);
		break;
	case TCP_SYNCNT:
		*val = READ_ONCE(tp->syn_retries) ? : tandem_sk_knob(sk, syn_retries);
		break;
	case TCP_LINGER2:
		*val = READ_ONCE(tp->linger2);
		if (*val >= 0)
			*val = *val ? : tandem_sk_knob(sk, fin_timeout);
		break;
	case TCP_DEFER_ACCEPT:
		*val = retrans_to_secs(net, READ_ONCE(tp->defer_accept));
		break;
	case TCP_WINDOW_CLAMP:
		*val = tp->window_clamp;
		break;
	case TCP_QUICKACK:
		*val = !tp->pingpong;
		break;
	case TCP_USER_TIMEOUT:
		*val = READ_ONCE(tp->user_timeout_ms);
		break;
	case TCP_NOTSENT_LOWAT:
		*val = READ_ONCE(tp->notsent_lowat);
		break;
	case TCP_INQ:
		*val = tp->recvmsg_inq;
		break;
	case TCP_TIMESTAMP:
		*val = tandem_ts_now(tp);
		break;
	case TCP_SAVE_SYN:
		*val = READ_ONCE(tp->save_syn);
		break;
	case TCP_THIN_LINEAR_TIMEOUTS:
		*val = tp->thin_lto;
		break;
	case TCP_TX_DELAY:
		*val = READ_ONCE(tp->tx_delay_us);
		break;
	case TCP_FASTOPEN:
		listen = smp_load_acquire(&tp->listen);	/* tandem_listen_get() */
		*val = listen ? READ_ONCE(listen->fo_qlen_max) : 0;
		break;
	case TCP_FASTOPEN_CONNECT:
		*val = tp->fo_connect;
		break;
	case TCP_FASTOPEN_NO_COOKIE:
		*val = READ_ONCE(tp->fo_no_cookie);
		break;
	case TCP_THIN_DUPACK:
	case TCP_REPAIR:
		*val = 0;
		break;
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
		return -EINVAL;
	default:
		return level == SOL_TANDEM ? get_own_int(sk, optname, val) : -ENOPROTOOPT;
	}
	return 0;
}

/* Give the program as much of @len bytes at @p as it has room for. */
static int answer(const void *p, int len, int room, char __user *optval,
		  int __user *optlen)
{
	len = min(len, room);
	if (put_user(len, optlen))
		return -EFAULT;
	if (copy_to_user(optval, p, len))
		return -EFAULT;
	return 0;
}

static int get_info(struct sock *sk, int room, char __user *optval, int __user *optlen)
{
	struct tcp_info info;

	tandem_fill_info(sk, &info);
	return answer(&info, sizeof(info), room, optval, optlen);
}

static int get_choice(struct sock *sk, enum tandem_kind kind, int room,
		      char __user *optval, int __user *optlen)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	char name[TANDEM_CHOICE_NAME_MAX] = {};
	const struct tandem_choice *choice;

	lock_sock(sk);
	if (kind == TANDEM_KIND_CONG)
		choice = tp->cc.ops ? &tp->cc.ops->choice : NULL;
	else
		choice = tp->choice[kind];
	if (choice)
		strscpy(name, choice->name, sizeof(name));
	release_sock(sk);
	return answer(name, sizeof(name), room, optval, optlen);
}

/* TCP_CC_INFO: what the algorithm has to tell, nothing if it is none for that. */
static int get_cc_info(struct sock *sk, int room, char __user *optval,
		       int __user *optlen)
{
	struct tandem_cc *cc = &tandem_sk(sk)->cc;
	const struct tandem_cong_ops *ops;
	union tcp_cc_info info = {};
	int attr, len = 0;

	lock_sock(sk);
	ops = cc->ops ? tandem_cong(cc) : NULL;
	if (ops && ops->info)
		len = ops->info(cc, &attr, &info, sizeof(info));
	release_sock(sk);
	return answer(&info, len, room, optval, optlen);
}

/* Once: who has got it whole, the next finds nothing. */
static int get_saved_syn(struct sock *sk, int room, char __user *optval,
			 int __user *optlen)
{
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_saved_syn *syn;
	int err = 0;

	lock_sock(sk);
	syn = tp->rare ? tp->rare->saved_syn : NULL;
	if (!syn)
		err = put_user(0, optlen);
	else if (put_user(syn->len, optlen))
		err = -EFAULT;
	else if (room < syn->len)
		err = -EINVAL;		/* the program knows the size now */
	else if (copy_to_user(optval, syn->data, syn->len))
		err = -EFAULT;
	else
		tandem_saved_syn_free(tp);
	release_sock(sk);
	return err;
}

/* The keys in force, primary first. */
static int get_fastopen_key(struct sock *sk, int room, char __user *optval,
			    int __user *optlen)
{
	u8 key[2 * TANDEM_FO_KEY_LEN];
	int n = tandem_fastopen_get_keys(sock_net(sk), sk, key);
	int err = answer(key, n * TANDEM_FO_KEY_LEN, room, optval, optlen);

	memzero_explicit(key, sizeof(key));
	return err;
}

static int get_own(struct sock *sk, int level, int optname, char __user *optval,
		   int __user *optlen)
{
	int kind = option_kind(level, optname);
	int room, val, err;

	if (get_user(room, optlen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (kind >= 0)
		return get_choice(sk, kind, room, optval, optlen);

	switch (optname) {
	case TCP_INFO:
		return get_info(sk, room, optval, optlen);
	case TCP_CC_INFO:
		return get_cc_info(sk, room, optval, optlen);
	case TCP_SAVED_SYN:
		return get_saved_syn(sk, room, optval, optlen);
	case TCP_FASTOPEN_KEY:
		return get_fastopen_key(sk, room, optval, optlen);
	case TCP_REPAIR_WINDOW:
		return room == sizeof(struct tcp_repair_window) ? -EPERM : -EINVAL;
	case TCP_ULP:
		return answer(NULL, 0, room, optval, optlen);
	}
	err = get_int(sk, level, optname, &val);
	if (err)
		return err;
	return answer(&val, sizeof(val), room, optval, optlen);
}

/* The core answers for protocols it knows only. */
static int get_addrform(const struct sock *sk, char __user *optval, int __user *optlen)
{
	int room, family = AF_INET6;

	if (get_user(room, optlen))
		return -EFAULT;
	if (inet_sk_state_load(sk) != TCP_ESTABLISHED)
		return -ENOTCONN;
	room = min_t(unsigned int, room, sizeof(family));
	return answer(&family, sizeof(family), room, optval, optlen);
}

/**
 * tandem_getsockopt() - proto.getsockopt
 * @sk: not locked
 * @level: as for tandem_setsockopt()
 * @optname: as for tandem_setsockopt()
 * @optval: where the value goes
 * @optlen: in: bytes there; out: bytes of the value written
 *
 * Return: 0, -EINVAL for a negative length, -ENOPROTOOPT, -EFAULT.
 */
int tandem_getsockopt(struct sock *sk, int level, int optname, char __user *optval,
		      int __user *optlen)
{
	if (is_own_level(level))
		return get_own(sk, level, optname, optval, optlen);
	if (level == SOL_IPV6 && optname == IPV6_ADDRFORM && sk->sk_family == AF_INET6)
		return get_addrform(sk, optval, optlen);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && level != SOL_IP)
		return ipv6_getsockopt(sk, level, optname, optval, optlen);
#endif
	return ip_getsockopt(sk, level, optname, optval, optlen);
}
