// SPDX-License-Identifier: GPL-2.0
/*
 * doctor.c - tandem doctor: goes through what must hold for Tandem to work here
 * (and, given a host, on the path to it) in the order in which one thing needs the
 * next, and says for the first thing that fails what to do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/tandem.h>
#include "tool.h"

#define TRY_MS		5000	/* patience for one connection */

static int failures;
static int protocol = IPPROTO_TANDEM;

static void line(const char *mark, const char *fmt, va_list ap)
{
	printf("%-5s ", mark);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

__printf(1, 2) static void ok(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("ok", fmt, ap);
	va_end(ap);
}

__printf(1, 2) static void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("note", fmt, ap);
	va_end(ap);
}

__printf(1, 2) static void bad(const char *fmt, ...)
{
	va_list ap;

	failures++;
	va_start(ap, fmt);
	line("FAIL", fmt, ap);
	va_end(ap);
}

__printf(1, 2) static void fix(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("  fix:", fmt, ap);
	va_end(ap);
}

/* First line of a file; empty if there is none. */
static const char *first_line(const char *path)
{
	static char text[256];
	FILE *f = fopen(path, "re");

	text[0] = 0;
	if (f) {
		if (fgets(text, sizeof(text), f))
			text[strcspn(text, "\n")] = 0;
		fclose(f);
	}
	return text;
}

/* Is there an installed tandem.ko that modprobe would find? */
static bool installed(const char *release)
{
	char path[300], text[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	f = fopen(path, "re");
	while (f && !found && fgets(text, sizeof(text), f)) {
		text[strcspn(text, ":")] = 0;
		found = strstr(text, "/tandem.ko");
	}
	if (f)
		fclose(f);
	return found;
}

static void why_not_loaded(const char *release)
{
	char path[300];

	if (!strcmp(first_line("/proc/sys/kernel/modules_disabled"), "1")) {
		bad("this kernel loads no modules any more (kernel.modules_disabled = 1)");
		fix("reboot; find what sets kernel.modules_disabled in /etc/sysctl.d");
		return;
	}
	if (strstr(first_line("/sys/kernel/security/lockdown"), "[integrity]") ||
	    strstr(first_line("/sys/kernel/security/lockdown"), "[confidentiality]") ||
	    !strcmp(first_line("/sys/module/module/parameters/sig_enforce"), "Y"))
		note("this kernel takes signed modules only (secure boot): sign tandem.ko\n"
		     "      and enroll the key with mokutil, or turn secure boot off");
	snprintf(path, sizeof(path), "/lib/modules/%s/build", release);
	if (installed(release)) {
		bad("tandem.ko is installed for %s, but the kernel did not load it",
		    release);
		fix("sudo modprobe tandem, then read the reason in 'sudo dmesg | tail'");
		return;
	}
	bad("tandem.ko is neither loaded nor installed for kernel %s", release);
	if (access(path, F_OK))
		fix("sudo apt-get install linux-headers-%s, then", release);
	fix("make && sudo insmod tandem.ko, or for good: make && sudo make install");
}

/* 0 when a socket of the family could be opened. */
static int check_socket(int family, const char *name, const char *release)
{
	int fd = probe_socket(family, protocol);

	if (fd >= 0) {
		close(fd);
		ok("socket(%s, SOCK_STREAM, %d) opens", name, protocol);
		return 0;
	}
	if (fd == -EAFNOSUPPORT) {
		note("%s: this kernel has no such addresses", name);
		return -1;
	}
	if (fd == -EPROTONOSUPPORT || fd == -ESOCKTNOSUPPORT) {
		if (family == AF_INET6 && !access("/sys/module/tandem", F_OK)) {
			bad("%s: the module is loaded without IPv6", name);
			fix("sudo rmmod tandem && sudo modprobe ipv6 && sudo modprobe tandem");
			return -1;
		}
		why_not_loaded(release);
		return -1;
	}
	bad("socket(%s, SOCK_STREAM, %d): %s", name, protocol, strerror(-fd));
	if (fd == -EPERM || fd == -EACCES)
		fix("a seccomp filter (container?), SELinux or AppArmor forbids it:\n"
		    "       look into 'sudo dmesg' and the audit log");
	return -1;
}

static int wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };
	int n;

	do {
		n = poll(&p, 1, TRY_MS);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

/* connect() with patience; 0, or -1 with errno. */
static int try_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	socklen_t elen = sizeof(int);
	int err = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!connect(fd, sa, len))
		return 0;
	if (errno != EINPROGRESS || wait_for(fd, POLLOUT))
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &elen))
		return -1;
	errno = err;
	return err ? -1 : 0;
}

/* Carry bytes there and compare; a full window's worth needs no reader. */
static int carry(int from, int to)
{
	unsigned char out[4096], in[4096];
	size_t i, got = 0;
	ssize_t n;

	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 31 + (i >> 8);
	if (send(from, out, sizeof(out), MSG_NOSIGNAL) != sizeof(out))
		return -1;
	while (got < sizeof(in)) {
		if (wait_for(to, POLLIN))
			return -1;
		n = recv(to, in + got, sizeof(in) - got, 0);
		if (n <= 0)
			return -1;
		got += n;
	}
	errno = EILSEQ;
	return memcmp(in, out, sizeof(in)) ? -1 : 0;
}

static void loopback_failed(const char *what, const char *name)
{
	int err = errno;

	bad("%s over loopback, %s: %s", name, what, strerror(err));
	if (err == ENETUNREACH || err == EADDRNOTAVAIL || err == EHOSTUNREACH)
		fix("sudo ip link set lo up (in this network namespace; %s)", name);
	else if (err == ETIMEDOUT)
		fix("a firewall drops protocol %d on lo: sudo nft list ruleset, sudo iptables -S",
		    protocol);
	else
		fix("look into 'tandem stat' and 'sudo dmesg | tail', and report it");
}

static void check_loopback(int family, const char *name)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in a4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *sa = family == AF_INET ? (void *)&a4 : (void *)&a6;
	socklen_t len = family == AF_INET ? sizeof(a4) : sizeof(a6);
	int lfd = probe_socket(family, protocol);
	int cfd = probe_socket(family, protocol), afd = -1;
	const char *step = "bind";

	if (lfd < 0 || cfd < 0)
		return;
	if (bind(lfd, sa, len))
		goto failed;
	step = "listen";
	if (listen(lfd, 1) || getsockname(lfd, sa, &len))
		goto failed;
	step = "connect";
	if (try_connect(cfd, sa, len))
		goto failed;
	step = "accept";
	if (wait_for(lfd, POLLIN))
		goto failed;
	afd = accept(lfd, NULL, NULL);
	if (afd < 0)
		goto failed;
	step = "bytes there";
	if (carry(cfd, afd))
		goto failed;
	step = "bytes back";
	if (carry(afd, cfd))
		goto failed;
	ok("a connection over %s loopback carries bytes both ways", name);
	goto out;
failed:
	loopback_failed(step, name);
out:
	if (afd >= 0)
		close(afd);
	close(cfd);
	close(lfd);
}

static void firewall_hint(const char *host)
{
	fix("let IP protocol %d through on both hosts, e.g.\n"
	    "       sudo nft insert rule inet filter input meta l4proto %d accept\n"
	    "       or sudo iptables -I INPUT -p %d -j ACCEPT", protocol, protocol,
	    protocol);
	fix("see how far it gets: on %s run 'sudo tcpdump -ni any ip proto %d'\n"
	    "       (NATs and cloud networks mostly pass only TCP and UDP)", host,
	    protocol);
}

/* The path to a host: any answer, even a refusal, proves it. */
static void check_path(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	char text[INET6_ADDRSTRLEN];
	int fd, err;

	err = getaddrinfo(host, port, &hints, &list);
	if (err) {
		bad("%s: %s", host, gai_strerror(err));
		return;
	}
	for (ai = list; ai; ai = ai->ai_next) {
		getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof(text), NULL,
			    0, NI_NUMERICHOST);
		fd = probe_socket(ai->ai_family, protocol);
		if (fd < 0)
			continue;
		if (!try_connect(fd, ai->ai_addr, ai->ai_addrlen)) {
			ok("%s port %s accepts Tandem connections", text, port);
		} else if (errno == ECONNREFUSED) {
			ok("the path to %s works; nothing listens on port %s",
			   text, port);
		} else if (errno == ENOPROTOOPT || errno == EPROTONOSUPPORT) {
			bad("%s answers that it does not know protocol %d", text, protocol);
			fix("load the module there");
		} else {
			bad("%s port %s: %s", text, port, strerror(errno));
			if (errno == ETIMEDOUT || errno == EHOSTUNREACH)
				firewall_hint(host);
		}
		close(fd);
	}
	freeaddrinfo(list);
}

static void check_wire(void)
{
	const char *wire = first_line("/proc/sys/net/tandem/wire");

	if (protocol != IPPROTO_TANDEM)
		return;
	if (!strcmp(wire, "tcp")) {
		note("segments leave by the tcp wire: the other end may be plain TCP");
	} else if (!strcmp(wire, "udp")) {
		const char *port = first_line("/proc/sys/net/tandem/udp_port");

		if (strcmp(port, "0")) {
			note("segments leave by the udp wire, UDP port %s", port);
		} else {
			bad("segments leave by the udp wire, but its tunnel is closed");
			fix("sudo sysctl net.tandem.udp_port=5254, here and at the other end");
		}
	} else {
		note("segments leave by the native wire (IP protocol %d)", protocol);
	}
}

static void print_help(FILE *to)
{
	fputs("usage: tandem doctor [--protocol=N] [HOST [PORT]]\n\n"
	      "Checks whether Tandem works on this machine, and with HOST on the path to\n"
	      "it (PORT: 80), and says what to do about what does not.\n\n"
	      "Exit code: 0 all is well, 1 something is not.\n", to);
}

static int parse_opts(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "protocol", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h') {
			print_help(stdout);
			exit(0);
		}
		if (c != 'p') {
			print_help(stderr);
			return -1;
		}
		protocol = atoi(optarg);
	}
	return 0;
}

int cmd_doctor(int argc, char **argv)
{
	struct utsname u;
	int v4, v6;

	if (parse_opts(argc, argv))
		return EXIT_OURS;
	uname(&u);
	ok("kernel %s, %s", u.release, u.machine);
	v4 = check_socket(AF_INET, "AF_INET", u.release);
	if (!access("/sys/module/tandem", F_OK))
		ok("the module is loaded%s%s",
		   *first_line("/sys/module/tandem/version") ? ", version " : "",
		   first_line("/sys/module/tandem/version"));
	if (!v4) {
		v6 = check_socket(AF_INET6, "AF_INET6", u.release);
		check_loopback(AF_INET, "IPv4");
		if (!v6)
			check_loopback(AF_INET6, "IPv6");
		check_wire();
		if (find_library())
			ok("'tandem run' has its library");
		else
			failures++;
		if (optind < argc)
			check_path(argv[optind],
				   optind + 1 < argc ? argv[optind + 1] : "80");
	}
	puts(failures ? "Tandem does not work here as it should." :
	     "Tandem works here.");
	return failures ? 1 : 0;
}
