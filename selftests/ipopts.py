#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a program says about the IP packets (ipv4.c, ipv6.c, demux.c):
TOS, TTL, mark, device, minimum TTL, addresses, MTU; seen on the wire."""

import ctypes
import errno
import os
import select
import socket
import struct
import subprocess
import sys
import time

from tpeer import (IS_TCP, IS_UDP, LOCAL, REMOTE, UDP_ROOM, WIRE, Fail, Skip, check,
                   checksum, expect_errno, ip_header, main, state_of, until, wrap)


def tos_opt(w):
    return (socket.IPPROTO_IP, 1) if w.way == "v4" else \
        (socket.IPPROTO_IPV6, 67)


def ttl_opt(w):
    return (socket.IPPROTO_IP, 2) if w.way == "v4" else \
        (socket.IPPROTO_IPV6, 16)


def minttl_opt(w):
    return (socket.IPPROTO_IP, 21) if w.way == "v4" else \
        (socket.IPPROTO_IPV6, 73)


def test_tos_and_ttl_from_the_syn_on(w):
    def before(s):
        s.setsockopt(*tos_opt(w), 0x48)
        s.setsockopt(*ttl_opt(w), 33)
    s, c = w.active(before)
    s.send(b"x")
    g = c.expect(".", length=1)
    s.close()
    f = c.expect("F.")
    for seg in (g, f):
        check(seg.tos & 0xfc == 0x48, "TOS %#x" % seg.tos)
        check(seg.ttl == 33, "TTL %d" % seg.ttl)


def test_syn_has_them_too(w):
    def before(s):
        s.setsockopt(*tos_opt(w), 0x28)
        s.setsockopt(*ttl_opt(w), 44)
    s, c = w.active_start(before)
    check(c.last.tos & 0xfc == 0x28, "TOS %#x" % c.last.tos)
    check(c.last.ttl == 44, "TTL %d" % c.last.ttl)


def test_tos_changed_on_the_way(w):
    s, c = w.passive()
    s.setsockopt(*tos_opt(w), 0x10)
    s.send(b"x")
    g = c.expect(".", length=1)
    check(g.tos & 0xfc == 0x10, "TOS %#x" % g.tos)


def test_listener_passes_them_on(w):
    ls = w.listen()
    ls.setsockopt(*tos_opt(w), 0x68)
    ls.setsockopt(*ttl_opt(w), 55)
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.")
    check(a.ttl == 55, "SYN-ACK's TTL %d" % a.ttl)
    c.send(".")
    s, _ = ls.accept()
    s.send(b"x")
    g = c.expect(".", length=1)
    check(g.ttl == 55, "TTL %d" % g.ttl)
    check(s.getsockopt(*ttl_opt(w)) == 55, "inherited")


def test_default_ttl(w):
    s, c = w.passive()
    s.send(b"x")
    check(c.expect(".", length=1).ttl == 64, "64")


def test_minimum_ttl(w):
    """RFC 5082: what has come too far is dropped; ours come with 64."""
    s, c = w.passive()
    s.setsockopt(*minttl_opt(w), 255)
    c.send("P.", data=b"from afar", advance=False)
    c.quiet(0.1)
    if not IS_TCP:
        until(lambda: w.counter("InPolicy") >= 1, "counted", 2)
    s.setsockopt(*minttl_opt(w), 64)
    c.send("P.", data=b"from near")
    check(s.recv(100) == b"from near", "64 is enough")


def test_mark_routes(w):
    """A mark chooses the routing table."""
    for args in ("rule add fwmark 7 table 100",
                 "route add unreachable default table 100"):
        subprocess.run(["ip", "-4" if w.way == "v4" else "-6"] + args.split(),
                       check=True)
    s = w.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 7)
    s.setblocking(True)
    expect_errno(errno.EHOSTUNREACH, s.connect, (REMOTE[w.way], 80))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0)
    s.setblocking(False)
    check(s.connect_ex((REMOTE[w.way], 80)) == errno.EINPROGRESS, "unmarked")


def test_bindtodevice_leaves_there(w):
    s = w.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    s.setblocking(False)
    got = s.connect_ex((REMOTE[w.way], 80))
    if got == errno.EINPROGRESS:	# sent into lo, where nobody is
        c = w.conn(s.getsockname()[1], port=80)
        c.quiet(0.1)
    else:
        check(got in (errno.ENETUNREACH, errno.EHOSTUNREACH,
                      errno.EINVAL), "errno %d" % got)


def test_bindtodevice_hears_only_there(w):
    ls = w.socket()
    ls.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    ls.bind(("", 7777) if w.way == "v4" else ("::", 7777))
    ls.listen(4)
    c = w.conn(7777)
    c.send("S")
    c.expect("R.")
    tun = w.socket()
    tun.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tun0")
    tun.bind(("", 7777) if w.way == "v4" else ("::", 7777))
    tun.listen(4)
    d = w.conn(7777)
    d.open()
    s, _ = tun.accept()
    check(state_of(s) == "ESTABLISHED", state_of(s))


def test_source_address_kept(w):
    """Bound to a second address, segments leave with it."""
    extra = "10.77.0.9" if w.way == "v4" else "fd77::9"
    w.ip("addr add %s dev tun0%s\n" % (
        extra + ("/24" if w.way == "v4" else "/64"),
        "" if w.way == "v4" else " nodad"))
    s = w.socket()
    s.bind((extra, 0))
    s.setblocking(False)
    s.connect_ex((REMOTE[w.way], 8000))
    w.pump(5)
    check(w.inbox and w.inbox[0].flags == 2, "a SYN")
    check(s.getsockname()[0] == extra, "from %s" % s.getsockname()[0])


def test_mss_from_the_mtu(w):
    """Ours in the SYN is the device's; theirs bounds what we send."""
    s, c = w.active_start()
    want = 1460 if w.way == "v4" else 1440
    check(c.last.opts["mss"] == want, "MSS %d" % c.last.opts["mss"])
    c.mss = 700
    c.answer_syn()
    c.expect(".")
    s.send(b"m" * 5000)
    g = c.expect_any()
    check(len(g) == 700 - 12, "a segment of %d" % len(g))


def test_mtu_lowered(w):
    s, c = w.passive()
    w.ip("link set tun0 mtu 1300\n")
    s.send(b"m" * 5000)
    limit = 1300 - (40 if w.way == "v4" else 60)
    for _ in range(3):
        g = c.expect_any()
        check(len(g) <= limit - 12, "a segment of %d" % len(g))


def test_route_mtu_and_metrics(w):
    """ip route … mtu is obeyed."""
    dst = "10.77.0.2/32" if w.way == "v4" else "fd77::2/128"
    w.ip("route add %s dev tun0 mtu lock 1280\n" % dst)
    s, c = w.active_start()
    s2, c2 = w.passive()
    s2.send(b"m" * 5000)
    limit = 1280 - (40 if w.way == "v4" else 60) - 12
    g = c2.expect_any()
    check(len(g) <= limit, "a segment of %d" % len(g))
    check(c.last.opts["mss"] <= 1460, "MSS %d" % c.last.opts["mss"])


def test_socket_filter(w):
    """SO_ATTACH_FILTER judges our segments as it does TCP's."""
    s, c = w.passive()
    # One instruction: return 0, keep nothing.
    insn = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    prog = struct.pack("HxxxxxxQ", 1, ctypes.addressof(insn))
    s.setsockopt(socket.SOL_SOCKET, 26, prog)
    c.send("P.", data=b"filtered", advance=False)
    c.quiet(0.1)
    s.setsockopt(socket.SOL_SOCKET, 27, 0)
    c.send("P.", data=b"let through")
    check(s.recv(100) == b"let through", "after the filter is gone")


# ---- options of IPv4 that come with a SYN ----

ME = socket.inet_aton(LOCAL["v4"])
HIM = socket.inet_aton(REMOTE["v4"])


def inject_with(w, c, options, flags, **kw):
    """A segment of the peer's in a packet with these IP options."""
    raw = wrap("v4", w.src, w.dst, c.build(flags, c.snd_nxt, c.rcv_nxt, **kw))
    options += bytes(-len(options) % 4)
    head = ip_header("v4", w.src, w.dst, options + raw, WIRE)
    head = bytes([0x45 + len(options) // 4]) + head[1:10] + bytes(2) + head[12:] + options
    os.write(w.tun, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + raw)


def segment(pkt):
    return pkt[(pkt[0] & 15) * 4 + (8 if IS_UDP else 0):]


def next_packet(w, c):
    """The next of the kernel's packets to that peer: options, destination, all."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if select.select([w.tun], [], [], 0.1)[0]:
            pkt = os.read(w.tun, 70000)
            if pkt[0] >> 4 == 4 and pkt[9] == WIRE and \
               segment(pkt)[2:4] == struct.pack("!H", c.port):
                return pkt[20:(pkt[0] & 15) * 4], pkt[16:20], pkt
    raise Fail("no packet came")


def v4_only(w):
    if w.way != "v4":
        raise Skip("options of IPv4")


def opened_with(w, options):
    """SYN, SYN-ACK, ACK, a segment of data: the options of what the kernel sent."""
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    inject_with(w, c, options, "S")
    got = [next_packet(w, c)]
    c.irs = struct.unpack_from("!I", segment(got[0][2]), 4)[0]
    c.rcv_nxt = c.snd_nxt = 1
    c.send(".")
    s, _ = ls.accept()
    s.send(b"x" * 4000)
    got.append(next_packet(w, c))
    return s, got


def test_record_route_echoed(w):
    """RFC 1122 3.2.1.8, 4.2.3.8: a route that is recorded goes on being, back to the sender."""
    v4_only(w)
    s, got = opened_with(w, bytes([7, 15, 4]) + bytes(12))
    for options, dst, pkt in got:
        # We wrote ourselves down when it came, and when it left; one more has room.
        check(options == bytes([7, 15, 12]) + ME + ME + bytes(5), "options %s" % options.hex())
        check(dst == HIM, "to %s" % dst.hex())
        check(len(pkt) <= 1500 + UDP_ROOM, "%d bytes" % len(pkt))
    kept = s.getsockopt(socket.IPPROTO_IP, 4, 40)
    check(kept == bytes([7, 15, 8]) + ME + bytes(9), "IP_OPTIONS: %s" % kept.hex())


def test_full_record_goes_back(w):
    """One that is full goes back as it came."""
    v4_only(w)
    full = bytes([7, 7, 8]) + bytes([10, 1, 2, 3])
    for options, _, _ in opened_with(w, full)[1]:
        check(options == full + bytes(1), "options %s" % options.hex())


def test_timestamp_echoed(w):
    """RFC 791: timestamps, one of coming and one of going; with addresses as well."""
    v4_only(w)
    for options, _, _ in opened_with(w, bytes([68, 16, 5, 0]) + bytes(12))[1]:
        check(options[:4] == bytes([68, 16, 13, 0]), "options %s" % options.hex())
        came, went, rest = struct.unpack("!III", options[4:])
        check(0 < came < 86400000 and 0 < went < 86400000 and not rest,
              "options %s" % options.hex())
        check((went - came) % 86400000 < 60000, "from %d to %d" % (came, went))
    for options, _, _ in opened_with(w, bytes([68, 20, 5, 1]) + bytes(16))[1]:
        check(options[:4] == bytes([68, 20, 21, 1]), "options %s" % options.hex())
        check(options[4:8] == ME and options[12:16] == ME, "options %s" % options.hex())
        check(struct.unpack("!I", options[16:])[0], "no time: %s" % options.hex())


def test_source_route_reversed(w):
    """RFC 1122 4.2.3.8: answers go by the way the SYN came."""
    v4_only(w)
    for where in "all", "tun0":
        with open("/proc/sys/net/ipv4/conf/%s/accept_source_route" % where, "w") as f:
            f.write("1")
    hop1, hop2 = (socket.inet_aton("10.77.0.%d" % i) for i in (8, 9))
    for kind in 131, 137:
        _, got = opened_with(w, bytes([kind, 11, 12]) + hop1 + hop2)
        for options, dst, _ in got:
            check(dst == hop2, "to %s" % dst.hex())
            check(options == bytes([kind, 11, 4]) + hop1 + HIM + bytes(1),
                  "options %s" % options.hex())


def test_reset_echoes(w):
    """A reset for who came in vain, too."""
    v4_only(w)
    c = w.conn(9)
    inject_with(w, c, bytes([7, 15, 4]) + bytes(12), "S")
    options, _, pkt = next_packet(w, c)
    check(segment(pkt)[13] & 4, "no reset: %s" % pkt.hex())
    check(options == bytes([7, 15, 12]) + ME + ME + bytes(5), "options %s" % options.hex())


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS))
