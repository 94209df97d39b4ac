// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes from and to user space (sendmsg.c, recvmsg.c): every flag of send()
 * and recv(), vectors, signals, time limits and queues' sizes (splice_io.c has sendfile
 * and splice). Whatever is moved is compared byte by byte.
 */
#include "tandem_test.h"
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

FIXTURE(io) { int c, s; };
FIXTURE_VARIANT(io) { enum tt_way way; };

FIXTURE_VARIANT_ADD(io, v4) { .way = TT_V4 };
FIXTURE_VARIANT_ADD(io, v6) { .way = TT_V6 };
FIXTURE_VARIANT_ADD(io, mapped) { .way = TT_MAPPED };

FIXTURE_SETUP(io)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, tt_netns());
	ASSERT_EQ(0, tt_pair(variant->way, fd));
	self->c = fd[0];
	self->s = fd[1];
}

FIXTURE_TEARDOWN(io)
{
	close(self->c);
	close(self->s);
}

static int inq(int fd)
{
	int n = -1;

	return ioctl(fd, FIONREAD, &n) ? -errno : n;
}

static int outq(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCOUTQ, &n) ? -errno : n;
}

static uint64_t rnd_next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void fill(void *buf, size_t len, uint64_t seed)
{
	uint8_t *p = buf;

	while (len--)
		*p++ = rnd_next(&seed) >> 24;
}

TEST_F(io, peek)
{
	char b[8] = "";
	struct iovec iov[2] = { { b, 2 }, { b + 2, 2 } };

	ASSERT_EQ(6, send(self->c, "peekit", 6, 0));
	EXPECT_EQ(4, recv(self->s, b, 4, MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "peek", 4));
	EXPECT_EQ(6, recv(self->s, b, 6, MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(6, inq(self->s));
	memset(b, 0, sizeof(b));
	EXPECT_EQ(4, readv(self->s, iov, 2));
	EXPECT_EQ(0, memcmp(b, "peek", 4));
	EXPECT_EQ(2, recv(self->s, b, 8, 0));
	EXPECT_EQ(0, memcmp(b, "it", 2));
	EXPECT_EQ(-1, recv(self->s, b, 8, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	close(self->c);
	EXPECT_EQ(0, recv(self->s, b, 8, MSG_PEEK));
	EXPECT_EQ(0, recv(self->s, b, 8, 0));
	self->c = -1;
}

struct late {
	int fd;
	const char *text;
	pthread_t t;
};

/* Send the parts of @text one by one, so that the reader must wait. */
static void *late_send(void *arg)
{
	struct late *l = arg;
	const char *p;

	for (p = l->text; *p; p++) {
		tt_step();
		if (send(l->fd, p, 1, 0) != 1)
			return (void *)1L;
	}
	return NULL;
}

TEST_F(io, waitall)
{
	struct late l = { .fd = self->c, .text = "waitforit" };
	char b[16] = "";

	ASSERT_EQ(0, pthread_create(&l.t, NULL, late_send, &l));
	EXPECT_EQ(9, recv(self->s, b, 9, MSG_WAITALL));
	EXPECT_STREQ("waitforit", b);
	pthread_join(l.t, NULL);

	/* End of the stream ends the wait. */
	ASSERT_EQ(3, send(self->c, "end", 3, 0));
	shutdown(self->c, SHUT_WR);
	EXPECT_EQ(3, recv(self->s, b, 16, MSG_WAITALL));
	EXPECT_EQ(0, recv(self->s, b, 16, MSG_WAITALL));
}

TEST_F(io, trunc_discards)
{
	char b[4] = "";

	ASSERT_EQ(8, send(self->c, "throwkee", 8, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 8));
	EXPECT_EQ(5, recv(self->s, NULL, 5, MSG_TRUNC));
	EXPECT_EQ(3, recv(self->s, b, 4, 0));
	EXPECT_EQ(0, memcmp(b, "kee", 3));
}

TEST_F(io, dontwait_and_nonblock)
{
	char b[4];

	EXPECT_EQ(-1, recv(self->s, b, 4, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	tt_nonblock(self->s, true);
	EXPECT_EQ(-1, recv(self->s, b, 4, 0));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(self->s, b, 4, MSG_WAITALL));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(2, send(self->c, "hi", 2, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 2));
	EXPECT_EQ(2, recv(self->s, b, 4, MSG_WAITALL));
}

TEST_F(io, zero_bytes)
{
	struct msghdr m = {};
	char b;

	EXPECT_EQ(0, sendmsg(self->c, &m, 0));
	EXPECT_EQ(0, send(self->c, "", 0, 0));
	EXPECT_EQ(0, write(self->c, "", 0));
	EXPECT_EQ(-1, recv(self->s, &b, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(1, send(self->c, "x", 1, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 1));
	EXPECT_EQ(0, recv(self->s, &b, 0, 0));
	EXPECT_EQ(1, inq(self->s));
}

TEST_F(io, bad_pointers)
{
	char *hole = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char b[8];

	ASSERT_NE(MAP_FAILED, hole);
	ASSERT_EQ(0, munmap(hole + 4096, 4096));
	EXPECT_EQ(-1, send(self->c, (void *)8, 100, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(4, send(self->c, "good", 4, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 4));
	EXPECT_EQ(-1, recv(self->s, (void *)8, 4, 0));
	EXPECT_EQ(EFAULT, errno);
	/* The bytes are not lost by a reader's mistake. */
	EXPECT_EQ(4, recv(self->s, b, 8, 0));
	EXPECT_EQ(0, memcmp(b, "good", 4));
	munmap(hole, 4096);
}

TEST_F(io, more_then_flush)
{
	char b[8];

	ASSERT_EQ(2, send(self->c, "ab", 2, MSG_MORE));
	ASSERT_EQ(2, send(self->c, "cd", 2, MSG_MORE));
	ASSERT_EQ(2, send(self->c, "ef", 2, 0));
	EXPECT_EQ(6, recv(self->s, b, 6, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "abcdef", 6));
	/* What is never flushed goes by itself in the end. */
	ASSERT_EQ(2, send(self->c, "gh", 2, MSG_MORE));
	EXPECT_EQ(2, recv(self->s, b, 2, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "gh", 2));
}

static int signals;

static int signalled(void)
{
	return __atomic_load_n(&signals, __ATOMIC_ACQUIRE);
}

static void on_signal(int sig)
{
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELEASE);
}

TEST_F(io, sigpipe)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGPIPE, &sa, NULL);
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_EQ(-1, send(self->c, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, signals);
	EXPECT_EQ(-1, write(self->c, "x", 1));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(1, signals);
}

/* ---- urgent data ---- */

static int mark(int fd)
{
	int v = -1;

	return ioctl(fd, SIOCATMARK, &v) ? -errno : v;
}

static int polled(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

TEST_F(io, oob_recv_without)
{
	char b;

	EXPECT_EQ(-1, recv(self->s, &b, 1, MSG_OOB));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(io, oob_out_of_line)
{
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	char b[16];

	ASSERT_EQ(3, send(self->c, "abc", 3, 0));
	ASSERT_EQ(3, send(self->c, "xyZ", 3, MSG_OOB));
	ASSERT_EQ(3, send(self->c, "def", 3, 0));
	ASSERT_TRUE(TT_AWAIT(polled(self->s, POLLPRI) == POLLPRI));
	EXPECT_TRUE(TT_AWAIT(inq(self->s) == 5));
	EXPECT_EQ(1, recv(self->s, b, 1, MSG_OOB | MSG_PEEK));
	EXPECT_EQ('Z', b[0]);
	iov.iov_base = b;
	iov.iov_len = sizeof(b);
	EXPECT_EQ(1, recvmsg(self->s, &msg, MSG_OOB));
	EXPECT_EQ(MSG_OOB, msg.msg_flags);
	EXPECT_EQ('Z', b[0]);
	EXPECT_EQ(-1, recv(self->s, b, 1, MSG_OOB));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, polled(self->s, POLLPRI));
	EXPECT_EQ(0, mark(self->s));
	EXPECT_EQ(5, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ(0, memcmp(b, "abcxy", 5));
	EXPECT_EQ(1, mark(self->s));
	EXPECT_EQ(3, recv(self->s, b, 3, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "def", 3));
	EXPECT_EQ(0, mark(self->s));
}

TEST_F(io, oob_in_line)
{
	char b[16];

	ASSERT_EQ(0, tt_setint(self->s, SOL_SOCKET, SO_OOBINLINE, 1));
	ASSERT_EQ(3, send(self->c, "abZ", 3, MSG_OOB));
	ASSERT_EQ(2, send(self->c, "cd", 2, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 5));
	EXPECT_EQ(POLLPRI, polled(self->s, POLLPRI));
	EXPECT_EQ(-1, recv(self->s, b, 1, MSG_OOB));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(2, recv(self->s, b, sizeof(b), MSG_PEEK));
	EXPECT_EQ(2, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ(1, mark(self->s));
	EXPECT_EQ(3, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ(0, memcmp(b, "Zcd", 3));
}

/* The older of two marks: an ordinary byte, or lost if the reader stands before it. */
TEST_F(io, oob_second_mark)
{
	char b[16];

	ASSERT_EQ(2, send(self->c, "xa", 2, MSG_OOB));
	ASSERT_TRUE(TT_AWAIT(polled(self->s, POLLPRI) == POLLPRI));
	ASSERT_EQ(2, send(self->c, "yb", 2, MSG_OOB));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 3));
	EXPECT_EQ(3, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ(0, memcmp(b, "xay", 3));
	EXPECT_EQ(1, mark(self->s));
	ASSERT_EQ(2, send(self->c, "zc", 2, MSG_OOB));
	ASSERT_TRUE(TT_AWAIT(recv(self->s, b, 1, MSG_OOB | MSG_PEEK) == 1 && b[0] == 'c'));
	EXPECT_EQ(1, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ('z', b[0]);
	EXPECT_EQ(1, recv(self->s, b, sizeof(b), MSG_OOB));
	EXPECT_EQ('c', b[0]);
}

static void count_urg(int sig)
{
	signals++;
}

TEST_F(io, oob_signal)
{
	char b[4];

	signals = 0;
	ASSERT_NE(SIG_ERR, signal(SIGURG, count_urg));
	ASSERT_EQ(0, fcntl(self->s, F_SETOWN, getpid()));
	ASSERT_EQ(1, send(self->c, "n", 1, 0));
	ASSERT_EQ(1, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ(0, signals);
	ASSERT_EQ(1, send(self->c, "u", 1, MSG_OOB));
	EXPECT_TRUE(TT_AWAIT(signals == 1));
	/* A reader is not woken by the byte itself. */
	EXPECT_EQ(0, polled(self->s, POLLIN));
	EXPECT_EQ(1, recv(self->s, b, sizeof(b), MSG_OOB));
	EXPECT_EQ('u', b[0]);
	/* It is not in the stream, and a read that passes it forgets the mark. */
	EXPECT_EQ(1, mark(self->s));
	EXPECT_EQ(-1, recv(self->s, b, sizeof(b), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, mark(self->s));
	signal(SIGURG, SIG_DFL);
}

TEST_F(io, errqueue_empty)
{
	char b;

	EXPECT_EQ(-1, recv(self->s, &b, 1, MSG_ERRQUEUE));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(io, vectors)
{
	char in[64], a[7], b[23], out[3][20];
	struct iovec w[4] = {
		{ in, 1 }, { in + 1, 0 }, { in + 1, 30 }, { in + 31, 29 },
	};
	struct iovec r[3] = { { a, 7 }, { b, 23 }, { out, 60 } };

	fill(in, sizeof(in), 7);
	ASSERT_EQ(60, writev(self->c, w, 4));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 60));
	ASSERT_EQ(60, readv(self->s, r, 3));
	EXPECT_EQ(0, memcmp(a, in, 7));
	EXPECT_EQ(0, memcmp(b, in + 7, 23));
	EXPECT_EQ(0, memcmp(out, in + 30, 30));
}

TEST_F(io, recvfrom_and_recvmsg_name)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char b[4];

	ASSERT_EQ(2, sendto(self->c, "to", 2, 0, NULL, 0));
	/* A stream names no sender. */
	EXPECT_EQ(2, recvfrom(self->s, b, 2, MSG_WAITALL,
			      (struct sockaddr *)&ss, &len));
	EXPECT_EQ(0, len);
	/* And takes no other receiver: TCP ignores the name. */
	len = tt_addr(variant->way, &ss, 1, 9);
	EXPECT_EQ(2, sendto(self->c, "to", 2, 0, (struct sockaddr *)&ss, len));
	EXPECT_EQ(2, recv(self->s, b, 2, MSG_WAITALL));
}

TEST_F(io, rcvlowat)
{
	struct pollfd p = { .fd = self->s, .events = POLLIN };
	char b[16];

	ASSERT_EQ(0, tt_setint(self->s, SOL_SOCKET, SO_RCVLOWAT, 5));
	ASSERT_EQ(3, send(self->c, "abc", 3, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 3));
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(2, send(self->c, "de", 2, 0));
	EXPECT_EQ(1, poll(&p, 1, TT_DEADLINE_MS));
	EXPECT_EQ(5, recv(self->s, b, 16, 0));
	ASSERT_EQ(1, send(self->c, "f", 1, 0));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	/* The end of the stream counts as enough. */
	EXPECT_EQ(1, poll(&p, 1, TT_DEADLINE_MS));
	EXPECT_EQ(1, recv(self->s, b, 16, 0));
}

TEST_F(io, rcvtimeo)
{
	char b[8];

	ASSERT_EQ(0, tt_rcvtimeo(self->s, 30));
	EXPECT_EQ(-1, recv(self->s, b, 8, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(3, send(self->c, "abc", 3, 0));
	EXPECT_EQ(3, recv(self->s, b, 8, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "abc", 3));
}

/* Write until nothing more goes; returns the bytes taken. */
static size_t stuff(int fd, uint64_t seed)
{
	static char buf[2 << 16];
	const size_t whole = sizeof(buf) / 2;
	size_t sum = 0;
	ssize_t n;

	fill(buf, whole, seed);
	memcpy(buf + whole, buf, whole);
	do {
		while ((n = send(fd, buf + sum % whole, whole,
				 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			sum += n;
		tt_step();
	} while (errno == EAGAIN && tt_room_again(fd));
	/* A page begun may still take something, down to single bytes. */
	for (size_t size = whole / 2; size; size /= 2)
		while ((n = send(fd, buf + sum % whole, size,
				 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			sum += n;
	return sum;
}

/* Read @len bytes of what stuff() wrote; true when they are right. */
static bool unstuff(int fd, size_t len, uint64_t seed)
{
	static char want[1 << 16], got[1 << 16];
	size_t at = 0, n;
	ssize_t r;

	fill(want, sizeof(want), seed);
	while (at < len) {
		n = sizeof(want) - at % sizeof(want);
		r = recv(fd, got, n < len - at ? n : len - at, 0);
		if (r <= 0 || memcmp(got, want + at % sizeof(want), r))
			return false;
		at += r;
	}
	return true;
}

TEST_F(io, sndtimeo_on_full_buffer)
{
	struct timeval tv = { .tv_usec = 30000 };
	size_t sum = stuff(self->c, 3);

	EXPECT_GT(sum, 0);
	EXPECT_EQ(-1, send(self->c, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	setsockopt(self->c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	EXPECT_EQ(-1, send(self->c, "x", 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_TRUE(unstuff(self->s, sum, 3));
	EXPECT_EQ(1, send(self->c, "x", 1, 0));
}

TEST_F(io, full_buffer_blocks_until_read)
{
	struct late l = { .fd = self->c, .text = "!" };
	size_t sum = stuff(self->c, 5);
	char b;

	ASSERT_EQ(0, pthread_create(&l.t, NULL, late_send, &l));
	EXPECT_TRUE(unstuff(self->s, sum, 5));
	EXPECT_EQ(1, recv(self->s, &b, 1, 0));
	EXPECT_EQ('!', b);
	pthread_join(l.t, NULL);
}

TEST_F(io, queue_sizes)
{
	char buf[100] = "";
	uint16_t port;
	int v, l;

	EXPECT_EQ(0, inq(self->s));
	EXPECT_TRUE(TT_AWAIT(outq(self->c) == 0));
	ASSERT_EQ(100, send(self->c, buf, 100, 0));
	EXPECT_TRUE(TT_AWAIT(inq(self->s) == 100));
	/* Acknowledged within the delayed ACK's time, though not read. */
	EXPECT_TRUE(TT_AWAIT(outq(self->c) == 0));

	stuff(self->c, 1);
	EXPECT_GT(outq(self->c), 0);
	v = -1;
	EXPECT_EQ(0, ioctl(self->c, SIOCOUTQNSD, &v));
	EXPECT_GE(v, 0);
	EXPECT_LE(v, outq(self->c));
	v = -1;
	EXPECT_EQ(0, ioctl(self->s, SIOCATMARK, &v));
	EXPECT_EQ(0, v);

	l = tt_listen(variant->way, 1, 0, &port);
	EXPECT_EQ(-EINVAL, inq(l));
	EXPECT_EQ(-EINVAL, outq(l));
	close(l);
	l = tt_socket(variant->way, 0);
	EXPECT_EQ(0, inq(l));
	EXPECT_EQ(0, outq(l));
	EXPECT_EQ(-1, ioctl(l, 0x4242, &v));
	EXPECT_EQ(ENOTTY, errno);
	close(l);
}

/* The FIN takes a sequence number but is no byte to read. */
TEST_F(io, fionread_ignores_fin)
{
	ASSERT_EQ(5, send(self->c, "12345", 5, 0));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_NE(0, POLLRDHUP & tt_poll_is(self->s, POLLRDHUP, POLLRDHUP));
	EXPECT_EQ(5, inq(self->s));
}

/*
 * Signals for a thread until its call has returned: the first of them may come
 * before the call sleeps, and is then no reason for it to return.
 */
struct poker {
	pthread_t self, to;
	bool returned;
};

static void *poke(void *arg)
{
	struct poker *p = arg;

	while (!__atomic_load_n(&p->returned, __ATOMIC_ACQUIRE)) {
		tt_step();
		pthread_kill(p->to, SIGUSR1);
	}
	return NULL;
}

/* What recv() gives to a thread that gets signals: its result or -errno. */
static ssize_t recv_poked(int fd, void *buf, size_t len, int flags)
{
	struct poker p = { .to = pthread_self() };
	ssize_t n;

	if (pthread_create(&p.self, NULL, poke, &p))
		return -EAGAIN;
	n = recv(fd, buf, len, flags);
	if (n < 0)
		n = -errno;
	__atomic_store_n(&p.returned, true, __ATOMIC_RELEASE);
	pthread_join(p.self, NULL);
	return n;
}

TEST_F(io, signal_interrupts)
{
	struct sigaction sa = { .sa_handler = on_signal };
	char b;

	sigaction(SIGUSR1, &sa, NULL);
	EXPECT_EQ(-EINTR, recv_poked(self->s, &b, 1, 0));

	/* With a time limit the call is never restarted. */
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	tt_rcvtimeo(self->s, TT_DEADLINE_MS);
	EXPECT_EQ(-EINTR, recv_poked(self->s, &b, 1, 0));
}

static void *poke_then_send(void *arg)
{
	struct late *l = arg;

	/* Some, so that one at least finds the reader asleep. */
	while (signalled() < 5) {
		tt_step();
		pthread_kill(l->t, SIGUSR1);
	}
	return (void *)(send(l->fd, "r", 1, 0) - 1);
}

TEST_F(io, signal_restarts)
{
	struct sigaction sa = {
		.sa_handler = on_signal, .sa_flags = SA_RESTART
	};
	struct late l = { .fd = self->c, .t = pthread_self() };
	pthread_t t;
	char b = 0;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, pthread_create(&t, NULL, poke_then_send, &l));
	EXPECT_EQ(1, recv(self->s, &b, 1, 0));
	EXPECT_EQ('r', b);
	pthread_join(t, NULL);
}

TEST_F(io, signal_after_some_bytes)
{
	struct sigaction sa = { .sa_handler = on_signal };
	char b[8];

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(3, send(self->c, "abc", 3, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 3));
	EXPECT_EQ(3, recv_poked(self->s, b, 8, MSG_WAITALL));
}

struct flow {
	int fd;
	uint64_t seed;
	size_t len;
	bool nonblock;
	long bad;
};

static void *writer(void *arg)
{
	struct flow *f = arg;
	uint64_t sizes = f->seed * 77 + 1, data = f->seed;
	char *buf = malloc(300000);
	size_t sent = 0, n, i;
	ssize_t r;

	while (sent < f->len && !f->bad) {
		n = rnd_next(&sizes) % 8 ? rnd_next(&sizes) % 5000 + 1 :
					   rnd_next(&sizes) % 300000 + 1;
		if (n > f->len - sent)
			n = f->len - sent;
		for (i = 0; i < n; i++)
			buf[i] = rnd_next(&data) >> 24;
		for (i = 0; i < n && !f->bad; i += r > 0 ? r : 0) {
			r = send(f->fd, buf + i, n - i,
				 f->nonblock ? MSG_DONTWAIT : 0);
			if (r < 0 && errno == EAGAIN)
				poll(&(struct pollfd){ f->fd, POLLOUT, 0 }, 1,
				     TT_DEADLINE_MS);
			else if (r <= 0)
				f->bad = 1;
		}
		sent += n;
	}
	shutdown(f->fd, SHUT_WR);
	free(buf);
	return NULL;
}

static void *reader(void *arg)
{
	struct flow *f = arg;
	uint64_t sizes = f->seed * 99 + 1, data = f->seed;
	uint8_t *buf = malloc(100000);
	size_t got = 0;
	ssize_t r, i;

	for (;;) {
		r = recv(f->fd, buf, rnd_next(&sizes) % 100000 + 1,
			 f->nonblock ? MSG_DONTWAIT : 0);
		if (r < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){ f->fd, POLLIN, 0 }, 1,
			     TT_DEADLINE_MS);
			continue;
		}
		if (r <= 0)
			break;
		for (i = 0; i < r; i++)
			if (buf[i] != (uint8_t)(rnd_next(&data) >> 24))
				f->bad++;
		got += r;
	}
	if (r || got != f->len)
		f->bad++;
	free(buf);
	return NULL;
}

static long both_ways(int a, int b, size_t len, bool nonblock)
{
	struct flow f[4] = {
		{ a, 11, len, nonblock }, { b, 11, len, nonblock },
		{ b, 22, len, nonblock }, { a, 22, len, nonblock },
	};
	pthread_t t[4];
	long bad = 0;
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, i % 2 ? reader : writer, &f[i]);
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		bad += f[i].bad;
	}
	return bad;
}

TEST_F(io, both_ways_blocking)
{
	EXPECT_EQ(0, both_ways(self->c, self->s, 4 << 20, false));
}

TEST_F(io, both_ways_nonblocking)
{
	EXPECT_EQ(0, both_ways(self->c, self->s, 4 << 20, true));
}

TEST_F(io, both_ways_small_buffers)
{
	tt_setint(self->c, SOL_SOCKET, SO_SNDBUF, 4096);
	tt_setint(self->s, SOL_SOCKET, SO_RCVBUF, 4096);
	EXPECT_EQ(0, both_ways(self->c, self->s, 60000, true));
}

/* Two readers and two writers on one socket: every byte once, none lost. */
static void *count_writer(void *arg)
{
	struct flow *f = arg;
	char buf[1000];
	int i;

	memset(buf, f->seed, sizeof(buf));
	for (i = 0; i < 200; i++)
		if (send(f->fd, buf, sizeof(buf), 0) != sizeof(buf))
			f->bad++;
	return NULL;
}

static void *count_reader(void *arg)
{
	struct flow *f = arg;
	char buf[700];
	ssize_t r, i;

	while ((r = recv(f->fd, buf, sizeof(buf), 0)) > 0)
		for (i = 0; i < r; i++)
			f->len += buf[i] == 1;
	return NULL;
}

TEST_F(io, concurrent_users)
{
	struct flow f[4] = {
		{ self->c, 1, 0 }, { self->c, 2, 0 },
		{ self->s, 0, 0 }, { self->s, 0, 0 },
	};
	pthread_t t[4];
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL,
			       i < 2 ? count_writer : count_reader, &f[i]);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	shutdown(self->c, SHUT_WR);
	pthread_join(t[2], NULL);
	pthread_join(t[3], NULL);
	EXPECT_EQ(0, f[0].bad + f[1].bad);
	EXPECT_EQ(200000, f[2].len + f[3].len);
}

TEST_HARNESS_MAIN
