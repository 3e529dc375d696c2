/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_HTTP_H
#define DEMO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The part of HTTP/1.1 (RFC 9112) that this server speaks: whole requests with a Content-Length or none, kept alive. */
struct http_request {
	const char *method, *path, *query, *body; /* into the buffer that was parsed; query without its '?' */
	size_t method_bytes, path_bytes, query_bytes, body_bytes;
	bool keep_alive;
};

/*
 * Read the request at the front of a buffer that will never hold more than limit bytes.
 *
 * Returns its size in bytes, head and body; 0: not all of it is there yet; below 0: not a request that can be served,
 * and minus that is the status to answer with before the connection is closed (400, 413, 431, 501, 505). Only a return
 * above 0 writes to *ret.
 */
ssize_t http_parse(const char *data, size_t size, size_t limit, struct http_request *ret);

/* True if the request has this method, or this path. */
bool http_method_is(const struct http_request *request, const char *method);
bool http_path_is(const struct http_request *request, const char *path);

/* Write an answer with a JSON body into out and return its size in bytes; out needs room for the body and 192 bytes. */
size_t http_answer(char *out, size_t size, int status, bool keep_alive, const char *body);

/* The reason phrase of a status that this server uses. */
const char *http_reason(int status);

#endif
