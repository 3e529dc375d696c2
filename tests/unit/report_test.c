/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <sys/wait.h>

#include "report/page.h"
#include "report/report.h"

struct fixture {
	char path[64];
	struct hr_summary *summary;
	char *text; /* rendered */
	json_t *json;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	sample_path(fixture->path);
	return 0;
}

static int set_up_sample(void **state)
{
	struct fixture *fixture;

	set_up(state);
	fixture = *state;
	sample_write(fixture->path);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	json_decref(fixture->json);
	free(fixture->text);
	hr_summary_free(fixture->summary);
	sample_remove(fixture->path);
	free(fixture);
	return 0;
}

static const char *render_text(struct fixture *fixture, bool utf8)
{
	struct hr_err err;
	size_t size;
	FILE *out;

	free(fixture->text);
	fixture->text = NULL;
	if (!fixture->summary)
		fixture->summary = sample_load(fixture->path);
	out = open_memstream(&fixture->text, &size);
	if (hr_report_text(&(struct hr_analysis){ .summary = fixture->summary }, utf8, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return fixture->text;
}

static json_t *render_json(struct fixture *fixture)
{
	struct hr_err err;
	size_t size;
	FILE *out;

	fixture->summary = sample_load(fixture->path);
	out = open_memstream(&fixture->text, &size);
	if (hr_report_json(&(struct hr_analysis){ .summary = fixture->summary }, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	fixture->json = json_loads(fixture->text, 0, NULL);
	assert_non_null(fixture->json);
	return fixture->json;
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static void assert_all(const char *text, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_has(text, lines[i]);
}

/* Every character that is not a continuation byte is a column, but for those that are two wide. */
static void assert_fits(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n"), columns = 0;

		for (size_t i = 0; i < length; i++) {
			unsigned char byte = (unsigned char)line[i];

			columns += (byte & 0xC0) != 0x80;
			columns += byte >= 0xE3 && byte != 0xEF; /* the wide ones of these tests, and no others */
		}
		if (columns > HR_PAGE_COLUMNS)
			fail_msg("%zu columns: %.*s", columns, (int)length, line);
		if (length && line[length - 1] == ' ')
			fail_msg("blanks at the end of: %.*s|", (int)length, line);
	}
}

static void assert_plain(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p < ' ' && *p != '\n') || *p == 0x7F)
			fail_msg("byte %02x in the report", *p);
}

/* json_path(root, "total.states_s.user") */
static json_t *at(json_t *node, const char *path)
{
	char copy[256], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strsep(&rest, "."); key; key = strsep(&rest, ".")) {
		json_t *next = json_is_array(node) ? json_array_get(node, (size_t)atoi(key)) :
						     json_object_get(node, key);

		if (!next)
			fail_msg("no '%s' of '%s' in the report", key, path);
		node = next;
	}
	return node;
}

static void assert_number(json_t *root, const char *path, double expected)
{
	double actual = json_is_number(at(root, path)) ? json_number_value(at(root, path)) : NAN;

	if (!(fabs(actual - expected) <= 1e-9))
		fail_msg("%s is %.12g, not %.12g", path, actual, expected);
}

static void assert_text(json_t *root, const char *path, const char *expected)
{
	if (!json_is_string(at(root, path)))
		fail_msg("%s is no text", path);
	assert_string_equal(json_string_value(at(root, path)), expected);
}

static void assert_null_at(json_t *root, const char *path)
{
	if (!json_is_null(at(root, path)))
		fail_msg("%s is not null", path);
}

static const char *const first_screen[] = {
	"host     web-7, Linux 6.1.0-25-amd64 x86_64, 4 CPUs\n",
	"target   3 processes, 5 threads (1 ended) of --port 8080\n",
	"time     3.00 s from 2023-11-14 22:13:20 UTC, with 1 gap in which recording was off\n",
	"threads  Mostly blocked: 82.3 % of all thread time, 45.5 % in futex and 23.5 % in ipc; 16.5 % on\n"
	"         CPU, 1.2 % waiting for a CPU.\n",
	"busiest  nginx, 2 threads: 22.5 % on CPU, 2.5 % waiting for one, 50.0 % in ipc and 25.0 % in poll.\n"
	"         The busiest of them, tid 101, was on CPU for 45.0 % of the run.\n",
	"CPUs     The target had 0.80 of 4 CPUs, others 0.80; 2.40 were idle;",
	"\nWHERE THE TIME WENT\n",
	"  futex        45.5 %   5.80 s  \u2588\u2588\u2588\u2588\u258c       blocked on a user-space lock",
	"\nTHREADS ",
};

static void the_first_screen_says_where_the_time_went(void **state)
{
	const char *text = render_text(*state, true), *end = text;

	for (int line = 0; line < 30; line++)
		end = strchr(end, '\n') + 1;
	assert_all(text, first_screen, sizeof(first_screen) / sizeof(first_screen[0]));
	for (size_t i = 0; i < sizeof(first_screen) / sizeof(first_screen[0]); i++)
		assert_true(strstr(text, first_screen[i]) < end);
}

static const char *const table_rows[] = {
	"  nginx/worker-*                  2    1.7 %        -   96.7 %        -        -    1.7 %          -\n",
	"  all 4                  20.0 %   20.0 %   60.0 %             1.0 %      n/a\n",
	"  busiest: CPU 2         50.0 %   20.0 %   30.0 %",
	"  others, in CPUs:  wrk (4321) 0.25, ksoftirqd/0 (7) 0.01, the rest 0.30\n",
	"  runq               100 ms  20.0 %  70.0 %       -       -  10.0 %     n/a     100    3 ns  4.35 us\n",
	"  nginx (101)                   57.5 %   38.3 %    2.5 %    1.7 %        -        -        -    1.14\n",
	"  epoll_wait          1.00 k     333   1.09 us  1.11 ms   1.48 s                   -    3 for 3.02 s\n",
	"  accept4                200    66.7       n/a      n/a  20.0 ms       50.0 % EAGAIN               -\n",
	"  32-bit accept4           3 ",
	"  /docker/web                                            2.5    100 ms        25.0 %",
};

static void tables_hold_the_numbers_of_the_run(void **state)
{
	assert_all(render_text(*state, true), table_rows, sizeof(table_rows) / sizeof(table_rows[0]));
}

static const char *const health_rows[] = {
	"  accounted     99.98 % of 12.8 s of thread time; the worst thread (tid 103) is 0.10 % off\n",
	"  lost          7 times a thread got a CPU and the kernel did not tell (approximation)\n",
	"  cost          recorder: 1.0 % of one CPU, 14.0 MiB; probes: 0.8 % of one CPU (sampled for 100 ms)\n",
	"  kernel lacks  contention: waits for kernel locks (klock) count as disk, fault or other\n",
};

static void the_report_says_how_good_it_is_and_what_it_cost(void **state)
{
	const char *text = render_text(*state, true);

	assert_all(text, health_rows, sizeof(health_rows) / sizeof(health_rows[0]));
	assert_null(strstr(text, "tracefs")); /* nothing is lost without it */
	assert_null(strstr(text, "LOSSY"));
}

static void a_lossy_run_says_so_before_its_numbers(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);
	const char *text;

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, losses, 2, "thread_slots", 12);
	sample_end(writer, true);
	text = render_text(fixture, false);
	assert_true(strstr(text, "LOSSY") < strstr(text, "Mostly"));
	assert_has(text, "\n  lost          12 times a thread was born when all slots were taken");
	assert_has(text, "(lossy,\n                ABOVE THE LIMIT)\n");
}

static void text_fits_the_page_in_utf8_and_in_ascii(void **state)
{
	assert_fits(render_text(*state, true));
	assert_fits(render_text(*state, false));
	for (const char *text = ((struct fixture *)*state)->text; *text; text++)
		assert_true((unsigned char)*text < 0x80);
}

static void hostile_names_neither_move_the_cursor_nor_break_the_table(void **state)
{
	static const char *const names[][2] = {
		{ "a\033[2J\033]0;x\007", "line\nbreak\tx" },
		{ "\u202egnp.exe", "zero\u200bwidth" },
		{ "\xff\xfe\x80", "half\xe2\x82" },
		{ "'\"\\<&%s%n", "\u4f60\u597d\u4f60\u597d\u4f60" },
		{ "", "" },
	};
	static char long_name[600];

	memset(long_name, 'x', sizeof(long_name) - 1);
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		bool last = i == sizeof(names) / sizeof(names[0]);
		struct fixture *fixture = *state;

		sample_write_cut_off(fixture->path, last ? long_name : names[i][0], last ? long_name : names[i][1]);
		for (int utf8 = 0; utf8 <= 1; utf8++) {
			assert_plain(render_text(fixture, utf8));
			assert_fits(fixture->text);
			assert_null(strstr(fixture->text, "\u202e"));
			assert_null(strstr(fixture->text, "\u200b"));
		}
		free(fixture->text);
		hr_summary_free(fixture->summary);
		render_json(fixture);
		assert_plain(fixture->text);
		json_decref(fixture->json);
		free(fixture->text);
		hr_summary_free(fixture->summary);
		*fixture = (struct fixture){ .json = NULL };
		sample_path(fixture->path);
	}
}

static void a_cell_is_cut_at_its_width_and_says_so(void **state)
{
	const struct hr_page utf8 = { .utf8 = true }, ascii = { .utf8 = false };
	char cell[64];

	(void)state;
	assert_string_equal(hr_page_fit(&utf8, cell, sizeof(cell), "abcdef", 6), "abcdef");
	assert_string_equal(hr_page_fit(&utf8, cell, sizeof(cell), "abcdef", 5), "abcd\u2026");
	assert_string_equal(hr_page_fit(&ascii, cell, sizeof(cell), "abcdef", 5), "abcd~");
	assert_string_equal(hr_page_fit(&ascii, cell, sizeof(cell), "a\u00e9b", 5), "a?b");
	/* two columns each: the third would end at the sixth */
	assert_string_equal(hr_page_fit(&utf8, cell, sizeof(cell), "\u4f60\u597d\u4f60", 5), "\u4f60\u597d\u2026");
}

static void a_share_that_is_there_is_never_shown_as_none(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(hr_page_share_text(0, buf), "-");
	assert_string_equal(hr_page_share_text(1e-9, buf), "<0.1 %");
	assert_string_equal(hr_page_share_text(0.0005, buf), "0.1 %");
	assert_string_equal(hr_page_share_text(1, buf), "100.0 %");
	assert_string_equal(hr_page_share_text(NAN, buf), "n/a");
}

static void a_run_without_an_interval_is_reported_as_unknown(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	sample_write_empty(fixture->path);
	text = render_text(fixture, true);
	assert_fits(text);
	assert_has(text, "The file holds no finished interval: nothing is known of this run.\n");
	assert_has(text, "  accounted     not measured");
	assert_has(text, "  lost          not measured\n");
	assert_has(text, "  cost          recorder: CPU not measured; probes: not measured\n");
	assert_null(strstr(text, "SYSCALLS"));
}

static void long_waits_for_a_cpu_name_who_had_it(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, S);

	SAMPLE(writer, intervals, 1, 0, S);
	SAMPLE(writer, processes, 1, 100, 1, "redis", NULL, 0, HR_NULL);
	SAMPLE(writer, threads, 1, 1, 100, "redis", 0, S, 0);
	SAMPLE(writer, thread_states, 1, 1, "user", 400 * MS);
	SAMPLE(writer, thread_states, 1, 1, "runq", 200 * MS);
	SAMPLE(writer, thread_states, 1, 1, "preempted", 200 * MS);
	SAMPLE(writer, thread_states, 1, 1, "poll", 200 * MS);
	SAMPLE(writer, cpu_waits, 1, 1, "runq", "target", 150 * MS);
	SAMPLE(writer, cpu_waits, 1, 1, "runq", "other", 50 * MS);
	SAMPLE(writer, cpu_waits, 1, 1, "preempted", "other", 200 * MS);
	SAMPLE(writer, cpus, 1, 0, 400 * MS, 600 * MS, 0, HR_NULL, HR_NULL);
	sample_end(writer, true);
	assert_has(render_text(fixture, true), "The target had 0.40 of 1 CPU, others 0.60; 0.00 were idle. "
					       "Who had the CPU while threads\n");
	assert_has(fixture->text, "it: threads of other processes and of the kernel, for 62.5 % of that time.\n");
	assert_has(fixture->text, "Most of all on CPU: 40.0 % of all thread time; 40.0 % waiting for a CPU, ");
	assert_fits(fixture->text);
}

static void a_run_that_was_cut_off_says_so(void **state)
{
	struct fixture *fixture = *state;

	sample_write_cut_off(fixture->path, "redis", "io_thd_1");
	assert_has(render_text(fixture, true), "CUT OFF: the recorder was killed");
	assert_has(fixture->text, "redis/io_thd_1, 1 thread: 90.0 % on CPU, 10.0 % waiting for one.");
	assert_has(fixture->text, "Mostly on CPU: 90.0 % of all thread time; 10.0 % waiting for a CPU, 0 % blocked.");
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

static const char *const requests_answer =
	"\nrequests 2.00 k/s on :8080, 4.01 in flight (4.00 by Little's law); p50 1.02 ms, p90 4.06 ms,\n"
	"         p99 4.06 ms end to end. Of the mean of 2.00 ms, 1.50 ms waited in the receive queue, 500 us\n"
	"         was service. Of 500 us of service a request spends 300 us on CPU, 100 us waiting for a CPU,\n"
	"         75.0 us in futex, 25.0 us between two threads. 2 were read and never answered.\n"
	"threads  Mostly blocked";

static const char *const request_rows[] = {
	"\nREQUESTS*                          count        mean         p50         p90         p99\n"
	"  nginx :8080, 2 processes: 2.00 k/s, 4.01 in flight (4.00)\n"
	"    queue                         6.00 k     1.50 ms     1.52 ms     1.52 ms     1.52 ms\n"
	"    service                       6.00 k      500 us         n/a         n/a         n/a\n"
	"    total                         6.00 k     2.00 ms     1.02 ms     4.06 ms     4.06 ms\n"
	"  nginx -> 127.0.0.1:9000: 100/s, 0.05 in flight (0.05)\n"
	"    wait                             300      500 us      508 us      508 us      508 us\n"
	"  * queue: data arrives until its first read; service: ",
	"\nA REQUEST'S SERVICE TIME*   requests service  on CPU for CPU       futex handoff    rest\n"
	"  nginx :8080                 4.00 k  500 us  300 us  100 us     75.0 us 25.0 us       -\n",
	"\nCONNECTIONS*                   open  opened  closed       in      out resent rtt p50   worst    full\n"
	"  nginx :8080                     2      32      12   600 kB  5.40 MB      7 2.00 ms 40.0 ms 10.0 ms\n"
	"    1 reset by the peer; 2 reset by this host; held back by the peer's window for 24.0 ms\n"
	"  python3 :9000                   -       4       -  6.00 kB  3.00 kB      -     n/a     n/a       -\n"
	"  nginx -> 127.0.0.1:9000         -       4       -  3.00 kB  6.00 kB      -     n/a     n/a       -\n"
	"    7 failed to connect\n"
	"  nginx -> /run/cache.sock        1       1     n/a     30 B     30 B    n/a     n/a     n/a       -\n",
	"\nLISTENERS                                            backlog highest        of     dropped\n"
	"  nginx 0.0.0.0:8080                                             129       128          37\n"
	"  python3 127.0.0.1:9000                                           1         4         n/a\n",
};

static void the_answer_begins_with_the_requests_and_what_they_consist_of(void **state)
{
	struct fixture *fixture = *state;

	sample_write_asked(fixture->path);
	assert_has(render_text(fixture, true), requests_answer);
	assert_all(fixture->text, request_rows, sizeof(request_rows) / sizeof(request_rows[0]));
	assert_fits(fixture->text);
	assert_fits(render_text(fixture, false));
}

static void a_run_that_was_asked_nothing_says_nothing_of_requests(void **state)
{
	const char *text = render_text(*state, true);

	assert_null(strstr(text, "\nrequests"));
	assert_null(strstr(text, "REQUEST"));
	assert_null(strstr(text, "CONNECTIONS"));
	assert_null(strstr(text, "LISTENERS"));
}

static void requests_that_cannot_be_told_apart_are_said_to_be_so_and_why(void **state)
{
	struct fixture *fixture = *state;

	sample_write_multiplexed(fixture->path);
	assert_has(render_text(fixture, true),
		   "\nrequests Those on :6379 cannot be told apart from outside (1 connection: several come in one read),\n"
		   "         so they are not counted; 40 could. Data waited for its first read: p50 10.4 us,\n"
		   "         p99 10.4 us. `--request-probe` takes the calls of a function for requests.\n");
	assert_has(fixture->text, "  nginx :6379: multiplexed, not counted\n    queue ");
	assert_has(fixture->text, "    1 multiplexed: several come in one read\n");
	assert_null(strstr(fixture->text, "/s on :6379"));
	assert_fits(fixture->text);
}

static void what_one_odd_client_asked_is_left_out_and_said(void **state)
{
	struct fixture *fixture = *state;

	sample_write_odd_client(fixture->path, 3);
	assert_has(render_text(fixture, true), "\nrequests 2.00 k/s on :8080, 1.00 in flight (1.00 by Little's law); p50 ");
	assert_has(fixture->text, " Left out: 3 reads whose requests cannot be told apart (1 connection:\n         HTTP/2).\n");
	assert_has(fixture->text, "  nginx :8080: 2.00 k/s, 1.00 in flight (1.00); 3 reads left out, multiplexed\n");
	assert_fits(fixture->text);
}

static void many_flows_are_shown_in_part_and_hostile_endpoints_stay_in_their_cells(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);
	char endpoint[400];

	sample_intervals(writer);
	sample_threads(writer);
	for (int64_t flow = 1; flow <= 20; flow++) {
		memset(endpoint, '/', sizeof(endpoint));
		snprintf(endpoint + 300, sizeof(endpoint) - 300, "\033[2J\u202e%" PRId64, flow);
		SAMPLE(writer, flows, flow, 2, "server", "unix", flow > 2 ? endpoint : flow == 2 ? "\u202ea\nb" : "");
		SAMPLE(writer, traffic, 1, flow, 100 - flow, 1, 0, MS, 0, 9, 9, 9, 9, 9, HR_NULL, 0, 0, 0, 0, 0, 0);
		SAMPLE(writer, request_stages, 1, flow, "total", 100 - flow, 9 * MS);
		SAMPLE(writer, request_states, 1, flow, "user", MS);
		SAMPLE(writer, listeners, 1, 2, "unix", endpoint, 1, 1, 1, 1);
	}
	sample_end(writer, true);
	for (int utf8 = 0; utf8 <= 1; utf8++) {
		assert_has(render_text(fixture, utf8), "  and 12 more\n");
		assert_plain(fixture->text);
		assert_fits(fixture->text);
		assert_null(strstr(fixture->text, "\u202e"));
	}
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

static void a_full_disk_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	FILE *full = fopen("/dev/full", "w");
	struct hr_err err;

	fixture->summary = sample_load(fixture->path);
	assert_non_null(full);
	assert_int_equal(hr_report_text(&(struct hr_analysis){ .summary = fixture->summary }, true, full, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "cannot write the report"));
	clearerr(full);
	assert_int_equal(hr_report_json(&(struct hr_analysis){ .summary = fixture->summary }, full, &err), -ENOSPC);
	fclose(full);
}

#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, set_up_sample, tear_down)
#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SAMPLE(the_first_screen_says_where_the_time_went),
		WITH_SAMPLE(tables_hold_the_numbers_of_the_run),
		WITH_SAMPLE(the_report_says_how_good_it_is_and_what_it_cost),
		WITH_SAMPLE(text_fits_the_page_in_utf8_and_in_ascii),
		WITH_SAMPLE(json_holds_the_numbers_of_the_run),
		WITH_SAMPLE(what_was_not_measured_is_null_in_json),
		WITH_SAMPLE(a_full_disk_is_an_error),
		WITH_PATH(a_lossy_run_says_so_before_its_numbers),
		WITH_PATH(hostile_names_neither_move_the_cursor_nor_break_the_table),
		WITH_PATH(a_run_without_an_interval_is_reported_as_unknown),
		WITH_PATH(long_waits_for_a_cpu_name_who_had_it),
		WITH_PATH(a_run_that_was_cut_off_says_so),
		WITH_PATH(an_empty_run_is_null_in_json_and_never_zero),
		WITH_PATH(json_satisfies_its_schema),
		WITH_PATH(the_answer_begins_with_the_requests_and_what_they_consist_of),
		WITH_SAMPLE(a_run_that_was_asked_nothing_says_nothing_of_requests),
		WITH_PATH(requests_that_cannot_be_told_apart_are_said_to_be_so_and_why),
		WITH_PATH(what_one_odd_client_asked_is_left_out_and_said),
		WITH_PATH(many_flows_are_shown_in_part_and_hostile_endpoints_stay_in_their_cells),
		WITH_PATH(json_holds_what_was_asked_of_the_run),
		WITH_PATH(requests_that_cannot_be_told_apart_are_null_in_json),
		WITH_PATH(what_one_odd_client_asked_is_left_out_of_the_numbers_in_json),
		cmocka_unit_test(a_cell_is_cut_at_its_width_and_says_so),
		cmocka_unit_test(a_share_that_is_there_is_never_shown_as_none),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
