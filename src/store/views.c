/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/views.h"

/* Only SQL that SQLite knew in 3.25: the readers of a run file are often older than its writer. */

/* Columns of a packed table over the run, as rows that are to be added up: the sums of its blocks, and the rows of the intervals after them. */
#define RUN_ROWS(table, columns) \
	"SELECT " columns " FROM rollup_blocks AS b CROSS JOIN rollup_" table " AS t ON t.interval_id = b.last_interval_id" \
	" UNION ALL SELECT " columns " FROM " table " AS t WHERE t.interval_id > (SELECT ifnull(max(last_interval_id), 0) FROM rollup_blocks)"

static const struct hr_column state_totals[] = {
	{ "state", "", "what the threads were doing", HR_COLUMN_TEXT },
	{ "seconds", "s", "time of all threads in that state", HR_COLUMN_REAL },
	{ "share", "", "of the time of all threads", HR_COLUMN_REAL },
};
static const char state_totals_select[] =
	"WITH spent AS (SELECT state, sum(time_ns) AS time_ns FROM (" RUN_ROWS("thread_states", "t.state, t.time_ns") ") GROUP BY state)"
	" SELECT state, time_ns / 1e9, time_ns * 1.0 / (SELECT sum(time_ns) FROM spent) FROM spent ORDER BY 2 DESC";

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
	" FROM (SELECT thread_id, state, sum(time_ns) AS time_ns FROM ("
	RUN_ROWS("thread_states", "t.thread_id, t.state, t.time_ns") ") GROUP BY thread_id, state) AS s"
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
	"WITH spent AS (SELECT interval_id, sum(CASE WHEN state IN ('user', 'kernel') THEN time_ns ELSE 0 END) AS on_cpu_ns,"
	" sum(CASE WHEN state IN ('runq', 'preempted') THEN time_ns ELSE 0 END) AS waiting_ns, sum(time_ns) AS time_ns"
	" FROM thread_states GROUP BY interval_id)"
	" SELECT i.interval_id, i.start_ns / 1e9, (i.end_ns - i.start_ns) / 1e9, ifnull(s.on_cpu_ns, 0) / 1e9, ifnull(s.waiting_ns, 0) / 1e9,"
	" ifnull(s.time_ns - s.on_cpu_ns - s.waiting_ns, 0) / 1e9"
	" FROM intervals AS i LEFT JOIN spent AS s ON s.interval_id = i.interval_id ORDER BY i.interval_id";

static const struct hr_column cpu_waits[] = {
	{ "state", "", "runq or preempted", HR_COLUMN_TEXT },
	{ "owner", "", "who had the CPU meanwhile", HR_COLUMN_TEXT },
	{ "seconds", "s", "time of all threads", HR_COLUMN_REAL },
};
static const char cpu_waits_select[] =
	"SELECT state, owner, sum(time_ns) / 1e9 FROM (" RUN_ROWS("cpu_waits", "t.state, t.owner, t.time_ns") ")"
	" GROUP BY state, owner ORDER BY 3 DESC";

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
	" FROM (" RUN_ROWS("histograms", "t.process_id, t.metric, t.label, t.low_ns, t.high_ns, t.count") ")"
	" GROUP BY process_id, metric, label, low_ns, high_ns),"
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
	"WITH slots AS (SELECT flow_id, stage, low_ns, high_ns, sum(count) AS count FROM ("
	RUN_ROWS("requests", "t.flow_id, t.stage, t.low_ns, t.high_ns, t.count") ") GROUP BY flow_id, stage, low_ns, high_ns),"
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

/*
 * Of each level: what it is, what went through it, and what its threads did, as common table expressions. What adds up is read as the
 * sums of the blocks that are in the level as a whole, and the rows of the rest of its intervals.
 */
#define LEVEL_SPANS \
	"spans AS (" HR_SQL_LEVEL_INTERVALS ")," \
	" axis AS (SELECT level, max(offered) AS offered, sum(length_ns) AS length_ns, min(interval_id) AS first_id FROM spans GROUP BY level)," \
	" whole AS (SELECT s.level AS level, b.first_interval_id AS first_id, b.last_interval_id AS last_id FROM rollup_blocks AS b" \
	" JOIN spans AS s ON s.interval_id BETWEEN b.first_interval_id AND b.last_interval_id GROUP BY s.level, b.last_interval_id" \
	" HAVING count(DISTINCT s.interval_id) = count(*) AND count(*) = (SELECT count(*) FROM intervals AS i" \
	" WHERE i.interval_id BETWEEN b.first_interval_id AND b.last_interval_id))," \
	" rest AS (SELECT s.level AS level, s.interval_id AS interval_id FROM spans AS s WHERE NOT EXISTS (SELECT 1 FROM whole AS w" \
	" WHERE w.level = s.level AND s.interval_id BETWEEN w.first_id AND w.last_id))"
#define LEVEL_ROWS(table, columns) \
	"SELECT w.level, " columns " FROM whole AS w CROSS JOIN rollup_" table " AS t ON t.interval_id = w.last_id" \
	" UNION ALL SELECT s.level, " columns " FROM rest AS s CROSS JOIN " table " AS t ON t.interval_id = s.interval_id"
#define LEVEL_TRAFFIC \
	"front AS (" HR_SQL_FRONT_FLOWS ")," \
	" moved AS (SELECT s.level, sum(t.requests) AS requests, sum(t.in_flight_ns) AS in_flight_ns, sum(t.in_flight_ns IS NULL) AS unknown," \
	" sum(t.reads) AS reads, sum(t.multiplexed_reads) AS multiplexed_reads FROM spans AS s JOIN traffic AS t" \
	" ON t.interval_id = s.interval_id WHERE t.flow_id IN front GROUP BY s.level)"
#define LEVEL_LATENCY \
	"means AS (SELECT s.level, sum(g.total_ns) / 1e3 / sum(g.count) AS mean_us FROM spans AS s JOIN request_stages AS g" \
	" ON g.interval_id = s.interval_id WHERE g.stage = 'total' AND g.flow_id IN front GROUP BY s.level)," \
	" slots AS (SELECT level, low_ns, high_ns, sum(count) AS count FROM (" \
	LEVEL_ROWS("requests", "t.flow_id, t.stage, t.low_ns, t.high_ns, t.count") ")" \
	" WHERE stage = 'total' AND flow_id IN front GROUP BY level, low_ns, high_ns)," \
	" ranks AS (SELECT level, (low_ns + high_ns - 1) / 2e3 AS middle_us, sum(count) OVER (PARTITION BY level ORDER BY low_ns) AS below," \
	" sum(count) OVER (PARTITION BY level) AS total FROM slots)," \
	" percentiles AS (SELECT level, min(CASE WHEN below >= total * 0.50 THEN middle_us END) AS p50_us," \
	" min(CASE WHEN below >= total * 0.90 THEN middle_us END) AS p90_us," \
	" min(CASE WHEN below >= total * 0.99 THEN middle_us END) AS p99_us FROM ranks GROUP BY level)"
#define LEVEL_STATES \
	"times AS (SELECT level, state, sum(time_ns) AS time_ns FROM (" LEVEL_ROWS("thread_states", "t.state, t.time_ns") ") GROUP BY level, state)"
/* Of the rows axis AS a LEFT JOIN moved AS m: a value that is known where requests can be told apart. */
#define KNOWN(value) "CASE WHEN EXISTS (SELECT 1 FROM front) AND (" HR_SQL_IS_MULTIPLEXED("m") ") IS NOT 1 THEN " value " END"
#define THROUGHPUT KNOWN("ifnull(m.requests, 0) * 1e9 / a.length_ns")
#define IN_FLIGHT KNOWN("CASE WHEN ifnull(m.unknown, 0) = 0 THEN ifnull(m.in_flight_ns, 0) * 1.0 / a.length_ns END")

static const struct hr_column levels[] = {
	{ "level", "", "label of the level; those of one label are one", HR_COLUMN_TEXT },
	{ "offered", "", "the label as a number: clients, as a rule; null: it is none", HR_COLUMN_REAL },
	{ "seconds", "s", "time that counts: its whole intervals, without the warm-up", HR_COLUMN_REAL },
	{ "requests", "", "requests answered; null: nothing has any, or over one in 100 reads is of connections on which they cannot be told apart", HR_COLUMN_INT },
	{ "throughput_rps", "1/s", "requests answered per second; null likewise", HR_COLUMN_REAL },
	{ "in_flight", "", "their mean number in flight; null likewise", HR_COLUMN_REAL },
	{ "mean_us", "us", "mean latency end to end, exact; null likewise, or none ended", HR_COLUMN_REAL },
	{ "p50_us", "us", "half of them took at most this, within 1/64; null likewise", HR_COLUMN_REAL },
	{ "p90_us", "us", "9 in 10 took at most this, within 1/64; null likewise", HR_COLUMN_REAL },
	{ "p99_us", "us", "99 in 100 took at most this, within 1/64; null likewise", HR_COLUMN_REAL },
	{ "on_cpu_s", "s", "time of all threads in user and kernel", HR_COLUMN_REAL },
	{ "waiting_for_cpu_s", "s", "time of all threads in runq and preempted", HR_COLUMN_REAL },
	{ "blocked_s", "s", "time of all threads in any other state", HR_COLUMN_REAL },
	{ "client_rps", "1/s", "answers per second that the load generator counted; null: not given", HR_COLUMN_REAL },
	{ "client_p99_us", "us", "latency that 99 in 100 of them stayed below; null: not given", HR_COLUMN_REAL },
};
static const char levels_select[] =
	"WITH " LEVEL_SPANS ", " LEVEL_TRAFFIC ", " LEVEL_LATENCY ", " LEVEL_STATES ","
	" kinds AS (SELECT level, sum(CASE WHEN state IN ('user', 'kernel') THEN time_ns ELSE 0 END) / 1e9 AS on_cpu_s,"
	" sum(CASE WHEN state IN ('runq', 'preempted') THEN time_ns ELSE 0 END) / 1e9 AS waiting_for_cpu_s,"
	" sum(CASE WHEN state NOT IN ('user', 'kernel', 'runq', 'preempted') THEN time_ns ELSE 0 END) / 1e9 AS blocked_s"
	" FROM times GROUP BY level),"
	" clients AS (SELECT level, avg(throughput_rps) AS client_rps, max(p99_ns) / 1e3 AS client_p99_us FROM load_results GROUP BY level)"
	" SELECT a.level, a.offered, a.length_ns / 1e9, " KNOWN("ifnull(m.requests, 0)") ", " THROUGHPUT ", " IN_FLIGHT ","
	" " KNOWN("n.mean_us") ", " KNOWN("p.p50_us") ", " KNOWN("p.p90_us") ", " KNOWN("p.p99_us") ","
	" g.on_cpu_s, g.waiting_for_cpu_s, g.blocked_s, c.client_rps, c.client_p99_us"
	" FROM axis AS a LEFT JOIN moved AS m ON m.level = a.level LEFT JOIN means AS n ON n.level = a.level"
	" LEFT JOIN percentiles AS p ON p.level = a.level LEFT JOIN kinds AS g ON g.level = a.level"
	" LEFT JOIN clients AS c ON c.level = a.level ORDER BY a.offered IS NULL, a.offered, a.first_id";

static const struct hr_column level_intervals[] = {
	{ "level", "", "label of the level", HR_COLUMN_TEXT },
	{ "offered", "", "the label as a number; null: it is none", HR_COLUMN_REAL },
	{ "interval_id", "", "interval that counts for it: after the warm-up, and not beyond its end", HR_COLUMN_INT },
	{ "seconds", "s", "its length", HR_COLUMN_REAL },
};
static const char level_intervals_select[] =
	"WITH spans AS (" HR_SQL_LEVEL_INTERVALS ") SELECT level, offered, interval_id, length_ns / 1e9 FROM spans ORDER BY interval_id";

static const struct hr_column level_states[] = {
	{ "level", "", "label of the level", HR_COLUMN_TEXT },
	{ "offered", "", "the label as a number; null: it is none", HR_COLUMN_REAL },
	{ "state", "", "what the threads were doing", HR_COLUMN_TEXT },
	{ "seconds", "s", "time of all threads in that state", HR_COLUMN_REAL },
	{ "threads", "", "mean number of threads in it", HR_COLUMN_REAL },
	{ "us_per_request", "us", "that time over the requests answered; null: there is none, or they cannot be told apart", HR_COLUMN_REAL },
};
static const char level_states_select[] =
	"WITH " LEVEL_SPANS ", " LEVEL_TRAFFIC ", " LEVEL_STATES
	" SELECT a.level, a.offered, t.state, t.time_ns / 1e9, t.time_ns * 1.0 / a.length_ns,"
	" " KNOWN("t.time_ns / 1e3 / nullif(m.requests, 0)")
	" FROM axis AS a JOIN times AS t ON t.level = a.level LEFT JOIN moved AS m ON m.level = a.level"
	" ORDER BY a.offered IS NULL, a.offered, a.first_id, t.time_ns DESC";

/* One row per level and one number per column: what models are trained on. Each is a rate, so levels of any length compare. */
static const struct hr_column level_features[] = {
	{ "level", "", "label of the level", HR_COLUMN_TEXT },
	{ "offered", "", "the label as a number; null: it is none", HR_COLUMN_REAL },
	{ "seconds", "s", "time that counts", HR_COLUMN_REAL },
	{ "throughput_rps", "1/s", "requests answered per second; null: as in v_levels", HR_COLUMN_REAL },
	{ "in_flight", "", "their mean number in flight; null likewise", HR_COLUMN_REAL },
	{ "mean_us", "us", "mean latency end to end; null likewise", HR_COLUMN_REAL },
	{ "p99_us", "us", "99 in 100 took at most this; null likewise", HR_COLUMN_REAL },
	{ "cpu_target", "", "CPUs that the target had", HR_COLUMN_REAL },
	{ "cpu_other", "", "CPUs that others had", HR_COLUMN_REAL },
	{ "cpu_idle", "", "CPUs that nobody had", HR_COLUMN_REAL },
	{ "syscalls_per_s", "1/s", "system calls", HR_COLUMN_REAL },
	{ "voluntary_per_s", "1/s", "switches because a thread blocked", HR_COLUMN_REAL },
	{ "involuntary_per_s", "1/s", "switches because it was preempted", HR_COLUMN_REAL },
	{ "migrations_per_s", "1/s", "moves to another CPU", HR_COLUMN_REAL },
	{ "user_threads", "", "mean number of threads in the state user", HR_COLUMN_REAL },
	{ "kernel_threads", "", "mean number of threads in the state kernel", HR_COLUMN_REAL },
	{ "runq_threads", "", "mean number of threads in the state runq", HR_COLUMN_REAL },
	{ "preempted_threads", "", "mean number of threads in the state preempted", HR_COLUMN_REAL },
	{ "futex_threads", "", "mean number of threads in the state futex", HR_COLUMN_REAL },
	{ "poll_threads", "", "mean number of threads in the state poll", HR_COLUMN_REAL },
	{ "net_recv_threads", "", "mean number of threads in the state net_recv", HR_COLUMN_REAL },
	{ "net_send_threads", "", "mean number of threads in the state net_send", HR_COLUMN_REAL },
	{ "net_accept_threads", "", "mean number of threads in the state net_accept", HR_COLUMN_REAL },
	{ "net_connect_threads", "", "mean number of threads in the state net_connect", HR_COLUMN_REAL },
	{ "ipc_threads", "", "mean number of threads in the state ipc", HR_COLUMN_REAL },
	{ "disk_threads", "", "mean number of threads in the state disk", HR_COLUMN_REAL },
	{ "fault_threads", "", "mean number of threads in the state fault", HR_COLUMN_REAL },
	{ "reclaim_threads", "", "mean number of threads in the state reclaim", HR_COLUMN_REAL },
	{ "klock_threads", "", "mean number of threads in the state klock", HR_COLUMN_REAL },
	{ "sleep_threads", "", "mean number of threads in the state sleep", HR_COLUMN_REAL },
	{ "device_threads", "", "mean number of threads in the state device", HR_COLUMN_REAL },
	{ "child_threads", "", "mean number of threads in the state child", HR_COLUMN_REAL },
	{ "stopped_threads", "", "mean number of threads in the state stopped", HR_COLUMN_REAL },
	{ "other_threads", "", "mean number of threads in the state other", HR_COLUMN_REAL },
};
static const char level_features_select[] =
	"WITH " LEVEL_SPANS ", " LEVEL_TRAFFIC ", " LEVEL_LATENCY ", " LEVEL_STATES ","
	" hosts AS (SELECT s.level, sum(c.target_ns) AS target_ns, sum(c.other_ns) AS other_ns, sum(c.idle_ns) AS idle_ns"
	" FROM spans AS s JOIN cpus AS c ON c.interval_id = s.interval_id GROUP BY s.level),"
	" counters AS (SELECT level, sum(syscalls) AS syscalls, sum(voluntary) AS voluntary, sum(involuntary) AS involuntary,"
	" sum(migrations) AS migrations FROM ("
	LEVEL_ROWS("thread_counters", "t.syscalls, t.voluntary, t.involuntary, t.migrations") ") GROUP BY level)"
	" SELECT a.level, a.offered, a.length_ns / 1e9, " THROUGHPUT ", " IN_FLIGHT ", " KNOWN("n.mean_us") ", " KNOWN("p.p99_us") ","
	" h.target_ns * 1.0 / a.length_ns, h.other_ns * 1.0 / a.length_ns, h.idle_ns * 1.0 / a.length_ns,"
	" c.syscalls * 1e9 / a.length_ns, c.voluntary * 1e9 / a.length_ns, c.involuntary * 1e9 / a.length_ns, c.migrations * 1e9 / a.length_ns,"
	" sum(CASE WHEN t.state = 'user' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'kernel' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'runq' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'preempted' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'futex' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'poll' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'net_recv' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'net_send' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'net_accept' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'net_connect' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'ipc' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'disk' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'fault' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'reclaim' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'klock' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'sleep' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'device' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'child' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'stopped' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns,"
	" sum(CASE WHEN t.state = 'other' THEN t.time_ns ELSE 0 END) * 1.0 / a.length_ns"
	" FROM axis AS a LEFT JOIN moved AS m ON m.level = a.level LEFT JOIN means AS n ON n.level = a.level"
	" LEFT JOIN percentiles AS p ON p.level = a.level LEFT JOIN hosts AS h ON h.level = a.level"
	" LEFT JOIN counters AS c ON c.level = a.level LEFT JOIN times AS t ON t.level = a.level"
	" GROUP BY a.level ORDER BY a.offered IS NULL, a.offered, a.first_id";

/* Nanoseconds since 1970 are more than R and JavaScript can hold in a number: here they are in parts that they can. */
static const struct hr_column run[] = {
	{ "target", "", "what was recorded, as asked for", HR_COLUMN_TEXT },
	{ "started", "", "start of the run: date and time in UTC, to the nanosecond", HR_COLUMN_TEXT },
	{ "started_unix_s", "s", "the same since 1970, whole seconds", HR_COLUMN_INT },
	{ "started_after_ns", "ns", "how much after that second", HR_COLUMN_INT },
	{ "seconds", "s", "time in all intervals", HR_COLUMN_REAL },
	{ "intervals", "", "number of intervals", HR_COLUMN_INT },
	{ "cpus", "", "CPUs online", HR_COLUMN_INT },
	{ "processes", "", "processes of the target", HR_COLUMN_INT },
	{ "threads", "", "threads of the target", HR_COLUMN_INT },
	{ "complete", "", "1: the recording ended in good order", HR_COLUMN_INT },
};
static const char run_select[] =
	"SELECT target, strftime('%Y-%m-%dT%H:%M:%S', started_unix_ns / 1000000000, 'unixepoch')"
	" || printf('.%09dZ', started_unix_ns % 1000000000), started_unix_ns / 1000000000, started_unix_ns % 1000000000,"
	" (SELECT sum(end_ns - start_ns) / 1e9 FROM intervals), (SELECT count(*) FROM intervals), cpus,"
	" (SELECT count(*) FROM processes), (SELECT count(*) FROM threads), ended_ns IS NOT NULL FROM run";

#define VIEW(name, meaning) { "v_" #name, meaning, name, sizeof(name) / sizeof(name[0]), name##_select }
const struct hr_view hr_views[] = {
	VIEW(run, "the run, with its start in parts that any program can hold"),
	VIEW(levels, "the levels of the load: throughput, latency and what the threads did"),
	VIEW(level_intervals, "which intervals are of which level: join it to any table that has an interval_id"),
	VIEW(level_states, "what the threads did in each level, and per request"),
	VIEW(level_features, "one row per level, a number per column: for models"),
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
