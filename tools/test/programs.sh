#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Unmodified programs over Tandem, by `tandem run`, IPv4 and IPv6: nginx and curl,
# python3's http.server, iperf3, redis, socat, ssh. Payloads are compared byte by byte,
# and each program's receipt must say that every socket was Tandem's.
#
#	netns $a (clients)  eth0 ------ eth0  netns $b (servers)
#	10.9.9.1, fd99::1                     10.9.9.2, fd99::2
#
# With --one-sided CLIENT or SERVER only that end runs under Tandem, on the tcp wire; the
# other end is the kernel's TCP.
#
# Usage: programs.sh [--one-sided client | server] [NAME...]
#	as root; NAME of nginx_curl, http_server, iperf, redis, socat_echo, secure_shell
#	(default: all). TANDEM_PROTOCOL=262 tries it with MPTCP

# shellcheck disable=SC2317 # functions are called by name
here=$(cd "$(dirname "$0")" && pwd)
tandem=$here/../../build/tools/tandem
proto=${TANDEM_PROTOCOL:-254}
sided=
[ "${1:-}" != --one-sided ] || { sided=$2; shift 2; }
all="nginx_curl http_server iperf redis socat_echo secure_shell"
only=${*:-$all}
a=client-$$ b=server-$$
n=0 failed=0 server=
set -o pipefail

say_skip() {
	echo "1..0 # SKIP $*"
	exit 4
}
[ "$(id -u)" = 0 ] || say_skip "needs root"
[ -x "$tandem" ] || say_skip "the tools are not built: make -C tools"
tmp=$(mktemp -d)
chmod 755 "$tmp"
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	ip netns del $a 2>/dev/null
	ip netns del $b 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ip netns add $a
ip netns add $b
ip -n $a link add eth0 type veth peer name eth0 netns $b || say_skip "no veth"
for end in "$a 1" "$b 2"; do
	# shellcheck disable=SC2086
	set -- $end
	echo 0 | ip netns exec "$1" tee /proc/sys/net/ipv6/conf/eth0/accept_dad >/dev/null
	ip -n "$1" link set lo up
	ip -n "$1" link set eth0 up
	ip -n "$1" addr add "10.9.9.$2/24" dev eth0
	ip -n "$1" addr add "fd99::$2/64" dev eth0 nodad
done

# under WHO PROGRAM...: run it as that end runs
under() {
	local who=$1
	shift
	case $sided in
	'') set -- "$tandem" run --protocol="$proto" --receipt="$tmp/receipt.$who" "$@" ;;
	"$who") set -- "$tandem" run --wire=tcp --receipt="$tmp/receipt.$who" "$@" ;;
	esac
	[ "$who" = client ] && set -- ip netns exec $a "$@" || set -- ip netns exec $b "$@"
	exec "$@"
}

# Every socket was Tandem's, and there was one.
judge() { # WHO
	case $sided in '' | "$1") ;; *) return 0 ;; esac
	grep -qE "receipt: [1-9][0-9]* sockets?, (all|it was) .*= $proto\)" \
		"$tmp/receipt.$1" && return
	echo "the $1's receipt:"
	cat "$tmp/receipt.$1"
	return 1
} >&2

client() { # PROGRAM...
	local rc=0
	(under client "$@") || rc=$?
	judge client || rc=1
	rm -f "$tmp/receipt.client"
	return $rc
}

listens() { # PORT
	if [ "$proto" = 254 ] && [ "$sided" != client ]; then
		ip netns exec $b "$tandem" ss -lH | grep -q ":$1 "
	else
		ip netns exec $b ss -lnHtM | grep -q ":$1 "
	fi
}

# serve PORT PROGRAM...: start it and wait until it listens.
serve() {
	local port=$1 end=$((SECONDS + 180))
	shift
	under server "$@" >"$tmp/server.log" 2>&1 &
	server=$!
	until listens "$port"; do
		if ! kill -0 $server 2>/dev/null || [ $SECONDS -ge $end ]; then
			echo "the server does not listen on $port:"
			cat "$tmp/server.log"
			return 1
		fi
		# Asking takes an emulated processor longer than a program takes to start.
		read -rt 0.5 <> <(:) || :
	done
}

finish() {
	kill "$server" 2>/dev/null
	wait "$server"
	server=
	judge server
}

nginx_curl() {
	cat >"$tmp/nginx.conf" <<-END
		daemon off; user root; pid $tmp/nginx.pid; error_log $tmp/nginx.log;
		worker_processes 2;
		events { }
		http {
			access_log off; sendfile on; keepalive_timeout 65;
			client_body_temp_path $tmp/t1; proxy_temp_path $tmp/t2;
			fastcgi_temp_path $tmp/t3; uwsgi_temp_path $tmp/t4;
			scgi_temp_path $tmp/t5;
			server { listen 80; listen [::]:80; root $tmp/www; }
		}
	END
	serve 80 nginx -e "$tmp/nginx.log" -c "$tmp/nginx.conf" || return
	# Two pages on one connection, then one that is closed by the server.
	client curl -sS --noproxy '*' --max-time 60 -o "$tmp/got1" "http://$host/big" \
		-o "$tmp/got2" "http://$host/small" || return
	cmp "$tmp/got1" "$tmp/www/big" || return
	cmp "$tmp/got2" "$tmp/www/small" || return
	client curl -sS --noproxy '*' --max-time 60 --http1.0 -o "$tmp/got3" \
		"http://$host/big" || return
	cmp "$tmp/got3" "$tmp/www/big"
}

http_server() {
	serve 8000 python3 -m http.server --bind "$addr" --directory "$tmp/www" 8000 ||
		return
	client python3 -c '
import sys, urllib.request as u
u.install_opener(u.build_opener(u.ProxyHandler({})))
open(sys.argv[2], "wb").write(u.urlopen(sys.argv[1], timeout=60).read())' \
		"http://$host:8000/big" "$tmp/got" || return
	cmp "$tmp/got" "$tmp/www/big"
}

iperf() {
	serve 5201 iperf3 -s || return
	client iperf3 -c "$addr" -n 4M -P 2 --connect-timeout 20000 >"$tmp/out" 2>&1 &&
	client iperf3 -c "$addr" -n 4M -R --connect-timeout 20000 >>"$tmp/out" 2>&1 &&
	[ "$(grep -c 'iperf Done' "$tmp/out")" = 2 ] && return
	cat "$tmp/out"
	return 1
}

redis() {
	serve 6379 redis-server --bind "$addr" --port 6379 --save '' --dir "$tmp" \
		--protected-mode no || return
	base64 -w0 "$tmp/www/big" >"$tmp/value"
	client redis-cli -h "$addr" -x set key <"$tmp/value" >"$tmp/out" || return
	client redis-cli -h "$addr" --raw get key | head -c -1 >"$tmp/got" || return
	cmp "$tmp/got" "$tmp/value" || return
	client redis-benchmark -h "$addr" -q -n 500 -c 20 -P 4 -t ping,set,get,lrange_100 \
		>"$tmp/out" 2>&1 && grep -q 'GET: .*requests per second' "$tmp/out" && return
	tail -n 5 "$tmp/out"
	return 1
}

# Both ways at once: what goes in comes back.
socat_echo() {
	serve 7007 socat "TCP$v-LISTEN:7007,fork,reuseaddr" EXEC:cat || return
	client socat -t 30 - "TCP$v:$host:7007" <"$tmp/www/big" >"$tmp/got" || return
	cmp "$tmp/got" "$tmp/www/big"
}

# A key of its own, in a home directory that only the server sees (ip netns exec has
# given it a mount namespace).
secure_shell() {
	local home=$tmp/home opts
	[ -e "$tmp/id" ] || {
		mkdir -m 700 "$home" "$home/.ssh" &&
		ssh-keygen -q -t ed25519 -N '' -f "$tmp/id" &&
		cp "$tmp/id.pub" "$home/.ssh/authorized_keys" &&
		dropbearkey -t ed25519 -f "$tmp/hostkey" >/dev/null 2>&1
	} || return
	serve 2222 sh -c 'mount --bind "$0" ~root && exec "$@"' "$home" \
		dropbear -F -E -s -P "$tmp/dropbear.pid" -r "$tmp/hostkey" -p "$host:2222" ||
		return
	opts=(-F none -i "$tmp/id" -o BatchMode=yes -o StrictHostKeyChecking=no
		-o UserKnownHostsFile=/dev/null -o ConnectTimeout=60 -p 2222)
	# There and back, and the exit status.
	client ssh "${opts[@]}" "root@$addr" cat <"$tmp/www/big" >"$tmp/got" || return
	cmp "$tmp/got" "$tmp/www/big" || return
	client ssh "${opts[@]}" "root@$addr" exit 23
	[ $? = 23 ]
}

check() { # NAME FUNCTION PROGRAM...
	local name="$1, IPv$v" fn=$2 p rc=0
	shift 2
	[[ " $only " == *" $fn "* ]] || return
	n=$((n + 1))
	for p; do
		command -v "$p" >/dev/null && continue
		echo "ok $n $name # SKIP no $p here"
		return
	done
	$fn >"$tmp/log" 2>&1 || rc=1
	[ -z "$server" ] || finish >>"$tmp/log" 2>&1 || rc=1
	if [ $rc = 0 ]; then
		echo "ok $n $name"
	else
		sed 's/^/# /' "$tmp/log"
		echo "not ok $n $name"
		failed=$((failed + 1))
	fi
}

for word in $only; do
	[[ " $all " == *" $word "* ]] || { echo "$0: no test $word" >&2; exit 1; }
done
mkdir "$tmp/www"
head -c 1500000 /dev/urandom >"$tmp/www/big"
echo "small" >"$tmp/www/small"

echo "TAP version 13"
echo "1..$(($(wc -w <<<"$only") * 2))"
for v in 4 6; do
	addr=10.9.9.2 host=10.9.9.2
	[ $v = 4 ] || { addr=fd99::2; host='[fd99::2]'; }
	check "curl from nginx" nginx_curl nginx curl
	check "urllib from python3 -m http.server" http_server python3
	check "iperf3, two streams and the other way" iperf iperf3
	check "redis-cli and redis-benchmark" redis redis-server redis-cli redis-benchmark
	check "socat echo" socat_echo socat
	check "ssh, a file there and back" secure_shell ssh dropbear
done
echo "# programs: $((n - failed)) passed, $failed failed"
[ $failed -eq 0 ]
