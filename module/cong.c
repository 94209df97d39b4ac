// SPDX-License-Identifier: GPL-2.0
/*
 * cong.c - the congestion control of a connection: attached, inherited, released.  The
 * registry behind it is choice.c.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "cong.h"
#include "cong_bbr.h"

static const struct tandem_cong_ops *to_ops(const struct tandem_choice *choice)
{
	return container_of(choice, struct tandem_cong_ops, choice);
}

/* Hand @cc to @ops, whose module is held. */
static void cong_start(struct tandem_cc *cc, const struct tandem_cong_ops *ops)
{
	cc->priv = NULL;
	cc->cwnd_cnt = 0;
	cc->pacing_rate = 0;
	/* tandem_cong_inherit() reads a listener's without its lock. */
	WRITE_ONCE(cc->ops, ops);
}

/**
 * tandem_cong_rouse() - a quiet connection needs its algorithm
 * @cc: the connection
 *
 * Return: the algorithm, which has begun; or Reno, for want of memory: it will be tried
 * again the next time that something is to be asked.
 */
const struct tandem_cong_ops *tandem_cong_rouse(struct tandem_cc *cc)
{
	/* Of size 0 it is a pointer to nothing, and not NULL. */
	cc->priv = kzalloc(cc->ops->priv_size, GFP_ATOMIC | __GFP_NOWARN);
	if (!cc->priv)
		return &tandem_reno;
	if (cc->ops->init)
		cc->ops->init(cc);
	return cc->ops;
}

/**
 * tandem_cong_reset() - the algorithm forgets the connection, which is quiet again
 * @cc: attached, or not
 */
void tandem_cong_reset(struct tandem_cc *cc)
{
	if (tandem_cong_is_quiet(cc))
		return;
	if (cc->ops->release)
		cc->ops->release(cc);
	kfree(cc->priv);
	cc->priv = NULL;
}

/**
 * tandem_cong_register() - offer an algorithm under its name
 * @ops: the algorithm; stays with the registry until tandem_cong_unregister()
 *
 * To be loaded on demand its module needs MODULE_ALIAS("tandem-cong-NAME").
 *
 * Return: 0; -EEXIST when the name is taken; -EINVAL when the name is empty, too long
 * or has blanks, a required op is missing, or priv_size is above TANDEM_CONG_PRIV.
 */
int tandem_cong_register(struct tandem_cong_ops *ops)
{
	if (!ops->ssthresh || !(ops->on_ack || ops->control) || !ops->undo_cwnd ||
	    ops->priv_size > TANDEM_CONG_PRIV)
		return -EINVAL;
	ops->choice.allowed = !(ops->flags & TANDEM_CONG_RESTRICTED);
	return tandem_choice_register(TANDEM_KIND_CONG, &ops->choice);
}
EXPORT_SYMBOL_GPL(tandem_cong_register);

/**
 * tandem_cong_unregister() - take an algorithm back; may sleep
 * @ops: registered before, and used by nobody: its module holds see to that
 */
void tandem_cong_unregister(struct tandem_cong_ops *ops)
{
	tandem_choice_unregister(TANDEM_KIND_CONG, &ops->choice);
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
 * Return: 0, -ENOENT, -EPERM, or -EBUSY when the algorithm's module is going away.
 */
int tandem_cong_attach(struct net *net, struct tandem_cc *cc, const char *name,
		       bool may_load)
{
	const struct tandem_choice *choice;
	bool quiet = tandem_cong_is_quiet(cc);

	choice = name ? tandem_choice_get(TANDEM_KIND_CONG, name, may_load) :
			tandem_choice_get_default(net, TANDEM_KIND_CONG);
	if (IS_ERR(choice))
		return PTR_ERR(choice);
	if (name && !READ_ONCE(choice->allowed) &&
	    !ns_capable(net->user_ns, CAP_NET_ADMIN)) {
		tandem_choice_put(choice);
		return -EPERM;
	}
	if (to_ops(choice) == cc->ops) {
		tandem_choice_put(choice);
		return 0;
	}
	tandem_cong_detach(cc);
	cong_start(cc, to_ops(choice));
	if (!quiet)
		tandem_cong_rouse(cc);
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
	const struct tandem_choice *choice;

	rcu_read_lock();
	ops = READ_ONCE(parent->ops);
	choice = tandem_choice_get_again(net, TANDEM_KIND_CONG,
					 ops ? &ops->choice : NULL);
	rcu_read_unlock();
	cong_start(child, to_ops(choice));
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
	tandem_cong_reset(cc);
	WRITE_ONCE(cc->ops, NULL);
	tandem_choice_put(&ops->choice);
}

/**
 * tandem_cong_room_init() - register what tandem.ko brings
 *
 * Return: 0 or a negative error.
 */
int tandem_cong_room_init(void)
{
	int err = tandem_cong_register(&tandem_reno);

	if (err)
		return err;
	err = tandem_cong_register(&tandem_bbr);
	if (err)
		tandem_cong_unregister(&tandem_reno);
	tandem_choice_set_builtin(TANDEM_KIND_CONG, &tandem_bbr.choice);
	return err;
}

/**
 * tandem_cong_room_exit() - take them back; every other algorithm holds our module by its
 * symbols, so none is left
 */
void tandem_cong_room_exit(void)
{
	tandem_cong_unregister(&tandem_bbr);
	tandem_cong_unregister(&tandem_reno);
}
