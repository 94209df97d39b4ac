#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# 256 MiB each way at once over a clean link, every byte compared, over IPv4,
# IPv6 and v4-mapped addresses. TANDEM_MIB sets another size.
#
#   +-----------------+                +-----------------+
#   | a  10.99.0.1 v  |----- veth -----|  v 10.99.0.2  b |
#   |    fd99::1      |                |    fd99::2      |
#   +-----------------+                +-----------------+
#
# Usage: bulk_clean.sh [WAY...]
. "$(dirname "$0")/common.sh"

mib=${TANDEM_MIB:-256}
[ $# -gt 0 ] || set -- v4 v6 mapped
plan $(($# * 2))

for way in "$@"; do
	pair
	check "bulk_clean.$way" transfer_between "$b" "$a" "$(addr_of "$way" 2)" \
		"$way" --bytes $((mib << 20)) --seed 11 --timeout 300 --verbose
	lossless() {
		is_tcp && why="Tandem's own counters" && return 4
		[ "$(ctr "$a" InCsumErrors)" = 0 ] &&
		[ "$(ctr "$b" InCsumErrors)" = 0 ] &&
		[ "$(ctr "$b" OutRsts)" = 0 ] &&
		[ "$(ctr "$b" InBytes)" -ge $((mib << 20)) ] &&
		[ "$(ctr "$a" InBytes)" -ge $((mib << 20)) ]
	}
	check "bulk_clean_counters.$way" lossless
	drop "$a" "$b"
done
finish
