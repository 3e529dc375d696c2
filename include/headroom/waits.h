/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_WAITS_H
#define HEADROOM_WAITS_H

#include "headroom/hist.h"
#include "headroom/states.h"
#include "headroom/types.h"

/*
 * Who waits for whom. An *edge* is all waits of one thread in one state for one subject that were ended by one waker. What the
 * programs in bpf/ fill and src/collect/waits.c reads.
 *
 * A wait lasts from the moment at which the thread leaves its CPU until it is woken for good: one that is woken and goes back to
 * sleep in the same call, on the same subject, has not ended.
 */

#define HR_EDGES 4096	       /* records, of which 0 is never used; when they run out within a pass, wakers are no longer told apart */
#define HR_SUBJECT_NAME_BYTES 40

/* What a thread waits for. In the run file by name (src/base/waits.c): append only. */
enum hr_subject {
	HR_SUBJECT_NONE = 0,	/* nothing that has a name: a timer, a child, a poll on many */
	HR_SUBJECT_FUTEX = 1,	/* value: user-space address */
	HR_SUBJECT_PEER = 2,	/* address and port of the other end of a connection that the target opened */
	HR_SUBJECT_CLIENTS = 3,	/* port: connections that came in there; the port that it listens on */
	HR_SUBJECT_FILE = 4,	/* value: inode number; port: minor and major number are in address; name: of the file */
	HR_SUBJECT_PIPE = 5,	/* value: inode number */
	HR_SUBJECT_UNIX = 6,	/* value: inode number of the socket; name: its path, or its peer's */
	HR_SUBJECT_DEVICE = 7,	/* value: device number; name: of the file */
	HR_SUBJECT_EVENT = 8,	/* eventfd, signalfd, inotify, ...; value: address of the file; name: what kind */
	HR_SUBJECT_KLOCK = 9,	/* value: address of the kernel lock; address[0]: who takes it; both 0: mmap_lock */
	HR_SUBJECTS = 10
};

/* Who ended the wait. In the run file by name: append only. */
enum hr_source {
	HR_SOURCE_UNKNOWN = 0,	 /* the wake-up was not seen */
	HR_SOURCE_THREAD = 1,	 /* a thread of the target: `waker` is its slot; 0: one of several */
	HR_SOURCE_OTHER = 2,	 /* another thread: `waker` is its pid; name: its name */
	HR_SOURCE_INTERRUPT = 3, /* a device, the network, a timer: whatever the state waits for */
	HR_SOURCE_TIMEOUT = 4,	 /* nobody: the call says that its time was up */
	HR_SOURCE_SIGNAL = 5,	 /* the call was interrupted */
	HR_SOURCES = 6
};

struct hr_edge_key {
	__u32 waiter;	      /* slot in `threads` */
	__u32 waker;	      /* see enum hr_source */
	__u8 state;	      /* enum hr_state */
	__u8 subject;	      /* enum hr_subject */
	__u8 source;	      /* enum hr_source */
	__u8 retired;	      /* of a record: no new wait is added to it, and so it is no wait's key */
	__u16 port;	      /* host order */
	__u16 pad_port;
	__u64 value;	      /* of the subject; see there */
	__u64 address[2];     /* PEER: of the peer, IPv4 mapped into IPv6, network order */
};

/*
 * One edge. Written only when its waiter gets a CPU, so by one CPU at a time: plain stores. All of it grows only. User space retires
 * records that have rested, and gives them back in a later pass (src/collect/waits.c).
 */
struct hr_edge {
	struct hr_edge_key key; /* waiter 0: free */
	char subject_name[HR_SUBJECT_NAME_BYTES];
	char waker_name[16];  /* source OTHER */
	__u64 waker_born_ns;  /* source THREAD: of the thread in the slot, whose next owner is somebody else */
	__u64 count;
	__u64 total_ns;	      /* from leaving the CPU to the wake-up */
	__u64 handover_ns;    /* from the wake-up to having a CPU */
	__u64 windows;	      /* waits whose window is in the following */
	__u64 window_ns;      /* their time */
	__u64 unknown_ns;     /* of window_ns: before what is remembered of the waker */
	__u64 waker_state_ns[HR_STATES]; /* of window_ns: what the waker did meanwhile; [HR_STATE_USER]: on CPU, in whatever mode */
	__u32 slots[HR_HIST_SLOTS]; /* single waits */
	__u64 pad_end[9];
};

/* The wait that a thread is in, as the programs keep it between events; they keep more behind it. */
struct hr_open_wait {
	__u64 born_ns;	      /* of the thread: slots are used again */
	struct hr_edge_key key; /* but for who ends it */
	__u64 blocked_ns, handover_ns; /* so far, before out_ns: a wait may be interrupted and go on */
	__u64 out_ns;	      /* when the thread left its CPU; 0: it is not blocked, or has been since before the recording */
};

/* One futex of one process: (process, address) that at least one thread waited for. Changed by compare-and-swap. */
#define HR_LOCKS 2048	       /* records, of which 0 is never used */

struct hr_lock {
	__u32 process;	      /* slot; 0: free */
	__u32 longest;	      /* most waiters at once */
	__u64 address;	      /* in user space */
	__u64 waiters;	      /* since when (ns since the epoch << 12) how many wait (low 12 bits) */
	__u64 contended_ns;   /* time with at least one waiter */
	__u64 queued_ns;      /* waiters, summed over time */
	__u64 waits;	      /* that began */
	__u64 pad[2];
};

HR_SIZE_IS(struct hr_edge_key, 40);
HR_SIZE_IS(struct hr_edge, 25 * 64);
HR_SIZE_IS(struct hr_lock, 64);

#endif
