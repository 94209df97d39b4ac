#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# The udp wire (encap.c): the same connections in UDP datagrams; many segments in one piece
# (offload.sh has that over all kinds of devices); through a NAT that changes its mind; and
# what a closed tunnel or port says.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
#
#   +---------------+       +------------------+       +---------------+
#   | a 10.97.1.1 v |-------| left  NAT  right |-------| v 10.97.2.2 b |
#   |   fd97:1::1   |       |  10.97.2.254     |       |   fd97:2::2   |
#   +---------------+       +------------------+       +---------------+
#
# Usage: udpwire.sh [v4|v6...]
. "$(dirname "$0")/common.sh"

is_tcp && skip_all "TCP has one wire"
ways=(v4 v6)
[ $# -eq 0 ] || ways=("$@")
links=(clean bad small)
[[ " ${ways[*]} " != *" v4 "* ]] || mapped=1
plan $((${#ways[@]} * (${#links[@]} * 5 + 3 + 4 + 4) + ${mapped:-0} + 1))
server_env=(TANDEM_WIRE=udp) client_env=(TANDEM_WIRE=udp)

bad() { shape "$1" v delay 3ms 1ms loss 2% duplicate 1% reorder 5% rate 100mbit; }
small() { ip -n "$1" link set v mtu 1280; }
clean() { :; }

captured() { [ "$(stat -c %s "$capture_file")" -gt "$1" ]; }

# Every packet of that link was UDP, none was longer than the link's MTU.
only_udp() {
	ip netns exec "$a" env --default-signal=INT tcpdump --immediate-mode -U -n \
		-s 120 -i v -w "$work/udp.pcap" "not icmp6 and not ip6 proto 0" 2>"$work/udp.err" &
	capture_pid=$! capture_file=$work/udp.pcap
	children+=("$capture_pid")
	until_true 30 grep -q listening "$work/udp.err" || return 1
	transfer_between "$b" "$a" "$(addr_of "$1" 2)" "$1" --bytes 100000 || return 1
	# On a busy machine tcpdump may not have begun to read yet.
	until_true 30 captured 10000
	until_true 30 capture_rests
	kill -INT "$capture_pid"
	wait "$capture_pid"
	tcpdump -n -r "$work/udp.pcap" 2>/dev/null >"$work/udp.txt"
	grep -c . "$work/udp.txt"
	[ "$(grep -c . "$work/udp.txt")" -gt 100 ] &&
	! grep -v ARP "$work/udp.txt" | grep -v "UDP, length"
}

# The abort's, and those that late duplicates on a bad link get, which harm nobody.
one_reset() {
	local sent strays
	sent=$(ctr "$a" OutRsts) strays=$(ctr "$a" InNoSock)
	echo "$sent resets sent, $strays strays came"
	[ $link = bad ] || [ "$strays" -eq 0 ] || return 1
	[ "$sent" -ge 1 ] && [ "$sent" -le $((1 + strays)) ]
}

connect_errno() { # WAY ERRNO
	in_space "$a" "$PYTHON" - "$(addr_of "$1" 2)" "$2" <<-'END'
		import errno, socket, sys
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		s = socket.socket(family, socket.SOCK_STREAM, 254)
		s.setsockopt(254, 1001, 2)
		got = s.connect_ex((sys.argv[1], 80))
		print("connect:", errno.errorcode.get(got, got))
		sys.exit(got != getattr(errno, sys.argv[2]))
	END
}

for way in "${ways[@]}"; do
	for link in "${links[@]}"; do
		pair
		$link "$a" && $link "$b"
		knob "$a" udp_port 5254
		knob "$b" udp_port 5254
		what=$link.$way
		check "udpwire_bulk.$what" transfer_between "$b" "$a" \
			"$(addr_of "$way" 2)" "$way" --bytes 1500000 --timeout 90
		check "udpwire_echo.$what" transfer_between "$b" "$a" \
			"$(addr_of "$way" 2)" "$way" --echo 100 --timeout 90
		check "udpwire_half_close.$what" ends half_close "$way"
		check "udpwire_abort.$what" ends abort "$way"
		check "udpwire_one_reset.$what" one_reset
		[ $link != clean ] || check "udpwire_only_udp.$way" only_udp "$way"
		[ $link = clean ] || { drop "$a" "$b"; continue; }
		# Nobody listens on the UDP port there; then none is open here.
		knob "$b" udp_port 0
		check "udpwire_port_unreachable.$way" connect_errno "$way" ECONNREFUSED
		knob "$a" udp_port 0
		check "udpwire_closed.$way" connect_errno "$way" ENETUNREACH
		drop "$a" "$b"
	done
done

# ---- many in one piece ----

# features NS DEV [FEATURE...]: all offloads on, but for these
features() {
	local ns=$1 dev=$2
	shift 2
	in_space "$ns" ethtool -K "$dev" tx on sg on tso on gso on gro on >/dev/null 2>&1
	[ $# -eq 0 ] || in_space "$ns" ethtool -K "$dev" "$@" >/dev/null 2>&1
	ip -n "$ns" link set "$dev" gso_max_segs 65535
}

bulk() { # WAY BYTES
	transfer_between "$b" "$a" "$(addr_of "$1" 2)" "$1" --bytes "$2" --timeout 60
}

# grew NS COUNTER BEFORE
grew() { echo $(($(ctr "$1" "$2") - $3)); }

# The device carries a piece as one packet, and it arrives as one.
whole() { # WAY
	local segs skbs
	segs=$(ctr "$a" OutSegs) skbs=$(packets "$a" v tx)
	bulk "$1" 1000000 || return 1
	segs=$(grew "$a" OutSegs "$segs") skbs=$(($(packets "$a" v tx) - skbs))
	echo "$segs segments in $skbs packets; $(ctr "$a" GsoCut) cut"
	[ $((skbs * 3)) -lt "$segs" ] && [ "$(ctr "$a" GsoCut)" -eq 0 ]
}

# Cut in front of the device, and most of it joined behind.
joined() { # WAY
	local cut segs joined
	cut=$(ctr "$a" GsoCut) segs=$(ctr "$b" InDataSegs) joined=$(ctr "$b" GroJoined)
	bulk "$1" 1000000 || return 1
	cut=$(grew "$a" GsoCut "$cut") segs=$(grew "$b" InDataSegs "$segs")
	joined=$(grew "$b" GroJoined "$joined")
	echo "of $segs segments with data $cut were cut, $joined joined"
	[ $((cut * 3)) -gt $((segs * 2)) ] && [ $((joined * 2)) -gt "$segs" ]
}

joined_more() { [ "$(ctr "$b" GroJoined)" -gt "$1" ] || ! kill -0 "$2" 2>/dev/null; }

# The tunnel of one end closes again and again while GRO holds packets for it, and opens
# again: the connection goes on, and nothing is waited for that does not come.
reopened() { # WAY
	local pid start times=0 longest=0
	# They are held till the next packet, or so long.
	ip netns exec "$b" sh -c 'echo 20000000 >/sys/class/net/v/gro_flush_timeout'
	bulk "$1" 40000000 &
	pid=$!
	while [ $times -lt 4 ] &&
	      until_true 30 joined_more $(($(ctr "$b" GroJoined) + 300)) $pid &&
	      kill -0 $pid 2>/dev/null; do
		start=$SECONDS
		knob "$b" udp_port 0 && knob "$b" udp_port 5254
		[ $((SECONDS - start)) -le $longest ] || longest=$((SECONDS - start))
		times=$((times + 1))
	done
	wait $pid || return 1
	echo "closed $times times, one took $longest s at most"
	[ $longest -le 4 ] && [ $times -ge 1 ]
}

for way in "${ways[@]}"; do
	pair
	features "$a" v && features "$b" v
	knob "$a" udp_port 5254
	knob "$b" udp_port 5254
	check "udpwire_whole.$way" whole "$way"
	features "$a" v tso off && features "$b" v tso off
	check "udpwire_joined.$way" joined "$way"
	# IPv4 out of a socket of IPv6.
	[ "$way" = v6 ] || check "udpwire_joined_mapped" joined mapped
	check "udpwire_reopened.$way" reopened "$way"
	drop "$a" "$b"
done

# ---- through a NAT ----
space a
space r
space b
link "$a" v "$r" left
link "$r" right "$b" v
address "$a" v 10.97.1.1/24 fd97:1::1/64
address "$r" left 10.97.1.254/24 fd97:1::fe/64
address "$r" right 10.97.2.254/24 fd97:2::fe/64
address "$b" v 10.97.2.2/24 fd97:2::2/64
ip -n "$a" route add default via 10.97.1.254
ip -n "$a" -6 route add default via fd97:1::fe
in_space "$r" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# Addresses stay when the link goes down.
in_space "$r" sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1
knob "$a" udp_port 5254
knob "$b" udp_port 5254
addr_of() { [ "$1" = v4 ] && echo 10.97.2.2 || echo fd97:2::2; }

masquerade() { # WAY PORT: what the NAT makes of ours from now on
	local t=ip
	[ "$1" = v4 ] || t=ip6
	in_space "$r" nft "flush ruleset; add table $t t; \
		add chain $t t post { type nat hook postrouting priority 100; }; \
		add rule $t t post oifname right udp dport 5254 masquerade to :$2"
}

talk() { # WAY
	local pid rc
	rm -f "$work/half" "$work/go"
	client_env=(TANDEM_WIRE=udp "TANDEM_HALF=$work/half" "TANDEM_GO=$work/go")
	ends rebind "$1" &
	pid=$!
	until_true 60 test -e "$work/half" || return 1
	# The device's way down ends the mappings that went by it.
	masquerade "$1" 7002 && ip -n "$r" link set right down && ip -n "$r" link set right up
	: >"$work/go"
	wait "$pid"
	rc=$?
	return $rc
}

# What came to b came from the NAT's address and port, and not from the client's.
seen_masked() { # WAY
	local nat=10.97.2.254.7002 own=10.97.1.1
	[ "$1" = v4 ] || nat=fd97:2::fe.7002 own=fd97:1::1
	tcpdump -n -r "$work/nat.pcap" "udp dst port 5254" 2>/dev/null >"$work/nat.txt"
	grep -c "> $(addr_of "$1").5254" "$work/nat.txt"
	grep -qF "$nat > " "$work/nat.txt" && ! grep -qF " $own." "$work/nat.txt"
}

capture_b() {
	ip netns exec "$b" env --default-signal=INT tcpdump --immediate-mode -U -n \
		-s 120 -i v -w "$work/nat.pcap" udp 2>"$work/nat.err" &
	capture_pid=$! capture_file=$work/nat.pcap
	children+=("$capture_pid")
	until_true 30 grep -q listening "$work/nat.err"
}

capture_ends() {
	until_true 30 capture_rests
	kill -INT "$capture_pid"
	wait "$capture_pid"
}

# Pieces pass the NAT whole, which changes one header, and are cut behind it by software.
nat_pieces() { # WAY
	local cut joined bad
	cut=$(ctr "$r" GsoCut) joined=$(ctr "$b" GroJoined) bad=$(udp_bad_sums "$b")
	capture_b
	transfer_between "$b" "$a" "$(addr_of "$1")" "$1" --bytes 1000000 --timeout 60 || return 1
	capture_ends
	cut=$(grew "$r" GsoCut "$cut") joined=$(grew "$b" GroJoined "$joined")
	bad=$(($(udp_bad_sums "$b") - bad))
	echo "$cut cut by the NAT, $joined joined, $bad bad checksums"
	[ $cut -gt 300 ] && [ $joined -gt 300 ] && [ $bad -eq 0 ] && seen_masked "$1"
}

for way in "${ways[@]}"; do
	client_env=(TANDEM_WIRE=udp)
	if masquerade "$way" 7001 2>"$work/nft.err"; then
		before=$(ctr "$b" UdpRebinds)
		check "udpwire_nat.$way" ends half_close "$way"
		capture_b
		check "udpwire_nat_rebinds.$way" talk "$way"
		capture_ends
		check "udpwire_followed.$way" test "$(ctr "$b" UdpRebinds)" -gt "$before"
		check "udpwire_nat_hides.$way" seen_masked "$way"
		features "$a" v && features "$r" left && features "$b" v
		features "$r" right tx off
		client_env=(TANDEM_WIRE=udp)
		masquerade "$way" 7002
		check "udpwire_nat_pieces.$way" nat_pieces "$way"
	else
		for name in udpwire_nat udpwire_nat_rebinds udpwire_followed udpwire_nat_hides \
			udpwire_nat_pieces; do
			why="no NAT by nft here: $(head -n1 "$work/nft.err")"
			result 4 "$name.$way"
		done
	fi
done

# What GRO held when a tunnel closed is not waited for when the module goes.
unloads() {
	local start=$SECONDS said
	said=$(rmmod tandem 2>&1) || {
		why="not now: $said"
		return 4
	}
	echo "it took $((SECONDS - start)) s"
	[ $((SECONDS - start)) -le 4 ]
}
drop "$a" "$r" "$b"
check "udpwire_unloads" unloads
finish
