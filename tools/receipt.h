/* SPDX-License-Identifier: GPL-2.0 */
/*
 * receipt.h - what `tandem run` and the library it preloads tell each other: the
 * environment, and one shared page of counters.
 *
 * The page is a sealed memory file that `tandem run` makes and every process
 * below it maps.  Counters in shared memory survive _exit(), crashes and
 * SIGKILL, which a line written at exit would not; the seal keeps a process from
 * shrinking the page under its neighbours.
 */
#ifndef _TANDEM_RECEIPT_H
#define _TANDEM_RECEIPT_H

/* The environment is the whole interface: LD_PRELOAD plus these works as well. */
#define ENV_PROTO	"TANDEM_RUN_PROTOCOL"	/* number to ask for, default 254 */
#define ENV_WIRE	"TANDEM_RUN_WIRE"	/* TANDEM_WIRE_*; unset: net.tandem.wire */
#define ENV_FALLBACK	"TANDEM_RUN_FALLBACK"	/* 1: TCP when the kernel refuses */
#define ENV_PRETEND	"TANDEM_RUN_PRETEND_TCP" /* 1: SO_PROTOCOL says 6 */
#define ENV_MPTCP	"TANDEM_RUN_MPTCP"	/* 1: take MPTCP requests too */
#define ENV_RECEIPT	"TANDEM_RUN_RECEIPT"	/* path of the page */

#define RECEIPT_MAGIC	0x54616e64656d3031ULL	/* "Tandem01" */
#define RECEIPT_SLOTS	512

/**
 * struct receipt_slot - one process that opened sockets
 * @pid:	0: free
 * @comm:	its name when it took the slot
 * @ours:	sockets whose SO_PROTOCOL was read back as the number asked for
 * @tcp:	sockets that became TCP (--fallback)
 * @refused:	socket() calls the kernel refused
 * @left:	MPTCP requests left alone
 */
struct receipt_slot {
	unsigned int	pid;
	char		comm[16];
	unsigned int	ours;
	unsigned int	tcp;
	unsigned int	refused;
	unsigned int	left;
};

/**
 * struct receipt - the page
 * @magic:	RECEIPT_MAGIC
 * @size:	sizeof(struct receipt), so that two versions never mix
 * @attached:	processes the library was loaded into
 * @warned:	set by the first process that told the user of a refusal
 * @used:	slots handed out; more than RECEIPT_SLOTS: the last one is shared
 * @slot:	one per process
 */
struct receipt {
	unsigned long long		magic;
	unsigned int		size;
	unsigned int		attached;
	unsigned int		warned;
	unsigned int		used;
	struct receipt_slot	slot[RECEIPT_SLOTS];
};

#endif /* _TANDEM_RECEIPT_H */
