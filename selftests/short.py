#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One end of short exchanges: connect, request, response, close; for short.sh.

usage: short.py server ADDRESS PORTFILE OPTIONS | client ADDRESS PORT OPTIONS

--n N		connections, one after another
--ask N		bytes of a request
--answer N	bytes of a response; 0: the server never speaks
--pause MS	the server thinks so long before it answers
--fastopen	the client sends its request with the SYN, the server allows it
--keep N	so many requests on each connection before it is closed
--first		the server speaks first: no request
--client-closes	the client closes first
The server writes its port into PORTFILE. $TANDEM_PROTO and $TANDEM_WIRE choose what
carries it.
"""

import argparse
import os
import socket
import sys
import time

WIRES = dict(native=0, tcp=1, udp=2)
TCP_FASTOPEN, MSG_FASTOPEN = 23, 0x20000000


def short_socket(family):
    proto = int(os.environ.get("TANDEM_PROTO") or 254)
    s = socket.socket(family, socket.SOCK_STREAM, proto)
    wire = WIRES[os.environ.get("TANDEM_WIRE") or "native"]
    if wire and proto != 6:
        s.setsockopt(254, 1001, wire)
    return s


def pattern(n, salt):
    return bytes((i * 7 + salt) & 0xff for i in range(n))


def exactly(s, n, salt):
    out = b""
    while len(out) < n:
        part = s.recv(n - len(out))
        if not part:
            sys.exit("the connection ended after %d of %d bytes" % (len(out), n))
        out += part
    if out != pattern(n, salt):
        sys.exit("wrong bytes")


def at_end(s):
    if s.recv(1):
        sys.exit("more bytes than were sent")


def serve(o, s):
    if o.fastopen:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    s.bind((o.address, 0))
    s.listen(16)
    with open(o.port + ".new", "w") as f:
        f.write("%d" % s.getsockname()[1])
    os.rename(o.port + ".new", o.port)
    for i in range(o.n):
        c, _ = s.accept()
        for k in range(o.keep):
            if not o.first:
                exactly(c, o.ask, i + k)
            if o.pause:
                time.sleep(o.pause / 1000)
            c.sendall(pattern(o.answer, i + k + 1))
        if o.client_closes:
            at_end(c)
        c.close()


def visit(o, family, i):
    s = short_socket(family)
    to = (o.address, int(o.port))
    sent = 0
    if o.fastopen:
        sent = s.sendto(pattern(o.ask, i), MSG_FASTOPEN, to)
    else:
        s.connect(to)
    for k in range(o.keep):
        if not o.first:
            s.sendall(pattern(o.ask, i + k)[sent:])
        sent = 0
        start = time.monotonic()
        exactly(s, o.answer, i + k + 1)
        took = time.monotonic() - start
    if not o.client_closes:
        at_end(s)
    s.close()
    return took


def main():
    p = argparse.ArgumentParser()
    p.add_argument("role")
    p.add_argument("address")
    p.add_argument("port")
    p.add_argument("--n", type=int, default=1)
    p.add_argument("--ask", type=int, default=100)
    p.add_argument("--answer", type=int, default=1000)
    p.add_argument("--pause", type=int, default=0)
    p.add_argument("--keep", type=int, default=1)
    p.add_argument("--first", action="store_true")
    p.add_argument("--fastopen", action="store_true")
    p.add_argument("--client-closes", action="store_true")
    o = p.parse_args()
    family = socket.AF_INET6 if ":" in o.address else socket.AF_INET
    if o.role == "server":
        serve(o, short_socket(family))
        return
    took = [visit(o, family, i) for i in range(o.n)]
    print("an answer took %.3f ms, at most %.3f" % (
        sorted(took)[len(took) // 2] * 1e3, max(took) * 1e3))


main()
