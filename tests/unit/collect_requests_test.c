/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>

#include "run_fixture.h"

#include "fake_probes.h"

/* A flow of the process in slot 7. */
static struct hr_flow *open_flow(uint32_t id, enum hr_role role, uint16_t port)
{
	struct hr_flow *flow = fake.flows[id];

	flow->key = (struct hr_flow_key){ .process = 7, .role = role, .transport = HR_TRANSPORT_TCP, .port = port };
	return flow;
}

/* What the programs add for one request: times since the run's start. */
static void arrive(struct hr_flow *shard, uint64_t at_ns)
{
	shard->arrivals++;
	shard->arrived_ns += EPOCH_NS + at_ns;
}

static void depart(struct hr_flow *shard, uint64_t at_ns)
{
	shard->requests++;
	shard->departures++;
	shard->departed_ns += EPOCH_NS + at_ns;
}

static void take(uint32_t flow, enum hr_stage stage, uint32_t record, uint32_t shard, uint64_t time_ns)
{
	struct hr_stage_hist *hist = &fake.stages[record][shard];

	fake.flows[flow][0].stage_record[stage] = record;
	hist->count++;
	hist->total_ns += time_ns;
	hist->slots[hr_hist_slot(time_ns, HR_STAGE_BITS, HR_STAGE_SLOTS)]++;
}

static void each_interval_has_what_grew_in_it_over_all_shards(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(3, HR_ROLE_SERVER, 8000);
	shards[0].reads = 4;
	shards[0].bytes_in = 100;
	shards[1].reads = 2;
	shards[1].send_full = 1;
	shards[1].send_full_ns = 9;
	run_pass(SECOND);
	shards[1].reads = 5;
	shards[1].opened = 1;
	run_pass(2 * SECOND);
	run_pass(3 * SECOND); /* nothing happened */
	run_finish(scratch);
	assert_rows("SELECT * FROM flows", "1 70 server tcp :8000");
	assert_rows("SELECT interval_id, flow_id, reads, in_bytes, send_full, send_full_ns, opened, requests, in_flight_ns "
		    "FROM traffic ORDER BY interval_id",
		    "1 1 6 100 1 9 0 0 0 2 1 3 0 0 0 1 0 0");
	run_close();
}

static void requests_in_flight_are_their_time_within_the_interval(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	arrive(&shards[0], 200 * MS); /* 500 ms, all in the first second */
	depart(&shards[1], 700 * MS);
	arrive(&shards[1], 900 * MS); /* 100 ms in the first, a second in the next, 300 ms in the last */
	run_pass(SECOND);
	run_pass(2 * SECOND); /* no event, but a request in flight */
	depart(&shards[0], 2300 * MS);
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT requests, in_flight_ns FROM traffic ORDER BY interval_id", "1 600000000 0 1000000000 1 300000000");
	run_close();
}

static void what_comes_just_after_the_interval_is_never_below_zero_in_it(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	arrive(&shards[0], SECOND + 1000); /* read with the first second all the same */
	run_pass(SECOND);
	depart(&shards[0], SECOND + 501000);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT in_flight_ns FROM traffic ORDER BY interval_id", "0 501000");
	run_close();
}

static void requests_in_flight_from_before_the_base_count_from_there(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	arrive(&shards[0], 100 * MS);
	depart(&shards[0], 200 * MS);
	arrive(&shards[0], 300 * MS);
	run_base(SECOND);
	depart(&shards[0], 1250 * MS);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, requests, in_flight_ns FROM traffic", "1 1 250000000");
	run_close();
}

static void requests_in_flight_are_those_of_connections_that_are_not_multiplexed(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	arrive(&shards[0], 100 * MS);
	depart(&shards[0], 200 * MS);
	shards[1].multiplexed = 1;
	shards[1].multiplexed_reads = 12;
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT requests, multiplexed_reads, in_flight_ns FROM traffic", "1 12 100000000");
	run_close();
}

static void a_flow_waits_for_the_id_of_its_process_and_loses_nothing(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	shards->key.process = 8;
	shards->reads = 5;
	run_pass(SECOND);
	assert_int_equal(run.drain.flow_ids[1], 0);
	fake.process_ids[8] = 80;
	run_pass(2 * SECOND);
	assert_int_equal(run.drain.flow_ids[1], 1);
	run_finish(scratch);
	assert_rows("SELECT process_id FROM flows", "80");
	assert_rows("SELECT interval_id, reads FROM traffic", "2 5");
	run_close();
}

static void a_record_that_is_handed_out_again_is_another_flow_and_begins_at_zero(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	shards->reads = 50;
	shards->state_ns[HR_STATE_USER] = 5000;
	take(1, HR_STAGE_TOTAL, 5, 0, 1000);
	take(1, HR_STAGE_TOTAL, 5, 0, 1000);
	run_pass(SECOND);
	/* user space took it back, and the kernel gives it and its histogram to somebody else */
	memset(fake.flows[1], 0, sizeof(fake.flows[1]));
	memset(fake.stages[5], 0, sizeof(fake.stages[5]));
	run_pass(2 * SECOND);
	assert_int_equal(run.drain.flow_ids[1], 0);
	open_flow(1, HR_ROLE_SERVER, 81);
	shards->generation = 1;
	shards->reads = 60;
	shards->state_ns[HR_STATE_USER] = 100;
	run_pass(3 * SECOND);
	take(1, HR_STAGE_TOTAL, 5, 0, 3);
	take(1, HR_STAGE_TOTAL, 5, 0, 3);
	take(1, HR_STAGE_TOTAL, 5, 1, 3);
	run_pass(4 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT flow_id, endpoint FROM flows", "1 :80 2 :81");
	assert_rows("SELECT interval_id, flow_id, reads FROM traffic", "1 1 50 3 2 60");
	assert_rows("SELECT flow_id, state, time_ns FROM request_states", "1 user 5000 2 user 100");
	assert_rows("SELECT interval_id, flow_id, count, total_ns FROM request_stages", "1 1 2 2000 4 2 3 9");
	assert_rows("SELECT interval_id, flow_id, low_ns, high_ns, count FROM requests", "1 1 992 1008 2 4 2 3 4 3");
	run_close();
}

static void the_slots_of_a_stage_are_those_of_the_interval(void **state)
{
	const struct scratch *scratch = *state;

	run_open(scratch, &hr_family_requests);
	open_flow(2, HR_ROLE_DOWNSTREAM, 5432);
	inet_pton(AF_INET6, "::ffff:10.0.0.7", fake.flows[2][0].key.address);
	take(2, HR_STAGE_WAIT, 1, 0, 640);
	run_base(0);
	take(2, HR_STAGE_WAIT, 1, 0, 640);
	take(2, HR_STAGE_WAIT, 1, 1, 649);
	take(2, HR_STAGE_QUEUE, 2, 1, 1 << 20);
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT role, endpoint FROM flows", "downstream 10.0.0.7:5432");
	assert_rows("SELECT stage, low_ns, high_ns, count FROM requests ORDER BY low_ns",
		    "wait 640 656 2 queue 1048576 1081344 1");
	assert_rows("SELECT stage, count, total_ns FROM request_stages ORDER BY stage", "queue 1 1048576 wait 2 1289");
	run_close();
}

static void time_that_the_estimate_takes_back_is_made_up_for_later(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 80);
	shards[0].state_ns[HR_STATE_USER] = 1000;
	shards[0].handoff_ns = 3;
	run_pass(SECOND);
	shards[1].state_ns[HR_STATE_USER] -= 200;
	run_pass(2 * SECOND);
	shards[1].state_ns[HR_STATE_USER] += 700;
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, state, time_ns FROM request_states", "1 user 1000 1 handoff 3 3 user 500");
	run_close();
}

static void the_progress_line_is_about_server_flows(void **state)
{
	const struct scratch *scratch = *state;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	run_pass(SECOND);
	assert_int_equal(run.drain.totals.requests, 0);
	assert_true(run.drain.totals.in_flight == 0);
	assert_true(isnan(run.drain.totals.request_p99_ns));
	open_flow(1, HR_ROLE_SERVER, 80)->requests = 7;
	open_flow(2, HR_ROLE_SERVER, 81)->requests = 5;
	open_flow(3, HR_ROLE_DOWNSTREAM, 82)->requests = 900;
	arrive(fake.flows[1], 1500 * MS);
	for (int i = 0; i < 98; i++)
		take(1, HR_STAGE_TOTAL, 1, 0, 100);
	take(2, HR_STAGE_TOTAL, 2, 0, 500); /* of 100 values that of rank 99 */
	take(2, HR_STAGE_TOTAL, 2, 0, 900);
	take(3, HR_STAGE_WAIT, 3, 0, 100000);
	run_pass(2 * SECOND);
	assert_int_equal(run.drain.totals.requests, 12);
	assert_true(fabs(run.drain.totals.in_flight - 0.5) < 1e-9);
	assert_true(fabs(run.drain.totals.request_p99_ns - 500) <= 500 / 64.0);
	run_finish(scratch);
	run_close();
}

/* Of 20 requests to a server behind, so many are asked by the target itself, at that address. */
static uint64_t requests_in_progress_line(const struct scratch *scratch, const char *asked_at, uint64_t asked)
{
	static struct hr_socket_row sockets[2];

	run_open(scratch, &hr_family_requests);
	run_base(0);
	open_flow(1, HR_ROLE_SERVER, 80)->requests = 7;
	open_flow(2, HR_ROLE_SERVER, 9000)->requests = 20;
	open_flow(3, HR_ROLE_DOWNSTREAM, 9000)->requests = asked;
	inet_pton(AF_INET6, asked_at, fake.flows[3][0].key.address);
	take(1, HR_STAGE_TOTAL, 1, 0, 100);
	take(2, HR_STAGE_TOTAL, 2, 0, 5000);
	for (int i = 0; i < 2; i++) {
		sockets[i] = (struct hr_socket_row){ .id = i + 1, .flow = i + 1, .role = HR_ROLE_SERVER, .family = AF_INET,
						     .local_port = i ? 9000 : 80 };
		inet_pton(AF_INET6, "::ffff:10.0.0.5", sockets[i].local);
	}
	run.drain.sockets = sockets;
	run.drain.socket_count = 2;
	run_pass(SECOND);
	run.drain.socket_count = 0; /* its address is remembered */
	fake.flows[1][0].requests += 7;
	fake.flows[2][0].requests += 20;
	fake.flows[3][0].requests += asked;
	take(1, HR_STAGE_TOTAL, 1, 0, 100);
	take(2, HR_STAGE_TOTAL, 2, 0, 5000);
	run_pass(2 * SECOND);
	run_finish(scratch);
	run_close();
	assert_int_equal(unlink(scratch->run), 0);
	assert_true(run.drain.totals.requests == 27 ? run.drain.totals.request_p99_ns > 4000 : run.drain.totals.request_p99_ns < 200);
	return run.drain.totals.requests;
}

static void the_progress_line_counts_a_request_once_that_one_server_of_the_target_asks_another(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(requests_in_progress_line(scratch, "::ffff:10.0.0.5", 20), 7);
	assert_int_equal(requests_in_progress_line(scratch, "::ffff:10.0.0.5", 10), 7);
	assert_int_equal(requests_in_progress_line(scratch, "::ffff:10.0.0.5", 9), 27); /* the most come from outside */
	assert_int_equal(requests_in_progress_line(scratch, "::ffff:10.0.0.6", 20), 27); /* another's server on that port */
}

static void the_progress_line_has_no_requests_where_they_cannot_be_told_apart(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *flow;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	flow = open_flow(1, HR_ROLE_SERVER, 80);
	flow->requests = 300;
	flow->reads = 303;
	flow->multiplexed_reads = 3; /* of 303: one odd client */
	arrive(flow, 500 * MS);
	take(1, HR_STAGE_TOTAL, 1, 0, 100);
	run_pass(SECOND);
	assert_int_equal(run.drain.totals.requests, 300);
	assert_true(fabs(run.drain.totals.in_flight - 0.5) < 1e-9);
	flow->requests += 300;
	flow->reads += 304;
	flow->multiplexed_reads += 4;
	take(1, HR_STAGE_TOTAL, 1, 0, 100);
	run_pass(2 * SECOND);
	assert_int_equal(run.drain.totals.requests, 0);
	assert_true(isnan(run.drain.totals.in_flight));
	assert_true(isnan(run.drain.totals.request_p99_ns));
	run_finish(scratch);
	assert_rows("SELECT requests, in_flight_ns FROM traffic", "300 500000000 300 1000000000");
	run_close();
}

static void with_a_request_probe_only_its_calls_are_requests(void **state)
{
	const struct scratch *scratch = *state;

	run_open(scratch, &hr_family_requests);
	run.drain.request_probe = "./server:handle";
	run_base(0);
	open_flow(1, HR_ROLE_SERVER, 80)->requests = 7;
	open_flow(2, HR_ROLE_PROBE, 0)->requests = 5;
	fake.flows[2][0].key.transport = HR_TRANSPORT_FUNCTION;
	take(2, HR_STAGE_TOTAL, 2, 0, 500);
	run_pass(SECOND);
	assert_int_equal(run.drain.totals.requests, 5);
	assert_true(fabs(run.drain.totals.request_p99_ns - 500) <= 500 / 64.0);
	run_finish(scratch);
	assert_rows("SELECT role, transport, endpoint FROM flows WHERE flow_id = 2", "probe function ./server:handle");
	run_close();
}

static void unix_flows_have_their_path_and_no_count_of_ends(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_flow *shards;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	shards = open_flow(1, HR_ROLE_SERVER, 0);
	shards->key.transport = HR_TRANSPORT_UNIX;
	shards->path_bytes = 14;
	strcpy(shards->path, "/run/app.sock");
	shards->reads = 1;
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT transport, endpoint FROM flows", "unix /run/app.sock");
	assert_rows("SELECT reads, opened, closed FROM traffic", "1 0 null");
	run_close();
}

static void a_gap_in_the_records_does_not_hide_those_behind_it(void **state)
{
	const struct scratch *scratch = *state;

	run_open(scratch, &hr_family_requests);
	run_base(0);
	for (uint32_t flow = 1; flow < FAKE_FLOWS - 1; flow++)
		open_flow(flow, HR_ROLE_DOWNSTREAM, flow)->reads = 1;
	run_pass(SECOND);
	for (uint32_t flow = 1; flow < FAKE_FLOWS - 2; flow++) /* all but one are gone */
		memset(fake.flows[flow], 0, sizeof(fake.flows[flow]));
	fake.flows[FAKE_FLOWS - 2][0].reads = 9;
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT flow_id, reads FROM traffic WHERE interval_id = 2", "254 8");
	run_close();
}

static void without_hooks_nothing_is_known_of_requests(void **state)
{
	const struct scratch *scratch = *state;

	run_open(scratch, &hr_family_requests);
	fake.has_no_requests = true;
	run_base(0);
	run_pass(SECOND);
	assert_true(isnan(run.drain.totals.in_flight));
	assert_true(isnan(run.drain.totals.request_p99_ns));
	run_finish(scratch);
	assert_rows("SELECT count(*) FROM flows", "0");
	run_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(each_interval_has_what_grew_in_it_over_all_shards),
		scratch_test(requests_in_flight_are_their_time_within_the_interval),
		scratch_test(what_comes_just_after_the_interval_is_never_below_zero_in_it),
		scratch_test(requests_in_flight_from_before_the_base_count_from_there),
		scratch_test(requests_in_flight_are_those_of_connections_that_are_not_multiplexed),
		scratch_test(the_progress_line_counts_a_request_once_that_one_server_of_the_target_asks_another),
		scratch_test(the_progress_line_has_no_requests_where_they_cannot_be_told_apart),
		scratch_test(a_flow_waits_for_the_id_of_its_process_and_loses_nothing),
		scratch_test(a_record_that_is_handed_out_again_is_another_flow_and_begins_at_zero),
		scratch_test(the_slots_of_a_stage_are_those_of_the_interval),
		scratch_test(time_that_the_estimate_takes_back_is_made_up_for_later),
		scratch_test(the_progress_line_is_about_server_flows),
		scratch_test(with_a_request_probe_only_its_calls_are_requests),
		scratch_test(unix_flows_have_their_path_and_no_count_of_ends),
		scratch_test(a_gap_in_the_records_does_not_hide_those_behind_it),
		scratch_test(without_hooks_nothing_is_known_of_requests),
	};

	return cmocka_run_group_tests_name("collect requests", tests, NULL, NULL);
}
