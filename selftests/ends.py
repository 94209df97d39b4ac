#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A connection that ends in a certain manner; for tcpwire.sh and its like.

usage: ends.py half_close|abort|rebind CLIENT-SPACE SERVER-SPACE ADDRESS
		[--client-env NAME=VALUE]... [--server-env NAME=VALUE]...

See spaces.py. rebind: after half of the talk the client makes the file $TANDEM_HALF and
waits for $TANDEM_GO.
"""

import argparse
import errno
import os
import socket
import struct
import sys
import time

import spaces


def read_all(s):
    out = b""
    while True:
        part = s.recv(65536)
        if not part:
            return out
        out += part


def read_exactly(s, n):
    out = b""
    while len(out) < n:
        part = s.recv(n - len(out))
        want(part, "it ended after %d bytes" % len(out))
        out += part
    return out


def want(ok, text):
    if not ok:
        sys.exit("%s: %s" % (sys.argv[1], text))


ASK, ANSWER = b"question " * 1000, b"answer " * 20000


def half_close(s, is_client):
    """The question ends with a FIN; the answer comes after it."""
    if is_client:
        s.sendall(ASK)
        s.shutdown(socket.SHUT_WR)
        want(read_all(s) == ANSWER, "the whole answer after our FIN")
    else:
        want(read_all(s) == ASK, "the whole question and its end")
        s.sendall(ANSWER)
    s.close()


def await_reset(s):
    """It is sent once, and a bad link may lose it: then what is sent to who has gone is
    answered by another.
    """
    end = time.monotonic() + 60
    s.settimeout(2)
    while time.monotonic() < end:
        try:
            want(False, "no reset, but %r" % s.recv(1))
        except socket.timeout:
            pass
        except OSError as e:
            return e
        try:
            s.sendall(b"?")
        except OSError as e:
            return e
    sys.exit("abort: no reset for a minute")


def abort(s, is_client):
    """A reset from one end is ECONNRESET at the other, once."""
    if is_client:
        s.sendall(b"x")
        want(s.recv(1) == b"y", "the other is there")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()
        return
    want(s.recv(1) == b"x", "data")
    s.sendall(b"y")
    e = await_reset(s)
    want(e.errno == errno.ECONNRESET, "reset, not %s" % e)
    want(s.recv(1) == b"", "the error comes once")


def rebind(s, is_client):
    """A talk with a break, during which the path changes."""
    for turn in range(2):
        if is_client:
            s.sendall(ASK)
            want(read_exactly(s, len(ANSWER)) == ANSWER,
                 "answer %d" % turn)
        else:
            want(read_exactly(s, len(ASK)) == ASK,
                 "question %d" % turn)
            s.sendall(ANSWER)
        if is_client and not turn:
            open(os.environ["TANDEM_HALF"], "w").close()
            while not os.path.exists(os.environ["TANDEM_GO"]):
                time.sleep(0.01)
    s.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("mode", choices=("half_close", "abort", "rebind"))
    spaces.arguments(p)
    o = p.parse_args()
    func = dict(half_close=half_close, abort=abort, rebind=rebind)[o.mode]

    def serve(listener):
        listener.settimeout(60)
        s, _ = listener.accept()
        listener.close()
        s.settimeout(60)
        func(s, False)

    def visit(family, to, env):
        s = spaces.tandem_socket(family, env)
        s.settimeout(60)
        s.connect(to)
        func(s, True)

    spaces.both(o, serve, visit)


main()
