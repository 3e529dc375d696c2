/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_HIST_H
#define HEADROOM_HIST_H

#include "headroom/types.h"

/*
 * Log-linear histogram slots: each power of two is cut into 2^bits equal parts, so a slot is at most 1/2^bits of its lower
 * bound wide, and its middle is off by at most half of that from any value in it. Values below 2^bits have a slot each.
 * The same text is compiled for BPF, for the tool and for its test.
 */
#define HR_HIST_BITS 3	 /* 8 parts: the middle of a slot is within 1/16 of the value */
#define HR_HIST_SLOTS 304 /* up to 2^40 ns (18 minutes); longer falls in the last slot */

HR_INLINE __u32 hr_log2(__u64 value)
{
	__u32 result = 0;

	if (value >> 32) { value >>= 32; result += 32; }
	if (value >> 16) { value >>= 16; result += 16; }
	if (value >> 8) { value >>= 8; result += 8; }
	if (value >> 4) { value >>= 4; result += 4; }
	if (value >> 2) { value >>= 2; result += 2; }
	return result + (value >> 1 ? 1 : 0);
}

/* The slot that holds value, 0 to slots - 1. */
HR_INLINE __u32 hr_hist_slot(__u64 value, __u32 bits, __u32 slots)
{
	__u32 exponent, slot;

	if (value < (1ULL << bits))
		return (__u32)value;
	exponent = hr_log2(value);
	slot = ((exponent - bits + 1) << bits) + (__u32)((value >> (exponent - bits)) & ((1U << bits) - 1));
	return slot < slots ? slot : slots - 1;
}

/* The lowest value of a slot. Slot s ends where s + 1 begins. */
HR_INLINE __u64 hr_hist_low(__u32 slot, __u32 bits)
{
	__u32 part = slot & ((1U << bits) - 1), octave = slot >> bits;

	if (octave == 0)
		return part;
	return ((1ULL << bits) + part) << (octave - 1);
}

#endif
