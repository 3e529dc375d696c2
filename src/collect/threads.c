/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads: the time that each spent in each state, its counters, and who had the CPU that it waited for.
 * Kernel side: bpf/sched.bpf.c, bpf/syscall.bpf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/states.h"
#include "collect/drain.h"
#include "collect/roster.h"
#include "collect/thread_totals.h"

#define READ_TRIES 1000
#define UNUSED_IN_A_ROW 64

/* What is kept of a thread between two passes, beside what other families see of it. */
struct known {
	struct hr_thread_written written;
	uint64_t read_ns;
	uint64_t on_cpu_ns; /* since it was entered, by the accounts */
	uint64_t ran_base_ns; /* what the scheduler's clock of the thread said then */
	uint64_t not_run_ns; /* of on_cpu_ns, written so far */
};

/* A thread's record as it was at a moment. */
struct snapshot {
	uint32_t slot;
	uint64_t read_ns;
	struct hr_thread thread;
};

struct threads {
	struct known *known; /* by slot */
	struct hr_drain_thread *seen; /* likewise */
	uint32_t slots;	     /* room in them: above all that are or were in use */
	struct snapshot *snapshots;
	size_t snapshot_count;
};

/* Copy the record while nobody changes it. False: it changed every time. */
static bool read_thread(const struct hr_thread *from, struct hr_thread *to)
{
	for (int try = 0; try < READ_TRIES; try++) {
		uint32_t before = __atomic_load_n(&from->version, __ATOMIC_ACQUIRE);

		memcpy(to, (const void *)from, sizeof(*to));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(before & 1) && __atomic_load_n(&from->version, __ATOMIC_RELAXED) == before)
			return true;
	}
	return false;
}

static void note_live(struct hr_drain *drain, const struct hr_thread_totals *delta)
{
	uint64_t on_cpu_ns = delta->state_ns[HR_STATE_USER] + delta->state_ns[HR_STATE_KERNEL];
	struct hr_live *live = &drain->live;

	if (drain->discard)
		return;
	for (int state = 0; state < HR_STATES; state++)
		live->state_ns[state] += delta->state_ns[state];
	live->calls += delta->calls;
	if (on_cpu_ns > live->busiest_ns)
		live->busiest_ns = on_cpu_ns;
}

static void add_states(struct hr_drain *drain, int64_t thread_id, const struct hr_thread_totals *delta)
{
	for (int state = 0; state < HR_STATES; state++) {
		if (delta->state_ns[state])
			hr_drain_add(drain, HR_TABLE_thread_states,
				     &(struct hr_row_thread_states){
					     .interval_id = drain->interval_id,
					     .thread_id = thread_id,
					     .state = hr_state_name(state),
					     .time_ns = delta->state_ns[state],
				     });
		switch (hr_state_group(state)) {
		case HR_GROUP_ON_CPU: drain->totals.on_cpu_ns += delta->state_ns[state]; break;
		case HR_GROUP_RUNNABLE: drain->totals.runnable_ns += delta->state_ns[state]; break;
		default: drain->totals.blocked_ns += delta->state_ns[state];
		}
	}
}

/*
 * What the kernel side holds for time of a running thread is partly the hypervisor's and the interrupts': take their share of
 * the CPUs' time over the interval out of it.
 */
static void add_cpu_waits(struct hr_drain *drain, int64_t thread_id, const struct hr_thread_totals *delta)
{
	static const enum hr_state queues[2] = { HR_STATE_RUNQ, HR_STATE_PREEMPTED };

	for (int queue = 0; queue < 2; queue++) {
		uint64_t owner_ns[HR_OWNERS] = { 0 };

		for (int owner = 0; owner < HR_OWNERS_KERNEL; owner++) {
			uint64_t time_ns = delta->owner_ns[queue][owner];

			if (owner == HR_OWNER_TARGET || owner == HR_OWNER_OTHER) {
				uint64_t steal_ns = time_ns * drain->steal_share, irq_ns = time_ns * drain->irq_share;

				owner_ns[HR_OWNER_STEAL] += steal_ns;
				owner_ns[HR_OWNER_IRQ] += irq_ns;
				time_ns = hr_drain_growth(time_ns, steal_ns + irq_ns);
			}
			owner_ns[owner] += time_ns;
		}
		for (int owner = 0; owner < HR_OWNERS; owner++)
			if (owner_ns[owner])
				hr_drain_add(drain, HR_TABLE_cpu_waits,
					     &(struct hr_row_cpu_waits){
						     .interval_id = drain->interval_id,
						     .thread_id = thread_id,
						     .state = hr_state_name(queues[queue]),
						     .owner = hr_owner_name(owner),
						     .time_ns = owner_ns[owner],
					     });
	}
}

/*
 * On-CPU time in which the scheduler's clock of the thread stood still. That clock is up to a tick behind while it runs, so the
 * difference is taken of totals, and only while it does not run.
 */
static int64_t not_run_ns(const struct hr_drain *drain, struct known *known, const struct hr_thread *thread, uint64_t on_cpu_ns)
{
	const struct hr_task_row *task = hr_drain_task(drain, thread->tid);
	uint64_t ran_ns = thread->mode == HR_MODE_ENDED ? thread->ran_ns : task ? task->ran_ns : 0, delta_ns;

	known->on_cpu_ns += on_cpu_ns;
	if (!ran_ns || thread->mode == HR_MODE_ON_CPU)
		return HR_NULL;
	delta_ns = hr_drain_growth(hr_drain_growth(known->on_cpu_ns, hr_drain_growth(ran_ns, known->ran_base_ns)), known->not_run_ns);
	known->not_run_ns += delta_ns;
	return delta_ns;
}

static void add_counters(struct hr_drain *drain, int64_t thread_id, struct known *known, const struct hr_thread *thread,
			 const struct hr_thread_totals *delta)
{
	uint64_t on_cpu_ns = delta->state_ns[HR_STATE_USER] + delta->state_ns[HR_STATE_KERNEL];
	struct hr_row_thread_counters row = {
		.interval_id = drain->interval_id,
		.thread_id = thread_id,
		.syscalls = delta->calls,
		.voluntary = delta->voluntary,
		.involuntary = delta->involuntary,
		.migrations = delta->migrations,
		.mmap_lock_ns = delta->mmap_lock_ns,
		.estimated_ns = delta->mixed_ns,
		.not_run_ns = not_run_ns(drain, known, thread, on_cpu_ns),
	};

	drain->totals.calls += delta->calls;
	if (row.syscalls || row.voluntary || row.involuntary || row.migrations || on_cpu_ns)
		hr_drain_add(drain, HR_TABLE_thread_counters, &row);
}

/* A call that goes on at the end of the interval, for the syscalls' family. */
static int note_open_call(struct hr_drain *drain, const struct hr_thread *thread, uint64_t now_ns)
{
	if (!thread->in_call || !thread->call_ns || thread->mode == HR_MODE_ENDED)
		return 0;
	if (drain->open_call_count == drain->open_call_room) {
		size_t room = drain->open_call_room ? 2 * drain->open_call_room : 256;
		struct hr_open_call *more = realloc(drain->open_calls, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		drain->open_calls = more;
		drain->open_call_room = room;
	}
	drain->open_calls[drain->open_call_count++] = (struct hr_open_call){
		.process_slot = thread->process,
		.row = thread->call_row,
		.age_ns = hr_drain_growth(now_ns, thread->call_ns > drain->epoch_ns ? thread->call_ns : drain->epoch_ns),
	};
	return 0;
}

/* It may have got another name. */
static int rename_thread(struct hr_drain *drain, struct hr_drain_thread *seen, struct hr_err *err)
{
	const struct hr_task_row *task = hr_drain_task(drain, seen->tid);
	const char *comm = seen->ended ? seen->record->comm : task ? task->comm : seen->comm;

	if (memcmp(comm, seen->comm, sizeof(seen->comm)) == 0)
		return 0;
	memcpy(seen->comm, comm, sizeof(seen->comm));
	return hr_roster_thread_rename(drain, seen->id, comm, err);
}

static int drain_thread(struct hr_drain *drain, struct known *known, struct hr_drain_thread *seen, struct hr_err *err)
{
	const struct hr_thread *thread = seen->record;
	uint64_t cpu_owner_ns[HR_OWNERS_KERNEL];
	struct hr_thread_totals totals, delta;

	hr_drain_cpu_owners(drain, thread->queue_cpu, seen->read_ns, cpu_owner_ns);
	hr_thread_totals_at(thread, seen->read_ns, cpu_owner_ns, &totals);
	hr_thread_totals_advance(&known->written, &totals, &delta);
	known->read_ns = seen->read_ns;
	add_states(drain, seen->id, &delta);
	note_live(drain, &delta);
	add_cpu_waits(drain, seen->id, &delta);
	add_counters(drain, seen->id, known, thread, &delta);
	if (note_open_call(drain, thread, seen->read_ns))
		return hr_err_set(err, -ENOMEM, "out of memory");
	drain->totals.threads += !seen->ended;
	return rename_thread(drain, seen, err);
}

/* Of a thread that was there before, or came while the recording was off, the life in the run begins now. */
static int enter_thread(struct hr_drain *drain, struct known *known, struct hr_drain_thread *seen, struct hr_err *err)
{
	const struct hr_thread *thread = seen->record;
	const struct hr_task_row *task = hr_drain_task(drain, thread->tid);
	int64_t id;

	*known = (struct known){ 0 };
	seen->tid = thread->tid;
	memcpy(seen->comm, task ? task->comm : thread->comm, sizeof(seen->comm));
	id = hr_roster_thread_enter(drain->roster, drain, thread, drain->discard ? seen->read_ns : thread->born_ns, seen->comm,
				    err);
	if (id < 0)
		return (int)id;
	seen->id = id;
	if (thread->seeded && task)
		known->ran_base_ns = task->ran_ns;
	return 0;
}

static int drain_slot(struct threads *threads, struct hr_drain *drain, const struct snapshot *snapshot, struct hr_err *err)
{
	struct known *known = &threads->known[snapshot->slot];
	struct hr_drain_thread *seen = &threads->seen[snapshot->slot];
	const struct hr_thread *thread = &snapshot->thread;
	int ret = 0;

	/* a thread of a process that came after the processes were looked at waits for the next pass */
	if (!thread->tid || !hr_roster_process_id(drain->roster, thread->process))
		return 0;
	seen->record = thread;
	seen->read_ns = snapshot->read_ns;
	seen->ended = thread->mode == HR_MODE_ENDED;
	if (!seen->id)
		ret = enter_thread(drain, known, seen, err);
	if (!ret)
		ret = drain_thread(drain, known, seen, err);
	if (!ret && seen->ended)
		ret = hr_roster_thread_leave(drain, seen->id, thread->since_ns, true, err);
	return ret;
}

static int grow(struct threads *threads, uint32_t slot)
{
	uint32_t slots = threads->slots ? threads->slots : 64;
	struct hr_drain_thread *seen;
	struct snapshot *snapshots;
	struct known *known;

	if (slot < threads->slots)
		return 0;
	while (slots <= slot)
		slots *= 2;
	known = realloc(threads->known, slots * sizeof(*known));
	if (!known)
		return -ENOMEM;
	memset(known + threads->slots, 0, (slots - threads->slots) * sizeof(*known));
	threads->known = known;
	seen = realloc(threads->seen, slots * sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	memset(seen + threads->slots, 0, (slots - threads->slots) * sizeof(*seen));
	threads->seen = seen;
	snapshots = realloc(threads->snapshots, slots * sizeof(*snapshots));
	if (!snapshots)
		return -ENOMEM;
	threads->snapshots = snapshots;
	threads->slots = slots;
	return 0;
}

/* The slots of threads that ended in the last pass were handed back; what was read of the others is outdated. */
static void forget_last_pass(struct threads *threads)
{
	for (uint32_t slot = 1; slot < threads->slots; slot++) {
		struct hr_drain_thread *seen = &threads->seen[slot];

		if (seen->ended)
			*seen = (struct hr_drain_thread){ 0 };
		seen->record = NULL;
	}
	threads->snapshot_count = 0;
}

/* Copy all records in one go, so that they are of one moment as nearly as can be. */
static int look_at_threads(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct threads *threads = family;
	uint32_t unused = 0;

	forget_last_pass(threads);
	drain->read_begin_ns = hr_clock_mono_ns();
	if (!drain->epoch_ns)
		drain->epoch_ns = drain->read_begin_ns; /* the run begins with the first look */
	for (uint32_t slot = 1; slot < HR_THREAD_SLOTS && unused < UNUSED_IN_A_ROW; slot++) {
		const struct hr_thread *thread = hr_probes_thread(drain->probes, slot);
		struct snapshot *snapshot;

		unused = thread->tid || slot < threads->slots ? 0 : unused + 1; /* beyond what was ever in use */
		if (!thread->tid)
			continue;
		if (grow(threads, slot))
			return hr_err_set(err, -ENOMEM, "out of memory");
		snapshot = &threads->snapshots[threads->snapshot_count];
		snapshot->slot = slot;
		if (!read_thread(thread, &snapshot->thread)) {
			drain->torn_reads++; /* the next pass has it all */
			continue;
		}
		snapshot->read_ns = snapshot->thread.mode == HR_MODE_ENDED ? snapshot->thread.since_ns : hr_clock_mono_ns();
		threads->snapshot_count++;
	}
	drain->read_end_ns = hr_clock_mono_ns();
	return 0;
}

static int drain_threads(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct threads *threads = family;
	int ret = 0;

	drain->open_call_count = 0;
	drain->threads = threads->seen;
	drain->thread_slots = threads->slots;
	for (size_t i = 0; i < threads->snapshot_count && !ret; i++)
		ret = drain_slot(threads, drain, &threads->snapshots[i], err);
	return ret;
}

/* Each thread's accounts end when it was last read: a thousand threads are not read at once. */
static int finish_threads(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct threads *threads = family;
	int ret = 0;

	for (uint32_t slot = 1; slot < threads->slots && !ret; slot++)
		if (threads->seen[slot].id && !threads->seen[slot].ended)
			ret = hr_roster_thread_leave(drain, threads->seen[slot].id, threads->known[slot].read_ns, false, err);
	return ret;
}

static void *open_threads(struct hr_drain *drain, struct hr_err *err)
{
	struct threads *threads = calloc(1, sizeof(*threads));

	(void)drain;
	if (!threads)
		hr_err_set(err, -ENOMEM, "out of memory");
	return threads;
}

static void close_threads(void *family)
{
	struct threads *threads = family;

	if (threads) {
		free(threads->known);
		free(threads->seen);
		free(threads->snapshots);
	}
	free(threads);
}

const struct hr_family hr_family_threads = {
	"threads", open_threads, look_at_threads, drain_threads, finish_threads, close_threads,
};
