/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_LOSS_H
#define HEADROOM_LOSS_H

/*
 * Why something that happened is missing from, or guessed in, the accounts. On disk by name: a new reason also needs a row
 * in src/base/losses.c, which says whether it makes a run lossy or is only an approximation.
 */
enum hr_loss {
	HR_LOSS_THREAD_SLOTS = 0,     /* a thread was born when every thread slot was taken */
	HR_LOSS_PROCESS_SLOTS = 1,    /* a process was born when every process slot was taken */
	HR_LOSS_CALL_RECORDS = 2,     /* a call of a (process, syscall) pair that found no free record */
	HR_LOSS_ERRNO_ROWS = 3,	      /* a failed call whose (process, syscall, errno) row found no room */
	HR_LOSS_PARALLEL_RACES = 4,   /* a change of the threads on CPU that lost every compare-and-swap */
	HR_LOSS_MISSED_SWITCH_IN = 5, /* a thread acted that the accounts held for off CPU */
	HR_LOSS_MISSED_SWITCH_OUT = 6,/* a thread got a CPU that the accounts held for on CPU */
	HR_LOSS_UNSEEN_WAKES = 7,     /* a blocked thread ran without a wake-up: its wait is not split from its run queue */
	HR_LOSS_CLOCK_BACKWARDS = 8,  /* a stamp lay before the one that it follows (other CPU): counted as 0 ns */
	HR_LOSS_MISSED_BIRTHS = 9,    /* a thread whose birth was not seen: in the run from the end of that interval on */
	HR_LOSS_FLOW_RECORDS = 10,    /* a read or write of a process and peer that found no free flow */
	HR_LOSS_STAGE_RECORDS = 11,   /* a stage of a request that found no free histogram */
	HR_LOSS_SOCKETS = 12,	      /* a socket for which the kernel had no memory to keep its state */
	HR_LOSS_UNLISTED_SOCKETS = 13,/* a connection that ended when the ring was full: it has no row of its own */
	HR_LOSS_UNSEEN_ARRIVALS = 14, /* a read of data whose arrival was not seen: it counts as arrived then */
	HR_LOSS_UNSEEN_READS = 15,    /* an answer to data whose read was not seen (splice): its stages are not split */
	HR_LOSS_EDGE_RECORDS = 16,    /* a wait that found no free edge, not even one without its waker */
	HR_LOSS_LOCK_RECORDS = 17,    /* a futex that found no free record: its contention is not known */
	HR_LOSS_SAMPLES = 18,	      /* a sample that found no room */
	HR_LOSS_STACKS = 19,	      /* a sample whose stack found no room, or was one too many at a time */
	HR_LOSS_DISK_REQUESTS = 20,   /* a request for block I/O, or its disk, found no room */
	HR_LOSSES_KERNEL = 21,	      /* those above are counted in the kernel, those below in user space */

	HR_LOSS_MISSED_PROGRAMS = 21, /* runs of a program that the kernel skipped (recursion) */
	HR_LOSS_TORN_READS = 22,      /* accounts that changed under the reader every time it tried */
	HR_LOSS_STORE_ROWS = 23,      /* rows that the run file did not take */
	HR_LOSS_LATE_INTERVALS = 24,  /* intervals that took over twice as long as asked */
	HR_LOSS_UNREAD_MEMORY = 25,   /* a process of too many: how much memory it has was not read in that interval */
	HR_LOSSES = 26
};

#endif
