#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Loss (ack.c, scoreboard.c, recovery.c, cong_reno.c) seen by a raw peer.

The peer loses what it chooses and says so by SACK or by duplicate ACKs;
what is sent again, when, and how much at once follow RFC 5681, 6582, 6675
and 6928. Where a probe of the tail (TLP), F-RTO or an undo is not what is
tested they are switched off; over TCP all of them are, and RACK as well.
"""

import socket
import struct
import subprocess
import sys
import time

from tpeer import (IS_TCP, SOL, VIRTUAL, check, linger0, main, need_virtual,
                   opt_sack, opt_ts, pad_opts, so_error, state_of, tandem_only,
                   until)

MSS = 1000


def start(w, sack=True, ts=True, segs=40, **kw):
    """A connection whose program has a lot to send, in segments of MSS."""
    s, c = w.passive(mss=MSS + (12 if ts else 0), sack=sack, ts=ts, **kw)
    s.setsockopt(6, 13, b"reno")
    s.setsockopt(1, 32, 2 << 20)	# SO_SNDBUFFORCE
    s.setblocking(False)
    data = bytes(i * 5 & 255 for i in range(segs * MSS))
    sent = s.send(data)
    check(sent == len(data), "%d of %d bytes taken" % (sent, len(data)))
    return s, c, data


def slow_start(w, rtt, segs=40, ts=True, rate=None):
    """A connection with a known round trip that has sent @segs at once."""
    ls = w.listen()
    c = w.conn(ls.getsockname()[1], mss=MSS + (12 if ts else 0), ts=ts)
    c.send("S")
    a = c.expect("S.")
    # The path's delay, not a wait for something to happen.
    time.sleep(max(0, a.when + rtt - time.monotonic()))
    c.send(".")
    s, _ = ls.accept()
    s.setsockopt(6, 13, b"reno")
    s.setsockopt(1, 32, 2 << 20)
    if rate:
        s.setsockopt(1, 47, rate)	# SO_MAX_PACING_RATE
    s.setblocking(False)
    s.send(bytes(segs * MSS))
    return s, c


def burst(c, within=0.05):
    """Whatever comes now: a list of relative sequence numbers in MSS."""
    out = []
    while True:
        g = c.next(within)
        if g is None:
            return out
        check(len(g) % MSS == 0 and (g.rseq - 1) % MSS == 0, "cut: %s" % g)
        first = (g.rseq - 1) // MSS
        out += range(first, first + len(g) // MSS)


def ack(c, upto, *blocks, **kw):
    """Acknowledge the first @upto segments, SACK blocks [a, b) of others."""
    opts = opt_ts(c.ts_now(), c.ts_recent) if c.use_ts else b""
    if blocks:
        opts += opt_sack(*((c.irs + 1 + a * MSS, c.irs + 1 + b * MSS)
                           for a, b in blocks))
    c.send(".", ack=1 + upto * MSS, opts=pad_opts(opts), **kw)


def test_initial_window(w):
    """RFC 6928: ten segments, no more, before the first ACK."""
    s, c, _ = start(w)
    got = burst(c)
    check(got == list(range(10)), "the first flight: %s" % got)


def test_slow_start(w):
    """RFC 5681 3.1: an ACK of one segment lets two go."""
    s, c, _ = start(w)
    burst(c)
    ack(c, 1)
    got = burst(c, 0.02)
    check(got == [10, 11], "after one ACK: %s" % got)
    ack(c, 2)
    got = burst(c, 0.02)
    check(got == [12, 13], "after another: %s" % got)


def test_fast_retransmit_by_sack(w):
    s, c, _ = start(w)
    burst(c)
    t = time.monotonic()
    for n in (2, 3, 4):
        ack(c, 0, (1, n))
    got = burst(c, 0.02)
    check(0 in got, "the first hole again: %s" % got)
    check(got.count(0) == 1, "once: %s" % got)
    check(not set(got) & {1, 2, 3}, "nothing SACKed again: %s" % got)
    if VIRTUAL:
        check(time.monotonic() - t < 0.15, "not by the timer")
    if not IS_TCP:
        check(w.counter("Recoveries") == 1, "counted")
        check(w.counter("RackRetrans") == 1, "counted")
        check(w.counter("FastRetrans") == 0, "and only once")
        check(w.counter("RtoExpired") == 0, "no timeout")


def test_two_duplicates_are_not_loss(w):
    """Reordering by two segments is no reason to send again, not within 50 ms."""
    s, c = slow_start(w, 0.2)
    burst(c)
    ack(c, 0, (1, 2))
    ack(c, 0, (1, 3))
    got = burst(c, 0.02)
    check(0 not in got, "nothing again: %s" % got)
    ack(c, 5)
    got = burst(c, 0.02)
    check(got and min(got) >= 10, "only new: %s" % got)
    if not IS_TCP:
        check(w.counter("RetransSegs") == 0, "counted")


def test_limited_transmit(w):
    """RFC 3042: each of the first two duplicates lets a new one go."""
    s, c = slow_start(w, 0.2)
    burst(c)
    ack(c, 0, (1, 2))
    got = burst(c, 0.02)
    check(got == [10], "first duplicate: %s" % got)
    ack(c, 0, (1, 3))
    got = burst(c, 0.02)
    check(got == [11], "second duplicate: %s" % got)


def test_several_holes_one_round(w):
    """RFC 6675: every hole is filled within a round trip, each once."""
    s, c, data = start(w)
    burst(c)
    ack(c, 10)
    got = burst(c)
    check(got and got[0] == 10 and len(got) >= 10, "a wide flight: %s" % got)
    top = got[-1] + 1
    lost = {11, 13, 15}
    have = set()
    for i in range(10, top):
        if i in lost:
            continue
        have.add(i)
        blocks, j = [], 11
        while j < top:
            if j in have:
                k = j
                while k in have:
                    k += 1
                blocks.append((j, k))
                j = k
            j += 1
        ack(c, 11, *sorted(blocks, key=lambda b: -b[1])[:3])
    again = [g for g in burst(c, 0.03) if g < top]
    check(sorted(again) == sorted(lost), "the holes, each once: %s" % again)


def test_recovery_ends_and_all_arrives(w):
    """Lose every seventh segment, once; the stream comes whole."""
    s, c, data = start(w, segs=120)
    lost, have, top, acks = set(), {}, 0, 0
    end = time.monotonic() + 50
    while top < 120:
        check(time.monotonic() < end, "stuck at segment %d" % top)
        g = c.next(3)
        check(g is not None, "nothing more comes at segment %d" % top)
        for k in range(len(g) // MSS):
            i = (g.rseq - 1) // MSS + k
            if i % 7 == 3 and i not in lost:
                lost.add(i)
                continue
            have[i] = g.data[k * MSS:(k + 1) * MSS]
        while top in have:
            top += 1
        blocks = []
        j = top
        while j < 120:
            if j in have:
                k = j
                while k in have:
                    k += 1
                blocks.append((j, k))
                j = k
            j += 1
        ack(c, top, *blocks[-3:])
        acks += 1
    check(b"".join(have[i] for i in range(120)) == data, "bytes right")
    check(len(lost) == 17, "%d lost" % len(lost))
    if not IS_TCP:
        check(w.counter("RetransSegs") >= 17, "sent again")
        check(w.counter("RetransSegs") <= 17 * 2, "but not much more: %d" %
              w.counter("RetransSegs"))


def test_newreno_fast_retransmit(w):
    """Without SACK: three duplicate ACKs (RFC 5681 3.2)."""
    s, c, _ = start(w, sack=False)
    burst(c)
    ack(c, 1)
    check(burst(c, 0.02) == [10, 11], "two more")
    for _ in range(3):
        ack(c, 1)
    got = burst(c, 0.02)
    check(1 in got and got.count(1) == 1, "the lost one: %s" % got)
    check(all(g == 1 or g >= 12 for g in got), "nothing else: %s" % got)


def test_newreno_partial_ack(w):
    """RFC 6582 3.2: a partial ACK tells the next hole."""
    s, c, _ = start(w, sack=False)
    burst(c)
    for _ in range(8):
        ack(c, 0)
    got = burst(c, 0.02)
    check(0 in got, "the first hole: %s" % got)
    ack(c, 4)
    got = burst(c, 0.02)
    check(4 in got, "the second hole at once: %s" % got)
    check(not set(got) & {5, 6, 7, 8, 9}, "only it: %s" % got)


def test_window_halves(w):
    """RFC 5681 (4): about half the flight after a loss."""
    s, c, _ = start(w, segs=200)
    burst(c)
    ack(c, 10)
    flight = burst(c)
    check(len(flight) == 20, "20 segments after 10 ACKed: %s" % len(flight))
    top = flight[-1] + 1
    for n in range(12, top + 1):
        ack(c, 10, (11, n))
    burst(c, 0.03)
    ack(c, top)			# all but what was sent since
    time.sleep(0.01)
    new = burst(c, 0.03)
    out = (max(new) + 1 if new else top) - top
    check(5 <= out <= 15, "%d in flight after the loss of one of 20" % out)


def test_timeout_sends_one(w):
    """RFC 5681 3.1: after a timeout the window is one segment."""
    s, c, _ = start(w)
    burst(c)
    g = c.expect_any(3)
    check(g.rseq == 1, "the first again: %s" % g)
    got = burst(c, 0.05)
    check(got == [], "and nothing more: %s" % got)
    if not IS_TCP:
        check(w.counter("RtoExpired") == 1, "counted")
        check(w.counter("RtoRetrans") == 1, "counted")
    ack(c, 10)
    got = burst(c)
    check(1 <= len(got) <= 12, "slow start again: %s" % got)


def test_timeout_then_slow_start(w):
    """After it the rest goes as slow start lets it."""
    s, c, _ = start(w)
    burst(c)
    c.expect_any(3)
    ack(c, 1)
    got = burst(c, 0.05)
    check(got[:2] == [1, 2] and len(got) <= 3, "the next two: %s" % got)


def test_retransmission_lost_again(w):
    """A fast retransmission that is lost is saved by the timer (RFC 6675)."""
    if not IS_TCP:
        w.knob("loss_detection", "dupthresh")
    s, c, data = start(w, segs=12)
    burst(c)
    for n in range(2, 11):
        ack(c, 0, (1, n))
    got = burst(c, 0.03)
    check(got.count(0) == 1, "fast: %s" % got)
    ack(c, 0, (1, 12))
    g = c.expect_any(5)
    check(g.rseq == 1, "again by timer: %s" % g)
    ack(c, 12)
    c.quiet(0.3)
    check(so_error(s) == 0 and state_of(s) == "ESTABLISHED", "alive")


def test_tail_loss(w):
    """The last segment lost: nothing follows it, the timer must."""
    s, c, _ = start(w, segs=5)
    burst(c)
    ack(c, 4)
    g = c.expect_any(5)
    check(g.rseq == 1 + 4 * MSS, "the tail again: %s" % g)
    ack(c, 5)
    c.quiet(0.3)


def test_renege(w):
    """RFC 2018 section 8: SACKed data may be forgotten by the peer."""
    s, c, data = start(w, segs=10)
    burst(c)
    ack(c, 0, (1, 10))
    c.next(0.05)
    # The peer lost all of it and says so by no longer SACKing it.
    have, top = {}, 0
    end = time.monotonic() + 40
    while top < 10:
        check(time.monotonic() < end, "stuck at %d" % top)
        g = c.next(5)
        check(g is not None, "gave up at %d" % top)
        for k in range(len(g) // MSS):
            have[(g.rseq - 1) // MSS + k] = g.data[k * MSS:(k + 1) * MSS]
        while top in have:
            top += 1
        ack(c, top)
    check(b"".join(have[i] for i in range(10)) == data, "bytes right")
    if not IS_TCP:
        check(w.counter("SackReneg") >= 1, "counted")


def test_undo_by_timestamps(w):
    """A spurious timeout costs nothing lasting (RFC 3522, Eifel)."""
    tandem_only()
    s, c, _ = start(w)
    burst(c)
    early = c.ts_recent
    c.expect_any(3)			# the timeout's retransmission
    late = c.ts_recent
    check(early != late, "timestamps tell the two apart")
    c.ts_recent = early
    ack(c, 10)				# it is the first one we acknowledge
    got = burst(c)
    check(len(got) >= 10, "with the window of before: %s" % got)
    check(not [g for g in got if g < 10], "nothing needless: %s" % got)
    check(w.counter("LossUndo") == 1, "counted")
    check(w.counter("SpuriousRtos") == 0, "and F-RTO was not needed")


def test_eifel_fast_retransmit(w):
    """RFC 3522: the echo tells that a hole was filled by the original."""
    tandem_only()
    s, c = slow_start(w, 0.1, 10)
    check(burst(c) == list(range(10)), "the flight")
    early = c.ts_recent
    ack(c, 0, (1, 2), (3, 5))
    check(burst(c, 0.02) == [0], "two are called lost, PRR lets one go")
    ack(c, 0, (1, 2), (3, 8))
    check(burst(c, 0.02) == [2], "and then the other")
    c.ts_recent = early
    ack(c, 2, (3, 8))
    burst(c, 0.02)
    check(w.counter("TSReorder") == 1, "a hole filled by the original")
    check(w.counter("PartialUndo") == 0, "a copy is under way: not yet")
    ack(c, 10)
    burst(c, 0.02)
    check(w.counter("FullUndo") == 1, "undone at the end")


def test_partial_undo(w):
    """The same while no copy is in flight: undone at once."""
    tandem_only()
    s, c = slow_start(w, 0.1, 10)
    burst(c)
    early = c.ts_recent
    ack(c, 0, (1, 4))
    check(burst(c, 0.02) == [0], "called lost")
    c.ts_recent = early
    ack(c, 1, (1, 4), (5, 6))		# the copy is covered, segment 4 a hole
    burst(c, 0.005)
    check(w.counter("PartialUndo") == 1, "counted")
    check(w.counter("FullUndo") == 0, "and not twice")


def test_reordering_window_grows(w):
    """RFC 8985 6.2 step 4: a D-SACK widens what a segment may be late."""
    need_virtual()
    tandem_only()
    s, c = slow_start(w, 0.1, 10, ts=False)
    burst(c)
    time.sleep(0.05)
    ack(c, 0, (1, 2))
    ack(c, 2)				# in order 1, 0: reordering is seen
    check(w.counter("SackReorder") >= 1, "reordering")
    ack(c, 2, (3, 6))
    g = c.expect_any(0.5)		# a quarter of the minimal RTT later
    check(g.rseq == 1 + 2 * MSS, "by the timer of the window: %s" % g)
    check(w.counter("ReoTimeouts") == 1, "counted")
    ack(c, 10)
    burst(c, 0.02)
    ack(c, 10, (2, 3))			# it came twice: only late
    burst(c, 0.02)
    check(w.counter("DsackUndo") + w.counter("FullUndo") == 1, "undone")
    s.send(bytes(10 * MSS))
    check(burst(c, 0.05) == list(range(10, 20)), "ten more")
    time.sleep(0.05)
    ack(c, 10, (11, 14))
    # Two quarters now, from the time the RTT of what was SACKed had passed.
    first = time.monotonic()
    g = c.expect_any(0.5)
    check(g.rseq == 1 + 10 * MSS, "the hole: %s" % g)
    check(0.04 <= g.when - first <= 0.07, "after two quarters: %.3f s" %
          (g.when - first))


# What the next connection knows of the path's reordering (path.c).

def path_of():
    """The one path that is remembered, by the names in /proc/net/tandem/paths."""
    with open("/proc/net/tandem/paths") as f:
        lines = [line.split()[2:] for line in f]
    check(len(lines) == 1, "one path: %r" % lines)
    return dict(zip(lines[0][::2], lines[0][1::2]))


def end(w, s):
    """The connection ends, and leaves what it learnt."""
    before = w.counter("PathsLearnt")
    linger0(s)
    s.close()
    check(w.counter("PathsLearnt") == before + 1, "nothing was learnt")


def reordering_of(s):
    """tcpi_reordering"""
    return struct.unpack_from("I", s.getsockopt(SOL, socket.TCP_INFO, 104), 88)[0]


def snd_cwnd(s):
    return struct.unpack_from("I", s.getsockopt(SOL, socket.TCP_INFO, 104), 80)[0]


def see_reordering(w):
    """A connection that sees a segment come after two that were sent later."""
    s, c = slow_start(w, 0.1, 10)
    check(burst(c, 0.05) == list(range(10)), "the flight")
    time.sleep(0.05)
    ack(c, 0, (1, 3))			# two are no proof of loss
    ack(c, 3)
    ack(c, 10)
    check(w.counter("SackReorder") == 1, "reordering was not seen")
    end(w, s)
    check(w.counter("RetransSegs") == 0, "sent again")


def five_sacked(w):
    """A connection whose peer has, a round trip later, five of which one is missing."""
    s, c = slow_start(w, 0.1, 10)
    check(burst(c, 0.05) == list(range(10)), "the flight")
    time.sleep(0.05)
    ack(c, 0, (1, 6))
    return s, c


def found_at_once(w):
    s, c = five_sacked(w)
    got = burst(c, 0.005)
    check(got == [0], "lost after three, at once: %s" % got)
    ack(c, 10)
    end(w, s)


def test_reordering_remembered(w):
    """RFC 9040: where the last connection saw reordering, late is not lost."""
    need_virtual()
    tandem_only()
    see_reordering(w)
    known = path_of()
    check(known["reordering"] == "3" and known["reo_mult"] == "1", "%s" % known)
    s, c = five_sacked(w)
    check(reordering_of(s) == 3, "tcpi_reordering %d" % reordering_of(s))
    got = burst(c, 0.015)
    check(got == [], "sent again before the window of 25 ms: %s" % got)
    ack(c, 10)
    check(w.counter("RetransSegs") + w.counter("Recoveries") == 0, "spurious")
    check(w.counter("PathsReorder") == 1, "not counted")
    end(w, s)
    check(path_of()["reordering"] == "6", "the larger degree: %s" % path_of())
    # A true loss is found no later than the window says.
    s, c = five_sacked(w)
    start = time.monotonic()
    took = c.expect_any(0.5).when - start
    check(0.02 <= took <= 0.035, "a loss is found after %.3f s" % took)
    ack(c, 10)
    end(w, s)
    # Who is told nothing, or asks not, is as before.
    for knob, value in ("path_cache", 0), ("path_cache", 1), ("path_cache_flush", 1):
        w.knob(knob, value)
        if knob == "path_cache" and value == 1:
            check(path_of()["reordering"] == "6", "kept while it was off")
            continue
        s, c = five_sacked(w)
        check(burst(c, 0.005) == [0], "%s %d: at once" % (knob, value))


def test_reordering_window_remembered(w):
    """What D-SACKs made of the window is known to the next connection, too."""
    need_virtual()
    tandem_only()
    see_reordering(w)
    s, c = five_sacked(w)
    check(c.expect_any(0.5).rseq == 1, "called lost after 25 ms")
    ack(c, 10, (0, 1))			# it came twice: it had only been late
    check(w.counter("DsackUndo") + w.counter("FullUndo") == 1, "undone")
    end(w, s)
    check(path_of()["reo_mult"] == "2", "%s" % path_of())
    s, c = five_sacked(w)
    start = time.monotonic()
    took = c.expect_any(0.5).when - start
    check(0.045 <= took <= 0.06, "half of the RTT is waited: %.3f s" % took)


def test_reordering_forgotten(w):
    """Segments that stay in order speak against it; one alone says nothing."""
    need_virtual()
    tandem_only()
    see_reordering(w)
    # One segment in flight at a time: no chance to be overtaken.
    s, c = slow_start(w, 0.1, 0)
    for i in range(1100):
        s.send(bytes(MSS))
        c.expect_any()
        ack(c, i + 1)
    end(w, s)
    check(path_of()["reordering"] == "3", "a dialogue proves nothing: %s" % path_of())
    for known in "3", "0":
        s, c = slow_start(w, 0.1, 900)
        top = 0
        while top < 900:
            got = burst(c, 0.05)
            check(got == list(range(top, top + len(got))) and got, "in order: %s" % got)
            top += len(got)
            ack(c, top)
        end(w, s)
        check(path_of()["reordering"] == known, "%s, not %s" % (path_of(), known))
    check(w.counter("RetransSegs") == 0, "nothing was lost")
    found_at_once(w)


def test_in_order_not_slowed(w):
    """A path that is known, and not for reordering: loss is found at once."""
    need_virtual()
    tandem_only()
    found_at_once(w)
    check(path_of()["reordering"] == "0", "%s" % path_of())
    found_at_once(w)
    check(w.counter("PathsReorder") == 0, "counted")


def test_resume_retreats(w):
    """Careful Resume jumps, loses, and goes back below what the path has proven."""
    need_virtual()
    tandem_only()
    s, c = slow_start(w, 0.1, 300)
    top = 0
    while top < 300:
        got = burst(c, 0.05)
        top = got[-1] + 1
        ack(c, top)
    end(w, s)
    check(int(path_of()["bw"]) > 1000000, "the path's rate: %s" % path_of())
    s, c = slow_start(w, 0.1, 300)
    check(burst(c, 0.09) == list(range(10)), "no more than the initial window")
    check(w.counter("Resumes") == 0, "before it is acknowledged")
    ack(c, 10)
    got = burst(c, 0.05)
    check(w.counter("Resumes") == 1 and len(got) > 50, "the jump: %d" % len(got))
    ack(c, 10, (got[-1] - 9, got[-1] + 1))	# all but the last ten are lost
    burst(c, 0.05)
    check(w.counter("ResumeRetreats") == 1, "it did not retreat")
    check(w.counter("ResumesValidated") == 0, "validated")
    check(snd_cwnd(s) <= 10, "cwnd %d, of which only ten were proven" % snd_cwnd(s))
    check(path_of()["bw"] == "0", "the rate is not forgotten: %s" % path_of())


def paced(w, by):
    """Forty segments at 100 KB/s: when the last of them leaves."""
    s, c = slow_start(w, 0.1, 40, rate=100000)
    got, when = [], []
    while len(got) < 40:
        g = c.next(0.2)
        check(g, "%s: only %d came" % (by, len(got)))
        first = (g.rseq - 1) // MSS
        got += range(first, first + len(g) // MSS)
        when.append(g.when)
    check(got == list(range(40)), "%s: in order, once each: %s" % (by, got))
    # The first ten are free (RFC 6928).
    took = when[-1] - when[10]
    check(0.9 * 29 * MSS / 100000 <= took <= 1.2 * 29 * MSS / 100000,
          "%s: the rest took %.3f s" % (by, took))
    gaps = [b - a for a, b in zip(when[10:], when[11:])]
    check(max(gaps) <= 0.04, "%s: a gap of %.3f s" % (by, max(gaps)))
    linger0(s)
    s.close()


def test_paced(w):
    """By a timer of the connection, and by the fq qdisc, evenly."""
    need_virtual()
    tandem_only()
    w.knob("init_cwnd", 40)
    paced(w, "timer")
    subprocess.run(["tc", "qdisc", "replace", "dev", "tun0", "root", "fq"], check=True)
    paced(w, "fq")


def test_pieces_bounded(w):
    """A peer that SACKs every other tiny segment does not eat our memory."""
    tandem_only()
    w.knob("init_cwnd", 1000)
    ls = w.listen()
    s, c = w.passive(ls, mss=100)
    s.setsockopt(1, 7, 40000)
    s.setblocking(False)
    size = 88
    s.send(bytes(size * 1000))
    sent = sum(len(g) for g in iter(lambda: c.next(0.05), None))
    edges = [(c.irs + 1 + k * size, c.irs + 1 + (k + 1) * size)
             for k in range(1, sent // size, 2)]
    for k in range(0, len(edges), 3):
        c.send(".", ack=1, opts=pad_opts(opt_ts(c.ts_now(), c.ts_recent) +
                                         opt_sack(*edges[k:k + 3])))
    check(w.counter("WQueueTooBig") > 0, "not bounded")
    c.send(".", ack=1 + sent)
    until(lambda: s.send(b"x") == 1, "the connection lives")


def test_thousands_sacked(w):
    """A long window with a hole in every other segment fills in order."""
    tandem_only()
    n = 400
    w.knob("init_cwnd", n)
    s, c, data = start(w, segs=n)
    got = burst(c)
    check(got == list(range(n)), "all at once: %d" % len(got))
    for i in range(1, n, 2):
        ack(c, 0, (i, i + 1), *((k, k + 1) for k in (i - 2, i - 4) if k > 0))
    again = burst(c, 0.05)
    top = 0
    end = time.monotonic() + 60
    while top < n:
        check(time.monotonic() < end, "stuck at %d" % top)
        while top < n and (top % 2 or top in again):
            top += 1
        ack(c, top)
        if top < n:
            more = burst(c, 0.05)
            check(more, "nothing more at %d" % top)
            again += more
    check(sorted(again) == list(range(0, n, 2)), "every hole once: %d" % len(again))
    check(w.counter("RtoExpired") == 0, "no timeout")


def wide_flight(w, n):
    """A connection with @n segments in flight, from number @n on."""
    w.ip("link set tun0 txqueuelen %d\n" % (8 * n))
    w.knob("init_cwnd", n // 2)
    s, c = w.passive(mss=112)
    s.setsockopt(6, 13, b"reno")
    s.setsockopt(1, 32, 8 << 20)
    s.setblocking(False)
    data = bytes(100 * 2 * n)
    check(s.send(data) == len(data), "the send buffer is too small")
    while c.next(0.05):
        pass
    return s, c


def walk_acks(c, acks):
    """Acknowledge, each time with SACK blocks in segments of 100 bytes."""
    for una, blocks in acks:
        c.send(".", ack=1 + 100 * una, opts=pad_opts(
            opt_ts(c.ts_now(), c.ts_recent) +
            opt_sack(*((c.irs + 1 + 100 * a, c.irs + 1 + 100 * b) for a, b in blocks))))
        while c.w.inbox or c.next(0):
            c.w.inbox.clear()


def walks(w, c, what, acks):
    before = w.counter("SegsWalked")
    walk_acks(c, acks)
    walked = w.counter("SegsWalked") - before
    check(0 < walked <= 8 * len(acks), "%s: %d segments were looked at for %d ACKs" % (
        what, walked, len(acks)))


def test_walks_bounded(w):
    """What an ACK costs does not grow with the flight, whatever SACKs it repeats."""
    tandem_only()
    need_virtual()
    n = 1000
    for detector in "rack", "dupthresh":
        w.knob("loss_detection", detector)
        s, c = wide_flight(w, n)
        walk_acks(c, [(n // 2, [(n - 1, n)])])	# the window doubles: n are in flight
        while c.next(0.05):
            pass
        low, top = n // 2 + 1, n // 2 + n
        odd = list(range(low, top, 2))
        walks(w, c, detector + ", a hole behind each", [
            (n // 2, [(k, k + 1) for k in reversed(odd[max(i - 2, 0):i + 1])])
            for i in range(len(odd))])
        # Old ones again, far apart: no block is like one of the last ACK.
        walks(w, c, detector + ", repeated", [
            (n // 2, [(odd[(i * j) % len(odd)], odd[(i * j) % len(odd)] + 1)
                      for j in (7, 11, 13)]) for i in range(1, 500)])
        # One block that grows, each time after an ACK without it.
        walks(w, c, detector + ", a long block", [
            (n // 2, [(low, k + 2)] if turn else [(top - 1, top)])
            for k in odd[:-1] for turn in (0, 1)])
        linger0(s)
        s.close()
        w.inbox.clear()


def bbr_info(s):
    """TCP_CC_INFO of bbr: rate, pacing gain"""
    lo, hi, _, gain, _ = struct.unpack("5I", s.getsockopt(SOL, 26, 20))
    return hi << 32 | lo, gain


def test_bbr_startup_undone(w):
    """Losses that were none ended STARTUP: the model and its state come back."""
    need_virtual()
    tandem_only()
    w.knob("init_cwnd", 40)
    w.knob("rto_min_ms", 5000)
    w.knob("congestion_control", "bbr")
    ls = w.listen()
    c = w.conn(ls.getsockname()[1], mss=MSS, ts=False)
    c.send("S")
    c.expect("S.")
    time.sleep(0.1)
    c.send(".")
    s, _ = ls.accept()
    s.setsockopt(1, 32, 4 << 20)
    s.setblocking(False)
    s.send(bytes(300 * MSS))
    startup = bbr_info(s)[1]
    check(startup == 710, "the gain of STARTUP: %d" % startup)
    top, copies, runs, lately, rate, cwnd = 0, [], [], 1, 0, 0
    for _ in range(8):
        time.sleep(0.1)
        got = burst(c, 0.05)
        new = sorted(k for k in got if k >= top)
        copies += [k for k in got if k < top]
        top = new[-1] + 1
        cwnd = cwnd or snd_cwnd(s)
        for k in new[not runs:]:		# the very first is, too
            if k % 5 == 4:		# every fifth is late
                lately = k + 1
            else:
                ack(c, 0, (lately, k + 1), *runs)
            if k % 5 == 3:
                runs = [(lately, k + 1)] + runs[:2]
        rate = max(rate, bbr_info(s)[0])
        if bbr_info(s)[1] != startup:
            break
    check(bbr_info(s)[1] < startup, "it did not leave STARTUP")
    check(w.counter("RtoExpired") == 0, "a timeout")
    # All had only been late: the peer gets everything, and the copies as well.
    ack(c, 0, (1, top))
    while True:
        got = burst(c, 0.3)
        if not got:
            break
        copies += [k for k in got if k < top]
        top = max(got + [top - 1]) + 1
        ack(c, 0, (1, top))
    check(copies, "nothing was sent again")
    for k in copies:
        if k:
            ack(c, 0, (k, k + 1), (1, top))
    check(bbr_info(s)[1] < startup, "undone too soon")
    for k in copies:
        if not k:
            ack(c, top, (0, 1))
    check(w.counter("DsackUndo") + w.counter("FullUndo") == 1, "not undone")
    check(bbr_info(s)[1] == startup, "not in STARTUP: gain %d" % bbr_info(s)[1])
    check(snd_cwnd(s) >= cwnd, "cwnd: %d, was %d" % (snd_cwnd(s), cwnd))
    # And it goes on there.
    before = snd_cwnd(s)
    s.send(bytes(500 * MSS))
    got = burst(c, 0.05)
    time.sleep(0.05)
    for k in range(0, len(got), 2):
        ack(c, top + k + 1)
    check(bbr_info(s)[1] == startup, "and left it again")
    check(bbr_info(s)[0] >= rate, "the rate: %d, was %d" % (bbr_info(s)[0], rate))
    check(snd_cwnd(s) > before, "cwnd does not grow: %d" % snd_cwnd(s))


def test_dsack_received(w):
    """A D-SACK for what was sent again is understood, never acted upon."""
    s, c, _ = start(w)
    burst(c)
    c.expect_any(3)
    ack(c, 10, (0, 1))			# below the ACK: a D-SACK
    burst(c)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    if not IS_TCP:
        check(w.counter("DsackIn") == 1, "counted")


def test_application_limited(w):
    """cwnd does not grow while the program gives nothing to send."""
    s, c = w.passive(mss=MSS + 12)
    for _ in range(60):
        s.send(b"tiny")
        g = c.expect(".", length=4)
        c.send(".")
        check(g.data == b"tiny", "data")
    s.setblocking(False)
    s.send(b"b" * 80 * MSS)
    got = 0
    while True:
        g = c.next(0.05)
        if g is None:
            break
        got += len(g) // MSS
    check(got <= 25, "%d segments at once after a chat" % got)


def test_idle_restart(w):
    """RFC 5681 4.1: after an idle RTO no burst above the initial window."""
    s, c, _ = start(w, segs=30)
    burst(c)
    ack(c, 10)
    burst(c)
    ack(c, 30)
    c.quiet(2.5)
    s.send(b"r" * 40 * MSS)
    got = burst(c)
    check(len(got) <= 10, "%d segments at once after idling" % len(got))


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS))
