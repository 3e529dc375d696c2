/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_DISKS_H
#define HEADROOM_DISKS_H

#include "headroom/hist.h"
#include "headroom/types.h"

/*
 * Block I/O of the whole host, by disk and operation. What the programs in bpf/blockio.bpf.c fill and src/collect/disks.c reads.
 */

#define HR_DISKS 64		/* records; a disk beyond them is a counted loss */
#define HR_DISK_NAME_BYTES 32
#define HR_DISK_REQUESTS 8192	/* at once, over all disks; beyond them likewise */

/* In the run file by name (src/base/disks.c): append only. */
enum hr_disk_operation {
	HR_DISK_READ = 0,
	HR_DISK_WRITE = 1,
	HR_DISK_FLUSH = 2,   /* of the disk's own cache */
	HR_DISK_DISCARD = 3, /* of blocks whose content is not needed any more, or is to be zeros */
	HR_DISK_OTHER = 4,   /* of zoned disks */
	HR_DISK_OPERATIONS = 5
};

/* Whose thread handed the request to the disk's queue. In the run file by name: append only. */
enum hr_disk_owner { HR_DISK_TARGET = 0, HR_DISK_OTHERS = 1, HR_DISK_OWNERS = 2 };

/* One operation of one owner. Changed by atomic addition. */
struct hr_disk_work {
	__u64 count;	  /* requests finished */
	__u64 bytes;
	__u64 errors;	  /* of `count`, those that failed */
	__u64 latency_ns; /* from when the kernel had a request for it until it was finished */
	__u64 queued_ns;  /* the part of that before the disk got it */
	__u64 pad[3];
	__u32 slots[HR_HIST_SLOTS]; /* latency of single requests */
};

/*
 * One disk. Sums over time take one word each, which every CPU changes by atomic addition: what begins at t adds -t, what ends
 * at t adds t, in ns since boot. So up to a moment t
 *   the requests in flight, summed over time, are depth_ns + t * in_flight, modulo 2^64;
 *   the time with any in flight is busy_ns, and busy_ns + t while it is negative, which it is while any is.
 */
struct hr_disk {
	__u32 device;	  /* major << 20 | minor; 0: free */
	__u32 pad;
	char name[HR_DISK_NAME_BYTES];
	__u64 in_flight;  /* the disk has them */
	__u64 depth_ns;
	__s64 busy_ns;
	struct hr_disk_work work[HR_DISK_OPERATIONS][HR_DISK_OWNERS];
};

HR_SIZE_IS(struct hr_disk_work, 20 * 64);
HR_SIZE_IS(struct hr_disk, 201 * 64);

#endif
