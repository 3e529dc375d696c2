/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_URING_H
#define HR_TESTS_URING_H

#include "workload.h"

#include <linux/io_uring.h>
#include <sys/mman.h>

/* As much of io_uring as a server on one thread needs, without its library: one entry submitted per call. */

struct uring {
	int fd;
	struct io_uring_sqe *entries;
	unsigned int *tail, *array, mask; /* of the submissions */
	const struct io_uring_cqe *results;
	unsigned int *results_head, *results_tail, results_mask;
	unsigned int unsubmitted;
};

static inline void *uring_map(int fd, size_t bytes, off_t offset)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (memory == MAP_FAILED)
		die("cannot map a ring");
	return memory;
}

/* 0, or an errno: this kernel does not let us. */
static inline int uring_open(struct uring *ring, unsigned int size)
{
	struct io_uring_params params = { 0 };
	char *submissions, *completions;

	ring->fd = (int)syscall(SYS_io_uring_setup, size, &params);
	if (ring->fd < 0)
		return errno;
	submissions = uring_map(ring->fd, params.sq_off.array + params.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	completions = uring_map(ring->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
				IORING_OFF_CQ_RING);
	ring->entries = uring_map(ring->fd, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring->tail = (unsigned int *)(submissions + params.sq_off.tail);
	ring->array = (unsigned int *)(submissions + params.sq_off.array);
	ring->mask = params.sq_entries - 1;
	ring->results = (struct io_uring_cqe *)(completions + params.cq_off.cqes);
	ring->results_head = (unsigned int *)(completions + params.cq_off.head);
	ring->results_tail = (unsigned int *)(completions + params.cq_off.tail);
	ring->results_mask = params.cq_entries - 1;
	ring->unsubmitted = 0;
	return 0;
}

static inline void uring_enter(struct uring *ring, unsigned int wait_for)
{
	const unsigned int flags = wait_for ? IORING_ENTER_GETEVENTS : 0;
	long taken = syscall(SYS_io_uring_enter, ring->fd, ring->unsubmitted, wait_for, flags, NULL, 0);

	if (taken < 0 && errno != EINTR)
		die("cannot enter the ring");
	if (taken > 0)
		ring->unsubmitted -= (unsigned int)taken;
}

/* Ask for an operation; its result carries `what`. */
static inline void uring_ask(struct uring *ring, uint8_t operation, int fd, void *data, size_t size, void *what)
{
	const unsigned int tail = *ring->tail, index = tail & ring->mask;

	ring->entries[index] = (struct io_uring_sqe){
		.opcode = operation,
		.fd = fd,
		.addr = (uint64_t)(uintptr_t)data,
		.len = (uint32_t)size,
		.user_data = (uint64_t)(uintptr_t)what,
	};
	ring->array[index] = index;
	__atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
	ring->unsubmitted++;
	if (ring->unsubmitted > ring->mask)
		uring_enter(ring, 0);
}

/* Submit what was asked for and wait for a result: what it belongs to, and in *ret_result a count or a negative errno. */
static inline void *uring_wait(struct uring *ring, int *ret_result)
{
	const struct io_uring_cqe *result;
	const unsigned int head = *ring->results_head;
	void *what;

	if (ring->unsubmitted)
		uring_enter(ring, 0);
	while (head == __atomic_load_n(ring->results_tail, __ATOMIC_ACQUIRE))
		uring_enter(ring, 1);
	result = &ring->results[head & ring->results_mask];
	*ret_result = result->res;
	what = (void *)(uintptr_t)result->user_data;
	__atomic_store_n(ring->results_head, head + 1, __ATOMIC_RELEASE);
	return what;
}

#endif
