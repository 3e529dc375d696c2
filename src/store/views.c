/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/views.h"

/* Only SQL that SQLite knew in 3.25: the readers of a run file are often older than its writer. */

static const struct hr_column state_totals[] = {
	{ "state", "", "what the threads were doing", HR_COLUMN_TEXT },
	{ "seconds", "s", "time of all threads in that state", HR_COLUMN_REAL },
	{ "share", "", "of the time of all threads", HR_COLUMN_REAL },
};
static const char state_totals_select[] =
	"SELECT state, sum(time_ns) / 1e9, sum(time_ns) * 1.0 / (SELECT sum(time_ns) FROM thread_states)"
	" FROM thread_states GROUP BY state ORDER BY 2 DESC";

static const struct hr_column thread_states[] = {
	{ "thread_id", "", "thread", HR_COLUMN_INT },
	{ "thread", "", "name of the thread", HR_COLUMN_TEXT },
	{ "process_id", "", "its process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "state", "", "what the thread was doing", HR_COLUMN_TEXT },
	{ "seconds", "s", "time in that state", HR_COLUMN_REAL },
};
static const char thread_states_select[] =
	"SELECT t.thread_id, t.name, t.process_id, p.name, s.state, s.time_ns / 1e9"
	" FROM (SELECT thread_id, state, sum(time_ns) AS time_ns FROM thread_states GROUP BY thread_id, state) AS s"
	" LEFT JOIN threads AS t ON t.thread_id = s.thread_id"
	" LEFT JOIN processes AS p ON p.process_id = t.process_id"
	" ORDER BY s.time_ns DESC";

static const struct hr_column interval_states[] = {
	{ "interval_id", "", "interval", HR_COLUMN_INT },
	{ "start_s", "s", "its start since the run's start", HR_COLUMN_REAL },
	{ "seconds", "s", "its length", HR_COLUMN_REAL },
	{ "on_cpu_s", "s", "time of all threads in user and kernel", HR_COLUMN_REAL },
	{ "waiting_for_cpu_s", "s", "time of all threads in runq and preempted", HR_COLUMN_REAL },
	{ "blocked_s", "s", "time of all threads in any other state", HR_COLUMN_REAL },
};
static const char interval_states_select[] =
	"SELECT i.interval_id, i.start_ns / 1e9, (i.end_ns - i.start_ns) / 1e9,"
	" sum(CASE WHEN s.state IN ('user', 'kernel') THEN s.time_ns ELSE 0 END) / 1e9,"
	" sum(CASE WHEN s.state IN ('runq', 'preempted') THEN s.time_ns ELSE 0 END) / 1e9,"
	" sum(CASE WHEN s.state NOT IN ('user', 'kernel', 'runq', 'preempted') THEN s.time_ns ELSE 0 END) / 1e9"
	" FROM intervals AS i LEFT JOIN thread_states AS s ON s.interval_id = i.interval_id"
	" GROUP BY i.interval_id ORDER BY i.interval_id";

static const struct hr_column cpu_waits[] = {
	{ "state", "", "runq or preempted", HR_COLUMN_TEXT },
	{ "owner", "", "who had the CPU meanwhile", HR_COLUMN_TEXT },
	{ "seconds", "s", "time of all threads", HR_COLUMN_REAL },
};
static const char cpu_waits_select[] =
	"SELECT state, owner, sum(time_ns) / 1e9 FROM cpu_waits GROUP BY state, owner ORDER BY 3 DESC";

static const struct hr_column syscalls[] = {
	{ "process_id", "", "process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "abi", "", "native or compat", HR_COLUMN_TEXT },
	{ "syscall", "", "name, or its number where it has none", HR_COLUMN_TEXT },
	{ "calls", "", "calls finished", HR_COLUMN_INT },
	{ "errors", "", "calls that returned an errno", HR_COLUMN_INT },
	{ "total_s", "s", "time in those calls", HR_COLUMN_REAL },
	{ "mean_us", "us", "time of one call", HR_COLUMN_REAL },
};
static const char syscalls_select[] =
	"SELECT s.process_id, p.name, s.abi, s.syscall, s.calls, s.errors, s.total_ns / 1e9,"
	" s.total_ns / 1e3 / nullif(s.calls, 0)"
	" FROM (SELECT process_id, abi, syscall, sum(calls) AS calls, sum(errors) AS errors, sum(total_ns) AS total_ns"
	" FROM syscalls GROUP BY process_id, abi, syscall) AS s"
	" LEFT JOIN processes AS p ON p.process_id = s.process_id"
	" ORDER BY s.total_ns DESC";

static const struct hr_column latencies[] = {
	{ "process_id", "", "process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "metric", "", "syscall, runq or preempted", HR_COLUMN_TEXT },
	{ "label", "", "name of the syscall; null for the other metrics", HR_COLUMN_TEXT },
	{ "count", "", "how many", HR_COLUMN_INT },
	{ "p50_us", "us", "half of them took at most this, within 1/16", HR_COLUMN_REAL },
	{ "p90_us", "us", "9 in 10 took at most this, within 1/16", HR_COLUMN_REAL },
	{ "p99_us", "us", "99 in 100 took at most this, within 1/16", HR_COLUMN_REAL },
};
static const char latencies_select[] =
	"WITH slots AS (SELECT process_id, metric, label, low_ns, high_ns, sum(count) AS count"
	" FROM histograms GROUP BY process_id, metric, label, low_ns, high_ns),"
	" ranks AS (SELECT process_id, metric, label, count, (low_ns + high_ns) / 2e3 AS middle_us,"
	" sum(count) OVER (PARTITION BY process_id, metric, label ORDER BY low_ns) AS below,"
	" sum(count) OVER (PARTITION BY process_id, metric, label) AS total FROM slots)"
	" SELECT r.process_id, p.name, r.metric, r.label, sum(r.count),"
	" min(CASE WHEN r.below >= r.total * 0.50 THEN r.middle_us END),"
	" min(CASE WHEN r.below >= r.total * 0.90 THEN r.middle_us END),"
	" min(CASE WHEN r.below >= r.total * 0.99 THEN r.middle_us END)"
	" FROM ranks AS r LEFT JOIN processes AS p ON p.process_id = r.process_id"
	" GROUP BY r.process_id, r.metric, r.label ORDER BY 5 DESC";

static const struct hr_column request_latencies[] = {
	{ "flow_id", "", "flow", HR_COLUMN_INT },
	{ "process_id", "", "its process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "role", "", "server, downstream or probe", HR_COLUMN_TEXT },
	{ "endpoint", "", "what it listens on, the peer, or the function", HR_COLUMN_TEXT },
	{ "stage", "", "part of a request", HR_COLUMN_TEXT },
	{ "count", "", "how many", HR_COLUMN_INT },
	{ "mean_us", "us", "their mean, exact", HR_COLUMN_REAL },
	{ "p50_us", "us", "half of them took at most this, within 1/64", HR_COLUMN_REAL },
	{ "p90_us", "us", "9 in 10 took at most this, within 1/64", HR_COLUMN_REAL },
	{ "p99_us", "us", "99 in 100 took at most this, within 1/64", HR_COLUMN_REAL },
};
static const char request_latencies_select[] =
	"WITH slots AS (SELECT flow_id, stage, low_ns, high_ns, sum(count) AS count FROM requests"
	" GROUP BY flow_id, stage, low_ns, high_ns),"
	" ranks AS (SELECT flow_id, stage, (low_ns + high_ns - 1) / 2e3 AS middle_us,"
	" sum(count) OVER (PARTITION BY flow_id, stage ORDER BY low_ns) AS below,"
	" sum(count) OVER (PARTITION BY flow_id, stage) AS total FROM slots),"
	" percentiles AS (SELECT flow_id, stage,"
	" min(CASE WHEN below >= total * 0.50 THEN middle_us END) AS p50_us,"
	" min(CASE WHEN below >= total * 0.90 THEN middle_us END) AS p90_us,"
	" min(CASE WHEN below >= total * 0.99 THEN middle_us END) AS p99_us FROM ranks GROUP BY flow_id, stage),"
	" means AS (SELECT flow_id, stage, sum(count) AS count, sum(total_ns) / 1e3 / sum(count) AS mean_us"
	" FROM request_stages GROUP BY flow_id, stage)"
	" SELECT m.flow_id, f.process_id, p.name, f.role, f.endpoint, m.stage, m.count, m.mean_us, q.p50_us, q.p90_us, q.p99_us"
	" FROM means AS m LEFT JOIN percentiles AS q ON q.flow_id = m.flow_id AND q.stage = m.stage"
	" LEFT JOIN flows AS f ON f.flow_id = m.flow_id LEFT JOIN processes AS p ON p.process_id = f.process_id"
	" ORDER BY m.flow_id, m.stage";

static const struct hr_column request_intervals[] = {
	{ "interval_id", "", "interval", HR_COLUMN_INT },
	{ "start_s", "s", "its start since the run's start", HR_COLUMN_REAL },
	{ "seconds", "s", "its length", HR_COLUMN_REAL },
	{ "throughput_rps", "", "requests answered per second; null: nothing has any, or over one in 100 reads is of connections on which they cannot be told apart", HR_COLUMN_REAL },
	{ "in_flight", "", "their mean number in flight; null likewise", HR_COLUMN_REAL },
	{ "p50_us", "us", "half of them took at most this end to end, within 1/64; null likewise, or none ended", HR_COLUMN_REAL },
	{ "p99_us", "us", "99 in 100 took at most this end to end, within 1/64; null likewise, or none ended", HR_COLUMN_REAL },
};
static const char request_intervals_select[] =
	"WITH front AS (" HR_SQL_FRONT_FLOWS "),"
	" moved AS (SELECT interval_id, sum(requests) AS requests, sum(in_flight_ns) AS in_flight_ns,"
	" sum(in_flight_ns IS NULL) AS unknown, sum(reads) AS reads, sum(multiplexed_reads) AS multiplexed_reads"
	" FROM traffic WHERE flow_id IN front GROUP BY interval_id),"
	" slots AS (SELECT interval_id, low_ns, high_ns, sum(count) AS count FROM requests"
	" WHERE stage = 'total' AND flow_id IN front GROUP BY interval_id, low_ns, high_ns),"
	" ranks AS (SELECT interval_id, (low_ns + high_ns - 1) / 2e3 AS middle_us,"
	" sum(count) OVER (PARTITION BY interval_id ORDER BY low_ns) AS below,"
	" sum(count) OVER (PARTITION BY interval_id) AS total FROM slots),"
	" percentiles AS (SELECT interval_id, min(CASE WHEN below >= total * 0.50 THEN middle_us END) AS p50_us,"
	" min(CASE WHEN below >= total * 0.99 THEN middle_us END) AS p99_us FROM ranks GROUP BY interval_id)"
	" SELECT i.interval_id, i.start_ns / 1e9, (i.end_ns - i.start_ns) / 1e9,"
	" CASE WHEN EXISTS (SELECT 1 FROM front) AND (" HR_SQL_IS_MULTIPLEXED("m") ") IS NOT 1"
	" THEN ifnull(m.requests, 0) * 1e9 / (i.end_ns - i.start_ns) END,"
	" CASE WHEN EXISTS (SELECT 1 FROM front) AND (" HR_SQL_IS_MULTIPLEXED("m") ") IS NOT 1 AND ifnull(m.unknown, 0) = 0"
	" THEN ifnull(m.in_flight_ns, 0) * 1.0 / (i.end_ns - i.start_ns) END,"
	" CASE WHEN (" HR_SQL_IS_MULTIPLEXED("m") ") IS NOT 1 THEN q.p50_us END,"
	" CASE WHEN (" HR_SQL_IS_MULTIPLEXED("m") ") IS NOT 1 THEN q.p99_us END FROM intervals AS i LEFT JOIN moved AS m ON m.interval_id = i.interval_id"
	" LEFT JOIN percentiles AS q ON q.interval_id = i.interval_id ORDER BY i.interval_id";

static const struct hr_column request_states[] = {
	{ "flow_id", "", "flow", HR_COLUMN_INT },
	{ "process_id", "", "its process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "role", "", "server, downstream or probe", HR_COLUMN_TEXT },
	{ "endpoint", "", "what it listens on, the peer, or the function", HR_COLUMN_TEXT },
	{ "state", "", "what the serving thread was doing; handoff: not yet taken up by the one that answered", HR_COLUMN_TEXT },
	{ "mean_us", "us", "of the service time of one request", HR_COLUMN_REAL },
	{ "share", "", "of the service time", HR_COLUMN_REAL },
};
static const char request_states_select[] =
	"WITH spent AS (SELECT flow_id, state, sum(time_ns) AS time_ns FROM request_states GROUP BY flow_id, state),"
	" served AS (SELECT flow_id, sum(budgeted) AS requests FROM traffic GROUP BY flow_id)"
	" SELECT s.flow_id, f.process_id, p.name, f.role, f.endpoint, s.state, s.time_ns / 1e3 / nullif(n.requests, 0),"
	" s.time_ns * 1.0 / sum(s.time_ns) OVER (PARTITION BY s.flow_id)"
	" FROM spent AS s LEFT JOIN served AS n ON n.flow_id = s.flow_id LEFT JOIN flows AS f ON f.flow_id = s.flow_id"
	" LEFT JOIN processes AS p ON p.process_id = f.process_id ORDER BY s.flow_id, s.time_ns DESC";

static const struct hr_column hot_functions[] = {
	{ "process_id", "", "process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "function", "", "function that was running, its callers not counted; null: no symbol, or no stack", HR_COLUMN_TEXT },
	{ "module", "", "file that holds it; null: not known, or no stack", HR_COLUMN_TEXT },
	{ "samples", "", "samples on CPU in it", HR_COLUMN_INT },
	{ "seconds", "s", "time of all threads on CPU that they stand for", HR_COLUMN_REAL },
	{ "cpu_share", "", "of the time of all processes on CPU", HR_COLUMN_REAL },
	{ "wall_share", "", "the same, but a sample among n threads of its process on CPU at once counts 1/n: what the function costs in "
			    "wall time", HR_COLUMN_REAL },
};
static const char hot_functions_select[] =
	"WITH running AS (SELECT process_id, ifnull(kernel_stack_id, user_stack_id) AS stack_id, sum(count) AS count,"
	" sum(time_ns) AS time_ns, sum(alone_ns) AS alone_ns FROM samples JOIN threads USING (thread_id)"
	" WHERE state IN ('user', 'kernel') GROUP BY 1, 2),"
	" placed AS (SELECT r.process_id, f.name, f.module, sum(r.count) AS count, sum(r.time_ns) AS time_ns,"
	" sum(r.alone_ns) AS alone_ns FROM running AS r LEFT JOIN stacks AS s ON s.stack_id = r.stack_id AND s.depth = 0"
	" LEFT JOIN frames AS f ON f.frame_id = s.frame_id GROUP BY r.process_id, f.name, f.module)"
	" SELECT l.process_id, p.name, l.name, l.module, l.count, l.time_ns / 1e9, l.time_ns * 1.0 / sum(l.time_ns) OVER (),"
	" l.alone_ns * 1.0 / sum(l.alone_ns) OVER () FROM placed AS l LEFT JOIN processes AS p ON p.process_id = l.process_id"
	" ORDER BY l.alone_ns DESC";

static const struct hr_column waits[] = {
	{ "waiter", "", "process and pattern of the names of the threads that waited", HR_COLUMN_TEXT },
	{ "state", "", "state in which they did", HR_COLUMN_TEXT },
	{ "subject_kind", "", "what for; null: nothing that has a name", HR_COLUMN_TEXT },
	{ "subject", "", "which one; of a futex its symbol, if it has one", HR_COLUMN_TEXT },
	{ "source", "", "who ended the waits", HR_COLUMN_TEXT },
	{ "waker", "", "that thread: process and pattern, or name and id of one outside the target; null: no thread", HR_COLUMN_TEXT },
	{ "count", "", "waits", HR_COLUMN_INT },
	{ "seconds", "s", "their time", HR_COLUMN_REAL },
	{ "waker_on_cpu_share", "", "of the time of which it is known what the waker did: on CPU; null: of none", HR_COLUMN_REAL },
};
static const char waits_select[] =
	"WITH named AS (SELECT t.thread_id AS thread_id, t.name AS name, p.name AS process, CASE WHEN instr(t.name, ' (') > 1"
	" THEN substr(t.name, 1, instr(t.name, ' (') - 1) ELSE t.name END AS head"
	" FROM threads AS t JOIN processes AS p ON p.process_id = t.process_id),"
	" patterns AS (SELECT thread_id, process, CASE WHEN rtrim(head, '0123456789') = head THEN name"
	" ELSE rtrim(head, '0123456789') || '*' || substr(name, length(head) + 1) END AS pattern FROM named),"
	" labels AS (SELECT thread_id, CASE WHEN pattern = process THEN process ELSE process || '/' || pattern END AS label"
	" FROM patterns),"
	" waited AS (SELECT edge_id, sum(count) AS count, sum(time_ns) AS time_ns FROM waits GROUP BY edge_id),"
	" did AS (SELECT edge_id, sum(time_ns) AS time_ns, sum(CASE WHEN state IN ('user', 'kernel') THEN time_ns ELSE 0 END)"
	" AS on_cpu_ns FROM wait_windows GROUP BY edge_id)"
	" SELECT l.label, e.state, e.subject_kind, coalesce(k.symbol, e.subject), e.source, coalesce(w.label, e.waker),"
	" sum(n.count), sum(n.time_ns) / 1e9, sum(d.on_cpu_ns) * 1.0 / sum(d.time_ns)"
	" FROM edges AS e JOIN waited AS n ON n.edge_id = e.edge_id JOIN labels AS l ON l.thread_id = e.thread_id"
	" LEFT JOIN did AS d ON d.edge_id = e.edge_id LEFT JOIN labels AS w ON w.thread_id = e.waker_thread_id"
	" LEFT JOIN threads AS t ON t.thread_id = e.thread_id"
	" LEFT JOIN (SELECT process_id, address, max(symbol) AS symbol FROM locks GROUP BY process_id, address) AS k"
	" ON e.subject_kind = 'futex' AND k.process_id = t.process_id AND k.address = e.subject"
	" GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 8 DESC";

static const struct hr_column locks[] = {
	{ "lock_id", "", "lock", HR_COLUMN_INT },
	{ "process_id", "", "its process", HR_COLUMN_INT },
	{ "process", "", "name of the process", HR_COLUMN_TEXT },
	{ "name", "", "its symbol, or its address", HR_COLUMN_TEXT },
	{ "mapping", "", "file or kind of memory in which it lies", HR_COLUMN_TEXT },
	{ "waits", "", "waits that began", HR_COLUMN_INT },
	{ "contended_s", "s", "time in which at least one thread waited", HR_COLUMN_REAL },
	{ "contended_share", "", "of the recorded time", HR_COLUMN_REAL },
	{ "mean_queue", "", "threads that waited while any did", HR_COLUMN_REAL },
	{ "longest_queue", "", "the most that ever waited at once", HR_COLUMN_INT },
};
static const char locks_select[] =
	"SELECT l.lock_id, l.process_id, p.name, coalesce(l.symbol, l.address), l.mapping, c.waits, c.contended_ns / 1e9,"
	" c.contended_ns * 1.0 / (SELECT sum(end_ns - start_ns) FROM intervals), c.queued_ns * 1.0 / nullif(c.contended_ns, 0),"
	" c.longest FROM locks AS l JOIN (SELECT lock_id, sum(waits) AS waits, sum(contended_ns) AS contended_ns,"
	" sum(queued_ns) AS queued_ns, max(longest) AS longest FROM lock_contention GROUP BY lock_id) AS c"
	" ON c.lock_id = l.lock_id LEFT JOIN processes AS p ON p.process_id = l.process_id ORDER BY c.contended_ns DESC";

static const struct hr_column losses[] = {
	{ "reason", "", "what happened", HR_COLUMN_TEXT },
	{ "count", "", "how often in the run", HR_COLUMN_INT },
};
static const char losses_select[] = "SELECT reason, sum(count) FROM losses GROUP BY reason ORDER BY 2 DESC";

#define VIEW(name, meaning) { "v_" #name, meaning, name, sizeof(name) / sizeof(name[0]), name##_select }
const struct hr_view hr_views[] = {
	VIEW(state_totals, "where the time of all threads went"),
	VIEW(thread_states, "where the time of each thread went"),
	VIEW(interval_states, "how each interval's time was spent"),
	VIEW(cpu_waits, "who had the CPU while threads waited for it"),
	VIEW(syscalls, "calls of each process over the run"),
	VIEW(latencies, "percentiles over the run"),
	VIEW(request_latencies, "stages of requests of each flow over the run"),
	VIEW(request_intervals, "requests per second, in flight and end to end in each interval, of the run's own flows"),
	VIEW(request_states, "what a request of each flow spends its service time on"),
	VIEW(hot_functions, "functions on CPU, from sampled stacks, most wall time first"),
	VIEW(waits, "who waited for whom, by groups of threads"),
	VIEW(locks, "how contended each futex was over the run; conditions and queues are futexes too"),
	VIEW(losses, "what is missing from the run or guessed in it"),
};
const int hr_view_count = sizeof(hr_views) / sizeof(hr_views[0]);
