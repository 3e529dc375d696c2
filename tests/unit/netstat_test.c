/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/netstat.h"
#include "fake_system.h"

#define SNMP \
	"Ip: Forwarding DefaultTTL\n" \
	"Ip: 2 64\n" \
	"Tcp: RtoAlgorithm MaxConn AttemptFails EstabResets InSegs RetransSegs InErrs OutRsts InCsumErrors\n" \
	"Tcp: 1 -1 11 12 900 13 14 15 0\n" \
	"Udp: InDatagrams InErrs\n" \
	"Udp: 5 99\n"
#define NETSTAT \
	"TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPLossProbes\n" \
	"TcpExt: 0 18446744073709551615 22 23\n" \
	"IpExt: InNoRoutes\n" \
	"IpExt: 0\n"

static struct hr_netstat netstat;

static int set_up(void **state)
{
	(void)state;
	fake_open();
	memset(&netstat, 0, sizeof(netstat));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_close();
	return 0;
}

static int counter_of(const char *name)
{
	for (int i = 0; i < HR_NETSTAT_COUNTERS; i++)
		if (!strcmp(hr_netstat_name(i), name))
			return i;
	fail_msg("there is no counter %s", name);
	return 0;
}

static void assert_count(const char *name, uint64_t count)
{
	assert_true(netstat.known[counter_of(name)]);
	assert_int_equal(netstat.counts[counter_of(name)], count);
}

static int known_counters(void)
{
	int known = 0;

	for (int i = 0; i < HR_NETSTAT_COUNTERS; i++)
		known += netstat.known[i];
	return known;
}

static void counters_are_found_by_their_names_and_not_by_their_places(void **state)
{
	(void)state;
	assert_int_equal(hr_netstat_parse(SNMP, &netstat), 0);
	assert_int_equal(known_counters(), 5);
	assert_count("AttemptFails", 11);
	assert_count("EstabResets", 12);
	assert_count("RetransSegs", 13);
	assert_count("InErrs", 14); /* that of Tcp, not that of Udp */
	assert_count("OutRsts", 15);
	assert_int_equal(hr_netstat_parse(NETSTAT, &netstat), 0);
	assert_int_equal(known_counters(), 8);
	assert_count("ListenOverflows", UINT64_MAX);
	assert_count("ListenDrops", 22);
	assert_count("TCPLossProbes", 23);
}

static void nothing_is_taken_of_lines_that_are_damaged(void **state)
{
	static const char *const damaged[] = {
		"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1\n",		  /* too few numbers */
		"TcpExt: ListenOverflows\nTcpExt: 1 2\n",			  /* too many */
		"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 2x\n",
		"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 -2\n",		  /* a count is not negative */
		"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 -\n",
		"TcpExt: ListenOverflows\nTcpExt: 18446744073709551616\n",	  /* over 64 bits */
		"TcpExt: ListenOverflows\nIpExt: 1\n",				  /* another protocol's */
		"TcpExt: ListenOverflows\n",					  /* no numbers */
		"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 2",		  /* cut off: it may have been 25 */
		"TcpExt: ListenOverflows",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		assert_int_equal(hr_netstat_parse(damaged[i], &netstat), -EINVAL);
		assert_int_equal(known_counters(), 0);
	}
}

static void what_is_whole_is_taken_beside_what_is_not(void **state)
{
	(void)state;
	assert_int_equal(hr_netstat_parse("TcpExt: ListenDrops\nTcpExt: x\nTcp: OutRsts\nTcp: 4\n", &netstat), -EINVAL);
	assert_int_equal(known_counters(), 1);
	assert_count("OutRsts", 4);
	assert_int_equal(hr_netstat_parse("", &netstat), 0);
	assert_int_equal(hr_netstat_parse("\n\nno counters\n", &netstat), 0);
	assert_int_equal(known_counters(), 1);
}

static void both_files_of_a_process_are_read(void **state)
{
	(void)state;
	fake_file("/proc/812/net/snmp", SNMP);
	fake_file("/proc/812/net/netstat", NETSTAT);
	hr_netstat_read(fake_root, "812", &netstat);
	assert_int_equal(known_counters(), 8);
}

static void what_cannot_be_read_is_not_known(void **state)
{
	(void)state;
	fake_file("/proc/812/net/snmp", SNMP);
	netstat.known[0] = true;
	hr_netstat_read(fake_root, "812", &netstat);
	assert_int_equal(known_counters(), 5);
	assert_false(netstat.known[counter_of("ListenDrops")]);
	hr_netstat_read(fake_root, "813", &netstat);
	assert_int_equal(known_counters(), 0);
}

static void the_running_kernel_has_all_of_them(void **state)
{
	(void)state;
	hr_netstat_read("", "self", &netstat);
	for (int i = 0; i < HR_NETSTAT_COUNTERS; i++)
		if (!netstat.known[i])
			fail_msg("%s was not found", hr_netstat_name(i));
}

#define in_a_fake_system(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_fake_system(counters_are_found_by_their_names_and_not_by_their_places),
		in_a_fake_system(nothing_is_taken_of_lines_that_are_damaged),
		in_a_fake_system(what_is_whole_is_taken_beside_what_is_not),
		in_a_fake_system(both_files_of_a_process_are_read),
		in_a_fake_system(what_cannot_be_read_is_not_known),
		in_a_fake_system(the_running_kernel_has_all_of_them),
	};

	return cmocka_run_group_tests_name("netstat", tests, NULL, NULL);
}
