/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_UNDISTURBED_BPF_H
#define HR_UNDISTURBED_BPF_H

/* Without preemption. In one object only: libbpf 1.1 does not link two that declare the same kernel function. */
#include "maps.bpf.h"

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

#endif
