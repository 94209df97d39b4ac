#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Does a socket's receive processing follow its reader?  For rfs.sh.

usage: rfs.py CLIENT-SPACE SERVER-SPACE ADDRESS OPTIONS (see spaces.py)

The server reads on processor 0, on 1, and so on a few times; each time it must come
to pass that what arrives is worked off by that one. The client writes on and on, from
processor 0. Exit status 1: it did not follow, and a line says where it stayed.
"""

import argparse
import os
import socket
import sys
import threading
import time

import spaces

SO_INCOMING_CPU = 49
TURNS = (1, 0, 1, 0)
DEADLINE = 20           # seconds for each


def on(cpu):
    os.sched_setaffinity(0, {cpu})


def serve(listener):
    s = listener.accept()[0]
    for cpu in TURNS:
        on(cpu)
        end = time.monotonic() + DEADLINE
        while True:
            if not s.recv(4096):
                print("the client is gone")
                os._exit(1)
            got = s.getsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU)
            if got == cpu:
                break
            if time.monotonic() > end:
                print("the reader is on processor %d, its segments on %d" % (cpu, got),
                      flush=True)
                os._exit(1)


def visit(family, to, env):
    on(0)
    s = spaces.tandem_socket(family, env)
    s.connect(to)
    # An answer never comes; the end does, when the server has seen enough.
    ended = threading.Event()

    def watch():
        try:
            s.recv(1)
        except OSError:
            pass
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    try:
        while not ended.wait(.001):
            s.send(bytes(1000))
    except OSError:
        pass                    # it closed with something unread: a reset
    return 0


parser = argparse.ArgumentParser(description=__doc__)
spaces.arguments(parser)
sys.exit(spaces.both(parser.parse_args(), serve, visit))
