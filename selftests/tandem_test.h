/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every selftest program needs: the protocol under test, addresses of
 * the three ways to speak it (v4, v6, v4-mapped), connected pairs, and waits
 * on conditions.
 *
 * The one idea: the kernel's own TCP is the judge. TANDEM_PROTO=6 runs the
 * same program over TCP, so every expectation here is one TCP meets.
 */
#ifndef TANDEM_TEST_H
#define TANDEM_TEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <linux/tandem.h>

#define TT_PROTO_TANDEM	254	/* IPPROTO_TANDEM */
#define TT_DEADLINE_MS	20000	/* how long a condition may take to come */

#ifndef TCP_INQ
#define TCP_INQ		36
#endif
#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT	25
#endif

enum tt_way { TT_V4, TT_V6, TT_MAPPED };

static inline int tt_proto(void)
{
	const char *s = getenv("TANDEM_PROTO");

	return s && *s ? atoi(s) : TT_PROTO_TANDEM;
}

static inline bool tt_is_tcp(void)
{
	return tt_proto() == IPPROTO_TCP;
}

static inline int tt_domain(enum tt_way way)
{
	return way == TT_V4 ? AF_INET : AF_INET6;
}

static inline long tt_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * One step of a wait on a condition; TT_AWAIT() gives it its deadline. Most come
 * true at once, so the first steps are short.
 */
static inline void tt_step_n(int n)
{
	struct timespec ts = { .tv_nsec = n < 10 ? 100000 : 2000000 };

	nanosleep(&ts, NULL);
}

static inline void tt_step(void)
{
	tt_step_n(10);
}

#define TT_AWAIT(cond) ({						\
	long _end = tt_now_ms() + TT_DEADLINE_MS;			\
	int _n = 0;							\
	bool _ok;							\
									\
	while (!(_ok = (cond)) && tt_now_ms() < _end)			\
		tt_step_n(_n++);					\
	_ok;								\
})

/* A namespace of our own, so that ports and TIME-WAIT never meet others'. */
static inline int tt_netns(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, err;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	err = ioctl(fd, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	if (!err)
		err = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err ? -errno : 0;
}

/* TANDEM_WIRE=tcp or udp: Tandem's sockets use that wire. */
static inline int tt_wire(void)
{
	const char *s = getenv("TANDEM_WIRE");

	if (!s || tt_is_tcp())
		return TANDEM_WIRE_NATIVE;
	return !strcmp(s, "tcp") ? TANDEM_WIRE_TCP :
	       !strcmp(s, "udp") ? TANDEM_WIRE_UDP : TANDEM_WIRE_NATIVE;
}

static inline int tt_socket(enum tt_way way, int flags)
{
	int fd = socket(tt_domain(way), SOCK_STREAM | flags, tt_proto());
	int wire = tt_wire();

	if (fd >= 0 && wire != TANDEM_WIRE_NATIVE &&
	    setsockopt(fd, SOL_TANDEM, TANDEM_WIRE, &wire, sizeof(wire))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Fill @ss with host number @host of the loopback net (0: the wildcard). */
static inline socklen_t tt_addr(enum tt_way way, struct sockaddr_storage *ss,
				unsigned int host, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (way == TT_V4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		if (host)
			in->sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	if (way == TT_MAPPED && host) {
		in6->sin6_addr.s6_addr16[5] = 0xffff;
		in6->sin6_addr.s6_addr32[3] =
			htonl(INADDR_LOOPBACK - 1 + host);
	} else if (host) {
		in6->sin6_addr.s6_addr32[3] = htonl(host);
	}
	return sizeof(*in6);
}

static inline uint16_t tt_port(int fd)
{
	struct sockaddr_in6 a = {};
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len))
		return 0;
	return ntohs(a.sin6_port);	/* the same place in sockaddr_in */
}

static inline int tt_bind(enum tt_way way, int fd, unsigned int host,
			  uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = tt_addr(way, &ss, host, port);

	return bind(fd, (struct sockaddr *)&ss, len);
}

static inline int tt_connect(enum tt_way way, int fd, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = tt_addr(way, &ss, 1, port);

	return connect(fd, (struct sockaddr *)&ss, len);
}

/* A listener on the loopback address; its port in @port. */
static inline int tt_listen(enum tt_way way, int backlog, int flags,
			    uint16_t *port)
{
	int fd = tt_socket(way, flags);

	if (fd < 0)
		return -1;
	if (tt_bind(way, fd, 1, 0) || listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	*port = tt_port(fd);
	return fd;
}

/* fd[0] the client, fd[1] the accepted end, both blocking. */
static inline int tt_pair(enum tt_way way, int fd[2])
{
	uint16_t port;
	int l = tt_listen(way, 8, 0, &port);

	if (l < 0)
		return -1;
	fd[0] = tt_socket(way, 0);
	if (fd[0] < 0 || tt_connect(way, fd[0], port)) {
		close(l);
		return -1;
	}
	fd[1] = accept(l, NULL, NULL);
	close(l);
	return fd[1] < 0 ? -1 : 0;
}

static inline int tt_state(int fd)
{
	struct tcp_info ti = {};
	socklen_t len = sizeof(ti);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len))
		return -1;
	return ti.tcpi_state;
}

static inline int tt_getint(int fd, int level, int opt)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, level, opt, &v, &len) ? -errno : v;
}

static inline int tt_setint(int fd, int level, int opt, int v)
{
	return setsockopt(fd, level, opt, &v, sizeof(v)) ? -errno : 0;
}

static inline int tt_nonblock(int fd, bool on)
{
	int fl = fcntl(fd, F_GETFL);

	return fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK);
}

/* Deadline for tests that would otherwise block for ever. */
static inline int tt_rcvtimeo(int fd, long ms)
{
	struct timeval tv = {
		.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000
	};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* Does revents of @fd become exactly @want among @mask? Returns the last. */
static inline int tt_poll_is(int fd, int mask, int want)
{
	struct pollfd p = { .fd = fd, .events = mask };

	TT_AWAIT((poll(&p, 1, 0), p.revents == want));
	return p.revents;
}

/*
 * A writer was told to wait: is there room again by itself?  What is in flight makes some
 * when it is acknowledged, and the ACK may be a delayed one.
 */
static inline bool tt_room_again(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int all = 0, unsent = 0;

	ioctl(fd, SIOCOUTQ, &all);
	ioctl(fd, SIOCOUTQNSD, &unsent);
	return poll(&p, 1, all > unsent ? 1000 : 50) > 0;
}

/* The value of a named counter of this namespace; -1 when there is none. */
static inline long long tt_counter(const char *name)
{
	FILE *f = fopen("/proc/net/tandem/snmp", "r");
	char line[256], n[128];
	long long v, r = -1;

	if (!f)
		return -1;
	while (r < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tandem%127s %lld", n, &v) == 2 && !strcmp(n, name))
			r = v;
	fclose(f);
	return r;
}

/*
 * The state (as printed in the socket table, /proc/net/tcp's form) of the
 * socket with @local and @remote port, or -1 if the table has none.
 */
static inline int tt_table_state(enum tt_way way, uint16_t local,
				 uint16_t remote)
{
	const char *path = tt_is_tcp() ?
		(way == TT_V6 ? "/proc/net/tcp6" : "/proc/net/tcp") :
		(way == TT_V6 ? "/proc/net/tandem/tandem6" :
				"/proc/net/tandem/tandem");
	unsigned int l, r, st;
	char line[512];
	int found = -1;
	FILE *f;

again:
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %*[^:]: %*[^:]:%x %*[^:]:%x %x",
			   &l, &r, &st) == 3 && l == local && r == remote)
			found = st;
	fclose(f);
	/* A v4-mapped socket is listed among the v6 ones. */
	if (found < 0 && way == TT_MAPPED && !strstr(path, "6")) {
		path = tt_is_tcp() ? "/proc/net/tcp6" :
				     "/proc/net/tandem/tandem6";
		goto again;
	}
	return found;
}

#endif /* TANDEM_TEST_H */
