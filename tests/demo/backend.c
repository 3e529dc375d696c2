/* SPDX-License-Identifier: BSD-2-Clause */
#include "backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { STEP_TIMEOUT_S = 5, REPLY_MAX_BYTES = 2048 };

struct backend {
	uint16_t port;
	pthread_mutex_t lock;	/* guards idle and idle_count */
	pthread_cond_t returned;
	int idle_count;
	int idle[];		/* connections that nobody uses: a socket, or -1 for one that is yet to be made */
};

int backend_new(struct backend **ret, int port, int connections, struct hr_err *err)
{
	struct backend *backend = malloc(sizeof(*backend) + (size_t)connections * sizeof(backend->idle[0]));

	if (!backend)
		return hr_err_set(err, -ENOMEM, "not enough memory for %d backend connections", connections);
	backend->port = (uint16_t)port;
	pthread_mutex_init(&backend->lock, NULL);
	pthread_cond_init(&backend->returned, NULL);
	backend->idle_count = connections;
	for (int i = 0; i < connections; i++)
		backend->idle[i] = -1;
	*ret = backend;
	return 0;
}

void backend_free(struct backend *backend)
{
	if (!backend)
		return;
	for (int i = 0; i < backend->idle_count; i++)
		if (backend->idle[i] >= 0)
			close(backend->idle[i]);
	pthread_cond_destroy(&backend->returned);
	pthread_mutex_destroy(&backend->lock);
	free(backend);
}

/* The last one returned goes out first: it is the least likely to have been closed meanwhile. */
static int take(struct backend *backend)
{
	int fd;

	pthread_mutex_lock(&backend->lock);
	while (backend->idle_count == 0)
		pthread_cond_wait(&backend->returned, &backend->lock);
	fd = backend->idle[--backend->idle_count];
	pthread_mutex_unlock(&backend->lock);
	return fd;
}

static void give_back(struct backend *backend, int fd)
{
	pthread_mutex_lock(&backend->lock);
	backend->idle[backend->idle_count++] = fd;
	pthread_mutex_unlock(&backend->lock);
	pthread_cond_signal(&backend->returned);
}

static int dial(uint16_t port)
{
	const struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const struct timeval timeout = { .tv_sec = STEP_TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) < 0) {
		code = -errno;
		close(fd);
		return code;
	}
	return fd;
}

/* True once the answer in text, size bytes and a NUL, is whole. */
static bool answer_is_whole(const char *text, size_t size)
{
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length:");

	if (!end || !length || length > end)
		return false;
	return size >= (size_t)(end + 4 - text) + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

/* One request and its answer on a connection. */
static int exchange(int fd)
{
	static const char request[] = "GET /infer HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char answer[REPLY_MAX_BYTES + 1];
	size_t size = 0;
	ssize_t got;

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1)
		return -EPIPE;
	do {
		got = recv(fd, answer + size, REPLY_MAX_BYTES - size, 0);
		if (got <= 0)
			return got < 0 ? -errno : -ECONNRESET;
		size += (size_t)got;
		answer[size] = '\0';
	} while (!answer_is_whole(answer, size));
	return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 ? 0 : -EPROTO;
}

/* The backend may have closed a connection that idled; a new one gets the request then. */
int backend_ask(struct backend *backend)
{
	int fd = take(backend);
	bool reused = fd >= 0;
	int code;

	for (;;) {
		if (fd < 0)
			fd = dial(backend->port);
		code = fd < 0 ? fd : exchange(fd);
		if (code == 0 || fd < 0)
			break;
		close(fd);
		fd = -1;
		if (!reused || (code != -EPIPE && code != -ECONNRESET))
			break;
		reused = false;
	}
	give_back(backend, fd < 0 ? -1 : fd);
	return code;
}
