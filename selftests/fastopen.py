#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Fast open, segment by segment: RFC 7413 at both ends, and the memory of a path.

The peer is made of raw segments, so it can send cookies that are wrong, SYNs again
and again, and SYN-ACKs that acknowledge less than they might.
"""

import errno
import functools
import os
import socket
import struct
import time

from tpeer import (FIN, LOCAL, REMOTE, check, expect_errno, linger0, main, need_virtual,
                   opt_mss, opt_sackok, opt_ts, opt_ws, tandem_only)

FASTOPEN, FASTOPEN_CONNECT, FASTOPEN_KEY = 23, 30, 33
MSG_FASTOPEN = 0x20000000
SYN_DATA = 32			# tcpi_options: TCPI_OPT_SYN_DATA
TICK = 0.010


def ours(func):
    """Not over kernel TCP: counters and /proc are asked."""
    @functools.wraps(func)
    def run(w):
        tandem_only()
        # On the tcp wire, too: what waits for company is what is tested here.
        w.knob("tcp_wire_thrift", 1)
        func(w)
    return run


def opt_cookie(val=b""):
    return struct.pack("!BB", 34, 2 + len(val)) + val


def cookie_of(s):
    """The fast open option of a segment: None without one."""
    return s.opts.get(34)


def syn(c, val, data=b"", push=False):
    opts = opt_mss(1460) + opt_sackok() + opt_ts(c.ts_now(), 0) + opt_ws(7)
    if val is not None:
        opts += opt_cookie(val)
    c.send("SP" if push else "S", data=data, opts=opts)


def listener(w, qlen=5):
    s = w.socket()
    s.setsockopt(socket.IPPROTO_TCP, FASTOPEN, qlen)
    s.bind((LOCAL[w.way], 0))
    s.listen(8)
    return s


def get_cookie(w, ls):
    """A handshake that asks for it."""
    c = w.conn(ls.getsockname()[1])
    syn(c, b"")
    got = cookie_of(c.expect("S.", seq=0, ack=1))
    check(got is not None and len(got) == 8, "no cookie: %r" % (got,))
    c.send(".")
    s, _ = ls.accept()
    c.send("F.")
    s.recv(1)
    s.close()
    c.expect("F.")
    c.send(".")
    return got


def early_child(w, ls, val, data):
    """A SYN with cookie and @data: (the peer, what accept() returns)."""
    c = w.conn(ls.getsockname()[1])
    syn(c, val, data)
    s, _ = ls.accept()
    s.settimeout(10)
    return c, s


def options(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]


@ours
def test_cookie_request(w):
    """It is answered with one, and nothing else changes; another peer has another."""
    ls = listener(w)
    a, b = get_cookie(w, ls), get_cookie(w, ls)
    check(a == b, "the cookie of one peer changed")
    check(w.counter("FastOpenCookieReqd") == 2, "not counted")
    check(w.counter("FastOpenPassive") == 0, "a child was made without a cookie")


@ours
def test_data_at_once(w):
    """accept() and read() before the third ACK."""
    ls = listener(w)
    val = get_cookie(w, ls)
    c, s = early_child(w, ls, val, b"hello")
    check(s.recv(100) == b"hello", "other bytes")
    check(options(s) & SYN_DATA, "TCPI_OPT_SYN_DATA")
    a = c.expect("S.", seq=0, ack=6, length=0, within=0.1)
    check(cookie_of(a) is None, "a cookie that was good came back")
    s.sendall(b"early")			# still in SYN-RECEIVED
    c.expect(".", seq=1, ack=6, length=5)
    c.send(".")
    c.send(".", data=b"more")
    check(s.recv(100) == b"more", "other bytes later")
    check(w.counter("FastOpenPassive") == 1, "not counted")


@ours
def test_answer_rides(w):
    """What is written soon goes with the SYN-ACK."""
    ls = listener(w)
    val = get_cookie(w, ls)
    c, s = early_child(w, ls, val, b"ask")
    check(s.recv(100) == b"ask", "other bytes")
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(b"answer")
    a = c.expect("S.", seq=0, ack=4, length=6)
    check(a.data == b"answer", "other bytes in it")
    c.send(".")
    c.quiet(2)
    check(w.counter("SynAckRides") == 1, "not counted")
    # And where the peer takes the SYN-ACK without the data.
    c, s = early_child(w, ls, val, b"ask")
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(b"answer")
    c.expect("S.", seq=0, ack=4, length=6)
    c.rcv_nxt = 1
    c.send(".")
    a = c.expect(".", seq=1, ack=4, length=6, within=0.1)
    check(a.data == b"answer", "other bytes again")
    c.send(".")
    c.quiet(2)


@ours
def test_lost_with_synack(w):
    """RFC 8985 6.2: the ACK of a SYN-ACK that was sent again tells of what was sent before."""
    need_virtual()
    ls = listener(w)
    val = get_cookie(w, ls)
    c, s = early_child(w, ls, val, b"ask")
    mss = 1448 if w.way == "v4" else 1428
    s.sendall(b"z" * 3 * mss)
    c.expect("S.", seq=0, ack=4, length=0)
    for i in range(3):
        c.expect(".", seq=1 + mss * i, ack=4, length=mss)
    time.sleep(0.6)
    c.rcv_nxt = 0
    c.send("S", seq=0, advance=False)
    c.expect("S.", seq=0, ack=4, length=0, within=0.1)
    c.rcv_nxt = 1
    time.sleep(0.2)			# a round trip, so that no timer is as early as that
    c.send(".")
    for i in range(3):
        c.expect(".", seq=1 + mss * i, ack=4, length=mss, within=0.1)
        c.send(".")


@ours
def test_slow_server(w):
    """Two SYN-ACKs that waited in vain: hardly another does, until an answer is quick again."""
    need_virtual()
    ls = listener(w)
    val = get_cookie(w, ls)
    held = []

    def visit(answer=b""):
        c = w.conn(ls.getsockname()[1])
        start = time.monotonic()
        syn(c, val, b"ask")
        s = None
        if answer:
            s, _ = ls.accept()
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(answer)
        c.expect("S.", seq=0, ack=4)
        held.append(time.monotonic() - start > 0.002)
        c.send(".")
        s = s or ls.accept()[0]
        linger0(s)
        s.close()
        while c.next(0.05):
            pass

    for _ in range(2 + 2 * 63):
        visit()
    check(held[:2] == [True, True], "not held at first")
    at = [i for i, h in enumerate(held[2:]) if h]
    check(at == [62, 125], "held again at %s" % at)
    check(w.counter("SynAckHoldsInVain") == 4, "not counted")
    # The next that is held again has its answer.
    for _ in range(62):
        visit()
    before = w.counter("SynAckRides")
    visit(b"quick")
    check(w.counter("SynAckRides") == before + 1, "it did not ride")
    visit()
    check(held[-1], "not held after a quick answer")


@ours
def test_wrong_cookie(w):
    """No child, the right cookie in the SYN-ACK, and the data comes again."""
    ls = listener(w)
    val = get_cookie(w, ls)
    for wrong in (bytes(8), val[:4], val + val, val[:7] + bytes([val[7] ^ 1])):
        c = w.conn(ls.getsockname()[1])
        syn(c, wrong, b"hello")
        a = c.expect("S.", seq=0, ack=1, length=0)
        check(cookie_of(a) == val, "the right one did not come")
        c.snd_nxt = 1
        c.send(".")
        c.send(".", data=b"hello")
        s, _ = ls.accept()
        check(s.recv(100) == b"hello", "other bytes")
        s.close()
    check(w.counter("FastOpenPassiveFail") == 4, "not counted")
    check(w.counter("FastOpenPassive") == 0, "a child was made")
    # An option of impossible length is ignored (RFC 7413 section 4.1.1).
    c = w.conn(ls.getsockname()[1])
    syn(c, val[:5], b"hello")
    check(cookie_of(c.expect("S.", seq=0, ack=1)) is None, "answered")


@ours
def test_listener_off(w):
    """Who did not ask for it has no fast open."""
    ls = listener(w)
    val = get_cookie(w, ls)
    off = w.listen()
    c = w.conn(off.getsockname()[1])
    syn(c, val, b"hello")
    check(cookie_of(c.expect("S.", seq=0, ack=1)) is None, "a cookie")
    c = w.conn(off.getsockname()[1])
    syn(c, b"")
    check(cookie_of(c.expect("S.", seq=0, ack=1)) is None, "a cookie")


@ours
def test_syn_again(w):
    """The SYN without data again: the SYN-ACK again, the data not."""
    ls = listener(w)
    val = get_cookie(w, ls)
    c = w.conn(ls.getsockname()[1])
    syn(c, val, b"once")
    c.expect("S.", seq=0, ack=5)
    for data in (b"", b"once"):
        time.sleep(0.6)
        c.send("S", seq=0, data=data, advance=False)
        c.expect("S.", seq=0, ack=5, within=0.2)
    s, _ = ls.accept()
    c.send(".")
    c.send(".", data=b"!")
    got = b""
    while len(got) < 5:
        got += s.recv(100)
    check(got == b"once!", "read %r" % got)
    check(w.counter("PassiveOpens") == 2, "more than one child")


@ours
def test_synack_timer(w):
    """A SYN-ACK that is lost goes again, and synack_retries ends it."""
    need_virtual()
    w.knob("synack_retries", 2)
    ls = listener(w)
    val = get_cookie(w, ls)
    w.knob("path_cache_flush", 1)
    c = w.conn(ls.getsockname()[1])
    syn(c, val, b"x")
    for _ in range(3):
        c.expect("S.", seq=0, ack=2, within=10)
    s, _ = ls.accept()
    check(s.recv(1) == b"x", "the data is there")
    expect_errno(errno.ETIMEDOUT, s.recv, 1)
    check(w.counter("SynAckRetrans") == 2, "not counted as SYN-ACKs")


@ours
def test_bound(w):
    """TCP_FASTOPEN 1: one unproven child; one that was reset counts on."""
    need_virtual()
    ls = listener(w, 1)
    val = get_cookie(w, ls)

    def taken():
        c = w.conn(ls.getsockname()[1])
        syn(c, val, b"x")
        return c, c.expect("S.", seq=0).rack == 2

    first, ok = taken()
    check(ok, "the first was not taken")
    check(not taken()[1], "the second was taken")
    check(w.counter("FastOpenListenOverflow") == 1, "not counted")
    first.send("R", seq=2)
    check(not taken()[1], "a reset made room at once")
    time.sleep(125)
    c, ok = taken()
    check(ok, "two minutes later there is still no room")
    c.send(".")			# proven
    check(taken()[1], "a proven child counts")


@ours
def test_backup_key(w):
    """A cookie of the backup key is good, and the primary's comes back."""
    ls = listener(w)
    old, new = os.urandom(16), os.urandom(16)
    ls.setsockopt(socket.IPPROTO_TCP, FASTOPEN_KEY, old)
    val = get_cookie(w, ls)
    ls.setsockopt(socket.IPPROTO_TCP, FASTOPEN_KEY, new + old)
    check(ls.getsockopt(socket.IPPROTO_TCP, FASTOPEN_KEY, 64) == new + old,
          "the keys read back")
    c = w.conn(ls.getsockname()[1])
    syn(c, val, b"x")
    fresh = cookie_of(c.expect("S.", seq=0, ack=2))
    check(fresh is not None and fresh != val, "no new cookie")
    check(w.counter("FastOpenPassiveAltKey") == 1, "not counted")
    ls.setsockopt(socket.IPPROTO_TCP, FASTOPEN_KEY, new)
    c = w.conn(ls.getsockname()[1])
    syn(c, fresh, b"x")
    check(cookie_of(c.expect("S.", seq=0, ack=2)) is None, "the new one is good")
    c = w.conn(ls.getsockname()[1])
    syn(c, val, b"x")
    c.expect("S.", seq=0, ack=1)
    for bad in (b"", bytes(15), bytes(17), bytes(33)):
        expect_errno(errno.EINVAL, ls.setsockopt, socket.IPPROTO_TCP, FASTOPEN_KEY, bad)


@ours
def test_key_rotates(w):
    """The namespace's own key: as a backup it is good, and then no longer."""
    need_virtual()
    w.knob("fastopen_key_rotate", 100)
    ls = listener(w, 16)

    def visit(val):
        """Was the data taken, and which cookie came back?"""
        c = w.conn(ls.getsockname()[1])
        syn(c, val, b"x")
        a = c.expect("S.", seq=0)
        return a.rack == 2, cookie_of(a)

    first = get_cookie(w, ls)
    time.sleep(50)
    check(visit(first) == (True, None), "good, and the key is in use")
    time.sleep(60)
    taken, second = visit(first)
    check(taken and second not in (None, first), "good, and a new one comes")
    check(w.counter("FastOpenPassiveAltKey") == 1, "not counted")
    check(visit(second) == (True, None), "the new one is good")
    time.sleep(101)
    taken, third = visit(first)
    check(not taken and third not in (None, first, second), "two keys ago")
    check(visit(second)[0], "one key ago")
    # A server that nobody visited for long does not take what is as old either.
    time.sleep(1000)
    check(not visit(third)[0], "a thousand seconds later")
    w.knob("fastopen_key_rotate", 0)
    last = visit(third)[1]
    time.sleep(100000)
    check(visit(last) == (True, None), "0: never")


# ---- the client ----

COOKIE = bytes(range(1, 9))


def open_with(w, data, port=8000, before=None, flags=0):
    """sendto(MSG_FASTOPEN), not waiting; socket, peer, the SYN, bytes that went."""
    s = w.socket()
    if before:
        before(s)
    s.setblocking(False)
    sent = 0
    try:
        sent = s.sendto(data, MSG_FASTOPEN | flags, (REMOTE[w.way], port))
    except BlockingIOError:
        pass
    c = w.conn(s.getsockname()[1], port=port)
    return s, c, c.expect("S"), sent


def synack(c, val=None, ack=1, data=b"", flags="S."):
    opts = opt_mss(1460) + opt_sackok() + opt_ts(c.ts_now(), c.ts_recent) + opt_ws(7)
    if val is not None:
        opts += opt_cookie(val)
    c.send(flags, ack=ack, opts=opts, data=data)


def learn(w, delay=0):
    """The first visit: the SYN asks, the SYN-ACK brings the cookie."""
    s, c, first, sent = open_with(w, b"hi")
    check(sent == 0 and len(first) == 0, "data without a cookie")
    check(cookie_of(first) == b"", "it did not ask: %r" % cookie_of(first))
    if delay:
        time.sleep(delay)
    synack(c, COOKIE)
    c.expect(".", seq=1, ack=1)
    s.setblocking(True)
    s.sendall(b"hi")
    c.expect(".", seq=1, ack=1, length=2)
    if delay:
        time.sleep(delay)
    c.send("F.")
    s.recv(1)
    s.close()
    a = c.expect_any()
    if not a.flags & FIN:		# as TCP: its ACK by itself
        a = c.expect("F.", seq=3)
    check(a.flags & FIN and a.rseq == 3, "no FIN: %s" % a)
    c.rcv_nxt = 4
    c.send(".")


@ours
def test_client(w):
    """Ask, then send data with the cookie, more than fits, and read from the SYN-ACK."""
    learn(w)
    data = os.urandom(3000)
    s, c, first, sent = open_with(w, data)
    check(cookie_of(first) == COOKIE, "other cookie: %r" % cookie_of(first))
    check(sent == len(first) and 1300 < sent <= 1420, "%d bytes went" % sent)
    check(first.data == data[:sent], "other bytes")
    synack(c, ack=1 + sent, data=b"answer")
    s.setblocking(True)
    check(s.recv(100) == b"answer", "the SYN-ACK's data")
    check(options(s) & SYN_DATA, "TCPI_OPT_SYN_DATA")
    s.sendall(data[sent:])
    check(c.collect(3000 - sent) == data[sent:], "the rest")
    check(w.counter("FastOpenActive") == 1, "not counted")


@ours
def test_client_synack_fin(w):
    """Answer and FIN in the SYN-ACK: read whole, and acknowledged by our FIN."""
    learn(w)
    s, c, first, sent = open_with(w, b"ask")
    check(sent == 3, "%d bytes went" % sent)
    synack(c, ack=4, data=b"answer", flags="SF.")
    s.setblocking(True)
    check(s.recv(100) == b"answer" and s.recv(100) == b"", "answer and end")
    s.close()
    c.expect("F.", seq=4, ack=8)
    c.send(".")


@ours
def test_client_not_covered(w):
    """Data that the SYN-ACK does not cover goes again, with the third ACK."""
    learn(w)
    s, c, first, sent = open_with(w, b"hello")
    check(sent == 5 and len(first) == 5, "%d bytes went" % sent)
    c.rcv_nxt = 1
    synack(c)
    again = c.expect(".", seq=1, ack=1, length=5, within=0.1)
    check(again.data == b"hello", "other bytes")
    c.send(".")
    c.quiet(2)
    check(not options(s) & SYN_DATA, "TCPI_OPT_SYN_DATA")
    check(w.counter("FastOpenActiveFail") == 1, "not counted")


@ours
def test_client_syn_lost(w):
    """The SYN again has neither data nor option; two such in a row pause the path."""
    need_virtual()
    learn(w)
    for round_ in range(2):
        s, c, first, sent = open_with(w, b"hello", 8001 + round_)
        check(sent == 5 and cookie_of(first) == COOKIE, "round %d" % round_)
        c.rcv_nxt = 0
        second = c.expect("S", within=5)
        check(len(second) == 0 and cookie_of(second) is None, "SYN again: %s" % second)
        c.rcv_nxt = 1
        synack(c)
        got = c.expect(".", seq=1, ack=1, length=5)
        check(got.data == b"hello", "other bytes")
        c.send(".")
        s.close()
        c.expect("F.")
        c.send("R.")
    s, c, first, sent = open_with(w, b"hello", 8003)
    check(sent == 0 and cookie_of(first) is None, "the path is not left alone")
    time.sleep(400)
    s, c, first, sent = open_with(w, b"hello", 8004)
    check(sent == 5 and cookie_of(first) == COOKIE, "the pause does not end")


@ours
def test_client_connect(w):
    """TCP_FASTOPEN_CONNECT: connect() says yes, the first write sends the SYN."""
    learn(w)
    s = w.socket()
    s.setsockopt(socket.IPPROTO_TCP, FASTOPEN_CONNECT, 1)
    s.connect((REMOTE[w.way], 8000))
    w.pump(0.3)
    check(not w.inbox, "a SYN before the first write")
    s.setblocking(False)
    check(s.send(b"hello") == 5, "bytes taken")
    c = w.conn(s.getsockname()[1], port=8000)
    first = c.expect("S", length=5)
    check(cookie_of(first) == COOKIE, "other cookie")
    synack(c, ack=6)
    s.setblocking(True)
    s.sendall(b"more")
    c.expect(".", seq=6, ack=1, length=4)


@ours
def test_blackhole(w):
    """The third timeout in a row after fast open pauses it for the namespace."""
    need_virtual()
    w.knob("fastopen_blackhole_timeout", 100)
    learn(w)
    s, c, first, sent = open_with(w, b"hello")
    check(sent == 5, "%d bytes went" % sent)
    for _ in range(3):
        c.rcv_nxt = 0
        c.expect("S", within=60)
    check(w.counter("FastOpenBlackhole") == 1, "not noticed")
    s.close()
    s, c, first, sent = open_with(w, b"hello", 8001)
    check(sent == 0 and cookie_of(first) is None, "not paused")
    s.close()
    time.sleep(101)
    s, c, first, sent = open_with(w, b"hello", 8002)
    check(sent == 5, "the pause does not end")


@ours
def test_errors(w):
    """What MSG_FASTOPEN and its options say, as TCP does."""
    s = w.socket()
    expect_errno(errno.EINVAL, s.setsockopt, socket.IPPROTO_TCP, FASTOPEN_CONNECT, 2)
    expect_errno(errno.EINVAL, s.setsockopt, socket.IPPROTO_TCP, FASTOPEN, -1)
    w.knob("fastopen", 2)
    expect_errno(errno.EOPNOTSUPP, s.sendto, b"x", MSG_FASTOPEN, (REMOTE[w.way], 8000))
    expect_errno(errno.EOPNOTSUPP, s.setsockopt, socket.IPPROTO_TCP, FASTOPEN_CONNECT, 1)
    w.knob("fastopen", 3)
    t, c = w.active()
    # The first such call finds a connect() that has just come to its end.
    check(t.sendto(b"x", MSG_FASTOPEN, (REMOTE[w.way], 8000)) == 1, "bytes taken")
    c.expect(".", length=1)
    expect_errno(errno.EISCONN, t.sendto, b"x", MSG_FASTOPEN, (REMOTE[w.way], 8000))
    expect_errno(errno.EINVAL, t.setsockopt, socket.IPPROTO_TCP, FASTOPEN, 5)
    expect_errno(errno.EINVAL, t.setsockopt, socket.IPPROTO_TCP, FASTOPEN_CONNECT, 1)


# ---- the memory of a path ----

def paths():
    with open("/proc/net/tandem/paths") as f:
        return [line.split() for line in f]


@ours
def test_path_rto(w):
    """A lost SYN to a known path goes again after the path's time, not a second."""
    need_virtual()
    learn(w, 0.05)
    known = paths()
    check(len(known) == 1 and known[0][known[0].index("cookie") + 1] == "8",
          "paths: %r" % known)
    srtt = int(known[0][known[0].index("rtt_us") + 1]) / 1e6
    var = int(known[0][known[0].index("rttvar_us") + 1]) / 1e6
    check(0.03 < srtt < 0.08, "srtt %f" % srtt)
    want = max(2 * (srtt + max(TICK, 4 * var)), 0.2)
    check(want < 0.6, "the test would prove nothing")
    s, c = w.active_start()
    start = c.last.when
    c.rcv_nxt = 0
    took = c.expect("S", within=5).when - start
    check(want - TICK <= took <= want + 3 * TICK, "took %f, want %f" % (took, want))
    s.close()
    # Flushed, it takes the second again; switched off, likewise.
    w.knob("path_cache_flush", 1)
    check(paths() == [], "flushed: %r" % paths())
    s, c = w.active_start(port=8001)
    start = c.last.when
    c.rcv_nxt = 0
    took = c.expect("S", within=5).when - start
    check(1 - TICK <= took <= 1.2, "took %f of a second" % took)


@ours
def test_path_unproven(w):
    """Nothing is learnt from a handshake alone, from half of one, or when it is off."""
    s, c = w.active()
    s.close()
    c.expect("F.")
    c.send("R.")
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    c.send("R")
    check(paths() == [], "learnt: %r" % paths())
    w.knob("path_cache", 0)
    s, c, first, sent = open_with(w, b"hi")
    synack(c, COOKIE)
    c.expect(".")
    check(paths() == [], "off, and learnt: %r" % paths())


@ours
def test_path_bounded(w):
    """path_cache_max holds, path_cache_ttl ends."""
    need_virtual()
    w.knob("path_cache_ttl", 10)
    learn(w)
    check(len(paths()) == 1, "paths: %r" % paths())
    time.sleep(11)
    check(paths() == [], "too old, and there: %r" % paths())
    w.knob("path_cache_max", 0)
    w.knob("path_cache_flush", 1)
    s, c, first, sent = open_with(w, b"hi", 8001)
    synack(c, COOKIE)
    c.expect(".")
    check(paths() == [], "none allowed: %r" % paths())


if __name__ == "__main__":
    main([test_cookie_request, test_data_at_once, test_answer_rides, test_lost_with_synack,
          (test_slow_server, 400), test_wrong_cookie,
          test_listener_off, test_syn_again, (test_synack_timer, 200), (test_bound, 400),
          test_backup_key, (test_key_rotates, 150000), test_client, test_client_synack_fin, test_client_not_covered,
          (test_client_syn_lost, 900), test_client_connect, (test_blackhole, 900),
          test_errors, (test_path_rto, 200), test_path_unproven, test_path_bounded])
