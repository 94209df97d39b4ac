#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The knobs net.tandem.* (sysctl.c): default, range, refusal, namespace.

Out of range is EINVAL and the old value stays; every namespace has its own,
with the defaults and not the values of its maker; every knob is documented.
"""

import ctypes
import errno
import os
import sys

import tpeer
from tpeer import World, check, main, tandem_only

INT_MAX = 0x7fffffff
DIR = "/proc/sys/net/tandem/"
DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                   "../Documentation/networking/tandem-sysctl.rst")

# name: default, lowest, highest (None: see below)
KNOBS = dict(
    gso=(1, 0, 1), min_tso_segs=(2, 1, 65535), tso_win_divisor=(3, 0, 255),
    syn_retries=(6, 1, 127), synack_retries=(5, 0, 255),
    retries1=(3, 0, 255), retries2=(15, 0, 255), orphan_retries=(0, 0, 255),
    rto_init_ms=(1000, 1, 120000), syn_probe_ms=(250, 0, 120000), rto_min_ms=(200, 1, 120000),
    rto_max_ms=(120000, 1000, 120000), rto_fixed_ms=(1000, 1, 120000),
    tlp=(1, 0, 1), frto=(1, 0, 1), delack_max_ms=(40, 0, 499),
    delack_segs=(2, 1, 255), keepalive_time=(7200, 1, 32767),
    keepalive_intvl=(75, 1, 32767), keepalive_probes=(9, 1, 127),
    fin_timeout=(60, 0, 3600), timewait_ms=(60000, 1, 600000),
    max_tw_buckets=(None, 0, INT_MAX), max_syn_backlog=(4096, 1, INT_MAX),
    max_orphans=(None, 0, INT_MAX), tw_reuse=(2, 0, 2), timestamps=(1, 0, 1),
    sack=(1, 0, 1), dsack=(1, 0, 1), window_scaling=(1, 0, 1),
    init_cwnd=(10, 1, 1000), min_mss=(48, 48, 65535),
    moderate_rcvbuf=(1, 0, 1), abort_on_overflow=(0, 0, 1),
    challenge_ack_limit=(INT_MAX, 0, INT_MAX), syncookies=(1, 0, 2),
    ecn=(2, 0, 2), ecn_fallback=(1, 0, 1), mtu_probing=(0, 0, 2),
    base_mss=(1024, 48, 65535), mtu_probe_floor=(48, 48, 65535),
    probe_threshold=(8, 1, 65535), probe_interval=(600, 1, INT_MAX),
    third_ack_delay=(1, 0, 1), fin_hold_us=(200, 0, 10000),
    fastopen_key_rotate=(86400, 0, INT_MAX),
    fastopen_blackhole_timeout=(3600, 0, 86400), path_cache=(2, 0, 2),
    path_cache_max=(4096, 0, 8192), path_cache_ttl=(3600, 1, 604800),
    no_delay=(0, 0, 1), tcp_wire=(1, 0, 1), tcp_wire_thrift=(0, 0, 1),
    slow_start_after_idle=(1, 0, 1), notsent_lowat=(0xffffffff, 0, 0xffffffff),
    udp_port=(0, 0, 65535), isn_fixed=(0, 0, 0xffffffff))
CHOICES = {"congestion_control": "bbr", "rto_estimator": "rfc6298",
           "loss_detection": "rack", "ack_policy": "delayed"}
OTHERS = ("rmem", "wmem", "mem", "wire", "fastopen", "fastopen_key",
          "path_cache_flush", "allowed_congestion_control",
          *CHOICES, *("available_" + c for c in CHOICES))


def read(name):
    with open(DIR + name) as f:
        return f.read().split()


def write(name, value):
    """0 or the errno."""
    try:
        with open(DIR + name, "w") as f:
            f.write(str(value))
    except OSError as e:
        return e.errno
    return 0


def refused(name, value):
    old = read(name)
    got = write(name, value)
    check(got == errno.EINVAL, "%s = %s: %s" % (
        name, value, errno.errorcode.get(got, got)))
    check(read(name) == old, "%s = %s: the old value stays, is %s" % (
        name, value, read(name)))


def test_defaults(w):
    tandem_only()
    for name, (default, _, _) in KNOBS.items():
        if default is not None:
            check(read(name) == [str(default)], "%s is %s" % (
                name, read(name)))
    check(read("wire") == ["native"], "wire")
    for name, default in CHOICES.items():
        check(read(name) == [default], "%s is %s" % (name, read(name)))
        check(default in read("available_" + name), "%s is available" % default)


def test_ranges(w):
    tandem_only()
    for name, (_, lo, hi) in KNOBS.items():
        for value in (lo, hi):
            check(write(name, value) == 0, "%s = %d" % (name, value))
            check(read(name) == [str(value)], "%s reads %s" % (
                name, read(name)))
        refused(name, lo - 1)
        refused(name, hi + 1)
        refused(name, "many")
        if hi < 0xffffffff:
            refused(name, -INT_MAX)
        # Give rto_min_ms and rto_max_ms, which bound each other, room.
        if name == "rto_min_ms":
            write(name, 200)


def test_rto_bounds_each_other(w):
    tandem_only()
    check(write("rto_max_ms", 2000) == 0, "maximum 2000")
    refused("rto_min_ms", 2001)
    check(write("rto_min_ms", 2000) == 0, "minimum 2000")
    refused("rto_max_ms", 1999)


def test_buffers(w):
    tandem_only()
    for name in ("rmem", "wmem"):
        check(len(read(name)) == 3, "three values")
        check(write(name, "4096 20000 300000") == 0, "in order")
        check(read(name) == ["4096", "20000", "300000"], "reads back")
        refused(name, "4096 20000 10000")
        refused(name, "30000 20000 300000")
        refused(name, "-1 20000 300000")
        refused(name, "4096 20000 2147483647")
        refused(name, "4096 x 300000")
    with w.socket() as s:
        check(s.getsockopt(1, 7) == 20000, "SO_SNDBUF starts there")


def test_names(w):
    tandem_only()
    for name in ("wire", *CHOICES):
        old = read(name)
        got = write(name, "nonesuch")
        want = errno.ENOENT if name in CHOICES else errno.EINVAL
        check(got == want, "%s: %s" % (name, errno.errorcode.get(got, got)))
        check(read(name) == old, "the old value stays")
        check(write(name, old[0]) == 0, "its own value is taken")


def test_choices_reach_sockets(w):
    """Each mechanism by name: the netns's default, one socket's, a child's."""
    tandem_only()
    for name, option in (("rto_estimator", 1003), ("loss_detection", 1004),
                         ("ack_policy", 1005)):
        for other in read("available_" + name):
            with w.socket() as s:
                s.setsockopt(254, option, other.encode())
                check(name_of(s, option) == other, "%s of one socket" % name)
            check(write(name, other) == 0, "%s = %s" % (name, other))
            with w.socket() as s:
                check(name_of(s, option) == other, "%s of new ones" % name)
            write(name, CHOICES[name])
        with w.socket() as s:
            try:
                s.setsockopt(254, option, b"nonesuch")
                check(False, "%s takes any name" % name)
            except OSError as e:
                check(e.errno == errno.ENOENT, "%s: %s" % (name, e))


def name_of(s, option):
    return s.getsockopt(254, option, 16).rstrip(b"\0").decode()


def test_allowed_congestion_control(w):
    tandem_only()
    allowed = "allowed_congestion_control"
    check("reno" in read(allowed), "reno is allowed: %s" % read(allowed))
    got = write(allowed, "reno")
    check(got in (errno.EACCES, errno.EPERM), "written in a namespace: %s" % got)
    before = " ".join(read(allowed))
    check(allow("reno nonesuch") == errno.ENOENT, "an unknown name")
    check(" ".join(read(allowed)) == before, "nothing changed")
    try:
        allowed_to_others(w)
    finally:
        allow(before)			# it is one list for all namespaces


def allow(names):
    """0 or the errno of writing it where that may be done: the first namespace."""
    pid = os.fork()
    if not pid:
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/1/ns/net") as f:
            if libc.setns(f.fileno(), 0x40000000):
                os._exit(ctypes.get_errno())
        os._exit(write("allowed_congestion_control", names))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def choose_unprivileged(s, name):
    """0 or the errno"""
    os.seteuid(65534)
    try:
        s.setsockopt(6, 13, name)
    except OSError as e:
        return e.errno
    finally:
        os.seteuid(0)
    return 0


def allowed_to_others(w):
    check(allow("reno") == 0, "reno alone")
    with w.socket() as s:
        s.setsockopt(6, 13, b"bbr")	# root may
        check(choose_unprivileged(s, b"reno") == 0, "reno is allowed")
        got = choose_unprivileged(s, b"bbr")
        check(got == errno.EPERM, "bbr: %s" % errno.errorcode.get(got, got))
        check(s.getsockopt(6, 13, 16).rstrip(b"\0") == b"reno", "it is still reno")
        check(allow("reno bbr") == 0, "reno and bbr")
        check(choose_unprivileged(s, b"bbr") == 0, "now bbr, too")


def test_fastopen_bits(w):
    tandem_only()
    check(read("fastopen") == ["3"], "client and server: %s" % read("fastopen"))
    for bits in (0, 1, 2, 0x607):
        check(write("fastopen", bits) == 0, "bits %#x" % bits)
        check(read("fastopen") == [str(bits)], "read back")
    refused("fastopen", 0x800)
    refused("fastopen", -1)
    check(write("fastopen_key", "not a key") == errno.EINVAL, "a bad key")


def test_per_namespace(w):
    tandem_only()
    for name, (_, _, hi) in KNOBS.items():
        write(name, hi)
    World(w.way)			# this process is in a new one now
    test_defaults(w)


def test_knobs_reach_sockets(w):
    tandem_only()
    write("keepalive_time", 123)
    write("keepalive_intvl", 7)
    write("keepalive_probes", 4)
    write("syn_retries", 3)
    write("no_delay", 1)
    with w.socket() as s:
        got = [s.getsockopt(6, o) for o in (4, 5, 6, 7, 1)]
    check(got == [123, 7, 4, 3, 1], "options are %s" % got)


def test_unprivileged(w):
    tandem_only()
    os.seteuid(65534)
    check(write("sack", 0) in (errno.EACCES, errno.EPERM), "refused")
    os.seteuid(0)


def test_none_forgotten(w):
    """Each file is in this test, and in the documentation."""
    tandem_only()
    have = set(os.listdir(DIR))
    known = set(KNOBS) | set(OTHERS)
    check(have == known, "untested %s, missing %s" % (
        sorted(have - known), sorted(known - have)))
    if not os.path.exists(DOC):
        return
    with open(DOC) as f:
        text = f.read()
    lost = [n for n in have if n not in text]
    check(not lost, "undocumented: %s" % lost)


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    tpeer.PLAIN = True
    sys.exit(main(TESTS, ways=("v4",)))
