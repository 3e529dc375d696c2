/* SPDX-License-Identifier: BSD-2-Clause */
#include "http.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A piece of the buffer. */
struct span {
	const char *at;
	size_t bytes;
};

static bool span_is(struct span span, const char *text)
{
	return span.bytes == strlen(text) && memcmp(span.at, text, span.bytes) == 0;
}

static bool span_is_nocase(struct span span, const char *text)
{
	return span.bytes == strlen(text) && strncasecmp(span.at, text, span.bytes) == 0;
}

/* Cut the front of *rest off at the first stop, which is dropped; false if there is none. */
static bool span_cut(struct span *rest, const char *stop, struct span *ret)
{
	const size_t stop_bytes = strlen(stop);
	const char *at = memmem(rest->at, rest->bytes, stop, stop_bytes);

	if (!at)
		return false;
	*ret = (struct span){ rest->at, (size_t)(at - rest->at) };
	rest->bytes -= ret->bytes + stop_bytes;
	rest->at = at + stop_bytes;
	return true;
}

static struct span span_trim(struct span span)
{
	while (span.bytes && (*span.at == ' ' || *span.at == '\t'))
		span.at++, span.bytes--;
	while (span.bytes && (span.at[span.bytes - 1] == ' ' || span.at[span.bytes - 1] == '\t'))
		span.bytes--;
	return span;
}

/* Digits only, and not more of them than fit; anything else would let two readers disagree on where a request ends. */
static bool parse_length(struct span value, size_t *ret)
{
	size_t length = 0;

	if (!value.bytes || value.bytes > 15)
		return false;
	for (size_t i = 0; i < value.bytes; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return false;
		length = length * 10 + (size_t)(value.at[i] - '0');
	}
	*ret = length;
	return true;
}

static int parse_request_line(struct span line, struct http_request *request)
{
	struct span method, target, path;

	if (!span_cut(&line, " ", &method) || !method.bytes || !span_cut(&line, " ", &target) || !target.bytes)
		return -400;
	if (target.at[0] != '/' || line.bytes != 8 || memcmp(line.at, "HTTP/", 5) != 0)
		return -400;
	if (!span_is(line, "HTTP/1.1") && !span_is(line, "HTTP/1.0"))
		return -505;
	request->keep_alive = span_is(line, "HTTP/1.1");
	if (!span_cut(&target, "?", &path))
		path = target, target.bytes = 0;
	request->method = method.at, request->method_bytes = method.bytes;
	request->path = path.at, request->path_bytes = path.bytes;
	request->query = target.at, request->query_bytes = target.bytes;
	return 0;
}

static int parse_header(struct span line, struct http_request *request, bool *has_length)
{
	struct span name, value;
	size_t length;

	if (!span_cut(&line, ":", &name) || !name.bytes || memchr(name.at, ' ', name.bytes))
		return -400;
	value = span_trim(line);
	if (span_is_nocase(name, "transfer-encoding"))
		return -501;
	if (span_is_nocase(name, "connection")) {
		if (span_is_nocase(value, "close"))
			request->keep_alive = false;
		else if (span_is_nocase(value, "keep-alive"))
			request->keep_alive = true;
	}
	if (span_is_nocase(name, "content-length")) {
		if (!parse_length(value, &length) || (*has_length && length != request->body_bytes))
			return -400;
		request->body_bytes = length;
		*has_length = true;
	}
	return 0;
}

static int parse_head(struct span head, struct http_request *request)
{
	bool has_length = false;
	struct span line;
	int status;

	if (!span_cut(&head, "\r\n", &line) || memchr(line.at, '\0', line.bytes))
		return -400;
	status = parse_request_line(line, request);
	while (status == 0 && span_cut(&head, "\r\n", &line))
		status = parse_header(line, request, &has_length);
	return status;
}

ssize_t http_parse(const char *data, size_t size, size_t limit, struct http_request *ret)
{
	struct http_request request = { 0 };
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	size_t head_bytes;
	int status;

	/* no need to wait for the end of what is no request, a TLS hello for one */
	if (size && (data[0] < 'A' || data[0] > 'Z'))
		return -400;
	if (!end)
		return size < limit ? 0 : -431;
	head_bytes = (size_t)(end - data) + 4;
	status = parse_head((struct span){ data, head_bytes - 2 }, &request);
	if (status < 0)
		return status;
	if (request.body_bytes > limit - head_bytes)
		return -413;
	if (request.body_bytes > size - head_bytes)
		return 0;
	request.body = data + head_bytes;
	*ret = request;
	return (ssize_t)(head_bytes + request.body_bytes);
}

bool http_method_is(const struct http_request *request, const char *method)
{
	return span_is((struct span){ request->method, request->method_bytes }, method);
}

bool http_path_is(const struct http_request *request, const char *path)
{
	return span_is((struct span){ request->path, request->path_bytes }, path);
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 413, "Content Too Large" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "Unknown";
}

size_t http_answer(char *out, size_t size, int status, bool keep_alive, const char *body)
{
	int bytes = snprintf(out, size,
			     "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
			     "Connection: %s\r\n%s\r\n%s",
			     status, http_reason(status), strlen(body), keep_alive ? "keep-alive" : "close",
			     status == 405 ? "Allow: GET, POST\r\n" : "", body);

	return (size_t)bytes < size ? (size_t)bytes : size - 1;
}
