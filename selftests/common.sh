# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2317
#
# What the shell tests share: KTAP, namespaces with a cleanup, waits on
# conditions, counters, and the program that moves and compares bytes.
# Source it; then call plan N, tests, and finish.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=${TANDEM_BIN:-$here}
PYTHON=${PYTHON:-/usr/bin/python3}
export TANDEM_PROTO=${TANDEM_PROTO:-254} PYTHONDONTWRITEBYTECODE=1
export LC_ALL=C

tests_run=0 tests_bad=0 tests_skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/tandem.XXXXXX")
id=$$
spaces=() children=()

is_tcp() { [ "$TANDEM_PROTO" = 6 ]; }
# The knobs and counters exist once the module is there; a socket loads it.
is_tcp || [ -d /proc/sys/net/tandem ] ||
	"$BIN/transfer" --bytes 1 >/dev/null 2>&1

say() { echo "# $*"; }
virtual_time() { grep -q time-travel /proc/cmdline; }

plan() {
	echo "TAP version 13"
	echo "1..$1"
}

# result STATUS NAME: one line of KTAP; 4 is a skip
result() {
	local rc=$1 ok=ok skip=
	shift
	tests_run=$((tests_run + 1))
	case $rc in
	0) ;;
	4) skip=" # SKIP ${why:-}"; tests_skipped=$((tests_skipped + 1)) ;;
	*) ok="not ok"; tests_bad=$((tests_bad + 1)) ;;
	esac
	echo "$ok $tests_run $*$skip"
	why=
}

# For the log of a failure: what both ends counted.
tell() {
	local end
	for end in a b; do
		[ -z "${!end:-}" ] || [ ! -e "/run/netns/${!end}" ] ||
			echo "$end: $(counters "${!end}")"
	done
}

# check NAME COMMAND...: run it as one test; its output becomes comments
check() {
	local name=$1 rc
	shift
	"$@" >"$work/log" 2>&1
	rc=$?
	[ $rc -eq 0 ] || [ $rc -eq 4 ] || tell >>"$work/log" 2>&1
	[ $rc -eq 0 ] || sed 's/^/# /' "$work/log"
	result $rc "$name"
}

finish() {
	say "Totals: pass:$((tests_run - tests_bad - tests_skipped))" \
		"fail:$tests_bad skip:$tests_skipped"
	[ $tests_bad -eq 0 ] || exit 1
	[ "$tests_run" -gt "$tests_skipped" ] || exit 4
	exit 0
}

skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit 4
}

# ended NS: has nobody there a connection any more, but for TIME-WAIT?
ended() {
	[ -e "/run/netns/$1" ] && [ -d /sys/module/tandem ] || return 0
	in_space "$1" cat /proc/net/tandem/tandem /proc/net/tandem/tandem6 2>/dev/null |
		busybox awk '$4 ~ /^[0-9A-F][0-9A-F]$/ && $4 != "0A" && $4 != "06" { open = 1 }
			END { exit open }'
}

# drop NS...: these go, when what was closed there has ended: an orphan whose peer has
# vanished would try for another minute, and hold the module.
drop() {
	local ns
	for ns; do
		is_tcp || until_true 15 ended "$ns"
	done
	for ns; do
		ip netns del "$ns" 2>/dev/null
	done
}

cleanup() {
	local p ns
	for p in "${children[@]}"; do
		kill "$p" 2>/dev/null
	done
	for p in "${children[@]}"; do
		wait "$p" 2>/dev/null
	done
	drop "${spaces[@]}"
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# background COMMAND...: start it; cleanup ends it. Its pid is in $!.
background() {
	"$@" &
	children+=("$!")
}

# until_true SECONDS COMMAND...: wait for a condition
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.02 <> <(:) || :
	done
}

# space NAME: a namespace of this test's own; its real name is in $NAME
space() {
	local real="td$id-$1"
	ip netns add "$real"
	spaces+=("$real")
	ip -n "$real" link set lo up
	printf -v "$1" '%s' "$real"
	if is_tcp; then
		ip netns exec "$real" sysctl -qw net.ipv4.tcp_no_metrics_save=1
	fi
}

# in_space NS COMMAND...; not for the background: the function's own process
# would be killed instead of the command
# With /sys still that of the namespace we are in: ip netns exec mounts it anew, which takes
# longer than most of what is started here.
in_space() {
	local ns=$1
	shift
	busybox nsenter --net="/run/netns/$ns" "$@"
}

# link NS1 DEV1 NS2 DEV2: a veth pair, software checksums and whole segments
# on the wire, so that captures and netem see what a host would send
link() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	for side in "$1 $2" "$3 $4"; do
		# shellcheck disable=SC2086 # a namespace and a device
		set -- $side
		in_space "$1" ethtool -K "$2" tso off gso off gro off tx off \
			>/dev/null 2>&1
		ip -n "$1" link set "$2" gso_max_segs 1 2>/dev/null
		ip -n "$1" link set "$2" up
	done
}

# address NS DEV V4/LEN V6/LEN
address() {
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" addr add "$4" dev "$2" nodad
}

# pair: namespaces $a and $b with a link
#   $a: veth 10.99.0.1/24 fd99::1/64 --- $b: veth 10.99.0.2/24 fd99::2/64
pair() {
	space a
	space b
	# shellcheck disable=SC2154 # set by space()
	link "$a" v "$b" v
	address "$a" v 10.99.0.1/24 fd99::1/64
	address "$b" v 10.99.0.2/24 fd99::2/64
	# In virtual time a link without delay lets no time pass.
	if virtual_time; then
		shape "$a" v
		shape "$b" v
	fi
}

# shape NS DEV [NETEM...]: delay and rate for virtual time, and impairments
shape() {
	local ns=$1 dev=$2
	shift 2
	[ $# -gt 0 ] || set -- delay 1ms rate 1gbit
	case " $* " in
	*" loss "* | *" corrupt "*)
		# Three questions for an address, all of them lost, are no route to host.
		in_space "$ns" sysctl -qw "net.ipv4.neigh.$dev.mcast_solicit=20" \
			"net.ipv6.neigh.$dev.mcast_solicit=20" \
			"net.ipv4.neigh.$dev.ucast_solicit=20" \
			"net.ipv6.neigh.$dev.ucast_solicit=20"
		;;
	esac
	tc -n "$ns" qdisc replace dev "$dev" root netem limit 10000 "$@"
}

addr_of() { # addr_of v4|v6|mapped 1|2
	case $1 in
	v6) echo "fd99::$2" ;;
	*) echo "10.99.0.$2" ;;
	esac
}

# sysctl_of NS NAME VALUE: a knob of the protocol under test
knob() {
	if is_tcp; then
		in_space "$1" sysctl -qw "net.ipv4.tcp_$2=$3"
	else
		in_space "$1" sysctl -qw "net.tandem.$2=$3"
	fi
}

# ctr NS NAME: a counter of Tandem; over TCP of the nearest name
ctr() {
	if is_tcp; then
		echo 0
		return
	fi
	in_space "$1" busybox awk -v name="Tandem$2" '$1 == name { print $2 }' \
		/proc/net/tandem/snmp
}

# udp_bad_sums NS: datagrams that UDP found wrong
udp_bad_sums() {
	in_space "$1" awk '$1 == "Udp:" && !n { n = split($0, key) }
		$1 == "Udp:" { for (i = split($0, value); i; i--)
			if (key[i] == "InCsumErrors") sum = value[i] }
		$1 == "Udp6InCsumErrors" { sum += $2 }
		END { print sum + 0 }' /proc/net/snmp /proc/net/snmp6
}

# counters NS: those that are not zero, on one line; for the log of a failure
counters() {
	is_tcp && return
	in_space "$1" busybox awk '$2 { sub("^Tandem", "", $1); printf "%s %s, ", $1, $2 }
		END { print "" }' /proc/net/tandem/snmp
}

# device packets: packets NS DEV rx|tx
packets() {
	ip netns exec "$1" cat "/sys/class/net/$2/statistics/${3}_packets"
}

# server_env and client_env may say what is different for one of the ends of what
# follows: TANDEM_PROTO=6. As options of the programs that are both ends: $env_flags.
server_env=() client_env=()
set_env_flags() {
	local e
	env_flags=()
	for e in "${server_env[@]}"; do env_flags+=(--server-env "$e"); done
	for e in "${client_env[@]}"; do env_flags+=(--client-env "$e"); done
}

# transfer_between NS_SERVER NS_CLIENT ADDR WAY OPTIONS...: both ends of it; 0 when every
# byte was right at both.
transfer_between() {
	local srv=$1 cli=$2 addr=$3 way=$4
	shift 4
	set_env_flags
	"$BIN/transfer" "--$way" "$@" "${env_flags[@]}" --between "$cli" "$srv" "$addr"
}

# ends MODE WAY: one connection through ends.py, as transfer_between does it
ends() {
	set_env_flags
	"$PYTHON" "$here/ends.py" "$1" "$a" "$b" "$(addr_of "$2" 2)" "${env_flags[@]}"
}

# capture NS DEV FILE: start tcpdump, return when it listens
capture() {
	rm -f "$3" "$3.err"
	ip netns exec "$1" env --default-signal=INT \
		tcpdump --immediate-mode -U -n -s 120 -B 4096 -i "$2" \
		-w "$3" "ip proto $TANDEM_PROTO or ip6 proto $TANDEM_PROTO" \
		2>"$3.err" &
	capture_pid=$!
	capture_file=$3
	children+=("$capture_pid")
	until_true 30 grep -q listening "$3.err" && return 0
	cat "$3.err"
	return 1
}

# Does the capture hold still? It is read from a ring, so it may lag.
capture_rests() {
	local size
	size=$(stat -c %s "$capture_file")
	read -rt 0.1 <> <(:)
	[ "$size" = "$(stat -c %s "$capture_file")" ]
}

# end_capture: false when packets were missed
end_capture() {
	until_true 30 capture_rests
	kill -INT "$capture_pid"
	wait "$capture_pid"
	grep -q "^0 packets dropped by kernel" "$capture_file.err" && return 0
	cat "$capture_file.err"
	return 1
}

have() { command -v "$1" >/dev/null 2>&1; }
have_netem() {
	local ns="td$id-probe" rc
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	tc -n "$ns" qdisc add dev lo root netem delay 1ms 2>/dev/null
	rc=$?
	ip netns del "$ns"
	return $rc
}
