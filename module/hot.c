// SPDX-License-Identifier: GPL-2.0
/*
 * hot.c - the rooms that a segment or a system call passes through, compiled as one.
 *
 * They are many and small so that people find their way.  To the compiler each is a world
 * of its own, and a call from one to the next costs a processor as much as what many of
 * these functions do.  Seen together, and inlined, one request and response takes a
 * twentieth fewer instructions, and a connection from SYN to TIME-WAIT a thirtieth.
 * kernel/sched/build_policy.c does the same, for the same reason.
 *
 * So what is static in a room, or a macro of it, must have a name that no other one here
 * uses.  A room that only few connections enter need not be here.
 */
#include "wire.c"
#include "ipv4.c"
#include "demux.c"
#include "early.c"
#include "input.c"
#include "ack.c"
#include "scoreboard.c"
#include "recovery.c"
#include "loss.c"
#include "tlp.c"
#include "rcvq.c"
#include "rcvq_mem.c"
#include "advert.c"
#include "output.c"
#include "xmit.c"
#include "rtxq.c"
#include "mss.c"
#include "goal.c"
#include "tsq.c"
#include "timer.c"
#include "alarm.c"
#include "thrift.c"
#include "sendmsg.c"
#include "recvmsg.c"
#include "chrono.c"
#include "urgent.c"
#include "timestamp.c"
#include "arrival.c"
#include "rate.c"
#include "pace.c"
#include "ecn.c"
#include "options.c"
#include "rtt.c"
#include "rto.c"
#include "rack.c"
#include "window.c"
#include "ackpolicy.c"
#include "cong_bbr_model.c"
#include "cong_bbr.c"
#include "handshake.c"
#include "request.c"
#include "accept.c"
#include "timewait.c"
#include "state.c"
#include "close.c"
#include "path.c"
#include "poll.c"
