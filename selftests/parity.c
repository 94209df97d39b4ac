// SPDX-License-Identifier: GPL-2.0
/*
 * Is a Tandem socket a TCP socket to whoever only looks at options and calls?
 *
 * The oracle is the kernel's TCP: a TCP socket is brought into the same state beside
 * the Tandem socket, both get the same call, and errno, length, value and poll bits
 * must agree. Every option number of four levels is asked, not only those known by
 * name, so an option of a newer kernel is compared too.
 *
 * What is meant to differ stands in declared[], with the reason, and in
 * Documentation/networking/tandem-sockopt.rst.
 */
#include "tandem_test.h"
#include <linux/errqueue.h>
#include <limits.h>
#include <signal.h>
#include <sys/sendfile.h>
#include "kselftest_harness.h"

#ifndef SOL_TANDEM
#define SOL_TANDEM	254
#endif

/* Why a case is skipped; not in the setup, where a skip ends nothing. */
#define NOT_WANTED	"not among TANDEM_WAYS"
/* Of levels whose code never asks for the family, sockets of each are enough. */
#define AS_WITH_V6	"the same socket as with v6"

enum state {
	FRESH, BOUND, LISTENING, CONNECTING, CONNECTED, SHUT_WRITE, SHUT_READ,
	PEER_CLOSED, CLOSED, RESET, NR_STATES
};

static const char * const state_name[] = {
	"fresh", "bound", "listening", "connecting", "connected", "shut for writing",
	"shut for reading", "closed by the peer", "closed by both", "reset",
};

#define ST(s)		(1 << (s))
#define ANY		(~0)
#define HAS_PEER	(ST(CONNECTED) | ST(SHUT_WRITE) | ST(SHUT_READ) | \
			 ST(PEER_CLOSED) | ST(CLOSED) | ST(RESET))
#define NOT_CLOSED	(ANY & ~(ST(FRESH) | ST(BOUND)))

/* What differs: errno or length of set, of get, or the value. */
#define S	1
#define G	2
#define V	4

/* Numbers that older headers lack. */
#define O_TCP_MD5SIG_EXT	32
#define O_TCP_ZEROCOPY_RECEIVE	35
#define O_TCP_TX_DELAY		37
#define O_TCP_AO_FIRST		38
#define O_TCP_AO_LAST		42
#define O_TCP_IS_MPTCP		43
#define O_TCP_RTO_MAX_MS	44
#define O_TCP_RTO_MIN_US	45
#define O_TCP_DELACK_MAX_US	46
#define O_FIN_WAIT2		5
#define O_SO_ZEROCOPY		60
#define O_SO_PEEK_OFF		42

/*
 * The declared differences. No reason is longer than the line in
 * tandem-sockopt.rst that tells it to the user.
 */
static const struct {
	int level, first, last, what, states;
	const char *why;
} declared[] = {
	{ IPPROTO_TCP, TCP_INFO, TCP_INFO, V, ANY, "two connections" },
	{ IPPROTO_TCP, TCP_TIMESTAMP, TCP_TIMESTAMP, V, ANY, "two clocks" },
	{ IPPROTO_TCP, TCP_WINDOW_CLAMP, TCP_WINDOW_CLAMP, V, ANY,
	  "each stack sizes its own window, and kernels differ over numbers below 0" },
	{ IPPROTO_TCP, O_TCP_TX_DELAY, O_TCP_TX_DELAY, S | V, ANY,
	  "bounded as in Linux 6.18, older TCP takes any number" },
	{ IPPROTO_TCP, TCP_MAXSEG, TCP_MAXSEG, V, HAS_PEER,
	  "bounded by half the window the peer offered, on lo" },
	{ IPPROTO_TCP, TCP_QUICKACK, TCP_QUICKACK, V, HAS_PEER,
	  "a mode that changes with the traffic" },
	{ IPPROTO_TCP, TCP_CONGESTION, TCP_CONGESTION, V, ANY,
	  "the algorithms are Tandem's own" },
	{ IPPROTO_TCP, TCP_CC_INFO, TCP_CC_INFO, G | V, ANY,
	  "what an algorithm tells is its own" },
	{ IPPROTO_TCP, TCP_MD5SIG, TCP_MD5SIG, S, ANY, "no MD5 signatures" },
	{ IPPROTO_TCP, O_TCP_MD5SIG_EXT, O_TCP_MD5SIG_EXT, S, ANY, "no MD5 signatures" },
	{ IPPROTO_TCP, O_TCP_AO_FIRST, O_TCP_AO_LAST, S | G | V, ANY, "no TCP-AO" },
	{ IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR, S, ANY, "no repair mode" },
	{ IPPROTO_TCP, 33, 33, G | V, ANY, "TCP_FASTOPEN_KEY: keys are random" },
	{ IPPROTO_TCP, O_TCP_ZEROCOPY_RECEIVE, O_TCP_ZEROCOPY_RECEIVE, G | V, ANY,
	  "no receiving without copying" },
	{ IPPROTO_TCP, O_TCP_IS_MPTCP, O_TCP_DELACK_MAX_US, S | G | V, ANY,
	  "newer than Linux 6.1" },
	{ SOL_SOCKET, SO_PROTOCOL, SO_PROTOCOL, V, ANY, "254 is not 6" },
	{ SOL_SOCKET, SO_COOKIE, SO_COOKIE, V, ANY, "two sockets" },
	{ SOL_SOCKET, SO_INCOMING_CPU, SO_INCOMING_CPU, V, HAS_PEER, "two sockets" },
	{ SOL_SOCKET, SO_MEMINFO, SO_MEMINFO, V, ANY, "two sockets" },
	{ SOL_SOCKET, SO_SNDBUF, SO_SNDBUF, V, NOT_CLOSED, "autotuned" },
	{ SOL_SOCKET, SO_RCVBUF, SO_RCVBUF, V, NOT_CLOSED, "autotuned" },
	{ SOL_SOCKET, SO_RCVLOWAT, SO_RCVLOWAT, V, ANY, "at most half of net.tandem.rmem" },
	{ SOL_SOCKET, 74, 74, G | V, ANY, "SO_TXREHASH: newer cores ask TCP only" },
	{ SOL_SOCKET, 80, 80, S, ANY, "SO_DEVMEM_DONTNEED: no device memory" },
	{ SOL_SOCKET, SO_PEERNAME, SO_PEERNAME, V, ANY, "another port" },
	{ IPPROTO_IP, 52, 52, V, ANY & ~ST(FRESH), "IP_PROTOCOL tells the port, another" },
	{ IPPROTO_IPV6, 80, 80, S | G | V, ANY, "conntrack sees no ports of protocol 254" },
};

/* Where the core cannot be asked for SOL_SOCKET options (before 6.4). */
static const struct {
	int opt, states;
	const char *why;
} old_core[] = {
	{ O_SO_ZEROCOPY, ANY, "TANDEM_ZEROCOPY instead" },
	{ SO_TIMESTAMPING, ST(FRESH) | ST(BOUND) | ST(LISTENING) | ST(CLOSED) | ST(RESET),
	  "OPT_ID before there is a connection is not refused" },
	{ 65, ST(FRESH) | ST(BOUND) | ST(LISTENING) | ST(CLOSED) | ST(RESET),
	  "the same, SO_TIMESTAMPING_NEW" },
};

static bool core_is_old;

static const char *excuse(int level, int opt, int what, enum state st)
{
	int i;

	if (level == SOL_TANDEM)
		level = IPPROTO_TCP;
	for (i = 0; i < ARRAY_SIZE(declared); i++)
		if (declared[i].level == level && opt >= declared[i].first &&
		    opt <= declared[i].last && declared[i].what & what &&
		    declared[i].states & ST(st))
			return declared[i].why;
	for (i = 0; core_is_old && level == SOL_SOCKET && i < ARRAY_SIZE(old_core); i++)
		if (old_core[i].opt == opt && old_core[i].states & ST(st))
			return old_core[i].why;
	return NULL;
}

/* ---- sockets in a state ---- */

/* The socket looked at, and what must live as long: listener, peer, filler. */
struct sub {
	int fd, listener, peer, filler;
};

static void sub_close(struct sub *s)
{
	int *fd[] = { &s->fd, &s->listener, &s->peer, &s->filler };
	int i;

	for (i = 0; i < ARRAY_SIZE(fd); i++)
		if (*fd[i] >= 0)
			close(*fd[i]);
}

static int await_poll(int fd, int bits)
{
	struct pollfd p = { .fd = fd, .events = bits };

	return TT_AWAIT((poll(&p, 1, 0), p.revents & bits)) ? 0 : -ETIMEDOUT;
}

/* A backlog of 0 takes one connection; the next one's SYN gets no answer. */
static int sub_connecting(enum tt_way way, int proto, struct sub *s, uint16_t port)
{
	s->filler = socket(tt_domain(way), SOCK_STREAM, proto);
	if (s->filler < 0 || tt_connect(way, s->filler, port) ||
	    await_poll(s->listener, POLLIN))
		return -errno;
	if (!tt_connect(way, s->fd, port) || errno != EINPROGRESS)
		return -EPROTO;
	return 0;
}

static int sub_reset(struct sub *s)
{
	struct linger lg = { .l_onoff = 1 };

	setsockopt(s->peer, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	close(s->peer);
	s->peer = -1;
	return await_poll(s->fd, POLLERR);
}

static int sub_leave(struct sub *s, enum state st)
{
	switch (st) {
	case SHUT_WRITE:
		/* Until the FIN is acknowledged, SIOCOUTQ counts it. */
		return shutdown(s->fd, SHUT_WR) ? :
		       (TT_AWAIT(tt_state(s->fd) == O_FIN_WAIT2) ? 0 : -ETIMEDOUT);
	case SHUT_READ:
		return shutdown(s->fd, SHUT_RD);
	case PEER_CLOSED:
		return shutdown(s->peer, SHUT_WR) ? : await_poll(s->fd, POLLRDHUP);
	case CLOSED:
		return shutdown(s->peer, SHUT_WR) ? : await_poll(s->fd, POLLRDHUP) ? :
		       shutdown(s->fd, SHUT_RDWR) ? :
		       (TT_AWAIT(tt_state(s->fd) == TCP_CLOSE) ? 0 : -ETIMEDOUT);
	case RESET:
		return sub_reset(s);
	default:
		return 0;
	}
}

static int sub_make(enum tt_way way, int proto, enum state st, struct sub *s)
{
	int one = 1;
	uint16_t port;

	*s = (struct sub){ -1, -1, -1, -1 };
	s->fd = socket(tt_domain(way), SOCK_STREAM | SOCK_NONBLOCK, proto);
	if (s->fd < 0)
		return -errno;
	if (st == FRESH)
		return 0;
	if (st == BOUND || st == LISTENING) {
		if (tt_bind(way, s->fd, 1, 0))
			return -errno;
		return st == LISTENING && listen(s->fd, 5) ? -errno : 0;
	}
	s->listener = socket(tt_domain(way), SOCK_STREAM, proto);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (s->listener < 0 || tt_bind(way, s->listener, 1, 0) || listen(s->listener, 0))
		return -errno;
	port = tt_port(s->listener);
	if (st == CONNECTING)
		return sub_connecting(way, proto, s, port);
	if (tt_connect(way, s->fd, port) && errno != EINPROGRESS)
		return -errno;
	s->peer = accept(s->listener, NULL, NULL);
	if (s->peer < 0 || await_poll(s->fd, POLLOUT))
		return -errno;
	return sub_leave(s, st);
}

/* The same state for both: [0] TCP, [1] the protocol under test. */
static int both_make(enum tt_way way, enum state st, struct sub s[2])
{
	int err = sub_make(way, IPPROTO_TCP, st, &s[0]);

	s[1] = (struct sub){ -1, -1, -1, -1 };
	return err ? : sub_make(way, tt_proto(), st, &s[1]);
}

static void both_close(struct sub s[2])
{
	sub_close(&s[0]);
	sub_close(&s[1]);
}

static int bits(int fd)
{
	struct pollfd p = {
		.fd = fd,
		.events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLERR | POLLHUP |
			  POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND,
	};

	poll(&p, 1, 0);
	return p.revents;
}

/* ---- options ---- */

struct answer {
	int err, len;
	char buf[256];
};

static void ask(int fd, int level, int opt, int room, struct answer *a)
{
	socklen_t len = room;

	memset(a, 0, sizeof(*a));
	memset(a->buf, 0x5a, sizeof(a->buf));
	a->err = getsockopt(fd, level, opt, a->buf, &len) ? errno : 0;
	a->len = len;
}

struct sweep {
	enum tt_way way;
	enum state st;
	int level[2];		/* of TCP, of the other */
	int opt;
	struct sub s[2];
	int calls, excused, bad;
	int told, told_opt, told_st;
};

static void differ(struct sweep *w, int what, const char *call, long arg, long tcp,
		   long other)
{
	if (excuse(w->level[1], w->opt, what, w->st)) {
		w->excused++;
		return;
	}
	w->bad++;
	if (w->opt != w->told_opt || w->st != w->told_st)
		w->told = 0;
	w->told_opt = w->opt;
	w->told_st = w->st;
	/* Two lines of each are enough to see what it is. */
	if (w->told++ < 2)
		printf("# level %d option %d, %s, %s %ld: TCP %ld, here %ld\n",
		       w->level[1], w->opt, state_name[w->st], call, arg, tcp, other);
}

static void compare_get(struct sweep *w, const char *call, long arg, int room)
{
	struct answer a, b;

	ask(w->s[0].fd, w->level[0], w->opt, room, &a);
	ask(w->s[1].fd, w->level[1], w->opt, room, &b);
	w->calls++;
	if (a.err != b.err)
		differ(w, G, call, arg, a.err, b.err);
	else if (a.len != b.len)
		differ(w, G, call, arg, a.len, b.len);
	else if (memcmp(a.buf, b.buf, sizeof(a.buf)))
		differ(w, V, call, arg, *(int *)a.buf, *(int *)b.buf);
}

static void compare_set(struct sweep *w, const char *call, const void *p, int len)
{
	long arg = p && len >= 4 ? *(int *)p : len;
	int a, b;

	a = setsockopt(w->s[0].fd, w->level[0], w->opt, p, len) ? errno : 0;
	b = setsockopt(w->s[1].fd, w->level[1], w->opt, p, len) ? errno : 0;
	w->calls++;
	if (a != b)
		differ(w, S, call, arg, a, b);
	compare_get(w, call, arg, 64);
}

static const int values[] = {
	1, 0, 2, 3, 4, 5, 8, 16, 63, 64, 87, 88, 127, 128, 255, 256, 536, 1000, 1280,
	4096, 32767, 32768, 65535, 65536, 1 << 20, INT_MAX, -1, -2, INT_MIN,
};

/*
 * Would it make the TCP socket something else than an ordinary one, or is it a name
 * for which the kernel would look on the disk, again and again?
 */
static bool hands_off(const struct sweep *w)
{
	switch (w->level[0]) {
	case IPPROTO_TCP:
		return w->opt == TCP_REPAIR || w->opt == TCP_ULP ||
		       w->opt == TCP_CONGESTION;
	case IPPROTO_IPV6:
		return w->opt == 1;	/* IPV6_ADDRFORM */
	default:
		return false;
	}
}

static const int odd_len[] = { 0, 1, 2, 3, 8, 12, 16, 20, 28, 64 };
static const int rooms[] = { 0, 1, 2, 3, 4, 8, 16, 64, 256, -1 };

static void sweep_option(struct sweep *w)
{
	char buf[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		compare_get(w, "get", rooms[i], rooms[i]);
	if (hands_off(w))
		return;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		compare_set(w, "set", &values[i], sizeof(int));
	for (i = 0; i < ARRAY_SIZE(odd_len); i++) {
		memset(buf, 0, sizeof(buf));
		buf[0] = 1;
		compare_set(w, "set in bytes", buf, odd_len[i]);
	}
	compare_set(w, "set NULL", NULL, 4);
	compare_set(w, "set NULL", NULL, 0);
	if (bits(w->s[0].fd) != bits(w->s[1].fd))
		differ(w, S, "poll after it", 0, bits(w->s[0].fd), bits(w->s[1].fd));
}

/* Neither knows it: not in this kernel, and not worth a connection. */
static bool option_exists(struct sweep *w)
{
	int one = 1, i, err;
	struct answer a;

	for (i = 0; i < 2; i++) {
		ask(w->s[i].fd, w->level[i], w->opt, 4, &a);
		err = setsockopt(w->s[i].fd, w->level[i], w->opt, &one, sizeof(one)) ?
		      errno : 0;
		if (a.err != ENOPROTOOPT || err != ENOPROTOOPT)
			return true;
	}
	return false;
}

static void sweep_level(struct sweep *w, int last)
{
	bool there[128] = {};

	for (w->opt = 0; w->opt <= last; w->opt++) {
		w->st = FRESH;
		if (!both_make(w->way, FRESH, w->s))
			there[w->opt] = option_exists(w);
		both_close(w->s);
	}
	for (w->st = FRESH; w->st < NR_STATES; w->st++) {
		for (w->opt = 0; w->opt <= last; w->opt++) {
			int err;

			if (!there[w->opt])
				continue;
			err = both_make(w->way, w->st, w->s);
			if (err) {
				printf("# cannot make a socket %s: %d\n",
				       state_name[w->st], err);
				w->bad++;
			} else {
				sweep_option(w);
			}
			both_close(w->s);
		}
	}
}

/* TANDEM_WAYS: the kinds of addresses to look at, as "v4 mapped"; all without it. */
static bool way_wanted(enum tt_way way)
{
	static const char * const name[] = {
		[TT_V4] = "v4", [TT_V6] = "v6", [TT_MAPPED] = "mapped",
	};
	const char *ways = getenv("TANDEM_WAYS");

	return !ways || strstr(ways, name[way]);
}

FIXTURE(parity) { int unused; };
FIXTURE_VARIANT(parity) { enum tt_way way; };

FIXTURE_VARIANT_ADD(parity, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(parity, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(parity, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(parity)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, tt_netns());
	fd = tt_socket(TT_V4, 0);
	ASSERT_GE(fd, 0);
	core_is_old = tt_setint(fd, SOL_SOCKET, O_SO_ZEROCOPY, 1) == -EOPNOTSUPP;
	close(fd);
}

FIXTURE_TEARDOWN(parity)
{
}

#define SWEEP(tcp_level, level_, last)					\
	struct sweep w = { .way = variant->way, .level = { tcp_level, level_ } }; \
									\
	sweep_level(&w, last);						\
	printf("# %d calls compared, %d declared differences\n", w.calls, \
	       w.excused);						\
	EXPECT_LT(100, w.calls);					\
	EXPECT_EQ(0, w.bad)

TEST_F_TIMEOUT(parity, options_tcp, 400)
{
	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	if (variant->way == TT_MAPPED)
		SKIP(return, AS_WITH_V6);
	SWEEP(IPPROTO_TCP, IPPROTO_TCP, 50);
}

TEST_F_TIMEOUT(parity, options_own_level, 400)
{
	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	if (tt_is_tcp())
		SKIP(return, "Tandem's own level");
	if (variant->way == TT_MAPPED)
		SKIP(return, AS_WITH_V6);
	SWEEP(IPPROTO_TCP, SOL_TANDEM, 50);
}

TEST_F_TIMEOUT(parity, options_socket, 600)
{
	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	if (variant->way == TT_MAPPED)
		SKIP(return, AS_WITH_V6);
	SWEEP(SOL_SOCKET, SOL_SOCKET, 90);
}

TEST_F_TIMEOUT(parity, options_ip, 400)
{
	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	SWEEP(IPPROTO_IP, IPPROTO_IP, 60);
}

TEST_F_TIMEOUT(parity, options_ipv6, 600)
{
	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	if (variant->way == TT_V4)
		SKIP(return, "not for AF_INET");
	SWEEP(IPPROTO_IPV6, IPPROTO_IPV6, 85);
}

/* Options that are names: lengths, and a name nobody has. */
TEST_F(parity, names)
{
	static const int opts[] = { TCP_CONGESTION, TCP_ULP };
	static const char * const name[] = { "reno", "renoX", "nonesuch", "" };
	static const int lens[] = { 0, 1, 4, 5, 15, 16, 17, 64 };
	enum state st;

	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	for (st = FRESH; st < NR_STATES; st++) {
		int o, i, k, n, err[2];
		struct sub s[2];
		char buf[64] = "";

		ASSERT_EQ(0, both_make(variant->way, st, s));
		for (i = 0; i < ARRAY_SIZE(opts) * ARRAY_SIZE(name); i++) {
			o = opts[i % ARRAY_SIZE(opts)];
			strcpy(buf, name[i / ARRAY_SIZE(opts)]);
			/* Each new name costs the kernel a look on the disk. */
			for (n = 0; n < (st == FRESH ? ARRAY_SIZE(lens) : 1); n++) {
				for (k = 0; k < 2; k++)
					err[k] = setsockopt(s[k].fd, IPPROTO_TCP, o, buf,
							    lens[n]) ? errno : 0;
				EXPECT_EQ(err[0], err[1])
					TH_LOG("%d %s %d", o, buf, lens[n]);
			}
		}
		both_close(s);
	}
}

/* Pointers that are none. */
TEST_F(parity, bad_pointers)
{
	static const int opts[][2] = {
		{ IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_INFO },
		{ IPPROTO_TCP, TCP_CONGESTION }, { IPPROTO_TCP, TCP_SAVED_SYN },
		{ IPPROTO_TCP, TCP_ULP }, { IPPROTO_TCP, TCP_CC_INFO },
		{ SOL_SOCKET, SO_ERROR }, { IPPROTO_IP, IP_TOS },
	};
	struct sub s[2];
	int i, k, err[2];

	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	ASSERT_EQ(0, both_make(variant->way, CONNECTED, s));
	/* What TCP_CC_INFO has to tell is the algorithm's: reno nothing, in both. */
	for (k = 0; k < 2; k++)
		ASSERT_EQ(0, setsockopt(s[k].fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	for (i = 0; i < ARRAY_SIZE(opts); i++) {
		const int *o = opts[i];
		socklen_t len;
		char buf[64];

		for (k = 0; k < 2; k++) {
			len = sizeof(buf);
			err[k] = getsockopt(s[k].fd, o[0], o[1], (void *)8, &len) ?
				 errno : 0;
		}
		EXPECT_EQ(err[0], err[1]) TH_LOG("get %d %d, value", o[0], o[1]);
		for (k = 0; k < 2; k++)
			err[k] = getsockopt(s[k].fd, o[0], o[1], buf, (void *)8) ?
				 errno : 0;
		EXPECT_EQ(err[0], err[1]) TH_LOG("get %d %d, length", o[0], o[1]);
		for (k = 0; k < 2; k++)
			err[k] = setsockopt(s[k].fd, o[0], o[1], (void *)8, 16) ?
				 errno : 0;
		EXPECT_EQ(err[0], err[1]) TH_LOG("set %d %d", o[0], o[1]);
	}
	both_close(s);
}

/* ---- calls ---- */

struct call {
	const char *name;
	long (*fn)(enum tt_way way, struct sub *s);
	long arg;
	int differ;		/* states in which it may, */
	const char *why;	/* and why */
};

static long cur_arg;

static long call_bind(enum tt_way way, struct sub *s)
{
	return tt_bind(way, s->fd, cur_arg, 0);
}

static long call_listen(enum tt_way way, struct sub *s)
{
	return listen(s->fd, 3);
}

static long call_connect(enum tt_way way, struct sub *s)
{
	struct sockaddr_storage ss;
	socklen_t len = tt_addr(way, &ss, 1, 1);

	return connect(s->fd, (struct sockaddr *)&ss, cur_arg ? cur_arg : len);
}

static long call_unspec(enum tt_way way, struct sub *s)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	return connect(s->fd, &a, sizeof(a));
}

static long call_family(enum tt_way way, struct sub *s)
{
	struct sockaddr_storage ss = { .ss_family = cur_arg };

	return connect(s->fd, (struct sockaddr *)&ss, sizeof(ss));
}

static long call_accept(enum tt_way way, struct sub *s)
{
	return accept4(s->fd, NULL, NULL, cur_arg);
}

static long call_shutdown(enum tt_way way, struct sub *s)
{
	return shutdown(s->fd, cur_arg);
}

static long call_names(enum tt_way way, struct sub *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int err = cur_arg ? getpeername(s->fd, (struct sockaddr *)&ss, &len) :
			    getsockname(s->fd, (struct sockaddr *)&ss, &len);

	return err ? err : (long)len;
}

static long call_send(enum tt_way way, struct sub *s)
{
	return send(s->fd, "abc", 3, cur_arg);
}

static long call_send0(enum tt_way way, struct sub *s)
{
	return send(s->fd, NULL, 0, cur_arg);
}

static long call_sendto(enum tt_way way, struct sub *s)
{
	struct sockaddr_storage ss;
	socklen_t len = tt_addr(way, &ss, 1, 9);

	return sendto(s->fd, "abc", 3, cur_arg, (struct sockaddr *)&ss, len);
}

static long call_send_bad(enum tt_way way, struct sub *s)
{
	return send(s->fd, (void *)8, 3, 0);
}

/* A control message that no stream takes; level and type come as one number. */
static long call_send_cmsg(enum tt_way way, struct sub *s)
{
	char ctl[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

	cm->cmsg_level = cur_arg >> 16;
	cm->cmsg_type = cur_arg & 0xffff;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	return sendmsg(s->fd, &m, 0);
}

static long call_recv(enum tt_way way, struct sub *s)
{
	char buf[16];

	return recv(s->fd, buf, sizeof(buf), cur_arg);
}

static long call_recv0(enum tt_way way, struct sub *s)
{
	return recv(s->fd, NULL, 0, cur_arg);
}

/* With something to read, if the peer can still send. */
static long call_recv_data(enum tt_way way, struct sub *s)
{
	char buf[16];
	int n = 0;

	if (s->peer < 0 || send(s->peer, "01234", 5, MSG_NOSIGNAL) != 5)
		return -2;
	if (tt_state(s->fd) == TCP_ESTABLISHED)
		TT_AWAIT((ioctl(s->fd, FIONREAD, &n), n == 5));
	return recv(s->fd, buf, sizeof(buf), cur_arg);
}

static long call_ioctl(enum tt_way way, struct sub *s)
{
	char buf[64] = {};
	long r = ioctl(s->fd, cur_arg, buf);

	return r ? r : *(int *)buf;
}

static long call_ioctl_stamp(enum tt_way way, struct sub *s)
{
	char buf[64];

	return ioctl(s->fd, cur_arg, buf);
}

static long call_ioctl_null(enum tt_way way, struct sub *s)
{
	return ioctl(s->fd, cur_arg, NULL);
}

static long call_fcntl(enum tt_way way, struct sub *s)
{
	return fcntl(s->fd, cur_arg, 0);
}

static long call_sendfile(enum tt_way way, struct sub *s)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	long r = sendfile(s->fd, fd, NULL, 100);
	int err = errno;

	close(fd);
	errno = err;
	return r;
}

/* Into (1) or out of (0) the socket through a pipe. */
static long call_splice(enum tt_way way, struct sub *s)
{
	int p[2], err;
	long r;

	if (pipe(p))
		return -2;
	if (cur_arg) {
		if (write(p[1], "abc", 3) != 3)
			r = -2;
		r = splice(p[0], NULL, s->fd, NULL, 3, SPLICE_F_NONBLOCK);
	} else {
		r = splice(s->fd, NULL, p[1], NULL, 10, SPLICE_F_NONBLOCK);
	}
	err = errno;
	close(p[0]);
	close(p[1]);
	errno = err;
	return r;
}

static const struct call calls[] = {
	{ "bind", call_bind, 1 },
	{ "bind to any", call_bind, 0 },
	{ "listen", call_listen },
	{ "connect to nobody", call_connect },
	{ "connect with 1 byte", call_connect, 1 },
	{ "connect with 7 bytes", call_connect, 7 },
	{ "connect AF_UNSPEC", call_unspec },
	{ "connect AF_UNIX", call_family, AF_UNIX },
	{ "accept", call_accept, 0 },
	{ "accept4 flags", call_accept, SOCK_NONBLOCK | SOCK_CLOEXEC },
	{ "accept4 bad flags", call_accept, 1 },
	{ "shutdown read", call_shutdown, SHUT_RD },
	{ "shutdown write", call_shutdown, SHUT_WR },
	{ "shutdown both", call_shutdown, SHUT_RDWR },
	{ "shutdown 3", call_shutdown, 3 },
	{ "shutdown -1", call_shutdown, -1 },
	{ "getsockname", call_names, 0 },
	{ "getpeername", call_names, 1 },
	{ "send", call_send, 0 },
	{ "send NOSIGNAL", call_send, MSG_NOSIGNAL },
	{ "send DONTWAIT|MORE", call_send, MSG_DONTWAIT | MSG_MORE },
	{ "send EOR", call_send, MSG_EOR },
	{ "send ERRQUEUE", call_send, MSG_ERRQUEUE },
	{ "send DONTROUTE", call_send, MSG_DONTROUTE },
	{ "send CONFIRM", call_send, MSG_CONFIRM },
	{ "send PROXY", call_send, MSG_PROXY },
	{ "send ZEROCOPY unasked", call_send, MSG_ZEROCOPY },
	{ "send OOB", call_send, MSG_OOB },
	{ "send FASTOPEN", call_sendto, MSG_FASTOPEN },
	{ "sendto", call_sendto, 0 },
	{ "send 0 bytes", call_send0, 0 },
	{ "send bad pointer", call_send_bad, 0 },
	{ "cmsg SO_MARK", call_send_cmsg, SOL_SOCKET << 16 | SO_MARK },
	{ "cmsg SCM_RIGHTS", call_send_cmsg, SOL_SOCKET << 16 | SCM_RIGHTS },
	{ "cmsg SO_TIMESTAMPING", call_send_cmsg, SOL_SOCKET << 16 | SO_TIMESTAMPING },
	{ "cmsg SO_TXTIME", call_send_cmsg, SOL_SOCKET << 16 | SO_TXTIME },
	{ "cmsg SO_DEBUG", call_send_cmsg, SOL_SOCKET << 16 | SO_DEBUG },
	{ "cmsg IP_TTL", call_send_cmsg, IPPROTO_IP << 16 | IP_TTL },
	{ "cmsg TCP", call_send_cmsg, IPPROTO_TCP << 16 | 1 },
	{ "recv", call_recv, 0 },
	{ "recv PEEK", call_recv, MSG_PEEK },
	{ "recv TRUNC", call_recv, MSG_TRUNC },
	{ "recv WAITALL", call_recv, MSG_WAITALL },
	{ "recv OOB", call_recv, MSG_OOB },
	{ "recv ERRQUEUE", call_recv, MSG_ERRQUEUE },
	{ "recv 0 bytes", call_recv0, 0 },
	{ "recv 0 bytes PEEK", call_recv0, MSG_PEEK },
	{ "data", call_recv_data, 0 },
	{ "data PEEK", call_recv_data, MSG_PEEK },
	{ "data TRUNC", call_recv_data, MSG_TRUNC },
	{ "data PEEK|TRUNC", call_recv_data, MSG_PEEK | MSG_TRUNC },
	{ "data WAITALL", call_recv_data, MSG_WAITALL },
	{ "data OOB", call_recv_data, MSG_OOB },
	{ "FIONREAD", call_ioctl, FIONREAD },
	{ "SIOCOUTQ", call_ioctl, SIOCOUTQ },
	{ "SIOCOUTQNSD", call_ioctl, SIOCOUTQNSD },
	{ "SIOCATMARK", call_ioctl, SIOCATMARK },
	{ "SIOCGPGRP", call_ioctl, SIOCGPGRP },
	{ "SIOCGSTAMP", call_ioctl_stamp, SIOCGSTAMP_OLD },
	{ "SIOCGSTAMPNS", call_ioctl_stamp, SIOCGSTAMPNS_OLD },
	{ "SIOCGSTAMP_NEW", call_ioctl_stamp, SIOCGSTAMP_NEW },
	{ "FIONREAD NULL", call_ioctl_null, FIONREAD },
	{ "SIOCATMARK NULL", call_ioctl_null, SIOCATMARK },
	{ "SIOCOUTQ NULL", call_ioctl_null, SIOCOUTQ },
	{ "SIOCGIFCONF", call_ioctl_stamp, SIOCGIFNAME },
	{ "ioctl 0x5555", call_ioctl_stamp, 0x5555 },
	{ "F_GETFL", call_fcntl, F_GETFL },
	{ "F_GETOWN", call_fcntl, F_GETOWN },
	{ "F_GETSIG", call_fcntl, F_GETSIG },
	{ "sendfile", call_sendfile },
	{ "splice in", call_splice, 1 },
	{ "splice out", call_splice, 0 },
};

TEST_F_TIMEOUT(parity, calls, 400)
{
	long ret[2];
	struct sub s[2];
	enum state st;
	int i, k, err[2], poll_bits[2], so_error[2];

	if (!way_wanted(variant->way))
		SKIP(return, NOT_WANTED);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		for (st = FRESH; st < NR_STATES; st++) {
			const char *n = calls[i].name, *in = state_name[st];

			if (calls[i].differ & ST(st))
				continue;
			cur_arg = calls[i].arg;
			ASSERT_EQ(0, both_make(variant->way, st, s));
			for (k = 0; k < 2; k++) {
				errno = 0;
				ret[k] = calls[i].fn(variant->way, &s[k]);
				err[k] = ret[k] == -1 ? errno : 0;
			}
			EXPECT_EQ(ret[0], ret[1]) TH_LOG("%s, %s", n, in);
			EXPECT_EQ(err[0], err[1]) TH_LOG("%s, %s", n, in);
			/* What follows may take a moment: ACKs, the peer's reset. */
			TT_AWAIT(bits(s[0].fd) == bits(s[1].fd));
			for (k = 0; k < 2; k++) {
				poll_bits[k] = bits(s[k].fd);
				so_error[k] = tt_getint(s[k].fd, SOL_SOCKET, SO_ERROR);
			}
			EXPECT_EQ(poll_bits[0], poll_bits[1])
				TH_LOG("poll after %s, %s", n, in);
			EXPECT_EQ(so_error[0], so_error[1])
				TH_LOG("SO_ERROR after %s, %s", n, in);
			both_close(s);
		}
	}
}

TEST_HARNESS_MAIN
