#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
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

# Name, port, way (and wire), options: the same list on both sides. A name of the card's
# offloads (as ethtool -K has them) stands for the card without it meanwhile: what was for
# the card to do is done by us or the kernel then, and nothing vanishes.
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
	local port=4020 way offload
	for offload in tso gso gro sg tx rx; do
		for way in v4 v6; do
			echo "without_${offload}_$way $port $way --bytes $((mib << 15)) --seed $port"
			port=$((port + 1))
		done
	done
	is_tcp || cat <<-END
	bulk_tcp_v4 4009 v4,tcp --bytes $((mib << 19)) --seed 5
	bulk_tcp_v6 4010 v6,tcp --bytes $((mib << 19)) --seed 6
	bulk_udp_v4 4011 v4,udp --bytes $((mib << 18)) --seed 7
	END
}
plan $(($(cases | wc -l) + 2))
is_tcp || sysctl -qw net.tandem.udp_port=5254
dev=${TANDEM_DEV:-eth0}

# QEMU's vmxnet3 makes no segments of TCP's pieces over IPv6: kernel TCP crawls, too.
all_offloads() {
	ethtool -K "$dev" tx on rx on sg on tso on gso on gro on 2>/dev/null
	[ "$(basename "$(readlink "/sys/class/net/$dev/device/driver")")" != vmxnet3 ] ||
		ethtool -K "$dev" tx-tcp6-segmentation off
}
all_offloads

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

# The server says over plain TCP that it listens, and is heard once.
server() {
	local way=$1 port=$2 pid rc
	shift 2
	rm -f "$work/port"
	"$BIN/transfer" "--$way" "$@" --timeout 120 --ready "$work/port" \
		--server "$(own "$way")" "$port" &
	pid=$!
	children+=("$pid")
	until_true 20 test -s "$work/port" || return 1
	busybox nc -l -p $((port + 1000)) </dev/null >/dev/null &
	children+=("$!")
	wait "$pid"
	rc=$?
	kill "$!" 2>/dev/null
	return $rc
}

server_listens() {
	(exec 3<>"/dev/tcp/$TANDEM_PEER4/$(($1 + 1000))") 2>/dev/null
}

client() {
	local way=$1 port=$2
	shift 2
	until_true 150 server_listens "$port" || return 1
	"$BIN/transfer" "--$way" "$@" --timeout 120 \
		--client "$(peer "$way")" "$port"
}

while read -r name port way options; do
	role=client
	[ "$TANDEM_ROLE" = b ] || role=server
	wire=native
	case $way in *,*) wire=${way#*,} way=${way%,*} ;; esac
	off=
	case $name in without_*) off=${name#without_} off=${off%_*} ;; esac
	# Not every card has all of them to switch off.
	[ -z "$off" ] || ethtool -K "$dev" "$off" off 2>/dev/null
	# shellcheck disable=SC2086 # a list of options
	TANDEM_WIRE=$wire check "twohosts_$name" $role "$way" "$port" $options
	[ -z "$off" ] || all_offloads
done <<<"$(cases)"

own_ctr() {
	is_tcp && { echo 0; return; }
	awk -v name="Tandem$1" '$1 == name { print $2 }' /proc/net/tandem/snmp
}

crossed() {
	local n
	n=$(cat "/sys/class/net/$dev/statistics/rx_packets")
	echo "$n packets came over $dev"
	[ "$n" -ge 1000 ]
}

clean() {
	is_tcp && why="Tandem's own counters" && return 4
	echo "checksum errors $(own_ctr InCsumErrors), bad options" \
		"$(own_ctr InBadOpt), in bytes $(own_ctr InBytes), pieces of" \
		"several segments $(own_ctr OutSuper), cut by us $(own_ctr GsoCut)"
	[ "$(own_ctr InCsumErrors)" = 0 ] && [ "$(own_ctr InBadOpt)" = 0 ] &&
	[ "$(own_ctr OutSuper)" -gt 0 ] && [ "$(own_ctr GsoCut)" -gt 0 ] &&
	[ "$(own_ctr InBytes)" -ge $((3 * (mib << 20))) ]
}

check twohosts_crossed crossed
check twohosts_counters clean
finish
