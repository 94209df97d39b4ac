#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A user-mode Linux 6.1 with Tandem in it: boots in about a second, sees this
# machine's programs through hostfs, and can run in virtual time. Built once
# from Debian's linux-source-6.1 with scripts/uml.config and kept in
# ${TANDEM_CACHE:-~/.cache/tandem}/uml-KEY.
#
# Usage: scripts/uml.sh [OPTIONS] [--] [COMMAND ARGS...]
#   COMMAND runs in the guest, in selftests/, as root; its exit status is ours.
#   --build           only build the kernel; print its directory
#   --module          only build tandem.ko for it (into build/uml/)
#   --no-module       do not build nor offer tandem.ko
#   --load            load tandem.ko before COMMAND (else: autoload, modprobe)
#   --time-travel     virtual time: CPU is free, time moves by timers alone;
#                     give every link a delay and a rate
#   --tests FILE      run the tests of FILE (lines: NAME TIMEOUT COMMAND...)
#   --results FILE    write what came out of them, see scripts/console.py
#   --out DIR         what the guest leaves in /out comes here
#                     (default build/out/uml)
#   --log FILE        the console log (default DIR/console.log)
#   --timeout SECONDS of wall clock, then the guest is killed (default 600)
#   --mem SIZE        default 1G
#   --append ARGS     more kernel command line
#   --variant NAME    a kernel with scripts/uml-NAME.config on top
#   --shell           an interactive shell
#   -q                only the guest's own output, no kernel messages
# Exit status: COMMAND's; 124 timed out; 125 the guest broke (crash, or the
#   kernel warned: see the log).

set -u
. "$(dirname "$0")/lib.sh"

variant=
build_only= module_only= module=1 load= tt= tests= results= out= log=
timeout=600 mem=1G append= shell= quiet=
while [ $# -gt 0 ]; do
	case $1 in
	--build) build_only=1 ;;
	--module) module_only=1 ;;
	--no-module) module= ;;
	--load) load=1 ;;
	--time-travel) tt=1 ;;
	--tests) tests=$2; shift ;;
	--results) results=$2; shift ;;
	--out) out=$2; shift ;;
	--log) log=$2; shift ;;
	--timeout) timeout=$2; shift ;;
	--mem) mem=$2; shift ;;
	--append) append=$2; shift ;;
	--variant) variant=$2; shift ;;
	--shell) shell=1 ;;
	-q) quiet=1 ;;
	-h | --help) usage; exit 0 ;;
	--) shift; break ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) break ;;
	esac
	shift
done

configs=("$TOP/scripts/uml.config")
[ -z "$variant" ] || configs+=("$TOP/scripts/uml-$variant.config")
version=$("$TOP/scripts/source.sh" --version)
key=$(cat "${configs[@]}" - <<<"$version $(gcc -dumpfullversion 2>/dev/null)" |
	sha256sum | cut -c1-12)
dir=$CACHE/uml${variant:+-$variant}-$key

build_kernel() {
	local source
	source=$("$TOP/scripts/source.sh") || return 1
	rm -rf "$dir.tmp" && mkdir -p "$dir.tmp"
	configure() {
		cd "$source" &&
		make O="$dir.tmp" ARCH=um defconfig &&
		ARCH=um ./scripts/kconfig/merge_config.sh -O "$dir.tmp" \
			"$dir.tmp/.config" "${configs[@]}"
	}
	run_logged "configuring the UML kernel" "$dir.tmp/configure.log" \
		configure || return 1
	run_logged "building the UML kernel (about 6 minutes on 2 cores, once)" \
		"$dir.tmp/build.log" \
		make -C "$source" O="$dir.tmp" ARCH=um -j"$JOBS" all || return 1
	# What a module build needs stays: scripts, headers, symbols, vmlinux.
	find "$dir.tmp" -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' \
		! -name module.lds -delete
	find "$dir.tmp" -name '*.a' -delete
	mv "$dir.tmp" "$dir"
	# The Makefile stub in O= and generated files name their own place.
	make -C "$source" O="$dir" ARCH=um outputmakefile >/dev/null 2>&1
	ls -dt "$CACHE/uml${variant:+-$variant}"-????????????/ 2>/dev/null |
		tail -n +3 | xargs -r rm -rf
}

if [ ! -x "$dir/linux" ]; then
	(with_lock "uml-$key"; [ -x "$dir/linux" ] || build_kernel) ||
		die "no UML kernel: see above"
fi
if [ -n "$build_only" ]; then
	echo "$dir"
	exit 0
fi
if [ -n "$module" ]; then
	"$TOP/scripts/build-for.sh" "uml${variant:+-$variant}" >/dev/null 2>"$CACHE/uml-module.log" || {
		cat "$CACHE/uml-module.log" >&2
		die "tandem.ko does not build for UML"
	}
fi
[ -z "$module_only" ] || exit 0

bed=uml
[ -z "$tt" ] || bed=sim
out=${out:-$BUILD/out/$bed}
mkdir -p "$out"
out=$(cd "$out" && pwd)
log=${log:-$out/console.log}
job=$(mktemp -d "${TMPDIR:-/tmp}/tandem-uml.XXXXXX")
trap 'rm -rf "$job"' EXIT
rel=$(cat "$dir/include/config/kernel.release")
mkdir -p "$job/out" "$job/modules/$rel/extra"
[ -z "$module" ] || find "$BUILD/uml${variant:+-$variant}" -name '*.ko' \
	-exec cp -t "$job/modules/$rel/extra" {} +
touch "$job/modules/$rel"/modules.{order,builtin,builtin.modinfo}
# depmod wants its tree at lib/modules
mkdir "$job/lib" && ln -s ../modules "$job/lib/modules"
depmod -b "$job" "$rel"
{
	echo "TANDEM_BED=$bed"
	echo "TANDEM_TTY=/dev/tty0"
	echo "TANDEM_LOAD=$load"
	echo "TANDEM_KERNEL=6.1"
	echo "TANDEM_SHELL=$shell"
	[ -z "$shell" ] || echo "TERM=${TERM:-dumb}"
} >"$job/env"
if [ -n "$tests" ]; then
	cp "$tests" "$job/tests"
elif [ -z "$shell" ]; then
	[ $# -gt 0 ] || die "nothing to run: give a COMMAND, --tests or --shell"
	printf '%q ' "$@" >"$job/command"
fi

args=("$dir/linux" "mem=$mem" root=/dev/root rootfstype=hostfs
	rootflags=/ ro "init=$TOP/scripts/guest/uml-init" con=null
	"TANDEM_TOP=$TOP" "TANDEM_SRC=$SRC" "TANDEM_JOB=$job" "umid=tandem-$$"
	"uml_dir=$job/" panic=-1
	dummy.numdummies=0 ifb.numifbs=0)
[ -z "$tt" ] || args+=(time-travel=inf-cpu)
# UML keeps its memory in a file: in real memory, where there is room.
room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n1)
if [ "${room:-0}" -gt 4000000 ]; then
	export TMPDIR=/dev/shm
else
	export TMPDIR=${TMPDIR:-/tmp}
fi

# A process of the guest and the kernel that traces it take turns, some thousand times to
# start one program: on one processor that is five times as fast as between two. So each
# UML gets one, another than those that run already if there is one.
cpus() {
	taskset -pc $$ | sed 's/.*: //' | tr , '\n' |
		while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done
}
pin() {
	local all cpu
	command -v taskset >/dev/null || return
	mapfile -t all < <(cpus | shuf)
	mkdir -p "$CACHE/locks"
	for cpu in "${all[@]}"; do
		exec 8>"$CACHE/locks/cpu-$cpu"
		! flock -n 8 || break
	done
	[ -z "${cpu:-}" ] || args=(taskset -c "$cpu" "${args[@]}")
}
pin

if [ -n "$shell" ]; then
	# shellcheck disable=SC2086 # words
	"${args[@]}" con0=fd:0,fd:1 quiet $append
	stty sane 2>/dev/null
	exit 0
fi
opts=(--bed "$bed" --log "$log" --timeout "$timeout")
[ -z "$results" ] || opts+=(--results "$results" --progress)
[ -z "$quiet" ] || opts+=(--quiet)
# shellcheck disable=SC2086 # words
"$TOP/scripts/console.py" "${opts[@]}" -- "${args[@]}" \
	con0=null,fd:1 ssl0=null,fd:3 console=ttyS0 $append &
# In the background, so that a signal to us is heard and ends the guest.
watcher=$!
trap 'kill "$watcher" 2>/dev/null; wait "$watcher"; exit 130' INT TERM
wait "$watcher"
rc=$?
cp -a "$job/out/." "$out/" 2>/dev/null
exit $rc
