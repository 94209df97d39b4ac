#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Coming and going (main.c): autoload, rmmod, namespaces that die.

The module may go whenever no socket is open, whatever TIME-WAIT, requests
and timers are left; it may never go while one is; and nothing stays.
"""

import ctypes
import errno
import os
import socket
import sys
import time

from tpeer import (IS_TCP, VIRTUAL, World, check, linger0, main,
                   state_of, tandem_only, until)

LIBC = ctypes.CDLL(None, use_errno=True)
CYCLES = int(os.environ.get("TANDEM_CYCLES") or 100)
O_NONBLOCK = 0o4000


def loaded():
    return os.path.isdir("/sys/module/tandem")


def unload():
    """One try; 0 or the errno."""
    if LIBC.syscall(176, b"tandem", O_NONBLOCK):
        return ctypes.get_errno()
    return 0


def unloaded(seconds=30):
    """Unload, waiting for the last references to go."""
    last = [0]

    def gone():
        if not loaded():
            return True
        last[0] = unload()
        return last[0] in (0, errno.ENOENT)
    until(gone, "unloading (%s)" % errno.errorcode.get(last[0]), seconds)


def nothing_left():
    check(not loaded(), "still in /sys/module")
    for path, word in (("/proc/net/protocols", "TANDEM"),
                       ("/proc/slabinfo", "tandem")):
        with open(path) as f:
            check(word not in f.read(), "%s is left in %s" % (word, path))
    check(not os.path.exists("/proc/net/tandem"), "/proc/net/tandem")
    check(not os.path.exists("/proc/sys/net/tandem"), "net.tandem.*")


def loopback(w):
    return "127.0.0.1" if w.way == "v4" else "::1"


def connected(w):
    """A pair of sockets over loopback, and their listener."""
    ls = w.socket()
    ls.bind((loopback(w), 0))
    ls.listen(64)
    c = w.socket()
    c.connect(ls.getsockname()[:2])
    s, _ = ls.accept()
    s.settimeout(30)
    return ls, c, s


def need_module():
    tandem_only()
    check(os.geteuid() == 0, "must be root")


def test_autoload(w):
    need_module()
    unloaded()
    nothing_left()
    s = w.socket()
    check(loaded(), "socket() loads the module")
    s.close()
    unloaded()
    nothing_left()


def test_refused_while_open(w):
    need_module()
    for what in ("fresh", "listening", "connected"):
        socks = [w.socket()] if what == "fresh" else \
            connected(w)[:1 if what == "listening" else 3]
        got = unload()
        check(got in (errno.EAGAIN, errno.EBUSY), "%s: %s" % (
            what, errno.errorcode.get(got, got)))
        for s in socks:
            s.close()


def test_time_wait_does_not_hold(w):
    need_module()
    ls, c, s = connected(w)
    c.close()
    check(s.recv(1) == b"", "end")
    s.close()
    ls.close()
    unloaded()
    nothing_left()


def test_requests_do_not_hold(w):
    need_module()
    ls = w.listen()
    for _ in range(20):
        c = w.conn(ls.getsockname()[1])
        c.send("S")
        c.expect("S.")
    ls.close()
    unloaded()
    nothing_left()


def test_unaccepted_do_not_hold(w):
    need_module()
    ls = w.listen(50)
    for _ in range(20):
        w.conn(ls.getsockname()[1]).open()
    ls.close()
    unloaded()
    nothing_left()


def test_orphan_holds_until_it_ends(w):
    need_module()
    s, c = w.passive()
    s.send(b"unacknowledged")
    c.expect(".", length=14)
    s.close()
    got = unload()
    check(got in (errno.EAGAIN, errno.EBUSY), "held: %s" % got)
    c.send("R")
    unloaded()
    nothing_left()


def test_connecting_closed(w):
    need_module()
    s, c = w.active_start()
    s.close()
    unloaded()


def traffic(w, rounds):
    """Sockets in every state, opened and dropped in every manner."""
    for i in range(rounds):
        ls, c, s = connected(w)
        c.send(b"bytes" * (1 + i % 7))
        how = i % 6
        if how == 0:
            linger0(c)
        if how == 1:
            c.shutdown(socket.SHUT_WR)
        if how == 2:
            s.close()			# unread data: a reset
        if how == 3:
            check(s.recv(5) == b"bytes", "data")
        if how == 4:
            d = w.socket()
            d.setblocking(False)
            d.connect_ex(ls.getsockname()[:2])
            d.close()
        if how == 5:
            ls.close()
        for x in (ls, c, s):
            x.close()


def survives(func):
    """0 or 1, an exit status for a child."""
    try:
        func()
    except BaseException as e:  # noqa: whatever it is, the parent must hear
        print("# %r" % e)
        sys.stdout.flush()
        return 1
    return 0


def test_hundred_cycles(w):
    """Load by socket(), traffic, namespaces dying, unload: 100 times (or
    $TANDEM_CYCLES)."""
    need_module()
    refused = 0
    for i in range(CYCLES):
        keep = w.socket()
        child = os.fork()
        if not child:
            os._exit(survives(lambda: traffic(World(w.way), 6)))
        traffic(w, 3)
        refused += unload() != 0
        keep.close()
        if i % 2:
            unload()			# while the other one still runs
        _, status = os.waitpid(child, 0)
        check(status == 0, "the other namespace: %d" % status)
        unloaded()
        if i % 10 == 9:
            print("# %d cycles" % (i + 1))
            sys.stdout.flush()
    check(refused == CYCLES, "refused %d of %d times with a socket open" %
          (refused, CYCLES))
    unloaded()
    nothing_left()


def test_namespace_dies_with_everything(w):
    need_module()
    child = os.fork()
    if not child:
        # Ends without closing anything.
        v = World(w.way)
        ls = v.listen()
        keep = [v.passive(ls) for _ in range(3)]
        for k in range(5):
            v.conn(ls.getsockname()[1]).send("S")
        keep.append(v.active_start())
        keep.append(connected(v))
        keep[-1][1].close()
        for s, c in keep[:3]:
            linger0(s)
        os._exit(0 if state_of(keep[0][0]) == "ESTABLISHED" else 1)
    _, status = os.waitpid(child, 0)
    check(status == 0, "child %d" % status)
    unloaded()
    nothing_left()


def test_many_namespaces(w):
    need_module()
    pids = []
    for i in range(20):
        pid = os.fork()
        if not pid:
            os._exit(survives(lambda: traffic(World(w.way), 10)))
        pids.append(pid)
    bad = [p for p in pids if os.waitpid(p, 0)[1]]
    check(not bad, "%d of 20 failed" % len(bad))
    unloaded()
    nothing_left()


def test_namespace_freed(w):
    """A namespace with only TIME-WAIT left goes at once, not in a minute."""
    need_module()
    r, p = os.pipe()
    child = os.fork()
    if not child:
        v = World(w.way)
        os.write(p, b"%d" % os.stat("/proc/self/ns/net").st_ino)
        ls, c, s = connected(v)
        c.close()
        s.recv(1)
        s.close()
        os._exit(0)
    os.waitpid(child, 0)
    check(os.read(r, 20), "inode")
    start = time.monotonic()
    unloaded(20)
    check(time.monotonic() - start < 20, "held by TIME-WAIT")


def test_interface_vanishes(w):
    """The device goes under an open connection: no crash, no leak."""
    s, c = w.passive()
    s.send(b"last bytes")
    c.expect(".", length=10)
    w.close()				# tun0 dies with its descriptor
    s.send(b"into nothing")
    check(state_of(s) in ("ESTABLISHED", "CLOSE"), state_of(s))
    linger0(s)
    s.close()


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS, limit=3000 if VIRTUAL else 900 if not IS_TCP else 60,
                  together=1))
