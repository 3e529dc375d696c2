/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_UNWIND_BPF_H
#define HR_UNWIND_BPF_H

/*
 * User stacks of code that keeps no frame pointers, by tables of what .eh_frame says (headroom/unwind.h). Cost per frame: a search
 * among the areas of the address space and one among the rows of the file, about 100 ns, and a read or two of the user's memory, which
 * never faults anything in. Code without a table, as that of a just-in-time compiler, is left by its frame pointer.
 */
#include "stacks.bpf.h"
#include "unwind_tables.bpf.h"

#if defined(__TARGET_ARCH_x86)

struct pt_regs___unwound {
	unsigned long bp, ip, sp;
} __attribute__((preserve_access_index));

/* Of struct ucontext, which lies at sp in the frame of a signal handler. */
#define UCONTEXT_BP 120
#define UCONTEXT_SP 160
#define UCONTEXT_IP 168

#define AREA_STEPS 9  /* of a search among HR_UNWIND_AREAS */
#define ROW_STEPS 24  /* likewise, rows of one file */
#define FRAME_BYTES_MAX (1U << 20) /* a frame pointer leads no farther: it is none, then */

/* A thread on its way out. */
struct unwinding {
	__u64 ip, sp, bp;
	__u32 space;
	__u32 scratch;
	__u32 frames;
	__u32 is_exact; /* ip is no return address: behind a call that never returns begins another function */
};

static __always_inline bool read_user(__u64 *to, __u64 address)
{
	return !bpf_probe_read_user(to, sizeof(*to), (const void *)address);
}

/* The area that holds an address: 1 + its index; 0: none. */
VERIFIED_ONCE __u32 unwind_find_area(__u32 space_id, __u64 address)
{
	struct hr_unwind_space *space = bpf_map_lookup_elem(&unwind_spaces, &space_id);
	__u32 low = 0, high, middle;
	struct hr_unwind_area *area;

	if (!space)
		return 0;
	high = space->areas < HR_UNWIND_AREAS ? space->areas : HR_UNWIND_AREAS;
	for (int step = 0; step < AREA_STEPS && low < high; step++) {
		middle = (low + high) / 2 & (HR_UNWIND_AREAS - 1);
		area = &space->area[middle];
		if (address < area->start)
			high = middle;
		else if (address < area->end)
			return middle + 1;
		else
			low = middle + 1;
	}
	return 0;
}

/* The last row that begins at or before the offset: its index; 0: none. */
VERIFIED_ONCE __u32 unwind_find_row(__u32 first, __u32 rows, __u32 offset)
{
	__u32 low = first, high = first + rows, middle;
	struct hr_unwind_row *row;

	for (int step = 0; step < ROW_STEPS && low < high; step++) {
		middle = low + (high - low) / 2;
		row = bpf_map_lookup_elem(&unwind_rows, &middle);
		if (!row)
			return 0;
		if (row->start <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low == first ? 0 : low - 1;
}

static __always_inline struct hr_unwind_row *row_of(const struct unwinding *unwinding)
{
	struct hr_unwind_space *space = bpf_map_lookup_elem(&unwind_spaces, &unwinding->space);
	__u64 address = unwinding->ip - !unwinding->is_exact;
	__u32 found = unwind_find_area(unwinding->space, address), row;
	struct hr_unwind_area *area;

	if (!space || !found)
		return NULL;
	area = &space->area[(found - 1) & (HR_UNWIND_AREAS - 1)];
	row = unwind_find_row(area->first, area->rows, address - area->base);
	return row ? bpf_map_lookup_elem(&unwind_rows, &row) : NULL;
}

static __always_inline bool leave_by_frame_pointer(struct unwinding *unwinding)
{
	__u64 bp = unwinding->bp, caller_bp, ip;

	if (bp < unwinding->sp || bp - unwinding->sp > FRAME_BYTES_MAX || bp & 7 || !read_user(&caller_bp, bp) ||
	    !read_user(&ip, bp + 8))
		return false;
	unwinding->sp = bp + 16;
	unwinding->bp = caller_bp;
	unwinding->ip = ip;
	return true;
}

static __always_inline bool leave_signal(struct unwinding *unwinding)
{
	__u64 context = unwinding->sp;

	unwinding->is_exact = 1;
	return read_user(&unwinding->bp, context + UCONTEXT_BP) && read_user(&unwinding->ip, context + UCONTEXT_IP) &&
	       read_user(&unwinding->sp, context + UCONTEXT_SP);
}

/* The frame's address, as its rule says; 0: it cannot be told. */
static __always_inline __u64 frame_address(const struct unwinding *unwinding, const struct hr_unwind_row *row)
{
	__s64 offset = (__s64)row->cfa * HR_UNWIND_BYTES;
	__u64 address = 0;

	switch (row->rule & HR_UNWIND_RULES) {
	case HR_UNWIND_BY_SP: return unwinding->sp + offset;
	case HR_UNWIND_BY_BP: return unwinding->bp + offset;
	case HR_UNWIND_AT_BP: return read_user(&address, unwinding->bp + offset) ? address : 0;
	case HR_UNWIND_PLT: return unwinding->sp + 8 + ((unwinding->ip & 15) >= 11 ? 8 : 0);
	}
	return 0;
}

static __always_inline bool leave_by_row(struct unwinding *unwinding, const struct hr_unwind_row *row)
{
	__u64 address = frame_address(unwinding, row), bp = unwinding->bp, ip;

	if (address <= unwinding->sp || !read_user(&ip, address - 8))
		return false;
	if (row->bp == HR_UNWIND_BP_AT_BP) {
		if (!read_user(&unwinding->bp, bp))
			return false;
	} else if (row->bp != HR_UNWIND_BP_KEPT && !read_user(&unwinding->bp, address + (__s64)row->bp * HR_UNWIND_BYTES)) {
		return false;
	}
	unwinding->sp = address;
	unwinding->ip = ip;
	return true;
}

/* To the caller. False: there is none, or none that can be found. */
static __always_inline bool leave_frame(struct unwinding *unwinding)
{
	struct hr_unwind_row *row = row_of(unwinding);
	__u8 rule = row ? row->rule & HR_UNWIND_RULES : HR_UNWIND_UNKNOWN;

	if (rule == HR_UNWIND_SIGNAL)
		return leave_signal(unwinding);
	if (rule == HR_UNWIND_END)
		return false;
	unwinding->is_exact = 0;
	return row && rule != HR_UNWIND_UNKNOWN ? leave_by_row(unwinding, row) : leave_by_frame_pointer(unwinding);
}

/* Called for each frame: 1 ends it. */
static long unwind_frame(__u32 index, void *context)
{
	struct unwinding *unwinding = context;
	struct hr_stack *stack = scratch(unwinding->scratch);

	if (!stack || !unwinding->ip)
		return 1;
	stack->addresses[index & (HR_STACK_FRAMES - 1)] = unwinding->ip;
	unwinding->frames = index + 1;
	return !leave_frame(unwinding);
}

/* The user stack of the thread whose registers these are, into the scratch of that number: how many frames. */
VERIFIED_ONCE int unwind_frames(__u64 registers_at, __u32 space, __u32 which)
{
	const struct pt_regs___unwound *registers = (const void *)registers_at;
	struct unwinding unwinding = { .space = space, .scratch = which, .is_exact = 1 };

	unwinding.ip = BPF_CORE_READ(registers, ip);
	unwinding.sp = BPF_CORE_READ(registers, sp);
	unwinding.bp = BPF_CORE_READ(registers, bp);
	bpf_loop(HR_STACK_FRAMES, unwind_frame, &unwinding, 0);
	return unwinding.frames;
}

/* Fill the scratch of that number with the user stack of the current thread. Returns its bytes; 0: it has no tables. */
static __always_inline long unwind_user(const struct hr_thread *thread, __u32 which)
{
	__u32 space = unwind_space(thread->process);

	return space ? unwind_frames(thread->registers, space, which) * (long)sizeof(__u64) : 0;
}

#else

static __always_inline long unwind_user(const struct hr_thread *thread, __u32 which)
{
	(void)thread;
	(void)which;
	return 0;
}

#endif
#endif
