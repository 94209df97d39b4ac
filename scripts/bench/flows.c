// SPDX-License-Identifier: GPL-2.0
/*
 * flows - the traffic of bench-sim: the same bytes over any stream protocol.
 *
 *   flows serve ...   answers requests: reads UP bytes, sends DOWN, closes
 *   flows run ...     opens flows to it, one after another or side by side
 *   flows queue ...   samples the backlog of a device's root qdisc
 *
 * A request begins with a header that says how long it is and how long the
 * answer shall be. A bulk transfer is a long request without an answer and is
 * over when the server has read its last byte; an exchange is a short request
 * and is over when the client has read the answer's last byte. Neither needs a
 * half-close, which SCTP does not have.
 *
 * A thread for each flow, with blocking calls that move whole chunks: a system
 * call is what costs most in user-mode Linux, and in virtual time a sleeping
 * reader takes the data at the very moment it arrives all the same.
 *
 * Every flow has a source port of its own, FIRST + n, since the dropper (see
 * drop.bpf.c) knows flows by that. Output is one JSON object a line with times
 * of CLOCK_MONOTONIC in nanoseconds, the same clock in all namespaces.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAGIC		0x464c4f57
#define CHUNK		(64 * 1024)
#define SCTP_MESSAGE	(16 * 1024)	/* SCTP keeps message boundaries */
#define SCTP_NODELAY	3
#define EOF_PATIENCE	60		/* seconds for the end after the answer */
#define ENDLESS		UINT64_MAX

struct header {
	uint32_t magic;
	uint32_t size;		/* of this header */
	uint64_t up;		/* bytes of the request, header included */
	uint64_t down;		/* bytes of the answer */
};

struct flow {
	struct flow *next;
	int fd;
	int port;		/* the client's */
	uint64_t begin;		/* when to start */
	uint64_t rx;		/* bytes so far */
	uint64_t t_start;
};

static struct {
	int proto;
	const char *cc, *addr, *dev;
	int port, first, flows, buffer, gap_ms, stagger_ms, interval;
	unsigned int seed;
	bool fastopen, together, no_delay;
	uint64_t up, down;
	double seconds, from;
} o = {
	.proto = IPPROTO_TCP, .addr = "127.0.0.1", .port = 5001, .first = 20000,
	.flows = 1, .gap_ms = 10, .up = 100,
};

/* The server's flows, for print_progress(). */
static struct flow *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	fprintf(stderr, "flows: %s: %s\n", what, strerror(errno));
	printf("{\"ev\":\"error\",\"what\":\"%s\",\"errno\":%d}\n", what, errno);
	exit(1);
}

static void leave(int sig)
{
	_exit(0);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* A spread of the seed's and the number's bits, for starting times. */
static uint32_t mix(uint32_t x)
{
	x = (x ^ (x >> 16)) * 0x7feb352d;
	x = (x ^ (x >> 15)) * 0x846ca68b;
	return x ^ (x >> 16);
}

/* -- sockets -- */

static void no_delay(int fd)
{
	int one = 1;

	if (!o.no_delay)
		return;
	if (o.proto == IPPROTO_SCTP)
		setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, o.proto);
	int one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (o.buffer) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &o.buffer, sizeof(int));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &o.buffer, sizeof(int));
	}
	no_delay(fd);
	if (o.cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, o.cc, strlen(o.cc)))
		die("TCP_CONGESTION");
	return fd;
}

static void patience(int fd, double seconds)
{
	struct timeval tv = { seconds, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void fail(struct flow *f, const char *what, int error)
{
	printf("{\"ev\":\"fail\",\"what\":\"%s\",\"port\":%d,\"errno\":%d,"
	       "\"t0\":%llu,\"t\":%llu,\"rx\":%llu}\n", what, f->port, error,
	       (unsigned long long)f->t_start, (unsigned long long)now(),
	       (unsigned long long)f->rx);
}

/* Send that many bytes, those of *h first; false: errno says why not. */
static bool send_all(int fd, uint64_t total, const struct header *h)
{
	uint8_t chunk[CHUNK];
	uint64_t at = 0;
	ssize_t n;

	memset(chunk, 'x', sizeof(chunk));
	if (h)
		memcpy(chunk, h, sizeof(*h));
	while (at < total) {
		uint64_t most = o.proto == IPPROTO_SCTP ? SCTP_MESSAGE : CHUNK;
		/* Should the first call take less than the header ... */
		size_t skip = h && at < sizeof(*h) ? at : 0;

		if (most > total - at)
			most = total - at;
		if (most > CHUNK - skip)
			most = CHUNK - skip;
		n = send(fd, chunk + skip, most, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		at += n;
	}
	return true;
}

/* Read until f->rx is total; false: the end (errno 0) or an error. */
static bool read_to(struct flow *f, uint64_t total, struct header *h)
{
	uint8_t chunk[CHUNK];
	ssize_t n;

	while (f->rx < total) {
		void *to = chunk;
		uint64_t most = CHUNK;

		if (h && f->rx < sizeof(*h))
			to = (uint8_t *)h + f->rx;
		if (most > total - f->rx)
			most = total - f->rx;
		errno = 0;
		n = recv(f->fd, to, most, MSG_WAITALL);
		if (n <= 0)
			return false;
		f->rx += n;
	}
	return true;
}

/* -- the server -- */

static void *server_flow(void *arg)
{
	struct flow *f = arg, **p;
	struct header h = {};

	if (!read_to(f, sizeof(h), &h)) {
		fail(f, "serve", errno);
	} else if (h.magic != MAGIC || h.up < sizeof(h)) {
		fail(f, "header", EBADMSG);
	} else if (!read_to(f, h.up, NULL)) {
		fail(f, "serve", errno);
	} else {
		printf("{\"ev\":\"up\",\"port\":%d,\"t\":%llu,\"bytes\":%llu}\n",
		       f->port, (unsigned long long)now(), (unsigned long long)f->rx);
		if (!send_all(f->fd, h.down, NULL))
			fail(f, "answer", errno);
	}
	close(f->fd);
	pthread_mutex_lock(&lock);
	for (p = &all; *p != f; p = &(*p)->next)
		;
	*p = f->next;
	pthread_mutex_unlock(&lock);
	free(f);
	return NULL;
}

static void *print_progress(void *arg)
{
	uint64_t next = now();
	struct flow *f;

	for (;;) {
		const char *sep = "";

		next += o.interval * 1000000ULL;
		sleep_until(next);
		pthread_mutex_lock(&lock);
		printf("{\"ev\":\"bytes\",\"t\":%llu,\"flows\":{",
		       (unsigned long long)now());
		for (f = all; f; f = f->next) {
			printf("%s\"%d\":%llu", sep, f->port, (unsigned long long)f->rx);
			sep = ",";
		}
		printf("}}\n");
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void start_thread(void *(*fn)(void *), void *arg, pthread_t *t)
{
	pthread_t detached;

	errno = pthread_create(t ? t : &detached, NULL, fn, arg);
	if (errno)
		die("pthread_create");
	if (!t)
		pthread_detach(detached);
}

static void serve(void)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(o.port),
	};
	int fd = new_socket(), queue = 1024, child;
	struct flow *f;
	socklen_t len;

	if (o.fastopen && setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)))
		die("TCP_FASTOPEN");
	if (bind(fd, (void *)&sin, sizeof(sin)))
		die("bind");
	if (listen(fd, 1024))
		die("listen");
	if (o.interval)
		start_thread(print_progress, NULL, NULL);
	printf("{\"ev\":\"ready\"}\n");
	for (;;) {
		len = sizeof(sin);
		child = accept4(fd, (void *)&sin, &len, SOCK_CLOEXEC);
		if (child < 0)
			continue;
		no_delay(child);
		f = calloc(1, sizeof(*f));
		if (!f)
			die("calloc");
		f->fd = child;
		f->port = ntohs(sin.sin_port);
		f->t_start = now();
		pthread_mutex_lock(&lock);
		f->next = all;
		all = f;
		pthread_mutex_unlock(&lock);
		start_thread(server_flow, f, NULL);
	}
}

/* -- the client -- */

/* Connect and send the request; false if that failed, and said so. */
static bool request(struct flow *f, const struct header *h)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(f->port),
	};
	int one = 1;

	if (bind(f->fd, (void *)&sin, sizeof(sin)))
		die("bind");
	/* With a known cookie connect() does nothing: the request makes the SYN. */
	if (o.fastopen &&
	    setsockopt(f->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)))
		die("TCP_FASTOPEN_CONNECT");
	sin.sin_port = htons(o.port);
	inet_pton(AF_INET, o.addr, &sin.sin_addr);
	f->t_start = now();
	printf("{\"ev\":\"start\",\"port\":%d,\"t\":%llu}\n", f->port,
	       (unsigned long long)f->t_start);
	if (connect(f->fd, (void *)&sin, sizeof(sin))) {
		fail(f, "connect", errno);
		return false;
	}
	if (!send_all(f->fd, h->up, h)) {
		fail(f, "request", errno);
		return false;
	}
	return true;
}

static void *client_flow(void *arg)
{
	struct header h = { MAGIC, sizeof(h), o.up, o.down };
	/* What is cut goes without ceremony: an RST, or SCTP's ABORT. */
	struct linger l = { .l_onoff = 1 };
	struct flow *f = arg;
	uint64_t end;

	if (f->begin)
		sleep_until(f->begin);
	f->fd = new_socket();
	if (o.up == ENDLESS)
		setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	else if (o.seconds)
		patience(f->fd, o.seconds);
	if (request(f, &h)) {
		if (!read_to(f, o.down, NULL)) {
			fail(f, "answer", errno);
		} else {
			end = now();
			/* Nothing of this flow shall be about during the next. Of a
			 * transfer without an answer this is the end.
			 */
			patience(f->fd, o.down ? EOF_PATIENCE : o.seconds);
			if (read_to(f, ENDLESS, NULL) || (errno && !o.down))
				fail(f, "end", errno);
			printf("{\"ev\":\"done\",\"port\":%d,\"t0\":%llu,\"t1\":%llu}\n",
			       f->port, (unsigned long long)f->t_start,
			       (unsigned long long)end);
		}
	}
	close(f->fd);
	return NULL;
}

static int run(void)
{
	struct flow *f = calloc(o.flows, sizeof(*f));
	pthread_t *t = calloc(o.flows, sizeof(*t));
	uint64_t start = now();
	int i;

	if (!f || !t)
		die("calloc");
	for (i = 0; i < o.flows; i++) {
		f[i].port = o.first + i;
		if (o.together) {
			f[i].begin = start + (o.stagger_ms ? mix(o.seed * 64 + i) %
					      (o.stagger_ms * 1000ULL) * 1000 : 0);
			start_thread(client_flow, &f[i], &t[i]);
			continue;
		}
		client_flow(&f[i]);
		/* Not in step with the kernel's tick. */
		sleep_until(now() + o.gap_ms * 1000000ULL +
			    mix(o.seed * 65536 + i) % 10000000);
	}
	if (o.up == ENDLESS)
		sleep_until(start + o.seconds * 1e9);
	else if (o.together)
		for (i = 0; i < o.flows; i++)
			pthread_join(t[i], NULL);
	return 0;
}

/* -- the bottleneck's queue -- */

static int backlog(int nl, int index)
{
	struct {
		struct nlmsghdr n;
		struct tcmsg t;
	} req = {
		.n = { sizeof(req), RTM_GETQDISC,
		       NLM_F_REQUEST | NLM_F_ECHO },
		.t = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index,
		       .tcm_parent = TC_H_ROOT },
	};
	char buf[8192];
	struct nlmsghdr *n = (void *)buf;
	int len, rest;
	struct rtattr *a, *b;

	if (send(nl, &req, sizeof(req), 0) < 0)
		die("netlink");
	len = recv(nl, buf, sizeof(buf), 0);
	if (len < 0 || !NLMSG_OK(n, len) || n->nlmsg_type != RTM_NEWQDISC)
		die("RTM_GETQDISC");
	len = n->nlmsg_len - NLMSG_LENGTH(sizeof(struct tcmsg));
	a = (void *)((char *)NLMSG_DATA(n) + NLMSG_ALIGN(sizeof(struct tcmsg)));
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type != TCA_STATS2)
			continue;
		rest = RTA_PAYLOAD(a);
		for (b = RTA_DATA(a); RTA_OK(b, rest); b = RTA_NEXT(b, rest))
			if (b->rta_type == TCA_STATS_QUEUE)
				return ((struct gnet_stats_queue *)RTA_DATA(b))->backlog;
	}
	die("no backlog");
	return 0;
}

static int by_size(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

static int queue(void)
{
	size_t room = 1 << 16, count = 0, i, step;
	int *v = malloc(room * sizeof(*v));
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int index = if_nametoindex(o.dev), x;
	uint64_t start = now(), from = start + o.from * 1e9;
	uint64_t next = start, end = start + o.seconds * 1e9;

	if (!v || nl < 0 || !index)
		die("queue");
	while (now() < end) {
		next += o.interval * 1000ULL;
		sleep_until(next);
		x = backlog(nl, index);
		if (now() < from)
			continue;
		if (count == room) {
			room *= 2;
			v = realloc(v, room * sizeof(*v));
			if (!v)
				die("realloc");
		}
		v[count++] = x;
	}
	if (!count)
		die("no sample");
	/* A course of at most 400 points for pictures, then the distribution. */
	printf("{\"ev\":\"queue\",\"samples\":%zu,\"course\":[", count);
	step = count / 400 + 1;
	for (i = 0; i < count; i += step)
		printf("%s%d", i ? "," : "", v[i]);
	qsort(v, count, sizeof(*v), by_size);
	printf("],\"p50\":%d,\"p95\":%d,\"p99\":%d,\"max\":%d}\n",
	       v[(count - 1) / 2], v[(size_t)((count - 1) * 0.95)],
	       v[(size_t)((count - 1) * 0.99)], v[count - 1]);
	return 0;
}

static void usage(void)
{
	fputs("usage: flows serve|run|queue OPTIONS\n"
	      "  -p N  IP protocol          -c NAME  congestion control\n"
	      "  -a A  server's address     -P N     server's port\n"
	      "  -b N  fixed socket buffers -f       TCP fast open\n"
	      "  -N    no Nagle algorithm\n"
	      " serve: -i MS  print the bytes of each flow that often\n"
	      " run:   -n N   flows, in turn; -j all together, -s MS starting within that\n"
	      "        -B N   first source port   -g MS  pause between flows\n"
	      "        -u N, -d N  bytes up (0: endless) and down\n"
	      "        -T S   endless: cut all after that; else how long a call may wait\n"
	      "        -S N   seed of pauses and starting times\n"
	      " queue: -D DEV -i US  -F S from then  -T S until then\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int c;

	while ((c = getopt(argc - 1, argv + 1, "p:c:a:P:b:fNi:n:js:B:g:u:d:T:S:D:F:")) > 0) {
		switch (c) {
		case 'p': o.proto = atoi(optarg); break;
		case 'c': o.cc = optarg; break;
		case 'a': o.addr = optarg; break;
		case 'P': o.port = atoi(optarg); break;
		case 'b': o.buffer = atoi(optarg); break;
		case 'f': o.fastopen = true; break;
		case 'N': o.no_delay = true; break;
		case 'i': o.interval = atoi(optarg); break;
		case 'n': o.flows = atoi(optarg); break;
		case 'j': o.together = true; break;
		case 's': o.stagger_ms = atoi(optarg); break;
		case 'B': o.first = atoi(optarg); break;
		case 'g': o.gap_ms = atoi(optarg); break;
		case 'u': o.up = strtoull(optarg, NULL, 0); break;
		case 'd': o.down = strtoull(optarg, NULL, 0); break;
		case 'T': o.seconds = atof(optarg); break;
		case 'S': o.seed = atoi(optarg); break;
		case 'D': o.dev = optarg; break;
		case 'F': o.from = atof(optarg); break;
		default: usage();
		}
	}
	if (!o.up)
		o.up = ENDLESS;
	else if (o.up < sizeof(struct header))
		o.up = sizeof(struct header);
	if (o.flows < 1 || o.flows > 40000)
		usage();
	/* Lines leave at once, so that a server can be ended at any moment. */
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	signal(SIGTERM, leave);
	signal(SIGINT, leave);
	if (!strcmp(mode, "serve"))
		serve();
	if (!strcmp(mode, "run"))
		return run();
	if (!strcmp(mode, "queue") && o.dev)
		return queue();
	usage();
}
