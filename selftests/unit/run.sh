#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run test programs that print KTAP, and fuzzers that print anything, and tell all of
# it as one KTAP report. A program fails when it says "not ok", dies, or stops before
# its plan is done.
#
# Usage: run.sh PROGRAM...     (names beginning with fuzz_ are fuzzers)
# Environment: FUZZ_RUNS, FUZZ_SEED; TU_SEED and TU_LOOPS go to the tests.
# Exit status: 0 all passed, 1 some failed.

case ${1:-} in
'' | -h | --help)
	sed -n '4,/^$/s/^# \{0,1\}//p' "$0"
	[ $# -gt 0 ]
	exit
	;;
esac

log=$(mktemp "${TMPDIR:-/tmp}/tandem-unit.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

echo "KTAP version 1"
echo "1..$#"
n=0 failed=0
for prog; do
	n=$((n + 1))
	name=${prog##*/}
	case $name in
	fuzz_*)
		set -- -runs="${FUZZ_RUNS:-300000}" -seed="${FUZZ_SEED:-1}" -max_len=256
		echo "# $name $*"
		# Where a crash leaves its input.
		"$prog" "$@" -artifact_prefix="$prog-" >"$log" 2>&1
		rc=$?
		[ $rc -eq 0 ] && ok=1 || ok=0
		[ "$ok" -eq 1 ] || sed 's/^/  # /' "$log"
		;;
	*)
		"$prog" >"$log" 2>&1
		rc=$?
		sed 's/^/  /' "$log"
		plan=$(sed -n 's/^1\.\.//p' "$log")
		passed=$(grep -c '^ok ' "$log")
		[ $rc -eq 0 ] && [ -n "$plan" ] && [ "$plan" -gt 0 ] &&
			[ "$passed" -eq "$plan" ] && ok=1 || ok=0
		;;
	esac
	if [ "$ok" -eq 1 ]; then
		echo "ok $n $name"
	else
		failed=$((failed + 1))
		echo "not ok $n $name # exit status $rc"
	fi
done
echo "# $((n - failed)) passed, $failed failed"
[ $failed -eq 0 ]
