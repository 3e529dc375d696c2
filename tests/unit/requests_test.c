/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_fixture.h"

#include <math.h>
#include <sqlite3.h>

#include "store/tables.h"

/* What a run says of requests and the network: the summary of it, and its views. */

static void assert_near(double actual, double expected)
{
	if (!(fabs(actual - expected) < 1e-9 * fmax(1, fabs(expected))))
		fail_msg("%.12g is not %.12g", actual, expected);
}

static int set_up_asked(void **state)
{
	return set_up_loaded(state, sample_write_asked);
}

static const struct hr_flow_summary *flow_of(const struct hr_summary *summary, const char *endpoint)
{
	for (size_t i = 0; i < summary->flow_count; i++)
		if (strcmp(summary->flows[i].endpoint, endpoint) == 0)
			return &summary->flows[i];
	fail_msg("no flow to %s", endpoint);
	return NULL;
}

/* The first row's first column; NAN: null. */
static double value_of(const char *path, const char *sql)
{
	sqlite3_stmt *query = NULL;
	sqlite3 *db = NULL;
	double value;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) != SQLITE_OK || sqlite3_step(query) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	value = sqlite3_column_type(query, 0) == SQLITE_NULL ? NAN : sqlite3_column_double(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(db);
	return value;
}

static void processes_of_one_name_on_one_port_are_one_flow(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_flow_summary *flow = &summary->flows[0];

	assert_int_equal(summary->flow_count, 4);
	assert_string_equal(flow->endpoint, ":8080");
	assert_string_equal(flow->process, "nginx");
	assert_string_equal(flow->transport, "tcp");
	assert_int_equal(flow->role, HR_ROLE_SERVER);
	assert_int_equal(flow->process_count, 2);
	assert_int_equal(flow->requests.requests, 6000);
	assert_int_equal(flow->requests.unanswered, 2);
	assert_near(flow->requests.throughput_rps, 2000);
	assert_int_equal(flow->requests.reads, 6000);
	assert_int_equal(flow->in_bytes, 600000);
	assert_int_equal(flow->out_bytes, 5400000);
	assert_int_equal(flow->opened, 32);
	assert_int_equal(flow->closed, 12);
	assert_int_equal(flow->resets_in, 1);
	assert_int_equal(flow->resets_out, 2);
	assert_int_equal(flow->retransmits, 7);
	assert_int_equal(flow->send_full, 5);
	assert_int_equal(flow->send_full_ns, 10 * MS);
}

static void in_flight_is_counted_and_by_littles_law(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_near(summary->flows[0].requests.in_flight, 12.03 / 3);
	assert_near(summary->flows[0].requests.in_flight_little, 2000 * 0.002);
	/* of a peer, by the time until it answers */
	assert_near(flow_of(summary, "127.0.0.1:9000")->requests.in_flight_little, 100 * 0.0005);
	assert_near(flow_of(summary, "127.0.0.1:9000")->requests.in_flight, 0.05);
}

static void stages_have_exact_means_and_percentiles_of_all_processes(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_stage_summary *stages = summary->flows[0].requests.stages;

	assert_int_equal(stages[HR_STAGE_TOTAL].count, 6000);
	assert_near(hr_stage_mean_ns(&stages[HR_STAGE_TOTAL]), 2 * MS);
	assert_int_equal(stages[HR_STAGE_TOTAL].latency.count, 6000);
	assert_near(stages[HR_STAGE_TOTAL].latency.p50_ns, (1000000 + 1031249) / 2.0);
	assert_near(stages[HR_STAGE_TOTAL].latency.p90_ns, (4000000 + 4124999) / 2.0);
	assert_near(stages[HR_STAGE_TOTAL].latency.p99_ns, (4000000 + 4124999) / 2.0); /* rank 5,940 is the last of them */
	assert_near(hr_stage_mean_ns(&stages[HR_STAGE_QUEUE]), 1.5 * MS);
	assert_near(hr_stage_mean_ns(&stages[HR_STAGE_SERVICE]), 0.5 * MS);
	assert_int_equal(stages[HR_STAGE_ACCEPT].count, 0);
	assert_true(isnan(hr_stage_mean_ns(&stages[HR_STAGE_ACCEPT])));
	assert_true(isnan(stages[HR_STAGE_ACCEPT].latency.p50_ns));
}

static void the_service_time_is_split_by_state(void **state)
{
	const struct hr_budget *budget = &((struct fixture *)*state)->summary->requests.budget;

	assert_int_equal(budget->requests, 4000);
	assert_int_equal(budget->state_ns[HR_STATE_USER], 1200 * MS);
	assert_int_equal(budget->state_ns[HR_STATE_RUNQ], 400 * MS);
	assert_int_equal(budget->state_ns[HR_STATE_FUTEX], 300 * MS);
	assert_int_equal(budget->handoff_ns, 100 * MS);
	assert_int_equal(hr_budget_total_ns(budget), 2000 * MS);
}

static void the_run_is_its_front_flows_only(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_true(summary->requests_known);
	assert_true(flow_of(summary, ":8080")->is_front);
	assert_false(flow_of(summary, ":9000")->is_front); /* nginx asks it */
	assert_int_equal(flow_of(summary, ":9000")->requests.requests, 300);
	assert_int_equal(summary->requests.requests, 6000);
	assert_near(summary->requests.throughput_rps, 2000);
	assert_near(summary->requests.in_flight, 4.01);
	assert_near(summary->requests.in_flight_little, 4);
	assert_near(summary->requests.stages[HR_STAGE_TOTAL].latency.p90_ns, (4000000 + 4124999) / 2.0);
	assert_int_equal(summary->requests.stages[HR_STAGE_WAIT].count, 0);
	/* the run's own first, then servers, then peers by what they did */
	assert_string_equal(summary->flows[1].endpoint, ":9000");
	assert_string_equal(summary->flows[2].endpoint, "127.0.0.1:9000");
	assert_string_equal(summary->flows[3].endpoint, "/run/cache.sock");
}

static void connections_are_counted_by_how_they_ended(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_flow_summary *flow = &summary->flows[0], *cache = flow_of(summary, "/run/cache.sock");

	assert_int_equal(flow->listed, 5);
	assert_int_equal(flow->open, 2);
	assert_int_equal(flow->endings[HR_ENDING_OPEN], 2);
	assert_int_equal(flow->endings[HR_ENDING_PEER], 1);
	assert_int_equal(flow->endings[HR_ENDING_LOCAL], 1);
	assert_int_equal(flow->endings[HR_ENDING_RESET_IN], 1);
	assert_int_equal(flow->endings[HR_ENDING_FAILED], 0);
	assert_int_equal(flow->srtt_median_ns, 2 * MS); /* of 1, 2, 3 and 40 ms: the lower middle */
	assert_int_equal(flow->srtt_worst_ns, 40 * MS);
	assert_int_equal(flow->min_rtt_ns, MS / 2);
	assert_int_equal(flow->zero_window_ns, 24 * MS);
	assert_int_equal(flow->reordered, 10);
	assert_int_equal(flow->out_segments, 100);
	assert_int_equal(flow_of(summary, "127.0.0.1:9000")->connect_failures, 7);
	/* a unix socket has none of that */
	assert_int_equal(cache->closed, HR_NULL);
	assert_int_equal(cache->srtt_median_ns, HR_NULL);
	assert_int_equal(cache->zero_window_ns, HR_NULL);
	assert_int_equal(cache->out_segments, HR_NULL);
}

static void listeners_have_the_fullest_and_all_that_was_dropped(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_int_equal(summary->listener_count, 2);
	assert_string_equal(summary->listeners[0].process, "nginx");
	assert_string_equal(summary->listeners[0].address, "0.0.0.0:8080");
	assert_int_equal(summary->listeners[0].backlog_highest, 129);
	assert_int_equal(summary->listeners[0].backlog_max, 128);
	assert_int_equal(summary->listeners[0].drops, 37);
	assert_int_equal(summary->listeners[1].drops, HR_NULL);
	assert_int_equal(summary->counter_count, 2);
	assert_string_equal(summary->counters[0].name, "ListenOverflows");
	assert_int_equal(summary->counters[0].count, 37);
	assert_int_equal(summary->counters[1].count, HR_NULL);
}

static void requests_that_cannot_be_told_apart_are_not_a_number(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_summary *summary;

	sample_write_multiplexed(fixture->path);
	summary = fixture->summary = sample_load(fixture->path);
	assert_int_equal(summary->flows[0].requests.requests, HR_NULL);
	assert_int_equal(summary->flows[0].requests.counted, 40);
	assert_int_equal(summary->flows[0].requests.multiplexed_reads, 5000);
	assert_int_equal(summary->flows[0].multiplexed[1], 1); /* batch */
	assert_true(isnan(summary->flows[0].requests.throughput_rps));
	assert_true(isnan(summary->flows[0].requests.in_flight) && isnan(summary->flows[0].requests.in_flight_little));
	assert_int_equal(summary->requests.requests, HR_NULL);
	assert_true(isnan(summary->requests.throughput_rps) && isnan(summary->requests.in_flight));
	/* the queue is known all the same */
	assert_int_equal(summary->requests.stages[HR_STAGE_QUEUE].count, 5040);
	assert_near(summary->requests.stages[HR_STAGE_QUEUE].latency.p50_ns, (10240 + 10495) / 2.0);
}

static void one_odd_client_does_not_take_away_the_numbers_of_the_others(void **state)
{
	struct fixture *fixture = *state;

	for (int64_t odd_reads = 60; odd_reads <= 61; odd_reads++) {
		const struct hr_request_summary *run, *flow;
		bool known = odd_reads == 60; /* of 6,060 at most one in 100, and of 6,061 more */

		hr_summary_free(fixture->summary);
		sample_write_odd_client(fixture->path, odd_reads);
		fixture->summary = sample_load(fixture->path);
		run = &fixture->summary->requests;
		flow = &fixture->summary->flows[0].requests;
		assert_int_equal(flow->requests, known ? 6000 : HR_NULL);
		assert_int_equal(run->requests, known ? 6000 : HR_NULL);
		assert_int_equal(run->multiplexed_reads, odd_reads);
		assert_int_equal(run->multiplexed_connections, 1);
		assert_int_equal(isnan(run->throughput_rps), !known);
		assert_int_equal(isnan(run->in_flight), !known);
		assert_int_equal(isnan(flow->in_flight), !known);
		assert_int_equal(isnan(value_of(fixture->path, "SELECT throughput_rps FROM v_request_intervals")), !known);
		assert_int_equal(isnan(value_of(fixture->path, "SELECT in_flight FROM v_request_intervals")), !known);
		assert_int_equal(isnan(value_of(fixture->path, "SELECT p99_us FROM v_request_intervals")), !known);
		if (known) {
			assert_near(run->throughput_rps, 2000);
			assert_near(run->in_flight, 1);
			assert_near(run->in_flight_little, 1);
		}
	}
}

/* By far the most of the run can be counted: what the other port has of requests is left out. */
static void a_flow_that_cannot_be_counted_leaves_the_run_its_number_if_it_is_small(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, flows, 1, 2, "server", "tcp", ":8080");
	SAMPLE(writer, flows, 2, 2, "server", "tcp", ":8443");
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 9900, .in_flight_ns = 1500 * MS, .reads = 9900,
	       .writes = 9900, .in_bytes = 1, .out_bytes = 1, .opened = 1);
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 2, .requests = 10, .multiplexed_reads = 90, .reads = 100,
	       .writes = 100, .in_bytes = 1, .out_bytes = 1, .opened = 1);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(flow_of(fixture->summary, ":8443")->requests.requests, HR_NULL);
	assert_int_equal(fixture->summary->requests.requests, 9910);
	assert_near(fixture->summary->requests.in_flight, 0.5);
}

/* A run of one server that was asked 30 times, and one peer that the target asks. local: of a connection to that server. */
struct pair {
	const char *transport, *server, *peer, *local;
	int64_t asked; /* questions to the peer */
	bool is_front;
};

static const struct hr_summary *load_pair(struct fixture *fixture, const struct pair *pair)
{
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	hr_summary_free(fixture->summary);
	sample_intervals(writer);
	SAMPLE(writer, flows, 1, 1, "server", pair->transport, pair->server);
	SAMPLE(writer, flows, 2, 1, "downstream", pair->transport, pair->peer);
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 10, .reads = 10, .writes = 10, .in_bytes = 1,
	       .out_bytes = 1, .opened = 1);
	SAMPLE(writer, traffic, .interval_id = 2, .flow_id = 1, .requests = 20, .reads = 20, .writes = 20, .in_bytes = 2,
	       .out_bytes = 2, .opened = 1);
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 2, .requests = pair->asked - 1, .reads = 30, .writes = 30,
	       .in_bytes = 3, .out_bytes = 3, .opened = 1);
	SAMPLE(writer, traffic, .interval_id = 2, .flow_id = 2, .requests = 1, .reads = 30, .writes = 30, .in_bytes = 3,
	       .out_bytes = 3, .opened = 1);
	for (int64_t id = 1; id <= 2; id++)
		SAMPLE(writer, connections, .connection_id = id, .flow_id = 1, .local = pair->local, .peer = "10.0.0.1:41000",
		       .last_ns = HR_NULL, .ending = "open", .requests = 15, .reads = 15, .writes = 15, .in_bytes = 3,
		       .out_bytes = 3, .srtt_ns = MS, .min_rtt_ns = MS, .in_segments = 1, .out_segments = 1,
		       .state_changes = 1, .sending_ns = HR_NULL);
	sample_end(writer, true);
	return fixture->summary = sample_load(fixture->path);
}

static void a_server_that_is_mostly_asked_by_the_target_itself_is_no_front(void **state)
{
	static const struct pair pairs[] = {
		{ "tcp", ":8000", "127.0.0.1:8000", "127.0.0.1:8000", 30, false },
		{ "tcp", ":8000", "[::1]:8000", "[::1]:8000", 30, false },
		{ "tcp", ":8000", "10.0.0.5:8000", "10.0.0.5:8000", 30, false },
		{ "tcp", ":8000", "10.0.0.5:8000", "10.0.0.5:8000", 15, false },
		{ "tcp", ":8000", "10.0.0.5:8000", "10.0.0.5:8000", 14, true }, /* a health check, say */
		{ "tcp", ":8000", "10.0.0.6:8000", "10.0.0.5:8000", 30, true }, /* another host's */
		{ "tcp", ":8000", "127.0.0.2:8000", "127.0.0.1:8000", 30, true }, /* somebody else's on this host */
		{ "tcp", ":8000", "127.0.0.1:8000", "10.0.0.5:8000", 30, true },
		{ "tcp", ":80", "127.0.0.1:8080", "127.0.0.1:80", 30, true },
		{ "tcp", ":8000", "127.0.0.1:18000", "127.0.0.1:8000", 30, true },
		{ "unix", "/run/app.sock", "/run/app.sock", "/run/app.sock", 30, false },
		{ "unix", "/run/app.sock", "/run/app.sock", "/run/app.sock", 3, true },
		{ "unix", "/run/app.sock", "/run/db.sock", "/run/app.sock", 30, true },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct pair *pair = &pairs[i];
		const struct hr_summary *summary = load_pair(*state, pair);

		if (flow_of(summary, pair->server)->requests.requests != 30)
			fail_msg("row %zu: no requests", i);
		if ((summary->requests.requests == 30) != pair->is_front || summary->flows[0].is_front != pair->is_front)
			fail_msg("row %zu: %s is%s in front of %s", i, pair->server, pair->is_front ? " not" : "", pair->peer);
	}
}

/* Two processes of one name, on one port of two addresses: one asks the other. Two more share a socket, and are asked together. */
static void servers_on_one_port_are_told_apart_by_their_addresses(void **state)
{
	static const struct {
		const char *local;
		int64_t requests;
	} servers[] = { { "10.0.0.1:8000", 60 }, { "10.0.0.2:8000", 50 }, { "10.0.0.3:8000", 1 }, { "10.0.0.3:8000", 9 } };
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);
	const struct hr_summary *summary;

	sample_intervals(writer);
	for (int64_t i = 0; i < 4; i++) {
		SAMPLE(writer, processes, .process_id = i + 1, .pid = 100 + i, .parent_pid = 1, .name = "python3",
		       .command = "python3", .last_ns = HR_NULL);
		SAMPLE(writer, flows, i + 1, i + 1, "server", "tcp", ":8000");
		SAMPLE(writer, traffic, .interval_id = 1, .flow_id = i + 1, .requests = servers[i].requests, .reads = 60,
		       .writes = 60, .in_bytes = 1, .out_bytes = 1, .opened = 1);
		SAMPLE(writer, connections, .connection_id = i + 1, .flow_id = i + 1, .local = servers[i].local,
		       .peer = "10.0.0.9:41000", .last_ns = HR_NULL, .ending = "open", .requests = 60, .reads = 60,
		       .writes = 60, .in_bytes = 3, .out_bytes = 3, .srtt_ns = MS, .min_rtt_ns = MS, .in_segments = 1,
		       .out_segments = 1, .state_changes = 1, .sending_ns = HR_NULL);
	}
	SAMPLE(writer, flows, 5, 1, "downstream", "tcp", "10.0.0.2:8000");
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 5, .requests = 50, .reads = 50, .writes = 50, .in_bytes = 1,
	       .out_bytes = 1, .opened = 1);
	SAMPLE(writer, flows, 6, 1, "downstream", "tcp", "10.0.0.3:8000");
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 6, .requests = 4, .reads = 4, .writes = 4, .in_bytes = 1,
	       .out_bytes = 1, .opened = 1); /* of 10: both are front */
	sample_end(writer, true);
	summary = fixture->summary = sample_load(fixture->path);
	assert_int_equal(summary->requests.requests, 70);
	assert_int_equal(summary->flow_count, 4);
	assert_true(summary->flows[0].is_front);
	assert_int_equal(summary->flows[0].requests.requests, 70);
	assert_int_equal(summary->flows[0].process_count, 3);
	assert_false(summary->flows[1].is_front);
	assert_int_equal(summary->flows[1].requests.requests, 50);
}

/* Of HTTP/2, requests are no measure: the bytes are the same on both sides. */
static void a_multiplexed_server_that_the_target_asks_is_no_front(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 4; i++) {
		int64_t asked_bytes = i % 2 ? 600 : 400, server_marked = i < 2 ? 900 : 0, asker_marked = i < 2 ? 0 : 300;
		struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

		hr_summary_free(fixture->summary);
		sample_intervals(writer);
		SAMPLE(writer, flows, 1, 1, "server", "tcp", ":50051");
		SAMPLE(writer, flows, 2, 1, "downstream", "tcp", "127.0.0.1:50051");
		SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 902 - server_marked,
		       .multiplexed_reads = server_marked, .reads = 902, .writes = 902, .in_bytes = 1000, .out_bytes = 70,
		       .opened = 1);
		SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 2, .requests = 300 - asker_marked,
		       .multiplexed_reads = asker_marked, .reads = 300, .writes = 300, .in_bytes = 70,
		       .out_bytes = asked_bytes, .opened = 1);
		SAMPLE(writer, connections, .connection_id = 1, .flow_id = 1, .local = "127.0.0.1:50051",
		       .peer = "127.0.0.1:41000", .last_ns = HR_NULL, .ending = "open", .multiplexed = "http2",
		       .requests = HR_NULL, .reads = 902, .writes = 902, .in_bytes = 1000, .out_bytes = 70, .srtt_ns = MS,
		       .min_rtt_ns = MS, .in_segments = 1, .out_segments = 1, .state_changes = 1, .sending_ns = HR_NULL);
		sample_end(writer, true);
		fixture->summary = sample_load(fixture->path);
		assert_int_equal(flow_of(fixture->summary, ":50051")->is_front, asked_bytes == 400);
	}
}

static void calls_of_a_probed_function_alone_are_the_requests(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);
	const struct hr_summary *summary;

	sample_intervals(writer);
	sample_threads(writer);
	sample_front(writer);
	SAMPLE(writer, flows, 9, 2, "probe", "function", "/usr/sbin/nginx:serve");
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 9, .requests = 600, .budgeted = 600, .in_flight_ns = 300 * MS,
	       .closed = HR_NULL);
	SAMPLE(writer, request_stages, 1, 9, "total", 600, 300 * MS);
	sample_end(writer, true);
	summary = fixture->summary = sample_load(fixture->path);
	assert_string_equal(summary->flows[0].endpoint, "/usr/sbin/nginx:serve");
	assert_false(flow_of(summary, ":8080")->is_front);
	assert_int_equal(summary->requests.requests, 600);
	assert_near(summary->requests.throughput_rps, 200);
	assert_near(summary->requests.in_flight, 0.1);
	assert_near(summary->requests.in_flight_little, 0.1);
}

static void an_interval_in_which_nothing_could_be_counted_is_left_out_of_the_mean(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, flows, 1, 1, "server", "tcp", ":8080");
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 100, .in_flight_ns = 500 * MS, .reads = 100,
	       .writes = 100, .in_bytes = 1, .out_bytes = 1, .opened = 1);
	SAMPLE(writer, traffic, .interval_id = 2, .flow_id = 1, .requests = 100, .in_flight_ns = HR_NULL, .reads = 100,
	       .writes = 100, .in_bytes = 1, .out_bytes = 1, .opened = 1);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(fixture->summary->requests.requests, 200);
	assert_near(fixture->summary->requests.in_flight, 0.25); /* over the two other seconds */
	assert_true(isnan(fixture->summary->requests.in_flight_little)); /* no answer was seen to its end */
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void a_file_of_before_there_were_requests_is_read_and_knows_nothing_of_them(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_summary *summary;

	sample_write(fixture->path);
	run_sql(fixture->path, "DROP VIEW v_request_latencies; DROP VIEW v_request_intervals; DROP VIEW v_request_states;"
			       "DROP TABLE flows; DROP VIEW requests; DROP TABLE request_stages; DROP TABLE request_states;"
			       "DROP TABLE traffic; DROP TABLE connections; DROP TABLE listeners; DROP TABLE network_counters");
	summary = fixture->summary = sample_load(fixture->path);
	assert_int_equal(summary->thread_count, 5);
	assert_false(summary->requests_known);
	assert_int_equal(summary->requests.requests, HR_NULL);
	assert_true(isnan(summary->requests.throughput_rps) && isnan(summary->requests.in_flight));
	assert_int_equal(summary->flow_count + summary->listener_count + summary->counter_count, 0);
}

static void a_run_that_was_asked_nothing_is_known_to_have_no_flows_but_no_rate(void **state)
{
	struct fixture *fixture = *state;

	sample_write(fixture->path);
	fixture->summary = sample_load(fixture->path);
	assert_true(fixture->summary->requests_known);
	assert_int_equal(fixture->summary->flow_count, 0);
	assert_int_equal(fixture->summary->requests.requests, HR_NULL);
	assert_true(isnan(fixture->summary->requests.throughput_rps));
}

static void a_kernel_without_the_hooks_has_seen_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	SAMPLE(writer, features, "socket_storage", 0, "requests and connections are not seen");
	SAMPLE(writer, features, "tcp_receive_reset", 0, "resets by peers are not told from other ends");
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_false(fixture->summary->requests_known);
	assert_false(fixture->summary->resets_in_known);
	assert_true(fixture->summary->resets_out_known);
}

/* ---- views ---- */

static void the_views_answer_what_people_ask_of_requests(void **state)
{
	static const struct {
		const char *sql;
		double value; /* NAN: null */
	} questions[] = {
		{ "SELECT count FROM v_request_latencies WHERE flow_id = 2 AND stage = 'total'", 5000 },
		{ "SELECT mean_us FROM v_request_latencies WHERE flow_id = 2 AND stage = 'total'", 2000 },
		{ "SELECT p50_us FROM v_request_latencies WHERE flow_id = 2 AND stage = 'total'", (4000000 + 4124999) / 2e3 },
		{ "SELECT p99_us FROM v_request_latencies WHERE flow_id = 2 AND stage = 'total'", (8000000 + 8249999) / 2e3 },
		{ "SELECT process = 'nginx' AND role = 'server' FROM v_request_latencies WHERE endpoint = ':8080'", 1 },
		/* counted, but in no histogram */
		{ "SELECT p50_us FROM v_request_latencies WHERE flow_id = 2 AND stage = 'service'", NAN },
		{ "SELECT throughput_rps FROM v_request_intervals WHERE interval_id = 1", 3000 }, /* python3's 300 are not in it */
		{ "SELECT in_flight FROM v_request_intervals WHERE interval_id = 1", 8 },
		{ "SELECT p99_us FROM v_request_intervals WHERE interval_id = 1", (1000000 + 1031249) / 2e3 },
		{ "SELECT throughput_rps FROM v_request_intervals WHERE interval_id = 2", 0 },
		{ "SELECT in_flight FROM v_request_intervals WHERE interval_id = 2", 0 },
		{ "SELECT p99_us FROM v_request_intervals WHERE interval_id = 2", NAN },
		{ "SELECT start_s FROM v_request_intervals WHERE interval_id = 3", 3 },
		{ "SELECT mean_us FROM v_request_states WHERE flow_id = 1 AND state = 'user'", 500 },
		{ "SELECT mean_us FROM v_request_states WHERE flow_id = 2 AND state = 'handoff'", 100000.0 / 3000 },
		{ "SELECT share FROM v_request_states WHERE flow_id = 2 AND state = 'runq'", 400.0 / 1500 },
	};
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		double value = value_of(fixture->path, questions[i].sql);

		if (!(isnan(value) && isnan(questions[i].value)) && !(fabs(value - questions[i].value) < 1e-6))
			fail_msg("%s: %.12g, not %.12g", questions[i].sql, value, questions[i].value);
	}
}

static void the_view_of_intervals_has_no_rate_where_requests_cannot_be_told_apart(void **state)
{
	struct fixture *fixture = *state;

	sample_write_multiplexed(fixture->path);
	assert_true(isnan(value_of(fixture->path, "SELECT throughput_rps FROM v_request_intervals WHERE interval_id = 1")));
	assert_true(isnan(value_of(fixture->path, "SELECT in_flight FROM v_request_intervals WHERE interval_id = 1")));
	sample_write(fixture->path); /* nothing that has requests */
	assert_true(isnan(value_of(fixture->path, "SELECT throughput_rps FROM v_request_intervals WHERE interval_id = 1")));
}

#define WITH_ASKED(test) cmocka_unit_test_setup_teardown(test, set_up_asked, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ASKED(processes_of_one_name_on_one_port_are_one_flow),
		WITH_ASKED(in_flight_is_counted_and_by_littles_law),
		WITH_ASKED(stages_have_exact_means_and_percentiles_of_all_processes),
		WITH_ASKED(the_service_time_is_split_by_state),
		WITH_ASKED(the_run_is_its_front_flows_only),
		WITH_ASKED(connections_are_counted_by_how_they_ended),
		WITH_ASKED(listeners_have_the_fullest_and_all_that_was_dropped),
		WITH_PATH(requests_that_cannot_be_told_apart_are_not_a_number),
		WITH_PATH(one_odd_client_does_not_take_away_the_numbers_of_the_others),
		WITH_PATH(a_flow_that_cannot_be_counted_leaves_the_run_its_number_if_it_is_small),
		WITH_PATH(a_server_that_is_mostly_asked_by_the_target_itself_is_no_front),
		WITH_PATH(servers_on_one_port_are_told_apart_by_their_addresses),
		WITH_PATH(a_multiplexed_server_that_the_target_asks_is_no_front),
		WITH_PATH(calls_of_a_probed_function_alone_are_the_requests),
		WITH_PATH(an_interval_in_which_nothing_could_be_counted_is_left_out_of_the_mean),
		WITH_PATH(a_file_of_before_there_were_requests_is_read_and_knows_nothing_of_them),
		WITH_PATH(a_run_that_was_asked_nothing_is_known_to_have_no_flows_but_no_rate),
		WITH_PATH(a_kernel_without_the_hooks_has_seen_nothing),
		WITH_ASKED(the_views_answer_what_people_ask_of_requests),
		WITH_PATH(the_view_of_intervals_has_no_rate_where_requests_cannot_be_told_apart),
	};

	return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
