// SPDX-License-Identifier: GPL-2.0
/*
 * choice.c - mechanisms that are chosen by name: which there are, and who uses which.
 *
 * One list for each kind (congestion control, RTO estimator, loss detection, ACK
 * policy), changed under choice_lock and read under RCU.  The module of a choice is held
 * by every socket that uses it and by every netns it is the default of, so its exit
 * function, which unregisters it, runs only when nobody uses it; readers that still see
 * the entry then fail in try_module_get(), and tandem_choice_unregister() waits for
 * them.  tandem.ko itself brings at least one of each kind, which is always there.
 */
#include <linux/capability.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "choice.h"
#include "netns.h"

static DEFINE_SPINLOCK(choice_lock);	/* guards lists, tandem_net.choice, allowed */
static struct list_head lists[TANDEM_KINDS] = {
	[TANDEM_KIND_CONG]	= LIST_HEAD_INIT(lists[TANDEM_KIND_CONG]),
	[TANDEM_KIND_RTO]	= LIST_HEAD_INIT(lists[TANDEM_KIND_RTO]),
	[TANDEM_KIND_LOSS]	= LIST_HEAD_INIT(lists[TANDEM_KIND_LOSS]),
	[TANDEM_KIND_ACK]	= LIST_HEAD_INIT(lists[TANDEM_KIND_ACK]),
};

/* As in module aliases, "tandem-cong-cubic". */
static const char * const kind_names[TANDEM_KINDS] = {
	[TANDEM_KIND_CONG]	= "cong",
	[TANDEM_KIND_RTO]	= "rto",
	[TANDEM_KIND_LOSS]	= "loss",
	[TANDEM_KIND_ACK]	= "ack",
};

/* What a netns starts with: tandem.ko's own, so without an owner to hold. */
static const struct tandem_choice *builtin[TANDEM_KINDS];

/* Under RCU or choice_lock. */
static struct tandem_choice *find(enum tandem_kind kind, const char *name)
{
	struct tandem_choice *choice;

	list_for_each_entry_rcu(choice, &lists[kind], list,
				lockdep_is_held(&choice_lock))
		if (!strcmp(choice->name, name))
			return choice;
	return NULL;
}

/**
 * tandem_choice_register() - offer a mechanism under its name
 * @kind: what it is
 * @choice: stays with the registry until tandem_choice_unregister()
 *
 * To be loaded on demand its module needs MODULE_ALIAS("tandem-KIND-NAME").
 *
 * Return: 0; -EEXIST when the name is taken; -EINVAL when the name is empty, too long
 * or has blanks.
 */
int tandem_choice_register(enum tandem_kind kind, struct tandem_choice *choice)
{
	size_t len = strnlen(choice->name, sizeof(choice->name));
	int err = 0;

	if (!len || len == sizeof(choice->name) || strpbrk(choice->name, " \t\n"))
		return -EINVAL;
	spin_lock(&choice_lock);
	if (find(kind, choice->name))
		err = -EEXIST;
	else
		list_add_tail_rcu(&choice->list, &lists[kind]);
	spin_unlock(&choice_lock);
	return err;
}
EXPORT_SYMBOL_GPL(tandem_choice_register);

/**
 * tandem_choice_unregister() - take a mechanism back; may sleep
 * @kind: what it is
 * @choice: registered before, and used by nobody: its module holds see to that
 */
void tandem_choice_unregister(enum tandem_kind kind, struct tandem_choice *choice)
{
	spin_lock(&choice_lock);
	list_del_rcu(&choice->list);
	spin_unlock(&choice_lock);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(tandem_choice_unregister);

/**
 * tandem_choice_set_builtin() - what every netns starts with; before there is any
 * @kind: what it is
 * @choice: registered, of tandem.ko itself
 */
void tandem_choice_set_builtin(enum tandem_kind kind, struct tandem_choice *choice)
{
	builtin[kind] = choice;
}

/**
 * tandem_choice_get() - the mechanism of a name, with its module held
 * @kind: what it is
 * @name: its name
 * @may_load: the caller may sleep, and a module may be asked for; as with TCP only
 *	CAP_NET_ADMIN of the initial user namespace makes modules load
 *
 * Return: the mechanism, for tandem_choice_put() later; -ENOENT: none of that name;
 * -EBUSY: its module is going away.
 */
const struct tandem_choice *tandem_choice_get(enum tandem_kind kind, const char *name,
					      bool may_load)
{
	const struct tandem_choice *choice;

	rcu_read_lock();
	choice = find(kind, name);
	if (!choice && may_load && capable(CAP_NET_ADMIN)) {
		rcu_read_unlock();
		request_module("tandem-%s-%s", kind_names[kind], name);
		rcu_read_lock();
		choice = find(kind, name);
	}
	if (!choice)
		choice = ERR_PTR(-ENOENT);
	else if (!try_module_get(choice->owner))
		choice = ERR_PTR(-EBUSY);
	rcu_read_unlock();
	return choice;
}

/**
 * tandem_choice_get_default() - what a netns's new sockets use, with its module held
 * @net: the netns
 * @kind: of what
 *
 * Return: never an error; tandem.ko's own when the default's module is going away.
 */
const struct tandem_choice *tandem_choice_get_default(struct net *net,
						      enum tandem_kind kind)
{
	const struct tandem_choice *choice;

	rcu_read_lock();
	choice = rcu_dereference(tandem_pernet(net)->choice[kind]);
	if (!choice || !try_module_get(choice->owner))
		choice = builtin[kind];
	rcu_read_unlock();
	return choice;
}

/**
 * tandem_choice_get_again() - one more user of what another socket uses
 * @net: their netns, whose default counts when @choice is going away
 * @kind: of what
 * @choice: read from that socket, which need not be locked; rcu_read_lock held since
 *
 * Return: never an error.
 */
const struct tandem_choice *tandem_choice_get_again(struct net *net,
						    enum tandem_kind kind,
						    const struct tandem_choice *choice)
{
	if (choice && try_module_get(choice->owner))
		return choice;
	return tandem_choice_get_default(net, kind);
}

/* Change the netns's default; @choice (may be NULL) comes with its module held. */
static void swap_default(struct net *net, enum tandem_kind kind,
			 const struct tandem_choice *choice)
{
	const struct tandem_choice *old;

	spin_lock(&choice_lock);
	old = rcu_replace_pointer(tandem_pernet(net)->choice[kind], choice,
				  lockdep_is_held(&choice_lock));
	spin_unlock(&choice_lock);
	tandem_choice_put(old);
}

/**
 * tandem_choice_set_default() - what new sockets of a netns start with
 * @net: the netns
 * @kind: of what
 * @name: its name; a module is loaded when need be, so this may sleep
 *
 * Return: 0, -ENOENT or -EBUSY, then the default stays what it was.
 */
int tandem_choice_set_default(struct net *net, enum tandem_kind kind, const char *name)
{
	const struct tandem_choice *choice = tandem_choice_get(kind, name, true);

	if (IS_ERR(choice))
		return PTR_ERR(choice);
	swap_default(net, kind, choice);
	return 0;
}

/**
 * tandem_choice_default_name() - name of a netns's default
 * @net: the netns
 * @kind: of what
 * @name: TANDEM_CHOICE_NAME_MAX bytes
 */
void tandem_choice_default_name(struct net *net, enum tandem_kind kind, char *name)
{
	const struct tandem_choice *choice;

	rcu_read_lock();
	choice = rcu_dereference(tandem_pernet(net)->choice[kind]);
	if (!choice)
		choice = builtin[kind];
	strscpy(name, choice ? choice->name : "", TANDEM_CHOICE_NAME_MAX);
	rcu_read_unlock();
}

/**
 * tandem_choice_list() - names of all mechanisms of a kind, with blanks between
 * @kind: of what
 * @buf: where to; always a string afterwards
 * @len: its size, at least 1; names that do not fit whole are left off
 * @allowed_only: only those that any program may choose
 */
void tandem_choice_list(enum tandem_kind kind, char *buf, size_t len, bool allowed_only)
{
	const struct tandem_choice *choice;
	size_t used = 0, need;

	*buf = '\0';
	rcu_read_lock();
	list_for_each_entry_rcu(choice, &lists[kind], list) {
		if (allowed_only && !READ_ONCE(choice->allowed))
			continue;
		need = strlen(choice->name) + (used ? 1 : 0);
		if (used + need >= len)
			break;
		used += scnprintf(buf + used, len - used, "%s%s",
				  used ? " " : "", choice->name);
	}
	rcu_read_unlock();
}

/* Under choice_lock: are all of @names there?  @apply: allow these. */
static int allow_names(enum tandem_kind kind, char *names, bool apply)
{
	struct tandem_choice *choice;
	char *name;

	while ((name = strsep(&names, " \t\n"))) {
		if (!*name)
			continue;
		choice = find(kind, name);
		if (!choice)
			return -ENOENT;
		if (apply)
			WRITE_ONCE(choice->allowed, true);
	}
	return 0;
}

/**
 * tandem_choice_allow() - say which ones unprivileged programs may choose
 * @kind: of what
 * @names: with blanks between; the others are not allowed any more
 *
 * Return: 0; -ENOENT when one is not there, then nothing changed; -ENOMEM.
 */
int tandem_choice_allow(enum tandem_kind kind, char *names)
{
	char *copy = kstrdup(names, GFP_KERNEL);
	struct tandem_choice *choice;
	int err;

	if (!copy)
		return -ENOMEM;
	spin_lock(&choice_lock);
	err = allow_names(kind, copy, false);
	if (!err) {
		list_for_each_entry(choice, &lists[kind], list)
			WRITE_ONCE(choice->allowed, false);
		allow_names(kind, names, true);
	}
	spin_unlock(&choice_lock);
	kfree(copy);
	return err;
}

/**
 * tandem_choice_net_init() - a netns starts with what tandem.ko brings
 * @net: the netns
 */
void tandem_choice_net_init(struct net *net)
{
	int kind;

	for (kind = 0; kind < TANDEM_KINDS; kind++)
		RCU_INIT_POINTER(tandem_pernet(net)->choice[kind], builtin[kind]);
}

/**
 * tandem_choice_net_exit() - release a netns's defaults
 * @net: the netns, without sockets
 */
void tandem_choice_net_exit(struct net *net)
{
	int kind;

	for (kind = 0; kind < TANDEM_KINDS; kind++)
		swap_default(net, kind, NULL);
}
