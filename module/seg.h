/* SPDX-License-Identifier: GPL-2.0 */
/*
 * seg.h - a segment as the rooms pass it around: sequence arithmetic, flag bits,
 * and the control block that rides in skb->cb.
 *
 * Sequence numbers live on a circle of 2^32 (RFC 9293 section 3.4): only the
 * signed difference of two numbers less than 2^31 apart has a meaning.  Never
 * compare them with < or >.
 */
#ifndef _TANDEM_SEG_H
#define _TANDEM_SEG_H

#include <linux/skbuff.h>
#include <linux/tcp.h>
#include "rate.h"
#include "seq.h"

/* Byte 13 of the header (RFC 9293 section 3.1), as bits. */
#define TANDEM_F_FIN	0x01
#define TANDEM_F_SYN	0x02
#define TANDEM_F_RST	0x04
#define TANDEM_F_PSH	0x08
#define TANDEM_F_ACK	0x10
#define TANDEM_F_URG	0x20
#define TANDEM_F_ECE	0x40
#define TANDEM_F_CWR	0x80

/* tandem_skb_cb.sacked: what the scoreboard knows of a sent segment. */
#define TANDEM_S_SACKED		0x01	/* covered by a SACK block */
#define TANDEM_S_LOST		0x02	/* deemed lost, not counted in pipe */
#define TANDEM_S_RETRANS	0x04	/* a retransmission of it is in flight */
#define TANDEM_S_EVER_RETRANS	0x80	/* was retransmitted at least once (Karn) */

/**
 * struct tandem_skb_cb - per-segment notes in skb->cb
 * @seq:	first sequence number the segment occupies
 * @end_seq:	@seq + SYN + FIN + payload bytes
 * @flags:	TANDEM_F_*
 * @sacked:	sent: TANDEM_S_*
 * @tos:	received: TOS / traffic class byte
 * @eor:	sent: nothing may be appended to this skb (MSG_EOR)
 * @ts_ack:	sent: a program wants to know when it is acknowledged
 * @wire:	received: TANDEM_WIRE_* it came by, which is how it is answered
 * @segs:	segments in the skb: more than 1 when GSO cuts it, or GRO joined it
 * @mss:	sent: payload bytes of each of @segs but the last, tandem_set_segs()
 * @wnd:	received: SEG.WND as on the wire, not scaled
 * @sent_us:	sent: time of the last transmission, tandem_now_us(), 0: never
 * @rate:	sent: what rate.c noted then
 * @sacked_upto: sent, in its place once SACKed: all from here to there is SACKed
 * @ack_seq:	received: SEG.ACK
 * @tw_isn:	received: the SYN takes over a TIME-WAIT: use this ISN; else 0
 * @dif:	received: arrival device
 * @sdif:	received: the slave's below an l3 master, or 0
 * @nhoff:	received: IPv6: offset of the last next-header field, for xfrm
 * @udp_sport:	received: udp wire: the UDP port it came from
 *
 * On the way in the IP layer's own cb is dead once the receive entry has filled
 * this in; on the way out a clone's cb is zeroed before the IP layer sees it.
 */
struct tandem_skb_cb {
	u32	seq;
	u32	end_seq;
	u8	flags;
	u8	sacked;
	u8	tos;
	u8	eor:1,
		ts_ack:1,
		wire:2;
	u16	segs;
	union {
		u16	mss;
		u16	wnd;
	};
	union {
		struct {
			u64	sent_us;
			union {
				struct tandem_rate_seg	rate;
				u32			sacked_upto;
			};
		};
		struct {
			u32	ack_seq;
			u32	tw_isn;
			int	dif;
			int	sdif;
			u16	nhoff;
			__be16	udp_sport;
		};
	};
};

#define TANDEM_CB(skb)	((struct tandem_skb_cb *)&((skb)->cb[0]))

/* On the wire @skb will be segments of @mss bytes, the last one perhaps shorter. */
static inline void tandem_set_segs(struct sk_buff *skb, u32 mss)
{
	struct tandem_skb_cb *cb = TANDEM_CB(skb);

	cb->mss = min_t(u32, mss, U16_MAX);
	cb->segs = skb->len > mss ? DIV_ROUND_UP(skb->len, mss) : 1;
}

static inline struct tcphdr *tandem_hdr(const struct sk_buff *skb)
{
	return (struct tcphdr *)skb_transport_header(skb);
}

/* The flag byte of a header. */
static inline u8 tandem_hdr_flags(const struct tcphdr *th)
{
	return ((const u8 *)th)[13];
}

static inline unsigned int tandem_hdr_len(const struct tcphdr *th)
{
	return th->doff * 4;
}

#endif /* _TANDEM_SEG_H */
