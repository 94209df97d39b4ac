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
[ $# -eq 0 ] || ways=("$@")

# fresh: two namespaces that know nothing yet
fresh() {
	[ -z "${a:-}" ] || drop "$a" "$b"
	pair
}

# exchange WAY OPTIONS...: client in a, server in b; segments that arrived in $segs
exchange() {
	local way=$1 rc
	shift
	set_env_flags
	"$PYTHON" "$here/short.py" "$a" "$b" "$(addr_of "$way" 2)" \
		"${env_flags[@]}" "$@" >"$work/exchange"
	rc=$?
	cat "$work/exchange"
	segs=$(sed -n 's/^segments //p' "$work/exchange")
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

# Data in the SYN: the first visit gets the cookie, the others need it. MOST segments
# for ten of these.
fast_open() { # MOST WAY
	local active passive
	exchange "$2" --fastopen || return 1
	[ "$(ctr "$b" FastOpenCookieReqd)" -ge 1 ] || return 1
	active=$(ctr "$a" FastOpenActive) passive=$(ctr "$b" FastOpenPassive)
	exchange "$2" --n 10 --fastopen || return 1
	[ "$segs" -le "$1" ] &&
	[ $(($(ctr "$a" FastOpenActive) - active)) -eq 10 ] &&
	[ $(($(ctr "$b" FastOpenPassive) - passive)) -eq 10 ]
}

# A request that does not fit into the SYN is not kept waiting for the SYN-ACK.
fast_open_big() { # WAY
	exchange "$1" --n 3 --fastopen --ask 20000 --answer 20000
}

# Nobody asked the server: data in the SYN is not taken, and sent again.
fast_open_off() { # WAY
	local was
	was=$(ctr "$b" FastOpenPassive)
	knob "$b" fastopen 1
	exchange "$1" --n 3 --fastopen || return 1
	[ "$(ctr "$b" FastOpenPassive)" -eq "$was" ] &&
	[ "$(ctr "$a" FastOpenActiveFail)" -ge 3 ] || return 1
	knob "$b" fastopen 3
}

# The kernel's TCP at one end.
fast_open_tcp() { # ROLE-OF-TANDEM WAY
	local tcp=$b mine=$a rc was count=FastOpenActive
	client_env=(TANDEM_WIRE=tcp) server_env=(TANDEM_PROTO=6)
	if [ "$1" = server ]; then
		tcp=$a mine=$b count=FastOpenPassive
		client_env=(TANDEM_PROTO=6) server_env=(TANDEM_WIRE=tcp)
	fi
	in_space "$tcp" sysctl -qw net.ipv4.tcp_fastopen=3
	exchange "$2" --fastopen
	was=$(ctr "$mine" $count)
	exchange "$2" --n 5 --fastopen
	rc=$?
	in_space "$tcp" cat /proc/net/netstat | awk '$1 == "TcpExt:" && !n { n = split($0, k) }
		$1 == "TcpExt:" { split($0, v) }
		END { for (i = 2; i <= n; i++) if (k[i] ~ /FastOpen/) print k[i], v[i] }'
	client_env=() server_env=()
	[ $rc -eq 0 ] && [ $(($(ctr "$mine" $count) - was)) -eq 5 ]
}

# As it comes the tcp wire saves nothing that a TCP would not: its peer is one.
thrifty() { # WIRE
	[ "$1" = tcp ] || return 0
	knob "$a" tcp_wire_thrift 1
	knob "$b" tcp_wire_thrift 1
}

fast_open_wire() { # WIRE MOST WAY
	local rc
	thrifty "$1"
	client_env=("TANDEM_WIRE=$1") server_env=("TANDEM_WIRE=$1")
	fast_open "$2" "$3"
	rc=$?
	client_env=() server_env=()
	return $rc
}

first_visit_wire() { # WIRE WAY
	local rc
	thrifty "$1"
	client_env=("TANDEM_WIRE=$1") server_env=("TANDEM_WIRE=$1")
	at_most 6 "$2" --ask 1000
	rc=$?
	client_env=() server_env=()
	return $rc
}

# A second transfer on a path begins where the first one was. The sender is paced by fq,
# so the delay is on the other side.
resumed() { # WAY
	local t0 t1 t2
	shape "$b" v delay 50ms
	tc -n "$a" qdisc replace dev v root fq flow_limit 10000 limit 20000
	knob "$b" rmem "4096 4000000 6291456"
	knob "$a" wmem "4096 4000000 4194304"
	t0=$(date +%s%N)
	exchange "$1" --ask 1500000 --answer 10 || return 1
	t1=$(date +%s%N)
	[ "$(ctr "$a" Resumes)" -eq 0 ] || return 1
	exchange "$1" --ask 1500000 --answer 10 || return 1
	t2=$(date +%s%N)
	echo "the first took $(((t1 - t0) / 1000000)) ms, the second $(((t2 - t1) / 1000000))"
	in_space "$a" cat /proc/net/tandem/paths
	[ "$(ctr "$a" Resumes)" -eq 1 ] && [ "$(ctr "$a" ResumesValidated)" -eq 1 ] &&
	[ "$(ctr "$a" ResumeRetreats)" -eq 0 ] && [ $(((t2 - t1) + 80000000)) -lt $((t1 - t0)) ]
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

plan $((${#ways[@]} * 16))
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
	fresh
	check "fast_open.$way" fast_open 40 "$way"
	check "fast_open_big.$way" fast_open_big "$way"
	check "fast_open_off.$way" fast_open_off "$way"
	check "first_visit_tcp_wire.$way" first_visit_wire tcp "$way"
	check "fast_open_tcp_wire.$way" fast_open_wire tcp 50 "$way"
	fresh
	check "fast_open_to_tcp.$way" fast_open_tcp client "$way"
	check "fast_open_of_tcp.$way" fast_open_tcp server "$way"
	fresh
	check "resumed.$way" resumed "$way"
	fresh
	check "nothing_saved.$way" spent "$way"
done
finish
