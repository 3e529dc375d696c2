/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_SUMMARY_H
#define HR_ANALYSE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/account.h"
#include "analyse/code.h"
#include "analyse/percentile.h"
#include "analyse/waits.h"
#include "analyse/stacks.h"
#include "base/disks.h"
#include "base/err.h"
#include "base/losses.h"
#include "base/requests.h"
#include "store/reader.h"

/*
 * A whole run in numbers: what every report is rendered from. Times are nanoseconds; what was not measured is HR_NULL,
 * NAN or NULL, never 0. Texts are valid UTF-8 without control characters, whatever the file held.
 */

struct hr_run_facts {
	const char *run_id, *host, *kernel, *arch, *headroom_version, *target;
	int64_t cpu_count, started_unix_ns, interval_ns;
	int64_t ended_ns;      /* HR_NULL: cut off, the recorder was killed */
	int64_t target_status; /* HR_NULL: no command was started */
	uint64_t recorded_ns;  /* over all intervals; less than first to last where recording was switched off */
	size_t interval_count;
	size_t gap_count;      /* times that recording was switched off and on again */
};

struct hr_thread_summary {
	int64_t thread_id, tid;
	size_t process; /* index in processes */
	size_t group;	/* index in groups */
	const char *name;
	bool ended;
	struct hr_account account;
};

/* Threads with one process name and one pattern of names (hr_thread_pattern()), most time on CPU first. */
struct hr_group_summary {
	const char *process;
	const char *pattern; /* the name itself if they all have the same */
	const char *label;   /* "nginx/worker-*", "nginx" if pattern and process are the same */
	size_t thread_count;
	size_t process_count;
	size_t busiest;	     /* the thread with the most time on CPU: index in threads */
	struct hr_account account;
};

#define HR_PARALLEL_BINS (HR_PARALLEL_MAX + 1)

struct hr_process_summary {
	int64_t process_id, pid, parent_pid;
	const char *name;
	const char *command; /* NULL: gone before it could be read */
	bool ended;
	size_t thread_count;
	uint64_t life_ns;    /* while it was recorded */
	struct hr_account account;
	/* with exactly j threads on CPU; the last holds all above, [0] the rest of its life */
	uint64_t parallel_ns[HR_PARALLEL_BINS];
	double parallel_mean; /* threads on CPU while any was: effective parallelism; NAN if none ever was */
	struct hr_latency runq, preempted; /* single waits */
};

struct hr_error_summary {
	const char *name; /* "EAGAIN" */
	uint64_t count;
};

/* One syscall over all processes, most time first. */
struct hr_call_summary {
	const char *abi, *name;
	uint64_t calls, errors;
	uint64_t timed;		 /* of the calls, how many were measured; the rest is estimated by them */
	uint64_t total_ns;	 /* in the calls that finished */
	uint64_t in_progress;	 /* calls that had not finished at the end */
	uint64_t in_progress_ns; /* how long those had lasted */
	struct hr_latency latency; /* of those that finished */
	struct hr_error_summary *top; /* most frequent first */
	size_t top_count;
};

struct hr_cpu_summary {
	int64_t cpu;
	uint64_t target_ns, other_ns, idle_ns;
	int64_t steal_ns, irq_ns; /* parts of those; HR_NULL: not known */
};

struct hr_neighbour_summary {
	int64_t pid; /* HR_NULL: all the rest together */
	const char *name;
	uint64_t cpu_ns;
};

struct hr_quota_summary {
	const char *cgroup;
	uint64_t quota_ns, period_ns; /* at the end */
	uint64_t periods, throttled_periods, throttled_ns;
};

/* One stage of requests. */
struct hr_stage_summary {
	uint64_t count, total_ns;  /* exact */
	struct hr_latency latency; /* within 1/64 */
};

/* Where the service time of requests went: the states of the threads that served, between first read and first write. */
struct hr_budget {
	uint64_t requests;   /* for which it is known */
	uint64_t handoff_ns; /* read, and not yet taken up by the thread that answered */
	uint64_t state_ns[HR_STATES];
};

/* Requests of a flow, or of several together. */
struct hr_request_summary {
	int64_t requests;	    /* answered; HR_NULL: too many cannot be told apart, or there is nothing that has any */
	uint64_t counted;	    /* of them, those of connections on which they can */
	uint64_t unanswered;	    /* read, and then the connection ended */
	uint64_t reads;		    /* that returned data */
	uint64_t multiplexed_reads; /* of them, those of connections on which requests cannot be told apart, */
	uint64_t multiplexed_connections; /* and the number of those, as far as they are listed */
	double throughput_rps;	    /* over the recorded time; NAN where requests is HR_NULL, as both that follow */
	double in_flight;	    /* the mean, counted */
	double in_flight_little;    /* throughput times the mean time in the server; of a downstream flow, in the peer */
	struct hr_stage_summary stages[HR_STAGES]; /* of `counted`; queue also of reads on multiplexed connections */
	struct hr_budget budget;
};

#define HR_MULTIPLEXED_REASONS 4 /* the bits of enum hr_multiplexed */

/*
 * A flow; those of processes of one name to one endpoint are one here: the workers of a prefork server share a listening port.
 * The run's own first, then servers, then peers, each in descending order of what they did.
 */
struct hr_flow_summary {
	int64_t flow_id; /* the lowest of those that are in it */
	const char *process, *transport, *endpoint;
	enum hr_role role;
	size_t process_count;
	bool is_front; /* its requests are those of the run, not steps of another flow's */
	struct hr_request_summary requests;

	/* all connections */
	uint64_t writes, in_bytes, out_bytes;
	uint64_t opened, connect_failures, resets_in, resets_out, retransmits;
	int64_t closed; /* HR_NULL: not seen on unix sockets */
	uint64_t send_full, send_full_ns;

	/* connections with a row of their own in the run file: all but some of those that ended when many did */
	uint64_t listed;
	uint64_t open; /* at the end of the run; its peer may have closed it already */
	uint64_t endings[HR_ENDINGS];
	uint64_t multiplexed[HR_MULTIPLEXED_REASONS]; /* by the bit of the reason */
	int64_t srtt_median_ns, srtt_worst_ns, min_rtt_ns; /* HR_NULL: not TCP or not measured, as all that follow */
	int64_t lost, reordered, in_segments, out_segments;
	int64_t zero_window_ns, send_limited_ns;
	int64_t sending_ns;   /* with something sent that was not acknowledged, of */
	int64_t connected_ns; /* the lives of those connections */
	uint64_t standing_ns; /* how long connections stood in the recorded time, all together */
};

/* Listening sockets of processes of one name on one address. */
struct hr_listener_summary {
	const char *process; /* NULL: not known */
	const char *transport, *address;
	uint64_t backlog_highest, backlog_max; /* of one socket */
	int64_t drops;			       /* HR_NULL: not known */
};

/* One of the kernel's own counters, over the namespaces of the target. */
struct hr_counter_summary {
	const char *name;
	int64_t count; /* by how much it grew; HR_NULL: not measured */
};

/* What a disk did of one operation, or an owner's part of that. */
struct hr_disk_work_summary {
	uint64_t count, data_bytes, errors;
	uint64_t latency_ns, queued_ns;
};

/* A disk of the host, by whomever it was used; the busiest first. */
struct hr_disk_summary {
	int64_t disk_id;
	const char *name, *device;
	uint64_t busy_ns, in_flight_ns;
	struct hr_disk_operation_summary {
		struct hr_disk_work_summary all, target;
		struct hr_latency latency; /* of all */
	} operations[HR_DISK_OPERATIONS];
};

/* Memory of all processes of the target together. */
struct hr_memory_summary {
	int64_t minor_faults, major_faults; /* HR_NULL: nothing was read, as all that follow */
	int64_t resident_bytes, swapped_bytes; /* the most at the end of an interval; swapped HR_NULL: not known */
};

struct hr_memory_limit_summary {
	const char *cgroup;   /* NULL: the host */
	uint64_t limit_bytes; /* the last */
	uint64_t used_bytes;  /* the most at the end of an interval */
	double used_share;    /* likewise of used over limit */
	int64_t cache_bytes;  /* when most was used; HR_NULL: not known, as all that follow */
	int64_t hits, oom_kills, refaults;
};

/* For how long tasks were held up. */
struct hr_pressure_summary {
	const char *cgroup;   /* NULL: the host */
	const char *resource; /* "cpu", "io", "memory" */
	uint64_t some_ns;
	int64_t full_ns;      /* HR_NULL: this kernel does not tell */
};

struct hr_loss_summary {
	const char *name;
	const struct hr_loss_info *info; /* NULL: a reason of a later version */
	uint64_t count;
	uint64_t base_count; /* of what info->base says there were so many */
	bool above_limit;
};

struct hr_probe_summary {
	const char *program;
	uint64_t runs, run_ns; /* in the samples */
};

struct hr_cost {
	double collector_cpu_share;  /* of one CPU; NAN: not measured */
	int64_t collector_rss_bytes; /* the largest; HR_NULL: not measured */
	double bpf_cpu_share;	     /* of one CPU: run time of all programs over the samples' length; NAN likewise */
	uint64_t bpf_window_ns;	     /* length of the samples together */
};

struct hr_feature_summary {
	const char *name, *lost_without;
	bool has;
};

struct hr_accounted {
	double share;	    /* time in states over life, all threads; NAN: no thread lived */
	double worst_share; /* of the thread that is off by most: |states - life| / life; NAN likewise */
	size_t worst;	    /* that thread: index in threads */
};

struct hr_summary {
	struct hr_run_facts run;
	struct hr_accounted accounted;
	struct hr_account total;
	struct hr_latency runq, preempted; /* single waits, all processes */
	struct hr_cost cost;
	bool lossy;			   /* any loss above its limit */
	bool state_known[HR_STATES];	   /* false: this kernel cannot tell it; such time is in other states */
	bool owner_known[HR_OWNERS];	   /* likewise of who had the CPU */
	bool quotas_known;		   /* false: it could not be seen whether there are any */
	bool requests_known;		   /* false: this run has nothing of requests and the network */
	bool retransmits_known, resets_in_known, resets_out_known; /* of flows; false: this kernel does not tell */
	struct hr_request_summary requests; /* of the whole run: of the front flows together */

	struct hr_thread_summary *threads;
	struct hr_group_summary *groups;
	struct hr_process_summary *processes; /* most time on CPU first */
	struct hr_call_summary *calls;
	struct hr_cpu_summary *cpus;
	struct hr_cpu_summary cpu_total;   /* .cpu means nothing */
	struct hr_neighbour_summary *neighbours; /* most CPU time first, the rest last */
	struct hr_quota_summary *quotas;
	struct hr_flow_summary *flows;
	struct hr_listener_summary *listeners; /* most drops first, then the fullest */
	struct hr_counter_summary *counters;   /* by name */
	bool disks_known;    /* false: this run has nothing of block I/O */
	bool pressure_known; /* likewise; this kernel does not count it */
	struct hr_memory_summary memory;
	struct hr_disk_summary *disks;
	struct hr_memory_limit_summary *memory_limits; /* the nearest first, the host last */
	struct hr_pressure_summary *pressures;	       /* the host first, then by cgroup */
	size_t disk_count, memory_limit_count, pressure_count;
	struct hr_profile profile;	       /* sampled stacks */
	struct hr_code code;		       /* the places that they show */
	struct hr_waits_summary waits;	       /* who waited for whom, and locks */
	struct hr_loss_summary *losses;
	struct hr_probe_summary *probes;
	struct hr_feature_summary *features;
	size_t thread_count, group_count, process_count, call_count, cpu_count;
	size_t neighbour_count, quota_count, flow_count, listener_count, counter_count, loss_count, probe_count, feature_count;

	struct hr_text *texts; /* every string above */
};

/*
 * Read a run. 0 and *ret_summary (free with hr_summary_free()); -EINVAL: damaged, or no run; -ENOMEM. Runs without an
 * interval and runs that were cut off are read like any other.
 */
int hr_summary_load(struct hr_reader *reader, struct hr_summary **ret_summary, struct hr_err *err);

/* Takes NULL. */
void hr_summary_free(struct hr_summary *summary);

/* Share of the recorded time in which the disk had a request, at most 1; NAN: nothing was recorded. */
double hr_disk_utilisation(const struct hr_summary *summary, const struct hr_disk_summary *disk);

/* Time of one thread on CPU over the time that was recorded: its utilisation. NAN without an interval. */
double hr_summary_busy_share(const struct hr_summary *summary, const struct hr_thread_summary *thread);

/*
 * The threads with the most time on CPU, most first: their indices in threads, at most max of them. Returns how many
 * ran at all.
 */
size_t hr_summary_busiest(const struct hr_summary *summary, size_t *ret_threads, size_t max);

/* The exact mean of a stage; NAN if none was seen. */
double hr_stage_mean_ns(const struct hr_stage_summary *stage);

/* The service time of all requests of a budget together. */
uint64_t hr_budget_total_ns(const struct hr_budget *budget);

#endif
