// SPDX-License-Identifier: GPL-2.0
/*
 * What options do, beyond being taken: saved SYNs, time stamps both ways, MSG_ZEROCOPY
 * with its notices, BPF that picks a listener or a segment, addresses that are not
 * ours, reuse after connect(AF_UNSPEC), and the sender's clocks in TCP_INFO.
 *
 * TANDEM_PROTO=6 asks TCP the same.
 */
#include "tandem_test.h"
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include "kselftest_harness.h"

#ifndef SOL_TANDEM
#define SOL_TANDEM	254
#endif
#define TANDEM_ZEROCOPY	1008

FIXTURE(io) { int fd[2]; };
FIXTURE_VARIANT(io) { enum tt_way way; };

FIXTURE_VARIANT_ADD(io, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(io, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(io, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(io)
{
	ASSERT_EQ(0, tt_netns());
	ASSERT_EQ(0, tt_pair(variant->way, self->fd));
}

FIXTURE_TEARDOWN(io)
{
	close(self->fd[0]);
	close(self->fd[1]);
}

/* ---- the SYN's headers ---- */

/* Connect with TCP_SAVE_SYN @mode; the accepted end. */
static int accept_saving(enum tt_way way, int mode, int *client, uint16_t *port)
{
	int l = tt_listen(way, 1, 0, port), s;

	if (tt_setint(l, IPPROTO_TCP, TCP_SAVE_SYN, mode))
		return -1;
	*client = tt_socket(way, 0);
	if (tt_connect(way, *client, *port))
		return -1;
	s = accept(l, NULL, NULL);
	close(l);
	return s;
}

TEST_F(io, saved_syn)
{
	unsigned char buf[512], *p = buf;
	int mode, c, s, v6 = variant->way == TT_V6;
	size_t net = v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	socklen_t len, whole;
	uint16_t port = 0;

	for (mode = 1; mode <= 2; mode++) {
		s = accept_saving(variant->way, mode, &c, &port);
		ASSERT_GE(s, 0);
		len = 1;
		EXPECT_EQ(-1, getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len));
		EXPECT_EQ(EINVAL, errno);
		whole = len;
		len = sizeof(buf);
		ASSERT_EQ(0, getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len));
		EXPECT_EQ(whole, len);
		/* 2: an Ethernet header comes first, lo's. */
		p = buf + (mode == 2 ? 14 : 0);
		ASSERT_GE(len, p - buf + net + 20);
		EXPECT_EQ(v6 ? 6 : 4, p[0] >> 4);
		EXPECT_EQ(tt_proto() == IPPROTO_TANDEM && tt_wire() == TANDEM_WIRE_TCP ?
			  IPPROTO_TCP : tt_proto(), v6 ? p[6] : p[9]);
		p += net;
		EXPECT_EQ(tt_port(c), p[0] << 8 | p[1]);
		EXPECT_EQ(port, p[2] << 8 | p[3]);
		EXPECT_EQ(0x02, p[13] & 0x3f);	/* SYN and nothing else */
		EXPECT_EQ(p - buf + (p[12] >> 4) * 4, len);
		/* It is told once. */
		len = sizeof(buf);
		EXPECT_EQ(0, getsockopt(s, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len));
		EXPECT_EQ(0, len);
		close(s);
		close(c);
	}
	/* Nobody asked: nothing is there. */
	len = sizeof(buf);
	EXPECT_EQ(0, getsockopt(self->fd[1], IPPROTO_TCP, TCP_SAVED_SYN, buf, &len));
	EXPECT_EQ(0, len);
}

/* ---- time stamps ---- */

static long real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

/* Read @want bytes; the one cmsg of SOL_SOCKET with them, its type, or 0. */
static int recv_stamp(int fd, size_t want, void *val, size_t size)
{
	char buf[64], ctl[256];
	struct iovec iov = { buf, want };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *cm;
	int type = 0;

	if (recvmsg(fd, &m, MSG_WAITALL) != want)
		return -1;
	for (cm = CMSG_FIRSTHDR(&m); cm; cm = CMSG_NXTHDR(&m, cm)) {
		if (cm->cmsg_level != SOL_SOCKET)
			continue;
		if (type)
			return -2;
		type = cm->cmsg_type;
		memcpy(val, CMSG_DATA(cm), size);
	}
	return type;
}

/* The network's stamping is switched on a moment after setsockopt() returned. */
static int await_stamp(int tx, int rx, void *val, size_t size)
{
	int type = 0;

	TT_AWAIT((send(tx, "abc", 3, 0), type = recv_stamp(rx, 3, val, size)) != 0);
	return type;
}

TEST_F(io, receive_timestamp)
{
	int tx = self->fd[0], rx = self->fd[1];
	struct timespec ts = {};
	struct timeval tv = {};

	ASSERT_EQ(3, send(tx, "abc", 3, 0));
	EXPECT_EQ(0, recv_stamp(rx, 3, &tv, sizeof(tv)));
	ASSERT_EQ(0, tt_setint(rx, SOL_SOCKET, SO_TIMESTAMP, 1));
	EXPECT_EQ(SO_TIMESTAMP, await_stamp(tx, rx, &tv, sizeof(tv)));
	EXPECT_LE(labs(real_now() - tv.tv_sec), 2);
	ASSERT_EQ(0, tt_setint(rx, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	EXPECT_EQ(SO_TIMESTAMPNS, await_stamp(tx, rx, &ts, sizeof(ts)));
	EXPECT_LE(labs(real_now() - ts.tv_sec), 2);
	ASSERT_EQ(0, tt_setint(rx, SOL_SOCKET, SO_TIMESTAMPNS, 0));
	ASSERT_EQ(3, send(tx, "abc", 3, 0));
	EXPECT_EQ(0, recv_stamp(rx, 3, &tv, sizeof(tv)));
}

TEST_F(io, receive_timestamping)
{
	struct timespec ts[3] = {};

	ASSERT_EQ(0, tt_setint(self->fd[1], SOL_SOCKET, SO_TIMESTAMPING,
			       SOF_TIMESTAMPING_RX_SOFTWARE |
			       SOF_TIMESTAMPING_SOFTWARE));
	EXPECT_EQ(SO_TIMESTAMPING,
		  await_stamp(self->fd[0], self->fd[1], ts, sizeof(ts)));
	EXPECT_LE(labs(real_now() - ts[0].tv_sec), 2);
	EXPECT_EQ(0, ts[1].tv_sec);
	EXPECT_EQ(0, ts[2].tv_sec);
}

/* Stamps in the error queue: which (bits of SCM_TSTAMP_*), and all of byte @id? */
static int errqueue_stamps(int fd, unsigned int id)
{
	char ctl[512], buf[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct sock_extended_err *ee;
	struct cmsghdr *cm;
	int seen = 0;

	for (;;) {
		struct msghdr m = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = ctl, .msg_controllen = sizeof(ctl),
		};

		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return seen;
		for (cm = CMSG_FIRSTHDR(&m); cm; cm = CMSG_NXTHDR(&m, cm)) {
			if (cm->cmsg_level == SOL_SOCKET)
				continue;
			ee = (void *)CMSG_DATA(cm);
			if (ee->ee_origin != SO_EE_ORIGIN_TIMESTAMPING ||
			    ee->ee_data != id)
				return -1;
			seen |= 1 << ee->ee_info;
		}
	}
}

TEST_F(io, transmit_timestamping)
{
	const int all = 1 << SCM_TSTAMP_SCHED | 1 << SCM_TSTAMP_SND |
			1 << SCM_TSTAMP_ACK;
	int tx = self->fd[0], seen;
	char buf[1000] = {};

	/* What went before does not count, acknowledged or not. */
	ASSERT_EQ(10, send(tx, buf, 10, 0));
	ASSERT_TRUE(TT_AWAIT((ioctl(tx, SIOCOUTQ, &seen), seen == 0)));
	ASSERT_EQ(0, tt_setint(tx, SOL_SOCKET, SO_TIMESTAMPING,
			       SOF_TIMESTAMPING_TX_SCHED |
			       SOF_TIMESTAMPING_TX_SOFTWARE |
			       SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
			       SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY));
	ASSERT_EQ(100, send(tx, buf, 100, 0));
	seen = 0;
	EXPECT_TRUE(TT_AWAIT((seen |= errqueue_stamps(tx, 99), seen == all)))
		TH_LOG("seen %x", seen);
	ASSERT_EQ(1000, send(tx, buf, 1000, 0));
	seen = 0;
	EXPECT_TRUE(TT_AWAIT((seen |= errqueue_stamps(tx, 1099), seen == all)))
		TH_LOG("seen %x", seen);
	/* Switched off and on, it counts from here. */
	ASSERT_EQ(0, tt_setint(tx, SOL_SOCKET, SO_TIMESTAMPING, 0));
	ASSERT_EQ(7, send(tx, buf, 7, 0));
	ASSERT_TRUE(TT_AWAIT((ioctl(tx, SIOCOUTQ, &seen), seen == 0)));
	ASSERT_EQ(0, tt_setint(tx, SOL_SOCKET, SO_TIMESTAMPING,
			       SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
			       SOF_TIMESTAMPING_OPT_ID));
	ASSERT_EQ(5, send(tx, buf, 5, 0));
	seen = 0;
	EXPECT_TRUE(TT_AWAIT((seen |= errqueue_stamps(tx, 4),
			      seen == 1 << SCM_TSTAMP_ACK)));
}

/* ---- MSG_ZEROCOPY ---- */

/* Notices so far: how many sends are done, in order; -1: something is wrong. */
static int zerocopy_done(int fd, int done)
{
	char ctl[256];
	struct sock_extended_err *ee;
	struct cmsghdr *cm;

	for (;;) {
		struct msghdr m = {
			.msg_control = ctl, .msg_controllen = sizeof(ctl),
		};

		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return done;
		cm = CMSG_FIRSTHDR(&m);
		if (!cm)
			return -1;
		ee = (void *)CMSG_DATA(cm);
		if (ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee->ee_errno ||
		    ee->ee_info != done)
			return -1;
		done = ee->ee_data + 1;
	}
}

TEST_F(io, zerocopy)
{
	enum { N = 5, SIZE = 20000 };
	static char out[N][SIZE], in[N][SIZE];
	int tx = self->fd[0], i, k, got, n, done = 0;

	if (tt_setint(tx, SOL_SOCKET, SO_ZEROCOPY, 1))
		ASSERT_EQ(0, tt_setint(tx, SOL_TANDEM, TANDEM_ZEROCOPY, 1));
	EXPECT_EQ(1, tt_getint(tx, SOL_SOCKET, SO_ZEROCOPY));
	for (i = 0; i < N; i++) {
		for (k = 0; k < SIZE; k++)
			out[i][k] = i * 31 + k * 7 + k / 256;
		ASSERT_EQ(SIZE, send(tx, out[i], SIZE, MSG_ZEROCOPY));
		/* A copied write in between shares the stream, not the counting. */
		if (i == 2)
			ASSERT_EQ(3, send(tx, "xyz", 3, 0));
		for (got = 0; got < SIZE; got += n) {
			n = recv(self->fd[1], in[i] + got, SIZE - got, 0);
			ASSERT_GT(n, 0);
		}
		EXPECT_EQ(0, memcmp(in[i], out[i], SIZE));
		if (i == 2) {
			ASSERT_EQ(3, recv(self->fd[1], in[i], 3, MSG_WAITALL));
			EXPECT_EQ(0, memcmp(in[i], "xyz", 3));
		}
	}
	EXPECT_TRUE(TT_AWAIT((done = zerocopy_done(tx, done), done == N)))
		TH_LOG("%d notices", done);
}

/* Without the option the flag copies, and nobody is told. */
TEST_F(io, zerocopy_not_asked)
{
	char buf[100] = {};

	ASSERT_EQ(100, send(self->fd[0], buf, 100, MSG_ZEROCOPY));
	ASSERT_EQ(100, recv(self->fd[1], buf, 100, MSG_WAITALL));
	EXPECT_EQ(0, zerocopy_done(self->fd[0], 0));
}

/* ---- BPF ---- */

static int attach(int fd, int opt, unsigned int ret)
{
	struct sock_filter code = { BPF_RET | BPF_K, 0, 0, ret };
	struct sock_fprog prog = { 1, &code };

	return setsockopt(fd, SOL_SOCKET, opt, &prog, sizeof(prog));
}

/* A classic program names the listener by its place in the group. */
TEST_F(io, reuseport_bpf)
{
	int l[3], i, c, s, pick;
	uint16_t port = 0;

	for (i = 0; i < 3; i++) {
		l[i] = tt_socket(variant->way, SOCK_NONBLOCK);
		ASSERT_EQ(0, tt_setint(l[i], SOL_SOCKET, SO_REUSEPORT, 1));
		ASSERT_EQ(0, tt_bind(variant->way, l[i], 1, port));
		ASSERT_EQ(0, listen(l[i], 20));
		port = tt_port(l[i]);
	}
	for (pick = 0; pick < 3; pick++) {
		ASSERT_EQ(0, attach(l[0], SO_ATTACH_REUSEPORT_CBPF, pick));
		for (i = 0; i < 8; i++) {
			c = tt_socket(variant->way, 0);
			ASSERT_EQ(0, tt_connect(variant->way, c, port));
			ASSERT_EQ(POLLIN, tt_poll_is(l[pick], POLLIN, POLLIN));
			s = accept(l[pick], NULL, NULL);
			EXPECT_GE(s, 0);
			close(s);
			close(c);
		}
	}
	for (i = 0; i < 3; i++)
		close(l[i]);
}

/* A filter sees the segments of a socket: 0 drops, and they come again later. */
TEST_F(io, socket_filter)
{
	int off = 0, n = -1;

	ASSERT_EQ(0, attach(self->fd[1], SO_ATTACH_FILTER, 0));
	ASSERT_EQ(3, send(self->fd[0], "abc", 3, 0));
	/* Sent at least twice, so dropped at least once. */
	ASSERT_TRUE(TT_AWAIT(({
		struct tcp_info ti = {};
		socklen_t len = sizeof(ti);

		getsockopt(self->fd[0], IPPROTO_TCP, TCP_INFO, &ti, &len);
		ti.tcpi_total_retrans > 0;
	})));
	ioctl(self->fd[1], FIONREAD, &n);
	EXPECT_EQ(0, n);
	ASSERT_EQ(0, setsockopt(self->fd[1], SOL_SOCKET, SO_DETACH_FILTER, &off,
				sizeof(off)));
	EXPECT_TRUE(TT_AWAIT((ioctl(self->fd[1], FIONREAD, &n), n == 3)));
}

/* ---- addresses and lives ---- */

TEST_F(io, foreign_address)
{
	struct sockaddr_storage ss;
	int level = variant->way == TT_V6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int opts[2] = { IP_FREEBIND, IP_TRANSPARENT }, i, fd;
	socklen_t len = tt_addr(variant->way, &ss, 1, 0);

	if (level == IPPROTO_IPV6) {
		opts[0] = IPV6_FREEBIND;
		opts[1] = IPV6_TRANSPARENT;
		((struct sockaddr_in6 *)&ss)->sin6_addr.s6_addr16[0] = htons(0x2001);
	} else if (variant->way == TT_MAPPED) {
		((struct sockaddr_in6 *)&ss)->sin6_addr.s6_addr32[3] = htonl(0xc0000207);
	} else {
		((struct sockaddr_in *)&ss)->sin_addr.s_addr = htonl(0xc0000207);
	}
	fd = tt_socket(variant->way, 0);
	EXPECT_EQ(-1, bind(fd, (struct sockaddr *)&ss, len));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	close(fd);
	for (i = 0; i < 2; i++) {
		fd = tt_socket(variant->way, 0);
		ASSERT_EQ(0, tt_setint(fd, level, opts[i], 1));
		EXPECT_EQ(0, bind(fd, (struct sockaddr *)&ss, len));
		EXPECT_EQ(0, listen(fd, 1));
		close(fd);
	}
}

TEST_F(io, unspec_and_again)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };
	int i, l, s, fd = self->fd[0], one = 1;
	uint16_t port = 0;
	char b[4];

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, connect(fd, &a, sizeof(a)));
		EXPECT_EQ(TCP_CLOSE, tt_state(fd));
		EXPECT_EQ(ECONNRESET, tt_getint(fd, SOL_SOCKET, SO_ERROR));
		EXPECT_EQ(POLLOUT | POLLHUP,
			  tt_poll_is(fd, POLLIN | POLLOUT, POLLOUT | POLLHUP));
		EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(EPIPE, errno);
		/* As a client, and options stay what they were. */
		EXPECT_EQ(0, tt_setint(fd, IPPROTO_TCP, TCP_NODELAY, one));
		l = tt_listen(variant->way, 1, 0, &port);
		ASSERT_EQ(0, tt_connect(variant->way, fd, port));
		EXPECT_EQ(1, tt_getint(fd, IPPROTO_TCP, TCP_NODELAY));
		s = accept(l, NULL, NULL);
		ASSERT_EQ(3, send(fd, "abc", 3, 0));
		ASSERT_EQ(3, recv(s, b, 3, MSG_WAITALL));
		close(s);
		close(l);
	}
	/* As a listener. */
	ASSERT_EQ(0, connect(fd, &a, sizeof(a)));
	ASSERT_EQ(0, tt_bind(variant->way, fd, 1, 0));
	ASSERT_EQ(0, listen(fd, 1));
	s = tt_socket(variant->way, 0);
	EXPECT_EQ(0, tt_connect(variant->way, s, tt_port(fd)));
	close(s);
}

TEST_F(io, accept4_flags)
{
	uint16_t port = 0;
	int l = tt_listen(variant->way, 1, 0, &port), c, s;

	c = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, c, port));
	s = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_GE(s, 0);
	EXPECT_EQ(O_NONBLOCK, fcntl(s, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(s, F_GETFD));
	close(s);
	close(c);
	close(l);
}

/* ---- the sender ---- */

/* struct tcp_info as linux/tcp.h has it; the C library's is shorter. */
struct long_info {
	char head[104];
	uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, tcpi_busy_time, tcpi_rwnd_limited, sndbuf_limited;
	uint32_t tcpi_delivered;
};

static struct long_info info(int fd)
{
	struct long_info ti = {};
	socklen_t len = sizeof(ti);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len);
	return ti;
}

TEST_F(io, notsent_lowat)
{
	char buf[4096] = {};
	int fd = self->fd[0], n = 0;

	ASSERT_EQ(0, tt_setint(fd, SOL_SOCKET, SO_SNDBUF, 4 << 20));
	ASSERT_EQ(0, tt_setint(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 20000));
	tt_nonblock(fd, true);
	while (send(fd, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
	ioctl(fd, SIOCOUTQNSD, &n);
	EXPECT_GE(n, 10000);
	EXPECT_LE(n, 20000 + 70000);	/* one segment more, of lo's size */
	EXPECT_EQ(0, tt_poll_is(fd, POLLOUT, 0));
	/* The reader makes room: the rest is sent, and the writer is woken. */
	tt_nonblock(self->fd[1], true);
	EXPECT_TRUE(TT_AWAIT((recv(self->fd[1], buf, sizeof(buf), 0) < 0)));
	EXPECT_TRUE(TT_AWAIT(({
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		recv(self->fd[1], buf, sizeof(buf), 0);
		poll(&p, 1, 0) == 1;
	})));
}

/* A reader that does not read: the time it costs is the peer's window's. */
TEST_F(io, busy_times)
{
	char buf[4096] = {};
	struct long_info ti;
	int fd = self->fd[0], n;

	ASSERT_EQ(0, tt_setint(self->fd[1], SOL_SOCKET, SO_RCVBUF, 65536));
	ASSERT_EQ(0, tt_setint(fd, SOL_SOCKET, SO_SNDBUF, 200000));
	tt_nonblock(fd, true);
	while (send(fd, buf, sizeof(buf), 0) > 0)
		;
	EXPECT_TRUE(TT_AWAIT((ti = info(fd), ti.tcpi_rwnd_limited > 20000)));
	EXPECT_GE(ti.tcpi_busy_time, ti.tcpi_rwnd_limited);
	EXPECT_GT(ti.tcpi_delivered, 0);
	/* All delivered: the clock stands. */
	tt_nonblock(self->fd[1], true);
	EXPECT_TRUE(TT_AWAIT(({
		while (recv(self->fd[1], buf, sizeof(buf), 0) > 0)
			;
		ioctl(fd, SIOCOUTQ, &n);
		n == 0;
	})));
	ti = info(fd);
	tt_step();
	tt_step();
	EXPECT_EQ(ti.tcpi_busy_time, info(fd).tcpi_busy_time);
}

TEST_F(io, pacing_rate)
{
	unsigned int rate = 250000;
	char buf[1000] = {};
	int i;

	ASSERT_EQ(0, setsockopt(self->fd[0], SOL_SOCKET, SO_MAX_PACING_RATE, &rate,
				sizeof(rate)));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1000, send(self->fd[0], buf, 1000, 0));
		ASSERT_EQ(1000, recv(self->fd[1], buf, 1000, MSG_WAITALL));
	}
	EXPECT_EQ(rate, info(self->fd[0]).tcpi_max_pacing_rate);
	EXPECT_LE(info(self->fd[0]).tcpi_pacing_rate, rate);
	/* Without a limit: what cwnd and the round trip make of it. */
	EXPECT_GT(info(self->fd[1]).tcpi_pacing_rate, 1000);
}

/* TCP_INFO: without data yet, since when? and how long ACKs may wait. */
static struct tcp_info old_info(int fd)
{
	struct tcp_info ti = {};
	socklen_t len = sizeof(ti);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len);
	return ti;
}

TEST_F(io, ages)
{
	struct tcp_info ti;
	char c = 1;

	usleep(120000);
	ti = old_info(self->fd[1]);
	EXPECT_GE(ti.tcpi_last_data_recv, 100);
	EXPECT_LE(ti.tcpi_last_data_recv, 30000);
	EXPECT_GE(ti.tcpi_last_data_sent, 100);
	EXPECT_LE(ti.tcpi_last_data_sent, 30000);
	EXPECT_EQ(0, ti.tcpi_ato);
	ASSERT_EQ(1, send(self->fd[0], &c, 1, 0));
	ASSERT_EQ(1, recv(self->fd[1], &c, 1, 0));
	EXPECT_EQ(40000, old_info(self->fd[1]).tcpi_ato);
	EXPECT_LT(old_info(self->fd[1]).tcpi_last_data_recv, ti.tcpi_last_data_recv);
}

/* IPV6_2292PKTOPTIONS: what a stream's last segment said. */
TEST_F(io, last_headers)
{
	struct in6_pktinfo info6 = {};
	char buf[256], c = 1;
	struct msghdr msg = { .msg_control = buf };
	socklen_t len = sizeof(buf);
	struct cmsghdr *cm;
	int hops = -1;

	if (variant->way != TT_V6)
		SKIP(return, "of IPv6");
	ASSERT_EQ(0, tt_setint(self->fd[1], IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
	ASSERT_EQ(0, tt_setint(self->fd[1], IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
	ASSERT_EQ(0, tt_setint(self->fd[0], IPPROTO_IPV6, IPV6_UNICAST_HOPS, 77));
	ASSERT_EQ(1, send(self->fd[0], &c, 1, 0));
	ASSERT_EQ(1, recv(self->fd[1], &c, 1, 0));
	ASSERT_EQ(0, getsockopt(self->fd[1], IPPROTO_IPV6, IPV6_2292PKTOPTIONS, buf, &len));
	msg.msg_controllen = len;
	for (cm = CMSG_FIRSTHDR(&msg); cm; cm = CMSG_NXTHDR(&msg, cm)) {
		if (cm->cmsg_level != IPPROTO_IPV6)
			continue;
		if (cm->cmsg_type == IPV6_PKTINFO)
			memcpy(&info6, CMSG_DATA(cm), sizeof(info6));
		else if (cm->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(cm), sizeof(hops));
	}
	EXPECT_EQ(77, hops);
	EXPECT_EQ(1, info6.ipi6_ifindex);
	EXPECT_EQ(0, memcmp(&info6.ipi6_addr, &in6addr_loopback, sizeof(in6addr_loopback)));
}

TEST_HARNESS_MAIN
