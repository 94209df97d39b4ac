#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Check the sources: checkpatch --strict, sparse and the compiler's extra
# warnings (on the module, with a test kernel), kernel-doc, shellcheck, and
# whether the documentation tells what the source does.
#
# Usage: scripts/check.sh [KERNEL | KDIR=...] [ONLY...]
#   KERNEL   whose headers: 6.1 (default), 6.12, 7.x
#   ONLY     checkpatch, sparse, kernel-doc, shellcheck, docs; default: all
# Exit status: 0 nothing found, 1 something.

set -u
. "$(dirname "$0")/lib.sh"

kernel=6.1 only=
for arg; do
	case $arg in
	-h | --help) usage; exit 0 ;;
	KDIR=) ;;
	KDIR=* | [0-9]*) kernel=$arg ;;
	checkpatch | sparse | kernel-doc | shellcheck | docs) only="$only $arg" ;;
	*) die "unknown argument $arg (see --help)" ;;
	esac
done
only="${only:- checkpatch sparse kernel-doc shellcheck docs} "
cd "$SRC" || exit 1
failed=
out=$BUILD/check
mkdir -p "$out"
linux=$("$TOP/scripts/source.sh" --kselftest) || exit 1

report() { # NAME LOG
	if [ -s "$2" ]; then
		cat "$2"
		say "$1: $(wc -l <"$2") lines of complaint"
		failed=1
	else
		say "$1: clean"
	fi
}

sources() { git ls-files -co --exclude-standard "$@" 2>/dev/null || find . -name "$1"; }

case $only in *" checkpatch "*)
	sources 'module/*.[ch]' 'include/*.h' 'tools/*.[ch]' 'selftests/*.[ch]' |
		sort | xargs -r "$linux/scripts/checkpatch.pl" --no-tree --strict --terse \
			--quiet --show-types \
			--ignore FILE_PATH_CHANGES,SPLIT_STRING,PREFER_KERNEL_TYPES -f \
			>"$out/checkpatch.all" 2>&1
	# Lists of X(), tracepoints and macros that stand for a piece of a
	# prototype cannot be what it wants; the kernel's own are not either. Our
	# proto_ops learn at start what TCP's have. One in a fixed-point number, and the
	# size of a ring, are no bits of a mask.
	grep -vE -e '^(module/cong_|selftests/unit/linksim)[^:]*:[0-9]+: CHECK:BIT_MACRO:' -e '^include/tandem/pure_user\.h:[0-9]+: CHECK:CAMELCASE:.*_Static_assert'  -e '^total: ' -e "^module/socket\.[ch]:[0-9]+: WARNING:CONST_STRUCT:.*proto_ops" -e "^tools/tool.h:[0-9]+: WARNING:PREFER_DEFINED_ATTRIBUTE_MACRO:" -e '^module/(compat|mib|reason|trace)\.h:[0-9]+: (ERROR:(COMPLEX_MACRO|SPACING)|WARNING:(MACRO_WITH_FLOW_CONTROL|TRAILING_SEMICOLON)|CHECK:(MACRO_ARG_REUSE|MACRO_ARG_PRECEDENCE|OPEN_ENDED_LINE|PARENTHESIS_ALIGNMENT)):' \
		"$out/checkpatch.all" >"$out/checkpatch"
	report checkpatch "$out/checkpatch" ;;
esac
case $only in *" sparse "*)
	touch "$out/.now"
	TANDEM_FARM=check-build run_logged "building with W=1 and sparse" "$out/build" \
		"$TOP/scripts/build-for.sh" "$kernel" W=1 C=2 CHECK="sparse" \
		TANDEM_APART=1 modules ||
		failed=1
	# The headers' own warnings are the kernel's.
	grep -E '(warning|error):' "$out/build" | grep -v -e 'usr/src/linux' |
		sort -u >"$out/sparse"
	report "sparse and W=1" "$out/sparse" ;;
esac
case $only in *" kernel-doc "*)
	sources 'module/*.[ch]' 'include/*.h' | xargs -r perl "$linux/scripts/kernel-doc" \
		-none >"$out/kernel-doc" 2>&1
	grep -v ': info:' "$out/kernel-doc" | grep . >"$out/kernel-doc.bad"
	report kernel-doc "$out/kernel-doc.bad" ;;
esac
case $only in *" shellcheck "*)
	sources 'scripts/*' 'selftests/*.sh' 'tools/*.sh' .ci/run debian |
		while read -r f; do
			head -n1 "$f" | grep -qE '^#!.*(sh|bash)$|^#!.* sh$|^# SPDX' &&
				head -n2 "$f" | grep -qE 'sh$|shellcheck|^# SPDX' &&
				case $f in *.py | *.config | *.list) ;; *) echo "$f" ;; esac
		done | grep -v -e Makefile -e Kbuild |
		xargs -r shellcheck -x -f gcc -S warning -e SC1090,SC1091,SC1007,SC2187 \
			>"$out/shellcheck" 2>&1
	report shellcheck "$out/shellcheck" ;;
esac
case $only in *" docs "*)
	"$TOP/scripts/check-docs.py" --quiet --build >"$out/docs" 2>&1
	report documentation "$out/docs" ;;
esac
[ -z "$failed" ]
