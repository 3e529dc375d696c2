/* SPDX-License-Identifier: BSD-2-Clause */
/* The demo server's request reader: what is a whole request, what is not one yet, and what never will be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* the server is no part of the library that the tests are linked with */
#include "../demo/http.c"

enum { LIMIT = 8192 };

static ssize_t parse(const char *text, struct http_request *ret)
{
	return http_parse(text, strlen(text), LIMIT, ret);
}

static void a_request_is_read_into_its_parts(void **state)
{
	const char *text = "POST /infer?seed=7 HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  3 \r\n\r\nabcGET";
	struct http_request request;

	(void)state;
	assert_int_equal(parse(text, &request), strlen(text) - strlen("GET"));
	assert_true(http_method_is(&request, "POST"));
	assert_false(http_method_is(&request, "POS"));
	assert_true(http_path_is(&request, "/infer"));
	assert_int_equal(request.query_bytes, 6);
	assert_memory_equal(request.query, "seed=7", 6);
	assert_int_equal(request.body_bytes, 3);
	assert_memory_equal(request.body, "abc", 3);
	assert_true(request.keep_alive);
}

static void every_part_of_a_request_that_is_cut_off_is_unfinished(void **state)
{
	const char *text = "POST /infer HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde";
	struct http_request request;

	(void)state;
	for (size_t size = 0; size < strlen(text); size++)
		assert_int_equal(http_parse(text, size, LIMIT, &request), 0);
	assert_int_equal(parse(text, &request), strlen(text));
}

static void the_version_and_the_connection_header_decide_what_is_kept_alive(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nconnection: Close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};
	struct http_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text, &request), strlen(rows[i].text));
		assert_int_equal(request.keep_alive, rows[i].keep_alive);
	}
}

static void what_cannot_be_served_is_refused_with_its_status(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{ "\x16\x03\x01", 400 },
		{ "get / HTTP/1.1\r\n\r\n", 400 },
		{ "GET\r\n\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n\r\n", 400 },
		{ "GET http://x/ HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.12\r\n\r\n", 400 },
		{ "GET / HTTP/2.0\r\n\r\n", 505 },
		{ "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nA : b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nContent-Length: 8192\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501 },
	};
	struct http_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(parse(rows[i].text, &request), -rows[i].status);
}

static void a_head_that_fills_the_buffer_is_refused(void **state)
{
	char text[LIMIT];
	struct http_request request;

	(void)state;
	memset(text, 'A', sizeof(text));
	assert_int_equal(http_parse(text, sizeof(text) - 1, LIMIT, &request), 0);
	assert_int_equal(http_parse(text, sizeof(text), LIMIT, &request), -431);
}

static void an_answer_names_its_length_and_what_becomes_of_the_connection(void **state)
{
	char out[256];
	size_t size = http_answer(out, sizeof(out), 405, false, "{}\n");

	(void)state;
	assert_int_equal(size, strlen(out));
	assert_non_null(strstr(out, "HTTP/1.1 405 Method Not Allowed\r\n"));
	assert_non_null(strstr(out, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(out, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(out, "\r\nAllow: GET, POST\r\n"));
	assert_string_equal(strstr(out, "\r\n\r\n"), "\r\n\r\n{}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_into_its_parts),
		cmocka_unit_test(every_part_of_a_request_that_is_cut_off_is_unfinished),
		cmocka_unit_test(the_version_and_the_connection_header_decide_what_is_kept_alive),
		cmocka_unit_test(what_cannot_be_served_is_refused_with_its_status),
		cmocka_unit_test(a_head_that_fills_the_buffer_is_refused),
		cmocka_unit_test(an_answer_names_its_length_and_what_becomes_of_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
