#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a hostile or broken peer may send (input.c, wire.c, options.c).

Each test sends bad segments into a living connection, asks for the answer
RFC 9293 or RFC 5961 give, for the counter that names the reason, and then
that the connection still carries bytes both ways.
"""

import os
import random
import struct
import sys

from tpeer import (IS_TCP, WIRE, check, checksum, ip_header, linger0, main,
                   opt_mss, opt_sack, opt_ts, opt_ws, pad_opts, pseudo,
                   state_of, tandem_only, until)


class Counted:
    """Counters that must have grown by the end of the block."""

    def __init__(self, w, **growth):
        self.w, self.growth = w, growth

    def __enter__(self):
        self.before = {n: self.w.counter(n) for n in self.growth}

    def __exit__(self, kind, value, tb):
        if kind or IS_TCP:
            return
        for name, by in self.growth.items():
            until(lambda n=name, b=by: self.w.counter(n) - self.before[n] == b,
                  "%s grown by %d (by %d)" % (
                      name, by, self.w.counter(name) - self.before[name]), 2)


def alive(s, c):
    """The connection is unharmed: bytes go both ways."""
    while c.next(0.02):
        pass
    at = c.rcv_nxt
    c.send("P.", data=b"are you there")
    check(s.recv(100) == b"are you there", "the peer's bytes")
    s.send(b"yes")
    # The ACK may come alone first, or ride on the data.
    while True:
        r = c.expect_any()
        if len(r):
            break
    check(r.data == b"yes" and r.rseq == at, "our bytes: %s" % r)
    c.rcv_nxt = at + 3
    c.send(".")


# ---- not even a segment ----

def test_short(w):
    s, c = w.passive()
    raw = c.build(".", 1, 1)
    with Counted(w, InShort=4):
        for n in (0, 1, 8, 19):
            w.inject(raw[:n])
        c.quiet()
    alive(s, c)


def test_checksum(w):
    s, c = w.passive()
    with Counted(w, InCsumErrors=2):
        c.send("P.", data=b"wrong", csum=0x1234, advance=False)
        c.send("R", csum=0x1234, advance=False)
        c.quiet()
    check(state_of(s) == "ESTABLISHED", state_of(s))
    alive(s, c)


def test_checksum_odd_length(w):
    """A sum over an odd number of bytes, right and wrong."""
    s, c = w.passive()
    c.send("P.", data=b"odd")
    check(s.recv(10) == b"odd", "a right odd one")
    raw = bytearray(c.build("P.", c.snd_nxt, c.rcv_nxt, b"odd"))
    raw[-1] ^= 1
    with Counted(w, InCsumErrors=1):
        w.inject(bytes(raw))
    alive(s, c)


def test_data_offset(w):
    s, c = w.passive()
    with Counted(w, InBadDoff=7):
        for doff in range(0, 5):
            c.send("P.", data=b"x" * 40, doff=doff, opts=b"", advance=False)
        for doff in (6, 15):
            c.send(".", doff=doff, opts=b"", advance=False)
        c.quiet()
    alive(s, c)


# ---- options ----

BAD_OPTS = (
    b"\x02\x00\x01\x01",		# length 0
    b"\x08\x01\x01\x01",		# length 1
    b"\x01\x01\x01\x08",		# no length at all
    b"\x08\x0a\x00\x00",		# beyond the header
    b"\x01\x01\xfd\x05",		# an unknown one beyond the header
)


def test_malformed_option(w):
    """Dropped and counted; Linux TCP only stops reading options there."""
    tandem_only()
    s, c = w.passive()
    with Counted(w, InBadOpt=len(BAD_OPTS)):
        for o in BAD_OPTS:
            c.send("P.", data=b"x", opts=o, advance=False)
        c.quiet()
    alive(s, c)


def test_malformed_option_in_syn(w):
    tandem_only()
    ls = w.listen()
    with Counted(w, InBadOpt=len(BAD_OPTS)):
        for o in BAD_OPTS:
            c = w.conn(ls.getsockname()[1])
            c.send("S", opts=o)
            c.quiet(0.02)
    s, c = w.passive(ls)
    alive(s, c)


def test_unknown_option(w):
    """Options nobody knows are stepped over, whatever is in them."""
    s, c = w.passive()
    for o in (b"\xfd\x06abcd", b"\x0f\x02\x01\x01", b"\xc8\x04\0\0"):
        c.send("P.", data=b"ok", opts=pad_opts(
            o + opt_ts(c.ts_now(), c.ts_recent)))
        check(s.recv(10) == b"ok", "data beside an unknown option")
    alive(s, c)


def test_end_of_options(w):
    """What follows option 0 is not read."""
    s, c = w.passive(ts=False)
    c.send("P.", data=b"ok", opts=b"\x00\x02\x00\xff")
    check(s.recv(10) == b"ok", "data")
    alive(s, c)


def test_syn_only_options_later(w):
    """MSS and window scale outside a SYN change nothing."""
    s, c = w.passive()
    before = s.getsockopt(6, 2)
    c.send("P.", data=b"x", opts=pad_opts(
        opt_mss(100) + opt_ws(14) + opt_ts(c.ts_now(), c.ts_recent)))
    s.recv(1)
    check(s.getsockopt(6, 2) == before, "MSS unchanged")
    alive(s, c)


def test_syn_without_options(w):
    s, c = w.passive(mss=0, ws=None, ts=False, sack=False)
    alive(s, c)
    # RFC 9293 3.7.1: 536 (v4) or 1220 (v6) where nothing is announced;
    # TCP in older kernels took 536 for both.
    s.send(b"z" * 4000)
    got = c.expect_any()
    check(len(got) in ((536,) if w.way == "v4" else (536, 1220)),
          "default MSS: %s" % got)


def test_syn_tiny_mss(w):
    """An announced MSS of 0 or 1 must not cut segments to nothing."""
    for mss in (1, 10):
        s, c = w.passive(mss=mss, ts=False)
        s.send(b"q" * 3000)
        got = c.expect_any()
        check(len(got) >= 48 - 12, "segment of %d bytes" % len(got))
        s.close()


def test_syn_big_window_scale(w):
    """RFC 7323 2.3: a shift above 14 counts as 14."""
    s, c = w.passive(ws=255)
    alive(s, c)


def test_sack_nonsense(w):
    """Blocks outside what is in flight are ignored."""
    s, c = w.passive()
    s.send(b"d" * 100)
    c.expect(".", seq=1, length=100)
    before = w.counter("SackDiscard")
    for a, b in ((500, 600), (80, 20), (50, 900)):
        c.send(".", ack=1, opts=pad_opts(
            opt_ts(c.ts_now(), c.ts_recent) +
            opt_sack((c.irs + a, c.irs + b))))
    if not IS_TCP:
        until(lambda: w.counter("SackDiscard") - before == 3,
              "three blocks ignored", 2)
    c.rcv_nxt = 101
    c.send(".")
    alive(s, c)


# ---- numbers ----

def test_out_of_window(w):
    """RFC 9293 3.10.7.4 first: an ACK answers, the segment is dropped."""
    s, c = w.passive()
    with Counted(w, InOutOfWindow=2):
        c.send("P.", seq=0x40000000, data=b"far ahead")
        c.expect(".", ack=1)
        # Another one at once may fall to the rate limit: wait that out.
        while c.next(0.6):
            pass
        c.send("P.", seq=-500, data=b"far behind")
        c.expect(".", ack=1)
    alive(s, c)


def test_out_of_window_rst_ignored(w):
    s, c = w.passive()
    with Counted(w, InOutOfWindow=2):
        c.send("R", seq=0x40000000)
        c.send("R", seq=-1)
        c.quiet(0.1)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    alive(s, c)


def test_ack_of_unsent(w):
    """RFC 9293 3.10.7.4 fifth: send an ACK, drop the segment."""
    s, c = w.passive()
    with Counted(w, InAckUnsent=1):
        c.send("P.", ack=5000, data=b"bogus", advance=False)
        c.expect(".", seq=1, ack=1)
    alive(s, c)


def test_ack_too_old(w):
    """RFC 5961 5.2: an ACK older than the largest window is suspect."""
    s, c = w.passive()
    with Counted(w, InAckOld=1):
        c.send("P.", ack=-0x20000000, data=b"blind", advance=False)
        c.expect(".", seq=1, ack=1)
    alive(s, c)


def test_no_ack_flag(w):
    s, c = w.passive()
    with Counted(w, InNoAck=2):
        c.send("P", data=b"no ack", advance=False)
        c.send("", opts=b"", advance=False)
        c.quiet()
    alive(s, c)


def test_rst_in_window_challenged(w):
    """RFC 5961 3.2: only the exact number resets."""
    s, c = w.passive()
    with Counted(w, InRstChallenge=1, ChallengeAcks=1):
        c.send("R", seq=c.snd_nxt + 10)
        c.expect(".", seq=1, ack=1)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    alive(s, c)


def test_rst_exact(w):
    s, c = w.passive()
    with Counted(w, InRsts=1, EstabResets=1):
        c.send("R")
        until(lambda: state_of(s) == "CLOSE", "the reset")


def test_syn_in_window_challenged(w):
    """RFC 5961 4.2: a SYN never kills, it is answered by an ACK."""
    s, c = w.passive()
    with Counted(w, InSynChallenge=2, ChallengeAcks=2):
        c.send("S", seq=c.snd_nxt, advance=False, opts=b"")
        c.expect(".", seq=1, ack=1)
        while c.next(0.6):
            pass
        c.send("S.", seq=-7000, advance=False, opts=b"")
        c.expect(".", seq=1, ack=1)
    alive(s, c)


def test_challenges_limited(w):
    """RFC 5961 section 7: no more challenges than the knob says."""
    tandem_only()
    s, c = w.passive()
    w.knob("challenge_ack_limit", 10)
    before = w.counter("ChallengeAcks")
    for _ in range(200):
        c.send("R", seq=c.snd_nxt + 10, opts=b"")
    n = 0
    while c.next(0.05):
        n += 1
    check(1 <= n <= 40, "%d challenge ACKs for 200 resets" % n)
    check(w.counter("ChallengeAcks") - before == n, "counted")
    check(w.counter("ChallengeLimited") > 0, "and the others")
    alive(s, c)


def test_paws(w):
    """RFC 7323 5.3: an old timestamp is dropped and answered."""
    s, c = w.passive()
    c.send("P.", data=b"new")
    check(s.recv(10) == b"new", "data")
    while c.next(0.6):
        pass
    with Counted(w, InPaws=1):
        c.send("P.", data=b"old", advance=False, opts=pad_opts(
            opt_ts(c.ts_now() - 100000, c.ts_recent)))
        c.expect(".", ack=4)
    alive(s, c)


def test_paws_spares_rst(w):
    """RFC 7323 5.2: a reset is never judged by its timestamp."""
    s, c = w.passive()
    c.send("R", opts=pad_opts(opt_ts(1, 0)))
    until(lambda: state_of(s) == "CLOSE", "the reset")


def test_data_beyond_window_trimmed(w):
    """What starts inside the window is taken as far as the window goes."""
    s, c = w.passive()
    c.send("P.", data=b"hello")
    c.send("P.", seq=1, data=b"hello world")	# five old, six new
    got = b""
    while len(got) < 11:
        got += s.recv(100)
    check(got == b"hello world", "overlap joined: %r" % got)
    c.snd_nxt = 12
    alive(s, c)


def test_duplicate_data(w):
    s, c = w.passive()
    c.send("P.", data=b"once")
    check(s.recv(10) == b"once", "data")
    while c.next(0.1):
        pass
    with Counted(w, InDupData=1):
        c.send("P.", seq=1, data=b"once")
        a = c.expect(".", ack=5)
        # RFC 2883: the duplicate is told by D-SACK.
        sack = [((x - c.iss), (y - c.iss)) for x, y in a.opts.get("sack", [])]
        check(sack[:1] == [(1, 5)], "D-SACK of 1:5, got %s" % sack)
    alive(s, c)


def test_urgent(w):
    """URG and a pointer: the bytes arrive, in line or but for the last."""
    s, c = w.passive()
    c.send("P.", data=b"abc")
    raw = bytearray(c.build("PU.", c.snd_nxt, c.rcv_nxt, b"xyz"))
    raw[18:20] = struct.pack("!H", 3)
    raw[16:18] = b"\0\0"
    raw[16:18] = struct.pack("!H", checksum(
        pseudo(w.way, w.src, w.dst, len(raw), WIRE) + bytes(raw)))
    w.inject(bytes(raw))
    c.snd_nxt += 3
    got = b""
    while len(got) < 5:
        got += s.recv(100)
    check(got in (b"abcxy", b"abcxyz"), "got %r" % got)
    while c.next(0.1):
        pass
    c.send("P.", data=b"end")
    got = s.recv(100)
    check(got.endswith(b"end"), "the stream goes on: %r" % got)


def test_all_flags(w):
    """Each of the 64 combinations, out of the window: nothing breaks."""
    s, c = w.passive()
    for bits in range(64):
        text = "".join(t for i, t in enumerate("FSRP.U") if bits >> i & 1)
        c.send(text, seq=0x50000000, opts=b"", advance=False)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    alive(s, c)


def test_flood_of_noise(w):
    """Random bytes as segments to every kind of socket: all survives."""
    rnd = random.Random(4711)
    ls = w.listen()
    s, c = w.passive(ls)
    waiting, d = w.active_start()
    linger0(waiting)		# noise may well open it
    for i in range(3000):
        n = rnd.randrange(0, 80)
        raw = bytearray(rnd.randbytes(n))
        if n >= 4 and i % 2:
            raw[0:4] = struct.pack("!HH", rnd.choice((c.port, d.port)),
                                   rnd.choice((c.dut_port, d.dut_port)))
        if n >= 20 and i % 4 == 1:
            raw[12] = min(15, 5 + rnd.randrange(0, (n - 20) // 4 + 1)) << 4
            raw[16:18] = b"\0\0"
            raw[16:18] = struct.pack("!H", checksum(
                pseudo(w.way, w.src, w.dst, n, WIRE) + bytes(raw)))
        w.inject(bytes(raw))
        if i % 50 == 49:
            while select_read(w):
                pass
    check(state_of(s) == "ESTABLISHED", state_of(s))
    check(state_of(ls) == "LISTEN", state_of(ls))
    alive(s, c)


def select_read(w):
    """Throw away what the kernel answers."""
    try:
        os.read(w.tun, 70000)
        return True
    except BlockingIOError:
        return False


def test_ip_fragments(w):
    """A segment cut into IP fragments arrives whole (v4)."""
    s, c = w.passive()
    if w.way == "v6":
        return
    raw = c.build("P.", c.snd_nxt, c.rcv_nxt, b"f" * 600)
    head = bytearray(ip_header("v4", w.src, w.dst, raw, WIRE))
    for at, more in ((0, 1), (320, 0)):
        part = raw[at:320] if more else raw[at:]
        head[2:4] = struct.pack("!H", 20 + len(part))
        head[4:8] = struct.pack("!HH", 99, more << 13 | at // 8)
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack("!H", checksum(bytes(head)))
        os.write(w.tun, bytes(head) + part)
    check(s.recv(1000) == b"f" * 600, "reassembled")
    c.snd_nxt += 600
    alive(s, c)


def test_syn_flood(w):
    """A full request queue drops SYNs and forgets no established one."""
    ls = w.listen(4)
    s, c = w.passive(ls)
    for i in range(600):
        d = w.conn(c.dut_port, port=10000 + i)
        d.send("S")
    while select_read(w):
        pass
    alive(s, c)
    if not IS_TCP:
        check(w.counter("SynDropReqFull") + w.counter("CookiesSent") > 0,
              "the queue was full")


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS))
