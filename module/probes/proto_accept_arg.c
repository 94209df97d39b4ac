// SPDX-License-Identifier: GPL-2.0
// 6.10: accept() arguments in a structure
#include <net/sock.h>
bool probe(struct proto_accept_arg *arg);
bool probe(struct proto_accept_arg *arg) { return arg->kern; }
