#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Two tap devices, one in each of two namespaces, joined like the cards of two virtual
machines on one switch: what one transmits the other receives, the header of virtio
(struct virtio_net_hdr) with it. With --offload they take frames of several TCP segments and
sums that are left to do, as a guest's card does, and such a frame comes to the other host
as from a guest, who is not to be trusted.

Usage: taps.py [--offload] NS1 NS2 FILE
FILE is written when both are up; "whole" in it says that a frame of several segments
crossed, "wrong" that one was longer than the MTU, or its checksum not right where nobody
was asked to do it; "datagrams" that UDP's were among those that were looked at.
"""

import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys

TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD = 0x400454ca, 0x400454d8, 0x400454d0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, TUN_F_TSO_ECN = 1, 2, 4, 8
CLONE_NEWNET = 0x40000000
VNET_HDR, ETH_HDR, MTU = 10, 14, 1500
NEEDS_CSUM = 1


def open_tun(flags):
    """The device of user space's network cards; stock kernels have it as a module."""
    if not os.path.exists("/dev/net/tun"):
        os.makedirs("/dev/net", exist_ok=True)
        os.mknod("/dev/net/tun", 0o20666, os.makedev(10, 200))
    try:
        return os.open("/dev/net/tun", flags)
    except OSError:
        subprocess.run(["modprobe", "tun"], check=True)
        return os.open("/dev/net/tun", flags)


def tap(ns, offload):
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + ns, os.O_RDONLY)
    if libc.setns(there, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    fd = open_tun(os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"v", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(fd, TUNSETOFFLOAD, (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
                if offload else 0)
    subprocess.run(["ip", "link", "set", "v", "up"], check=True)
    if libc.setns(home, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    return fd


def wrong(frame):
    """What is wrong with the one packet in @frame, or None; and its protocol."""
    flags, gso_type = frame[0], frame[1]
    ip = frame[VNET_HDR + ETH_HDR:]
    if gso_type:
        return None, None
    if frame[VNET_HDR + 12:VNET_HDR + ETH_HDR] == b"\x08\0":
        proto, at, addrs = ip[9], (ip[0] & 15) * 4, ip[12:20]
        ip = ip[:struct.unpack("!H", ip[2:4])[0]]
    elif frame[VNET_HDR + 12:VNET_HDR + ETH_HDR] == b"\x86\xdd":
        proto, at, addrs = ip[6], 40, ip[8:40]
        ip = ip[:40 + struct.unpack("!H", ip[4:6])[0]]
    else:
        return None, None
    if len(frame) - VNET_HDR - ETH_HDR > MTU:
        return "%d bytes of protocol %d" % (len(ip), proto), proto
    if proto not in (6, 17, 254) or flags & NEEDS_CSUM:
        return None, proto
    data = addrs + struct.pack("!HH", proto, len(ip) - at) + ip[at:]
    # A sum of ones' complement is a number modulo 0xffff.
    if int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xffff:
        return "checksum of protocol %d" % proto, proto
    return None, proto


def main():
    args = sys.argv[1:]
    offload = args[0] == "--offload"
    ns1, ns2, path = args[offload:]
    ends = [tap(ns1, offload), tap(ns2, offload)]
    with open(path, "w", encoding="ascii") as f:
        f.write("up\n")
    told = set()

    def tell(word, more=""):
        if word not in told:
            told.add(word)
            with open(path, "a", encoding="ascii") as f:
                f.write(word + more + "\n")

    other = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        for fd in select.select(ends, [], [])[0]:
            for _ in range(64):
                try:
                    frame = os.read(fd, 70000)
                except BlockingIOError:
                    break
                if frame[1]:
                    tell("whole")
                what, proto = wrong(frame)
                if proto == 17:
                    tell("datagrams")
                if what:
                    tell("wrong", ": " + what)
                os.write(other[fd], frame)


if __name__ == "__main__":
    main()
