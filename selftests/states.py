#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every state transition of RFC 9293 section 3.3.2, driven by a raw peer.

Named from state, event, to state. What has a file descriptor is asked by
TCP_INFO; requests, orphans and TIME-WAIT are looked up in the socket table.
"""

import errno
import socket
import sys

from tpeer import (await_state, check, expect_errno, linger0, main, need_virtual,
                   so_error, state_of, tandem_only, until)

WR = socket.SHUT_WR


def table_is(w, c, name):
    until(lambda: w.table(c.dut_port, c.port) == name,
          "table entry %s (is %s)" % (name, w.table(c.dut_port, c.port)))


# ---- CLOSED: no socket at all (3.10.7.1) ----

def test_closed_syn(w):
    c = w.conn(7)
    c.send("S")
    c.expect("R.", seq=0, ack=1)


def test_closed_ack(w):
    c = w.conn(7)
    c.irs = 0
    c.send(".", seq=5, ack=77)
    s = c.expect("R")
    check(s.seq == 77, "the reset takes its number from the ACK: %s" % s)


def test_closed_data_without_ack(w):
    c = w.conn(7)
    c.send("P", seq=5, data=b"hello", opts=b"")
    s = c.expect("R.", ack=10)
    check(s.seq == 0, "reset at 0: %s" % s)


def test_closed_fin_counts_in_the_reset(w):
    c = w.conn(7)
    c.send("F", seq=5, data=b"hello", opts=b"")
    c.expect("R.", ack=11)


def test_closed_rst(w):
    c = w.conn(7)
    c.send("R", seq=5)
    c.send("R.", seq=5)
    c.quiet()


# ---- LISTEN (3.10.7.2) and SYN-RECEIVED ----

def test_listen_ack(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.irs = 0
    c.send(".", ack=99)
    s = c.expect("R")
    check(s.seq == 99, "reset at the ACK's number: %s" % s)
    check(state_of(ls) == "LISTEN", "the listener lives")


def test_listen_rst_fin_null(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.irs = 0
    c.send("R")
    c.send("F")
    c.send("SF")
    c.send("", opts=b"")
    c.quiet()
    check(state_of(ls) == "LISTEN", "the listener lives")


def test_listen_syn_syn_recv(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.", seq=0, ack=1)
    table_is(w, c, "SYN_RECV")
    ls.setblocking(False)
    expect_errno(errno.EAGAIN, ls.accept)
    c.send(".")
    ls.settimeout(10)
    s, _ = ls.accept()
    check(state_of(s) == "ESTABLISHED", state_of(s))
    table_is(w, c, "ESTABLISHED")


def test_syn_recv_syn_again(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.", seq=0, ack=1)
    c.send("S", seq=0)
    b = c.expect("S.", seq=0, ack=1)
    check(a.seq == b.seq, "the same SYN-ACK again")
    c.send(".")
    ls.accept()


def test_syn_recv_synack_again(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    a = c.expect("S.", seq=0, ack=1)
    b = c.expect("S.", seq=0, ack=1, within=5)
    check(a.seq == b.seq, "the same SYN-ACK")
    check(b.when - a.when >= 0.99, "after a second, not %.3f" %
          (b.when - a.when))
    c.send(".")
    ls.accept()


def test_syn_recv_rst_listen(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    c.send("R", seq=1)
    table_is(w, c, None)
    c.send(".", seq=1)
    s = c.expect("R")
    check(s.rseq == 1, "the request is gone: %s" % s)
    check(state_of(ls) == "LISTEN", "the listener lives")


def test_syn_recv_rst_out_of_window(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    c.send("R", seq=-100000)
    table_is(w, c, "SYN_RECV")
    while c.next(0.05):
        pass
    c.send(".", seq=1)
    ls.accept()


def test_syn_recv_wrong_ack(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    c.send(".", ack=2)
    s = c.expect("R")
    check(s.rseq == 2, "reset at the ACK's number: %s" % s)
    table_is(w, c, "SYN_RECV")
    c.send(".", ack=1)
    ls.accept()


def test_syn_recv_ack_with_data(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    c.send("P.", data=b"first")
    s, _ = ls.accept()
    check(s.recv(10) == b"first", "data on the last ACK")
    c.expect(".", ack=6)


def test_syn_recv_fin_close_wait(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    c.send("F.", data=b"x")
    s, _ = ls.accept()
    c.expect(".", ack=3)
    check(s.recv(10) == b"x", "byte before the FIN")
    check(s.recv(10) == b"", "end")
    check(state_of(s) == "CLOSE_WAIT", state_of(s))


def test_syn_recv_listener_closed(w):
    ls = w.listen()
    c = w.conn(ls.getsockname()[1])
    c.send("S")
    c.expect("S.")
    ls.close()
    c.send(".")
    s = c.expect("R")
    check(s.rseq == 1, "reset: %s" % s)


# ---- SYN-SENT (3.10.7.3) ----

def test_syn_sent_synack_established(w):
    s, c = w.active_start()
    check(state_of(s) == "SYN_SENT", state_of(s))
    c.answer_syn()
    c.expect(".", seq=1, ack=1)
    check(state_of(s) == "ESTABLISHED", state_of(s))


def test_syn_sent_rst(w):
    s, c = w.active_start()
    c.send("R.", seq=0, ack=1)
    await_state(s, "CLOSE")
    check(so_error(s) == errno.ECONNREFUSED, "ECONNREFUSED")


def test_syn_sent_bad_rst_ignored(w):
    s, c = w.active_start()
    c.send("R", seq=0)
    c.send("R.", seq=0, ack=5)
    check(state_of(s) == "SYN_SENT", state_of(s))
    c.answer_syn()
    c.expect(".", seq=1, ack=1)


def test_syn_sent_wrong_ack(w):
    s, c = w.active_start()
    c.send("S.", seq=0, ack=9)
    r = c.expect("R")
    check(r.rseq == 9, "reset at the ACK's number: %s" % r)
    check(state_of(s) == "SYN_SENT", state_of(s))
    c.answer_syn()
    c.expect(".", seq=1, ack=1)


def test_syn_sent_ack_only_ignored(w):
    s, c = w.active_start()
    c.send(".", seq=0, ack=1)
    c.quiet()
    check(state_of(s) == "SYN_SENT", state_of(s))


def test_syn_sent_syn_simultaneous_open(w):
    s, c = w.active_start()
    c.send("S", seq=0)
    c.snd_nxt = 1
    c.expect("S.", seq=0, ack=1, take=False)
    check(state_of(s) == "SYN_RECV", state_of(s))
    c.send("S.", seq=0, ack=1)
    await_state(s, "ESTABLISHED")
    while c.next(0.05):
        pass
    c.send("P.", data=b"both")
    check(s.recv(10) == b"both", "data")
    c.expect(".", ack=5)
    s.send(b"opened")
    c.expect(".", seq=1, length=6)


def test_syn_sent_simultaneous_open_by_ack(w):
    s, c = w.active_start()
    c.send("S", seq=0)
    c.snd_nxt = 1
    c.expect("S.", seq=0, ack=1, take=False)
    c.send(".", ack=1)
    await_state(s, "ESTABLISHED")


def test_syn_sent_syn_again(w):
    s, c = w.active_start()
    a = c.last
    b = c.expect("S", seq=0, within=5)
    check(b.when - a.when >= 0.99, "second SYN after %.3f s" %
          (b.when - a.when))
    c.answer_syn()
    c.expect(".", seq=1, ack=1)


def test_syn_sent_close(w):
    s, c = w.active_start()
    s.close()
    c.quiet()
    check(w.table(c.dut_port, c.port) is None, "nothing stays")


def test_syn_sent_synack_fin(w):
    s, c = w.active_start()
    c.send("SF.", seq=0)
    # The SYN is taken; whether the FIN is (RFC) or must be sent again (TCP
    # in Linux drops SYN+FIN whole or takes both) is open: it must not hang.
    c.next(0.2)
    check(state_of(s) in ("SYN_SENT", "ESTABLISHED", "CLOSE_WAIT"),
          state_of(s))


# ---- ESTABLISHED and the ways out ----

def test_established_fin_close_wait_last_ack_closed(w):
    s, c = w.passive()
    c.send("F.")
    c.expect(".", ack=2)
    await_state(s, "CLOSE_WAIT")
    s.send(b"late")
    c.expect(".", seq=1, length=4)
    c.send(".")
    s.close()
    c.expect("F.", seq=5, ack=2)
    table_is(w, c, "LAST_ACK")
    c.send(".")
    table_is(w, c, None)


def test_last_ack_fin_again(w):
    s, c = w.passive()
    c.send("F.")
    c.expect(".", ack=2)
    s.close()
    c.expect("F.", seq=1, ack=2)
    f = c.expect("F.", seq=1, ack=2, within=5)
    check(f, "FIN sent again")
    c.send(".")
    table_is(w, c, None)


def test_last_ack_rst(w):
    s, c = w.passive()
    c.send("F.")
    c.expect(".", ack=2)
    s.close()
    c.expect("F.")
    c.send("R")
    table_is(w, c, None)


def test_close_wait_rst(w):
    s, c = w.passive()
    c.send("F.")
    c.expect(".", ack=2)
    c.send("R")
    await_state(s, "CLOSE")
    check(so_error(s) == errno.EPIPE, "EPIPE")


def test_established_fin_with_data(w):
    s, c = w.passive()
    c.send("FP.", data=b"last words")
    c.expect(".", ack=12)
    check(s.recv(100) == b"last words", "data")
    check(s.recv(100) == b"", "end")


def test_established_fin_ahead_of_data(w):
    """A FIN beyond a gap waits with the data."""
    s, c = w.passive()
    c.send("F.", seq=6, data=b"later")
    a = c.expect(".", ack=1)
    check("sack" in a.opts, "SACK tells of the data: %s" % a)
    check(state_of(s) == "ESTABLISHED", state_of(s))
    c.send(".", seq=1, data=b"first")
    c.expect(".", ack=12)
    await_state(s, "CLOSE_WAIT")
    check(s.recv(100) == b"firstlater", "order")


def test_established_rst(w):
    s, c = w.passive()
    c.send("R")
    await_state(s, "CLOSE")
    expect_errno(errno.ECONNRESET, s.recv, 10)
    check(s.recv(10) == b"", "then the end")


def test_established_close_fin_wait1_2_time_wait(w):
    s, c = w.passive()
    s.shutdown(WR)
    c.expect("F.", seq=1)
    check(state_of(s) == "FIN_WAIT1", state_of(s))
    c.send(".")
    await_state(s, "FIN_WAIT2")
    c.send(".", data=b"half")
    check(s.recv(10) == b"half", "the other half is open")
    c.expect(".", ack=5)
    c.send("F.")
    c.expect(".", ack=6)
    table_is(w, c, "TIME_WAIT")
    check(s.recv(10) == b"", "end")
    check(state_of(s) == "CLOSE", state_of(s))


def test_fin_wait1_fin_closing_time_wait(w):
    """Simultaneous close: FINs cross (3.6, figure 13)."""
    s, c = w.passive()
    s.shutdown(WR)
    c.expect("F.", seq=1, take=False)
    c.send("F.", ack=1)
    c.expect(".", ack=2)
    check(state_of(s) == "CLOSING", state_of(s))
    c.rcv_nxt = 2
    c.send(".")
    table_is(w, c, "TIME_WAIT")


def test_fin_wait1_fin_and_ack_time_wait(w):
    s, c = w.passive()
    s.shutdown(WR)
    c.expect("F.", seq=1)
    c.send("F.")
    c.expect(".", seq=2, ack=2)
    table_is(w, c, "TIME_WAIT")


def test_closing_rst(w):
    s, c = w.passive()
    s.close()
    c.expect("F.", seq=1, take=False)
    c.send("F.", ack=1)
    c.expect(".", ack=2)
    table_is(w, c, "CLOSING")
    c.send("R", seq=2)
    table_is(w, c, None)


def test_fin_wait1_rst(w):
    s, c = w.passive()
    s.shutdown(WR)
    c.expect("F.")
    c.send("R")
    await_state(s, "CLOSE")
    check(so_error(s) == errno.ECONNRESET, "ECONNRESET")


def test_fin_wait1_orphan_data_resets(w):
    s, c = w.passive()
    s.close()
    c.expect("F.", seq=1)
    table_is(w, c, "FIN_WAIT1")
    c.send("P.", data=b"nobody reads", ack=1)
    r = c.expect_any()
    check(r.flags & 4, "a reset, not %s" % r)
    table_is(w, c, None)


def test_fin_wait2_orphan_data_resets(w):
    s, c = w.passive()
    s.close()
    c.expect("F.", seq=1)
    c.send(".")
    table_is(w, c, "FIN_WAIT2")
    c.send("P.", data=b"nobody reads")
    r = c.expect_any()
    check(r.flags & 4, "a reset, not %s" % r)
    table_is(w, c, None)


def test_fin_wait2_orphan_fin_time_wait(w):
    s, c = w.passive()
    s.close()
    c.expect("F.", seq=1)
    c.send(".")
    table_is(w, c, "FIN_WAIT2")
    c.send("F.")
    c.expect(".", seq=2, ack=2)
    table_is(w, c, "TIME_WAIT")


def test_established_linger_closed(w):
    s, c = w.passive()
    linger0(s)
    s.close()
    r = c.expect("R.", seq=1)
    check(r, "reset")
    table_is(w, c, None)


def test_close_with_unread_data(w):
    s, c = w.passive()
    c.send("P.", data=b"unread")
    c.expect(".", ack=7)
    s.close()
    c.expect("R.", seq=1)
    table_is(w, c, None)


# ---- TIME-WAIT ----

def into_time_wait(w, **kw):
    ls = w.listen()
    s, c = w.passive(ls, **kw)
    s.close()
    c.expect("F.", seq=1)
    c.send("F.")
    c.expect(".", seq=2, ack=2)
    table_is(w, c, "TIME_WAIT")
    return ls, c


def test_time_wait_fin_again(w):
    _, c = into_time_wait(w)
    c.send("F.", seq=1)
    c.expect(".", seq=2, ack=2)
    table_is(w, c, "TIME_WAIT")


def test_time_wait_old_data(w):
    _, c = into_time_wait(w)
    c.send(".", seq=-50, data=b"old")
    c.expect(".", seq=2, ack=2)


def test_time_wait_rst(w):
    _, c = into_time_wait(w)
    c.send("R")
    table_is(w, c, None)


def test_time_wait_new_syn(w):
    """RFC 9293 3.10.7.4, RFC 6191: a SYN beyond the old numbers reopens."""
    ls, c = into_time_wait(w)
    c2 = w.conn(c.dut_port, port=c.port, iss=c.iss + 100000)
    c2.ts_offset = 5000
    c2.open()
    s, _ = ls.accept()
    c2.send("P.", data=b"again")
    check(s.recv(10) == b"again", "the new connection works")


def test_time_wait_old_syn(w):
    """A SYN that could be an old duplicate does not."""
    ls, c = into_time_wait(w)
    c2 = w.conn(c.dut_port, port=c.port, iss=c.iss - 100000)
    c2.ts_offset = -100000
    c2.send("S")
    r = c2.expect_any()
    check(not r.flags & 2, "no SYN-ACK: %s" % r)
    table_is(w, c, "TIME_WAIT")


def test_time_wait_ends(w):
    need_virtual()
    _, c = into_time_wait(w)
    check(not c.next(58), "silence in TIME-WAIT")
    check(w.table(c.dut_port, c.port) == "TIME_WAIT", "still there")
    until(lambda: w.table(c.dut_port, c.port) is None, "its end", 8)


def test_time_wait_knob(w):
    tandem_only()
    w.knob("timewait_ms", 300)
    _, c = into_time_wait(w)
    table_is(w, c, None)


def test_fin_wait2_ends(w):
    need_virtual()
    s, c = w.passive()
    s.close()
    c.expect("F.", seq=1)
    c.send(".")
    check(not c.next(55), "silence")
    table_is(w, c, "FIN_WAIT2")
    until(lambda: w.table(c.dut_port, c.port) is None, "its end", 12)
    c.send("F.")
    r = c.expect_any()
    check(r.flags & 4, "a reset, not %s" % r)


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    sys.exit(main(TESTS, limit=200))
