/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_fixture.h"

#include <errno.h>
#include <inttypes.h>

/* The text report. */

static int set_up_sample(void **state)
{
	set_up(state);
	sample_write(((struct fixture *)*state)->path);
	return 0;
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
		render_json(fixture);
		assert_plain(fixture->text);
		forget(fixture);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SAMPLE(the_first_screen_says_where_the_time_went),
		WITH_SAMPLE(tables_hold_the_numbers_of_the_run),
		WITH_SAMPLE(the_report_says_how_good_it_is_and_what_it_cost),
		WITH_SAMPLE(text_fits_the_page_in_utf8_and_in_ascii),
		WITH_SAMPLE(a_full_disk_is_an_error),
		WITH_PATH(a_lossy_run_says_so_before_its_numbers),
		WITH_PATH(hostile_names_neither_move_the_cursor_nor_break_the_table),
		WITH_PATH(a_run_without_an_interval_is_reported_as_unknown),
		WITH_PATH(long_waits_for_a_cpu_name_who_had_it),
		WITH_PATH(a_run_that_was_cut_off_says_so),
		WITH_PATH(the_answer_begins_with_the_requests_and_what_they_consist_of),
		WITH_SAMPLE(a_run_that_was_asked_nothing_says_nothing_of_requests),
		WITH_PATH(requests_that_cannot_be_told_apart_are_said_to_be_so_and_why),
		WITH_PATH(what_one_odd_client_asked_is_left_out_and_said),
		WITH_PATH(many_flows_are_shown_in_part_and_hostile_endpoints_stay_in_their_cells),
		cmocka_unit_test(a_cell_is_cut_at_its_width_and_says_so),
		cmocka_unit_test(a_share_that_is_there_is_never_shown_as_none),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
