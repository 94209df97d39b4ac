#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Install the Debian packages that building, the demo and the tests need, and
# that are missing here. No service is started or enabled by it.
#
# Usage: scripts/deps.sh [--check | --list] [GROUP...]
#   --check   only say what is missing; exit status 1 if anything is
#   --list    print all packages
#   GROUP     build, vm, uml, test, check; default: all of them; and bench
# Needs root, or sudo, only if something is missing. Quiet if nothing is.

# shellcheck disable=SC2034 # the groups are read by name

set -u
. "$(dirname "$0")/lib.sh"

build="make gcc libc6-dev bc kmod libelf-dev xz-utils linux-headers-cloud-amd64"
vm="qemu-system-x86 debootstrap busybox-static e2fsprogs kmod xz-utils zstd
	cpio python3 util-linux"
uml="linux-source-6.1 flex bison bc libelf-dev xz-utils busybox-static kmod
	python3"
test="bash iproute2 iputils-ping tcpdump ethtool nftables procps socat curl
	nginx-light iperf3 redis-server redis-tools netcat-openbsd strace
	openssh-client dropbear-bin python3-scapy libmnl-dev kmod"
check="sparse shellcheck perl linux-source-6.1 python3-sphinx"
bench="$build $uml clang iproute2 python3-matplotlib"

mode=install groups=()
for arg; do
	case $arg in
	--check) mode=check ;;
	--list) mode=list ;;
	-h | --help) usage; exit 0 ;;
	build | vm | uml | test | check | bench) groups+=("$arg") ;;
	*) die "unknown argument $arg (see --help)" ;;
	esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build vm uml test check)
packages=$(for g in "${groups[@]}"; do echo "${!g}"; done | tr -s ' \t\n' '\n' |
	sort -u | grep .)
if [ $mode = list ]; then
	echo "$packages"
	exit 0
fi
command -v dpkg-query >/dev/null ||
	die "this is no Debian machine: install what scripts/deps.sh --list says in your system's way"

# shellcheck disable=SC2086 # a list of words
here=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null |
	sed -n 's/ installed$//p')
missing=$(comm -23 <(echo "$packages") <(echo "$here" | sort -u))
[ -n "$missing" ] || exit 0
if [ $mode = check ]; then
	echo "$missing"
	exit 1
fi

say "installing by apt (no service will be started):"
say "  $(echo "$missing" | tr '\n' ' ')"
[ "$(id -u)" = 0 ] || say "  as root, through sudo"

policy=/usr/sbin/policy-rc.d
saved=
log=$CACHE/deps.log
mkdir -p "$CACHE"
restore() {
	[ -z "$saved" ] && return
	as_root rm -f $policy
	[ "$saved" = none ] || as_root mv "$saved" $policy
	saved=
}
trap restore EXIT
trap 'exit 130' INT TERM
if [ -e $policy ]; then
	as_root cp -a $policy $policy.tandem || exit 1
	saved=$policy.tandem
else
	saved=none
fi
# "Action forbidden by policy": what invoke-rc.d and its like obey.
printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null &&
	as_root chmod 755 $policy || die "cannot write $policy"

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}
# shellcheck disable=SC2086 # a list of words
install() {
	apt install --no-install-recommends $missing
}
run_logged "updating apt's lists" "$log" apt update ||
	say "apt's lists could not be updated, going on with those that are here"
run_logged "installing $(echo "$missing" | wc -l) packages" "$log" install ||
	die "apt could not install all of it: see $log; after that, run this again"
# Nor at the next boot: a machine that runs tests is no web server.
if [ -d /run/systemd/system ]; then
	for s in nginx redis-server; do
		if echo "$missing" | grep -q "^$s"; then
			as_root systemctl disable -q "$s" 2>/dev/null
		fi
	done
fi
exit 0
