#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the scripts of conform/*.txt: segment by segment, beside the RFC.

A script is what a peer made of raw segments sends, what a program calls,
and what the kernel must answer within which virtual time. conform/README
tells the language. Each script is one test over IPv4 and one over IPv6:

    ./conform.py                    Tandem
    TANDEM_WIRE=tcp ./conform.py    Tandem, segments under IP protocol 6
    TANDEM_WIRE=udp ./conform.py    Tandem, segments in UDP datagrams
    TANDEM_PROTO=6 ./conform.py     kernel TCP, the judge of the scripts

A failure tells file and line, what was expected, what came, and the trace.
"""

import errno
import fcntl
import glob
import os
import re
import select
import socket
import struct
import sys
import time

from giveup import send_icmp
from tpeer import (ACK, FIN, IS_TCP, LOCAL, PSH, REMOTE, RST, STATE_NAMES, SYN,
                   UDP_PORT, URG, VIRTUAL, WIRE, WIRE_NAME, Fail, Skip, check, checksum, flag_bits,
                   flag_text, ip_header, linger0, main, need_virtual, opt_mss,
                   opt_sack, opt_sackok, opt_ts, opt_ws, pad_opts, pseudo,
                   state_of, wrap)

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = 0.010			# UML: HZ = 100
ONCE = 0.031			# "at once": three ticks
CONTEXT = 5.0			# what comes at all comes within that

ANYWHERE = {"v4": {"mcast": "224.0.0.1", "bcast": "10.77.0.255",
                   "any": "0.0.0.0", "ones": "255.255.255.255"},
            "v6": {"mcast": "ff02::1", "any": "::", "bcast": "ff02::1",
                   "ones": "ff02::1"}}
# (type, code) over IPv4 and IPv6
ICMP = {"net-unreachable": ((3, 0), (1, 0)),
        "host-unreachable": ((3, 1), (1, 3)),
        "proto-unreachable": ((3, 2), (4, 1)),
        "port-unreachable": ((3, 3), (1, 4)),
        "too-big": ((3, 4), (2, 0)),
        "source-quench": ((4, 0), None),
        "time-exceeded": ((11, 0), (3, 0)),
        "param-problem": ((12, 0), (4, 0))}
# struct tcp_info: bytes, then 32-bit words from offset 8
INFO_BYTES = "state ca_state retransmits probes backoff options".split()
INFO_WORDS = ("rto ato snd_mss rcv_mss unacked sacked lost retrans fackets "
              "last_data_sent last_ack_sent last_data_recv last_ack_recv pmtu "
              "rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss "
              "reordering").split()
POLL = (("IN", 1), ("PRI", 2), ("OUT", 4), ("ERR", 8), ("HUP", 16),
        ("RDHUP", 0x2000))
MORE_OPTIONS = {"TCP_USER_TIMEOUT": (6, 18), "TCP_NOTSENT_LOWAT": (6, 25),
                "SO_SNDBUFFORCE": (1, 32), "SO_RCVBUFFORCE": (1, 33),
                "IP_RECVERR": (0, 11)}
BY_FAMILY = {"TTL": ((0, 2), (41, 16)), "TOS": ((0, 1), (41, 67)),
             "RECVERR": ((0, 11), (41, 25))}


def kernel_byte(n):
    """What the program writes at stream position @n (1 is the first)."""
    return n * 7 + (n >> 8) & 255


def peer_byte(n, other=False):
    """What the peer sends there; @other: something else."""
    return (n * 5 + (n >> 8) ^ (0xff if other else 0)) & 255


class Script:
    """A parsed file: title, options, numbered lines."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.title = None
        self.options = []
        lines = []
        with open(path, encoding="ascii") as f:
            for number, text in enumerate(f, 1):
                text = text.rstrip()
                if text.startswith("#"):
                    if "SPDX" not in text and not self.title:
                        self.title = text.strip("# ")
                    continue
                text = re.sub(r"\s#.*", "", text).strip()
                if text.startswith("@"):
                    self.options.append((number, text[1:].strip()))
                elif text:
                    lines.append((number, text))
        self.lines = self.unroll(lines)

    def unroll(self, lines):
        """loop N ... end, with {expressions of i}."""
        out, i = [], 0
        while i < len(lines):
            number, text = lines[i]
            m = re.fullmatch(r"loop (\d+)", text)
            if not m:
                out.append((number, text))
                i += 1
                continue
            end = next((j for j in range(i, len(lines))
                        if lines[j][1] == "end"), None)
            if end is None:
                raise Fail("%s:%d: loop without end" % (self.name, number))
            for turn in range(int(m.group(1))):
                out += [(n, re.sub(r"\{([0-9i+*\- ()]+)\}", lambda e, t=turn:
                                   str(arithmetic(e.group(1), t)), t))
                        for n, t in lines[i + 1:end]]
            i = end + 1
        return out

    def option(self, name):
        return [(n, t[len(name):].strip()) for n, t in self.options
                if re.split(r"[ :]", t)[0] == name]


def arithmetic(text, i):
    return eval(text, {"__builtins__": {}}, {"i": i})  # our own files


class End:
    """One connection as the script sees it: peer, program, positions."""

    def __init__(self, kw=None):
        self.conn = None
        self.kw = kw or {}		# what its SYN offers
        self.sock = None
        self.wpos = self.rpos = 1
        self.ws = 0			# the kernel's window scale
        self.edge = 0			# the right edge it granted
        self.best_edge = 0
        self.sent_ts = [0, 0]		# TSvals of the peer


def seconds(text):
    return float(text.rstrip("s"))


def span(text, early=TICK + 0.001):
    """"1.0" with the timers' tolerance, or "0.9..1.1"."""
    if ".." in text:
        a, b = text.split("..")
        return seconds(a), seconds(b)
    t = seconds(text)
    return t - early, t + 3 * TICK + 0.13 * t


def fits(text, got):
    """Does a number fit "5", ">=5", "<5", "1..5"?"""
    m = re.fullmatch(r"(>=|<=|>|<|=)?(-?\d+)", text)
    if m:
        n = int(m.group(2))
        same = got in (n, n & 0xffffffff)	# numbers wrap
        return {">=": got >= n, "<=": got <= n, ">": got > n, "<": got < n,
                "=": same, None: same}[m.group(1)]
    a, b = text.split("..")
    return int(a) <= got <= int(b)


class Run:
    """One script in one world."""

    def __init__(self, world, script):
        self.w, self.script = world, script
        self.listener = None
        self.ends = {}
        self.peer_kw = {}
        self.unchecked = False
        self.waiting = 0
        self.mark = time.monotonic()

    # ---- the whole script ----

    def run(self):
        for number, text in self.script.options:
            self.at(number, "@ " + text, self.option, text)
        self.end = self.ends["A"] = End(self.peer_kw)
        for number, text in self.script.lines:
            self.at(number, text, self.line, text)

    def at(self, number, text, func, *args):
        try:
            func(*args)
        except (Fail, OSError, ValueError, KeyError, IndexError,
                AttributeError) as e:
            if isinstance(e, Skip):
                raise
            fail = Fail("%s\n#     %s" % (text, e if isinstance(e, Fail) else
                                          repr(e)))
            fail.where = "conform/%s.txt:%d" % (self.script.name, number)
            raise fail from e

    def option(self, text):
        word, _, rest = text.partition(" ")
        word = word.rstrip(":")
        if word == "knob":
            self.w.knob(*rest.split(None, 1))
        elif word == "linux":
            if IS_TCP:
                name, value = rest.split(None, 1)
                with open("/proc/sys/net/ipv4/" + name, "w") as f:
                    f.write(value)
        elif word == "peer":
            self.peer_kw = self.peer_options(rest.split())
        elif word == "wires":
            wires, _, why = rest.partition(":")
            # Kernel TCP judges what is said of the tcp wire.
            if WIRE_NAME not in wires.split() and \
               not (IS_TCP and "tcp" in wires.split()):
                raise Skip(why.strip())
        elif word == "virtual":
            need_virtual()
        elif word in ("tandem-only", "differs"):
            if IS_TCP:
                raise Skip(rest)
        else:
            check(word in ("mtu", "ways"), "unknown option " + word)

    @staticmethod
    def peer_options(words):
        out, i = {}, 0
        while i < len(words):
            if words[i] in ("nots", "nosack", "nows", "nomss"):
                out.update({"nots": {"ts": False}, "nosack": {"sack": False},
                            "nows": {"ws": None}, "nomss": {"mss": 0}}
                           [words[i]])
                i += 1
            else:
                check(words[i] in ("mss", "ws", "win", "iss", "port"),
                      "unknown: " + words[i])
                out[words[i]] = int(words[i + 1])
                i += 2
        return out

    def line(self, text):
        text, _, took = text.partition(" took ")
        start = time.monotonic()
        if text[0] == ">":
            self.inject(text[1:])
            self.mark = time.monotonic()
        elif text[0] == "<":
            self.expect(text[1:])
        else:
            call, _, result = text.partition(" -> ")
            words = call.split()
            func = getattr(self, "do_" + words[0].replace("-", "_"), None)
            check(func, "no such statement")
            func(words[1:], result.strip() or None)
            self.mark = time.monotonic()
        if took and VIRTUAL:
            a, b = span(took)
            spent = time.monotonic() - start
            check(a <= spent <= b, "took %.4f s" % spent)

    # ---- segments the peer sends ----

    def conn(self):
        c = self.end.conn
        if c is None:
            check(self.listener, "no connection and no listener")
            c = self.end.conn = self.w.conn(self.listener.getsockname()[1],
                                            **self.end.kw)
        return c

    def option_bytes(self, c, text):
        out = b""
        for item in filter(None, (t.strip() for t in text.split(","))):
            word, *args = item.split()
            if word == "mss":
                out += opt_mss(int(args[0]))
            elif word == "ws":
                out += opt_ws(int(args[0]))
            elif word == "sackok":
                out += opt_sackok()
            elif word == "ts":
                out += opt_ts(*self.timestamps(c, args))
            elif word == "sack":
                blocks = (tuple(map(int, a.split(":"))) for a in args)
                out += opt_sack(*((a + (c.irs or 0), b + (c.irs or 0))
                                  for a, b in blocks))
            elif word in ("nop", "eol"):
                out += b"\1" if word == "nop" else b"\0"
            elif word == "raw":
                out += bytes.fromhex(args[0])
            else:
                raise Fail("unknown option " + word)
        return out

    @staticmethod
    def timestamps(c, args):
        """ts [now|now-N|N] [echo|echo-N|N]."""
        def value(text, word, base):
            m = re.fullmatch(word + r"([+-]\d+)?", text)
            return base + int(m.group(1) or 0) if m else int(text)

        val, ecr = (args + ["now", "echo"][len(args):])[:2]
        return value(val, "now", c.ts_now()), value(ecr, "echo", c.ts_recent)

    def inject(self, text):
        c = self.conn()
        body, angle, opts = text.partition("<")
        words = body.split()
        flags = "" if words[0] == "none" else words[0]
        kw = self.pairs(words[1:])
        bits = flag_bits(flags)
        seq = self.number(kw.get("seq", "nxt"), c.snd_nxt)
        ack = int(kw.get("ack", c.rcv_nxt))
        length = int(kw.get("len", 0))
        first = seq + bool(bits & SYN)
        data = bytes(peer_byte(n, "other" in kw)
                     for n in range(first, first + length))
        if angle:
            raw_opts = self.option_bytes(c, opts.rstrip(" >"))
        elif bits & SYN:
            raw_opts = c.syn_opts()
            if not bits & ACK and c.use_ts:
                raw_opts = raw_opts.replace(opt_ts(c.ts_now(), c.ts_recent),
                                            opt_ts(c.ts_now(), 0))
        else:
            raw_opts = opt_ts(c.ts_now(), c.ts_recent) if c.use_ts else b""
        raw_opts = pad_opts(raw_opts)
        at = raw_opts.find(b"\x08\x0a")
        if at >= 0:
            self.end.sent_ts.append(struct.unpack_from("!I", raw_opts,
                                                       at + 2)[0])
        bits |= ("E" in flags) << 6 | ("W" in flags) << 7
        bits |= int(kw.get("reserved", 0)) << 8
        doff = int(kw.get("doff", 5 + len(raw_opts) // 4))
        ackno = ((c.irs or 0) + ack) & 0xffffffff \
            if bits & ACK or "ack" in kw else 0
        raw = struct.pack("!HHIIHHHH", c.port, c.dut_port,
                          (c.iss + seq) & 0xffffffff, ackno,
                          doff << 12 | bits, int(kw.get("win", c.win)), 0,
                          int(kw.get("urg", 0))) + raw_opts + data
        if "cut" in kw:
            raw = raw[:int(kw["cut"])]
        self.put(c, raw, kw)
        end = seq + length + bool(bits & SYN) + bool(bits & FIN)
        if seq == c.snd_nxt and "stay" not in kw and not bits & RST:
            c.snd_nxt = end
        self.w.trace.append("%9.4f > %s" % (
            time.monotonic() - self.w.start, text.strip()))

    @staticmethod
    def number(text, base):
        """N, or nxt, nxt+N, nxt-N."""
        return base + int(text[3:] or 0) if text.startswith("nxt") else \
            int(text)

    @staticmethod
    def pairs(words):
        kw, i = {}, 0
        while i < len(words):
            if words[i] in ("stay", "badsum", "other"):
                kw[words[i]] = True
                i += 1
            else:
                kw[words[i]] = words[i + 1]
                i += 2
        return kw

    def address(self, name):
        return socket.inet_pton(self.w.family,
                                ANYWHERE[self.w.way].get(name, name))

    def put(self, c, raw, kw):
        """Checksum, IP header, out."""
        w = self.w
        known = set("seq ack len win urg reserved doff stay badsum other "
                    "from to tos ipopt cut udpport".split())
        check(set(kw) <= known, "unknown: %s" % (set(kw) - known))
        src = self.address(kw["from"]) if "from" in kw else w.src
        dst = self.address(kw["to"]) if "to" in kw else w.dst
        if len(raw) >= 18:
            csum = checksum(pseudo(w.way, src, dst, len(raw), WIRE) + raw)
            if "badsum" in kw:
                csum ^= 0x0101
            raw = raw[:16] + struct.pack("!H", csum) + raw[18:]
        raw = wrap(w.way, src, dst, raw, "badsum" in kw,
                   int(kw.get("udpport", UDP_PORT)))
        head = bytearray(ip_header(w.way, src, dst, raw, WIRE))
        tos = int(kw.get("tos", 0))
        if w.way == "v6":
            head[:2] = struct.pack("!H", 6 << 12 | tos << 4)
        else:
            extra = bytes.fromhex(kw.get("ipopt", ""))
            head[0] += len(extra) // 4
            head[1] = tos
            head[2:4] = struct.pack("!H", 20 + len(extra) + len(raw))
            head[10:12] = b"\0\0"
            head[10:12] = struct.pack("!H", checksum(bytes(head) + extra))
            head += extra
        os.write(w.tun, bytes(head) + raw)

    # ---- segments the kernel must send ----

    def expect(self, text):
        body, angle, opts = text.partition("<") if " <" in text else \
            (text, "", "")
        words = body.split()
        times = 1
        if re.fullmatch(r"x\d+", words[0]):
            times = int(words.pop(0)[1:])
        flags, rest = words[0], words[1:]
        kw, i = {}, 0
        while i < len(rest):
            if rest[i] in ("lost", "once"):
                kw[rest[i]] = True
                i += 1
            else:
                kw[rest[i]] = rest[i + 1]
                i += 2
        known = set("seq ack len win wnd urg tos ttl df udpport after within "
                    "lost once".split())
        check(set(kw) <= known, "unknown: %s" % (set(kw) - known))
        for _ in range(times):
            self.one(flags, kw, opts.rstrip(" >") if angle else None)

    def one(self, flags, kw, opts):
        c = self.conn()
        low, high, limit = self.when(kw)
        s = c.next(max(limit - (time.monotonic() - self.mark), 0.001))
        check(s, "no segment came within %.3f s" % limit)
        spent = s.when - self.mark
        if VIRTUAL:
            check(low <= spent <= high, "it came after %.4f s, not %s: %s" %
                  (spent, kw.get("after") or "at once", self.show(s)))
        self.mark = s.when
        self.compare(s, flags, kw)
        if opts is not None:
            self.compare_options(c, s, opts)
        if "ws" in s.opts:
            self.end.ws = s.opts["ws"]
        self.take(c, s, "lost" in kw)

    @staticmethod
    def when(kw):
        if "after" in kw:
            low, high = span(kw["after"])
            return low, high, high + max(1, high / 2)
        limit = ONCE if "once" in kw else \
            seconds(kw["within"]) if "within" in kw else CONTEXT
        return -1, limit, limit + (0 if VIRTUAL else 2)

    def take(self, c, s, lost=False):
        """Its bytes count as received, and are the right ones."""
        end = s.rseq + len(s) + bool(s.flags & SYN) + bool(s.flags & FIN)
        if s.flags & ACK and not s.flags & RST:
            shift = 0 if s.flags & SYN or c.ws is None else self.end.ws
            self.end.edge = s.rack + (s.win << shift)
            self.end.best_edge = max(self.end.best_edge, self.end.edge)
        if len(s) and not self.unchecked and not s.flags & (RST | SYN):
            want = bytes(kernel_byte(n) for n in range(s.rseq, s.rseq + len(s)))
            check(s.data == want, "wrong bytes in %s" % self.show(s))
        if not lost and not s.flags & RST and s.rseq <= c.rcv_nxt < end:
            c.rcv_nxt = end

    @staticmethod
    def show(s):
        return "%s%s seq %s ack %s win %d len %d %s" % (
            flag_text(s.flags), "".join(x for b, x in ((1, "E"), (2, "W"))
                                        if s.ecn & b),
            s.rseq, s.rack if s.flags & ACK else "-", s.win, len(s), s.opts)

    def compare(self, s, flags, kw):
        c = self.conn()

        def bad(what, want, got):
            raise Fail("expected %s %s, got %s: %s" % (what, want, got,
                                                       self.show(s)))
        bits = flag_bits(flags.upper()) & ~PSH
        if "R" in flags and "?" in flags:	# "R?": a reset with or without ACK
            bits |= s.flags & ACK
        if s.flags & ~PSH != bits:
            bad("flags", flags, flag_text(s.flags))
        if "P" in flags and not s.flags & PSH or \
           "p" in flags and s.flags & PSH:
            bad("PSH as in", flags, flag_text(s.flags))
        if s.ecn != (("E" in flags) | ("W" in flags) << 1):
            bad("ECN and reserved bits", flags, s.ecn)
        have = dict(seq=s.rseq, ack=s.rack, len=len(s), win=s.win,
                    wnd=s.win << self.end.ws, urg=s.urg, tos=s.tos, ttl=s.ttl,
                    df=s.df, udpport=s.udp_to)
        want = {"len": "0", "seq": str(c.rcv_nxt), "udpport": str(UDP_PORT)}
        if s.flags & ACK:
            want["ack"] = str(c.snd_nxt)
        want.update({k: v for k, v in kw.items() if k in have})
        for k, v in want.items():
            if v != "any" and not fits(v, have[k]):
                bad(k, v, have[k])

    def compare_options(self, c, s, text):
        if not text.strip():
            check(not s.opts, "options in %s" % self.show(s))
        for item in filter(None, (t.strip() for t in text.split(","))):
            word, *args = item.split()
            if word.startswith("-"):
                check(word[1:] not in s.opts, "%s in %s" % (word[1:],
                                                            self.show(s)))
                continue
            check(word in s.opts, "no %s in %s" % (word, self.show(s)))
            got = s.opts[word]
            if word == "sack":
                have = ["%d:%d" % ((a - c.iss) & 0xffffffff,
                                   (b - c.iss) & 0xffffffff) for a, b in got]
                check(not args or have == args, "SACK %s" % have)
            elif word == "ts":
                check(not args or got[1] == self.told(args[0]),
                      "TSecr in %s" % self.show(s))
            elif args:
                check(fits(args[0], got), "%s is %s" % (word, got))

    def told(self, text):
        """A TSval: N; or last, last-1: what the peer sent."""
        if text.startswith("last"):
            return self.end.sent_ts[-1 + int(text[4:] or 0)]
        return int(text)

    # ---- the peer's side, otherwise ----

    def do_peer(self, words, _):
        """peer NAME [options]: another connection; NAME again: back."""
        name, *kw = words
        if name not in self.ends:
            self.ends[name] = End(dict(self.peer_kw, **self.peer_options(kw)))
        self.end = self.ends[name]

    def do_nobody(self, words, _):
        """The peer talks to a port where no socket is."""
        self.end.conn = self.w.conn(7, **self.end.kw)
        self.end.conn.irs = 0

    def do_win(self, words, _):
        self.conn().win = int(words[0])

    def do_rcv_nxt(self, words, _):
        self.conn().rcv_nxt = int(words[0])

    def do_snd_nxt(self, words, _):
        self.conn().snd_nxt = int(words[0])

    def do_ts_shift(self, words, _):
        """The peer's timestamp clock jumps."""
        self.conn().ts_offset += int(words[0])

    def do_quiet(self, words, _):
        s = self.conn().next(seconds(words[0]))
        check(s is None, "unexpected: %s" % (s and self.show(s)))

    def do_wait(self, words, _):
        time.sleep(seconds(words[0]))

    def do_drain(self, words, _):
        """Take what comes, without looking, until it is quiet."""
        c = self.conn()
        while True:
            s = c.next(seconds(words[0]) if words else 0.05)
            if not s:
                return
            self.take(c, s)

    def do_absorb(self, words, _):
        """Receive up to position N, acknowledging what comes."""
        c = self.conn()
        while c.rcv_nxt < int(words[0]):
            s = c.next(300)
            check(s, "only up to %d came" % c.rcv_nxt)
            self.take(c, s)
            if len(s):
                self.line("> .")

    def do_fill(self, words, _):
        """Send until the kernel's window is shut."""
        c = self.conn()
        room = self.end.edge - c.snd_nxt
        while room > 0:
            self.line("> . len %d" % min(c.mss or 536, room))
            self.do_drain(["0.06"], None)
            room = self.end.edge - c.snd_nxt

    def do_drink(self, words, _):
        """The program reads all there is."""
        self.line("read %d" % self.ioctl(0x541b))

    def do_acked(self, words, _):
        """All that the peer sent is acknowledged."""
        c = self.conn()
        check(c.last.rack == c.snd_nxt, "only up to %d" % c.last.rack)

    def do_edge_kept(self, words, _):
        """The right edge is where it was at its furthest."""
        check(self.end.edge == self.end.best_edge, "edge %d, was %d" %
              (self.end.edge, self.end.best_edge))

    def do_icmp(self, words, _):
        kind, kw = words[0], self.pairs(words[1:])
        which = ICMP[kind][self.w.way == "v6"]
        check(which, "no such message in IPv6")
        mtu = int(kw.get("mtu", 0))
        send_icmp(self.w, *which, self.conn(),
                  int(kw.get("seq", self.conn().rcv_nxt - 1)), rest=mtu)

    def do_ip(self, words, _):
        self.w.ip(" ".join(words) + "\n")

    def do_unchecked(self, words, _):
        """From here on payloads are not compared."""
        self.unchecked = True

    def do_settle(self, words, _):
        """A dialogue, after which ACKs are delayed."""
        for _ in range(25):
            for text in ("> P. len 4", "read 4", "write 4", "peek", "> ."):
                self.line(text)
        self.line("drain 0.3")

    def do_peek(self, words, _):
        """Take segments until one has data."""
        c = self.conn()
        while True:
            s = c.next(CONTEXT)
            check(s, "no data came")
            self.take(c, s)
            if len(s):
                return

    # ---- the program ----

    def need(self):
        if self.end.sock is None:
            self.end.sock = self.w.socket()
        return self.end.sock

    def do_socket(self, words, result):
        self.end.sock = self.w.socket()

    def do_listen(self, words, _):
        s = self.need()
        if s.getsockname()[1] == 0:
            s.bind((LOCAL[self.w.way], 0))
        s.listen(int(words[0]) if words else 8)
        self.listener, self.end.sock = s, None

    def do_bind(self, words, result):
        name = words[0] if words else LOCAL[self.w.way]
        name = ANYWHERE[self.w.way].get(name, name)
        self.call(result, self.need().bind, (name, int((words + [0, 0])[1])))

    def call(self, result, func, *args):
        """Call it; @result: None (must work), a number, or an errno."""
        try:
            got = func(*args)
        except OSError as e:
            name = errno.errorcode.get(e.errno, "timeout" if isinstance(
                e, socket.timeout) else str(e))
            check(e.errno and e.errno == getattr(errno, result or "", 0), "expected %s, got %s" % (result or "success",
                                                           name))
            return None
        check(result is None or not result.startswith("E"),
              "expected %s, got %r" % (result, got))
        return got

    def do_accept(self, words, result):
        self.listener.settimeout(0 if result else CONTEXT)
        got = self.call(result, self.listener.accept)
        if got:
            self.end.sock = got[0]
            self.end.sock.setblocking(False)

    def do_connect(self, words, result):
        s = self.need()
        s.setblocking(False)
        to = REMOTE[self.w.way]
        if words and words[0] == "to":
            to = ANYWHERE[self.w.way].get(words[1], words[1])
        port = self.end.conn.port if self.end.conn else \
            self.end.kw.get("port", 8000)
        self.call(result or "EINPROGRESS", s.connect, (to, port))
        if (result or "EINPROGRESS") == "EINPROGRESS" and not self.end.conn:
            kw = dict(self.end.kw)
            kw.pop("port", None)
            self.end.conn = self.w.conn(s.getsockname()[1], port=port, **kw)

    def do_passive(self, words, _):
        """A connection the peer opened."""
        if not self.listener:
            self.do_listen([], None)
        for text in ("> S", "< S.", "> .", "accept"):
            self.line(text)

    def do_active(self, words, _):
        """A connection the program opened."""
        for text in ("connect", "< S", "> S.", "< ."):
            self.line(text)

    def do_write(self, words, result):
        n = int(words[0])
        how = {"more": socket.MSG_MORE, "oob": socket.MSG_OOB}.get(
            (words + [""])[1], 0)
        pos = self.end.wpos
        data = bytes(kernel_byte(i) for i in range(pos, pos + n))
        self.end.sock.setblocking(False)
        got = self.call(result, self.end.sock.send, data, how)
        if got is not None:
            want = result or str(n)
            check(fits(want, got), "expected %s bytes, %d were taken" %
                  (want, got))
            self.end.wpos += got

    def do_read(self, words, result):
        """read N [oob [at POSITION]] -> M: bytes 0 (the end) or an errno."""
        n = int(words[0])
        how = socket.MSG_OOB if "oob" in words else 0
        s = self.end.sock
        s.settimeout(0 if result == "EAGAIN" or how else CONTEXT)
        want = n if result is None or result.startswith("E") else int(result)
        data = b""
        while True:
            part = self.call(result, s.recv, n - len(data), how)
            if part is None:
                return
            data += part
            if not part or len(data) >= want or how:
                break
        check(len(data) == want, "expected %d bytes, got %d" %
              (want, len(data)))
        if self.unchecked:
            return
        if how:
            check("at" not in words or data[0] == peer_byte(
                int(words[words.index("at") + 1])), "another urgent byte")
            return
        pos = self.end.rpos
        check(data == bytes(peer_byte(i) for i in range(pos, pos + len(data))),
              "other bytes than the peer sent")
        self.end.rpos += len(data)

    def do_skip(self, words, _):
        """What the program reads lacks N bytes here: urgent ones."""
        self.end.rpos += int(words[0])

    def do_close(self, words, _):
        if words and words[0] == "listener":
            self.listener.close()
            return
        self.end.sock.setblocking(True)
        self.end.sock.close()

    def do_abort(self, words, _):
        linger0(self.end.sock)
        self.end.sock.close()

    def do_linger(self, words, _):
        self.end.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, int(words[0])))

    def do_shutdown(self, words, result):
        how = dict(rd=0, wr=1, rdwr=2)[words[0]]
        self.call(result, self.end.sock.shutdown, how)

    def do_disconnect(self, words, result):
        """connect(AF_UNSPEC)."""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        check(libc.connect(self.end.sock.fileno(), b"\0" * 16, 16) == 0,
              "connect(AF_UNSPEC): errno %d" % ctypes.get_errno())

    def option_number(self, name):
        if name in BY_FAMILY:
            return BY_FAMILY[name][self.w.way == "v6"]
        if name in MORE_OPTIONS:
            return MORE_OPTIONS[name]
        level = 6 if name.startswith("TCP") else 1
        return level, getattr(socket, name)

    def do_setsockopt(self, words, result):
        value = int(words[1], 0) if words[1][0].isdigit() else \
            words[1].encode()
        self.call(result, self.need().setsockopt,
                  *self.option_number(words[0]), value)

    def do_getsockopt(self, words, result):
        got = self.call(None, self.need().getsockopt,
                        *self.option_number(words[0]))
        check(fits(result, got), "expected %s, got %s" % (result, got))

    def do_so_error(self, words, result):
        got = self.end.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        name = errno.errorcode.get(got, str(got))
        check(name == result, "expected %s, got %s" % (result, name))

    def ioctl(self, number):
        return struct.unpack("i", fcntl.ioctl(self.end.sock, number,
                                              b"\0" * 4))[0]

    def do_inq(self, words, result):
        got = self.ioctl(0x541b)
        check(fits(result, got), "expected %s, got %d" % (result, got))

    def do_outq(self, words, result):
        got = self.ioctl(0x5411)
        check(fits(result, got), "expected %s, got %d" % (result, got))

    def do_atmark(self, words, result):
        got = self.ioctl(0x8905)
        check(fits(result, got), "expected %s, got %d" % (result, got))

    def do_poll(self, words, result):
        want = set() if result == "0" else set(result.split("|"))
        p = select.poll()
        p.register(self.end.sock, sum(b for n, b in POLL
                                      if n not in ("ERR", "HUP")))
        end, got = time.monotonic() + 2, None
        while got != want and time.monotonic() < end:
            bits = (p.poll(0) or [(0, 0)])[0][1]
            got = {n for n, b in POLL if bits & b}
            if got != want:
                time.sleep(0.01)
        check(got == want, "expected %s, got %s" % (result, "|".join(got) or 0))

    def state(self, words):
        if words and words[0] == "listener":
            return state_of(self.listener)
        s = self.end.sock
        if s is not None and s.fileno() >= 0 and state_of(s) != "CLOSE":
            return state_of(s)
        c = self.conn()			# TIME-WAIT is no socket's state
        if s is not None and s.fileno() >= 0:
            return self.w.table(c.dut_port, c.port) or "CLOSE"
        return self.w.table(c.dut_port, c.port) or "none"

    def do_state(self, words, result):
        check(result == "none" or result in STATE_NAMES.values(), "bad state")
        end = time.monotonic() + 2
        while self.state(words) != result:
            check(time.monotonic() < end, "expected %s, is %s" %
                  (result, self.state(words)))
            time.sleep(0.005)

    def do_info(self, words, result):
        """info FIELD >=N: a field of struct tcp_info."""
        raw = self.end.sock.getsockopt(6, socket.TCP_INFO, 104)
        name = words[0]
        if name in INFO_BYTES:
            got = raw[INFO_BYTES.index(name)]
        else:
            got = struct.unpack_from("=I", raw,
                                     8 + 4 * INFO_WORDS.index(name))[0]
        check(fits("".join(words[1:]), got), "%s is %d" % (name, got))

    def do_isn(self, words, result):
        """isn A B -> RANGE: how far B's first number is beyond A's."""
        a, b = (self.ends[n].conn.irs for n in words)
        got = (b - a) & 0xffffffff
        check(fits(result, got), "%d is %d beyond %d" % (b, got, a))

    def do_ports(self, words, _):
        """ports A B C: these were not given out one after another."""
        ports = [self.ends[n].conn.dut_port for n in words]
        check(any(abs(a - b) > 2 for a, b in zip(ports, ports[1:])),
              "ports %s" % ports)

    def do_counter(self, words, _):
        """A counter of Tandem's; TCP's have other names."""
        if not IS_TCP:
            got = self.w.counter(words[0])
            check(fits("".join(words[1:]), got), "%s is %d" % (words[0], got))


def takes(script):
    """About how long, from its waits."""
    found = (re.search(r"(?:^wait|^quiet| after| took) (\d+(?:\.\d+)?)", text)
             for _, text in script.lines)
    return sum(float(m.group(1)) for m in found if m)


def test_of(script):
    def test(w):
        if takes(script) > 30:
            need_virtual()
        Run(w, script).run()
    test.__name__ = script.name
    for _, mtu in script.option("mtu"):
        test.mtu = int(mtu)
    for _, ways in script.option("ways"):
        test.ways = ways.split()
    return test


def load():
    scripts = [Script(p) for p in
               sorted(glob.glob(os.path.join(HERE, "conform", "*.txt")))]
    for s in scripts:
        check(s.title and s.title.startswith("RFC "),
              "%s: the first comment must name the RFC" % s.path)
        check(s.lines, "%s: nothing in it" % s.path)
    return scripts


if __name__ == "__main__":
    sys.exit(main([test_of(s) for s in load()], limit=10 ** 7))
