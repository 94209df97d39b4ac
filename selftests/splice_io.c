// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes that the kernel moves by itself: sendfile() and splice(), into a socket and out of
 * one. On the way in pages are not copied (MSG_SPLICE_PAGES, before 6.5 sendpage), and that
 * can be seen: what is written to them before the peer reads is what the peer reads.
 */
#include "tandem_test.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

/* The kernel's own flag for it, which no program may use. */
#define SPLICE_PAGES	0x8000000

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

static int asked(int fd, unsigned long what)
{
	int n = -1;

	return ioctl(fd, what, &n) ? -errno : n;
}

static int inq(int fd)
{
	return asked(fd, FIONREAD);
}

static int mark(int fd)
{
	return asked(fd, SIOCATMARK);
}

static int polled(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

/* Bytes that say where they are from. */
static void fill(void *buf, size_t len, uint64_t seed)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (seed + i * 2654435761u) >> 11;
}

static int file_of(size_t len, uint64_t seed)
{
	int fd = memfd_create("tandem", 0);
	char *p = malloc(len);

	fill(p, len, seed);
	if (fd >= 0 && write(fd, p, len) != (ssize_t)len) {
		close(fd);
		fd = -1;
	}
	free(p);
	return fd;
}

/* Reads to the end of the stream. */
struct sink {
	int fd;
	uint8_t *buf;
	size_t room, got;
	ssize_t last;
};

static void *drain(void *arg)
{
	struct sink *k = arg;

	while ((k->last = recv(k->fd, k->buf + k->got, k->room - k->got, 0)) > 0)
		k->got += k->last;
	return NULL;
}

/* In pieces of up to @most bytes; the reader may be slow. True: it arrived unharmed. */
static bool send_file(int c, int s, size_t len, size_t most, uint64_t seed)
{
	struct sink k = { .fd = s, .buf = malloc(len + 1), .room = len + 1 };
	uint8_t *want = malloc(len);
	int fd = file_of(len, seed);
	bool good = fd >= 0;
	off_t at = 0;
	pthread_t t;
	ssize_t r;

	pthread_create(&t, NULL, drain, &k);
	while (good && at < (off_t)len) {
		r = sendfile(c, fd, &at, len - at < most ? len - at : most);
		if (r < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ c, POLLOUT, 0 }, 1, TT_DEADLINE_MS);
		else
			good = r > 0;
	}
	shutdown(c, SHUT_WR);
	pthread_join(t, NULL);
	fill(want, len, seed);
	good = good && !k.last && k.got == len && !memcmp(k.buf, want, len);
	free(k.buf);
	free(want);
	close(fd);
	return good;
}

TEST_F(io, sendfile)
{
	EXPECT_TRUE(send_file(self->c, self->s, 1 << 20, 1 << 20, 31));
}

/* More pages in one skb than it has places for. */
TEST_F(io, sendfile_pieces)
{
	EXPECT_TRUE(send_file(self->c, self->s, 150000, 77, 32));
}

TEST_F(io, sendfile_small_buffers)
{
	tt_setint(self->c, SOL_SOCKET, SO_SNDBUF, 4096);
	tt_setint(self->s, SOL_SOCKET, SO_RCVBUF, 4096);
	EXPECT_TRUE(send_file(self->c, self->s, 60000, 9000, 33));
}

TEST_F(io, sendfile_nonblocking)
{
	tt_nonblock(self->c, true);
	tt_setint(self->c, SOL_SOCKET, SO_SNDBUF, 20000);
	EXPECT_TRUE(send_file(self->c, self->s, 600000, 1 << 20, 34));
}

/* The file's own pages go: what is written to them until the peer reads, it reads. */
TEST_F(io, sendfile_does_not_copy)
{
	const size_t len = 24576;
	uint8_t *want = malloc(len), *got = malloc(len);
	int fd = file_of(len, 51);
	off_t at = 0;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(len, sendfile(self->c, fd, &at, len));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == len));
	fill(want, len, 52);
	ASSERT_EQ(len, pwrite(fd, want, len, 0));
	EXPECT_EQ(len, recv(self->s, got, len, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(want, got, len));
	close(fd);
	free(want);
	free(got);
}

/* The same of a program's memory, which vmsplice() lends to a pipe. */
TEST_F(io, splice_does_not_copy)
{
	const size_t len = 16384;
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *want = malloc(len), *got = malloc(len);
	struct iovec iov = { mem, len };
	int p[2];

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, pipe(p));
	fill(mem, len, 61);
	ASSERT_EQ(len, vmsplice(p[1], &iov, 1, 0));
	ASSERT_EQ(len, splice(p[0], NULL, self->c, NULL, len, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == len));
	fill(want, len, 62);
	memcpy(mem, want, len);
	EXPECT_EQ(len, recv(self->s, got, len, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(want, got, len));
	munmap(mem, len);
	close(p[0]);
	close(p[1]);
	free(want);
	free(got);
}

/* SPLICE_F_MORE: a part of a segment waits for the rest, as with MSG_MORE. */
TEST_F(io, splice_more)
{
	char b[8];
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(3, write(p[1], "abc", 3));
	ASSERT_EQ(3, splice(p[0], NULL, self->c, NULL, 3, SPLICE_F_MORE));
	EXPECT_EQ(3, asked(self->c, SIOCOUTQNSD));
	EXPECT_EQ(0, inq(self->s));
	ASSERT_EQ(2, write(p[1], "de", 2));
	ASSERT_EQ(2, splice(p[0], NULL, self->c, NULL, 2, 0));
	EXPECT_EQ(5, recv(self->s, b, 5, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(b, "abcde", 5));
	close(p[0]);
	close(p[1]);
}

/* Between bytes that are copied and pages that the program lends (MSG_ZEROCOPY). */
TEST_F(io, sendfile_between_writes)
{
	const size_t len = 20000, all = 3 * len;
	uint8_t *want = malloc(all), *got = malloc(all);
	int fd = file_of(len, 71);
	off_t at = 0;

	ASSERT_GE(fd, 0);
	tt_setint(self->c, SOL_SOCKET, SO_SNDBUF, 1 << 20);
	fill(want, len, 70);
	fill(want + len, len, 71);
	fill(want + 2 * len, len, 72);
	ASSERT_EQ(len, send(self->c, want, len, MSG_MORE));
	ASSERT_EQ(len, sendfile(self->c, fd, &at, len));
	ASSERT_EQ(len, send(self->c, want + 2 * len, len, 0));
	EXPECT_EQ(all, recv(self->s, got, all, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(want, got, all));
	close(fd);
	free(want);
	free(got);
}

/* What only the kernel may say is nothing when a program says it: bytes are copied. */
TEST_F(io, flag_is_not_for_programs)
{
	char b[4096], got[4096];

	fill(b, sizeof(b), 81);
	ASSERT_EQ(sizeof(b), send(self->c, b, sizeof(b), SPLICE_PAGES));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == sizeof(b)));
	memset(b, 0, sizeof(b));
	EXPECT_EQ(sizeof(b), recv(self->s, got, sizeof(b), MSG_WAITALL));
	fill(b, sizeof(b), 81);
	EXPECT_EQ(0, memcmp(b, got, sizeof(b)));
}

TEST_F(io, sendfile_errors)
{
	int fd = file_of(100, 91);
	off_t at = 0;

	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, sendfile(self->c, fd, &(off_t){ 100 }, 100));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	EXPECT_EQ(-1, sendfile(self->c, fd, &at, 100));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, at);
	close(fd);
}

/* splice() gets what is in front of an urgent byte, and there nothing, not even in line. */
TEST_F(io, splice_urgent)
{
	int p[2], inl;
	char b[16];

	for (inl = 0; inl < 2; inl++) {
		ASSERT_EQ(0, pipe(p));
		ASSERT_EQ(0, tt_setint(self->s, SOL_SOCKET, SO_OOBINLINE, inl));
		ASSERT_EQ(3, send(self->c, "abZ", 3, MSG_OOB));
		ASSERT_EQ(2, send(self->c, "cd", 2, 0));
		ASSERT_TRUE(TT_AWAIT(inq(self->s) == (inl ? 5 : 2)));
		ASSERT_TRUE(TT_AWAIT(polled(self->s, POLLPRI) == POLLPRI));
		EXPECT_EQ(2, splice(self->s, NULL, p[1], NULL, 10, 0));
		EXPECT_EQ(2, read(p[0], b, sizeof(b)));
		EXPECT_EQ(0, memcmp(b, "ab", 2));
		EXPECT_EQ(1, mark(self->s));
		EXPECT_EQ(0, splice(self->s, NULL, p[1], NULL, 10, 0));
		/* A read passes it, and splice() goes on. */
		EXPECT_EQ(1, recv(self->s, b, 1, 0));
		EXPECT_EQ(inl ? 'Z' : 'c', b[0]);
		EXPECT_EQ(inl ? 2 : 1, splice(self->s, NULL, p[1], NULL, 10, 0));
		EXPECT_EQ(inl ? 2 : 1, read(p[0], b, sizeof(b)));
		EXPECT_EQ('d', b[inl]);
		close(p[0]);
		close(p[1]);
	}
}

/* EAGAIN, a part of what is there, and the end of the stream. */
TEST_F(io, splice_nonblocking)
{
	int p[2];
	char b[8];

	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(0, fcntl(self->s, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, splice(self->s, NULL, p[1], NULL, 10, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(4, send(self->c, "abcd", 4, 0));
	ASSERT_TRUE(TT_AWAIT(inq(self->s) == 4));
	EXPECT_EQ(3, splice(self->s, NULL, p[1], NULL, 3, 0));
	EXPECT_EQ(1, inq(self->s));
	EXPECT_EQ(1, recv(self->s, b, sizeof(b), 0));
	EXPECT_EQ('d', b[0]);
	EXPECT_EQ(3, read(p[0], b, sizeof(b)));
	EXPECT_EQ(0, memcmp(b, "abc", 3));
	ASSERT_EQ(0, shutdown(self->c, SHUT_WR));
	ASSERT_TRUE(TT_AWAIT(polled(self->s, POLLRDHUP) == POLLRDHUP));
	EXPECT_EQ(0, splice(self->s, NULL, p[1], NULL, 10, 0));
	close(p[0]);
	close(p[1]);
}

/* File to pipe to socket to pipe: both directions of splice(). */
TEST_F(io, splice)
{
	const size_t len = 200000;
	uint8_t *want = malloc(len), *got = malloc(len);
	size_t in = 0, out = 0, n;
	int fd = file_of(len, 41), a[2], b[2];
	ssize_t r;

	ASSERT_GE(fd, 0);
	lseek(fd, 0, SEEK_SET);
	ASSERT_EQ(0, pipe(a));
	ASSERT_EQ(0, pipe(b));
	fill(want, len, 41);
	while (out < len) {
		n = len - in < 30000 ? len - in : 30000;
		if (n) {
			r = splice(fd, NULL, a[1], NULL, n, 0);
			ASSERT_LT(0, r);
			ASSERT_EQ(r, splice(a[0], NULL, self->c, NULL, r, 0));
			in += r;
		}
		r = splice(self->s, NULL, b[1], NULL, 30000, 0);
		ASSERT_LT(0, r);
		while (r > 0) {
			n = read(b[0], got + out, r);
			ASSERT_LT(0, (ssize_t)n);
			out += n;
			r -= n;
		}
	}
	EXPECT_EQ(0, memcmp(want, got, len));
	/* The socket's own O_NONBLOCK decides, not SPLICE_F_NONBLOCK. */
	tt_nonblock(self->s, true);
	EXPECT_EQ(-1, splice(self->s, NULL, b[1], NULL, 10, 0));
	EXPECT_EQ(EAGAIN, errno);
	tt_nonblock(self->s, false);
	shutdown(self->c, SHUT_WR);
	EXPECT_EQ(0, splice(self->s, NULL, b[1], NULL, 10, 0));
	free(want);
	free(got);
}

TEST_HARNESS_MAIN
