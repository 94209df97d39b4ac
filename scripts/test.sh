#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run tests on their beds and count. One line for each test as it ends; at the
# end what failed, and "N passed, N failed, N skipped".
#
# Usage: scripts/test.sh BED...
#   BED   all, or of: unit (pure rooms in user space), kunit (in UML), tools,
#         vm (stock kernels in QEMU), two (two of them on one wire), uml,
#         sim (UML in virtual time); and debug, which is not among all: the
#         tests of uml in a kernel that checks memory, locks and leaks
# Environment: T=name       only tests whose name contains that
#              KERNEL=6.12  only that stock kernel (of vm and two)
#              LANES=2      how many guests at once (default: processors, 2 at
#                           most)
# The tests are listed in selftests/tests.list; consoles and captures go to
# build/test/. Exit status: 0 none failed, 1 some did.

set -u
. "$(dirname "$0")/lib.sh"

beds=()
for arg; do
	case $arg in
	-h | --help) usage; exit 0 ;;
	all) beds+=(unit tools kunit uml sim vm two) ;;
	unit | kunit | tools | vm | two | uml | sim | debug) beds+=("$arg") ;;
	*) die "unknown bed $arg (see --help)" ;;
	esac
done
[ ${#beds[@]} -gt 0 ] || { usage >&2; exit 1; }

T=${T:-} KERNEL=${KERNEL:-}
list=$SRC/selftests/tests.list
dir=$BUILD/test
lanes=${LANES:-$(($(nproc) < 2 ? 1 : 2))}
start=$SECONDS
mkdir -p "$dir"
rm -rf "$dir"/*.tsv "$dir"/*.tsv.? "$dir"/jobs
mkdir "$dir/jobs"
pids=
# The guests are in process groups of their own: end them with us.
trap '[ -z "$pids" ] || kill $pids 2>/dev/null; exit 130' INT TERM

wanted() {
	local b
	for b in "${beds[@]}"; do [ "$b" = "$1" ] && return 0; done
	return 1
}

row() { # BED NAME PASSED FAILED SKIPPED WHY
	printf '%s\t%s\t%s\t%s\t%s\t0\t%s\n' "$@" >>"$dir/own.tsv"
	local word=ok
	[ "$4" = 0 ] || word=FAIL
	[ "$3$4" != 00 ] || word=skip
	printf '  %-4s %-10s %-32s %s\n' "$word" "$1" "$2" "$6"
}

# Lines of tests.list for a bed, as run-tests wants them.
pick() { # BED...
	awk -v t="$T" -v beds=" $* " '
		/^[[:space:]]*(#|$)/ { next }
		t != "" && index($1, t) == 0 { next }
		{
			n = split($2, b, ",")
			for (i = 1; i <= n; i++)
				if (index(beds, " " b[i] " ")) {
					$2 = ""
					print
					next
				}
		}' "$list" | sed 's/  */ /g'
}

seconds_of() { awk '{ s += $2 } END { print s + 0 }' "$1"; }

# A guest that hangs takes the tests behind it along: boot again for those.
on_guest() { # BED-NAME LISTFILE RESULTS COMMAND...
	local bed=$1 tests=$2 results=$3 round=1 last left budget
	shift 3
	left=$dir/jobs/$bed.left
	cp "$tests" "$left"
	: >"$results"
	while [ -s "$left" ] && [ $round -le 5 ]; do
		budget=$(($(seconds_of "$left") * ${SCALE:-1} + 180))
		# Virtual limits say little of the wall clock; and CI has an hour.
		[ "$bed" = debug ] || [ $budget -lt 1500 ] || budget=1500
		rm -f "$results.part"
		"$@" --tests "$left" --results "$results.part" --timeout "$budget" \
			2>"$dir/$bed.err"
		[ -f "$results.part" ] || {
			cat "$dir/$bed.err" >&2
			printf '%s\t(bed)\t0\t1\t0\t0\tthe bed did not start: see %s\n' \
				"$bed" "$dir/$bed.err" >>"$results"
			return
		}
		cat "$results.part" >>"$results"
		last=$(awk -F'\t' '{ print $2 }' "$results.part" | grep -v '^(boot)$' | tail -n1)
		if [ -z "$last" ]; then
			printf '%s\t(boot)\t0\t1\t0\t0\tno test ran: see %s\n' \
				"$bed" "$dir/$bed.err" >>"$results"
			cat "$dir/$bed.err" >&2
			return
		fi
		awk -v last="$last" 'seen; $1 == last { seen = 1 }' "$left" >"$left.new"
		mv "$left.new" "$left"
		[ ! -s "$left" ] || say "$bed: booting again for the tests after $last"
		round=$((round + 1))
		cp "$dir/$bed/console.log" "$dir/$bed/console.$round.log" 2>/dev/null
	done
	[ ! -s "$left" ] ||
		printf '%s\t(bed)\t0\t1\t0\t0\tgave up after five broken guests\n' "$bed" >>"$results"
}

# User-space programs that print KTAP, counted as those of guests are.
on_host() { # BED NAME COMMAND...
	local bed=$1 name=$2
	shift 2
	printf '%s\0' "$@" >"$dir/jobs/$bed.$name"
	"$TOP/scripts/console.py" --one --progress --bed "$bed" --timeout 1800 \
		--log "$dir/$bed.log" --results "$dir/$bed.tsv" -- \
		bash -c 'echo "@@READY 0"; echo "@@BEGIN $0"; "$@" 2>&1; rc=$?
			echo "@@END $0 $rc 0"; echo "@@EXIT $rc"' "$name" "$@"
}

# ---- what is to be done, as jobs for the lanes; the longest first ----

job() { # COST NAME COMMAND...
	local cost=$1 name=$2
	shift 2
	declare -p beds >/dev/null
	printf '%06d %s %s\n' "$((999999 - cost))" "$name" "$(printf '%q ' "$@")" \
		>>"$dir/jobs/queue"
}

: >"$dir/jobs/queue"
[ -f "$list" ] || die "$list is missing"

guests=
for b in vm two uml sim debug; do wanted $b && guests=1; done
if [ -n "$guests" ]; then
	run_logged "building the selftests" "$dir/selftests.log" \
		make -C "$SRC/selftests" -j"$JOBS" || {
		row build selftests 0 1 0 "selftests do not build: see $dir/selftests.log"
	}
fi
if [ -d "$SRC/tools" ]; then
	run_logged "building the tools" "$dir/tools.log" make -C "$SRC/tools" ||
		row build tools 0 1 0 "tools do not build: see $dir/tools.log"
fi

# The UML kernel takes minutes to build the first time; so do the debootstraps,
# which mostly wait for the network: side by side.
kernels=${KERNEL:-6.1 6.12 7}
fetch=
if wanted vm || wanted two; then
	for k in $kernels; do
		"$TOP/scripts/kernels.sh" get "$k" 2>"$dir/get-$k.err" &
		fetch="$fetch $k:$!"
	done
fi
if wanted uml || wanted sim || wanted kunit; then
	"$TOP/scripts/uml.sh" --build >/dev/null ||
		row uml kernel 0 1 0 "the UML kernel does not build"
	if wanted uml || wanted sim; then
		run_logged "building tandem.ko for UML" "$dir/uml.build" \
			"$TOP/scripts/build-for.sh" uml ||
			row uml tandem.ko 0 1 0 "does not build: see $dir/uml.build"
	fi
fi
if wanted debug; then
	"$TOP/scripts/uml.sh" --variant debug --build >/dev/null ||
		row debug kernel 0 1 0 "the UML kernel for debugging does not build"
fi
ready=
for f in $fetch; do
	k=${f%%:*}
	wait "${f##*:}"
	rc=$?
	if [ $rc -eq 0 ]; then
		eval "$("$TOP/scripts/kernels.sh" env "$k")"
		if run_logged "building tandem.ko for $NAME" "$dir/vm-$NAME.build" \
			"$TOP/scripts/build-for.sh" "$k"; then
			ready="$ready $NAME"
		else
			row "vm-$NAME" tandem.ko 0 1 0 "does not build: see $dir/vm-$NAME.build"
		fi
	elif [ $rc -eq 77 ] && [ "$k" != 6.1 ]; then
		cat "$dir/get-$k.err" >&2
		row "vm-$k" kernel 0 0 \
			"$({ pick vm "vm-$k"; pick two "two-$k"; } | grep -c .)" \
			"the download of kernel $k was refused or failed: its tests are skipped"
	else
		cat "$dir/get-$k.err" >&2
		row "vm-$k" kernel 0 1 0 "kernel $k is not to be had"
	fi
done

if wanted unit && [ -d "$SRC/selftests/unit" ]; then
	job 100000 unit on_host unit unit make --no-print-directory -s \
		-C "$SRC/selftests/unit" check ${T:+T="$T"}
fi
if wanted tools && [ -d "$SRC/tools/test" ]; then
	job 99999 tools on_host tools tools make --no-print-directory -s \
		-C "$SRC/tools" check
fi
if wanted kunit && [ -x "$SRC/selftests/unit/kunit.sh" ]; then
	job 99998 kunit on_host kunit kunit "$SRC/selftests/unit/kunit.sh"
fi
for b in uml sim; do
	wanted $b || continue
	pick $b >"$dir/jobs/$b.list"
	[ -s "$dir/jobs/$b.list" ] || continue
	tt=()
	[ $b = uml ] || tt=(--time-travel)
	job "$(seconds_of "$dir/jobs/$b.list")" $b on_guest $b "$dir/jobs/$b.list" \
		"$dir/$b.tsv" "$TOP/scripts/uml.sh" "${tt[@]}" --out "$dir/$b"
done
# Everything takes several times as long there, so fewer bytes and connections.
if wanted debug; then
	pick uml | awk '{ $2 *= 6; $3 = "TANDEM_MIB=8 TANDEM_CONNS=100 " $3; print }' \
		>"$dir/jobs/debug.list"
	[ ! -s "$dir/jobs/debug.list" ] ||
		job "$(seconds_of "$dir/jobs/debug.list")" debug on_guest debug \
			"$dir/jobs/debug.list" "$dir/debug.tsv" \
			"$TOP/scripts/uml.sh" --variant debug --mem 2G --out "$dir/debug"
fi
for k in $ready; do
	if wanted vm; then
		pick vm "vm-$k" "vm-${k%%.*}" >"$dir/jobs/vm-$k.list"
		[ ! -s "$dir/jobs/vm-$k.list" ] ||
			job "$(seconds_of "$dir/jobs/vm-$k.list")" "vm-$k" on_guest "vm-$k" \
				"$dir/jobs/vm-$k.list" "$dir/vm-$k.tsv" \
				"$TOP/scripts/vm.sh" --kernel "$k" --out "$dir/vm-$k"
	fi
	if wanted two; then
		pick two "two-$k" "two-${k%%.*}" >"$dir/jobs/two-$k.list"
		[ ! -s "$dir/jobs/two-$k.list" ] ||
			job "$(seconds_of "$dir/jobs/two-$k.list")" "two-$k" on_guest "two-$k" \
				"$dir/jobs/two-$k.list" "$dir/two-$k.tsv" \
				"$TOP/scripts/vm.sh" --kernel "$k" --two --out "$dir/two-$k"
	fi
done

# ---- the lanes ----
sort -o "$dir/jobs/queue" "$dir/jobs/queue"
lane() {
	local line
	while :; do
		# The queue's head, taken under its lock.
		line=$(flock "$dir/jobs/lock" sh -c 'head -n1 "$1"; sed -i 1d "$1"' sh \
			"$dir/jobs/queue")
		[ -n "$line" ] || break
		eval "${line#* * }"
	done
}
for ((i = 0; i < lanes; i++)); do
	lane &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid"
done
pids=

# ---- the sum ----
cat "$dir"/*.tsv >"$dir/results" 2>/dev/null
rm -f "$dir"/*.part.*
awk -F'\t' -v took=$((SECONDS - start)) '
	{ p += $3; f += $4; s += $5 }
	$4 > 0 { bad[++n] = sprintf("  %-10s %-24s %s", $1, $2, $7) }
	END {
		if (n) {
			print "failed:"
			for (i = 1; i <= n; i++)
				print bad[i]
		}
		if (p + f + s == 0) {
			print "no test was run: is there one of that name?"
			f = 1
		}
		printf "in %d min %d s\n", took / 60, took % 60
		printf "%d passed, %d failed, %d skipped\n", p, f, s
		exit f > 0
	}' "$dir/results"
