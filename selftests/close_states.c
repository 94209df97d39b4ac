// SPDX-License-Identifier: GPL-2.0
/*
 * How connections end (state.c, timewait.c): half-closes, resets, lingering,
 * unread data, orphans and TIME-WAIT, and the errno each leaves behind.
 * RFC 9293 sections 3.6 and 3.10.4, and RFC 1122 4.2.2.13.
 */
#include "tandem_test.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include "kselftest_harness.h"

FIXTURE(end) { int l, c, s; uint16_t port, cport; };
FIXTURE_VARIANT(end) { enum tt_way way; };

FIXTURE_VARIANT_ADD(end, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(end, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(end, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(end)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, tt_netns());
	self->l = tt_listen(variant->way, 8, 0, &self->port);
	ASSERT_GE(self->l, 0);
	self->c = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, self->c, self->port));
	self->cport = tt_port(self->c);
	self->s = accept(self->l, NULL, NULL);
	ASSERT_GE(self->s, 0);
}

FIXTURE_TEARDOWN(end)
{
	close(self->l);
	close(self->c);
	close(self->s);
}

/* Close it now; the teardown must not close another's descriptor. */
static void end(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void linger(int fd, int secs)
{
	struct linger lg = { .l_onoff = 1, .l_linger = secs };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
}

TEST_F(end, half_close_by_client)
{
	char b[8];

	ASSERT_EQ(3, send(self->c, "end", 3, 0));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_EQ(3, recv(self->s, b, 8, MSG_WAITALL));
	EXPECT_EQ(0, recv(self->s, b, 8, 0));
	EXPECT_EQ(TCP_CLOSE_WAIT, tt_state(self->s));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->c) == TCP_FIN_WAIT2));

	/* The other half lives on. */
	ASSERT_EQ(5, send(self->s, "still", 5, 0));
	EXPECT_EQ(5, recv(self->c, b, 5, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "still", 5));
	EXPECT_EQ(-1, send(self->c, "x", 1, 0));
	EXPECT_EQ(EPIPE, errno);
	ASSERT_EQ(0, shutdown(self->s, SHUT_WR));
	EXPECT_EQ(0, recv(self->c, b, 8, 0));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->s) == TCP_CLOSE));
	/* TIME-WAIT is a minisocket's: the socket itself is closed. */
	EXPECT_TRUE(TT_AWAIT(tt_state(self->c) == TCP_CLOSE));
	EXPECT_EQ(TCP_TIME_WAIT, tt_table_state(variant->way, self->cport,
						self->port));
	EXPECT_EQ(-1, shutdown(self->c, SHUT_WR));
	EXPECT_EQ(ENOTCONN, errno);
}

TEST_F(end, half_close_by_server)
{
	char b[8];

	ASSERT_EQ(0, shutdown(self->s, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->s, SHUT_WR));
	EXPECT_EQ(0, recv(self->c, b, 8, 0));
	ASSERT_EQ(4, send(self->c, "more", 4, 0));
	EXPECT_EQ(4, recv(self->s, b, 4, MSG_WAITALL));
	end(&self->c);
	EXPECT_EQ(0, recv(self->s, b, 8, 0));
	EXPECT_TRUE(TT_AWAIT(tt_table_state(variant->way, self->port,
					    self->cport) == TCP_TIME_WAIT));
	EXPECT_EQ(-1, tt_table_state(variant->way, self->cport, self->port));
}

TEST_F(end, both_shut_down)
{
	char b;

	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->s, SHUT_WR));
	EXPECT_EQ(0, recv(self->c, &b, 1, 0));
	EXPECT_EQ(0, recv(self->s, &b, 1, 0));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->c) == TCP_CLOSE));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->s) == TCP_CLOSE));
	EXPECT_EQ(0, tt_getint(self->c, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, tt_getint(self->s, SOL_SOCKET, SO_ERROR));
}

TEST_F(end, shutdown_rd)
{
	char b[4];

	ASSERT_EQ(2, send(self->c, "ab", 2, 0));
	ASSERT_EQ(POLLIN, tt_poll_is(self->s, POLLIN, POLLIN));
	ASSERT_EQ(0, shutdown(self->s, SHUT_RD));
	EXPECT_EQ(2, recv(self->s, b, 4, 0));
	EXPECT_EQ(0, recv(self->s, b, 4, 0));
	/* Nothing tells the peer. */
	EXPECT_EQ(2, send(self->c, "cd", 2, 0));
	EXPECT_EQ(TCP_ESTABLISHED, tt_state(self->c));
	EXPECT_EQ(2, send(self->s, "ef", 2, 0));
	EXPECT_EQ(2, recv(self->c, b, 4, 0));
}

static void *receiving(void *arg)
{
	char b;
	ssize_t r = recv(*(int *)arg, &b, 1, 0);

	return (void *)(r < 0 ? -errno : r);
}

TEST_F(end, shutdown_wakes_reader)
{
	pthread_t t;
	void *r;

	ASSERT_EQ(0, pthread_create(&t, NULL, receiving, &self->s));
	tt_step();
	ASSERT_EQ(0, shutdown(self->s, SHUT_RD));
	pthread_join(t, &r);
	EXPECT_EQ(0, (long)r);

	ASSERT_EQ(0, pthread_create(&t, NULL, receiving, &self->c));
	tt_step();
	linger(self->s, 0);
	end(&self->s);
	pthread_join(t, &r);
	EXPECT_EQ(-ECONNRESET, (long)r);
}

TEST_F(end, shutdown_errors)
{
	EXPECT_EQ(-1, shutdown(self->c, 3));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, shutdown(self->c, -1));
	EXPECT_EQ(EINVAL, errno);
	/* A listener's sending half is nothing, its receiving half all. */
	EXPECT_EQ(0, shutdown(self->l, SHUT_WR));
	EXPECT_EQ(TCP_LISTEN, tt_state(self->l));
	EXPECT_EQ(0, shutdown(self->l, SHUT_RDWR));
	EXPECT_EQ(TCP_CLOSE, tt_state(self->l));
	EXPECT_EQ(-1, shutdown(self->l, SHUT_RDWR));
	EXPECT_EQ(ENOTCONN, errno);
	/* And it may listen again. */
	EXPECT_EQ(0, listen(self->l, 1));
	EXPECT_EQ(TCP_LISTEN, tt_state(self->l));
}

TEST_F(end, shutdown_while_connecting)
{
	uint16_t port;
	int l, a, b;

	l = tt_listen(variant->way, 0, 0, &port);
	a = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, a, port));
	ASSERT_EQ(POLLIN, tt_poll_is(l, POLLIN, POLLIN));
	b = tt_socket(variant->way, SOCK_NONBLOCK);
	ASSERT_EQ(-1, tt_connect(variant->way, b, port));
	ASSERT_EQ(TCP_SYN_SENT, tt_state(b));
	EXPECT_EQ(0, shutdown(b, SHUT_WR));
	EXPECT_EQ(TCP_CLOSE, tt_state(b));
	close(a);
	close(b);
	close(l);
}

TEST_F(end, linger_zero_resets)
{
	char b;
	int fd;

	linger(self->c, 0);
	end(&self->c);
	EXPECT_EQ(-1, recv(self->s, &b, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(TCP_CLOSE, tt_state(self->s));
	EXPECT_EQ(0, recv(self->s, &b, 1, 0));
	EXPECT_EQ(-1, send(self->s, &b, 1, 0));
	EXPECT_EQ(EPIPE, errno);
	/* No TIME-WAIT: the client's port is free at once. */
	EXPECT_EQ(-1, tt_table_state(variant->way, self->cport, self->port));
	fd = tt_socket(variant->way, 0);
	EXPECT_EQ(0, tt_bind(variant->way, fd, 1, self->cport));
	close(fd);
}

TEST_F(end, write_after_reset)
{
	char b;

	linger(self->c, 0);
	end(&self->c);
	EXPECT_TRUE(TT_AWAIT(tt_state(self->s) == TCP_CLOSE));
	EXPECT_EQ(-1, send(self->s, "x", 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send(self->s, "x", 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, recv(self->s, &b, 1, 0));
}

TEST_F(end, reset_discards_unread)
{
	char b[4];

	ASSERT_EQ(2, send(self->c, "ab", 2, 0));
	ASSERT_EQ(POLLIN, tt_poll_is(self->s, POLLIN, POLLIN));
	linger(self->c, 0);
	end(&self->c);
	EXPECT_TRUE(TT_AWAIT(tt_state(self->s) == TCP_CLOSE));
	/* What had come in order may still be read; TCP keeps it. */
	EXPECT_EQ(2, recv(self->s, b, 4, 0));
	EXPECT_EQ(-1, recv(self->s, b, 4, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

/* RFC 1122 4.2.2.13: who closes with data unread resets. */
TEST_F(end, close_with_unread_data_resets)
{
	long long before = tt_counter("AbortOnData");
	char b;

	ASSERT_EQ(2, send(self->c, "ab", 2, 0));
	ASSERT_EQ(POLLIN, tt_poll_is(self->s, POLLIN, POLLIN));
	end(&self->s);
	EXPECT_EQ(-1, recv(self->c, &b, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	if (!tt_is_tcp())
		EXPECT_EQ(before + 1, tt_counter("AbortOnData"));
}

TEST_F(end, data_after_close_resets)
{
	char b;

	end(&self->s);
	EXPECT_EQ(0, recv(self->c, &b, 1, 0));
	EXPECT_EQ(1, send(self->c, "x", 1, 0));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->c) == TCP_CLOSE));
	EXPECT_EQ(-1, send(self->c, "x", 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, recv(self->c, &b, 1, 0));
}

static char big[1 << 20];

struct closer { int fd; bool done; };

static void *closing(void *arg)
{
	struct closer *c = arg;

	close(c->fd);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* close() waits until all is acknowledged, when SO_LINGER says so. */
TEST_F(end, linger_waits)
{
	struct closer c = { .fd = self->c };
	size_t sum = 0, got = 0;
	pthread_t t;
	ssize_t n;

	tt_setint(self->c, SOL_SOCKET, SO_SNDBUF, 1 << 20);
	tt_nonblock(self->c, true);
	do {
		while ((n = send(self->c, big, sizeof(big), 0)) > 0)
			sum += n;
	} while (tt_room_again(self->c));
	linger(self->c, 100);
	self->c = -1;
	ASSERT_EQ(0, pthread_create(&t, NULL, closing, &c));
	EXPECT_TRUE(TT_AWAIT(tt_table_state(variant->way, self->cport,
					    self->port) == TCP_FIN_WAIT1));
	EXPECT_FALSE(__atomic_load_n(&c.done, __ATOMIC_ACQUIRE));
	while ((n = recv(self->s, big, sizeof(big), 0)) > 0)
		got += n;
	EXPECT_EQ(0, n);
	EXPECT_EQ(sum, got);
	pthread_join(t, NULL);
}

TEST_F(end, close_sends_all_in_background)
{
	size_t sum = 0, got = 0;
	ssize_t n;

	tt_nonblock(self->c, true);
	while ((n = send(self->c, big, sizeof(big), 0)) > 0)
		sum += n;
	end(&self->c);
	while ((n = recv(self->s, big, sizeof(big), 0)) > 0)
		got += n;
	EXPECT_EQ(0, n);
	EXPECT_EQ(sum, got);
}

TEST_F(end, listener_closed_with_pending)
{
	int a = tt_socket(variant->way, 0), again;
	char b;

	ASSERT_EQ(0, tt_connect(variant->way, a, self->port));
	ASSERT_EQ(POLLIN, tt_poll_is(self->l, POLLIN, POLLIN));
	end(&self->l);
	EXPECT_EQ(-1, recv(a, &b, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	/* The accepted connection is not touched. */
	EXPECT_EQ(1, send(self->c, "x", 1, 0));
	EXPECT_EQ(1, recv(self->s, &b, 1, 0));
	again = tt_socket(variant->way, 0);
	EXPECT_EQ(-1, tt_connect(variant->way, again, self->port));
	EXPECT_EQ(ECONNREFUSED, errno);
	close(again);
	close(a);
}

TEST_F(end, accept_of_a_reset_connection)
{
	int a = tt_socket(variant->way, 0), s;
	char b;

	ASSERT_EQ(0, tt_connect(variant->way, a, self->port));
	ASSERT_EQ(POLLIN, tt_poll_is(self->l, POLLIN, POLLIN));
	linger(a, 0);
	close(a);
	s = accept(self->l, NULL, NULL);
	ASSERT_GE(s, 0);
	EXPECT_EQ(-1, recv(s, &b, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	close(s);
}

TEST_F(end, accept_of_a_closed_connection)
{
	int a = tt_socket(variant->way, 0), s;
	char b[4];

	ASSERT_EQ(0, tt_connect(variant->way, a, self->port));
	ASSERT_EQ(3, send(a, "bye", 3, 0));
	close(a);
	s = accept(self->l, NULL, NULL);
	ASSERT_GE(s, 0);
	EXPECT_EQ(3, recv(s, b, 3, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "bye", 3));
	EXPECT_EQ(0, recv(s, b, 3, 0));
	close(s);
}

TEST_F(end, fin_wait2_times_out)
{
	ASSERT_EQ(0, tt_setint(self->c, IPPROTO_TCP, TCP_LINGER2, 1));
	end(&self->c);
	EXPECT_TRUE(TT_AWAIT(tt_table_state(variant->way, self->cport,
					    self->port) == TCP_FIN_WAIT2));
	EXPECT_TRUE(TT_AWAIT(tt_table_state(variant->way, self->cport,
					    self->port) == -1));
	/* The peer's belated data meets nobody. */
	EXPECT_EQ(TCP_CLOSE_WAIT, tt_state(self->s));
	EXPECT_EQ(1, send(self->s, "x", 1, 0));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->s) == TCP_CLOSE));
	EXPECT_EQ(EPIPE, tt_getint(self->s, SOL_SOCKET, SO_ERROR));
}

TEST_F(end, linger2_negative_resets_in_fin_wait2)
{
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_TRUE(TT_AWAIT(tt_state(self->c) == TCP_FIN_WAIT2));
	ASSERT_EQ(0, tt_setint(self->c, IPPROTO_TCP, TCP_LINGER2, -1));
	end(&self->c);
	EXPECT_TRUE(TT_AWAIT(tt_state(self->s) == TCP_CLOSE));
	EXPECT_EQ(EPIPE, tt_getint(self->s, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(-1, tt_table_state(variant->way, self->cport, self->port));
}

TEST_F(end, killed_program)
{
	int status, c2, p[2];
	pid_t pid;
	char b;

	ASSERT_EQ(0, pipe(p));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		c2 = tt_socket(variant->way, 0);
		if (tt_connect(variant->way, c2, self->port))
			_exit(1);
		if (write(p[1], "k", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ASSERT_EQ(1, read(p[0], &b, 1));
	c2 = accept(self->l, NULL, NULL);
	ASSERT_GE(c2, 0);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, recv(c2, &b, 1, 0));
	EXPECT_EQ(TCP_CLOSE_WAIT, tt_state(c2));
	close(c2);
}

TEST_F(end, namespace_dies_with_open_orphans)
{
	pid_t pid = fork();
	int status, fd[2];

	/* The child's namespace ends while its last segments wait. */
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (tt_netns() || tt_pair(variant->way, fd))
			_exit(1);
		tt_nonblock(fd[0], true);
		while (send(fd[0], big, sizeof(big), 0) > 0)
			;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
