/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REGISTERS_BPF_H
#define HR_REGISTERS_BPF_H

/* What depends on the architecture: which ABI a call came by, and where its number, result and arguments are saved. */
#include "maps.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 2 /* thread_info.status: a 32-bit syscall, also by int 0x80 from 64-bit code */

static __always_inline bool is_compat(struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

/* -1 outside a syscall: exceptions and interrupts from user mode store that. */
#define SYSCALL_NUMBER(registers) ((long)PEEK(pt_regs, registers, orig_ax))
/* The number stays there on the way back to user mode, on which a thread may stop or close a file; the result does not. */
#define SYSCALL_RETURNED(registers) ((long)PEEK(pt_regs, registers, ax) != -ENOSYS)
#define SYSCALL_ARG0(registers) PEEK(pt_regs, registers, di)
#define SYSCALL_ARG1(registers) PEEK(pt_regs, registers, si)
#define SYSCALL_ARG2(registers) PEEK(pt_regs, registers, dx)
#define COMPAT_ARG0(registers) PEEK(pt_regs, registers, bx)
#define COMPAT_ARG1(registers) PEEK(pt_regs, registers, cx)
#define COMPAT_ARG2(registers) PEEK(pt_regs, registers, dx)
#define REGISTERS_ARG1 si /* the member, of native calls */
#define STACK_POINTER(registers) ((registers)->sp)
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT 22

static __always_inline bool is_compat(struct task_struct *task)
{
	return task->thread_info.flags >> TIF_32BIT & 1;
}

#define SYSCALL_NUMBER(registers) ((long)PEEK(pt_regs, registers, syscallno))
/* The result takes the place of the first argument, of which there is a copy. */
#define SYSCALL_RETURNED(registers) (PEEK(pt_regs, registers, regs[0]) != PEEK(pt_regs, registers, orig_x0))
#define SYSCALL_ARG0(registers) PEEK(pt_regs, registers, orig_x0)
#define SYSCALL_ARG1(registers) PEEK(pt_regs, registers, regs[1])
#define SYSCALL_ARG2(registers) PEEK(pt_regs, registers, regs[2])
#define REGISTERS_ARG1 regs[1]
#define STACK_POINTER(registers) ((registers)->sp)
#define COMPAT_ARG0 SYSCALL_ARG0
#define COMPAT_ARG1 SYSCALL_ARG1
#define COMPAT_ARG2 SYSCALL_ARG2
#endif

static __always_inline __u32 call_row(__u64 number, bool compat)
{
	__u32 row = number < HR_CALL_NRS ? number : HR_CALL_NRS - 1;

	return compat ? row + HR_CALL_COMPAT : row;
}

#endif
