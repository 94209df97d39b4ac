// SPDX-License-Identifier: GPL-2.0
/* Fetches / from a web server over Tandem: hello_client 10.0.0.2 80 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/tandem.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	char buf[4096];
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TANDEM);

	if (fd < 0 || argc < 3 || !inet_aton(argv[1], &to.sin_addr))
		return perror("socket, or usage: hello_client ADDRESS PORT"), 1;
	to.sin_port = htons(atoi(argv[2]));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return perror("connect"), 1;
	dprintf(fd, "GET / HTTP/1.0\r\n\r\n");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
	return n < 0 ? perror("read"), 1 : 0;
}
