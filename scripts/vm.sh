#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot a stock Debian kernel in QEMU with this machine's programs and Tandem
# in it, and run something there.
#
# Usage: scripts/vm.sh [OPTIONS] [--] [COMMAND ARGS...]
#   COMMAND runs in the guest, in selftests/, as root; its exit status is ours.
#   --kernel NAME     6.1 (default), 6.12, 7 or 7.x
#   --no-module       do not build nor offer tandem.ko
#   --load            load tandem.ko before COMMAND (else: autoload, modprobe)
#   --tests FILE      run the tests of FILE (lines: NAME TIMEOUT COMMAND...)
#   --results FILE    write what came out of them, see scripts/console.py
#   --two             two guests, joined by a virtual Ethernet; both run the
#                     same, with TANDEM_ROLE=a or b, TANDEM_ADDR4, TANDEM_PEER4,
#                     TANDEM_ADDR6, TANDEM_PEER6 and TANDEM_DEV set
#   --nic MODEL       their cards: virtio-net-pci (default); vmxnet3 or e1000,
#                     which cut what is TCP's themselves. The kernels for clouds
#                     have no driver for the latter: with --kernel 6.1 it is
#                     built from that kernel's source, once
#   --smp N           processors (default 1; 2 finds races)
#   --mem MB          default 1024
#   --out DIR         what the guest leaves in /out comes here
#                     (default build/out/vm-KERNEL; with --two DIR/a and DIR/b)
#   --log FILE        the console log (default DIR/console.log)
#   --timeout SECONDS of wall clock, then the guest is killed (default 900)
#   --append ARGS     more kernel command line
#   --qemu ARGS       more arguments for QEMU
#   --icount          count instructions instead of time (one processor): a
#                     nanosecond of the guest's clocks is one instruction
#   --add FILE        a file for the guest, which finds it in /job (repeatable)
#   --env NAME=VALUE  an environment variable for COMMAND or the tests
#   --shell           an interactive shell (leave with exit)
#   -q                only the guest's own output, without time stamps
# Exit status: COMMAND's; 77 that kernel could not be fetched; 124 timed out;
#   125 the guest broke (crash, or the kernel warned: see the log).

set -u
. "$(dirname "$0")/lib.sh"

kernel=6.1 module=1 load= tests= results= two= nic=virtio-net-pci smp=1 mem=1024 out= log=
timeout=900 append= qemu= icount= shell= quiet= extra_env=() add=()
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2; shift ;;
	--no-module) module= ;;
	--load) load=1 ;;
	--tests) tests=$2; shift ;;
	--results) results=$2; shift ;;
	--two) two=1 ;;
	--nic) nic=$2; shift ;;
	--smp) smp=$2; shift ;;
	--mem) mem=$2; shift ;;
	--out) out=$2; shift ;;
	--log) log=$2; shift ;;
	--timeout) timeout=$2; shift ;;
	--append) append=$2; shift ;;
	--qemu) qemu=$2; shift ;;
	--icount) icount=1 ;;
	--add) add+=("$2"); shift ;;
	--env) extra_env+=("$2"); shift ;;
	--shell) shell=1 ;;
	-q) quiet=1 ;;
	-h | --help) usage; exit 0 ;;
	--) shift; break ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) break ;;
	esac
	shift
done
[ -n "$tests$shell" ] || [ $# -gt 0 ] ||
	die "nothing to run: give a COMMAND, --tests or --shell"
[ -z "$shell" ] || [ -z "$two" ] || die "--shell wants one guest"
command -v qemu-system-x86_64 >/dev/null ||
	die "qemu-system-x86_64 is missing: run scripts/deps.sh"

"$TOP/scripts/kernels.sh" get "$kernel" || exit $?
eval "$("$TOP/scripts/kernels.sh" env "$kernel")"
if [ -n "$module" ]; then
	"$TOP/scripts/build-for.sh" "$kernel" >/dev/null 2>"$CACHE/vm-$NAME-module.log" || {
		cat "$CACHE/vm-$NAME-module.log" >&2
		die "tandem.ko does not build for $NAME"
	}
fi
rootfs=$( (with_lock rootfs; "$TOP/scripts/rootfs.py" "$CACHE") ) ||
	die "no root file system"

out=${out:-$BUILD/out/vm-$NAME}
mkdir -p "$out"
out=$(cd "$out" && pwd)
log=${log:-$out/console.log}
work=$(mktemp -d "${TMPDIR:-/tmp}/tandem-vm.XXXXXX")
pids=
finish() {
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill $pids 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The kernel's modules, less what a guest has no use for, uncompressed; and the
# initramfs that gets as far as the disks. Once for each kernel.
prepare() {
	local tree=$base.tmp/tree/lib/modules/$RELEASE d ko m
	say "preparing the kernel $RELEASE for QEMU"
	rm -rf "$base.tmp" "$CACHE/vm-$RELEASE-"*
	mkdir -p "$tree/kernel"
	for d in arch crypto lib net drivers/net drivers/block drivers/virtio \
		 drivers/char/hw_random fs/ext4 fs/jbd2 fs/mbcache.ko fs/overlayfs; do
		[ -e "$MODULES/kernel/$d" ] || continue
		mkdir -p "$tree/kernel/$(dirname $d)"
		cp -r "$MODULES/kernel/$d" "$tree/kernel/$(dirname $d)/"
	done
	cp "$MODULES"/modules.{order,builtin,builtin.modinfo} "$tree/"
	find "$tree" -name '*.ko.xz' -exec xz -d -T1 {} +
	find "$tree" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	depmod -b "$base.tmp/tree" "$RELEASE" || return 1
	mkdir -p "$base.tmp/initrd/bin" "$base.tmp/initrd/ko"
	cp "$(command -v busybox)" "$base.tmp/initrd/bin/busybox"
	cp "$TOP/scripts/guest/vm-init" "$base.tmp/initrd/init"
	for m in virtio_pci virtio_blk ext4; do
		modprobe -d "$base.tmp/tree" -S "$RELEASE" --show-depends $m 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
	while read -r ko; do
		cp "$ko" "$base.tmp/initrd/ko/"
		basename "$ko"
	done >"$base.tmp/initrd/ko/order"
	(cd "$base.tmp/initrd" && find . | busybox cpio -o -H newc) \
		>"$base.tmp/initrd.img" 2>/dev/null || return 1
	mkdir "$base.tmp/disk" && cp -al "$tree/kernel" "$base.tmp/disk/kernel" &&
	disk "$base.tmp/disk" "$base.tmp/modules.img" || return 1
	rm -rf "$base.tmp/disk" "$base.tmp/initrd"
	mv "$base.tmp" "$base"
}

# An ext4 image of a directory, with no journal and little room to spare.
disk() { # DIRECTORY IMAGE
	local kb
	kb=$(du -sk --apparent-size "$1" | cut -f1)
	rm -f "$2"
	mke2fs -q -F -t ext4 -b 4096 -N $(($(find "$1" | wc -l) + 256)) \
		-O ^has_journal,^metadata_csum,^resize_inode -E lazy_itable_init=0 \
		-d "$1" "$2" $((kb * 5 / 4 + 4096))k >/dev/null
}

base=$CACHE/vm-$RELEASE-$({ cat "$TOP/scripts/guest/vm-init"; declare -f prepare disk
	} | sha256sum | cut -c1-8)
if [ ! -d "$base" ]; then
	(with_lock "vm-$RELEASE"; [ -d "$base" ] || prepare) ||
		die "cannot prepare the kernel $RELEASE"
fi

# The checkout as the guest sees it: sources of tests and what was built; not
# the other kernels' objects.
pay=$work/pay
mkdir -p "$pay/modules/extra" "$pay/job" "$pay/tandem"
(cd "$SRC" && for d in selftests scripts tools include; do
	[ ! -d $d ] || find -L $d -type f ! -name '*.o' ! -name '.*' -print0
done
[ ! -d build/tools ] || find build/tools -type f ! -name '*.o' -print0) |
	tar -C "$SRC" --null -T - -ch | tar -C "$pay/tandem" -x
mkdir -p "$pay/tandem/build"
cp -rL "$TOP/scripts" "$pay/guest"
if [ -n "$module" ]; then
	find "$BUILD/$NAME" -name '*.ko' -exec cp -t "$pay/modules/extra" {} +
fi

# A driver of the kernel's own that the kernel at hand was built without.
driver() { # SOURCE-DIRECTORY CONFIG
	local dir=$CACHE/driver-${1##*/}-$RELEASE source
	[ -f "$dir.ko" ] || (
		with_lock "driver-${1##*/}"
		[ -f "$dir.ko" ] && exit
		source=$("$TOP/scripts/source.sh") || exit 1
		rm -rf "$dir" && cp -r "$source/$1" "$dir" &&
		run_logged "building ${1##*/} for $NAME" "$dir.log" \
			make -C "$KDIR" M="$dir" "$2=m" -j"$(nproc)" modules &&
		mv "$dir/${1##*/}.ko" "$dir.ko" && rm -rf "$dir"
	) || die "cannot build the driver ${1##*/}"
	cp "$dir.ko" "$pay/modules/extra/${1##*/}.ko"
}
if [ "$nic" = e1000 ] &&
   ! find "$base/tree" -name 'e1000.ko' | grep -q .; then
	[ -z "$ROOT" ] || die "no e1000 in this kernel; its source is only at hand for 6.1"
	driver drivers/net/ethernet/intel/e1000 CONFIG_E1000
fi
tree=$work/tree/lib/modules/$RELEASE
mkdir -p "$tree/extra"
cp -al "$base/tree/lib/modules/$RELEASE/." "$tree/" 2>/dev/null ||
	cp -a "$base/tree/lib/modules/$RELEASE/." "$tree/"
cp "$pay"/modules/extra/*.ko "$tree/extra/" 2>/dev/null
rm -f "$tree"/modules.{dep,alias,symbols,softdep,devname}*
depmod -b "$work/tree" "$RELEASE"
cp "$tree"/modules.* "$pay/modules/"
rm -rf "$work/tree"

[ ${#add[@]} -eq 0 ] || cp -t "$pay/job" -- "${add[@]}" || die "no such file to add"
if [ -n "$tests" ]; then
	cp "$tests" "$pay/job/tests"
elif [ -z "$shell" ]; then
	printf '%q ' "$@" >"$pay/job/command"
fi

# KVM where the processor has it and a probe boot comes back; on some virtual
# machines /dev/kvm opens and then hangs.
accel=(-accel "tcg,thread=multi" -cpu "qemu64,-cx16")
kernel_args="nokaslr"
if [ -z "$icount" ] && [ -w /dev/kvm ] &&
   grep -qwE 'vmx|svm' /proc/cpuinfo; then
	probe=$CACHE/kvm-$(uname -r)-$(sed -n 's/^btime //p' /proc/stat)
	if [ ! -f "$probe" ]; then
		say "trying KVM"
		if timeout 30 qemu-system-x86_64 -accel kvm -cpu host -m 256 -display none \
			-nodefaults -no-reboot -kernel "$VMLINUZ" -initrd /dev/null \
			-append "panic=-1" >/dev/null 2>&1; then
			echo yes >"$probe"
		else
			echo no >"$probe"
		fi
	fi
	if [ "$(cat "$probe")" = yes ]; then
		accel=(-accel kvm -cpu host)
		kernel_args=
	fi
fi
# Counting instructions: a processor without ERMS, where "rep movsb" is one
# instruction whatever it moves; and the TSC as clock, as on real machines,
# which here is the count itself.
tsc=tsc=unstable
[ -z "$icount" ] || { accel=(-accel tcg -icount "shift=0,sleep=off"
	-cpu "Westmere,-rdrand,-erms"); smp=1 tsc=tsc=reliable; }

# start SIDE ROLE NET-ARGS...: make that guest's disks, then become QEMU
guest() {
	local side=$1 role=$2
	shift 2
	{
		echo "TANDEM_BED=${two:+two-}vm"
		echo "TANDEM_TTY=/dev/ttyS1"
		echo "TANDEM_OUTDEV=/dev/vdd"
		echo "TANDEM_KERNEL=$NAME"
		echo "TANDEM_LOAD=$load"
		echo "TANDEM_ROLE=$role"
		echo "TANDEM_SHELL=$shell"
		[ -z "$shell" ] || echo "TERM=${TERM:-dumb}"
		[ ${#extra_env[@]} -eq 0 ] || printf '%q\n' "${extra_env[@]}"
	} >"$pay/job/env"
	disk "$pay" "$work/pay-$side.img" || die "mke2fs failed"
	truncate -s 256M "$work/out-$side.img"
	args=(qemu-system-x86_64 "${accel[@]}" -m "$mem" -smp "$smp" -display none
		-nodefaults -no-reboot -kernel "$VMLINUZ" -initrd "$base/initrd.img"
		-drive "file=$rootfs,if=virtio,format=raw,readonly=on"
		-drive "file=$base/modules.img,if=virtio,format=raw,readonly=on"
		-drive "file=$work/pay-$side.img,if=virtio,format=raw,readonly=on"
		-drive "file=$work/out-$side.img,if=virtio,format=raw,cache=unsafe"
		"$@")
	# shellcheck disable=SC2206 # words
	args+=($qemu)
}

collect() { # SIDE DIRECTORY
	if [ "$(head -c1 "$work/out-$1.img" | tr -d '\0' | wc -c)" = 1 ]; then
		mkdir -p "$2"
		tar -C "$2" -xf "$work/out-$1.img" --no-same-owner 2>/dev/null
	fi
	return 0
}

command_line="console=ttyS0 panic=-1 oops=panic $kernel_args
	$tsc random.trust_cpu=on quiet loglevel=7 $append"
# shellcheck disable=SC2086,SC2116 # one line of it
command_line=$(echo $command_line)

if [ -n "$shell" ]; then
	guest one ""
	say "booting $RELEASE (leave with exit)"
	"${args[@]}" -serial "file:$log" -serial stdio -append "$command_line"
	stty sane 2>/dev/null
	collect one "$out"
	exit 0
fi

opts=(--timeout "$timeout")
[ -z "$quiet" ] || opts+=(--quiet)
run() { # SIDE BED LOG RESULTS
	[ -z "$4" ] || opts+=(--results "$4" --progress)
	"$TOP/scripts/console.py" "${opts[@]}" --bed "$2" --log "$3" -- "${args[@]}" \
		-serial file:/proc/self/fd/3 -serial stdio -append "$command_line"
}

if [ -z "$two" ]; then
	guest one ""
	# In the background, so that a signal to us is heard and ends the guest.
	run one "vm-$NAME" "$log" "$results" &
	pids=$!
	wait "$pids"
	rc=$?
	pids=
	collect one "$out"
	exit $rc
fi

# Two guests: datagrams over unix sockets are the wire between them.
rc=0
for side in a b; do
	other=b
	[ $side = a ] || other=a
	mac=52:54:00:00:00:01
	[ $side = a ] || mac=52:54:00:00:00:02
	guest $side $side -device "$nic,netdev=n,mac=$mac" \
		-netdev "dgram,id=n,local.type=unix,local.path=$work/wire-$side,remote.type=unix,remote.path=$work/wire-$other"
	mkdir -p "$out/$side"
	run $side "two-$NAME-$side" "$out/$side/console.log" \
		"${results:+$results.$side}" &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || rc=$?
done
pids=
collect a "$out/a"
collect b "$out/b"
[ -z "$results" ] || cat "$results.a" "$results.b" >"$results" 2>/dev/null
exit $rc
