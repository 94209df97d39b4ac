// SPDX-License-Identifier: GPL-2.0
/*
 * stat.c - tandem stat: the counters of /proc/net/tandem/snmp, each with the
 * sentence that says what it counts.  Names and sentences come from the module's
 * own list (module/mib.h), so the two cannot drift apart.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static const struct meaning {
	const char *name, *text;
} meanings[] = {
#define X(name, text) { name, text },
#include "mib.list"
#undef X
};

#define MAX_COUNTERS	512

struct counter {
	char			name[48];
	unsigned long long	val;
};

struct snap {
	struct counter	c[MAX_COUNTERS];
	int		n;
};

struct stat_opts {
	bool		zeros, bare;
	double		delta, watch;
	const char	*file;
	char		**patterns;
};

static void print_help(FILE *to)
{
	fputs("usage: tandem stat [OPTION...] [PATTERN...] [-- PROGRAM [ARGUMENT...]]\n\n"
	      "Shows this network namespace's counters that are not zero, with their meaning.\n"
	      "PATTERN: only these, e.g. '*Acks*'.  With PROGRAM: what it changed.\n\n"
	      "  -z, --zeros      zeros as well\n"
	      "  -d, --delta=S    what changes within S seconds\n"
	      "  -w, --watch=S    the same again and again, until Ctrl-C\n"
	      "  -b, --bare       name and value only\n"
	      "  -h, --help       this text\n", to);
}

/* nstat wants a prefix in the file; people do not. */
static const char *plain(const char *name)
{
	return strncmp(name, "Tandem", 6) ? name : name + 6;
}

static const char *meaning(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(meanings[i].name, plain(name)))
			return meanings[i].text;
	return "";
}

static int take(const char *path, struct snap *s)
{
	FILE *f = fopen(path, "re");
	char line[200];

	s->n = 0;
	if (!f) {
		if (errno == ENOENT)
			complain("no %s: the module is not loaded here (tandem doctor)",
				 path);
		else
			complain("%s: %s", path, strerror(errno));
		return -1;
	}
	while (s->n < MAX_COUNTERS && fgets(line, sizeof(line), f))
		if (sscanf(line, "%47s %llu", s->c[s->n].name,
			   &s->c[s->n].val) == 2)
			s->n++;
	fclose(f);
	return 0;
}

static bool matches(const struct stat_opts *o, const char *name)
{
	char **p;

	for (p = o->patterns; p && *p; p++)
		if (!fnmatch(*p, plain(name), 0) || !fnmatch(*p, name, 0))
			return true;
	return !o->patterns || !*o->patterns;
}

/* With @before, what changed: a gauge may have gone down. */
static void show(const struct stat_opts *o, const struct snap *before,
		 const struct snap *now)
{
	long long v;
	int i, j;

	for (i = 0; i < now->n; i++) {
		v = now->c[i].val;
		for (j = 0; before && j < before->n; j++)
			if (!strcmp(before->c[j].name, now->c[i].name))
				v -= before->c[j].val;
		if ((!v && !o->zeros) || !matches(o, now->c[i].name))
			continue;
		if (o->bare)
			printf("%s %lld\n", plain(now->c[i].name), v);
		else
			printf("%-20s %12lld  %s\n", plain(now->c[i].name), v,
			       meaning(now->c[i].name));
	}
	fflush(stdout);
}

static void pause_for(double s)
{
	struct timespec t = { (time_t)s, (long)((s - (time_t)s) * 1e9) };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static int run_program(char **argv)
{
	int status, pid = fork();

	if (!pid) {
		execvp(argv[0], argv);
		complain("%s: %s", argv[0], strerror(errno));
		_exit(errno == ENOENT ? EXIT_NOTFOUND : EXIT_CANNOT);
	}
	if (pid < 0)
		return EXIT_OURS;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_OURS;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int parse_seconds(const char *opt, const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end);
	if (!*s || *end || !(*out > 0 && *out < 1e6)) {
		complain("%s: '%s' is no number of seconds", opt, s);
		return -1;
	}
	return 0;
}

static int parse_opts(int argc, char **argv, struct stat_opts *o)
{
	static const struct option longs[] = {
		{ "zeros", no_argument, NULL, 'z' },
		{ "delta", required_argument, NULL, 'd' },
		{ "watch", required_argument, NULL, 'w' },
		{ "bare", no_argument, NULL, 'b' },
		{ "file", required_argument, NULL, 'F' },	/* for the tests */
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "+zd:w:bh", longs, NULL)) != -1) {
		switch (c) {
		case 'z':
			o->zeros = true;
			break;
		case 'd':
			if (parse_seconds("--delta", optarg, &o->delta))
				return -1;
			break;
		case 'w':
			if (parse_seconds("--watch", optarg, &o->watch))
				return -1;
			break;
		case 'b':
			o->bare = true;
			break;
		case 'F':
			o->file = optarg;
			break;
		case 'h':
			print_help(stdout);
			exit(0);
		default:
			print_help(stderr);
			return -1;
		}
	}
	return 0;
}

static int watch(const struct stat_opts *o, struct snap *a, struct snap *b)
{
	struct snap *t;

	for (;;) {
		pause_for(o->watch ? o->watch : o->delta);
		if (take(o->file, b))
			return 1;
		show(o, a, b);
		if (!o->watch)
			return 0;
		puts("--");
		t = a;
		a = b;
		b = t;
	}
}

int cmd_stat(int argc, char **argv)
{
	struct stat_opts o = { .file = PROC_DIR "/snmp" };
	static struct snap before, now;
	char **prog = NULL;
	int i, ret = 0;

	/* Cut at "--" before getopt swallows it. */
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		prog = argv + i + 1;
		argv[i] = NULL;
		argc = i;
		break;
	}
	if (parse_opts(argc, argv, &o))
		return EXIT_OURS;
	o.patterns = argv + optind;
	if (prog && !*prog) {
		complain("stat: which program after '--'?");
		return EXIT_OURS;
	}
	if (take(o.file, &before))
		return 1;
	if (prog) {
		ret = run_program(prog);
		if (take(o.file, &now))
			return 1;
		show(&o, &before, &now);
		return ret;
	}
	if (o.delta || o.watch)
		return watch(&o, &before, &now);
	show(&o, NULL, &before);
	return 0;
}
