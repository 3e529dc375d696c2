/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/load.h"
#include "store/tables.h"
#include "store/views.h"

static const char nameless[] = "?";

/*
 * Which flow stands for which: those of processes of one name with one role and endpoint are one, by the lowest id. Servers on
 * one port of several addresses may be some in front and some behind.
 */
#define MERGED_FLOWS \
	"WITH merged AS (SELECT f.flow_id AS flow_id, min(f.flow_id) OVER " \
	"(PARTITION BY p.name, f.role, f.transport, f.endpoint, f.flow_id IN (" HR_SQL_FRONT_FLOWS ")) AS id " \
	"FROM flows AS f LEFT JOIN processes AS p ON p.process_id = f.process_id) "

double hr_stage_mean_ns(const struct hr_stage_summary *stage)
{
	return stage->count ? (double)stage->total_ns / (double)stage->count : NAN;
}

uint64_t hr_budget_total_ns(const struct hr_budget *budget)
{
	uint64_t total_ns = budget->handoff_ns;

	for (int state = 0; state < HR_STATES; state++)
		total_ns += budget->state_ns[state];
	return total_ns;
}

/* Nothing counted and nothing known. */
static struct hr_request_summary no_requests(void)
{
	struct hr_request_summary none = {
		.requests = HR_NULL, .throughput_rps = NAN, .in_flight = NAN, .in_flight_little = NAN,
	};

	for (int stage = 0; stage < HR_STAGES; stage++)
		none.stages[stage].latency = hr_slots_latency(NULL, 0);
	return none;
}

/* ---- flows ---- */

static const char *or_nameless(const char *text)
{
	return text ? text : nameless;
}

static int on_flow(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = HR_LOAD_APPEND(load, load->summary->flows, load->summary->flow_count);
	const char *role_name = hr_query_text(query, 2);
	int role = role_name ? hr_role_from_name(role_name) : -1;

	if (!flow)
		return 0;
	*flow = (struct hr_flow_summary){
		.flow_id = hr_query_int(query, 0),
		.process = or_nameless(hr_load_text(load, hr_query_text(query, 1))),
		.role = role < 0 ? HR_ROLE_NONE : (enum hr_role)role,
		.transport = or_nameless(hr_load_text(load, hr_query_text(query, 3))),
		.endpoint = or_nameless(hr_load_text(load, hr_query_text(query, 4))),
		.process_count = hr_load_amount(query, 5),
		.is_front = hr_query_int(query, 6) == 1,
		.requests = no_requests(),
		.closed = HR_NULL,
		.srtt_median_ns = HR_NULL, .srtt_worst_ns = HR_NULL, .min_rtt_ns = HR_NULL,
		.lost = HR_NULL, .reordered = HR_NULL, .in_segments = HR_NULL, .out_segments = HR_NULL,
		.zero_window_ns = HR_NULL, .send_limited_ns = HR_NULL, .sending_ns = HR_NULL, .connected_ns = HR_NULL,
	};
	flow->requests.in_flight = 0;
	return 0;
}

/* Flows are in ascending order of their id, their first member, until all is read. */
static int compare_id(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static struct hr_flow_summary *find_flow(struct hr_load *load, int64_t flow_id)
{
	struct hr_summary *summary = load->summary;

	return summary->flow_count ? bsearch(&flow_id, summary->flows, summary->flow_count, sizeof(*summary->flows),
					     compare_id) : NULL;
}

/*
 * The traffic of one flow of the file, to be added to the one that stands for it. The mean number in flight is that of the
 * intervals in which it was counted; one without a row had none.
 */
static int on_traffic(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));
	double counted_ns = (double)load->summary->run.recorded_ns - (double)hr_load_amount(query, 5);

	if (!flow)
		return 0;
	flow->requests.counted += hr_load_amount(query, 1);
	flow->requests.budget.requests += hr_load_amount(query, 2);
	flow->requests.unanswered += hr_load_amount(query, 3);
	flow->requests.in_flight += counted_ns > 0 ? (double)hr_load_amount(query, 4) / counted_ns : NAN;
	flow->requests.multiplexed_reads += hr_load_amount(query, 6);
	flow->requests.reads += hr_load_amount(query, 7);
	flow->writes += hr_load_amount(query, 8);
	flow->in_bytes += hr_load_amount(query, 9);
	flow->out_bytes += hr_load_amount(query, 10);
	flow->opened += hr_load_amount(query, 11);
	flow->closed = hr_account_known_sum(flow->closed, hr_query_int(query, 12));
	flow->connect_failures += hr_load_amount(query, 13);
	flow->resets_in += hr_load_amount(query, 14);
	flow->resets_out += hr_load_amount(query, 15);
	flow->retransmits += hr_load_amount(query, 16);
	flow->send_full += hr_load_amount(query, 17);
	flow->send_full_ns += hr_load_amount(query, 18);
	return 0;
}

/* ---- connections ---- */

static int ending_from_name(const char *name)
{
	for (int ending = 0; ending < HR_ENDINGS; ending++)
		if (strcmp(hr_ending_name(ending), name) == 0)
			return ending;
	return -1;
}

/* The number of the reason's bit; a reason of a later version is as good as the vaguest. */
static int multiplexed_from_name(const char *name)
{
	for (int reason = 0; reason < HR_MULTIPLEXED_REASONS; reason++)
		if (strcmp(hr_multiplexed_name(1U << reason), name) == 0)
			return reason;
	return 0;
}

static int on_ending(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));
	const char *ending_name = hr_query_text(query, 1), *multiplexed = hr_query_text(query, 2);
	int ending = ending_name ? ending_from_name(ending_name) : -1;
	uint64_t count = hr_load_amount(query, 3);

	if (!flow)
		return 0;
	flow->listed += count;
	flow->open += hr_load_amount(query, 4);
	if (ending >= 0)
		flow->endings[ending] += count;
	if (multiplexed) {
		flow->multiplexed[multiplexed_from_name(multiplexed)] += count;
		flow->requests.multiplexed_connections += count;
	}
	return 0;
}

static int on_tcp(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));

	if (!flow)
		return 0;
	flow->min_rtt_ns = hr_query_int(query, 1);
	flow->lost = hr_query_int(query, 2);
	flow->reordered = hr_query_int(query, 3);
	flow->in_segments = hr_query_int(query, 4);
	flow->out_segments = hr_query_int(query, 5);
	flow->zero_window_ns = hr_query_int(query, 6);
	flow->send_limited_ns = hr_query_int(query, 7);
	return 0;
}

static int on_sending(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));

	if (!flow)
		return 0;
	flow->sending_ns = hr_query_int(query, 1);
	flow->connected_ns = hr_query_int(query, 2);
	return 0;
}

static int on_standing(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));

	if (flow)
		flow->standing_ns += hr_load_recorded_ns(load, hr_query_int(query, 1), hr_query_int(query, 2));
	return 0;
}

/* Files of earlier versions lack the column. */
static int load_sending(struct hr_load *load)
{
	bool has = false;
	int err = hr_reader_has(load->reader, "connections", "sending_ns", &has, load->err);

	if (err || !has)
		return err;
	return hr_load_query(load, MERGED_FLOWS
			     "SELECT m.id, sum(sending_ns), sum(ifnull(last_ns, (SELECT max(end_ns) FROM intervals)) - first_ns) "
			     "FROM connections JOIN merged AS m USING (flow_id) WHERE sending_ns IS NOT NULL GROUP BY m.id", on_sending);
}

static int on_round_trip(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));

	if (!flow)
		return 0;
	flow->srtt_median_ns = hr_query_int(query, 1);
	flow->srtt_worst_ns = hr_query_int(query, 2);
	return 0;
}

/* ---- stages and states ---- */

static struct hr_stage_summary *find_stage(struct hr_request_summary *requests, const char *name)
{
	int stage = name ? hr_stage_from_name(name) : -1;

	return stage < 0 ? NULL : &requests->stages[stage];
}

static int on_stage(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));
	struct hr_stage_summary *stage = flow ? find_stage(&flow->requests, hr_query_text(query, 1)) : NULL;

	if (stage) {
		stage->count = hr_load_amount(query, 2);
		stage->total_ns = hr_load_amount(query, 3);
	}
	return 0;
}

/* A slot of the flow's histogram and, of a front flow, of the run's. */
static int on_slot(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));
	const char *name = hr_query_text(query, 1);
	int stage = name ? hr_stage_from_name(name) : -1;
	struct hr_slot slot = { hr_load_amount(query, 2), hr_load_amount(query, 3), hr_load_amount(query, 4) }, *added;

	if (!flow || stage < 0)
		return 0;
	hr_load_slot(load, &flow->requests.stages[stage].latency, &slot);
	if (flow->is_front) {
		added = HR_LOAD_APPEND(load, load->front[stage].slots, load->front[stage].count);
		if (added)
			*added = slot;
	}
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct hr_slot *left = a, *right = b;

	return left->low < right->low ? -1 : left->low > right->low;
}

static void finish_front_stages(struct hr_load *load)
{
	for (int stage = 0; stage < HR_STAGES; stage++) {
		struct hr_stage_slots *front = &load->front[stage];

		if (front->count)
			qsort(front->slots, front->count, sizeof(*front->slots), compare_slots);
		load->summary->requests.stages[stage].latency = hr_slots_latency(front->slots, front->count);
		free(front->slots);
		*front = (struct hr_stage_slots){ NULL, 0 };
	}
}

static int on_request_state(struct hr_load *load, struct hr_query *query)
{
	struct hr_flow_summary *flow = find_flow(load, hr_query_int(query, 0));
	const char *name = hr_query_text(query, 1);
	int state = name ? hr_state_from_name(name) : -1;

	if (!flow)
		return 0;
	if (name && strcmp(name, HR_HANDOFF_NAME) == 0)
		flow->requests.budget.handoff_ns += hr_load_amount(query, 2);
	else /* a state of a later version: its time is not lost */
		flow->requests.budget.state_ns[state < 0 ? HR_STATE_OTHER : state] += hr_load_amount(query, 2);
	return 0;
}

/* ---- listeners and counters ---- */

static int on_listener(struct hr_load *load, struct hr_query *query)
{
	struct hr_listener_summary *listener =
		HR_LOAD_APPEND(load, load->summary->listeners, load->summary->listener_count);

	if (!listener)
		return 0;
	*listener = (struct hr_listener_summary){
		.process = hr_load_text(load, hr_query_text(query, 0)),
		.transport = or_nameless(hr_load_text(load, hr_query_text(query, 1))),
		.address = or_nameless(hr_load_text(load, hr_query_text(query, 2))),
		.backlog_highest = hr_load_amount(query, 3),
		.backlog_max = hr_load_amount(query, 4),
		.drops = hr_query_int(query, 5),
	};
	return 0;
}

static int on_counter(struct hr_load *load, struct hr_query *query)
{
	struct hr_counter_summary *counter =
		HR_LOAD_APPEND(load, load->summary->counters, load->summary->counter_count);

	if (!counter)
		return 0;
	counter->name = or_nameless(hr_load_text(load, hr_query_text(query, 0)));
	counter->count = hr_query_int(query, 1);
	return 0;
}

/* ---- together ---- */

static bool is_multiplexed(const struct hr_request_summary *requests)
{
	return HR_READS_PER_MULTIPLEXED * requests->multiplexed_reads > requests->reads;
}

/* What follows from the counts. residence: the stage that is the time in the system, for Little's law. */
static void finish(struct hr_request_summary *requests, enum hr_stage residence, uint64_t recorded_ns)
{
	if (is_multiplexed(requests) || !recorded_ns) {
		requests->in_flight = NAN;
		return;
	}
	requests->requests = (int64_t)requests->counted;
	requests->throughput_rps = (double)requests->counted / ((double)recorded_ns / 1e9);
	requests->in_flight_little = requests->throughput_rps * hr_stage_mean_ns(&requests->stages[residence]) / 1e9;
}

static void add_requests(struct hr_request_summary *to, const struct hr_request_summary *more)
{
	to->counted += more->counted;
	to->unanswered += more->unanswered;
	to->reads += more->reads;
	to->multiplexed_connections += more->multiplexed_connections;
	to->multiplexed_reads += more->multiplexed_reads;
	to->in_flight += more->in_flight;
	for (int stage = 0; stage < HR_STAGES; stage++) {
		to->stages[stage].count += more->stages[stage].count;
		to->stages[stage].total_ns += more->stages[stage].total_ns;
	}
	to->budget.requests += more->budget.requests;
	to->budget.handoff_ns += more->budget.handoff_ns;
	for (int state = 0; state < HR_STATES; state++)
		to->budget.state_ns[state] += more->budget.state_ns[state];
}

/* The run's requests are those of all its front flows: of what can be told apart, also in a flow of which most cannot. */
static void add_up(struct hr_summary *summary)
{
	struct hr_request_summary *all = &summary->requests;
	bool any = false;

	for (size_t i = 0; i < summary->flow_count; i++) {
		if (!summary->flows[i].is_front)
			continue;
		all->in_flight = any ? all->in_flight : 0;
		add_requests(all, &summary->flows[i].requests);
		any = true;
	}
	if (any)
		finish(all, HR_STAGE_TOTAL, summary->run.recorded_ns);
	for (size_t i = 0; i < summary->flow_count; i++) {
		struct hr_flow_summary *flow = &summary->flows[i];

		finish(&flow->requests, flow->role == HR_ROLE_DOWNSTREAM ? HR_STAGE_WAIT : HR_STAGE_TOTAL,
		       summary->run.recorded_ns);
	}
}

static int role_rank(const struct hr_flow_summary *flow)
{
	static const int ranks[HR_ROLES] = { [HR_ROLE_PROBE] = 1, [HR_ROLE_SERVER] = 2, [HR_ROLE_DOWNSTREAM] = 3,
					     [HR_ROLE_LISTENER] = 4, [HR_ROLE_NONE] = 4 };

	return flow->is_front ? 0 : ranks[flow->role];
}

static int compare_flows(const void *a, const void *b)
{
	const struct hr_flow_summary *left = a, *right = b;
	uint64_t left_did = left->requests.counted + left->requests.multiplexed_reads;
	uint64_t right_did = right->requests.counted + right->requests.multiplexed_reads;

	if (role_rank(left) != role_rank(right))
		return role_rank(left) - role_rank(right);
	if (left_did != right_did)
		return left_did > right_did ? -1 : 1;
	return compare_id(left, right);
}

static int load_tables(struct hr_load *load)
{
	static const struct {
		const char *sql;
		hr_load_row *row;
	} queries[] = {
		{ MERGED_FLOWS
		  "SELECT m.id, p.name, f.role, f.transport, f.endpoint, count(DISTINCT f.process_id), "
		  "max(f.flow_id IN (" HR_SQL_FRONT_FLOWS ")) FROM flows AS f JOIN merged AS m USING (flow_id) "
		  "LEFT JOIN processes AS p USING (process_id) GROUP BY m.id ORDER BY m.id", on_flow },
		{ MERGED_FLOWS
		  "SELECT m.id, sum(requests), sum(budgeted), sum(unanswered), sum(in_flight_ns), "
		  "sum(CASE WHEN in_flight_ns IS NULL THEN end_ns - start_ns END), sum(multiplexed_reads), sum(reads), "
		  "sum(writes), sum(in_bytes), sum(out_bytes), sum(opened), sum(closed), sum(connect_failures), "
		  "sum(resets_in), sum(resets_out), sum(retransmits), sum(send_full), sum(send_full_ns) "
		  "FROM traffic JOIN merged AS m USING (flow_id) JOIN intervals USING (interval_id) GROUP BY flow_id",
		  on_traffic },
		{ MERGED_FLOWS
		  "SELECT m.id, ending, multiplexed, count(*), sum(last_ns IS NULL) FROM connections JOIN merged AS m USING (flow_id) "
		  "GROUP BY m.id, ending, multiplexed", on_ending },
		{ MERGED_FLOWS
		  "SELECT m.id, min(min_rtt_ns), sum(lost), sum(reordered), sum(in_segments), sum(out_segments), "
		  "sum(zero_window_ns), sum(send_limited_ns) FROM connections JOIN merged AS m USING (flow_id) "
		  "GROUP BY m.id", on_tcp },
		{ MERGED_FLOWS
		  "SELECT id, max(CASE WHEN place = (of_all + 1) / 2 THEN srtt_ns END), max(srtt_ns) FROM (SELECT m.id AS id, "
		  "srtt_ns, row_number() OVER (PARTITION BY m.id ORDER BY srtt_ns) AS place, "
		  "count(*) OVER (PARTITION BY m.id) AS of_all FROM connections JOIN merged AS m USING (flow_id) "
		  "WHERE srtt_ns IS NOT NULL) GROUP BY id", on_round_trip },
		{ MERGED_FLOWS
		  "SELECT m.id, stage, sum(count), sum(total_ns) FROM request_stages JOIN merged AS m USING (flow_id) "
		  "GROUP BY m.id, stage", on_stage },
		{ MERGED_FLOWS
		  "SELECT m.id, stage, low_ns, high_ns, sum(count) FROM requests JOIN merged AS m USING (flow_id) "
		  "GROUP BY m.id, stage, low_ns, high_ns ORDER BY m.id, stage, low_ns", on_slot },
		{ MERGED_FLOWS
		  "SELECT m.id, state, sum(time_ns) FROM request_states JOIN merged AS m USING (flow_id) "
		  "GROUP BY m.id, state", on_request_state },
		{ "SELECT p.name, l.transport, l.address, max(l.backlog_highest), max(l.backlog_max), sum(l.drops) AS drops "
		  "FROM listeners AS l LEFT JOIN processes AS p ON p.process_id = l.process_id "
		  "GROUP BY p.name, l.transport, l.address ORDER BY drops DESC, 4 DESC, l.address, p.name", on_listener },
		{ "SELECT counter, sum(count) FROM network_counters GROUP BY counter ORDER BY counter", on_counter },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(queries) / sizeof(queries[0]); i++) {
		err = hr_load_query(load, queries[i].sql, queries[i].row);
		hr_load_slots_end(load);
	}
	finish_front_stages(load);
	if (!err)
		err = hr_load_query(load, MERGED_FLOWS "SELECT m.id, first_ns, last_ns FROM connections JOIN merged AS m USING (flow_id)",
				    on_standing);
	return err ? err : load_sending(load);
}

int hr_load_requests(struct hr_load *load)
{
	struct hr_summary *summary = load->summary;
	int err;

	summary->requests = no_requests();
	err = hr_load_has_table(load, "flows", &summary->requests_known);
	if (!err && summary->requests_known)
		err = load_tables(load);
	if (err)
		return err;
	add_up(summary);
	if (summary->flow_count)
		qsort(summary->flows, summary->flow_count, sizeof(*summary->flows), compare_flows);
	return 0;
}
