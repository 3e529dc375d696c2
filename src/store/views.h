/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_VIEWS_H
#define HR_STORE_VIEWS_H

#include "base/requests.h"
#include "store/tables.h"

#define HR_SQL_TEXT_OF(value) #value
#define HR_SQL_TEXT(value) HR_SQL_TEXT_OF(value)

/* Of a row with reads and multiplexed_reads: too many requests of it cannot be told apart for the others to stand for all. */
#define HR_SQL_IS_MULTIPLEXED(row) \
	HR_SQL_TEXT(HR_READS_PER_MULTIPLEXED) " * " row ".multiplexed_reads > " row ".reads"

/*
 * Server flows that are asked mostly by the target itself: what its downstream flows asked of the addresses at which the flow
 * answered is at least half of what was answered there, in requests, or in bytes where those of either side cannot be told apart. Processes
 * that share a listening socket share its addresses; another server's address is another, also on the same port.
 */
#define HR_SQL_INNER_FLOWS \
	"WITH asked AS (SELECT transport, endpoint AS address, sum(requests) AS requests, sum(out_bytes) AS bytes," \
	" sum(reads) AS reads, sum(multiplexed_reads) AS multiplexed_reads FROM flows JOIN traffic USING (flow_id) WHERE role = 'downstream' GROUP BY transport, endpoint)," \
	" answers AS (SELECT f.flow_id, f.transport, f.endpoint AS address FROM flows AS f" \
	" WHERE f.role = 'server' AND f.transport = 'unix' AND f.endpoint IN (SELECT address FROM asked) UNION SELECT f.flow_id, f.transport, c.local FROM connections AS c" \
	" JOIN flows AS f ON f.flow_id = c.flow_id WHERE f.role = 'server' AND c.local IN (SELECT address FROM asked))," \
	" served AS (SELECT flow_id, sum(requests) AS requests, sum(in_bytes) AS bytes, sum(reads) AS reads," \
	" sum(multiplexed_reads) AS multiplexed_reads FROM traffic GROUP BY flow_id)," \
	" inner_asked AS (SELECT n.flow_id, sum(a.requests) AS requests, sum(a.bytes) AS bytes, sum(a.reads) AS reads," \
	" sum(a.multiplexed_reads) AS multiplexed_reads" \
	" FROM answers AS n JOIN asked AS a ON a.transport = n.transport AND a.address = n.address GROUP BY n.flow_id)," \
	" beside AS (SELECT DISTINCT n.flow_id AS flow_id, m.flow_id AS other_id FROM answers AS n JOIN answers AS m" \
	" ON m.transport = n.transport AND m.address = n.address)," \
	" answered AS (SELECT b.flow_id, sum(s.requests) AS requests, sum(s.bytes) AS bytes, sum(s.reads) AS reads," \
	" sum(s.multiplexed_reads) AS multiplexed_reads FROM beside AS b JOIN served AS s ON s.flow_id = b.other_id" \
	" GROUP BY b.flow_id)" \
	" SELECT i.flow_id FROM inner_asked AS i JOIN answered AS w ON w.flow_id = i.flow_id" \
	" WHERE CASE WHEN " HR_SQL_IS_MULTIPLEXED("w") " OR " HR_SQL_IS_MULTIPLEXED("i") " THEN 2 * i.bytes >= w.bytes ELSE 2 * i.requests >= w.requests END"

/*
 * The flows whose requests are the run's: calls of the function of --request-probe if there is one, else what servers of the
 * target are asked from outside. A server that other processes of the target ask is a step on the way of a request that is
 * counted in front of it.
 */
#define HR_SQL_FRONT_FLOWS \
	"SELECT flow_id FROM flows WHERE CASE WHEN EXISTS (SELECT 1 FROM flows WHERE role = 'probe') THEN role = 'probe'" \
	" ELSE role = 'server' AND flow_id NOT IN (" HR_SQL_INNER_FLOWS ") END"

/* An interval ends with a pass over the accounts, some time after the mark that ended it. */
#define HR_LEVEL_SLACK_NS 2000000

/*
 * Which intervals count for which level: the label, its number, the interval and its length. Several levels of one label are one, and
 * an interval that is not all in what was measured is in none.
 */
#define HR_SQL_LEVEL_INTERVALS \
	"SELECT l.level AS level, l.offered AS offered, i.interval_id AS interval_id, i.end_ns - i.start_ns AS length_ns" \
	" FROM levels AS l JOIN intervals AS i ON i.start_ns + " HR_SQL_TEXT(HR_LEVEL_SLACK_NS) " >= l.measured_ns" \
	" AND (l.end_ns IS NULL OR i.end_ns <= l.end_ns + " HR_SQL_TEXT(HR_LEVEL_SLACK_NS) ") WHERE l.level IS NOT NULL"

/* A question that people ask of a run, answered by a view in the run file. Its columns are in the dictionary too. */
struct hr_view {
	const char *name, *meaning;
	const struct hr_column *columns;
	int column_count;
	const char *select;
};

extern const struct hr_view hr_views[];
extern const int hr_view_count;

#endif
