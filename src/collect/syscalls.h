/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_SYSCALLS_H
#define HR_COLLECT_SYSCALLS_H

#include <stdint.h>

#include "headroom/accounts.h"
#include "headroom/calls.h"

/*
 * The names of syscalls and what each waits for when it blocks. Numbers belong to an architecture and are known only
 * here: the table is generated for the one that is built for (scripts/gen-syscall-names).
 *
 * A row is that of accounts.h: the number for native calls, HR_CALL_COMPAT + number for 32-bit calls.
 */

/*
 * The name of a row below HR_CALL_RUNQ: "epoll_wait", or "syscall_<number>" in buf for a number without a name (a
 * kernel newer than the build). The last row of an ABI, which higher numbers share, is "syscall_511_up".
 */
const char *hr_syscall_name(uint32_t row, char buf[24]);

/* "native" or "compat". */
const char *hr_syscall_abi(uint32_t row);

/* What every row waits for: enum hr_call_kind, for the map that the BPF programs read. */
void hr_syscall_kinds(uint8_t kinds[2 * HR_CALL_NRS]);

/* Where each native row keeps the bytes that it reads or writes: enum hr_call_buffer, likewise. */
void hr_syscall_buffers(uint8_t buffers[HR_CALL_NRS]);

/* The names of a kind, separated by one space; "" for HR_CALL_OTHER, which is all the rest. */
const char *hr_syscall_names_of(enum hr_call_kind kind);

#endif
