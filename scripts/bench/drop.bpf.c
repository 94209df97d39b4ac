// SPDX-License-Identifier: GPL-2.0
/*
 * The dropper of bench-sim, on clsact ingress before the bottleneck's queue.
 *
 * Every protocol meets the same pattern: whether a flow's n-th packet in this
 * direction is lost depends on the seed, the flow and n alone. A flow is known
 * by its client's port, which flows.c chooses; SCTP has its ports where TCP
 * and Tandem have theirs. Nothing else of a packet is looked at.
 *
 * Late packets are only marked here; a second filter sends those through an
 * ifb with a netem delay, back to the head of the bottleneck's queue.
 *
 * SEED, DROP and LATE (of 2^32) are given by the compiler's command line.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#define SEC(name) __attribute__((section(name), used))
#define SERVER_PORT	5001
#define IP_AT		14
#define PROTOCOL_AT	(IP_AT + 9)

static long (*load_bytes)(const void *skb, __u32 off, void *to, __u32 len) =
	(void *)BPF_FUNC_skb_load_bytes;
static void *(*map_lookup)(void *map, const void *key) =
	(void *)BPF_FUNC_map_lookup_elem;

/* How many packets of each client port were seen. */
struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[65536];
	__u32 *key;
	__u32 *value;
} seen SEC(".maps");

static inline __u32 mix(__u32 x)
{
	x = (x ^ (x >> 16)) * 0x7feb352d;
	x = (x ^ (x >> 15)) * 0x846ca68b;
	return x ^ (x >> 16);
}

SEC("tc") int dropper(struct __sk_buff *skb)
{
	__u8 first, protocol, port[4];
	__u32 flow, *n, x;

	if (load_bytes(skb, IP_AT, &first, 1) ||
	    load_bytes(skb, PROTOCOL_AT, &protocol, 1))
		return TC_ACT_UNSPEC;
	if (protocol != 6 && protocol != 132 && protocol != 254)
		return TC_ACT_UNSPEC;
	if (load_bytes(skb, IP_AT + (first & 15) * 4, port, 4))
		return TC_ACT_UNSPEC;
	flow = port[0] << 8 | port[1];
	if (flow == SERVER_PORT)
		flow = port[2] << 8 | port[3];
	n = map_lookup(&seen, &flow);
	if (!n)
		return TC_ACT_UNSPEC;
	x = mix(mix(mix(SEED) + flow) + *n);
	*n += 1;
	if (x < DROP)
		return TC_ACT_SHOT;
	if (mix(x) < LATE)
		skb->mark = 1;
	return TC_ACT_UNSPEC;
}

SEC("classifier") int late(struct __sk_buff *skb)
{
	return skb->mark == 1 ? -1 : 0;
}

char _license[] SEC("license") = "GPL";
