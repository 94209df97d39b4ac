#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# The tcp wire (tcpwire.c, tcpport.c): Tandem at one end, the kernel's own TCP
# at the other; every byte compared, and nobody resets what he should not.
#
#   a (10.99.0.1, fd99::1) ----- veth ----- b (10.99.0.2, fd99::2)
#
# {Tandem opens, Tandem is opened to} x {IPv4, IPv6} x {clean, loss with
# reordering and duplicates, small MTU, all offloads on} x {bulk both ways,
# request and response, half-close, abort}
. "$(dirname "$0")/common.sh"

is_tcp && skip_all "TCP has one wire"
ways=(v4 v6) roles=(client server) links=(clean bad small offload)
plan $((${#ways[@]} * ${#links[@]} * (${#roles[@]} * 4 + 1)))

end() { # COMMAND...: shape or offload both ends of the link
	"$@" "$a" && "$@" "$b"
}
bad() { shape "$1" v delay 3ms 1ms loss 2% duplicate 1% reorder 5% rate 100mbit; }
small() { ip -n "$1" link set v mtu 1280; }
offload() {
	in_space "$1" ethtool -K v tx on sg on tso on gso on gro on >/dev/null 2>&1
	ip -n "$1" link set v gso_max_segs 65535
}
clean() { :; }

# tcp_ctr NS NAME: a counter of the kernel's TCP
tcp_ctr() {
	in_space "$1" awk -v name="$2" '$1 == "Tcp:" && !n { n = split($0, key) }
		$1 == "Tcp:" { split($0, value) }
		END { for (i = 1; i <= n; i++) if (key[i] == name) print value[i] }' \
		/proc/net/snmp
}

# both NAME: that counter of both stacks at both ends
both() {
	echo $(($(tcp_ctr "$a" "$1") + $(ctr "$a" "$1") +
		$(tcp_ctr "$b" "$1") + $(ctr "$b" "$1")))
}

# Only the abort test resets a connection, which ends it at either end. Late
# duplicates may meet a closed port; their resets harm nobody.
no_resets() {
	echo "resets sent $(both OutRsts), of $aborts aborts;" \
		"connections reset $(both EstabResets)"
	[ "$link" = bad ] || [ "$(both OutRsts)" -eq $aborts ] || return 1
	[ "$(both EstabResets)" -eq $((aborts * 2)) ]
}

for way in "${ways[@]}"; do
	for link in "${links[@]}"; do
		pair
		end $link
		aborts=0
		for role in "${roles[@]}"; do
			server_env=(TANDEM_PROTO=6) client_env=(TANDEM_WIRE=tcp)
			[ $role = client ] || {
				server_env=(TANDEM_WIRE=tcp) client_env=(TANDEM_PROTO=6)
			}
			what=$role.$link.$way
			check "tcpwire_bulk.$what" transfer_between "$b" "$a" \
				"$(addr_of "$way" 2)" "$way" --bytes 1500000 --timeout 90
			check "tcpwire_echo.$what" transfer_between "$b" "$a" \
				"$(addr_of "$way" 2)" "$way" --echo 100 --timeout 90
			check "tcpwire_half_close.$what" ends half_close "$way"
			check "tcpwire_abort.$what" ends abort "$way"
			aborts=$((aborts + 1))
		done
		check "tcpwire_resets.$link.$way" no_resets
		drop "$a" "$b"
	done
done
finish
