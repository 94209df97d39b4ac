#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# A router with a narrow link behind it, and a router that refuses: what real
# ICMP does to connections (ipv4.c, ipv6.c: the error handlers).
#
#   +-----+  mtu 1500  +--------+  mtu 1300  +-----+
#   |  a  |------------| router |------------|  b  |
#   | .1.1|            |.1.2 2.1|            | .2.2|     10.98.x, fd98:x::
#   +-----+            +--------+            +-----+
. "$(dirname "$0")/common.sh"

plan 18

space a
space r
space b
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

# refused ADDR ERRNO WAY: connect through a router that has no way on
refused() {
	in_space "$a" "$PYTHON" - "$1" "$2" "$3" <<-'END'
		import errno, os, socket, sys
		family = socket.AF_INET if sys.argv[3] == "v4" else socket.AF_INET6
		s = socket.socket(family, socket.SOCK_STREAM,
		                  int(os.environ["TANDEM_PROTO"]))
		got = s.connect_ex((sys.argv[1], 80))
		print("connect:", errno.errorcode.get(got, got))
		sys.exit(got != getattr(errno, sys.argv[2]))
	END
}

ip -n "$r" route add unreachable 10.98.3.0/24
ip -n "$r" route add prohibit 10.98.4.0/24
ip -n "$r" -6 route add unreachable fd98:3::/64
ip -n "$r" -6 route add prohibit fd98:4::/64
# The router says nothing when a segment is too large, as behind a firewall that eats
# ICMP: full segments vanish, and only trying smaller ones helps (mtuprobe.c).
found_out() {
	is_tcp && why="Tandem's own counters" && return 4
	local holes probes
	holes=$(ctr "$a" MtuBlackHoles) probes=$(ctr "$a" MtuProbesOk)
	echo "MtuBlackHoles is $holes, MtuProbesOk $probes"
	[ "$holes" -gt "$holes_before" ] && [ "$probes" -gt "$probes_before" ]
}

# A probe is made of data that waits: the path must be slower than the program.
shape "$r" right delay 5ms rate 50mbit
ip -n "$r" rule add pref 1 iif lo blackhole
ip -n "$r" -6 rule add pref 1 iif lo blackhole
knob "$a" mtu_probing 1
knob "$b" mtu_probing 1
for way in v4 v6 mapped; do
	holes_before=0 probes_before=0
	is_tcp || holes_before=$(ctr "$a" MtuBlackHoles)
	is_tcp || probes_before=$(ctr "$a" MtuProbesOk)
	ip -n "$a" route flush cache
	ip -n "$a" -6 route flush cache
	check "black_hole_transfer.$way" transfer_between "$b" "$a" "$(far $way)" \
		$way --bytes 4000000 --seed 9 --timeout 60
	check "black_hole_found.$way" found_out
done
ip -n "$r" rule del pref 1
ip -n "$r" -6 rule del pref 1

check router_unreachable.v4 refused 10.98.3.1 EHOSTUNREACH v4
check router_prohibits.v4 refused 10.98.4.1 EHOSTUNREACH v4
check router_knows_no_way.v4 refused 10.98.5.1 ENETUNREACH v4
check router_unreachable.v6 refused fd98:3::1 ENETUNREACH v6
check router_prohibits.v6 refused fd98:4::1 EACCES v6
check router_knows_no_way.v6 refused fd98:5::1 ENETUNREACH v6
finish
