/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_UNWIND_TABLES_BPF_H
#define HR_UNWIND_TABLES_BPF_H

/* The tables of headroom/unwind.h: user space writes them, but for what a forked process has of its parent. */
#include "thread.bpf.h"

#include "headroom/unwind.h"

/* Rows of all files, one file after the other. Size set by src/collect/probes_unwind.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_unwind_row);
} unwind_rows __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_unwind_space);
} unwind_spaces __weak SEC(".maps");

/* By slot of the process. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HR_PROCESS_SLOTS);
	__type(key, __u32);
	__type(value, struct hr_unwind_process);
} unwind_processes __weak SEC(".maps");

/* The address space of a process; 0: it has no tables, or they are of another process or program. */
static __always_inline __u32 unwind_space(__u32 process_slot)
{
	struct hr_unwind_process *unwound = bpf_map_lookup_elem(&unwind_processes, &process_slot);
	struct hr_process *process = process_by_slot(process_slot);

	if (!unwound || !process || unwound->pid != process->pid || unwound->execs != process->execs)
		return 0;
	return unwound->space;
}

/* A forked process has its parent's code where that has it, until it execs. */
static __always_inline void unwind_inherit(__u32 parent_slot, __u32 child_slot)
{
	struct hr_unwind_process *unwound = bpf_map_lookup_elem(&unwind_processes, &child_slot);
	struct hr_process *child = process_by_slot(child_slot);

	if (!unwound || !child)
		return;
	unwound->space = unwind_space(parent_slot);
	unwound->pid = child->pid;
	unwound->execs = child->execs;
}

#endif
