// SPDX-License-Identifier: GPL-2.0
// 6.5: sendmsg(MSG_SPLICE_PAGES) instead of sendpage
#include <linux/socket.h>
int probe = MSG_SPLICE_PAGES;
