#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints the segments of a capture with a remark on what each is for.

Relative sequence numbers begin at 0 with each side's SYN, so its first byte is 1;
"1..78" are the bytes 1 to 77.  Windows are in bytes, scaling applied.

Exit code: 0; 1 if the capture cannot be read, holds no such segments, or
--check found a violation.
"""
import argparse
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import segments                                                 # noqa: E402
from segments import ACK, FIN, PSH, RST, SYN                    # noqa: E402

WIDTH = 34                      # of the arrow column

# How the summary names the tags, in its order.
SUMMARY = (
    ("segments", "segments"),
    ("data", "carry new data or fill a hole"),
    ("bytes", "bytes of data, retransmissions included"),
    ("piggyback", "ACKs piggybacked on data or FIN"),
    ("pureack", "segments that only acknowledge"),
    ("dupack", "  of these duplicate ACKs"),
    ("winupdate", "  of these window updates"),
    ("sack", "segments with SACK blocks"),
    ("dsack", "D-SACK reports"),
    ("retrans", "retransmissions"),
    ("fast", "  told by ACKs or SACK"),
    ("rto", "  by timeout"),
    ("needless", "  of what was acknowledged already"),
    ("gap", "segments after bytes not seen here"),
    ("late", "segments that fill such holes"),
    ("zerowin", "times the window closed"),
    ("probe", "zero-window probes"),
    ("keepalive", "keepalives"),
    ("rst", "resets"),
    ("malformed", "malformed"),
    ("overrun", "VIOLATION: data beyond the peer's window"),
    ("shrunk", "VIOLATION: right window edge moved back"),
)

VIOLATIONS = ("overrun", "shrunk")

# Worth showing whatever --brief leaves out, and how many of each kind.
NOTABLE = (("syn", 9), ("synack", 9), ("handshake", 2), ("piggyback", 4),
           ("data", 5), ("pureack", 4), ("again", 2), ("fast", 3), ("rto", 3), ("retrans", 4), ("late", 3), ("gap", 2),
           ("dsack", 2), ("zerowin", 2), ("probe", 2), ("winupdate", 1),
           ("keepalive", 2), ("fin", 4), ("rst", 4), ("malformed", 4),
           ("overrun", 9), ("shrunk", 9))

# The same for the ladder, which is to fit on a page.
LADDER = (("piggyback", 2), ("data", 3), ("pureack", 1), ("again", 1), ("fast", 1),
          ("rto", 1), ("zerowin", 1), ("probe", 1), ("fin", 4), ("rst", 1))

# What a tag means, for the ladder: the first that a segment has.
SHORT = (("syn", "opens; announces where its numbers begin"),
         ("synack", "accepts; announces its own"),
         ("handshake", "the handshake is complete"),
         ("fin", "has no more to send"),
         ("rst", "resets the connection"),
         ("needless", "retransmission, not needed"),
         ("fast", "RETRANSMISSION: SACK showed the hole"),
         ("rto", "RETRANSMISSION: no ACK came in time"),
         ("late", "fills a hole"),
         ("again", "gets lost"),
         ("dsack", "came twice, says D-SACK"),
         ("dupack", "duplicate ACK: something is missing"),
         ("zerowin", "the window is shut"),
         ("probe", "is there room again?"),
         ("winupdate", "window update"),
         ("data", "data"),
         ("pureack", "pure ACK"))

COLOURS = (("overrun", 41), ("shrunk", 41), ("malformed", 31), ("rst", 31),
           ("retrans", 31), ("late", 31), ("gap", 33), ("zerowin", 35),
           ("probe", 35), ("dupack", 33), ("piggyback", 32), ("syn", 36),
           ("synack", 36), ("handshake", 36), ("fin", 36))


class Look:
    """How a terminal wants it: colours, arrows or plain ASCII."""

    def __init__(self, colour, plain):
        self.colour = colour
        self.line, self.right, self.left, self.dots = (
            ("-", ">", "<", "...") if plain else ("─", "▶", "◀", "⋮"))

    def paint(self, seg, text):
        if self.colour:
            for tag, code in COLOURS:
                if tag in seg.tags:
                    return "\033[%dm%s\033[0m" % (code, text)
        return text

    def arrow(self, seg):
        names = [n for bit, n in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"),
                                  (PSH, "PSH"), (ACK, "ACK"))
                 if seg.flags & bit]
        label = " ".join(names)
        if seg.length:
            label += " %d B" % seg.length
        pad = WIDTH - len(label) - 3
        a = pad // 2
        body = self.line * a + " " + label + " " + self.line * (pad - a)
        return self.left + body if seg.way else body + self.right


def brief(segs, around=1, head=5, tail=4, notable=NOTABLE):
    """Which segments tell the story: their indices."""
    keep = set(range(min(head, len(segs))))
    keep.update(range(max(0, len(segs) - tail), len(segs)))
    left = dict(notable)
    for i, seg in enumerate(segs):
        wanted = False
        for tag in seg.tags:
            if left.get(tag, 0) > 0:
                left[tag] -= 1
                wanted = True
        if not wanted:
            continue
        near = around if seg.tags & {"retrans", "late", "zerowin"} else 0
        keep.update(range(max(0, i - near), min(len(segs), i + near + 1)))
    return keep


def option_text(seg, verbose):
    out = []
    if "mss" in seg.opts:
        out.append("mss %d" % seg.opts["mss"])
    if "sackok" in seg.opts:
        out.append("SACK ok")
    if "wscale" in seg.opts:
        out.append("wscale %d" % seg.opts["wscale"])
    if "ts" in seg.opts and (verbose or seg.flags & SYN):
        out.append("ts %d/%d" % seg.opts["ts"] if verbose else "timestamps")
    if "other" in seg.opts:
        out.append("options " + ",".join(map(str, seg.opts["other"])))
    return "[" + ", ".join(out) + "] " if out else ""


def row(seg, start, look, args):
    seq = (str(seg.rseq) if seg.rend == seg.rseq else
           "%d..%d" % (seg.rseq, seg.rend))
    text = "%5d %9.3f %s %-17s %10s %8d  " % (
        seg.number, (seg.time - start) * 1e3, look.arrow(seg), seq,
        "-" if seg.rack is None else seg.rack, seg.win)
    remark = option_text(seg, args.verbose) + "; ".join(seg.remarks)
    if args.checksums and seg.csum_ok is False:
        remark += "; CHECKSUM WRONG"
    return text + look.paint(seg, remark)


def state_note(seg, before):
    if seg.states == before:
        return ""
    return "  {%s, %s}" % seg.states


def _segments(n):
    return "1 segment" if n == 1 else "%d segments" % n


def elided(segs, look):
    counts = [("of data", sum(1 for s in segs if s.length)),
              ("pure ACKs", sum(1 for s in segs if "pureack" in s.tags))]
    rest = len(segs) - sum(n for _, n in counts)
    text = ", ".join("%d %s" % (n, what) for what, n in counts if n)
    if rest:
        text += ", %d other" % rest
    return "%15s %s" % (look.dots, "%s more: %s" % (_segments(len(segs)), text))


def print_connection(conn, number, look, args):
    c, s = conn.client, conn.server
    print("Connection %d: client %s port %d, server %s port %d%s" % (
        number, c.addr[0], c.addr[1], s.addr[0], s.addr[1],
        "" if conn.complete else " (its beginning is not in the capture)"))
    print("%5s %9s %-*s %-17s %10s %8s  %s" % (
        "no.", "ms", WIDTH - 1, "client" + " " * (WIDTH - 13) + "server", "sequence",
        "ack", "window", "remark {client's state, server's}"))
    segs = conn.segments
    keep = brief(segs) if args.brief else set(range(len(segs)))
    if args.limit:
        keep = set(sorted(keep)[:args.limit])
    skipped = []
    before = None
    for i, seg in enumerate(segs):
        if i not in keep:
            # One segment left out saves nothing: show it.
            if not (args.brief and not skipped and i + 1 in keep):
                skipped.append(seg)
                continue
        if skipped:
            print(elided(skipped, look))
            skipped = []
        print(row(seg, args.start, look, args) + state_note(seg, before))
        before = seg.states
    if skipped:
        print(elided(skipped, look))
    print()


def rung(seg, start, look, width=50):
    """One line of the ladder: everything within the arrow."""
    label = " ".join(n for bit, n in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"))
                     if seg.flags & bit)
    if seg.length:
        label += " bytes %d..%d" % (seg.rseq, seg.rend - 1)
    elif seg.flags & (SYN | FIN):
        label += " %d" % seg.rseq
    if seg.rack is not None:
        label += ("  ACK %d" if label else "ACK %d") % seg.rack
    if seg.opts.get("sack"):
        peer = (seg.conn.server, seg.conn.client)[seg.way]
        a, b = (peer.unroll(x, seg.rack) for x in seg.opts["sack"][0])
        label += " SACK %d..%d" % (a, b - 1)
    label = label.strip()
    pad = width - len(label) - 3
    body = look.line * (pad // 2) + " " + label + " " + look.line * (pad - pad // 2)
    text = next((t for tag, t in SHORT if tag in seg.tags), "")
    if "handshake" in seg.tags and seg.length:
        text += "; data"
    if "piggyback" in seg.tags:
        text += "; an ACK rides along (piggybacked)"
    bar = "|" if look.line == "-" else "│"
    return "%7.1f %s%s%s  %s" % (
        (seg.time - start) * 1e3, bar,
        look.left + body if seg.way else body + look.right, bar, text)


def print_ladder(conn, look):
    """A connection on a page: for documentation."""
    segs = conn.segments
    keep = brief(segs, 1, 5, 1, LADDER)
    # The duplicate ACKs that bring the first fast retransmission about.
    fast = next((i for i, s in enumerate(segs) if "fast" in s.tags), 0)
    dups = [i for i, s in enumerate(segs[:fast]) if "dupack" in s.tags]
    keep.update(dups[:2] + dups[-1:])
    start = segs[0].time
    print("%7s  %-44s%7s" % ("ms", "client", "server"))
    skipped = 0
    for i, seg in enumerate(segs):
        if i not in keep:
            skipped += 1
            continue
        if skipped:
            print("%7s  %26s%s more" % (look.dots, "", _segments(skipped)))
            skipped = 0
        print(rung(seg, start, look))


def print_summary(conns):
    total = [{}, {}]
    for conn in conns:
        for way, side in enumerate((conn.client, conn.server)):
            for what, n in side.count.items():
                total[way][what] = total[way].get(what, 0) + n
    print("%-45s %10s %10s" % ("Summary of %d connection%s" % (
        len(conns), "" if len(conns) == 1 else "s"), "client", "server"))
    for what, text in SUMMARY:
        a, b = total[0].get(what, 0), total[1].get(what, 0)
        if a or b:
            print("%-45s %10d %10d" % (text, a, b))


def check(conns):
    found = 0
    for n, conn in enumerate(conns, 1):
        for seg in conn.segments:
            for tag in VIOLATIONS:
                if tag in seg.tags:
                    found += 1
                    print("connection %d, segment %d: %s" % (
                        n, seg.number, "; ".join(seg.remarks)),
                        file=sys.stderr)
    print("window check: %d violation%s in %d segments" % (
        found, "" if found == 1 else "s", sum(len(c.segments) for c in conns)))
    return found


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="\n\n".join(
            __doc__.split("\n\n")[1:]),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("capture", help="pcap or pcapng file, - for standard input")
    p.add_argument("-b", "--brief", action="store_true",
                   help="leave out the dull middle")
    p.add_argument("-l", "--ladder", action="store_true",
                   help="a picture of the (first) connection on a page")
    p.add_argument("-s", "--summary", action="store_true",
                   help="only the counts")
    p.add_argument("-c", "--conn", type=int, metavar="N",
                   help="only the N-th connection")
    p.add_argument("-n", "--limit", type=int, metavar="N",
                   help="at most N segments of each connection")
    p.add_argument("-v", "--verbose", action="store_true",
                   help="timestamps of every segment")
    p.add_argument("--check", action="store_true",
                   help="check that no data went beyond the window and that no"
                   " window edge moved back; capture at the sender")
    p.add_argument("--checksums", action="store_true",
                   help="tell wrong checksums (offloaded ones look wrong)")
    p.add_argument("--proto", type=int, default=segments.IPPROTO_TANDEM,
                   metavar="N", help="IP protocol (254; 6 reads TCP)")
    p.add_argument("--ascii", action="store_true", help="no line drawing")
    p.add_argument("--colour", "--color", choices=("auto", "always", "never"),
                   default="auto")
    return p.parse_args()


def main():
    args = arguments()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    enc = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    look = Look(args.colour == "always" or
                (args.colour == "auto" and sys.stdout.isatty()),
                args.ascii or enc != "utf8")
    try:
        conns = segments.connections(segments.read(args.capture, args.proto))
    except segments.Trouble as e:
        sys.exit("annotate: %s" % e)
    if not conns:
        sys.exit("annotate: %s: no segment of IP protocol %d in it" % (
            args.capture, args.proto))
    if args.conn:
        if not 0 < args.conn <= len(conns):
            sys.exit("annotate: there are %d connections" % len(conns))
        conns = [conns[args.conn - 1]]
    args.start = min(c.start for c in conns)
    if args.check:
        sys.exit(1 if check(conns) else 0)
    if args.ladder:
        print_ladder(conns[0], look)
        return
    if not args.summary:
        for n, conn in enumerate(conns, args.conn or 1):
            print_connection(conn, n, look, args)
    print_summary(conns)


if __name__ == "__main__":
    main()
