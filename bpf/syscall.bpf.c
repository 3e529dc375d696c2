/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Syscalls: which one a target thread is in (its state when it blocks follows from it), where user mode ends and the kernel
 * begins, calls, errors, durations.
 *
 * Hooks sys_enter, sys_exit (tp_btf, or the classic tracepoints). Every process of the host pays one array look-up on each.
 *
 * Cost per event of a target: 20 ns of it is the clock, so calls of one kind that come in quick succession are not all timed. All
 * are counted; the next timed call of that kind stands for the untimed ones before it. How many go untimed follows from the
 * time between calls of that kind (see skip_for), so that a rare call is always timed, and so is one that gives up its CPU.
 */
#define PEEK_BY_HELPER
#include "accept.bpf.h"
#include "blocked.bpf.h"
#include "registers.bpf.h"
#include "sched.bpf.h"

/* The x86 syscall instruction leaves its return address in rcx; whoever came otherwise is worth asking the task for. */
static __always_inline bool comes_compat(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	if (regs->cx == regs->ip)
		return false;
#endif
	return is_compat(bpf_get_current_task_btf());
}

/*
 * How many calls to leave untimed after one that came mean_ns after the one before it. Reading the clock twice takes 40 ns.
 * The low bits of the time make the gaps irregular, so that a loop of a few calls does not always time the same one.
 */
static __always_inline __u32 skip_for(__u64 gap_ns, __u64 calls, __u64 now_ns)
{
	if (gap_ns >= calls * 8000)
		return 0;
	if (gap_ns >= calls * 4000)
		return 1 + (now_ns & 3);
	if (gap_ns >= calls * 1000)
		return 4 + (now_ns & 7);
	return 16 + (now_ns & 31);
}

/*
 * Newer kernels (7.x) let a program on these hooks be preempted. The switch that does it changes the same accounts, and a thread
 * that gets the CPU meanwhile finds the program busy and goes unseen: so no preemption where the kernel can forbid it (6.10).
 * Where it cannot, the hooks themselves run without.
 */
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

static __always_inline void begin_undisturbed(void)
{
	if (config.has_preempt_disable)
		bpf_preempt_disable();
}

static __always_inline void end_undisturbed(void)
{
	if (config.has_preempt_disable)
		bpf_preempt_enable();
}

/* True: this call goes untimed. */
static __always_inline bool skips(struct hr_calls *record)
{
	if (!record || !record->skip)
		return false;
	record->skip--;
	return true;
}

static __always_inline void plan_skips(struct hr_calls *record, __u64 now_ns)
{
	record->skip = skip_for(now_ns - record->timed_ns, record->calls - record->timed_calls, now_ns);
	record->timed_ns = now_ns;
	record->timed_calls = record->calls;
}

static __always_inline void enter_call(struct hr_thread *thread, __u32 row)
{
	__u32 kind = call_kind(row);
	struct hr_calls *record;
	__u64 now_ns;

	/* restart_syscall goes on with the call before it, and waits for what that waited for */
	if (!thread->restarting || kind != HR_CALL_RESTART) {
		thread->call_row = row;
		thread->call_record = calls_of_thread(thread, row);
		thread->accepting = kind == HR_CALL_ACCEPT;
	}
	if (kind == HR_CALL_CLOSE)
		note_close(thread);
	thread->call_left_cpu = 0;
	thread->kernel_lock = HR_KERNEL_LOCK_NONE; /* nobody takes one into user mode: its end was missed */
	thread->reclaim = 0;
	record = calls_shard(thread->call_record);
	if (thread->mode == HR_MODE_ON_CPU && skips(record)) {
		thread->call_ns = 0;
		thread->mixed = 1;
		thread->in_call = 1;
		return;
	}
	begin_undisturbed();
	now_ns = bpf_ktime_get_ns();
	if (thread->mode != HR_MODE_ON_CPU)
		thread_catch_up(thread, now_ns);
	thread_begin_change(thread);
	charge_on_cpu(thread, now_ns);
	thread->mixed = 0;
	thread->state = HR_STATE_KERNEL;
	thread->in_call = 1;
	thread->call_ns = now_ns;
	thread_end_change(thread);
	end_undisturbed();
	if (record)
		plan_skips(record, now_ns);
}

static __always_inline int on_enter(struct pt_regs *regs, long number)
{
	struct hr_thread *thread = thread_by_registers((__u64)regs);

	if (thread)
		enter_call(thread, call_row(number, comes_compat(regs)));
	return 0;
}

VERIFIED_ONCE int count_error(struct hr_thread *thread, __u32 number)
{
	struct hr_errno_key key = {};
	__u64 *count, one = 1;

	if (!thread)
		return 0;
	key.process = thread->process;
	key.row = thread->call_row;
	key.number = number;
	count = bpf_map_lookup_elem(&call_errors, &key);
	if (!count) {
		if (!bpf_map_update_elem(&call_errors, &key, &one, BPF_NOEXIST))
			return 0;
		count = bpf_map_lookup_elem(&call_errors, &key); /* another CPU was first, or the map is full */
	}
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		lost(HR_LOSS_ERRNO_ROWS);
	return 0;
}

/* A call that left its CPU stands for itself; any other for the untimed ones before it too. */
static __always_inline void time_call(struct hr_thread *thread, struct hr_calls *record, __u64 now_ns)
{
	__u64 time_ns = elapsed_ns(thread->call_ns, now_ns);
	__u32 weight = 1;

	if (!record)
		return;
	if (!thread->call_left_cpu) {
		weight += record->untimed;
		record->untimed = 0;
		record->mean_ns = record->mean_ns ? (7 * record->mean_ns + time_ns) / 8 : time_ns;
	}
	calls_time(record, time_ns, weight);
}

static __always_inline void count_call(struct hr_thread *thread, struct hr_calls *record, long result)
{
	thread->calls++;
	if (!record) {
		lost(HR_LOSS_CALL_RECORDS);
		return;
	}
	calls_add(&record->calls, 1);
	if (result >= 0 || result < -MAX_ERRNO)
		return;
	calls_add(&record->errors, 1);
	if (result == -EAGAIN)
		calls_add(&record->again, 1);
	else
		count_error(thread, -result);
}

static __always_inline void leave_call(struct hr_thread *thread, long result)
{
	struct hr_calls *record = calls_shard(thread->call_record);
	__u64 now_ns;

	count_call(thread, record, result);
	if (thread->accepting && result >= 0)
		count_accept(thread, result);
	if (thread->waiting) {
		sample_wait(thread->slot);
		wait_returns(thread, result);
	}
	thread->restarting = result == -ERESTART_RESTARTBLOCK;
	if (!thread->call_ns) {
		thread->in_call = 0;
		if (record) {
			record->untimed++;
			thread->mixed_kernel_ns += record->mean_ns;
		}
		return;
	}
	begin_undisturbed();
	now_ns = bpf_ktime_get_ns();
	if (thread->mode != HR_MODE_ON_CPU)
		thread_catch_up(thread, now_ns);
	thread_begin_change(thread);
	charge_on_cpu(thread, now_ns);
	thread->in_call = 0;
	thread->state = HR_STATE_USER;
	time_call(thread, record, now_ns);
	thread->call_ns = 0;
	thread_end_change(thread);
	end_undisturbed();
}

static __always_inline int on_exit(struct pt_regs *regs, long result)
{
	struct hr_thread *thread = thread_by_registers((__u64)regs);

	if (thread && thread->in_call) /* not: a child returns from a clone that it never entered */
		leave_call(thread, result);
	return 0;
}

/*
 * The same by the classic tracepoints, whose programs are never preempted, but which cost twice as much. Attached instead where
 * the kernel is seen to skip the others; see hr_probes_mend().
 */
struct tp_sys_enter {
	__u64 common;
	long number;
	unsigned long args[6];
};

struct tp_sys_exit {
	__u64 common;
	long number;
	long result;
};

SEC("tp/raw_syscalls/sys_enter")
int tp_sys_enter(struct tp_sys_enter *ctx)
{
	struct hr_thread *thread = current_thread();

	if (thread)
		enter_call(thread, call_row(ctx->number, is_compat(bpf_get_current_task_btf())));
	return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int tp_sys_exit(struct tp_sys_exit *ctx)
{
	struct hr_thread *thread = current_thread();

	if (thread && thread->in_call)
		leave_call(thread, ctx->result);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	return on_enter(regs, number);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result)
{
	return on_exit(regs, result);
}
