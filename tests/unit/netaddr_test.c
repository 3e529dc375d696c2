/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <arpa/inet.h>

#include "collect/netaddr.h"

static char text[HR_ENDPOINT_BYTES];

static void assert_inet(const char *address, uint16_t port, const char *expected)
{
	uint8_t bytes[16];

	assert_int_equal(inet_pton(AF_INET6, address, bytes), 1);
	assert_string_equal(hr_netaddr_inet(text, bytes, port), expected);
}

static void addresses_are_written_as_people_write_them(void **state)
{
	(void)state;
	assert_inet("::1", 80, "[::1]:80");
	assert_inet("2001:db8::8:800:200c:417a", 65535, "[2001:db8::8:800:200c:417a]:65535");
	assert_inet("::", 8000, "[::]:8000");
	assert_inet("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1");
}

static void ipv4_that_is_mapped_into_ipv6_is_ipv4(void **state)
{
	(void)state;
	assert_inet("::ffff:127.0.0.1", 5432, "127.0.0.1:5432");
	assert_inet("::ffff:0.0.0.0", 8000, "0.0.0.0:8000");
	assert_inet("::127.0.0.1", 1, "[::127.0.0.1]:1"); /* compatible, not mapped: another address */
}

static void assert_unix(const char *path, size_t bytes, const char *expected)
{
	memset(text, 'x', sizeof(text));
	if (expected)
		assert_string_equal(hr_netaddr_unix(text, path, bytes), expected);
	else
		assert_null(hr_netaddr_unix(text, path, bytes));
}

#define ASSERT_UNIX(path, expected) assert_unix(path, sizeof(path) - 1, expected)

static void a_path_ends_at_its_nul(void **state)
{
	(void)state;
	ASSERT_UNIX("/run/app.sock", "/run/app.sock");
	ASSERT_UNIX("/run/app.sock\0", "/run/app.sock");
	ASSERT_UNIX("/run/app.sock\0and what was there before", "/run/app.sock");
	ASSERT_UNIX("", NULL);
}

static void an_abstract_name_begins_with_an_at_sign(void **state)
{
	(void)state;
	ASSERT_UNIX("\0app", "@app");
	ASSERT_UNIX("\0app\0\0\0\0", "@app"); /* bound with all of sun_path */
	ASSERT_UNIX("\0a\0b", "@a@b");
	ASSERT_UNIX("\0", NULL);
}

static void hostile_bytes_of_a_path_do_not_reach_the_file(void **state)
{
	char longest[HR_UNIX_PATH_BYTES + 50];

	(void)state;
	ASSERT_UNIX("/a\xff\x1b[2J\n", "/a\xEF\xBF\xBD\xEF\xBF\xBD[2J\xEF\xBF\xBD");
	ASSERT_UNIX("\0\x80", "@\xEF\xBF\xBD");
	/* each byte becomes three, and no more of them are read than a socket can have */
	memset(longest, 0x80, sizeof(longest));
	assert_ptr_equal(hr_netaddr_unix(text, longest, sizeof(longest)), text);
	assert_int_equal(strlen(text), 3 * HR_UNIX_PATH_BYTES);
	assert_int_equal(strspn(text, "\xEF\xBF\xBD"), 3 * HR_UNIX_PATH_BYTES);
}

static void a_flow_is_named_by_what_it_leads_to(void **state)
{
	struct hr_flow flow = { .key = { .role = HR_ROLE_SERVER, .transport = HR_TRANSPORT_TCP, .port = 8000 } };

	(void)state;
	inet_pton(AF_INET6, "::ffff:10.0.0.7", flow.key.address);
	assert_string_equal(hr_netaddr_flow(text, &flow), ":8000");
	flow.key.role = HR_ROLE_DOWNSTREAM;
	assert_string_equal(hr_netaddr_flow(text, &flow), "10.0.0.7:8000");
	flow.key.transport = HR_TRANSPORT_UNIX;
	assert_string_equal(hr_netaddr_flow(text, &flow), "unnamed");
	strcpy(flow.path, "/run/db");
	flow.path_bytes = 8;
	assert_string_equal(hr_netaddr_flow(text, &flow), "/run/db");
	flow.key.role = HR_ROLE_PROBE;
	flow.key.transport = HR_TRANSPORT_FUNCTION;
	assert_null(hr_netaddr_flow(text, &flow));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_written_as_people_write_them),
		cmocka_unit_test(ipv4_that_is_mapped_into_ipv6_is_ipv4),
		cmocka_unit_test(a_path_ends_at_its_nul),
		cmocka_unit_test(an_abstract_name_begins_with_an_at_sign),
		cmocka_unit_test(hostile_bytes_of_a_path_do_not_reach_the_file),
		cmocka_unit_test(a_flow_is_named_by_what_it_leads_to),
	};

	return cmocka_run_group_tests_name("netaddr", tests, NULL, NULL);
}
