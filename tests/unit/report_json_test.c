/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_fixture.h"

/* The JSON report. */

static int set_up_sample(void **state)
{
	set_up(state);
	sample_write(((struct fixture *)*state)->path);
	return 0;
}

static void json_holds_the_numbers_of_the_run(void **state)
{
	json_t *root = render_json(*state);

	assert_text(root, "schema", "headroom.report/1");
	assert_text(root, "run.host", "web-7");
	assert_text(root, "run.started", "2023-11-14T22:13:20.250Z");
	assert_number(root, "run.seconds", 3);
	assert_true(json_is_true(at(root, "run.complete")));
	assert_number(root, "health.accounted_share", 12747.0 / 12750);
	assert_number(root, "health.worst_thread_tid", 103);
	assert_number(root, "health.lost.missed_switch_in", 7);
	assert_number(root, "health.cost.bpf_cpu_share", 0.008);
	assert_number(root, "health.cost.collector_cpu_share", 0.01);
	assert_number(root, "health.cost.collector_rss_bytes", 14 << 20);
	assert_number(root, "total.seconds", 3);
	assert_number(root, "total.states_s.user", 1.65);
	assert_number(root, "total.states_s.net_recv", 0);
	assert_text(root, "total.resources.0.name", "cpu");
	assert_number(root, "total.resources.0.utilisation", 0.4);
	assert_text(root, "total.resources.1.name", "thread nginx/nginx 101");
	assert_number(root, "total.resources.1.utilisation", 0.45);
	assert_text(root, "syscalls.0.name", "epoll_wait");
	assert_number(root, "syscalls.0.p50_us", 1.0875);
	assert_number(root, "syscalls.0.total_s", 1.48);
	assert_number(root, "syscalls.0.in_progress", 3);
	assert_number(root, "syscalls.1.errors_by_name.EAGAIN", 90);
	assert_text(root, "thread_groups.2.name", "nginx/worker-*");
	assert_number(root, "thread_groups.0.voluntary_switches", 9000);
	assert_number(root, "processes.0.on_cpu_at_once_s.3", 0.05);
	assert_int_equal(json_array_size(at(root, "processes.0.on_cpu_at_once_s")), 4);
	assert_number(root, "cpu_waits.runq.owners_s.other", 0.07);
	assert_number(root, "cpus.2.target_s", 1.5);
	assert_number(root, "neighbours.0.cpu_s", 0.75);
	assert_number(root, "quotas.0.quota_cpus", 2.5);
}

static void what_was_not_measured_is_null_in_json(void **state)
{
	static const char *const later[] = { "model", "verdict", "runner_up" };
	static const char *const unmeasured[] = {
		"run.target_status", "total.level", "total.throughput_rps", "total.in_flight",
		"total.in_flight_little", "total.latency_ms", "total.stages_ms", "total.states_per_request_us", "total.resources.0.demand_us",
		"total.states_s.klock", "syscalls.1.p50_us", "cpus.0.irq_s", "cpu_waits.runq.owners_s.irq",
		"thread_groups.1.not_run_s", "processes.1.command", "processes.2.on_cpu_at_once_mean",
		"neighbours.2.pid",
	};
	json_t *root = render_json(*state);

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		assert_null_at(root, later[i]);
	for (size_t i = 0; i < sizeof(unmeasured) / sizeof(unmeasured[0]); i++)
		assert_null_at(root, unmeasured[i]);
}

static void an_empty_run_is_null_in_json_and_never_zero(void **state)
{
	static const char *const paths[] = {
		"health.accounted_share", "health.worst_thread_off_share", "health.worst_thread_tid", "health.lossy",
		"health.lost", "health.losses", "health.features", "health.cost.bpf_cpu_share",
		"health.cost.bpf_sampled_s", "health.cost.collector_cpu_share", "health.cost.collector_rss_bytes",
		"total.states_s", "total.throughput_rps", "cpu_waits", "quotas", "connections", "listeners",
		"network_counters",
	};
	struct fixture *fixture = *state;
	json_t *root;

	sample_write_empty(fixture->path);
	root = render_json(fixture);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null_at(root, paths[i]);
	assert_number(root, "run.seconds", 0);
	assert_int_equal(json_array_size(at(root, "total.resources")), 0);
}

static void json_holds_what_was_asked_of_the_run(void **state)
{
	struct fixture *fixture = *state;
	json_t *root;

	sample_write_asked(fixture->path);
	root = render_json(fixture);
	assert_number(root, "total.throughput_rps", 2000);
	assert_number(root, "total.in_flight", 4.01);
	assert_number(root, "total.in_flight_little", 4);
	assert_number(root, "total.latency_ms.mean", 2);
	assert_number(root, "total.latency_ms.p50", 1.0156245);
	assert_number(root, "total.latency_ms.p99", 4.0624995);
	assert_number(root, "total.stages_ms.queue.mean", 1.5);
	assert_null_at(root, "total.stages_ms.connect");
	assert_number(root, "total.states_per_request_us.user", 300);
	assert_number(root, "total.states_per_request_us.sleep", 0);
	assert_number(root, "total.states_per_request_us.handoff", 25);
	assert_null_at(root, "total.states_per_request_us.klock");
	assert_number(root, "total.resources.0.demand_us", 200); /* 0.4 of the CPUs for 2,000 a second */
	assert_number(root, "total.resources.1.demand_us", 225);
	assert_int_equal(json_array_size(at(root, "connections")), 4);
	assert_text(root, "connections.0.endpoint", ":8080");
	assert_number(root, "connections.0.processes", 2);
	assert_true(json_is_true(at(root, "connections.0.front")));
	assert_true(json_is_false(at(root, "connections.1.front")));
	assert_number(root, "connections.0.requests", 6000);
	assert_number(root, "connections.0.in_flight.counted", 4.01);
	assert_number(root, "connections.0.stages_ms.queue.mean", 1.5);
	assert_null_at(root, "connections.0.stages_ms.accept");
	assert_null_at(root, "connections.0.stages_ms.service.p50");
	assert_number(root, "connections.0.connections.endings.reset_in", 1);
	assert_number(root, "connections.0.connections.send_full_s", 0.01);
	assert_number(root, "connections.0.tcp.srtt_worst_us", 40000);
	assert_number(root, "connections.0.tcp.retransmits", 7);
	assert_text(root, "connections.3.transport", "unix");
	assert_null_at(root, "connections.3.tcp");
	assert_null_at(root, "connections.3.connections.closed");
	assert_number(root, "listeners.0.drops", 37);
	assert_null_at(root, "listeners.1.drops");
	assert_number(root, "network_counters.ListenOverflows", 37);
	assert_null_at(root, "network_counters.RetransSegs");
}

static void requests_that_cannot_be_told_apart_are_null_in_json(void **state)
{
	static const char *const paths[] = {
		"total.throughput_rps", "total.in_flight", "total.in_flight_little", "total.latency_ms", "total.stages_ms",
		"total.states_per_request_us", "connections.0.requests", "connections.0.throughput_rps",
		"connections.0.in_flight.counted", "connections.0.in_flight.little",
	};
	struct fixture *fixture = *state;
	json_t *root;

	sample_write_multiplexed(fixture->path);
	root = render_json(fixture);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null_at(root, paths[i]);
	assert_number(root, "connections.0.multiplexed_reads", 5000);
	assert_number(root, "connections.0.connections.multiplexed.batch", 1);
	assert_number(root, "total.multiplexed.connections", 1);
	assert_number(root, "total.multiplexed.reads", 5000);
	assert_number(root, "connections.0.stages_ms.queue.count", 5040);
}

static void what_one_odd_client_asked_is_left_out_of_the_numbers_in_json(void **state)
{
	struct fixture *fixture = *state;
	json_t *root;

	sample_write_odd_client(fixture->path, 3);
	root = render_json(fixture);
	assert_number(root, "total.throughput_rps", 2000);
	assert_number(root, "total.latency_ms.mean", 0.5);
	assert_number(root, "total.multiplexed.connections", 1);
	assert_number(root, "total.multiplexed.reads", 3);
	assert_number(root, "connections.0.requests", 6000);
	assert_number(root, "connections.0.multiplexed_reads", 3);
	assert_number(root, "connections.0.connections.multiplexed.http2", 1);
}

/* Runs the public validator: what the schema says and what the program writes cannot part. */
static void assert_valid(const char *json)
{
	char path[64], command[256];
	FILE *out;

	snprintf(path, sizeof(path), "/tmp/headroom-report-%d.json", (int)getpid());
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(json, out);
	fclose(out);
	snprintf(command, sizeof(command), "/usr/bin/python3 -W ignore -m jsonschema -i %s docs/report.schema.json", path);
	assert_int_equal(system(command), 0);
	unlink(path);
}

static void json_satisfies_its_schema(void **state)
{
	struct fixture *fixture = *state;

	if (system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") || access("docs/report.schema.json", R_OK)) {
		print_message("SKIP: needs python3-jsonschema, and the project's folder as the working directory\n");
		skip();
	}
	for (int kind = 0; kind < 6; kind++) {
		if (kind == 0)
			sample_write(fixture->path);
		else if (kind == 1)
			sample_write_empty(fixture->path);
		else if (kind == 2)
			sample_write_asked(fixture->path);
		else if (kind == 3)
			sample_write_multiplexed(fixture->path);
		else if (kind == 4)
			sample_write_profiled(fixture->path);
		else
			sample_write_cut_off(fixture->path, "\xff", "\"\n");
		render_json(fixture);
		assert_valid(fixture->text);
		json_decref(fixture->json);
		free(fixture->text);
		hr_summary_free(fixture->summary);
		*fixture = (struct fixture){ .json = NULL };
		sample_path(fixture->path);
	}
}

#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, set_up_sample, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SAMPLE(json_holds_the_numbers_of_the_run),
		WITH_SAMPLE(what_was_not_measured_is_null_in_json),
		WITH_PATH(an_empty_run_is_null_in_json_and_never_zero),
		WITH_PATH(json_satisfies_its_schema),
		WITH_PATH(json_holds_what_was_asked_of_the_run),
		WITH_PATH(requests_that_cannot_be_told_apart_are_null_in_json),
		WITH_PATH(what_one_odd_client_asked_is_left_out_of_the_numbers_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
