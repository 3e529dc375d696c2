/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that wait for any of several files to become ready. */
#include "waits.h"

#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>

static int event_setup(struct wait *wait)
{
	wait->fd[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wait->fd[0] < 0 ? errno : 0;
}

static void event_wake(struct wait *wait)
{
	eventfd_write(wait->fd[0], 1);
}

static void event_drain(struct wait *wait)
{
	eventfd_t value;

	eventfd_read(wait->fd[0], &value);
}

static void poll_block(struct wait *wait)
{
	struct pollfd entry = { .fd = wait->fd[0], .events = POLLIN };

	poll(&entry, 1, -1);
	event_drain(wait);
}

static void ppoll_block(struct wait *wait)
{
	struct pollfd entry = { .fd = wait->fd[0], .events = POLLIN };

	ppoll(&entry, 1, NULL, NULL);
	event_drain(wait);
}

static void select_block(struct wait *wait)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(wait->fd[0], &set);
	select(wait->fd[0] + 1, &set, NULL, NULL, NULL);
	event_drain(wait);
}

static int epoll_setup(struct wait *wait)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (event_setup(wait))
		return errno;
	wait->fd[1] = epoll_create1(EPOLL_CLOEXEC);
	return epoll_ctl(wait->fd[1], EPOLL_CTL_ADD, wait->fd[0], &event) ? errno : 0;
}

static void epoll_block(struct wait *wait)
{
	struct epoll_event event;

	epoll_wait(wait->fd[1], &event, 1, -1);
	event_drain(wait);
}

static void epoll_timed_block(struct wait *wait)
{
	struct epoll_event event;

	while (epoll_wait(wait->fd[1], &event, 1, 5) == 0)
		;
	event_drain(wait);
}

/* Waits for nothing but its own timeout. */
static void poll_alone_block(struct wait *wait)
{
	poll(NULL, 0, (int)(wait->wait_ns / MS));
}

/* The rings of one io_uring, and the fields that are used here. */
struct ring {
	struct io_uring_params params;
	char *queue;
	struct io_uring_sqe *entries;
};

static unsigned int *ring_field(struct ring *ring, uint32_t offset)
{
	return (unsigned int *)(void *)(ring->queue + offset);
}

static int ring_setup(struct wait *wait)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	const int access = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
	size_t size;

	if (event_setup(wait))
		return errno;
	wait->object = ring;
	wait->fd[1] = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (wait->fd[1] < 0)
		return errno;
	size = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe) + 4096;
	ring->queue = mmap(NULL, size, access, flags, wait->fd[1], IORING_OFF_SQ_RING);
	size = ring->params.sq_entries * sizeof(struct io_uring_sqe);
	ring->entries = mmap(NULL, size, access, flags, wait->fd[1], IORING_OFF_SQES);
	return ring->queue == MAP_FAILED || ring->entries == MAP_FAILED ? errno : 0;
}

/* Ask for one event on the eventfd, and wait for the answer in io_uring_enter. */
static void ring_block(struct wait *wait)
{
	struct ring *ring = wait->object;
	unsigned int *tail = ring_field(ring, ring->params.sq_off.tail);
	unsigned int index = *tail & *ring_field(ring, ring->params.sq_off.ring_mask);

	ring->entries[index] = (struct io_uring_sqe){
		.opcode = IORING_OP_POLL_ADD, .fd = wait->fd[0], .poll_events = POLLIN,
	};
	ring_field(ring, ring->params.sq_off.array)[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, wait->fd[1], 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	*ring_field(ring, ring->params.cq_off.head) += 1;
	event_drain(wait);
}

static const struct wait_kind kinds[] = {
	{ "poll", "poll", event_setup, NULL, poll_block, event_wake, false },
	{ "ppoll", "poll", event_setup, NULL, ppoll_block, event_wake, false },
	{ "poll_nothing", "poll", NULL, NULL, poll_alone_block, NULL, false },
	{ "select", "poll", event_setup, NULL, select_block, event_wake, false },
	{ "epoll", "poll", epoll_setup, NULL, epoll_block, event_wake, false },
	{ "epoll_timed", "poll", epoll_setup, NULL, epoll_timed_block, event_wake, false },
	{ "io_uring", "poll", ring_setup, NULL, ring_block, event_wake, false },
};

WAITS_MAIN(kinds)
