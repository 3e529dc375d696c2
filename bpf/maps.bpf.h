/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_MAPS_BPF_H
#define HR_MAPS_BPF_H

/*
 * The maps and the configuration that all probe families share. Each object that is linked has them; weak, so one copy stays.
 * Sizes given as 1 are set by src/collect/probes.c.
 */
#include "kernel.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "headroom/accounts.h"
#include "headroom/calls.h"
#include "headroom/config.h"

/* A flag that is false lets the verifier drop the code behind it. */
const volatile struct hr_bpf_config config __weak = {};

/* Syscall row -> enum hr_call_kind. */
const volatile __u8 call_kinds[2 * HR_CALL_NRS] __weak = {};

/* pid (of a thread, in the first namespace) -> slot in `threads`; 0: not a target. As many entries as the host has pids. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} thread_slots __weak SEC(".maps");

/*
 * Kernel stack address, hashed -> slot in `threads`; 0: not a target; HR_STACK_SHARED: look in thread_slots. It is there because
 * asking for the current thread costs a helper call, 5 ns, in every syscall of every process, twice.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HR_STACK_ENTRIES);
	__type(key, __u32);
	__type(value, __u32);
} stack_slots __weak SEC(".maps");

/* Slot -> accounts of a thread. Slot 0 is never used. Full when `free_threads` is empty: the thread is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HR_THREAD_SLOTS);
	__type(key, __u32);
	__type(value, struct hr_thread);
} threads __weak SEC(".maps");

/* Slot -> accounts of a process. Likewise. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HR_PROCESS_SLOTS);
	__type(key, __u32);
	__type(value, struct hr_process);
} processes __weak SEC(".maps");

/* Record * shards + shard -> counts and times of one (process, row). Record 0 is never used. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_calls);
} calls __weak SEC(".maps");

/* Slots and records that are free, put there by user space; the lowest come out first, so that few pages are in use. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_THREAD_SLOTS);
	__uint(value_size, sizeof(__u32));
} free_threads __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_PROCESS_SLOTS);
	__uint(value_size, sizeof(__u32));
} free_processes __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_CALL_RECORDS);
	__uint(value_size, sizeof(__u32));
} free_calls __weak SEC(".maps");

/* (process, row, errno) -> calls that failed so. Full: the failure is in `calls` all the same, its errno is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct hr_errno_key);
	__type(value, __u64);
} call_errors __weak SEC(".maps");

/* CPU -> who had it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_cpu);
} cpus __weak SEC(".maps");

/* enum hr_loss -> count. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HR_LOSSES_KERNEL);
	__type(key, __u32);
	__type(value, __u64);
} losses __weak SEC(".maps");

/* Pids of the target's processes -> process slot: the iterators take in threads of theirs that are not known. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HR_PROCESS_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} target_processes __weak SEC(".maps");

#endif
