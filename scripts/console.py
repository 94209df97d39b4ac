#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run a guest (QEMU or UML), watch its consoles and say how it went.

Usage: scripts/console.py [OPTIONS] -- COMMAND...

The guest's job writes to COMMAND's standard output, its kernel to file
descriptor 3 (or, with --one, to standard output too). Everything goes to the
log with the wall clock's seconds since the start; the job's own lines also to
our standard output.

  --log FILE       the log
  --results FILE   one line for each test: bed, name, passed, failed, skipped,
                   seconds, what failed; separated by tabs
  --bed NAME       for the results and the progress lines
  --timeout S      kill the guest after S seconds of wall clock
  --progress       print one line for each test, not its output
  --quiet          the job's output only, without time stamps
Exit status: the job's; 124 timed out; 125 the guest crashed, or its kernel
warned.
"""

import os
import re
import selectors
import signal
import subprocess
import sys
import time

TROUBLE = re.compile(os.environ['KERNEL_TROUBLE'])
RESULT = re.compile(r'^((?:# )?\s*)(not ok|ok)\b\s*\d*\s*-?\s*(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)')
ANSI = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
MARK = re.compile(r'tandem-test: (begin|end) (\S+)')


class Test:
    """What one test program said, and what the kernel said meanwhile."""

    def __init__(self, name):
        self.name = name
        self.begun = time.monotonic()
        self.seconds = 0.0
        self.rows = []          # (depth, ok, skipped, name)
        self.plan = None
        self.rc = None
        self.notes = []         # failures that no KTAP line tells

    def feed(self, line):
        plan = PLAN.match(line)
        if plan:
            self.plan = int(plan.group(1))
            return
        row = RESULT.match(line)
        if row:
            name, _, directive = row.group(3).partition('#')
            skipped = directive.strip().upper().startswith('SKIP')
            self.rows.append((len(row.group(1)), row.group(2) == 'ok',
                              skipped, name.strip()))

    def leaves(self):
        """Results without those of suites whose parts were counted."""
        out = []
        deepest = 0             # depth of rows since the last shallower one
        parts_ok = True
        for depth, ok, skipped, name in self.rows:
            if deepest > depth:
                if not ok and parts_ok:
                    out.append((ok, skipped, name))
                deepest, parts_ok = depth, True
                continue
            deepest = max(deepest, depth)
            parts_ok = parts_ok and ok
            out.append((ok, skipped, name))
        return out

    def verdict(self):
        """passed, failed, skipped, [names of failures]"""
        rows = self.leaves()
        failed = [n for ok, s, n in rows if not ok and not s]
        skipped = sum(1 for ok, s, n in rows if s)
        passed = sum(1 for ok, s, n in rows if ok and not s)
        top = sum(1 for d, _, _, _ in self.rows if d == 0)
        if self.rc is None:
            failed.append('the guest died or hung in it')
        elif self.rc in (124, 137):
            failed.append('timed out')
        elif self.rc == 4 and not rows:
            skipped += 1
        elif self.rc not in (0, 4) and not failed:
            failed.append('exit status %d' % self.rc)
        elif not rows:
            failed.append('printed no result')
        elif self.plan is not None and top and top < self.plan:
            failed.append('planned %d results, gave %d' % (self.plan, top))
        failed += self.notes
        return passed, len(failed), skipped, failed


class Console:
    def __init__(self, opts):
        self.opts = opts
        self.start = time.monotonic()
        self.log = open(opts['log'], 'w', encoding='utf-8', errors='replace')
        self.tests = []
        self.current = None     # by the job's channel
        self.kernel_at = None   # by the kernel's channel
        self.boot = Test('(boot)')
        self.boot.rc = 0
        self.exit = None
        self.trouble = 0
        self.trouble_at = -9.0
        self.ready = None

    def now(self):
        return time.monotonic() - self.start

    def say(self, text):
        if not self.opts['quiet'] and not self.opts['progress']:
            text = '%7.1f | %s' % (self.now(), text)
        print(text, flush=True)

    def find(self, name):
        for test in self.tests:
            if test.name == name:
                return test
        return None

    def kernel_line(self, line):
        mark = MARK.search(line)
        if mark:
            self.kernel_at = mark.group(2) if mark.group(1) == 'begin' else None
            return
        if not line.startswith('[') or not TROUBLE.search(line):
            return
        # User-mode Linux itself, whose first fork() walks its memory map without RCU.
        if self.ready is None and 'suspicious RCU usage' in line:
            self.trouble_at = self.now()
            return
        # A trace belongs to the warning above it.
        follows = 'Call Trace' in line and self.now() - self.trouble_at < 2
        self.trouble_at = self.now()
        if follows:
            return
        self.trouble += 1
        test = (self.find(self.kernel_at) if self.kernel_at else None) or \
            self.current or self.boot
        note = 'kernel: ' + re.sub(r'^\[ *[\d.]+\]\s*', '', line)[:160]
        if self.trouble <= 20 and len(test.notes) < 4:
            test.notes.append(note)
        if not self.opts['progress']:
            print('tandem: %s' % note, file=sys.stderr, flush=True)

    def job_line(self, line):
        if line.startswith('@@READY'):
            self.ready = self.now()
        elif line.startswith('@@BEGIN '):
            self.current = Test(line.split()[1])
            self.tests.append(self.current)
            if not self.opts['progress']:
                self.say(line)
        elif line.startswith('@@END '):
            _, name, rc, seconds = line.split()
            test = self.find(name)
            if test:
                test.rc, test.seconds = int(rc), float(seconds)
                self.report(test)
            self.current = None
        elif line.startswith('@@LEFT '):
            if self.current:
                self.current.notes.append(line[7:])
        elif line.startswith('@@EXIT '):
            self.exit = int(line.split()[1])
        else:
            if self.current:
                self.current.feed(line)
            # What UML says to its terminal before it is up is no output.
            if not self.opts['progress'] and self.ready is not None and \
                    self.exit is None:
                self.say(line)

    def report(self, test):
        passed, failed, skipped, why = test.verdict()
        if not self.opts['progress']:
            return
        word = 'FAIL' if failed else 'skip' if skipped and not passed else 'ok'
        count = '%d passed' % passed
        if failed:
            count += ', %d failed' % failed
        if skipped:
            count += ', %d skipped' % skipped
        print('  %-4s %-10s %-32s %5.1f s  %s' % (
            word, self.opts['bed'], test.name,
            time.monotonic() - test.begun, count), flush=True)
        for line in why:
            print('         %s' % line, flush=True)

    def line(self, channel, raw):
        line = ANSI.sub('', raw.decode('utf-8', 'replace')).rstrip('\r\n')
        line = line.replace('\r', '')
        self.log.write('%8.2f %s %s\n' % (self.now(),
                                          'k' if channel == 3 else '|', line))
        self.log.flush()
        if channel == 3 or self.opts['one']:
            self.kernel_line(line)
        if channel == 1:
            self.job_line(line)

    def run(self, command):
        rfd, wfd = os.pipe()
        # The guest's kernel console is its descriptor 3 whatever ours was.
        os.set_inheritable(wfd, True)
        wrapper = ['/bin/sh', '-c', 'exec 3>&%d; exec "$@"' % wfd, 'sh']
        with subprocess.Popen(wrapper + command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              pass_fds=(wfd,), start_new_session=True) as guest:
            os.close(wfd)
            late = self.watch(guest, rfd)
        if late:
            return 124
        if self.exit is None:
            return 125
        return 125 if self.trouble and self.exit == 0 else self.exit

    def watch(self, guest, rfd):
        """Read both consoles to their ends; true if the time ran out."""
        sel = selectors.DefaultSelector()
        sel.register(guest.stdout, selectors.EVENT_READ, 1)
        sel.register(rfd, selectors.EVENT_READ, 3)
        rest = {1: b'', 3: b''}
        deadline = self.start + self.opts['timeout']
        late = False
        gone = None             # when the guest had ended, be its output open or not

        def kill(*_):
            try:
                os.killpg(guest.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

        def stop(*_):
            kill()
            sys.exit(130)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        while sel.get_map():
            left = deadline - time.monotonic()
            if left <= 0 and not late:
                late = True
                print('tandem: no end after %d s, killing the guest; log: %s' %
                      (self.opts['timeout'], self.opts['log']),
                      file=sys.stderr, flush=True)
                kill()
            for key, _ in sel.select(max(0.1, min(left, 5))):
                data = os.read(key.fd, 65536)
                if not data:
                    sel.unregister(key.fileobj)
                    if rest[key.data]:
                        self.line(key.data, rest[key.data])
                    continue
                lines = (rest[key.data] + data).split(b'\n')
                rest[key.data] = lines.pop()
                for line in lines:
                    self.line(key.data, line)
            if guest.poll() is not None:
                gone = gone or time.monotonic()
                if time.monotonic() - gone > 5:
                    break       # something it left behind keeps the pipe open
        kill()          # helpers of the guest, as UML's tracer threads
        return late

    def finish(self, rc):
        if self.current:
            self.report(self.current)
        died = rc in (124, 125) and self.exit is None
        if died and not self.current:
            self.boot.notes.append('the guest %s outside of a test' % (
                'timed out' if rc == 124 else 'died'))
        tests = self.tests + ([self.boot] if self.boot.notes else [])
        if self.opts['results']:
            with open(self.opts['results'], 'w', encoding='utf-8') as out:
                for test in tests:
                    if test is self.boot:
                        row = 0, len(test.notes), 0, test.notes
                    else:
                        row = test.verdict()
                    print(self.opts['bed'], test.name, row[0], row[1], row[2],
                          '%.1f' % test.seconds, '; '.join(row[3]) or '-',
                          sep='\t', file=out)
        if rc in (124, 125):
            print('tandem: %s: the console log is %s' % (
                self.opts['bed'], self.opts['log']), file=sys.stderr)
            if not self.opts['progress'] or died:
                with open(self.opts['log'], encoding='utf-8') as log:
                    sys.stderr.write(''.join(log.readlines()[-25:]))


def main():
    opts = {'log': '/dev/null', 'results': None, 'bed': 'guest',
            'timeout': 600.0, 'quiet': False, 'progress': False, 'one': False}
    args = sys.argv[1:]
    while args and args[0] != '--':
        arg = args.pop(0)
        if arg in ('-h', '--help'):
            print(__doc__)
            return 0
        key = arg.lstrip('-')
        if key not in opts:
            sys.exit('console.py: unknown option %s' % arg)
        if isinstance(opts[key], bool):
            opts[key] = True
        else:
            opts[key] = args.pop(0)
    opts['timeout'] = float(opts['timeout'])
    console = Console(opts)
    rc = console.run(args[1:])
    console.finish(rc)
    if console.ready is not None:
        console.log.write('ready after %.1f s\n' % console.ready)
    return rc


if __name__ == '__main__':
    sys.exit(main())
