# SPDX-License-Identifier: GPL-2.0
#
# make          tandem.ko for the running kernel (or KDIR=...), and the tools
# make help     everything else

# The kernel to build for: the running one, else the newest whose headers are
# installed.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -dv /lib/modules/*/build /usr/src/linux-headers-*64 2>/dev/null | tac))
JOBS ?= $(shell nproc)
DESTDIR ?=
PREFIX ?= /usr/local
# Every test command takes T=name, and test-vm KERNEL=6.1 and the like.
T ?=
KERNEL ?=
# The benches take these as well: see scripts/bench/sim.py and cpu.py.
BENCH ?=
PEERS ?=
SEEDS ?=
LANES ?=
BOOTS ?=
IDLE ?=
PROFILE ?=
export T KERNEL JOBS BENCH PEERS SEEDS LANES BOOTS IDLE PROFILE

all: modules tools

modules:
	@test -n "$(KDIR)" || { \
		echo "make: no kernel headers here: install linux-headers for your kernel"; \
		echo "      (scripts/deps.sh build does), or say KDIR=/path/to/kernel"; exit 1; }
	+$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	+$(MAKE) -C tools

selftests:
	+$(MAKE) -C selftests

demo:
	@scripts/demo.sh $(DEMO)

test:
	@scripts/deps.sh
	@scripts/test.sh all

test-unit test-kunit test-vm test-uml test-sim test-two test-tools test-debug:
	@scripts/deps.sh
	@scripts/test.sh $(@:test-%=%)

bench-sim:
	@scripts/deps.sh bench
	@scripts/bench/sim.py

bench-cpu:
	@scripts/deps.sh vm build
	@scripts/bench/cpu.py

bench: bench-cpu bench-sim

bench-doc:
	@scripts/deps.sh bench
	@scripts/bench/doc.py

check:
	@scripts/deps.sh check build
	@scripts/check.sh KDIR=$(KDIR)

install: all
	+$(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) \
		modules_install
	+$(MAKE) -C tools install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(if $(DESTDIR),,depmod -a "$$(cat $(KDIR)/include/config/kernel.release)")

clean:
	@test ! -d "$(KDIR)" || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	-@$(MAKE) -C tools clean
	rm -rf build
	find selftests -maxdepth 1 -type f -executable ! -name '*.*' -delete

help:
	@echo 'make                  tandem.ko (KDIR=$(KDIR)) and the tools'
	@echo 'make demo             a web page over Tandem in a virtual machine, explained'
	@echo 'make test             all tests; the last line counts them'
	@echo 'make test-unit        the pure rooms in user space, with sanitizers'
	@echo 'make test-kunit       the same in a kernel (UML)'
	@echo 'make test-tools       tandem(8), without the module'
	@echo 'make test-vm          selftests on stock kernels in QEMU [KERNEL=6.1|6.12|7.2]'
	@echo 'make test-two         two virtual machines on one wire [KERNEL=...]'
	@echo 'make test-uml         selftests in user-mode Linux'
	@echo 'make test-sim         selftests in virtual time'
	@echo 'make test-debug       those of test-uml with KASAN, lockdep and kmemleak; slow,'
	@echo '                      and not part of make test'
	@echo '                      each with T=name for the tests whose name has that'
	@echo 'make bench-sim        Tandem, TCP, SCTP and MPTCP side by side in virtual time'
	@echo '                      [BENCH=quick] [T=goodput/100M/50ms/1%,short]'
	@echo '                      [PEERS=tandem-*,tcp-bbr] [SEEDS=5] [LANES=2]'
	@echo 'make bench-cpu        the same in instructions and bytes, counted by an emulator'
	@echo '                      [T=rr,crr,memory/pair] [PEERS=tandem,tcp] [BOOTS=3]'
	@echo '                      [IDLE=100000] [KERNEL=6.1] [PROFILE=1]'
	@echo 'make bench            both (T= and PEERS= are for one of them)'
	@echo 'make bench-doc        tables and pictures of what was measured last'
	@echo 'make check            checkpatch, sparse, warnings, kernel-doc, shellcheck'
	@echo 'make install          module and tools, DESTDIR= and PREFIX= respected'
	@echo 'make clean            remove what was built (not the cache of kernels,'
	@echo '                      $${TANDEM_CACHE:-~/.cache/tandem})'
	@echo 'make -C selftests run_tests   the selftests on this very machine'

.PHONY: all modules tools selftests demo test test-unit test-kunit test-vm \
	test-uml test-sim test-two test-tools test-debug bench bench-cpu bench-sim \
	bench-doc check install clean help
