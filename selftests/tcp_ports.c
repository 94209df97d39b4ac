// SPDX-License-Identifier: GPL-2.0
/*
 * One port space, two stacks (tcpport.c): what a socket on the tcp wire holds, the
 * kernel's TCP must not get, and the reverse; other wires have ports of their own.
 */
#include "tandem_test.h"
#include "kselftest_harness.h"

#define TCP	IPPROTO_TCP

FIXTURE(ports) {};
FIXTURE_VARIANT(ports) { enum tt_way way; };

FIXTURE_VARIANT_ADD(ports, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(ports, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(ports, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(ports)
{
	if (tt_is_tcp())
		SKIP(return, "TCP has one wire");
	ASSERT_EQ(0, tt_netns());
}

FIXTURE_TEARDOWN(ports)
{
}

static int kernel_socket(enum tt_way way)
{
	return socket(tt_domain(way), SOCK_STREAM, TCP);
}

static int wire_socket(enum tt_way way, int wire)
{
	int fd = socket(tt_domain(way), SOCK_STREAM, IPPROTO_TANDEM);

	if (tt_setint(fd, SOL_TANDEM, TANDEM_WIRE, wire))
		return -1;
	return fd;
}

#define tcpwire_socket(way)	wire_socket(way, TANDEM_WIRE_TCP)

/* 0, or -errno of what fails first. */
static int bind_listen(enum tt_way way, int fd, unsigned int host, uint16_t port,
		       bool reuse, bool listening)
{
	tt_setint(fd, SOL_SOCKET, SO_REUSEADDR, reuse);
	if (tt_bind(way, fd, host, port))
		return -errno;
	return listening && listen(fd, 16) ? -errno : 0;
}

static int set_knob(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), ret;

	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

TEST_F(ports, held_by_tcp)
{
	int k = kernel_socket(variant->way), t;
	uint16_t port;

	ASSERT_EQ(0, bind_listen(variant->way, k, 1, 0, false, true));
	port = tt_port(k);
	t = tcpwire_socket(variant->way);
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, t, 1, port, false, false));
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, t, 0, port, false, false));
	/* With SO_REUSEADDR on both a listener is still alone. */
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, t, 1, port, true, true));
	close(t);
	/* Another address, another wire. */
	t = tcpwire_socket(variant->way);
	tt_setint(t, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	EXPECT_EQ(0, bind_listen(variant->way, t, 2, port, false, true));
	close(t);
	t = wire_socket(variant->way, TANDEM_WIRE_NATIVE);
	EXPECT_EQ(0, bind_listen(variant->way, t, 1, port, false, true));
	close(t);
	/* When TCP lets go, we may have it. */
	close(k);
	t = tcpwire_socket(variant->way);
	EXPECT_EQ(0, bind_listen(variant->way, t, 1, port, false, true));
}

TEST_F(ports, held_by_us)
{
	int t = tcpwire_socket(variant->way), k;
	uint16_t port;

	ASSERT_EQ(0, bind_listen(variant->way, t, 1, 0, true, true));
	port = tt_port(t);
	k = kernel_socket(variant->way);
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, k, 1, port, false, false));
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, k, 0, port, false, false));
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, k, 1, port, true, true));
	close(k);
	k = kernel_socket(variant->way);
	tt_setint(k, SOL_SOCKET, SO_REUSEPORT, 1);
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, k, 1, port, false, true));
	close(k);
	close(t);
	k = kernel_socket(variant->way);
	EXPECT_TRUE(TT_AWAIT(!bind_listen(variant->way, k, 1, port, false, true)));
}

/* bind() with SO_REUSEADDR let both in; listen() then decides. */
TEST_F(ports, listen_decides)
{
	int t = tcpwire_socket(variant->way), k = kernel_socket(variant->way);
	uint16_t port;

	ASSERT_EQ(0, bind_listen(variant->way, k, 1, 0, true, false));
	port = tt_port(k);
	EXPECT_EQ(0, bind_listen(variant->way, t, 1, port, true, false));
	EXPECT_EQ(-1, listen(t, 4));
	EXPECT_EQ(EADDRINUSE, errno);
}

/* Sockets of ours share as any of ours do, whatever holds the port for them. */
TEST_F(ports, shared_among_ours)
{
	int a = tcpwire_socket(variant->way), b = tcpwire_socket(variant->way);
	uint16_t port;

	tt_setint(a, SOL_SOCKET, SO_REUSEPORT, 1);
	tt_setint(b, SOL_SOCKET, SO_REUSEPORT, 1);
	ASSERT_EQ(0, bind_listen(variant->way, a, 1, 0, false, true));
	port = tt_port(a);
	EXPECT_EQ(0, bind_listen(variant->way, b, 1, port, false, true));
	close(b);
	b = tcpwire_socket(variant->way);
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, b, 1, port, false, false));
}

/*
 * What is left of a listener's connections does not keep a new one of TCP's away, if
 * it says SO_REUSEADDR, as a server does that is started again.
 */
TEST_F(ports, remains)
{
	int l = tcpwire_socket(variant->way), c, s, k;
	uint16_t port;
	char b[8];

	ASSERT_EQ(0, bind_listen(variant->way, l, 1, 0, true, true));
	port = tt_port(l);
	c = kernel_socket(variant->way);
	ASSERT_EQ(0, tt_connect(variant->way, c, port));
	s = accept(l, NULL, NULL);
	ASSERT_LE(0, s);
	close(l);
	k = kernel_socket(variant->way);
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, k, 1, port, false, false));
	EXPECT_EQ(0, bind_listen(variant->way, k, 1, port, true, true));
	/* And the old connection lives on beside it. */
	EXPECT_EQ(2, send(c, "up", 2, 0));
	EXPECT_EQ(2, recv(s, b, sizeof(b), 0));
	EXPECT_EQ(4, send(s, "down", 4, 0));
	EXPECT_EQ(4, recv(c, b, sizeof(b), 0));
	close(s);
	EXPECT_EQ(0, recv(c, b, sizeof(b), 0));
}

/* connect() of either stack leaves alone what the other's connections use. */
TEST_F(ports, ephemeral)
{
	const char *range = "/proc/sys/net/ipv4/ip_local_port_range";
	int l, fd[8], i, n = 0;
	uint16_t used[8], lport;

	l = kernel_socket(variant->way);
	ASSERT_EQ(0, bind_listen(variant->way, l, 1, 0, false, true));
	lport = tt_port(l);
	ASSERT_EQ(0, set_knob(range, "20000 20007"));
	for (i = 0; i < 8; i++) {
		fd[i] = i % 2 ? kernel_socket(variant->way) :
				tcpwire_socket(variant->way);
		ASSERT_EQ(0, tt_connect(variant->way, fd[i], lport));
		used[i] = tt_port(fd[i]);
		for (n = 0; n < i; n++)
			EXPECT_NE(used[n], used[i]);
	}
	n = tcpwire_socket(variant->way);
	EXPECT_EQ(-1, tt_connect(variant->way, n, lport));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	for (i = 0; i < 8; i++)
		close(fd[i]);
}

/* bind() to any port finds one that is free in TCP. */
TEST_F(ports, any)
{
	const char *range = "/proc/sys/net/ipv4/ip_local_port_range";
	int k[3], i, t;

	ASSERT_EQ(0, set_knob(range, "21000 21003"));
	for (i = 0; i < 3; i++) {
		k[i] = kernel_socket(variant->way);
		ASSERT_EQ(0, bind_listen(variant->way, k[i], 0, 0, false, true));
	}
	t = tcpwire_socket(variant->way);
	ASSERT_EQ(0, bind_listen(variant->way, t, 0, 0, false, true));
	for (i = 0; i < 3; i++)
		EXPECT_NE(tt_port(k[i]), tt_port(t));
	t = tcpwire_socket(variant->way);
	EXPECT_EQ(-EADDRINUSE, bind_listen(variant->way, t, 0, 0, false, false));
}

TEST_F(ports, when_it_may_be_chosen)
{
	int t = wire_socket(variant->way, TANDEM_WIRE_NATIVE), c, s;

	EXPECT_EQ(0, tt_setint(t, SOL_TANDEM, TANDEM_WIRE, TANDEM_WIRE_TCP));
	EXPECT_EQ(TANDEM_WIRE_TCP, tt_getint(t, SOL_TANDEM, TANDEM_WIRE));
	EXPECT_EQ(IPPROTO_TANDEM, tt_getint(t, SOL_SOCKET, SO_PROTOCOL));
	ASSERT_EQ(0, bind_listen(variant->way, t, 1, 0, false, false));
	EXPECT_EQ(-EINVAL, tt_setint(t, SOL_TANDEM, TANDEM_WIRE, TANDEM_WIRE_NATIVE));
	ASSERT_EQ(0, listen(t, 4));
	EXPECT_EQ(-EISCONN, tt_setint(t, SOL_TANDEM, TANDEM_WIRE, TANDEM_WIRE_NATIVE));
	c = kernel_socket(variant->way);
	ASSERT_EQ(0, tt_connect(variant->way, c, tt_port(t)));
	s = accept(t, NULL, NULL);
	ASSERT_LE(0, s);
	EXPECT_EQ(TANDEM_WIRE_TCP, tt_getint(s, SOL_TANDEM, TANDEM_WIRE));
	EXPECT_EQ(-EISCONN, tt_setint(s, SOL_TANDEM, TANDEM_WIRE, TANDEM_WIRE_NATIVE));
}

TEST_F(ports, forbidden)
{
	int early = tcpwire_socket(variant->way), t;

	ASSERT_EQ(0, set_knob("/proc/sys/net/tandem/tcp_wire", "0"));
	t = wire_socket(variant->way, TANDEM_WIRE_NATIVE);
	EXPECT_EQ(-EPERM, tt_setint(t, SOL_TANDEM, TANDEM_WIRE, TANDEM_WIRE_TCP));
	EXPECT_EQ(-EPERM, bind_listen(variant->way, early, 1, 0, false, false));
	EXPECT_EQ(-1, tt_connect(variant->way, early, 80));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, bind_listen(variant->way, t, 1, 0, false, true));
}

TEST_F(ports, by_knob)
{
	int t;

	ASSERT_EQ(0, set_knob("/proc/sys/net/tandem/wire", "tcp"));
	t = socket(tt_domain(variant->way), SOCK_STREAM, IPPROTO_TANDEM);
	EXPECT_EQ(TANDEM_WIRE_TCP, tt_getint(t, SOL_TANDEM, TANDEM_WIRE));
	EXPECT_EQ(-EINVAL, set_knob("/proc/sys/net/tandem/wire", "carrier-pigeon"));
}

TEST_HARNESS_MAIN
