/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_TABLES_H
#define HR_STORE_TABLES_H

#include <stdint.h>

/*
 * The tables of the run file, once. From this list come the SQL, the row structs, the dictionary, the CSV headers and
 * docs/data.md. TABLE(name, meaning) opens one; INT, REAL and TEXT(column, unit, meaning) follow.
 *
 * A row struct hr_row_<table> has one member per column: int64_t, double or const char *. What was not measured is HR_NULL,
 * NAN or a NULL pointer, and becomes NULL in the file. Times are nanoseconds since the run's start unless their name says
 * "unix". Names are valid UTF-8.
 */
#define HR_NULL INT64_MIN

#define HR_SCHEMA_VERSION 2 /* 1: all tables plain (packed.h) */
#define HR_APPLICATION_ID 0x48445231 /* "HDR1": what `file` and sqlite see in the header */

#define HR_COLUMNS_run(INT, REAL, TEXT) \
	TEXT(run_id, "", "identifies the run among all runs and hosts") \
	TEXT(host, "", "host name") \
	TEXT(kernel, "", "kernel release") \
	TEXT(arch, "", "machine architecture") \
	INT(cpus, "", "CPUs online") \
	TEXT(headroom_version, "", "version that wrote the file") \
	TEXT(target, "", "what was recorded, as asked for") \
	INT(started_unix_ns, "ns", "start of the run, since 1970") \
	INT(asked_unix_ns, "ns", "when it was to start, by --activate; null: at once") \
	INT(interval_ns, "ns", "length of an interval, as asked for") \
	INT(ended_ns, "ns", "end of the run; null: the recorder was killed, and the file ends with its last interval") \
	INT(target_status, "", "exit status of the command that was started, as shells show it; null: none was started or it was left running")

#define HR_COLUMNS_intervals(INT, REAL, TEXT) \
	INT(interval_id, "", "counts from 1") \
	INT(start_ns, "ns", "start") \
	INT(end_ns, "ns", "end")

#define HR_COLUMNS_levels(INT, REAL, TEXT) \
	INT(level_id, "", "identifies the level within the run") \
	TEXT(level, "", "its label, as marked") \
	REAL(offered, "", "the label as a number: clients, as a rule; null: it is none") \
	INT(start_ns, "ns", "start") \
	INT(measured_ns, "ns", "from when on it counts: the start, or the end of its warm-up") \
	INT(end_ns, "ns", "end; if sweep ran its load, that of the load, as the requests show it; null: never closed, it lasts to the end of the run") \
	TEXT(notes, "", "what else was said of it, as key=value with spaces between; null: nothing") \
	TEXT(command, "", "load command that sweep ran; null: marked by somebody else") \
	INT(status, "", "its exit status, as shells show it; null: none, or it was ended") \
	TEXT(output, "", "what it printed, the last 64 KiB; null: nothing or none") \
	INT(settled_ns, "ns", "how long the target took to come to rest afterwards; null: it did not, or nobody waited")

#define HR_COLUMNS_load_results(INT, REAL, TEXT) \
	TEXT(level, "", "label of the level") \
	REAL(throughput_rps, "1/s", "answers per second that the load generator counted; null: not given, as all that follow") \
	INT(errors, "", "requests that failed") \
	INT(p50_ns, "ns", "latency that half of the requests stayed below") \
	INT(p90_ns, "ns", "likewise 90 %") \
	INT(p99_ns, "ns", "likewise 99 %")

#define HR_COLUMNS_processes(INT, REAL, TEXT) \
	INT(process_id, "", "identifies the process within the run (pids are reused)") \
	INT(pid, "", "process id in the host's pid namespace") \
	INT(parent_pid, "", "its parent when it was first seen") \
	TEXT(name, "", "name of its first thread when last seen") \
	TEXT(command, "", "command line when first seen; null: gone before it could be read") \
	INT(first_ns, "ns", "birth, or the run's start if it was there before") \
	INT(last_ns, "ns", "end; null: it lived on")

#define HR_COLUMNS_threads(INT, REAL, TEXT) \
	INT(thread_id, "", "identifies the thread within the run (tids are reused)") \
	INT(process_id, "", "process that it belongs to") \
	INT(tid, "", "thread id in the host's pid namespace") \
	TEXT(name, "", "name when last seen") \
	INT(first_ns, "ns", "begin of its accounts: its birth, or when it was first read if it was there before") \
	INT(last_ns, "ns", "end of its accounts: its exit, or the run's end; null: the recorder was killed") \
	INT(ended, "", "1: it exited during the run")

#define HR_COLUMNS_thread_states(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(thread_id, "", "thread") \
	TEXT(state, "", "what the thread was doing; see docs/data.md") \
	INT(time_ns, "ns", "time in that state within the interval")

#define HR_COLUMNS_thread_counters(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(thread_id, "", "thread") \
	INT(syscalls, "", "calls finished") \
	INT(voluntary, "", "switches because it blocked") \
	INT(involuntary, "", "switches because it was preempted") \
	INT(migrations, "", "moves to another CPU") \
	INT(mmap_lock_ns, "ns", "part of the state klock that waited for mmap_lock") \
	INT(estimated_ns, "ns", "part of user + kernel whose split is an estimate (calls too frequent to time each)") \
	INT(not_run_ns, "ns", "part of user + kernel in which the scheduler says that it did not run: hypervisor and interrupts; null: not known")

#define HR_COLUMNS_cpu_waits(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(thread_id, "", "thread that was runnable without a CPU") \
	TEXT(state, "", "runq or preempted") \
	TEXT(owner, "", "who had its CPU meanwhile: target, other, idle (wake-up latency), quota, steal, irq") \
	INT(time_ns, "ns", "time")

#define HR_COLUMNS_syscalls(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(process_id, "", "process") \
	TEXT(abi, "", "native, or compat: 32-bit calls on a 64-bit kernel") \
	TEXT(syscall, "", "name; syscall_NUMBER where it has none") \
	INT(calls, "", "calls finished") \
	INT(timed, "", "of them, how many were measured; calls in quick succession are not all, and those stand for the rest") \
	INT(errors, "", "calls that returned an errno") \
	INT(total_ns, "ns", "time in the calls that finished; null: none of them was measured") \
	INT(in_progress, "", "calls not finished at the interval's end") \
	INT(in_progress_ns, "ns", "how long those have lasted, since they began or the run did")

#define HR_COLUMNS_syscall_errors(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(process_id, "", "process") \
	TEXT(abi, "", "native or compat") \
	TEXT(syscall, "", "name; syscall_NUMBER where it has none") \
	TEXT(error, "", "name of the errno") \
	INT(calls, "", "calls that returned it")

#define HR_COLUMNS_histograms(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(process_id, "", "process") \
	TEXT(metric, "", "syscall: duration of a call; runq: wait from wake-up to CPU; preempted: wait after a preemption") \
	TEXT(label, "", "name of the syscall; null for the other metrics") \
	INT(low_ns, "ns", "lowest value of the slot") \
	INT(high_ns, "ns", "lowest value of the next slot") \
	INT(count, "", "how many fell into it")

#define HR_COLUMNS_parallelism(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(process_id, "", "process") \
	INT(threads_on_cpu, "", "how many of its threads were on CPU at once") \
	INT(time_ns, "ns", "for how long")

#define HR_COLUMNS_cpus(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(cpu, "", "CPU") \
	INT(target_ns, "ns", "it ran threads of the target") \
	INT(other_ns, "ns", "it ran other threads") \
	INT(idle_ns, "ns", "it ran nothing") \
	INT(steal_ns, "ns", "of all that, what the hypervisor took; null: not known") \
	INT(irq_ns, "ns", "of all that, interrupts; null: this kernel does not account for them")

#define HR_COLUMNS_neighbours(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(pid, "", "process outside the target; null: all the rest together") \
	TEXT(name, "", "its name") \
	INT(cpu_ns, "ns", "CPU time that it had in the interval")

#define HR_COLUMNS_quotas(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	TEXT(cgroup, "", "cgroup of the target, or one above it, that has a CPU quota") \
	INT(quota_ns, "ns", "CPU time that it may use per period") \
	INT(period_ns, "ns", "period") \
	INT(periods, "", "periods in the interval in which it ran") \
	INT(throttled_periods, "", "of them, those in which it used its quota up") \
	INT(throttled_ns, "ns", "time for which its run queues were throttled, summed over CPUs")

#define HR_COLUMNS_flows(INT, REAL, TEXT) \
	INT(flow_id, "", "identifies the flow within the run") \
	INT(process_id, "", "process of the target") \
	TEXT(role, "", "server: connections that it accepted; downstream: that it opened; probe: calls of the function of --request-probe") \
	TEXT(transport, "", "tcp, unix or function") \
	TEXT(endpoint, "", "server: what it listens on (\":8000\", a path); downstream: the peer's address and port, or path; probe: BINARY:SYMBOL")

#define HR_COLUMNS_requests(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the stage ended") \
	INT(flow_id, "", "flow") \
	TEXT(stage, "", "part of a request: accept, queue, service, stream, total, connect, wait; see docs/data.md") \
	INT(low_ns, "ns", "lowest value of the slot") \
	INT(high_ns, "ns", "lowest value of the next slot") \
	INT(count, "", "how many fell into it")

#define HR_COLUMNS_request_stages(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the stage ended") \
	INT(flow_id, "", "flow") \
	TEXT(stage, "", "part of a request") \
	INT(count, "", "requests; total and stream are known when the next request of the connection begins, or the connection or the run ends") \
	INT(total_ns, "ns", "their time together")

#define HR_COLUMNS_request_states(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(flow_id, "", "flow") \
	TEXT(state, "", "what the serving thread was doing between first read and first write; handoff: read, and not yet taken up by the thread that answered") \
	INT(time_ns, "ns", "time, over all requests of traffic.budgeted")

#define HR_COLUMNS_traffic(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(flow_id, "", "flow") \
	INT(requests, "", "answered, by the first write (server), the first read back (downstream), the return (probe); of connections whose requests can be told apart") \
	INT(budgeted, "", "of them, those whose service time is in request_states") \
	INT(unanswered, "", "requests that were read, and their connection ended without an answer") \
	INT(in_flight_ns, "ns", "requests in flight, summed over time: over the interval's length it is their mean number; of connections whose requests can be told apart; null: could not be read") \
	INT(multiplexed_reads, "", "reads of connections whose requests cannot be told apart: they are in no other count of requests") \
	INT(reads, "", "reads that returned data") \
	INT(writes, "", "writes that took data") \
	INT(in_bytes, "bytes", "read") \
	INT(out_bytes, "bytes", "written") \
	INT(opened, "", "connections established: accepted (server), connected (downstream); null: not seen on unix sockets that the target opened") \
	INT(closed, "", "connections ended; null: not seen on unix sockets") \
	INT(connect_failures, "", "connections that were refused or never answered") \
	INT(resets_in, "", "resets by the peer") \
	INT(resets_out, "", "resets by this host") \
	INT(retransmits, "", "TCP segments sent again") \
	INT(send_full, "", "times that a write found the send buffer full") \
	INT(send_full_ns, "ns", "for how long, until it could be written again")

#define HR_COLUMNS_connections(INT, REAL, TEXT) \
	INT(connection_id, "", "identifies the connection within the run") \
	INT(flow_id, "", "flow; null: nothing went through it") \
	TEXT(local, "", "address and port, or path, on this side") \
	TEXT(peer, "", "on the other side; null: it has none (unix)") \
	INT(first_ns, "ns", "established, or first seen") \
	INT(last_ns, "ns", "end; null: it lived on") \
	TEXT(ending, "", "open, local or peer: who closed first, reset_in, reset_out, failed") \
	TEXT(multiplexed, "", "why its requests cannot be told apart: overlap, batch, http2, upgraded; null: they can") \
	INT(requests, "", "answered; null: they cannot be told apart") \
	INT(reads, "", "reads that returned data") \
	INT(writes, "", "writes that took data") \
	INT(in_bytes, "bytes", "read") \
	INT(out_bytes, "bytes", "written") \
	INT(send_full_ns, "ns", "time in which it wanted to write and could not") \
	INT(zero_window_ns, "ns", "time in which the peer's window held the sender back, to a clock tick; null: not TCP") \
	INT(send_limited_ns, "ns", "time in which the send buffer held the sender back, to a clock tick; null: not TCP") \
	INT(srtt_ns, "ns", "smoothed round trip at the end; null: not measured") \
	INT(min_rtt_ns, "ns", "lowest round trip; null: not measured") \
	INT(retransmits, "", "segments sent again; null: not TCP") \
	INT(lost, "", "segments thought lost at the end; null: not TCP") \
	INT(reordered, "", "reordering events; null: not TCP") \
	INT(in_segments, "", "received; null: not TCP") \
	INT(out_segments, "", "sent; null: not TCP") \
	INT(state_changes, "", "of the TCP state; null: not TCP") \
	INT(sending_ns, "ns", "time in which something was sent and not acknowledged, to a clock tick; null: not TCP")

#define HR_COLUMNS_listeners(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(process_id, "", "process that listens") \
	TEXT(transport, "", "tcp or unix") \
	TEXT(address, "", "what it listens on") \
	INT(backlog, "", "connections that waited for accept at the interval's end") \
	INT(backlog_highest, "", "the most of them in the interval, when one came") \
	INT(backlog_max, "", "how many may; one more fits in Linux") \
	INT(drops, "", "connection attempts dropped in the interval because the backlog was full or memory short; null: not known")

#define HR_COLUMNS_network_counters(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(namespace, "", "inode of the network namespace of a process of the target") \
	TEXT(counter, "", "as the kernel names it in /proc/net/snmp and netstat: RetransSegs, ListenOverflows, ...") \
	INT(count, "", "by how much it grew, for everybody in that namespace; only where it did")

#define HR_COLUMNS_edges(INT, REAL, TEXT) \
	INT(edge_id, "", "identifies the edge within the run") \
	INT(thread_id, "", "thread that waited") \
	TEXT(state, "", "state in which it did") \
	TEXT(subject_kind, "", "what for: futex, peer, clients, file, pipe, unix, device, event, kernel_lock; null: nothing that has a name") \
	TEXT(subject, "", "which one: address, peer, path or name; of a kernel lock mmap_lock, the variable that it lies in, or 'in' and the kernel function that takes it; null: it has none") \
	TEXT(source, "", "who ended the wait: thread, other, interrupt, timeout, signal, unknown; open: it had not ended when the recording did") \
	INT(waker_thread_id, "", "source thread: which; null: one of several, or another source") \
	TEXT(waker, "", "name and id of that thread, also of one outside the target; null: no thread")

#define HR_COLUMNS_waits(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the waits ended") \
	INT(edge_id, "", "edge") \
	INT(count, "", "waits") \
	INT(time_ns, "ns", "their time, from leaving the CPU to the wake-up") \
	INT(handover_ns, "ns", "from the wake-up until the thread had a CPU") \
	INT(window_ns, "ns", "part of time_ns of which it is known what the waker did; see wait_windows")

#define HR_COLUMNS_wait_windows(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the waits ended") \
	INT(edge_id, "", "edge") \
	TEXT(state, "", "what the waker was doing while the thread waited; user: on CPU, in whatever mode") \
	INT(time_ns, "ns", "for how long")

#define HR_COLUMNS_wait_histograms(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the waits ended") \
	INT(edge_id, "", "edge") \
	INT(low_ns, "ns", "lowest value of the slot") \
	INT(high_ns, "ns", "lowest value of the next slot") \
	INT(count, "", "how many waits fell into it")

#define HR_COLUMNS_locks(INT, REAL, TEXT) \
	INT(lock_id, "", "identifies the lock within the run") \
	INT(process_id, "", "process whose threads waited for it") \
	TEXT(address, "", "of the futex, as in edges.subject") \
	TEXT(symbol, "", "symbol that holds it, with offset; null: none does, as on the heap") \
	TEXT(mapping, "", "file or kind of memory in which it lies: a path, [heap], [stack], anonymous; null: could not be read")

#define HR_COLUMNS_lock_contention(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(lock_id, "", "lock") \
	INT(waits, "", "waits that began") \
	INT(contended_ns, "ns", "time in which at least one thread waited") \
	INT(queued_ns, "ns", "threads that waited, summed over time") \
	INT(longest, "", "the most threads that ever waited at once, so far in the run")

#define HR_COLUMNS_disks(INT, REAL, TEXT) \
	INT(disk_id, "", "identifies the disk within the run") \
	TEXT(name, "", "as the kernel calls it: vda, nvme0n1") \
	TEXT(device, "", "major and minor number: 254:0")

#define HR_COLUMNS_disk_load(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(disk_id, "", "disk") \
	INT(busy_ns, "ns", "time in which it had at least one request: over the interval's length it is its utilisation") \
	INT(in_flight_ns, "ns", "requests that it had, summed over time: over the interval's length it is their mean number")

#define HR_COLUMNS_disk_operations(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the requests were finished") \
	INT(disk_id, "", "disk") \
	TEXT(operation, "", "read, write, flush (of the disk's own cache), discard (blocks that are not needed or to be zeros), other") \
	TEXT(owner, "", "target: a thread of the target handed it to the disk's queue; others: who wrote into the page cache is not known to the kernel thread that writes it back") \
	INT(count, "", "requests finished") \
	INT(data_bytes, "bytes", "read, written or discarded by them") \
	INT(errors, "", "of them, those that failed") \
	INT(latency_ns, "ns", "their time, from when the kernel had a request for it until it was finished") \
	INT(queued_ns, "ns", "the part of it before the disk got them")

#define HR_COLUMNS_disk_histograms(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the requests were finished") \
	INT(disk_id, "", "disk") \
	TEXT(operation, "", "as in disk_operations") \
	TEXT(owner, "", "as in disk_operations") \
	INT(low_ns, "ns", "lowest value of the slot") \
	INT(high_ns, "ns", "lowest value of the next slot") \
	INT(count, "", "how many requests fell into it")

#define HR_COLUMNS_memory(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(process_id, "", "process; of more than 256 some have no row, see the loss unread_memory") \
	INT(minor_faults, "", "page faults in the interval that needed no disk; what came after its last reading is missing of a process that ended") \
	INT(major_faults, "", "page faults that needed one; likewise") \
	INT(resident_bytes, "bytes", "memory that it had at the interval's end, shared pages in each of their processes") \
	INT(swapped_bytes, "bytes", "memory of it that was in swap then; null: not known")

#define HR_COLUMNS_memory_limits(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	TEXT(cgroup, "", "cgroup of the target, or one above it, that has a memory limit; null: the host, whose limit is its memory") \
	INT(limit_bytes, "bytes", "the limit, or where the kernel begins to slow it down (memory.high) if that is lower") \
	INT(used_bytes, "bytes", "used at the interval's end; the host: what is not available") \
	INT(cache_bytes, "bytes", "of it, page cache, which the kernel can mostly take back; null: not known, and for the host, where it is not in used_bytes") \
	INT(hits, "", "times in the interval that the limit was hit; the host: direct reclaims; null: not known") \
	INT(oom_kills, "", "processes killed in the interval for want of memory; null: not known") \
	INT(refaults, "", "pages read again in the interval that had been dropped a short while ago; null: not known")

#define HR_COLUMNS_pressure(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	TEXT(cgroup, "", "cgroup of the target; null: the whole host") \
	TEXT(resource, "", "cpu, io or memory") \
	INT(some_ns, "ns", "time in the interval in which at least one task was held up for want of it") \
	INT(full_ns, "ns", "time in which all that were not idle were; null: this kernel does not tell")

#define HR_COLUMNS_frames(INT, REAL, TEXT) \
	INT(frame_id, "", "identifies the frame within the run") \
	TEXT(name, "", "function; null: no symbol was found") \
	TEXT(module, "", "file that holds it, [kernel], or the file of a just-in-time compiler's symbols; null: not known") \
	INT(offset, "", "address within the module where there is no symbol, of the function's beginning if that is known; null: there is")

#define HR_COLUMNS_stacks(INT, REAL, TEXT) \
	INT(stack_id, "", "identifies the stack within the run") \
	INT(depth, "", "0: innermost frame") \
	INT(frame_id, "", "frame")

#define HR_COLUMNS_samples(INT, REAL, TEXT) \
	INT(interval_id, "", "interval; a wait counts in that in which it ends") \
	INT(thread_id, "", "thread") \
	TEXT(state, "", "user and kernel: on CPU; any other: blocked") \
	TEXT(syscall, "", "call that it waited in; null: on CPU") \
	INT(user_stack_id, "", "stack in user mode; null: could not be taken") \
	INT(kernel_stack_id, "", "stack in the kernel; null: none, or blocked") \
	INT(count, "", "samples") \
	INT(time_ns, "ns", "time that they stand for") \
	INT(alone_ns, "ns", "on CPU: that time over the number of threads of the process that were on CPU at once: what it costs in wall time; null: blocked")

#define HR_COLUMNS_lock_stacks(INT, REAL, TEXT) \
	INT(interval_id, "", "interval; a wait counts in that in which it ends") \
	INT(lock_id, "", "lock that threads waited for") \
	INT(stack_id, "", "stack in user mode in which they did") \
	INT(count, "", "samples, of all threads together") \
	INT(time_ns, "ns", "time that they stand for")

#define HR_COLUMNS_losses(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	TEXT(reason, "", "what happened; only reasons with a count have a row") \
	INT(count, "", "how often")

#define HR_COLUMNS_costs(INT, REAL, TEXT) \
	INT(interval_id, "", "interval") \
	INT(collector_cpu_ns, "ns", "CPU time of the recorder itself") \
	INT(collector_rss_bytes, "bytes", "its resident memory at the interval's end")

#define HR_COLUMNS_probe_costs(INT, REAL, TEXT) \
	INT(interval_id, "", "interval in which the programs' run times were sampled") \
	TEXT(program, "", "BPF program") \
	INT(runs, "", "runs in the sample") \
	INT(time_ns, "ns", "time of those runs, less what an empty program reads") \
	INT(window_ns, "ns", "length of the sample")

#define HR_COLUMNS_features(INT, REAL, TEXT) \
	TEXT(feature, "", "what a kernel may have") \
	INT(has, "", "1: the kernel of this run has it") \
	TEXT(lost_without, "", "what is missing from the run without it")

/* Every table: its name and what a row is. */
#define HR_TABLES(TABLE) \
	TABLE(run, "the run: one row") \
	TABLE(intervals, "spans of time into which the run is cut") \
	TABLE(levels, "levels of the load; an interval is in one or in none") \
	TABLE(load_results, "what the load generator itself measured, by level") \
	TABLE(processes, "processes of the target") \
	TABLE(threads, "threads of the target") \
	TABLE(thread_states, "time of a thread in a state; over the states the times of a thread add up to its life in the run") \
	TABLE(thread_counters, "counts of a thread; only where one is not 0") \
	TABLE(cpu_waits, "the times in runq and preempted, by who had the CPU") \
	TABLE(syscalls, "calls of a process") \
	TABLE(syscall_errors, "failed calls of a process by error") \
	TABLE(histograms, "slots of histograms that are not empty; add counts to merge") \
	TABLE(parallelism, "how many threads of a process were on CPU at once") \
	TABLE(cpus, "who had each CPU") \
	TABLE(neighbours, "other processes that used the CPUs") \
	TABLE(quotas, "CPU quotas that bind the target") \
	TABLE(flows, "who talks to whom: a process and what it listens on, a peer that it asks, or a function that is a request") \
	TABLE(requests, "histograms of the stages of requests, slots that are not empty; add counts to merge") \
	TABLE(request_stages, "number and exact mean of the stages of requests") \
	TABLE(request_states, "what requests spent their service time on") \
	TABLE(traffic, "what went through a flow; only intervals in which something did") \
	TABLE(connections, "connections: of those that ended in one interval at most some 3,000, the others only in traffic") \
	TABLE(listeners, "listening sockets") \
	TABLE(network_counters, "the kernel's own counters of the network namespaces that the target is in") \
	TABLE(edges, "who waits for whom: a thread, what it waited for, and who ended the wait") \
	TABLE(waits, "waits of an edge; long ones count in the interval in which they end") \
	TABLE(wait_windows, "what the waker did while the waiter waited") \
	TABLE(wait_histograms, "single waits, slots that are not empty; add counts to merge") \
	TABLE(locks, "futexes for which threads waited") \
	TABLE(lock_contention, "how contended they were") \
	TABLE(disks, "disks that were used during the run, by anybody on the host") \
	TABLE(disk_load, "how busy each disk was; only intervals in which it was") \
	TABLE(disk_operations, "what the disks did, and for whom") \
	TABLE(disk_histograms, "latencies of single requests, slots that are not empty; add counts to merge") \
	TABLE(memory, "page faults and memory of a process") \
	TABLE(memory_limits, "memory limits that bind the target, and how near they are") \
	TABLE(pressure, "how long tasks were held up for want of CPU, disk or memory, as the kernel counts it") \
	TABLE(frames, "functions that stacks go through") \
	TABLE(stacks, "sampled stacks, a row per frame") \
	TABLE(samples, "where threads were, on a grid of time: on CPU and blocked") \
	TABLE(lock_stacks, "the code that waited for each lock: of the samples of blocked threads, those in a futex") \
	TABLE(losses, "what is missing from the run or guessed in it") \
	TABLE(costs, "what the recorder used") \
	TABLE(probe_costs, "what the BPF programs used, in samples") \
	TABLE(features, "what the kernel of the run has")

enum hr_table_id {
#define HR_TABLE_ID(name, meaning) HR_TABLE_##name,
	HR_TABLES(HR_TABLE_ID)
#undef HR_TABLE_ID
	HR_TABLE_COUNT
};

#define HR_ROW_INT(name, unit, meaning) int64_t name;
#define HR_ROW_REAL(name, unit, meaning) double name;
#define HR_ROW_TEXT(name, unit, meaning) const char *name;
#define HR_ROW(table, meaning) \
	struct hr_row_##table { \
		HR_COLUMNS_##table(HR_ROW_INT, HR_ROW_REAL, HR_ROW_TEXT) \
	};
HR_TABLES(HR_ROW)
#undef HR_ROW
#undef HR_ROW_INT
#undef HR_ROW_REAL
#undef HR_ROW_TEXT

enum hr_column_type { HR_COLUMN_INT, HR_COLUMN_REAL, HR_COLUMN_TEXT };

struct hr_column {
	const char *name, *unit, *meaning;
	enum hr_column_type type;
};

/* A member of a row struct: these are of one size, so column k of a row is cell k. tables.c asserts it. */
union hr_cell {
	int64_t integer;
	double real;
	const char *text;
};

struct hr_table {
	const char *name, *meaning;
	const struct hr_column *columns;
	int column_count;
	int keyed; /* 1: its first column is the row's own id, and no two rows have the same */
};

/* All tables, indexed by enum hr_table_id. */
extern const struct hr_table hr_tables[HR_TABLE_COUNT];

#endif
