#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Check a capture against rules that hold for every segment ever sent.

  - no byte beyond the right edge the peer has granted so far (RFC 9293
    3.8.6; the window of a SYN is never scaled, RFC 7323 2.2)
  - the right edge a host grants never moves back
  - no ACK of what was not sent, no SACK outside what was sent
  - one window scale, one MSS: no segment larger than the peer's option

Reads pcap files (Ethernet, raw IP, Linux cooked) with nothing but struct.
"""

import argparse
import os
import struct
import sys

PROTO = 6 if os.environ.get("TANDEM_WIRE") == "tcp" else \
    int(os.environ.get("TANDEM_PROTO") or 254)
HALF, FULL = 1 << 31, 1 << 32


def packets(path):
    """(time, ip packet, true length) of each packet of a pcap file."""
    with open(path, "rb") as f:
        head = f.read(24)
        magic = head[:4]
        order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
                 b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}.get(magic)
        if not order:
            sys.exit("%s: not a pcap file" % path)
        nano = magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
        link = struct.unpack(order + "I", head[20:24])[0] & 0xffff
        skip = {1: 14, 101: 0, 12: 0, 113: 16, 276: 20}.get(link)
        if skip is None:
            sys.exit("%s: unknown link type %d" % (path, link))
        while True:
            rec = f.read(16)
            if len(rec) < 16:
                return
            sec, frac, caught, _ = struct.unpack(order + "4I", rec)
            data = f.read(caught)
            yield sec + frac / (1e9 if nano else 1e6), data[skip:]


def segment(ip):
    """(src, dst, header bytes, payload length) or None."""
    if len(ip) < 40:
        return None
    if ip[0] >> 4 == 4:
        head = (ip[0] & 15) * 4
        if ip[9] != PROTO:
            return None
        total = struct.unpack("!H", ip[2:4])[0] - head
        src, dst = ip[12:16], ip[16:20]
    else:
        head = 40
        if ip[6] != PROTO:
            return None
        total = struct.unpack("!H", ip[4:6])[0]
        src, dst = ip[8:24], ip[24:40]
    raw = ip[head:]
    if len(raw) < 20:
        return None
    sport, dport, seq, ack, off, win = struct.unpack("!HHIIHH", raw[:16])
    hlen = (off >> 12) * 4
    opts = {}
    i = 20
    while i < min(hlen, len(raw)):
        kind = raw[i]
        if kind == 0:
            break
        if kind == 1:
            i += 1
            continue
        n = raw[i + 1]
        opts[kind] = raw[i + 2:i + n]
        i += max(n, 2)
    return dict(src=(src, sport), dst=(dst, dport), seq=seq, ack=ack,
                flags=off & 0x3f, win=win, opts=opts, len=total - hlen)


class Half:
    """One direction's sender."""

    def __init__(self):
        self.isn = None
        self.top = 0			# highest byte sent, unwrapped
        self.edge = None		# right edge it granted, unwrapped
        self.shift = 0
        self.offers = False
        self.mss = 536
        self.bytes = 0
        self.zero = 0

    def unwrap(self, seq):
        """A number relative to the ISN that does not wrap."""
        rel = (seq - self.isn) % FULL
        near = self.top % FULL
        out = self.top - near + rel
        if rel - near > HALF:
            out -= FULL
        elif near - rel > HALF:
            out += FULL
        return out


class Checker:
    def __init__(self, args):
        self.args = args
        self.halves = {}
        self.problems = []
        self.segments = 0
        self.rewound = 0

    def problem(self, when, s, text):
        self.problems.append("%.6f port %d > %d: %s" % (
            when, s["src"][1], s["dst"][1], text))

    def syn(self, when, s, me):
        me.isn, me.top, me.edge = s["seq"], 1, None
        if self.args.isn is not None and s["seq"] != self.args.isn:
            self.problem(when, s, "ISN is %d" % s["seq"])
        me.offers = 3 in s["opts"]
        me.shift = min(s["opts"][3][0], 14) if me.offers else 0
        if 2 in s["opts"]:
            me.mss = struct.unpack("!H", s["opts"][2])[0]

    def see(self, when, s):
        self.segments += 1
        me = self.halves.setdefault((s["src"], s["dst"]), Half())
        peer = self.halves.setdefault((s["dst"], s["src"]), Half())
        syn, ack = s["flags"] & 2, s["flags"] & 16
        if s["flags"] & 4:
            return
        if syn and (me.isn is None or me.isn != s["seq"]):
            self.syn(when, s, me)
        if me.isn is None:
            return			# began before the capture
        if ack and peer.isn is not None:
            self.grant(when, s, me, peer, syn)
        self.data(when, s, me, peer)

    def grant(self, when, s, me, peer, syn):
        acked = peer.unwrap(s["ack"])
        if acked > peer.top:
            self.problem(when, s, "ACK %d of unsent, sent %d" % (
                acked, peer.top))
        scale = me.shift if me.offers and peer.offers and not syn else 0
        edge = acked + (s["win"] << scale)
        me.zero += not s["win"]
        if me.edge is not None and edge < me.edge:
            # A late or repeated segment may quote an old ACK; the same
            # number with a smaller window is what must not be.
            if self.args.ordered:
                self.problem(when, s, "right edge back by %d" % (
                    me.edge - edge))
            else:
                self.rewound += 1
        me.edge = max(edge, me.edge or 0)
        blocks = s["opts"].get(5, b"")
        for i in range(0, len(blocks) - 7, 8):
            a, b = struct.unpack("!II", blocks[i:i + 8])
            a, b = peer.unwrap(a), peer.unwrap(b)
            if not a < b <= peer.top:
                self.problem(when, s, "SACK %d:%d, sent %d" % (
                    a, b, peer.top))

    def data(self, when, s, me, peer):
        start = me.unwrap(s["seq"])
        end = start + s["len"] + bool(s["flags"] & 1) + bool(s["flags"] & 2)
        me.top = max(me.top, end)
        me.bytes += s["len"]
        if s["flags"] & 2:
            return
        if peer.edge is not None and s["len"] and \
                start + s["len"] > peer.edge:
            # Linux' window probe lies below; RFC 9293's is one byte beyond.
            if s["len"] > 1 or start > peer.edge:
                self.problem(when, s, "%d bytes beyond the window" % (
                    start + s["len"] - peer.edge))
        if not self.args.gso and s["len"] > max(peer.mss, 536):
            self.problem(when, s, "%d bytes, peer's MSS %d" % (
                s["len"], peer.mss))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("file")
    p.add_argument("--isn", type=int, help="every ISN must be this")
    p.add_argument("--ordered", action="store_true",
                   help="captured in the order of sending: judge right edges")
    p.add_argument("--gso", action="store_true",
                   help="do not judge the size of segments")
    p.add_argument("--min-bytes", type=int, default=1,
                   help="the capture must hold that many bytes of data")
    p.add_argument("--zero-window", action="store_true",
                   help="a window must have been shut at least once")
    args = p.parse_args()
    c = Checker(args)
    for when, ip in packets(args.file):
        s = segment(ip)
        if s:
            c.see(when, s)
    total = sum(h.bytes for h in c.halves.values())
    zero = sum(h.zero for h in c.halves.values())
    print("%d segments, %d bytes, %d directions, %d zero windows" % (
        c.segments, total, len(c.halves), zero))
    if total < args.min_bytes:
        c.problems.append("only %d bytes in the capture" % total)
    if args.zero_window and not zero:
        c.problems.append("no window was ever shut")
    for text in c.problems[:20]:
        print(text)
    if len(c.problems) > 20:
        print("... and %d more" % (len(c.problems) - 20))
    sys.exit(1 if c.problems else 0)


if __name__ == "__main__":
    main()
