/* SPDX-License-Identifier: GPL-2.0 */
/* sysctl.h - net.tandem.*, and what main.c needs of the small rooms. */
#ifndef _TANDEM_SYSCTL_H
#define _TANDEM_SYSCTL_H

struct net;

void tandem_knobs_init(struct net *net);	/* defaults; before anything reads */
int tandem_sysctl_net_init(struct net *net);	/* registers the tables */
void tandem_sysctl_net_exit(struct net *net);

#endif /* _TANDEM_SYSCTL_H */
