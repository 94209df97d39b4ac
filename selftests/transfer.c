// SPDX-License-Identifier: GPL-2.0
/*
 * transfer - move pseudo-random bytes over many connections, both ways at
 * once, and compare every byte.
 *
 * The client opens each connection with a 32-byte header that tells the
 * server what will come; both ends then make the stream of either direction
 * from a seed and compare what arrives. In echo mode the client sends one
 * small message at a time and waits for it to come back.
 *
 * One thread, one epoll: a thousand connections are a thousand small
 * structures, and the sizes of reads and writes are the generator's choice.
 */
#include "tandem_test.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define MAGIC	0x544e444d31ULL
#define CHUNK	(64 * 1024)

struct header {
	uint64_t magic;
	uint64_t seed;
	uint64_t bytes;		/* each way, or the number of echoes */
	uint32_t up, down;	/* which ways carry data */
	uint32_t echo;		/* size of one message, 0: no echo mode */
	uint32_t pad;
};

struct conn {
	int fd;
	bool server, connecting, rd_done, wr_done, have_header;
	struct header h;
	size_t hdr_at;
	uint64_t tx_left, rx_left;
	uint64_t tx_rnd, rx_rnd, size_rnd;
	unsigned int tx_phase, rx_phase;	/* bytes used of a word */
	uint64_t tx_word, rx_word;
	uint8_t *out;		/* what is being sent, from out_at to out_len */
	size_t out_at, out_len;
	uint64_t echoes;
	uint32_t events;
};

static struct {
	enum tt_way way;
	bool way_set, server, client, between, up, down, quiet, verbose;
	const char *addr, *ready;
	const char *space[2];		/* namespaces of client and server */
	char *env[2][4];		/* NAME=VALUE that only one of them has */
	int envs[2];
	int port, streams, timeout, nodelay, sndbuf, rcvbuf;
	uint64_t bytes, seed, echo;
	uint32_t size;
} o = {
	.up = true, .down = true, .streams = 1, .seed = 1, .timeout = 120,
	.bytes = 1 << 20, .size = 32,
};

static int ep, finished, failures;
static uint64_t moved;

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint64_t step(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* The next @len bytes of a stream; words are cut over call boundaries. */
static void generate(uint8_t *p, size_t len, uint64_t *rnd, uint64_t *word,
		     unsigned int *phase)
{
	while (len) {
		if (!*phase && len >= 8) {
			uint64_t w = step(rnd);

			memcpy(p, &w, 8);
			p += 8;
			len -= 8;
			continue;
		}
		if (!*phase)
			*word = step(rnd);
		*p++ = *word >> (8 * *phase);
		*phase = (*phase + 1) % 8;
		len--;
	}
}

static void fail(struct conn *c, const char *what)
{
	fprintf(stderr, "transfer: %s: fd %d: %s%s%s\n",
		c->server ? "server" : "client", c->fd, what,
		errno ? ": " : "", errno ? strerror(errno) : "");
	failures++;
}

static void start_streams(struct conn *c)
{
	bool send_up = c->server ? c->h.down : c->h.up;
	bool recv_up = c->server ? c->h.up : c->h.down;
	uint64_t a = mix(c->h.seed), b = mix(~c->h.seed);

	c->tx_rnd = c->server ? b : a;
	c->rx_rnd = c->server ? a : b;
	c->size_rnd = mix(c->h.seed + 7 + c->server);
	c->have_header = true;
	if (c->h.echo) {
		c->rx_left = c->h.bytes * c->h.echo;
		c->tx_left = c->server ? 0 : c->h.echo;
		c->rx_rnd = a;
		return;
	}
	c->tx_left = send_up ? c->h.bytes : 0;
	c->rx_left = recv_up ? c->h.bytes : 0;
}

static void want(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (events == c->events)
		return;
	epoll_ctl(ep, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev);
	c->events = events;
}

static struct conn *conn_new(int fd, bool server)
{
	struct conn *c = calloc(1, sizeof(*c));

	c->fd = fd;
	c->server = server;
	tt_nonblock(fd, true);
	if (o.nodelay)
		tt_setint(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (o.sndbuf)
		tt_setint(fd, SOL_SOCKET, SO_SNDBUF, o.sndbuf);
	if (o.rcvbuf)
		tt_setint(fd, SOL_SOCKET, SO_RCVBUF, o.rcvbuf);
	return c;
}

static void conn_end(struct conn *c)
{
	if (c->rx_left || c->tx_left) {
		fprintf(stderr,
			"transfer: fd %d ended with %llu to send, %llu to receive\n",
			c->fd, (unsigned long long)c->tx_left,
			(unsigned long long)c->rx_left);
		failures++;
	}
	close(c->fd);
	free(c->out);
	free(c);
	finished++;
}

/* Fill c->out with what comes next; false when nothing is left to send. */
static bool next_output(struct conn *c)
{
	size_t n = CHUNK;

	if (!c->out)
		c->out = malloc(CHUNK);
	c->out_at = 0;
	c->out_len = 0;
	if (!c->server && !c->have_header) {
		memcpy(c->out, &c->h, sizeof(c->h));
		c->out_len = sizeof(c->h);
		start_streams(c);
		if (c->h.echo) {	/* the first message rides along */
			generate(c->out + c->out_len, c->h.echo, &c->tx_rnd,
				 &c->tx_word, &c->tx_phase);
			c->out_len += c->h.echo;
			c->tx_left = 0;
		}
		return true;
	}
	if (!c->tx_left)
		return false;
	if (!c->h.echo)
		n = step(&c->size_rnd) % 4 ? step(&c->size_rnd) % CHUNK + 1 :
					     step(&c->size_rnd) % 1500 + 1;
	c->out_len = n < c->tx_left ? n : c->tx_left;
	generate(c->out, c->out_len, &c->tx_rnd, &c->tx_word, &c->tx_phase);
	c->tx_left -= c->out_len;
	return true;
}

static bool echo_done(const struct conn *c)
{
	return c->h.echo && !c->rx_left;
}

/* False: the connection failed. */
static bool do_write(struct conn *c)
{
	ssize_t n;

	for (;;) {
		if (c->out_at == c->out_len && !next_output(c))
			break;
		n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
			 MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			fail(c, "send");
			return false;
		}
		c->out_at += n;
		moved += n;
	}
	if (c->have_header && !c->wr_done && (!c->h.echo || echo_done(c))) {
		c->wr_done = true;
		if (shutdown(c->fd, SHUT_WR)) {
			fail(c, "shutdown");
			return false;
		}
	}
	return true;
}

static bool take_header(struct conn *c)
{
	ssize_t n = recv(c->fd, (char *)&c->h + c->hdr_at,
			 sizeof(c->h) - c->hdr_at, 0);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		fail(c, "no header");
		return false;
	}
	c->hdr_at += n;
	if (c->hdr_at < sizeof(c->h))
		return true;
	if (c->h.magic != MAGIC || c->h.echo > CHUNK / 2) {
		fail(c, "wrong header");
		return false;
	}
	start_streams(c);
	return true;
}

static bool compare(struct conn *c, const uint8_t *got, size_t n)
{
	static uint8_t exp[CHUNK];
	size_t i;

	if (n > c->rx_left) {
		errno = 0;
		fail(c, "more bytes than announced");
		return false;
	}
	generate(exp, n, &c->rx_rnd, &c->rx_word, &c->rx_phase);
	if (memcmp(exp, got, n)) {
		for (i = 0; exp[i] == got[i]; i++)
			;
		fprintf(stderr, "transfer: byte %zu of %llu left differs\n",
			i, (unsigned long long)c->rx_left);
		errno = 0;
		fail(c, "wrong data");
		return false;
	}
	c->rx_left -= n;
	return true;
}

static bool do_read(struct conn *c)
{
	static uint8_t buf[CHUNK];
	size_t room;
	ssize_t n;

	while (c->server && !c->have_header) {
		size_t at = c->hdr_at;

		if (!take_header(c))
			return false;
		if (at == c->hdr_at)
			return true;
	}
	while (!c->rd_done) {
		room = c->have_header ? step(&c->size_rnd) % CHUNK + 1 : 1;
		if (c->server && c->h.echo && c->out_at < c->out_len)
			return true;	/* first the answer must go */
		n = recv(c->fd, buf, room, 0);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			fail(c, "recv");
			return false;
		}
		if (!n) {
			c->rd_done = true;
			break;
		}
		moved += n;
		if (!compare(c, buf, n))
			return false;
		if (!c->h.echo)
			continue;
		if (c->server) {
			if (!c->out)
				c->out = malloc(CHUNK);
			memcpy(c->out, buf, n);
			c->out_at = 0;
			c->out_len = n;
			if (!do_write(c))
				return false;
		} else if (c->rx_left && c->rx_left % c->h.echo == 0) {
			c->tx_left = c->h.echo;
			if (!do_write(c))
				return false;
		}
	}
	return true;
}

static void serve(struct conn *c, uint32_t events)
{
	int err;

	if (c->connecting) {
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		err = tt_getint(c->fd, SOL_SOCKET, SO_ERROR);
		if (err) {
			errno = err;
			fail(c, "connect");
			conn_end(c);
			return;
		}
		c->connecting = false;
	}
	if (!do_read(c) || !do_write(c)) {
		c->rx_left = 0;
		c->tx_left = 0;
		conn_end(c);
		return;
	}
	if (c->rd_done && c->wr_done && c->out_at == c->out_len) {
		conn_end(c);
		return;
	}
	want(c, (c->rd_done ? 0 : EPOLLIN) | EPOLLERR |
	     (c->out_at < c->out_len ? EPOLLOUT : 0));
}

static socklen_t address(struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	char mapped[80];

	if (!o.addr)
		return tt_addr(o.way, ss, 1, o.port);
	tt_addr(o.way, ss, 0, o.port);
	if (o.way == TT_V4)
		return inet_pton(AF_INET, o.addr, &in->sin_addr) == 1 ?
			sizeof(*in) : 0;
	snprintf(mapped, sizeof(mapped), "%s%s",
		 strchr(o.addr, ':') ? "" : "::ffff:", o.addr);
	return inet_pton(AF_INET6, mapped, &in6->sin6_addr) == 1 ?
		sizeof(*in6) : 0;
}

static int listener(void)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss);
	int fd = tt_socket(o.way, 0);

	if (fd < 0 || !len)
		return -1;
	tt_setint(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (o.rcvbuf)
		tt_setint(fd, SOL_SOCKET, SO_RCVBUF, o.rcvbuf);
	if (bind(fd, (struct sockaddr *)&ss, len) || listen(fd, 4096))
		return -1;
	o.port = tt_port(fd);
	tt_nonblock(fd, true);
	return fd;
}

/* Tell whoever waits (a file by @ready, else standard output) the port. */
static void announce(void)
{
	FILE *f = stdout;
	char tmp[512];

	if (o.ready) {
		snprintf(tmp, sizeof(tmp), "%s.tmp", o.ready);
		f = fopen(tmp, "w");
		if (!f)
			return;
	}
	fprintf(f, "%d\n", o.port);
	if (!o.ready) {
		fflush(f);
		return;
	}
	fclose(f);
	rename(tmp, o.ready);
}

static int open_client(int index)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss);
	int fd = tt_socket(o.way, SOCK_NONBLOCK);
	struct conn *c;

	if (fd < 0 || !len) {
		perror("transfer: socket");
		return -1;
	}
	c = conn_new(fd, false);
	c->h = (struct header) {
		.magic = MAGIC, .seed = mix(o.seed + index),
		.bytes = o.echo ? o.echo : o.bytes,
		.up = o.up, .down = o.down, .echo = o.echo ? o.size : 0,
	};
	c->connecting = true;
	if (connect(fd, (struct sockaddr *)&ss, len) && errno != EINPROGRESS) {
		fail(c, "connect");
		return -1;
	}
	want(c, EPOLLOUT | EPOLLIN);
	return 0;
}

static void progress(const char *who)
{
	static uint64_t last_moved;
	static long last;
	long now = tt_now_ms();

	if (!o.verbose || now - last < 2000)
		return;
	if (last)
		fprintf(stderr, "transfer: %s: %d of %d done, %llu KiB moved\n",
			who, finished, o.streams,
			(unsigned long long)((moved - last_moved) >> 10));
	last = now;
}

static int loop(int lfd)
{
	struct epoll_event ev[64];
	uint64_t seen = 0;
	long quiet_since = tt_now_ms();
	int i, n, fd;

	while (finished < o.streams && failures < 10) {
		n = epoll_wait(ep, ev, 64, 1000);
		for (i = 0; i < n; i++) {
			if (ev[i].data.ptr) {
				serve(ev[i].data.ptr, ev[i].events);
				continue;
			}
			while ((fd = accept(lfd, NULL, NULL)) >= 0)
				want(conn_new(fd, true), EPOLLIN);
		}
		progress(lfd >= 0 ? "server" : "client");
		if (moved != seen) {
			seen = moved;
			quiet_since = tt_now_ms();
		}
		if (tt_now_ms() - quiet_since > o.timeout * 1000L) {
			fprintf(stderr,
				"transfer: no progress for %d s, %d of %d done\n",
				o.timeout, finished, o.streams);
			return 1;
		}
	}
	return failures ? 1 : 0;
}

static int run_server(int lfd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &ev);
	return loop(lfd);
}

static int run_client(void)
{
	int i;

	ep = epoll_create1(0);
	for (i = 0; i < o.streams; i++)
		if (open_client(i))
			return 1;
	return loop(-1);
}

enum { CLIENT, SERVER };

/* From here on this process is that end. */
static int become(int end)
{
	char path[256];
	int i, fd;

	for (i = 0; i < o.envs[end]; i++)
		putenv(o.env[end][i]);
	if (!o.space[end])
		return 0;
	snprintf(path, sizeof(path), "/run/netns/%s", o.space[end]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET)) {
		perror(path);
		return -1;
	}
	close(fd);
	return 0;
}

static int serve_other(int port_to)
{
	int lfd;

	if (become(SERVER))
		return 1;
	lfd = listener();
	if (lfd < 0) {
		perror("transfer: listen");
		return 1;
	}
	if (write(port_to, &o.port, sizeof(o.port)) != sizeof(o.port))
		return 1;
	close(port_to);
	return run_server(lfd);
}

static int run_both(void)
{
	int ends[2], status = 0, err;
	pid_t pid;

	if (pipe(ends)) {
		perror("transfer: pipe");
		return 1;
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("transfer: fork");
		return 1;
	}
	if (!pid) {
		close(ends[0]);
		err = serve_other(ends[1]);
		fflush(NULL);
		_exit(err);
	}
	close(ends[1]);
	err = read(ends[0], &o.port, sizeof(o.port)) != sizeof(o.port) || become(CLIENT) ||
	      run_client();
	if (err)
		kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return err || status;
}

static void usage(FILE *f)
{
	fputs("Usage: transfer [options] [--server ADDR PORT | --client ADDR PORT |\n"
	      "                           --between CLIENT-SPACE SERVER-SPACE ADDR]\n"
	      "Moves pseudo-random bytes and compares each. Without --server or\n"
	      "--client both run here: over loopback, or each in a namespace of its\n"
	      "own. PORT 0 lets the server choose.\n"
	      "  --bytes N      bytes each way on each connection (1 MiB)\n"
	      "  --both --up --down   which ways carry data (both)\n"
	      "  --echo N       N messages, each answered, instead of a stream\n"
	      "  --size B       bytes of such a message (32)\n"
	      "  --streams K    connections at once (1)\n"
	      "  --seed S       what the bytes are made from (1)\n"
	      "  --v4 --v6 --mapped   how to speak (by ADDR, else v4)\n"
	      "  --timeout T    fail after T seconds without progress (120)\n"
	      "  --nodelay      set TCP_NODELAY\n"
	      "  --sndbuf N --rcvbuf N   set the buffers\n"
	      "  --ready FILE   server: write the port there when listening\n"
	      "  --client-env NAME=VALUE --server-env NAME=VALUE\n"
	      "                 with --between: what only that end has\n"
	      "  --verbose      tell progress every 2 s\n"
	      "The protocol is $TANDEM_PROTO (254; 6 is TCP).\n", f);
}

static const struct option longs[] = {
	{ "bytes", 1, NULL, 'b' }, { "both", 0, NULL, 'B' },
	{ "up", 0, NULL, 'U' }, { "down", 0, NULL, 'D' },
	{ "echo", 1, NULL, 'e' }, { "size", 1, NULL, 's' },
	{ "streams", 1, NULL, 'k' }, { "seed", 1, NULL, 'S' },
	{ "v4", 0, NULL, '4' }, { "v6", 0, NULL, '6' },
	{ "mapped", 0, NULL, 'm' }, { "timeout", 1, NULL, 't' },
	{ "nodelay", 0, NULL, 'n' }, { "sndbuf", 1, NULL, 'w' },
	{ "rcvbuf", 1, NULL, 'r' }, { "ready", 1, NULL, 'R' },
	{ "server", 0, NULL, 'l' }, { "client", 0, NULL, 'c' },
	{ "between", 0, NULL, 'N' }, { "client-env", 1, NULL, 'C' },
	{ "server-env", 1, NULL, 'L' },
	{ "verbose", 0, NULL, 'v' }, { "help", 0, NULL, 'h' }, {}
};

static void set_way(enum tt_way way)
{
	o.way = way;
	o.way_set = true;
}

static int add_env(int end, char *pair)
{
	if (!strchr(pair, '=') || o.envs[end] == sizeof(o.env[0]) / sizeof(*o.env[0]))
		return -1;
	o.env[end][o.envs[end]++] = pair;
	return 0;
}

static int parse(int argc, char **argv)
{
	int ch;

	while ((ch = getopt_long(argc, argv, "hv46m", longs, NULL)) != -1) {
		switch (ch) {
		case 'b':
			o.bytes = strtoull(optarg, NULL, 0);
			break;
		case 'B':
			o.up = true;
			o.down = true;
			break;
		case 'U':
			o.up = true;
			o.down = false;
			break;
		case 'D':
			o.up = false;
			o.down = true;
			break;
		case 'e':
			o.echo = strtoull(optarg, NULL, 0);
			break;
		case 's':
			o.size = atoi(optarg);
			break;
		case 'k':
			o.streams = atoi(optarg);
			break;
		case 'S':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case '4':
			set_way(TT_V4);
			break;
		case '6':
			set_way(TT_V6);
			break;
		case 'm':
			set_way(TT_MAPPED);
			break;
		case 't':
			o.timeout = atoi(optarg);
			break;
		case 'n':
			o.nodelay = 1;
			break;
		case 'w':
			o.sndbuf = atoi(optarg);
			break;
		case 'r':
			o.rcvbuf = atoi(optarg);
			break;
		case 'R':
			o.ready = optarg;
			break;
		case 'l':
			o.server = true;
			break;
		case 'c':
			o.client = true;
			break;
		case 'N':
			o.between = true;
			break;
		case 'C':
		case 'L':
			if (add_env(ch == 'C' ? CLIENT : SERVER, optarg))
				return -1;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return -1;
		}
	}
	return 0;
}

static int options(int argc, char **argv)
{
	if (parse(argc, argv))
		return -1;
	if (o.server || o.client) {
		if (argc - optind != 2 || (o.server && o.client))
			return -1;
		o.addr = argv[optind];
		o.port = atoi(argv[optind + 1]);
		if (!o.way_set && strchr(o.addr, ':'))
			o.way = TT_V6;
	} else if (o.between) {
		if (argc - optind != 3)
			return -1;
		o.space[CLIENT] = argv[optind];
		o.space[SERVER] = argv[optind + 1];
		o.addr = argv[optind + 2];
		if (!o.way_set && strchr(o.addr, ':'))
			o.way = TT_V6;
	} else if (argc != optind) {
		return -1;
	}
	return o.streams > 0 && o.size > 0 && o.size <= CHUNK / 2 ? 0 : -1;
}

int main(int argc, char **argv)
{
	int err, lfd;

	signal(SIGPIPE, SIG_IGN);
	if (options(argc, argv)) {
		usage(stderr);
		return 2;
	}
	if (o.server) {
		lfd = listener();
		if (lfd < 0) {
			perror("transfer: listen");
			return 1;
		}
		announce();
		err = run_server(lfd);
	} else if (o.client) {
		err = run_client();
	} else {
		err = run_both();
	}
	if (!o.server)
		printf("transfer: %s, %d connections of %llu %s\n",
		       err ? "FAILED" : "OK", o.streams,
		       (unsigned long long)(o.echo ? o.echo : o.bytes),
		       o.echo ? "echoes" : "bytes");
	return err;
}
