#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a control group's BPF programs say about Tandem's sockets.

Where the core and TCP ask them, Tandem must too: socket(), bind(), connect(),
getpeername(), every packet in and out. Each program here is two instructions,
"return 0" (no) or "return 1" (yes), attached to a group of the test's own.
"""

import ctypes
import errno
import os
import socket
import struct
import sys

from tpeer import (REMOTE, LOCAL, Skip, check, expect_errno, main, until)

ROOT = "/sys/fs/cgroup"
NR_BPF = 321
PROG_LOAD, PROG_ATTACH = 5, 8
# program type and attach type, of linux/bpf.h
HOOKS = {
    "ingress": (8, 0), "egress": (8, 1), "create": (9, 2),
    "bind4": (18, 8), "bind6": (18, 9), "connect4": (18, 10),
    "connect6": (18, 11), "post_bind4": (9, 12), "post_bind6": (9, 13),
}
LIBC = ctypes.CDLL(None, use_errno=True)


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(attr.ljust(144, b"\0"), 144)
    fd = LIBC.syscall(NR_BPF, cmd, buf, 144)
    if fd < 0:
        err = ctypes.get_errno()
        raise OSError(err, os.strerror(err))
    return fd


class Group:
    """A control group with this process in it."""

    def __init__(self):
        if not os.path.exists(ROOT + "/cgroup.procs"):
            raise Skip("no cgroup2 here")
        self.dir = "%s/tandem-test-%d" % (ROOT, os.getpid())
        os.mkdir(self.dir)
        self.move(self.dir)

    @staticmethod
    def move(to):
        with open(to + "/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))

    def __enter__(self):
        self.fd = os.open(self.dir, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *why):
        # Programs go with the group; sockets may hold it a little longer.
        os.close(self.fd)
        self.move(ROOT)
        os.rmdir(self.dir)

    def attach(self, hook, verdict):
        kind, where = HOOKS[hook]
        code = struct.pack("<BBhiBBhi", 0xb7, 0, 0, verdict, 0x95, 0, 0, 0)
        insns = ctypes.create_string_buffer(code, len(code))
        text = ctypes.create_string_buffer(b"GPL")
        try:
            prog = bpf(PROG_LOAD, struct.pack(
                "<IIQQIIQII16sII", kind, 2, ctypes.addressof(insns),
                ctypes.addressof(text), 0, 0, 0, 0, 0, b"", 0, where))
        except OSError as e:
            if e.errno in (errno.EINVAL, errno.ENOSYS):
                raise Skip("this kernel has no BPF for control groups")
            raise
        bpf(PROG_ATTACH, struct.pack("<IIII", self.fd, prog, where, 0))
        os.close(prog)


def family(w):
    return w.way[1]


def connecting(w):
    s = w.socket()
    s.setblocking(False)
    return s


def test_create(w):
    with Group() as g:
        w.socket().close()
        g.attach("create", 0)
        expect_errno(errno.EPERM, w.socket)


def test_bind(w):
    with Group() as g:
        g.attach("bind" + family(w), 0)
        s = w.socket()
        expect_errno(errno.EPERM, s.bind, (LOCAL[w.way], 0))


def test_post_bind(w):
    """Asked when the port is there; a refusal gives it back."""
    with Group() as g:
        s = w.socket()
        s.bind((LOCAL[w.way], 0))
        port = s.getsockname()[1]
        s.close()
        g.attach("post_bind" + family(w), 0)
        s = w.socket()
        expect_errno(errno.EPERM, s.bind, (LOCAL[w.way], port))
        g.attach("post_bind" + family(w), 1)
        s.bind((LOCAL[w.way], port))


def test_connect(w):
    with Group() as g:
        check(connecting(w).connect_ex((REMOTE[w.way], 80)) ==
              errno.EINPROGRESS, "allowed")
        g.attach("connect" + family(w), 0)
        check(connecting(w).connect_ex((REMOTE[w.way], 80)) == errno.EPERM,
              "refused")


def test_ingress(w):
    """A packet refused on its way in reaches no connection."""
    with Group() as g:
        s, c = w.passive()
        g.attach("ingress", 0)
        c.send("P.", data=b"refused", advance=False)
        c.quiet(0.2)
        g.attach("ingress", 1)
        c.send("P.", data=b"allowed")
        check(s.recv(20) == b"allowed", "data")


def test_egress(w):
    """A packet refused on its way out is sent again, and comes then."""
    with Group() as g:
        s, c = w.passive()
        g.attach("egress", 0)
        s.send(b"patience")
        c.quiet(0.1)
        check(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0,
              "no error of the connection")
        g.attach("egress", 1)
        got = c.expect(".", length=8)
        check(got.data == b"patience", "data")
        c.send(".")
        until(lambda: not outstanding(s), "acknowledged")


def outstanding(s):
    v = ctypes.c_int()
    LIBC.ioctl(s.fileno(), 0x5411, ctypes.byref(v))
    return v.value


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS))
