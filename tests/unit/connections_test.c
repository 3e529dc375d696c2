/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include "collect/jiffy.h"
#include "run_fixture.h"

#include "fake_probes.h"

static struct hr_socket_row sockets[FAKE_SOCKETS], ended[16];
static int64_t flow_ids[HR_FLOWS];

static void begin_run(const struct scratch *scratch)
{
	memset(sockets, 0, sizeof(sockets));
	memset(flow_ids, 0, sizeof(flow_ids));
	run_open(scratch, &hr_family_connections);
	fake.ended = ended;
	flow_ids[3] = 30;
	run.drain.flow_ids = flow_ids;
}

/* These are open. */
static void pass_with(size_t count, uint64_t end_ns)
{
	run.drain.sockets = sockets;
	run.drain.socket_count = count;
	run_pass(end_ns);
}

static struct hr_socket_row tcp(uint64_t id)
{
	struct hr_socket_row row = {
		.id = id, .at_ns = EPOCH_NS, .first_ns = EPOCH_NS + id * MS, .process = 7, .flow = 3, .role = HR_ROLE_SERVER,
		.family = AF_INET, .local_port = 8000, .peer_port = 40000 + id, .has_tcp = 1, .tcp_state = 1,
	};

	inet_pton(AF_INET6, "::ffff:127.0.0.1", row.local);
	inet_pton(AF_INET6, "::ffff:10.1.2.3", row.peer);
	return row;
}

static struct hr_socket_row unix_socket(uint64_t id, enum hr_role role)
{
	struct hr_socket_row row = { .id = id, .at_ns = EPOCH_NS, .first_ns = EPOCH_NS, .process = 7, .flow = 3, .role = role,
				     .family = AF_UNIX, .path_bytes = 10 };

	strcpy(row.path, "/run/x.sk");
	return row;
}

static void end(struct hr_socket_row row, uint64_t at_ns, enum hr_ending ending)
{
	row.at_ns = EPOCH_NS + at_ns;
	row.ending = ending;
	row.ended = 1;
	ended[fake.ended_count++] = row;
}

static void a_connection_has_one_row_with_all_that_it_did_when_it_ends(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_socket_row row;

	begin_run(scratch);
	run_base(0);
	sockets[0] = tcp(1);
	pass_with(1, SECOND);
	row = tcp(1);
	row.requests = 9;
	row.reads = 10;
	row.writes = 11;
	row.bytes_in = 12;
	row.bytes_out = 13;
	row.send_full_ns = 14;
	row.srtt_us = 15;
	row.min_rtt_us = UINT32_MAX;
	row.retransmits = 16;
	row.lost = 17;
	row.reordered = 18;
	row.segments_in = 19;
	row.segments_out = 20;
	row.state_changes = 21;
	end(row, 1500 * MS, HR_ENDING_PEER);
	pass_with(1, 2 * SECOND); /* it ended while the list was made: it is still on it */
	pass_with(0, 3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT connection_id, flow_id, local, peer, first_ns, last_ns, ending, multiplexed, requests, reads, writes, "
		    "in_bytes, out_bytes, send_full_ns, srtt_ns, min_rtt_ns, retransmits, lost, reordered, in_segments, "
		    "out_segments, state_changes FROM connections",
		    "1 30 127.0.0.1:8000 10.1.2.3:40001 1000000 1500000000 peer null 9 10 11 12 13 14 15000 null 16 17 18 19 20 21");
	run_close();
}

static void connections_that_are_open_at_the_end_have_their_rows_then(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run_base(0);
	sockets[0] = tcp(1);
	sockets[1] = tcp(2);
	sockets[1].flow = 0;
	sockets[2] = unix_socket(3, HR_ROLE_NONE); /* of no interest */
	pass_with(3, SECOND);
	sockets[0].requests = 5;
	pass_with(3, 2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT connection_id, flow_id, last_ns, ending, requests FROM connections",
		    "1 30 null open 5 2 null null open 0");
	run_close();
}

static void a_unix_connection_ends_when_it_is_no_longer_listed(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run_base(0);
	sockets[0] = unix_socket(4, HR_ROLE_SERVER);
	sockets[1] = unix_socket(5, HR_ROLE_DOWNSTREAM);
	sockets[2] = unix_socket(6, HR_ROLE_SERVER);
	sockets[0].reads = 3;
	pass_with(3, SECOND);
	flow_ids[3] = 0; /* its process is gone, and the flow was taken back */
	sockets[0] = sockets[2];
	pass_with(1, 2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT connection_id, flow_id, local, peer, last_ns, reads, srtt_ns, retransmits, state_changes, zero_window_ns "
		    "FROM connections ORDER BY connection_id",
		    "4 30 /run/x.sk null 2000000000 3 null null null null "
		    "5 30 null /run/x.sk 2000000000 0 null null null null "
		    "6 null /run/x.sk null null 0 null null null null");
	run_close();
}

static void the_requests_of_a_multiplexed_connection_are_not_known(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run_base(0);
	sockets[0] = tcp(1);
	sockets[0].requests = 17;
	sockets[0].multiplexed = HR_MULTIPLEXED_OVERLAP | HR_MULTIPLEXED_HTTP2;
	pass_with(1, SECOND);
	run_finish(scratch);
	assert_rows("SELECT multiplexed, requests FROM connections", "http2 null");
	run_close();
}

static void ends_are_found_among_connections_that_stay(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run_base(0);
	for (int i = 0; i < 6; i++)
		sockets[i] = tcp(10 + 2 * i); /* 10 12 14 16 18 20 */
	pass_with(6, SECOND);
	end(tcp(16), 1900 * MS, HR_ENDING_RESET_IN); /* in the order in which they ended */
	end(tcp(11), 1901 * MS, HR_ENDING_LOCAL);    /* lived between two passes */
	end(tcp(20), 1902 * MS, HR_ENDING_RESET_OUT);
	sockets[2] = sockets[4];
	pass_with(3, 2 * SECOND); /* 10 12 18: 14 vanished, too late for the ring */
	run_finish(scratch);
	assert_rows("SELECT connection_id, ending, last_ns FROM connections ORDER BY connection_id",
		    "10 open null 11 local 1901000000 12 open null 14 open 2000000000 16 reset_in 1900000000 18 open null "
		    "20 reset_out 1902000000");
	run_close();
}

static void a_connection_of_a_process_that_just_came_waits_for_its_flow(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_socket_row row = tcp(1);

	begin_run(scratch);
	run_base(0);
	row.flow = 9;
	end(row, 100 * MS, HR_ENDING_LOCAL);
	row = tcp(2);
	row.flow = 8; /* which never comes */
	end(row, 200 * MS, HR_ENDING_LOCAL);
	sockets[0] = row; /* and ended while the list was made */
	pass_with(1, SECOND);
	flow_ids[9] = 90;
	pass_with(0, 2 * SECOND);
	end(row, 2500 * MS, HR_ENDING_LOCAL);
	ended[0].id = 3;
	run.drain.last = true;
	pass_with(0, 3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT connection_id, flow_id, last_ns FROM connections ORDER BY connection_id",
		    "1 90 100000000 2 null 200000000 3 null 2500000000");
	run_close();
}

static void times_in_jiffies_are_null_until_the_jiffy_is_known(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_socket_row row = tcp(1);

	begin_run(scratch);
	run_base(0);
	row.jiffies = 1000;
	row.zero_window_jiffies = 5;
	end(row, 0, HR_ENDING_LOCAL);
	pass_with(0, 50 * MS);
	row.id = 2;
	row.jiffies = 1250;
	end(row, SECOND, HR_ENDING_LOCAL);
	pass_with(0, SECOND);
	run_finish(scratch);
	assert_rows("SELECT zero_window_ns, send_limited_ns FROM connections ORDER BY connection_id", "null null 20000000 0");
	run_close();
}

static void a_jiffy_is_one_of_those_that_a_kernel_can_have(void **state)
{
	static const struct {
		uint64_t jiffies_per_s, expected_ns;
	} cases[] = { { 99, 100000000 }, { 101, 100000000 }, { 249, 40000000 }, { 262, 40000000 }, { 297, 33333333 },
		      { 990, 10000000 }, { 1010, 10000000 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hr_jiffy jiffy = { 0 };

		hr_jiffy_see(&jiffy, 9 * SECOND, 4294937296 + cases[i].jiffies_per_s);
		assert_int_equal(hr_jiffy_ns(&jiffy, 10), HR_NULL);
		hr_jiffy_see(&jiffy, 1, 0); /* not known */
		hr_jiffy_see(&jiffy, 8 * SECOND, 4294937296);
		assert_int_equal(hr_jiffy_ns(&jiffy, 10), cases[i].expected_ns);
	}
}

static void a_listening_socket_has_a_row_per_interval_with_the_drops_of_that(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_socket_row *row = &sockets[0];

	begin_run(scratch);
	*row = tcp(1);
	row->role = HR_ROLE_LISTENER;
	inet_pton(AF_INET6, "::", row->local);
	row->drops = 100;
	run.drain.sockets = sockets;
	run.drain.socket_count = 1;
	run_base(0);
	row->drops = 103;
	row->backlog = 2;
	row->backlog_highest = 5;
	row->backlog_max = 4;
	pass_with(1, SECOND);
	row->backlog_highest = 1; /* nobody came */
	pass_with(1, 2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT * FROM listeners", "1 70 tcp [::]:8000 2 5 4 3 2 70 tcp [::]:8000 2 2 4 0");
	assert_rows("SELECT count(*) FROM connections", "0");
	run_close();
}

static void drops_from_before_a_listener_was_known_are_not_of_this_interval(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run_base(0);
	for (int i = 0; i < 2; i++) {
		sockets[i] = tcp(i + 1);
		sockets[i].role = HR_ROLE_LISTENER;
		sockets[i].drops = 7;
	}
	sockets[0].process = 8;	      /* that nobody knows yet */
	sockets[1].state_changes = 1; /* it was seen to begin */
	pass_with(2, SECOND);
	run_finish(scratch);
	assert_rows("SELECT process_id, drops FROM listeners", "null null 70 7");
	run_close();
}

static void open_connections_beyond_the_bound_are_counted(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run_base(0);
	for (size_t i = 0; i < FAKE_SOCKETS; i++)
		sockets[i] = tcp(i + 1);
	pass_with(FAKE_SOCKETS - 1, SECOND);
	pass_with(FAKE_SOCKETS, 2 * SECOND);
	pass_with(FAKE_SOCKETS - 2, 3 * SECOND);
	assert_int_equal(run.drain.sockets_unlisted, FAKE_SOCKETS - 65536);
	run_finish(scratch);
	assert_rows("SELECT count(*), max(connection_id), count(last_ns) FROM connections", "65536 65536 0");
	run_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_connection_has_one_row_with_all_that_it_did_when_it_ends),
		scratch_test(connections_that_are_open_at_the_end_have_their_rows_then),
		scratch_test(a_unix_connection_ends_when_it_is_no_longer_listed),
		scratch_test(the_requests_of_a_multiplexed_connection_are_not_known),
		scratch_test(ends_are_found_among_connections_that_stay),
		scratch_test(a_connection_of_a_process_that_just_came_waits_for_its_flow),
		scratch_test(times_in_jiffies_are_null_until_the_jiffy_is_known),
		cmocka_unit_test(a_jiffy_is_one_of_those_that_a_kernel_can_have),
		scratch_test(a_listening_socket_has_a_row_per_interval_with_the_drops_of_that),
		scratch_test(drops_from_before_a_listener_was_known_are_not_of_this_interval),
		scratch_test(open_connections_beyond_the_bound_are_counted),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
