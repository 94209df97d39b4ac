#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of tandem(8) and of the library it preloads, without the module: MPTCP
# (262), which every stock kernel has and which tells itself from TCP by
# SO_PROTOCOL, stands in for Tandem.
#
# Usage: run.sh BUILD_DIRECTORY

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${1:?usage: run.sh BUILD_DIRECTORY}" && pwd)
scripts=$here/../../scripts
tandem=$bin/tandem
probe=$bin/probe
tmp=$(mktemp -d)
server=
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
unset LD_PRELOAD "${!TANDEM_RUN_@}"

n=0 failed=0

# A test's function returns 0 (ok), 4 (skip, its last line says why) or else.
check() {
	local name=$1 rc=0
	shift
	n=$((n + 1))
	"$@" >"$tmp/log" 2>&1 || rc=$?
	case $rc in
	0) echo "ok $n $name" ;;
	4) echo "ok $n $name # SKIP $(tail -n1 "$tmp/log")" ;;
	*)
		failed=$((failed + 1))
		sed 's/^/# /' "$tmp/log"
		echo "not ok $n $name"
		;;
	esac
}

skip() {
	echo "$*"
	return 4
}

# same GOT WANTED
same() {
	[ "$1" = "$2" ] && return
	printf 'got:    %s\nwanted: %s\n' "$1" "$2"
	return 1
}

# has FILE TEXT
has() {
	grep -qF -- "$2" "$1" && return
	printf 'no "%s" in:\n' "$2"
	cat "$1"
	return 1
}

as() { # PROTOCOL [OPTION...] PROGRAM...
	local n=$1
	shift
	"$tandem" run --protocol="$n" "$@"
}
preloaded() { LD_PRELOAD=$bin/libtandem-run.so "$@"; }

if [ "$("$probe" mptcp)" = "mptcp: protocol=262 cloexec=0 nonblock=0 errno=77" ]; then
	mptcp() { :; }
else
	mptcp() { skip "this kernel has no MPTCP to stand in for Tandem"; }
fi

v6=1
"$probe" v6 | grep -q failed && v6=

streams() {
	mptcp || return
	same "$(as 262 "$probe" v4 v4tcp)" \
"v4: protocol=262 cloexec=0 nonblock=0 errno=77
v4tcp: protocol=262 cloexec=0 nonblock=0 errno=77"
}

streams6() {
	[ "$v6" ] || { skip "no IPv6"; return; }
	mptcp || return
	same "$(as 262 "$probe" v6 v6tcp)" \
"v6: protocol=262 cloexec=0 nonblock=0 errno=77
v6tcp: protocol=262 cloexec=0 nonblock=0 errno=77"
}

flags() {
	mptcp || return
	same "$(as 262 "$probe" flags)" \
		"flags: protocol=262 cloexec=1 nonblock=1 errno=77"
}

by_syscall() {
	mptcp || return
	same "$(as 262 "$probe" syscall syscalls)" \
"syscall: protocol=262 cloexec=0 nonblock=0 errno=77
syscalls: right"
}

others_untouched() {
	same "$(as 262 "$probe" udp unix pair)" "$("$probe" udp unix pair)"
}

inherited() {
	mptcp || return
	same "$(as 262 sh -c "sh -c '$probe v4'; :")" \
		"v4: protocol=262 cloexec=0 nonblock=0 errno=77"
}

# A socket handed down from outside stays what it is.
handed_down() {
	same "$("$probe" exec v4 -- "$tandem" run --protocol=262 "$probe" fd9)" \
		"fd9: protocol=6 cloexec=0 nonblock=0 errno=77"
}

mptcp_alone() {
	mptcp || return
	same "$(as 6 "$probe" mptcp)" \
		"mptcp: protocol=262 cloexec=0 nonblock=0 errno=77" &&
	same "$(as 6 --mptcp "$probe" mptcp)" \
		"mptcp: protocol=6 cloexec=0 nonblock=0 errno=77"
}

pretend() {
	mptcp || return
	same "$(as 262 --pretend-tcp "$probe" v4)" \
		"v4: protocol=6 cloexec=0 nonblock=0 errno=77"
}

default_254() {
	same "$(preloaded "$probe" v4 2>/dev/null)" \
	     "$(TANDEM_RUN_PROTOCOL=254 preloaded "$probe" v4 2>/dev/null)" &&
	if "$tandem" doctor >/dev/null 2>&1; then
		same "$("$tandem" run "$probe" v4)" \
			"v4: protocol=254 cloexec=0 nonblock=0 errno=77"
	else
		same "$(preloaded "$probe" v4 2>/dev/null)" "v4: failed errno=93"
	fi
}

# 253 is nobody's.
refused() {
	same "$(TANDEM_RUN_PROTOCOL=253 preloaded "$probe" v4 v4tcp 2>"$tmp/err")" \
"v4: failed errno=93
v4tcp: failed errno=93" &&
	has "$tmp/err" "no protocol 253" &&
	same "$(grep -c 'no protocol 253' "$tmp/err")" 1
}

refused_early() {
	local rc=0
	as 253 "$probe" v4 >"$tmp/out" 2>"$tmp/err" || rc=$?
	same "$rc" 125 && same "$(cat "$tmp/out")" "" &&
	has "$tmp/err" "tandem doctor"
}

falls_back() {
	same "$(as 253 --fallback -r sh -c "$probe v4 v6; $probe v4; :" 2>"$tmp/err")" \
"v4: protocol=6 cloexec=0 nonblock=0 errno=77
v6: protocol=6 cloexec=0 nonblock=0 errno=77
v4: protocol=6 cloexec=0 nonblock=0 errno=77" &&
	same "$(grep -c 'no protocol 253' "$tmp/err")" 1 &&
	has "$tmp/err" "0 sockets protocol 253 (SO_PROTOCOL = 253), 3 TCP"
}

receipt() {
	mptcp || return
	as 262 --receipt="$tmp/receipt" sh -c "$probe v4 killed-child; exit 3"
	same $? 3 &&
	has "$tmp/receipt" "receipt: 3 sockets, all protocol 262 (SO_PROTOCOL = 262)" &&
	same "$(grep -c 'probe .* pid' "$tmp/receipt")" 2
}

receipt_nothing() {
	as 6 --receipt="$tmp/receipt" true &&
	has "$tmp/receipt" "asked for no TCP socket"
}

# The library does not survive an emptied environment; the receipt must say so.
receipt_unloaded() {
	as 6 --force --receipt="$tmp/receipt" "$bin/probe-static" v4 &&
	has "$tmp/receipt" "never loaded"
}

static_program() {
	local rc=0
	as 6 "$bin/probe-static" v4 2>"$tmp/err" || rc=$?
	same "$rc" 126 && has "$tmp/err" "statically linked"
}

static_interpreter() {
	local rc=0
	printf '#!%s v4\n' "$bin/probe-static" >"$tmp/script"
	chmod +x "$tmp/script"
	as 6 "$tmp/script" 2>"$tmp/err" || rc=$?
	same "$rc" 126 && has "$tmp/err" "$bin/probe-static: it is statically"
}

go_program() {
	local rc=0
	command -v objcopy >/dev/null || { skip "no objcopy"; return; }
	objcopy --add-section .go.buildinfo=/dev/null \
		--set-section-flags .go.buildinfo=alloc "$probe" "$tmp/go" || return
	as 6 "$tmp/go" v4 2>"$tmp/err" || rc=$?
	same "$rc" 126 && has "$tmp/err" "Go program"
}

setuid_program() {
	local rc=0
	[ "$(id -u)" = 0 ] || { skip "needs root to make a set-user-ID program"; return; }
	cp "$probe" "$tmp/suid" && chown nobody "$tmp/suid" &&
	chmod u+s "$tmp/suid" || return
	as 6 "$tmp/suid" v4 2>"$tmp/err" || rc=$?
	same "$rc" 126 && has "$tmp/err" "set-user-ID"
}

exit_codes() {
	local rc
	rc=0; as 6 false || rc=$?; same "$rc" 1 || return
	rc=0; as 6 -r sh -c 'kill -TERM $$' || rc=$?; same "$rc" 143 || return
	rc=0; as 6 /nonexistent/x || rc=$?; same "$rc" 127 || return
	rc=0; as 6 no-such-program || rc=$?; same "$rc" 127 || return
	rc=0; as 6 "$tmp" || rc=$?; same "$rc" 126 || return
	rc=0; "$tandem" run || rc=$?; same "$rc" 125 || return
	rc=0; as many true || rc=$?; same "$rc" 125 || return
	rc=0; "$tandem" nonsense || rc=$?; same "$rc" 125
}

# A signal to the parent reaches the program, which ends in its own way.
signals() {
	local rc=0 p
	# shellcheck disable=SC2016
	"$tandem" run --protocol=6 -r sh -c \
		'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done' \
		>"$tmp/up" 2>"$tmp/err" &
	p=$!
	until [ -s "$tmp/up" ]; do
		kill -0 $p 2>/dev/null || { cat "$tmp/err"; return 1; }
	done
	kill -TERM $p
	wait $p || rc=$?
	same "$rc" 9 && has "$tmp/err" "receipt:"
}

keeps_preload() {
	mptcp || return
	# shellcheck disable=SC2016
	same "$(LD_PRELOAD=libc.so.6 as 262 sh -c 'echo "$LD_PRELOAD"')" \
		"libc.so.6:$bin/libtandem-run.so"
}

helps() {
	local c
	"$tandem" --help | grep -q doctor || return
	for c in run ss stat doctor; do
		"$tandem" $c --help | grep -q "^usage: tandem $c" || return
	done
}

# An unmodified server and client, bytes compared.
web_page() {
	local port rc=0
	mptcp || return
	command -v curl python3 >/dev/null || { skip "no curl or python3"; return; }
	mkdir "$tmp/www" && head -c 3000000 /dev/urandom >"$tmp/www/page" || return
	"$tandem" run --protocol=262 -r python3 -u -m http.server --bind 127.0.0.1 \
		--directory "$tmp/www" 0 >"$tmp/server" 2>&1 &
	server=$!
	until port=$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' \
			"$tmp/server") && [ "$port" ]; do
		kill -0 $server 2>/dev/null || { cat "$tmp/server"; return 1; }
	done
	as 262 --receipt="$tmp/receipt" curl -sS --noproxy '*' \
		-o "$tmp/got" "http://127.0.0.1:$port/page" || rc=$?
	kill -TERM $server
	wait $server
	server=
	same "$rc" 0 && cmp "$tmp/got" "$tmp/www/page" &&
	has "$tmp/receipt" "receipt: 1 socket, it was protocol 262" &&
	has "$tmp/server" "receipt: 1 socket, it was protocol 262"
}

doctor_good() {
	"$tandem" doctor --protocol=6 >"$tmp/out" || { cat "$tmp/out"; return 1; }
	has "$tmp/out" "IPv4 loopback carries bytes both ways"
}

doctor_bad() {
	local rc=0
	"$tandem" doctor --protocol=253 >"$tmp/out" || rc=$?
	same "$rc" 1 && has "$tmp/out" "FAIL" && has "$tmp/out" "fix:"
}

cat >"$tmp/table" <<'TABLE'
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1 0000000000000000 100 0 0 10 0
   1: 0200000A:0050 0100000A:A2C4 01 00000400:00000020 01:00000014 00000002    33        0 31338 2 0000000000000000 23 4 30 12 7
   2: 00000000000000000000000001000000:0050 00000000000000000000000001000000:C000 06 00000000:00000000 03:000010E0 00000000     0        0 0 3 0000000000000000
TABLE

ss_table() {
	same "$("$tandem" ss --file "$tmp/table" -a -H | tr -s ' ' | sed 's/ $//')" \
"LISTEN 0 0 127.0.0.1:80 0.0.0.0:*
ESTAB 32 1024 10.0.0.2:80 10.0.0.1:41668
TIME-WAIT 0 0 [::1]:80 [::1]:49152" &&
	same "$("$tandem" ss --file "$tmp/table" -l -H | wc -l)" 1 &&
	same "$("$tandem" ss --file "$tmp/table" -H | wc -l)" 2 &&
	"$tandem" ss --file "$tmp/table" -H -i | grep -q \
		'timer:(on,200ms,2) rto:230ms cwnd:12 ssthresh:7 uid:33 ino:31338'
}

# The module's own name for a counter, whatever prefix the file carries.
stat_meanings() {
	printf 'TandemActiveOpens\t3\nOutSegs\t0\nTandemPureAcksOut 7\n' >"$tmp/snmp"
	same "$("$tandem" stat --file "$tmp/snmp" | tr -s ' ')" \
"ActiveOpens 3 connections opened by connect()
PureAcksOut 7 segments sent only to acknowledge" &&
	same "$("$tandem" stat --file "$tmp/snmp" -z | wc -l)" 3 &&
	same "$("$tandem" stat --file "$tmp/snmp" -b '*Acks*')" "PureAcksOut 7" &&
	same "$(grep -c '^X(".*", ".*")$' "$bin/mib.list")" \
	     "$(grep -cE '^[[:space:]]+X\([A-Z0-9]+, "' "$here/../../module/mib.h")"
}

stat_delta() {
	printf 'OutSegs\t5\nInSegs 1\n' >"$tmp/snmp"
	same "$("$tandem" stat --file "$tmp/snmp" -b -- sh -c \
		"printf 'OutSegs\t9\nInSegs 1\n' >$tmp/snmp; exit 6"; echo $?)" \
"OutSegs 4
6"
}

tests=(
	"run: IPv4 streams|streams"
	"run: IPv6 streams|streams6"
	"run: SOCK_CLOEXEC and SOCK_NONBLOCK kept|flags"
	"run: syscall(SYS_socket), other system calls intact|by_syscall"
	"run: other families and types untouched|others_untouched"
	"run: inherited over fork and exec|inherited"
	"run: a socket handed down is left alone|handed_down"
	"run: MPTCP requests left alone but for --mptcp|mptcp_alone"
	"run: --pretend-tcp|pretend"
	"run: protocol 254 by default|default_254"
	"run: refused, told once|refused"
	"run: refused before the program starts|refused_early"
	"run: --fallback|falls_back"
	"run: receipt counts killed children|receipt"
	"run: receipt of a program without sockets|receipt_nothing"
	"run: receipt when the library was not loaded|receipt_unloaded"
	"run: static program|static_program"
	"run: script with a static interpreter|static_interpreter"
	"run: Go program|go_program"
	"run: set-user-ID program|setuid_program"
	"run: exit codes|exit_codes"
	"run: signals|signals"
	"run: LD_PRELOAD of others kept|keeps_preload"
	"run: curl fetches from python3 -m http.server|web_page"
	"help everywhere|helps"
	"doctor: a protocol that works|doctor_good"
	"doctor: a protocol that does not|doctor_bad"
	"ss: table|ss_table"
	"stat: names and meanings|stat_meanings"
	"stat: what a program changed|stat_delta"
	"trace: segments.py, annotate.py, plot.py|trace_tests"
)

trace_tests() {
	command -v python3 >/dev/null || { skip "no python3"; return; }
	python3 "$here/test_segments.py" "$scripts"
}

echo "TAP version 13"
echo "1..${#tests[@]}"
for t in "${tests[@]}"; do
	check "${t%|*}" "${t#*|}"
done
echo "# tools: $((n - failed)) passed, $failed failed"
[ $failed -eq 0 ]
