// SPDX-License-Identifier: GPL-2.0
/*
 * Ports (demux.c): the conflict matrix of bind(), ports left in TIME-WAIT,
 * SO_REUSEPORT balancing, ephemeral ports, and who a wildcard or a v6-only
 * listener serves. Kernel TCP gives the expected answers.
 */
#include "tandem_test.h"
#include "kselftest_harness.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND	78
#endif

FIXTURE(port) {};
FIXTURE_VARIANT(port) { enum tt_way way; };

FIXTURE_VARIANT_ADD(port, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(port, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(port, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(port)
{
	ASSERT_EQ(0, tt_netns());
}

FIXTURE_TEARDOWN(port)
{
}

#define ADDR	1	/* SO_REUSEADDR */
#define PORT	2	/* SO_REUSEPORT */
#define LISTEN	4	/* listens before the other binds */

static int bound(enum tt_way way, int opts, unsigned int host, uint16_t port)
{
	int fd = tt_socket(way, 0);

	if (way == TT_V4)
		tt_setint(fd, IPPROTO_IP, IP_FREEBIND, 1);
	else
		tt_setint(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (opts & ADDR)
		tt_setint(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (opts & PORT)
		tt_setint(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (tt_bind(way, fd, host, port) ||
	    ((opts & LISTEN) && listen(fd, 4))) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

/* 0: wildcard, 1: the loopback address, 2: another address */
static const struct {
	int opts1;
	unsigned int host1;
	int opts2;
	unsigned int host2;
	int err;
} matrix[] = {
	{ 0, 1, 0, 1, EADDRINUSE },
	{ 0, 1, 0, 2, 0 },
	{ 0, 1, 0, 0, EADDRINUSE },
	{ 0, 0, 0, 1, EADDRINUSE },
	{ 0, 0, 0, 0, EADDRINUSE },
	{ LISTEN, 1, LISTEN, 2, 0 },
	{ ADDR, 1, ADDR, 1, 0 },
	{ ADDR, 1, ADDR, 0, 0 },
	{ ADDR, 0, ADDR, 1, 0 },
	{ ADDR, 1, 0, 1, EADDRINUSE },
	{ 0, 1, ADDR, 1, EADDRINUSE },
	{ ADDR | LISTEN, 1, ADDR, 1, EADDRINUSE },
	{ ADDR | LISTEN, 0, ADDR, 1, EADDRINUSE },
	{ ADDR | LISTEN, 1, ADDR, 2, 0 },
	{ PORT, 1, PORT, 1, 0 },
	{ PORT | LISTEN, 1, PORT | LISTEN, 1, 0 },
	{ PORT | LISTEN, 0, PORT | LISTEN, 1, 0 },
	{ PORT | LISTEN, 1, PORT | LISTEN, 0, 0 },
	{ PORT, 1, 0, 1, EADDRINUSE },
	{ 0, 1, PORT, 1, EADDRINUSE },
	{ PORT | LISTEN, 1, LISTEN, 2, 0 },
	{ ADDR, 1, PORT, 1, EADDRINUSE },
	{ PORT, 1, ADDR, 1, EADDRINUSE },
	{ ADDR | PORT, 1, PORT, 1, 0 },
	{ ADDR | PORT | LISTEN, 1, ADDR, 1, EADDRINUSE },
};

TEST_F(port, conflict_matrix)
{
	int i, a, b;

	for (i = 0; i < ARRAY_SIZE(matrix); i++) {
		a = bound(variant->way, matrix[i].opts1, matrix[i].host1, 0);
		ASSERT_GE(a, 0);
		b = bound(variant->way, matrix[i].opts2, matrix[i].host2,
			  tt_port(a));
		EXPECT_EQ(-matrix[i].err, b < 0 ? b : 0)
			TH_LOG("row %d of the matrix", i);
		close(a);
		if (b >= 0)
			close(b);
	}
}

TEST_F(port, second_listen_of_reuseaddr)
{
	int a = bound(variant->way, ADDR, 1, 0);
	int b = bound(variant->way, ADDR, 1, tt_port(a));

	ASSERT_GE(a, 0);
	ASSERT_GE(b, 0);
	EXPECT_EQ(0, listen(a, 1));
	EXPECT_EQ(-1, listen(b, 1));
	EXPECT_EQ(EADDRINUSE, errno);
	close(a);
	EXPECT_EQ(0, listen(b, 1));
	close(b);
}

TEST_F(port, reuseport_is_per_user)
{
	int a = bound(variant->way, PORT | LISTEN, 1, 0), b;

	ASSERT_GE(a, 0);
	ASSERT_EQ(0, seteuid(65534));
	b = bound(variant->way, PORT, 1, tt_port(a));
	EXPECT_EQ(-EADDRINUSE, b);
	ASSERT_EQ(0, seteuid(0));
	close(a);
}

TEST_F(port, freed_by_close)
{
	int a, b;
	uint16_t p;

	a = bound(variant->way, LISTEN, 1, 0);
	ASSERT_GE(a, 0);
	p = tt_port(a);
	close(a);
	b = bound(variant->way, LISTEN, 1, p);
	EXPECT_GE(b, 0);
	close(b);
}

TEST_F(port, time_wait)
{
	enum tt_way way = variant->way;
	int l, c, s;
	uint16_t p, q;
	char b;

	l = bound(way, ADDR | LISTEN, 1, 0);
	ASSERT_GE(l, 0);
	p = tt_port(l);
	c = tt_socket(way, 0);
	ASSERT_EQ(0, tt_connect(way, c, p));
	q = tt_port(c);
	s = accept(l, NULL, NULL);
	ASSERT_GE(s, 0);
	close(s);
	EXPECT_EQ(0, recv(c, &b, 1, 0));
	close(c);
	close(l);
	EXPECT_TRUE(TT_AWAIT(tt_table_state(way, p, q) == TCP_TIME_WAIT))
		TH_LOG("state %d", tt_table_state(way, p, q));

	EXPECT_EQ(-EADDRINUSE, bound(way, LISTEN, 1, p));
	EXPECT_EQ(-EADDRINUSE, bound(way, LISTEN, 0, p));
	l = bound(way, LISTEN, 2, p);
	EXPECT_GE(l, 0);
	close(l);
	l = bound(way, ADDR | LISTEN, 1, p);
	ASSERT_GE(l, 0);

	/* And the listener serves although TIME-WAIT lingers. */
	c = tt_socket(way, 0);
	EXPECT_EQ(0, tt_connect(way, c, p));
	s = accept(l, NULL, NULL);
	EXPECT_GE(s, 0);
	close(c);
	close(s);
	close(l);
}

/* The active closer's port pair may not be connected again meanwhile. */
TEST_F(port, time_wait_pair)
{
	enum tt_way way = variant->way;
	int l, c, s;
	uint16_t p, q;
	char b;

	l = bound(way, ADDR | LISTEN, 1, 0);
	ASSERT_GE(l, 0);
	p = tt_port(l);
	c = tt_socket(way, 0);
	ASSERT_EQ(0, tt_connect(way, c, p));
	q = tt_port(c);
	s = accept(l, NULL, NULL);
	shutdown(c, SHUT_WR);
	EXPECT_EQ(0, recv(s, &b, 1, 0));
	close(s);
	EXPECT_EQ(0, recv(c, &b, 1, 0));
	close(c);
	EXPECT_TRUE(TT_AWAIT(tt_table_state(way, q, p) == TCP_TIME_WAIT));
	close(l);
	/* Nothing listens at p now: were the pair free, it were refused. */
	c = bound(way, ADDR, 1, q);
	if (c == -EADDRINUSE)
		return;
	ASSERT_GE(c, 0);
	EXPECT_EQ(-1, tt_connect(way, c, p));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	close(c);
}

TEST_F(port, same_pair_twice)
{
	enum tt_way way = variant->way;
	int l, a, b;

	l = bound(way, LISTEN, 1, 0);
	a = bound(way, ADDR, 1, 0);
	b = bound(way, ADDR, 1, tt_port(a));
	ASSERT_GE(l, 0);
	ASSERT_GE(b, 0);
	EXPECT_EQ(0, tt_connect(way, a, tt_port(l)));
	EXPECT_EQ(-1, tt_connect(way, b, tt_port(l)));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	close(a);
	close(b);
	close(l);
}

/* Whole-port listeners of the two families meet unless v6-only. */
TEST(wildcard_across_families)
{
	int a, b;

	ASSERT_EQ(0, tt_netns());
	a = bound(TT_V4, LISTEN, 0, 0);
	ASSERT_GE(a, 0);
	EXPECT_EQ(-EADDRINUSE, bound(TT_V6, LISTEN, 0, tt_port(a)));
	b = tt_socket(TT_V6, 0);
	EXPECT_EQ(0, tt_setint(b, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	EXPECT_EQ(0, tt_bind(TT_V6, b, 0, tt_port(a)));
	EXPECT_EQ(-EINVAL, tt_setint(b, IPPROTO_IPV6, IPV6_V6ONLY, 0));
	EXPECT_EQ(1, tt_getint(b, IPPROTO_IPV6, IPV6_V6ONLY));
	close(a);
	close(b);

	a = bound(TT_V6, LISTEN, 0, 0);
	ASSERT_GE(a, 0);
	EXPECT_EQ(-EADDRINUSE, bound(TT_V4, LISTEN, 0, tt_port(a)));
	EXPECT_EQ(-EADDRINUSE, bound(TT_V4, LISTEN, 1, tt_port(a)));
	EXPECT_EQ(-EADDRINUSE, bound(TT_MAPPED, LISTEN, 1, tt_port(a)));
	close(a);

	/* One specific v6 address leaves v4 alone. */
	a = bound(TT_V6, LISTEN, 1, 0);
	ASSERT_GE(a, 0);
	b = bound(TT_V4, LISTEN, 0, tt_port(a));
	EXPECT_GE(b, 0);
	close(a);
	close(b);

	a = bound(TT_MAPPED, LISTEN, 1, 0);
	EXPECT_EQ(-EADDRINUSE, bound(TT_V4, LISTEN, 1, tt_port(a)));
	b = bound(TT_V6, LISTEN, 1, tt_port(a));
	EXPECT_GE(b, 0);
	close(a);
	close(b);
}

TEST(dual_stack_and_v6only)
{
	struct sockaddr_in6 from = {};
	socklen_t len = sizeof(from);
	int l, c, s;

	ASSERT_EQ(0, tt_netns());
	l = bound(TT_V6, LISTEN, 0, 0);
	ASSERT_GE(l, 0);
	c = tt_socket(TT_V4, 0);
	ASSERT_EQ(0, tt_connect(TT_V4, c, tt_port(l)));
	s = accept(l, (struct sockaddr *)&from, &len);
	ASSERT_GE(s, 0);
	EXPECT_EQ(sizeof(from), len);
	EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), from.sin6_addr.s6_addr32[3]);
	close(c);
	close(s);
	close(l);

	l = tt_socket(TT_V6, 0);
	tt_setint(l, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	ASSERT_EQ(0, tt_bind(TT_V6, l, 0, 0));
	ASSERT_EQ(0, listen(l, 1));
	c = tt_socket(TT_V4, 0);
	EXPECT_EQ(-1, tt_connect(TT_V4, c, tt_port(l)));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(c);
	c = tt_socket(TT_V6, 0);
	EXPECT_EQ(0, tt_connect(TT_V6, c, tt_port(l)));
	close(c);

	/* And a v6-only client does not leave for a mapped address. */
	c = tt_socket(TT_V6, 0);
	tt_setint(c, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	EXPECT_EQ(-1, tt_connect(TT_MAPPED, c, tt_port(l)));
	EXPECT_EQ(ENETUNREACH, errno);
	close(c);
	close(l);
}

/* The most specific listener gets the connection. */
TEST_F(port, specific_before_wildcard)
{
	enum tt_way way = variant->way;
	int w, a, c, s;

	w = bound(way, PORT | LISTEN, 0, 0);
	a = bound(way, PORT | LISTEN, 1, tt_port(w));
	ASSERT_GE(w, 0);
	ASSERT_GE(a, 0);
	c = tt_socket(way, 0);
	ASSERT_EQ(0, tt_connect(way, c, tt_port(w)));
	EXPECT_EQ(POLLIN, tt_poll_is(a, POLLIN, POLLIN));
	s = accept(a, NULL, NULL);
	EXPECT_GE(s, 0);
	close(s);
	close(c);
	close(a);
	close(w);
}

TEST_F(port, reuseport_balances)
{
	enum tt_way way = variant->way;
	int l[4], c, s, i, n, got[4] = {};
	uint16_t p = 0;

	for (i = 0; i < 4; i++) {
		l[i] = bound(way, PORT | LISTEN, 1, p);
		ASSERT_GE(l[i], 0);
		p = tt_port(l[i]);
		tt_nonblock(l[i], true);
	}
	for (n = 0; n < 64; n++) {
		c = tt_socket(way, 0);
		ASSERT_EQ(0, tt_connect(way, c, p));
		s = -1;
		EXPECT_TRUE(TT_AWAIT(({
			for (i = 0; i < 4 && s < 0; i++) {
				s = accept(l[i], NULL, NULL);
				got[i] += s >= 0;
			}
			s >= 0;
		})));
		close(s);
		close(c);
	}
	/* 64 fall on 4: an empty one has chance 4 * 0.75^64, 4 in 10^8. */
	for (i = 0; i < 4; i++) {
		EXPECT_GT(got[i], 0);
		close(l[i]);
	}
}

static int ipv4_sysctl(const char *name, const char *value)
{
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "w");
	if (!f)
		return -1;
	fprintf(f, "%s\n", value);
	return fclose(f);
}

static int port_range(int lo, int hi)
{
	char both[24];

	snprintf(both, sizeof(both), "%d %d", lo, hi);
	return ipv4_sysctl("ip_local_port_range", both);
}

TEST_F(port, ephemeral_within_range)
{
	enum tt_way way = variant->way;
	uint16_t seen[32], p;
	int fd[32], i, j;

	ASSERT_EQ(0, port_range(40000, 40099));
	for (i = 0; i < 32; i++) {
		fd[i] = bound(way, i % 2 ? LISTEN : 0, 1, 0);
		ASSERT_GE(fd[i], 0);
		p = tt_port(fd[i]);
		EXPECT_TRUE(p >= 40000 && p <= 40099);
		for (j = 0; j < i; j++)
			EXPECT_NE(seen[j], p);
		seen[i] = p;
	}
	for (i = 0; i < 32; i++)
		close(fd[i]);
}

TEST_F(port, ephemeral_exhausted)
{
	enum tt_way way = variant->way;
	int fd[5], l, m, i;

	l = bound(way, LISTEN, 1, 5000);
	m = bound(way, LISTEN, 1, 5001);
	ASSERT_GE(m, 0);
	ASSERT_EQ(0, port_range(40000, 40003));
	for (i = 0; i < 4; i++) {
		fd[i] = bound(way, 0, 1, 0);
		EXPECT_GE(fd[i], 0);
	}
	EXPECT_EQ(-EADDRINUSE, bound(way, 0, 1, 0));
	for (i = 0; i < 4; i++)
		close(fd[i]);

	/* A connection needs a free pair, not a free port. */
	for (i = 0; i < 4; i++) {
		fd[i] = tt_socket(way, 0);
		EXPECT_EQ(0, tt_connect(way, fd[i], 5000));
	}
	fd[4] = tt_socket(way, 0);
	EXPECT_EQ(-1, tt_connect(way, fd[4], 5000));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	EXPECT_EQ(0, tt_connect(way, fd[4], 5001));
	for (i = 0; i < 5; i++)
		close(fd[i]);
	close(l);
	close(m);
}

/* net.ipv4.ip_autobind_reuse: SO_REUSEADDR shares a port that the kernel chose, too. */
TEST_F(port, autobind_reuse)
{
	enum tt_way way = variant->way;
	int fd[2], c, with;

	ASSERT_EQ(0, port_range(40000, 40001));
	fd[0] = bound(way, ADDR, 1, 0);
	fd[1] = bound(way, ADDR, 1, 0);
	ASSERT_GE(fd[0], 0);
	ASSERT_GE(fd[1], 0);
	EXPECT_NE(tt_port(fd[0]), tt_port(fd[1]));
	EXPECT_EQ(-EADDRINUSE, bound(way, ADDR, 1, 0));
	ASSERT_EQ(0, ipv4_sysctl("ip_autobind_reuse", "1"));
	EXPECT_EQ(-EADDRINUSE, bound(way, 0, 1, 0));
	c = bound(way, ADDR, 1, 0);
	ASSERT_GE(c, 0);
	with = tt_port(c) == tt_port(fd[1]);
	EXPECT_EQ(tt_port(fd[with]), tt_port(c));
	EXPECT_EQ(0, listen(c, 4));
	EXPECT_EQ(-1, listen(fd[with], 4));
	EXPECT_EQ(EADDRINUSE, errno);
	EXPECT_EQ(0, listen(fd[!with], 4));
	EXPECT_EQ(-EADDRINUSE, bound(way, ADDR, 1, 0));
	close(c);
	close(fd[0]);
	close(fd[1]);
}

TEST_F(port, bindtodevice)
{
	enum tt_way way = variant->way;
	char name[IFNAMSIZ] = "";
	socklen_t len = sizeof(name);
	int a, b, c;

	a = tt_socket(way, 0);
	EXPECT_EQ(-1, setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6));
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	EXPECT_EQ(0, getsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	EXPECT_STREQ("lo", name);
	ASSERT_EQ(0, tt_bind(way, a, 1, 0));
	ASSERT_EQ(0, listen(a, 1));
	/* Bound to a device or to none: still a conflict. */
	b = bound(way, 0, 1, tt_port(a));
	EXPECT_EQ(-EADDRINUSE, b);
	c = tt_socket(way, 0);
	EXPECT_EQ(0, tt_connect(way, c, tt_port(a)));
	b = accept(a, NULL, NULL);
	EXPECT_GE(b, 0);
	len = sizeof(name);
	EXPECT_EQ(0, getsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	EXPECT_STREQ("lo", name);
	close(a);
	close(b);
	close(c);
}

TEST_HARNESS_MAIN
