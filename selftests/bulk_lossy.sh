#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# 32 MiB each way at once through loss 5 %, duplication 2 %, reordering 10 %
# and corruption 0.5 % together, in both directions; every byte compared, and
# the counters must show that each of the four was really met.
#
#   +-----------------+    netem       +-----------------+
#   | a  10.99.0.1 v  |----- veth -----|  v 10.99.0.2  b |
#   |    fd99::1      |       netem    |    fd99::2      |
#   +-----------------+                +-----------------+
#
# Usage: bulk_lossy.sh [WAY...]; TANDEM_MIB sets another size
. "$(dirname "$0")/common.sh"

have_netem || skip_all "no netem in this kernel"
mib=${TANDEM_MIB:-32}
[ $# -gt 0 ] || set -- v4 v6 mapped
plan $(($# * 5))

# netem sends the reordered ones at once and delays all others.
bad=(delay 4ms reorder 10% loss 5% duplicate 2% corrupt 0.5% rate 200mbit)

seen() { # a counter above a floor at both ends
	local name=$1 floor=$2 ns n
	is_tcp && why="Tandem's own counters" && return 4
	for ns in "$a" "$b"; do
		n=$(ctr "$ns" "$name")
		echo "$name is $n"
		[ "$n" -ge "$floor" ] || return 1
	done
}

for way in "$@"; do
	pair
	shape "$a" v "${bad[@]}"
	shape "$b" v "${bad[@]}"
	check "bulk_lossy.$way" transfer_between "$b" "$a" "$(addr_of "$way" 2)" \
		"$way" --bytes $((mib << 20)) --seed 5 --timeout 400 --verbose
	check "bulk_lossy_loss_met.$way" seen RetransSegs $((mib * 10))
	check "bulk_lossy_corruption_met.$way" seen InCsumErrors $((mib / 2))
	check "bulk_lossy_duplicates_met.$way" seen InDupData $((mib / 2))
	check "bulk_lossy_reordering_met.$way" seen OfoQueued $((mib * 10))
	drop "$a" "$b"
done
finish
