// SPDX-License-Identifier: GPL-2.0
/*
 * info.c - TCP_INFO: a connection's numbers in the struct that tools know.
 *
 * What we do not do stays 0, as in a TCP that does not: flow label rehash.  What the
 * kernel at hand has no field for is left out.
 */
#include <linux/tcp.h>
#include <net/sock.h>
#include "ecn.h"
#include "sock.h"
#include "socket.h"
#include "timer.h"

/* Milliseconds since @us; 0 when it never was. */
static u32 age_ms(u64 now, u64 us)
{
	return us ? min_t(u64, div_u64(now - us, USEC_PER_MSEC), U32_MAX) : 0;
}

static u64 rate(unsigned long bytes_per_s)
{
	return bytes_per_s == ~0UL ? ~0ULL : bytes_per_s;
}

/* Before the SYN is answered TCP deducts the timestamp option it offers. */
u32 tandem_reported_mss(const struct sock *sk)
{
	u32 mss = tandem_sk(sk)->mss_cache;

	if (sk->sk_state == TCP_SYN_SENT && tandem_sk_knob(sk, timestamps))
		mss -= min(mss, 12U);
	return mss;
}

static void fill_negotiated(const struct sock *sk, struct tcp_info *info)
{
	const struct tandem_sock *tp = tandem_sk(sk);

	if (tp->ts_ok)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (tp->sack_ok)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (tp->cc.ecn_ok)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (tp->ecn & TANDEM_ECN_SEEN)
		info->tcpi_options |= TCPI_OPT_ECN_SEEN;
	if (tp->wscale_ok) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = tp->snd_wscale;
		info->tcpi_rcv_wscale = tp->rcv_wscale;
	}
	if (tp->syn_data_acked)
		info->tcpi_options |= TCPI_OPT_SYN_DATA;
	info->tcpi_fastopen_client_fail = tp->fo_fail;
	info->tcpi_snd_mss = tandem_reported_mss(sk);
	info->tcpi_rcv_mss = tp->rcv_mss;
	info->tcpi_advmss = tp->advmss;
	info->tcpi_pmtu = tp->pmtu_cookie;
}

static void fill_times(const struct sock *sk, struct tcp_info *info)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u64 now = tandem_now_us();
	u32 age = tp->estab_ms ? (u32)div_u64(now, USEC_PER_MSEC) - tp->estab_ms : 0;

	info->tcpi_rto = jiffies_to_usecs(tandem_rto_jiffies(sk));
	if (tp->last_data_us)
		info->tcpi_ato = tandem_sk_knob(sk, delack_max_ms) * USEC_PER_MSEC;
	/* Since the connection is, where there was none yet. */
	info->tcpi_last_data_sent = tp->last_sent_us ? age_ms(now, tp->last_sent_us) : age;
	info->tcpi_last_data_recv = tp->last_data_us ? age_ms(now, tp->last_data_us) : age;
	info->tcpi_last_ack_recv = tp->last_rcv_us ? age_ms(now, tp->last_rcv_us) : age;
	info->tcpi_rtt = tandem_rtt_srtt_us(&tp->rtt);
	info->tcpi_rttvar = tp->rtt.rttvar_us4 >> 2;
	info->tcpi_min_rtt = tp->rtt.min_us;
	info->tcpi_rcv_rtt = tp->rcv_rtt_est.rtt_us8 >> 3;
}

static void fill_windows(const struct tandem_sock *tp, struct tcp_info *info)
{
	info->tcpi_ca_state = tp->cc.ca_state;
	info->tcpi_retransmits = tp->retransmits;
	info->tcpi_probes = tp->probes_out;
	info->tcpi_backoff = tp->backoff;
	info->tcpi_unacked = tp->packets_out;
	info->tcpi_sacked = tp->sacked_out;
	info->tcpi_lost = tp->lost_out;
	info->tcpi_retrans = tp->retrans_out;
	info->tcpi_snd_ssthresh = tp->cc.ssthresh;
	info->tcpi_snd_wnd = tp->snd_wnd;
	info->tcpi_rcv_ssthresh = tp->rcv_ssthresh;
	info->tcpi_rcv_space = tp->rcvq_space.space;
#ifdef TANDEM_HAVE_TCP_INFO_RCV_WND
	info->tcpi_rcv_wnd = tandem_rcv_wnd_open(tp);
#endif
	info->tcpi_notsent_bytes = max_t(int, 0, tp->write_seq - tp->snd_nxt);
}

static void fill_totals(const struct tandem_sock *tp, struct tcp_info *info)
{
	info->tcpi_total_retrans = tp->total_retrans;
	info->tcpi_bytes_acked = tp->bytes_acked;
	info->tcpi_bytes_received = tp->bytes_received;
	info->tcpi_bytes_sent = tp->bytes_sent;
	info->tcpi_segs_out = tp->segs_out;
	info->tcpi_segs_in = READ_ONCE(tp->segs_in);
	info->tcpi_data_segs_in = READ_ONCE(tp->data_segs_in);
	info->tcpi_data_segs_out = tp->data_segs_out;
}

static void fill_trouble(const struct tandem_sock *tp, struct tcp_info *info)
{
	const struct tandem_trouble *t = tp->trouble;

	info->tcpi_bytes_retrans = t->bytes_retrans;
	info->tcpi_dsack_dups = t->dsack_dups;
#ifdef TANDEM_HAVE_TCP_INFO_RCV_WND
	info->tcpi_rehash = t->timeout_rehash;	/* as old as that */
#endif
#ifdef TANDEM_HAVE_TCP_INFO_TOTAL_RTO
	info->tcpi_total_rto = t->total_rto;
	info->tcpi_total_rto_recoveries = t->total_rto_recoveries;
	info->tcpi_total_rto_time = t->total_rto_ms;
	if (tp->retransmits)
		info->tcpi_total_rto_time += age_ms(tandem_now_us(), t->rto_stamp_us);
#endif
}

static void fill_limits(const struct sock *sk, struct tcp_info *info)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	u64 rwnd = tandem_chrono_us(sk, TANDEM_CHRONO_RWND);
	u64 sndbuf = tandem_chrono_us(sk, TANDEM_CHRONO_SNDBUF);

	info->tcpi_busy_time = tandem_chrono_us(sk, TANDEM_CHRONO_BUSY) + rwnd + sndbuf;
	info->tcpi_rwnd_limited = rwnd;
	info->tcpi_sndbuf_limited = sndbuf;
	info->tcpi_delivered = tp->cc.delivered;
	info->tcpi_delivered_ce = tp->cc.delivered_ce;
	if (tp->trouble)
		fill_trouble(tp, info);
	if (tp->loss_begun)
		info->tcpi_reord_seen = tp->trouble->loss.reord_seen;
	info->tcpi_reordering = tandem_loss_reordering(tp);
	info->tcpi_rcv_ooopack = tp->rcv_ofo;
}

/**
 * tandem_fill_info() - answer TCP_INFO
 * @sk: not locked
 * @info: all of it is written
 */
void tandem_fill_info(struct sock *sk, struct tcp_info *info)
{
	const struct tandem_sock *tp = tandem_sk(sk);
	bool slow;

	memset(info, 0, sizeof(*info));
	info->tcpi_state = inet_sk_state_load(sk);
	info->tcpi_pacing_rate = rate(READ_ONCE(sk->sk_pacing_rate));
	info->tcpi_max_pacing_rate = rate(READ_ONCE(sk->sk_max_pacing_rate));
	info->tcpi_snd_cwnd = tp->cc.cwnd;
	if (info->tcpi_state == TCP_LISTEN) {
		info->tcpi_reordering = TANDEM_DUPTHRESH;
		/* Convention: children ready for accept(), and the backlog. */
		info->tcpi_unacked = READ_ONCE(sk->sk_ack_backlog);
		info->tcpi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
		return;
	}

	slow = lock_sock_fast(sk);
	fill_negotiated(sk, info);
	fill_times(sk, info);
	fill_windows(tp, info);
	fill_totals(tp, info);
	fill_limits(sk, info);
	unlock_sock_fast(sk, slow);
}
