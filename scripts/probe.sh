#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Find out what the kernel at hand offers, as configure does, by compiling:
# distributions carry backports, so the version says little. Every file
# module/probes/NAME.c that compiles, and every line "NAME symbol" of
# module/probes/symbols.list whose symbol that kernel exports, gives a line
# "#define TANDEM_HAVE_NAME 1" (in capitals). To add a probe, add a file.
#
# Usage: scripts/probe.sh KDIR OUT.h
#
# Kbuild calls this on every build; with nothing changed it costs a few
# milliseconds. ARCH, CC and LLVM come from the environment.

set -eu

case "${1:-}" in
-h | --help)
	sed -n '/^# Usage:/,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
	exit 0
	;;
esac
[ $# -eq 2 ] || { echo "usage: $0 KDIR OUT.h" >&2; exit 2; }

kdir=$1
out=$2
here=$(cd "$(dirname "$0")/../module/probes" && pwd)
cc=${CC:-}
llvm=${LLVM:-}
arch=${ARCH:-}

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null) || {
	echo "tandem: $kdir is not a configured kernel tree" >&2
	exit 1
}
# One key for the kernel, one sum for each probe: what was answered for the
# same kernel is not compiled again.
kernel=$({ echo "$kdir $release $arch $cc $llvm"
	   ls -lL "$kdir/Module.symvers" "$kdir/include/generated/autoconf.h"
	   cat "$0"
	 } 2>/dev/null | cksum)
stamp=$({ echo "$kernel"; cat "$here"/*.c "$here/symbols.list"
	} 2>/dev/null | cksum)
if [ -f "$out" ] && grep -qF "stamp: $stamp" "$out"; then
	exit 0
fi

echo "  PROBE   $release" >&2
mkdir -p "$(dirname "$out")"
work=$(cd "$(dirname "$out")" && pwd)/probe
cache=$work/answers
if ! grep -qsxF "kernel $kernel" "$cache"; then
	rm -rf "$work"
	mkdir -p "$work"
	echo "kernel $kernel" >"$cache"
fi
names=
todo=
for f in "$here"/*.c; do
	[ -f "$f" ] || continue
	n=$(basename "$f" .c)
	names="$names $n"
	if ! grep -qE "^$n $(cksum <"$f") (yes|no)$" "$cache"; then
		todo="$todo $n"
		cat "$f" >"$work/$n.c"
	fi
done
if [ -n "$todo" ]; then
	cat >"$work/always.c" <<-'END'
		#include <net/sock.h>
		int always(struct sock *sk);
		int always(struct sock *sk) { return sk->sk_state; }
	END
	{
		# A prototype that does not fit is the answer "no", not a warning.
		echo "ccflags-y := -Werror=incompatible-pointer-types"
		echo "ccflags-y += -Werror=int-conversion"
		echo "ccflags-y += -Werror=implicit-function-declaration"
		echo "ccflags-y += -Wno-missing-prototypes -Wno-unused"
		echo "ccflags-y += -Wno-missing-declarations"
		echo "obj-m := always.o $(for n in $todo; do printf '%s.o ' "$n"; done)"
	} >"$work/Kbuild"

	# A clean environment: we may well be called from within a kernel
	# build. It fails by intention, at the missing objects or at the
	# latest in modpost.
	env -i PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C \
		make -k -j"$(nproc 2>/dev/null || echo 1)" -C "$kdir" M="$work" \
		${arch:+ARCH="$arch"} ${cc:+CC="$cc"} ${llvm:+LLVM="$llvm"} \
		modules >"$work/log" 2>&1 </dev/null || :
	if [ ! -f "$work/always.o" ]; then
		tail -n 20 "$work/log" >&2
		echo "tandem: $kdir cannot build modules: see $work/log" >&2
		exit 1
	fi
	for n in $todo; do
		[ -f "$work/$n.o" ] && a=yes || a=no
		sed -i "/^$n /d" "$cache"
		echo "$n $(cksum <"$here/$n.c") $a" >>"$cache"
	done
	# The log stays, for whoever wonders why a probe said no.
	find "$work" -type f ! -name log ! -name answers ! -name '*.c' -delete
fi

answer() { # NAME COMMAND...
	n=TANDEM_HAVE_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_')
	shift
	if "$@"; then echo "#define $n 1"; else echo "/* no $n */"; fi
}
{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/*"
	echo " * What $release offers. Made by scripts/probe.sh, do not edit."
	echo " * stamp: $stamp"
	echo " */"
	for n in $names; do
		answer "$n" grep -q "^$n [0-9 ]* yes$" "$cache"
	done
	if [ -f "$here/symbols.list" ]; then
		grep -v -e '^#' -e '^[[:space:]]*$' "$here/symbols.list" |
		while read -r n symbol; do
			answer "$n" grep -q "	$symbol	" "$kdir/Module.symvers"
		done
	fi
} >"$out.tmp"
mv "$out.tmp" "$out"
