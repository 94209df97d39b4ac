/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pure_user.h - the few kernel names that pure rooms use, for user space.
 *
 * Pure rooms are plain integer arithmetic; this is all of the kernel they need
 * when they are compiled as ordinary programs (unit tests, fuzzers, simulators).
 * Never included in the kernel: see pure.h and tandem/cong.h.
 */
#ifndef _TANDEM_PURE_USER_H
#define _TANDEM_PURE_USER_H

#ifdef __KERNEL__
#error "pure_user.h is for user space"
#endif

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

#define U8_MAX		UINT8_MAX
#define U16_MAX		UINT16_MAX
#define U32_MAX		UINT32_MAX
#define U64_MAX		UINT64_MAX
#define S32_MAX		INT32_MAX
#define S64_MAX		INT64_MAX

struct module;

struct list_head {
	struct list_head *next, *prev;
};

/* As the kernel's: each argument evaluated once, both of one type. */
#define min(a, b) ({				\
	__typeof__(a) _min_a = (a);		\
	__typeof__(b) _min_b = (b);		\
						\
	(void)(&_min_a == &_min_b);		\
	_min_a < _min_b ? _min_a : _min_b; })
#define max(a, b) ({				\
	__typeof__(a) _max_a = (a);		\
	__typeof__(b) _max_b = (b);		\
						\
	(void)(&_max_a == &_max_b);		\
	_max_a > _max_b ? _max_a : _max_b; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define min3(a, b, c)		min(min(a, b), (c))
#define max3(a, b, c)		max(max(a, b), (c))
#define clamp(v, lo, hi)	min(max((v), (lo)), (hi))
#define clamp_t(type, v, lo, hi) clamp((type)(v), (type)(lo), (type)(hi))

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d) ({			\
	__typeof__(d) _div_d = (d);		\
						\
	((n) + _div_d - 1) / _div_d; })
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define BIT(n)			(1UL << (n))

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#ifndef fallthrough
#define fallthrough		__attribute__((__fallthrough__))
#endif

/* A warning is a bug: end the test here, with a stack trace under ASan. */
#define WARN_ON_ONCE(cond) ({						\
	bool _warn = (cond);						\
									\
	if (_warn) {							\
		fprintf(stderr, "%s:%d: WARN_ON_ONCE(%s)\n",		\
			__FILE__, __LINE__, #cond);			\
		abort();						\
	}								\
	_warn; })

/* Swallows its argument and the semicolon after it. */
#define NO_EXPORT(sym)		struct module
#define EXPORT_SYMBOL_GPL	NO_EXPORT

static inline u64 div_u64(u64 n, u32 d)
{
	return n / d;
}

static inline u64 div64_u64(u64 n, u64 d)
{
	return n / d;
}

static inline s64 div_s64(s64 n, s32 d)
{
	return n / d;
}

#endif /* _TANDEM_PURE_USER_H */
