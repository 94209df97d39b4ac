// SPDX-License-Identifier: GPL-2.0
/*
 * tandem.c - one program for everything a user does with Tandem from a shell:
 * this file only chooses the subcommand and holds what they share.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

#ifndef TANDEM_LIBDIR
#define TANDEM_LIBDIR	"/usr/local/lib/tandem"
#endif
#define LIBRARY		"libtandem-run.so"

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *does;
} commands[] = {
	{ "run", cmd_run, "run an unmodified program with Tandem for its TCP sockets" },
	{ "ss", cmd_ss, "list Tandem sockets" },
	{ "stat", cmd_stat, "show the counters, with their meaning" },
	{ "doctor", cmd_doctor, "check whether Tandem works here, and say what to fix" },
};

void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("tandem: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/*
 * In the build directory it lies beside the program, installed in ../lib/tandem
 * from there, or where the builder said.
 */
const char *find_library(void)
{
	static char path[PATH_MAX + 64];
	char self[PATH_MAX], *slash;
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	if (slash) {
		*slash = 0;
		snprintf(path, sizeof(path), "%s/" LIBRARY, self);
		if (access(path, R_OK) == 0)
			return path;
		slash = strrchr(self, '/');
		snprintf(path, sizeof(path), "%.*s/lib/tandem/" LIBRARY,
			 slash ? (int)(slash - self) : 0, self);
		if (access(path, R_OK) == 0)
			return path;
	}
	if (access(TANDEM_LIBDIR "/" LIBRARY, R_OK) == 0)
		return TANDEM_LIBDIR "/" LIBRARY;
	complain("%s is neither beside this program nor in %s", LIBRARY,
		 TANDEM_LIBDIR);
	complain("to fix it: make -C tools, or make install");
	return NULL;
}

int probe_socket(int family, int protocol)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

static void print_help(FILE *to)
{
	size_t i;

	fputs("usage: tandem COMMAND [OPTION...] [ARGUMENT...]\n\n", to);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].does);
	fputs("\n'tandem COMMAND --help' tells more; so does 'man tandem'.\n", to);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_OURS;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].fn(argc - 1, argv + 1);
	complain("no command '%s'", argv[1]);
	print_help(stderr);
	return EXIT_OURS;
}
