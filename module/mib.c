// SPDX-License-Identifier: GPL-2.0
/*
 * mib.c - the counters of a network namespace.
 */
#include <linux/percpu.h>
#include "netns.h"

static const char * const mib_names[__TANDEM_MIB_MAX] = {
	"",	/* TANDEM_MIB_NUM */
#define X(e, n, d) n,
	TANDEM_MIB_LIST(X)
#undef X
};

/**
 * tandem_mib_name() - a counter's name in /proc/net/tandem/snmp
 * @item: the counter
 */
const char *tandem_mib_name(enum tandem_mib_item item)
{
	return mib_names[item];
}

/**
 * tandem_mib_fold() - a counter's value, summed over all processors
 * @net: the namespace
 * @item: the counter
 *
 * The sum is not a snapshot: processors go on counting meanwhile.
 */
unsigned long tandem_mib_fold(struct net *net, enum tandem_mib_item item)
{
	struct tandem_mib __percpu *mib = tandem_pernet(net)->mib;
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(mib, cpu)->mibs[item]);
	return sum;
}

int tandem_mib_net_init(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);

	tn->mib = alloc_percpu(struct tandem_mib);
	return tn->mib ? 0 : -ENOMEM;
}

void tandem_mib_net_exit(struct net *net)
{
	free_percpu(tandem_pernet(net)->mib);
}
