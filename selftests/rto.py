#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The retransmission timer against the arithmetic of RFC 6298 (rtt.c, timer.c).

The peer answers after delays it chooses, so every sample is known; then it
falls silent, and the times of the retransmissions are compared with

    first sample R:   SRTT = R, RTTVAR = R / 2
    later ones:       RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|
                      SRTT = 7/8 SRTT + 1/8 R
    RTO = SRTT + max(G, 4 RTTVAR), clamped to [rto_min, rto_max], doubled
    by every expiry

Exact times exist only in virtual time; elsewhere a retransmission may be
late but never early. Kernel TCP adds a floor to RTTVAR of its own, so only
the rules common to both are asked of it.
"""

import errno
import socket
import sys
import time

from tpeer import (IS_TCP, VIRTUAL, Skip, check, expect_errno, main, need_virtual,
                   tandem_only)

TICK = 0.010			# UML: HZ = 100


class Model:
    """RFC 6298 section 2, in seconds."""

    def __init__(self, lo=0.2, hi=120.0, init=1.0):
        self.srtt = None
        self.rttvar = None
        self.lo, self.hi, self.init = lo, hi, init

    def sample(self, r):
        if self.srtt is None:
            self.srtt, self.rttvar = r, r / 2
            return
        self.rttvar = 0.75 * self.rttvar + 0.25 * abs(self.srtt - r)
        self.srtt = 0.875 * self.srtt + 0.125 * r

    def rto(self, expiries=0):
        base = self.init
        if self.srtt is not None:
            base = self.srtt + max(TICK, 4 * self.rttvar)
        base = min(max(base, self.lo), self.hi)
        return min(base * 2 ** expiries, self.hi)


def fits(got, want, text):
    """Never early; late by ticks and the timer wheel's eighth at most."""
    early = 0.001 if VIRTUAL else 0.01
    check(got >= want - early - TICK, "%s: %.4f s is before %.4f" %
          (text, got, want))
    if not VIRTUAL:
        return
    wheel = 0.13 * want if want > 0.6 else 0
    check(got <= want + 3 * TICK + wheel, "%s: %.4f s is after %.4f" %
          (text, got, want))


def passive(w, model, r0, **kw):
    """Accept with a first round trip of @r0: SYN-ACK to ACK."""
    ls = w.listen()
    c = w.conn(ls.getsockname()[1], **kw)
    c.send("S")
    a = c.expect("S.")
    # The wait is the path's delay, not a wait for something to happen.
    time.sleep(max(0, a.when + r0 - time.monotonic()))
    c.send(".")
    if model:
        model.sample(r0)
    s, _ = ls.accept()
    return s, c


def exchange(s, c, model, r, data=b"x"):
    """One segment, acknowledged after @r seconds."""
    s.send(data)
    g = c.expect(".", length=len(data))
    time.sleep(max(0, g.when + r - time.monotonic()))
    c.send(".")
    if model:
        model.sample(time.monotonic() - g.when)


def silence(s, c, n, data=b"lost"):
    """Send and be deaf: the gaps between the copies that come."""
    s.send(data)
    last = c.expect(".", length=len(data), take=False)
    gaps = []
    for _ in range(n):
        g = c.expect_any(300)
        check(g.rseq == last.rseq, "the same again: %s" % g)
        gaps.append(g.when - last.when)
        last = g
    return gaps


def compare(model, gaps, text):
    for i, gap in enumerate(gaps):
        fits(gap, model.rto(i), "%s, expiry %d" % (text, i))


def test_after_the_handshake(w):
    """2.2: the handshake's own round trip is the first sample."""
    need_virtual()
    tandem_only()
    for r0 in (0.1, 0.15, 0.19):
        m = Model()
        s, c = passive(w, m, r0)
        compare(m, silence(s, c, 3), "R0 = %s" % r0)


def test_steady(w):
    """2.3: variation dies away; RTO falls towards SRTT, never below min."""
    need_virtual()
    tandem_only()
    m = Model()
    s, c = passive(w, m, 0.15)
    for _ in range(3):
        exchange(s, c, m, 0.15)
    compare(m, silence(s, c, 2), "after 3")
    m = Model()
    s, c = passive(w, m, 0.25)
    for _ in range(40):
        exchange(s, c, m, 0.25)
    compare(m, silence(s, c, 2), "after 40")


def test_varying(w):
    need_virtual()
    tandem_only()
    for rs in ((0.1, 0.12, 0.08, 0.14), (0.05, 0.1, 0.05, 0.1, 0.05),
               (0.15, 0.05, 0.05), (0.02, 0.12)):
        m = Model()
        s, c = passive(w, m, rs[0])
        for r in rs[1:]:
            exchange(s, c, m, r)
        compare(m, silence(s, c, 2), "R = %s" % (rs,))


def test_minimum(w):
    """2.4, as a knob: a fast path waits rto_min."""
    need_virtual()
    tandem_only()
    for ms in (200, 500, 50):
        w.knob("rto_min_ms", ms)
        m = Model(lo=ms / 1000)
        s, c = passive(w, m, 0.001)
        for _ in range(10):
            exchange(s, c, m, 0.001)
        compare(m, silence(s, c, 3), "minimum %d ms" % ms)


def test_maximum(w):
    """2.5: backoff stops at rto_max."""
    need_virtual()
    tandem_only()
    w.knob("rto_max_ms", 1000)
    m = Model(hi=1.0)
    s, c = passive(w, m, 0.1)
    compare(m, silence(s, c, 6), "maximum")


def test_initial(w):
    """2.1, as a knob: before any sample."""
    tandem_only()
    w.knob("rto_init_ms", 400)
    s, c = w.active_start()
    last = c.last
    for i in range(2):
        g = c.expect("S", within=20)
        fits(g.when - last.when, 0.4 * 2 ** i, "SYN %d" % i)
        last = g
    s.close()


def test_initial_default_and_backoff(w):
    s, c = w.active_start()
    last = c.last
    for i in range(2):
        g = c.expect("S", within=20)
        fits(g.when - last.when, 1.0 * 2 ** i, "SYN %d" % i)
        last = g
    s.close()


def test_backoff_doubles(w):
    """5.5: common to Tandem and TCP."""
    s, c = w.passive()
    gaps = silence(s, c, 4)
    check(gaps[0] >= 0.19, "not before 200 ms: %.3f" % gaps[0])
    for a, b in zip(gaps, gaps[1:]):
        check(b >= 1.8 * a or not VIRTUAL, "doubles: %s" % gaps)
        check(b <= 2.3 * a + 0.03 or not VIRTUAL, "only doubles: %s" % gaps)


def test_backoff_ends_with_an_ack(w):
    """5.7 and Karn: the next fresh sample brings the RTO back."""
    need_virtual()
    s, c = w.passive()
    silence(s, c, 3)
    c.rcv_nxt += 4
    c.send(".")
    for _ in range(3):
        exchange(s, c, None, 0.001)
    gap = silence(s, c, 1)[0]
    check(0.19 <= gap <= 0.35, "back to normal: %.3f s" % gap)


def test_karn_without_timestamps(w):
    """Section 3: what was sent twice gives no sample."""
    need_virtual()
    tandem_only()
    m = Model()
    s, c = passive(w, m, 0.1, ts=False)
    exchange(s, c, m, 0.1)
    s.send(b"k")
    c.expect(".", length=1)
    g = c.expect_any(5)			# its retransmission
    time.sleep(max(0, g.when + 0.01 - time.monotonic()))
    c.send(".")				# 10 ms after the second: no sample
    # Section 5: the backed-off RTO stays until there is one (Karn), or is
    # computed anew from the old estimate; it may not be 10 ms's.
    gap = silence(s, c, 1)[0]
    check(gap >= m.rto() - 2 * TICK, "%.4f s, the estimate says %.4f" %
          (gap, m.rto()))
    check(gap <= m.rto(1) * 1.13 + 3 * TICK, "%.4f s" % gap)


def test_timestamps_sample_retransmissions(w):
    """RFC 7323 4.1: with timestamps even those are measured."""
    need_virtual()
    tandem_only()
    m = Model()
    s, c = passive(w, m, 0.1)
    before = w.counter("RttSamples")
    s.send(b"k")
    first = c.expect(".", length=1)
    c.expect_any(5)
    c.send(".")
    check(w.counter("RttSamples") >= before + 1, "a sample")
    check(first is not None, "sent")


def test_one_sample_per_ack(w):
    tandem_only()
    s, c = w.passive()
    before = w.counter("RttSamples")
    for _ in range(20):
        exchange(s, c, None, 0.001)
    got = w.counter("RttSamples") - before
    check(got == 20, "%d samples of 20 ACKs" % got)


def test_timer_restarts_on_progress(w):
    """5.3: an ACK of new data restarts the timer for the rest."""
    need_virtual()
    s, c = w.passive(mss=1012)
    s.send(b"r" * 3000)
    for _ in range(3):
        c.expect(".", length=1000)
    time.sleep(0.15)
    c.send(".", ack=1001)
    acked = time.monotonic()
    g = c.expect_any(5)
    wait = g.when - acked
    check(g.rseq == 1001, "the next one: %s" % g)
    check(wait >= 0.18, "counted from the ACK: %.3f s" % wait)


def test_timer_stops_when_all_is_acked(w):
    """5.2."""
    s, c = w.passive()
    exchange(s, c, None, 0.001)
    c.quiet(3 if VIRTUAL else 0.5)
    if not IS_TCP:
        check(w.counter("RtoExpired") == 0, "no expiry")


SO_TXREHASH = 74


def test_another_flow_label(w):
    """A timeout looks for another path (RFC 6438), unless SO_TXREHASH says no."""
    if w.way == "v4":
        raise Skip("IPv4 has no flow label")
    s, c = w.passive()
    s.send(b"x")
    first, again = c.expect(".", seq=1, length=1), c.expect(".", seq=1, length=1)
    check(first.flow, "no flow label")
    check(again.flow != first.flow, "the label stayed")
    c.send(".", ack=2)
    c.rcv_nxt = 2
    s.setsockopt(socket.SOL_SOCKET, SO_TXREHASH, 0)
    s.send(b"y")
    first, again = c.expect(".", seq=2, length=1), c.expect(".", seq=2, length=1)
    check(again.flow == first.flow, "the label changed")
    c.send(".", ack=3)
    for bad in (-2, 2):
        expect_errno(errno.EINVAL, s.setsockopt, socket.SOL_SOCKET, SO_TXREHASH, bad)
    if not IS_TCP:
        check(w.counter("TimeoutRehash") == 1, "not counted")


def test_another_label_for_acks(w):
    """The same data for the third time: it may be our ACKs that get lost."""
    if w.way == "v4":
        raise Skip("IPv4 has no flow label")
    _, c = w.passive()
    labels = []
    for i in range(4):
        c.send("P.", seq=1, data=b"abc", advance=False)
        labels.append(c.expect(".", ack=4, length=0).flow)
    check(labels[0] == labels[1], "changed by the first duplicate: %s" % labels)
    check(len(set(labels)) == 3, "it stayed: %s" % labels)
    if not IS_TCP:
        check(w.counter("DupDataRehash") == 2, "not counted")


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS, limit=3000 if VIRTUAL else 60))
