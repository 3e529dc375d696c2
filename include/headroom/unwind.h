/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_UNWIND_H
#define HEADROOM_UNWIND_H

#include "headroom/types.h"

/*
 * How to get from a function to its caller where code keeps no frame pointers, as most packages of distributions: what .eh_frame
 * says, of each file in one table that is sorted by address. User space writes the tables, the samplers read them. x86-64 only:
 * compilers for arm64 keep frame pointers.
 */

#define HR_UNWIND_SPACES 256 /* distinct address spaces; forked processes share theirs. 0 is never used */
#define HR_UNWIND_AREAS 256  /* of code in one: more are left to frame pointers */

/* The frame address (CFA) is what the stack pointer was before the call; the return address lies below it. */
enum hr_unwind_rule {
	HR_UNWIND_UNKNOWN = 0, /* nothing is said: the frame pointer is tried */
	HR_UNWIND_BY_SP = 1,   /* CFA = sp + cfa */
	HR_UNWIND_BY_BP = 2,   /* CFA = bp + cfa */
	HR_UNWIND_AT_BP = 3,   /* CFA is stored at bp + cfa: functions that align their stack */
	HR_UNWIND_PLT = 4,     /* CFA = sp + 8, or sp + 16 behind the push of a stub of the linker */
	HR_UNWIND_SIGNAL = 5,  /* the kernel's frame of a signal handler is at sp */
	HR_UNWIND_END = 6      /* there is no caller */
};

#define HR_UNWIND_BEGINS 0x80 /* beside a rule: a function begins there */
#define HR_UNWIND_RULES 0x7f  /* a rule without that */

#define HR_UNWIND_BYTES 8	/* unit of cfa and bp */
#define HR_UNWIND_BP_KEPT 0	/* values of bp: the function has not touched it */
#define HR_UNWIND_BP_AT_BP (-128) /* the caller's is where it points to */

/* From `start` to the next row's. Row 0 of all is never used. */
struct hr_unwind_row {
	__u32 start; /* less the base of its file, in bytes */
	__s16 cfa;   /* in units of 8 bytes */
	__s8 bp;     /* where the caller's is stored, from the CFA, in units of 8 bytes; or HR_UNWIND_BP_* */
	__u8 rule;   /* enum hr_unwind_rule, and HR_UNWIND_BEGINS */
};

/* Code of one file in an address space. */
struct hr_unwind_area {
	__u64 start, end;
	__u64 base;  /* what the rows count from */
	__u32 first; /* row */
	__u32 rows;
};

struct hr_unwind_space {
	__u64 areas;
	struct hr_unwind_area area[HR_UNWIND_AREAS]; /* by address */
};

/* The address space of the process in a slot; of another process or program it is not. */
struct hr_unwind_process {
	__u32 space; /* 0: none, frame pointers are all there is */
	__u32 pid;
	__u32 execs;
	__u32 pad;
};

HR_SIZE_IS(struct hr_unwind_row, 8);
HR_SIZE_IS(struct hr_unwind_area, 32);
HR_SIZE_IS(struct hr_unwind_space, 8 + 32 * HR_UNWIND_AREAS);
HR_SIZE_IS(struct hr_unwind_process, 16);

#endif
