# SPDX-License-Identifier: GPL-2.0
"""Both ends of a connection in one program, in two network namespaces.

To start a program takes longer than most exchanges, where these tests are run: so
client and server are two processes of one. What differs is said as for a program of
its own, by environment: TANDEM_PROTO (254, or 6 for the kernel's TCP), TANDEM_WIRE.
"""

import ctypes
import os
import socket
import sys

WIRES = dict(native=0, tcp=1, udp=2)
CLONE_NEWNET = 0x40000000


def enter(space):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/run/netns/" + space, os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET):
        sys.exit("setns: " + os.strerror(ctypes.get_errno()))
    os.close(fd)


def proto_of(env):
    return int(env.get("TANDEM_PROTO") or os.environ.get("TANDEM_PROTO") or 254)


def tandem_socket(family, env):
    """What a program with that environment would get."""
    proto = proto_of(env)
    s = socket.socket(family, socket.SOCK_STREAM, proto)
    wire = WIRES[env.get("TANDEM_WIRE") or os.environ.get("TANDEM_WIRE") or "native"]
    if wire and proto != 6:
        s.setsockopt(254, 1001, wire)
    return s


def arguments(parser):
    """The spaces, the server's address and what is different at each end."""
    parser.add_argument("client_space")
    parser.add_argument("server_space")
    parser.add_argument("address")
    for end in ("--client-env", "--server-env"):
        parser.add_argument(end, action="append", default=[], metavar="NAME=VALUE",
                            type=lambda text: tuple(text.split("=", 1)))


def family_of(o):
    return socket.AF_INET6 if ":" in o.address else socket.AF_INET


def both(o, serve, visit, prepare=lambda s: None):
    """serve(LISTENER) in one process, visit(FAMILY, TO, ENV) in this one; its result."""
    family = family_of(o)
    enter(o.server_space)
    listener = tandem_socket(family, dict(o.server_env))
    prepare(listener)
    listener.bind((o.address, 0))
    listener.listen(16)
    child = os.fork()
    if not child:
        os.environ.update(o.server_env)
        serve(listener)
        sys.stdout.flush()
        os._exit(0)
    to = listener.getsockname()
    listener.close()
    enter(o.client_space)
    os.environ.update(o.client_env)
    out = visit(family, to, dict(o.client_env))
    status = os.waitpid(child, 0)[1]
    if status:
        sys.exit("the server failed: status %#x" % status)
    return out
