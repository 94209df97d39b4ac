#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The meter of bench-cpu (scripts/bench/cost.c, cpuguest.py): does it measure?

No cost is asserted, for here nobody counts instructions; asserted is that the
meter measures what it says: that pauses are not counted as work while they are
in what the clock says, that a bulk transfer passes the wire once and in
segments where offloads are off, that each exchange has a connection of its own
where it should, that flows which are to run at once do, that what is weighed is
there, one object for each
connection, and that a peer that does not exist is missing and not measured.
"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(os.path.dirname(HERE), 'scripts', 'bench')
sys.path.insert(0, BENCH)
sys.dont_write_bytecode = True

import cpuguest  # noqa: E402
import cpuplan  # noqa: E402

MSS = 1448
PAUSE_US = 10000
REST = 1.5      # seconds, until what was closed is freed, see cpuguest.GONE
PEERS = {'tcp': 6, 'tandem': 254}
count = bad = 0
program = os.path.join(HERE, 'cost')    # of scripts/bench/cost.c, see Makefile


def result(ok, name, why=''):
    global count, bad
    count += 1
    bad += not ok
    if why:
        print('# %s' % why)
    print('%sok %d %s' % ('' if ok else 'not ', count, name), flush=True)


def measure(proto, **more):
    job = dict({'id': 'test', 'kind': 'run', 'up': 1, 'down': 1, 'ops': 50, 'warm': 5,
                'proto': proto, 'knobs': cpuplan.KNOBS}, **more)
    out = cpuguest.carry_out(job, program)
    time.sleep(REST)
    if 'result' not in out:
        raise cpuguest.Trouble(out.get('trouble') or out.get('missing'))
    return out['result']


def pauses(name, proto):
    got = measure(proto, pause_us=PAUSE_US)
    result(0 < got['value'] < PAUSE_US * 1000, '%s.pauses_are_no_work' % name,
           '%.1f us of work for an exchange and a pause of %d us' % (
               got['value'] / 1e3, PAUSE_US))


def bulk(name, proto):
    size = 4 * cpuplan.MB
    got = measure(proto, up=size, ops=1, warm=1, per='MB', off='joined')
    least = cpuplan.MB / MSS
    # ACKs come on top: one for each segment at the very most.
    result(least <= got['packets'] <= 2.05 * least, '%s.bulk_goes_in_segments' % name,
           '%.0f packets for each MB, at least %.0f of them data' % (got['packets'], least))


def exchanges(name, proto):
    one = measure(proto, up=100, down=1024)
    each = measure(proto, up=100, down=1024, again=True)
    result(one['packets'] < 3 and each['packets'] >= 6,
           '%s.a_connection_for_each_exchange' % name,
           '%.1f packets for an exchange on one connection, %.1f on its own' % (
               one['packets'], each['packets']))


def weight(name, proto):
    n = 100
    pair = measure(proto, kind='hold', hold='established', ops=n)
    # Two sockets, inodes and files: nothing that is less can be right.
    least = 2 * {'tcp': 1500, 'tandem': 1000}[name] + 2 * (600 + 200)
    result(least < pair['value'] < 30000, '%s.a_pair_has_its_weight' % name,
           '%.0f bytes: %s' % (pair['value'], pair['slabs']))
    for hold in ('timewait', 'halfopen'):
        got = measure(proto, kind='hold', hold=hold, ops=n)
        # One object for each, in a cache that the kernel may have merged with
        # others; of a hundred connections that is more than chance.
        result(100 < max(got['slabs'].values(), default=0) < 600 and got['value'] < least,
               '%s.%s_has_its_weight' % (name, hold),
               '%.0f bytes: %s' % (got['value'], got['slabs']))


def at_once(name, proto):
    """What flows wait, they wait together."""
    rate = {n: measure(proto, kind='wall', flows=n, pause_us=2 * PAUSE_US, ops=20)['value']
            for n in (1, 4)}
    result(rate[4] > 2 * rate[1] > 0, '%s.flows_run_at_once' % name,
           '%.1f exchanges a second of one flow, %.1f of four' % (rate[1], rate[4]))


def missing():
    job = {'id': 'test', 'kind': 'run', 'ops': 1, 'proto': 251, 'knobs': {}}
    got = cpuguest.carry_out(job, program)
    result('missing' in got, 'what_is_not_there_is_missing', str(got))


def main():
    print('TAP version 13')
    tests = (pauses, bulk, exchanges, weight, at_once)
    print('1..%d' % (len(PEERS) * 7 + 1))
    subprocess.run(['modprobe', '-q', 'tandem'], check=False)
    for name, proto in PEERS.items():
        for test in tests:
            try:
                test(name, proto)
            except cpuguest.Trouble as e:
                result(False, '%s.%s' % (name, test.__name__), str(e))
    missing()
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
