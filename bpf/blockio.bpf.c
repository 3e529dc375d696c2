/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks: what each of them is asked for and by whom, how long it takes, and how many requests it has at once.
 *
 * Hooks block_rq_insert, block_rq_issue, block_rq_complete, block_rq_requeue, block_rq_merge (tp_btf).
 * Cost per request: one hash insertion and one deletion, two look-ups, and some eight atomic additions to the disk's record.
 *
 * Only what goes through a request queue is seen: dm, md and zram have none, but the disks below them do.
 *
 * A kernel skips a program that comes while the same one is interrupted, and 7.x also while it is preempted. A request whose
 * issue went unseen so is counted at its end, as of others; one whose end did is lost, and the disk's queue is put right when
 * the kernel uses its address again.
 */
#include "thread.bpf.h"

#include "headroom/disks.h"

#define DISK_PROBES 16 /* records tried before a disk is given up */
#define DISK_HASH 2654435761U

/* Index -> record of a disk, at or after the hash of its device number. Full: the disk's requests are lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HR_DISKS);
	__type(key, __u32);
	__type(value, struct hr_disk);
} disks SEC(".maps");

struct disk_request {
	__u64 issued_ns; /* 0: the disk does not have it */
	__u32 disk;	 /* index */
	__u8 operation;
	__u8 owner;
	__u16 pad;
};

/* Address of a request -> what is known of it. Full: the request is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HR_DISK_REQUESTS);
	__type(key, __u64);
	__type(value, struct disk_request);
} disk_requests SEC(".maps");

/* The record of that disk: 1 + its index; 0: none is free. */
static __always_inline __u32 disk_find(__u32 device)
{
	__u32 first = device * DISK_HASH;

	for (__u32 i = 0; i < DISK_PROBES; i++) {
		__u32 index = ((first >> 16) + i) % HR_DISKS, found;
		struct hr_disk *disk = bpf_map_lookup_elem(&disks, &index);

		if (!disk)
			return 0;
		found = disk->device;
		if (!found)
			found = __sync_val_compare_and_swap(&disk->device, 0, device);
		if (!found || found == device)
			return index + 1;
	}
	return 0;
}

/* Its index in *ret_index. */
static __always_inline struct hr_disk *disk_by_device(__u32 device, struct gendisk *gendisk, __u32 *ret_index)
{
	__u32 index = disk_find(device) - 1;
	struct hr_disk *disk = bpf_map_lookup_elem(&disks, &index);

	if (!disk) /* none is free */
		return NULL;
	if (!disk->name[0])
		bpf_probe_read_kernel_str(disk->name, sizeof(disk->name), gendisk->disk_name);
	*ret_index = index;
	return disk;
}

static __always_inline __u8 operation_of(__u32 cmd_flags)
{
	switch (cmd_flags & REQ_OP_MASK) {
	case REQ_OP_READ: return HR_DISK_READ;
	case REQ_OP_WRITE: return HR_DISK_WRITE;
	case REQ_OP_FLUSH: return HR_DISK_FLUSH;
	case REQ_OP_DISCARD:
	case REQ_OP_SECURE_ERASE:
	case REQ_OP_WRITE_ZEROES: return HR_DISK_DISCARD;
	}
	return HR_DISK_OTHER;
}

static __always_inline __u8 current_owner(void)
{
	return current_thread() ? HR_DISK_TARGET : HR_DISK_OTHERS;
}

static __always_inline void arrive(struct hr_disk *disk, __u64 now_ns)
{
	__u64 before = __sync_fetch_and_add(&disk->in_flight, 1);

	__sync_fetch_and_add(&disk->depth_ns, -now_ns);
	if (!before)
		__sync_fetch_and_add(&disk->busy_ns, -now_ns);
}

/* Only of what arrived. */
static __always_inline void depart(struct hr_disk *disk, struct disk_request *known, __u64 now_ns)
{
	__u64 before = __sync_fetch_and_add(&disk->in_flight, -1);

	known->issued_ns = 0;
	__sync_fetch_and_add(&disk->depth_ns, now_ns);
	if (before == 1)
		__sync_fetch_and_add(&disk->busy_ns, now_ns);
}

/* The disk does not have it any more, as far as we knew. */
static __always_inline void take_back(struct disk_request *known)
{
	struct hr_disk *disk = known->issued_ns ? bpf_map_lookup_elem(&disks, &known->disk) : NULL;

	if (disk)
		depart(disk, known, bpf_ktime_get_ns());
}

/* It waits in the kernel's queue. Whoever issues it later may be anybody; who puts it there is who asked for it. */
static __always_inline int on_insert(struct request *request)
{
	__u64 key = (__u64)request;
	struct disk_request *known = bpf_map_lookup_elem(&disk_requests, &key), fresh = {};

	if (known && !known->issued_ns) /* the disk gave it back, and the kernel tries again */
		return 0;
	if (known)
		take_back(known);
	fresh.owner = current_owner();
	if (bpf_map_update_elem(&disk_requests, &key, &fresh, BPF_ANY))
		lost(HR_LOSS_DISK_REQUESTS);
	return 0;
}

/* The record of the disk that a request is for; NULL: it is no block I/O, or none is free. */
static __always_inline struct hr_disk *disk_of(struct request *request, __u32 *ret_index)
{
	struct gendisk *gendisk = request->q->disk;
	/* reads as 0 through NULL: a tape, a control queue */
	__u32 device = (__u32)gendisk->major << 20 | gendisk->first_minor;
	struct hr_disk *disk;

	if (!device || (request->cmd_flags & REQ_OP_MASK) >= REQ_OP_PASSTHROUGH)
		return NULL;
	disk = disk_by_device(device, gendisk, ret_index);
	if (!disk)
		lost(HR_LOSS_DISK_REQUESTS);
	return disk;
}

static __always_inline int on_issue(struct request *request)
{
	__u64 key = (__u64)request;
	struct disk_request *known, fresh = {};
	struct hr_disk *disk = disk_of(request, &fresh.disk);

	if (!disk)
		return 0;
	known = bpf_map_lookup_elem(&disk_requests, &key);
	if (known)
		take_back(known);
	fresh.owner = known ? known->owner : current_owner();
	fresh.operation = operation_of(request->cmd_flags);
	fresh.issued_ns = bpf_ktime_get_ns();
	if (known)
		*known = fresh;
	else if (bpf_map_update_elem(&disk_requests, &key, &fresh, BPF_ANY)) {
		lost(HR_LOSS_DISK_REQUESTS);
		return 0;
	}
	arrive(disk, fresh.issued_ns);
	return 0;
}

static __always_inline void work_add(struct hr_disk_work *work, __u64 latency_ns, __u64 queued_ns)
{
	__u64 slot = whole(hr_hist_slot(latency_ns, HR_HIST_BITS, HR_HIST_SLOTS));

	__sync_fetch_and_add(&work->count, 1);
	__sync_fetch_and_add(&work->latency_ns, latency_ns);
	__sync_fetch_and_add(&work->queued_ns, queued_ns);
	if (slot < HR_HIST_SLOTS)
		__sync_fetch_and_add(&work->slots[slot], 1);
}

/* Likewise, for what is rare. */
VERIFIED_ONCE int work_add_unseen(struct hr_disk_work *work, __u64 latency_ns)
{
	if (work)
		work_add(work, latency_ns, 0);
	return 0;
}

/* A part of what the disk was asked for is finished, or all of it. True: all. */
static __always_inline bool finish(struct hr_disk *disk, struct disk_request *known, struct request *request, bool failed,
				   __u32 bytes)
{
	__u64 operation = whole(known->operation), owner = whole(known->owner), now_ns, start_ns = request->start_time_ns;
	struct hr_disk_work *work;

	if (operation >= HR_DISK_OPERATIONS || owner >= HR_DISK_OWNERS)
		return false;
	work = &disk->work[operation][owner];
	if (!failed)
		__sync_fetch_and_add(&work->bytes, bytes);
	if (bytes < request->__data_len)
		return false;
	if (failed)
		__sync_fetch_and_add(&work->errors, 1);
	if (!start_ns || start_ns > known->issued_ns) /* 0 where the disk's statistics are off */
		start_ns = known->issued_ns;
	now_ns = bpf_ktime_get_ns();
	work_add(work, elapsed_ns(start_ns, now_ns), known->issued_ns - start_ns);
	depart(disk, known, now_ns);
	return true;
}

/*
 * A request that the disk had and that is not known: nobody saw it go there, or there was no room. Who asked for it is not
 * known, nor how long it was in the queue.
 */
static __always_inline int on_unknown(struct request *request, bool failed, __u32 bytes)
{
	__u64 start_ns = request->start_time_ns, operation = whole(operation_of(request->cmd_flags)), now_ns;
	struct hr_disk_work *work;
	struct hr_disk *disk;
	__u32 index;

	if (start_ns < config.epoch_ns || request->state == MQ_RQ_IDLE || bytes < request->__data_len)
		return 0;
	disk = disk_of(request, &index);
	if (!disk || operation >= HR_DISK_OPERATIONS)
		return 0;
	work = &disk->work[operation][HR_DISK_OTHERS];
	__sync_fetch_and_add(failed ? &work->errors : &work->bytes, failed ? 1 : bytes);
	now_ns = bpf_ktime_get_ns();
	work_add_unseen(work, elapsed_ns(start_ns, now_ns));
	__sync_fetch_and_add(&disk->depth_ns, elapsed_ns(start_ns, now_ns));
	return 0;
}

static __always_inline int on_complete(struct request *request, bool failed, __u32 bytes)
{
	__u64 key = (__u64)request;
	struct disk_request *known = bpf_map_lookup_elem(&disk_requests, &key);
	struct hr_disk *disk;

	if (!known)
		return on_unknown(request, failed, bytes);
	disk = known->issued_ns ? bpf_map_lookup_elem(&disks, &known->disk) : NULL;
	if (!disk || finish(disk, known, request, failed, bytes)) /* NULL: it ended before the disk got it */
		bpf_map_delete_elem(&disk_requests, &key);
	return 0;
}

/* The disk could not take it now. */
static __always_inline int on_requeue(struct request *request)
{
	__u64 key = (__u64)request;
	struct disk_request *known = bpf_map_lookup_elem(&disk_requests, &key);

	if (known)
		take_back(known);
	return 0;
}

/* It waited in the queue, and became a part of another one. */
static __always_inline int on_merge(struct request *request)
{
	__u64 key = (__u64)request;

	bpf_map_delete_elem(&disk_requests, &key);
	return 0;
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(blockio_insert, struct request *request)
{
	return on_insert(request);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(blockio_issue, struct request *request)
{
	return on_issue(request);
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(blockio_complete, struct request *request, __u8 status, __u32 bytes)
{
	return on_complete(request, status, bytes);
}

SEC("tp_btf/block_rq_requeue")
int BPF_PROG(blockio_requeue, struct request *request)
{
	return on_requeue(request);
}

SEC("tp_btf/block_rq_merge")
int BPF_PROG(blockio_merge, struct request *request)
{
	return on_merge(request);
}
