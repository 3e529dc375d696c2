/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_fixture.h"

#include <errno.h>
#include <math.h>

#include "store/tables.h"

static void assert_near(double actual, double expected)
{
	if (!(fabs(actual - expected) < 1e-9))
		fail_msg("%.12g is not %.12g", actual, expected);
}

static int set_up_sample(void **state)
{
	return set_up_loaded(state, sample_write);
}

static const struct hr_thread_summary *thread_of(const struct hr_summary *summary, int64_t tid)
{
	for (size_t i = 0; i < summary->thread_count; i++)
		if (summary->threads[i].tid == tid)
			return &summary->threads[i];
	fail_msg("no thread %lld", (long long)tid);
	return NULL;
}

static void the_run_is_described(void **state)
{
	const struct hr_run_facts *run = &((struct fixture *)*state)->summary->run;

	assert_string_equal(run->host, "web-7");
	assert_string_equal(run->kernel, "6.1.0-25-amd64");
	assert_string_equal(run->target, "--port 8080");
	assert_int_equal(run->cpu_count, 4);
	assert_int_equal(run->interval_count, 3);
	assert_int_equal(run->ended_ns, 4 * S);
	assert_int_equal(run->target_status, HR_NULL);
}

static void time_in_which_recording_was_off_is_in_no_life(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_int_equal(summary->run.recorded_ns, 3 * S);
	assert_int_equal(summary->run.gap_count, 1);
	assert_int_equal(thread_of(summary, 101)->account.life_ns, 3 * S);
	/* born at 1.5 s, gone at 3.25 s, not seen from 2 to 3 s */
	assert_int_equal(thread_of(summary, 200)->account.life_ns, 750 * MS);
	assert_true(thread_of(summary, 200)->ended);
}

static void the_accounted_share_is_time_in_states_over_lives(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_int_equal(summary->total.life_ns, 12750 * MS);
	assert_int_equal(hr_account_total_ns(&summary->total), 12747 * MS);
	assert_near(summary->accounted.share, 12747.0 / 12750);
	assert_near(summary->accounted.worst_share, 0.001);
	assert_int_equal(summary->threads[summary->accounted.worst].tid, 103);
}

static void states_add_up_over_threads_and_intervals(void **state)
{
	const struct hr_account *total = &((struct fixture *)*state)->summary->total;

	assert_int_equal(total->state_ns[HR_STATE_USER], 1650 * MS);
	assert_int_equal(total->state_ns[HR_STATE_POLL], 1500 * MS);
	assert_int_equal(total->state_ns[HR_STATE_FUTEX], 5797 * MS);
	assert_int_equal(total->state_ns[HR_STATE_OTHER], 0);
	assert_int_equal(hr_account_group_ns(total, HR_GROUP_ON_CPU), 2100 * MS);
	assert_int_equal(hr_account_group_ns(total, HR_GROUP_RUNNABLE), 150 * MS);
}

static void threads_whose_names_differ_in_a_number_are_one_group(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_group_summary *groups = summary->groups;

	assert_int_equal(summary->group_count, 3);
	/* most time on CPU first; both processes are called nginx */
	assert_string_equal(groups[0].label, "nginx");
	assert_int_equal(groups[0].thread_count, 2);
	assert_int_equal(groups[0].process_count, 2);
	assert_int_equal(summary->threads[groups[0].busiest].tid, 101);
	/* all have the same name: it is shown as it is */
	assert_string_equal(groups[1].label, "python3");
	assert_string_equal(groups[2].label, "nginx/worker-*");
	assert_int_equal(groups[2].thread_count, 2);
	assert_int_equal(groups[2].process_count, 1);
	assert_int_equal(groups[2].account.state_ns[HR_STATE_FUTEX], 5797 * MS);
}

static void counters_are_summed_and_unknown_ones_stay_unknown(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_account *busy = &thread_of(summary, 101)->account;

	assert_int_equal(busy->syscalls, 30000);
	assert_int_equal(busy->voluntary, 9000);
	assert_int_equal(busy->involuntary, 300);
	assert_int_equal(busy->not_run_ns, 2 * MS);
	assert_int_equal(thread_of(summary, 200)->account.not_run_ns, HR_NULL);
	assert_int_equal(thread_of(summary, 102)->account.not_run_ns, HR_NULL);
	assert_int_equal(summary->total.not_run_ns, 2 * MS);
}

static void waits_for_a_cpu_are_split_by_who_had_it(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_account *total = &summary->total;

	assert_int_equal(total->runq_owner_ns[HR_OWNER_TARGET], 20 * MS);
	assert_int_equal(total->runq_owner_ns[HR_OWNER_OTHER], 70 * MS);
	assert_int_equal(total->runq_owner_ns[HR_OWNER_STEAL], 10 * MS);
	assert_int_equal(total->preempted_owner_ns[HR_OWNER_OTHER], 50 * MS);
	assert_int_equal(summary->runq.count, 100);
	assert_near(summary->runq.p50_ns, 3);
	assert_near(summary->runq.p99_ns, (4096 + 4607) / 2.0);
	assert_int_equal(summary->preempted.count, 7);
}

static void processes_have_their_own_waits_and_parallelism(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_process_summary *process = &summary->processes[0];

	assert_int_equal(process->pid, 101); /* most time on CPU first */
	assert_int_equal(summary->processes[1].pid, 200);
	assert_int_equal(summary->processes[2].pid, 100);
	assert_int_equal(process->thread_count, 3);
	assert_int_equal(process->parallel_ns[1], 1150 * MS);
	assert_int_equal(process->parallel_ns[2], 75 * MS);
	assert_int_equal(process->parallel_ns[3], 50 * MS);
	assert_int_equal(process->parallel_ns[0], (3000 - 1275) * MS); /* the rest of its life */
	assert_near(process->parallel_mean, (1150.0 + 150 + 150) / 1275);
	assert_int_equal(process->runq.count, 50);
	assert_near(process->runq.p99_ns, 3);
	assert_true(isnan(summary->processes[2].parallel_mean));
	assert_null(summary->processes[1].command);
	assert_true(summary->processes[1].ended);
	assert_int_equal(summary->processes[1].life_ns, 750 * MS);
	/* threads still know their process after the ranking */
	assert_int_equal(thread_of(summary, 102)->process, 0);
	assert_int_equal(thread_of(summary, 100)->process, 2);
}

static void syscalls_are_summed_over_processes_and_ranked_by_time(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_call_summary *call = &summary->calls[0];

	assert_int_equal(summary->call_count, 3);
	assert_string_equal(call->name, "epoll_wait");
	assert_int_equal(call->calls, 1000);
	assert_int_equal(call->total_ns, 1480 * MS);
	assert_int_equal(call->latency.count, 1000);
	assert_near(call->latency.p50_ns, (1024 + 1151) / 2.0);
	assert_near(call->latency.p90_ns, (2048 + 2303) / 2.0);
	assert_near(call->latency.p99_ns, (1048576 + 1179647) / 2.0);
	/* only what is in progress at the end of the run */
	assert_int_equal(call->in_progress, 3);
	assert_int_equal(call->in_progress_ns, 3020 * MS);
}

static void errors_are_ranked_and_compat_calls_counted_apart(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	const struct hr_call_summary *call = &summary->calls[1], *compat = &summary->calls[2];

	assert_string_equal(call->name, "accept4");
	assert_int_equal(call->calls, 200);
	assert_int_equal(call->timed, 100);
	assert_int_equal(call->errors, 100);
	assert_int_equal(call->top_count, 2);
	assert_string_equal(call->top[0].name, "EAGAIN");
	assert_int_equal(call->top[0].count, 90);
	assert_string_equal(call->top[1].name, "EMFILE");
	assert_true(isnan(call->latency.p50_ns));
	assert_string_equal(compat->name, "accept4");
	assert_string_equal(compat->abi, "compat");
	assert_int_equal(compat->calls, 3);
	assert_int_equal(compat->top_count, 0);
}

static void the_host_is_summed_up(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_int_equal(summary->cpu_count, 4);
	assert_int_equal(summary->cpu_total.target_ns, 2400 * MS);
	assert_int_equal(summary->cpu_total.other_ns, 2400 * MS);
	assert_int_equal(summary->cpu_total.idle_ns, 7200 * MS);
	assert_int_equal(summary->cpu_total.steal_ns, 120 * MS);
	assert_int_equal(summary->cpu_total.irq_ns, HR_NULL);
	assert_int_equal(summary->neighbour_count, 3);
	assert_int_equal(summary->neighbours[0].pid, 4321);
	assert_int_equal(summary->neighbours[0].cpu_ns, 750 * MS);
	assert_int_equal(summary->neighbours[2].pid, HR_NULL); /* last, though it is the most */
	assert_int_equal(summary->quota_count, 1);
	assert_int_equal(summary->quotas[0].quota_ns, 250 * MS); /* as it was at the end */
	assert_int_equal(summary->quotas[0].periods, 20);
	assert_int_equal(summary->quotas[0].throttled_periods, 5);
	assert_int_equal(summary->quotas[0].throttled_ns, 40 * MS);
}

static void cost_is_a_share_of_one_cpu_over_the_intervals_that_have_it(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_near(summary->cost.collector_cpu_share, 20.0 / 2000); /* two of three intervals */
	assert_int_equal(summary->cost.collector_rss_bytes, 14 << 20);
	assert_near(summary->cost.bpf_cpu_share, 800000.0 / (100 * MS)); /* both programs share one window */
	assert_int_equal(summary->cost.bpf_window_ns, 100 * MS);
	assert_string_equal(summary->probes[0].program, "sys_enter");
}

static void what_the_kernel_cannot_tell_is_known(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_false(summary->state_known[HR_STATE_KLOCK]);
	assert_true(summary->state_known[HR_STATE_RECLAIM]);
	assert_true(summary->owner_known[HR_OWNER_STEAL]);
	assert_false(summary->owner_known[HR_OWNER_IRQ]);
	assert_true(summary->owner_known[HR_OWNER_QUOTA]);
	assert_true(summary->quotas_known);
}

static void a_few_approximations_do_not_make_a_run_lossy(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	assert_int_equal(summary->loss_count, 1);
	assert_string_equal(summary->losses[0].name, "missed_switch_in");
	assert_int_equal(summary->losses[0].count, 7); /* of 9,303 switches */
	assert_false(summary->losses[0].above_limit);
	assert_false(summary->lossy);
}

static void more_than_the_limit_of_missed_switches_makes_a_run_lossy(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, losses, 1, "missed_switch_in", 94);
	SAMPLE(writer, losses, 1, "missed_switch_out", 95); /* 1 % of 9,303 is 93.03, and one more */
	SAMPLE(writer, losses, 1, "clock_backwards", 100000);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(fixture->summary->loss_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fixture->summary->losses[i].above_limit,
				 strcmp(fixture->summary->losses[i].name, "missed_switch_out") == 0);
	assert_true(fixture->summary->lossy);
}

static void a_reason_of_a_later_version_makes_a_run_lossy(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	SAMPLE(writer, losses, 1, "gremlins", 1);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_null(fixture->summary->losses[0].info);
	assert_true(fixture->summary->lossy);
}

static void a_run_without_an_interval_is_nothing_measured(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_summary *summary;

	sample_write_empty(fixture->path);
	summary = fixture->summary = sample_load(fixture->path);
	assert_int_equal(summary->run.interval_count, 0);
	assert_int_equal(summary->run.recorded_ns, 0);
	assert_true(isnan(summary->accounted.share) && isnan(summary->accounted.worst_share));
	assert_true(isnan(summary->cost.collector_cpu_share) && isnan(summary->cost.bpf_cpu_share));
	assert_int_equal(summary->cost.collector_rss_bytes, HR_NULL);
	assert_true(isnan(summary->runq.p50_ns));
	assert_false(summary->quotas_known);
	assert_int_equal(summary->group_count + summary->process_count + summary->call_count + summary->cpu_count, 0);
}

static void a_run_that_was_cut_off_lasts_to_its_last_interval(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_summary *summary;

	sample_write_cut_off(fixture->path, "redis", "redis");
	summary = fixture->summary = sample_load(fixture->path);
	assert_int_equal(summary->run.ended_ns, HR_NULL);
	assert_int_equal(summary->threads[0].account.life_ns, S);
	assert_near(summary->accounted.share, 1);
	assert_near(summary->accounted.worst_share, 0);
	assert_near(hr_summary_busy_share(summary, &summary->threads[0]), 0.9);
}

static void names_cannot_carry_control_characters(void **state)
{
	struct fixture *fixture = *state;

	sample_write_cut_off(fixture->path, "a\033[2Jb", "x\ny\xff");
	fixture->summary = sample_load(fixture->path);
	assert_string_equal(fixture->summary->groups[0].label, "a\xEF\xBF\xBD[2Jb/x\xEF\xBF\xBDy\xEF\xBF\xBD");
}

static void assert_refused(struct fixture *fixture, const char *sentence)
{
	struct hr_summary *summary = NULL;
	struct hr_reader *reader = NULL;
	struct hr_err err;

	assert_int_equal(hr_reader_open(fixture->path, &reader, &err), 0);
	assert_int_equal(hr_summary_load(reader, &summary, &err), -EINVAL);
	assert_non_null(strstr(err.text, sentence));
	assert_null(summary);
	hr_reader_close(reader);
}

static void a_thread_without_its_process_is_damage(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, S);

	SAMPLE(writer, threads, .thread_id = 1, .process_id = 77, .tid = 100, .name = "orphan", .last_ns = S);
	sample_end(writer, true);
	assert_refused(fixture, "thread 1 belongs to no process");
}

static void intervals_that_overlap_are_damage(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, S);

	SAMPLE(writer, intervals, 1, 0, S);
	SAMPLE(writer, intervals, 2, S / 2, 2 * S);
	sample_end(writer, true);
	assert_refused(fixture, "interval 2 overlaps");
}

/* As the file of a recording is until its probes are in. */
static void a_file_that_holds_no_run_yet_is_not_called_damaged(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = NULL;
	struct hr_err err;

	assert_int_equal(hr_writer_create(fixture->path, true, (uid_t)-1, (gid_t)-1, &writer, &err), 0);
	sample_end(writer, true);
	assert_refused(fixture, "holds no run: its recording has not begun yet");
}

static void a_pattern_is_the_name_with_its_last_number_left_out(void **state)
{
	static const char *const rows[][2] = {
		{ "worker-12", "worker-*" }, { "nginx", "nginx" }, { "python3", "python*" },
		{ "Thread-3 (serve", "Thread-* (serve" },
		{ "42", "*" }, { "", "" }, { "pool-1-thread-7", "pool-1-thread-*" }, { " (odd)", " (odd)" },
	};
	char pattern[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hr_thread_pattern(pattern, sizeof(pattern), rows[i][0]);
		assert_string_equal(pattern, rows[i][1]);
	}
}

static void the_busiest_threads_come_in_order_and_idle_ones_not_at_all(void **state)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;
	size_t busiest[4];

	assert_int_equal(hr_summary_busiest(summary, busiest, 4), 3);
	assert_int_equal(summary->threads[busiest[0]].tid, 101);
	assert_int_equal(summary->threads[busiest[1]].tid, 200);
	assert_int_equal(summary->threads[busiest[2]].tid, 102);
	assert_int_equal(hr_summary_busiest(summary, busiest, 2), 2);
	assert_int_equal(summary->threads[busiest[1]].tid, 200);
}

static void every_loss_has_a_name_and_a_sentence_of_its_own(void **state)
{
	(void)state;
	for (int reason = 0; reason < HR_LOSSES; reason++) {
		const struct hr_loss_info *info = hr_loss_info(reason);

		assert_non_null(info->name);
		assert_non_null(info->sentence);
		assert_ptr_equal(hr_loss_by_name(info->name), info);
	}
	assert_null(hr_loss_by_name("gremlins"));
}

#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, set_up_sample, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SAMPLE(the_run_is_described),
		WITH_SAMPLE(time_in_which_recording_was_off_is_in_no_life),
		WITH_SAMPLE(the_accounted_share_is_time_in_states_over_lives),
		WITH_SAMPLE(states_add_up_over_threads_and_intervals),
		WITH_SAMPLE(threads_whose_names_differ_in_a_number_are_one_group),
		WITH_SAMPLE(counters_are_summed_and_unknown_ones_stay_unknown),
		WITH_SAMPLE(waits_for_a_cpu_are_split_by_who_had_it),
		WITH_SAMPLE(processes_have_their_own_waits_and_parallelism),
		WITH_SAMPLE(syscalls_are_summed_over_processes_and_ranked_by_time),
		WITH_SAMPLE(errors_are_ranked_and_compat_calls_counted_apart),
		WITH_SAMPLE(the_host_is_summed_up),
		WITH_SAMPLE(cost_is_a_share_of_one_cpu_over_the_intervals_that_have_it),
		WITH_SAMPLE(what_the_kernel_cannot_tell_is_known),
		WITH_SAMPLE(a_few_approximations_do_not_make_a_run_lossy),
		WITH_SAMPLE(the_busiest_threads_come_in_order_and_idle_ones_not_at_all),
		WITH_PATH(more_than_the_limit_of_missed_switches_makes_a_run_lossy),
		WITH_PATH(a_reason_of_a_later_version_makes_a_run_lossy),
		WITH_PATH(a_run_without_an_interval_is_nothing_measured),
		WITH_PATH(a_run_that_was_cut_off_lasts_to_its_last_interval),
		WITH_PATH(names_cannot_carry_control_characters),
		WITH_PATH(a_thread_without_its_process_is_damage),
		WITH_PATH(intervals_that_overlap_are_damage),
		WITH_PATH(a_file_that_holds_no_run_yet_is_not_called_damaged),
		cmocka_unit_test(a_pattern_is_the_name_with_its_last_number_left_out),
		cmocka_unit_test(every_loss_has_a_name_and_a_sentence_of_its_own),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
