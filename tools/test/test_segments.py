#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of scripts/segments.py, annotate.py and plot.py on captures made here.

Usage: test_segments.py SCRIPTS-DIRECTORY        (unittest; exit code tells)
"""
import io
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

SCRIPTS = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "scripts")
sys.path.insert(0, SCRIPTS)
import segments                                                 # noqa: E402
from segments import ACK, FIN, PSH, RST, SYN                    # noqa: E402

C, S = ("10.0.0.1", 40000), ("10.0.0.2", 80)
TS = b"\x01\x01\x08\x0a"


def wire(src, dst, flags, seq, ack=0, data=b"", wnd=1000, opts=b"", proto=254,
         spoil=0, doff=None):
    """An IP packet, v4 or v6 by the addresses."""
    v6 = ":" in src[0]
    fam = socket.AF_INET6 if v6 else socket.AF_INET
    opts += b"\0" * (-len(opts) % 4)
    off = 20 + len(opts) if doff is None else doff
    head = struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xffffffff,
                       ack & 0xffffffff, off // 4 << 4, flags, wnd, 0, 0)
    seg = head + opts + data
    ends = socket.inet_pton(fam, src[0]) + socket.inet_pton(fam, dst[0])
    pseudo = ends + (struct.pack("!II", len(seg), proto) if v6 else
                     struct.pack("!HH", proto, len(seg)))
    s = segments.checksum(pseudo + seg) ^ spoil
    seg = seg[:16] + struct.pack("!H", s) + seg[18:]
    if v6:
        return struct.pack("!IHBB", 6 << 28, len(seg), proto, 64) + ends + seg
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(seg), 0, 0, 64, proto,
                       0) + ends + seg


def pcap(packets, link=101, order="<", nano=False, cut=0, dress=lambda p: p):
    """packets: (milliseconds, IP packet)."""
    magic = 0xa1b23c4d if nano else 0xa1b2c3d4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for ms, p in packets:
        p = dress(p)
        us = int(round(ms * 1000))
        out += struct.pack(order + "IIII", us // 1000000,
                           us % 1000000 * (1000 if nano else 1),
                           len(p) - cut, len(p)) + p[:len(p) - cut]
    return out


def ng(packets):
    out = struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)
    out += struct.pack("<IIHHII", 1, 20, 101, 0, 0, 20)
    for ms, p in packets:
        us = int(ms * 1000)
        size = 32 + len(p) + -len(p) % 4
        out += struct.pack("<IIIIIII", 6, size, 0, us >> 32, us & 0xffffffff,
                           len(p), len(p)) + p + b"\0" * (-len(p) % 4)
        out += struct.pack("<I", size)
    return out


def sack(*blocks):
    return b"\x01\x01" + bytes((5, 2 + 8 * len(blocks))) + b"".join(
        struct.pack("!II", a & 0xffffffff, b & 0xffffffff) for a, b in blocks)


class Talk:
    """Writes a conversation with relative numbers, as the tracker prints them."""

    def __init__(self, cisn=1000, sisn=5000, c=C, s=S, scale=None):
        self.isn = {0: cisn, 1: sisn}
        self.ends = (c, s)
        self.packets = []
        self.ms = 0.0
        o = b"\x02\x04\x05\xb4" + b"\x04\x02\x01\x01"
        if scale is not None:
            o += bytes((3, 3, scale, 1))
        self.put(0, SYN, 0, None, opts=o)
        self.put(1, SYN | ACK, 0, 1, opts=o)
        self.put(0, ACK, 1, 1)

    def put(self, way, flags, seq, ack, size=0, opts=b"", wnd=1000, after=10.0):
        self.packets.append((self.ms, wire(
            self.ends[way], self.ends[1 - way], flags, self.isn[way] + seq,
            0 if ack is None else self.isn[1 - way] + ack, b"x" * size, wnd,
            opts)))
        self.ms += after

    def conn(self):
        conns = follow(pcap(self.packets))
        assert len(conns) == 1
        return conns[0]

    def last(self):
        return self.conn().segments[-1]


def follow(data):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(data)
        f.flush()
        return segments.connections(segments.read(f.name))


def script(name, data, *args):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(data)
        f.flush()
        return subprocess.run(
            [sys.executable, os.path.join(SCRIPTS, name)] +
            [a if a != "@" else f.name for a in args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True,
            env=dict(os.environ, PYTHONIOENCODING="utf-8"))


def transfer():
    """A whole small life: request, answer with a loss, FINs."""
    t = Talk()
    t.put(0, PSH | ACK, 1, 1, 50)
    t.put(1, ACK, 1, 51, 100)                   # carries the ACK along
    t.put(1, ACK, 101, 51, 100, after=1)
    t.put(1, ACK, 201, 51, 100)
    t.put(0, ACK, 51, 101)
    for _ in range(3):
        t.put(0, ACK, 51, 101, opts=sack((5201, 5301)))
    t.put(1, ACK, 101, 51, 100)                 # again
    t.put(0, ACK, 51, 301)
    t.put(0, FIN | ACK, 51, 301)
    t.put(1, FIN | ACK, 301, 52)
    t.put(0, ACK, 52, 302)
    return t


class Reading(unittest.TestCase):
    def test_link_types(self):
        p = Talk().packets
        mac = b"\2" * 12
        for link, dress in (
                (101, lambda x: x), (12, lambda x: x),
                (1, lambda x: mac + b"\x08\0" + x),
                (1, lambda x: mac + b"\x81\0\0\5\x08\0" + x),
                (113, lambda x: b"\0" * 14 + b"\x08\0" + x),
                (276, lambda x: b"\x08\0\0\0" + struct.pack("!i", 3) +
                 b"\0" * 12 + x)):
            conns = follow(pcap(p, link, dress=dress))
            self.assertEqual([len(c.segments) for c in conns], [3], link)

    def test_byte_orders_and_units(self):
        p = Talk().packets
        for order in "<>":
            for nano in (False, True):
                conn = follow(pcap(p, order=order, nano=nano))[0]
                self.assertAlmostEqual(conn.segments[2].time, 0.020)

    def test_pcapng(self):
        conn = follow(ng(Talk().packets))[0]
        self.assertEqual(len(conn.segments), 3)
        self.assertAlmostEqual(conn.segments[2].time, 0.020)

    def test_any_shows_a_packet_once(self):
        out = []
        for ms, p in Talk().packets:
            for ifindex in (3, 4):
                out.append((ms, b"\x08\0\0\0" + struct.pack("!i", ifindex) +
                            b"\0" * 12 + p))
        self.assertEqual(len(follow(pcap(out, 276))[0].segments), 3)

    def test_short_snap_length(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 500)
        self.assertEqual(follow(pcap(t.packets, cut=0))[0].segments[3].length, 500)
        data = pcap([t.packets[0]]) + struct.pack(
            "<IIII", 0, 0, 60, 540) + t.packets[3][1][:60]
        self.assertEqual(follow(data)[0].segments[1].length, 500)

    def test_torn_end(self):
        data = pcap(Talk().packets)
        self.assertEqual(len(follow(data[:-5])[0].segments), 2)

    def test_ethernet_padding_is_no_data(self):
        p = Talk().packets
        conn = follow(pcap(p, 1, dress=lambda x: b"\2" * 12 + b"\x08\0" + x +
                           b"\0" * 6))[0]
        self.assertEqual(conn.segments[2].length, 0)

    def test_other_protocols_ignored(self):
        p = [(0, wire(C, S, SYN, 1, proto=6))]
        self.assertEqual(follow(pcap(p)), [])

    def test_ipv6(self):
        t = Talk(c=("fd01::2", 40000), s=("fd02::2", 80))
        t.put(0, ACK, 1, 1, 10)
        conn = t.conn()
        self.assertEqual(conn.client.addr, ("fd01::2", 40000))
        self.assertEqual(conn.segments[3].rend, 11)
        self.assertTrue(all(s.csum_ok for s in conn.segments))

    def test_checksum(self):
        p = [(0, wire(C, S, SYN, 1)), (1, wire(C, S, SYN, 1, spoil=0x100))]
        self.assertEqual([s.csum_ok for s in follow(pcap(p))[0].segments],
                         [True, False])

    def test_malformed(self):
        t = Talk()
        for p in (wire(C, S, ACK, 1001, 5001, doff=16),
                  wire(C, S, ACK, 1001, 5001, doff=60),
                  wire(C, S, ACK, 1001, 5001, opts=b"\x05\x0b\0\0"),
                  wire(C, S, ACK, 1001, 5001, opts=b"\x08\x01\0\0")):
            conn = follow(pcap(t.packets + [(50, p)]))[0]
            self.assertIn("malformed", conn.segments[3].tags)

    def test_no_capture(self):
        with self.assertRaises(segments.Trouble):
            follow(b"nonsense")
        with self.assertRaises(segments.Trouble):
            list(segments.read("/nonexistent.pcap"))


class Following(unittest.TestCase):
    def test_handshake(self):
        conn = Talk().conn()
        tags = [s.tags for s in conn.segments]
        self.assertIn("syn", tags[0])
        self.assertIn("synack", tags[1])
        self.assertIn("handshake", tags[2])
        self.assertIn("pureack", tags[2])
        self.assertEqual([s.states for s in conn.segments], [
            ("SYN-SENT", "LISTEN"), ("SYN-SENT", "SYN-RECEIVED"),
            ("ESTABLISHED", "ESTABLISHED")])
        self.assertIn("begin at 1000", conn.segments[0].remarks[0])

    def test_simultaneous_open(self):
        p = [(0, wire(C, S, SYN, 100)), (1, wire(S, C, SYN, 900)),
             (2, wire(C, S, SYN | ACK, 100, 901)),
             (3, wire(S, C, SYN | ACK, 900, 101))]
        conn = follow(pcap(p))[0]
        self.assertEqual(conn.segments[1].states, ("SYN-SENT", "SYN-SENT"))
        self.assertEqual(conn.segments[3].states, ("ESTABLISHED",) * 2)

    def test_piggyback(self):
        conn = transfer().conn()
        self.assertIn("piggyback", conn.segments[4].tags)
        self.assertNotIn("pureack", conn.segments[4].tags)
        self.assertNotIn("piggyback", conn.segments[3].tags)
        self.assertNotIn("piggyback", conn.segments[5].tags)

    def test_fast_retransmission(self):
        conn = transfer().conn()
        s = conn.segments
        self.assertIn("again", s[5].tags)
        self.assertEqual([n.number for n in s if "dupack" in n.tags], [9, 10, 11])
        self.assertIn("duplicate ACK 3", s[10].remarks[0])
        self.assertIn("SACK: has 201..301", " ".join(s[10].remarks))
        self.assertLessEqual({"retrans", "fast"}, s[11].tags)
        self.assertEqual(conn.server.count["retrans"], 1)

    def test_timeout(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 100, after=300)
        t.put(0, ACK, 1, 1, 100)
        seg = t.last()
        self.assertLessEqual({"retrans", "rto"}, seg.tags)
        self.assertIn("300.0 ms", seg.remarks[0])

    def test_timeout_with_a_hole(self):
        """SACK shows the hole, but it was the timer that filled it."""
        t = Talk()
        t.put(0, ACK, 1, 1, 100)
        t.put(0, ACK, 101, 1, 100)
        t.put(1, ACK, 1, 1, opts=sack((1101, 1201)), after=250)
        t.put(0, ACK, 1, 1, 100)
        self.assertLessEqual({"retrans", "rto"}, t.last().tags)
        self.assertNotIn("fast", t.last().tags)

    def test_needless(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 100)
        t.put(1, ACK, 1, 101)
        t.put(0, ACK, 1, 1, 100)
        self.assertIn("needless", t.last().tags)
        t.put(1, ACK, 1, 101, opts=sack((1001, 1101)))
        seg = t.last()
        self.assertIn("dsack", seg.tags)
        self.assertNotIn("sack", seg.tags)

    def test_receivers_view(self):
        t = Talk()
        t.put(0, ACK, 101, 1, 100)
        self.assertIn("gap", t.last().tags)
        t.put(0, ACK, 1, 1, 100)
        self.assertIn("late", t.last().tags)

    def test_windows(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 1000)
        t.put(1, ACK, 1, 1001, wnd=0)
        self.assertIn("zerowin", t.last().tags)
        t.put(0, ACK, 1001, 1, 1)
        self.assertIn("probe", t.last().tags)
        t.put(1, ACK, 1, 1001, wnd=0)
        self.assertIn("ackagain", t.last().tags)
        t.put(1, ACK, 1, 1001, wnd=700)
        self.assertIn("winupdate", t.last().tags)
        t.put(0, ACK, 1001, 1, 700)
        self.assertNotIn("overrun", t.last().tags)

    def test_probe_below_the_window(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 1000)
        t.put(1, ACK, 1, 1001, wnd=0)
        t.put(0, ACK, 1000, 1)
        self.assertIn("probe", t.last().tags)

    def test_overrun(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 1000)
        self.assertNotIn("overrun", t.last().tags)
        t.put(0, ACK, 1001, 1, 1)
        self.assertIn("overrun", t.last().tags)

    def test_shrunk(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 500)
        t.put(1, ACK, 1, 501, wnd=500)
        self.assertNotIn("shrunk", t.last().tags)
        t.put(1, ACK, 1, 501, wnd=499)
        self.assertIn("shrunk", t.last().tags)

    def test_window_scale(self):
        t = Talk(scale=7)
        seg = t.conn().segments
        self.assertEqual([s.win for s in seg], [1000, 1000, 128000])
        # One side's offer alone scales nothing.
        p = [(0, wire(C, S, SYN, 1, opts=b"\x03\x03\x07\x01")),
             (1, wire(S, C, SYN | ACK, 1, 2)), (2, wire(C, S, ACK, 2, 2))]
        self.assertEqual(follow(pcap(p))[0].segments[2].win, 1000)

    def test_wrap(self):
        t = Talk(cisn=0xffffff00)
        t.put(0, ACK, 1, 1, 200)
        t.put(0, ACK, 201, 1, 200)
        t.put(1, ACK, 1, 401)
        t.put(0, ACK, 201, 1, 200)
        s = t.conn().segments
        self.assertEqual((s[4].rseq, s[4].rend, s[5].rack), (201, 401, 401))
        self.assertNotIn("overrun", s[4].tags)
        self.assertIn("needless", s[6].tags)

    def test_far_beyond_one_circle(self):
        t = Talk(scale=14)
        pos = 1
        for _ in range(10):
            t.put(0, ACK, pos, 1, 100, wnd=65535)
            pos += 0x30000000   # holes, so that the circle is passed quickly
            t.put(1, ACK, 1, pos, wnd=65535)
        self.assertGreater(t.conn().segments[-2].rseq, 1 << 32)

    def test_keepalive(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 10)
        t.put(1, ACK, 1, 11)
        t.put(0, ACK, 10, 1)
        self.assertIn("keepalive", t.last().tags)

    def test_close(self):
        conn = transfer().conn()
        self.assertEqual([s.states for s in conn.segments[-3:]], [
            ("FIN-WAIT-1", "ESTABLISHED"), ("FIN-WAIT-2", "LAST-ACK"),
            ("TIME-WAIT", "CLOSED")])

    def test_simultaneous_close(self):
        t = Talk()
        t.put(0, FIN | ACK, 1, 1)
        t.put(1, FIN | ACK, 1, 1)
        self.assertEqual(t.last().states, ("FIN-WAIT-1",) * 2)
        t.put(0, ACK, 2, 2)
        t.put(1, ACK, 2, 2)
        self.assertEqual(t.last().states, ("TIME-WAIT",) * 2)

    def test_reset(self):
        t = Talk()
        t.put(1, RST | ACK, 1, 1)
        self.assertIn("rst", t.last().tags)
        self.assertEqual(t.last().states, ("CLOSED", "CLOSED"))

    def test_ports_used_again(self):
        a, b = transfer(), Talk(cisn=777777)
        conns = follow(pcap(a.packets + [(m + 1000, p) for m, p in b.packets]))
        self.assertEqual([len(c.segments) for c in conns],
                         [len(a.packets), 3])

    def test_middle_of_a_connection(self):
        t = Talk()
        t.put(0, ACK, 1, 1, 10)
        t.put(1, ACK, 1, 11, 10)
        conn = follow(pcap(t.packets[3:]))[0]
        self.assertFalse(conn.complete)
        self.assertEqual(conn.client.addr, C)
        self.assertEqual(conn.segments[0].rseq, 1)


class Programs(unittest.TestCase):
    def test_annotate(self):
        r = script("annotate.py", pcap(transfer().packets), "@")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        for text in ("client 10.0.0.1 port 40000", "(piggybacked)",
                     "FAST RETRANSMISSION of 100 bytes", "duplicate ACK 2",
                     "SACK: has 201..301", "{TIME-WAIT, CLOSED}",
                     "FIN: the client", "◀", "▶", "will be sent again"):
            self.assertIn(text, r.stdout)

    def test_ascii(self):
        r = script("annotate.py", pcap(transfer().packets), "--ascii", "@")
        r.stdout.encode("ascii")

    def test_ladder(self):
        r = script("annotate.py", pcap(transfer().packets), "--ladder", "@")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertIn("gets lost", r.stdout)
        self.assertIn("RETRANSMISSION: SACK showed the hole", r.stdout)
        self.assertRegex(r.stdout, r"ACK 101 SACK 201\.\.300 ")

    def test_summary(self):
        r = script("annotate.py", pcap(transfer().packets), "-s", "@")
        self.assertRegex(r.stdout, r"retransmissions +0 +1\n")
        self.assertRegex(r.stdout, r"segments +10 +6\n")
        self.assertRegex(r.stdout, r"only acknowledge +7 +0\n")
        self.assertRegex(r.stdout, r"duplicate ACKs +3 +0\n")

    def test_brief(self):
        t = Talk()
        for i in range(200):
            t.put(0, ACK, 1 + i * 4, 1, 4)
            t.put(1, ACK, 1, 5 + i * 4)
        r = script("annotate.py", pcap(t.packets), "-b", "@")
        self.assertIn("segments more: ", r.stdout)
        self.assertLess(len(r.stdout.splitlines()), 50)

    def test_check(self):
        good = script("annotate.py", pcap(transfer().packets), "--check", "@")
        self.assertEqual(good.returncode, 0)
        t = Talk()
        t.put(0, ACK, 1, 1, 1001)
        bad = script("annotate.py", pcap(t.packets), "--check", "@")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("1 violation", bad.stdout)
        self.assertIn("BEYOND", bad.stderr)

    def test_nothing_there(self):
        r = script("annotate.py", pcap([]), "@")
        self.assertEqual(r.returncode, 1)
        self.assertIn("no segment of IP protocol 254", r.stderr)
        r = script("plot.py", b"junk", "@", "/nonexistent/x.html")
        self.assertEqual(r.returncode, 1)
        self.assertIn("neither pcap nor pcapng", r.stderr)

    def test_plot(self):
        data = pcap(transfer().packets)
        with tempfile.TemporaryDirectory() as d:
            out = os.path.join(d, "x.html")
            r = script("plot.py", data, "@", out)
            self.assertEqual((r.returncode, r.stderr), (0, ""))
            with io.open(out, encoding="utf-8") as f:
                page = f.read()
            for text in ("FAST RETRANSMISSION", "From the server", "<title>",
                         "retransmission</label>"):
                self.assertIn(text, page)
            self.assertNotRegex(page, r"(src|href)=.http")
            out = os.path.join(d, "x.svg")
            r = script("plot.py", data, "--svg", "@", out)
            self.assertEqual((r.returncode, r.stderr), (0, ""))
            doc = xml.dom.minidom.parse(out)
            strokes = {}
            for g in doc.getElementsByTagName("g"):
                if g.getAttribute("class"):
                    strokes[g.getAttribute("class")] = len(
                        [p for p in g.childNodes if p.nodeName == "path" and
                         not p.getAttribute("class")])
            self.assertEqual((strokes["data"], strokes["again"],
                              strokes["retrans"], strokes["dup"]), (2, 1, 1, 3))


if __name__ == "__main__":
    unittest.main()
