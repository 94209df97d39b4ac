// SPDX-License-Identifier: GPL-2.0
/*
 * cong.c - which congestion control algorithms there are, and who uses which.
 *
 * The list is changed under cong_lock and read under RCU.  An algorithm's module is
 * held by every connection attached to it and by every netns it is the default of, so
 * its exit function, which unregisters it, runs only when nobody uses it; readers that
 * still see the entry then fail in try_module_get(), and tandem_cong_unregister()
 * waits for them.
 */
#include <linux/capability.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "cong.h"
#include "netns.h"

static DEFINE_SPINLOCK(cong_lock);	/* guards cong_list and tandem_net.cong */
static LIST_HEAD(cong_list);

/* Under RCU or cong_lock. */
static struct tandem_cong_ops *cong_find(const char *name)
{
	struct tandem_cong_ops *ops;

	list_for_each_entry_rcu(ops, &cong_list, list,
				lockdep_is_held(&cong_lock))
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

/*
 * The algorithm of that name with its module held, or an error pointer.  As with TCP
 * only CAP_NET_ADMIN of the initial user namespace makes modules load.
 */
static const struct tandem_cong_ops *cong_get(const char *name, bool may_load)
{
	const struct tandem_cong_ops *ops;

	rcu_read_lock();
	ops = cong_find(name);
	if (!ops && may_load && capable(CAP_NET_ADMIN)) {
		rcu_read_unlock();
		request_module("tandem-cong-%s", name);
		rcu_read_lock();
		ops = cong_find(name);
	}
	if (!ops)
		ops = ERR_PTR(-ENOENT);
	else if (!try_module_get(ops->owner))
		ops = ERR_PTR(-EBUSY);
	rcu_read_unlock();
	return ops;
}

/* The netns's default with its module held; reno when that is going away. */
static const struct tandem_cong_ops *cong_get_default(struct net *net)
{
	const struct tandem_cong_ops *ops;

	rcu_read_lock();
	ops = rcu_dereference(tandem_pernet(net)->cong);
	if (!ops || !try_module_get(ops->owner))
		ops = &tandem_reno;
	rcu_read_unlock();
	return ops;
}

/* Change the netns's default; @ops (may be NULL) comes with its module held. */
static void cong_swap_default(struct net *net, const struct tandem_cong_ops *ops)
{
	const struct tandem_cong_ops *old;

	spin_lock(&cong_lock);
	old = rcu_replace_pointer(tandem_pernet(net)->cong, ops,
				  lockdep_is_held(&cong_lock));
	spin_unlock(&cong_lock);
	if (old)
		module_put(old->owner);
}

/* Hand @cc to @ops, whose module is held. */
static void cong_start(struct tandem_cc *cc, const struct tandem_cong_ops *ops)
{
	memset(cc->priv, 0, sizeof(cc->priv));
	cc->cwnd_cnt = 0;
	/* tandem_cong_inherit() reads a listener's without its lock. */
	WRITE_ONCE(cc->ops, ops);
	if (ops->init)
		ops->init(cc);
}

/**
 * tandem_cong_register() - offer an algorithm under its name
 * @ops: the algorithm; stays with the registry until tandem_cong_unregister()
 *
 * To be loaded on demand its module needs MODULE_ALIAS("tandem-cong-NAME").
 *
 * Return: 0; -EEXIST when the name is taken; -EINVAL when the name is empty, too long
 * or has blanks, or a required op is missing.
 */
int tandem_cong_register(struct tandem_cong_ops *ops)
{
	size_t len = strnlen(ops->name, sizeof(ops->name));
	int err = 0;

	if (!len || len == sizeof(ops->name) || strpbrk(ops->name, " \t\n"))
		return -EINVAL;
	if (!ops->ssthresh || !ops->on_ack || !ops->undo_cwnd)
		return -EINVAL;

	spin_lock(&cong_lock);
	if (cong_find(ops->name))
		err = -EEXIST;
	else
		list_add_tail_rcu(&ops->list, &cong_list);
	spin_unlock(&cong_lock);
	return err;
}
EXPORT_SYMBOL_GPL(tandem_cong_register);

/**
 * tandem_cong_unregister() - take an algorithm back; may sleep
 * @ops: registered before, and used by nobody: its module holds see to that
 */
void tandem_cong_unregister(struct tandem_cong_ops *ops)
{
	spin_lock(&cong_lock);
	list_del_rcu(&ops->list);
	spin_unlock(&cong_lock);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(tandem_cong_unregister);

/**
 * tandem_cong_attach() - let an algorithm drive a connection
 * @net: whose default counts when @name is NULL
 * @cc: the connection; cwnd, ssthresh, cwnd_clamp and mss are set, ops is NULL or
 *	the algorithm attached before
 * @name: the algorithm, NULL for the default (which never fails)
 * @may_load: the caller may sleep, and a module may be asked for
 *
 * On error nothing changed.
 *
 * Return: 0, -ENOENT, or -EBUSY when the algorithm's module is going away.
 */
int tandem_cong_attach(struct net *net, struct tandem_cc *cc, const char *name,
		       bool may_load)
{
	const struct tandem_cong_ops *ops;

	ops = name ? cong_get(name, may_load) : cong_get_default(net);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	if (ops == cc->ops) {
		module_put(ops->owner);
		return 0;
	}
	tandem_cong_detach(cc);
	cong_start(cc, ops);
	return 0;
}

/**
 * tandem_cong_inherit() - give a child its listener's algorithm
 * @net: their netns
 * @child: a connection without algorithm; its ops is overwritten, not released, as it
 *	is a copy of the listener's after a clone
 * @parent: the listener's, which need not be locked
 */
void tandem_cong_inherit(struct net *net, struct tandem_cc *child,
			 const struct tandem_cc *parent)
{
	const struct tandem_cong_ops *ops;

	rcu_read_lock();
	ops = READ_ONCE(parent->ops);
	if (!ops || !try_module_get(ops->owner))
		ops = cong_get_default(net);
	rcu_read_unlock();
	cong_start(child, ops);
}

/**
 * tandem_cong_detach() - the connection ends
 * @cc: the connection; ops is NULL afterwards.  Without algorithm nothing happens.
 */
void tandem_cong_detach(struct tandem_cc *cc)
{
	const struct tandem_cong_ops *ops = cc->ops;

	if (!ops)
		return;
	if (ops->release)
		ops->release(cc);
	WRITE_ONCE(cc->ops, NULL);
	module_put(ops->owner);
}

/**
 * tandem_cong_set_default() - what new sockets of a netns start with
 * @net: the netns
 * @name: an algorithm; its module is loaded when need be, so this may sleep
 *
 * Return: 0, -ENOENT or -EBUSY, then the default stays what it was.
 */
int tandem_cong_set_default(struct net *net, const char *name)
{
	const struct tandem_cong_ops *ops;

	ops = cong_get(name, true);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	cong_swap_default(net, ops);
	return 0;
}

/**
 * tandem_cong_get_default() - name of a netns's default
 * @net: the netns
 * @name: TANDEM_CONG_NAME_MAX bytes
 */
void tandem_cong_get_default(struct net *net, char *name)
{
	const struct tandem_cong_ops *ops;

	rcu_read_lock();
	ops = rcu_dereference(tandem_pernet(net)->cong);
	strscpy(name, ops ? ops->name : tandem_reno.name, TANDEM_CONG_NAME_MAX);
	rcu_read_unlock();
}

/**
 * tandem_cong_list() - names of all algorithms, with blanks between
 * @buf: where to; always a string afterwards
 * @len: its size, at least 1; names that do not fit whole are left off
 */
void tandem_cong_list(char *buf, size_t len)
{
	const struct tandem_cong_ops *ops;
	size_t used = 0, need;

	*buf = '\0';
	rcu_read_lock();
	list_for_each_entry_rcu(ops, &cong_list, list) {
		need = strlen(ops->name) + (used ? 1 : 0);
		if (used + need >= len)
			break;
		used += scnprintf(buf + used, len - used, "%s%s",
				  used ? " " : "", ops->name);
	}
	rcu_read_unlock();
}

/**
 * tandem_cong_room_init() - open the registry, with reno in it
 *
 * Return: 0 or a negative error.
 */
int tandem_cong_room_init(void)
{
	return tandem_cong_register(&tandem_reno);
}

/**
 * tandem_cong_room_exit() - close it; every other algorithm holds our module by its
 * symbols, so only reno is left
 */
void tandem_cong_room_exit(void)
{
	tandem_cong_unregister(&tandem_reno);
	WARN_ON_ONCE(!list_empty(&cong_list));
}

/**
 * tandem_cong_net_init() - a netns starts with reno
 * @net: the netns
 *
 * Return: 0.
 */
int tandem_cong_net_init(struct net *net)
{
	RCU_INIT_POINTER(tandem_pernet(net)->cong, &tandem_reno);
	return 0;
}

/**
 * tandem_cong_net_exit() - release a netns's default
 * @net: the netns, without sockets
 */
void tandem_cong_net_exit(struct net *net)
{
	cong_swap_default(net, NULL);
}
