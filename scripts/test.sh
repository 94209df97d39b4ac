#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run tests on their beds and count. One line for each test as it ends; at the
# end what failed, and "N passed, N failed, N skipped".
#
# Usage: scripts/test.sh BED...
#   BED   all, or of: unit (pure rooms in user space), kunit (in UML), tools,
#         vm (stock kernels in QEMU), smp (one of them, with two processors; vm
#         brings it along), two (two of them on one wire), uml,
#         sim (UML in virtual time); and debug, which is not among all: the
#         tests of uml in a kernel that checks memory, locks and leaks
# Environment: T=name       only tests whose name contains that
#              KERNEL=6.12  only that stock kernel (of vm and two)
#              LANES=3      how many guests at once (default: one more than
#                           processors, for they often wait; 3 at most)
# The tests are listed in selftests/tests.list; consoles and captures go to
# build/test/. Exit status: 0 none failed, 1 some did.

set -u
. "$(dirname "$0")/lib.sh"

beds=()
for arg; do
	case $arg in
	-h | --help) usage; exit 0 ;;
	all) beds+=(unit tools kunit uml sim vm smp two) ;;
	vm) beds+=(vm smp) ;;
	unit | kunit | tools | smp | two | uml | sim | debug) beds+=("$arg") ;;
	*) die "unknown bed $arg (see --help)" ;;
	esac
done
[ ${#beds[@]} -gt 0 ] || { usage >&2; exit 1; }

T=${T:-} KERNEL=${KERNEL:-}
list=$SRC/selftests/tests.list
dir=$BUILD/test
lanes=${LANES:-$(($(nproc) < 2 ? 2 : 3))}
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
		[ "$bed" = debug ] || [ $budget -lt 2700 ] || budget=2700
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

# Kernels take minutes to fetch the first time, which is mostly waiting.
kernels=${KERNEL:-6.1 6.12 7}
if wanted vm || wanted two; then
	for k in $kernels; do
		"$TOP/scripts/kernels.sh" get "$k" >/dev/null 2>&1 &
	done
fi

# The module is built for a kernel by the job that needs it: so one lane compiles
# while the other tests. Who comes second waits, and finds it done.
built() { # BED NAME KERNEL
	run_logged "building tandem.ko for $2" "$dir/$1.build" \
		"$TOP/scripts/build-for.sh" "$3" && return
	row "$1" tandem.ko 0 1 0 "does not build: see $dir/$1.build"
	return 1
}

uml_job() { # BED VARIANT UML-OPTIONS...
	local bed=$1 variant=$2
	shift 2
	"$TOP/scripts/uml.sh" ${variant:+--variant "$variant"} --build >/dev/null || {
		row "$bed" kernel 0 1 0 "the UML kernel does not build"
		return
	}
	built "$bed" UML "uml${variant:+-$variant}" || return
	on_guest "$bed" "$dir/jobs/$bed.list" "$dir/$bed.tsv" "$TOP/scripts/uml.sh" \
		${variant:+--variant "$variant"} "$@" --out "$dir/$bed"
}

kunit_job() {
	if "$TOP/scripts/uml.sh" --build >/dev/null; then
		on_host kunit kunit "$SRC/selftests/unit/kunit.sh"
	else
		row kunit kernel 0 1 0 "the UML kernel does not build"
	fi
}

vm_job() { # BED KERNEL VM-OPTIONS...
	local bed=$1 k=$2 rc NAME=''
	shift 2
	"$TOP/scripts/kernels.sh" get "$k" >/dev/null 2>"$dir/$bed-$k.err"
	rc=$?
	[ $rc -eq 0 ] || cat "$dir/$bed-$k.err" >&2
	if [ $rc -eq 77 ] && [ "$k" != 6.1 ]; then
		row "$bed-$k" kernel 0 0 "$(pick "$bed" "$bed-$k" | grep -c .)" \
			"the download of kernel $k was refused or failed: its tests are skipped"
		return
	elif [ $rc -ne 0 ]; then
		row "$bed-$k" kernel 0 1 0 "kernel $k is not to be had"
		return
	fi
	eval "$("$TOP/scripts/kernels.sh" env "$k")"
	built "$bed-$NAME" "$NAME" "$k" || return
	pick "$bed" "$bed-$NAME" "$bed-${NAME%%.*}" >"$dir/jobs/$bed-$NAME.list"
	[ ! -s "$dir/jobs/$bed-$NAME.list" ] ||
		on_guest "$bed-$NAME" "$dir/jobs/$bed-$NAME.list" "$dir/$bed-$NAME.tsv" \
			"$TOP/scripts/vm.sh" --kernel "$k" "$@" --out "$dir/$bed-$NAME"
}

if wanted unit && [ -d "$SRC/selftests/unit" ]; then
	job 100000 unit on_host unit unit make --no-print-directory -s \
		-C "$SRC/selftests/unit" check ${T:+T="$T"}
fi
if wanted tools && [ -d "$SRC/tools/test" ]; then
	job 99999 tools on_host tools tools make --no-print-directory -s \
		-C "$SRC/tools" check
fi
if wanted kunit && [ -x "$SRC/selftests/unit/kunit.sh" ]; then
	job 99998 kunit kunit_job
fi
for b in uml sim; do
	wanted $b || continue
	pick $b >"$dir/jobs/$b.list"
	[ -s "$dir/jobs/$b.list" ] || continue
	tt=()
	[ $b = uml ] || tt=(--time-travel)
	job "$(seconds_of "$dir/jobs/$b.list")" $b uml_job $b "" "${tt[@]}"
done
# Everything takes several times as long there, so fewer bytes and connections.
if wanted debug; then
	pick uml | awk '{ $2 *= 6; $3 = "TANDEM_MIB=8 TANDEM_CONNS=100 " $3; print }' \
		>"$dir/jobs/debug.list"
	[ ! -s "$dir/jobs/debug.list" ] ||
		job "$(seconds_of "$dir/jobs/debug.list")" debug uml_job debug debug --mem 2G
fi
for b in vm smp two; do
	wanted $b || continue
	for k in $kernels; do
		two=()
		# Not all by the same card.
		case $b-$k in
		smp-*) two=(--smp 2) ;;
		two-6.1) two=(--two --nic e1000) ;;
		two-6.12) two=(--two --nic vmxnet3) ;;
		two-*) two=(--two) ;;
		esac
		pick $b "$b-$k" "$b-${k%%.*}" >"$dir/jobs/list"
		[ -s "$dir/jobs/list" ] || continue
		job "$(seconds_of "$dir/jobs/list")" "$b-$k" vm_job $b "$k" "${two[@]}"
	done
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
