// SPDX-License-Identifier: GPL-2.0
/*
 * test_state.c - module/state_table.c: the diagram of RFC 9293 figure 5.
 */
#include "tunit.h"
#include "state_table.h"

#define STATES	(TCP_CLOSING + 1)

/*
 * The diagram once more, drawn as a matrix: row from, column to, in the order of the
 * numbers 1..11, ESTABLISHED first.
 */
static const char * const matrix[STATES] = {
	/*                   E S R 1 2 T C W L N G */
	[TCP_ESTABLISHED] = ". . . x . . x x . . .",
	[TCP_SYN_SENT]    = "x . x . . . x . . . .",
	[TCP_SYN_RECV]    = "x . . x . . x x . x .",
	[TCP_FIN_WAIT1]   = ". . . . x x x . . . x",
	[TCP_FIN_WAIT2]   = ". . . . . x x . . . .",
	[TCP_TIME_WAIT]   = ". . . . . . x . . . .",
	[TCP_CLOSE]       = ". x . . . . x . . x .",
	[TCP_CLOSE_WAIT]  = ". . . . . . x . x . .",
	[TCP_LAST_ACK]    = ". . . . . . x . . . .",
	[TCP_LISTEN]      = ". x x . . . x . . . .",
	[TCP_CLOSING]     = ". . . . . x x . . . .",
};

TU_TEST(state_edges)
{
	int from, to;

	for (from = 1; from < STATES; from++) {
		for (to = 1; to < STATES; to++) {
			TU_WHERE("%s to %s", tandem_state_name(from),
				 tandem_state_name(to));
			EXPECT_EQ(tandem_state_allowed(from, to),
				  matrix[from][(to - 1) * 2] == 'x');
		}
	}
}

TU_TEST(state_not_a_state)
{
	static const int bad[] = { 0, -1, 12, 13, 31, 32, 63, 64, 1000,
				   S32_MAX, -S32_MAX };
	bool fin;
	size_t i;
	int s;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		TU_WHERE("%d", bad[i]);
		for (s = 1; s < STATES; s++) {
			EXPECT(!tandem_state_allowed(s, bad[i]));
			EXPECT(!tandem_state_allowed(bad[i], s));
		}
		fin = true;
		EXPECT_EQ(tandem_state_after_close(bad[i], &fin), bad[i]);
		EXPECT(!fin);
		EXPECT(!strcmp(tandem_state_name(bad[i]), "UNKNOWN"));
	}
}

/* RFC 9293 section 3.10.4, the CLOSE call. */
TU_TEST(state_after_close)
{
	static const struct {
		int from, to;
		bool fin;
	} rows[] = {
		{ TCP_CLOSE, TCP_CLOSE, false },
		{ TCP_LISTEN, TCP_CLOSE, false },
		{ TCP_SYN_SENT, TCP_CLOSE, false },
		{ TCP_SYN_RECV, TCP_FIN_WAIT1, true },
		{ TCP_ESTABLISHED, TCP_FIN_WAIT1, true },
		{ TCP_FIN_WAIT1, TCP_FIN_WAIT1, false },
		{ TCP_FIN_WAIT2, TCP_FIN_WAIT2, false },
		{ TCP_CLOSE_WAIT, TCP_LAST_ACK, true },
		{ TCP_CLOSING, TCP_CLOSING, false },
		{ TCP_LAST_ACK, TCP_LAST_ACK, false },
		{ TCP_TIME_WAIT, TCP_TIME_WAIT, false },
	};
	size_t i;
	bool fin;
	int to;

	EXPECT_EQ(ARRAY_SIZE(rows), STATES - 1);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TU_WHERE("%s", tandem_state_name(rows[i].from));
		fin = !rows[i].fin;
		to = tandem_state_after_close(rows[i].from, &fin);
		EXPECT_EQ(to, rows[i].to);
		EXPECT_EQ(fin, rows[i].fin);
		/* Whatever close() does must be an edge. */
		if (to != rows[i].from)
			EXPECT(tandem_state_allowed(rows[i].from, to));
	}
}

TU_TEST(state_names)
{
	static const char * const names[STATES] = {
		"UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
		"FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
		"LISTEN", "CLOSING",
	};
	int s;

	for (s = 0; s < STATES; s++) {
		TU_WHERE("%d", s);
		EXPECT(!strcmp(tandem_state_name(s), names[s]));
	}
}

/* Lives a connection can have, as RFC 9293 section 3.5 and 3.6 tell them. */
TU_TEST(state_lives)
{
	static const u8 lives[][8] = {
		/* active open, active close */
		{ TCP_CLOSE, TCP_SYN_SENT, TCP_ESTABLISHED, TCP_FIN_WAIT1,
		  TCP_FIN_WAIT2, TCP_TIME_WAIT, TCP_CLOSE },
		/* passive open, passive close */
		{ TCP_LISTEN, TCP_SYN_RECV, TCP_ESTABLISHED, TCP_CLOSE_WAIT,
		  TCP_LAST_ACK, TCP_CLOSE },
		/* simultaneous open and close */
		{ TCP_CLOSE, TCP_SYN_SENT, TCP_SYN_RECV, TCP_ESTABLISHED,
		  TCP_FIN_WAIT1, TCP_CLOSING, TCP_TIME_WAIT, TCP_CLOSE },
		/* the peer's FIN carries the ACK of ours */
		{ TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_TIME_WAIT, TCP_CLOSE },
		/* close() before the handshake is over */
		{ TCP_LISTEN, TCP_SYN_RECV, TCP_FIN_WAIT1, TCP_FIN_WAIT2 },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(lives); i++) {
		for (j = 0; j + 1 < 8 && lives[i][j + 1]; j++) {
			TU_WHERE("life %zu: %s to %s", i,
				 tandem_state_name(lives[i][j]),
				 tandem_state_name(lives[i][j + 1]));
			EXPECT(tandem_state_allowed(lives[i][j],
						    lives[i][j + 1]));
		}
	}
}

TU_SUITE(tandem_state,
	 TU_CASE(state_edges),
	 TU_CASE(state_not_a_state),
	 TU_CASE(state_after_close),
	 TU_CASE(state_names),
	 TU_CASE(state_lives));
