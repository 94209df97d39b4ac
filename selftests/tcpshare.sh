#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154,SC2317 # variables and functions of common.sh
#
# The tcp wire among others (tcpwire.c, tcpport.c): the kernel's own TCP busy on the
# same hosts, firewalls in front, NAT on the way.  Neither stack may answer for the
# other's connections, and whoever looks at packets sees TCP.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
#
#   +-----------+      +-----------------------+      +-----------+
#   | a .1.1  v |------| left  firewall  right |------| v  .2.2 b |   10.98.x, fd98:x::
#   +-----------+      +-----------------------+      +-----------+
#
# Usage: tcpshare.sh [v4|v6...]
. "$(dirname "$0")/common.sh"

is_tcp && skip_all "TCP has one wire"
ways=(v4 v6)
[ $# -eq 0 ] || ways=("$@")
plan $((${#ways[@]} * (2 * 3 + 8)))

# ---- both stacks at once ----

tcp_ctr() { # NS NAME [TCP-EXT]: a counter of the kernel's TCP
	in_space "$1" awk -v name="$2" -v row="${3:-Tcp:}" '
		$1 == row && !n { n = split($0, key); next }
		$1 == row { split($0, value) }
		END { for (i = 1; i <= n; i++) if (key[i] == name) print value[i] }' \
		/proc/net/snmp /proc/net/netstat
}

# crowd SERVER-WIRE CLIENT-WIRE FROM TO ADDR WAY: many connections of one kind; "" is
# the kernel's TCP
crowd() {
	local env_s=TANDEM_PROTO=6 env_c=TANDEM_PROTO=6
	[ -z "$1" ] || env_s=TANDEM_WIRE=$1
	[ -z "$2" ] || env_c=TANDEM_WIRE=$2
	"$BIN/transfer" "--$6" --streams 40 --bytes 150000 --timeout 150 \
		--server-env "$env_s" --client-env "$env_c" --between "$3" "$4" "$5"
}

# Every pairing of the two stacks, in both directions, at the same time: 240
# connections that all have an IP pair and ports of one range in common.
all_at_once() {
	local pids=() pid rc=0 s c
	for pair in "tcp " " tcp" "tcp tcp" " "; do
		s=${pair%% *} c=${pair#* }
		crowd "$s" "$c" "$a" "$b" "$(addr_of "$1" 2)" "$1" &
		pids+=($!)
	done
	for pair in "tcp " " tcp"; do
		s=${pair%% *} c=${pair#* }
		crowd "$s" "$c" "$b" "$a" "$(addr_of "$1" 1)" "$1" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || rc=1
	done
	return $rc
}

# No connection was reset, and nobody sent a reset or met a stray. What was sent again, as a
# starved machine makes both stacks do, may come after the connection has ended.
undisturbed() {
	local ns bad=0 strays=0 again=0 name
	for ns in "$a" "$b"; do
		for name in EstabResets AttemptFails; do
			echo "$ns TCP $name $(tcp_ctr "$ns" $name), Tandem $(ctr "$ns" $name)"
			[ "$(tcp_ctr "$ns" $name)" = 0 ] && [ "$(ctr "$ns" $name)" = 0 ] || bad=1
		done
		again=$((again + $(tcp_ctr "$ns" RetransSegs) + $(ctr "$ns" RetransSegs)))
		strays=$((strays + $(tcp_ctr "$ns" OutRsts) + $(ctr "$ns" OutRsts) +
			$(ctr "$ns" InNoSock)))
	done
	echo "$strays resets and strays, $again segments sent again"
	[ $strays -le $again ] || bad=1
	return $bad
}

# On a bad link late duplicates may meet what is closed; no connection suffers.
none_reset() {
	local ns bad=0
	for ns in "$a" "$b"; do
		[ "$(tcp_ctr "$ns" EstabResets)" = 0 ] &&
		[ "$(ctr "$ns" EstabResets)" = 0 ] || bad=1
		echo "$ns: TCP $(tcp_ctr "$ns" EstabResets), Tandem: $(counters "$ns")"
	done
	return $bad
}

both_busy() { # at the end both stacks had their share
	echo "Tandem: a $(ctr "$a" ActiveOpens) opened, b $(ctr "$b" PassiveOpens) taken"
	echo "TCP: a $(tcp_ctr "$a" ActiveOpens) opened, b $(tcp_ctr "$b" PassiveOpens) taken"
	[ "$(ctr "$a" ActiveOpens)" = 80 ] && [ "$(ctr "$b" PassiveOpens)" = 80 ] &&
	[ "$(tcp_ctr "$a" ActiveOpens)" = 80 ] && [ "$(tcp_ctr "$b" PassiveOpens)" = 80 ]
}

bad() { shape "$1" v delay 3ms 1ms loss 1% duplicate 1% reorder 5% rate 200mbit; }
clean() { :; }

for way in "${ways[@]}"; do
	for link in clean bad; do
		pair
		$link "$a" && $link "$b"
		# A SYN may be lost more than once.
		check "tcpshare_crowds.$link.$way" all_at_once "$way"
		check "tcpshare_shares.$link.$way" both_busy
		judge=none_reset
		[ $link = bad ] || judge=undisturbed
		check "tcpshare_resets.$link.$way" $judge
		drop "$a" "$b"
	done
done

# ---- firewalls and NAT ----

space a
space r
space b
link "$a" v "$r" left
link "$r" right "$b" v
address "$a" v 10.98.1.1/24 fd98:1::1/64
address "$r" left 10.98.1.2/24 fd98:1::2/64
address "$r" right 10.98.2.1/24 fd98:2::1/64
address "$b" v 10.98.2.2/24 fd98:2::2/64
in_space "$r" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$a" route add default via 10.98.1.2
ip -n "$a" -6 route add default via fd98:1::2
ip -n "$b" route add default via 10.98.2.1
ip -n "$b" -6 route add default via fd98:2::1
addr_of() {
	case $1.$2 in
	v6.1) echo fd98:1::1 ;;
	v6.2) echo fd98:2::2 ;;
	*.1) echo 10.98.1.1 ;;
	*) echo 10.98.2.2 ;;
	esac
}

# Only TCP goes through, only what belongs to a connection that was opened properly.
stateful='chain CHAIN { type filter hook HOOK priority 0; policy drop;
	meta l4proto icmpv6 accept
	iif lo accept
	ct state invalid counter drop
	ct state established,related counter accept
	meta l4proto tcp ct state new tcp flags syn / fin,syn,rst,ack counter accept
	counter; }'
firewall() { # NS HOOK...
	local ns=$1 hook rules="flush ruleset; table inet t {"
	shift
	for hook; do
		rules+=" $(echo "$stateful" | sed "s/CHAIN/$hook/; s/HOOK/$hook/")"$'\n'
	done
	in_space "$ns" nft "$rules; }"
}

roles() { # WAY COMMAND...: with Tandem at either end, and at both
	local way=$1
	shift
	server_env=(TANDEM_PROTO=6) client_env=(TANDEM_WIRE=tcp)
	"$@" || return 1
	server_env=(TANDEM_WIRE=tcp) client_env=(TANDEM_PROTO=6)
	"$@" || return 1
	client_env=(TANDEM_WIRE=tcp)
	"$@"
}

moves() { # WAY
	roles "$1" transfer_between "$b" "$a" "$(addr_of "$1" 2)" "$1" --bytes 500000 \
		--timeout 60 &&
	roles "$1" ends half_close "$1"
}

# Conntrack saw each connection come and go, and found nothing invalid.
orderly() {
	local ns n
	for ns in "$r" "$a" "$b"; do
		in_space "$ns" nft list ruleset | grep counter
		n=$(in_space "$ns" nft list ruleset | sed -n \
			's/.*ct state invalid counter packets \([0-9]*\) .*/\1/p' |
			awk '{ n += $1 } END { print n + 0 }')
		echo "$ns: $n invalid"
		[ "$n" = 0 ] || return 1
	done
	n=$(in_space "$r" nft list ruleset | sed -n \
		's/.*ct state new.*counter packets \([0-9]*\) .*/\1/p')
	echo "$n connections through the router"
	[ "$n" = 6 ]
}

# refused WAY ERRNO: connect from a to b's port 4711; none: it works
refused() {
	in_space "$a" env TANDEM_WIRE=tcp "$PYTHON" - "$(addr_of "$1" 2)" "$2" <<-'END'
		import errno, socket, sys
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		s = socket.socket(family, socket.SOCK_STREAM, 254)
		s.setsockopt(254, 1001, 1)
		s.setsockopt(6, socket.TCP_SYNCNT, 1)
		got = s.connect_ex((sys.argv[1], 4711))
		print("connect:", errno.errorcode.get(got, got))
		sys.exit(got != getattr(errno, sys.argv[2], 0))
	END
}

# A listener of ours on b, port 4711, for as long as a command takes.
with_listener() { # WAY COMMAND...
	local way=$1 pid rc
	shift
	ip netns exec "$b" "$PYTHON" - "$(addr_of "$way" 2)" "$work/there" <<-'END' &
		import socket, sys, time
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		s = socket.socket(family, socket.SOCK_STREAM, 254)
		s.setsockopt(254, 1001, 1)
		s.setsockopt(1, socket.SO_REUSEADDR, 1)
		s.bind((sys.argv[1], 4711))
		s.listen(4)
		open(sys.argv[2], "w").close()
		while True:
		    c, _ = s.accept()
		    c.sendall(c.recv(100))
		    c.close()
	END
	pid=$!
	until_true 20 test -e "$work/there" || return 1
	"$@"
	rc=$?
	kill $pid
	wait $pid 2>/dev/null
	rm -f "$work/there"
	return $rc
}

firewalled() { # WAY RULE ERRNO: b's own input chain says RULE
	local fam=ip
	[ "$1" = v4 ] || fam=ip6
	in_space "$b" nft "flush ruleset; table $fam t { chain in { type filter hook input \
		priority 0; tcp dport 4711 $2; }; }"
	with_listener "$1" refused "$1" "$3"
}

# An echo through what is in between.
echoed() { # ADDR PORT tandem|tcp
	in_space "$a" "$PYTHON" - "$@" <<-'END'
		import socket, sys
		addr, port, tandem = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "tandem"
		family = socket.AF_INET6 if ":" in addr else socket.AF_INET
		s = socket.socket(family, socket.SOCK_STREAM, 254 if tandem else 6)
		if tandem:
		    s.setsockopt(254, 1001, 1)
		s.settimeout(20)
		s.connect((addr, port))
		s.sendall(b"through the NAT")
		sys.exit(s.recv(100) != b"through the NAT" or s.recv(1) != b"")
	END
}

translated() { # WAY: the router turns port 80 of its own into 4711 of b's, and hides a
	local fam=ip to=10.98.2.2 me=10.98.1.2
	[ "$1" = v4 ] || { fam=ip6 to="[fd98:2::2]" me=fd98:1::2; }
	in_space "$r" nft "flush ruleset; table $fam t {
		chain pre { type nat hook prerouting priority -100;
			iifname left tcp dport 80 dnat to $to:4711; };
		chain post { type nat hook postrouting priority 100;
			oifname right masquerade; }; }"
	with_listener "$1" both_ask "$me" 80
}
redirected() { # WAY: b's own firewall turns port 80 into 4711
	local fam=ip
	[ "$1" = v4 ] || fam=ip6
	in_space "$b" nft "flush ruleset; table $fam t { chain pre { type nat hook \
		prerouting priority -100; tcp dport 80 redirect to :4711; }; }"
	with_listener "$1" both_ask "$(addr_of "$1" 2)" 80
}
both_ask() { echoed "$1" "$2" tandem && echoed "$1" "$2" tcp; }

# What tcpdump says of it is what it says of TCP, checksums included.
seen() { # WAY
	ip netns exec "$r" env --default-signal=INT tcpdump --immediate-mode -U -n -vv \
		-i left -w "$work/seen.pcap" tcp 2>"$work/seen.err" &
	capture_pid=$! capture_file=$work/seen.pcap
	children+=("$capture_pid")
	until_true 30 grep -q listening "$work/seen.err" || return 1
	roles "$1" transfer_between "$b" "$a" "$(addr_of "$1" 2)" "$1" --bytes 20000 ||
		return 1
	until_true 30 capture_rests
	kill -INT "$capture_pid"
	wait "$capture_pid"
	tcpdump -n -vv -r "$work/seen.pcap" 2>/dev/null >"$work/seen.txt"
	grep 'Flags \[[SFR]' "$work/seen.txt"
	[ "$(grep -c 'Flags \[S\].*mss.*wscale' "$work/seen.txt")" = 3 ] &&
	[ "$(grep -c 'Flags \[F' "$work/seen.txt")" -ge 6 ] &&
	[ "$(grep -c '(correct)' "$work/seen.txt")" -gt 60 ] &&
	! grep -n 'incorrect\|bad-\|Flags \[.*R' "$work/seen.txt"
}

unfiltered() { for ns in "$a" "$r" "$b"; do in_space "$ns" nft flush ruleset; done; }

if ! firewall "$r" forward 2>"$work/nft.err"; then
	for ((i = tests_run; i < ${#ways[@]} * (2 * 3 + 8); i++)); do
		why="no stateful nftables here: $(head -n1 "$work/nft.err")"
		result 4 tcpshare_firewall
	done
	finish
fi
for way in "${ways[@]}"; do
	firewall "$r" forward
	firewall "$a" input output
	firewall "$b" input output
	check "tcpshare_stateful.$way" moves "$way"
	check "tcpshare_conntrack.$way" orderly
	unfiltered
	check "tcpshare_seen.$way" seen "$way"
	check "tcpshare_dropped.$way" firewalled "$way" drop ETIMEDOUT
	check "tcpshare_rejected.$way" firewalled "$way" "reject with tcp reset" ECONNREFUSED
	check "tcpshare_passed.$way" firewalled "$way" accept none
	unfiltered
	check "tcpshare_translated.$way" translated "$way"
	unfiltered
	check "tcpshare_redirected.$way" redirected "$way"
	unfiltered
done
finish
