#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tandem, TCP, SCTP and MPTCP side by side in virtual time ("make bench-sim").

Usage: sim.py [--list]
Environment:
  BENCH=quick|full  quick: the most telling cells, few seeds (default: full)
  T=PATTERN,...     only those cells, though all of their seeds; a name, a glob,
                    the beginning of a name up to a slash, or a part of it
                    between slashes: goodput/100M/50ms/1%  short  early
  PEERS=NAME,...    only those peers; globs: tandem-*,tcp-bbr
  SEEDS=N           that many seeds in every cell
  TRACE=1           keep a capture of each run, taken at the sender, in
                    build/bench/pcap/; scripts/annotate.py and plot.py read it
  LANES=N           guests at once (default: processors, 2 at most)

What was measured goes to build/bench/sim.json (quick.json, if BENCH=quick),
replacing only the cells and peers measured; "make bench-doc" makes pictures and
tables of sim.json.
Plan: plan.py. The guest's half: guest.py. Exit status: 0 all was measured,
1 a run failed or a guest broke.
"""

import fcntl
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import goals
import plan
import report

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(TOP, 'build', 'bench')
STORE = {False: os.path.join(WORK, 'sim.json'), True: os.path.join(WORK, 'quick.json')}
GUEST_WORK = '/tandem/build/bench'
CHUNK_COST = 150        # of plan.cost(): how much one guest is given
TRIES = 2
saving = threading.Lock()


def interrupt(*_):
    raise KeyboardInterrupt


def say(text):
    print('tandem: ' + text, file=sys.stderr, flush=True)


def newer(target, *sources):
    try:
        t = os.path.getmtime(target)
    except OSError:
        return False
    return all(os.path.getmtime(s) <= t for s in sources)


def take_turn():
    """One bench at a time in a checkout; what the last one's lanes left goes."""
    os.makedirs(os.path.join(WORK, 'bpf'), exist_ok=True)
    lock = open(os.path.join(WORK, 'lock'), 'w', encoding='ascii')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say('waiting for another bench-sim of this checkout')
        fcntl.flock(lock, fcntl.LOCK_EX)
    for path in glob.glob(os.path.join(WORK, 'lane-*')):
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    return lock


def build():
    """The traffic program. Guests see it in the checkout."""
    source = os.path.join(HERE, 'flows.c')
    target = os.path.join(WORK, 'flows')
    if not newer(target, source):
        subprocess.run(['gcc', '-O2', '-Wall', '-Wextra', '-Wno-unused-parameter',
                        '-pthread', source, '-o', target], check=True)


def dropper(seed, drop, late):
    """A dropper of that pattern; its path in the guest."""
    name = 'bpf/seed%d-drop%g-late%g.o' % (seed, drop, late)
    source = os.path.join(HERE, 'drop.bpf.c')
    target = os.path.join(WORK, name)
    if not newer(target, source):
        machine = subprocess.run(['gcc', '-print-multiarch'], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        subprocess.run(['clang', '-O2', '-g', '-target', 'bpf', '-Wall',
                        '-I/usr/include/' + machine, '-DSEED=%du' % seed,
                        '-DDROP=%du' % (drop * 2**32), '-DLATE=%du' % (late * 2**32),
                        '-c', source, '-o', target], check=True)
    return os.path.join(GUEST_WORK, name)


class Guest:
    """One user-mode Linux carrying out guest.py; yields what it says."""

    def __init__(self, name, args, timeout):
        self.name = name
        self.log = os.path.join(WORK, name + '.log')
        self.command = [
            os.path.join(TOP, 'scripts', 'uml.sh'), '--time-travel', '--load', '-q',
            '--mem', '2G', '--append', 'no_debug_objects', '--timeout', str(int(timeout)), '--log', self.log,
            '--out', os.path.join(WORK, name), '--',
            'python3', '/guest/bench/guest.py'] + args
        self.rc = None
        self.process = None

    def results(self):
        with open(self.log + '.err', 'w', encoding='utf-8') as err, \
                subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=err,
                                 text=True, errors='replace') as self.process:
            for line in self.process.stdout:
                if line.startswith('@@BENCH '):
                    try:
                        yield json.loads(line[8:])
                    except ValueError:
                        say('a line of the guest was garbled, see ' + self.log)
        self.rc = self.process.returncode

    def keep_captures(self):
        out = os.path.join(WORK, self.name)
        for name in os.listdir(out) if os.path.isdir(out) else []:
            if name.endswith('.pcap'):
                os.makedirs(os.path.join(WORK, 'pcap'), exist_ok=True)
                os.replace(os.path.join(out, name), os.path.join(WORK, 'pcap', name))

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()


class Bench:
    """The runs, the lanes they are carried out in, and the results."""

    def __init__(self, runs, store, path, lanes):
        self.todo = list(runs)
        self.runs = {r['id']: r for r in runs}
        self.store, self.path, self.lanes = store, path, lanes
        self.lock = threading.Lock()
        self.done = {}
        self.tries = {}
        self.troubles, self.missing, self.fresh = [], set(), set()
        self.start = time.monotonic()
        self.spent = 0.0
        self.total = sum(plan.cost(r) for r in runs)
        self.guests, self.number = set(), 0
        self.said = 0.0
        self.stopping = False

    def take(self):
        """The next guest's share; smaller ones towards the end."""
        with self.lock:
            share, cost = [], 0.0
            left = sum(plan.cost(r) for r in self.todo)
            most = max(10.0, min(CHUNK_COST, left / self.lanes / 2))
            while self.todo and cost < most and not self.stopping:
                share.append(self.todo.pop(0))
                cost += plan.cost(share[-1])
            self.number += 1
            return share, cost, 'lane-%d' % self.number

    def lane(self):
        while True:
            share, cost, name = self.take()
            if not share:
                return
            path = os.path.join(WORK, name + '.json')
            with open(path, 'w', encoding='utf-8') as f:
                json.dump(share, f)
            guest = Guest(name, [os.path.join(GUEST_WORK, name + '.json')],
                          240 + 10 * cost)
            self.guests.add(guest)
            for out in guest.results():
                self.take_in(self.runs[out['id']], out)
            self.guests.discard(guest)
            guest.keep_captures()
            self.after(guest, share)

    def take_in(self, run, out):
        with self.lock:
            self.done[run['id']] = out
            self.spent += plan.cost(run)
            if out.get('trouble'):
                self.troubles.append('%s: %s' % (run['id'], out['trouble']))
            elif out.get('missing'):
                self.missing.add('%s: %s' % (run['peer'], out['missing']))
            else:
                # Measured again: nothing of before stays.
                if (run['cell'], run['peer']) not in self.fresh:
                    self.fresh.add((run['cell'], run['peer']))
                    report.forget(self.store, run)
                report.add(self.store, run, out['result'])
            self.progress(run, out)

    def after(self, guest, share):
        """What a broken guest left undone is tried again, once."""
        with self.lock:
            save_store(self.store, self.path)      # an interrupted bench keeps what it has
            undone = [r for r in share if r['id'] not in self.done]
            if self.stopping or guest.rc == 0 and not undone:
                return
            if guest.rc in (125, 124) or undone:
                self.troubles.append('a guest broke (%s): see %s' % (
                    guest.rc, guest.log))
                say(self.troubles[-1])
            if undone:      # the first of them is the suspect
                first = undone[0]['id']
                self.tries[first] = self.tries.get(first, 0) + 1
                if self.tries[first] >= TRIES:
                    self.troubles.append('%s: the guest did not survive it' % first)
                    self.done[first] = {}
                    undone = undone[1:]
                self.todo[:0] = undone

    def progress(self, run, out):
        now = time.monotonic()
        end = len(self.done) == len(self.runs)
        tty = sys.stderr.isatty()
        if not tty and now - self.said < 15 and not end:
            return
        self.said = now
        left = (now - self.start) / max(self.spent, 1) * (self.total - self.spent)
        text = '[%d/%d, about %d min left] %s %s seed %d: %s' % (
            len(self.done), len(self.runs), left / 60 + 0.99, run['cell'], run['peer'],
            run['seed'], out.get('trouble') or out.get('missing') or
            report.brief(run, out['result']))
        if tty:
            print('\r\x1b[K' + text[:118], end='\n' if end else '', file=sys.stderr,
                  flush=True)
        else:
            say(text)

    def carry_out(self):
        # Longest first, so that the lanes end together.
        self.todo.sort(key=plan.cost, reverse=True)
        lanes = [threading.Thread(target=self.lane) for _ in range(self.lanes)]
        for lane in lanes:
            lane.start()
        try:
            for lane in lanes:
                lane.join()
        except KeyboardInterrupt:
            say('interrupted: what was measured so far is kept')
            self.stopping = True
            for guest in list(self.guests):
                guest.end()
            while any(lane.is_alive() for lane in lanes):
                time.sleep(0.1)


def load_store(path):
    try:
        with open(path, encoding='utf-8') as f:
            store = json.load(f)
        if store.get('format') == report.FORMAT:
            return store
        say('%s is of another format: starting afresh' % path)
    except FileNotFoundError:
        pass
    return {'format': report.FORMAT, 'cells': {}}


def save_store(store, path):
    with saving:
        with open(path + '.new', 'w', encoding='utf-8') as f:
            json.dump(store, f, indent=1, sort_keys=True)
            f.write('\n')
        os.replace(path + '.new', path)


def about(store, probe):
    def git(*args):
        done = subprocess.run(('git', '-C', TOP) + args, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.strip()
    what = ('--', 'module', 'include')
    changed = git('status', '--porcelain', *what)
    store['about'] = {      # the last that changed what is measured
        'revision': git('log', '-1', '--format=%h', '--abbrev=12', *what) +
                    ('+' if changed else ''),
        'kernel': probe['kernel'], 'default': probe['default'],
    }


def settings():
    env = os.environ.get
    quick = env('BENCH', 'full') or 'full'
    if quick not in ('quick', 'full'):
        sys.exit('bench-sim: BENCH is quick or full')
    seeds = env('SEEDS') or '0'
    if not seeds.isdigit():
        sys.exit('bench-sim: SEEDS is a number')
    lanes = int(env('LANES') or min(2, os.cpu_count() or 1))
    peers = [p for p in (env('PEERS') or '').split(',') if p]
    return quick == 'quick', env('T') or '', peers, int(seeds), lanes


def main():
    if sys.argv[1:] in (['-h'], ['--help']):
        print(__doc__)
        return 0
    quick, pattern, names, seeds, lanes = settings()
    cells = plan.chosen(quick, pattern)
    if sys.argv[1:] == ['--list']:
        print('\n'.join(c.name for c in cells))
        return 0
    if not cells:
        sys.exit('bench-sim: no cell is called %s; see sim.py --list' % pattern)
    signal.signal(signal.SIGTERM, interrupt)
    lock = take_turn()      # held until this process ends
    build()
    say('building tandem.ko for UML, and asking the kernel what it has ...')
    guest = Guest('probe', ['--probe'], 300)
    probes = list(guest.results())
    if not probes:
        sys.exit('bench-sim: the guest does not start: see %s' % guest.log)
    probe = probes[0]
    peers, missing = plan.peers_of(probe, names)
    for line in missing:
        say('skipped: ' + line)
    runs = []
    for cell in cells:
        runs += cell.runs(peers, quick, seeds)
    if not runs:
        sys.exit('bench-sim: nothing to measure')
    for run in runs:
        if os.environ.get('TRACE'):
            run['trace'] = True
        drop, late = run.pop('drop', 0), run.pop('late', 0)
        if drop or late:
            run['bpf'] = dropper(run['seed'], drop, late)
    path = STORE[quick]
    store = load_store(path)
    about(store, probe)
    say('%d runs in %d cells; peers: %s' % (
        len(runs), len(cells), ' '.join(p['name'] for p in peers)))
    bench = Bench(runs, store, path, lanes)
    bench.carry_out()
    report.sum_up(store)
    save_store(store, path)
    print()
    names = [c.name for c in cells]
    print(report.tables(store, names))
    reached = goals.table(store, names)
    if reached:
        print(reached.text())
    for line in sorted(bench.missing):
        print('skipped: ' + line)
    for line in sorted(set(bench.troubles)):
        print('trouble: ' + line)
    print('%d of %d runs in %d min; all results are in %s' % (
        len(bench.done), len(runs), (time.monotonic() - bench.start) / 60 + 0.5,
        os.path.relpath(path)))
    lock.close()
    return 1 if bench.troubles or len(bench.done) < len(runs) else 0


if __name__ == '__main__':
    sys.exit(main())
