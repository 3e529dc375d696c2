/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_THREAD_BPF_H
#define HR_THREAD_BPF_H

/*
 * The arithmetic of a thread's accounts, which every probe family uses: find them, charge time to a state, move between modes.
 *
 * A record is only changed by the CPU that the thread runs on or leaves (interrupts off or preemption off), so plain stores
 * do. The version is odd while it changes, for the reader in user space.
 */
#include "maps.bpf.h"

/*
 * A function that the verifier looks at once for each program, and not anew for each state that a caller may be in: with all of them
 * static, loading the programs takes it many times as long. It takes numbers and pointers to records, which it must ask whether
 * they are NULL, and returns a number. Weak, as each object that is linked has it.
 */
#define VERIFIED_ONCE __weak __noinline

VERIFIED_ONCE int lost(__u32 reason)
{
	__u32 key = reason;
	__u64 *count = bpf_map_lookup_elem(&losses, &key);

	if (count)
		(*count)++;
	return 0;
}

static __always_inline struct hr_thread *thread_by_slot(__u32 slot)
{
	return bpf_map_lookup_elem(&threads, &slot);
}

/* The accounts of the thread with that pid; NULL: not a target. The first and cheapest filter of every program. */
static __always_inline struct hr_thread *thread_by_pid(__u32 pid)
{
	__u32 *slot = bpf_map_lookup_elem(&thread_slots, &pid);

	if (!slot || !*slot)
		return NULL;
	return thread_by_slot(*slot);
}

static __always_inline __u32 stack_entry(__u64 registers)
{
	return registers >> HR_STACK_SHIFT & (HR_STACK_ENTRIES - 1);
}

static __always_inline struct hr_thread *current_thread(void)
{
	return thread_by_pid((__u32)bpf_get_current_pid_tgid());
}

/* The current thread by the registers that a syscall hook is handed, without a helper call. */
static __always_inline struct hr_thread *thread_by_registers(__u64 registers)
{
	__u32 entry = stack_entry(registers), *slot = bpf_map_lookup_elem(&stack_slots, &entry);
	struct hr_thread *thread;

	if (!slot || !*slot)
		return NULL;
	if (*slot == HR_STACK_SHARED)
		return current_thread();
	thread = thread_by_slot(*slot);
	return thread && thread->registers == registers ? thread : NULL; /* a stranger's stack may have the same hash */
}

static __always_inline struct hr_process *process_by_slot(__u32 slot)
{
	return bpf_map_lookup_elem(&processes, &slot);
}

static __always_inline struct hr_cpu *cpu_by_id(__u32 cpu)
{
	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* now - since, and 0 where clocks of two CPUs disagree. */
static __always_inline __u64 elapsed_ns(__u64 since_ns, __u64 now_ns)
{
	if (now_ns >= since_ns)
		return now_ns - since_ns;
	lost(HR_LOSS_CLOCK_BACKWARDS);
	return 0;
}

/*
 * An index as the verifier follows it. clang compares the lower half of a register where that is enough, and verifiers before 6.8
 * do not conclude from that for the whole; after this they compare the whole.
 */
static __always_inline __u64 whole(__u32 value)
{
	__u64 index = value;

	asm volatile("" : "+r"(index));
	return index;
}

/* What a syscall row waits for: enum hr_call_kind. */
static __always_inline __u32 call_kind(__u32 row)
{
	__u64 index = whole(row);

	return index < 2 * HR_CALL_NRS ? call_kinds[index] : HR_CALL_OTHER;
}

#define __maybe_unused __attribute__((unused)) /* a header's function that not every family needs */

#define compiler_barrier() asm volatile("" ::: "memory")

static __always_inline void thread_begin_change(struct hr_thread *thread)
{
	thread->version++;
	compiler_barrier();
}

static __always_inline void thread_end_change(struct hr_thread *thread)
{
	compiler_barrier();
	thread->version++;
}

/* Charge the time on CPU up to now. */
static __always_inline void charge_on_cpu(struct hr_thread *thread, __u64 now_ns)
{
	__u64 time_ns = elapsed_ns(thread->since_ns, now_ns);

	if (thread->mixed)
		thread->mixed_ns += time_ns;
	else if (thread->state == HR_STATE_KERNEL)
		thread->state_ns[HR_STATE_KERNEL] += time_ns;
	else
		thread->state_ns[HR_STATE_USER] += time_ns;
	thread->since_ns = now_ns;
}

/* Who had a CPU since the recording began, up to now. */
static __always_inline void cpu_owner_totals(__u32 cpu, __u64 now_ns, __u64 totals_ns[HR_OWNERS_KERNEL])
{
	struct hr_cpu *record = cpu_by_id(cpu);

	if (!record)
		return;
	for (int owner = 0; owner < HR_OWNERS_KERNEL; owner++)
		totals_ns[owner] = record->owner_ns[owner];
	/* read after the totals: at worst the running slice is counted short, never twice */
	if (record->since_ns && now_ns > record->since_ns)
		totals_ns[record->owner & (HR_OWNERS_KERNEL - 1)] += now_ns - record->since_ns;
}

/* The thread begins to wait for that CPU. */
static __always_inline void queue_begin(struct hr_thread *thread, __u32 cpu, __u64 now_ns)
{
	thread->queue_cpu = cpu;
	cpu_owner_totals(cpu, now_ns, thread->queue_owner_ns);
}

/* It has waited for the CPU of queue_begin() until now: charge who had it. preempted: 1, woken or born: 0. */
static __always_inline void queue_settle(struct hr_thread *thread, __u32 preempted, __u64 now_ns)
{
	__u64 totals_ns[HR_OWNERS_KERNEL] = {};
	__u64 *owner_ns = preempted ? thread->preempted_owner_ns : thread->runq_owner_ns;

	cpu_owner_totals(thread->queue_cpu, now_ns, totals_ns);
	for (int owner = 0; owner < HR_OWNERS_KERNEL; owner++) {
		__s64 time_ns = totals_ns[owner] - thread->queue_owner_ns[owner];

		if (time_ns > 0)
			owner_ns[thread->throttled ? HR_OWNER_QUOTA : owner] += time_ns;
	}
}

#endif
