#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# The example of Documentation/networking/tandem-cong.rst, built beforehand, does what
# that page says: it registers, is chosen, moves data, and cannot go while in use.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
#
# Environment: CONG_AIMD, the module (default: the one that modprobe would find)
. "$(dirname "$0")/common.sh"

ko=${CONG_AIMD:-$(modinfo -n cong_aimd 2>/dev/null)}
is_tcp && skip_all "an algorithm for Tandem"
[ -f "$ko" ] || skip_all "no $ko: build Documentation/examples/cong_aimd"

plan 8
pair
cleanup_module() {
	cleanup
	rmmod cong_aimd 2>/dev/null
}
trap cleanup_module EXIT

available() {
	in_space "$a" cat /proc/sys/net/tandem/available_congestion_control
}
is_listed() { available | tr ' ' '\n' | grep -qx aimd; }
is_unlisted() { ! is_listed; }
is_default() {
	[ "$(in_space "$1" cat /proc/sys/net/tandem/congestion_control)" = aimd ]
}
choose() { knob "$1" congestion_control "$2"; }
choose_aimd() { choose "$a" aimd && choose "$b" aimd && is_default "$a"; }
refused() { ! rmmod cong_aimd 2>/dev/null; }
move() { transfer_between "$b" "$a" "$(addr_of v4 2)" v4 --bytes 3000000; }
let_go() { choose "$a" reno && choose "$b" reno; }
unload() { until_true 20 rmmod cong_aimd; }

check "cong_example.absent" is_unlisted
check "cong_example.insmod" insmod "$ko" alpha=2 beta=80
check "cong_example.listed" is_listed
check "cong_example.chosen" choose_aimd
check "cong_example.moves_data" move
check "cong_example.refused_while_in_use" refused
check "cong_example.let_go" let_go
check "cong_example.rmmod" unload
finish
