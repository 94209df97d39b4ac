// SPDX-License-Identifier: GPL-2.0
// 6.19: bind() and connect() take struct sockaddr_unsized
#include <net/sock.h>
int bind(struct socket *sock, struct sockaddr_unsized *addr, int len);
const struct proto_ops probe = { .bind = bind };
