/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes with a cause, of a server that is made here: 1000 requests of 1 ms of CPU time each, by 1000 samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/remains.h"
#include "headroom/net.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MS 1000000u

enum { MAIN, WORK, PROTECT, SEND, ENTRY, FAULT, STATE };

static struct hr_frame frames[] = {
	[MAIN] = { MAIN, HR_FRAME_USER, "main", NULL, "main" },
	[WORK] = { WORK, HR_FRAME_USER, "work", NULL, "work" },
	[PROTECT] = { PROTECT, HR_FRAME_USER, "mprotect", NULL, "mprotect" },
	[SEND] = { SEND, HR_FRAME_USER, "send", NULL, "send" },
	[ENTRY] = { ENTRY, HR_FRAME_KERNEL, "do_syscall_64", NULL, "do_syscall_64" },
	[FAULT] = { FAULT, HR_FRAME_KERNEL, "handle_mm_fault", NULL, "handle_mm_fault" },
	[STATE] = { HR_NULL, HR_FRAME_STATE, NULL, NULL, "[klock]" },
};

static const uint32_t working[] = { MAIN, WORK };
static const uint32_t faulting[] = { MAIN, WORK, FAULT };
static const uint32_t protecting[] = { MAIN, PROTECT, ENTRY };
static const uint32_t sending[] = { MAIN, SEND, ENTRY };
static const uint32_t protect_waits[] = { MAIN, PROTECT, STATE };
static const uint32_t send_waits[] = { MAIN, SEND, STATE };

#define SAMPLE(state_, path_, user, count_) \
	{ .state = HR_STATE_##state_, .path = path_, .depth = COUNT_OF(path_), .user_depth = user, .count = count_, .time_ns = (count_) * MS }

static struct hr_summary server(struct hr_stack_sample *samples, size_t count)
{
	struct hr_summary summary = { 0 };

	summary.profile = (struct hr_profile){ .frames = frames, .samples = samples, .frame_count = COUNT_OF(frames), .sample_count = count };
	for (size_t i = 0; i < count; i++)
		summary.total.state_ns[samples[i].state] += samples[i].time_ns;
	summary.requests.requests = 1000;
	summary.memory.minor_faults = summary.memory.major_faults = HR_NULL;
	return summary;
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-6 * fabs(expected)))
		fail_msg("%.9g is not %.9g", value, expected);
}

/* 700 ms in calls that wait for the lock, with 100 ms of work and 200 ms of calls that hardly do: 300 us of a request are left. */
static void calls_that_wait_for_a_lock_of_the_kernel_go_with_it(void **state)
{
	struct hr_stack_sample samples[] = {
		SAMPLE(USER, working, 2, 100),	     SAMPLE(KERNEL, protecting, 2, 700),   SAMPLE(KERNEL, sending, 2, 200),
		SAMPLE(KLOCK, protect_waits, 2, 990), SAMPLE(KLOCK, send_waits, 2, 10),
	};
	struct hr_summary whole = server(samples, COUNT_OF(samples));
	struct hr_remains remains;

	(void)state;
	hr_remains_find(HR_VERDICT_KERNEL_LOCK, &whole, &whole, &remains);
	assert_near(remains.cpu_us, 300);
	/* 700 of 900 samples: the share of the rest is known within 1.96 * sqrt(p (1 - p) / 900) of the 900 ms */
	assert_near(remains.cpu_error, 1.96 * 900 * sqrt(7.0 / 9 * 2 / 9 / 900) / 300);
	assert_near(remains.saved_us, 700);
}

static void faults_that_read_from_disk_go_with_the_want_of_memory(void **state)
{
	struct hr_stack_sample samples[] = { SAMPLE(USER, working, 2, 400), SAMPLE(USER, faulting, 2, 600) };
	struct hr_summary whole = server(samples, COUNT_OF(samples));
	struct hr_remains remains;

	(void)state;
	hr_remains_find(HR_VERDICT_MEMORY, &whole, NULL, &remains);
	assert_true(isnan(remains.cpu_us)); /* of what kind they are was not measured */
	whole.memory.major_faults = 3000;
	whole.memory.minor_faults = 1000;
	whole.requests.budget = (struct hr_budget){ .requests = 500, .state_ns = { [HR_STATE_FAULT] = 500 * MS, [HR_STATE_RECLAIM] = 250 * MS } };
	hr_remains_find(HR_VERDICT_MEMORY, &whole, &whole, &remains);
	assert_near(remains.cpu_us, 1000 - 600 * 0.75);
	assert_near(remains.saved_us, 1500 + 450); /* the waits of a request, and that CPU time */
}

static void waits_go_alone_where_the_work_stays(void **state)
{
	struct hr_stack_sample samples[] = { SAMPLE(USER, working, 2, 400), SAMPLE(KERNEL, protecting, 2, 600), SAMPLE(DISK, protect_waits, 2, 900) };
	struct hr_summary whole = server(samples, COUNT_OF(samples));
	struct hr_remains remains;

	(void)state;
	whole.requests.budget = (struct hr_budget){ .requests = 1000, .state_ns = { [HR_STATE_DISK] = 900 * MS } };
	samples[2].syscall = "pread64"; /* what it reads is wanted, wherever it comes from */
	hr_remains_find(HR_VERDICT_DISK_IO, &whole, &whole, &remains);
	assert_true(isnan(remains.cpu_us));
	assert_near(remains.saved_us, 900);
	samples[2].syscall = "fdatasync"; /* but nobody waits for what is not stored, and nobody stores it */
	hr_remains_find(HR_VERDICT_DISK_IO, &whole, &whole, &remains);
	assert_near(remains.cpu_us, 400 + 600 * (1 - 1 / (1 + 1.0 / 600)));
	hr_remains_find(HR_VERDICT_CPU_SATURATED, &whole, &whole, &remains);
	assert_true(isnan(remains.cpu_us) && remains.saved_us == 0);
}

/* A few samples that all are of the cause do not make work free. */
static void without_samples_nothing_is_known_and_with_few_not_all_goes(void **state)
{
	struct hr_stack_sample samples[] = { SAMPLE(KERNEL, protecting, 2, 9), SAMPLE(KLOCK, protect_waits, 2, 90) };
	struct hr_summary whole = server(samples, COUNT_OF(samples));
	struct hr_remains remains;

	(void)state;
	hr_remains_find(HR_VERDICT_KERNEL_LOCK, &whole, &whole, &remains);
	assert_near(remains.cpu_us, 9 * 0.1);
	assert_true(remains.cpu_error > 1);
	whole.profile.sample_count = 0;
	hr_remains_find(HR_VERDICT_KERNEL_LOCK, &whole, &whole, &remains);
	assert_true(isnan(remains.cpu_us));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_wait_for_a_lock_of_the_kernel_go_with_it),
		cmocka_unit_test(faults_that_read_from_disk_go_with_the_want_of_memory),
		cmocka_unit_test(waits_go_alone_where_the_work_stays),
		cmocka_unit_test(without_samples_nothing_is_known_and_with_few_not_all_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
