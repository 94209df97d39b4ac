/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz.h - what a fuzz target needs: its entry point, and a check that ends it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "pure.h"

#define MUST(cond) do {							\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #cond);				\
		abort();						\
	}								\
} while (0)

/* libFuzzer's name for it. */
int fuzz_one(const u8 *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

#endif /* FUZZ_H */
