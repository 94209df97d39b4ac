#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job, on any Debian machine: boot a stock kernel in a virtual machine,
# load Tandem there, let an unmodified curl fetch a page from an unmodified nginx
# across delay and loss, and show the segments. Installs what is missing.
#
# Usage: scripts/demo.sh [OPTIONS]
#   -k, --kernel NAME  6.1 (default), 6.12 or 7.x
#   -6                 over IPv6
#   --delay MS         each way (default 10)
#   --loss PERCENT     each way (default 3)
#   --size BYTES       of the page (default 200000)
#   --all              print every segment, not the telling ones
#   --tcp              the same with the kernel's own TCP, to compare
#   --picture          write the documentation's pictures anew out of this run
#   -o DIR             for capture and pages (default build/demo)
# Exit status: 0, or what went wrong is on the screen.

set -u
. "$(dirname "$0")/lib.sh"

kernel=6.1 v=4 delay=10 loss=3 size=200000 brief=--brief proto=254 out=$BUILD/demo
module=() picture=
while [ $# -gt 0 ]; do
	case $1 in
	-k | --kernel) kernel=$2; shift ;;
	-6) v=6 ;;
	--delay) delay=$2; shift ;;
	--loss) loss=$2; shift ;;
	--size) size=$2; shift ;;
	--all) brief= ;;
	--tcp) proto=6; module=(--no-module) ;;
	--picture) picture=1 ;;
	-o) out=$2; shift ;;
	-h | --help) usage; exit 0 ;;
	*) die "unknown option $1 (see --help)" ;;
	esac
	shift
done

"$TOP/scripts/deps.sh" build vm test || die "cannot install what the demo needs: see above"
mkdir -p "$out" || die "cannot write to $out"
rm -f "$out/capture.pcap" "$out/time-sequence.html" "$out/segments.txt"

[ -n "$(command -v python3)" ] || die "python3 is missing: run scripts/deps.sh"
run_logged "building the tools" "$out/tools.log" make -C "$TOP/tools" ||
	die "the tools do not build"
"$TOP/scripts/kernels.sh" get "$kernel" || die "no kernel $kernel to boot"
if [ $proto = 254 ]; then
	run_logged "building tandem.ko for $kernel" "$out/module.log" \
		"$TOP/scripts/build-for.sh" "$kernel" ||
		die "tandem.ko does not build for $kernel"
fi

say "booting the stock kernel $kernel in QEMU (10 to 30 seconds without KVM)"
"$TOP/scripts/vm.sh" --kernel "$kernel" "${module[@]}" --out "$out" -q \
	--timeout 300 --env "DEMO_PROTO=$proto" --env "DEMO_DELAY=$delay" \
	--env "DEMO_LOSS=$loss" --env "DEMO_V=$v" --env "DEMO_SIZE=$size" \
	--env "DEMO_ROUNDS=10" -- bash /guest/guest/demo ||
	die "the demo failed in the guest; its console is in $out/console.log"
[ -s "$out/capture.pcap" ] || die "no capture came back from the guest"

annotate() {
	python3 "$TOP/scripts/annotate.py" --proto $proto "$@" "$out/capture.pcap"
}
annotate >"$out/segments.txt" || die "the capture cannot be read"
title="A web page over Tandem"
[ $proto = 254 ] || title="A web page over TCP"
python3 "$TOP/scripts/plot.py" --proto $proto --title "$title" \
	"$out/capture.pcap" "$out/time-sequence.html" || die "the plot failed"

if [ -n "$picture" ]; then
	annotate --ladder >"$TOP/Documentation/picture.txt" || die "no picture"
	python3 "$TOP/scripts/plot.py" --proto $proto --svg "$out/capture.pcap" \
		"$TOP/Documentation/connection.svg" || die "no picture"
	say "Documentation/picture.txt and Documentation/connection.svg are new"
fi

echo
annotate $brief
echo
annotate --check
cat <<END

What to look for: SYN and SYN ACK announce where each side's numbers begin; data
segments that carry an ACK along (piggybacked); duplicate ACKs whose SACK blocks show
the hole; the retransmission that fills it; the FINs at the end.

  time-sequence page  $out/time-sequence.html  (open it in a browser)
  every segment       $out/segments.txt
  the capture         $out/capture.pcap        (tshark -d ip.proto==254,tcp -r ...)
END
