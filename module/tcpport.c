// SPDX-License-Identifier: GPL-2.0
/*
 * tcpport.c - ports of the kernel's TCP that sockets on the tcp wire hold.
 *
 * Two stacks send and receive protocol 6 on one host, so a port may belong to one of
 * them only.  A socket on the tcp wire that gets a local port therefore also binds a
 * socket of the kernel's TCP to it, which never listens and never connects: TCP's own
 * bind rules then keep everyone else away, with EADDRINUSE as programs know it, and
 * TCP's connect() does not choose such a port.  Who may share a port among our own
 * sockets is decided by ports.c alone; all these sockets of ours belong to one
 * SO_REUSEPORT group that no program can join, its user being none.
 *
 * A hold is shared by the sockets accepted from its maker and by their TIME-WAIT
 * minisocks.  Kernel sockets hold no reference on their netns; ours are released by a
 * work item, as that may sleep, and pernet exit waits for it.
 */
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include "sock.h"
#include "tcpport.h"
#include "tcpwire.h"

/**
 * struct tandem_hold - a port that is ours in the kernel's TCP
 * @refs:	claims that share it
 * @sock:	bound to it
 * @reuse:	SO_REUSEADDR of the socket that made it
 * @release:	the end of @sock
 */
struct tandem_hold {
	refcount_t		refs;
	struct socket		*sock;
	bool			reuse;
	struct work_struct	release;
};

static struct workqueue_struct *release_wq;

static void release_work(struct work_struct *work)
{
	struct tandem_hold *hold = container_of(work, struct tandem_hold, release);

	sock_release(hold->sock);
	kfree(hold);
}

struct tandem_hold *tandem_hold_get(struct tandem_hold *hold)
{
	if (hold)
		refcount_inc(&hold->refs);
	return hold;
}

void tandem_hold_put(struct tandem_hold *hold)
{
	if (hold && refcount_dec_and_test(&hold->refs))
		queue_work(release_wq, &hold->release);
}

void tandem_hold_relax(struct tandem_hold *hold)
{
	/* Only TCP's bind() reads it, under a lock of its own; stale is as good. */
	if (hold)
		hold->sock->sk->sk_reuse = hold->reuse;
}

/* A TCP socket that looks to bind() like @sk. */
static struct tandem_hold *make_hold(const struct sock *sk)
{
	struct tandem_hold *hold = kzalloc(sizeof(*hold), GFP_KERNEL);
	struct sock *psk;

	if (!hold)
		return NULL;
	if (sock_create_kern(sock_net(sk), sk->sk_family, SOCK_STREAM, IPPROTO_TCP,
			     &hold->sock)) {
		kfree(hold);
		return NULL;
	}
	refcount_set(&hold->refs, 1);
	INIT_WORK(&hold->release, release_work);
	hold->reuse = sk->sk_reuse;
	psk = hold->sock->sk;
	psk->sk_bound_dev_if = sk->sk_bound_dev_if;
	psk->sk_reuseport = 1;
	psk->sk_uid = INVALID_UID;
	/* Kernels before 6.17 take the user of a SO_REUSEPORT group from here. */
	SOCK_INODE(hold->sock)->i_uid = INVALID_UID;
	return hold;
}

/*
 * What bind() does behind its checks, which @sk has passed already: they would ask
 * cgroup programs and capabilities a second time, for a socket nobody made.
 */
static int bind_hold(struct tandem_hold *hold, const struct sock *sk, u16 *num)
{
	struct sock *psk = hold->sock->sk;
	int err;

	lock_sock(psk);
	inet_sk(psk)->inet_saddr = inet_sk(sk)->inet_rcv_saddr;
	inet_sk(psk)->inet_rcv_saddr = inet_sk(sk)->inet_rcv_saddr;
#if IS_ENABLED(CONFIG_IPV6)
	psk->sk_v6_rcv_saddr = sk->sk_v6_rcv_saddr;
	psk->sk_ipv6only = sk->sk_ipv6only;
#endif
	/* Over the remains of the kernel's own connections SO_REUSEADDR goes. */
	psk->sk_reuse = sk->sk_reuse;
	err = psk->sk_prot->get_port(psk, *num);
	psk->sk_reuse = SK_NO_REUSE;
	if (!err) {
		*num = inet_sk(psk)->inet_num;
		inet_sk(psk)->inet_sport = htons(*num);
		psk->sk_userlocks |= SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK;
	}
	release_sock(psk);
	return err ? -EADDRINUSE : 0;
}

int tandem_hold_port(struct sock *sk, u16 *num)
{
	struct tandem_claim *claim = &tandem_sk(sk)->claim;
	struct tandem_hold *hold;
	int err;

	if (!tandem_sk_knob(sk, tcp_wire))
		return -EPERM;
	err = tandem_tcpwire_open(sock_net(sk));
	if (err)
		return err;
	hold = make_hold(sk);
	if (!hold)
		return -ENOMEM;
	err = bind_hold(hold, sk, num);
	if (err) {
		tandem_hold_put(hold);
		return err;
	}
	claim->hold = hold;
	claim->hold_maker = true;
	return 0;
}

static int hold_conflict(struct sock *sk, bool alone)
{
	struct sock *psk = tandem_sk(sk)->claim.hold->sock->sk;
	int err;

	lock_sock(psk);
	/*
	 * As members of a group TCP would let us pass without a look at the others.
	 * With more holds of ours on the port there is no telling them from others.
	 */
	psk->sk_reuseport = !alone;
	err = psk->sk_prot->get_port(psk, inet_sk(psk)->inet_num);
	psk->sk_reuseport = 1;
	release_sock(psk);
	return err ? -EADDRINUSE : 0;
}

int tandem_hold_check(struct sock *sk, bool alone)
{
	int err = hold_conflict(sk, alone);

	if (err) {
		/* Perhaps only with the hold of a socket that was closed a moment ago. */
		flush_workqueue(release_wq);
		err = hold_conflict(sk, alone);
	}
	return err;
}

void tandem_tcpport_net_exit(struct net *net)
{
	flush_workqueue(release_wq);
}

int tandem_tcpport_init(void)
{
	release_wq = alloc_workqueue("tandem", WQ_UNBOUND, 0);
	return release_wq ? 0 : -ENOMEM;
}

void tandem_tcpport_exit(void)
{
	destroy_workqueue(release_wq);
}
