# SPDX-License-Identifier: GPL-2.0
"""A peer made of raw segments, and KTAP around the tests that use it.

The kernel under test sits on one side of a tun device, this program on the
other:

      this namespace                      tun0                 this program
    socket(.., 254) -- 10.77.0.1, fd77::1 ------ 10.77.0.2, fd77::2 -- Conn

so a test says segment by segment what the peer sends and what must come
back, in the manner of packetdrill. Sequence numbers are relative: a SYN is
0, the first byte 1. Every test runs in a network namespace of its own, in a
child that is shared by a few, over IPv4 and IPv6. TANDEM_PROTO=6 runs it over TCP;
TANDEM_WIRE=tcp runs Tandem's sockets with segments of IP protocol 6, =udp with
segments in UDP datagrams.
"""

import ctypes
import errno
import fcntl
import gc
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

PROTO = int(os.environ.get("TANDEM_PROTO") or 254)
IS_TCP = PROTO == 6
# The protocol of the sockets and that of the segments: two things.
WIRE_NAME = "native" if IS_TCP else os.environ.get("TANDEM_WIRE") or "native"
WIRE = {"native": PROTO, "tcp": 6, "udp": 17}[WIRE_NAME]
IS_UDP = WIRE_NAME == "udp"
SOL_TANDEM, TANDEM_WIRE = 254, 1001
WIRES = {"native": 0, "tcp": 1, "udp": 2}
UDP_PORT = 5254			# of the tunnel, at both ends
UDP_ROOM = 8 if IS_UDP else 0	# more MTU, so that segments are as large
SOL = socket.IPPROTO_TCP

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
LETTERS = ((SYN, "S"), (FIN, "F"), (RST, "R"), (PSH, "P"), (URG, "U"),
           (ACK, "."))

SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFMTU = \
    0x8914, 0x8916, 0x891c, 0x8922
IFF_UP = 1
RTM_NEWADDR, NLM_F_CREATE_ACK, IFA_F_NODAD, IFA_LOCAL = 20, 0x405, 2, 2

STATES = dict(ESTABLISHED=1, SYN_SENT=2, SYN_RECV=3, FIN_WAIT1=4,
              FIN_WAIT2=5, TIME_WAIT=6, CLOSE=7, CLOSE_WAIT=8, LAST_ACK=9,
              LISTEN=10, CLOSING=11)
STATE_NAMES = {v: k for k, v in STATES.items()}

LOCAL = {"v4": "10.77.0.1", "v6": "fd77::1"}
REMOTE = {"v4": "10.77.0.2", "v6": "fd77::2"}

# Where TCP has a knob of the same meaning under another name.
TCP_KNOB = dict(keepalive_time="tcp_keepalive_time", tw_reuse="tcp_tw_reuse",
                # The judge's is the classic one anyway.
                loss_detection=None, syn_probe_ms=None)
# The judge without what is newer than RFC 6298 and RFC 6675: linear SYN
# timeouts, tail loss probes, RACK, F-RTO.
# Tandem, too, sends no probes, of a SYN neither, and doubts no timeout unless a test says
# it should.
# Nor does it wait for a longer piece: scripts count segments.
OFF = ("tlp", "frto", "syn_probe_ms", "tso_win_divisor")
PLAIN = False			# True: a namespace with Tandem's own defaults
CLASSIC = (("tcp_syn_linear_timeouts", "0"), ("tcp_early_retrans", "0"),
           ("tcp_recovery", "0"), ("tcp_frto", "0"))


def virtual_time():
    """Are we in a kernel whose time moves only when all sleep?"""
    with open("/proc/cmdline") as f:
        return "time-travel" in f.read()


VIRTUAL = virtual_time() or bool(os.environ.get("TANDEM_REAL_TIME"))


class Fail(Exception):
    """A test's expectation was not met."""


class Skip(Exception):
    """The test does not apply here."""


def check(ok, text):
    if not ok:
        raise Fail(text)


def need_virtual():
    if not VIRTUAL:
        raise Skip("takes minutes: virtual time only (TANDEM_REAL_TIME=1)")


def tandem_only():
    if IS_TCP:
        raise Skip("Tandem's own")


def until(condition, text, seconds=20):
    """Wait for a condition; the value that made it true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Fail("did not come: " + text)
        time.sleep(0.002)


def flag_text(flags):
    return "".join(t for bit, t in LETTERS if flags & bit)


def flag_bits(text):
    return sum(bit for bit, t in LETTERS if t in text)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo(way, src, dst, length, proto):
    if way == "v4":
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!II", length, proto)


def wrap(way, src, dst, raw, bad=False, port=UDP_PORT):
    """On the udp wire: the segment in a datagram; @bad: with a wrong checksum."""
    if not IS_UDP:
        return raw
    raw = raw[:16] + b"\0\0" + raw[18:] if len(raw) >= 18 else raw
    head = struct.pack("!HHHH", port, UDP_PORT, 8 + len(raw), 0)
    csum = checksum(pseudo(way, src, dst, 8 + len(raw), 17) + head + raw)
    if bad:
        csum ^= 0x0101
    return head[:6] + struct.pack("!H", csum or 0xffff) + raw


def ip_header(way, src, dst, payload, proto):
    """An IP header; the checksum of v4 filled in."""
    if way == "v6":
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + \
            src + dst
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000,
                       64, proto, 0) + src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def opt_mss(n):
    return struct.pack("!BBH", 2, 4, n)


def opt_ws(n):
    return struct.pack("!BBB", 3, 3, n)


def opt_sackok():
    return b"\x04\x02"


def opt_ts(val, ecr):
    return struct.pack("!BBII", 8, 10, val & 0xffffffff, ecr & 0xffffffff)


def opt_sack(*blocks):
    return struct.pack("!BB", 5, 2 + 8 * len(blocks)) + b"".join(
        struct.pack("!II", a & 0xffffffff, b & 0xffffffff) for a, b in blocks)


def pad_opts(opts):
    return opts + b"\x01" * (-len(opts) % 4)


def parse_opts(raw):
    """Options as a dict: mss, ws, sackok, ts (val, ecr), sack [(a, b)]."""
    out, i = {}, 0
    while i < len(raw):
        kind = raw[i]
        if kind == 0:
            break
        if kind == 1:
            i += 1
            continue
        length = raw[i + 1]
        body = raw[i + 2:i + length]
        if kind == 2:
            out["mss"] = struct.unpack("!H", body)[0]
        elif kind == 3:
            out["ws"] = body[0]
        elif kind == 4:
            out["sackok"] = True
        elif kind == 5:
            out["sack"] = [struct.unpack("!II", body[j:j + 8])
                           for j in range(0, len(body), 8)]
        elif kind == 8:
            out["ts"] = struct.unpack("!II", body)
        else:
            out[kind] = body
        i += max(length, 2)
    return out


class Seg:
    """A segment the kernel sent; seq and ack absolute."""

    def __init__(self, raw, when, ttl=0, tos=0, df=True, flow=None):
        (self.sport, self.dport, self.seq, self.ack, off, self.win,
         self.csum, self.urg) = struct.unpack("!HHIIHHHH", raw[:20])
        self.flags = off & 0x3f
        self.ecn = off >> 6 & 0x3f	# ECE, CWR, and the reserved bits
        head = (off >> 12) * 4
        self.raw_opts = raw[20:head]
        self.opts = parse_opts(self.raw_opts)
        self.data = raw[head:]
        self.when = when
        self.ttl = ttl
        self.tos = tos
        self.df = int(df)		# may not be fragmented on the way
        self.flow = flow		# label; None: IPv4

    def __len__(self):
        return len(self.data)

    def __bool__(self):
        return True		# even without data

    def __str__(self):
        return "%s seq %d ack %d win %d len %d %s" % (
            flag_text(self.flags), self.seq, self.ack, self.win,
            len(self.data), self.opts)


def local_v6():
    route = socket.inet_pton(socket.AF_INET6, LOCAL["v6"]).hex() + " 80 "
    with open("/proc/net/ipv6_route") as f:
        return any(line.startswith(route) for line in f)


class World:
    """A fresh namespace with the tun device and the sockets under test."""

    def __init__(self, way, mtu=1500):
        self.way = way
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x40000000):
            raise OSError(ctypes.get_errno(), "unshare")
        if not os.path.exists("/dev/net/tun"):
            os.makedirs("/dev/net", exist_ok=True)
            os.mknod("/dev/net/tun", 0o20666, os.makedev(10, 200))
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, 0x400454ca,
                    struct.pack("16sH", b"tun0", 0x1001))
        self.links(mtu + UDP_ROOM)
        for name, value in CLASSIC if IS_TCP else ():
            if os.path.exists("/proc/sys/net/ipv4/" + name):
                with open("/proc/sys/net/ipv4/" + name, "w") as f:
                    f.write(value)
        self.family = socket.AF_INET if way == "v4" else socket.AF_INET6
        self.socket().close()		# loads the module, if it is not
        for name in () if IS_TCP or PLAIN else OFF:
            self.knob(name, 0)
        if not IS_TCP and not PLAIN:
            # What scripts count are the segments of RFC 5681's window.
            self.knob("congestion_control", "reno")
        if IS_UDP:
            self.knob("udp_port", UDP_PORT)
        self.src = socket.inet_pton(self.family, REMOTE[way])
        self.dst = socket.inet_pton(self.family, LOCAL[way])
        self.inbox = []
        self.conns = []
        self.trace = []
        self.icmp = []
        self.start = time.monotonic()
        self.next_port = 50000

    @staticmethod
    def links(mtu):
        """What "ip" would do; but starting a program takes longer than most
        tests, where this is run."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            def v4(request, name, arg):
                fcntl.ioctl(s, request, struct.pack("16s24s", name, arg))

            def sockaddr(address):
                return struct.pack("=HH4s", socket.AF_INET, 0,
                                   socket.inet_aton(address))

            v4(SIOCSIFMTU, b"tun0", struct.pack("=i", mtu))
            for name in b"lo", b"tun0":
                v4(SIOCSIFFLAGS, name, struct.pack("=h", IFF_UP))
            v4(SIOCSIFADDR, b"tun0", sockaddr(LOCAL["v4"]))
            v4(SIOCSIFNETMASK, b"tun0", sockaddr("255.255.255.0"))
        # By rtnetlink: the older way gives no address that may be used at once.
        body = struct.pack("=BBBBIHH16s", socket.AF_INET6, 64, IFA_F_NODAD, 0,
                           socket.if_nametoindex("tun0"), 20, IFA_LOCAL,
                           socket.inet_pton(socket.AF_INET6, LOCAL["v6"]))
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as s:
            s.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWADDR,
                               NLM_F_CREATE_ACK, 1, 0) + body)
            error = struct.unpack_from("=i", s.recv(4096), 16)[0]
            check(not error, "no IPv6 address: " + os.strerror(-error))
        # The kernel gives it its route a little later.
        until(local_v6, "the route to our IPv6 address")

    @staticmethod
    def ip(batch):
        subprocess.run(["ip", "-batch", "-"], input=batch.encode(),
                       check=True)

    # ---- knobs and counters ----

    @staticmethod
    def knob(name, value=None):
        """Read or set net.tandem.name; over TCP its counterpart."""
        if IS_TCP and TCP_KNOB.get(name, name) is None:
            return None
        path = "/proc/sys/net/ipv4/" + TCP_KNOB.get(name, "tcp_" + name) \
            if IS_TCP else "/proc/sys/net/tandem/" + name
        with open(path, "r" if value is None else "w") as f:
            if value is None:
                return f.read().split()
            f.write(str(value))

    @staticmethod
    def counter(name):
        """A named counter; None over TCP."""
        if IS_TCP:
            return None
        with open("/proc/net/tandem/snmp") as f:
            for line in f:
                words = line.split()
                if words[0] == "Tandem" + name:
                    return int(words[1])
        raise Fail("no counter " + name)

    def table(self, local, remote):
        """State in the socket table of a pair of ports; None: no entry."""
        base = "/proc/net/" if IS_TCP else "/proc/net/tandem/"
        name = ("tcp" if IS_TCP else "tandem") + \
            ("6" if self.way == "v6" else "")
        with open(base + name) as f:
            for line in f.read().splitlines()[1:]:
                w = line.split()
                if int(w[1].split(":")[-1], 16) == local and \
                   int(w[2].split(":")[-1], 16) == remote:
                    return STATE_NAMES.get(int(w[3], 16))
        return None

    # ---- the wire ----

    def inject(self, raw, proto=WIRE):
        """Send bytes as an IP payload to the kernel."""
        if proto == WIRE:
            raw = wrap(self.way, self.src, self.dst, raw)
        os.write(self.tun, ip_header(self.way, self.src, self.dst, raw,
                                     proto) + raw)

    def pump(self, seconds):
        """Read what comes within that time, until something is queued."""
        end = time.monotonic() + seconds
        while not self.inbox:
            left = end - time.monotonic()
            if not select.select([self.tun], [], [], max(left, 0))[0]:
                if left <= 0:
                    return
                continue
            self.take(os.read(self.tun, 70000))

    def take(self, pkt):
        now = time.monotonic()
        if pkt[0] >> 4 == 4:
            proto, src, ttl = pkt[9], pkt[12:16], pkt[8]
            head = (pkt[0] & 15) * 4
            body = pkt[head:struct.unpack("!H", pkt[2:4])[0]]
            dst, way, tos = pkt[16:20], "v4", pkt[1]
            df, flow = bool(pkt[6] & 0x40), None
        else:
            proto, src, ttl = pkt[6], pkt[8:24], pkt[7]
            body = pkt[40:40 + struct.unpack("!H", pkt[4:6])[0]]
            dst, way = pkt[24:40], "v6"
            tos, df = struct.unpack("!H", pkt[:2])[0] >> 4 & 0xff, True
            flow = struct.unpack("!I", pkt[:4])[0] & 0xfffff
        if way != self.way or proto != WIRE:
            return
        if checksum(pseudo(way, src, dst, len(body), proto) + body):
            raise Fail("the kernel sent a wrong checksum")
        if IS_UDP:
            if body[:2] != struct.pack("!H", UDP_PORT) or \
               body[6:8] == b"\0\0":
                raise Fail("not a datagram as they should be: %r" % body[:8])
            udp_to = struct.unpack_from("!H", body, 2)[0]
            body = body[8:]
        seg = Seg(body, now, ttl, tos, df, flow)
        seg.udp_to = udp_to if IS_UDP else UDP_PORT
        self.trace.append("%9.4f < %s" % (now - self.start, seg))
        self.inbox.append(seg)

    def close(self):
        """Let go of the device, and with it of the namespace."""
        if self.tun >= 0:
            os.close(self.tun)
            self.tun = -1

    # ---- sockets under test ----

    def socket(self):
        s = socket.socket(self.family, socket.SOCK_STREAM, PROTO)
        if WIRE_NAME != "native":
            s.setsockopt(SOL_TANDEM, TANDEM_WIRE, WIRES[WIRE_NAME])
        s.settimeout(30)
        return s

    def listen(self, backlog=8):
        s = self.socket()
        s.bind((LOCAL[self.way], 0))
        s.listen(backlog)
        return s

    def conn(self, dut_port, port=None, **kw):
        if port is None:
            self.next_port += 1
            port = self.next_port
        c = Conn(self, port, dut_port, **kw)
        self.conns.append(c)
        return c

    def passive(self, lsock=None, **kw):
        """An accepted socket and the raw peer that opened to it."""
        mine = lsock or self.listen()
        c = self.conn(mine.getsockname()[1], **kw)
        c.open()
        s, _ = mine.accept()
        if not lsock:
            mine.close()
        s.settimeout(30)
        return s, c

    def active_start(self, before=None, **kw):
        """A socket that has sent its SYN to the raw peer."""
        s = self.socket()
        if before:
            before(s)
        s.setblocking(False)
        port = kw.pop("port", 8000)
        err = s.connect_ex((REMOTE[self.way], port))
        check(err == errno.EINPROGRESS, "connect: %s" % os.strerror(err))
        c = self.conn(s.getsockname()[1], port=port, **kw)
        c.expect("S")
        s.settimeout(30)
        return s, c

    def active(self, before=None, **kw):
        """A connected socket and the raw peer it connected to."""
        s, c = self.active_start(before, **kw)
        c.answer_syn()
        c.expect(".", seq=1, ack=1)
        return s, c


class Conn:
    """The raw peer's end of one connection."""

    def __init__(self, world, port, dut_port, iss=1000, mss=1460, ws=7,
                 ts=True, sack=True, win=65535):
        self.w = world
        self.port, self.dut_port = port, dut_port
        self.iss, self.irs = iss, None
        self.mss, self.ws, self.use_ts, self.use_sack = mss, ws, ts, sack
        self.win = win
        self.snd_nxt = 0		# relative to iss
        self.rcv_nxt = 0		# relative to irs
        self.ts_recent = 0
        self.ts_offset = 0
        self.last = None

    def ts_now(self):
        return int(time.monotonic() * 1000) + 5000 + self.ts_offset

    def syn_opts(self):
        out = b""
        if self.mss:
            out += opt_mss(self.mss)
        if self.use_sack:
            out += opt_sackok()
        if self.use_ts:
            out += opt_ts(self.ts_now(), self.ts_recent)
        if self.ws is not None:
            out += opt_ws(self.ws)
        return out

    def build(self, flags, seq, ack, data=b"", win=None, opts=None, doff=None,
              csum=None):
        bits = flag_bits(flags)
        if opts is None:
            opts = self.syn_opts() if bits & SYN else \
                opt_ts(self.ts_now(), self.ts_recent) if self.use_ts else b""
        opts = pad_opts(opts)
        if doff is None:
            doff = 5 + len(opts) // 4
        head = struct.pack("!HHIIHHHH", self.port, self.dut_port,
                           (self.iss + seq) & 0xffffffff,
                           ((self.irs or 0) + ack) & 0xffffffff
                           if bits & ACK else 0,
                           doff << 12 | bits,
                           self.win if win is None else win, 0, 0)
        raw = head + opts + data
        if csum is None:
            csum = checksum(pseudo(self.w.way, self.w.src, self.w.dst,
                                   len(raw), WIRE) + raw)
        return raw[:16] + struct.pack("!H", csum) + raw[18:]

    def send(self, flags=".", seq=None, ack=None, data=b"", advance=True,
             **kw):
        """Send a segment; seq and ack relative, by default what is due."""
        use = self.snd_nxt if seq is None else seq
        raw = self.build(flags, use, self.rcv_nxt if ack is None else ack,
                         data, **kw)
        if seq is None and advance:
            bits = flag_bits(flags)
            self.snd_nxt += len(data) + bool(bits & SYN) + bool(bits & FIN)
        self.w.trace.append("%9.4f > %s seq %d ack %s len %d" % (
            time.monotonic() - self.w.start, flags, use,
            self.rcv_nxt if ack is None else ack, len(data)))
        self.w.inject(raw)

    def next(self, within=5.0):
        """The next segment for this connection, numbers made relative."""
        end = time.monotonic() + within
        while True:
            for i, s in enumerate(self.w.inbox):
                if s.dport == self.port and s.sport == self.dut_port:
                    del self.w.inbox[i]
                    return self.relate(s)
            left = end - time.monotonic()
            if left <= 0:
                return None
            keep, self.w.inbox = self.w.inbox, []
            self.w.pump(left)
            self.w.inbox = keep + self.w.inbox

    def relate(self, s):
        if self.irs is None and s.flags & SYN:
            self.irs = s.seq
        s.rseq = (s.seq - (self.irs or 0)) & 0xffffffff
        s.rack = (s.ack - self.iss) & 0xffffffff
        if "ts" in s.opts:
            self.ts_recent = s.opts["ts"][0]
        self.last = s
        return s

    def expect(self, flags, seq=None, ack=None, length=None, within=5.0,
               take=True):
        """The next segment must be that; its bytes count as received."""
        s = self.next(within)
        check(s, "no segment came, expected %s" % flags)
        got = flag_text(s.flags & ~PSH)
        check(got == flags, "expected %s, got %s" % (flags, s))
        check(seq is None or s.rseq == seq,
              "expected seq %s, got %s of %s" % (seq, s.rseq, s))
        check(ack is None or s.rack == ack,
              "expected ack %s, got %s of %s" % (ack, s.rack, s))
        check(length is None or len(s) == length,
              "expected %s bytes, got %s" % (length, s))
        if take and not s.flags & RST:
            end = s.rseq + len(s) + bool(s.flags & SYN) + bool(s.flags & FIN)
            if s.rseq == self.rcv_nxt:
                self.rcv_nxt = end
        return s

    def quiet(self, seconds=0.05):
        """Nothing may come within that time."""
        s = self.next(seconds)
        check(s is None, "unexpected: %s" % s)

    def collect(self, nbytes, within=5.0):
        """Receive in-order data until that many bytes came; ACK nothing."""
        out = b""
        while len(out) < nbytes:
            s = self.expect_any(within)
            if s.rseq == self.rcv_nxt and len(s):
                out += s.data
                self.rcv_nxt += len(s)
        return out

    def expect_any(self, within=5.0):
        s = self.next(within)
        check(s, "no segment came")
        return s

    def open(self):
        """Three-way handshake from our side."""
        self.send("S")
        self.expect("S.", seq=0, ack=1)
        self.send(".")

    def answer_syn(self):
        self.send("S.")


def state_of(s):
    return STATE_NAMES[s.getsockopt(SOL, socket.TCP_INFO, 1)[0]]


def await_state(s, name):
    until(lambda: state_of(s) == name,
          "state %s (is %s)" % (name, state_of(s)))


def so_error(s):
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def expect_errno(err, func, *args):
    try:
        got = func(*args)
    except OSError as e:
        check(e.errno == err, "expected %s, got %s" % (
            errno.errorcode[err], errno.errorcode.get(e.errno, e)))
        return
    raise Fail("expected %s, got %r" % (errno.errorcode[err], got))


def linger0(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                 struct.pack("ii", 1, 0))


def poll_bits(s):
    p = select.poll()
    p.register(s, select.POLLIN | select.POLLOUT | select.POLLRDHUP)
    got = p.poll(0)
    return got[0][1] if got else 0


# ---- KTAP ----

def abandon(world):
    """End what a test left, or its orphans hold namespace and module."""
    for s in gc.get_objects():
        if isinstance(s, socket.socket):
            try:
                linger0(s)
                s.close()
            except OSError:
                pass
    for c in world.conns:
        c.irs = c.irs or 0
        for seq in {c.snd_nxt, c.last.rack if c.last else 0}:
            try:
                c.send("R", seq=seq, opts=b"")
            except OSError:
                return		# the test closed the device


def run_test(func, way, limit):
    """One test in a namespace of its own; 0, 1 or, skipped, 4."""
    world, code = None, 0
    signal.alarm(limit)
    try:
        world = World(way, getattr(func, "mtu", 1500))
        func(world)
    except Skip as e:
        print("# SKIP-REASON %s" % e)
        code = 4
    except BaseException as e:  # noqa: a test may fail in any way
        code = 1
        if isinstance(e, Fail):
            where = traceback.extract_tb(e.__traceback__)
            spot = [f for f in where if f.filename != __file__] or where
            print("# %s: %s" % (getattr(e, "where", None) or "%s:%d" % (
                os.path.basename(spot[-1].filename), spot[-1].lineno), e))
        else:
            print("# " + traceback.format_exc().replace("\n", "\n# "))
        for line in world.trace[-25:] if world else []:
            print("#   " + line)
    sys.stdout.flush()
    if world:
        abandon(world)
        world.close()
    signal.alarm(0)
    return code


def run_child(batch, report):
    """Test after test; what fails may leave anything behind, so it is the last."""
    code = 0
    try:
        for func, way, limit in batch:
            code = run_test(func, way, limit)
            os.write(report, bytes([code]))
            if code == 1:
                break
    except BaseException:  # noqa: the parent sees that a report is missing
        print("# " + traceback.format_exc().replace("\n", "\n# "))
        sys.stdout.flush()
    os._exit(code)


def run_batch(batch):
    """A child for some tests, and the exit codes of those it came to."""
    mine, report = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        os.close(mine)
        run_child(batch, report)
    os.close(report)
    while True:
        code = os.read(mine, 1)
        if not code:
            break
        yield code[0]
    os.close(mine)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1, 4):
        print("# killed by signal %d%s" % (
            -code, " (took too long)" if code == -14 else ""))
        yield 1


def run_all(plan, together):
    """The results in order: tests of a child that broke off go to the next."""
    done = 0
    while done < len(plan):
        before = done
        for code in run_batch([p[1:] for p in plan[done:done + together]]):
            yield plan[done][0], code
            done += 1
        if done == before:
            yield plan[done][0], 1
            done += 1


def main(tests, ways=("v4", "v6"), limit=60, together=20):
    """Run functions (or (function, seconds) pairs) and exit; so many in a child."""
    only = [a for a in sys.argv[1:] if not a.startswith("-")]
    if "-h" in sys.argv or "--help" in sys.argv:
        print("usage: %s [NAME...]\nRuns the tests whose name contains NAME. "
              "$TANDEM_PROTO: 254 or 6; $TANDEM_WIRE: native, tcp or udp."
              % sys.argv[0])
        sys.exit(0)
    plan = []
    for t in tests:
        func, secs = t if isinstance(t, tuple) else (t, limit)
        for way in getattr(func, "ways", ways):
            name = func.__name__.replace("test_", "", 1) + "." + way
            if not only or any(o in name for o in only):
                plan.append((name, func, way, secs))
    print("TAP version 13\n1..%d" % len(plan))
    bad = skipped = 0
    for i, (name, code) in enumerate(run_all(plan, together), 1):
        bad += code not in (0, 4)
        skipped += code == 4
        print("%s %d %s%s" % ("ok" if code in (0, 4) else "not ok", i, name,
                              " # SKIP" if code == 4 else ""))
        sys.stdout.flush()
    print("# Totals: pass:%d fail:%d skip:%d" % (
        len(plan) - bad - skipped, bad, skipped))
    sys.exit(1 if bad else 4 if skipped == len(plan) else 0)
