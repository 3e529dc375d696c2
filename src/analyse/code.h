/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_CODE_H
#define HR_ANALYSE_CODE_H

#include "analyse/stacks.h"

/*
 * Where the code is hot and where it waits, by group of threads. On CPU a place is the innermost function, in the kernel or not. Off
 * CPU it is state, system call, and the innermost function that is the program's own and not of the libraries that every wait goes
 * through. Where the user stack goes through a library that drives a device, that library is the place on CPU: such libraries spin
 * until the device is done, and their functions have no names.
 */
struct hr_code_place {
	size_t group;		/* index in hr_summary.groups */
	enum hr_state state;	/* off CPU; on CPU it means nothing */
	const char *syscall;	/* likewise; NULL: none */
	const char *function;	/* NULL: no symbol was found, or no stack could be taken */
	const char *module;	/* NULL: not known, or no stack */
	bool is_kernel, has_stack;
	bool is_driver;		/* on CPU in a library that drives a device, whatever function: function is NULL */
	uint64_t count, time_ns, alone_ns;
};

/* A user stack of fewer frames is likely cut off: beginning, start function and work alone are as many. */
#define HR_SHORT_STACK_FRAMES 3

struct hr_code {
	struct hr_code_place *on_cpu;  /* most alone_ns first */
	struct hr_code_place *off_cpu; /* most time_ns first */
	size_t on_cpu_count, off_cpu_count;
	uint64_t samples;	       /* 0: none were taken, and all that follows is 0 */
	uint64_t samples_without_stack, samples_with_short_stack; /* in user mode */
	uint64_t on_cpu_ns, alone_ns, off_cpu_ns;		  /* over all places */
};

/* Is this function, either text NULL where it is not known, of what every wait goes through: the C library, the lock itself? */
bool hr_code_is_runtime(const char *function, const char *module);

/* Adds up the profile, whose texts it borrows. 0 and *ret_code (free with hr_code_fini()), or -ENOMEM. */
int hr_code_find(const struct hr_profile *profile, struct hr_code *ret_code);

/* Takes one that is all zero. */
void hr_code_fini(struct hr_code *code);

#endif
