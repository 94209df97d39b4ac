#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build tandem.ko for one of the test kernels in build/NAME/, which is a tree
# of real directories with links to the checkout's files: so several kernels'
# objects live side by side, on kernels without MO= too.
#
# Usage: scripts/build-for.sh KERNEL [MAKE-ARGS...]
#   KERNEL      6.1, 6.12, 7 or 7.x (fetched if need be), uml, or a kernel
#               build directory as KDIR=/lib/modules/6.1.0-56-cloud-amd64/build
#   MAKE-ARGS   as W=1, C=2, clean, module/rtt.o; default: modules
# Prints the directory the module is in. A plain build ("modules") of these very
# sources for this very kernel, made before in whatever checkout, is taken from
# ${TANDEM_CACHE:-~/.cache/tandem}/modules; TANDEM_CACHE_MODULES=0 builds anyway.
# Exit status: 0 built, 77 that kernel could not be fetched, else failed.

set -u
. "$(dirname "$0")/lib.sh"

case ${1:-} in
-h | --help) usage; exit 0 ;;
'') usage >&2; exit 1 ;;
esac
kernel=$1
shift
[ $# -gt 0 ] || set -- modules

case $kernel in
uml | uml-*)
	NAME=$kernel ROOT=
	variant=${kernel#uml}
	KDIR=$("$TOP/scripts/uml.sh" ${variant:+--variant "${variant#-}"} --build) || exit 1
	set -- ARCH=um "$@"
	;;
KDIR=*)
	KDIR=${kernel#KDIR=} ROOT=
	[ -f "$KDIR/include/config/kernel.release" ] ||
		die "$KDIR is not a configured kernel tree"
	NAME=$(cat "$KDIR/include/config/kernel.release")
	;;
*)
	"$TOP/scripts/kernels.sh" get "$kernel" || exit $?
	eval "$("$TOP/scripts/kernels.sh" env "$kernel")"
	;;
esac

# Modules that Documentation/ shows how to write, which a test loads.
examples=Documentation/examples/cong_aimd

# TANDEM_FARM: another name for the tree, where other flags shall not disturb.
NAME=${TANDEM_FARM:-$NAME}
farm=$BUILD/$NAME
make_farm() {
	local d up f links
	mkdir -p "$farm/scripts"
	rm -f "$farm/Kbuild" "$farm/scripts/probe.sh"
	ln -s ../../Kbuild "$farm/Kbuild"
	ln -s ../../../scripts/probe.sh "$farm/scripts/probe.sh"
	while read -r d; do
		mkdir -p "$farm/$d"
		up=$(printf '%s' "$d" | tr -d -c / | sed 's,/,../,g')../../..
		links=()
		for f in "$SRC/$d"/*.[chS] "$SRC/$d"/*.list "$SRC/$d"/Kbuild; do
			[ -f "$f" ] || continue
			case $f in *.mod.c) continue ;; esac
			[ -L "$farm/$d/${f##*/}" ] || links+=("$up/$d/${f##*/}")
		done
		[ ${#links[@]} -eq 0 ] || ln -sf -t "$farm/$d" "${links[@]}"
	done < <(cd "$SRC" &&
		find -L module include $examples -name '.*' -prune -o -type d -print)
	# Files that are gone from the checkout leave dangling links.
	find "$farm" -xtype l -delete
}

with_lock "build-$(echo "$farm" | sha256sum | cut -c1-12)"
# Nothing newer than the last build: spare the seconds make takes to see that.
plain=
case "$*" in
modules | "ARCH=um modules") plain=1 ;;
esac
if [ -n "$plain" ] && [ -f "$farm/tandem.ko" ] && [ -f "$farm/.built" ] &&
   [ "$(cat "$farm/.built")" = "$KDIR" ] &&
   [ -z "$(cd "$SRC" && find -L Kbuild module include $examples scripts/probe.sh \
	-newer "$farm/.built" \( -type d -o -name '*.[chS]' -o -name '*.list' \
	-o -name Kbuild -o -name probe.sh \) -print -quit)" ]; then
	echo "$farm"
	exit 0
fi
mkdir -p "$BUILD"
echo "$KDIR" >"$farm.start"
make_farm

# What was built of the same sources for the same kernel and compiler is the same,
# wherever the checkout lies: a fresh clone need not compile it again.
modules_key() {
	local k=$ROOT$KDIR
	{
		printf '%s\n' "$NAME" "$*" "${CC:-} ${LLVM:-} ${KCFLAGS:-}"
		cat "$k/include/config/kernel.release" "$k/include/generated/autoconf.h" \
			"$k/include/config/auto.conf" "$k/Module.symvers" "$0" 2>/dev/null
		cd "$SRC" && find -L Kbuild module include $examples scripts/probe.sh \
			-type f \( -name '*.[chS]' -o -name '*.list' -o -name Kbuild \
			-o -name probe.sh \) ! -name '*.mod.c' -print0 |
			LC_ALL=C sort -z | xargs -0 sha256sum
	} | sha256sum | cut -c1-32
}
store=
if [ -n "$plain" ] && [ "${TANDEM_CACHE_MODULES:-1}" != 0 ]; then
	store=$CACHE/modules/$(modules_key "$@")
	if [ -f "$store/tandem.ko" ]; then
		say "tandem.ko of these sources for $NAME was built before: $store"
		cp -r "$store/." "$farm/" || exit 1
		touch "$store"
		mv "$farm.start" "$farm/.built"
		echo "$farm"
		exit 0
	fi
fi
keep() {
	local tmp
	mkdir -p "$CACHE/modules" && tmp=$(mktemp -d "$CACHE/modules/new.XXXXXX") &&
	(cd "$farm" && find . -name '*.ko' -type f -exec cp --parents -t "$tmp" {} +) &&
	{ mv -T "$tmp" "$store" 2>/dev/null || rm -rf "$tmp"; }
	# Of what nobody asked for in a month, nothing stays.
	find "$CACHE/modules" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +
}
build() { # FOLDER MAKE-ARGS...: of the farm; "" is tandem.ko itself
	local sub=$1
	shift
	if [ -z "$ROOT" ]; then
		make -C "$KDIR" M="$farm$sub" -j"$JOBS" "$@" >&2
	else
		"$TOP/scripts/kernels.sh" run "$kernel" \
			make -C "$KDIR" M="/tandem/build/$NAME$sub" -j"$JOBS" "$@" \
			2>&1 | sed -u "s,/tandem/build/$NAME/,,g" >&2
		return "${PIPESTATUS[0]}"
	fi
}
build "" "$@"
rc=$?
if [ $rc -eq 0 ] && [ -n "$plain" ]; then
	for example in $examples; do
		build "/$example" "$@" || rc=$?
	done
fi
if [ $rc -eq 0 ] && [ -n "$plain" ]; then
	mv "$farm.start" "$farm/.built"
	[ -z "$store" ] || keep
else
	rm -f "$farm.start" "$farm/.built"
fi
[ $rc -eq 0 ] && echo "$farm"
exit $rc
