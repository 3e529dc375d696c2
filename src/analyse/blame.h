/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_BLAME_H
#define HR_ANALYSE_BLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/states.h"
#include "base/waits.h"

/*
 * Whose doing is the time that threads waited? The waits of a run as an absorbing Markov chain: a thread that is blocked in a
 * state goes over to what the thread that ended the wait did meanwhile, in proportion to its time. If that was blocked too, it
 * goes on along that thread's own waits in that state, until it ends where nobody else can end it: on a CPU, in a run queue, at
 * a disk, at a peer, ... Each waiter's time is spread over the ends by the probability with which the chain gets there,
 * B = (I - Q)^-1 R (Kemeny and Snell, Finite Markov Chains, 1960, theorem 3.3.7). That wait time is to be handed on along the
 * wait-for graph is the idea of wPerf (Zhou et al., OSDI '18); there it is counted once for each thread behind it, here it is
 * conserved: what is not at an end when the sum is cut off is the residual.
 *
 * A lock is a futex most of whose wakers wait for it too. Who waits behind others for it waits for whoever has it meanwhile; so
 * do waits that nobody was seen to end (a time-out, as of Python's GIL; the end of the run). A wait of which nothing is known, as
 * one that began before the run did, goes where the thread's other waits in that state go.
 *
 * Waiting at home is idle, and is left out. Home is a poll that is not for one peer, an accept, a wait for what clients send; the
 * futex that is no lock, the ipc, the sleep or the wait for children in which a thread spends over half of its life; and of a
 * thread that is never in the first three, the futex that is no lock in which it waits most: there it gets its work. If a
 * thread ended such a wait, that thread is looked at: a queue whose feeder is on CPU all the time is not idle, one whose feeder
 * is at home too is. Not idle either is the time in such waits that requests spent in service, as far as it is known, and
 * anything that the holder of a lock waits for.
 */

#define HR_BLAME_NONE UINT32_MAX

/* Where the time of waits ends. */
enum hr_blame_end {
	HR_BLAME_ON_CPU,
	HR_BLAME_RUNQ,
	HR_BLAME_PREEMPTED,
	HR_BLAME_DISK,
	HR_BLAME_FAULT,
	HR_BLAME_RECLAIM,
	HR_BLAME_KLOCK,	  /* a kernel lock whose holder is not known */
	HR_BLAME_PEER,	  /* another host or process, by the connection to it; none: the network, in a poll on many */
	HR_BLAME_OTHER,	  /* a thread outside the target */
	HR_BLAME_TIMER,	  /* a sleep or a time-out */
	HR_BLAME_DEVICE,
	HR_BLAME_CHILD,
	HR_BLAME_STOPPED,
	HR_BLAME_CLIENTS,
	HR_BLAME_UNKNOWN, /* nobody was seen to end the wait, or what that thread did is not known */
	HR_BLAME_ENDS
};

/* "on_cpu", "runq", ...; "unknown" for what is no end. */
const char *hr_blame_end_name(enum hr_blame_end end);

/* True: its owner is a label. False: a group of threads. */
bool hr_blame_end_has_label(enum hr_blame_end end);

struct hr_blame_thread {
	uint32_t group;	  /* as which it is shown */
	uint32_t service; /* index in requests */
	double life_ns;
};

/* What requests spent in service blocked, of the threads of one service. */
struct hr_blame_requests {
	double state_ns[HR_STATES];
};

/* All waits of one thread in one state for one subject that one waker ended. */
struct hr_blame_wait {
	uint32_t waiter;
	uint32_t waker;	  /* NONE: no thread of the target, or one of several */
	uint32_t subject; /* equal for the same futex; NONE: something else */
	uint32_t label;	  /* of the peer, the clients or the thread outside the target; NONE: it has none */
	enum hr_state state;
	enum hr_subject kind;
	enum hr_source source;
	bool is_open;	  /* had not ended when the recording did; source then means nothing */
	uint64_t count;
	double time_ns;
	double meanwhile_ns[HR_STATES]; /* what the waker did, as far as it is known */
};

struct hr_blame_input {
	const struct hr_blame_thread *threads;
	const struct hr_blame_wait *waits;
	const struct hr_blame_requests *requests;
	size_t thread_count, wait_count, request_count;
	uint32_t group_count, label_count, subject_count;
};

/* So much of a group's waiting is due to that. */
struct hr_blame_row {
	uint32_t group;
	enum hr_blame_end end;
	uint32_t owner; /* group or label; NONE: not known, or one of many that have too little to tell */
	double time_ns;
};

struct hr_blame {
	struct hr_blame_row *rows; /* most time first */
	size_t row_count;
	double waited_ns;   /* all: rows, idle and residual add up to it */
	double idle_ns;
	double residual_ns; /* did not come to an end: circles in which nobody runs, and what is too little to follow */
	double *idle_share; /* of each wait */
	bool *is_home;	    /* of each wait: also one that is not idle, because who ended it was busy */
	bool *is_lock;	    /* by subject */
};

/* 0 and *ret_blame (free with hr_blame_fini()), or -ENOMEM. Every index of the input is below its count, or NONE. */
int hr_blame_find(const struct hr_blame_input *input, struct hr_blame *ret_blame);

void hr_blame_fini(struct hr_blame *blame);

#endif
