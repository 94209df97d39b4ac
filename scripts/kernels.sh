#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Stock Debian kernels for the test beds: 6.1 (bookworm), 6.12 (trixie) and
# 7.x (sid), each with its headers and the compiler that belongs to them, kept
# in ${TANDEM_CACHE:-~/.cache/tandem}/kernels. Nothing is installed on this
# machine: images are unpacked, and the newer two live in a chroot of their
# own, since a module wants the compiler its kernel was built with.
#
# Usage: scripts/kernels.sh COMMAND [KERNEL...]
#   get KERNEL...      fetch what is missing (6.1, 6.12, 7 or 7.x; default: all)
#   env KERNEL         print what is known about a fetched kernel, as shell
#                      variables: NAME RELEASE VMLINUZ MODULES ROOT KDIR
#   run KERNEL CMD...  run a command where that kernel's compiler is: in its
#                      chroot, with the checkout at /tandem
#   list               which kernels are there
#   refresh KERNEL...  fetch again, for a newer point release
# Exit status: 0 all there, 1 trouble, 77 a download was refused or failed
#   (the tests of that kernel are then skipped; never so for 6.1).

set -u
. "$(dirname "$0")/lib.sh"

# The suite a kernel's name stands for.
suite_of() {
	case $1 in
	6.1 | bookworm) echo bookworm ;;
	6.12 | trixie) echo trixie ;;
	7 | 7.* | sid) echo sid ;;
	*) die "unknown kernel '$1': 6.1, 6.12 and 7 (what sid has now) are known" ;;
	esac
}

dir_of() {
	local suite
	suite=$(suite_of "$1") || exit 1
	echo "$CACHE/kernels/$suite"
}

in_chroot() {
	local root=$1
	shift
	# A mount namespace of its own: the mounts vanish with the command.
	as_root unshare -m --propagation private /bin/sh -c '
		root=$1; src=$2; shift 2
		mount -t proc proc "$root/proc" &&
		mount --rbind /dev "$root/dev" &&
		mkdir -p "$root/tandem" && mount --bind "$src" "$root/tandem" &&
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C http_proxy="$http_proxy" \
			DEBIAN_FRONTEND=noninteractive "$@"' \
		sh "$root" "$SRC" "$@"
}

# Packages of the kernel proper: newer Debians split the image in several.
image_packages() {
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances linux-image-cloud-amd64 |
		sed -n 's/^\(linux-\(image\|binary\|modules\)-[0-9].*\)$/\1/p' |
		sort -u
}

write_env() {
	local dir=$1 base=$2 root=$3 kdir=$4 rel=$5 mods image
	for mods in "$base/usr/lib/modules/$rel" "$base/lib/modules/$rel"; do
		[ ! -d "$mods/kernel" ] || break
	done
	for image in "$base/boot/vmlinuz-$rel" "$mods/vmlinuz"; do
		[ ! -f "$image" ] || break
	done
	[ -f "$image" ] && [ -d "$mods/kernel" ] || die "no kernel $rel in $base"
	cat >"$dir/env.tmp" <<-END
		NAME=$(echo "$rel" | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
		RELEASE=$rel
		VMLINUZ=$image
		MODULES=$mods
		ROOT=$root
		KDIR=$kdir
	END
	mv "$dir/env.tmp" "$dir/env"
	say "the stock kernel $rel is ready"
}

# From this machine's own apt: unpack the image, use the installed headers.
get_from_apt() {
	local dir=$1 rel pkgs
	rel=$(cd /usr/src && ls -d linux-headers-6.1.*-cloud-amd64 2>/dev/null |
		sort -V | tail -n1)
	rel=${rel#linux-headers-}
	[ -n "$rel" ] || return 1
	mkdir -p "$dir/debs" "$dir/image"
	if [ -f "/boot/vmlinuz-$rel" ] && [ -d "/lib/modules/$rel/kernel" ] &&
	   [ -r "/boot/vmlinuz-$rel" ]; then
		mkdir -p "$dir/image/boot" "$dir/image/lib/modules"
		cp "/boot/vmlinuz-$rel" "$dir/image/boot/" &&
		cp -a "/lib/modules/$rel" "$dir/image/lib/modules/" || return 1
	else
		(cd "$dir/debs" &&
		 run_logged "fetching linux-image-$rel" "$dir/fetch.log" \
			apt-get download "linux-image-$rel") || return 1
		for pkgs in "$dir"/debs/*.deb; do
			dpkg -x "$pkgs" "$dir/image" || return 1
		done
		rm -rf "$dir/debs"
	fi
	write_env "$dir" "$dir/image" "" "/usr/src/linux-headers-$rel" "$rel"
}

bootstrap() {
	local suite=$1 root=$2 proxy
	proxy=$(apt_proxy)
	as_root rm -rf "$root" && mkdir -p "$root" &&
	as_root env ${proxy:+http_proxy="$proxy"} debootstrap \
		--variant=minbase --include=linux-headers-cloud-amd64,make,gcc,kmod,perl \
		"$suite" "$root" "$(apt_mirror)"
}

get_from_suite() {
	local suite=$1 dir=$2 root=$2/root rel pkgs
	http_proxy=$(apt_proxy)
	export http_proxy
	mkdir -p "$dir"
	run_logged "debootstrap of $suite (1 to 4 minutes, once)" \
		"$dir/debootstrap.log" bootstrap "$suite" "$root" || return 77
	rel=$(cd "$root/usr/src" && ls -d linux-headers-*-cloud-amd64 |
		sort -V | tail -n1)
	rel=${rel#linux-headers-}
	in_chroot "$root" sh -c "$(declare -f image_packages); image_packages" \
		>"$dir/packages" || return 77
	pkgs=$(tr '\n' ' ' <"$dir/packages")
	# shellcheck disable=SC2086 # a list of words
	run_logged "fetching $pkgs" "$dir/fetch.log" in_chroot "$root" \
		sh -c 'cd /root && apt-get -o APT::Sandbox::User=root download "$@" &&
		       for d in *.deb; do dpkg -x "$d" / || exit 1; done; rm -f ./*.deb' \
		sh $pkgs || return 77
	as_root chmod -R a+rX "$root/boot"
	as_root sh -c "rm -rf '$root'/var/cache/apt/archives/*.deb"
	write_env "$dir" "$root" "$root" "/usr/src/linux-headers-$rel" "$rel"
}

get() {
	local suite dir rc
	suite=$(suite_of "$1") || exit 1
	dir=$CACHE/kernels/$suite
	if [ -f "$dir/env" ]; then
		# 6.1's headers are the machine's: follow an upgrade of them.
		. "$dir/env"
		[ -n "$ROOT" ] || [ -d "$KDIR" ] && return 0
	fi
	(
		with_lock "kernel-$suite"
		[ -f "$dir/env" ] && [ -z "${STALE:-}" ] && . "$dir/env" &&
			[ -d "$ROOT$KDIR" ] && exit 0
		rm -f "$dir/env"
		if [ "$suite" = bookworm ] && get_from_apt "$dir"; then
			exit 0
		fi
		get_from_suite "$suite" "$dir"
	)
	rc=$?
	[ $rc -eq 0 ] || say "kernel $1 ($suite) is not to be had: see above"
	return $rc
}

main() {
	local cmd=${1:-} k rc=0 r
	[ $# -gt 0 ] && shift
	case $cmd in
	get)
		[ $# -gt 0 ] || set -- 6.1 6.12 7
		for k; do
			get "$k"
			r=$?
			[ $r -eq 0 ] || rc=$r
		done
		exit $rc
		;;
	env)
		[ $# -eq 1 ] || die "env wants one kernel's name"
		dir=$(dir_of "$1") || exit 1
		[ -f "$dir/env" ] || die "kernel $1 is not here: scripts/kernels.sh get $1"
		cat "$dir/env"
		;;
	run)
		[ $# -ge 2 ] || die "run wants a kernel and a command"
		dir=$(dir_of "$1") || exit 1
		shift
		[ -f "$dir/env" ] || die "that kernel is not here yet: scripts/kernels.sh get"
		. "$dir/env"
		[ -n "$ROOT" ] || exec "$@"
		http_proxy=$(apt_proxy)
		export http_proxy
		in_chroot "$ROOT" "$@"
		;;
	list)
		for k in bookworm trixie sid; do
			[ -f "$CACHE/kernels/$k/env" ] || continue
			(. "$CACHE/kernels/$k/env"; echo "$NAME	$RELEASE	$k")
		done
		;;
	refresh)
		for k; do
			dir=$(dir_of "$k") || exit 1
			as_root rm -rf "$dir"
			get "$k" || rc=$?
		done
		exit $rc
		;;
	-h | --help | help) usage ;;
	*) usage >&2; exit 1 ;;
	esac
}

main "$@"
