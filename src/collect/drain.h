/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_DRAIN_H
#define HR_COLLECT_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collect/idmap.h"
#include "collect/live.h"
#include "collect/probes.h"
#include "store/writer.h"

/*
 * One pass over the kernel's accounts at the end of an interval: every probe family turns what has changed since the last pass
 * into rows. The records grow only; a family keeps what it read last and writes the difference.
 */

/* A call that had not finished when its thread was read. */
struct hr_open_call {
	uint32_t process_slot;
	uint32_t row;
	uint64_t age_ns;
};

/* A thread of the target, by its slot; also one that ended in this pass. */
struct hr_drain_thread {
	int64_t id; /* 0: nobody that is in the file */
	uint32_t tid;
	bool ended; /* its slot is handed back after this pass */
	char comm[HR_COMM_BYTES];
	const struct hr_thread *record; /* as it was at read_ns, in this pass or the last; NULL: it could not be read */
	uint64_t read_ns;
};

struct hr_drain {
	struct hr_probes *probes;
	struct hr_writer *writer;
	struct hr_roster *roster;
	int64_t interval_id;
	uint64_t epoch_ns;	/* what times in the file count from; 0: nothing has been read yet */
	uint64_t start_ns;	/* of the interval, absolute */
	bool last;		/* nothing comes after this pass */
	bool discard;		/* take the accounts as the new base and write no measurement: the recording was off */

	/* every task of the host, by tid */
	const struct hr_task_row *tasks;
	size_t task_count;

	/* every socket that is followed, by id; none where requests cannot be seen */
	const struct hr_socket_row *sockets;
	size_t socket_count;
	const char *request_probe; /* BINARY:SYMBOL, as asked for; NULL: none */
	const int64_t *flow_ids;   /* by flow, HR_FLOWS of them: 0: not in the file. Filled by the requests for the connections */

	/* filled by the threads for the families after them, and for the session */
	uint64_t read_begin_ns, read_end_ns; /* when they were read: the ends of intervals */
	struct hr_open_call *open_calls;
	size_t open_call_count, open_call_room;
	const struct hr_drain_thread *threads; /* by slot, thread_slots of them */
	uint32_t thread_slots;
	struct hr_idmap *lock_ids; /* by hr_drain_lock_key(); filled by the waits for the stacks */
	uint32_t call_records; /* filled by the syscalls: above all that were ever in use */
	struct hr_drain_totals {
		uint32_t threads;	     /* alive */
		uint64_t on_cpu_ns, runnable_ns, blocked_ns, calls, losses;
		uint64_t requests;	     /* answered, of servers in front, or of the request probe if there is one; 0 also where they
					        cannot be told apart */
		double in_flight;	     /* their mean number in flight; NAN: cannot be told */
		double request_p99_ns;	     /* end to end; NAN: none was finished */
	} totals;		/* of the interval, for the progress line */

	struct hr_live live;	/* since the start, for who watches */

	/* filled by the CPUs' family for those after it: the shares of the CPUs' time that these took; 0 where not known */
	double steal_share, irq_share;

	/* losses on this side, since the start */
	uint64_t rows_lost;
	uint64_t processes_lost; /* joined the target when every slot was taken: this many times some did */
	uint64_t sockets_unlisted; /* open at once beyond those that are remembered */
	uint64_t samples_lost, stacks_lost; /* of sampled stacks */
	uint64_t memory_unread;	   /* processes beyond those whose memory is read, summed over the intervals */
	uint64_t torn_reads;
	uint64_t late_intervals;
};

/* Add a measurement; a row that the file does not take is counted, and the pass goes on. */
void hr_drain_add(struct hr_drain *drain, enum hr_table_id table, const void *row);

/* A stamp of the kernel as the file keeps it. */
int64_t hr_drain_time(const struct hr_drain *drain, uint64_t absolute_ns);

/* How far a counter that only grows has come; 0 where it was read too early or began anew. */
static inline uint64_t hr_drain_growth(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* Under which a futex of a process is in lock_ids; another program of the process has other locks. */
static inline uint64_t hr_drain_lock_key(int64_t process_id, uint32_t execs, uint64_t address)
{
	return hr_hash_key(hr_hash_word(hr_hash_word(execs, (uint64_t)process_id), address));
}

/* Who had a CPU, up to now_ns: totals since its first switch in the recording. */
void hr_drain_cpu_owners(const struct hr_drain *drain, uint32_t cpu, uint64_t now_ns, uint64_t ret_ns[HR_OWNERS_KERNEL]);

/* The thread in a slot, or NULL: nobody that is in the file. */
static inline const struct hr_drain_thread *hr_drain_thread(const struct hr_drain *drain, uint32_t slot)
{
	return slot < drain->thread_slots && drain->threads[slot].id ? &drain->threads[slot] : NULL;
}

/* The task's row in this pass, or NULL. */
const struct hr_task_row *hr_drain_task(const struct hr_drain *drain, uint32_t tid);

/*
 * A probe family's part of the pass. open() gives its state (or NULL with err set); look() (NULL: nothing to do) reads, before
 * the tasks of the host are listed, what must be of one moment; drain() writes its rows, finish() (NULL: nothing to do) what is
 * left to say after the last pass; close() frees the state and takes NULL.
 */
struct hr_family {
	const char *name;
	void *(*open)(struct hr_drain *drain, struct hr_err *err);
	int (*look)(void *family, struct hr_drain *drain, struct hr_err *err);
	int (*drain)(void *family, struct hr_drain *drain, struct hr_err *err);
	int (*finish)(void *family, struct hr_drain *drain, struct hr_err *err);
	void (*close)(void *family);
};

extern const struct hr_family hr_family_threads, hr_family_calls, hr_family_parallel, hr_family_cpus, hr_family_quotas,
	hr_family_requests, hr_family_connections, hr_family_network, hr_family_waits, hr_family_disks, hr_family_memory,
	hr_family_pressure, hr_family_stacks, hr_family_health;

#endif
