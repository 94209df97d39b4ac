/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proc.h - /proc/net/tandem/: snmp (counters, a line "TandemNAME value" each, the form
 * in which nstat reads SCTP's), tandem and tandem6 (sockets, in the form of
 * /proc/net/tcp and tcp6), sockstat.
 */
#ifndef _TANDEM_PROC_H
#define _TANDEM_PROC_H

struct net;

int tandem_proc_net_init(struct net *net);
void tandem_proc_net_exit(struct net *net);

#endif /* _TANDEM_PROC_H */
