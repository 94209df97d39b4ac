#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# Sequence numbers pass 2^32 in the middle of a transfer, clean and lossy:
# net.tandem.isn_fixed starts both ends 1 MB before the wrap.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
. "$(dirname "$0")/common.sh"

is_tcp && skip_all "TCP has no such knob"
[ $# -gt 0 ] || set -- v4 v6 mapped
plan $(($# * 3))

fixed() { # did the SYN really carry that number?
	capture "$a" v "$work/wrap.pcap" || return 1
	transfer_between "$b" "$a" "$(addr_of "$1" 2)" "$1" \
		--bytes 2000000 --seed 21 || return 1
	end_capture || return 1
	"$PYTHON" "$here/pcap_check.py" --isn 4293967296 "$work/wrap.pcap"
}

for way in "$@"; do
	pair
	knob "$a" isn_fixed 4293967296
	knob "$b" isn_fixed 4293967296
	if have_netem; then	# slow enough for tcpdump
		shape "$a" v delay 1ms rate 40mbit
		shape "$b" v delay 1ms rate 40mbit
	fi
	check "wrap.$way" fixed "$way"
	if have_netem; then
		shape "$a" v delay 2ms loss 3% rate 100mbit
		shape "$b" v delay 2ms loss 3% rate 100mbit
	fi
	# The same numbers again: the pair of ports differs, TIME-WAIT holds.
	check "wrap_lossy.$way" transfer_between "$b" "$a" \
		"$(addr_of "$way" 2)" "$way" --bytes 2000000 --seed 22 --timeout 200
	check "wrap_sum.$way" test "$(ctr "$b" InBytes)" -ge 4000000
	drop "$a" "$b"
done
finish
