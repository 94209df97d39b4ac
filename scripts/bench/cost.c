// SPDX-License-Identifier: GPL-2.0
/*
 * cost - the traffic of bench-cpu, and its meter.
 *
 *   cost run ...    exchanges, on one connection or each on a new one; counted
 *   cost hold ...   connections that are there and do nothing, to be weighed
 *
 * Two processes, client and server, each in a network namespace of its own, on
 * the one processor of the guest. Everything is one kind of exchange: UP bytes
 * there, DOWN bytes back, with blocking calls. A bulk transfer is an exchange of
 * many bytes there and one back, so it is over when the server has read all of
 * it. What differs between protocols is the arguments of socket() and the
 * address, nothing else; AF_UNIX is one of them.
 *
 * Where time counts instructions (QEMU's icount), the cost is the time that
 * went by less the time that nobody computed: the idle_sleeptime and
 * iowait_sleeptime of /proc/timer_list, exact to the nanosecond. Reading them
 * takes long, so they are read outside of the interval: the clock is read last
 * before it and first after it.
 *
 * Output is one JSON object a line. "hold" goes from step to step when it is
 * given a line on standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK		(64 * 1024)
#define BACKLOG		16384
#define IDLE_PORTS	8		/* ephemeral ports for 100,000 and more */
#define BATCH		200		/* connections between two agreements */
#define SCTP_NODELAY	3
#define UNIX_PATH	"/tmp/cost-%d"
#define MARK(n) asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x7a6d6500 + " #n)

enum hold { ESTABLISHED, TIMEWAIT, HALF_OPEN };

static struct {
	const char *client_ns, *server_ns, *addr;
	int proto;			/* 0: AF_UNIX */
	int port;
	long up, down, ops, warm, idle, pause_us;
	bool again;			/* a connection for each exchange */
	bool fastopen;
	bool no_delay;
	enum hold hold;
} o = {
	.addr = "10.0.0.2", .proto = IPPROTO_TCP, .port = 5001,
	.up = 1, .down = 1, .ops = 100,
};

static char buffer[CHUNK];
static int to_server[2], to_client[2];	/* pipes, for agreements */
static const char *who = "client";

static void die(const char *what)
{
	printf("{\"ev\":\"error\",\"what\":\"%s: %s\",\"errno\":%d}\n", who, what, errno);
	fflush(stdout);
	exit(1);
}

static void enter(const char *path)
{
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static void tell(int *pipe)
{
	if (write(pipe[1], "x", 1) != 1)
		die("write to a pipe");
}

/* Until the other one tells; false: it is gone. */
static bool heard(int *pipe)
{
	char c;

	return read(pipe[0], &c, 1) == 1;
}

/* -- the meter -- */

/* Nanoseconds that the processor has been idle, since it started. */
static uint64_t idle_ns(void)
{
	static const char *const names[] = { ".idle_sleeptime", ".iowait_sleeptime" };
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long sum = 0, n;
	int i, found = 0;
	char line[256];

	if (!f)
		die("/proc/timer_list");
	while (fgets(line, sizeof(line), f)) {
		const char *at = line + strspn(line, " ");

		for (i = 0; i < 2; i++)
			if (!strncmp(at, names[i], strlen(names[i])) &&
			    sscanf(at, "%*s : %llu", &n) == 1) {
				sum += n;
				found++;
			}
	}
	fclose(f);
	if (!found) {
		errno = ENODATA;
		die("no idle_sleeptime");
	}
	return sum;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* -- sockets -- */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

static socklen_t make_address(union address *a, int port, const char *addr)
{
	memset(a, 0, sizeof(*a));
	if (!o.proto) {
		a->un.sun_family = AF_UNIX;
		sprintf(a->un.sun_path, UNIX_PATH, port);
		return sizeof(a->un);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons(port);
	if (addr)
		inet_pton(AF_INET, addr, &a->in.sin_addr);
	return sizeof(a->in);
}

static int new_socket(int flags)
{
	int fd = socket(o.proto ? AF_INET : AF_UNIX, SOCK_STREAM | flags, o.proto);

	if (fd < 0)
		die("socket");
	return fd;
}

static void no_delay(int fd)
{
	int one = 1;

	if (!o.no_delay || !o.proto)
		return;
	if (o.proto == IPPROTO_SCTP)
		setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static int listener(int port)
{
	union address a;
	socklen_t len = make_address(&a, port, NULL);
	int fd = new_socket(0), queue = BACKLOG, one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!o.proto)
		unlink(a.un.sun_path);
	if (bind(fd, &a.sa, len))
		die("bind");
	if (o.fastopen &&
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)))
		die("TCP_FASTOPEN");
	if (listen(fd, BACKLOG))
		die("listen");
	return fd;
}

static int connected(int port)
{
	union address a;
	socklen_t len = make_address(&a, port, o.addr);
	int fd = new_socket(0), one = 1;

	if (o.fastopen &&
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)))
		die("TCP_FASTOPEN_CONNECT");
	if (connect(fd, &a.sa, len))
		die("connect");
	return fd;
}

static void put(int fd, long bytes)
{
	ssize_t n;

	for (; bytes > 0; bytes -= n) {
		n = send(fd, buffer, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL);
		if (n < 0)
			die("send");
	}
}

/* False: the end came before the first byte. */
static bool get(int fd, long bytes)
{
	long all = bytes;
	ssize_t n;

	for (; bytes > 0; bytes -= n) {
		n = recv(fd, buffer, bytes < CHUNK ? bytes : CHUNK, 0);
		if (n < 0)
			die("recv");
		if (!n && bytes == all)
			return false;
		if (!n) {
			errno = EPIPE;
			die("the end came early");
		}
	}
	return true;
}

static void get_end(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	if (n < 0)
		die("recv at the end");
	if (n) {
		errno = EMSGSIZE;
		die("more than was asked for");
	}
}

/* -- idle connections -- */

/*
 * Open n connections, the i-th to port i % IDLE_PORTS after the first; both
 * processes know when a batch is complete. They stay open.
 */
static void open_idle(long n)
{
	long i, j;
	int fd;

	for (i = 0; i < n; i += j) {
		for (j = 0; j < BATCH && i + j < n; j++) {
			fd = connected(o.port + 1 + (i + j) % IDLE_PORTS);
			put(fd, 1);
		}
		if (!heard(to_client))
			die("the server is gone");
	}
}

static void accept_idle(const int *listeners, long n)
{
	long i, j;
	int fd;

	for (i = 0; i < n; i += j) {
		for (j = 0; j < BATCH && i + j < n; j++) {
			fd = accept(listeners[(i + j) % IDLE_PORTS], NULL, NULL);
			if (fd < 0)
				die("accept");
			get(fd, 1);
		}
		tell(to_client);
	}
}

/* -- exchanges -- */

static void serve(void)
{
	int listeners[IDLE_PORTS], fd, child, i;

	fd = listener(o.port);
	for (i = 0; i < IDLE_PORTS; i++)
		listeners[i] = o.idle ? listener(o.port + 1 + i) : -1;
	tell(to_client);
	if (o.idle)
		accept_idle(listeners, o.idle);
	for (;;) {
		child = accept(fd, NULL, NULL);
		if (child < 0)
			die("accept");
		no_delay(child);
		while (get(child, o.up)) {
			put(child, o.down);
			if (o.again)
				break;
		}
		close(child);
	}
}

static void exchange(int *fd)
{
	if (o.again)
		*fd = connected(o.port);
	put(*fd, o.up);
	if (!get(*fd, o.down)) {
		errno = EPIPE;
		die("no answer");
	}
	if (!o.again)
		return;
	get_end(*fd);
	close(*fd);
}

static void run(void)
{
	uint64_t start, end, idle;
	int fd = -1;
	long i;

	open_idle(o.idle);
	if (!o.again) {
		fd = connected(o.port);
		no_delay(fd);
	}
	for (i = 0; i < o.warm; i++)
		exchange(&fd);
	printf("{\"ev\":\"warm\"}\n");
	if (!fgets(buffer, sizeof(buffer), stdin))
		die("nobody says go");
	idle = idle_ns();
	start = now_ns();
	MARK(1);
	for (i = 0; i < o.ops; i++) {
		exchange(&fd);
		if (o.pause_us)
			usleep(o.pause_us);
	}
	MARK(2);
	end = now_ns();
	idle = idle_ns() - idle;
	printf("{\"ev\":\"run\",\"ops\":%ld,\"ns\":%llu,\"idle\":%llu}\n", o.ops,
	       (unsigned long long)(end - start), (unsigned long long)idle);
}

/* -- connections to be weighed -- */

static void serve_hold(void)
{
	int fd = listener(o.port), child;

	for (;;) {
		tell(to_client);
		if (!heard(to_server))
			exit(0);
		child = accept(fd, NULL, NULL);
		if (child < 0)
			die("accept");
		get(child, o.up);
		put(child, o.down);
		if (o.hold == TIMEWAIT)
			close(child);
	}
}

/* One connection, as it shall be held; its file descriptor. */
static int take_up(void)
{
	union address a;
	socklen_t len;
	int fd;

	if (o.hold == HALF_OPEN) {
		/* The answer does not come back; who runs us saw to that. */
		len = make_address(&a, o.port, o.addr);
		fd = new_socket(SOCK_NONBLOCK);
		if (connect(fd, &a.sa, len) && errno != EINPROGRESS)
			die("connect");
		return fd;
	}
	fd = connected(o.port);
	put(fd, o.up);
	tell(to_server);
	if (!get(fd, o.down)) {
		errno = EPIPE;
		die("no answer");
	}
	if (o.hold == TIMEWAIT) {
		get_end(fd);
		close(fd);
	}
	if (!heard(to_client))
		die("the server is gone");
	return fd;
}

static void next_step(const char *name)
{
	printf("{\"ev\":\"%s\"}\n", name);
	fflush(stdout);
	if (!fgets(buffer, sizeof(buffer), stdin))
		exit(0);
}

static void hold(void)
{
	int *fd = calloc(o.ops, sizeof(*fd));
	long i;

	if (!fd)
		die("calloc");
	memset(fd, 0xff, o.ops * sizeof(*fd));
	/* One of them first, for what is made at the first use, and the memory of
	 * the array of files, which is not a connection's.
	 */
	fd[0] = take_up();
	next_step("ready");
	for (i = 1; i < o.ops; i++)
		fd[i] = take_up();
	if (o.hold == HALF_OPEN) {
		usleep(100000);
		for (i = 0; i < o.ops; i++)
			close(fd[i]);
	}
	next_step("held");
}

/* Files enough, and room for them in the table from the start. */
static void many_files(long n)
{
	struct rlimit r = { n + 100, n + 100 };

	if (setrlimit(RLIMIT_NOFILE, &r))
		die("RLIMIT_NOFILE");
	if (dup2(0, n + 90) < 0)
		die("dup2");
	close(n + 90);
}

static void usage(void)
{
	fputs("usage: cost run|hold OPTIONS\n"
	      "  -p N    IP protocol; 0: AF_UNIX      -P N   port\n"
	      "  -s NS, -d NS   network namespaces (files) of client and server\n"
	      "  -a A    the server's address         -f     TCP fast open\n"
	      "  -u N, -D N     bytes there and back  -n N   exchanges, or connections\n"
	      " run:  -w N exchanges before that, -c a connection for each, -N no Nagle,\n"
	      "       -i N idle connections beside it, -t US pause after each exchange\n"
	      " hold: -x established|timewait|halfopen\n", stderr);
	exit(2);
}

static enum hold hold_of(const char *name)
{
	if (!strcmp(name, "established"))
		return ESTABLISHED;
	if (!strcmp(name, "timewait"))
		return TIMEWAIT;
	if (!strcmp(name, "halfopen"))
		return HALF_OPEN;
	usage();
	return ESTABLISHED;
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:P:s:d:a:fu:D:n:w:cNi:t:x:")) > 0) {
		switch (c) {
		case 'p': o.proto = atoi(optarg); break;
		case 'P': o.port = atoi(optarg); break;
		case 's': o.client_ns = optarg; break;
		case 'd': o.server_ns = optarg; break;
		case 'a': o.addr = optarg; break;
		case 'f': o.fastopen = true; break;
		case 'u': o.up = atol(optarg); break;
		case 'D': o.down = atol(optarg); break;
		case 'n': o.ops = atol(optarg); break;
		case 'w': o.warm = atol(optarg); break;
		case 'c': o.again = true; break;
		case 'N': o.no_delay = true; break;
		case 'i': o.idle = atol(optarg); break;
		case 't': o.pause_us = atol(optarg); break;
		case 'x': o.hold = hold_of(optarg); break;
		default: usage();
		}
	}
}

int main(int argc, char **argv)
{
	bool holds = argc > 1 && !strcmp(argv[1], "hold");
	pid_t server;

	if (argc < 2 || (!holds && strcmp(argv[1], "run")))
		usage();
	options(argc - 1, argv + 1);
	setvbuf(stdout, NULL, _IOLBF, 1 << 12);
	signal(SIGPIPE, SIG_IGN);
	many_files((holds ? o.ops : o.idle) + 100);
	if (pipe(to_server) || pipe(to_client))
		die("pipe");
	server = fork();
	if (server < 0)
		die("fork");
	if (!server) {
		who = "server";
		close(to_server[1]);
		close(to_client[0]);
		enter(o.server_ns);
		if (holds)
			serve_hold();
		serve();
	}
	close(to_server[0]);
	close(to_client[1]);
	enter(o.client_ns);
	if (!heard(to_client))
		die("the server is gone");
	if (holds)
		hold();
	else
		run();
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
