// SPDX-License-Identifier: GPL-2.0
/*
 * test_rack.c - module/rack.c and module/dupthresh.c: which segments are lost.
 *
 * A flight of equal segments is kept in an array; what the peer gets is told to the
 * detector as the scoreboard does, and then the walk of scoreboard.c is made.
 */
#include "tunit.h"
#include "rack.h"
#include "seq.h"

#define MS	1000U
#define MSS	1000U
#define N	64U
#define T0	1000000ULL
#define RTT	(40 * MS)

enum fate { SENT, DELIVERED, LOST };

struct flight {
	struct tandem_loss l;
	const struct tandem_loss_ops *ops;
	u64	now_us;
	u64	echo_us;
	struct tandem_loss_seg seg[N];
	u8	fate[N];
	u32	n;
	u32	order[4 * N];		/* of sending; stale entries are older copies */
	u64	order_us[4 * N];
	u32	sent;
	u32	next;			/* by sequence: judged below */
	u32	wait;
};

static const struct tandem_rack *rack(const struct flight *f)
{
	return tandem_loss_cpriv(&f->l);
}

static void flight(struct flight *f, const struct tandem_loss_ops *ops, u32 iss)
{
	memset(f, 0, sizeof(*f));
	f->ops = ops;
	f->now_us = T0;
	f->l.snd_una = iss;
	f->l.snd_nxt = iss;
	f->l.mss = MSS;
	f->l.srtt_us = RTT;
	f->l.min_rtt_us = RTT;
	ops->init(&f->l);
}

static void log_sent(struct flight *f, u32 i)
{
	f->seg[i].sent_us = f->now_us;
	f->order[f->sent] = i;
	f->order_us[f->sent++] = f->now_us;
	f->fate[i] = SENT;
}

static void send_new(struct flight *f, u32 count)
{
	while (count--) {
		f->seg[f->n].seq = f->l.snd_nxt;
		f->l.snd_nxt += MSS;
		f->seg[f->n].end_seq = f->l.snd_nxt;
		log_sent(f, f->n++);
	}
}

static void resend(struct flight *f, u32 i)
{
	f->seg[i].retrans = true;
	log_sent(f, i);
}

/* Segment @i as the detector sees it now. */
static const struct tandem_loss_seg *seen(struct flight *f, u32 i)
{
	f->seg[i].now_us = f->now_us;
	f->seg[i].echo_us = f->echo_us;
	return &f->seg[i];
}

/* The peer SACKs segment @i. */
static void sack(struct flight *f, u32 i)
{
	f->seg[i].sacked = true;
	f->fate[i] = DELIVERED;
	f->l.sacked_segs++;
	f->ops->delivered(&f->l, seen(f, i));
}

/* It ACKs all below segment @i. */
static void ack(struct flight *f, u32 i)
{
	u32 j;

	f->l.snd_una = f->seg[i - 1].end_seq;
	for (j = 0; j < i; j++) {
		if (f->fate[j] != DELIVERED)
			f->ops->delivered(&f->l, seen(f, j));
		else if (f->seg[j].sacked)
			f->l.sacked_segs--;
		f->seg[j].sacked = false;
		f->fate[j] = DELIVERED;
	}
}

/* The ACK is over: how many are newly lost? */
static u32 walk(struct flight *f)
{
	enum tandem_loss_verdict v = TANDEM_LOSS_KEEP;
	bool by_time = f->ops->flags & TANDEM_LOSS_BY_TIME;
	u32 lost = 0, i, k = by_time ? 0 : f->next;

	f->wait = 0;
	f->ops->prepare(&f->l);
	for (; k < (by_time ? f->sent : f->n); k++) {
		i = by_time ? f->order[k] : k;
		if (f->fate[i] != SENT ||
		    (by_time && f->order_us[k] != f->seg[i].sent_us))
			continue;
		v = f->ops->judge(&f->l, seen(f, i), &f->wait);
		if (v == TANDEM_LOSS_STOP)
			break;
		if (v == TANDEM_LOSS_LOST) {
			f->fate[i] = LOST;
			lost++;
		}
	}
	if (!by_time)
		f->next = k;
	return lost;
}

/* Nothing delivered: nothing is lost, whatever the time. */
TU_TEST(rack_nothing_known)
{
	struct flight f;

	TU_WHERE("nothing known");
	flight(&f, &tandem_loss_rack, 0);
	send_new(&f, 10);
	f.now_us += 3600 * 1000 * MS;
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(f.wait, 0);
	EXPECT_EQ(f.l.reordering, TANDEM_DUPTHRESH);
	EXPECT(!f.l.reord_seen);
}

/* One SACKed above: not lost before a quarter of the minimal RTT has passed. */
TU_TEST(rack_waits_for_the_window)
{
	struct flight f;

	TU_WHERE("window");
	flight(&f, &tandem_loss_rack, 0xfffff000U);	/* numbers wrap meanwhile */
	send_new(&f, 5);
	f.now_us += RTT;
	sack(&f, 1);
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(rack(&f)->reo_wnd_us, RTT / 4);
	EXPECT_EQ(f.wait, RTT / 4);
	f.now_us += RTT / 4 - 1;
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(f.wait, 1);
	f.now_us += 1;
	EXPECT_EQ(walk(&f), 1);
	EXPECT_EQ(f.fate[0], LOST);
	EXPECT_EQ(f.fate[2], SENT);	/* same time, higher number: sent later */
}

/* An ACK of something old that SACKs what was sent later: the latter's trip counts. */
TU_TEST(rack_newest_of_an_ack)
{
	struct flight f;

	TU_WHERE("newest");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 1);
	f.now_us += 3 * RTT;
	send_new(&f, 5);
	f.now_us += RTT;
	sack(&f, 3);
	sack(&f, 4);
	sack(&f, 5);
	ack(&f, 1);
	EXPECT_EQ(rack(&f)->rtt_us, RTT);
	EXPECT_EQ(walk(&f), 2);
	TU_WHERE("alone");
	send_new(&f, 1);
	f.now_us += 2 * RTT;
	sack(&f, 6);
	EXPECT_EQ(rack(&f)->rtt_us, 2 * RTT);
}

/* Three SACKed and no reordering ever seen: at once, as the rule of three has it. */
TU_TEST(rack_three_sacked)
{
	struct flight f;

	TU_WHERE("three SACKed");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 6);
	f.now_us += RTT;
	sack(&f, 1);
	sack(&f, 2);
	EXPECT_EQ(walk(&f), 0);
	sack(&f, 3);
	EXPECT_EQ(walk(&f), 1);
	EXPECT_EQ(f.fate[0], LOST);
	EXPECT_EQ(rack(&f)->reo_wnd_us, 0);
}

/* In recovery, too; but not when the path is known to reorder. */
TU_TEST(rack_recovering)
{
	struct flight f;

	TU_WHERE("recovering");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 6);
	f.now_us += RTT;
	f.l.recovering = true;
	sack(&f, 1);
	EXPECT_EQ(walk(&f), 1);

	flight(&f, &tandem_loss_rack, 1);
	f.l.reord_seen = 1;
	send_new(&f, 6);
	f.now_us += RTT;
	f.l.recovering = true;
	sack(&f, 1);
	sack(&f, 2);
	sack(&f, 3);
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(f.wait, RTT / 4);
}

/* The hole fills with the original: reordering, by so many segments. */
TU_TEST(rack_sees_reordering)
{
	struct flight f;

	TU_WHERE("reordering");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 10);
	f.now_us += RTT;
	sack(&f, 5);
	sack(&f, 1);			/* one ACK tells both: no order in that */
	walk(&f);
	EXPECT(!f.l.reord_seen);
	ack(&f, 1);			/* what was sent before both comes after */
	walk(&f);
	EXPECT_EQ(f.l.reord_seen, 1);
	EXPECT_EQ(f.l.reordering, 6);	/* from segment 0 to the end of 5 */

	/* A retransmission that comes is none. */
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 10);
	f.now_us += RTT;
	sack(&f, 5);
	walk(&f);
	resend(&f, 0);
	f.now_us += RTT;
	ack(&f, 1);
	walk(&f);
	EXPECT(!f.l.reord_seen);
	EXPECT_EQ(f.l.reordering, TANDEM_DUPTHRESH);
}

/* One overtakes the rest by half a round trip: reordering is not mistaken for loss. */
TU_TEST(rack_early)
{
	struct flight f;
	u32 i;

	TU_WHERE("early");
	flight(&f, &tandem_loss_rack, 1);
	for (i = 0; i < 20; i++) {
		send_new(&f, 1);
		f.now_us += MS;
	}
	f.now_us = f.seg[0].sent_us + RTT;
	ack(&f, 1);
	EXPECT_EQ(walk(&f), 0);
	f.seg[19].early = true;		/* 21 ms after it was sent; the path takes 40 */
	sack(&f, 19);
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(rack(&f)->rtt_us, RTT);
	EXPECT_EQ(rack(&f)->xmit_us, f.seg[19].sent_us);
	/* In their own time, one after the other, the overtaken come. */
	for (i = 1; i < 19; i++) {
		f.now_us = f.seg[i].sent_us + RTT;
		EXPECT_EQ(walk(&f), 0);
		ack(&f, i + 1);
		EXPECT_EQ(walk(&f), 0);
	}
	EXPECT(f.l.reord_seen);

	/* What is lost indeed is found a round trip and the window after its sending. */
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 3);
	f.now_us += RTT / 2;
	f.seg[2].early = true;
	sack(&f, 2);			/* nothing else known: the handshake's trip */
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(f.wait, RTT / 2 + RTT / 4);
	f.now_us += f.wait;
	EXPECT_EQ(walk(&f), 2);
}

/* D-SACKs widen the window, once per round trip, up to SRTT. */
TU_TEST(rack_window_adapts)
{
	struct flight f;
	int i;

	TU_WHERE("adapts");
	flight(&f, &tandem_loss_rack, 1);
	f.l.reord_seen = 1;
	send_new(&f, 2);
	f.ops->event(&f.l, TANDEM_LOSS_EV_DSACK);
	f.ops->event(&f.l, TANDEM_LOSS_EV_DSACK);
	walk(&f);
	EXPECT_EQ(rack(&f)->reo_wnd_us, 2 * RTT / 4);
	ack(&f, 2);
	send_new(&f, 2);
	f.ops->event(&f.l, TANDEM_LOSS_EV_DSACK);
	walk(&f);
	EXPECT_EQ(rack(&f)->reo_wnd_us, 3 * RTT / 4);
	for (i = 0; i < 300; i++) {
		f.l.snd_una = f.l.snd_nxt;
		f.l.snd_nxt += MSS;
		f.ops->event(&f.l, TANDEM_LOSS_EV_DSACK);
	}
	walk(&f);
	EXPECT_EQ(rack(&f)->reo_wnd_us, RTT);		/* SRTT */
	EXPECT_EQ(rack(&f)->mult, U8_MAX);
	/* 16 recoveries without any: as in the beginning. */
	for (i = 0; i < 15; i++)
		f.ops->event(&f.l, TANDEM_LOSS_EV_RECOVERED);
	walk(&f);
	EXPECT_EQ(rack(&f)->reo_wnd_us, RTT);
	f.ops->event(&f.l, TANDEM_LOSS_EV_RECOVERED);
	walk(&f);
	EXPECT_EQ(rack(&f)->reo_wnd_us, RTT / 4);
}

/* Begin again, knowing what an earlier connection saw. */
static void knowing(struct flight *f, u16 reordering, u8 mult)
{
	flight(f, &tandem_loss_rack, 1);
	f->l.known_reordering = reordering;
	f->l.known_mult = mult;
	f->ops->init(&f->l);
}

/* A path known to reorder: the window counts from the first flight on, bounded. */
TU_TEST(rack_knows_the_path)
{
	static const struct {
		u16 reordering;
		u8 mult;
		u16 want;
		u32 quarters;
	} rows[] = {
		{ 3, 0, 3, 1 }, { 3, 1, 3, 1 }, { 1, 2, 3, 2 }, { 6, 4, 6, 4 },
		{ 300, 5, 300, 4 }, { 65535, 255, 300, 4 },
	};
	struct flight f;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("reordering %u, mult %u", rows[i].reordering, rows[i].mult);
		knowing(&f, rows[i].reordering, rows[i].mult);
		EXPECT_EQ(f.l.reordering, rows[i].want);
		EXPECT_EQ(f.l.reo_mult, rows[i].quarters);
		EXPECT_EQ(f.l.reord_seen, 0);		/* by others, not by this one */
		EXPECT(tandem_loss_reorders(&f.l));
		send_new(&f, 6);
		f.now_us += RTT;
		sack(&f, 1);
		sack(&f, 2);
		sack(&f, 3);
		EXPECT_EQ(walk(&f), 0);
		EXPECT_EQ(f.wait, rows[i].quarters * RTT / 4);
		f.now_us += f.wait;
		EXPECT_EQ(walk(&f), 1);
	}
	TU_WHERE("nothing known");
	knowing(&f, 0, 9);
	EXPECT_EQ(f.l.reordering, TANDEM_DUPTHRESH);
	EXPECT_EQ(f.l.reo_mult, 1);
	EXPECT(!tandem_loss_reorders(&f.l));
}

/* 16 recoveries that show none of it: what was known is over; unless it was seen. */
TU_TEST(rack_unlearns_the_path)
{
	struct flight f;
	u32 seen, i;

	for (seen = 0; seen < 2; seen++) {
		TU_WHERE("seen %u", seen);
		knowing(&f, 20, 3);
		f.l.reord_seen = seen;
		for (i = 0; i < 15; i++)
			f.ops->event(&f.l, TANDEM_LOSS_EV_RECOVERED);
		EXPECT_EQ(f.l.known_reordering, 20);
		EXPECT_EQ(f.l.reo_mult, 3);
		f.ops->event(&f.l, TANDEM_LOSS_EV_RECOVERED);
		EXPECT_EQ(f.l.reo_mult, 1);
		EXPECT_EQ(f.l.known_reordering, seen ? 20 : 0);
		EXPECT_EQ(f.l.reordering, seen ? 20 : TANDEM_DUPTHRESH);
	}
	/* A D-SACK meanwhile: 16 more. */
	TU_WHERE("D-SACK");
	knowing(&f, 20, 3);
	for (i = 0; i < 15; i++)
		f.ops->event(&f.l, TANDEM_LOSS_EV_RECOVERED);
	f.ops->event(&f.l, TANDEM_LOSS_EV_DSACK);
	f.ops->event(&f.l, TANDEM_LOSS_EV_RECOVERED);
	EXPECT_EQ(f.l.known_reordering, 20);
	EXPECT_EQ(f.l.reo_mult, 4);
}

/* A retransmission that is lost is found by what was sent after it. */
TU_TEST(rack_lost_retransmission)
{
	struct flight f;

	TU_WHERE("lost retransmission");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 5);
	f.now_us += RTT;
	sack(&f, 1);
	sack(&f, 2);
	sack(&f, 3);
	EXPECT_EQ(walk(&f), 1);
	f.l.recovering = true;
	resend(&f, 0);
	f.now_us += MS;
	send_new(&f, 1);		/* segment 5, after the copy */
	f.now_us += RTT - MS;
	sack(&f, 4);			/* sent before the copy: tells nothing of it */
	EXPECT_EQ(walk(&f), 0);
	f.now_us += MS;
	sack(&f, 5);
	EXPECT_EQ(walk(&f), 1);
	EXPECT_EQ(f.fate[0], LOST);
}

/* Which copy was it? The echo, or a round trip too short, says: the original. */
TU_TEST(rack_ambiguous_copy)
{
	struct flight f;

	TU_WHERE("ambiguous");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 3);
	f.now_us += 2 * RTT;
	resend(&f, 1);
	f.now_us += RTT / 2;
	sack(&f, 1);			/* half a round trip after the copy */
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(rack(&f)->xmit_us, 0);

	/* Long enough; but the ACK echoes the original. */
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 3);
	f.now_us += 2 * RTT;
	resend(&f, 0);
	f.now_us += 2 * RTT;
	f.echo_us = T0;
	ack(&f, 1);
	EXPECT_EQ(walk(&f), 0);
	EXPECT_EQ(rack(&f)->xmit_us, 0);

	/* The copy, although the path was never as fast. */
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 3);
	f.now_us += 2 * RTT;
	resend(&f, 0);
	f.now_us += RTT - 1;
	f.echo_us = f.seg[0].sent_us;
	ack(&f, 1);
	EXPECT_EQ(walk(&f), 2);

	/* What a SACK echoes is from before the hole: time alone counts. */
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 3);
	f.now_us += 2 * RTT;
	resend(&f, 1);
	f.now_us += 2 * RTT;
	f.echo_us = T0;
	sack(&f, 1);
	EXPECT_EQ(walk(&f), 2);		/* both were sent long before the copy */
}

/* After a timeout what was sent lately may still come. */
TU_TEST(rack_after_timeout)
{
	struct flight f;

	TU_WHERE("timeout");
	flight(&f, &tandem_loss_rack, 1);
	send_new(&f, 2);
	f.now_us += RTT - 1;
	EXPECT(!f.ops->expired(&f.l, seen(&f, 0)));	/* SRTT of the handshake */
	f.now_us += 1;
	EXPECT(f.ops->expired(&f.l, seen(&f, 0)));
	ack(&f, 1);
	walk(&f);
	send_new(&f, 1);
	f.now_us += 200 * MS;
	send_new(&f, 1);
	EXPECT(f.ops->expired(&f.l, seen(&f, 1)));
	EXPECT(f.ops->expired(&f.l, seen(&f, 2)));
	EXPECT(!f.ops->expired(&f.l, seen(&f, 3)));
}

/* RFC 6675: below three SACKed ones, whatever the time; each judged once. */
TU_TEST(dupthresh_three_above)
{
	struct flight f;

	TU_WHERE("dupthresh");
	flight(&f, &tandem_loss_dupthresh, 0xfffff000U);
	send_new(&f, 12);
	f.now_us += 100 * RTT;
	sack(&f, 11);
	sack(&f, 4);
	EXPECT_EQ(walk(&f), 0);
	sack(&f, 2);
	EXPECT_EQ(walk(&f), 2);		/* 0 and 1, below 2 */
	EXPECT_EQ(f.fate[3], SENT);
	sack(&f, 6);
	EXPECT_EQ(walk(&f), 1);		/* 3, below 4 */
	sack(&f, 7);
	sack(&f, 8);
	EXPECT_EQ(walk(&f), 1);		/* 5, below 7 */
	EXPECT_EQ(f.fate[9], SENT);
	f.ops->event(&f.l, TANDEM_LOSS_EV_FORGET);
	sack(&f, 10);
	EXPECT_EQ(walk(&f), 0);
}

TU_TEST(dupthresh_forgets_acked)
{
	struct flight f;

	TU_WHERE("ACKed ones");
	flight(&f, &tandem_loss_dupthresh, 1);
	send_new(&f, 12);
	sack(&f, 1);
	sack(&f, 2);
	walk(&f);
	ack(&f, 4);
	walk(&f);
	sack(&f, 8);
	EXPECT_EQ(walk(&f), 0);		/* one above, not three */
	sack(&f, 9);
	sack(&f, 10);
	EXPECT_EQ(walk(&f), 4);
}

TU_SUITE(tandem_rack,
	 TU_CASE(rack_nothing_known),
	 TU_CASE(rack_waits_for_the_window),
	 TU_CASE(rack_newest_of_an_ack),
	 TU_CASE(rack_three_sacked),
	 TU_CASE(rack_recovering),
	 TU_CASE(rack_sees_reordering),
	 TU_CASE(rack_early),
	 TU_CASE(rack_window_adapts),
	 TU_CASE(rack_knows_the_path),
	 TU_CASE(rack_unlearns_the_path),
	 TU_CASE(rack_lost_retransmission),
	 TU_CASE(rack_ambiguous_copy),
	 TU_CASE(rack_after_timeout),
	 TU_CASE(dupthresh_three_above),
	 TU_CASE(dupthresh_forgets_acked));
