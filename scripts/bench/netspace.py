# SPDX-License-Identifier: GPL-2.0
"""Network namespaces for the guest's half of bench-sim.

Starting a program is the slow thing in user-mode Linux, so what ip(8) and
ethtool(8) would do for a host's few devices is done by their ioctls here.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
MS_BIND, MNT_DETACH = 0x1000, 2
SIOCADDRT, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x890b, 0x8913, 0x8914
SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891c
SIOCETHTOOL, SIOCSARP = 0x8946, 0x8955
IFF_UP, RTF_UP, RTF_GATEWAY = 1, 1, 2
ATF_COM, ATF_PERM, ARPHRD_ETHER = 2, 4, 1
# ETHTOOL_S*: segmentation, and merging at the receiver; and checksums of what is sent.
OFFLOADS = (0x1f, 0x24, 0x2c)
CHECKSUMS = (0x17,)
RTM_GETQDISC, RTM_NEWQDISC = 38, 36
NLM_F_REQUEST, NLM_F_ECHO = 1, 8     # without ECHO only listeners are told
TC_H_ROOT, TCA_STATS2, TCA_STATS_BASIC, TCA_STATS_QUEUE = 0xffffffff, 7, 1, 3

libc = ctypes.CDLL(None, use_errno=True)
home = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)


class Trouble(Exception):
    """A run that could not be carried out, and why."""


class Missing(Trouble):
    """A run that asks for what a peer does not have."""


def must(what, failed):
    if failed:
        raise Trouble('%s: %s' % (what, os.strerror(ctypes.get_errno())))


def call(command, text=None):
    """Run it to its end; what it prints."""
    done = subprocess.run(command, input=text, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Trouble('%s: %s' % (' '.join(command), done.stdout.strip()[-400:]))
    return done.stdout


def set_knob(name, value):
    """A sysctl of the namespace we are in; "-name" need not exist."""
    path = '/proc/sys/' + name.lstrip('-').replace('.', '/')
    if name.startswith('-') and not os.path.exists(path):
        return
    try:
        with open(path, 'w', encoding='ascii') as f:
            f.write(str(value))
    except OSError as e:
        raise Trouble('%s=%s: %s' % (name, value, e.strerror)) from e


def sockaddr(address):
    return struct.pack('=HH4s8x', socket.AF_INET, 0, socket.inet_aton(address))


class Space:
    """A network namespace; inside "with", this process and what it starts
    are in it."""

    def __init__(self, name):
        self.name, self.path = name, '/run/netns/' + name
        must('unshare', libc.unshare(CLONE_NEWNET))
        try:
            with open(self.path, 'w', encoding='ascii'):
                pass
            must('mount', libc.mount(b'/proc/self/ns/net', self.path.encode(), None,
                                     MS_BIND, None))
            self.fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            # The ioctls of a socket are about the namespace it was made in.
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.flags('lo', IFF_UP)
        finally:
            must('setns', libc.setns(home, CLONE_NEWNET))

    def __enter__(self):
        must('setns', libc.setns(self.fd, CLONE_NEWNET))
        return self

    def __exit__(self, *_):
        must('setns', libc.setns(home, CLONE_NEWNET))

    def close(self):
        self.socket.close()
        os.close(self.fd)
        must('umount', libc.umount2(self.path.encode(), MNT_DETACH))
        os.unlink(self.path)

    def ioctl(self, what, data):
        try:
            return fcntl.ioctl(self.socket, what, data)
        except OSError as e:
            raise Trouble('ioctl 0x%x: %s' % (what, e.strerror)) from e

    def flags(self, dev, flags):
        req = struct.pack('16sh22x', dev.encode(), 0)
        old = struct.unpack('16sh22x', self.ioctl(SIOCGIFFLAGS, req))[1]
        self.ioctl(SIOCSIFFLAGS, struct.pack('16sh22x', dev.encode(), old | flags))

    def offloads_off(self, dev, checksums=True):
        """@checksums: those as well"""
        for what in CHECKSUMS + OFFLOADS if checksums else OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack('II', what, 0))
            self.ioctl(SIOCETHTOOL, struct.pack('16sP16x', dev.encode(),
                                                ctypes.addressof(value)))

    def address(self, dev, address):
        """address/24, and up"""
        name = dev.encode()
        self.ioctl(SIOCSIFADDR, struct.pack('16s16s8x', name, sockaddr(address)))
        self.ioctl(SIOCSIFNETMASK, struct.pack('16s16s8x', name,
                                               sockaddr('255.255.255.0')))
        self.flags(dev, IFF_UP)

    def neighbour(self, dev, address, mac):
        hardware = struct.pack('=H14s', ARPHRD_ETHER,
                               bytes.fromhex(mac.replace(':', '')))
        self.ioctl(SIOCSARP, struct.pack('16s16si16s16s', sockaddr(address), hardware,
                                         ATF_COM | ATF_PERM, b'', dev.encode()))

    def route(self, net, mask, via):
        """net/mask through a router"""
        self.ioctl(SIOCADDRT, struct.pack(
            '@L16s16s16sHh4xLPhPLLH6x', 0, sockaddr(net), sockaddr(via),
            sockaddr(mask), RTF_UP | RTF_GATEWAY, 0, 0, 0, 0, 0, 0, 0, 0))

    def packets_sent(self, dev):
        with self, open('/proc/net/dev', encoding='ascii') as f:
            for line in f.readlines()[2:]:
                name, numbers = line.split(':')
                if name.strip() == dev:
                    return int(numbers.split()[9])
        raise Trouble('no device ' + dev)

    def qdisc(self, dev):
        """What the root qdisc of a device has let through and dropped."""
        with self:
            index = socket.if_nametoindex(dev)
            nl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        with nl:
            nl.settimeout(5)
            nl.send(struct.pack('=IHHII', 36, RTM_GETQDISC,
                                NLM_F_REQUEST | NLM_F_ECHO, 0, 0) +
                    struct.pack('=B3xiIII', 0, index, 0, TC_H_ROOT, 0))
            answer = nl.recv(8192)
        if struct.unpack_from('=IH', answer)[1] != RTM_NEWQDISC:
            raise Trouble('no statistics of ' + dev)
        stats = attributes(attributes(answer[36:])[TCA_STATS2])
        sent, packets = struct.unpack_from('=QI', stats[TCA_STATS_BASIC])
        drops = struct.unpack_from('=IIIII', stats[TCA_STATS_QUEUE])[2]
        return {'packets': packets, 'bytes': sent, 'drops': drops}


def attributes(data):
    """{type: payload} of netlink attributes"""
    out = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from('=HH', data)
        if length < 4:
            break
        out[kind & 0x3fff] = data[4:length]
        data = data[(length + 3) & ~3:]
    return out
