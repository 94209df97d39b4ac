#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Windows (window.c, advert.c, output.c): what we grant, what we obey.

As sender: never a byte beyond the peer's right edge, probes with backoff
while it is shut, no silly segments. As receiver: the right edge never moves
back, no silly updates, an update when the program has read.
"""

import errno
import select
import socket
import sys
import time

from tpeer import (IS_TCP, VIRTUAL, check, expect_errno, main, need_virtual,
                   opt_ts, pad_opts, so_error, state_of, until)

NODELAY, CORK, USER_TIMEOUT = 1, 3, 18


def absorb(c, within=0.3):
    """Take all data that comes; returns (bytes in order, segments)."""
    out, segs = b"", []
    while True:
        s = c.next(within)
        if s is None:
            return out, segs
        segs.append(s)
        if len(s) and s.rseq == c.rcv_nxt:
            out += s.data
            c.rcv_nxt += len(s)


def take(c, n):
    """Receive @n bytes, acknowledging as they come."""
    out = b""
    while len(out) < n:
        g = c.expect_any(5)
        if g.rseq == c.rcv_nxt and len(g):
            out += g.data
            c.rcv_nxt += len(g)
            c.send(".")
    return out


# ---- the sender obeys ----

def test_never_beyond_the_window(w):
    s, c = w.passive(ws=0, win=3000)
    s.setblocking(False)
    s.send(b"w" * 20000)
    edge = 3001
    for grant in (3000, 100, 1460, 1, 5000, 20000):
        got, segs = absorb(c, 0.25)
        for g in segs:
            check(g.rseq + len(g) <= edge, "%s beyond %d" % (g, edge))
        c.win = grant
        c.send(".")
        edge = c.rcv_nxt + grant


def test_window_scaled(w):
    """A scaled window is used to its last byte, not one more."""
    s, c = w.passive(ws=3, win=512)			# 4096 bytes
    s.send(b"w" * 20000)
    got, segs = absorb(c, 0.15)
    check(len(got) <= 4096, "%d bytes into 4096" % len(got))
    check(len(got) >= 4096 - 1460, "%d bytes only" % len(got))


def test_syn_window_is_never_scaled(w):
    """RFC 7323 2.2: the window field of a SYN is plain bytes."""
    ls = w.listen()
    c = w.conn(ls.getsockname()[1], ws=8, win=500)
    c.send("S")
    a = c.expect("S.")
    check(a.opts["ws"] <= 14, "shift %d" % a.opts["ws"])
    check(a.win > 0, "a window in the SYN-ACK")
    c.win = 2			# 512 bytes
    c.send(".")
    s, _ = ls.accept()
    s.send(b"w" * 5000)
    got, _ = absorb(c, 0.15)
    check(len(got) <= 512, "%d bytes into 512" % len(got))


def test_no_scaling_unless_both(w):
    """RFC 7323 2.2: no scale in the SYN, none in the answer, none used."""
    ls = w.listen()
    c = w.conn(ls.getsockname()[1], ws=None, win=4000)
    c.send("S")
    a = c.expect("S.")
    check("ws" not in a.opts, "no window scale option: %s" % a)
    c.send(".")
    s, _ = ls.accept()
    s.send(b"w" * 20000)
    got, _ = absorb(c, 0.15)
    check(2500 < len(got) <= 4000, "%d bytes into 4000" % len(got))


def test_window_moved_back(w):
    """RFC 9293 3.8.6: be robust when a peer shrinks its window."""
    s, c = w.passive(ws=0, win=5000)
    s.send(b"b" * 12000)
    got, _ = absorb(c, 0.1)
    had = len(got)
    c.win = 100
    c.rcv_nxt = 1461			# and it took only one segment
    c.send(".")
    _, segs = absorb(c, 0.15)
    for g in segs:
        check(g.rseq + len(g) <= 5001 and g.rseq <= 1561,
              "%s beyond the old edge" % g)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    c.win = 60000
    c.send(".")
    want = 12001
    while c.rcv_nxt < want:
        g = c.expect_any(10)
        if g.rseq <= c.rcv_nxt < g.rseq + len(g):
            c.rcv_nxt = g.rseq + len(g)
            c.send(".")
    check(had > 0, "data at first")


def shut(w, size=6000):
    """A connection whose window is shut with 2000 bytes waiting."""
    s, c = w.passive(ws=0, win=4000, mss=1012)
    s.setblocking(False)
    s.send(b"z" * size)
    for i in range(4):
        c.expect(".", seq=1 + 1000 * i, length=1000)
    c.win = 0
    c.send(".")
    return s, c


def is_probe(c, p):
    """Linux probes with a number below the window, RFC 9293 with a byte."""
    return p.rseq in (c.rcv_nxt - 1, c.rcv_nxt) and len(p) <= 1 and p.flags & 16


def test_zero_window_probe_and_open(w):
    s, c = shut(w)
    for _ in range(2):
        p = c.expect_any(10)
        check(is_probe(c, p), "a probe: %s" % p)
        c.send(".", advance=False)
    c.win = 60000
    c.send(".")
    g = c.expect_any(0.15)
    check(len(g) >= 1000 and g.rseq == 4001, "data at once: %s" % g)
    c.rcv_nxt += len(g)
    c.send(".")
    got = g.data + take(c, 2000 - len(g))
    check(got == b"z" * 2000, "the rest, and right")
    if not IS_TCP:
        check(w.counter("WindowProbes") >= 2, "counted")
        check(w.counter("ZeroWindowIn") >= 1, "counted")


def test_zero_window_probe_finds_it_open(w):
    """The update was lost: the answer to a probe carries it."""
    s, c = shut(w)
    c.expect_any(10)
    c.win = 60000
    c.send(".")
    g = c.expect_any(0.15)
    check(len(g) >= 1000, "data after the probe: %s" % g)


def test_zero_window_probes_back_off(w):
    s, c = shut(w)
    times = []
    for _ in range(5):
        p = c.expect_any(30)
        check(is_probe(c, p), "a probe: %s" % p)
        times.append(p.when)
        c.send(".", advance=False)
    gaps = [b - a for a, b in zip(times, times[1:])]
    for a, b in zip(gaps, gaps[1:]):
        check(b >= 1.6 * a, "gaps grow: %s" % gaps)
        if VIRTUAL:
            check(b <= 2.5 * a, "but double only: %s" % gaps)


def test_zero_window_for_minutes(w):
    """RFC 1122 4.2.2.17: lives as long as the peer answers."""
    need_virtual()
    s, c = shut(w)
    start, n, last = time.monotonic(), 0, None
    while time.monotonic() - start < 3600:
        p = c.next(200)
        check(p is not None, "a probe at least every two minutes")
        check(is_probe(c, p), "a probe: %s" % p)
        last = p.when
        n += 1
        c.send(".", advance=False)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    check(n >= 25, "%d probes in an hour, the last at %s" % (n, last))
    c.win = 60000
    c.send(".")
    check(take(c, 2000) == b"z" * 2000, "the rest")


def test_zero_window_peer_vanishes(w):
    """Unanswered probes are given up like unanswered data."""
    s, c = shut(w)
    s.setsockopt(6, USER_TIMEOUT, 3000)
    n = 0
    start = time.monotonic()
    while state_of(s) != "CLOSE":
        check(time.monotonic() - start < 120, "it never ends")
        n += c.next(0.5) is not None
    check(n >= 2, "%d probes" % n)
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")


def test_zero_window_vanishes_default(w):
    need_virtual()
    s, c = shut(w)
    start = time.monotonic()
    while state_of(s) != "CLOSE":
        check(time.monotonic() - start < 3000, "it never ends")
        c.next(1)
    took = time.monotonic() - start
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")
    check(800 < took < 2000, "after %.0f s" % took)


def test_zero_window_fin_waits(w):
    """A FIN behind data waits for the window too; the end comes in order."""
    s, c = shut(w)
    s.shutdown(socket.SHUT_WR)
    p = c.expect_any(10)
    check(is_probe(c, p), "a probe: %s" % p)
    c.win = 60000
    c.send(".")
    got = 0
    while True:
        g = c.expect_any(5)
        if g.rseq == c.rcv_nxt:
            got += len(g)
            c.rcv_nxt += len(g)
        if g.flags & 1:
            break
    check(got == 2000, "all bytes before the FIN, %d" % got)


# ---- silly windows and Nagle (RFC 9293 3.8.6.2.1, RFC 896) ----

def test_nagle(w):
    s, c = w.passive()
    s.send(b"a")
    c.expect(".", length=1)
    for b in (b"b", b"c", b"d"):
        s.send(b)
    c.quiet(0.05)
    c.send(".")
    g = c.expect(".", length=3)
    check(g.data == b"bcd", "joined: %r" % g.data)


def test_nagle_lets_full_segments_go(w):
    s, c = w.passive(mss=1000, ts=False)
    s.send(b"a")
    c.expect(".", length=1)
    s.send(b"f" * 1000)
    c.expect(".", length=1000)
    s.send(b"b" * 10)
    c.quiet(0.05)
    c.send(".")
    c.expect(".", length=10)


def test_nodelay(w):
    s, c = w.passive()
    s.setsockopt(6, NODELAY, 1)
    for b in (b"a", b"b", b"c"):
        s.send(b)
        g = c.expect(".", length=1)
        check(g.data == b, "each by itself")


def test_nodelay_flushes(w):
    s, c = w.passive()
    s.send(b"a")
    c.expect(".", length=1)
    s.send(b"b")
    c.quiet(0.02)
    s.setsockopt(6, NODELAY, 1)
    c.expect(".", length=1)


def test_cork(w):
    s, c = w.passive(mss=1000, ts=False)
    s.setsockopt(6, CORK, 1)
    s.send(b"x" * 700)
    c.quiet(0.05)
    s.send(b"y" * 700)
    c.expect(".", length=1000)
    c.quiet(0.02)
    s.setsockopt(6, CORK, 0)
    c.expect(".", length=400)


def test_cork_200ms(w):
    s, c = w.passive()
    s.setsockopt(6, CORK, 1)
    start = time.monotonic()
    s.send(b"stuck")
    g = c.expect(".", length=5, within=3)
    took = g.when - start
    check(took >= 0.15, "held back: %.3f" % took)


def test_push_at_the_end_of_a_write(w):
    s, c = w.passive(mss=1000, ts=False)
    s.send(b"p" * 2500)
    flags = []
    while len(flags) < 3:
        flags.append(bool(c.expect_any().flags & 8))
    check(flags[-1], "the last segment pushes: %s" % flags)


def test_sws_sender(w):
    """Small windows are not chopped into small segments."""
    s, c = w.passive(ws=0, win=1000, mss=1000, ts=False)
    s.send(b"s" * 5000)
    got, segs = absorb(c, 0.1)
    check(len(got) == 1000, "the window is used: %d" % len(got))
    check(min(len(g) for g in segs) >= 500, "no silly segment")
    # 100 bytes open: less than half of the largest window, wait for more.
    c.win = 100
    c.send(".")
    c.quiet(0.1)
    c.win = 600
    c.send(".")
    g = c.expect_any()
    check(len(g) >= 500, "half the largest window goes: %s" % g)


# ---- the receiver grants ----

def grants(c, s, edge):
    """The right edge a segment grants; it must not be before @edge."""
    now = s.rack + (s.win << c.dut_ws)
    if IS_TCP and not s.win:
        return edge		# newer TCP does so when memory is short
    check(now >= edge, "right edge moved back by %d: %s" % (edge - now, s))
    return now


def receiver(w, rcvbuf=20000, **kw):
    ls = w.listen()
    ls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    c = w.conn(ls.getsockname()[1], **kw)
    c.send("S")
    a = c.expect("S.")
    c.dut_ws = a.opts.get("ws", 0)
    c.edge = 1 + a.win
    c.send(".")
    s, _ = ls.accept()
    return s, c


def fill(c, size=1400, limit=1 << 20):
    """Send until the window is shut; returns the bytes that were taken."""
    sent = 0
    while sent < limit:
        room = c.edge - c.snd_nxt
        if room <= 0:
            break
        n = min(size, room)
        c.send("P.", data=bytes(x & 255 for x in range(sent, sent + n)))
        sent += n
        while c.edge - c.snd_nxt < size:
            a = c.next(0.3)
            if a is None:
                break
            c.edge = grants(c, a, c.edge)
    while True:
        a = c.next(0.3)
        if a is None:
            return sent
        c.edge = grants(c, a, c.edge)


def test_right_edge_never_shrinks(w):
    s, c = receiver(w)
    sent = fill(c)
    check(sent > 5000, "%d bytes taken" % sent)
    check(c.last.rack == c.snd_nxt, "all in the window is taken")
    got = b""
    while len(got) < sent:
        got += s.recv(777)
        a = c.next(0)
        if a:
            c.edge = grants(c, a, c.edge)
    check(got == bytes(x & 255 for x in range(sent)), "bytes right")


def test_zero_window_advertised(w):
    s, c = receiver(w)
    fill(c)
    check(c.edge == c.snd_nxt, "shut: %d" % (c.edge - c.snd_nxt))
    if not IS_TCP:
        check(w.counter("ZeroWindowOut") >= 1, "counted")


def test_probe_of_a_shut_window(w):
    """RFC 9293 3.8.6.1: answered by the ACK due and the window."""
    s, c = receiver(w)
    sent = fill(c)
    check(c.edge == c.snd_nxt, "shut")
    c.send(".", data=b"?", advance=False)
    a = c.expect(".", ack=sent + 1)
    check(a.win == 0, "still shut: %s" % a)
    while c.next(0.6):
        pass
    c.send(".", seq=c.snd_nxt - 1, advance=False)
    a = c.expect(".", ack=sent + 1)
    check(a.win == 0, "still shut: %s" % a)
    # The byte beyond was not taken.
    got = 0
    while got < sent:
        got += len(s.recv(sent - got))
    s.setblocking(False)
    expect_errno(errno.EAGAIN, s.recv, 1)


def test_tiny_segments(w):
    """Overhead far above the payload: no promise is taken back."""
    s, c = receiver(w)
    want = bytes(i * 3 & 255 for i in range(4000))
    at = 0
    while c.snd_nxt <= len(want):
        c.send("P.", data=want[c.snd_nxt - 1:c.snd_nxt])
        if c.snd_nxt % 16 == 0:
            while True:
                a = c.next(0)
                if a is None:
                    break
                c.edge = grants(c, a, c.edge)
    while True:
        a = c.next(0.2)
        if a is None:
            break
        c.edge = grants(c, a, c.edge)
    # Whatever was not taken is sent again; the program reads meanwhile.
    got = b""
    s.settimeout(2)
    while len(got) < len(want):
        if select.select([s], [], [], 0.05)[0]:
            got += s.recv(65536)
        else:
            at = c.last.rack - 1
            check(at < len(want), "acknowledged, but not to be read")
            c.send("P.", seq=at + 1, data=want[at:at + 1000])
        while True:
            a = c.next(0.01)
            if a is None:
                break
            c.edge = grants(c, a, c.edge)
    check(got == want, "bytes right")


def test_update_when_read(w):
    s, c = receiver(w)
    sent = fill(c)
    got = 0
    updates = []
    while got < sent:
        got += len(s.recv(min(500, sent - got)))
        while True:
            a = c.next(0)
            if a is None:
                break
            updates.append(grants(c, a, c.edge))
            c.edge = updates[-1]
    while True:
        a = c.next(0.1)
        if a is None:
            break
        c.edge = grants(c, a, c.edge)
        updates.append(c.edge)
    check(updates, "the window opened again")
    check(c.edge - c.snd_nxt >= sent // 3, "wide: %d" % (c.edge - c.snd_nxt))
    # Receiver's silly window avoidance: few updates, not one a read.
    check(len(updates) <= sent // 500 // 2 + 1,
          "%d updates for %d reads" % (len(updates), sent // 500))
    if not IS_TCP:
        check(w.counter("WinUpdatesOut") + w.counter("MergedAcksOut") >= 1,
              "counted")


def test_no_silly_update(w):
    s, c = receiver(w)
    fill(c)
    check(len(s.recv(1)) == 1, "one byte")
    c.quiet(0.05)


def test_data_beyond_the_window_dropped(w):
    s, c = receiver(w)
    edge = c.edge
    c.send("P.", seq=edge + 10, data=b"beyond")
    a = c.expect(".", ack=1)
    check("sack" not in a.opts, "not kept: %s" % a)


def test_autotuned(w):
    """SO_RCVBUF unset: a fast reader's window grows with the flow."""
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.")
    c.dut_ws, c.edge = a.opts["ws"], 1 + a.win
    first = a.win
    c.send(".")
    s, _ = ls.accept()
    s.setblocking(False)
    # Rounds of a window each, as far apart as a round trip of 20 ms.
    for _ in range(25):
        while c.edge - c.snd_nxt >= 1400:
            c.send("P.", data=b"g" * 1400)
            if c.snd_nxt % 7 == 0:
                select.select([s], [], [], 0)
        time.sleep(0.02)
        while select.select([s], [], [], 0)[0] and s.recv(1 << 20):
            pass
        while True:
            a = c.next(0.002)
            if a is None:
                break
            c.edge = grants(c, a, c.edge)
    last = c.edge - c.snd_nxt
    check(last >= 1.1 * first, "window %d at first, %d later" % (first, last))


# ---- wrap-around ----

def test_peer_numbers_wrap(w):
    """The peer's sequence passes 2^32 in the middle of the stream."""
    s, c = w.passive(iss=0xffffffff - 5000)
    want = b""
    for i in range(20):
        part = bytes([i]) * 997
        want += part
        c.send("P.", data=part)
    # One more out of order, across the wrap long past.
    got = b""
    while len(got) < len(want):
        got += s.recv(65536)
    check(got == want, "bytes across the wrap")
    until(lambda: (c.next(0.1), c.last.rack == 20 * 997 + 1)[1], "last ACK")


def test_peer_numbers_wrap_out_of_order(w):
    s, c = w.passive(iss=0xffffffff - 100)
    parts = [bytes([65 + i]) * 50 for i in range(6)]
    for i in (3, 1, 5, 2, 4):
        c.send(".", seq=1 + 50 * i, data=parts[i])
        a = c.expect(".", ack=1)
        check("sack" in a.opts, "SACK: %s" % a)
    c.send(".", seq=1, data=parts[0], opts=pad_opts(
        opt_ts(c.ts_now(), c.ts_recent)))
    c.expect(".", ack=301)
    check(s.recv(1000) == b"".join(parts), "in order")


def test_own_numbers_wrap(w):
    """net.tandem.isn_fixed starts us near the wrap."""
    if not IS_TCP:
        w.knob("isn_fixed", 0xffffffff - 3000)
    s, c = w.passive()
    if not IS_TCP:
        check(c.irs == 0xffffffff - 3000, "ISN %d" % c.irs)
    data = bytes(i * 7 & 255 for i in range(20000))
    s.setblocking(False)
    sent = s.send(data)
    got = b""
    lost = False
    while len(got) < sent:
        g = c.expect_any()
        # Lose the segment across the wrap once.
        if not lost and g.rseq <= 3000 < g.rseq + len(g):
            lost = True
            continue
        if g.rseq == c.rcv_nxt:
            got += g.data
            c.rcv_nxt += len(g)
        c.send(".")
    check(got == data[:sent], "bytes across the wrap")
    check(lost, "one was lost at the wrap")


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS, limit=10000 if VIRTUAL else 60))
