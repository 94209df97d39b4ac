// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_options.c - libFuzzer target: any bytes as TCP options.
 *
 * The input lies in a block of exactly its size, so that ASan sees every step beyond
 * it. What was understood must be well formed, and written again and read again must
 * come out the same, but for SACK blocks that padding left no room for.
 */
#include "fuzz.h"
#include "options.h"

int fuzz_one(const u8 *data, size_t size)
{
	struct tandem_opts o, back;
	unsigned int len, room;
	bool syn;
	u8 *in, *out;
	int i;

	if (!size)
		return 0;
	syn = data[0] & 1;
	size--;
	in = malloc(size);
	out = malloc(TANDEM_OPT_MAX_LEN);
	MUST(in && out);
	memcpy(in, data + 1, size);

	if (tandem_opts_parse(in, size, syn, &o))
		MUST(size);
	MUST(syn || !(o.have & (TANDEM_OPT_MSS | TANDEM_OPT_WSCALE |
				TANDEM_OPT_SACK_OK | TANDEM_OPT_FASTOPEN)));
	MUST(o.cookie.len <= TANDEM_FO_COOKIE_MAX && o.cookie.len % 2 == 0);
	MUST(o.have & TANDEM_OPT_FASTOPEN || !o.cookie.len);
	MUST(o.wscale <= TANDEM_OPT_MAX_WSCALE);
	MUST(o.nsack <= TANDEM_OPT_MAX_SACK);
	MUST(!!o.nsack == !!(o.have & TANDEM_OPT_SACK));

	len = tandem_opts_write(out, &o);
	MUST(len == tandem_opts_len(&o));
	MUST(len <= TANDEM_OPT_MAX_LEN && len % 4 == 0);
	MUST(!tandem_opts_parse(out, len, true, &back));

	room = tandem_opts_sack_room(&o);
	if (o.nsack > room)
		o.nsack = room;
	if (!o.nsack)
		o.have &= ~TANDEM_OPT_SACK;
	MUST(back.cookie.len == o.cookie.len &&
	     !memcmp(back.cookie.val, o.cookie.val, o.cookie.len));
	MUST(back.have == o.have && back.nsack == o.nsack);
	MUST(back.mss == o.mss && back.wscale == o.wscale);
	MUST(back.tsval == o.tsval && back.tsecr == o.tsecr);
	for (i = 0; i < o.nsack; i++)
		MUST(back.sack[i].start == o.sack[i].start &&
		     back.sack[i].end == o.sack[i].end);
	free(in);
	free(out);
	return 0;
}
