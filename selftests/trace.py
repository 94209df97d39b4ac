#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The tracepoints (trace.h): each state change, each segment in and out, each
retransmission, drop and reset, with the numbers that were on the wire."""

import os
import re
import socket
import sys

from tpeer import (FIN, Skip, check, linger0, main, tandem_only, until)

ROOT = "/sys/kernel/tracing"


class Trace:
    """A trace buffer of this test's own, with all of Tandem's events on."""

    def __init__(self, world):
        if not os.path.isdir(ROOT + "/events/tandem"):
            if os.path.isdir(ROOT + "/events"):
                check(False, "the module's events are not there")
            raise Skip("no tracefs here")
        self.net = os.stat("/proc/self/ns/net").st_ino
        self.dir = "%s/instances/tandem%d" % (ROOT, os.getpid())
        self.world = world
        os.mkdir(self.dir)

    def __enter__(self):
        with open(self.dir + "/events/tandem/enable", "w") as f:
            f.write("1")
        return self

    def __exit__(self, *why):
        with open(self.dir + "/events/tandem/enable", "w") as f:
            f.write("0")
        os.rmdir(self.dir)

    def lines(self, event):
        """Of this namespace: dictionaries of the fields."""
        out = []
        with open(self.dir + "/trace") as f:
            for line in f:
                m = re.search(r" tandem_%s: net=(\d+) (\S+) > (\S+) (.*)" %
                              event, line)
                if m and int(m.group(1)) == self.net:
                    d = dict(w.split("=", 1) for w in m.group(4).split())
                    d["from_addr"], d["to_addr"] = m.group(2), m.group(3)
                    out.append(d)
        return out

    def has(self, event, **fields):
        return [d for d in self.lines(event)
                if all(d.get(k) == str(v) for k, v in fields.items())]

    def want(self, event, count=1, **fields):
        """Await that many of them."""
        until(lambda: len(self.has(event, **fields)) >= count,
              "%d of %s %s, there are: %s" % (
                  count, event, fields, self.lines(event)), 5)
        return self.has(event, **fields)[0]


def u32(n):
    return n & 0xffffffff


def test_states(w):
    """Both opens and a close, each step with its reason."""
    tandem_only()
    with Trace(w) as t:
        ls = w.listen()
        t.want("state", **{"from": "CLOSED", "to": "LISTEN"})
        s, c = w.passive(ls)
        t.want("state", **{"from": "LISTEN", "to": "SYN-RECEIVED"})
        t.want("state", **{"from": "SYN-RECEIVED", "to": "ESTABLISHED"})
        s.close()
        c.expect("F.")
        t.want("state", **{"from": "ESTABLISHED", "to": "FIN-WAIT-1"})
        c.send(".")
        t.want("state", **{"from": "FIN-WAIT-1", "to": "FIN-WAIT-2"})
        s, c = w.active()
        t.want("state", **{"from": "CLOSED", "to": "SYN-SENT"})
        t.want("state", **{"from": "SYN-SENT", "to": "ESTABLISHED"})
        c.send("F.")
        t.want("state", **{"from": "ESTABLISHED", "to": "CLOSE-WAIT"})
        s.close()
        # The ACK of our FIN rides on it, unless the machine took longer than that waits.
        if c.expect_any().flags & FIN:
            c.rcv_nxt += 1
        else:
            c.expect("F.")
        c.send(".")
        t.want("state", **{"from": "LAST-ACK", "to": "CLOSED"})
        linger0(ls)
        ls.close()
        gone = t.want("state", **{"from": "LISTEN", "to": "CLOSED"})
        check("why" in gone, "no reason in %s" % gone)


def test_segments(w):
    """Every segment, with what a capture would show."""
    tandem_only()
    with Trace(w) as t:
        s, c = w.passive()
        c.send("P.", data=b"in12")
        check(s.recv(10) == b"in12", "data")
        s.send(b"out")
        g = c.expect(".", length=3)
        t.want("recv", seq=u32(c.iss + 1), ack=u32(c.irs + 1), len=4,
               flags="PSH|ACK")
        out = t.want("send", seq=g.seq, ack=g.ack, len=3)
        port = s.getsockname()[1]
        check(out["from_addr"].endswith(".%d" % port) and
              out["to_addr"].endswith(".%d" % c.port), "addresses: %s" % out)
        check(int(out["pipe"]) >= 0 and int(out["cwnd"]) == 10,
              "cwnd and pipe: %s" % out)
        # The SYN-ACK is a request's, no socket's.
        t.want("reply", seq=c.irs, ack=u32(c.iss + 1), flags="SYN|ACK")


def test_retransmission(w):
    """A timeout's and a fast retransmission, each by its name."""
    tandem_only()
    with Trace(w) as t:
        s, c = w.passive()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.send(b"lost")
        g = c.expect(".", length=4, take=False)
        again = c.expect(".", seq=g.rseq, length=4)
        check(again.data == b"lost", "the same bytes")
        d = t.want("retransmit", seq=g.seq, len=4)
        check(d["why"] == "timeout", "why: %s" % d)
        c.send(".")
        check(len(t.has("send", seq=g.seq, len=4)) == 2, "two sends")


def test_drops_and_resets(w):
    tandem_only()
    with Trace(w) as t:
        s, c = w.passive()
        c.send(".", data=b"x", csum=1, advance=False)
        t.want("drop", len=1)
        nobody = w.conn(9, port=1234)
        nobody.send("S")
        nobody.expect("R.")
        t.want("drop", why="no-socket")
        t.want("reply", seq=0, flags="RST|ACK")
        linger0(s)
        s.close()
        c.expect("R.")
        d = t.want("reset")
        check(d["why"] != "?", "reason: %s" % d)


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS))
