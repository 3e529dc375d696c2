/* SPDX-License-Identifier: BSD-2-Clause */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define SECOND_NS UINT64_C(1000000000)

/* How long a client may take: between requests, for one request however slowly it trickles, to read, after its last. */
#define IDLE_NS (60 * SECOND_NS)
#define REQUEST_NS (10 * SECOND_NS)
#define WRITE_NS (10 * SECOND_NS)
#define DRAIN_NS (1 * SECOND_NS)

void connection_init(struct connection *connection, int fd)
{
	connection->fd = fd;
	connection->deadline_ns = hr_clock_mono_ns() + IDLE_NS;
	connection->finished = connection->closing = connection->draining = false;
	connection->since_ns = 0;
	connection->in_bytes = connection->out_bytes = connection->out_sent = 0;
}

/* CONNECTION_TURN when all is sent. */
static enum connection_next flush(struct connection *connection)
{
	ssize_t sent;

	while (connection->out_sent < connection->out_bytes) {
		sent = send(connection->fd, connection->out + connection->out_sent,
			    connection->out_bytes - connection->out_sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? CONNECTION_WRITE : CONNECTION_CLOSE;
		connection->out_sent += (size_t)sent;
	}
	connection->out_sent = connection->out_bytes = 0;
	return CONNECTION_TURN;
}

/*
 * Closing a socket that holds unread data resets the connection, and the client may lose the answer that says why: so
 * read on for a while.
 */
static enum connection_next drain(struct connection *connection)
{
	ssize_t got;

	if (!connection->draining) {
		connection->draining = true;
		connection->since_ns = hr_clock_mono_ns();
		shutdown(connection->fd, SHUT_WR);
	}
	do {
		got = recv(connection->fd, connection->in, sizeof(connection->in), 0);
		if (hr_clock_mono_ns() - connection->since_ns > DRAIN_NS)
			return CONNECTION_CLOSE;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 && errno == EAGAIN ? CONNECTION_READ : CONNECTION_CLOSE;
}

/* Put the answer into out and take the request off the front of in. */
static void answer(struct connection *connection, struct work *work, struct scratch *scratch, ssize_t size,
		   const struct http_request *request)
{
	char body[BODY_MAX_BYTES];
	int status;

	if (size < 0) {
		status = routes_refuse((int)-size, http_reason((int)-size), body);
		connection->closing = true;
	} else {
		status = routes_serve(work, scratch, request, body);
		connection->closing = !request->keep_alive;
		connection->in_bytes -= (size_t)size;
		memmove(connection->in, connection->in + size, connection->in_bytes);
	}
	connection->since_ns = connection->in_bytes ? hr_clock_mono_ns() : 0;
	connection->out_bytes =
		http_answer(connection->out, sizeof(connection->out), status, !connection->closing, body);
}

/* CONNECTION_TURN when an answer is in out. */
static enum connection_next serve_one(struct connection *connection, struct work *work, struct scratch *scratch)
{
	struct http_request request;
	ssize_t size, got;

	for (;;) {
		size = http_parse(connection->in, connection->in_bytes, sizeof(connection->in), &request);
		if (size != 0)
			break;
		got = recv(connection->fd, connection->in + connection->in_bytes,
			   sizeof(connection->in) - connection->in_bytes, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return CONNECTION_READ;
		if (got <= 0)
			return CONNECTION_CLOSE;
		if (!connection->since_ns)
			connection->since_ns = hr_clock_mono_ns();
		connection->in_bytes += (size_t)got;
	}
	answer(connection, work, scratch, size, &request);
	return CONNECTION_TURN;
}

uint64_t connection_deadline_ns(const struct connection *connection, enum connection_next next)
{
	if (next == CONNECTION_WRITE)
		return hr_clock_mono_ns() + WRITE_NS;
	if (next != CONNECTION_READ)
		return UINT64_MAX;
	if (connection->draining)
		return connection->since_ns + DRAIN_NS;
	if (connection->since_ns)
		return connection->since_ns + REQUEST_NS;
	return hr_clock_mono_ns() + IDLE_NS;
}

enum connection_next connection_turn(struct connection *connection, struct work *work, struct scratch *scratch)
{
	enum connection_next next = flush(connection);

	if (next == CONNECTION_TURN && !connection->closing) {
		next = serve_one(connection, work, scratch);
		if (next == CONNECTION_TURN)
			next = flush(connection);
	}
	if (next == CONNECTION_TURN && connection->closing)
		next = drain(connection);
	else if (next == CONNECTION_TURN && !connection->in_bytes)
		next = CONNECTION_READ;
	return next;
}
