#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two machines: the segments really cross from host to host. Both run this
# script; TANDEM_ROLE says which one is the server (a) and which the client
# (b), TANDEM_ADDR4/6 and TANDEM_PEER4/6 who is who.
#
#   +-------------+                         +-------------+
#   | machine a   |------ one wire ---------| machine b   |
#   |  transfer   |                         |  transfer   |
#   |  --server   |                         |  --client   |
#   +-------------+                         +-------------+
. "$(dirname "$0")/common.sh"

[ -n "${TANDEM_ROLE:-}" ] || skip_all "needs two machines (TANDEM_ROLE)"
mib=${TANDEM_MIB:-16}
plan 10

# Name, port, options: the same list on both sides.
cases() {
	cat <<-END
	bulk_v4 4001 v4 --bytes $((mib << 20)) --seed 1
	bulk_v6 4002 v6 --bytes $((mib << 20)) --seed 2
	bulk_mapped 4003 mapped --bytes $((mib << 20)) --seed 3
	many_v4 4004 v4 --streams 200 --bytes 20000 --seed 4
	many_v6 4005 v6 --streams 200 --bytes 20000 --seed 5
	echo_v4 4006 v4 --echo 300
	echo_v6 4007 v6 --echo 300
	small_buffers 4008 v6 --bytes 300000 --rcvbuf 8000
	END
}

peer() {
	case $1 in
	v6) echo "$TANDEM_PEER6" ;;
	*) echo "$TANDEM_PEER4" ;;
	esac
}

own() {
	case $1 in
	v6) echo "$TANDEM_ADDR6" ;;
	*) echo "$TANDEM_ADDR4" ;;
	esac
}

# A refused connection says that the server is not there yet.
client() {
	local way=$1 port=$2 end=$((SECONDS + 90))
	shift 2
	until "$BIN/transfer" "--$way" "$@" --timeout 120 \
		--client "$(peer "$way")" "$port"; do
		[ $SECONDS -lt $end ] || return 1
		grep -q refused "$work/log" || return 1
		: >"$work/log"
	done
}

while read -r name port way options; do
	# shellcheck disable=SC2086 # a list of options
	if [ "$TANDEM_ROLE" = a ]; then
		check "twohosts_$name" "$BIN/transfer" "--$way" $options \
			--timeout 120 --server "$(own "$way")" "$port"
	else
		check "twohosts_$name" client "$way" "$port" $options
	fi
done <<<"$(cases)"

own_ctr() {
	is_tcp && { echo 0; return; }
	awk -v name="Tandem$1" '$1 == name { print $2 }' /proc/net/tandem/snmp
}

crossed() {
	local dev=${TANDEM_DEV:-eth0} n
	n=$(cat "/sys/class/net/$dev/statistics/rx_packets")
	echo "$n packets came over $dev"
	[ "$n" -ge 1000 ]
}

clean() {
	is_tcp && why="Tandem's own counters" && return 4
	echo "checksum errors $(own_ctr InCsumErrors), bad options" \
		"$(own_ctr InBadOpt), in bytes $(own_ctr InBytes)"
	[ "$(own_ctr InCsumErrors)" = 0 ] && [ "$(own_ctr InBadOpt)" = 0 ] &&
	[ "$(own_ctr InBytes)" -ge $((3 * (mib << 20))) ]
}

check twohosts_crossed crossed
check twohosts_counters clean
finish
