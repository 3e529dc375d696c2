/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of each flow: how many, how long their stages took, what they spent their time on, how many were in flight, and
 * what went through the flow's connections. Kernel side: bpf/net.bpf.c.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/requests.h"
#include "base/states.h"
#include "collect/drain.h"
#include "collect/flight.h"
#include "collect/netaddr.h"
#include "collect/roster.h"

/*
 * A count and its moment are written one right after the other, and one without the other is off by the uptime: they are taken
 * when they have not changed for so many reads, some 200 ns.
 */
#define QUIET_READS 32
#define TRIES 1024

/* What grows only and is added up over the shards; the requests in flight are read apart. */
#define FLOW_COUNTERS(X) \
	X(requests) X(unanswered) X(multiplexed_reads) X(reads) X(writes) X(bytes_in) \
	X(bytes_out) X(opened) X(closed) X(connect_failures) X(resets_in) X(resets_out) X(retransmits) X(send_full_ns) \
	X(send_full) X(budgeted) X(handoff_ns)

/* One flow, its shards added up, at one moment. */
struct reading {
	struct hr_flight flight;
	bool flight_known; /* it was not read while it was being written */
#define MEMBER(name) uint64_t name;
	FLOW_COUNTERS(MEMBER)
#undef MEMBER
	uint64_t state_ns[HR_STATES];
};

/* Records are handed out again: the generation tells for whom. */
struct known_flow {
	int64_t id; /* 0: not in the file */
	uint32_t generation;
	bool is_read; /* now is of this pass */
	bool is_in_totals;
	uint8_t address[16]; /* of a server of TCP: the local one of a connection that it has or had */
	struct reading before, now;
	uint64_t written_ns[HR_STATES];
};

/* The histogram of a stage, its shards added up, as it was read last. */
struct known_stage {
	int64_t flow_id;
	uint64_t count, total_ns;
	uint32_t slots[HR_STAGE_SLOTS];
};

struct requests {
	struct known_flow flows[HR_FLOWS];
	int64_t flow_ids[HR_FLOWS]; /* of the flows that are in use */
	struct known_stage *stages[HR_STAGE_RECORDS]; /* by record; NULL: never read */
	struct known_stage now;
	uint32_t top; /* the first flow above all that were ever in use */
	int64_t last_id;
	/* of this interval, of all flows that count in the totals */
	uint64_t reads, multiplexed_reads;
	uint64_t total_slots[HR_STAGE_SLOTS]; /* end to end */
	uint64_t totals, totals_ns; /* how many and how long in all, of these */
};

static enum hr_role role_of(const struct hr_flow *flow)
{
	return __atomic_load_n(&flow->key.role, __ATOMIC_ACQUIRE);
}

/* ---- reading ---- */

static void copy_flight(const struct hr_flow *shard, struct hr_flight *ret)
{
	ret->arrivals = __atomic_load_n(&shard->arrivals, __ATOMIC_RELAXED);
	ret->arrived_ns = __atomic_load_n(&shard->arrived_ns, __ATOMIC_RELAXED);
	ret->departures = __atomic_load_n(&shard->departures, __ATOMIC_RELAXED);
	ret->departed_ns = __atomic_load_n(&shard->departed_ns, __ATOMIC_RELAXED);
}

/* False: it changed all the while. */
static bool read_flight(const struct hr_flow *shard, struct hr_flight *ret)
{
	int quiet = 0;

	copy_flight(shard, ret);
	for (int i = 0; i < TRIES && quiet < QUIET_READS; i++) {
		struct hr_flight again;

		copy_flight(shard, &again);
		quiet = memcmp(&again, ret, sizeof(again)) ? 0 : quiet + 1;
		*ret = again;
	}
	return quiet == QUIET_READS;
}

static void add_shard(struct reading *sum, const struct hr_flow *shard)
{
	struct hr_flight flight;

	sum->flight_known = read_flight(shard, &flight) && sum->flight_known;
	sum->flight.arrivals += flight.arrivals;
	sum->flight.arrived_ns += flight.arrived_ns;
	sum->flight.departures += flight.departures;
	sum->flight.departed_ns += flight.departed_ns;
#define ADD(name) sum->name += shard->name;
	FLOW_COUNTERS(ADD)
#undef ADD
	for (int state = 0; state < HR_STATES; state++)
		sum->state_ns[state] += shard->state_ns[state];
}

/* Read every flow right after the threads, so that requests in flight are those of the interval's end. */
static int look_at_flows(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct requests *requests = family;

	(void)err;
	if (!hr_probes_has_requests(drain->probes))
		return 0;
	/* two ranges come into use, each from its begin: see HR_FLOWS_OWN */
	for (uint32_t flow = 1; flow < hr_probes_flows(drain->probes); flow++) {
		struct known_flow *known = &requests->flows[flow];

		known->is_read = false;
		if (role_of(hr_probes_flow(drain->probes, flow, 0)) == HR_ROLE_NONE)
			continue;
		if (flow >= requests->top)
			requests->top = flow + 1;
		known->is_read = true;
		known->now = (struct reading){ .flight_known = true };
		for (uint32_t shard = 0; shard < hr_probes_flow_shards(drain->probes); shard++)
			add_shard(&known->now, hr_probes_flow(drain->probes, flow, shard));
		drain->torn_reads += !known->now.flight_known;
	}
	return 0;
}

static void read_stage(struct hr_drain *drain, uint32_t record, int64_t flow_id, struct known_stage *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->flow_id = flow_id;
	for (uint32_t shard = 0; shard < hr_probes_flow_shards(drain->probes); shard++) {
		const struct hr_stage_hist *stage = hr_probes_stage(drain->probes, record, shard);

		ret->count += stage->count;
		ret->total_ns += stage->total_ns;
		for (int slot = 0; slot < HR_STAGE_SLOTS; slot++)
			ret->slots[slot] += stage->slots[slot];
	}
}

static uint64_t count_stage(struct hr_drain *drain, uint32_t record)
{
	uint64_t count = 0;

	for (uint32_t shard = 0; shard < hr_probes_flow_shards(drain->probes); shard++)
		count += hr_probes_stage(drain->probes, record, shard)->count;
	return count;
}

/* ---- rows ---- */

static void add_traffic(struct hr_drain *drain, const struct known_flow *known, const struct hr_flow_key *key,
			int64_t in_flight_ns)
{
	const struct reading *now = &known->now, *before = &known->before;
	bool grew = in_flight_ns > 0 || hr_flight_count(&now->flight);

#define GREW(name) grew = grew || now->name > before->name;
	FLOW_COUNTERS(GREW)
#undef GREW
	if (!grew)
		return;
#define GROWTH(name) ((int64_t)hr_drain_growth(now->name, before->name))
	hr_drain_add(drain, HR_TABLE_traffic,
		     &(struct hr_row_traffic){
			     .interval_id = drain->interval_id,
			     .flow_id = known->id,
			     .requests = GROWTH(requests),
			     .budgeted = GROWTH(budgeted),
			     .unanswered = GROWTH(unanswered),
			     .in_flight_ns = in_flight_ns,
			     .multiplexed_reads = GROWTH(multiplexed_reads),
			     .reads = GROWTH(reads),
			     .writes = GROWTH(writes),
			     .in_bytes = GROWTH(bytes_in),
			     .out_bytes = GROWTH(bytes_out),
			     .opened = key->transport == HR_TRANSPORT_UNIX && key->role != HR_ROLE_SERVER ? HR_NULL : GROWTH(opened),
			     .closed = key->transport == HR_TRANSPORT_UNIX ? HR_NULL : GROWTH(closed),
			     .connect_failures = GROWTH(connect_failures),
			     .resets_in = GROWTH(resets_in),
			     .resets_out = GROWTH(resets_out),
			     .retransmits = GROWTH(retransmits),
			     .send_full = GROWTH(send_full),
			     .send_full_ns = GROWTH(send_full_ns),
		     });
#undef GROWTH
}

static void add_state(struct hr_drain *drain, int64_t flow_id, const char *state, uint64_t time_ns)
{
	if (time_ns)
		hr_drain_add(drain, HR_TABLE_request_states,
			     &(struct hr_row_request_states){
				     .interval_id = drain->interval_id,
				     .flow_id = flow_id,
				     .state = state,
				     .time_ns = time_ns,
			     });
}

/*
 * How a serving thread's time on CPU is split is an estimate, that may take back a little from one request to the next. What
 * was written stays; less is written of what grows next.
 */
static void add_states(struct hr_drain *drain, struct known_flow *known)
{
	for (int state = 0; state < HR_STATES; state++) {
		int64_t growth_ns = (int64_t)(known->now.state_ns[state] - known->written_ns[state]);

		if (growth_ns <= 0)
			continue;
		add_state(drain, known->id, hr_state_name(state), growth_ns);
		known->written_ns[state] += growth_ns;
	}
	add_state(drain, known->id, HR_HANDOFF_NAME, hr_drain_growth(known->now.handoff_ns, known->before.handoff_ns));
}

static void add_slots(struct hr_drain *drain, int64_t flow_id, enum hr_stage stage, const struct known_stage *now,
		      const struct known_stage *before)
{
	for (uint32_t slot = 0; slot < HR_STAGE_SLOTS; slot++) {
		uint32_t count = now->slots[slot] - before->slots[slot];

		if (count)
			hr_drain_add(drain, HR_TABLE_requests,
				     &(struct hr_row_requests){
					     .interval_id = drain->interval_id,
					     .flow_id = flow_id,
					     .stage = hr_stage_name(stage),
					     .low_ns = hr_hist_low(slot, HR_STAGE_BITS),
					     .high_ns = hr_hist_low(slot + 1, HR_STAGE_BITS),
					     .count = count,
				     });
	}
}

/* ---- which flows are what people mean by requests of the target ---- */

static void note_addresses(struct requests *requests, const struct hr_drain *drain)
{
	for (size_t i = 0; i < drain->socket_count; i++) {
		const struct hr_socket_row *row = &drain->sockets[i];

		if (row->role == HR_ROLE_SERVER && row->family != AF_UNIX && row->flow < HR_FLOWS)
			memcpy(requests->flows[row->flow].address, row->local, sizeof(row->local));
	}
}

static const uint8_t *address_of(const struct known_flow *known, const struct hr_flow_key *key)
{
	return key->role == HR_ROLE_SERVER && key->transport == HR_TRANSPORT_TCP ? known->address : key->address;
}

/*
 * The rule of the reports (HR_SQL_FRONT_FLOWS), as far as it is known by now: a server is behind another of the target if at least
 * half of what was answered at its address was asked by the target itself. Of a server that has several addresses, one is looked
 * at; one whose connections were all too short to be listed at an interval's end is taken for one in front.
 */
static bool is_inner(const struct requests *requests, struct hr_drain *drain, uint32_t server)
{
	const struct hr_flow_key *key = &hr_probes_flow(drain->probes, server, 0)->key;
	const uint8_t *address = address_of(&requests->flows[server], key);
	uint64_t asked = 0, answered = 0;

	for (uint32_t flow = 1; flow < requests->top; flow++) {
		const struct hr_flow_key *other = &hr_probes_flow(drain->probes, flow, 0)->key;
		const struct known_flow *known = &requests->flows[flow];

		if (!known->is_read || other->transport != key->transport || other->port != key->port ||
		    memcmp(address_of(known, other), address, sizeof(other->address)))
			continue;
		*(other->role == HR_ROLE_SERVER ? &answered : &asked) += known->now.requests + known->now.multiplexed_reads;
	}
	return asked && 2 * asked >= answered;
}

static void choose_for_totals(struct requests *requests, struct hr_drain *drain)
{
	note_addresses(requests, drain);
	for (uint32_t flow = 1; flow < requests->top; flow++) {
		struct known_flow *known = &requests->flows[flow];
		enum hr_role role = known->is_read ? role_of(hr_probes_flow(drain->probes, flow, 0)) : HR_ROLE_NONE;

		known->is_in_totals = drain->request_probe ? role == HR_ROLE_PROBE :
							     role == HR_ROLE_SERVER && !is_inner(requests, drain, flow);
	}
}

/* ---- a flow ---- */

static int drain_stage(struct requests *requests, struct hr_drain *drain, const struct hr_flow *flow,
		       const struct known_flow *known, enum hr_stage stage)
{
	int64_t flow_id = known->id;
	uint32_t record = flow->stage_record[stage];
	struct known_stage *before, *now = &requests->now;

	if (!record || record >= hr_probes_stages(drain->probes))
		return 0;
	if (!requests->stages[record] && !(requests->stages[record] = calloc(1, sizeof(*before))))
		return -ENOMEM;
	before = requests->stages[record];
	if (before->flow_id != flow_id)
		*before = (struct known_stage){ .flow_id = flow_id };
	if (count_stage(drain, record) == before->count)
		return 0;
	read_stage(drain, record, flow_id, now);
	hr_drain_add(drain, HR_TABLE_request_stages,
		     &(struct hr_row_request_stages){
			     .interval_id = drain->interval_id,
			     .flow_id = flow_id,
			     .stage = hr_stage_name(stage),
			     .count = hr_drain_growth(now->count, before->count),
			     .total_ns = hr_drain_growth(now->total_ns, before->total_ns),
		     });
	add_slots(drain, flow_id, stage, now, before);
	if (stage == HR_STAGE_TOTAL && known->is_in_totals) {
		requests->totals += hr_drain_growth(now->count, before->count);
		requests->totals_ns += hr_drain_growth(now->total_ns, before->total_ns);
		for (int slot = 0; slot < HR_STAGE_SLOTS; slot++)
			requests->total_slots[slot] += now->slots[slot] - before->slots[slot];
	}
	*before = *now;
	return 0;
}

static int enter_flow(struct requests *requests, struct hr_drain *drain, const struct hr_flow *flow, int64_t process_id,
		      struct known_flow *known, struct hr_err *err)
{
	char text[HR_ENDPOINT_BYTES];
	const char *endpoint = flow->key.role == HR_ROLE_PROBE ? drain->request_probe : hr_netaddr_flow(text, flow);

	known->id = ++requests->last_id;
	known->generation = flow->generation;
	known->before = (struct reading){ .flight_known = true };
	memset(known->written_ns, 0, sizeof(known->written_ns));
	return hr_writer_add(drain->writer, HR_TABLE_flows,
			     &(struct hr_row_flows){
				     .flow_id = known->id,
				     .process_id = process_id,
				     .role = hr_role_name(flow->key.role),
				     .transport = hr_transport_name(flow->key.transport),
				     .endpoint = endpoint,
			     },
			     err);
}

/* Of connections whose requests can be told apart: what the others have under way, nobody knows. */
static int64_t in_flight_ns(const struct known_flow *known, const struct hr_drain *drain)
{
	if (!known->now.flight_known || !known->before.flight_known)
		return HR_NULL;
	return hr_flight_ns(&known->before.flight, drain->start_ns, &known->now.flight, drain->read_end_ns);
}

static void add_to_totals(struct requests *requests, struct hr_drain *drain, const struct known_flow *known, int64_t flight_ns)
{
	uint64_t length_ns = drain->read_end_ns - drain->start_ns;

	requests->reads += hr_drain_growth(known->now.reads, known->before.reads);
	requests->multiplexed_reads += hr_drain_growth(known->now.multiplexed_reads, known->before.multiplexed_reads);
	drain->totals.requests += hr_drain_growth(known->now.requests, known->before.requests);
	drain->totals.in_flight += flight_ns == HR_NULL || !length_ns ? NAN : (double)flight_ns / (double)length_ns;
}

static int drain_flow(struct requests *requests, struct hr_drain *drain, uint32_t id, struct hr_err *err)
{
	const struct hr_flow *flow = hr_probes_flow(drain->probes, id, 0);
	struct known_flow *known = &requests->flows[id];
	int64_t process_id = hr_roster_process_id(drain->roster, flow->key.process), flight_ns;
	int ret = 0;

	if (!process_id)
		return 0; /* came after the processes were looked at: the next pass has it */
	if (!known->id || known->generation != flow->generation)
		ret = enter_flow(requests, drain, flow, process_id, known, err);
	if (ret)
		return ret;
	requests->flow_ids[id] = known->id;
	flight_ns = in_flight_ns(known, drain);
	add_traffic(drain, known, &flow->key, flight_ns);
	add_states(drain, known);
	if (known->is_in_totals)
		add_to_totals(requests, drain, known, flight_ns);
	for (int stage = 0; stage < HR_STAGES; stage++)
		if (drain_stage(requests, drain, flow, known, stage))
			return hr_err_set(err, -ENOMEM, "out of memory");
	known->before = known->now;
	return 0;
}

/* The middle of the slot that holds the value of rank ceil(99 %), as the reports do it. NAN: there is none. */
static double p99_ns(const uint64_t slots[HR_STAGE_SLOTS])
{
	uint64_t count = 0, below = 0;
	double rank;

	for (int slot = 0; slot < HR_STAGE_SLOTS; slot++)
		count += slots[slot];
	rank = ceil(0.99 * (double)count);
	for (int slot = 0; slot < HR_STAGE_SLOTS; slot++) {
		below += slots[slot];
		if (slots[slot] && (double)below >= rank)
			return ((double)hr_hist_low(slot, HR_STAGE_BITS) + (double)hr_hist_low(slot + 1, HR_STAGE_BITS) - 1) / 2;
	}
	return NAN;
}

/* ---- the family ---- */

/* As in the reports: nothing, where too much of it cannot be told. */
static void finish_totals(const struct requests *requests, struct hr_drain_totals *totals)
{
	totals->request_p99_ns = p99_ns(requests->total_slots);
	if (HR_READS_PER_MULTIPLEXED * requests->multiplexed_reads <= requests->reads)
		return;
	totals->requests = 0;
	totals->in_flight = totals->request_p99_ns = NAN;
}

/* What cannot be told is not counted: an interval with it adds nothing. */
static void note_live(const struct requests *requests, struct hr_drain *drain)
{
	struct hr_live *live = &drain->live;

	live->in_flight = drain->totals.in_flight;
	live->requests_known = HR_READS_PER_MULTIPLEXED * requests->multiplexed_reads <= requests->reads;
	if (drain->discard || !live->requests_known)
		return;
	live->requests += drain->totals.requests;
	live->latencies += requests->totals;
	live->latency_ns += requests->totals_ns;
	for (int slot = 0; slot < HR_STAGE_SLOTS; slot++)
		live->latency_slots[slot] += requests->total_slots[slot];
}

static int drain_requests(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct requests *requests = family;
	int ret = 0;

	memset(requests->flow_ids, 0, sizeof(requests->flow_ids));
	memset(requests->total_slots, 0, sizeof(requests->total_slots));
	drain->flow_ids = requests->flow_ids;
	drain->totals.in_flight = drain->totals.request_p99_ns = drain->live.in_flight = NAN;
	drain->live.requests_known = false;
	if (!hr_probes_has_requests(drain->probes))
		return 0;
	drain->totals.in_flight = 0;
	requests->reads = requests->multiplexed_reads = requests->totals = requests->totals_ns = 0;
	choose_for_totals(requests, drain);
	for (uint32_t flow = 1; flow < requests->top && !ret; flow++)
		if (requests->flows[flow].is_read)
			ret = drain_flow(requests, drain, flow, err);
	finish_totals(requests, &drain->totals);
	note_live(requests, drain);
	return ret;
}

static void *open_requests(struct hr_drain *drain, struct hr_err *err)
{
	struct requests *requests = calloc(1, sizeof(*requests));

	(void)drain;
	if (!requests)
		hr_err_set(err, -ENOMEM, "out of memory");
	return requests;
}

static void close_requests(void *family)
{
	struct requests *requests = family;

	for (uint32_t record = 0; requests && record < HR_STAGE_RECORDS; record++)
		free(requests->stages[record]);
	free(requests);
}

const struct hr_family hr_family_requests = {
	"requests", open_requests, look_at_flows, drain_requests, NULL, close_requests,
};
