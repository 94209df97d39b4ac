#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A router with a narrow link behind it, and a router that refuses: what real
# ICMP does to connections (ipv4.c, ipv6.c: the error handlers).
#
#   +-----+  mtu 1500  +--------+  mtu 1300  +-----+
#   |  a  |------------| router |------------|  b  |
#   | .1.1|            |.1.2 2.1|            | .2.2|     10.98.x, fd98:x::
#   +-----+            +--------+            +-----+
. "$(dirname "$0")/common.sh"

plan 10

space a
space r
space b
# shellcheck disable=SC2154 # set by space()
link "$a" v "$r" left
link "$r" right "$b" v
address "$a" v 10.98.1.1/24 fd98:1::1/64
address "$r" left 10.98.1.2/24 fd98:1::2/64
address "$r" right 10.98.2.1/24 fd98:2::1/64
address "$b" v 10.98.2.2/24 fd98:2::2/64
ip -n "$r" link set right mtu 1300
ip -n "$b" link set v mtu 1300
in_space "$r" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$a" route add default via 10.98.1.2
ip -n "$a" -6 route add default via fd98:1::2
ip -n "$b" route add default via 10.98.2.1
ip -n "$b" -6 route add default via fd98:2::1
if virtual_time; then
	for end in "$a v" "$r left" "$r right" "$b v"; do
		# shellcheck disable=SC2086 # a namespace and a device
		shape $end
	done
fi

far() {
	case $1 in
	v6) echo fd98:2::2 ;;
	*) echo 10.98.2.2 ;;
	esac
}

shrunk() {
	is_tcp && why="Tandem's own counters" && return 4
	local n
	n=$(ctr "$a" PmtuShrink)
	echo "PmtuShrink is $n"
	[ "$n" -gt "$shrunk_before" ]
}

# Without the MSS option's help only ICMP can tell: the far end announces the
# MSS of 1300, so make its route claim more.
ip -n "$b" route change default via 10.98.2.1 advmss 1460
ip -n "$b" -6 route change default via fd98:2::1 advmss 1440

for way in v4 v6 mapped; do
	shrunk_before=0
	is_tcp || shrunk_before=$(ctr "$a" PmtuShrink)
	ip -n "$a" route flush cache
	ip -n "$a" -6 route flush cache
	check "pmtu_transfer.$way" transfer_between "$b" "$a" "$(far $way)" \
		$way --bytes 2000000 --seed 9 --timeout 60
	check "pmtu_shrunk.$way" shrunk
done

# refused NS-SIDE REJECTION ERRNO WAY: connect through a router that refuses
refused() {
	in_space "$r" nft "add table inet t; add chain inet t f \
		{ type filter hook forward priority 0; }; \
		add rule inet t f meta l4proto $TANDEM_PROTO reject with $1" ||
		return 1
	in_space "$a" "$PYTHON" - "$2" "$3" "$(far "$3")" <<-'END'
		import errno, os, socket, sys
		family = socket.AF_INET if sys.argv[2] == "v4" else socket.AF_INET6
		s = socket.socket(family, socket.SOCK_STREAM,
		                  int(os.environ["TANDEM_PROTO"]))
		got = s.connect_ex((sys.argv[3], 80))
		print("connect:", errno.errorcode.get(got, got))
		sys.exit(got != getattr(errno, sys.argv[1]))
	END
	local rc=$?
	in_space "$r" nft delete table inet t
	return $rc
}

if have nft && in_space "$r" nft list ruleset >/dev/null 2>&1; then
	check reject_host.v4 refused "icmp type host-unreachable" \
		EHOSTUNREACH v4
	check reject_net.v4 refused "icmp type net-unreachable" ENETUNREACH v4
	check reject_port.v4 refused "icmp type port-unreachable" \
		ECONNREFUSED v4
	check reject_port.v6 refused "icmpv6 type port-unreachable" \
		ECONNREFUSED v6
else
	for name in reject_host.v4 reject_net.v4 reject_port.v4 reject_port.v6; do
		why="no nft here"
		result 4 $name
	done
fi
finish
