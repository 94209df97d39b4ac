#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel source that the UML kernel, checkpatch, kernel-doc and kselftest's
# lib.mk come from: Debian's linux-source-6.1 package, unpacked once into
# ${TANDEM_CACHE:-~/.cache/tandem}/source-VERSION.
#
# Usage: scripts/source.sh [--kselftest | --version]
#   (nothing)     unpack if need be, print the tree's path
#   --kselftest   only kselftest's shared files and the scripts of "make check":
#                 seconds instead of a minute; print that smaller tree's path
#   --version     print the package's version

set -u
. "$(dirname "$0")/lib.sh"

TAR=/usr/src/linux-source-6.1.tar.xz
VERSION=$(dpkg-query -W -f '${Version}' linux-source-6.1 2>/dev/null)

unpack() { # DIR MEMBER-PATTERN...
	local dir=$1
	shift
	rm -rf "$dir.tmp" && mkdir -p "$dir.tmp" &&
	tar -C "$dir.tmp" --strip-components=1 -xf "$TAR" \
		--exclude='*/drivers/gpu/drm/amd/include' \
		--exclude='*/arch/*/boot/dts' "$@" &&
	mv "$dir.tmp" "$dir"
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
--version) echo "${VERSION:-none}"; exit 0 ;;
esac
[ -n "$VERSION" ] && [ -f $TAR ] ||
	die "the package linux-source-6.1 is missing: run scripts/deps.sh"

dir=$CACHE/source-$VERSION
if [ "${1:-}" = --kselftest ] && [ ! -d "$dir" ]; then
	dir=$CACHE/kselftest-$VERSION
	if [ ! -d "$dir" ]; then
		with_lock kselftest
		[ -d "$dir" ] || run_logged "unpacking kselftest's library" \
			"$CACHE/unpack.log" unpack "$dir" --wildcards \
			'*/tools/testing/selftests/lib.mk' \
			'*/tools/testing/selftests/kselftest*' \
			'*/tools/build' '*/tools/scripts' \
			'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' \
			'*/scripts/subarch.include' '*/scripts/config' || exit 1
	fi
elif [ ! -d "$dir" ]; then
	with_lock source
	[ -d "$dir" ] || run_logged "unpacking linux-source-6.1 (once)" \
		"$CACHE/unpack.log" unpack "$dir" || exit 1
fi
echo "$dir"
