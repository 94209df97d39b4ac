/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tool.h - what the subcommands of tandem(8) share.
 */
#ifndef _TANDEM_TOOL_H
#define _TANDEM_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute__((format(printf, a, b)))

/* Exit codes of programs that run programs (env, nice, timeout). */
#define EXIT_OURS	125	/* tandem itself failed */
#define EXIT_CANNOT	126	/* found, but cannot run (under Tandem) */
#define EXIT_NOTFOUND	127

#define PROC_DIR	"/proc/net/tandem"

/* Subcommands; argv[0] is the subcommand's name. */
int cmd_run(int argc, char **argv);
int cmd_ss(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* "tandem: " + text + newline, to stderr. */
void complain(const char *fmt, ...) __printf(1, 2);

/* Where libtandem-run.so is; NULL after complaining. */
const char *find_library(void);

/* Open a Tandem socket: the fd, or -errno. This loads the module if it can be. */
int probe_socket(int family, int protocol);

/* progfile.c: can LD_PRELOAD reach a program? */

/**
 * struct progfile - a program as the kernel would start it
 * @path:	what was looked at last: the program, or a script's interpreter
 * @why:	empty, or why the library will not reach its sockets
 * @fix:	and what to do about it
 */
struct progfile {
	char	path[4096];
	char	why[256];
	char	fix[512];
};

/* Find @name as execvp() would. 0, or the exit code for env-like programs. */
int progfile_find(const char *name, char *path, size_t size);

/* Fill @pf in from the file at @path. 0 when the library will reach it. */
int progfile_check(const char *path, struct progfile *pf);

#endif /* _TANDEM_TOOL_H */
