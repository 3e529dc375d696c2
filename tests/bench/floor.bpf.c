/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor of the cost tables: an empty program on each hook that headroom attaches. What these cost, the kernel's own
 * way to a BPF program costs; what headroom costs above them is its own doing.
 *
 * A hook that headroom gains belongs in the list below; tests/bench/run compares both sets and names what is missing.
 */
#define EMPTY(tracepoint)                                              \
	__attribute__((section("tp_btf/" #tracepoint), used))          \
	int floor_##tracepoint(void *ctx)                              \
	{                                                              \
		return 0;                                              \
	}

EMPTY(sched_switch)
EMPTY(sched_waking)
EMPTY(sched_migrate_task)
EMPTY(task_newtask)
EMPTY(sched_process_exec)
EMPTY(sched_process_exit)
EMPTY(sys_enter)
EMPTY(sys_exit)
EMPTY(contention_begin)
EMPTY(contention_end)

char floor_license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
