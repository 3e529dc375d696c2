/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples and stacks as the kernel tells them, as rows. The target is this test itself: its functions are what stacks go through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/syscall.h>

#include "headroom/states.h"
#include "run_fixture.h"

#include "fake_probes.h"

#define PROCESS 7
#define PERIOD_NS 10000000
#define TOLD_MAX 64

/* What the kernel tells in the next pass, and who the threads are. */
static struct {
	struct told_sample {
		struct hr_sample_key key;
		struct hr_sample sample;
	} samples[TOLD_MAX];
	struct told_stack {
		uint64_t key;
		struct hr_stack stack;
	} stacks[TOLD_MAX];
	size_t sample_count, stack_count;
	struct hr_drain_thread threads[8];
	struct hr_thread records[8];
} told;

int hr_probes_take_samples(struct hr_probes *probes, const struct hr_stack_takers *takers, void *context)
{
	(void)probes;
	for (size_t i = 0; i < told.sample_count; i++)
		takers->sample(context, &told.samples[i].key, &told.samples[i].sample);
	for (size_t i = 0; i < told.stack_count; i++)
		takers->stack(context, told.stacks[i].key, &told.stacks[i].stack);
	told.sample_count = told.stack_count = 0;
	return 0;
}

/* How the kernel unwinds is no matter here. */
void hr_probes_unwind_tables(struct hr_probes *probes, struct hr_unwind_tables *ret)
{
	(void)probes;
	*ret = (struct hr_unwind_tables){ 0 };
}

uint32_t hr_probes_sample_period_ns(const struct hr_probes *probes)
{
	(void)probes;
	return PERIOD_NS;
}

static void thread_is(uint32_t slot, int64_t id, uint64_t born_ns)
{
	told.records[slot].born_ns = born_ns;
	told.threads[slot] = (struct hr_drain_thread){ .id = id, .record = &told.records[slot] };
}

static void begin_run(const struct scratch *scratch)
{
	memset(&told, 0, sizeof(told));
	run_open(scratch, &hr_family_stacks);
	fake.process.pid = (uint32_t)getpid();
	run.drain.threads = told.threads;
	run.drain.thread_slots = COUNT_OF(told.threads);
	thread_is(3, 30, 1000);
	run_base(0);
}

/* Functions that stacks go through, as far as their addresses. */
static __attribute__((noinline)) int forward_pass(int x)
{
	return x * 3 + (int)told.sample_count;
}

static __attribute__((noinline)) int serve(int x)
{
	return forward_pass(x) + 1;
}

#define IN(function) ((uint64_t)(uintptr_t)(function))

static void tell_stack(uint64_t key, uint32_t process, uint32_t frames, const uint64_t *addresses)
{
	struct told_stack *stack = &told.stacks[told.stack_count++];

	*stack = (struct told_stack){ .key = key, .stack = { .process = process, .frames = frames } };
	memcpy(stack->stack.addresses, addresses, frames * sizeof(*addresses));
}

/* forward_pass(), called by serve(), sampled `into` bytes behind its beginning. */
static void tell_forward_pass(uint64_t key, uint64_t into)
{
	uint64_t addresses[] = { IN(forward_pass) + into, IN(serve) + 5 };

	tell_stack(key, PROCESS, 2, addresses);
}

static struct told_sample *tell_sample(uint32_t slot, enum hr_state state, uint64_t user_stack, uint64_t count)
{
	struct told_sample *sample = &told.samples[told.sample_count++];

	*sample = (struct told_sample){
		.key = { .thread = slot, .state = state, .user_stack = user_stack },
		.sample = { .born_ns = told.records[slot].born_ns, .count = count, .alone_ns = count * PERIOD_NS / 2 },
	};
	return sample;
}

#define SAMPLES "SELECT interval_id, thread_id, state, syscall, user_stack_id, kernel_stack_id, count, time_ns, alone_ns FROM samples"
#define FRAMES_OF(stack) \
	"SELECT depth, name FROM stacks JOIN frames USING (frame_id) WHERE stack_id = " stack " ORDER BY depth"

static void a_sample_has_its_thread_its_stack_and_the_time_that_it_stands_for(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	tell_forward_pass(111, 4);
	tell_sample(3, HR_STATE_USER, 111, 7);
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows(SAMPLES, "1 30 user null 1 null 7 70000000 35000000");
	assert_rows(FRAMES_OF("1"), "0 forward_pass 1 serve");
	assert_rows("SELECT count(*), count(offset) FROM frames WHERE module LIKE '%stacks_test'", "2 0");
	run_close();
}

static void a_wait_has_its_call_and_no_time_alone(void **state)
{
	const struct scratch *scratch = *state;
	struct told_sample *sample;

	begin_run(scratch);
	tell_forward_pass(111, 4);
	sample = tell_sample(3, HR_STATE_FUTEX, 111, 2);
	sample->key.call_row = SYS_futex;
	sample->key.in_call = 1;
	tell_sample(3, HR_STATE_FUTEX, 0, 1);
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows(SAMPLES " ORDER BY count", "1 30 futex null null null 1 10000000 null 1 30 futex futex 1 null 2 20000000 null");
	assert_int_equal(run.drain.stacks_lost, 0); /* the kernel has counted why there is none */
	run_close();
}

static struct told_sample *tell_futex(uint32_t slot, uint64_t stack, uint64_t futex, uint64_t count)
{
	struct told_sample *sample = tell_sample(slot, HR_STATE_FUTEX, stack, count);

	sample->key.futex = futex;
	told.records[slot].process = PROCESS;
	return sample;
}

static void a_lock_has_the_stacks_that_waited_for_it_whichever_thread_it_was(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_idmap lock_ids;

	hr_idmap_init(&lock_ids, 8);
	begin_run(scratch);
	run.drain.lock_ids = &lock_ids;
	thread_is(4, 40, 1000);
	assert_int_equal(hr_idmap_put(&lock_ids, hr_drain_lock_key(70, 0, 0x5580), 9), 0);
	tell_forward_pass(111, 4);
	tell_futex(3, 111, 0x5580, 2);
	tell_futex(4, 111, 0x5580, 5);
	tell_futex(4, 0, 0x5580, 1);	/* no stack could be taken */
	tell_futex(4, 111, 0x5600, 1);	/* of a lock that is not in the file */
	tell_sample(3, HR_STATE_USER, 111, 1)->key.futex = 0x5580; /* on CPU that is a stack of the kernel */
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, lock_id, stack_id, count, time_ns FROM lock_stacks", "1 9 1 7 70000000");
	assert_rows("SELECT sum(count) FROM samples WHERE state = 'futex'", "9");
	run_close();
	hr_idmap_fini(&lock_ids);
}

static void one_function_at_many_addresses_is_one_stack_and_one_row(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	for (uint64_t into = 0; into < 5; into++) {
		tell_forward_pass(100 + into, into);
		tell_sample(3, HR_STATE_USER, 100 + into, 1);
	}
	run_pass(SECOND);
	tell_forward_pass(100, 0); /* told again in each interval that it is sampled in */
	tell_sample(3, HR_STATE_USER, 100, 1);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, user_stack_id, count, alone_ns FROM samples", "1 1 5 25000000 2 1 1 5000000");
	assert_rows("SELECT count(*), count(DISTINCT stack_id) FROM stacks", "2 1");
	assert_rows("SELECT count(*) FROM frames", "2");
	run_close();
}

/* A call at the very end of a function, as of one that never returns: behind it begins the next function. */
static void a_return_address_belongs_to_the_call_in_front_of_it(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t addresses[] = { IN(forward_pass), IN(forward_pass) + 1, IN(forward_pass) };

	begin_run(scratch);
	tell_stack(111, PROCESS, COUNT_OF(addresses), addresses);
	tell_sample(3, HR_STATE_USER, 111, 1);
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT depth FROM stacks JOIN frames USING (frame_id) WHERE name = 'forward_pass' ORDER BY depth", "0 1");
	assert_rows("SELECT count(*) FROM stacks", "3");
	run_close();
}

static void a_chain_of_frames_ends_where_there_is_no_code(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t addresses[] = { IN(forward_pass), IN(&told), IN(serve) }, nowhere[] = { 5, IN(serve) + 5 };

	begin_run(scratch);
	tell_stack(111, PROCESS, COUNT_OF(addresses), addresses);
	tell_stack(222, PROCESS, COUNT_OF(nowhere), nowhere);
	tell_sample(3, HR_STATE_USER, 111, 1);
	tell_sample(3, HR_STATE_USER, 222, 2);
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows(FRAMES_OF("1"), "0 forward_pass");
	assert_rows("SELECT depth, name, module, offset FROM stacks JOIN frames USING (frame_id) WHERE stack_id = 2 ORDER BY depth LIMIT 1",
		    "0 null null null");
	assert_rows("SELECT user_stack_id, count FROM samples ORDER BY count", "1 1 2 2");
	run_close();
}

static void stacks_of_the_kernel_are_of_no_process(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t addresses[] = { 0xffffffff81000000, 0xffffffff81000100 };

	begin_run(scratch);
	tell_stack(555, 0, COUNT_OF(addresses), addresses);
	tell_sample(3, HR_STATE_KERNEL, 0, 3)->key.kernel_stack = 555;
	run.drain.last = true; /* to read the symbols of the kernel may take longer than a pass has time for names */
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT user_stack_id, kernel_stack_id, count FROM samples", "null 1 3");
	assert_rows("SELECT DISTINCT module FROM frames", "[kernel]");
	run_close();
}

static void a_sample_of_a_thread_that_is_not_known_yet_waits_for_the_next_pass(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	told.records[4].born_ns = 2000;
	tell_forward_pass(111, 4);
	tell_sample(4, HR_STATE_USER, 111, 1);
	run_pass(SECOND);
	thread_is(4, 40, 2000);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, thread_id, count FROM samples", "1 40 1");
	assert_int_equal(run.drain.samples_lost, 0);
	run_close();
}

static void samples_of_a_slots_former_owner_are_lost_and_counted(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	tell_sample(3, HR_STATE_USER, 0, 5);
	tell_sample(5, HR_STATE_USER, 0, 2); /* nobody, in this pass and the next */
	thread_is(3, 31, 5000);
	tell_sample(3, HR_STATE_USER, 0, 1);
	run_pass(SECOND);
	assert_int_equal(run.drain.samples_lost, 5);
	run_pass(2 * SECOND);
	assert_int_equal(run.drain.samples_lost, 7);
	run_finish(scratch);
	assert_rows("SELECT thread_id, count FROM samples", "31 1");
	run_close();
}

static void a_stack_that_was_never_told_is_counted(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	tell_sample(3, HR_STATE_USER, 999, 4);
	run_pass(SECOND);
	assert_int_equal(run.drain.stacks_lost, 4);
	run_finish(scratch);
	assert_rows("SELECT user_stack_id, count FROM samples", "null 4");
	run_close();
}

/* It was told when the last sample of it was taken; the next one only has its key. */
static void a_stack_stays_known_while_the_recording_is_off_and_samples_do_not(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	run.drain.discard = true;
	tell_forward_pass(111, 4);
	tell_sample(3, HR_STATE_USER, 111, 9);
	run_pass(SECOND);
	run.drain.discard = false;
	tell_sample(3, HR_STATE_USER, 111, 1);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT user_stack_id, count FROM samples", "1 1");
	assert_rows(FRAMES_OF("1"), "0 forward_pass 1 serve");
	run_close();
}

static void a_stack_of_a_process_that_just_came_waits_for_it_and_its_samples_keep_their_interval(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	fake.process_ids[PROCESS] = 0;
	tell_forward_pass(111, 4);
	tell_sample(3, HR_STATE_USER, 111, 1);
	run_pass(SECOND);
	fake.process_ids[PROCESS] = 70;
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, user_stack_id FROM samples", "1 1");
	run_close();
}

/* Nothing comes after the last pass. */
static void at_the_end_every_sample_is_written_or_counted(void **state)
{
	const struct scratch *scratch = *state;

	begin_run(scratch);
	fake.process_ids[PROCESS] = 0;
	tell_forward_pass(111, 4);
	tell_sample(3, HR_STATE_USER, 111, 1);
	tell_sample(5, HR_STATE_USER, 111, 2);
	run.drain.last = true;
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT sum(count), count(user_stack_id) FROM samples", "1 1");
	assert_int_equal(run.drain.samples_lost, 2);
	run_close();
}

/* The same addresses, but another program. */
static void after_an_exec_a_stack_is_named_again(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t here[] = { IN(serve) };

	begin_run(scratch);
	tell_forward_pass(111, 4);
	tell_sample(3, HR_STATE_USER, 111, 1);
	run_pass(SECOND);
	fake.process.execs++;
	fake.process.ended_ns = 1; /* and nothing can be read of it */
	tell_stack(222, PROCESS, 1, here);
	tell_sample(3, HR_STATE_USER, 222, 2);
	run_pass(2 * SECOND);
	tell_forward_pass(111, 4);
	tell_sample(3, HR_STATE_USER, 111, 4);
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT s.count, f.name FROM samples s JOIN stacks k ON k.stack_id = s.user_stack_id AND k.depth = 0 "
		    "JOIN frames f USING (frame_id) ORDER BY s.count",
		    "1 forward_pass 2 null 4 null");
	run_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_sample_has_its_thread_its_stack_and_the_time_that_it_stands_for),
		scratch_test(a_wait_has_its_call_and_no_time_alone),
		scratch_test(a_lock_has_the_stacks_that_waited_for_it_whichever_thread_it_was),
		scratch_test(one_function_at_many_addresses_is_one_stack_and_one_row),
		scratch_test(a_return_address_belongs_to_the_call_in_front_of_it),
		scratch_test(a_chain_of_frames_ends_where_there_is_no_code),
		scratch_test(stacks_of_the_kernel_are_of_no_process),
		scratch_test(a_sample_of_a_thread_that_is_not_known_yet_waits_for_the_next_pass),
		scratch_test(samples_of_a_slots_former_owner_are_lost_and_counted),
		scratch_test(a_stack_that_was_never_told_is_counted),
		scratch_test(a_stack_stays_known_while_the_recording_is_off_and_samples_do_not),
		scratch_test(a_stack_of_a_process_that_just_came_waits_for_it_and_its_samples_keep_their_interval),
		scratch_test(at_the_end_every_sample_is_written_or_counted),
		scratch_test(after_an_exec_a_stack_is_named_again),
	};

	if (serve(1) == 0)
		return 1;
	return cmocka_run_group_tests_name("stacks", tests, NULL, NULL);
}
