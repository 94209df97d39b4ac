// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - tandem run: starts a program with libtandem-run.so under it.
 *
 * Without a receipt the program simply takes this process's place (same process
 * ID, nothing in between, as a service manager likes it).  With one, this process
 * stays as the parent, hands signals on, and at the end tells from the shared
 * page how many sockets of the program and of its descendants really were
 * Tandem's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/tandem.h>
#include "receipt.h"
#include "tool.h"

struct run_opts {
	bool	fallback, pretend, mptcp, force, receipt;
	char	*receipt_file;
	int	protocol;
	int	wire;		/* -1: as the namespace has it */
};

static const char * const wire_names[] = {
	[TANDEM_WIRE_NATIVE] = "native",
	[TANDEM_WIRE_TCP] = "tcp",
	[TANDEM_WIRE_UDP] = "udp",
};

static void print_help(FILE *to)
{
	fputs("usage: tandem run [OPTION...] PROGRAM [ARGUMENT...]\n\n"
	      "Runs PROGRAM, unmodified, with Tandem for its TCP sockets.\n\n"
	      "  -r, -v, --receipt[=FILE]  at the end tell, on stderr or in FILE, how many\n"
	      "                   sockets of PROGRAM and its children were Tandem's\n"
	      "  --fallback       use TCP when the kernel has no Tandem (default: fail)\n"
	      "  --pretend-tcp    getsockopt(SO_PROTOCOL) says TCP, for picky programs\n"
	      "  --mptcp          take sockets asked for as MPTCP, too\n"
	      "  --wire=NAME      what carries the segments: native (IP protocol 254); tcp,\n"
	      "                   which talks to plain TCP at the other end; or udp, through\n"
	      "                   NATs (see sysctl net.tandem.udp_port)\n"
	      "  --protocol=N     ask for IP protocol N instead of 254\n"
	      "  --force          start PROGRAM even if its own sockets cannot be reached\n"
	      "                   (static, Go, set-user-ID); its children's may be\n"
	      "  -h, --help       this text\n\n"
	      "Exit code: PROGRAM's own; 125 if tandem failed, 126 if PROGRAM cannot be\n"
	      "run under Tandem, 127 if there is none.\n", to);
}

static int wire_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wire_names); i++)
		if (!strcmp(name, wire_names[i]))
			return i;
	complain("--wire: '%s' is none of native, tcp and udp", name);
	return -1;
}

static int parse(int argc, char **argv, struct run_opts *o)
{
	static const struct option longs[] = {
		{ "receipt", optional_argument, NULL, 'r' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "fallback", no_argument, NULL, 'f' },
		{ "pretend-tcp", no_argument, NULL, 't' },
		{ "mptcp", no_argument, NULL, 'm' },
		{ "protocol", required_argument, NULL, 'p' },
		{ "wire", required_argument, NULL, 'w' },
		{ "force", no_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	char *end;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "+rvh", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
		case 'v':
			o->receipt = true;
			if (optarg)
				o->receipt_file = optarg;
			break;
		case 'f':
			o->fallback = true;
			break;
		case 't':
			o->pretend = true;
			break;
		case 'm':
			o->mptcp = true;
			break;
		case 'F':
			o->force = true;
			break;
		case 'p':
			o->protocol = strtol(optarg, &end, 10);
			if (*end || !*optarg || o->protocol < 1 ||
			    o->protocol > 511) {
				complain("--protocol: '%s' is no protocol number from 1 to 511",
					 optarg);
				return -1;
			}
			break;
		case 'w':
			o->wire = wire_number(optarg);
			if (o->wire < 0)
				return -1;
			break;
		case 'h':
			print_help(stdout);
			exit(0);
		default:
			print_help(stderr);
			return -1;
		}
	}
	if (optind == argc) {
		complain("run: which program?");
		print_help(stderr);
		return -1;
	}
	return 0;
}

/* The sealed page (receipt.h); its path goes to the children. */
static struct receipt *make_page(char *path, size_t size)
{
	struct receipt *r;
	int fd = memfd_create("tandem-run", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(*r)) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return NULL;
	r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r == MAP_FAILED)
		return NULL;
	r->magic = RECEIPT_MAGIC;
	r->size = sizeof(*r);
	snprintf(path, size, "/proc/%d/fd/%d", getpid(), fd);
	return r;
}

static int preload(const char *lib)
{
	const char *old = getenv("LD_PRELOAD");
	char *both;
	int ret;

	if (strpbrk(lib, ": \t\n")) {
		complain("%s: LD_PRELOAD cannot name a path with spaces or colons", lib);
		complain("to fix it: move the tools elsewhere");
		return -1;
	}
	if (!old || !*old)
		return setenv("LD_PRELOAD", lib, 1);
	/* Ours last: a wrapper such as proxychains still sees the calls first. */
	if (strstr(old, lib))
		return 0;
	if (asprintf(&both, "%s:%s", old, lib) < 0)
		return -1;
	ret = setenv("LD_PRELOAD", both, 1);
	free(both);
	return ret;
}

static int set_flag(const char *name, bool on)
{
	return on ? setenv(name, "1", 1) : unsetenv(name);
}

static int set_environment(const struct run_opts *o, const char *lib,
			   const char *page)
{
	char num[16];

	snprintf(num, sizeof(num), "%d", o->protocol);
	if (preload(lib) || setenv(ENV_PROTO, num, 1) ||
	    set_flag(ENV_FALLBACK, o->fallback) ||
	    set_flag(ENV_PRETEND, o->pretend) ||
	    set_flag(ENV_MPTCP, o->mptcp))
		return -1;
	snprintf(num, sizeof(num), "%d", o->wire);
	if (o->wire < 0 ? unsetenv(ENV_WIRE) : setenv(ENV_WIRE, num, 1))
		return -1;
	return *page ? setenv(ENV_RECEIPT, page, 1) : unsetenv(ENV_RECEIPT);
}

/* Fail before the program starts rather than in the middle of it. */
static int check_kernel(const struct run_opts *o)
{
	int fd = probe_socket(AF_INET, o->protocol);

	if (fd == -EAFNOSUPPORT)
		fd = probe_socket(AF_INET6, o->protocol);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (o->fallback || (fd != -EPROTONOSUPPORT && fd != -ESOCKTNOSUPPORT))
		return 0;
	complain("this kernel has no protocol %d: the module is not loaded and could not be found",
		 o->protocol);
	complain("load it: sudo insmod tandem.ko, or sudo modprobe tandem once installed");
	complain("'tandem doctor' tells what is missing; --fallback would use TCP");
	return -1;
}

static int child;	/* read in a signal handler */

static void hand_on(int sig)
{
	int pid = __atomic_load_n(&child, __ATOMIC_RELAXED);

	if (pid > 0)
		kill(pid, sig);
}

static void catch_signals(bool on)
{
	static const int sigs[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
	};
	struct sigaction sa = { .sa_handler = on ? hand_on : SIG_DFL,
				.sa_flags = SA_RESTART };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		struct sigaction old;

		/* nohup and the like: what is ignored stays ignored. */
		if (!sigaction(sigs[i], NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		/* A terminal sends these to the whole group by itself. */
		if (on && isatty(STDIN_FILENO) &&
		    (sigs[i] == SIGINT || sigs[i] == SIGQUIT ||
		     sigs[i] == SIGWINCH)) {
			struct sigaction ign = { .sa_handler = SIG_IGN };

			if (getpgrp() == tcgetpgrp(STDIN_FILENO)) {
				sigaction(sigs[i], &ign, NULL);
				continue;
			}
		}
		sigaction(sigs[i], &sa, NULL);
	}
}

static const char *many(unsigned long n)
{
	return n == 1 ? "" : "s";
}

static void print_slot(FILE *f, const struct receipt_slot *s, const char *kind)
{
	fprintf(f, "tandem:   %-15.15s pid %-7u %u %s", s->comm, s->pid,
		s->ours, kind);
	if (s->tcp)
		fprintf(f, ", %u TCP", s->tcp);
	if (s->refused)
		fprintf(f, ", %u refused", s->refused);
	if (s->left)
		fprintf(f, ", %u MPTCP left alone", s->left);
	fputc('\n', f);
}

static void print_receipt(const struct run_opts *o, const struct receipt *r)
{
	unsigned int i, n = r->used < RECEIPT_SLOTS ? r->used : RECEIPT_SLOTS;
	unsigned long ours = 0, tcp = 0, refused = 0, left = 0;
	char kind[24] = "Tandem", rest[128];
	FILE *f = stderr;

	if (o->protocol != IPPROTO_TANDEM)
		snprintf(kind, sizeof(kind), "protocol %d", o->protocol);
	if (o->receipt_file) {
		f = fopen(o->receipt_file, "we");
		if (!f) {
			complain("%s: %s; the receipt goes here", o->receipt_file,
				 strerror(errno));
			f = stderr;
		}
	}
	for (i = 0; i < n; i++) {
		ours += r->slot[i].ours;
		tcp += r->slot[i].tcp;
		refused += r->slot[i].refused;
		left += r->slot[i].left;
	}
	snprintf(rest, sizeof(rest), ", %lu TCP, %lu refused, %lu MPTCP left alone\n",
		 tcp, refused, left);
	if (!r->attached)
		fputs("tandem: receipt: the library was never loaded: no socket was Tandem's\n",
		      f);
	else if (!(ours + tcp + refused + left))
		fprintf(f, "tandem: receipt: the program asked for no TCP socket\n");
	else if (!tcp && !refused && !left)
		fprintf(f, "tandem: receipt: %lu socket%s, %s %s (SO_PROTOCOL = %d)\n",
			ours, many(ours), ours > 1 ? "all" : "it was", kind,
			o->protocol);
	else
		fprintf(f, "tandem: receipt: %lu socket%s %s (SO_PROTOCOL = %d)%s", ours,
			many(ours), kind, o->protocol, rest);
	for (i = 0; i < n; i++)
		print_slot(f, &r->slot[i], kind);
	if (r->used > RECEIPT_SLOTS)
		fprintf(f, "tandem:   the last line stands for %u processes\n",
			r->used - RECEIPT_SLOTS + 1);
	if (f != stderr)
		fclose(f);
	else
		fflush(f);
}

/* End as the program ended. */
static int end_as(int status)
{
	struct rlimit none = { 0, 0 };

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none);	/* the program wrote its own core */
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int start(char **argv, const char *path)
{
	execv(path, argv);
	complain("%s: %s", path, strerror(errno));
	return errno == ENOENT ? EXIT_NOTFOUND : EXIT_CANNOT;
}

static int run_with_receipt(const struct run_opts *o, char **argv,
			    const char *path, const struct receipt *page)
{
	sigset_t all, old;
	int status;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	child = fork();
	if (child < 0) {
		complain("fork: %s", strerror(errno));
		return EXIT_OURS;
	}
	if (!child) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		exit(start(argv, path));
	}
	catch_signals(true);
	sigprocmask(SIG_SETMASK, &old, NULL);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_OURS;
	catch_signals(false);
	print_receipt(o, page);
	return end_as(status);
}

int cmd_run(int argc, char **argv)
{
	struct run_opts o = { .protocol = IPPROTO_TANDEM, .wire = -1 };
	char path[4096], page_path[64] = "";
	struct receipt *page = NULL;
	struct progfile pf;
	const char *lib;
	int ret;

	if (parse(argc, argv, &o))
		return EXIT_OURS;
	argv += optind;
	lib = find_library();
	if (!lib)
		return EXIT_OURS;
	ret = progfile_find(argv[0], path, sizeof(path));
	if (ret) {
		complain("%s: %s", argv[0], ret == EXIT_NOTFOUND ?
			 "no such program" : "not an executable file");
		return ret;
	}
	if (progfile_check(path, &pf)) {
		complain("%s: %s", pf.path, pf.why);
		complain("%s%s", o.force ? "going on (--force)" : "to fix it: ",
			 o.force ? "" : pf.fix);
		if (!o.force)
			return EXIT_CANNOT;
	}
	if (check_kernel(&o))
		return EXIT_OURS;
	if (o.receipt) {
		page = make_page(page_path, sizeof(page_path));
		if (!page) {
			complain("the receipt's memory: %s", strerror(errno));
			return EXIT_OURS;
		}
	}
	if (set_environment(&o, lib, page_path)) {
		complain("cannot set the environment: %s", strerror(errno));
		return EXIT_OURS;
	}
	return page ? run_with_receipt(&o, argv, path, page) : start(argv, path);
}
