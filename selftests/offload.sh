#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# Segments that leave many in one piece (GSO) and are joined on arrival (GRO), over every
# kind of device, with the offloads of the device switched on and off: no piece may vanish
# where nobody takes it whole, every byte is compared, and counters tell that the way meant
# was the way taken.
#
#   a (10.99.0.1, fd99::1) ---- the device under test ---- b (10.99.0.2, fd99::2)
#
# For each way to build it {IPv4, IPv6} x {native, tcp, udp wire}: bytes both ways; as many
# segments arrive as were sent (a piece that is lost is missing here); no bad checksum.
# TANDEM_HALF=1: of these six three for each way to build it, by turns, in half of the time.
# TANDEM_WIRES="udp ...": only these wires.
. "$(dirname "$0")/common.sh"

is_tcp && skip_all "Tandem's offloads"
have ethtool || skip_all "needs ethtool"

mib=${TANDEM_MIB:-1}
read -ra wires <<<"${TANDEM_WIRES:-native tcp udp}"
ways=(v4 v6)
cases=(all_on tso_off tnl_off gso_off gro_off tx_off all_off segs_1 no_knob
	lo lo_small bridge vlan macvlan ifb router sums narrow tap tap_offload
	shaped loss_front loss_behind loss_dupthresh loss_reno)
[ $# -eq 0 ] || cases=("$@")

# features NS DEV FEATURE...
features() {
	local ns=$1 dev=$2
	shift 2
	in_space "$ns" ethtool -K "$dev" "$@" >/dev/null 2>&1
	ip -n "$ns" link set "$dev" gso_max_segs 65535
}
all="tx on sg on tso on gso on gro on"

# Two spaces with a veth pair, offloads as said: veth_with FEATURE...
veth_with() {
	pair
	for ns in "$a" "$b"; do
		# shellcheck disable=SC2086 # a list of features
		features "$ns" v $all
		[ $# -eq 0 ] || features "$ns" v "$@"
	done
}

# A space in between, with a link to each: its devices are left and right.
middle() {
	space a
	space r
	space b
	link "$a" v "$r" left
	link "$r" right "$b" v
	for end in "$a v" "$r left" "$r right" "$b v"; do
		# shellcheck disable=SC2086
		features $end $all
	done
}

# What is expected of a case: NS:COUNTER grows on Tandem's own wires, NS:!COUNTER stays;
# WIRE/NS:COUNTER on that one alone.
expect=()
# Not all that was sent can arrive.
lossy=

all_on() { veth_with; expect=(a:OutSuper b:OutSuper a:!GsoCut); }
tso_off() { veth_with tso off; expect=(a:OutSuper a:GsoCut b:GroJoined); }
# What the others do not need: the device takes tunnels' packets whole no more.
tnl_off() {
	veth_with tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off
	expect=(a:OutSuper native/a:!GsoCut udp/a:GsoCut)
}
gso_off() { veth_with tso off gso off; expect=(a:OutSuper a:GsoCut b:GroJoined); }
gro_off() { veth_with tso off gro off; expect=(a:OutSuper a:GsoCut b:!GroJoined); }
tx_off() { veth_with tx off; expect=(a:OutSuper a:GsoCut b:GroJoined); }
all_off() {
	veth_with tx off sg off tso off gso off gro off
	expect=(a:OutSuper a:GsoCut b:!GroJoined)
}
segs_1() {
	veth_with
	ip -n "$a" link set v gso_max_segs 1
	expect=(a:!OutSuper b:OutSuper)
}
no_knob() {
	veth_with
	knob "$a" gso 0
	expect=(a:!OutSuper b:OutSuper)
}
lo() {
	space a
	b=$a
	address "$a" lo 10.99.0.2/24 fd99::2/64
	expect=(a:!GsoCut)
}
lo_small() {
	lo
	ip -n "$a" link set lo mtu 1500
	# It says nothing of tunnels' packets, so they are cut.
	expect=(a:OutSuper native/a:!GsoCut udp/a:GsoCut)
}
bridge() {
	middle
	ip -n "$r" link add br0 type bridge
	ip -n "$r" link set left master br0
	ip -n "$r" link set right master br0
	ip -n "$r" link set br0 up
	# A piece comes to the bridge whole, and is cut behind it.
	features "$r" right tso off
	address "$a" v 10.99.0.1/24 fd99::1/64
	address "$b" v 10.99.0.2/24 fd99::2/64
	expect=(a:OutSuper a:!GsoCut r:GsoCut b:GroJoined)
}
vlan() {
	veth_with tso off
	for end in "$a 1" "$b 2"; do
		# shellcheck disable=SC2086
		set -- $end
		ip -n "$1" addr flush dev v
		ip -n "$1" link add link v name v.7 type vlan id 7
		ip -n "$1" link set v.7 up
		address "$1" v.7 "10.99.0.$2/24" "fd99::$2/64"
	done
	expect=(a:OutSuper a:GsoCut b:GroJoined)
}
macvlan() {
	veth_with tso off
	for end in "$a 1" "$b 2"; do
		# shellcheck disable=SC2086
		set -- $end
		ip -n "$1" addr flush dev v
		ip -n "$1" link add link v name mac0 type macvlan mode bridge
		ip -n "$1" link set mac0 up
		address "$1" mac0 "10.99.0.$2/24" "fd99::$2/64"
	done
	expect=(a:OutSuper a:GsoCut)
}
# What arrives takes a detour through an intermediate device, as with a shaper there.
ifb() {
	veth_with
	ip -n "$b" link add ifb7 type ifb 2>/dev/null || { why="no ifb"; return 4; }
	# It queues 32 packets, and a piece that is cut is more of them.
	ip -n "$b" link set ifb7 txqueuelen 1000 up
	features "$b" ifb7 tso off
	tc -n "$b" qdisc add dev v clsact
	tc -n "$b" filter add dev v ingress matchall action mirred egress redirect dev ifb7 || {
		why="no mirred"
		return 4
	}
	expect=(a:OutSuper b:GsoCut)
}
routes() {
	address "$a" v 10.99.1.1/24 fd99:1::1/64
	address "$r" left 10.99.1.2/24 fd99:1::2/64
	address "$r" right 10.99.0.1/24 fd99::1/64
	address "$b" v 10.99.0.2/24 fd99::2/64
	in_space "$r" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$a" route add default via 10.99.1.2
	ip -n "$a" -6 route add default via fd99:1::2
	ip -n "$b" route add default via 10.99.0.1
	ip -n "$b" -6 route add default via fd99::1
}
# Joined by the router, forwarded as one, cut again behind it.
router() {
	middle
	features "$a" v tso off
	features "$r" right tso off
	routes
	# It joins what it knows, be it for others.
	knob "$r" udp_port 5254
	expect=(a:GsoCut r:GroJoined r:GsoCut b:GroJoined)
}
# Single segments that nobody has summed come to a device that wants them to be.
sums() {
	middle
	ip -n "$a" link set v gso_max_segs 1
	features "$r" right tx off
	routes
	expect=(a:!OutSuper b:OutSuper)
}
# Pieces of 1500 meet an MTU of 1300: the router says so.
narrow() {
	middle
	routes
	ip -n "$r" link set right mtu 1300
	ip -n "$b" link set v mtu 1300
	ip -n "$b" route change default via 10.99.0.1 advmss 1460
	ip -n "$b" -6 route change default via fd99::1 advmss 1440
	lossy=1
	expect=(a:OutSuper a:PmtuShrink)
}
# Two taps whose frames a program carries to and fro; with the offloads of a virtual
# machine's card, or without.
tap_with() {
	space a
	space b
	rm -f "$work/tap"
	background "$PYTHON" "$here/taps.py" "$@" "$a" "$b" "$work/tap"
	taps=$!
	until_true 20 test -s "$work/tap" || return 1
	address "$a" v 10.99.0.1/24 fd99::1/64
	address "$b" v 10.99.0.2/24 fd99::2/64
}
tap() { tap_with; expect=(a:OutSuper a:GsoCut); }
tap_offload() {
	tap_with --offload
	expect=(a:OutSuper a:GsoCut)
	expect_tcp=tso
}

# A shaper on the sender's own device, whose bucket holds no piece, so that it cuts; the
# connection must not fill its queue.
shaped() {
	have_netem || { why="no netem"; return 4; }
	veth_with
	tc -n "$a" qdisc add dev v root handle 1: tbf rate 10mbit burst 8kb limit 8mb || {
		why="no tbf"
		return 4
	}
	# A round trip of a tenth of a millisecond would make half a megabyte two milliseconds'
	# worth, until the queue shows in it.
	shape "$b" v delay 5ms rate 1gbit
	# One that paces, or looks at the round trip, would let nothing wait here.
	knob "$a" congestion_control reno || return
	# At this rate pieces would be short, and many fit into the bucket.
	knob "$a" min_tso_segs 8
	expect=(a:OutSuper a:GsoCut a:OutThrottled)
	expect_queue=1
}

# Whole pieces are lost, in the sender's own qdisc.
loss_front() {
	have_netem || { why="no netem"; return 4; }
	veth_with
	shape "$a" v delay 2ms loss 8% rate 300mbit
	shape "$b" v delay 2ms loss 8% rate 300mbit
	lossy=1
	expect=(a:OutSuper a:RetransSegs a:!GsoCut)
}
# Single segments of pieces are lost and overtaken, behind where they were cut: SACK and
# ACK numbers end in the middle of what was sent as one.
loss_behind() {
	have_netem || { why="no netem"; return 4; }
	middle
	features "$a" v tso off
	features "$b" v tso off
	features "$r" left gro off
	features "$r" right gro off
	routes
	shape "$r" left delay 2ms 1ms loss 2% reorder 10% rate 300mbit
	shape "$r" right delay 2ms 1ms loss 2% reorder 10% rate 300mbit
	lossy=1
	expect=(a:OutSuper a:GsoCut a:RetransSegs a:SackBlocksIn)
}
loss_dupthresh() {
	loss_behind || return
	knob "$a" loss_detection dupthresh
	knob "$b" loss_detection dupthresh
	expect=(a:OutSuper a:GsoCut a:FastRetrans a:SackBlocksIn)
}
loss_reno() {
	loss_behind || return
	knob "$a" sack 0
	knob "$b" sack 0
	expect=(a:OutSuper a:GsoCut a:RetransSegs a:DupAcksIn)
}

count() { # count SPACE COUNTER
	local -n ns=$1
	ctr "$ns" "$2"
}

# tcp_count SPACE FIELD: of the kernel's TCP, whose all is on the tcp wire that belongs to no
# connection here any more, and the resets with which it answers
tcp_count() {
	local -n ns=$1
	in_space "$ns" awk -v name="$2" '$1 == "Tcp:" && !n { n = split($0, key) }
		$1 == "Tcp:" { split($0, value) }
		END { for (i = 1; i <= n; i++) if (key[i] == name) print value[i] }' \
		/proc/net/snmp
}
went() { echo $(($(count "$1" OutSegs) + $(count "$1" RetransSegs) + $(tcp_count "$1" OutSegs))); }
came() { echo $(($(count "$1" InSegs) + $(tcp_count "$1" InSegs))); }

# As many segments arrived as were sent, both ways?
conserved() {
	[ "$(went a)" -eq "$(came b)" ] && [ "$(went b)" -eq "$(came a)" ]
}

# The longest backlog that is seen, bytes.
watch_queue() {
	local most=0 now
	echo 0 >"$work/queue"
	while :; do
		now=$(tc -n "$a" -s -j qdisc show dev v |
			sed -n 's/.*"backlog":\([0-9]*\).*/\1/p')
		[ "${now:-0}" -le $most ] || {
			most=$now
			echo $most >"$work/queue"
		}
		read -rt 0.01 <> <(:) || :
	done
}

carried() { # carried WIRE WAY
	local wire=$1 way=$2 e c rc=0
	local -A before
	local expected=()
	for e in "${expect[@]}"; do
		case $e in
		"$wire"/*) expected+=("${e#*/}") ;;
		*/*) ;;
		*) expected+=("$e") ;;
		esac
	done
	for e in "${expected[@]}"; do
		c=${e#*:}
		before[$e]=$(count "${e%%:*}" "${c#!}")
	done
	# What the router has told is forgotten.
	[ -z "$lossy" ] || {
		ip -n "$a" route flush cache
		ip -n "$a" -6 route flush cache
	}
	server_env=("TANDEM_WIRE=$wire") client_env=("TANDEM_WIRE=$wire")
	[ -z "$expect_queue" ] || {
		background watch_queue
		watcher=$!
	}
	transfer_between "$b" "$a" "$(addr_of "$way" 2)" "$way" --bytes $((mib << 20)) \
		--timeout 90 || rc=1
	[ -z "$expect_queue" ] || { kill "$watcher"; wait "$watcher"; } 2>/dev/null
	[ -n "$lossy" ] || until_true 5 conserved || {
		echo "sent $(went a), came $(came b); back $(went b), $(came a)"
		rc=1
	}
	[ "$(count a InCsumErrors) $(count b InCsumErrors)" = "0 0" ] || {
		echo "bad checksums"
		rc=1
	}
	[ "$(udp_bad_sums "$a") $(udp_bad_sums "$b")" = "0 0" ] || {
		echo "bad checksums of UDP"
		rc=1
	}
	for e in "${expected[@]}"; do
		c=${e#*:}
		# On the tcp wire the kernel's TCP does the cutting and joining.
		case $wire/$c in tcp/*GsoCut | tcp/*GroJoined) continue ;; esac
		local now=$(($(count "${e%%:*}" "${c#!}") - before[$e]))
		case $c in
		!*) [ $now -eq 0 ] ;;
		*) [ $now -gt 0 ] ;;
		esac || {
			echo "$e: $now"
			rc=1
		}
	done
	if [ -n "$expect_queue" ]; then
		echo "most that was queued: $(cat "$work/queue")"
		[ "$(cat "$work/queue")" -lt 500000 ] || rc=1
	fi
	if [ "$wire/${expect_tcp:-}" = tcp/tso ] &&
	   ! grep -q "whole" "$work/tap"; then
		echo "no frame of several segments crossed the taps"
		rc=1
	fi
	if [ -n "$taps" ]; then
		! grep wrong "$work/tap" || rc=1
		[ "$wire" != udp ] || grep -q datagrams "$work/tap" || rc=1
	fi
	return $rc
}

# What a virtual machine hands over, right and broken.
pieces_of_a_guest() {
	space z
	# It looks into /sys.
	ip netns exec "$z" "$PYTHON" "$here/cutpiece.py"
}

# chosen WIRE WAY CASE-NUMBER
chosen() {
	local n=$3
	[ -n "${TANDEM_HALF:-}" ] || return 0
	[ "$1" != tcp ] || n=$((n + 1))
	[ "$2" = v4 ] || n=$((n + 1))
	[ $((n % 2)) -eq 0 ]
}

each=$((${#wires[@]} * ${#ways[@]}))
[ -z "${TANDEM_HALF:-}" ] || each=$((each / 2))
plan $((${#cases[@]} * each + 1))
nr=0
check "offload_guest" pieces_of_a_guest
for case in "${cases[@]}"; do
	lossy='' expect=() expect_tcp='' expect_queue='' r='' taps=''
	$case
	built=$?
	knob "$a" udp_port 5254
	knob "$b" udp_port 5254
	for wire in "${wires[@]}"; do
		for way in "${ways[@]}"; do
			chosen "$wire" "$way" $nr || continue
			if [ $built -eq 0 ]; then
				check "offload_$case.$wire.$way" carried "$wire" "$way"
			else
				result $built "offload_$case.$wire.$way"
			fi
		done
	done
	nr=$((nr + 1))
	drop "$a" "$b" ${r:+"$r"}
	[ -z "$taps" ] || { kill "$taps"; wait "$taps"; } 2>/dev/null
done
finish
