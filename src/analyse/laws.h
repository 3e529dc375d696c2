/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_LAWS_H
#define HR_ANALYSE_LAWS_H

#include <stdbool.h>
#include <stddef.h>

#include "analyse/levels.h"
#include "analyse/summary.h"
#include "analyse/texts.h"

/*
 * The quantities of one level by which verdicts are given. Where they come from: the utilisation law U = X D, Little's law
 * N = X R, and the conservation of thread time (every nanosecond is in one state). NAN: not measured.
 *
 * "Busy" is the time of threads that is not idle: on CPU, runnable, or blocked for anything but work to come (blame.h). The
 * busy_* facts are shares of it, so they are of the threads that do the work, whatever the server's design is; and because a
 * wait for a lock is no work of its own, they are followed along the chain of waits to where those end.
 *
 * HR_LAW(id, name, unit, meaning)
 */
#define HR_LAWS_LIST(HR_LAW) \
	HR_LAW(THROUGHPUT, "throughput", "1/s", "requests answered per second") \
	HR_LAW(LATENCY, "latency", "us", "mean time of a request in the server") \
	HR_LAW(IN_FLIGHT, "in_flight", "requests", "requests in the server at once") \
	HR_LAW(CLIENTS, "clients", "clients", "clients that were offered") \
	HR_LAW(REACHED, "in_server_share", "share", "requests in the server over the clients that were offered") \
	HR_LAW(RATE_REACHED, "rate_reached", "share", "requests answered over the rate that was offered") \
	HR_LAW(ACCEPT_SHARE, "accept_share", "share", "wait for accept over the latency") \
	HR_LAW(QUEUE_SHARE, "queue_share", "share", "wait in the receive queue over the latency") \
	HR_LAW(SERVICE, "service", "us", "mean time from reading a request to the first byte of the answer") \
	HR_LAW(STREAM_SHARE, "stream_share", "share", "time in which the answer is sent over the latency") \
	HR_LAW(CPUS_BUSY, "cpus_busy", "share", "share of all CPU time that somebody used") \
	HR_LAW(CPUS_HERE, "cpus_here", "share", "share of the time of the CPUs on which the server runs that somebody used") \
	HR_LAW(CPUS_USABLE, "cpus_usable", "CPUs", "CPUs on which the server ran at all: less than all if it is pinned") \
	HR_LAW(CPUS_TARGET, "cpus_target", "CPUs", "CPUs that the server used") \
	HR_LAW(CPUS_OTHER, "cpus_other", "CPUs", "CPUs that others used") \
	HR_LAW(CPU_TARGET_SHARE, "cpu_target_share", "share", "the server's share of the CPU time that was used") \
	HR_LAW(CPU_DEMAND, "cpu_demand", "us/request", "CPU time of the server per request") \
	HR_LAW(CPU_DEMAND_OTHER, "cpu_demand_other", "us/request", "CPU time of others per request") \
	HR_LAW(QUOTA_THROTTLED, "quota_throttled", "share", "scheduling periods in which the CPU quota was used up") \
	HR_LAW(QUOTA_USED, "quota_used", "share", "CPU time over the quota") \
	HR_LAW(CPU_WAIT, "cpu_wait", "share", "time waiting for a CPU over the time on one and waiting") \
	HR_LAW(CPU_WAIT_OTHERS, "cpu_wait_others", "share", "of the time waiting for a CPU, others or the hypervisor had it") \
	HR_LAW(CPU_WAIT_QUOTA, "cpu_wait_quota", "share", "of the time waiting for a CPU, the quota withheld it") \
	HR_LAW(THREAD_BUSY, "thread_busy", "share", "the busiest thread's share of time on a CPU") \
	HR_LAW(THREAD_OCCUPIED, "thread_occupied", "share", "the busiest thread's share of time on a CPU or waiting for one") \
	HR_LAW(THREAD_OF_TARGET, "thread_of_target", "share", "the busiest thread's share of the server's CPU time") \
	HR_LAW(ONE_AT_A_TIME, "one_at_a_time", "share", "share of time in which exactly one thread of the busiest process ran") \
	HR_LAW(PARALLEL, "parallel", "threads", "threads of the busiest process on CPU at once, while any was") \
	HR_LAW(THREADS_BUSY, "threads_busy", "threads", "threads that were not idle, the mean") \
	HR_LAW(LOCK_CONTENDED, "lock_contended", "share", "share of time in which somebody waited for the lock") \
	HR_LAW(LOCK_WAITERS, "lock_waiters", "threads", "threads that waited for the lock, the mean") \
	HR_LAW(LOCK_OF_BUSY, "lock_of_busy", "share", "of the time of threads that is not idle, waits for locks of that process") \
	HR_LAW(LOCK_WAIT, "lock_wait", "us/request", "wait for the lock per request") \
	HR_LAW(TURNS_IN_POLL, "turns_in_poll", "share", "of the time that is not idle, waits in poll or asleep that a thread of the same kind ended") \
	HR_LAW(TURNS_IN_IPC, "turns_in_ipc", "share", "of the time that is not idle, waits for a pipe, socket or event that a thread of the same kind ended") \
	HR_LAW(TURNS_AT_LOCK, "turns_at_lock", "share", "of the time that is not idle, waits for a file lock or semaphore that a thread of the same kind ended") \
	HR_LAW(TURNS_IN_FUTEX, "turns_in_futex", "share", "of the waits of a kind of threads on futexes that are no mutex, by time, those that one of them ended") \
	HR_LAW(SERVED_IN_FUTEX, "served_in_futex", "share", "of the time in which threads serve requests, they wait on a futex") \
	HR_LAW(SERVED_FUTEX_TIME, "served_futex_time", "us/request", "waits on futexes of the thread that serves a request, meanwhile") \
	HR_LAW(LOCK_REFUSED, "locks_refused", "1/request", "attempts to take the lock of a file or a semaphore that somebody else had") \
	HR_LAW(POOL_SLOTS, "pool_slots", "threads", "threads of the busiest pool") \
	HR_LAW(POOL_BUSY, "pool_busy", "share", "share of the pool's threads that had something to do") \
	HR_LAW(POOL_EXCESS, "pool_excess", "share", "of the requests in the server, those for which the pool has no thread") \
	HR_LAW(POOL_DEMAND, "pool_demand", "us/request", "time of the pool's threads per request") \
	HR_LAW(BLAMED_THREAD, "blamed_thread", "share", "of the time that is not idle, waits that end at the work of the busiest thread") \
	HR_LAW(BUSY_CPU, "busy_cpu", "share", "of the time that is not idle, on a CPU") \
	HR_LAW(BUSY_CPU_WAIT, "busy_cpu_wait", "share", "of the time that is not idle, waiting for a CPU") \
	HR_LAW(BUSY_DISK, "busy_disk", "share", "of the time that is not idle, waiting for disks, or for who does") \
	HR_LAW(BUSY_MEMORY, "busy_memory", "share", "of the time that is not idle, in page faults and reclaim, or waiting for who is") \
	HR_LAW(BUSY_KLOCK, "busy_klock", "share", "of the time that is not idle, waiting for kernel locks") \
	HR_LAW(BUSY_PEER, "busy_peer", "share", "of the time that is not idle, waiting for other processes and hosts, or for who does") \
	HR_LAW(BUSY_SLEEP, "busy_sleep", "share", "of the time that is not idle, asleep by their own will, or waiting for who is") \
	HR_LAW(BUSY_DEVICE, "busy_device", "share", "of the time that is not idle, waiting for devices, or for who does") \
	HR_LAW(BUSY_SEND, "busy_send", "share", "of the time that is not idle, until the peer takes what is sent") \
	HR_LAW(BUSY_TIME, "busy_time", "us/request", "time of threads that is not idle, per request") \
	HR_LAW(DISK_TIME, "disk_time", "us/request", "waits for disks per request") \
	HR_LAW(SLEEP_TIME, "sleep_time", "us/request", "sleep per request") \
	HR_LAW(DISK_BUSY, "disk_busy", "share", "share of time in which the busiest disk that the server uses had a request") \
	HR_LAW(DOWNSTREAM_SHARE, "downstream_share", "share", "requests for which a peer has not answered yet over requests in the server") \
	HR_LAW(DOWNSTREAM_WAIT, "downstream_wait", "us", "mean wait until the answer of the peer is read") \
	HR_LAW(PEER_TIME, "peer_time", "us", "mean time until the answer of the peer is there") \
	HR_LAW(LINKS, "peer_connections", "connections", "connections that the server has to the peer, the mean") \
	HR_LAW(LINKS_BUSY, "peer_connections_busy", "share", "share of the connections to the peer on which an answer is awaited") \
	HR_LAW(LINKS_EXCESS, "peer_connections_excess", "share", "of the requests in the server, those for which there is no connection to the peer") \
	HR_LAW(BACKLOG_FULL, "backlog_full", "share", "fullest accept queue over its limit") \
	HR_LAW(DROPS, "accept_drops", "1/s", "connection attempts dropped because the accept queue was full") \
	HR_LAW(SEND_FULL, "send_full_share", "share", "time that answers waited for room in send buffers over the latency") \
	HR_LAW(SENDING, "sending", "share", "share of their lives in which connections had sent something that was not acknowledged") \
	HR_LAW(RETRANSMITS, "retransmits", "share", "segments sent again over segments sent") \
	HR_LAW(MAJOR_FAULTS, "major_faults", "1/request", "page faults that read from disk") \
	HR_LAW(MEMORY_HITS, "memory_limit_hits", "1/s", "times that a memory limit was hit")

enum hr_law {
#define HR_LAW_ID(id, name, unit, meaning) HR_LAW_##id,
	HR_LAWS_LIST(HR_LAW_ID)
#undef HR_LAW_ID
	HR_LAW_COUNT
};

struct hr_law_info {
	const char *name, *unit, *meaning;
};

extern const struct hr_law_info hr_law_infos[HR_LAW_COUNT];

/* Whom the quantities are about. NULL: there is none. */
struct hr_law_subjects {
	const char *thread, *process, *lock, *pool, *quota, *neighbour, *disk, *peer, *listener, *flow, *kernel_lock, *device, *holder, *turns,
		*links, *futex_turns;
};

struct hr_laws {
	double value[HR_LAW_COUNT];
	struct hr_law_subjects subject;
};

/* The quantities of a level. Texts that are not the summary's are kept in *texts. */
void hr_laws_of(const struct hr_level *level, struct hr_text **texts, struct hr_laws *ret_laws);

/* Did a thread of the same kind end that wait, in poll, asleep or for a pipe, socket or event: do they take turns? */
bool hr_wait_is_turn(const struct hr_summary *summary, const struct hr_wait_summary *wait);

#endif
