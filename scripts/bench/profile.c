// SPDX-License-Identifier: GPL-2.0
/*
 * profile - a QEMU plugin for bench-cpu: how often each instruction of the guest
 * ran between two marks.
 *
 * Not a sample: every block of instructions that QEMU translates gets a counter
 * that is added to whenever it runs. cost.c marks the begin and the end of what
 * it counts with a long no-operation that nothing else contains (MARK there); at
 * the first all counters are set to zero, at the second they are written out:
 *
 *   # a run begins
 *   ADDRESS INSTRUCTIONS TIMES      one line for each block that ran, hex dec dec
 *
 * profile_table.py makes a table of functions of that. For one processor.
 *
 * Debian packages QEMU without its plugin header, so what is used of version 1
 * of that interface is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define BEGIN	0x7a6d6501u
#define END	0x7a6d6502u

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
		enum qemu_plugin_op op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int vcpu, void *userdata),
		enum qemu_plugin_cb_flags flags, void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

/* A translated block; they are never freed, for QEMU's code points at them. */
struct block {
	struct block *next;
	uint64_t addr;
	uint64_t count;
	uint32_t insns;
};

static struct block *blocks;
static const char *path;

static void begin(unsigned int vcpu, void *unused)
{
	struct block *b;

	for (b = blocks; b; b = b->next)
		b->count = 0;
}

static void end(unsigned int vcpu, void *unused)
{
	FILE *f = fopen(path, "a");
	struct block *b;

	if (!f)
		return;
	fprintf(f, "# a run begins\n");
	for (b = blocks; b; b = b->next)
		if (b->count)
			fprintf(f, "%" PRIx64 " %u %" PRIu64 "\n", b->addr, b->insns,
				b->count);
	fclose(f);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x84, 0x00 };
	struct block *b = calloc(1, sizeof(*b));
	struct qemu_plugin_insn *insn;
	const uint8_t *data;
	uint32_t mark;
	size_t i;

	if (!b)
		abort();
	b->addr = qemu_plugin_tb_vaddr(tb);
	b->insns = qemu_plugin_tb_n_insns(tb);
	b->next = blocks;
	blocks = b;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->count,
						 1);
	for (i = 0; i < b->insns; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		data = qemu_plugin_insn_data(insn);
		if (qemu_plugin_insn_size(insn) != 8 || memcmp(data, nop, sizeof(nop)))
			continue;
		memcpy(&mark, data + sizeof(nop), sizeof(mark));
		if (mark == BEGIN || mark == END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn,
					mark == BEGIN ? begin : end,
					QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			       int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			path = strdup(argv[i] + 4);
	if (!path) {
		fprintf(stderr, "profile: out=FILE is missing\n");
		return -1;
	}
	remove(path);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
