/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that wait in calls on IPv4 and IPv6 sockets, over the loopback. */
#include "waits.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* A listening socket on a free loopback port; its address in *address. Negative: not here, and errno says why. */
static int listener(int family, int backlog, struct sockaddr_storage *address, socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	*size = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *size) || listen(fd, backlog))
		return -1;
	getsockname(fd, (struct sockaddr *)address, size);
	return fd;
}

static int connected(const struct sockaddr_storage *address, socklen_t size, int flags)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (connect(fd, (const struct sockaddr *)address, size) && errno != EINPROGRESS)
		die("cannot connect");
	return fd;
}

/* A connected pair of stream sockets: fd[0] waits, fd[1] wakes. */
static int pair_setup(struct wait *wait, int family)
{
	struct sockaddr_storage address;
	socklen_t size;
	int fd = listener(family, 1, &address, &size);

	if (fd < 0)
		return errno;
	wait->fd[1] = connected(&address, size, 0);
	wait->fd[0] = accept(fd, NULL, NULL);
	close(fd);
	return 0;
}

static int pair4_setup(struct wait *wait)
{
	return pair_setup(wait, AF_INET);
}

static int pair6_setup(struct wait *wait)
{
	return pair_setup(wait, AF_INET6);
}

static int datagram_setup(struct wait *wait)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	wait->fd[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	wait->fd[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(wait->fd[0], (struct sockaddr *)&address, size) ||
	    getsockname(wait->fd[0], (struct sockaddr *)&address, &size) ||
	    connect(wait->fd[1], (struct sockaddr *)&address, size))
		return errno;
	return 0;
}

static void byte_send(struct wait *wait)
{
	if (send(wait->fd[1], "x", 1, 0) != 1)
		die("cannot send");
}

static void recv_block(struct wait *wait)
{
	char byte;

	if (recv(wait->fd[0], &byte, 1, 0) != 1)
		die("cannot receive");
}

static void read_block(struct wait *wait)
{
	char byte;

	if (read(wait->fd[0], &byte, 1) != 1)
		die("cannot read");
}

static void readv_block(struct wait *wait)
{
	char byte;
	struct iovec part = { &byte, 1 };

	if (readv(wait->fd[0], &part, 1) != 1)
		die("cannot read");
}

static void recvmsg_block(struct wait *wait)
{
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (recvmsg(wait->fd[0], &message, 0) != 1)
		die("cannot receive");
}

static char block_of_data[64 << 10];

/* Fill the peer's buffers until nothing more goes in. */
static void send_fill(struct wait *wait)
{
	while (send(wait->fd[0], block_of_data, sizeof(block_of_data), MSG_DONTWAIT) > 0)
		;
}

/* As much as makes the sender wait until the peer has read nearly all. */
static void send_block(struct wait *wait)
{
	if (send(wait->fd[0], block_of_data, sizeof(block_of_data), 0) < 0)
		die("cannot send");
}

static void write_block(struct wait *wait)
{
	if (write(wait->fd[0], block_of_data, sizeof(block_of_data)) < 0)
		die("cannot write");
}

static void drain(struct wait *wait)
{
	do {
		sleep_ns(MS);
		while (recv(wait->fd[1], NULL, 1 << 20, MSG_DONTWAIT | MSG_TRUNC) > 0)
			;
	} while (__atomic_load_n(&wait->left, __ATOMIC_ACQUIRE) < wait->prepared);
}

struct door {
	struct sockaddr_storage address;
	socklen_t size;
	int fd;
};

static int door_setup(struct wait *wait, int family, int backlog)
{
	struct door *door = calloc(1, sizeof(*door));

	wait->object = door;
	door->fd = listener(family, backlog, &door->address, &door->size);
	return door->fd < 0 ? errno : 0;
}

static int accept_setup(struct wait *wait)
{
	return door_setup(wait, AF_INET, 8);
}

static void accept_block(struct wait *wait)
{
	struct door *door = wait->object;

	close(accept4(door->fd, NULL, NULL, SOCK_CLOEXEC));
}

static void accept_wake(struct wait *wait)
{
	struct door *door = wait->object;

	close(connected(&door->address, door->size, 0));
}

static int connect_setup(struct wait *wait)
{
	wait->rounds = 1; /* takes over a second */
	return door_setup(wait, AF_INET, 0);
}

/* One connection fills a queue of length 0: the next one's SYN is dropped, and sent again a second later. */
static void connect_fill(struct wait *wait)
{
	struct door *door = wait->object;

	wait->fd[1] = connected(&door->address, door->size, 0);
}

static void connect_block(struct wait *wait)
{
	struct door *door = wait->object;

	close(connected(&door->address, door->size, 0));
}

static void connect_wake(struct wait *wait)
{
	struct door *door = wait->object;

	wait->wake_ns = wait->enter_ns + 900 * MS;
	close(accept(door->fd, NULL, NULL));
	close(wait->fd[1]);
	waits_until(&wait->left, wait->prepared);
	close(accept(door->fd, NULL, NULL));
}

static const struct wait_kind kinds[] = {
	{ "tcp_recv", "net_recv", pair4_setup, NULL, recv_block, byte_send, false },
	{ "tcp_read", "net_recv", pair4_setup, NULL, read_block, byte_send, false },
	{ "tcp_readv", "net_recv", pair4_setup, NULL, readv_block, byte_send, false },
	{ "tcp6_recvmsg", "net_recv", pair6_setup, NULL, recvmsg_block, byte_send, false },
	{ "udp_recv", "net_recv", datagram_setup, NULL, recv_block, byte_send, false },
	{ "tcp_send", "net_send", pair4_setup, send_fill, send_block, drain, false },
	{ "tcp_write", "net_send", pair4_setup, send_fill, write_block, drain, false },
	{ "accept", "net_accept", accept_setup, NULL, accept_block, accept_wake, false },
	{ "connect", "net_connect", connect_setup, connect_fill, connect_block, connect_wake, false },
};

WAITS_MAIN(kinds)
