// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options (sockopt.c): defaults, round trips, ranges and errno of
 * every TCP_* option a program may use, the IP options that colour segments,
 * and TCP_INFO. Level IPPROTO_TCP is TCP's own, level SOL_TANDEM ours; both
 * must answer alike.
 */
#include "tandem_test.h"
#include <netinet/ip.h>
#include "kselftest_harness.h"

FIXTURE(opt) { int fd; };
FIXTURE_VARIANT(opt) { enum tt_way way; };

FIXTURE_VARIANT_ADD(opt, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(opt, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(opt, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(opt)
{
	ASSERT_EQ(0, tt_netns());
	self->fd = tt_socket(variant->way, 0);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(opt)
{
	close(self->fd);
}

/* The two levels; kernel TCP knows the first only. */
static const int levels[] = { IPPROTO_TCP, SOL_TANDEM };

static int nr_levels(void)
{
	return tt_is_tcp() ? 1 : 2;
}

static const struct {
	const char *name;
	int opt, deflt;
	int good, seen;		/* set good, read seen */
	int min, max;		/* the ends of the range, when it has ends */
	bool ranged;
} ints[] = {
	{ "NODELAY", TCP_NODELAY, 0, 5, 1 },
	{ "CORK", TCP_CORK, 0, 5, 1 },
	{ "MAXSEG", TCP_MAXSEG, 536, 1000, 1000, 88, 32767, true },
	{ "KEEPIDLE", TCP_KEEPIDLE, 7200, 30, 30, 1, 32767, true },
	{ "KEEPINTVL", TCP_KEEPINTVL, 75, 10, 10, 1, 32767, true },
	{ "KEEPCNT", TCP_KEEPCNT, 9, 3, 3, 1, 127, true },
	{ "SYNCNT", TCP_SYNCNT, 6, 4, 4, 1, 127, true },
	{ "LINGER2", TCP_LINGER2, 60, 7, 7 },
	{ "LINGER2 below 0", TCP_LINGER2, 60, -5, -1 },
	{ "LINGER2 above", TCP_LINGER2, 60, 100000, 120 },
	{ "DEFER_ACCEPT", TCP_DEFER_ACCEPT, 0, 5, 7 },
	{ "QUICKACK", TCP_QUICKACK, 1, 1, 1 },
	{ "USER_TIMEOUT", TCP_USER_TIMEOUT, 0, 12345, 12345, 0, 0x7fffffff,
	  true },
	{ "NOTSENT_LOWAT", TCP_NOTSENT_LOWAT, 0, 65536, 65536 },
	{ "INQ", TCP_INQ, 0, 1, 1, 0, 1, true },
	{ "WINDOW_CLAMP 0", TCP_WINDOW_CLAMP, 0, 0, 0 },
	{ "WINDOW_CLAMP", TCP_WINDOW_CLAMP, 0, 50000, 50000 },
};

TEST_F(opt, ints_default_and_round_trip)
{
	int i, k, fd;

	for (i = 0; i < ARRAY_SIZE(ints) * nr_levels(); i++) {
		const int level = levels[i % nr_levels()];

		k = i / nr_levels();
		fd = tt_socket(variant->way, 0);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(ints[k].deflt, tt_getint(fd, level, ints[k].opt))
			TH_LOG("%s, default", ints[k].name);
		EXPECT_EQ(0, tt_setint(fd, level, ints[k].opt, ints[k].good))
			TH_LOG("%s", ints[k].name);
		EXPECT_EQ(ints[k].seen, tt_getint(fd, level, ints[k].opt))
			TH_LOG("%s, read back", ints[k].name);
		close(fd);
	}
}

TEST_F(opt, ints_range)
{
	int i, k, opt, v;

	for (i = 0; i < ARRAY_SIZE(ints) * nr_levels(); i++) {
		const int level = levels[i % nr_levels()];

		k = i / nr_levels();
		if (!ints[k].ranged)
			continue;
		opt = ints[k].opt;
		EXPECT_EQ(0, tt_setint(self->fd, level, opt, ints[k].min));
		EXPECT_EQ(0, tt_setint(self->fd, level, opt, ints[k].max))
			TH_LOG("%s %d", ints[k].name, ints[k].max);
		v = tt_getint(self->fd, level, opt);
		EXPECT_EQ(-EINVAL, tt_setint(self->fd, level, opt,
					     ints[k].min - 1))
			TH_LOG("%s %d", ints[k].name, ints[k].min - 1);
		EXPECT_EQ(-EINVAL, tt_setint(self->fd, level, opt, -1));
		if (ints[k].max != 0x7fffffff)
			EXPECT_EQ(-EINVAL, tt_setint(self->fd, level, opt,
						     ints[k].max + 1));
		/* A refused value leaves the old one. */
		EXPECT_EQ(v, tt_getint(self->fd, level, opt));
	}
}

TEST_F(opt, bad_length_and_pointer)
{
	socklen_t len;
	int v = 1;

	EXPECT_EQ(-1, setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &v, 3));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, NULL, 4));
	EXPECT_EQ(EFAULT, errno);
	len = sizeof(v);
	EXPECT_EQ(-1, getsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, NULL,
				 &len));
	EXPECT_EQ(EFAULT, errno);
	len = -1;
	EXPECT_EQ(-1, getsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &v,
				 &len));
	EXPECT_EQ(EINVAL, errno);
	/* A short buffer gets the first bytes. */
	len = 1;
	v = 0x7f7f7f7f;
	EXPECT_EQ(0, getsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &v, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(0x7f7f7f00, v);
	/* A long one is told the true length. */
	char big[64];

	len = sizeof(big);
	EXPECT_EQ(0, getsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, big,
				&len));
	EXPECT_EQ(sizeof(int), len);
}

TEST_F(opt, unknown)
{
	int i;

	for (i = 0; i < nr_levels(); i++) {
		EXPECT_EQ(-ENOPROTOOPT,
			  tt_setint(self->fd, levels[i], 9999, 1));
		EXPECT_EQ(-ENOPROTOOPT, tt_getint(self->fd, levels[i], 9999));
		EXPECT_EQ(-ENOPROTOOPT, tt_setint(self->fd, levels[i], -1, 1));
		EXPECT_EQ(-ENOPROTOOPT, tt_setint(self->fd, levels[i], 0, 1));
	}
	EXPECT_EQ(-ENOPROTOOPT, tt_setint(self->fd, 12345, 1, 1));
	EXPECT_NE(0, tt_getint(self->fd, 12345, 1) < 0);
}

TEST_F(opt, wire)
{
	int l;
	uint16_t port;

	if (tt_is_tcp())
		SKIP(return, "Tandem's own option");
	EXPECT_EQ(0, tt_getint(self->fd, SOL_TANDEM, TANDEM_WIRE));
	EXPECT_EQ(0, tt_setint(self->fd, SOL_TANDEM, TANDEM_WIRE, 0));
	EXPECT_EQ(-EINVAL, tt_setint(self->fd, SOL_TANDEM, TANDEM_WIRE, 9));
	EXPECT_EQ(-EINVAL, tt_setint(self->fd, SOL_TANDEM, TANDEM_WIRE, -1));
	l = tt_listen(variant->way, 1, 0, &port);
	EXPECT_GT(0, tt_setint(l, SOL_TANDEM, TANDEM_WIRE, 0));
	close(l);
}

TEST_F(opt, congestion)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	EXPECT_EQ(0, setsockopt(self->fd, IPPROTO_TCP, TCP_CONGESTION, "reno",
				4));
	EXPECT_EQ(0, getsockopt(self->fd, IPPROTO_TCP, TCP_CONGESTION, name,
				&len));
	EXPECT_STREQ("reno", name);
	EXPECT_EQ(-1, setsockopt(self->fd, IPPROTO_TCP, TCP_CONGESTION,
				 "nonesuch", 8));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, IPPROTO_TCP, TCP_CONGESTION, "", 0));
	EXPECT_EQ(EINVAL, errno);
	len = sizeof(name);
	EXPECT_EQ(0, getsockopt(self->fd, IPPROTO_TCP, TCP_CONGESTION, name,
				&len));
	EXPECT_STREQ("reno", name);
	len = 3;
	memset(name, 'X', sizeof(name));
	EXPECT_EQ(0, getsockopt(self->fd, IPPROTO_TCP, TCP_CONGESTION, name,
				&len));
	EXPECT_EQ(0, memcmp(name, "renX", 4));
}

TEST_F(opt, info)
{
	struct tcp_info ti;
	socklen_t len = sizeof(ti);
	int fd[2], l;
	uint16_t port;
	uint8_t state[2] = { 0, 0xee };
	char got[5];

	memset(&ti, 0xff, sizeof(ti));
	ASSERT_EQ(0, getsockopt(self->fd, IPPROTO_TCP, TCP_INFO, &ti, &len));
	EXPECT_EQ(TCP_CLOSE, ti.tcpi_state);
	l = tt_listen(variant->way, 3, 0, &port);
	EXPECT_EQ(TCP_LISTEN, tt_state(l));
	close(l);

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	ASSERT_EQ(5, send(fd[0], "hello", 5, 0));
	ASSERT_EQ(5, recv(fd[1], got, 5, MSG_WAITALL));
	len = sizeof(ti);
	ASSERT_EQ(0, getsockopt(fd[0], IPPROTO_TCP, TCP_INFO, &ti, &len));
	EXPECT_GE(sizeof(ti), len);
	EXPECT_EQ(TCP_ESTABLISHED, ti.tcpi_state);
	EXPECT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE,
		  ti.tcpi_options & 7);
	EXPECT_GT(ti.tcpi_snd_mss, 1000);
	EXPECT_GT(ti.tcpi_rto, 0);
	EXPECT_GT(ti.tcpi_pmtu, ti.tcpi_snd_mss);
	EXPECT_GE(ti.tcpi_snd_cwnd, 10);	/* RFC 6928 */
	EXPECT_EQ(0, ti.tcpi_total_retrans);
	EXPECT_EQ(0, ti.tcpi_retransmits);
	/* As many bytes as asked for, no more. */
	len = 1;
	ASSERT_EQ(0, getsockopt(fd[0], IPPROTO_TCP, TCP_INFO, state, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(TCP_ESTABLISHED, state[0]);
	EXPECT_EQ(0xee, state[1]);
	EXPECT_GT(0, tt_setint(fd[0], IPPROTO_TCP, TCP_INFO, 1));
	close(fd[0]);
	close(fd[1]);
}

TEST_F(opt, maxseg_limits_segments)
{
	int l, s, mss;
	uint16_t port;

	l = tt_listen(variant->way, 1, 0, &port);
	ASSERT_EQ(0, tt_setint(self->fd, IPPROTO_TCP, TCP_MAXSEG, 1000));
	ASSERT_EQ(0, tt_connect(variant->way, self->fd, port));
	s = accept(l, NULL, NULL);
	ASSERT_GE(s, 0);
	/* RFC 9293 3.7.1: both directions bend to the smaller announcement. */
	mss = tt_getint(s, IPPROTO_TCP, TCP_MAXSEG);
	EXPECT_LE(mss, 1000);
	EXPECT_GE(mss, 1000 - 12);
	mss = tt_getint(self->fd, IPPROTO_TCP, TCP_MAXSEG);
	EXPECT_LE(mss, 1000);
	close(s);
	close(l);
}

TEST_F(opt, buffers)
{
	int sum;

	EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, SO_SNDBUF, 50000));
	EXPECT_EQ(100000, tt_getint(self->fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, SO_RCVBUF, 60000));
	EXPECT_EQ(120000, tt_getint(self->fd, SOL_SOCKET, SO_RCVBUF));
	/* Never so small that nothing fits. */
	EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, SO_RCVBUF, 1));
	sum = tt_getint(self->fd, SOL_SOCKET, SO_RCVBUF);
	EXPECT_GE(sum, 2048);
}

TEST_F(opt, socket_level)
{
	static const int opts[] = {
		SO_KEEPALIVE, SO_REUSEADDR, SO_REUSEPORT, SO_OOBINLINE,
	};
	struct linger lg = { 1, 7 };
	socklen_t len = sizeof(lg);
	int i;

	for (i = 0; i < ARRAY_SIZE(opts); i++) {
		EXPECT_EQ(0, tt_getint(self->fd, SOL_SOCKET, opts[i]));
		EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, opts[i], 1));
		EXPECT_EQ(1, tt_getint(self->fd, SOL_SOCKET, opts[i]));
	}
	EXPECT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &lg, len));
	lg = (struct linger){};
	EXPECT_EQ(0, getsockopt(self->fd, SOL_SOCKET, SO_LINGER, &lg, &len));
	EXPECT_EQ(1, lg.l_onoff);
	EXPECT_EQ(7, lg.l_linger);
	EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, SO_MARK, 0x123));
	EXPECT_EQ(0x123, tt_getint(self->fd, SOL_SOCKET, SO_MARK));
	EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, SO_PRIORITY, 5));
	EXPECT_EQ(5, tt_getint(self->fd, SOL_SOCKET, SO_PRIORITY));
	EXPECT_EQ(1, tt_getint(self->fd, SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_EQ(0, tt_setint(self->fd, SOL_SOCKET, SO_RCVLOWAT, 10));
	EXPECT_EQ(10, tt_getint(self->fd, SOL_SOCKET, SO_RCVLOWAT));
}

TEST_F(opt, ip_level)
{
	int fd = self->fd;

	if (variant->way == TT_V4) {
		EXPECT_EQ(0, tt_setint(fd, IPPROTO_IP, IP_TOS, 0x10));
		EXPECT_EQ(0x10, tt_getint(fd, IPPROTO_IP, IP_TOS));
		EXPECT_EQ(0, tt_setint(fd, IPPROTO_IP, IP_TTL, 33));
		EXPECT_EQ(33, tt_getint(fd, IPPROTO_IP, IP_TTL));
		EXPECT_EQ(-EINVAL, tt_setint(fd, IPPROTO_IP, IP_TTL, 256));
		return;
	}
	EXPECT_EQ(0, tt_setint(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20));
	EXPECT_EQ(0x20, tt_getint(fd, IPPROTO_IPV6, IPV6_TCLASS));
	EXPECT_EQ(0, tt_setint(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44));
	EXPECT_EQ(44, tt_getint(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS));
	EXPECT_EQ(0, tt_getint(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	EXPECT_EQ(0, tt_setint(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	EXPECT_EQ(1, tt_getint(fd, IPPROTO_IPV6, IPV6_V6ONLY));
}

/* TCP_INQ tells, beside the data, how much more waits. */
static int domain_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getsockname(fd, (void *)&ss, &len) ? -1 : ss.ss_family;
}

/* IPV6_ADDRFORM makes an AF_INET socket of a v4-mapped connection, for good. */
TEST_F(opt, addrform)
{
	struct sockaddr un = { .sa_family = AF_UNSPEC };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int c[2], p, a, err = variant->way == TT_V6 ? EADDRNOTAVAIL : 0;
	char b[4];

	if (variant->way == TT_V4)
		SKIP(return, "of AF_INET already");
	EXPECT_EQ(-ENOTCONN, tt_setint(self->fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
	ASSERT_EQ(0, tt_pair(variant->way, c));
	EXPECT_EQ(-EINVAL, tt_setint(c[0], IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET6));
	EXPECT_EQ(-1, setsockopt(c[0], IPPROTO_IPV6, IPV6_ADDRFORM, b, 3));
	EXPECT_EQ(EINVAL, errno);
	for (p = 0; p < 2; p++) {
		EXPECT_EQ(-err, tt_setint(c[p], IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
		EXPECT_EQ(err ? AF_INET6 : AF_INET, domain_of(c[p]));
		EXPECT_EQ(err ? AF_INET6 : AF_INET, tt_getint(c[p], SOL_SOCKET, SO_DOMAIN));
	}
	EXPECT_EQ(3, send(c[0], "abc", 3, 0));
	EXPECT_EQ(3, recv(c[1], b, 3, MSG_WAITALL));
	EXPECT_EQ(3, send(c[1], "def", 3, 0));
	EXPECT_EQ(3, recv(c[0], b, 3, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "def", 3));
	if (!err) {
		/* It is one for whatever comes next: here a listener, and its children. */
		EXPECT_EQ(-ENOPROTOOPT, tt_setint(c[0], IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
		EXPECT_EQ(0, tt_setint(c[0], IPPROTO_IP, IP_TTL, 33));
		EXPECT_EQ(0, connect(c[0], &un, sizeof(un)));
		ASSERT_EQ(0, bind(c[0], (void *)&in, sizeof(in)));
		ASSERT_EQ(0, listen(c[0], 4));
		a = tt_socket(TT_V4, 0);
		ASSERT_EQ(0, tt_connect(TT_V4, a, tt_port(c[0])));
		p = accept(c[0], NULL, NULL);
		ASSERT_LE(0, p);
		EXPECT_EQ(AF_INET, domain_of(p));
		EXPECT_EQ(2, send(p, "hi", 2, 0));
		EXPECT_EQ(2, recv(a, b, 2, MSG_WAITALL));
		close(p);
		close(a);
	}
	close(c[0]);
	close(c[1]);
}

TEST_F(opt, inq)
{
	char b[4], ctl[64];
	struct iovec iov = { .iov_base = b, .iov_len = 4 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *cm;
	int fd[2], n = -1;

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	ASSERT_EQ(0, tt_setint(fd[1], IPPROTO_TCP, TCP_INQ, 1));
	ASSERT_EQ(10, send(fd[0], "0123456789", 10, 0));
	ASSERT_TRUE(TT_AWAIT((ioctl(fd[1], FIONREAD, &n), n == 10)));
	ASSERT_EQ(4, recvmsg(fd[1], &m, 0));
	cm = CMSG_FIRSTHDR(&m);
	ASSERT_NE(NULL, cm);
	EXPECT_EQ(TCP_INQ, cm->cmsg_type);
	EXPECT_EQ(IPPROTO_TCP, cm->cmsg_level);
	memcpy(&n, CMSG_DATA(cm), sizeof(n));
	EXPECT_EQ(6, n);
	close(fd[0]);
	close(fd[1]);
}

/* CORK holds a partial segment back until it is pulled (or 200 ms pass). */
TEST_F(opt, cork_then_pull)
{
	int fd[2], n = -1;
	char b[8];

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	ASSERT_EQ(0, tt_setint(fd[0], IPPROTO_TCP, TCP_CORK, 1));
	ASSERT_EQ(3, send(fd[0], "abc", 3, 0));
	ASSERT_EQ(3, send(fd[0], "def", 3, 0));
	ASSERT_EQ(0, tt_setint(fd[0], IPPROTO_TCP, TCP_CORK, 0));
	ASSERT_TRUE(TT_AWAIT((ioctl(fd[1], FIONREAD, &n), n == 6)));
	EXPECT_EQ(6, recv(fd[1], b, 8, 0));
	EXPECT_EQ(0, memcmp(b, "abcdef", 6));
	close(fd[0]);
	close(fd[1]);
}

TEST_HARNESS_MAIN
