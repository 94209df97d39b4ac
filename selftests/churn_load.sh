#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables shared with common.sh
#
# 100 times: load the module, open and close sockets in every state meanwhile, delete
# the namespaces in the middle of it, unload. rmmod may be refused while a socket
# lives, so it is awaited; that it succeeds proves that every reference was given back.
#
#   +-----------------+                +-----------------+
#   | a  10.99.0.1 v  |----- veth -----|  v 10.99.0.2  b |
#   |    fd99::1      |                |    fd99::2      |
#   +-----------------+                +-----------------+
#
# Usage: churn_load.sh [CYCLES]
. "$(dirname "$0")/common.sh"

is_tcp && skip_all "kernel TCP cannot be unloaded"
cycles=${1:-100}
plan 4

unloaded() {
	rmmod tandem 2>/dev/null
	! grep -q '^tandem ' /proc/modules
}

# Sockets that listen, connect, talk, are left half open and in TIME-WAIT.
churn() { # NS ADDRESS
	in_space "$1" "$PYTHON" - "$2" <<'PY'
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
def sock():
    return socket.socket(family, socket.SOCK_STREAM, 254)
ls = sock()
ls.bind((sys.argv[1], 0))
ls.listen(8)
kept = []
for n in range(6):
    c = sock()
    c.connect(ls.getsockname()[:2])
    if n > 3:
        kept.append(c)                  # never accepted: reset when ls goes
        continue
    s, _ = ls.accept()
    c.sendall(b"x" * 3000)
    if s.recv(3000, socket.MSG_WAITALL) != b"x" * 3000:
        sys.exit("wrong bytes")
    if n % 2:
        c.close()                       # both FINs: TIME-WAIT
        s.close()
    else:
        c.shutdown(socket.SHUT_WR)      # half closed, then dropped by exit
        kept += [c, s]
PY
}

busy=0 left=0 broken=0 loads=0
for ((i = 0; i < cycles; i++)); do
	modprobe tandem || break
	loads=$((loads + 1))
	spaces_before=${#spaces[@]}
	pair
	churn "$a" 10.99.0.1 & one=$!
	# shellcheck disable=SC2154
	churn "$b" fd99::2 & two=$!
	# In the middle of it: refused, or the module is gone for ever.
	rmmod tandem 2>/dev/null || busy=$((busy + 1))
	[ $((i % 2)) = 0 ] && ip netns del "$a"
	wait $one || broken=$((broken + 1))
	wait $two || broken=$((broken + 1))
	ip netns del "$a" 2>/dev/null
	ip netns del "$b"
	spaces=("${spaces[@]:0:$spaces_before}")
	until_true 150 unloaded || { left=$((left + 1)); break; }
done
result $((loads != cycles)) "churn_load.loads"
result $((left != 0)) "churn_load.unloads"
result $((broken != 0)) "churn_load.bytes"
result $((busy == 0)) "churn_load.refused_while_in_use"
finish
