/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_CODE_H
#define HR_COLLECT_CODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/symbols.h"

/*
 * Which function an address of a stack lies in: of a program or library, of a just-in-time compiler that says so in
 * /tmp/perf-PID.map of its own root and pid namespace, or of the kernel. What is read of a process is kept, up to a limit, also
 * beyond the process's end.
 */
struct hr_code;

/* A process of the target. */
struct hr_code_process {
	uint32_t slot;	/* below HR_PROCESS_SLOTS */
	pid_t pid;	/* 0: it is gone, what is known of it is all there is */
	int64_t id;	/* these two tell whose slot it is */
	uint32_t execs;
};

/* All text is valid UTF-8. */
struct hr_code_frame {
	char name[HR_SYMBOL_BYTES];    /* "": none that is known */
	char module[HR_MAPPING_BYTES]; /* "/usr/bin/node", "[kernel]", "/tmp/perf-12.map", "anonymous"; "": not known */
	int64_t offset;		       /* in the file, where there is no name; -1: not known, or there is one */
	bool is_code;		       /* false: there is something else at the address, or nothing */
	bool may_change;	       /* compiled just in time: another function may be there later */
};

/* root: put in front of /proc, and of the host's debug files. NULL: out of memory. */
struct hr_code *hr_code_new(const char *root);
void hr_code_free(struct hr_code *code); /* takes NULL */

/* The files of each process are looked at again at most once from here on. */
void hr_code_next_pass(struct hr_code *code);

/* The function at an address of a process. */
void hr_code_user(struct hr_code *code, const struct hr_code_process *process, uint64_t address, struct hr_code_frame *ret);

/*
 * The address space of a process, as it was when it was last read, which it is now if it never was; NULL: it cannot be. Valid until the
 * next call of any of these. *ret_version: another number for another reading.
 */
const struct hr_maps *hr_code_maps(struct hr_code *code, const struct hr_code_process *process, uint32_t *ret_version);

/* What it reads files with. */
struct hr_symbols *hr_code_symbols(struct hr_code *code);

/* Read the symbols of the kernel, some 60 ms of work, before anybody minds. */
void hr_code_read_kernel(struct hr_code *code);

/* The function at an address of the kernel. Its symbols are read when the first is asked for, unless they were before. */
void hr_code_kernel(struct hr_code *code, uint64_t address, struct hr_code_frame *ret);

/* Another number as soon as an address of the process in this slot may have another name; 0: nothing was asked for yet. */
uint32_t hr_code_generation(const struct hr_code *code, uint32_t slot);

#endif
