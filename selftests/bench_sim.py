#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The bench itself (scripts/bench/): what it says of a known peer is known.

The kernel's TCP takes 10 segments for an exchange of 100 B and 1 KB, sends
every payload byte of a transfer through the bottleneck once where nothing is
lost, and cannot be faster than the link. If that comes out, the topology, the
counting and the clock are right; then Tandem is measured the same way.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(os.path.dirname(HERE), 'scripts', 'bench')
sys.path.insert(0, BENCH)
sys.dont_write_bytecode = True

import guest  # noqa: E402
import plan  # noqa: E402
from netspace import Missing, Trouble  # noqa: E402

MSS = 1448
PEERS = (('tcp', {'proto': 6, 'cc': 'cubic'}), ('tandem', {'proto': 254}))
count = bad = 0


def result(ok, name, why=''):
    global count, bad
    count += 1
    bad += not ok
    if why:
        print('# %s' % why)
    print('%sok %d %s' % ('' if ok else 'not ', count, name), flush=True)


def measured(peer, **more):
    run = dict({'rate': 100000000, 'rtt_ms': 50, 'bdp': 1, 'seed': 1,
                'sysctls': dict(plan.HOST, **plan.FORGET)}, **peer, **more)
    net = guest.Net(run)
    try:
        return guest.KINDS[run['kind']](net, run), net.bottleneck()
    finally:
        net.close()


def exchange(name, peer):
    got, _ = measured(peer, kind='segments', up=100, down=1024, flows=4)
    n = got['segments']
    result(n == 10 if name == 'tcp' else 3 < n <= 10,
           '%s.segments_of_an_exchange' % name, '%g segments' % n)


def transfer(name, peer):
    size = 2000000
    got, fifo = measured(peer, kind='bulk', bytes=size)
    share = got['goodput']
    result(.3 < share < MSS / 1514, '%s.goodput_within_the_link' % name,
           '%.1f %% of the link' % (share * 100))
    # Full segments, and a few without data.
    least = -(-size // MSS)
    result(least < fifo['packets'] <= least + 12, '%s.every_byte_passes_once' % name,
           '%d packets for %d segments of data' % (fifo['packets'], least))


def queue(name, peer):
    got, _ = measured(peer, kind='queue', seconds=2, parties=[dict(peer, flows=1)],
                      **{'from': 0})
    result(0 < got['queue_max'] <= 50 and got['queue_p50'] <= got['queue_p95'],
           '%s.queue_is_that_of_the_buffer' % name,
           'p50 %(queue_p50)s p95 %(queue_p95)s max %(queue_max)s ms' % got)


def main():
    print('TAP version 13')
    with open('/proc/cmdline', encoding='ascii') as f:
        if 'time-travel' not in f.read():
            print('1..0 # SKIP the bench is for virtual time')
            return 4
    tests = (exchange, transfer, queue)
    print('1..%d' % (len(PEERS) * 4))
    with tempfile.TemporaryDirectory() as work:
        guest.FLOWS = os.path.join(work, 'flows')
        subprocess.run(['gcc', '-O1', '-pthread', os.path.join(BENCH, 'flows.c'),
                        '-o', guest.FLOWS], check=True)
        for name, peer in PEERS:
            for test in tests:
                try:
                    test(name, peer)
                except (Trouble, Missing) as e:
                    result(False, '%s.%s' % (name, test.__name__), str(e))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
