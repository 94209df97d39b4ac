#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# Transfers with large and small buffers, captured at the sender; the capture
# is judged by pcap_check.py: nothing beyond the peer's window, no right edge
# that moves back, no segment above the peer's MSS.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
. "$(dirname "$0")/common.sh"

have tcpdump || skip_all "tcpdump is not there"
[ $# -gt 0 ] || set -- v4 v6 mapped
plan $(($# * 4))

judged() {
	local way=$1 bytes=$2 flags=$3
	shift 3
	capture "$a" v "$work/w.pcap" || return 1
	transfer_between "$b" "$a" "$(addr_of "$way" 2)" "$way" \
		--bytes "$bytes" --timeout 100 "$@" || return 1
	end_capture || return 1
	# shellcheck disable=SC2086 # several flags
	"$PYTHON" "$here/pcap_check.py" --min-bytes $((bytes * 2)) $flags \
		"$work/w.pcap"
}

ordered=--ordered
# Newer TCP announces nothing when memory is short, whatever it promised.
is_tcp && ordered=
for way in "$@"; do
	pair
	# Slow enough for tcpdump to see every segment.
	if have_netem; then
		shape "$a" v delay 1ms rate 40mbit
		shape "$b" v delay 1ms rate 40mbit
	fi
	check "window_default_buffers.$way" judged "$way" 2000000 "$ordered"
	check "window_small_buffers.$way" judged "$way" 600000 "$ordered" \
		--rcvbuf 8000
	check "window_tiny_buffers.$way" judged "$way" 100000 "$ordered" \
		--rcvbuf 2304 --sndbuf 4608
	if have_netem; then
		shape "$a" v delay 3ms rate 30mbit
		shape "$b" v delay 3ms loss 2% rate 30mbit
	fi
	check "window_delay_and_loss.$way" judged "$way" 1000000 "" --rcvbuf 60000
	drop "$a" "$b"
done
finish
