#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# One allocation in ten fails of those that may not wait for memory, which is what a
# segment, a child, a request and what a connection needs in trouble are made of: the
# kernel's own fault injection does it (CONFIG_FAILSLAB). Data must arrive whole all the
# same, connections must open and end, and all that was held must be given back.
#
#   a (10.99.0.1, fd99::1) ----- netem: loss, reordering ----- b (10.99.0.2, fd99::2)
#
# Usage: nomem.sh [WAY...]
. "$(dirname "$0")/common.sh"

fault=/sys/kernel/debug/failslab
[ -e $fault/probability ] || skip_all "this kernel cannot fail allocations (CONFIG_FAILSLAB)"
have_netem || skip_all "no netem in this kernel"
is_tcp && skip_all "TCP is not under test"
[ $# -gt 0 ] || set -- v4 v6
plan $(($# * 5))

fault() { echo "$2" >"$fault/$1"; }
trap 'fault probability 0; cleanup' EXIT

# failing COMMAND...: while it runs allocations fail; how many did is added to $failed
often=1000000 failed=0
failing() {
	local rc left
	fault task-filter N
	fault ignore-gfp-wait Y
	fault verbose 0
	fault interval 1
	fault times $often
	fault probability 10
	"$@"
	rc=$?
	fault probability 0
	read -r left <"$fault/times"
	failed=$((failed + often - left))
	return $rc
}

# The kernel needs some, too: for neighbours and routes, without which there is no way.
warm() { transfer_between "$b" "$a" "$(addr_of "$way" 2)" "$way" --bytes 1000 --timeout 60; }

# More than once failed what only Tandem asks for, at both ends or at the one that has it.
met() {
	local name ns n
	echo "$failed allocations failed"
	[ "$failed" -ge 500 ] || return 1
	for name in OutNoMem StateNoMem; do
		for ns in "$a" "$b"; do
			n=$(ctr "$ns" $name)
			echo "$name is $n"
			[ "$n" -ge 3 ] || return 1
		done
	done
	n=$(ctr "$b" SynDropMem)
	echo "SynDropMem is $n"
	[ "$n" -ge 3 ]
}

# Sockets of all namespaces, orphans of ours; what a CPU holds of memory is not told.
sockets() { in_space "$a" awk '/orphan/ { print $5, $9 }' /proc/net/tandem/sockstat; }
as_before() { [ "$(sockets)" = "$before" ]; }
given_back() {
	echo "orphans and sockets before: $before"
	until_true 60 as_before && return
	echo "and afterwards: $(sockets)"
	return 1
}

for way in "$@"; do
	pair
	shape "$a" v delay 2ms reorder 10% loss 2% rate 200mbit
	shape "$b" v delay 2ms reorder 10% loss 2% rate 200mbit
	to=$(addr_of "$way" 2)
	before=$(sockets) failed=0
	check "nomem_warm.$way" warm
	check "nomem_bulk.$way" failing transfer_between "$b" "$a" "$to" "$way" \
		--streams 20 --bytes $((${TANDEM_MIB:-16} << 15)) --seed 11 --timeout 200 --verbose
	check "nomem_open.$way" failing transfer_between "$b" "$a" "$to" "$way" \
		--streams 200 --bytes 3000 --seed 12 --timeout 200 --verbose
	check "nomem_met.$way" met
	check "nomem_given_back.$way" given_back
	drop "$a" "$b"
done
finish
