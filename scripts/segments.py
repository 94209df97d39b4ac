# SPDX-License-Identifier: GPL-2.0
"""Reads Tandem segments out of a capture and follows the connections in it.

Used by annotate.py and plot.py; needs nothing but Python 3.7.

    for conn in segments.connections(segments.read("capture.pcap")):
        for seg in conn.segments:
            print(seg.time, seg.rseq, seg.rack, seg.tags, seg.remarks)

The one idea: numbers on the wire live on a circle of 2^32 (RFC 9293 section
3.4).  Each side's are unrolled to plain integers that begin at 0 with its SYN, so
that everything after this compares them with < and >.

A capture is one point on the path.  Taken at a sender it shows what was lost later;
taken at a receiver it shows the hole instead ("gap", then "late").
"""
import socket
import struct

IPPROTO_TANDEM = 254

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))
FLAG_NAMES = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (PSH, "PSH"),
              (ACK, "ACK"), (URG, "URG"), (ECE, "ECE"), (CWR, "CWR"))


class Trouble(Exception):
    """The capture cannot be read; the text is for the user."""


class Segment:
    """One segment: what the wire says, and what the tracker adds."""

    __slots__ = ("number", "time", "src", "dst", "flags", "seq", "ack", "wnd",
                 "length", "opts", "bad", "csum_ok", "ifindex",
                 # by the tracker
                 "conn", "way", "rseq", "rend", "rack", "win", "tags",
                 "remarks", "states")

    def __init__(self):
        self.bad = None
        self.csum_ok = None
        self.ifindex = 0
        self.opts = {}
        self.tags = set()
        self.remarks = []
        self.conn = None

    def flag_text(self):
        return " ".join(name for bit, name in FLAG_NAMES if self.flags & bit)


# ---- capture files ---------------------------------------------------------

def _records_pcap(data, magic):
    """(time in ns, link type, frame) of a classic pcap file."""
    order, unit = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
                   b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}[magic]
    if len(data) < 24:
        raise Trouble("the capture ends inside its header")
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xffff
    pos = 24
    rec = struct.Struct(order + "IIII")
    while pos + 16 <= len(data):
        sec, sub, caplen, _ = rec.unpack_from(data, pos)
        pos += 16
        if pos + caplen > len(data):
            break               # tcpdump was killed in the middle of a write
        yield sec * 1000000000 + sub * unit, link, data[pos:pos + caplen]
        pos += caplen


def _tsresol(options, order):
    pos = 0
    while pos + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, pos)
        if code == 0:
            break
        if code == 9 and length == 1:
            r = options[pos + 4]
            return 2.0 ** -(r & 127) if r & 128 else 10.0 ** -r
        pos += 4 + (length + 3) // 4 * 4
    return 1e-6


def _records_pcapng(data):
    """The same of a pcapng file (Wireshark's own format)."""
    pos, order, ifaces = 0, "<", []
    while pos + 12 <= len(data):
        kind = struct.unpack_from(order + "I", data, pos)[0]
        if kind == 0x0a0d0d0a:
            order = "<" if data[pos + 8:pos + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            ifaces = []
        size = struct.unpack_from(order + "I", data, pos + 4)[0]
        if size < 12 or pos + size > len(data):
            break
        body = data[pos + 8:pos + size - 4]
        if kind == 1:
            ifaces.append((struct.unpack_from(order + "H", body)[0],
                           _tsresol(body[8:], order)))
        elif kind == 6:
            iface, high, low, caplen = struct.unpack_from(order + "IIII", body)
            link, res = ifaces[iface]
            yield (int(((high << 32) | low) * res * 1e9), link,
                   body[20:20 + caplen])
        elif kind == 3 and ifaces:
            yield 0, ifaces[0][0], body[4:]
        pos += size


def _records(path):
    try:
        with (open(path, "rb") if path != "-" else open(0, "rb")) as f:
            data = f.read()
    except OSError as e:
        raise Trouble("%s: %s" % (path, e.strerror)) from None
    magic = data[:4]
    if magic == b"\x0a\x0d\x0d\x0a":
        return _records_pcapng(data)
    if magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4",
                 b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        return _records_pcap(data, magic)
    raise Trouble("%s is no capture: neither pcap nor pcapng" % path)


# ---- link and IP headers ---------------------------------------------------

def _ether(frame):
    kind, pos = struct.unpack_from("!H", frame, 12)[0], 14
    while kind in (0x8100, 0x88a8) and pos + 4 <= len(frame):
        kind, pos = struct.unpack_from("!H", frame, pos + 2)[0], pos + 4
    return frame[pos:], 0


# Link type: how to get at the IP packet, and the interface where it says so.
_LINKS = {
    0: lambda f: (f[4:], 0),                                    # BSD loopback
    1: _ether,
    12: lambda f: (f, 0), 101: lambda f: (f, 0),                # raw IP
    228: lambda f: (f, 0), 229: lambda f: (f, 0),
    113: lambda f: (f[16:], 0),                                 # Linux "any"
    276: lambda f: (f[20:], struct.unpack_from("!i", f, 4)[0]),  # the same, v2
}


def _ipv4(p):
    if len(p) < 20:
        return None
    hlen, total = (p[0] & 15) * 4, struct.unpack_from("!H", p, 2)[0]
    if struct.unpack_from("!H", p, 6)[0] & 0x1fff:
        return None             # not the first fragment: no header to see
    return (socket.inet_ntop(socket.AF_INET, p[12:16]),
            socket.inet_ntop(socket.AF_INET, p[16:20]),
            p[9], p[hlen:], (total or len(p)) - hlen, p[12:20])


def _ipv6(p):
    if len(p) < 40:
        return None
    size, nxt = struct.unpack_from("!HB", p, 4)
    pos, end = 40, 40 + (size or len(p) - 40)
    while nxt in (0, 43, 60) and pos + 8 <= len(p):
        nxt, pos = p[pos], pos + 8 + p[pos + 1] * 8
    return (socket.inet_ntop(socket.AF_INET6, p[8:24]),
            socket.inet_ntop(socket.AF_INET6, p[24:40]),
            nxt, p[pos:], end - pos, p[8:40])


def checksum(data):
    """The Internet checksum (RFC 1071) of data."""
    if len(data) & 1:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def _options(p, seg):
    pos = 0
    while pos < len(p) and p[pos] != 0:
        kind = p[pos]
        if kind == 1:
            pos += 1
            continue
        if pos + 1 >= len(p) or p[pos + 1] < 2 or pos + p[pos + 1] > len(p):
            seg.bad = "malformed option %d" % kind
            return
        val = p[pos + 2:pos + p[pos + 1]]
        pos += p[pos + 1]
        if kind == 2 and len(val) == 2:
            seg.opts["mss"] = struct.unpack("!H", val)[0]
        elif kind == 3 and len(val) == 1:
            seg.opts["wscale"] = min(val[0], 14)
        elif kind == 4:
            seg.opts["sackok"] = True
        elif kind == 5 and len(val) % 8 == 0:
            v = struct.unpack("!%dI" % (len(val) // 4), val)
            seg.opts["sack"] = list(zip(v[::2], v[1::2]))
        elif kind == 8 and len(val) == 8:
            seg.opts["ts"] = struct.unpack("!II", val)
        else:
            seg.opts.setdefault("other", []).append(kind)


def _segment(p, size, pseudo, proto, src, dst):
    """The transport header; size is what the IP header says there is."""
    seg = Segment()
    seg.flags = seg.seq = seg.ack = seg.wnd = seg.length = 0
    seg.src, seg.dst = (src, 0), (dst, 0)
    if size < 20 or len(p) < 20:
        seg.bad = "shorter than a header"
        return seg
    sport, dport, seg.seq, seg.ack, off, seg.flags, seg.wnd = \
        struct.unpack_from("!HHIIBBH", p)
    seg.src, seg.dst = (src, sport), (dst, dport)
    off = (off >> 4) * 4
    if off < 20 or off > size:
        seg.bad = "bad data offset"
        return seg
    seg.length = size - off
    _options(p[20:off], seg)
    if len(p) >= size:
        tail = struct.pack("!I" if len(pseudo) > 8 else "!H", size)
        kind = struct.pack("!I" if len(pseudo) > 8 else "!H", proto)
        seg.csum_ok = checksum(pseudo + tail + kind + p[:size]) == 0
    return seg


def read(path, proto=IPPROTO_TANDEM):
    """Every segment of the protocol in a pcap or pcapng file, in order."""
    first_if = None
    number = 0
    for when, link, frame in _records(path):
        if link not in _LINKS:
            raise Trouble("%s: link type %d is not known here" % (path, link))
        try:
            p, ifindex = _LINKS[link](frame)
            ip = (_ipv4 if p[0] >> 4 == 4 else _ipv6 if p[0] >> 4 == 6
                  else lambda _: None)(p)
        except (IndexError, struct.error):
            continue
        if not ip or ip[2] != proto:
            continue
        # "any" shows a forwarded packet once per interface: stay with one.
        if ifindex:
            first_if = first_if or ifindex
            if ifindex != first_if:
                continue
        src, dst, _, rest, size, pseudo = ip
        seg = _segment(rest, size, pseudo, proto, src, dst)
        number += 1
        seg.number, seg.time, seg.ifindex = number, when / 1e9, ifindex
        yield seg


# ---- following connections -------------------------------------------------

class Ranges:
    """A set of integers kept as sorted, disjoint [left, right) ranges."""

    def __init__(self):
        self.list = []

    def add(self, left, right):
        if left >= right:
            return
        out = []
        for a, b in self.list:
            if b < left or a > right:
                out.append((a, b))
            else:
                left, right = min(a, left), max(b, right)
        out.append((left, right))
        out.sort()
        self.list = out

    def covers(self, left, right):
        return any(a <= left and right <= b for a, b in self.list)

    def touches(self, left, right):
        return any(a < right and left < b for a, b in self.list)


class Side:
    """One end: what it sent, and what its peer said about that."""

    def __init__(self, name, addr):
        self.name, self.addr = name, addr
        self.isn = None         # on the wire
        self.nxt = 0            # highest sequence number sent, unrolled
        self.sent = Ranges()    # what has been seen of it
        self.sent_at = {}       # first byte of a segment: when last sent
        self.sent_seg = {}      # and the segment that did
        self.fin = None         # the FIN's number, once sent
        self.acked = 0          # by the peer
        self.sacked = Ranges()  # by the peer
        self.right = None       # the peer's window ends here
        self.dupacks = 0        # in a row, from the peer
        self.last_ack = None    # what this side acknowledged last
        self.last_wnd = None
        self.adv_right = None   # the highest window end it ever advertised
        self.last_ts = None
        self.wscale = None
        self.offer = {}
        self.owed = []          # (end, time) of segments it has yet to acknowledge
        self.probing = None     # where its last zero-window probe ended
        self.fast_until = None  # retransmissions up to here belong to one loss
        self.last_time = None   # when its newest segment passed
        self.state = "CLOSED"
        self.count = {}

    def unroll(self, seq, near=None):
        """A number of this side's on the wire, as a plain integer."""
        near = self.nxt if near is None else near
        d = (seq - (self.isn + near)) & 0xffffffff
        return near + (d - (1 << 32) if d & 0x80000000 else d)

    def tally(self, what, n=1):
        self.count[what] = self.count.get(what, 0) + n


# Silence of half of it means a timer: the smallest RTO of Tandem and of TCP.
MIN_RTO = 0.2


def _ms(seconds):
    return "%.1f ms" % (seconds * 1e3)


def _many(n, what):
    return "%d %s%s" % (n, what, "" if n == 1 else "s")


class Connection:
    """Two sides and their segments, remarked upon."""

    def __init__(self, first):
        opened = not (first.flags & ACK)
        self.segments = []
        # Who opened it? Without its SYN: the higher port is the client's.
        client_sends = (opened if first.flags & SYN
                        else first.src[1] >= first.dst[1])
        a, b = (first.src, first.dst) if client_sends else (first.dst, first.src)
        self.client, self.server = Side("client", a), Side("server", b)
        self.start = first.time
        self.rtt = 0            # of the handshake, seconds
        self.server.state = "LISTEN" if first.flags & SYN else "ESTABLISHED"
        if not first.flags & SYN:
            self.client.state = "ESTABLISHED"
        self.complete = bool(first.flags & SYN)

    def over(self):
        return {self.client.state, self.server.state} <= {"CLOSED", "TIME-WAIT"}

    def add(self, seg):
        me, peer = ((self.client, self.server) if seg.src == self.client.addr
                    else (self.server, self.client))
        seg.conn, seg.way = self, 0 if me is self.client else 1
        self.segments.append(seg)
        if seg.bad:
            seg.rseq = seg.rend = 0
            seg.rack, seg.win = None, seg.wnd
            seg.tags.add("malformed")
            seg.remarks.append("malformed: " + seg.bad)
            me.tally("malformed")
        else:
            self._number(seg, me, peer)
            _Remarks(self, seg, me, peer).make()
        me.tally("segments")
        me.last_time = seg.time
        if len(self.segments) <= 3:
            self.rtt = seg.time - self.start
        seg.states = (self.client.state, self.server.state)

    @staticmethod
    def _number(seg, me, peer):
        if me.isn is None or (seg.flags & SYN and seg.seq != me.isn and
                              me.nxt <= 1):
            # Without a SYN the first number seen counts as byte 1.
            me.isn = seg.seq if seg.flags & SYN else (seg.seq - 1) & 0xffffffff
            me.nxt = 0 if seg.flags & SYN else 1
        seg.rseq = me.unroll(seg.seq)
        seg.rend = (seg.rseq + seg.length + bool(seg.flags & SYN) +
                    bool(seg.flags & FIN))
        seg.rack = None
        if seg.flags & ACK:
            if peer.isn is None:
                peer.isn, peer.nxt = (seg.ack - 1) & 0xffffffff, 1
            seg.rack = peer.unroll(seg.ack)
        if seg.flags & SYN:
            me.offer = seg.opts
            me.wscale = seg.opts.get("wscale")
        # Scaling holds when both SYNs offered it, and never in a SYN (RFC 7323 2.2).
        scale = (me.wscale if not seg.flags & SYN and me.wscale is not None and
                 peer.wscale is not None else 0)
        seg.win = seg.wnd << scale


class _Remarks:
    """What one segment means where it stands; updates both sides."""

    def __init__(self, conn, seg, me, peer):
        self.conn, self.seg, self.me, self.peer = conn, seg, me, peer

    def say(self, tag, text=None):
        self.seg.tags.add(tag)
        self.me.tally(tag)
        if text:
            self.seg.remarks.append(text)

    def make(self):
        seg = self.seg
        if seg.csum_ok is False:
            self.seg.tags.add("badsum")
        if seg.flags & RST:
            self.reset()
            return
        if seg.flags & SYN:
            self.syn()
        elif seg.length or seg.flags & FIN:
            self.data()
        elif seg.flags & ACK:
            self.pure()
        if seg.flags & FIN:
            self.fin()
        if seg.flags & ACK:
            self.acknowledge()
        self.window()

    # -- opening and ending --

    def syn(self):
        seg, me = self.seg, self.me
        again = me.sent.covers(seg.rseq, seg.rseq + 1)
        me.sent.add(seg.rseq, seg.rend)
        me.nxt = max(me.nxt, seg.rend)
        what = ("accepts, acknowledges the SYN" if seg.flags & ACK else
                "opens" if self.peer.isn is None or self.peer.nxt == 0 or
                self.peer.state == "LISTEN" else "opens at the same time")
        if again:
            self.say("retrans")
            what = "retransmission after %s: %s" % (
                _ms(seg.time - me.sent_at[seg.rseq]), what)
        self.say("synack" if seg.flags & ACK else "syn",
                 "%s; its numbers begin at %u" % (what, seg.seq))
        me.sent_at[seg.rseq] = seg.time
        if seg.length:
            self.say("data", "carries %s" % _many(seg.length, "byte"))
        if not seg.flags & ACK:
            me.state = "SYN-SENT"
        elif me.state in ("LISTEN", "CLOSED", "SYN-SENT"):
            me.state = "SYN-RECEIVED"

    def reset(self):
        self.say("rst", "resets the connection")
        self.me.state = self.peer.state = "CLOSED"

    def fin(self):
        seg, me = self.seg, self.me
        first = me.fin is None
        me.fin = seg.rend - 1
        self.say("fin", "FIN: the %s has no more to send" % me.name
                 if first else None)
        # The states move in acknowledge(), after this segment's ACK counts.

    # -- data --

    def data(self):
        seg, me = self.seg, self.me
        end = seg.rend
        if self.probe():
            return
        if seg.rseq == me.nxt or not me.sent.list:
            self.say("data" if seg.length else "finonly",
                     _many(seg.length, "new byte") if seg.length else None)
        elif me.sent.covers(seg.rseq, end):
            self.retransmission()
        elif seg.rseq > me.nxt:
            self.say("data")
            self.say("gap", "%s; %s before them did not pass here" % (
                _many(seg.length, "new byte"), _many(seg.rseq - me.nxt, "byte")))
        elif me.sent.touches(seg.rseq, end):
            self.say("data")
            self.retransmission("with new bytes")
        else:
            self.say("data")
            self.say("late", "fills a hole: reordered, or sent again after a "
                     "loss before this point")
        me.sent_at[seg.rseq] = seg.time
        me.sent_seg[seg.rseq] = seg
        me.sent.add(seg.rseq, end)
        me.nxt = max(me.nxt, end)
        if me.right is not None and end > me.right + bool(seg.flags & FIN):
            self.say("overrun", "BEYOND the peer's window by %s" %
                     _many(end - me.right, "byte"))
        me.tally("bytes", seg.length)
        self.owe()

    def owe(self):
        if "retrans" not in self.seg.tags:
            self.peer.owed.append((self.seg.rend, self.seg.time))

    def probe(self):
        """Keepalive or zero-window probe: an old byte, or the next one."""
        seg, me = self.seg, self.me
        shut = me.right is not None and me.right <= me.acked
        if seg.flags & FIN or seg.length > 1:
            return False
        if shut and seg.rseq in (me.acked, me.acked - 1, me.nxt):
            self.say("probe", "zero-window probe: is there room again?")
            me.probing = seg.rend
            self.owe()
            return True
        if seg.rseq == me.acked - 1 and me.acked == me.nxt and seg.length:
            self.say("keepalive", "keepalive: are you there?")
            self.owe()
            return True
        return False

    def retransmission(self, more=""):
        seg, me = self.seg, self.me
        ago = seg.time - me.sent_at.get(seg.rseq, seg.time)
        since = " %s after it was sent" % _ms(ago) if ago else ""
        if not more:
            more = _many(seg.length, "byte") if seg.length else "FIN"
        self.say("retrans")
        before = me.sent_seg.get(seg.rseq)
        if before and "again" not in before.tags:
            before.tags.add("again")
            before.remarks.append("(will be sent again, as segment %d)" %
                                  seg.number)
        if seg.rend <= me.acked:
            self.say("needless", "RETRANSMISSION of %s%s, though acknowledged "
                     "already" % (more, since))
        elif not self.ack_brought_it():
            self.say("rto", "RETRANSMISSION of %s%s, no ACK came in time" % (
                more, since))
        elif (me.dupacks >= 3 or any(a > seg.rseq for a, _ in me.sacked.list)
              or (me.fast_until is not None and seg.rseq < me.fast_until)):
            if me.fast_until is None:
                me.fast_until = me.nxt
            why = ("SACK shows the hole" if me.sacked.list and
                   me.sacked.list[-1][1] > seg.rseq else
                   _many(me.dupacks, "duplicate ACK") if me.dupacks else
                   "recovery goes on")
            self.say("fast", "FAST RETRANSMISSION of %s%s: %s" % (
                more, since, why))
        else:
            self.say("rto", "RETRANSMISSION of %s%s, no ACK came" % (more, since))

    def ack_brought_it(self):
        """Did the peer say something lately? If not, it was the timer."""
        return self.peer.last_time is None or (
            self.seg.time - self.peer.last_time <
            max(2 * self.conn.rtt, MIN_RTO / 2))

    # -- acknowledgments --

    def pure(self):
        seg, me, peer = self.seg, self.me, self.peer
        if seg.rseq == me.acked - 1 and me.acked == me.nxt and \
                me.state == "ESTABLISHED" and me.last_ack == seg.rack:
            if me.right is not None and me.right <= me.acked:
                self.say("probe", "zero-window probe: is there room again?")
                me.probing = seg.rend
            else:
                self.say("keepalive", "keepalive: are you there?")
            self.owe()
            return
        self.say("pureack")
        if me.last_ack is None or seg.rack > me.last_ack:
            return              # acknowledge() says what it covers
        if seg.rack < me.last_ack:
            self.say("oldack", "an old ACK, overtaken on the way")
        elif seg.opts.get("sack") and peer.nxt > seg.rack:
            self.say("dupack")
        elif seg.win != me.last_wnd:
            if seg.win > (me.last_wnd or 0):
                self.say("winupdate", "window update: the program has read, %s"
                         " more may be sent" % _many(
                             seg.win - (me.last_wnd or 0), "byte"))
            else:
                self.say("winshut", "window now %d" % seg.win)
        elif peer.probing is not None:
            self.say("ackagain", "answers the probe: the window is still %d" %
                     seg.win)
        elif peer.nxt > seg.rack and peer.state != "SYN-SENT":
            self.say("dupack")
        elif me.owed:
            self.say("ackagain", "the same ACK again: what came was a probe or "
                     "had been received")
        else:
            self.say("ackagain", "the same ACK again")

    def acknowledge(self):
        seg, me, peer = self.seg, self.me, self.peer
        carries = seg.length or seg.flags & (SYN | FIN)
        sack = [(peer.unroll(a), peer.unroll(b)) for a, b in
                seg.opts.get("sack", ())]
        if sack:
            self.sack(sack)
        if "dupack" in seg.tags:
            peer.dupacks += 1
            self.seg.remarks.insert(0, "duplicate ACK %d: still waits for %d" % (
                peer.dupacks, seg.rack))
        advance = me.last_ack is None or seg.rack > me.last_ack
        if advance:
            self.covers(seg.rack - (me.last_ack or 0), carries)
            me.last_ack = seg.rack
            if seg.rack > peer.acked:
                peer.dupacks = 0
            peer.acked = max(peer.acked, seg.rack)
            if peer.fast_until is not None and seg.rack >= peer.fast_until:
                peer.fast_until = None
        me.owed = [o for o in me.owed if o[0] > seg.rack]
        if seg.rack > max(peer.nxt, peer.probing or 0) and peer.sent.list:
            self.say("future", "acknowledges what has not passed here")
        self.states()

    def covers(self, amount, carries):
        """An ACK that moves forward: of how much, and riding on what?"""
        seg, me, peer = self.seg, self.me, self.peer
        if seg.flags & SYN:
            return
        if me.state in ("SYN-SENT",):
            self.say("handshake", "completes the handshake")
            return
        if peer.state == "SYN-RECEIVED" and not carries and \
                seg.rack <= 1:
            self.say("handshake", "completes the handshake")
            return
        fin = peer.fin is not None and seg.rack > peer.fin
        owed = [o for o in me.owed if o[0] <= seg.rack]
        what = []
        if amount - fin > 0:
            what.append(_many(amount - fin, "byte"))
            if len(owed) > 1:
                what[-1] += " in " + _many(len(owed), "segment")
        if fin:
            what.append("the FIN")
        text = " and ".join(what)
        if carries:
            self.say("piggyback", "ACK of %s rides along (piggybacked)" % text)
            return
        late = ""
        if owed:
            late = ", %s after the first of it" % _ms(seg.time - owed[0][1])
        seg.remarks.append("pure ACK of %s%s" % (text, late))

    def sack(self, blocks):
        """RFC 2018; the first block may report a duplicate (RFC 2883)."""
        seg, peer = self.seg, self.peer
        left, right = blocks[0]
        if right <= seg.rack or (len(blocks) > 1 and
                                 blocks[1][0] <= left and right <= blocks[1][1]):
            self.say("dsack", "D-SACK: %d..%d came twice" % (left, right))
            blocks = blocks[1:]
        if blocks:
            self.say("sack", "SACK: has " + ", ".join(
                "%d..%d" % b for b in blocks))
        for a, b in blocks:
            peer.sacked.add(a, b)
        peer.sacked.list = [(a, b) for a, b in peer.sacked.list
                            if b > seg.rack]

    def window(self):
        """What this segment grants the peer, and that it never takes back."""
        seg, me, peer = self.seg, self.me, self.peer
        if seg.rack is None:
            return
        edge = seg.rack + seg.win
        ts = seg.opts.get("ts", (None,))[0]
        fresh = (ts is None or me.last_ts is None or
                 not (ts - me.last_ts) & 0x80000000)
        if me.adv_right is not None and fresh and seg.rack >= me.last_ack and \
                edge < me.adv_right:
            slack = 1 << (me.wscale or 0)
            if me.adv_right - edge >= slack:
                self.say("shrunk", "the window's right edge went BACK by %s" %
                         _many(me.adv_right - edge, "byte"))
        if fresh:
            me.last_ts = ts
        me.adv_right = edge if me.adv_right is None else max(me.adv_right, edge)
        if seg.win:
            peer.probing = None
        if seg.win == 0 and me.last_wnd != 0 and not seg.flags & SYN:
            self.say("zerowin", "ZERO WINDOW: the program does not read")
        if fresh and seg.rack >= me.last_ack:
            me.last_wnd = seg.win
        peer.right = me.adv_right

    # -- states (RFC 9293 section 3.3.2), as far as a bystander can tell --

    def states(self):
        seg, me, peer = self.seg, self.me, self.peer
        got_fin = peer.fin is not None and seg.rack > peer.fin
        if me.state == "SYN-SENT" and seg.rack >= 1 and not seg.flags & SYN:
            me.state = "ESTABLISHED"
        if peer.state == "SYN-RECEIVED" and seg.rack >= 1:
            peer.state = "ESTABLISHED"
            if me.state == "SYN-RECEIVED":
                me.state = "ESTABLISHED"
        if got_fin:
            peer.state = {"FIN-WAIT-1": "FIN-WAIT-2", "CLOSING": "TIME-WAIT",
                          "LAST-ACK": "CLOSED"}.get(peer.state, peer.state)
            me.state = {"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-2": "TIME-WAIT",
                        "FIN-WAIT-1": "CLOSING"}.get(me.state, me.state)
        if seg.flags & FIN:
            me.state = {"ESTABLISHED": "FIN-WAIT-1", "SYN-RECEIVED": "FIN-WAIT-1",
                        "CLOSE-WAIT": "LAST-ACK"}.get(me.state, me.state)


def connections(segs):
    """The connections of a capture, in the order in which they began."""
    live, out = {}, []
    for seg in segs:
        key = frozenset((seg.src, seg.dst))
        conn = live.get(key)
        new_syn = seg.flags & (SYN | ACK) == SYN and not seg.bad
        if conn is None or (new_syn and conn.over()):
            if seg.bad:
                continue
            conn = live[key] = Connection(seg)
            out.append(conn)
        conn.add(seg)
    return out
