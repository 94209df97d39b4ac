// SPDX-License-Identifier: GPL-2.0
/*
 * libtandem-run.c - preloaded into a program, it makes the program's TCP sockets
 * Tandem's: socket(AF_INET or AF_INET6, SOCK_STREAM, 0 or IPPROTO_TCP) asks the
 * kernel for IPPROTO_TANDEM instead.  Nothing else is touched: not other families
 * and types, not socketpair(), not getaddrinfo(), not a socket that was handed
 * down by a parent or a service manager.
 *
 * The one idea: only the creation of a socket names a protocol.  Once it is
 * open, bind, listen, accept, every option and every byte go to the right stack
 * by themselves, so one function is all there is to replace.  Two doors lead to
 * it: socket() and syscall(SYS_socket, ...).  Not reachable from here, and
 * therefore refused by `tandem run` or documented: static programs, programs
 * that issue system calls themselves (Go), io_uring's IORING_OP_SOCKET, and the C
 * library's own sockets (its DNS resolver), which is just as well, for name
 * servers speak TCP.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <netinet/in.h>
#include <unistd.h>

#include <linux/tandem.h>
#include "receipt.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define EXPORT	__attribute__((visibility("default")))

typedef int (*socket_fn)(int, int, int);
typedef int (*getsockopt_fn)(int, int, int, void *, socklen_t *);
typedef int (*setsockopt_fn)(int, int, int, const void *, socklen_t);
typedef long (*syscall_fn)(long, long, long, long, long, long, long);

static socket_fn next_socket;
static getsockopt_fn next_getsockopt;
static setsockopt_fn next_setsockopt;
static long first_syscall(long nr, long a, long b, long c, long d, long e, long f);
static syscall_fn next_syscall = first_syscall;

static int proto = IPPROTO_TANDEM;
static int wire = -1;			/* -1: as the namespace has it */
static bool fallback, pretend, take_mptcp;
static struct receipt *page;		/* NULL: nobody counts */
static struct receipt_slot *slot;	/* this process's, once it has one */
static int slot_pid;			/* fork() leaves slot with the parent's */
static bool ready, warned;

static bool env_on(const char *name)
{
	const char *s = getenv(name);

	return s && *s && strcmp(s, "0");
}

/* Map the page of counters, if `tandem run` made one and it is the real thing. */
static void map_page(void)
{
	const char *path = getenv(ENV_RECEIPT);
	struct receipt *r;
	int fd;

	if (!path || !*path)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fcntl(fd, F_GET_SEALS) >= 0 &&
	    (fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK) &&
	    lseek(fd, 0, SEEK_END) >= (off_t)sizeof(*r)) {
		r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
		if (r != MAP_FAILED) {
			if (r->magic == RECEIPT_MAGIC && r->size == sizeof(*r))
				page = r;
			else
				munmap(r, sizeof(*r));
		}
	}
	close(fd);
	if (page)
		__atomic_add_fetch(&page->attached, 1, __ATOMIC_RELAXED);
}

/*
 * Runs as a constructor, or from the first call when another library's
 * constructor was quicker.  errno must come out as it went in.
 */
__attribute__((constructor)) static void setup(void)
{
	int saved = errno;
	const char *s;

	if (ready)
		return;
	ready = true;
	next_socket = (socket_fn)dlsym(RTLD_NEXT, "socket");
	next_getsockopt = (getsockopt_fn)dlsym(RTLD_NEXT, "getsockopt");
	next_setsockopt = (setsockopt_fn)dlsym(RTLD_NEXT, "setsockopt");
	next_syscall = (syscall_fn)dlsym(RTLD_NEXT, "syscall");
	s = getenv(ENV_PROTO);
	if (s && *s) {
		char *end;
		long n = strtol(s, &end, 10);

		if (!*end && n > 0 && n <= 511)
			proto = n;
	}
	s = getenv(ENV_WIRE);
	if (s && *s)
		wire = atoi(s);
	fallback = env_on(ENV_FALLBACK);
	pretend = env_on(ENV_PRETEND);
	take_mptcp = env_on(ENV_MPTCP);
	map_page();
	errno = saved;
}

/* The counters of this process; a forked child takes a slot of its own. */
static struct receipt_slot *my_slot(void)
{
	int pid = getpid();
	unsigned int i;
	int fd;

	if (!page)
		return NULL;
	if (slot && slot_pid == pid)
		return slot;
	i = __atomic_fetch_add(&page->used, 1, __ATOMIC_RELAXED);
	slot = &page->slot[i < RECEIPT_SLOTS ? i : RECEIPT_SLOTS - 1];
	slot_pid = pid;
	slot->pid = pid;
	fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = read(fd, slot->comm, sizeof(slot->comm) - 1);

		slot->comm[n > 0 ? n - 1 : 0] = 0;
		close(fd);
	}
	return slot;
}

#define COUNT(field)	count(offsetof(struct receipt_slot, field))

static void count(size_t field)
{
	struct receipt_slot *s = my_slot();

	if (s)
		__atomic_add_fetch((unsigned int *)((char *)s + field), 1,
				   __ATOMIC_RELAXED);
}

/* Tell the user once: per `tandem run` where there is a page, else per process. */
static void warn_refused(void)
{
	char text[400];
	int n;

	if (__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED))
		return;
	if (page && __atomic_exchange_n(&page->warned, 1, __ATOMIC_RELAXED))
		return;
	n = snprintf(text, sizeof(text),
		     "tandem: %s: the kernel has no protocol %d, %s\n"
		     "tandem: load the module; 'tandem doctor' tells what is missing\n",
		     program_invocation_short_name, proto,
		     fallback ? "so this is plain TCP (--fallback)"
			      : "and its socket() call failed (--fallback would use TCP)");
	if (n > 0 && write(STDERR_FILENO, text, n) < 0)
		return;
}

static bool wanted(int family, int type, int protocol)
{
	if (family != AF_INET && family != AF_INET6)
		return false;
	if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM)
		return false;
	if (protocol == IPPROTO_MPTCP && proto != IPPROTO_MPTCP) {
		if (!take_mptcp)
			COUNT(left);
		return take_mptcp;
	}
	return protocol == 0 || protocol == IPPROTO_TCP;
}

/* Does the kernel agree about what the socket is? */
static void count_opened(int fd)
{
	int got = -1;
	socklen_t len = sizeof(got);

	if (!page || !next_getsockopt)
		return;
	if (next_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &got, &len) == 0 &&
	    got == proto)
		COUNT(ours);
	else
		COUNT(tcp);
}

/* --wire; a socket that fell back to TCP has only one. */
static int choose_wire(int fd)
{
	int got = 0;
	socklen_t len = sizeof(got);

	if (wire < 0 || !next_getsockopt || !next_setsockopt ||
	    next_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &got, &len) ||
	    got != IPPROTO_TANDEM)
		return 0;
	return next_setsockopt(fd, SOL_TANDEM, TANDEM_WIRE, &wire, sizeof(wire));
}

static int open_socket(int family, int type, int protocol)
{
	int fd, saved = errno, err;

	fd = next_socket(family, type, proto);
	if (fd < 0) {
		err = errno;
		if (err != EPROTONOSUPPORT && err != ESOCKTNOSUPPORT) {
			COUNT(refused);
			errno = err;
			return fd;
		}
		warn_refused();
		if (!fallback) {
			COUNT(refused);
			errno = err;
			return fd;
		}
		errno = saved;
		fd = next_socket(family, type, protocol);
		if (fd < 0)
			return fd;
	}
	if (choose_wire(fd)) {
		err = errno;
		close(fd);
		COUNT(refused);
		errno = err;
		return -1;
	}
	count_opened(fd);
	errno = saved;
	return fd;
}

EXPORT int socket(int family, int type, int protocol)
{
	int saved = errno;

	setup();
	if (!next_socket) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (!wanted(family, type, protocol)) {
		errno = saved;
		return next_socket(family, type, protocol);
	}
	errno = saved;
	return open_socket(family, type, protocol);
}

EXPORT int getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	int ret;

	setup();
	if (!next_getsockopt) {
		errno = EOPNOTSUPP;
		return -1;
	}
	ret = next_getsockopt(fd, level, name, val, len);
	if (pretend && ret == 0 && level == SOL_SOCKET && name == SO_PROTOCOL &&
	    *len == sizeof(int) && *(int *)val == proto)
		*(int *)val = IPPROTO_TCP;
	return ret;
}

/*
 * Before Linux 6.4 the kernel's core keeps SO_ZEROCOPY to TCP and UDP; Tandem has an
 * option of its own for that.
 */
EXPORT int setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	int ret, got = -1;
	socklen_t size = sizeof(got);

	setup();
	if (!next_setsockopt) {
		errno = EOPNOTSUPP;
		return -1;
	}
	ret = next_setsockopt(fd, level, name, val, len);
	if (!ret || errno != EOPNOTSUPP || level != SOL_SOCKET || name != SO_ZEROCOPY)
		return ret;
	if (!next_getsockopt || next_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &got, &size) ||
	    got != IPPROTO_TANDEM) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return next_setsockopt(fd, SOL_TANDEM, TANDEM_ZEROCOPY, val, len);
}

/*
 * syscall(2) as the machine sees it: seven words, most of them unused.  The
 * call onward must stay a tail call that touches nothing, so that what returns
 * twice or on another stack (vfork, clone) never comes back through this frame;
 * hence no local state, and the prototype under another name, for the C library
 * declares it variadic.  Until setup() has run, next_syscall is first_syscall().
 */
EXPORT long tandem_run_syscall(long nr, long a, long b, long c, long d, long e,
			       long f) __asm__("syscall");

long tandem_run_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
#ifdef SYS_socket
	if (nr == SYS_socket)
		return socket(a, b, c);
#endif
	return next_syscall(nr, a, b, c, d, e, f);
}

static long first_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	setup();
	return next_syscall(nr, a, b, c, d, e, f);
}
