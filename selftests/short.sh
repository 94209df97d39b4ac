#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# Thrift in short exchanges (thrift.c, fastopen.c): segments per connect, request,
# response, close, counted where they arrive, at the first visit, later, and with
# data in the SYN.
#
#   a (10.99.0.1, fd99::1), client ----- veth ----- b (10.99.0.2, fd99::2), server
. "$(dirname "$0")/common.sh"

ways=(v4 v6)

# fresh: two namespaces that know nothing yet
fresh() {
	[ -z "${a:-}" ] || ip netns del "$a"
	[ -z "${b:-}" ] || ip netns del "$b"
	pair
}

# arrived: segments that arrived at both ends so far
tcp_in() {
	in_space "$1" awk '$1 == "Tcp:" { n++; if (n == 2) print $11 }' /proc/net/snmp
}
arrived() {
	if is_tcp; then
		echo $(($(tcp_in "$a") + $(tcp_in "$b")))
	else
		echo $(($(ctr "$a" InSegs) + $(ctr "$b" InSegs)))
	fi
}

# exchange WAY OPTIONS...: server in b, client in a; segments in $segs
exchange() {
	local way=$1 addr before pid rc
	shift
	addr=$(addr_of "$way" 2)
	rm -f "$work/port"
	before=$(arrived)
	ip netns exec "$b" env "${server_env[@]}" "$PYTHON" "$here/short.py" \
		server "$addr" "$work/port" "$@" &
	pid=$!
	children+=("$pid")
	until_true 20 test -s "$work/port" || return 1
	in_space "$a" env "${client_env[@]}" "$PYTHON" "$here/short.py" \
		client "$addr" "$(cat "$work/port")" "$@"
	rc=$?
	wait "$pid" || rc=1
	# The last ACK may still be under way.
	read -rt 0.3 <> <(:)
	segs=$(($(arrived) - before))
	echo "$segs segments: $*"
	echo "a: $(counters "$a")"
	echo "b: $(counters "$b")"
	return $rc
}

# at_most N WAY OPTIONS...
at_most() {
	local most=$1
	shift
	exchange "$@" && [ "$segs" -le "$most" ]
}

# Each of ten, by counters: nothing was saved by chance.
each_saved() { # WAY
	local third rides acks
	third=$(ctr "$a" ThirdAckRides) rides=$(ctr "$b" FinRides) acks=$(ctr "$a" FinAckRides)
	exchange "$1" --n 10 --ask 1000 --answer 1000 || return 1
	[ "$segs" -eq 60 ] || return 1
	[ $(($(ctr "$a" ThirdAckRides) - third)) -eq 10 ] &&
	[ $(($(ctr "$b" FinRides) - rides)) -eq 10 ] &&
	[ $(($(ctr "$a" FinAckRides) - acks)) -eq 10 ]
}

# A client that has nothing to say completes the handshake before the server's SYN-ACK
# goes again, and waits no longer for it than the bound.
server_first() { # WAY
	local again
	again=$(ctr "$b" SynAckRetrans)
	exchange "$1" --n 3 --first --answer 100 || return 1
	[ "$(ctr "$b" SynAckRetrans)" -eq "$again" ]
}

# A server that keeps its connections soon stops to hold its answers.
habit() { # WAY
	local vain holds
	exchange "$1" --n 1 --keep 50 --ask 100 --answer 100 || return 1
	vain=$(ctr "$b" FinHoldsInVain)
	[ "$vain" -ge 1 ] && [ "$vain" -le 4 ] || return 1
	holds=$(ctr "$b" FinHolds)
	[ $((holds - vain)) -le 20 ]
}

# With every saving off it takes as many as TCP, or we counted something else.
spent() { # WAY
	knob "$a" third_ack_delay 0
	knob "$b" fin_hold_us 0
	exchange "$1" --n 10 || return 1
	[ "$segs" -ge 80 ]
}

if is_tcp; then
	plan $((${#ways[@]} * 2))
	for way in "${ways[@]}"; do
		fresh
		check "first_visit.$way" exchange "$way" --ask 100 --answer 1000
		sed 's/^/# /' "$work/log"
		check "ten_visits.$way" exchange "$way" --n 10
		sed 's/^/# /' "$work/log"
	done
	finish
fi

plan $((${#ways[@]} * 8))
for way in "${ways[@]}"; do
	fresh
	check "first_visit.$way" at_most 6 "$way" --ask 100 --answer 1000
	check "ten_visits.$way" each_saved "$way"
	check "client_closes.$way" at_most 35 "$way" --n 5 --client-closes
	check "slow_server.$way" at_most 40 "$way" --n 5 --pause 100
	check "server_first.$way" server_first "$way"
	check "big_answer.$way" exchange "$way" --n 5 --answer 200000
	fresh
	check "habit.$way" habit "$way"
	check "nothing_saved.$way" spent "$way"
done
finish
