/* SPDX-License-Identifier: GPL-2.0 */
/*
 * prr.h - proportional rate reduction, RFC 9937, pure.
 */
#ifndef _TANDEM_PRR_H
#define _TANDEM_PRR_H

#include "pure.h"

/**
 * struct tandem_prr - one reduction of the window, all in segments
 * @recover_fs:	RecoverFS: in flight before it began
 * @delivered:	prr_delivered: ACKed or SACKed since
 * @out:	prr_out: sent since
 */
struct tandem_prr {
	u32	recover_fs;
	u32	delivered;
	u32	out;
};

/* A reduction begins with @recover_fs segments in flight. */
static inline void tandem_prr_start(struct tandem_prr *prr, u32 recover_fs)
{
	prr->recover_fs = max(recover_fs, 1U);
	prr->delivered = 0;
	prr->out = 0;
}

/* @segs were sent, new or again. */
static inline void tandem_prr_sent(struct tandem_prr *prr, u32 segs)
{
	prr->out += min(segs, U32_MAX - prr->out);
}

u32 tandem_prr_cwnd(struct tandem_prr *prr, u32 cwnd, u32 delivered, u32 in_flight,
		    u32 ssthresh, bool safe_ack);

#endif /* _TANDEM_PRR_H */
