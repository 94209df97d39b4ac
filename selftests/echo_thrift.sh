#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# An echo of 1,000 small messages: at most 2.1 segments each, counted by the
# device (so that TCP is measured alike) and by the counters.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
. "$(dirname "$0")/common.sh"

n=1000
[ $# -gt 0 ] || set -- v4 v6 mapped
plan $(($# * 3))
pair

thrift() {
	local before after
	before=$(($(packets "$a" v tx) + $(packets "$a" v rx)))
	transfer_between "$b" "$a" "$(addr_of "$1" 2)" "$1" --echo "$n" --size 32 ||
		return 1
	after=$(($(packets "$a" v tx) + $(packets "$a" v rx)))
	echo "$((after - before)) packets for $n messages"
	[ $((after - before)) -ge $((2 * n)) ] &&
	[ $(((after - before) * 10)) -le $((21 * n)) ]
}

by_counters() {
	is_tcp && why="Tandem's own counters" && return 4
	local segs
	segs=$(($(ctr "$a" OutSegs) + $(ctr "$b" OutSegs) - sent_before))
	echo "$segs segments for $n messages"
	[ $((segs * 10)) -le $((21 * n)) ]
}

piggybacked() {
	is_tcp && why="Tandem's own counters" && return 4
	local piggy pure
	piggy=$(($(ctr "$a" PiggyAcksOut) + $(ctr "$b" PiggyAcksOut) - piggy_before))
	pure=$(($(ctr "$a" PureAcksOut) + $(ctr "$b" PureAcksOut) - pure_before))
	echo "$piggy piggybacked, $pure pure ACKs"
	[ "$piggy" -ge $((19 * n / 10)) ] && [ "$pure" -le $((n / 10)) ]
}

for way in "$@"; do
	sent_before=$(($(ctr "$a" OutSegs) + $(ctr "$b" OutSegs)))
	piggy_before=$(($(ctr "$a" PiggyAcksOut) + $(ctr "$b" PiggyAcksOut)))
	pure_before=$(($(ctr "$a" PureAcksOut) + $(ctr "$b" PureAcksOut)))
	check "echo_thrift.$way" thrift "$way"
	check "echo_thrift_counters.$way" by_counters
	check "echo_thrift_piggybacked.$way" piggybacked
done
finish
