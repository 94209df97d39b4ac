#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Short exchanges: connect, request, response, close; for short.sh.

usage: short.py CLIENT-SPACE SERVER-SPACE ADDRESS OPTIONS

Prints how long an answer took, and how many segments arrived at both ends.

--client-env, --server-env NAME=VALUE	see spaces.py
--n N		connections, one after another
--ask N		bytes of a request
--answer N	bytes of a response; 0: the server never speaks
--pause MS	the server thinks so long before it answers
--fastopen	the client sends its request with the SYN, the server allows it
--keep N	so many requests on each connection before it is closed
--first		the server speaks first: no request
--client-closes	the client closes first
"""

import argparse
import socket
import sys
import time

import spaces

TCP_FASTOPEN, MSG_FASTOPEN = 23, 0x20000000


def arrived(space, env):
    """Segments that came to that namespace."""
    spaces.enter(space)
    if spaces.proto_of(env) == 6:
        with open("/proc/thread-self/net/snmp") as f:
            names, values = (line.split() for line in f if line.startswith("Tcp:"))
        return int(values[names.index("InSegs")])
    with open("/proc/thread-self/net/tandem/snmp") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("TandemInSegs"))


def pattern(n, salt):
    once = bytes((i * 7 + salt) & 0xff for i in range(256))
    return (once * (n // 256 + 1))[:n]


def exactly(s, n, salt):
    out = bytearray()
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


def visit(o, s, to, i):
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
    spaces.arguments(p)
    p.add_argument("--n", type=int, default=1)
    p.add_argument("--ask", type=int, default=100)
    p.add_argument("--answer", type=int, default=1000)
    p.add_argument("--pause", type=int, default=0)
    p.add_argument("--keep", type=int, default=1)
    p.add_argument("--first", action="store_true")
    p.add_argument("--fastopen", action="store_true")
    p.add_argument("--client-closes", action="store_true")
    o = p.parse_args()
    ends = ((o.client_space, dict(o.client_env)), (o.server_space, dict(o.server_env)))
    before = sum(arrived(*end) for end in ends)

    def prepare(s):
        if o.fastopen:
            s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)

    def visits(family, to, env):
        return sorted(visit(o, spaces.tandem_socket(family, env), to, i)
                      for i in range(o.n))

    took = spaces.both(o, lambda s: serve(o, s), visits, prepare)
    print("an answer took %.3f ms, at most %.3f" % (
        took[len(took) // 2] * 1e3, took[-1] * 1e3))
    time.sleep(0.3)		# the last ACK may still be under way
    print("segments %d" % (sum(arrived(*end) for end in ends) - before))


main()
