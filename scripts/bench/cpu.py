#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What Tandem, TCP, SCTP and MPTCP cost the processor ("make bench-cpu").

Usage: cpu.py [--list]
Environment:
  T=PATTERN,...     only those rows; a name, a glob, the beginning of a name up
                    to a slash, or a part of it: bulk  rr/1-1  memory  '*idle'
  PEERS=NAME,...    only those peers; globs. tandem-cubic, tandem-reno and tandem-udp
                    (its udp wire) are measured only where they are named
  BOOTS=N           the median of how many boots (default 3)
  IDLE=N            idle connections in crr/many-idle (default 100000; that row
                    is measured in one boot, of about 20 kB of memory for each)
  KERNEL=6.1        which stock kernel
  PROFILE=1         one boot; where the instructions are, function by function:
                    build/bench/profile/ROW-PEER.txt, and what differs to TCP
                    on standard output. The numbers are not kept

A stock kernel in QEMU counts instructions: a nanosecond of the guest's clocks
is one. Only the wall rows go by the clock, in one boot with two processors, with
KVM if there is: leave the machine alone meanwhile. Results are printed and go to
build/bench/cpu.json, replacing those of
the same rows and peers; "make bench-doc" makes the tables and pictures of it.
Rows and peers: cpuplan.py. The guest's half: cpuguest.py, cost.c. Exit status:
0 all was measured, 1 something was not.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import cpuplan
import profile_table

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(TOP, 'build', 'bench')
STORE = os.path.join(WORK, 'cpu.json')
APPEND = 'mitigations=off slab_nomerge'
PACE = 15       # seconds between two signs of life


def say(text):
    print('tandem: ' + text, file=sys.stderr, flush=True)


def newer(target, source):
    try:
        return os.path.getmtime(target) >= os.path.getmtime(source)
    except OSError:
        return False


def build(source, target, *flags):
    source, target = os.path.join(HERE, source), os.path.join(WORK, target)
    if not newer(target, source):
        subprocess.run(['gcc', '-O2', '-Wall', '-Wextra', '-Wno-unused-parameter',
                        *flags, source, '-o', target], check=True)
    return target


def take_turn():
    """One bench-cpu at a time in a checkout."""
    os.makedirs(WORK, exist_ok=True)
    lock = open(os.path.join(WORK, 'cpu.lock'), 'w', encoding='ascii')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say('waiting for another bench-cpu of this checkout')
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


class Boot:
    """One guest carrying out jobs; yields what it says."""

    def __init__(self, name, jobs, cost, opts):
        self.name, self.jobs, self.opts = name, jobs, opts
        self.log = os.path.join(WORK, name + '.log')
        self.out = os.path.join(WORK, name)
        shutil.rmtree(self.out, ignore_errors=True)
        self.counts = os.path.join(WORK, name + '.counts')
        path = os.path.join(WORK, name + '.json')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump({'jobs': jobs, 'host': cpuplan.HOST,
                       'symbols': opts['profile']}, f)
        how = ['--smp', '2'] if self.walls() else ['--icount']
        self.command = [os.path.join(TOP, 'scripts', 'vm.sh'), *how, '-q',
                        '--kernel', opts['kernel'], '--mem', str(self.memory()),
                        '--append', APPEND, '--timeout', str(self.limit()),
                        '--log', self.log, '--out', self.out,
                        '--add', path, '--add', cost]
        if opts['profile']:
            plugin = build('profile.c', 'profile.so', '-shared', '-fPIC')
            self.command += ['--qemu', '-plugin %s,out=%s' % (plugin, self.counts)]
        self.command += ['--', 'python3', '/guest/bench/cpuguest.py',
                         '/job/' + os.path.basename(path),
                         '/job/' + os.path.basename(cost)]
        self.rc = self.process = None
        self.said = time.monotonic()
        self.doing = 'building and booting'

    def walls(self):
        return self.jobs[0]['kind'] == 'wall'

    def memory(self):
        return 1536 + max(j.get('idle', 0) for j in self.jobs) * 20 // 1000

    def limit(self):
        return 900 + sum(60 + j.get('idle', 0) // 50 for j in self.jobs)

    def watch(self):
        """A sign of life while the guest is silent."""
        start = time.monotonic()
        while self.rc is None:
            time.sleep(1)
            now = time.monotonic()
            if now - self.said >= PACE:
                self.said = now
                say('%s: %s, %d s' % (self.name, self.doing, now - start))

    def results(self):
        threading.Thread(target=self.watch, daemon=True).start()
        with open(self.log + '.err', 'w', encoding='utf-8') as err, \
                subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=err,
                                 text=True, errors='replace') as self.process:
            for line in self.process.stdout:
                if not line.startswith('@@BENCH '):
                    continue
                try:
                    out = json.loads(line[8:])
                except ValueError:
                    say('a line of the guest was garbled, see ' + self.log)
                    continue
                self.doing = 'at work after %s' % out.get('id', 'the boot')
                yield out
        self.rc = self.process.returncode

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()


class Bench:
    """The boots, and what came of them."""

    def __init__(self, store, opts):
        self.store, self.opts = store, opts
        self.troubles, self.missing, self.fresh = [], set(), set()
        self.done = 0
        self.total = 0
        self.boot = None

    def take_in(self, job, out):
        if 'missing' in out:
            self.missing.add('%s: not in this kernel' % job['peer'])
            return
        self.done += 1
        if 'trouble' in out:
            self.troubles.append('%s %s: %s' % (job['row'], job['peer'], out['trouble']))
            say(self.troubles[-1])
            return
        key = (job['row'], job['peer'])
        cpuplan.add(self.store, job, out['result'], key not in self.fresh)
        self.fresh.add(key)
        say('[%d/%d] %s %s: %s' % (
            self.done, self.total, job['row'], job['peer'],
            cpuplan.shown(job, out['result']['value'])))

    def one_boot(self, name, jobs, cost):
        jobs = [dict(j, id='%s %s%s' % (j['row'], j['peer'], ' %d' % j['turn'] if
                                        'turn' in j else '')) for j in jobs]
        left = {j['id']: j for j in jobs}
        self.boot = Boot(name, jobs, cost, self.opts)
        for out in self.boot.results():
            if 'kernel' in out:
                self.store['about']['kernel'] = out['kernel']
            elif out.get('id') in left:
                self.take_in(left.pop(out['id']), out)
        if self.boot.rc or left:
            self.troubles.append('%s: the guest broke (%s), %d of %d were not measured: '
                                 'see %s' % (name, self.boot.rc, len(left), len(jobs),
                                             self.boot.log))
            say(self.troubles[-1])
        return self.boot, jobs

    def carry_out(self, jobs, cost):
        walls = [dict(j, turn=n) for n in range(cpuplan.WALL_TIMES)
                 for j in jobs if j['kind'] == 'wall']
        if self.opts['profile']:    # the emulator's counts are of one processor
            walls = []
        jobs = [j for j in jobs if j['kind'] != 'wall']
        common = [j for j in jobs if not j.get('own_boot')]
        own = [j for j in jobs if j.get('own_boot')]
        boots = 1 if self.opts['profile'] else self.opts['boots']
        self.total = boots * len(common) + len(own) + len(walls)
        try:
            for n in range(boots if common else 0):
                say('boot %d of %d' % (n + 1, boots))
                boot, done = self.one_boot('cpu-boot%d' % (n + 1), common, cost)
                if self.opts['profile']:
                    profile_table.report(boot.counts, os.path.join(boot.out, 'kallsyms'),
                                         done, os.path.join(WORK, 'profile'))
            if walls:
                say('a boot with two processors')
                self.one_boot('cpu-wall', walls, cost)
            for job in own:     # each alone, for its memory
                say('a boot with %d idle connections' % job['idle'])
                self.one_boot('cpu-idle-%s' % job['peer'], [job], cost)
        except KeyboardInterrupt:
            say('interrupted: what was measured so far is kept')
            self.troubles.append('interrupted')
            if self.boot:
                self.boot.end()


def load_store():
    try:
        with open(STORE, encoding='utf-8') as f:
            store = json.load(f)
        if store.get('format') == cpuplan.FORMAT:
            return store
        say('%s is of another format: starting afresh' % STORE)
    except FileNotFoundError:
        pass
    return {'format': cpuplan.FORMAT, 'rows': {}, 'about': {}}


def save_store(store):
    with open(STORE + '.new', 'w', encoding='utf-8') as f:
        json.dump(store, f, indent=1, sort_keys=True)
        f.write('\n')
    os.replace(STORE + '.new', STORE)


def revision():
    def git(*args):
        done = subprocess.run(('git', '-C', TOP) + args, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.strip()
    what = ('--', 'module', 'include')
    changed = git('status', '--porcelain', *what)
    return git('log', '-1', '--format=%h', '--abbrev=12', *what) + ('+' if changed else '')


def settings():
    env = os.environ.get
    for name in ('BOOTS', 'IDLE'):
        if not (env(name) or '1').isdigit():
            sys.exit('bench-cpu: %s is a number' % name)
    return {'boots': max(1, int(env('BOOTS') or 3)), 'idle': int(env('IDLE') or 100000),
            'kernel': env('KERNEL') or '6.1', 'profile': bool(env('PROFILE')),
            'peers': [p for p in (env('PEERS') or '').split(',') if p],
            'pattern': env('T') or ''}


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    if sys.argv[1:] in (['-h'], ['--help']):
        print(__doc__)
        return 0
    opts = settings()
    rows = cpuplan.rows(opts['pattern'])
    if sys.argv[1:] == ['--list']:
        print('\n'.join(r['name'] for r in rows))
        return 0
    jobs = list(cpuplan.jobs(rows, cpuplan.peers(opts['peers']), opts['idle']))
    if not jobs:
        sys.exit('bench-cpu: nothing to measure: see cpu.py --list and --help')
    signal.signal(signal.SIGTERM, interrupt)
    lock = take_turn()      # held until this process ends
    cost = build('cost.c', 'cost')
    store = load_store()
    store['about']['revision'] = revision()
    bench = Bench(store, opts)
    bench.carry_out(jobs, cost)
    if not opts['profile']:
        save_store(store)
    print()
    for table in cpuplan.tables(store, [r['name'] for r in rows]):
        print(table.text())
    for line in sorted(bench.missing):
        print('skipped: ' + line)
    for line in bench.troubles:
        print('trouble: ' + line)
    if not opts['profile']:
        print('all results are in %s' % os.path.relpath(STORE))
    lock.close()
    return 1 if bench.troubles else 0


if __name__ == '__main__':
    sys.exit(main())
