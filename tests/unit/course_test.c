/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_run.h"

#include "analyse/flame.h"
#include "analyse/series.h"

struct fixture {
	char path[64];
	struct hr_summary *summary;
	struct hr_series series;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	sample_path(fixture->path);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	hr_series_fini(&fixture->series);
	hr_summary_free(fixture->summary);
	sample_remove(fixture->path);
	free(fixture);
	return 0;
}

static const struct hr_series *load(void **state)
{
	struct fixture *fixture = *state;
	struct hr_reader *reader = NULL;
	struct hr_err err;

	fixture->summary = sample_load(fixture->path);
	if (hr_reader_open(fixture->path, &reader, &err) || hr_series_load(reader, fixture->summary, &fixture->series, &err))
		fail_msg("%s", err.text);
	hr_reader_close(reader);
	return &fixture->series;
}

static const struct hr_series *load_asked(void **state)
{
	sample_write_asked(((struct fixture *)*state)->path);
	return load(state);
}

static void each_interval_is_a_point_with_the_time_of_all_threads_in_each_state(void **state)
{
	const struct hr_series *series = load_asked(state);

	assert_int_equal(series->point_count, 3);
	assert_int_equal(series->points[0].start_ns, 0);
	assert_int_equal(series->points[2].start_ns, 3 * S);
	assert_int_equal(series->points[0].state_ns[HR_STATE_USER], 300 * MS);
	assert_int_equal(series->points[1].state_ns[HR_STATE_USER], 700 * MS);
	assert_int_equal(series->points[2].state_ns[HR_STATE_PREEMPTED], 50 * MS);
	assert_int_equal(series->points[1].state_ns[HR_STATE_DISK], 100 * MS);
}

static void points_count_the_requests_of_the_front_alone(void **state)
{
	const struct hr_series *series = load_asked(state);

	assert_int_equal(series->points[0].requests, 3000);
	assert_int_equal(series->points[0].in_flight_ns, 8000 * MS);
	assert_int_equal(series->points[1].requests, 0);
	assert_int_equal(series->points[2].requests, 3000);
}

static void latencies_fall_into_rows_that_hold_them_and_none_is_lost(void **state)
{
	const struct hr_series *series = load_asked(state);
	uint64_t sum = 0;

	assert_int_equal(series->cell_count, 3);
	for (size_t i = 0; i < series->cell_count; i++)
		sum += series->cells[i].count;
	assert_int_equal(sum, 6000);
	assert_int_equal(series->cells[0].column, 0);
	assert_true(hr_series_row_ns(series->cells[0].row) <= 1000000 && hr_series_row_ns(series->cells[0].row + 1) >= 1031250);
	assert_int_equal(series->cells[1].column, 2);
	assert_true(hr_series_row_ns(series->cells[2].row) <= 8000000 && hr_series_row_ns(series->cells[2].row + 1) >= 8250000);
	assert_int_equal(series->row_low, series->cells[0].row);
	assert_int_equal(series->row_high, series->cells[2].row);
}

static void requests_that_cannot_be_told_apart_are_not_known_at_any_point(void **state)
{
	const struct hr_series *series;

	sample_write_multiplexed(((struct fixture *)*state)->path);
	series = load(state);
	for (size_t i = 0; i < series->point_count; i++) {
		assert_int_equal(series->points[i].requests, HR_NULL);
		assert_int_equal(series->points[i].in_flight_ns, HR_NULL);
	}
}

/* Seconds of a run with a gap of a second after each `every`; the thread is in user all the time. */
static void write_long(const char *path, int64_t intervals, int64_t every)
{
	struct hr_writer *writer = sample_begin(path, 2 * intervals * S);

	SAMPLE(writer, processes, .process_id = 1, .pid = 100, .parent_pid = 1, .name = "server", .last_ns = HR_NULL);
	SAMPLE(writer, threads, .thread_id = 1, .process_id = 1, .tid = 100, .name = "server", .last_ns = 2 * intervals * S);
	for (int64_t i = 0; i < intervals; i++) {
		int64_t start_ns = (i + (every ? i / every : 0)) * S;

		SAMPLE(writer, intervals, i + 1, start_ns, start_ns + S);
		SAMPLE(writer, thread_states, i + 1, 1, "user", S);
	}
	sample_end(writer, true);
}

static uint64_t user_ns(const struct hr_series *series)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < series->point_count; i++)
		sum_ns += series->points[i].state_ns[HR_STATE_USER];
	return sum_ns;
}

static void a_long_run_is_at_most_2000_points_whose_sums_are_the_runs(void **state)
{
	const struct hr_series *series;

	write_long(((struct fixture *)*state)->path, 5000, 0);
	series = load(state);
	assert_int_equal(series->point_count, 1667);
	assert_int_equal(series->points[0].recorded_ns, 3 * S);
	assert_true(series->column_count <= HR_SERIES_COLUMNS);
	assert_int_equal(user_ns(series), 5000 * S);
}

static void no_point_reaches_over_a_gap(void **state)
{
	const struct hr_series *series;

	write_long(((struct fixture *)*state)->path, 3000, 100);
	series = load(state);
	assert_int_equal(series->point_count, 1500);
	for (size_t i = 0; i < series->point_count; i++)
		assert_int_equal(series->points[i].recorded_ns, series->points[i].end_ns - series->points[i].start_ns);
	assert_int_equal(user_ns(series), 3000 * S);
}

static void with_more_gaps_than_points_they_are_bridged(void **state)
{
	const struct hr_series *series;

	write_long(((struct fixture *)*state)->path, 4200, 1);
	series = load(state);
	assert_int_equal(series->point_count, 1400);
	assert_int_equal(series->points[0].recorded_ns, 3 * S);
	assert_int_equal(user_ns(series), 4200 * S);
}

static void a_run_without_an_interval_has_no_point(void **state)
{
	const struct hr_series *series;

	sample_end(sample_begin(((struct fixture *)*state)->path, S), true);
	series = load(state);
	assert_int_equal(series->point_count, 0);
	assert_int_equal(series->cell_count, 0);
}

/* ---- flame graphs ---- */

static struct hr_flame flame_of(void **state, bool on_cpu, size_t max)
{
	struct fixture *fixture = *state;
	struct hr_flame flame;
	struct hr_err err;

	sample_write_profiled(fixture->path);
	hr_summary_free(fixture->summary);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(hr_flame_make(fixture->summary, on_cpu, max, &flame, &err), 0);
	return flame;
}

/* Parents come first, and hold all that is in their children. */
static void assert_tree(const struct hr_flame *flame)
{
	uint64_t inside_ns[512] = { 0 };

	assert_true(flame->node_count <= 512);
	for (size_t i = 1; i < flame->node_count; i++) {
		const struct hr_flame_node *node = &flame->nodes[i];

		assert_true(node->parent < i);
		assert_int_equal(node->depth, flame->nodes[node->parent].depth + 1);
		inside_ns[node->parent] += node->time_ns;
	}
	for (size_t i = 0; i < flame->node_count; i++)
		assert_true(inside_ns[i] <= flame->nodes[i].time_ns);
}

static void the_root_of_a_flame_graph_has_the_time_of_all_samples_of_its_side(void **state)
{
	struct hr_flame on_cpu = flame_of(state, true, 1000), off_cpu = flame_of(state, false, 1000);

	assert_int_equal(on_cpu.nodes[0].time_ns, (300 + 60 + 40 + 50 + 20 + 10 + 30) * MS);
	assert_int_equal(on_cpu.nodes[0].count, 30 + 6 + 4 + 5 + 2 + 1 + 3);
	assert_int_equal(off_cpu.nodes[0].time_ns, (600 + 900 + 10) * MS);
	assert_int_equal(on_cpu.left_out + off_cpu.left_out, 0);
	assert_tree(&on_cpu);
	assert_tree(&off_cpu);
	hr_flame_fini(&on_cpu);
	hr_flame_fini(&off_cpu);
}

static void a_flame_graph_that_is_too_large_loses_its_lightest_boxes_and_stays_a_tree(void **state)
{
	struct hr_flame whole = flame_of(state, true, 1000), part = flame_of(state, true, 5);

	assert_true(whole.node_count > 5);
	assert_int_equal(part.node_count, 5);
	assert_int_equal(part.left_out, whole.node_count - 5);
	assert_int_equal(part.nodes[0].time_ns, whole.nodes[0].time_ns);
	assert_memory_equal(part.nodes, whole.nodes, 5 * sizeof(*part.nodes));
	assert_tree(&part);
	hr_flame_fini(&whole);
	hr_flame_fini(&part);
}

static void without_samples_there_is_no_flame_graph(void **state)
{
	struct hr_flame flame;
	struct hr_err err;

	load_asked(state);
	assert_int_equal(hr_flame_make(((struct fixture *)*state)->summary, true, 10, &flame, &err), 0);
	assert_int_equal(flame.node_count, 0);
	hr_flame_fini(&flame);
}

#define course_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		course_test(each_interval_is_a_point_with_the_time_of_all_threads_in_each_state),
		course_test(points_count_the_requests_of_the_front_alone),
		course_test(latencies_fall_into_rows_that_hold_them_and_none_is_lost),
		course_test(requests_that_cannot_be_told_apart_are_not_known_at_any_point),
		course_test(a_long_run_is_at_most_2000_points_whose_sums_are_the_runs),
		course_test(no_point_reaches_over_a_gap),
		course_test(with_more_gaps_than_points_they_are_bridged),
		course_test(a_run_without_an_interval_has_no_point),
		course_test(the_root_of_a_flame_graph_has_the_time_of_all_samples_of_its_side),
		course_test(a_flame_graph_that_is_too_large_loses_its_lightest_boxes_and_stays_a_tree),
		course_test(without_samples_there_is_no_flame_graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
