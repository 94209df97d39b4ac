// SPDX-License-Identifier: GPL-2.0
/*
 * probe.c - opens sockets in every way a program can and prints what the kernel
 * says they are. The tests run it under `tandem run` and compare.
 *
 *	probe HOW...	one line per HOW: "HOW: protocol=N cloexec=N nonblock=N errno=N"
 *			or "HOW: failed errno=N"
 *	probe exec HOW -- PROGRAM...	opens HOW as descriptor 9, then PROGRAM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK	77	/* an errno no call here returns */

static int open_how(const char *how)
{
	int sv[2];

	errno = MARK;
	if (!strcmp(how, "v4"))
		return socket(AF_INET, SOCK_STREAM, 0);
	if (!strcmp(how, "v4tcp"))
		return socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (!strcmp(how, "v6"))
		return socket(AF_INET6, SOCK_STREAM, 0);
	if (!strcmp(how, "v6tcp"))
		return socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
	if (!strcmp(how, "flags"))
		return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC |
			      SOCK_NONBLOCK, 0);
	if (!strcmp(how, "mptcp"))
		return socket(AF_INET, SOCK_STREAM, 262);
	if (!strcmp(how, "udp"))
		return socket(AF_INET, SOCK_DGRAM, 0);
	if (!strcmp(how, "unix"))
		return socket(AF_UNIX, SOCK_STREAM, 0);
	if (!strcmp(how, "pair"))
		return socketpair(AF_UNIX, SOCK_STREAM, 0, sv) ? -1 : sv[0];
	if (!strcmp(how, "syscall"))
		return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (!strcmp(how, "fd9"))
		return 9;
	fprintf(stderr, "probe: how is '%s'?\n", how);
	exit(2);
}

static void show(const char *how)
{
	int fd = open_how(how), err = errno, got = -1;
	socklen_t len = sizeof(got);

	if (fd < 0) {
		printf("%s: failed errno=%d\n", how, err);
	} else {
		getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &got, &len);
		printf("%s: protocol=%d cloexec=%d nonblock=%d errno=%d\n", how,
		       got, !!(fcntl(fd, F_GETFD) & FD_CLOEXEC),
		       !!(fcntl(fd, F_GETFL) & O_NONBLOCK), err);
	}
	fflush(stdout);
}

/* All six arguments must come through, and the result come back. */
static void other_syscalls(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = (char *)syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	char *q = (char *)syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);

	printf("syscalls: %s\n", p != MAP_FAILED && q != MAP_FAILED &&
	       !memcmp(p, "\177ELF", 4) && memcmp(p, q, 4096) &&
	       syscall(SYS_getpid) == getpid() &&
	       syscall(SYS_close, -1) == -1 && errno == EBADF ?
	       "right" : "wrong");
}

/* A child that opens two sockets and is killed: the receipt must still know. */
static void killed_child(void)
{
	int pid = fork();

	if (!pid) {
		socket(AF_INET, SOCK_STREAM, 0);
		socket(AF_INET6, SOCK_STREAM, 0);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	int i;

	if (argc > 4 && !strcmp(argv[1], "exec") && !strcmp(argv[3], "--")) {
		dup2(open_how(argv[2]), 9);
		execvp(argv[4], argv + 4);
		return 2;
	}
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "syscalls"))
			other_syscalls();
		else if (!strcmp(argv[i], "killed-child"))
			killed_child();
		else
			show(argv[i]);
	}
	return 0;
}
