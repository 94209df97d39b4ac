// SPDX-License-Identifier: GPL-2.0
/*
 * Readiness (socket.c, poll): what poll() says at every stage of a socket's
 * life, and when an edge-triggered epoll speaks. The tables are TCP's.
 */
#include "tandem_test.h"
#include <sys/epoll.h>
#include "kselftest_harness.h"

#define IN	POLLIN
#define OUT	POLLOUT
#define HUP	POLLHUP
#define ERR	POLLERR
#define RDHUP	POLLRDHUP
#define ALL	(POLLIN | POLLOUT | POLLPRI | POLLRDHUP)

/* The bits that are wrong, once all had time to come. */
static int poll_diff(int fd, int want)
{
	return tt_poll_is(fd, ALL, want) ^ want;
}

#define EXPECT_POLL(want, fd)	EXPECT_EQ(0, poll_diff(fd, want))

FIXTURE(poll) { int l, c, s; uint16_t port; };
FIXTURE_VARIANT(poll) { enum tt_way way; };

FIXTURE_VARIANT_ADD(poll, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(poll, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(poll, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(poll)
{
	int fd[2];

	ASSERT_EQ(0, tt_netns());
	self->l = tt_listen(variant->way, 0, SOCK_NONBLOCK, &self->port);
	ASSERT_GE(self->l, 0);
	ASSERT_EQ(0, tt_pair(variant->way, fd));
	self->c = fd[0];
	self->s = fd[1];
}

FIXTURE_TEARDOWN(poll)
{
	close(self->l);
	close(self->c);
	close(self->s);
}

static void reset_by(int fd)
{
	struct linger lg = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	close(fd);
}

static void fill_up(int fd)
{
	static char buf[65536];

	do {
		while (send(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		while (send(fd, buf, 1, MSG_DONTWAIT) > 0)
			;
	} while (tt_room_again(fd));
}

static size_t drain(int fd)
{
	static char buf[65536];
	size_t sum = 0;
	ssize_t n;

	do {
		while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			sum += n;
	} while (n && poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 300) > 0);
	return sum;
}

TEST_F(poll, fresh)
{
	int fd = tt_socket(variant->way, 0);

	EXPECT_POLL(OUT | HUP, fd);
	ASSERT_EQ(0, tt_bind(variant->way, fd, 1, 0));
	EXPECT_POLL(OUT | HUP, fd);
	close(fd);
}

TEST_F(poll, listening_and_connecting)
{
	int a, b, s;

	EXPECT_POLL(0, self->l);
	a = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, a, self->port));
	EXPECT_POLL(IN, self->l);
	EXPECT_POLL(OUT, a);

	/* The queue is full: this one stays connecting. */
	b = tt_socket(variant->way, SOCK_NONBLOCK);
	ASSERT_EQ(-1, tt_connect(variant->way, b, self->port));
	EXPECT_EQ(TCP_SYN_SENT, tt_state(b));
	EXPECT_POLL(0, b);
	s = accept(self->l, NULL, NULL);
	ASSERT_GE(s, 0);
	EXPECT_POLL(OUT, b);
	EXPECT_POLL(IN, self->l);
	close(a);
	close(b);
	close(s);
}

TEST_F(poll, refused)
{
	int fd = tt_socket(variant->way, SOCK_NONBLOCK);
	char c;

	ASSERT_EQ(-1, tt_connect(variant->way, fd, 9));
	EXPECT_POLL(IN | OUT | HUP | ERR | RDHUP, fd);
	EXPECT_EQ(ECONNREFUSED, tt_getint(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_POLL(IN | OUT | HUP | RDHUP, fd);
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
	close(fd);
}

TEST_F(poll, connected_and_data)
{
	char c;

	EXPECT_POLL(OUT, self->c);
	EXPECT_POLL(OUT, self->s);
	ASSERT_EQ(1, send(self->c, "x", 1, 0));
	EXPECT_POLL(IN | OUT, self->s);
	ASSERT_EQ(1, recv(self->s, &c, 1, 0));
	EXPECT_POLL(OUT, self->s);
}

TEST_F(poll, peer_half_closed)
{
	char c;

	ASSERT_EQ(1, send(self->c, "x", 1, 0));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_POLL(OUT, self->c);
	EXPECT_POLL(IN | OUT | RDHUP, self->s);
	ASSERT_EQ(1, recv(self->s, &c, 1, 0));
	EXPECT_POLL(IN | OUT | RDHUP, self->s);
	ASSERT_EQ(0, recv(self->s, &c, 1, 0));
	EXPECT_POLL(IN | OUT | RDHUP, self->s);
	/* Now both halves. */
	ASSERT_EQ(0, shutdown(self->s, SHUT_WR));
	EXPECT_POLL(IN | OUT | RDHUP | HUP, self->s);
	EXPECT_POLL(IN | OUT | RDHUP | HUP, self->c);
}

TEST_F(poll, own_shutdown)
{
	ASSERT_EQ(0, shutdown(self->c, SHUT_RD));
	EXPECT_POLL(IN | OUT | RDHUP, self->c);
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_POLL(IN | OUT | RDHUP | HUP, self->c);
}

TEST_F(poll, peer_closed)
{
	char c;

	close(self->c);
	self->c = -1;
	EXPECT_POLL(IN | OUT | RDHUP, self->s);
	ASSERT_EQ(0, recv(self->s, &c, 1, 0));
	/* Writing to it brings the reset: EPIPE, for the stream had ended. */
	ASSERT_EQ(1, send(self->s, "x", 1, MSG_NOSIGNAL));
	EXPECT_POLL(IN | OUT | RDHUP | HUP | ERR, self->s);
	EXPECT_EQ(EPIPE, tt_getint(self->s, SOL_SOCKET, SO_ERROR));
	EXPECT_POLL(IN | OUT | RDHUP | HUP, self->s);
}

TEST_F(poll, reset)
{
	reset_by(self->c);
	self->c = -1;
	EXPECT_POLL(IN | OUT | RDHUP | HUP | ERR, self->s);
	EXPECT_EQ(ECONNRESET, tt_getint(self->s, SOL_SOCKET, SO_ERROR));
	EXPECT_POLL(IN | OUT | RDHUP | HUP, self->s);
}

TEST_F(poll, full_buffer)
{
	fill_up(self->c);
	EXPECT_POLL(0, self->c);
	EXPECT_POLL(IN | OUT, self->s);
	EXPECT_LT(0, drain(self->s));
	EXPECT_POLL(OUT, self->c);
	EXPECT_POLL(OUT, self->s);
	/* A closed sending half never blocks, so it is always writable. */
	fill_up(self->c);
	EXPECT_POLL(0, self->c);
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_POLL(OUT, self->c);
}

TEST_F(poll, listener_shut)
{
	ASSERT_EQ(0, shutdown(self->l, SHUT_RD));
	EXPECT_POLL(OUT | HUP, self->l);
	EXPECT_EQ(TCP_CLOSE, tt_state(self->l));
}

TEST_F(poll, notsent_lowat)
{
	int n = -1;

	/* Writable means: little waits that was never sent. */
	ASSERT_EQ(0, tt_setint(self->c, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096));
	fill_up(self->c);
	ASSERT_EQ(0, ioctl(self->c, SIOCOUTQNSD, &n));
	EXPECT_GE(n, 1);
	EXPECT_POLL(0, self->c);
	EXPECT_LT(0, drain(self->s));
	EXPECT_POLL(OUT, self->c);
}

/* ---- epoll ---- */

static int ep_add(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* The next event's bits; 0 when there is none within @ms. */
static uint32_t ep_next(int ep, int ms)
{
	struct epoll_event ev;

	return epoll_wait(ep, &ev, 1, ms) == 1 ? ev.events : 0;
}

TEST_F(poll, level_triggered)
{
	int ep = epoll_create1(0);
	char c;

	ASSERT_EQ(0, ep_add(ep, self->s, EPOLLIN));
	EXPECT_EQ(0, ep_next(ep, 0));
	ASSERT_EQ(2, send(self->c, "ab", 2, 0));
	EXPECT_EQ(EPOLLIN, ep_next(ep, TT_DEADLINE_MS));
	EXPECT_EQ(EPOLLIN, ep_next(ep, 0));
	ASSERT_EQ(1, recv(self->s, &c, 1, 0));
	EXPECT_EQ(EPOLLIN, ep_next(ep, 0));
	ASSERT_EQ(1, recv(self->s, &c, 1, 0));
	EXPECT_EQ(0, ep_next(ep, 0));
	close(ep);
}

TEST_F(poll, edge_triggered_input)
{
	int ep = epoll_create1(0);
	char c;

	ASSERT_EQ(0, ep_add(ep, self->s, EPOLLIN | EPOLLRDHUP | EPOLLET));
	EXPECT_EQ(0, ep_next(ep, 0));
	ASSERT_EQ(2, send(self->c, "ab", 2, 0));
	EXPECT_EQ(EPOLLIN, ep_next(ep, TT_DEADLINE_MS));
	EXPECT_EQ(0, ep_next(ep, 0));
	ASSERT_EQ(1, recv(self->s, &c, 1, 0));
	EXPECT_EQ(0, ep_next(ep, 0));
	/* New data is a new edge, although old data still waits. */
	ASSERT_EQ(1, send(self->c, "c", 1, 0));
	EXPECT_EQ(EPOLLIN, ep_next(ep, TT_DEADLINE_MS));
	EXPECT_EQ(0, ep_next(ep, 0));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_next(ep, TT_DEADLINE_MS));
	EXPECT_EQ(0, ep_next(ep, 0));
	close(ep);
}

TEST_F(poll, edge_triggered_output)
{
	int ep = epoll_create1(0);

	ASSERT_EQ(0, ep_add(ep, self->c, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_next(ep, 0));
	EXPECT_EQ(0, ep_next(ep, 0));
	fill_up(self->c);
	EXPECT_POLL(0, self->c);
	while (ep_next(ep, 0))
		;
	/* Room again after a full buffer: exactly then comes the edge. */
	EXPECT_LT(0, drain(self->s));
	EXPECT_EQ(EPOLLOUT, ep_next(ep, TT_DEADLINE_MS));
	close(ep);
}

TEST_F(poll, edge_triggered_reset)
{
	int ep = epoll_create1(0);
	uint32_t want = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

	ASSERT_EQ(0, ep_add(ep, self->s, EPOLLIN | EPOLLOUT | EPOLLRDHUP |
			    EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_next(ep, 0));
	reset_by(self->c);
	self->c = -1;
	EXPECT_EQ(want, ep_next(ep, TT_DEADLINE_MS));
	close(ep);
}

TEST_F(poll, edge_triggered_accept)
{
	int ep = epoll_create1(0), a, s;

	ASSERT_EQ(0, ep_add(ep, self->l, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, ep_next(ep, 0));
	a = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, a, self->port));
	EXPECT_EQ(EPOLLIN, ep_next(ep, TT_DEADLINE_MS));
	EXPECT_EQ(0, ep_next(ep, 0));
	s = accept(self->l, NULL, NULL);
	EXPECT_GE(s, 0);
	close(s);
	close(a);
	close(ep);
}

TEST_F(poll, edge_triggered_connect)
{
	int ep = epoll_create1(0), a, s;

	/* Watched before connect, as event libraries do. */
	a = tt_socket(variant->way, SOCK_NONBLOCK);
	ASSERT_EQ(0, ep_add(ep, a, EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT | EPOLLHUP, ep_next(ep, 0));
	ASSERT_EQ(-1, tt_connect(variant->way, a, self->port));
	EXPECT_EQ(EPOLLOUT, ep_next(ep, TT_DEADLINE_MS));
	s = accept(self->l, NULL, NULL);
	close(s);
	close(a);
	close(ep);
}

TEST_F(poll, oneshot)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };
	int ep = epoll_create1(0);

	ASSERT_EQ(0, ep_add(ep, self->s, EPOLLIN | EPOLLONESHOT));
	ASSERT_EQ(1, send(self->c, "x", 1, 0));
	EXPECT_EQ(EPOLLIN, ep_next(ep, TT_DEADLINE_MS));
	EXPECT_EQ(0, ep_next(ep, 0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, self->s, &ev));
	EXPECT_EQ(EPOLLIN, ep_next(ep, 0));
	close(ep);
}

TEST_HARNESS_MAIN
