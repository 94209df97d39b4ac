// SPDX-License-Identifier: GPL-2.0
/*
 * fastopen_client.c - the active side of fast open: RFC 7413 section 4.2.1.
 *
 * Three ways lead here, as with Linux TCP: sendto() and sendmsg() with MSG_FASTOPEN,
 * which connect and write at once; TCP_FASTOPEN_CONNECT, after which connect() only
 * notes the address when there is a cookie and the first write sends the SYN; and, when
 * there is none, the same calls ask for one with the SYN.  The cookie is kept with the
 * path (path.c).
 *
 * Backing off.  Middleboxes lose what they do not know (section 7.1).  A path whose SYNs
 * with the option had to be repeated without it twice in a row is left alone for a
 * time that doubles with each further loss.  A connection begun so that runs into
 * its third timeout stops fast open in the whole namespace, for
 * fastopen_blackhole_timeout seconds, doubled each time, until one goes well.
 */
#include <net/inet_common.h>
#include <net/sock.h>
#include "fastopen.h"
#include "output.h"
#include "path.h"
#include "state.h"
#include "stream.h"
#include "thrift.h"

/* A path's first pause, and the doublings after. */
#define PATH_PAUSE_US	(60ULL * USEC_PER_SEC)
#define PATH_DOUBLINGS	10
#define HOLE_DOUBLINGS	6
/* Timeouts in a row that look like a black hole, this one not counted. */
#define HOLE_TIMEOUTS	2

/* ---- backing off ---- */

static bool namespace_paused(struct net *net)
{
	struct tandem_net *tn = tandem_pernet(net);
	u32 times = READ_ONCE(tn->fo_holes);
	u64 pause = (u64)tandem_knob(net, fastopen_blackhole_timeout) * USEC_PER_SEC;

	if (!times || !pause)
		return false;
	pause <<= min_t(u32, times - 1, HOLE_DOUBLINGS);
	return tandem_now_us() - READ_ONCE(tn->fo_hole_us) < pause;
}

static bool path_paused(const struct tandem_path_info *info)
{
	if (info->syn_losses < 2)
		return false;
	return tandem_now_us() - info->syn_loss_us <
	       PATH_PAUSE_US << min_t(u8, info->syn_losses, PATH_DOUBLINGS);
}

/*
 * A SYN, or SYN-ACK, goes again without the data that went with it.  That is neither
 * lost nor in doubt: the answer will say whether it was taken.
 */
static void syn_repeated(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct sk_buff *skb;

	if (sk->sk_state != TCP_SYN_SENT) {
		tp->syn_data = false;	/* the SYN-ACK's: from now on like any data */
		return;
	}
	for (skb = tandem_rtx_next(tandem_rtx_head(sk)); skb; skb = tandem_rtx_next(skb)) {
		tandem_rtx_uncount(sk, skb);
		TANDEM_CB(skb)->sacked &= ~TANDEM_S_LOST;
		tandem_rtx_count(tp, TANDEM_CB(skb));
	}
}

void tandem_fastopen_timeout(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_net *tn = tandem_sk(sk)->tn;

	if (tp->syn_data && (sk->sk_state == TCP_SYN_SENT || tp->fo_pending))
		syn_repeated(sk);

	if (tp->passive || !(tp->syn_fastopen || tp->syn_data || tp->syn_data_acked) ||
	    tp->retransmits != HOLE_TIMEOUTS ||
	    !tandem_sk_knob(sk, fastopen_blackhole_timeout))
		return;
	WRITE_ONCE(tn->fo_hole_us, tandem_now_us());
	WRITE_ONCE(tn->fo_holes, READ_ONCE(tn->fo_holes) + 1);
	TANDEM_SK_INC(sk, FOBLACKHOLE);
}

void tandem_fastopen_went_well(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_net *tn = tandem_sk(sk)->tn;
	const struct dst_entry *dst = __sk_dst_get(sk);

	if (tp->passive || !tp->syn_data_acked || !READ_ONCE(tn->fo_holes))
		return;
	/* No middlebox was ever lived through on loopback. */
	if (dst && dst->dev && !(dst->dev->flags & IFF_LOOPBACK))
		WRITE_ONCE(tn->fo_holes, 0);
}

/* ---- before the SYN ---- */

static bool no_cookie(const struct sock *sk)
{
	return tandem_sk_knob(sk, fastopen) & TANDEM_FO_CLIENT_NO_COOKIE ||
	       tandem_sk(sk)->fo_no_cookie;
}

/*
 * May data go with the SYN?  *@ask: the SYN should ask for a cookie.  @info is what is
 * known of the path.
 */
static bool may_send_data(const struct sock *sk, struct tandem_path_info *info, bool *ask)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	struct net *net = sock_net(sk);
	bool known;

	*ask = false;
	memset(info, 0, sizeof(*info));
	if (!(tandem_sk_knob(sk, fastopen) & TANDEM_FO_CLIENT))
		return false;
	known = tandem_path_lookup(net, &tp->flow.key, tp->flow.bound_dev_if, info);
	if (namespace_paused(net) || (known && path_paused(info)))
		return false;
	if (no_cookie(sk))
		return true;
	*ask = !info->cookie.len;
	return info->cookie.len;
}

bool tandem_fastopen_defer(struct sock *sk)
{
	struct tandem_path_info info;
	bool ask;

	if (!tandem_sk(sk)->fo_connect || tandem_sk(sk)->fo_req ||
	    !may_send_data(sk, &info, &ask))
		return false;
	tandem_inet_flag_set(sk, DEFER_CONNECT, defer_connect, 1);
	return true;
}

/* Bytes of the write that opens, behind the SYN; *@mss is the peer's, if known. */
static void queue_data(struct sock *sk, u16 mss)
{
	struct tandem_sock *tp = tandem_sk(sk);
	u16 clamp = tp->mss_clamp;
	u32 room;

	/*
	 * The SYN-ACK will tell; until then what it told last (section 4.1.3), or else, as
	 * Linux, that the peer is as we are.
	 */
	tp->mss_clamp = mss ? : tp->advmss;
	if (tp->user_mss && tp->user_mss < tp->mss_clamp)
		tp->mss_clamp = tp->user_mss;
	room = tandem_sync_mss(sk, tp->pmtu_cookie);
	tp->mss_clamp = clamp;
	if (room <= TANDEM_OPT_MAX_LEN)
		return;
	room = min_t(size_t, room - TANDEM_OPT_MAX_LEN, tp->fo_req->size);
	/* Sent again by itself a TCP's has PSH, whether that is all or not. */
	tp->fo_req->copied = tandem_append_bytes(sk, tp->fo_req->msg, room,
						 room == tp->fo_req->size ||
						 !tandem_thrifty(sk));
	tp->syn_data = tp->fo_req->copied > 0;
}

void tandem_fastopen_syn(struct sock *sk)
{
	struct tandem_sock *tp = tandem_sk(sk);
	struct tandem_path_info info;
	bool ask, data;

	tp->syn_fastopen = false;
	tp->syn_data = false;
	tp->syn_data_acked = false;
	tp->fo_fail = TANDEM_FO_UNSPEC;
	tp->syn_cookie = false;
	if (!tp->fo_req && !tp->fo_connect)
		return;
	data = may_send_data(sk, &info, &ask);
	tp->syn_cookie = tp->fo_req && data && !no_cookie(sk);
	tp->syn_fastopen = tp->syn_cookie || ask;
	tp->syn_exp = info.cookie.exp;
	tp->syn_tried = info.cookie.tried;
	/* Only the first SYN has it, and that goes before the call is over. */
	if (tp->syn_cookie)
		tp->fo_req->cookie = info.cookie;
	if (!data)
		tp->fo_fail = TANDEM_FO_COOKIE_UNAVAILABLE;
	else if (tp->fo_req && tp->fo_req->size)
		queue_data(sk, info.mss);
}

/* ---- the SYN-ACK ---- */

/*
 * Asked for a cookie and not heard.  Linux servers from before RFC 7413 know the option by
 * its experimental number only: so, as Linux does, the next SYN asks by that, and if that
 * is in vain as well all others by the proper one.  True: *@next is for the path.
 */
static bool ask_otherwise(const struct tandem_sock *tp, const struct tandem_opts *o,
			  struct tandem_fo_cookie *next)
{
	if (tp->wire != TANDEM_WIRE_TCP || !tp->syn_fastopen || tp->total_retrans ||
	    o->have & TANDEM_OPT_FASTOPEN || tp->syn_cookie || tp->syn_tried)
		return false;
	*next = (struct tandem_fo_cookie){
		.exp	= !tp->syn_exp,
		.tried	= tp->syn_exp,
	};
	return true;
}

bool tandem_fastopen_synack(struct sock *sk, const struct tandem_opts *o)
{
	struct tandem_sock *tp = tandem_sk(sk);
	bool lost = tp->total_retrans, left = tp->packets_out;
	const struct tandem_fo_cookie *cookie = NULL;
	struct tandem_fo_cookie next;

	if (!tp->syn_fastopen && !tp->syn_data)
		return false;
	if (tp->syn_fastopen && o->have & TANDEM_OPT_FASTOPEN && o->cookie.len)
		cookie = &o->cookie;
	else if (ask_otherwise(tp, o, &next))
		cookie = &next;
	/*
	 * Repeated, and the answer knows neither cookie nor data: only SYNs without them
	 * get through, or it was chance.  The path remembers.
	 */
	tandem_path_learn_fastopen(sk, o->have & TANDEM_OPT_MSS ? o->mss : 0, cookie,
				   lost && !cookie && left);
	if (left) {
		tp->fo_fail = lost ? TANDEM_FO_SYN_RETRANSMITTED :
				     TANDEM_FO_DATA_NOT_ACKED;
		TANDEM_SK_INC(sk, FOACTIVEFAIL);
		tp->syn_data = false;
	} else if (tp->syn_data) {
		tp->syn_data_acked = true;
		/* Two in the queue, and one segment. */
		tp->cc.delivered--;
		TANDEM_SK_INC(sk, FOACTIVE);
	}
	return left;
}

/* ---- the calls ---- */

int tandem_fastopen_set_connect(struct sock *sk, int val)
{
	if (val < 0 || val > 1)
		return -EINVAL;
	if (!(tandem_sk_knob(sk, fastopen) & TANDEM_FO_CLIENT))
		return -EOPNOTSUPP;
	if (sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	tandem_sk(sk)->fo_connect = val;
	return 0;
}

/* The SYN that connect() put off. */
static int deferred_connect(struct sock *sk)
{
	int err = tandem_connect(sk);

	if (err) {
		tandem_set_state(sk, TCP_CLOSE, TANDEM_R_USER);
		inet_sk(sk)->inet_dport = 0;
		sk->sk_route_caps = 0;
	}
	return err;
}

int tandem_fastopen_sendmsg(struct sock *sk, struct msghdr *msg, size_t size, int *copied)
{
	bool deferred = tandem_inet_flag(sk, DEFER_CONNECT, defer_connect);
	const struct sockaddr *to = msg->msg_name;
	struct tandem_fo_req req = { .msg = msg, .size = size };
	struct tandem_sock *tp = tandem_sk(sk);
	int err;

	*copied = 0;
	if (!(tandem_sk_knob(sk, fastopen) & TANDEM_FO_CLIENT) ||
	    (to && msg->msg_namelen >= sizeof(to->sa_family) && to->sa_family == AF_UNSPEC))
		return -EOPNOTSUPP;
	if (tp->passive)
		return -EISCONN;	/* and what it has in that place is its listener */
	if (tp->fo_req)
		return -EALREADY;	/* another thread waits in such a call */
	tp->fo_req = &req;
	err = deferred ? deferred_connect(sk) : 0;
	if (!err)
		err = __inet_stream_connect(sk->sk_socket, msg->msg_name, msg->msg_namelen,
					    msg->msg_flags & MSG_DONTWAIT ? O_NONBLOCK : 0,
					    1);
	tp->fo_req = NULL;
	*copied = req.copied;
	tandem_inet_flag_set(sk, DEFER_CONNECT, defer_connect, 0);
	return err;
}
