/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_ACCOUNTS_H
#define HEADROOM_ACCOUNTS_H

#include "headroom/hist.h"
#include "headroom/loss.h"
#include "headroom/states.h"
#include "headroom/types.h"

/*
 * The records that the BPF programs fill and that user space reads through a shared mapping, without a system call.
 *
 * Every target thread has a slot in `threads`, every target process one in `processes`; slot 0 means "not a target".
 * User space hands out zeroed slots through stacks, lowest first, and takes them back once it has drained the dead.
 */

#define HR_THREAD_SLOTS 16384
#define HR_PROCESS_SLOTS 2048
#define HR_CALL_RECORDS 8192   /* at most: they take 32 MiB at most, over all shards */
#define HR_CALL_SHARDS_MAX 16  /* a record's copies, one per CPU up to this many */
#define HR_PARALLEL_MAX 64     /* threads on CPU at once are told apart up to here */
#define HR_COMM_BYTES 16
#define HR_KNOWN_CALLS 2       /* power of two */

/* Threads are also found by the address of their kernel stack, which the syscall hooks are handed; see bpf/syscall.bpf.c. */
#define HR_STACK_SHIFT 14      /* stacks are at least 16 KiB apart */
#define HR_STACK_ENTRIES 65536
#define HR_STACK_SHARED 0xffffffff /* threads that share an entry are found by pid */

/* Rows of a process's index of call records: what is counted and timed. */
#define HR_CALL_NRS 512	       /* syscall numbers of one ABI that are told apart; higher ones share the last row */
#define HR_CALL_COMPAT 512     /* + number: 32-bit calls */
#define HR_CALL_RUNQ 1024      /* waits in a run queue, from wake-up to CPU */
#define HR_CALL_PREEMPTED 1025 /* waits after a preemption */
#define HR_CALL_ROWS 1026

/* Who had the CPU while a runnable thread waited for it. On disk: append only. */
enum hr_cpu_owner {
	HR_OWNER_TARGET = 0, /* threads of the target */
	HR_OWNER_OTHER = 1,  /* threads of other processes and of the kernel */
	HR_OWNER_IDLE = 2,   /* nobody: the CPU was on its way out of idle */
	HR_OWNER_QUOTA = 3,  /* nobody was allowed: the cgroup's quota was used up */
	HR_OWNERS_KERNEL = 4,/* those above are measured per wait */
	HR_OWNER_STEAL = 4,  /* the hypervisor: the CPU's share of it over the interval */
	HR_OWNER_IRQ = 5,    /* interrupts: likewise */
	HR_OWNERS = 6
};

/* Values of hr_thread.kernel_lock. */
enum hr_kernel_lock { HR_KERNEL_LOCK_NONE = 0, HR_KERNEL_LOCK_ANY = 1, HR_KERNEL_LOCK_MMAP = 2 };

/* What a thread is in now, as the programs keep it between events. */
enum hr_mode {
	HR_MODE_UNSEEN = 0,  /* seeded, no event yet: since seeding in `state` as far as one could see */
	HR_MODE_ON_CPU = 1,  /* in `state`: HR_STATE_USER or HR_STATE_KERNEL, or in calls that are not timed: `mixed` */
	HR_MODE_BLOCKED = 2, /* in `state`, and from wake_ns on, if that is not 0, in HR_STATE_RUNQ */
	HR_MODE_QUEUED = 3,  /* runnable without a CPU: HR_STATE_PREEMPTED, or HR_STATE_RUNQ for a thread just born */
	HR_MODE_ENDED = 4    /* exited at since_ns */
};

/*
 * One thread. Written by the thread's own CPU, but for what its waker stores. `version` is odd while times change hands between
 * states: a reader copies the record until the version before and after is the same and even.
 *
 * The time from since_ns to now belongs to what `mode` and `state` say, and is in no total yet. Totals count since it was born
 * or seeded. What a switch touches stands together, in as few cache lines as can be: that is most of what a switch costs.
 */
struct hr_thread {
	/* line 0: what it does now */
	__u64 since_ns;
	__u64 wake_ns;	      /* when it was woken; 0: not yet. Stored by its waker */
	__u64 call_ns;	      /* when the call was entered, or first left its CPU if it was not timed; 0: not timed */
	__u64 registers;      /* where its user registers are saved in a syscall: the top of its kernel stack */
	__u32 version;
	__u16 process;	      /* slot */
	__u16 slot;	      /* its own */
	__u16 call_record;    /* in `calls`, before it is sharded; 0: none was free */
	__u16 call_row;	      /* HR_CALL_*: syscall number and ABI */
	__u16 known_row[HR_KNOWN_CALLS];    /* rows that it used before, */
	__u16 known_record[HR_KNOWN_CALLS]; /* and their records; 0: none yet */
	__u8 mode;	      /* enum hr_mode */
	__u8 state;	      /* enum hr_state */
	__u8 mixed;	      /* on CPU since since_ns, in user mode and in calls that were not timed */
	__u8 in_call;
	__u8 call_left_cpu;   /* the call gave up its CPU: it is timed by itself, whatever the sampling says */
	__u8 kernel_lock;     /* enum hr_kernel_lock: a lock that it sleeps for, or is about to */
	__u8 reclaim;
	__u8 throttled;	      /* it went off CPU, or was woken, while its quota was used up */
	__u8 restarting;      /* the last call ended in -ERESTART_RESTARTBLOCK */
	__u8 seeded;	      /* existed before the recording */
	__u8 accepting;	      /* the call is an accept */
	__u8 waiting;	      /* a wait of it is open; see bpf/waits.bpf.h */

	/* line 1 */
	__u64 mixed_ns;	       /* on CPU, split between user and kernel only by the estimate that follows */
	__u64 mixed_kernel_ns; /* of mixed_ns in calls, estimated from the calls that were timed */
	__u64 calls;	       /* finished */
	__u32 voluntary;       /* these two wrap */
	__u32 involuntary;
	__u64 state_ns[HR_STATES]; /* on CPU and runnable still on line 1; lines 2 and 3 */

	/* line 4: its wait for a CPU */
	__u64 queue_owner_ns[HR_OWNERS_KERNEL]; /* that CPU's owner totals when the wait began. Stored by its waker */
	__u64 runq_owner_ns[HR_OWNERS_KERNEL];	/* of state_ns[HR_STATE_RUNQ] */

	/* line 5 */
	__u32 queue_cpu;      /* the CPU that it waits for. Stored by its waker */
	__u32 runq_record;    /* in `calls`: its process's HR_CALL_RUNQ; 0: not looked up yet */
	__u64 preempted_owner_ns[HR_OWNERS_KERNEL]; /* of state_ns[HR_STATE_PREEMPTED] */
	__u64 migrations;
	__u64 mmap_lock_ns;   /* of state_ns[HR_STATE_KLOCK] */
	__u64 ran_ns;	      /* what the scheduler says that it ran, at its end: less than on CPU by steal and interrupts */

	/* line 6: once in a life */
	__u64 task;	      /* address of the task_struct: tells a reused pid */
	__u64 born_ns;	      /* or when it was seeded */
	char comm[HR_COMM_BYTES]; /* at its end */
	__u32 tid;
	__u32 kernel_lock_low; /* low half of the address of that lock: spin locks begin and end while it waits */
	__u32 kernel_lock_high;
	__u32 pad_lock;
	__u64 kernel_lock_caller; /* in the function that takes it; 0: not known */
	__u64 pad_end;
};

/* One process. */
struct hr_process {
	__u64 on_cpu;	      /* since when (ns << 12) how many of its threads (low 12 bits) are on CPU; changed by compare-and-swap */
	__u32 pid;
	__u32 parent;	      /* pid */
	__u32 threads;	      /* alive */
	__u32 execs;
	__u64 born_ns;
	__u64 ended_ns;	      /* 0: alive */
	char comm[HR_COMM_BYTES]; /* at its birth, its last exec, or the end of its first thread, whichever came last */
	__u64 pad;
	__u64 parallel_ns[HR_PARALLEL_MAX + 1]; /* time with exactly j threads on CPU; the last holds all above. [0] is not kept: the rest */
	__u16 call_record[HR_CALL_ROWS]; /* 0: none yet */
	__u16 pad_end[26];
};

/* How often and how long. One per (process, row) and shard; a reader adds the shards. */
struct hr_calls {
	__u32 process;	      /* slot */
	__u32 row;	      /* HR_CALL_* */
	__u64 calls;	      /* all */
	__u64 timed;	      /* of `calls`, how many were measured */
	__u64 total_ns;	      /* of all calls; the untimed ones estimated by the timed one that follows them */
	__u64 mean_ns;	      /* moving average of the calls that were timed and kept their CPU */
	__u64 timed_ns;	      /* entry of the last timed call */
	__u64 timed_calls;    /* `calls` then */
	__u32 skip;	      /* calls to come that are not timed */
	__u32 untimed;	      /* calls since the last timed one, which it does not stand for yet */
	__u64 errors;	      /* returned an errno */
	__u64 again;	      /* of them, EAGAIN: event loops see it in every round */
	__u32 slots[HR_HIST_SLOTS]; /* weighted like total_ns */
	__u64 pad[6];
};

/* One CPU: who had it. Written by that CPU only. */
struct hr_cpu {
	__u64 since_ns;	      /* 0: no switch seen yet */
	__u32 owner;	      /* enum hr_cpu_owner of who runs now */
	__u32 pad;
	__u64 owner_ns[HR_OWNERS_KERNEL];
	__u64 pad_line[2];
};

/* Key of a failed call. The value is a __u64 count. */
struct hr_errno_key {
	__u32 process;	      /* slot */
	__u16 row;
	__u16 number;
};

/* One task of the host, as the iterator reports it each interval. */
struct hr_task_row {
	__u32 pid;	      /* of the process */
	__u32 tid;
	__u64 ran_ns;	      /* task_struct.se.sum_exec_runtime */
	__u64 ended_ran_ns;   /* of the threads of the process that have exited; in the row of its first thread only */
	char comm[HR_COMM_BYTES];
};

HR_SIZE_IS(struct hr_thread, 7 * 64);
HR_SIZE_IS(struct hr_process, 42 * 64);
HR_SIZE_IS(struct hr_calls, 21 * 64);
HR_SIZE_IS(struct hr_cpu, 64);
HR_SIZE_IS(struct hr_errno_key, 8);
HR_SIZE_IS(struct hr_task_row, 40);

#endif
