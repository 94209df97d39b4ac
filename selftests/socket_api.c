// SPDX-License-Identifier: GPL-2.0
/*
 * The front door (socket.c): creation, bind, connect, listen, accept, names,
 * and which errno each misuse gets. Port choice and conflicts are bind_port.c,
 * options sockopt.c.
 */
#include "tandem_test.h"
#include <pthread.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "kselftest_harness.h"

FIXTURE(api) {};
FIXTURE_VARIANT(api) { enum tt_way way; };

FIXTURE_VARIANT_ADD(api, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(api, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(api, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(api)
{
	ASSERT_EQ(0, tt_netns());
}

FIXTURE_TEARDOWN(api)
{
}

TEST_F(api, create)
{
	int fd = tt_socket(variant->way, SOCK_NONBLOCK | SOCK_CLOEXEC);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(tt_proto(), tt_getint(fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(SOCK_STREAM, tt_getint(fd, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(tt_domain(variant->way),
		  tt_getint(fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(0, tt_getint(fd, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(0, tt_getint(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_NE(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(TCP_CLOSE, tt_state(fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F(api, create_wrong_type)
{
	int domain = tt_domain(variant->way);

	EXPECT_EQ(-1, socket(domain, SOCK_DGRAM, tt_proto()));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
	EXPECT_EQ(-1, socket(domain, SOCK_SEQPACKET, tt_proto()));
	EXPECT_TRUE(errno == ESOCKTNOSUPPORT || errno == EPROTONOSUPPORT);
	EXPECT_EQ(-1, socket(AF_UNIX, SOCK_STREAM, tt_proto()));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
}

TEST_F(api, bind_errors)
{
	struct sockaddr_storage ss;
	socklen_t len = tt_addr(variant->way, &ss, 1, 0);
	int fd = tt_socket(variant->way, 0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, bind(fd, (struct sockaddr *)&ss, 4));
	EXPECT_EQ(EINVAL, errno);

	ss.ss_family = variant->way == TT_V4 ? AF_INET6 : AF_INET;
	EXPECT_EQ(-1, bind(fd, (struct sockaddr *)&ss, sizeof(ss)));
	EXPECT_EQ(EAFNOSUPPORT, errno);

	/* TEST-NET-1 and 2001:db8::/32 are nobody's. */
	len = tt_addr(variant->way, &ss, 1, 0);
	if (variant->way == TT_V4)
		((struct sockaddr_in *)&ss)->sin_addr.s_addr =
			htonl(0xc0000201);
	else if (variant->way == TT_MAPPED)
		((struct sockaddr_in6 *)&ss)->sin6_addr.s6_addr32[3] =
			htonl(0xc0000201);
	else
		((struct sockaddr_in6 *)&ss)->sin6_addr.s6_addr32[0] =
			htonl(0x20010db8);
	EXPECT_EQ(-1, bind(fd, (struct sockaddr *)&ss, len));
	EXPECT_EQ(EADDRNOTAVAIL, errno);

	EXPECT_EQ(0, tt_bind(variant->way, fd, 1, 0));
	EXPECT_EQ(-1, tt_bind(variant->way, fd, 1, 0));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_F(api, bind_privileged_port)
{
	int fd = tt_socket(variant->way, 0);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(-1, tt_bind(variant->way, fd, 1, 1023));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, tt_bind(variant->way, fd, 1, 1024));
	ASSERT_EQ(0, seteuid(0));
	close(fd);
	fd = tt_socket(variant->way, 0);
	EXPECT_EQ(0, tt_bind(variant->way, fd, 1, 1023));
	close(fd);
}

TEST_F(api, names)
{
	struct sockaddr_storage want, got;
	socklen_t len, wlen;
	int l, c, s;
	uint16_t port;

	c = tt_socket(variant->way, 0);
	len = sizeof(got);
	EXPECT_EQ(0, getsockname(c, (struct sockaddr *)&got, &len));
	EXPECT_EQ(tt_domain(variant->way), got.ss_family);
	EXPECT_EQ(0, tt_port(c));
	EXPECT_EQ(-1, getpeername(c, (struct sockaddr *)&got, &len));
	EXPECT_EQ(ENOTCONN, errno);

	l = tt_listen(variant->way, 1, 0, &port);
	ASSERT_GE(l, 0);
	EXPECT_EQ(-1, getpeername(l, (struct sockaddr *)&got, &len));
	EXPECT_EQ(ENOTCONN, errno);
	ASSERT_EQ(0, tt_connect(variant->way, c, port));

	len = sizeof(got);
	s = accept(l, (struct sockaddr *)&got, &len);
	ASSERT_GE(s, 0);
	wlen = tt_addr(variant->way, &want, 1, tt_port(c));
	EXPECT_EQ(wlen, len);
	EXPECT_EQ(0, memcmp(&want, &got, wlen));

	len = sizeof(got);
	EXPECT_EQ(0, getpeername(s, (struct sockaddr *)&got, &len));
	EXPECT_EQ(0, memcmp(&want, &got, wlen));
	len = sizeof(got);
	EXPECT_EQ(0, getsockname(c, (struct sockaddr *)&got, &len));
	EXPECT_EQ(0, memcmp(&want, &got, wlen));

	wlen = tt_addr(variant->way, &want, 1, port);
	len = sizeof(got);
	EXPECT_EQ(0, getpeername(c, (struct sockaddr *)&got, &len));
	EXPECT_EQ(0, memcmp(&want, &got, wlen));

	/* A short buffer is filled, and the true length told. */
	memset(&got, 0xa5, sizeof(got));
	len = 4;
	EXPECT_EQ(0, getsockname(s, (struct sockaddr *)&got, &len));
	EXPECT_EQ(wlen, len);
	EXPECT_EQ(0, memcmp(&want, &got, 4));
	EXPECT_EQ(0xa5, ((uint8_t *)&got)[4]);
	len = -1;
	EXPECT_EQ(-1, getsockname(s, (struct sockaddr *)&got, &len));
	EXPECT_EQ(EINVAL, errno);
	close(c);
	close(s);
	close(l);
}

TEST_F(api, connect_errors)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = tt_socket(variant->way, 0), l;
	uint16_t port;

	ASSERT_GE(fd, 0);
	len = tt_addr(variant->way, &ss, 1, 9);
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&ss, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&ss, len - 8));
	EXPECT_EQ(EINVAL, errno);
	ss.ss_family = AF_UNIX;
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&ss, len));
	EXPECT_EQ(EAFNOSUPPORT, errno);

	/* Nobody listens: a reset, and the socket can be used again. */
	EXPECT_EQ(-1, tt_connect(variant->way, fd, 9));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(0, tt_getint(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(TCP_CLOSE, tt_state(fd));
	l = tt_listen(variant->way, 1, 0, &port);
	ASSERT_GE(l, 0);
	EXPECT_EQ(0, tt_connect(variant->way, fd, port));
	EXPECT_EQ(-1, tt_connect(variant->way, fd, port));
	EXPECT_EQ(EISCONN, errno);
	EXPECT_EQ(-1, tt_connect(variant->way, l, port));
	EXPECT_EQ(EISCONN, errno);
	close(fd);
	close(l);
}

TEST_F(api, connect_no_route)
{
	struct sockaddr_storage ss;
	socklen_t len = tt_addr(variant->way, &ss, 1, 9);
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	int fd = tt_socket(variant->way, 0);

	if (variant->way == TT_V4)
		in->sin_addr.s_addr = htonl(0xc0000201);
	else if (variant->way == TT_MAPPED)
		in6->sin6_addr.s6_addr32[3] = htonl(0xc0000201);
	else
		in6->sin6_addr.s6_addr32[0] = htonl(0x20010db8);
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&ss, len));
	EXPECT_EQ(ENETUNREACH, errno);

	/* A stream goes to one host, never to a group. */
	if (variant->way == TT_V4)
		in->sin_addr.s_addr = htonl(0xe0000001);
	else if (variant->way == TT_MAPPED)
		in6->sin6_addr.s6_addr32[3] = htonl(0xe0000001);
	else
		in6->sin6_addr.s6_addr32[0] = htonl(0xff020000);
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&ss, len));
	EXPECT_EQ(ENETUNREACH, errno);
	close(fd);
}

TEST_F(api, connect_nonblocking)
{
	int l, fd, err, tries = 0;
	uint16_t port;

	l = tt_listen(variant->way, 1, 0, &port);
	ASSERT_GE(l, 0);
	fd = tt_socket(variant->way, SOCK_NONBLOCK);
	EXPECT_EQ(-1, tt_connect(variant->way, fd, port));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(POLLOUT, tt_poll_is(fd, POLLOUT, POLLOUT));
	EXPECT_EQ(0, tt_getint(fd, SOL_SOCKET, SO_ERROR));
	/* The first call after completion reports success, the next EISCONN. */
	do {
		err = tt_connect(variant->way, fd, port) ? errno : 0;
	} while (!err && ++tries < 2);
	EXPECT_EQ(EISCONN, err);
	EXPECT_EQ(1, tries);
	close(fd);

	fd = tt_socket(variant->way, SOCK_NONBLOCK);
	EXPECT_EQ(-1, tt_connect(variant->way, fd, 9));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_TRUE(TT_AWAIT(tt_state(fd) == TCP_CLOSE));
	EXPECT_EQ(ECONNREFUSED, tt_getint(fd, SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, tt_getint(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
	close(l);
}

/* A listener whose queue is full leaves the next SYN unanswered. */
TEST_F(api, connect_already)
{
	int l, a, b;
	uint16_t port;

	l = tt_listen(variant->way, 0, 0, &port);
	ASSERT_GE(l, 0);
	a = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, a, port));
	EXPECT_EQ(POLLIN, tt_poll_is(l, POLLIN, POLLIN));

	b = tt_socket(variant->way, SOCK_NONBLOCK);
	EXPECT_EQ(-1, tt_connect(variant->way, b, port));
	EXPECT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(-1, tt_connect(variant->way, b, port));
	EXPECT_EQ(EALREADY, errno);
	EXPECT_EQ(TCP_SYN_SENT, tt_state(b));
	EXPECT_EQ(-1, send(b, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(b, &port, 1, 0));
	EXPECT_EQ(EAGAIN, errno);

	/* Room in the queue: the retransmitted SYN is heard. */
	EXPECT_LE(0, accept(l, NULL, NULL));
	EXPECT_EQ(POLLOUT, tt_poll_is(b, POLLOUT | POLLHUP | POLLERR,
				      POLLOUT));
	EXPECT_EQ(0, tt_connect(variant->way, b, port));
	close(a);
	close(b);
	close(l);
}

TEST_F(api, connect_timeout_by_sndtimeo)
{
	struct timeval tv = { .tv_usec = 50000 };
	int l, a, b;
	uint16_t port;

	l = tt_listen(variant->way, 0, 0, &port);
	ASSERT_GE(l, 0);
	a = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, a, port));
	ASSERT_EQ(POLLIN, tt_poll_is(l, POLLIN, POLLIN));
	b = tt_socket(variant->way, 0);
	setsockopt(b, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	EXPECT_EQ(-1, tt_connect(variant->way, b, port));
	EXPECT_EQ(EINPROGRESS, errno);
	close(a);
	close(b);
	close(l);
}

TEST_F(api, connect_wildcard_means_loopback)
{
	struct sockaddr_storage ss, peer;
	socklen_t len;
	int l, fd;
	uint16_t port;

	if (variant->way == TT_MAPPED)
		SKIP(return, "the mapped wildcard is the v4 one");
	l = tt_listen(variant->way, 1, 0, &port);
	ASSERT_GE(l, 0);
	fd = tt_socket(variant->way, 0);
	len = tt_addr(variant->way, &ss, 0, port);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&ss, len));
	tt_addr(variant->way, &ss, 1, port);
	EXPECT_EQ(0, getpeername(fd, (struct sockaddr *)&peer, &len));
	EXPECT_EQ(0, memcmp(&ss, &peer, len));
	close(fd);
	close(l);
}

TEST_F(api, connect_unspec_disconnects)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	int fd[2], l, s;
	uint16_t port;
	char c;

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	EXPECT_EQ(0, connect(fd[0], (struct sockaddr *)&ss, sizeof(ss)));
	EXPECT_EQ(TCP_CLOSE, tt_state(fd[0]));
	EXPECT_EQ(-1, getpeername(fd[0], (struct sockaddr *)&ss,
				  &(socklen_t){ sizeof(ss) }));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);

	l = tt_listen(variant->way, 1, 0, &port);
	ASSERT_GE(l, 0);
	ASSERT_EQ(0, tt_connect(variant->way, fd[0], port));
	s = accept(l, NULL, NULL);
	ASSERT_GE(s, 0);
	EXPECT_EQ(1, send(fd[0], "y", 1, 0));
	EXPECT_EQ(1, recv(s, &c, 1, 0));
	EXPECT_EQ('y', c);
	close(fd[0]);
	close(fd[1]);
	close(s);
	close(l);
}

/* A bound socket that connects to itself opens simultaneously. */
TEST_F(api, connect_to_itself)
{
	int fd = tt_socket(variant->way, 0);
	char buf[4] = "";

	ASSERT_EQ(0, tt_bind(variant->way, fd, 1, 0));
	ASSERT_EQ(0, tt_connect(variant->way, fd, tt_port(fd)));
	EXPECT_EQ(TCP_ESTABLISHED, tt_state(fd));
	EXPECT_EQ(4, send(fd, "self", 4, 0));
	EXPECT_EQ(4, recv(fd, buf, 4, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "self", 4));
	EXPECT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_EQ(0, recv(fd, buf, 4, 0));
	close(fd);
}

TEST_F(api, listen_errors)
{
	int fd[2], l;
	uint16_t port;

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	EXPECT_EQ(-1, listen(fd[0], 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, accept(fd[0], NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	close(fd[0]);
	close(fd[1]);

	/* Without bind a port is chosen; a second listen sets the backlog. */
	l = tt_socket(variant->way, SOCK_NONBLOCK);
	EXPECT_EQ(-1, accept(l, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, listen(l, 1));
	EXPECT_NE(0, tt_port(l));
	EXPECT_EQ(0, listen(l, 5));
	EXPECT_EQ(1, tt_getint(l, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(TCP_LISTEN, tt_state(l));
	EXPECT_EQ(-1, accept(l, NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(l, &port, 1, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, send(l, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	close(l);
}

TEST_F(api, not_connected)
{
	int fd = tt_socket(variant->way, 0);
	char c;

	EXPECT_EQ(-1, recv(fd, &c, 1, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, shutdown(fd, SHUT_WR));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, shutdown(fd, 7));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_F(api, accept_flags_and_errors)
{
	struct timeval tv = { .tv_usec = 20000 };
	struct sockaddr_storage ss;
	socklen_t len = -1;
	int l, c[2], s;
	uint16_t port;

	l = tt_listen(variant->way, 4, 0, &port);
	ASSERT_GE(l, 0);
	setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	EXPECT_EQ(-1, accept(l, NULL, NULL));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, accept4(l, NULL, NULL, 0x40));
	EXPECT_EQ(EINVAL, errno);

	c[0] = tt_socket(variant->way, 0);
	c[1] = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, c[0], port));
	ASSERT_EQ(0, tt_connect(variant->way, c[1], port));
	s = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_GE(s, 0);
	EXPECT_NE(0, fcntl(s, F_GETFL) & O_NONBLOCK);
	EXPECT_NE(0, fcntl(s, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(tt_proto(), tt_getint(s, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, tt_getint(s, SOL_SOCKET, SO_ACCEPTCONN));
	close(s);
	/* A bad address length costs the connection, as with TCP. */
	EXPECT_EQ(-1, accept(l, (struct sockaddr *)&ss, &len));
	EXPECT_EQ(EINVAL, errno);
	close(c[0]);
	close(c[1]);
	close(l);
}

TEST_F(api, accept_does_not_inherit_nonblock)
{
	int l, c, s;
	uint16_t port;

	l = tt_listen(variant->way, 4, SOCK_NONBLOCK, &port);
	ASSERT_GE(l, 0);
	tt_setint(l, IPPROTO_TCP, TCP_NODELAY, 1);
	tt_setint(l, SOL_SOCKET, SO_KEEPALIVE, 1);
	tt_setint(l, IPPROTO_TCP, TCP_KEEPIDLE, 33);
	tt_setint(l, SOL_SOCKET, SO_RCVBUF, 40000);
	c = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, c, port));
	ASSERT_EQ(POLLIN, tt_poll_is(l, POLLIN, POLLIN));
	s = accept(l, NULL, NULL);
	ASSERT_GE(s, 0);
	EXPECT_EQ(0, fcntl(s, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(1, tt_getint(s, IPPROTO_TCP, TCP_NODELAY));
	EXPECT_EQ(1, tt_getint(s, SOL_SOCKET, SO_KEEPALIVE));
	EXPECT_EQ(33, tt_getint(s, IPPROTO_TCP, TCP_KEEPIDLE));
	EXPECT_EQ(80000, tt_getint(s, SOL_SOCKET, SO_RCVBUF));
	close(s);
	close(c);
	close(l);
}

/* listen(n) lets n + 1 complete; the next waits in SYN_SENT. */
/* Connections that wait for accept(). */
static int queued(int listener)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_unacked;
}

TEST_F(api, backlog)
{
	int l, c[5], i, n = 0;
	uint16_t port;

	l = tt_listen(variant->way, 3, SOCK_NONBLOCK, &port);
	ASSERT_GE(l, 0);
	for (i = 0; i < 4; i++) {
		c[i] = tt_socket(variant->way, 0);
		ASSERT_EQ(0, tt_connect(variant->way, c[i], port));
	}
	/* The last ACK of a handshake may wait a moment for data to ride on. */
	EXPECT_TRUE(TT_AWAIT(queued(l) == 4));
	c[4] = tt_socket(variant->way, SOCK_NONBLOCK);
	EXPECT_EQ(-1, tt_connect(variant->way, c[4], port));
	EXPECT_EQ(TCP_SYN_SENT, tt_state(c[4]));
	EXPECT_TRUE(TT_AWAIT((n += accept(l, NULL, NULL) >= 0) == 5));
	EXPECT_EQ(TCP_ESTABLISHED, tt_state(c[4]));
	for (i = 0; i < 5; i++)
		close(c[i]);
	close(l);
}

TEST_F(api, accepted_in_order)
{
	int l, c[3], s, i;
	uint16_t port;
	char got;

	l = tt_listen(variant->way, 8, 0, &port);
	ASSERT_GE(l, 0);
	for (i = 0; i < 3; i++) {
		c[i] = tt_socket(variant->way, 0);
		ASSERT_EQ(0, tt_connect(variant->way, c[i], port));
		ASSERT_EQ(1, send(c[i], &"abc"[i], 1, 0));
	}
	for (i = 0; i < 3; i++) {
		s = accept(l, NULL, NULL);
		ASSERT_GE(s, 0);
		EXPECT_EQ(1, recv(s, &got, 1, 0));
		EXPECT_EQ("abc"[i], got);
		close(s);
		close(c[i]);
	}
	close(l);
}

static void *accepting(void *arg)
{
	int s = accept(*(int *)arg, NULL, NULL);

	return (void *)(long)(s < 0 ? -errno : s);
}

TEST_F(api, accept_woken)
{
	pthread_t t;
	uint16_t port;
	int l, c;
	void *r;

	l = tt_listen(variant->way, 8, 0, &port);
	ASSERT_GE(l, 0);
	ASSERT_EQ(0, pthread_create(&t, NULL, accepting, &l));
	c = tt_socket(variant->way, 0);
	ASSERT_EQ(0, tt_connect(variant->way, c, port));
	ASSERT_EQ(0, pthread_join(t, &r));
	EXPECT_LE(0, (long)r);
	close(c);

	/* shutdown() of a listener wakes who waits in accept(). */
	ASSERT_EQ(0, pthread_create(&t, NULL, accepting, &l));
	ASSERT_EQ(0, shutdown(l, SHUT_RD));
	ASSERT_EQ(0, pthread_join(t, &r));
	EXPECT_EQ(-EINVAL, (long)r);
	EXPECT_EQ(TCP_CLOSE, tt_state(l));
	close(l);
}

TEST_F(api, dup_and_fork)
{
	int fd[2], d, status;
	char buf[3];
	pid_t pid;

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	d = dup(fd[0]);
	ASSERT_GE(d, 0);
	close(fd[0]);
	EXPECT_EQ(1, send(d, "d", 1, 0));

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (send(d, "c", 1, 0) != 1)
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The child's exit closed a copy, not the connection. */
	EXPECT_EQ(1, send(d, "p", 1, 0));
	EXPECT_EQ(3, recv(fd[1], buf, 3, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "dcp", 3));
	close(d);
	EXPECT_EQ(0, recv(fd[1], buf, 1, 0));
	close(fd[1]);
}

TEST_F(api, pass_over_unix_socket)
{
	char ctl[CMSG_SPACE(sizeof(int))] = {}, byte = 'x';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	int fd[2], u[2], got;

	ASSERT_EQ(0, tt_pair(variant->way, fd));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd[0], sizeof(int));
	ASSERT_EQ(1, sendmsg(u[0], &m, 0));
	close(fd[0]);
	ASSERT_EQ(1, recvmsg(u[1], &m, 0));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	EXPECT_EQ(1, send(got, "z", 1, 0));
	EXPECT_EQ(1, recv(fd[1], &byte, 1, 0));
	EXPECT_EQ('z', byte);
	close(got);
	EXPECT_EQ(0, recv(fd[1], &byte, 1, 0));
	close(fd[1]);
	close(u[0]);
	close(u[1]);
}

TEST_F(api, unsupported_calls)
{
	int v[2] = {};

	EXPECT_EQ(-1, socketpair(tt_domain(variant->way), SOCK_STREAM,
				 tt_proto(), v));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_HARNESS_MAIN
