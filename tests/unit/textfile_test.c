/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/metrics.h"
#include "cli/textfile.h"
#include "headroom/hist.h"
#include "store/tables.h"

#define MS 1000000ULL

/* Ten requests of 1.5 ms and one of 3 s, in 2 s of which a thread was on CPU for 1 s. */
static const struct hr_live *sample(void)
{
	static struct hr_live live;

	live = (struct hr_live){
		.intervals = 2,
		.interval_ns = 1000 * MS,
		.ended_ns = 7000 * MS,
		.requests_known = true,
		.requests = 11,
		.latencies = 11,
		.latency_ns = 3015 * MS,
		.in_flight = 1.5,
		.state_ns = { [HR_STATE_USER] = 1000 * MS, [HR_STATE_POLL] = 3000000001ULL },
		.calls = 42,
		.threads = 2,
		.busiest_ns = 750 * MS,
		.cpus = 2,
		.owner_ns = { [HR_OWNER_TARGET] = 1000 * MS, [HR_OWNER_OTHER] = 500 * MS, [HR_OWNER_IDLE] = 2500 * MS },
		.interval_owner_ns = { [HR_OWNER_TARGET] = 750 * MS, [HR_OWNER_OTHER] = 250 * MS, [HR_OWNER_IDLE] = 1000 * MS },
		.quota_cpus = 1.5,
		.losses = { [HR_LOSS_STACKS] = 5 },
		.collector_cpu_ns = 20 * MS,
		.collector_rss_bytes = 123456,
		.probes_share = 0.25,
	};
	live.latency_slots[hr_hist_slot(3 * MS / 2, HR_STAGE_BITS, HR_STAGE_SLOTS)] = 10;
	live.latency_slots[hr_hist_slot(3000 * MS, HR_STAGE_BITS, HR_STAGE_SLOTS)] = 1;
	return &live;
}

static char text[65536];

static void render(const struct hr_live *live, bool recording, const char *target)
{
	const struct hr_metrics metrics = {
		.target = target,
		.recording = recording,
		.started_unix_ns = 1700000000000000001ULL,
		.started_ns = 5000 * MS,
		.live = live,
	};
	FILE *out = fmemopen(text, sizeof(text), "w");

	hr_metrics_write(&metrics, out);
	fclose(out);
}

static bool has_line(const char *line)
{
	const size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

static void assert_line(const char *line)
{
	if (!has_line(line))
		fail_msg("there is no line '%s'", line);
}

static void what_was_counted_is_in_base_units(void **state)
{
	(void)state;
	render(sample(), true, "port 80");
	assert_line("headroom_recording{target=\"port 80\"} 1");
	assert_line("headroom_start_timestamp_seconds{target=\"port 80\"} 1700000000.000000001");
	assert_line("headroom_last_interval_timestamp_seconds{target=\"port 80\"} 1700000002.000000001");
	assert_line("headroom_requests_total{target=\"port 80\"} 11");
	assert_line("headroom_requests_in_flight{target=\"port 80\"} 1.5");
	assert_line("headroom_thread_seconds_total{target=\"port 80\",state=\"user\"} 1.000000000");
	assert_line("headroom_thread_seconds_total{target=\"port 80\",state=\"poll\"} 3.000000001");
	assert_line("headroom_cpu_seconds_total{target=\"port 80\",owner=\"idle\"} 2.500000000");
	assert_line("headroom_resource_utilization_ratio{target=\"port 80\",resource=\"cpus\"} 0.5");
	assert_line("headroom_resource_utilization_ratio{target=\"port 80\",resource=\"busiest_thread\"} 0.75");
	assert_line("headroom_resource_utilization_ratio{target=\"port 80\",resource=\"cpu_quota\"} 0.5");
	assert_line("headroom_losses_total{target=\"port 80\",reason=\"stacks\"} 5");
	assert_line("headroom_losses_total{target=\"port 80\",reason=\"samples\"} 0");
	assert_line("headroom_recorder_cpu_seconds_total{target=\"port 80\"} 0.020000000");
	assert_line("headroom_recorder_resident_memory_bytes{target=\"port 80\"} 123456");
	assert_line("headroom_probes_utilization_ratio{target=\"port 80\"} 0.25");
}

static void the_buckets_of_the_latency_are_cumulative_and_end_with_all(void **state)
{
	(void)state;
	render(sample(), true, "t");
	assert_line("headroom_request_duration_seconds_bucket{target=\"t\",le=\"0.001\"} 0");
	assert_line("headroom_request_duration_seconds_bucket{target=\"t\",le=\"0.002\"} 10");
	assert_line("headroom_request_duration_seconds_bucket{target=\"t\",le=\"2\"} 10");
	assert_line("headroom_request_duration_seconds_bucket{target=\"t\",le=\"5\"} 11");
	assert_line("headroom_request_duration_seconds_bucket{target=\"t\",le=\"+Inf\"} 11");
	assert_line("headroom_request_duration_seconds_sum{target=\"t\"} 3.015000000");
	assert_line("headroom_request_duration_seconds_count{target=\"t\"} 11");
}

static void a_value_is_in_no_bucket_below_it_and_in_each_that_is_a_slot_above(void **state)
{
	(void)state;
	for (uint64_t value_ns = 90000; value_ns < 120000000000ULL; value_ns += value_ns / 7) {
		struct hr_live live = { .requests_known = true, .requests = 1, .latencies = 1, .latency_ns = value_ns };
		const char *at = text;
		double le;
		int count;

		live.latency_slots[hr_hist_slot(value_ns, HR_STAGE_BITS, HR_STAGE_SLOTS)] = 1;
		render(&live, true, "t");
		while ((at = strstr(at, "_bucket{target=\"t\",le=\""))) {
			at += strlen("_bucket{target=\"t\",le=\"");
			if (sscanf(at, "%lf\"} %d", &le, &count) != 2)
				break; /* +Inf */
			if ((double)value_ns > le * 1e9)
				assert_int_equal(count, 0);
			if ((double)value_ns * (1 + 1.0 / 32) <= le * 1e9)
				assert_int_equal(count, 1);
		}
	}
}

static void after_the_end_what_was_counted_stays_and_what_is_of_a_moment_goes(void **state)
{
	(void)state;
	render(sample(), false, "t");
	assert_line("headroom_recording{target=\"t\"} 0");
	assert_line("headroom_requests_total{target=\"t\"} 11");
	assert_line("headroom_thread_seconds_total{target=\"t\",state=\"user\"} 1.000000000");
	assert_null(strstr(text, "in_flight"));
	assert_null(strstr(text, "_ratio"));
	assert_null(strstr(text, "resident_memory"));
}

static void what_cannot_be_told_is_not_there(void **state)
{
	struct hr_live live = *sample();

	(void)state;
	live.requests_known = false;
	live.requests = 0;
	live.in_flight = live.probes_share = NAN;
	live.collector_rss_bytes = HR_NULL;
	live.quota_cpus = 0;
	render(&live, true, "t");
	assert_line("headroom_requests_known{target=\"t\"} 0");
	assert_null(strstr(text, "requests_total"));
	assert_null(strstr(text, "duration"));
	assert_null(strstr(text, "in_flight"));
	assert_null(strstr(text, "probes"));
	assert_null(strstr(text, "memory_bytes"));
	assert_null(strstr(text, "cpu_quota"));
	assert_null(strstr(text, "nan"));
}

static void a_hostile_target_stays_within_its_label(void **state)
{
	(void)state;
	render(sample(), true, "a\"} 1\nevil 2 \\");
	assert_line("headroom_recording{target=\"a\\\"} 1\\nevil 2 \\\\\"} 1");
	assert_null(strstr(text, "\nevil"));
}

/* ---- the file ---- */

static char folder[] = "/tmp/headroom-textfile-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") || system(command);
}

static void put(const char *path, const char *words)
{
	FILE *file = fopen(path, "we");

	fputs(words, file);
	fclose(file);
}

static const char *get(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[n] = '\0';
	if (file)
		fclose(file);
	return text;
}

static void the_file_is_replaced_as_a_whole_and_readable_by_all(void **state)
{
	struct hr_textfile *textfile;
	struct stat first, second;
	struct hr_err err;
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(hr_textfile_open("whole.prom", "t", &textfile, &err), 0);
	assert_int_equal(hr_textfile_write(textfile, sample(), true, &err), 0);
	umask(mask);
	stat("whole.prom", &first);
	assert_int_equal(first.st_mode & 0777, 0644);
	assert_int_equal(hr_textfile_write(textfile, sample(), false, &err), 0);
	hr_textfile_close(textfile);
	stat("whole.prom", &second);
	assert_int_not_equal(first.st_ino, second.st_ino);
	get("whole.prom");
	assert_line("headroom_recording{target=\"t\"} 0");
	assert_int_equal(access(".whole.prom.tmp", F_OK), -1);
	/* and again over one's own */
	assert_int_equal(hr_textfile_open("whole.prom", "t", &textfile, &err), 0);
	hr_textfile_close(textfile);
}

static void a_link_at_the_temporary_name_is_not_followed(void **state)
{
	struct hr_textfile *textfile;
	struct hr_err err;

	(void)state;
	put("victim", "precious");
	assert_int_equal(symlink("victim", ".link.prom.tmp"), 0);
	assert_int_equal(hr_textfile_open("link.prom", "t", &textfile, &err), 0);
	assert_int_equal(hr_textfile_write(textfile, sample(), true, &err), 0);
	assert_string_equal(get("victim"), "precious");
	/* nor one that is put at the name meanwhile */
	unlink("link.prom");
	assert_int_equal(symlink("victim", "link.prom"), 0);
	assert_int_equal(hr_textfile_write(textfile, sample(), true, &err), 0);
	hr_textfile_close(textfile);
	assert_string_equal(get("victim"), "precious");
	assert_non_null(strstr(get("link.prom"), "headroom_recording"));
}

static void a_folder_that_is_exchanged_for_a_link_is_not_followed(void **state)
{
	struct hr_textfile *textfile;
	struct hr_err err;

	(void)state;
	mkdir("mine", 0755);
	mkdir("other", 0755);
	assert_int_equal(hr_textfile_open("mine/a.prom", "t", &textfile, &err), 0);
	rename("mine", "moved");
	assert_int_equal(symlink("other", "mine"), 0);
	assert_int_equal(hr_textfile_write(textfile, sample(), true, &err), 0);
	hr_textfile_close(textfile);
	assert_int_equal(access("other/a.prom", F_OK), -1);
	assert_int_equal(access("moved/a.prom", F_OK), 0);
}

static void what_must_not_be_replaced_is_refused(void **state)
{
	struct hr_textfile *textfile = NULL;
	struct hr_err err;

	(void)state;
	put("foreign.prom", "# HELP node_load1 another's\n");
	mkdir("folder.prom", 0755);
	assert_int_equal(symlink("nowhere", "dangling.prom"), 0);
	assert_int_equal(hr_textfile_open("foreign.prom", "t", &textfile, &err), -EEXIST);
	assert_string_equal(err.text, "'foreign.prom' exists and was not written by headroom; choose another name");
	assert_int_equal(hr_textfile_open("folder.prom", "t", &textfile, &err), -EEXIST);
	assert_int_equal(hr_textfile_open("dangling.prom", "t", &textfile, &err), -EEXIST);
	assert_int_equal(hr_textfile_open("metrics.txt", "t", &textfile, &err), -EINVAL);
	assert_int_equal(hr_textfile_open(".prom", "t", &textfile, &err), -EINVAL);
	assert_int_equal(hr_textfile_open("none/a.prom", "t", &textfile, &err), -ENOENT);
	assert_null(textfile);
	put("empty.prom", "");
	assert_int_equal(hr_textfile_open("empty.prom", "t", &textfile, &err), 0);
	hr_textfile_close(textfile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_in_base_units),
		cmocka_unit_test(the_buckets_of_the_latency_are_cumulative_and_end_with_all),
		cmocka_unit_test(a_value_is_in_no_bucket_below_it_and_in_each_that_is_a_slot_above),
		cmocka_unit_test(after_the_end_what_was_counted_stays_and_what_is_of_a_moment_goes),
		cmocka_unit_test(what_cannot_be_told_is_not_there),
		cmocka_unit_test(a_hostile_target_stays_within_its_label),
		cmocka_unit_test(the_file_is_replaced_as_a_whole_and_readable_by_all),
		cmocka_unit_test(a_link_at_the_temporary_name_is_not_followed),
		cmocka_unit_test(a_folder_that_is_exchanged_for_a_link_is_not_followed),
		cmocka_unit_test(what_must_not_be_replaced_is_refused),
	};

	return cmocka_run_group_tests_name("textfile", tests, make_folder, remove_folder);
}
