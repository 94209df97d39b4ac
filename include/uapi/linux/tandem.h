/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * tandem.h - what a program needs to open and steer a Tandem socket.
 *
 *	fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_TANDEM);
 *
 * Everything else is what TCP sockets take.  Socket options live at level
 * SOL_TANDEM with the numbers of <linux/tcp.h>; level IPPROTO_TCP is accepted for
 * the same options, so a program written for TCP needs no change.
 */
#ifndef _UAPI_LINUX_TANDEM_H
#define _UAPI_LINUX_TANDEM_H

/* IP protocol number: RFC 3692 experiment number 254. */
#ifndef IPPROTO_TANDEM
#define IPPROTO_TANDEM		254
#endif

/* Socket option level. */
#ifndef SOL_TANDEM
#define SOL_TANDEM		254
#endif

/* Options of our own, above TCP's numbers; level SOL_TANDEM only. */
#define TANDEM_WIRE		1001	/* int: TANDEM_WIRE_*, before bind/connect/listen */
#define TANDEM_REMOTE_UDP_PORT	1002	/* int: the peer's UDP port, before connect */
/* Strings, a name each; what there is: net.tandem.available_... */
#define TANDEM_RTO_ESTIMATOR	1003	/* "rfc6298", "fixed" */
#define TANDEM_LOSS_DETECTION	1004	/* "rack", "dupthresh" */
#define TANDEM_ACK_POLICY	1005	/* "delayed", "every" */
#define TANDEM_ZEROCOPY		1008	/* int, 0 or 1: SO_ZEROCOPY for kernels before 6.4 */

/* Values of TANDEM_WIRE. */
#define TANDEM_WIRE_NATIVE	0	/* IP protocol 254 */
#define TANDEM_WIRE_TCP		1	/* IP protocol 6: the peer is plain TCP */
#define TANDEM_WIRE_UDP		2	/* in UDP datagrams, see net.tandem.udp_port */

#endif /* _UAPI_LINUX_TANDEM_H */
