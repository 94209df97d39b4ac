#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""net.tandem.mem far too small for what programs want to send (socket.c, rcvq_mem.c).

Sixty connections over loopback hold data that nobody reads. What must hold: the limit
does, but for the little that any socket may have; writers are told to wait; once
somebody reads every byte arrives, unharmed; what a program left behind with data is given
up; and when all is closed, all the memory is given back. A kernel that warns fails the
bed this runs on.

Usage: mempressure.py [v4|v6...]
"""

import os
import select
import socket
import sys
import time

WIRES = {"native": 0, "tcp": 1, "udp": 2}
WIRE = WIRES[os.environ.get("TANDEM_WIRE") or "native"]
PAGE = os.sysconf("SC_PAGE_SIZE")
PAIRS = 60
# What one CPU may hold or owe uncounted (SK_MEMORY_PCPU_RESERVE): the kernel sees pressure
# begin and end by the count without it, so the limits are well above.
RESERVE = (1 << 20) // PAGE
LIMIT = (3 * RESERVE, 4 * RESERVE, 8 * RESERVE)	# pages
# What any socket may have above it: a page each way, and the skbs around them.
SLACK = 10 * PAIRS + RESERVE
BLOCK = bytes((i * 7 + i // 251) & 0xff for i in range(1 << 16))

number = failed = 0


class Fail(Exception):
    pass


def check(ok, text):
    if not ok:
        raise Fail(text)


def until(condition, text, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, "did not come: " + text)
        time.sleep(0.01)


def sockstat(word):
    with open("/proc/net/tandem/sockstat") as f:
        words = f.readline().split()
    return int(words[words.index(word) + 1])


def counter(name):
    with open("/proc/net/tandem/snmp") as f:
        for line in f:
            if line.split()[0] == "Tandem" + name:
                return int(line.split()[1])
    raise Fail("no counter " + name)


def limits(values=None):
    """Of the machine, so only its own namespace has the file for writing."""
    with open("/proc/sys/net/tandem/mem", "r+" if values else "r") as f:
        if not values:
            return tuple(int(x) for x in f.read().split())
        f.write("%d %d %d" % values)
    return values


def tandem(family):
    s = socket.socket(family, socket.SOCK_STREAM, 254)
    if WIRE:
        s.setsockopt(254, 1001, WIRE)
    return s


class Pair:
    """A connection; what was written at one end, and read at the other."""

    def __init__(self, listener, family):
        self.a = tandem(family)
        self.a.settimeout(30)
        self.a.connect(listener.getsockname())
        self.b, _ = listener.accept()
        self.a.setblocking(False)
        self.b.setblocking(False)
        self.sent = self.got = 0

    def fill(self):
        """Write until told to wait."""
        before = self.sent
        while True:
            at = self.sent % len(BLOCK)
            try:
                self.sent += self.a.send(BLOCK[at:at + 16384])
            except BlockingIOError:
                return self.sent - before

    def drain(self):
        while True:
            try:
                data = self.b.recv(65536)
            except BlockingIOError:
                return
            check(data, "the stream ended")
            at = self.got % len(BLOCK)
            check(data == (BLOCK + BLOCK)[at:at + len(data)], "other bytes at %d" % self.got)
            self.got += len(data)


def pairs_of(family):
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    listener = tandem(family)
    listener.bind((host, 0))
    listener.listen(PAIRS)
    pairs = [Pair(listener, family) for _ in range(PAIRS)]
    listener.close()
    return pairs


def settle(pairs):
    """Fill all again and again, until nobody takes any more."""
    idle = 0
    while idle < 20:
        idle = 0 if sum(p.fill() for p in pairs) else idle + 1
        time.sleep(0.01)


def test_limit_holds(family):
    """Without a limit they would hold many times as much."""
    before = counter("MemoryPressures")
    pairs = pairs_of(family)
    settle(pairs)
    held = sockstat("mem")
    print("# %d pages held, %d KB written" % (held, sum(p.sent for p in pairs) >> 10))
    check(held > LIMIT[0], "hardly anything is held: %d pages" % held)
    check(held <= LIMIT[2] + SLACK, "%d pages, the limit is %d" % (held, LIMIT[2]))
    check(counter("MemoryPressures") > before, "pressure was not counted")
    check(all(p.sent for p in pairs), "some could not write at all")

    # Somebody reads: all of it comes, and there is room for more.
    end = time.monotonic() + 120
    while any(p.got < p.sent for p in pairs):
        check(time.monotonic() < end, "%d connections hang" %
              sum(p.got < p.sent for p in pairs))
        select.select([p.b for p in pairs if p.got < p.sent], [], [], 1)
        for p in pairs:
            p.drain()
    for p in pairs:
        until(lambda p=p: p.fill() > 0, "room to write", 30)
    end = time.monotonic() + 120
    while any(p.got < p.sent for p in pairs):
        check(time.monotonic() < end, "some hang the second time")
        for p in pairs:
            p.drain()
        time.sleep(0.01)
    for p in pairs:
        p.a.close()
        p.b.close()


def test_blocked_writer_goes_on(family):
    """A write() that waits for memory others hold goes on when they give it back."""
    pairs = pairs_of(family)
    one = pairs.pop()
    settle(pairs)
    pid = os.fork()
    if not pid:
        for p in pairs:		# what the child holds would keep them open
            p.a.close()
            p.b.close()
        one.b.close()
        one.a.settimeout(60)
        one.a.sendall(BLOCK * 8)
        os._exit(0)
    one.a.close()
    for p in pairs:
        p.b.close()
        p.a.close()
    left = 8 * len(BLOCK)
    one.b.settimeout(60)
    while left:
        data = one.b.recv(65536)
        check(data, "%d bytes are missing" % left)
        left -= len(data)
    check(os.waitpid(pid, 0)[1] == 0, "the writer failed")
    one.b.close()


def test_left_behind(family):
    """Closed with data that nobody reads: given up, for it is memory that is short."""
    before = counter("AbortOnMemory")
    pairs = pairs_of(family)
    settle(pairs)
    over = sockstat("mem") > LIMIT[2]
    for p in pairs:
        p.a.close()
    until(lambda: counter("AbortOnMemory") > before or not over, "AbortOnMemory", 60)
    for p in pairs:
        p.b.close()


def all_given_back():
    until(lambda: sockstat("inuse") == 0 and sockstat("orphan") == 0, "the last socket's end")
    until(lambda: sockstat("mem") == 0, "the last page: %d" % sockstat("mem"))


def run(way, test):
    global number, failed
    number += 1
    name = "%s.%s" % (test.__name__[5:], way)
    try:
        limits(LIMIT)
        test(socket.AF_INET if way == "v4" else socket.AF_INET6)
        all_given_back()
        print("ok %d %s" % (number, name), flush=True)
    except (Fail, OSError) as e:
        failed += 1
        print("# %s: %s" % (type(e).__name__, e))
        print("not ok %d %s" % (number, name), flush=True)
    finally:
        limits(usual)


if __name__ == "__main__":
    ways = sys.argv[1:] or ["v4", "v6"]
    tests = [test_limit_holds, test_blocked_writer_goes_on, test_left_behind]
    print("TAP version 13\n1..%d" % (len(ways) * len(tests)))
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, 254).close()	# loads the module
    if not os.access("/proc/sys/net/tandem/mem", os.W_OK):
        print("1..0 # SKIP the limit is of the machine's own namespace")
        sys.exit(4)
    if WIRE == 2:
        with open("/proc/sys/net/tandem/udp_port", "w") as knob:
            knob.write("5254")
    usual = limits()
    for w in ways:
        for t in tests:
            run(w, t)
    print("# Totals: pass:%d fail:%d skip:0" % (number - failed, failed))
    sys.exit(failed > 0)
