// SPDX-License-Identifier: GPL-2.0
/*
 * choose.c - what a socket has chosen of choice.c's mechanisms: RTO estimator, loss
 * detection, ACK policy.  (Congestion control keeps state of its own: cong.c.)
 *
 * A new socket takes its netns's defaults, a child what its listener has.  A change
 * takes effect with the next segment.
 */
#include <net/sock.h>
#include "choice.h"
#include "recovery.h"
#include "sock.h"
#include "socket.h"
#include "timer.h"

/**
 * tandem_choose_defaults() - a new socket takes its netns's defaults
 * @sk: has chosen nothing yet
 */
void tandem_choose_defaults(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	int kind;

	for (kind = 0; kind < TANDEM_SOCK_KINDS; kind++)
		tp->choice[kind] = tandem_choice_get_default(sock_net(sk), kind);
	tandem_update_rto(sk);
}

/**
 * tandem_choose_again() - a child takes what its listener has
 * @child: has chosen nothing yet
 * @lsk: need not be locked
 */
void tandem_choose_again(struct sock *child, const struct sock *lsk)
{
	const struct tandem_sock *ltp = tandem_sk(lsk);
	struct tandem_sock *tp = tandem_sk(child);
	int kind;

	rcu_read_lock();
	for (kind = 0; kind < TANDEM_SOCK_KINDS; kind++)
		tp->choice[kind] = tandem_choice_get_again(sock_net(child), kind,
							   READ_ONCE(ltp->choice[kind]));
	rcu_read_unlock();
	tandem_update_rto(child);
}

/**
 * tandem_choose() - a program chooses by name
 * @sk: locked
 * @kind: of what
 * @name: the name
 *
 * Return: 0, -ENOENT, -EBUSY.
 */
int tandem_choose(struct sock *sk, enum tandem_kind kind, const char *name)
{
	const struct tandem_choice *choice = tandem_choice_get(kind, name, true);
	struct tandem_sock *tp = tandem_sk(sk);
	const struct tandem_choice *old = tp->choice[kind];

	if (IS_ERR(choice))
		return PTR_ERR(choice);
	/* tandem_choose_again() reads a listener's without its lock. */
	WRITE_ONCE(tp->choice[kind], choice);
	if (kind == TANDEM_KIND_LOSS && choice != old)
		tp->loss_begun = false;
	tandem_choice_put(old);
	if (kind == TANDEM_KIND_RTO)
		tandem_update_rto(sk);
	return 0;
}

/**
 * tandem_unchoose() - the socket ends
 * @sk: nobody can find it any more
 */
void tandem_unchoose(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	int kind;

	for (kind = 0; kind < TANDEM_SOCK_KINDS; kind++) {
		tandem_choice_put(tp->choice[kind]);
		tp->choice[kind] = NULL;
	}
}
