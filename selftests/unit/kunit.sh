#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The unit tests inside a kernel: build tandem_kunit.ko for the user-mode kernel,
# load it there, and tell what its suites found as KTAP.
#
# Usage: selftests/unit/kunit.sh [--build]     (--build: build only)
# Environment: JOBS (make -j), TANDEM_CACHE (where the kernel is kept)
# Exit status: 0 all passed; 1 some failed, or the guest broke.

set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$TOP/build/kunit
SUITES="tandem_seq tandem_options tandem_rtt tandem_window tandem_state tandem_cong \
	tandem_cubic tandem_bbr tandem_dctcp tandem_arrival tandem_rate tandem_rack \
	tandem_prr tandem_undo tandem_resume tandem_deadline"

build() {
	local kernel d
	kernel=$("$TOP/scripts/uml.sh" --build) || return 1
	# Objects belong in build/: a tree of links to the sources.
	for d in module include/tandem selftests/unit; do
		mkdir -p "$BUILD/$d"
		find "$BUILD/$d" -maxdepth 1 -type l -delete
		ln -s -t "$BUILD/$d" "$TOP/$d"/*.[ch] || return 1
	done
	ln -s "$TOP/selftests/unit/Kbuild" "$BUILD/selftests/unit/Kbuild"
	make -C "$kernel" M="$BUILD/selftests/unit" ARCH=um -j"${JOBS:-2}" \
		modules >"$BUILD/build.log" 2>&1 || {
		cat "$BUILD/build.log" >&2
		return 1
	}
}

# In the guest: load, then print what the kernel said meanwhile. (debugfs keeps only
# the first 512 bytes of a case.)
guest() {
	dmesg -C
	insmod "$BUILD/selftests/unit/tandem_kunit.ko"
	rc=$?
	dmesg --notime
	[ $rc -ne 0 ] || rmmod tandem_kunit
	exit $rc
}

case ${1:-} in
'' | --build) ;;
--guest) guest ;;	# exits
-h | --help) sed -n '4,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "kunit.sh: unknown option $1 (see --help)" >&2; exit 1 ;;
esac

echo "# building tandem_kunit.ko for the user-mode kernel"
build || { echo "Bail out! tandem_kunit.ko does not build"; exit 1; }
[ "${1:-}" != --build ] || exit 0

log=$BUILD/kunit.log
"$TOP/scripts/uml.sh" --no-module -q --timeout 300 --out "$BUILD/out" -- \
	unit/kunit.sh --guest >"$log" 2>&1
rc=$?

echo "KTAP version 1"
echo "1..$(wc -w <<<"$SUITES")"
n=0 failed=0
for s in $SUITES; do
	n=$((n + 1))
	part=$(sed -n "/# Subtest: $s\$/,/^\\(not \\)\\?ok [0-9]* $s\$/p" "$log")
	# What KUnit prints of a suite is indented, its verdict is not.
	grep '^    ' <<<"$part"
	if grep -q "^ok [0-9]* $s\$" <<<"$part"; then
		echo "ok $n $s"
	else
		echo "not ok $n $s"
		failed=$((failed + 1))
	fi
done
if [ $rc -ne 0 ]; then
	echo "Bail out! the guest ended with status $rc; see $log and $BUILD/out/console.log"
	exit 1
fi
echo "# $((n - failed)) passed, $failed failed"
[ $failed -eq 0 ]
