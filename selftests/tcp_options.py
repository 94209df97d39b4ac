#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What two ends of different kinds agree on: Tandem on the tcp wire at one,
the kernel's TCP at the other, with every option of the SYN switched off at
either of them. Each pair moves bytes both ways, and struct tcp_info of both
must tell of the same agreement.
"""

import errno
import os
import socket
import struct
import sys
import threading

from tpeer import check, main, tandem_only, until

TS, SACK, WSCALE, ECN = 1, 2, 4, 8
SIZE = 400000
BYTES = bytes(i * 7 + (i >> 8) & 255 for i in range(SIZE))
INFO_OPTIONS, INFO_WSCALE, INFO_MSS = 5, 6, 16


def sysctl(name, value):
    with open("/proc/sys/net/" + name.replace(".", "/"), "w") as f:
        f.write(str(value))


def a_socket(w, tandem):
    if tandem:
        s = socket.socket(w.family, socket.SOCK_STREAM, 254)
        s.setsockopt(254, 1001, 1)
    else:
        s = socket.socket(w.family, socket.SOCK_STREAM, 6)
    s.settimeout(60)
    return s


def info(s):
    raw = s.getsockopt(6, socket.TCP_INFO, 232)
    return dict(options=raw[INFO_OPTIONS], snd_wscale=raw[INFO_WSCALE] & 15,
                rcv_wscale=raw[INFO_WSCALE] >> 4,
                snd_mss=struct.unpack_from("=I", raw, INFO_MSS)[0])


def receive(s):
    out = b""
    while len(out) < SIZE:
        part = s.recv(65536)
        check(part, "it ended after %d bytes" % len(out))
        out += part
    return out


def exchange(a, b):
    """Both ways at once."""
    threads = [threading.Thread(target=x.sendall, args=(BYTES,))
               for x in (a, b)]
    for t in threads:
        t.start()
    got = []
    more = threading.Thread(target=lambda: got.append(receive(a)))
    more.start()
    check(receive(b) == BYTES, "other bytes than were sent")
    more.join()
    check(got == [BYTES], "other bytes than were sent")
    for t in threads:
        t.join()


def resets():
    with open("/proc/net/snmp") as f:
        rows = [x.split() for x in f if x.startswith("Tcp:")]
    return int(dict(zip(*rows))["OutRsts"])


def pairs(w, before=None):
    """(who opened is Tandem, the ends) for both roles, connected."""
    tandem_only()
    for tandem_opens in (True, False):
        ls = a_socket(w, not tandem_opens)
        ls.bind(("127.0.0.1" if w.way == "v4" else "::1", 0))
        ls.listen(8)
        c = a_socket(w, tandem_opens)
        if before:
            before(c, ls, tandem_opens)
        c.connect(ls.getsockname()[:2])
        s, _ = ls.accept()
        s.settimeout(60)
        yield tandem_opens, c, s
        c.close()
        check(s.recv(1) == b"", "the end")
        s.close()
        ls.close()
    until(lambda: resets() == 0 and w.counter("OutRsts") == 0, "no resets")


def agreed(w, want, lack):
    for tandem_opens, c, s in pairs(w):
        exchange(c, s)
        who = "%s opens: " % ("Tandem" if tandem_opens else "TCP")
        a, b = info(c), info(s)
        print("# %s%r, %r" % (who, a, b))
        for end in a, b:
            check(end["options"] & want == want, who + "not agreed on")
            check(not end["options"] & lack, who + "agreed on")
        check(a["snd_wscale"] == b["rcv_wscale"] and
              b["snd_wscale"] == a["rcv_wscale"], who + "scales differ")
        check(bool(a["snd_wscale"]) == bool(a["options"] & WSCALE),
              who + "scale")


def without(name, lack, ours):
    """One end does not offer it."""
    def test(w):
        tandem_only()
        sysctl(("tandem." if ours else "ipv4.tcp_") + name, 0)
        agreed(w, (TS | SACK | WSCALE) & ~lack, lack)
    return test


def test_all(w):
    agreed(w, TS | SACK | WSCALE, 0)


test_tcp_without_timestamps = without("timestamps", TS, False)
test_tcp_without_sack = without("sack", SACK, False)
test_tcp_without_scaling = without("window_scaling", WSCALE, False)
test_tandem_without_timestamps = without("timestamps", TS, True)
test_tandem_without_sack = without("sack", SACK, True)
test_tandem_without_scaling = without("window_scaling", WSCALE, True)


def test_tcp_without_any(w):
    for name in ("timestamps", "sack", "window_scaling"):
        sysctl("ipv4.tcp_" + name, 0)
    agreed(w, 0, TS | SACK | WSCALE)


def test_tcp_asks_for_ecn(w):
    """Agreed on or not: both ends think the same of it."""
    sysctl("ipv4.tcp_ecn", 1)
    for tandem_opens, c, s in pairs(w):
        exchange(c, s)
        check(info(c)["options"] & ECN == info(s)["options"] & ECN, "ECN")


def test_tcp_without_ecn(w):
    sysctl("ipv4.tcp_ecn", 0)
    agreed(w, TS | SACK | WSCALE, ECN)


def test_mss_of_either(w):
    """TCP_MAXSEG at one end bounds what the other sends."""
    for ours in (True, False):
        def small(c, ls, tandem_opens, ours=ours):
            end = c if ours == tandem_opens else ls
            end.setsockopt(6, socket.TCP_MAXSEG, 700)
        for tandem_opens, c, s in pairs(w, small):
            exchange(c, s)
            for end in c, s:
                check(info(end)["snd_mss"] <= 700, "%r" % info(end))


def test_fast_open_cookie_asked(w):
    """TCP asks for a cookie with an empty SYN, then tries to use one."""
    sysctl("ipv4.tcp_fastopen", 3)
    tandem_only()
    ls = a_socket(w, True)
    ls.bind(("127.0.0.1" if w.way == "v4" else "::1", 0))
    ls.listen(8)
    for _ in range(3):
        c = a_socket(w, False)
        c.settimeout(None)		# else it would not wait for the handshake
        n = c.sendto(b"early", socket.MSG_FASTOPEN, ls.getsockname()[:2])
        check(n == 5, "%d bytes" % n)
        c.settimeout(60)
        s, _ = ls.accept()
        s.settimeout(60)
        check(s.recv(5, socket.MSG_WAITALL) == b"early", "what came first")
        exchange(c, s)
        c.close()
        check(s.recv(1) == b"", "the end")
        s.close()
    check(resets() == 0 and w.counter("OutRsts") == 0, "resets")


def test_fast_open_server(w):
    """A TCP that would give cookies, and a Tandem that opens plainly."""
    sysctl("ipv4.tcp_fastopen", 3)
    tandem_only()
    ls = a_socket(w, False)
    ls.bind(("127.0.0.1" if w.way == "v4" else "::1", 0))
    ls.setsockopt(6, socket.TCP_FASTOPEN, 8)
    ls.listen(8)
    for _ in range(2):
        c = a_socket(w, True)
        c.connect(ls.getsockname()[:2])
        s, _ = ls.accept()
        s.settimeout(60)
        exchange(c, s)
        c.close()
        s.close()
    check(resets() == 0 and w.counter("OutRsts") == 0, "resets")


def test_refused(w):
    """Nobody listens: TCP's reset reaches us, and ours TCP."""
    tandem_only()
    for tandem_opens in (True, False):
        ls = a_socket(w, not tandem_opens)
        ls.bind(("127.0.0.1" if w.way == "v4" else "::1", 0))
        c = a_socket(w, tandem_opens)
        got = c.connect_ex(ls.getsockname()[:2])
        check(got == errno.ECONNREFUSED, "%d: %s" % (
            tandem_opens, os.strerror(got)))
        c.close()
        ls.close()


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]
for name, func in list(globals().items()):
    if name.startswith("test_"):
        func.__name__ = name

if __name__ == "__main__":
    sys.exit(main(TESTS))
