// SPDX-License-Identifier: GPL-2.0
/*
 * fastopen_key.c - cookies of fast open and the keys they are made with.
 *
 * A cookie proves that its owner has once received a SYN-ACK at that address (RFC 7413
 * section 4.1.2).  Ours is siphash over the two addresses: the same function of the same
 * bytes as Linux TCP's, so that a farm may mix both and give all the same keys.
 *
 * There are two keys.  The primary makes cookies; the backup is still honoured, and who
 * comes with a cookie of the backup gets a new one.  The namespace's own keys are
 * random, and change every fastopen_key_rotate seconds, the primary becoming the
 * backup, at the first SYN that needs one after that.  One that has been out of date for
 * as long again by then is no backup: nobody's cookie is good for more than two such
 * times, however quiet the server was.  Keys that an administrator or a program has set
 * are theirs to rotate.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "family.h"
#include "fastopen.h"

struct tandem_fo_keys {
	u8		raw[2][TANDEM_FO_KEY_LEN];
	siphash_key_t	key[2];		/* primary, backup */
	u8		n;
	bool		ours;		/* random, to be rotated by us */
	u64		made_us;
	struct rcu_head	rcu;
};

static struct tandem_fo_keys *keys_alloc(const u8 *raw, int n, gfp_t gfp)
{
	struct tandem_fo_keys *keys = kzalloc(sizeof(*keys), gfp | __GFP_NOWARN);
	int i;

	if (!keys)
		return NULL;
	memcpy(keys->raw, raw, n * TANDEM_FO_KEY_LEN);
	for (i = 0; i < n; i++) {
		keys->key[i].key[0] = get_unaligned_le64(keys->raw[i]);
		keys->key[i].key[1] = get_unaligned_le64(keys->raw[i] + 8);
	}
	keys->n = n;
	keys->made_us = tandem_now_us();
	return keys;
}

/* Put @keys (or NULL) in the place of what is there. */
static void replace(struct tandem_net *tn, struct tandem_fo_keys __rcu **at,
		    struct tandem_fo_keys *keys)
{
	spin_lock_bh(&tn->fo_lock);
	keys = rcu_replace_pointer(*at, keys, lockdep_is_held(&tn->fo_lock));
	spin_unlock_bh(&tn->fo_lock);
	if (keys)
		kfree_rcu(keys, rcu);
}

int tandem_fastopen_set_keys(struct net *net, struct tandem_listen *listen, const u8 *raw,
			     int n)
{
	struct tandem_net *tn = tandem_pernet(net);
	struct tandem_fo_keys *keys = keys_alloc(raw, n, GFP_KERNEL);

	if (!keys)
		return -ENOMEM;
	replace(tn, listen ? &listen->fo_keys : &tn->fo_keys, keys);
	return 0;
}

void tandem_fastopen_free_keys(struct tandem_listen *listen)
{
	kfree(rcu_dereference_protected(listen->fo_keys, 1));
}

/* Older than @times the time a key is in use? */
static bool stale(const struct net *net, const struct tandem_fo_keys *keys, u32 times)
{
	u64 every = tandem_knob(net, fastopen_key_rotate);

	return keys->ours && every &&
	       tandem_now_us() - keys->made_us > times * every * USEC_PER_SEC;
}

/* New random keys, the old primary as backup. */
static void rotate(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	struct tandem_fo_keys *old, *keys;
	u8 raw[2][TANDEM_FO_KEY_LEN];
	bool backup;

	get_random_bytes(raw[0], sizeof(raw[0]));
	spin_lock_bh(&tn->fo_lock);
	old = rcu_dereference_protected(tn->fo_keys, lockdep_is_held(&tn->fo_lock));
	/* Another CPU may have been here meanwhile. */
	if (!old || stale(net, old, 1)) {
		backup = old && !stale(net, old, 2);
		if (backup)
			memcpy(raw[1], old->raw[0], sizeof(raw[1]));
		keys = keys_alloc(raw[0], backup ? 2 : 1, GFP_ATOMIC);
		if (keys) {
			keys->ours = true;
			rcu_assign_pointer(tn->fo_keys, keys);
			if (old)
				kfree_rcu(old, rcu);
		}
	}
	spin_unlock_bh(&tn->fo_lock);
	memzero_explicit(raw, sizeof(raw));
}

/* Under rcu_read_lock(): the listener's own, else the namespace's; NULL: no memory. */
static const struct tandem_fo_keys *keys_of(struct net *net, const struct sock *sk)
{
	/* Pairs with smp_store_release() in tandem_listen_get(). */
	const struct tandem_listen *listen = sk ? smp_load_acquire(&tandem_sk(sk)->listen) :
						  NULL;
	struct tandem_net *tn = tandem_pernet(net);
	const struct tandem_fo_keys *keys = NULL;

	if (listen)
		keys = rcu_dereference(listen->fo_keys);
	if (keys)
		return keys;
	keys = rcu_dereference(tn->fo_keys);
	if (!keys || stale(net, keys, 1)) {
		rotate(net);
		keys = rcu_dereference(tn->fo_keys);
	}
	return keys;
}

int tandem_fastopen_get_keys(struct net *net, const struct sock *sk, u8 *raw)
{
	const struct tandem_fo_keys *keys;
	int n = 0;

	rcu_read_lock();
	keys = keys_of(net, sk);
	if (keys) {
		n = keys->n;
		memcpy(raw, keys->raw, n * TANDEM_FO_KEY_LEN);
	}
	rcu_read_unlock();
	return n;
}

/* The two addresses as they stand in the SYN's IP header, source first. */
static void make(const struct sk_buff *skb, const siphash_key_t *key,
		 struct tandem_fo_cookie *cookie)
{
	u64 h;

	if (tandem_skb_v6(skb))
		h = siphash(&ipv6_hdr(skb)->saddr, 2 * sizeof(struct in6_addr), key);
	else
		h = siphash(&ip_hdr(skb)->saddr, 2 * sizeof(__be32), key);
	memset(cookie, 0, sizeof(*cookie));
	put_unaligned_le64(h, cookie->val);
	cookie->len = sizeof(h);
}

bool tandem_fastopen_cookie(const struct sock *lsk, const struct sk_buff *skb,
			    struct tandem_fo_cookie *cookie)
{
	const struct tandem_fo_keys *keys;

	rcu_read_lock();
	keys = keys_of(sock_net(lsk), lsk);
	if (keys)
		make(skb, &keys->key[0], cookie);
	rcu_read_unlock();
	return keys;
}

int tandem_fastopen_check(const struct sock *lsk, const struct sk_buff *skb,
			  const struct tandem_fo_cookie *cookie)
{
	const struct tandem_fo_keys *keys;
	struct tandem_fo_cookie want;
	int i, found = 0;

	rcu_read_lock();
	keys = keys_of(sock_net(lsk), lsk);
	for (i = 0; keys && i < keys->n && !found; i++) {
		make(skb, &keys->key[i], &want);
		if (cookie->len == want.len && !memcmp(cookie->val, want.val, want.len))
			found = i + 1;
	}
	rcu_read_unlock();
	return found;
}

int tandem_fastopen_net_init(struct net *net)
{
	spin_lock_init(&tandem_pernet(net)->fo_lock);
	return 0;
}

void tandem_fastopen_net_exit(struct net *net)
{
	replace(tandem_pernet(net), &tandem_pernet(net)->fo_keys, NULL);
}
