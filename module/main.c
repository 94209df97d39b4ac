// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the module: everything comes up in this order and goes down in the
 * opposite one.
 *
 * Nothing must find a room before the room is ready, so the way in from the network
 * and from socket() opens last.  Nothing must be in flight when a room goes, so that
 * way closes first, and the slabs go after rcu_barrier().
 */
#include <linux/init.h>
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "advert.h"
#include "choice.h"
#include "cong.h"
#include "demux.h"
#include "early.h"
#include "encap.h"
#include "fastopen.h"
#include "gro.h"
#include "handshake.h"
#include "loss.h"
#include "netns.h"
#include "path.h"
#include "ports.h"
#include "proc.h"
#include "sock.h"
#include "socket.h"
#include "sysctl.h"
#include "tcpport.h"
#include "tcpwire.h"
#include "timewait.h"
#include "tsq.h"
#include "wire.h"

#define TANDEM_VERSION	"0.1"

unsigned int tandem_net_id __read_mostly;

static int __net_init tandem_net_init(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	int ret;

	atomic_set(&tn->orphans, 0);
	spin_lock_init(&tn->challenge_lock);
	tandem_knobs_init(net);

	ret = tandem_mib_net_init(net);
	if (ret)
		return ret;
	tandem_choice_net_init(net);
	ret = tandem_path_net_init(net);
	if (ret)
		goto err_path;
	tandem_fastopen_net_init(net);
	ret = tandem_ports_net_init(net);
	if (ret)
		goto err_ports;
	ret = tandem_demux_net_init(net);
	if (ret)
		goto err_demux;
	ret = tandem_timewait_net_init(net);
	if (ret)
		goto err_timewait;
	ret = tandem_wire_net_init(net);
	if (ret)
		goto err_wire;
	ret = tandem_proc_net_init(net);
	if (ret)
		goto err_proc;
	ret = tandem_sysctl_net_init(net);
	if (ret)
		goto err_sysctl;
	return 0;

err_sysctl:
	tandem_proc_net_exit(net);
err_proc:
	tandem_wire_net_exit(net);
err_wire:
	tandem_timewait_net_exit(net);
err_timewait:
	tandem_demux_net_exit(net);
err_demux:
	tandem_ports_net_exit(net);
err_ports:
	tandem_fastopen_net_exit(net);
	tandem_path_net_exit(net);
err_path:
	tandem_choice_net_exit(net);
	tandem_mib_net_exit(net);
	return ret;
}

static void __net_exit tandem_net_exit(struct net *net)
{
	tandem_sysctl_net_exit(net);
	tandem_proc_net_exit(net);
	tandem_tcpwire_net_exit(net);
	tandem_early_net_exit(net);
	tandem_encap_net_exit(net);
	tandem_wire_net_exit(net);
	/* TIME-WAIT holds ports and flows: it goes before their tables. */
	tandem_timewait_net_exit(net);
	tandem_demux_net_exit(net);
	tandem_ports_net_exit(net);
	tandem_tcpport_net_exit(net);
	tandem_fastopen_net_exit(net);
	tandem_path_net_exit(net);
	tandem_choice_net_exit(net);
	tandem_mib_net_exit(net);
}

static struct pernet_operations tandem_net_ops = {
	.init	= tandem_net_init,
	.exit	= tandem_net_exit,
	.id	= &tandem_net_id,
	.size	= sizeof(struct tandem_net),
};

static int __init tandem_init(void)
{
	int ret;

	BUILD_BUG_ON(sizeof(struct tandem_skb_cb) > sizeof_field(struct sk_buff, cb));
	BUILD_BUG_ON(offsetof(struct tandem_sock, inet) != 0);
	BUILD_BUG_ON(__TANDEM_MIB_MAX > U8_MAX || __TANDEM_R_MAX > U8_MAX);

	ret = tandem_cong_room_init();
	if (ret)
		return ret;
	ret = tandem_loss_init();
	if (ret)
		goto err_loss;
	ret = tandem_advert_init();
	if (ret)
		goto err_advert;
	ret = tandem_ports_init();
	if (ret)
		goto err_ports;
	ret = tandem_tcpport_init();
	if (ret)
		goto err_tcpport;
	ret = tandem_handshake_init();
	if (ret)
		goto err_handshake;
	ret = tandem_timewait_init();
	if (ret)
		goto err_timewait;
	tandem_tsq_init();
	ret = tandem_socket_init();
	if (ret)
		goto err_socket;
	ret = register_pernet_subsys(&tandem_net_ops);
	if (ret)
		goto err_pernet;
	ret = tandem_ipv4_init();
	if (ret)
		goto err_ipv4;
	ret = tandem_ipv6_init();
	if (ret)
		goto err_ipv6;

	pr_info("tandem: version " TANDEM_VERSION ", IP protocol %d\n", IPPROTO_TANDEM);
	return 0;

err_ipv6:
	tandem_gro_stop();
	tandem_ipv4_exit();
err_ipv4:
	unregister_pernet_subsys(&tandem_net_ops);
	/* For a moment we were open: sockets and segments may have come. */
	rcu_barrier();
	tandem_tsq_exit();
err_pernet:
	tandem_socket_exit();
err_socket:
	tandem_timewait_exit();
err_timewait:
	tandem_handshake_exit();
err_handshake:
	tandem_tcpport_exit();
err_tcpport:
	tandem_ports_exit();
err_ports:
	tandem_advert_exit();
err_advert:
	tandem_loss_exit();
err_loss:
	tandem_cong_room_exit();
	return ret;
}

static void __exit tandem_exit(void)
{
	tandem_gro_stop();
	tandem_ipv6_exit();
	tandem_ipv4_exit();
	unregister_pernet_subsys(&tandem_net_ops);
	/* Sockets and minisocks are freed by RCU, into the slabs that go now. */
	rcu_barrier();
	tandem_tsq_exit();
	tandem_socket_exit();
	tandem_timewait_exit();
	tandem_handshake_exit();
	tandem_tcpport_exit();
	tandem_ports_exit();
	tandem_advert_exit();
	tandem_loss_exit();
	tandem_cong_room_exit();
}

module_init(tandem_init);
module_exit(tandem_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tandem: a reliable byte stream, IP protocol 254");
MODULE_VERSION(TANDEM_VERSION);
/* SOCK_STREAM as a literal: it is an enum, and the macro would take its name. */
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET, 254, 1);
MODULE_ALIAS_NET_PF_PROTO_TYPE(PF_INET6, 254, 1);
