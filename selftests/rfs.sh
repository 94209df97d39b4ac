#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# Receive flow steering: segments are worked off by the processor where the program reads
# them. One connection; its reader goes from processor to processor, and SO_INCOMING_CPU,
# where the last segment was received, must follow. Without what a socket keeps for it
# (sock_rps_save_rxhash()) it would stay where the hash of the addresses puts it.
#
#   a (10.99.0.1, fd99::1), writes ----- veth ----- b (10.99.0.2, fd99::2), reads
. "$(dirname "$0")/common.sh"

[ "$(nproc)" -ge 2 ] || skip_all "needs two processors"
table=/proc/sys/net/core/rps_sock_flow_entries
[ -w $table ] || skip_all "this kernel has no RFS"
plan 2

follows() {
	"$PYTHON" "$here/rfs.py" "$a" "$b" "$(addr_of "$1" 2)"
}

pair
echo 256 >$table
ip netns exec "$b" sh -c "echo 3 >/sys/class/net/v/queues/rx-0/rps_cpus
	echo 256 >/sys/class/net/v/queues/rx-0/rps_flow_cnt" || exit 1
for way in v4 v6; do
	check "rfs.$way" follows "$way"
done
echo 0 >$table
finish
