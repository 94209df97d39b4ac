#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
What a virtual machine may hand to its host: frames that say of themselves to be many
segments of protocol 254 (offload.c), right ones and broken ones. The host routes them onto
a link that takes no such pieces.

  tap "guest" 10.97.1.1/24, fd97:1::1/64 - this namespace - veth, no offloads: 10.97.2.1/24

A right one must come out as the segments it stands for, each with its own sequence number,
flags and checksum; a broken one must not come out, nor harm anybody.

Usage: cutpiece.py, in a namespace of its own, as root.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

import taps
from tpeer import checksum

PROTO = 254
SO_RCVBUFFORCE = 33
FIN, PSH, ACK, CWR = 1, 8, 16, 128
HDR_NEEDS_CSUM, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_ECN = 1, 0, 1, 4, 0x80


def run(*args):
    subprocess.run(args, check=True)


def fold(data):
    return 0xffff ^ checksum(data)


def pseudo(v6, length):
    if v6:
        return (socket.inet_pton(socket.AF_INET6, "fd97:1::9") +
                socket.inet_pton(socket.AF_INET6, "fd97:2::9") +
                struct.pack("!II", length, PROTO))
    return (socket.inet_aton("10.97.1.9") + socket.inet_aton("10.97.2.9") +
            struct.pack("!HH", PROTO, length))


def frame(v6, size, gso, flags=ACK | PSH | FIN | CWR, doff=8, csum=True, start=None,
          kind=None, seq=0xfffff000, cut=None):
    """A piece of @size bytes that says to be segments of @gso bytes each."""
    opts = bytes(range(1, 13))
    seg = struct.pack("!HHIIBBHHH", 1111, 2222, seq, 77, doff << 4, flags, 500, 0, 0) + opts
    body = bytes(i % 251 for i in range(size))
    length = len(seg) + size
    partial = fold(pseudo(v6, length))
    seg = seg[:16] + struct.pack("!H", partial) + seg[18:] + body
    if v6:
        ip = struct.pack("!IHBB", 6 << 28, length, PROTO, 64) + pseudo(True, 0)[:32]
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, length + 20, 1, 0x4000, 64, PROTO, 0)
        ip += pseudo(False, 0)[:8]
        ip = ip[:10] + struct.pack("!H", 0xffff - fold(ip)) + ip[12:]
    eth = open("/sys/class/net/guest/address", encoding="ascii").read().strip()
    eth = bytes.fromhex(eth.replace(":", "")) + b"\2\0\0\0\0\1" + (b"\x86\xdd" if v6 else b"\x08\0")
    packet = eth + ip + seg
    if cut is not None:
        packet = packet[:cut]
    kind = (GSO_TCPV6 if v6 else GSO_TCPV4) if kind is None else kind
    if flags & CWR and kind:
        kind |= GSO_ECN
    at = len(eth) + len(ip) if start is None else start
    hdr = struct.pack("<BBHHHH", HDR_NEEDS_CSUM if csum else 0, kind, at + doff * 4, gso,
                      at if csum else 0, 16 if csum else 0)
    return hdr + packet


def arrived(sock, wait):
    """The segments of protocol 254 that come within @wait seconds of each other."""
    got = []
    sock.settimeout(wait)
    try:
        while True:
            data, addr = sock.recvfrom(70000)
            v6 = data[0] >> 4 == 6
            if addr[2] == socket.PACKET_OUTGOING or (data[6] if v6 else data[9]) != PROTO:
                continue
            got.append((v6, data[40:] if v6 else data[(data[0] & 15) * 4:]))
    except (TimeoutError, socket.timeout):
        return got


class Bed:
    """The tap, the link, and who listens at its end."""

    def __init__(self):
        self.fd = taps.open_tun(os.O_RDWR)
        fcntl.ioctl(self.fd, taps.TUNSETIFF,
                    struct.pack("16sH22x", b"guest",
                                taps.IFF_TAP | taps.IFF_NO_PI | taps.IFF_VNET_HDR))
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "set", "guest", "up")
        run("ip", "addr", "add", "10.97.1.1/24", "dev", "guest")
        run("ip", "addr", "add", "fd97:1::1/64", "dev", "guest", "nodad")
        run("ip", "link", "add", "out", "type", "veth", "peer", "name", "far")
        subprocess.run(["ethtool", "-K", "out", "tso", "off", "gso", "off", "tx", "off"],
                       check=True, stdout=subprocess.DEVNULL)
        for dev in ("out", "far"):
            run("ip", "link", "set", dev, "up")
        run("ip", "addr", "add", "10.97.2.1/24", "dev", "out")
        run("ip", "addr", "add", "fd97:2::1/64", "dev", "out", "nodad")
        # To nobody here, or it would be routed back.
        for addr in ("10.97.2.9", "fd97:2::9"):
            run("ip", "neigh", "add", addr, "lladdr", "02:00:00:00:00:99", "dev", "out")
        run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.guest.rp_filter=0")
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.sock.bind(("far", 3))

    def send(self, *args, **kw):
        """Segments that come out; None: the tap itself refused the frame."""
        try:
            os.write(self.fd, frame(*args, **kw))
        except OSError:
            return None
        return arrived(self.sock, 0.5)


class Skip(Exception):
    """This kernel does not take such frames at all."""


def check_right(bed, v6, size, gso, **kw):
    got = bed.send(v6, size, gso, **kw)
    if got is None and not kw.get("csum", True):
        raise Skip("newer kernels want the sum of a piece left to them")
    want = -(-size // gso)
    assert got is not None and len(got) == want, "%s of %d segments" % (
        got if got is None else len(got), want)
    for i, (is6, seg) in enumerate(got):
        length = min(gso, size - i * gso)
        assert is6 == v6 and len(seg) == 32 + length, "length of segment %d" % i
        assert fold(pseudo(v6, len(seg)) + seg) == 0xffff, "checksum of segment %d" % i
        seq, flags = struct.unpack("!I", seg[4:8])[0], seg[13]
        assert seq == (0xfffff000 + i * gso) & 0xffffffff, "number of segment %d" % i
        assert seg[20:32] == bytes(range(1, 13)), "options of segment %d" % i
        assert seg[32:] == bytes(j % 251 for j in range(i * gso, i * gso + length))
        wanted = ACK | (CWR if i == 0 else 0) | (PSH | FIN if i == want - 1 else 0)
        assert flags == wanted, "flags of segment %d: %#x" % (i, flags)


def check_broken(bed, v6, *args, **kw):
    got = bed.send(v6, *args, **kw)
    assert not got, "%d segments came out" % len(got)


RIGHT = [("two", 1500, 1000, {}), ("many", 9000, 700, {}), ("even", 4000, 1000, {}),
         ("not_summed", 4000, 1000, {"csum": False}), ("tiny", 100, 8, {}),
         # The core takes it for what it is.
         ("shorter_than_a_segment", 500, 1000, {})]
BROKEN = [("doff_0", 4000, 1000, {"doff": 0}), ("doff_4", 4000, 1000, {"doff": 4}),
          ("header_beyond_end", 20, 10, {"doff": 15, "cut": 14 + 40 + 34}),
          ("no_size", 4000, 0, {}), ("size_beyond", 4000, 0xffff, {}),
          ("sum_elsewhere", 4000, 1000, {"start": 14 + 40 + 30}),
          ("other_family", 4000, 1000, {"kind": -1})]


def main():
    bed = Bed()
    cases = [(name, check_right, args) for name, *args in RIGHT]
    cases += [(name, check_broken, args) for name, *args in BROKEN]
    print("TAP version 13\n1..%d" % (2 * len(cases)))
    bad = n = 0
    for name, check, (size, gso, kw) in cases:
        for v6 in (False, True):
            n += 1
            how = dict(kw)
            if how.get("kind") == -1:
                how["kind"] = GSO_TCPV4 if v6 else GSO_TCPV6
            try:
                check(bed, v6, size, gso, **how)
                print("ok %d cut_%s.%s" % (n, name, "v6" if v6 else "v4"), flush=True)
            except Skip as err:
                print("ok %d cut_%s.%s # SKIP %s" % (n, name, "v6" if v6 else "v4", err),
                      flush=True)
            except AssertionError as err:
                bad += 1
                print("# %s\nnot ok %d cut_%s.%s" % (err, n, name, "v6" if v6 else "v4"),
                      flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
