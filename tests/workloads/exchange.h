/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_EXCHANGE_H
#define HR_TESTS_EXCHANGE_H

#include "workload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/*
 * What request_server.c and request_client.c share: settings, endpoints, what a request looks like, and every way to get
 * bytes out of a socket and into it.
 *
 * A request has a size that both sides were told. As in most protocols, all begin alike, and go on differently: the first
 * byte says what the server is to do, the noise at the end is of that request.
 */

enum { REQUEST_ANSWER = 'A', REQUEST_HANG_UP = 'H' /* close without an answer */ };

/* A setting of the command line, NAME=VALUE: a number or a text. */
struct setting {
	const char *name;
	long *number;
	const char **text;
};

static inline void settings_read_one(const struct setting *settings, size_t count, const char *argument)
{
	const char *value = strchr(argument, '=');

	for (size_t i = 0; value && i < count; i++) {
		const size_t length = (size_t)(value - argument);

		if (strncmp(settings[i].name, argument, length) || settings[i].name[length])
			continue;
		if (settings[i].text)
			*settings[i].text = value + 1;
		else
			*settings[i].number = strtol(value + 1, NULL, 10);
		return;
	}
	errno = EINVAL;
	die("'%s' is no setting", argument);
}

static inline void settings_read(const struct setting *settings, size_t count, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		settings_read_one(settings, count, argv[i]);
}

/* Each connection is a descriptor: take as many as the limit allows. */
static inline void take_all_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Endpoints */

struct endpoint {
	struct sockaddr_storage address;
	socklen_t size;
};

/*
 * transport: tcp4, tcp6 or unix. address: NULL for the loopback. path: of unix; '@' at its front stands for the NUL of an
 * abstract name.
 */
static inline struct endpoint endpoint_make(const char *transport, const char *address, long port, const char *path)
{
	struct endpoint endpoint = { .size = 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&endpoint.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&endpoint.address;
	struct sockaddr_un *local = (struct sockaddr_un *)&endpoint.address;
	int ok = 0;

	if (!strcmp(transport, "tcp4")) {
		*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
		ok = inet_pton(AF_INET, address ? address : "127.0.0.1", &v4->sin_addr);
		endpoint.size = sizeof(*v4);
	} else if (!strcmp(transport, "tcp6")) {
		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
		ok = inet_pton(AF_INET6, address ? address : "::1", &v6->sin6_addr);
		endpoint.size = sizeof(*v6);
	} else if (!strcmp(transport, "unix") && path && strlen(path) < sizeof(local->sun_path)) {
		local->sun_family = AF_UNIX;
		memcpy(local->sun_path, path, strlen(path));
		if (path[0] == '@')
			local->sun_path[0] = 0;
		endpoint.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] != '@'));
		ok = 1;
	}
	errno = EINVAL;
	if (ok != 1)
		die("no such endpoint: %s", transport);
	return endpoint;
}

static inline int endpoint_port(const struct endpoint *endpoint)
{
	if (endpoint->address.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&endpoint->address)->sin_port);
	if (endpoint->address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&endpoint->address)->sin6_port);
	return 0;
}

static inline void send_at_once(int fd, const struct endpoint *endpoint)
{
	const int on = 1;

	if (endpoint->address.ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static inline int endpoint_listen(struct endpoint *endpoint, int backlog)
{
	const int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&endpoint->address, endpoint->size) || listen(fd, backlog))
		die("cannot listen");
	endpoint->size = sizeof(endpoint->address);
	getsockname(fd, (struct sockaddr *)&endpoint->address, &endpoint->size);
	return fd;
}

static inline int endpoint_connect(const struct endpoint *endpoint)
{
	const int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->size))
		die("cannot connect");
	send_at_once(fd, endpoint);
	return fd;
}

/* What is sent */

static inline void fill_request(char *data, size_t size, char kind, uint64_t number)
{
	static const char begin[] = "?sk for it: ";
	uint64_t noise = number * 0x9e3779b97f4a7c15ULL + 1;

	memcpy(data, begin, size < sizeof(begin) - 1 ? size : sizeof(begin) - 1);
	data[0] = kind;
	for (size_t i = sizeof(begin) - 1; i < size; i++) {
		noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
		data[i] = (char)('a' + (noise >> 59)); /* 32 characters from there on are printable */
	}
	if (size > sizeof(begin))
		data[size - 1] = '\n'; /* as messages of text end, by which a pipeline of them is known */
}

/* Calls: how bytes get out of a socket and into it. As read(2) and write(2) otherwise. */

struct calls {
	const char *name;
	ssize_t (*receive)(int fd, char *data, size_t size);
	ssize_t (*send)(int fd, const char *data, size_t size);
};

static inline ssize_t receive_read(int fd, char *data, size_t size)
{
	return read(fd, data, size);
}

static inline ssize_t send_write(int fd, const char *data, size_t size)
{
	return write(fd, data, size);
}

static inline ssize_t receive_recv(int fd, char *data, size_t size)
{
	return recv(fd, data, size, 0);
}

static inline ssize_t send_send(int fd, const char *data, size_t size)
{
	return send(fd, data, size, MSG_NOSIGNAL);
}

static inline ssize_t receive_recvfrom(int fd, char *data, size_t size)
{
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);

	return recvfrom(fd, data, size, 0, (struct sockaddr *)&from, &from_size);
}

static inline ssize_t send_sendto(int fd, const char *data, size_t size)
{
	return sendto(fd, data, size, MSG_NOSIGNAL, NULL, 0);
}

static inline struct msghdr message_of(struct iovec parts[2], const char *data, size_t size)
{
	parts[0] = (struct iovec){ (void *)(uintptr_t)data, size / 2 };
	parts[1] = (struct iovec){ (char *)(uintptr_t)data + size / 2, size - size / 2 };
	return (struct msghdr){ .msg_iov = parts, .msg_iovlen = 2 };
}

static inline ssize_t receive_recvmsg(int fd, char *data, size_t size)
{
	struct iovec parts[2];
	struct msghdr message = message_of(parts, data, size);

	return recvmsg(fd, &message, 0);
}

static inline ssize_t send_sendmsg(int fd, const char *data, size_t size)
{
	struct iovec parts[2];
	struct msghdr message = message_of(parts, data, size);

	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static inline ssize_t receive_readv(int fd, char *data, size_t size)
{
	struct iovec parts[2];

	message_of(parts, data, size);
	return readv(fd, parts, 2);
}

static inline ssize_t send_writev(int fd, const char *data, size_t size)
{
	struct iovec parts[2];

	message_of(parts, data, size);
	return writev(fd, parts, 2);
}

static inline ssize_t receive_recvmmsg(int fd, char *data, size_t size)
{
	struct iovec parts[2];
	struct mmsghdr message = { .msg_hdr = message_of(parts, data, size) };

	return recvmmsg(fd, &message, 1, 0, NULL) == 1 ? (ssize_t)message.msg_len : -1;
}

static inline ssize_t send_sendmmsg(int fd, const char *data, size_t size)
{
	struct iovec parts[2];
	struct mmsghdr message = { .msg_hdr = message_of(parts, data, size) };

	return sendmmsg(fd, &message, 1, MSG_NOSIGNAL) == 1 ? (ssize_t)message.msg_len : -1;
}

/* The thread's own file in memory, with these bytes. */
static inline int file_of(const char *data, size_t size)
{
	static __thread int file = -1;

	if (file < 0)
		file = memfd_create("answer", MFD_CLOEXEC);
	if (pwrite(file, data, size, 0) != (ssize_t)size)
		die("cannot write a file in memory");
	return file;
}

static inline ssize_t send_sendfile(int fd, const char *data, size_t size)
{
	off_t offset = 0;

	return sendfile(fd, file_of(data, size), &offset, size);
}

enum { PIPE_BYTES = 32 << 10 };

/* The thread's own pipe, empty between two calls. */
static inline int *own_pipe(void)
{
	static __thread int ends[2] = { -1, -1 };

	if (ends[0] < 0 && pipe2(ends, O_CLOEXEC))
		die("cannot make a pipe");
	return ends;
}

static inline ssize_t send_splice(int fd, const char *data, size_t size)
{
	int *ends = own_pipe();
	ssize_t in, out = 0, count;

	in = write(ends[1], data, size < PIPE_BYTES ? size : PIPE_BYTES);
	while (out < in) {
		count = splice(ends[0], NULL, fd, NULL, (size_t)(in - out), 0);
		if (count <= 0)
			return -1; /* for blocking sockets only: what is left in the pipe would come first next time */
		out += count;
	}
	return out;
}

static inline ssize_t receive_splice(int fd, char *data, size_t size)
{
	int *ends = own_pipe();
	const ssize_t count = splice(fd, NULL, ends[1], NULL, size < PIPE_BYTES ? size : PIPE_BYTES, 0);

	return count <= 0 ? count : read(ends[0], data, (size_t)count);
}

static const struct calls all_calls[] = {
	{ "read", receive_read, send_write },
	{ "recv", receive_recv, send_send },
	{ "recvfrom", receive_recvfrom, send_sendto },
	{ "recvmsg", receive_recvmsg, send_sendmsg },
	{ "readv", receive_readv, send_writev },
	{ "recvmmsg", receive_recvmmsg, send_sendmmsg },
	{ "sendfile", receive_recv, send_sendfile },
	{ "splice", receive_recv, send_splice },
	{ "splice_in", receive_splice, send_send },
};

static inline const struct calls *calls_find(const char *name)
{
	for (size_t i = 0; i < sizeof(all_calls) / sizeof(all_calls[0]); i++)
		if (!strcmp(all_calls[i].name, name))
			return &all_calls[i];
	errno = EINVAL;
	die("no calls are named '%s'", name);
}

/* Send all of it, whether the socket blocks or not. false: the peer is gone. */
static inline bool send_all(const struct calls *calls, int fd, const char *data, size_t size)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t sent;

	while (size) {
		sent = calls->send(fd, data, size);
		if (sent < 0 && errno == EAGAIN)
			poll(&room, 1, -1);
		else if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		}
	}
	return true;
}

/* Receive all of it from a socket that blocks. false: the peer is gone. */
static inline bool receive_all(const struct calls *calls, int fd, char *data, size_t size)
{
	ssize_t got;

	while (size) {
		got = calls->receive(fd, data, size);
		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		if (got > 0) {
			data += got;
			size -= (size_t)got;
		}
	}
	return true;
}

static inline void *allocate(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory)
		die("no memory");
	return memory;
}

#endif
