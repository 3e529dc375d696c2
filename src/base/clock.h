/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_CLOCK_H
#define HR_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds: the clock of bpf_ktime_get_ns(), so both sides' stamps compare. */
uint64_t hr_clock_mono_ns(void);

/* CLOCK_REALTIME in nanoseconds since 1970. */
uint64_t hr_clock_real_ns(void);

#endif
