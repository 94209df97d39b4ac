#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# The example of Documentation/networking/tandem-cong.rst, built beforehand, does what
# that page says: it registers, is chosen, moves data, and cannot go while in use. So
# do an RTO estimator, a loss detector and an ACK policy (tandem_textbook.c), used by a
# socket or as a default; and without them their names are unknown.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
#
# Environment: CONG_AIMD, the module (default: the one that modprobe would find)
. "$(dirname "$0")/common.sh"

ko=${CONG_AIMD:-$(modinfo -n cong_aimd 2>/dev/null)}
is_tcp && skip_all "an algorithm for Tandem"
[ -f "$ko" ] || skip_all "no $ko: build Documentation/examples/cong_aimd"

textbook=${TEXTBOOK:-$(dirname "$ko")/tandem_textbook.ko}
plan 26
pair
cleanup_module() {
	cleanup
	rmmod cong_aimd 2>/dev/null
	rmmod tandem_textbook 2>/dev/null
}
trap cleanup_module EXIT

available() {
	in_space "$a" cat /proc/sys/net/tandem/available_congestion_control
}
is_listed() { available | tr ' ' '\n' | grep -qx aimd; }
is_unlisted() { ! is_listed; }
is_default() {
	[ "$(in_space "$1" cat /proc/sys/net/tandem/congestion_control)" = aimd ]
}
choose() { knob "$1" congestion_control "$2"; }
choose_aimd() { choose "$a" aimd && choose "$b" aimd && is_default "$a"; }
refused() { ! rmmod cong_aimd 2>/dev/null; }
move() { transfer_between "$b" "$a" "$(addr_of v4 2)" v4 --bytes 3000000; }
let_go() { choose "$a" reno && choose "$b" reno; }
unload() { until_true 20 rmmod cong_aimd; }

check "cong_example.absent" is_unlisted
check "cong_example.insmod" insmod "$ko" alpha=2 beta=80
check "cong_example.listed" is_listed
check "cong_example.chosen" choose_aimd
check "cong_example.moves_data" move
check "cong_example.refused_while_in_use" refused
check "cong_example.let_go" let_go
check "cong_example.rmmod" unload

# The others: sysctl, name, number of the socket option
kinds="rto_estimator,rfc793,1003 loss_detection,impatient,1004 ack_policy,fourth,1005"

# in_use: the module cannot go. gone: it can, and does.
in_use() { ! rmmod tandem_textbook 2>"$work/rmmod" && grep -q "in use" "$work/rmmod"; }
gone() { until_true 20 rmmod tandem_textbook; }
back() { modprobe -q tandem_textbook || insmod "$textbook"; }
# Both ways to choose a name that is not there fail with ENOENT.
enoent() { # KNOB OPTION
	in_space "$a" "$PYTHON" - "$@" <<-'END'
		import errno, socket, sys
		knob, option = sys.argv[1:]
		name = "nonesuch"
		def fails(func, *args):
		    try:
		        func(*args)
		    except OSError as e:
		        if e.errno == errno.ENOENT:
		            return
		        sys.exit("%s: %s" % (name, e))
		    sys.exit(name + " was taken")
		def write():
		    with open("/proc/sys/net/tandem/" + knob, "w") as f:
		        f.write(name)
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 254)
		fails(s.setsockopt, 254, int(option), name.encode())
		fails(write)
	END
}
# One socket has chosen it: refused; and not refused when that is closed.
held_by_socket() { # NAME OPTION
	in_space "$a" "$PYTHON" - "$@" <<-'END'
		import os, socket, sys
		name, option = sys.argv[1], int(sys.argv[2])
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 254)
		s.setsockopt(254, option, name.encode())
		if s.getsockopt(254, option, 16).rstrip(b"\0").decode() != name:
		    sys.exit("not chosen")
		if os.system("rmmod tandem_textbook 2>/dev/null") == 0:
		    sys.exit("removed while a socket uses it")
		s.close()
	END
}
default_moves() { # KNOB NAME
	choose_kind "$1" "$2" && move && in_use
}
choose_kind() { knob "$a" "$1" "$2" && knob "$b" "$1" "$2"; }
kind_reset() { # KNOB
	choose_kind "$1" "$(in_space "$a" cut -d ' ' -f 1 \
		"/proc/sys/net/tandem/available_$1")"
}

for kind in $kinds; do
	IFS=, read -r sys _ option <<<"$kind"
	check "$sys.unknown" enoent "$sys" "$option"
done
check "textbook.insmod" back
for kind in $kinds; do
	IFS=, read -r sys name option <<<"$kind"
	check "$sys.held_by_socket" held_by_socket "$name" "$option"
	check "$sys.moves_data_held_by_default" default_moves "$sys" "$name"
	check "$sys.let_go" kind_reset "$sys"
	check "$sys.removed" gone
	[ "$sys" = ack_policy ] || check "$sys.again" back
done
finish
