#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# 1,000 connections at once, bytes compared on each, and the counts right at
# both ends afterwards.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
. "$(dirname "$0")/common.sh"

n=${TANDEM_CONNS:-1000}
[ $# -gt 0 ] || set -- v4 v6 mapped
plan $(($# * 2))
pair

# No connection was reset. (A late duplicate may meet a closed one, whose reset
# harms nobody: on a starved machine the device's queue overflows.)
counts() {
	is_tcp && why="Tandem's own counters" && return 4
	echo "opens $(ctr "$a" ActiveOpens) / $(ctr "$b" PassiveOpens)," \
		"established $(ctr "$a" CurrEstab) $(ctr "$b" CurrEstab)"
	[ "$(ctr "$a" ActiveOpens)" -eq "$opened" ] &&
	[ "$(ctr "$b" PassiveOpens)" -eq "$opened" ] &&
	[ "$(ctr "$a" CurrEstab)" -eq 0 ] && [ "$(ctr "$b" CurrEstab)" -eq 0 ] &&
	[ "$(ctr "$b" EstabResets)" -eq 0 ] && [ "$(ctr "$a" EstabResets)" -eq 0 ]
}

opened=0
ulimit -n 8192
for way in "$@"; do
	check "many.$way" transfer_between "$b" "$a" "$(addr_of "$way" 2)" $way \
		--streams "$n" --bytes 20000 --seed 3 --timeout 120 --verbose
	opened=$((opened + n))
	check "many_counts.$way" counts
done
finish
