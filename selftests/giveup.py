#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""When a path is beyond hope (timer.c), and what ICMP says about it.

Give-ups: after how long, after how many segments, and the errno at read,
write, poll and SO_ERROR. ICMP: hard errors end a connection being opened,
soft ones are remembered and told when it is given up (RFC 1122 4.2.3.9).
"""

import errno
import os
import select
import socket
import struct
import sys
import time

from tpeer import (IS_TCP, IS_UDP, REMOTE, UDP_PORT, UDP_ROOM, VIRTUAL, WIRE,
                   Skip, await_state, check, checksum, expect_errno, ip_header,
                   main, need_virtual, poll_bits, pseudo, so_error, state_of,
                   tandem_only, until)

USER_TIMEOUT = 18
SYNCNT = 7
MAXSEG = 2

# name: (v4 type, code), (v6 type, code), errno
ICMP = {
    "net": ((3, 0), (1, 0), errno.ENETUNREACH),
    "host": ((3, 1), (1, 3), errno.EHOSTUNREACH),
    "port": ((3, 3), (1, 4), errno.ECONNREFUSED),
    "admin": ((3, 13), (1, 1), None),
}
ADMIN = {"v4": errno.EHOSTUNREACH, "v6": errno.EACCES}


def icmp_errno(w, name):
    return ICMP[name][2] or ADMIN[w.way]


def send_icmp(w, kind, code, c, seq, rest=0, proto=WIRE):
    """An ICMP error about a segment the kernel sent."""
    quoted = struct.pack("!HHIIHHHH", c.dut_port, c.port,
                         (c.irs + seq) & 0xffffffff, c.iss, 5 << 12, 0, 0, 0)
    if IS_UDP and proto == WIRE:
        quoted = struct.pack("!HHHH", UDP_PORT, UDP_PORT, 8 + len(quoted),
                             0) + quoted
        if (w.way, kind) in (("v4", 3), ("v6", 2)) and rest:
            rest += UDP_ROOM		# it is the MTU
    inner = ip_header(w.way, w.dst, w.src, quoted, proto) + quoted
    body = struct.pack("!BBHI", kind, code, 0, rest) + inner
    if w.way == "v4":
        csum, number = checksum(body), 1
    else:
        csum = checksum(pseudo("v6", w.src, w.dst, len(body), 58) + body)
        number = 58
    w.inject(body[:2] + struct.pack("!H", csum) + body[4:], proto=number)


def unreachable(w, name, c, seq):
    v4, v6, _ = ICMP[name]
    send_icmp(w, *(v4 if w.way == "v4" else v6), c, seq)


# ---- nobody answers the SYN ----

def syns(c, limit):
    times = [c.last.when]
    while True:
        s = c.next(limit)
        if s is None:
            return times
        check(s.flags == 2 and s.rseq == 0, "a SYN again: %s" % s)
        times.append(s.when)


def doubles(times, first, text):
    """Gaps that double; a timer may be late by its own granularity."""
    for i in range(len(times) - 1):
        gap, want = times[i + 1] - times[i], first * 2 ** i
        late = want * (1.15 if VIRTUAL else 4) + 0.05
        check(want - 0.02 <= gap <= late,
              "%s: gap %d is %.3f s, not %.3f" % (text, i, gap, want))


def test_syn_gives_up(w):
    s, c = w.active_start(lambda x: x.setsockopt(6, SYNCNT, 2))
    times = syns(c, 8)
    check(len(times) == 3, "one SYN and two more, got %d" % len(times))
    doubles(times, 1.0, "SYN")
    check(poll_bits(s) & (select.POLLERR | select.POLLHUP) ==
          select.POLLERR | select.POLLHUP, "poll tells")
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")
    check(state_of(s) == "CLOSE", state_of(s))
    if not IS_TCP:
        check(w.counter("SynGiveUps") == 1, "counted")
        check(w.counter("SynRetrans") == 2, "counted")


def test_syn_gives_up_blocking(w):
    s = w.socket()
    s.setsockopt(6, SYNCNT, 1)
    s.setblocking(True)
    expect_errno(errno.ETIMEDOUT, s.connect, (REMOTE[w.way], 8000))


def test_syn_retries_default(w):
    need_virtual()
    w.knob("syn_retries", 6)
    s, c = w.active_start()
    times = syns(c, 130)
    check(len(times) == 7, "7 SYNs, got %d" % len(times))
    doubles(times, 1.0, "SYN")
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")


def test_synack_gives_up(w):
    w.knob("synack_retries", 2)
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    times = [c.expect("S.").when]
    while True:
        s = c.next(10)
        if s is None:
            break
        times.append(s.when)
    check(len(times) == 3, "one SYN-ACK and two more, got %d" % len(times))
    doubles(times, 1.0, "SYN-ACK")
    until(lambda: w.table(c.dut_port, c.port) is None, "request gone", 10)
    if not IS_TCP:
        check(w.counter("SynAckRetrans") == 2, "counted")
        check(w.counter("ReqTimeouts") == 1, "counted")
    check(state_of(ls) == "LISTEN", "the listener lives")


# ---- nobody answers the data ----

def until_dead(s, c, limit):
    n = 0
    end = time.monotonic() + limit
    while state_of(s) != "CLOSE":
        check(time.monotonic() < end, "still alive after %d s" % limit)
        n += c.next(0.5) is not None
    while c.next(0):
        n += 1
    return n


def test_user_timeout_read(w):
    s, c = w.passive()
    s.setsockopt(6, USER_TIMEOUT, 1500)
    s.setblocking(True)
    s.send(b"into the void")
    start = time.monotonic()
    expect_errno(errno.ETIMEDOUT, s.recv, 10)
    took = time.monotonic() - start
    check(took >= 1.4, "not before its time: %.3f" % took)
    if VIRTUAL:
        check(took < 2.2, "and not long after: %.3f" % took)
    check(s.recv(10) == b"", "then the end")
    expect_errno(errno.EPIPE, s.send, b"x")
    if not IS_TCP:
        check(w.counter("GiveUps") == 1, "counted")


def test_user_timeout_write(w):
    s, c = w.passive()
    s.setsockopt(6, USER_TIMEOUT, 1000)
    s.send(b"into the void")
    until_dead(s, c, 10)
    expect_errno(errno.ETIMEDOUT, s.send, b"x")
    expect_errno(errno.EPIPE, s.send, b"x")


def test_user_timeout_blocked_write(w):
    s, c = w.passive()
    s.setsockopt(6, USER_TIMEOUT, 1000)
    s.setblocking(True)
    # sendall() ends in the errno of the write that waited for room.
    expect_errno(errno.ETIMEDOUT, s.sendall, b"v" * 8000000)


def test_user_timeout_poll(w):
    s, c = w.passive()
    s.setsockopt(6, USER_TIMEOUT, 1000)
    s.send(b"into the void")
    p = select.poll()
    p.register(s, select.POLLIN | select.POLLRDHUP)
    got = p.poll(10000)
    want = select.POLLIN | select.POLLRDHUP | select.POLLERR | select.POLLHUP
    check(got and got[0][1] == want, "poll: %r" % got)
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")
    check(so_error(s) == 0, "once")


def test_retries2_few(w):
    w.knob("retries2", 3)
    s, c = w.passive()
    s.send(b"into the void")
    n = until_dead(s, c, 40)
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")
    check(3 <= n - 1 <= 5, "%d retransmissions" % (n - 1))


def test_retries2_default(w):
    """RFC 1122 4.2.3.5 R2: about 924 s with retries2 = 15."""
    need_virtual()
    w.knob("retries2", 15)
    s, c = w.passive()
    s.send(b"into the void")
    start = time.monotonic()
    n = until_dead(s, c, 1500)
    took = time.monotonic() - start
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")
    check(850 < took < 1100, "gave up after %.1f s" % took)
    check(14 <= n - 1 <= 16, "%d retransmissions" % (n - 1))


def test_orphan_gives_up(w):
    w.knob("orphan_retries", 2)
    s, c = w.passive()
    s.send(b"last")
    c.expect(".", length=4)
    s.close()
    until(lambda: (c.next(0.3), w.table(c.dut_port, c.port))[1] is None,
          "the orphan's end", 30)


def test_fresh_ack_restarts_the_count(w):
    """Progress resets the time: only silence gives up."""
    s, c = w.passive()
    s.setsockopt(6, USER_TIMEOUT, 1200)
    for i in range(4):
        s.send(b"%d" % i)
        c.expect(".", length=1)
        # One retransmission passes each time, together more than the limit.
        c.expect_any(3)
        c.expect_any(3)
        c.send(".")
        while c.next(0.02):
            pass
    check(state_of(s) == "ESTABLISHED", state_of(s))


# ---- keepalive ----

def keep(s, idle=1, interval=1, count=3):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for opt, v in ((4, idle), (5, interval), (6, count)):
        s.setsockopt(6, opt, v)


def test_keepalive_gives_up(w):
    s, c = w.passive()
    start = time.monotonic()
    keep(s)
    probes = []
    while state_of(s) != "CLOSE":
        check(time.monotonic() - start < 30, "it never ends")
        got = c.next(0.2)
        if got:
            probes.append(got)
    while True:
        got = c.next(0.1)
        if not got:
            break
        probes.append(got)
    resets = [p for p in probes if p.flags & 4]
    alive = [p for p in probes if not p.flags & 4]
    check(len(alive) == 3, "three probes, got %d" % len(alive))
    for p in alive:
        # RFC 9293 3.8.4: a number below the window, so that it is answered.
        check(p.rseq == 0 and len(p) <= 1, "probe %s" % p)
    check(len(resets) == 1, "a reset at the end")
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")
    if not IS_TCP:
        check(w.counter("KeepAlives") == 3, "counted")
        check(w.counter("KeepAliveGiveUps") == 1, "counted")


def test_keepalive_answered(w):
    s, c = w.passive()
    keep(s, count=2)
    for _ in range(4):
        c.expect(".", seq=0, within=5, take=False)
        c.send(".", advance=False)
    check(state_of(s) == "ESTABLISHED", state_of(s))


def test_keepalive_default(w):
    need_virtual()
    s, c = w.passive()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    start = time.monotonic()
    p = c.expect(".", seq=0, within=8000, take=False)
    check(7190 <= p.when - start <= 8200, "first after %.0f s" %
          (p.when - start))


# ---- ICMP ----

def test_icmp_while_opening(w):
    for name in ICMP:
        s, c = w.active_start(port=8000 + len(name))
        unreachable(w, name, c, 0)
        await_state(s, "CLOSE")
        check(so_error(s) == icmp_errno(w, name), name)
        if not IS_TCP:
            check(w.counter("IcmpIn") >= 1, "counted")


def test_icmp_bad_number_ignored(w):
    """RFC 5927 4.1: an ICMP must quote what is in flight."""
    s, c = w.active_start()
    unreachable(w, "port", c, 12345)
    c.quiet(0.05)
    check(state_of(s) == "SYN_SENT", state_of(s))
    if not IS_TCP:
        check(w.counter("IcmpOutOfWindow") == 1, "counted")
    c.answer_syn()
    c.expect(".", seq=1)


def test_icmp_soft_when_established(w):
    s, c = w.passive()
    s.send(b"data")
    c.expect(".", length=4)
    for name in ICMP:
        unreachable(w, name, c, 1)
    c.quiet(0.01)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    check(not poll_bits(s) & select.POLLERR, "no error yet")
    # Given up after all, the last ICMP names the cause.
    s.setsockopt(6, USER_TIMEOUT, 700)
    until_dead(s, c, 20)
    got = so_error(s)
    check(got == icmp_errno(w, "admin"), errno.errorcode.get(got, str(got)))


def test_icmp_soft_by_so_error(w):
    """SO_ERROR tells a soft error too, and forgets it."""
    s, c = w.passive()
    s.send(b"data")
    c.expect(".", length=4)
    unreachable(w, "host", c, 1)
    c.quiet(0.01)
    check(so_error(s) == errno.EHOSTUNREACH, "told")
    check(so_error(s) == 0, "once")
    s.setsockopt(6, USER_TIMEOUT, 700)
    until_dead(s, c, 20)
    check(so_error(s) == errno.ETIMEDOUT, "ETIMEDOUT")


def test_icmp_soft_forgotten(w):
    s, c = w.passive()
    s.send(b"data")
    c.expect(".", length=4)
    unreachable(w, "host", c, 1)
    c.send(".")
    s.send(b"more")
    c.expect_any()
    c.rcv_nxt = 9
    c.send(".")
    check(so_error(s) == 0, "no error")
    c.send("P.", data=b"fine")
    check(s.recv(10) == b"fine", "data")


def test_icmp_recverr(w):
    """IP_RECVERR asks for soft errors at once, and for their text."""
    s, c = w.passive()
    if w.way == "v4":
        s.setsockopt(socket.IPPROTO_IP, 11, 1)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, 25, 1)
    s.send(b"data")
    c.expect(".", length=4)
    unreachable(w, "host", c, 1)
    until(lambda: poll_bits(s) & select.POLLERR, "POLLERR", 5)
    check(so_error(s) == errno.EHOSTUNREACH, "EHOSTUNREACH")
    check(state_of(s) == "ESTABLISHED", state_of(s))


def too_big(w, c, seq, mtu):
    if w.way == "v4":
        send_icmp(w, 3, 4, c, seq, rest=mtu)
    else:
        send_icmp(w, 2, 0, c, seq, rest=mtu)


def test_icmp_too_big_shrinks(w):
    """RFC 1191, RFC 8201: smaller segments, at once and for good."""
    s, c = w.passive()
    s.send(b"m" * 1300)
    big = c.expect(".", seq=1)
    check(len(big) == 1300, "one segment of 1300: %s" % big)
    too_big(w, c, 1, 1280 if w.way == "v6" else 800)
    limit = 1280 - 60 if w.way == "v6" else 800 - 40
    got = 0
    while got < 1300:
        r = c.expect_any(3)
        check(len(r) <= limit, "a segment of %d after the ICMP" % len(r))
        got = max(got, r.rseq - 1 + len(r))
    c.rcv_nxt = 1301
    c.send(".")
    s.send(b"n" * 3000)
    r = c.expect_any()
    check(len(r) <= limit, "later ones too: %s" % r)
    if not IS_TCP:
        check(w.counter("PmtuShrink") >= 1, "counted")


def test_icmp_too_big_nonsense(w):
    """An MTU below the minimum must not cut segments to crumbs."""
    s, c = w.passive()
    s.send(b"m" * 1300)
    c.expect(".", seq=1)
    too_big(w, c, 1, 1)
    c.rcv_nxt = 1301
    c.next(0.05)
    c.send(".")
    while c.next(0.05):
        pass
    s.send(b"n" * 3000)
    r = c.expect_any()
    # net.ipv4.route.min_pmtu and IPv6's 1280 are the floors.
    check(len(r) >= (500 if w.way == "v4" else 1200), "segment %s" % r)


def test_icmp_forged_too_big(w):
    s, c = w.passive()
    s.send(b"m" * 1300)
    c.expect(".", seq=1)
    too_big(w, c, 0x30000000, 1280 if w.way == "v6" else 600)
    c.rcv_nxt = 1301
    c.send(".")
    s.send(b"n" * 1300)
    r = c.expect_any()
    check(len(r) == 1300, "not believed: %s" % r)


def test_local_unreachable_route(w):
    w.ip("route add unreachable 10.88.0.0/16\n"
         "route add unreachable fd88::/16\n")
    s = w.socket()
    s.setblocking(True)
    expect_errno(errno.EHOSTUNREACH, s.connect,
                 ("10.88.0.1" if w.way == "v4" else "fd88::1", 80))


def test_route_lost(w):
    """A route that goes away is a soft error; coming back heals it."""
    s, c = w.passive()
    if w.way == "v6":
        raise Skip("v4 shows it")
    s.send(b"one")
    c.expect(".", length=3)
    c.send(".")
    w.ip("route add unreachable 10.77.0.2/32\n")
    s.send(b"two")
    c.quiet(0.05)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    w.ip("route del unreachable 10.77.0.2/32\n")
    r = c.expect_any(10)
    check(r.data == b"two", "sent when the route is back: %s" % r)


def test_port_closed_is_refused(w):
    """The kernel's own answer, over loopback, counted at both ends."""
    tandem_only()
    s = w.socket()
    s.setblocking(True)
    before = w.counter("OutRsts")
    expect_errno(errno.ECONNREFUSED, s.connect,
                 ("127.0.0.1" if w.way == "v4" else "::1", 9))
    check(w.counter("OutRsts") == before + 1, "one reset")
    check(w.counter("AttemptFails") >= 1, "one failed attempt")


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS, limit=10000 if os.environ.get("TANDEM_REAL_TIME") or
                  VIRTUAL else 60))
