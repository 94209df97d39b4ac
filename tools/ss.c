// SPDX-License-Identifier: GPL-2.0
/*
 * ss.c - tandem ss: the socket tables of /proc/net/tandem, which have the form of
 * /proc/net/tcp, in the manner of ss(8).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

/* The kernel's numbers of the states (include/net/tcp_states.h). */
static const char * const states[] = {
	"?", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
	"TIME-WAIT", "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
	"NEW-SYN-RECV",
};

#define ST_TIME_WAIT	6
#define ST_CLOSE	7
#define ST_LISTEN	10

static const char * const timers[] = {
	"off", "on", "keepalive", "timewait", "persist",
};

struct ss_opts {
	bool	all, listening, processes, info, no_header;
	bool	v4, v6;
};

struct sock_line {
	char		local[80], peer[80];
	unsigned int	state, timer, retrans, uid;
	unsigned long	sendq, recvq, when, inode, rto;
	unsigned int	cwnd;
	int		ssthresh;
};

static void print_help(FILE *to)
{
	fputs("usage: tandem ss [OPTION...]\n\n"
	      "Lists this network namespace's Tandem sockets, by default connections only.\n\n"
	      "  -a, --all        listeners and closed sockets as well\n"
	      "  -l, --listening  only listeners\n"
	      "  -p, --processes  who holds the socket (all users' only as root)\n"
	      "  -i, --info       timer, retransmission timeout, cwnd, ssthresh\n"
	      "  -4, -6           only this IP version\n"
	      "  -H, --no-header  no headline\n"
	      "  -h, --help       this text\n\n"
	      "Stock ss reads the same table: PROC_NET_TCP=" PROC_DIR "/tandem ss -4\n", to);
}

/* "0100007F:0050" or the 32-digit form: words in host order, as the kernel prints. */
static int address(const char *s, char *out, size_t size)
{
	unsigned int word[4], port;
	char text[INET6_ADDRSTRLEN];
	int n, words = strcspn(s, ":") == 32 ? 4 : 1;

	for (n = 0; n < words; n++)
		if (sscanf(s + 8 * n, "%8x", &word[n]) != 1)
			return -1;
	if (sscanf(s + 8 * words, ":%x", &port) != 1)
		return -1;
	if (!inet_ntop(words == 4 ? AF_INET6 : AF_INET, word, text, sizeof(text)))
		return -1;
	n = snprintf(out, size, words == 4 ? "[%s]:" : "%s:", text);
	if (port)
		snprintf(out + n, size - n, "%u", port);
	else
		snprintf(out + n, size - n, "*");
	return 0;
}

static int parse_line(const char *line, struct sock_line *s)
{
	char local[64], peer[64];
	int used = 0;

	memset(s, 0, sizeof(*s));
	s->ssthresh = -1;
	if (sscanf(line, " %*d: %63s %63s %x %lx:%lx %x:%lx %x %u %*d %lu%n",
		   local, peer, &s->state, &s->sendq, &s->recvq, &s->timer,
		   &s->when, &s->retrans, &s->uid, &s->inode, &used) < 10)
		return -1;
	/* ref, address, rto, ato, quick|pingpong, cwnd, ssthresh: not for minisocks */
	if (sscanf(line + used, " %*d %*s %lu %*u %*u %u %d", &s->rto, &s->cwnd,
		   &s->ssthresh) < 3)
		s->ssthresh = -1;
	return address(local, s->local, sizeof(s->local)) ||
	       address(peer, s->peer, sizeof(s->peer)) ? -1 : 0;
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static void print_holder(const char *pid, const char *fd, bool first)
{
	char path[300], comm[32] = "?";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.10s/comm", pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = 0;
		fclose(f);
	}
	printf("%s(\"%s\",pid=%s,fd=%s)", first ? " users:(" : ",", comm, pid, fd);
}

/* Which processes have socket:[inode] open? */
static void print_holders(unsigned long inode)
{
	char want[40], path[600], link[64];
	struct dirent *p, *f;
	bool first = true;
	DIR *proc, *fds;
	ssize_t n;

	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	proc = opendir("/proc");
	while (proc && (p = readdir(proc))) {
		if (!is_number(p->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fd", p->d_name);
		fds = opendir(path);
		while (fds && (f = readdir(fds))) {
			snprintf(path, sizeof(path), "/proc/%s/fd/%s", p->d_name,
				 f->d_name);
			n = readlink(path, link, sizeof(link) - 1);
			if (n < 0)
				continue;
			link[n] = 0;
			if (strcmp(link, want))
				continue;
			print_holder(p->d_name, f->d_name, first);
			first = false;
		}
		if (fds)
			closedir(fds);
	}
	if (proc)
		closedir(proc);
	if (!first)
		putchar(')');
}

static void print_info(const struct sock_line *s)
{
	long hz = sysconf(_SC_CLK_TCK);

	if (s->timer && s->timer < ARRAY_SIZE(timers))
		printf(" timer:(%s,%lums,%u)", timers[s->timer],
		       s->when * 1000 / hz, s->retrans);
	if (s->rto)
		printf(" rto:%lums", s->rto * 1000 / hz);
	if (s->cwnd)
		printf(" cwnd:%u", s->cwnd);
	if (s->ssthresh > 0)
		printf(" ssthresh:%d", s->ssthresh);
	printf(" uid:%u ino:%lu", s->uid, s->inode);
}

static bool shown(const struct ss_opts *o, const struct sock_line *s)
{
	if (o->listening)
		return s->state == ST_LISTEN;
	return o->all || (s->state != ST_LISTEN && s->state != ST_CLOSE);
}

static int table(const char *path, const struct ss_opts *o)
{
	FILE *f = fopen(path, "re");
	struct sock_line s;
	char line[512];
	int n = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (!n++ && strstr(line, "local_address"))
			continue;
		if (parse_line(line, &s)) {
			complain("%s: not understood: %s", path, line);
			continue;
		}
		if (!shown(o, &s))
			continue;
		printf("%-12s %-7lu %-7lu %-26s %-26s",
		       s.state < ARRAY_SIZE(states) ?
		       states[s.state] : "?", s.recvq, s.sendq, s.local, s.peer);
		if (o->processes && s.inode)
			print_holders(s.inode);
		if (o->info)
			print_info(&s);
		putchar('\n');
	}
	fclose(f);
	return 0;
}

static const struct option longs[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "listening", no_argument, NULL, 'l' },
	{ "processes", no_argument, NULL, 'p' },
	{ "info", no_argument, NULL, 'i' },
	{ "ipv4", no_argument, NULL, '4' },
	{ "ipv6", no_argument, NULL, '6' },
	{ "no-header", no_argument, NULL, 'H' },
	{ "file", required_argument, NULL, 'F' },	/* for the tests */
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int parse_opts(int argc, char **argv, struct ss_opts *o, const char **file)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "alpintHh46", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->all = true;
			break;
		case 'l':
			o->listening = true;
			break;
		case 'p':
			o->processes = true;
			break;
		case 'i':
			o->info = true;
			break;
		case '4':
			o->v4 = true;
			break;
		case '6':
			o->v6 = true;
			break;
		case 'H':
			o->no_header = true;
			break;
		case 'F':
			*file = optarg;
			break;
		case 'n':	/* ss's: always numeric, one kind */
		case 't':
			break;
		case 'h':
			print_help(stdout);
			exit(0);
		default:
			print_help(stderr);
			return -1;
		}
	}
	if (optind < argc) {
		complain("ss: filters such as '%s' are not known", argv[optind]);
		return -1;
	}
	if (!o->v4 && !o->v6) {
		o->v4 = true;
		o->v6 = true;
	}
	return 0;
}

int cmd_ss(int argc, char **argv)
{
	const char *file = NULL;
	struct ss_opts o = { };
	int e4 = 0, e6 = 0;

	if (parse_opts(argc, argv, &o, &file))
		return EXIT_OURS;
	if (!file && access(PROC_DIR, F_OK)) {
		complain("no " PROC_DIR ": the module is not loaded here (tandem doctor)");
		return 1;
	}
	if (!o.no_header)
		printf("%-12s %-7s %-7s %-26s %-26s\n", "State", "Recv-Q",
		       "Send-Q", "Local address:port", "Peer address:port");
	if (file) {
		e4 = table(file, &o);
	} else {
		if (o.v4)
			e4 = table(PROC_DIR "/tandem", &o);
		if (o.v6)
			e6 = table(PROC_DIR "/tandem6", &o);
	}
	/* A kernel without IPv6 has no second table. */
	if (e4 || (e6 && e6 != -ENOENT)) {
		complain("%s: %s", file ? file : PROC_DIR,
			 strerror(e4 ? -e4 : -e6));
		return 1;
	}
	return 0;
}
