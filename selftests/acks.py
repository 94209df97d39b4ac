#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""When we acknowledge, and what the ACK rides on (advert.c).

RFC 9293 3.8.6.3 and RFC 5681 4.2: an ACK at least for every second full
segment, delayed otherwise, at once when something is out of order; RFC 2018
and RFC 2883 for the SACK blocks. Counters tell the kinds apart.
"""

import sys
import time

from tpeer import (IS_TCP, VIRTUAL, check, main, need_virtual, tandem_only,
                   until)


def settle(s, c, rounds=25):
    """A calm connection: past the quick ACKs of its beginning."""
    for _ in range(rounds):
        c.send("P.", data=b"ping")
        s.recv(10)
        s.send(b"pong")
        while True:
            g = c.expect_any()
            if len(g):
                break
        c.rcv_nxt = g.rseq + len(g)
        c.send(".")
    while c.next(0.1):
        pass


def relative(c, a):
    return [((x - c.iss) & 0xffffffff, (y - c.iss) & 0xffffffff)
            for x, y in a.opts.get("sack", [])]


def test_delayed(w):
    s, c = w.passive()
    settle(s, c)
    before = w.counter("DelayedAcks")
    sent = time.monotonic()
    c.send("P.", data=b"small")
    a = c.expect(".", ack=c.snd_nxt)
    wait = a.when - sent
    if not IS_TCP:
        check(w.counter("DelayedAcks") == before + 1, "counted")
    if VIRTUAL:
        check(wait >= 0.005, "delayed: %.4f s" % wait)
        check(wait <= (0.22 if IS_TCP else 0.065), "not long: %.4f" % wait)


def test_delay_knob(w):
    """net.tandem.delack_max_ms bounds the wait."""
    tandem_only()
    need_virtual()
    for ms in (100, 20):
        w.knob("delack_max_ms", ms)
        s, c = w.passive()
        settle(s, c)
        sent = time.monotonic()
        c.send("P.", data=b"small")
        wait = c.expect(".", ack=c.snd_nxt).when - sent
        check(wait <= ms / 1000 + 0.02, "%.4f s of %d ms" % (wait, ms))


def test_every_second_full_segment(w):
    s, c = w.passive()
    settle(s, c)
    # Let it learn the size of a full segment first.
    for _ in range(4):
        c.send(".", data=b"f" * 1400)
        c.send("P.", data=b"f" * 1400)
        c.expect(".", ack=c.snd_nxt)
        s.recv(4000)
    while c.next(0.05):
        pass
    start = time.monotonic()
    for _ in range(5):
        c.send(".", data=b"f" * 1400)
        c.send("P.", data=b"f" * 1400)
        a = c.expect(".")
        check(a.rack in (c.snd_nxt, c.snd_nxt - 1400), "acks two: %s" % a)
        s.recv(4000)
        while c.next(0):
            pass
    if VIRTUAL:
        check(time.monotonic() - start < 0.1, "without delay")


def test_piggyback(w):
    """An answer within the delay carries the ACK; nothing else goes."""
    s, c = w.passive()
    settle(s, c)
    names = ("PureAcksOut", "PiggyAcksOut", "OutSegs")
    before = [w.counter(n) for n in names]
    for _ in range(50):
        c.send("P.", data=b"question")
        check(s.recv(100) == b"question", "question")
        s.send(b"answer")
        g = c.expect(".", ack=c.snd_nxt, length=6)
        check(g.data == b"answer", "answer")
    c.send(".")
    if not IS_TCP:
        grown = [w.counter(n) - b for n, b in zip(names, before)]
        check(grown == [0, 50, 50], "%s grew by %s" % (names, grown))


def test_out_of_order_at_once(w):
    s, c = w.passive()
    settle(s, c)
    due = c.snd_nxt
    start = time.monotonic()
    for i in (1, 2, 3):
        c.send("P.", seq=due + 100 * i, data=b"o" * 100)
        a = c.expect(".", ack=due)
        check(relative(c, a)[0] == (due + 100, due + 100 * (i + 1)),
              "SACK: %s" % relative(c, a))
    # The gap filled: at once again, over everything.
    c.send("P.", seq=due, data=b"g" * 100)
    a = c.expect(".", ack=due + 400)
    check("sack" not in a.opts, "nothing left to SACK: %s" % a)
    if VIRTUAL:
        check(time.monotonic() - start < 0.005, "no delay")
    c.snd_nxt = due + 400
    check(s.recv(1000) == b"g" * 100 + b"o" * 300, "bytes")
    if not IS_TCP:
        check(w.counter("OfoQueued") >= 3, "counted")
        check(w.counter("DupAcksOut") >= 3, "counted")


def test_sack_blocks_newest_first(w):
    """RFC 2018 section 4: the block of the newest segment comes first."""
    s, c = w.passive()
    for i in (2, 6, 4, 8, 10):
        c.send(".", seq=1 + 100 * i, data=b"s" * 100)
        a = c.expect(".", ack=1)
        got = relative(c, a)
        check(got[0] == (1 + 100 * i, 101 + 100 * i), "newest first: %s" % got)
    # With timestamps three blocks fit.
    check(len(got) == 3, "three blocks: %s" % got)
    check(len(set(got)) == 3, "all different: %s" % got)


def test_sack_four_without_timestamps(w):
    s, c = w.passive(ts=False)
    for i in (2, 4, 6, 8, 10):
        c.send(".", seq=1 + 100 * i, data=b"s" * 100)
        a = c.expect(".", ack=1)
    got = relative(c, a)
    check(len(got) == 4, "four blocks: %s" % got)


def test_sack_blocks_grow(w):
    s, c = w.passive()
    c.send(".", seq=201, data=b"a" * 100)
    c.expect(".", ack=1)
    c.send(".", seq=401, data=b"c" * 100)
    c.expect(".", ack=1)
    c.send(".", seq=301, data=b"b" * 100)
    got = relative(c, c.expect(".", ack=1))
    check(got[0] == (201, 501), "joined: %s" % got)
    c.send(".", seq=1, data=b"0" * 200)
    c.expect(".", ack=501)
    check(s.recv(1000) == b"0" * 200 + b"a" * 100 + b"b" * 100 + b"c" * 100,
          "bytes")


def test_no_sack_unless_both(w):
    ls = w.listen()
    s, c = w.passive(ls, sack=False)
    c.send(".", seq=201, data=b"a" * 100)
    a = c.expect(".", ack=1)
    check("sack" not in a.opts, "no SACK: %s" % a)


def test_dsack_in_ofo(w):
    """RFC 2883: a duplicate beyond the gap, told before its block."""
    s, c = w.passive()
    c.send(".", seq=201, data=b"a" * 100)
    c.expect(".", ack=1)
    c.send(".", seq=201, data=b"a" * 100)
    got = relative(c, c.expect(".", ack=1))
    check(got == [(201, 301), (201, 301)], "D-SACK then its block: %s" % got)
    if not IS_TCP:
        check(w.counter("DsackOut") >= 1, "counted")


def test_dsack_off(w):
    w.knob("dsack", 0)
    s, c = w.passive()
    c.send("P.", data=b"once")
    s.recv(10)
    while c.next(0.1):
        pass
    c.send("P.", seq=1, data=b"once")
    a = c.expect(".", ack=5)
    check("sack" not in a.opts, "no D-SACK: %s" % a)


def test_sack_off(w):
    w.knob("sack", 0)
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.")
    check("sackok" not in a.opts, "not offered: %s" % a)


def test_timestamps_off(w):
    w.knob("timestamps", 0)
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.")
    check("ts" not in a.opts, "not offered: %s" % a)


def test_window_scaling_off(w):
    w.knob("window_scaling", 0)
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.")
    check("ws" not in a.opts, "not offered: %s" % a)


def test_timestamp_echo(w):
    """RFC 7323 4.3: TSecr is that of the last segment that moved the ACK."""
    s, c = w.passive()
    settle(s, c)
    c.send("P.", data=b"one")
    a = c.expect(".", ack=c.snd_nxt)
    first = a.opts["ts"][1]
    check(first, "echoed")
    c.ts_offset += 777
    c.send(".", seq=c.snd_nxt + 50, data=b"gap")
    a = c.expect(".")
    check(a.opts["ts"][1] == first, "not of one out of order: %s" % a)


def test_every_segment_has_timestamps(w):
    s, c = w.active()
    s.send(b"x" * 5000)
    for _ in range(4):
        g = c.expect_any()
        check("ts" in g.opts, "timestamps on %s" % g)
    s.close()
    while True:
        g = c.expect_any()
        check("ts" in g.opts, "timestamps on %s" % g)
        if g.flags & 1:
            break


def test_fin_acked(w):
    s, c = w.passive()
    settle(s, c)
    start = time.monotonic()
    c.send("F.")
    c.expect(".", ack=c.snd_nxt)
    if VIRTUAL:			# like data it may be delayed
        check(time.monotonic() - start < 0.065, "not long")


def test_pure_acks_not_acked(w):
    s, c = w.passive()
    settle(s, c)
    for _ in range(20):
        c.send(".")
    c.quiet(0.3)


def test_ack_and_window_update_in_one(w):
    """Due together they are one segment, counted as such."""
    tandem_only()
    s, c = w.passive()
    settle(s, c)
    s.setsockopt(1, 8, 20000)
    names = ("PureAcksOut", "WinUpdatesOut", "MergedAcksOut")
    before = sum(w.counter(n) for n in names)
    segs = 0
    for _ in range(60):
        c.send("P.", data=b"m" * 1400)
        s.recv(65536)
        while c.next(0):
            segs += 1
    while c.next(0.1):
        segs += 1
    check(segs <= 60, "%d segments for 60" % segs)
    until(lambda: sum(w.counter(n) for n in names) - before <= segs,
          "each counted once", 1)


def test_quickack_option(w):
    """TCP_QUICKACK: what is owed is acknowledged now, not later."""
    s, c = w.passive()
    settle(s, c)
    start = time.monotonic()
    c.send("P.", data=b"quick")
    check(s.recv(10) == b"quick", "data")
    s.setsockopt(6, 12, 1)
    c.expect(".", ack=c.snd_nxt)
    if VIRTUAL:
        check(time.monotonic() - start < 0.005, "at once")


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS))
