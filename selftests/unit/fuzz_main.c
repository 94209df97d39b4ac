// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_main.c - a driver for the fuzz targets where there is no libFuzzer: so many
 * random inputs, from a seed, with no coverage to guide them.
 *
 * Options as libFuzzer's: -runs=N -seed=N -max_len=N; others are ignored.
 */
#include "tunit.h"
#include "fuzz.h"

/* Small numbers and the kinds of options, more often than chance has them. */
static u8 some_byte(struct tu_rng *rng)
{
	u32 r = tu_rand(rng);

	return r & 1 ? r >> 8 & 15 : r >> 16;
}

int main(int argc, char **argv)
{
	unsigned long long runs = 100000, seed = 1, max_len = 64, i, j, len;
	struct tu_rng rng;
	u8 *buf;

	while (*++argv) {
		if (sscanf(*argv, "-runs=%llu", &runs) == 1 ||
		    sscanf(*argv, "-seed=%llu", &seed) == 1 ||
		    sscanf(*argv, "-max_len=%llu", &max_len) == 1)
			continue;
	}
	(void)argc;
	printf("# no libFuzzer: %llu random inputs, seed %llu\n", runs, seed);
	rng.s = seed * 0x9e3779b97f4a7c15ULL | 1;
	buf = malloc(max_len + 1);
	if (!buf)
		return 1;
	for (i = 0; i < runs; i++) {
		len = tu_rand_below(&rng, max_len + 1);
		for (j = 0; j < len; j++)
			buf[j] = some_byte(&rng);
		fuzz_one(buf, len);
	}
	free(buf);
	return 0;
}
