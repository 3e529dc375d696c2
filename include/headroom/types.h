/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_TYPES_H
#define HEADROOM_TYPES_H

/* The fixed-width types of the records that BPF programs and user space share; each side brings its own definitions. */
#ifdef __bpf__
#include "kernel.bpf.h"
#else
#include <linux/types.h>
#endif

#define HR_INLINE static inline __attribute__((always_inline))
#define HR_SIZE_IS(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")

#endif
