/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/mman.h>

#include "run_fixture.h"

#include "fake_probes.h"

/* What the kernel would have counted of waits, and the threads that the pass has seen. */
static struct {
	struct hr_edge edges[HR_EDGES];
	struct hr_lock locks[HR_LOCKS];
	struct hr_drain_thread threads[16];
	struct hr_thread records[16];
	struct hr_open_wait open[16];
} kernel;

struct hr_edge *hr_probes_edge(struct hr_probes *probes, uint32_t edge)
{
	(void)probes;
	return &kernel.edges[edge];
}

struct hr_lock *hr_probes_lock(struct hr_probes *probes, uint32_t lock)
{
	(void)probes;
	return &kernel.locks[lock];
}

void hr_probes_retire_edge(struct hr_probes *probes, uint32_t edge)
{
	(void)probes;
	kernel.edges[edge].key.retired = 1;
}

int hr_probes_free_edge(struct hr_probes *probes, uint32_t edge)
{
	(void)probes;
	kernel.edges[edge] = (struct hr_edge){ 0 };
	return 0;
}

int hr_probes_open_wait(struct hr_probes *probes, uint32_t slot, struct hr_open_wait *ret)
{
	(void)probes;
	*ret = kernel.open[slot];
	return 0;
}

uint64_t hr_probes_epoch_ns(const struct hr_probes *probes)
{
	(void)probes;
	return EPOCH_NS;
}

#define WAITER 3
#define WAKER 4

/* In a slot, from now on: a thread of that id, whose tid is 1000 more. */
static void put_thread(uint32_t slot, int64_t id, const char *name)
{
	struct hr_drain_thread *thread = &kernel.threads[slot];

	*thread = (struct hr_drain_thread){ .id = id, .tid = 1000 + (uint32_t)id };
	snprintf(thread->comm, sizeof(thread->comm), "%s", name);
	kernel.records[slot] = (struct hr_thread){ .mode = HR_MODE_ON_CPU };
	thread->record = &kernel.records[slot];
}

static void open_waits(const struct scratch *scratch)
{
	memset(&kernel, 0, sizeof(kernel));
	run_open(scratch, &hr_family_waits);
	run.drain.threads = kernel.threads;
	run.drain.thread_slots = COUNT_OF(kernel.threads);
	fake.process.pid = (uint32_t)getpid();
	put_thread(WAITER, 30, "waiter");
	put_thread(WAKER, 40, "waker");
}

/* One wait of an edge is over. */
static void wait_once(struct hr_edge *edge, uint64_t time_ns)
{
	edge->count++;
	edge->total_ns += time_ns;
	edge->handover_ns += time_ns / 100;
	edge->slots[hr_hist_slot(time_ns, HR_HIST_BITS, HR_HIST_SLOTS)]++;
}

static struct hr_edge *open_edge(uint32_t id, enum hr_state state, enum hr_subject subject, uint64_t value)
{
	struct hr_edge *edge = &kernel.edges[id];

	edge->key = (struct hr_edge_key){
		.waiter = WAITER,
		.state = state,
		.subject = subject,
		.source = HR_SOURCE_THREAD,
		.waker = WAKER,
		.value = value,
	};
	return edge;
}

/* ---- edges ---- */

static void each_interval_has_the_waits_that_ended_in_it(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_edge *edge;

	open_waits(scratch);
	edge = open_edge(9, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x7f12340);
	wait_once(edge, 7 * MS); /* before the run */
	run_base(0);
	wait_once(edge, 100);
	wait_once(edge, 100);
	run_pass(SECOND);
	run_pass(2 * SECOND); /* nothing */
	wait_once(edge, 5000);
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT edge_id, thread_id, state, subject_kind, subject, source, waker_thread_id, waker FROM edges",
		    "1 30 futex futex 0x7f12340 thread 40 waker (1040)");
	assert_rows("SELECT interval_id, edge_id, count, time_ns, handover_ns, window_ns FROM waits",
		    "1 1 2 200 2 0 3 1 1 5000 50 0");
	assert_rows("SELECT interval_id, low_ns <= 100 AND high_ns > 100, low_ns <= 5000 AND high_ns > 5000, count FROM wait_histograms",
		    "1 1 0 2 3 0 1 1");
	run_close();
}

static uint32_t records_in_use(void)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id < HR_EDGES; id++)
		count += kernel.edges[id].key.waiter != 0;
	return count;
}

/* Pairs come and go: records that rest are given back when they run short, and what is added to one that was just retired counts. */
static void records_of_edges_that_rest_are_given_back_before_they_run_out(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_edge *edge;

	open_waits(scratch);
	run_base(0);
	for (uint32_t id = 1; id < HR_EDGES - 10; id++)
		wait_once(open_edge(id, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, id), MS);
	run_pass(SECOND); /* all of them are new */
	edge = &kernel.edges[7];
	wait_once(edge, MS);
	run_pass(2 * SECOND); /* all but one rest */
	assert_int_equal(records_in_use(), HR_EDGES - 11);
	assert_false(edge->key.retired);
	assert_true(kernel.edges[8].key.retired);
	wait_once(&kernel.edges[8], MS); /* it was about to */
	run_pass(3 * SECOND);
	assert_int_equal(records_in_use(), HR_EDGES / 2);
	wait_once(open_edge(9, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 8), MS); /* the same edge has another record */
	run_pass(4 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT count(*) FROM edges WHERE subject = '0x8'", "1");
	assert_rows("SELECT interval_id, count FROM waits JOIN edges USING (edge_id) WHERE subject = '0x8'", "1 1 3 1 4 1");
	assert_rows("SELECT interval_id, count FROM waits JOIN edges USING (edge_id) WHERE subject = '0x7'", "1 1 2 1");
	assert_rows("SELECT sum(count) FROM waits", "4088");
	run_close();
}

static void an_edge_without_a_wait_in_the_run_is_not_in_the_file(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	wait_once(open_edge(9, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x40), MS);
	run_base(0);
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT count(*) FROM edges", "0");
	run_close();
}

static void windows_say_what_the_waker_did_as_far_as_it_is_known(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_edge *edge;

	open_waits(scratch);
	run_base(0);
	edge = open_edge(1, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x40);
	for (int i = 1; i <= 2; i++) {
		wait_once(edge, 1000);
		edge->windows++;
		edge->window_ns += 1000;
		edge->unknown_ns += 300;
		edge->waker_state_ns[HR_STATE_USER] += 500;
		edge->waker_state_ns[HR_STATE_DISK] += 200;
		run_pass(i * SECOND);
	}
	run_finish(scratch);
	assert_rows("SELECT interval_id, time_ns, window_ns FROM waits", "1 1000 700 2 1000 700");
	assert_rows("SELECT interval_id, edge_id, state, time_ns FROM wait_windows ORDER BY 1, 3",
		    "1 1 disk 200 1 1 user 500 2 1 disk 200 2 1 user 500");
	run_close();
}

static void subjects_have_names_that_people_know(void **state)
{
	static const struct {
		enum hr_subject subject;
		uint64_t value;
		uint16_t port;
		const char *peer, *name, *expected;
	} cases[] = {
		{ HR_SUBJECT_NONE, 0, 0, NULL, "", "null null" },
		{ HR_SUBJECT_FUTEX, 0x7f12a0, 0, NULL, "", "futex 0x7f12a0" },
		{ HR_SUBJECT_PEER, 0, 5432, "::ffff:127.0.0.1", "", "peer 127.0.0.1:5432" },
		{ HR_SUBJECT_PEER, 0, 80, "fd00::7", "", "peer [fd00::7]:80" },
		{ HR_SUBJECT_CLIENTS, 0, 8000, NULL, "", "clients :8000" },
		{ HR_SUBJECT_FILE, 77, 0, NULL, "journal\n1", "file journal\xEF\xBF\xBD" "1" },
		{ HR_SUBJECT_FILE, 77, 0, NULL, "", "file inode 77" },
		{ HR_SUBJECT_FILE, 77, 0, NULL, "a-name-that-fills-all-its-forty-bytes-xx", "file a-name-that-fills-all-its-forty-bytes-xx" },
		{ HR_SUBJECT_PIPE, 1234, 0, NULL, "", "pipe pipe:[1234]" },
		{ HR_SUBJECT_UNIX, 99, 0, NULL, "/run/db.sock", "unix /run/db.sock" },
		{ HR_SUBJECT_UNIX, 99, 0, NULL, "", "unix unix:[99]" },
		{ HR_SUBJECT_DEVICE, 195 << 20 | 255, 0, NULL, "nvidiactl", "device nvidiactl 195:255" },
		{ HR_SUBJECT_DEVICE, 226 << 20 | 128, 0, NULL, "", "device 226:128" },
		{ HR_SUBJECT_EVENT, 0xffff888000001000, 0, NULL, "[eventfd]", "event [eventfd]" },
		{ HR_SUBJECT_EVENT, 0xffff888000001000, 0, NULL, "", "event null" },
		{ HR_SUBJECT_KLOCK, 0, 0, NULL, "", "kernel_lock mmap_lock" },
		{ HR_SUBJECT_KLOCK, 0xffff8881, 0, NULL, "", "kernel_lock 0xffff8881" },
	};
	const struct scratch *scratch = *state;
	char expected[2048] = "";
	size_t used = 0;

	open_waits(scratch);
	run_base(0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hr_edge *edge = open_edge(1 + i, HR_STATE_IPC, cases[i].subject, cases[i].value);

		edge->key.port = cases[i].port;
		if (cases[i].peer)
			assert_int_equal(inet_pton(AF_INET6, cases[i].peer, edge->key.address), 1);
		memcpy(edge->subject_name, cases[i].name, strlen(cases[i].name));
		wait_once(edge, 10);
		used += snprintf(expected + used, sizeof(expected) - used, "%s%s", i ? " " : "", cases[i].expected);
	}
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT subject_kind, subject FROM edges ORDER BY edge_id", expected);
	run_close();
}

static void wakers_are_threads_others_or_no_thread(void **state)
{
	static const struct {
		enum hr_source source;
		uint32_t waker;
	} cases[] = {
		{ HR_SOURCE_THREAD, WAKER },	{ HR_SOURCE_THREAD, 0 }, { HR_SOURCE_THREAD, 5 },   { HR_SOURCE_OTHER, 555 },
		{ HR_SOURCE_OTHER, 0 },		{ HR_SOURCE_INTERRUPT, 0 }, { HR_SOURCE_TIMEOUT, 0 }, { HR_SOURCE_SIGNAL, 0 },
		{ HR_SOURCE_UNKNOWN, 0 },
	};
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hr_edge *edge = open_edge(1 + i, HR_STATE_IPC, HR_SUBJECT_NONE, 0);

		edge->key.source = cases[i].source;
		edge->key.waker = cases[i].waker;
		if (cases[i].source == HR_SOURCE_OTHER)
			strcpy(edge->waker_name, "psql");
		wait_once(edge, 10);
	}
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT source, waker_thread_id, waker FROM edges ORDER BY edge_id",
		    "thread 40 waker (1040) thread null null other null psql (555) other null null " /* nobody and one unknown are the same */
		    "interrupt null null timeout null null signal null null unknown null null");
	run_close();
}

static void the_next_thread_in_the_slot_of_a_waker_is_another_waker(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_edge *edge;

	open_waits(scratch);
	run_base(0);
	edge = open_edge(1, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x40);
	wait_once(edge, 100);
	kernel.threads[WAKER].ended = true;
	run_pass(SECOND);
	kernel.threads[WAKER] = (struct hr_drain_thread){ 0 };
	wait_once(edge, 200); /* it was the last that the first one did */
	run_pass(2 * SECOND);
	put_thread(WAKER, 41, "second");
	wait_once(edge, 300);
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT edge_id, waker_thread_id, waker FROM edges", "1 40 waker (1040) 2 41 second (1041)");
	assert_rows("SELECT edge_id, count, time_ns FROM waits", "1 1 100 1 1 200 2 1 300");
	run_close();
}

static void a_record_that_is_handed_out_again_is_another_edge(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_edge *edge;

	open_waits(scratch);
	run_base(0);
	edge = open_edge(1, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x40);
	wait_once(edge, 100);
	wait_once(edge, 100);
	kernel.threads[WAITER].ended = true;
	run_pass(SECOND);
	/* the sweep: zeroed, and claimed by the next thread in that slot for the same futex */
	memset(edge, 0, sizeof(*edge));
	put_thread(WAITER, 31, "next");
	edge = open_edge(1, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x40);
	wait_once(edge, 50);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT edge_id, thread_id FROM edges", "1 30 2 31");
	assert_rows("SELECT edge_id, count, time_ns FROM waits", "1 2 200 2 1 50");
	assert_rows("SELECT sum(count) FROM wait_histograms WHERE edge_id = 2", "1");
	run_close();
}

static void a_thread_that_is_not_known_yet_loses_no_wait(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_drain_thread waiter;

	open_waits(scratch);
	waiter = kernel.threads[WAITER];
	kernel.threads[WAITER].id = 0;
	run_base(0);
	wait_once(open_edge(1, HR_STATE_FUTEX, HR_SUBJECT_FUTEX, 0x40), 100);
	run_pass(SECOND);
	kernel.threads[WAITER] = waiter;
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT interval_id, count, time_ns FROM waits", "2 1 100");
	run_close();
}

/* ---- waits that have not ended ---- */

static void block(uint32_t slot, enum hr_state state, uint64_t since_ns, uint64_t read_ns)
{
	kernel.records[slot].mode = HR_MODE_BLOCKED;
	kernel.records[slot].state = state;
	kernel.records[slot].since_ns = EPOCH_NS + since_ns;
	kernel.threads[slot].read_ns = EPOCH_NS + read_ns;
}

#define FUTEX_KEY(address) { .state = HR_STATE_FUTEX, .subject = HR_SUBJECT_FUTEX, .value = (address) }

/* The accounts are read first; a thread may go on before its wait is looked at. */
static void an_open_wait_is_for_what_the_thread_waited_for_when_its_accounts_were_read(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(SECOND);
	for (uint32_t slot = 4; slot <= 6; slot++) {
		put_thread(slot, 10 * slot, "going on");
		block(slot, HR_STATE_FUTEX, 2 * SECOND, 3 * SECOND);
	}
	kernel.open[4] = (struct hr_open_wait){ .key = FUTEX_KEY(0x40), .out_ns = 0 };			   /* has ended since */
	kernel.open[5] = (struct hr_open_wait){ .key = FUTEX_KEY(0x50), .out_ns = EPOCH_NS + 4 * SECOND }; /* another one since */
	kernel.open[6] = (struct hr_open_wait){ .key = FUTEX_KEY(0x60), .out_ns = EPOCH_NS + 2 * SECOND };
	kernel.open[6].key.state = HR_STATE_IPC;
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT thread_id, state, subject FROM edges", "40 futex 0x40 50 futex null 60 futex null");
	run_close();
}

static void a_wait_that_goes_on_at_the_end_is_open(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(SECOND);
	block(WAITER, HR_STATE_FUTEX, 2 * SECOND, 3 * SECOND);
	kernel.open[WAITER] = (struct hr_open_wait){ .key = FUTEX_KEY(0x7f40), .out_ns = 1 };
	put_thread(5, 50, "older");
	block(5, HR_STATE_POLL, SECOND / 2, 3 * SECOND); /* since before the run: counts from its start */
	put_thread(6, 60, "faulting");
	block(6, HR_STATE_KLOCK, 2 * SECOND, 3 * SECOND);
	kernel.records[6].kernel_lock = HR_KERNEL_LOCK_MMAP;
	kernel.records[6].kernel_lock_low = 0x1234;
	put_thread(7, 70, "locking");
	block(7, HR_STATE_KLOCK, 2 * SECOND, 3 * SECOND);
	kernel.records[7].kernel_lock = HR_KERNEL_LOCK_ANY;
	kernel.records[7].kernel_lock_low = 0x1234;
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT thread_id, state, subject_kind, subject, source, waker_thread_id, waker FROM edges",
		    "30 futex futex 0x7f40 open null null 50 poll null null open null null 60 klock kernel_lock mmap_lock open null null "
		    "70 klock kernel_lock 0x1234 open null null");
	assert_rows("SELECT interval_id, count, time_ns, handover_ns, window_ns FROM waits",
		    "1 1 1000000000 null 0 1 1 2000000000 null 0 1 1 1000000000 null 0 1 1 1000000000 null 0");
	run_close();
}

static void threads_that_run_or_were_woken_have_no_open_wait(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(0);
	block(WAITER, HR_STATE_FUTEX, SECOND, 3 * SECOND);
	kernel.records[WAITER].wake_ns = EPOCH_NS + 2 * SECOND;
	put_thread(5, 50, "queued");
	block(5, HR_STATE_RUNQ, SECOND, 3 * SECOND);
	kernel.records[5].mode = HR_MODE_QUEUED;
	put_thread(6, 60, "unread");
	block(6, HR_STATE_FUTEX, SECOND, 3 * SECOND);
	kernel.threads[6].record = NULL;
	put_thread(7, 70, "gone");
	block(7, HR_STATE_FUTEX, SECOND, 3 * SECOND);
	kernel.records[7].mode = HR_MODE_ENDED;
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT count(*) FROM edges", "0");
	run_close();
}

/* ---- locks ---- */

#define WORD(since_ns, waiters) ((since_ns) << 12 | (waiters))

static struct {
	char bytes[64];
} convoy_lock = { { 1 } };

static struct hr_lock *open_lock(uint32_t id, uint64_t address)
{
	kernel.locks[id] = (struct hr_lock){ .process = 7, .address = address };
	return &kernel.locks[id];
}

static void contention_counts_up_to_the_end_of_the_interval(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_lock *lock;

	open_waits(scratch);
	lock = open_lock(2, 0x40);
	lock->contended_ns = 5 * MS; /* before the run */
	run_base(0);
	/* two waited from 0.1 to 0.4 s; three wait since 0.8 s */
	lock->waits = 5;
	lock->contended_ns += 300 * MS;
	lock->queued_ns += 600 * MS;
	lock->longest = 3;
	lock->waiters = WORD(800 * MS, 3);
	run_pass(SECOND);
	run_pass(2 * SECOND);
	/* they are done at 2.5 s */
	lock->contended_ns += 1700 * MS;
	lock->queued_ns += 3 * 1700 * MS;
	lock->waiters = WORD(2500 * MS, 0);
	run_pass(3 * SECOND);
	run_pass(4 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT lock_id, process_id, address FROM locks", "1 70 0x40");
	assert_rows("SELECT interval_id, waits, contended_ns / 1000000, queued_ns / 1000000, longest FROM lock_contention",
		    "1 5 500 1200 3 2 0 1000 3000 3 3 0 500 1500 3");
	run_close();
}

/* A span that ends while it is read may be counted before it is, and must not be counted twice. */
static void what_was_read_too_early_is_not_counted_again(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_lock *lock;

	open_waits(scratch);
	lock = open_lock(2, 0x40);
	run_base(0);
	lock->contended_ns = lock->queued_ns = 400 * MS;
	lock->waiters = WORD(600 * MS, 1); /* is in contended_ns already */
	run_pass(SECOND);
	lock->waiters = WORD(SECOND, 0);
	run_pass(2 * SECOND);
	lock->contended_ns = lock->queued_ns = 900 * MS;
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT sum(contended_ns) / 1000000, sum(queued_ns) / 1000000 FROM lock_contention", "900 900");
	run_close();
}

static void a_lock_has_the_symbol_and_the_mapping_of_its_address(void **state)
{
	const struct scratch *scratch = *state;
	void *heap = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	open_waits(scratch);
	run_base(0);
	open_lock(1, (uintptr_t)convoy_lock.bytes)->waits = 1;
	open_lock(2, (uintptr_t)(convoy_lock.bytes + 0x20))->waits = 1;
	open_lock(3, (uintptr_t)heap)->waits = 1;
	open_lock(4, 0x40)->waits = 1; /* nothing is mapped there */
	run_pass(SECOND);
	munmap(heap, 4096);
	run_finish(scratch);
	assert_rows("SELECT symbol, mapping LIKE '/%waits_test', mapping = 'anonymous' FROM locks ORDER BY lock_id",
		    "convoy_lock 1 0 convoy_lock+0x20 1 0 null 0 1 null null null");
	run_close();
}

static void the_locks_of_a_process_that_is_gone_have_no_names(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(0);
	open_lock(1, (uintptr_t)convoy_lock.bytes)->waits = 1;
	fake.process.ended_ns = EPOCH_NS + 1;
	run_pass(SECOND);
	run_finish(scratch);
	assert_rows("SELECT process_id, symbol, mapping FROM locks", "70 null null");
	run_close();
}

static void the_longest_contended_locks_are_named_first(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(0);
	for (uint32_t id = 1; id <= 50; id++) {
		struct hr_lock *lock = open_lock(id, (uintptr_t)(convoy_lock.bytes + id));

		lock->waits = 1;
		lock->contended_ns = id * MS;
	}
	run_pass(SECOND);
	assert_int_equal(hr_writer_exec(run.drain.writer, NULL, "UPDATE locks SET mapping = 'first' WHERE symbol IS NOT NULL", ""), 0);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT count(*), min(contended_ns) / 1000000 FROM locks JOIN lock_contention USING (lock_id) WHERE mapping = 'first'",
		    "32 19");
	assert_rows("SELECT count(*) FROM locks WHERE symbol LIKE 'convoy_lock+%'", "50");
	run_close();
}

static void another_program_in_the_process_has_other_locks(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_lock *lock;

	open_waits(scratch);
	run_base(0);
	lock = open_lock(1, 0x40);
	lock->waits = 3;
	run_pass(SECOND);
	fake.process.execs++;
	lock->waits = 5;
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT lock_id, waits FROM lock_contention", "1 3 2 2");
	assert_rows("SELECT count(*) FROM locks WHERE address = '0x40' AND process_id = 70", "2");
	run_close();
}

static void the_lock_record_of_another_process_begins_anew(void **state)
{
	const struct scratch *scratch = *state;

	open_waits(scratch);
	run_base(0);
	open_lock(1, 0x40)->waits = 3;
	run_pass(SECOND);
	fake.process_ids[7] = 71; /* the slot was handed out again, and so was the record */
	open_lock(1, 0x40)->waits = 1;
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT process_id, waits FROM locks JOIN lock_contention USING (lock_id)", "70 3 71 1");
	run_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(each_interval_has_the_waits_that_ended_in_it),
		scratch_test(records_of_edges_that_rest_are_given_back_before_they_run_out),
		scratch_test(an_edge_without_a_wait_in_the_run_is_not_in_the_file),
		scratch_test(windows_say_what_the_waker_did_as_far_as_it_is_known),
		scratch_test(subjects_have_names_that_people_know),
		scratch_test(wakers_are_threads_others_or_no_thread),
		scratch_test(the_next_thread_in_the_slot_of_a_waker_is_another_waker),
		scratch_test(a_record_that_is_handed_out_again_is_another_edge),
		scratch_test(a_thread_that_is_not_known_yet_loses_no_wait),
		scratch_test(an_open_wait_is_for_what_the_thread_waited_for_when_its_accounts_were_read),
		scratch_test(a_wait_that_goes_on_at_the_end_is_open),
		scratch_test(threads_that_run_or_were_woken_have_no_open_wait),
		scratch_test(contention_counts_up_to_the_end_of_the_interval),
		scratch_test(what_was_read_too_early_is_not_counted_again),
		scratch_test(a_lock_has_the_symbol_and_the_mapping_of_its_address),
		scratch_test(the_locks_of_a_process_that_is_gone_have_no_names),
		scratch_test(the_longest_contended_locks_are_named_first),
		scratch_test(another_program_in_the_process_has_other_locks),
		scratch_test(the_lock_record_of_another_process_begins_anew),
	};

	return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
