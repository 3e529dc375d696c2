/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections, one row each: when they have ended, or at the end of the run. Listening sockets, a row per interval. Kernel
 * side: bpf/net.bpf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/requests.h"
#include "collect/drain.h"
#include "collect/jiffy.h"
#include "collect/netaddr.h"
#include "collect/roster.h"

#define OPEN_MAX_ROWS 65536 /* remembered: some 20 MiB */
#define NS_PER_US 1000

/* A socket as it was listed last. Its flow may be gone when it is: the id of that stays. */
struct open_socket {
	struct hr_socket_row row;
	int64_t flow_id;
	int64_t closed_ns; /* TCP: no descriptor has led to it since; HR_NULL: one does. The kernel tells when it ends */
};

struct ended_socket {
	struct hr_socket_row row;
	bool waits; /* for its flow, which came after the flows were read: the next pass has that */
};

struct connections {
	struct open_socket *open; /* at the last pass, by id */
	struct open_socket *next; /* what that becomes in this pass */
	size_t open_count, room; /* of either */
	struct ended_socket *ended; /* since the last pass, and those that wait, by id */
	size_t ended_count, ended_room;
	struct hr_jiffy jiffy;
	int status; /* of noting an end */
};

static int64_t or_null(bool known, uint64_t value)
{
	return known ? (int64_t)value : HR_NULL;
}

static int64_t flow_id_of(const struct hr_drain *drain, const struct hr_socket_row *row)
{
	return drain->flow_ids && row->flow < HR_FLOWS ? drain->flow_ids[row->flow] : 0;
}

/* ---- connections ---- */

struct ends {
	char local_text[HR_ENDPOINT_BYTES], peer_text[HR_ENDPOINT_BYTES];
	const char *local, *peer; /* NULL: none */
};

/* One end of a unix socket has a name: that which listened. */
static void name_ends(const struct hr_socket_row *row, struct ends *ends)
{
	if (row->family != AF_UNIX) {
		ends->local = hr_netaddr_inet(ends->local_text, row->local, row->local_port);
		ends->peer = hr_netaddr_inet(ends->peer_text, row->peer, row->peer_port);
		return;
	}
	ends->local = ends->peer = NULL;
	if (row->role == HR_ROLE_DOWNSTREAM)
		ends->peer = hr_netaddr_unix(ends->peer_text, row->path, row->path_bytes);
	else
		ends->local = hr_netaddr_unix(ends->local_text, row->path, row->path_bytes);
}

/* A round trip; the kernel has 0 or the highest number where it has not measured one. */
static int64_t round_trip_ns(uint32_t us)
{
	return or_null(us && us != UINT32_MAX, (uint64_t)us * NS_PER_US);
}

static void add_connection(const struct connections *connections, struct hr_drain *drain, const struct hr_socket_row *row,
			   int64_t flow_id, int64_t last_ns)
{
	const char *multiplexed = hr_multiplexed_name(row->multiplexed);
	bool tcp = row->has_tcp;
	struct ends ends;

	name_ends(row, &ends);
	hr_drain_add(drain, HR_TABLE_connections,
		     &(struct hr_row_connections){
			     .connection_id = row->id,
			     .flow_id = or_null(flow_id, flow_id),
			     .local = ends.local,
			     .peer = ends.peer,
			     .first_ns = hr_drain_time(drain, row->first_ns),
			     .last_ns = last_ns,
			     .ending = hr_ending_name(row->ending),
			     .multiplexed = multiplexed,
			     .requests = or_null(!multiplexed, row->requests),
			     .reads = row->reads,
			     .writes = row->writes,
			     .in_bytes = row->bytes_in,
			     .out_bytes = row->bytes_out,
			     .send_full_ns = row->send_full_ns,
			     .zero_window_ns = tcp ? hr_jiffy_ns(&connections->jiffy, row->zero_window_jiffies) : HR_NULL,
			     .send_limited_ns = tcp ? hr_jiffy_ns(&connections->jiffy, row->send_limited_jiffies) : HR_NULL,
			     .sending_ns = tcp ? hr_jiffy_ns(&connections->jiffy, row->sending_jiffies) : HR_NULL,
			     .srtt_ns = tcp ? round_trip_ns(row->srtt_us) : HR_NULL,
			     .min_rtt_ns = tcp ? round_trip_ns(row->min_rtt_us) : HR_NULL,
			     .retransmits = or_null(tcp, row->retransmits),
			     .lost = or_null(tcp, row->lost),
			     .reordered = or_null(tcp, row->reordered),
			     .in_segments = or_null(tcp, row->segments_in),
			     .out_segments = or_null(tcp, row->segments_out),
			     .state_changes = or_null(tcp, row->state_changes),
		     });
}

/* Not a listening socket, nor one that nothing is told of, as the ends of a socketpair. */
static bool is_connection(const struct hr_socket_row *row)
{
	return row->role == HR_ROLE_SERVER || row->role == HR_ROLE_DOWNSTREAM;
}

/* ---- listening sockets ---- */

/*
 * before: as it was at the last pass, or NULL. The drops of a socket that is new in this pass are of this interval if it was
 * seen to begin to listen, and else of nobody knows when.
 */
static void add_listener(struct hr_drain *drain, const struct hr_socket_row *row, const struct hr_socket_row *before)
{
	int64_t process_id = hr_roster_process_id(drain->roster, row->process);
	char text[HR_ENDPOINT_BYTES];

	hr_drain_add(drain, HR_TABLE_listeners,
		     &(struct hr_row_listeners){
			     .interval_id = drain->interval_id,
			     .process_id = or_null(process_id, process_id),
			     .transport = hr_transport_name(row->family == AF_UNIX ? HR_TRANSPORT_UNIX : HR_TRANSPORT_TCP),
			     .address = row->family == AF_UNIX ? hr_netaddr_unix(text, row->path, row->path_bytes) :
								 hr_netaddr_inet(text, row->local, row->local_port),
			     .backlog = row->backlog,
			     .backlog_highest = row->backlog > row->backlog_highest ? row->backlog : row->backlog_highest,
			     .backlog_max = row->backlog_max,
			     .drops = or_null(before || row->state_changes, row->drops - (before ? before->drops : 0)),
		     });
}

/* ---- a pass ---- */

static int by_id(const void *a, const void *b)
{
	uint64_t left = ((const struct ended_socket *)a)->row.id, right = ((const struct ended_socket *)b)->row.id;

	return left < right ? -1 : left > right;
}

static void note_end(void *context, const struct hr_socket_row *row)
{
	struct connections *connections = context;

	if (connections->ended_count == connections->ended_room) {
		size_t room = connections->ended_room ? 2 * connections->ended_room : 64;
		struct ended_socket *more = realloc(connections->ended, room * sizeof(*more));

		if (!more) {
			connections->status = -ENOMEM;
			return;
		}
		connections->ended = more;
		connections->ended_room = room;
	}
	connections->ended[connections->ended_count++] = (struct ended_socket){ .row = *row };
}

static void keep_waiting(struct connections *connections)
{
	size_t kept = 0;

	for (size_t i = 0; i < connections->ended_count; i++)
		if (connections->ended[i].waits)
			connections->ended[kept++] = connections->ended[i];
	connections->ended_count = kept;
}

static int take_ended(struct connections *connections, struct hr_drain *drain)
{
	int ret;

	keep_waiting(connections);
	connections->status = 0;
	ret = hr_probes_each_ended_socket(drain->probes, note_end, connections);
	if (connections->ended_count)
		qsort(connections->ended, connections->ended_count, sizeof(*connections->ended), by_id);
	return ret ? ret : connections->status;
}

static void measure_jiffy(struct connections *connections, const struct hr_drain *drain)
{
	for (size_t i = 0; i < connections->ended_count; i++)
		hr_jiffy_see(&connections->jiffy, connections->ended[i].row.at_ns, connections->ended[i].row.jiffies);
	for (size_t i = 0; i < drain->socket_count; i++)
		hr_jiffy_see(&connections->jiffy, drain->sockets[i].at_ns, drain->sockets[i].jiffies);
}

static void write_ended(struct connections *connections, struct hr_drain *drain)
{
	for (size_t i = 0; i < connections->ended_count; i++) {
		struct ended_socket *ended = &connections->ended[i];
		int64_t flow_id = flow_id_of(drain, &ended->row);

		ended->waits = ended->row.flow && !flow_id && !ended->waits && !drain->last && !drain->discard;
		if (is_connection(&ended->row) && !ended->waits)
			add_connection(connections, drain, &ended->row, flow_id, hr_drain_time(drain, ended->row.at_ns));
	}
}

/* Of all that follow, the lists are by id: one walk through each. */

/* Is id in the ended ones? *at goes on from the last question, and ids only grow. */
static bool has_ended(const struct connections *connections, uint64_t id, size_t *at)
{
	while (*at < connections->ended_count && connections->ended[*at].row.id < id)
		(*at)++;
	return *at < connections->ended_count && connections->ended[*at].row.id == id;
}

/*
 * What was listed before and is not now. The kernel does not tell of the end of a unix socket: this is it. A connection of TCP may
 * outlive its descriptors: it is remembered until it ends.
 */
static void keep_or_write(struct connections *connections, struct hr_drain *drain, const struct open_socket *open, size_t *count,
			  size_t *beyond)
{
	struct open_socket gone = *open;

	if (!is_connection(&open->row))
		return;
	if (!gone.flow_id)
		gone.flow_id = flow_id_of(drain, &open->row);
	if (open->row.family == AF_UNIX) {
		add_connection(connections, drain, &open->row, gone.flow_id, hr_drain_time(drain, drain->read_end_ns));
		return;
	}
	if (gone.closed_ns == HR_NULL)
		gone.closed_ns = hr_drain_time(drain, drain->read_end_ns);
	if (*count < connections->room)
		connections->next[(*count)++] = gone;
	else
		(*beyond)++;
}

static void write_listeners(const struct connections *connections, struct hr_drain *drain)
{
	size_t known = 0;

	for (size_t i = 0; i < drain->socket_count; i++) {
		const struct hr_socket_row *row = &drain->sockets[i], *before = NULL;

		if (row->role != HR_ROLE_LISTENER)
			continue;
		while (known < connections->open_count && connections->open[known].row.id < row->id)
			known++;
		if (known < connections->open_count && connections->open[known].row.id == row->id)
			before = &connections->open[known].row;
		add_listener(drain, row, before);
	}
}

static int make_room(struct connections *connections, size_t wanted)
{
	struct open_socket *open, *next;

	if (wanted > OPEN_MAX_ROWS)
		wanted = OPEN_MAX_ROWS;
	if (wanted <= connections->room)
		return 0;
	wanted += wanted / 4 < OPEN_MAX_ROWS - wanted ? wanted / 4 : OPEN_MAX_ROWS - wanted;
	open = realloc(connections->open, wanted * sizeof(*open));
	if (open)
		connections->open = open;
	next = realloc(connections->next, wanted * sizeof(*next));
	if (next)
		connections->next = next;
	if (!open || !next)
		return -ENOMEM;
	connections->room = wanted;
	return 0;
}

/* What is open now, less what ended while it was being listed. Both lists are by id, and so is what becomes of them. */
static int remember_open(struct connections *connections, struct hr_drain *drain)
{
	size_t ended = 0, beyond = 0, before = 0, listed = 0, count = 0;
	struct open_socket *swap;
	int ret = make_room(connections, drain->socket_count + connections->open_count);

	if (ret)
		return ret;
	while (before < connections->open_count || listed < drain->socket_count) {
		const struct open_socket *old = before < connections->open_count ? &connections->open[before] : NULL;
		const struct hr_socket_row *row = listed < drain->socket_count ? &drain->sockets[listed] : NULL;
		uint64_t id = row && (!old || row->id <= old->row.id) ? row->id : old->row.id;
		bool is_listed = row && row->id == id, over = has_ended(connections, id, &ended);

		if (is_listed && !over && !row->ended && count < connections->room)
			connections->next[count++] = (struct open_socket){
				.row = *row, .flow_id = flow_id_of(drain, row), .closed_ns = HR_NULL
			};
		else if (is_listed && !over && !row->ended)
			beyond++;
		else if (!is_listed && !over)
			keep_or_write(connections, drain, old, &count, &beyond);
		before += old && old->row.id == id;
		listed += is_listed;
	}
	swap = connections->open;
	connections->open = connections->next;
	connections->next = swap;
	connections->open_count = count;
	if (beyond > drain->sockets_unlisted)
		drain->sockets_unlisted = beyond;
	return 0;
}

static int drain_connections(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct connections *connections = family;
	int ret;

	if (!hr_probes_has_requests(drain->probes))
		return 0;
	ret = take_ended(connections, drain);
	if (ret)
		return hr_err_errno(err, ret, "cannot read the connections that ended");
	measure_jiffy(connections, drain);
	write_ended(connections, drain);
	write_listeners(connections, drain);
	ret = remember_open(connections, drain);
	return ret ? hr_err_set(err, ret, "out of memory") : 0;
}

static int finish_connections(void *family, struct hr_drain *drain, struct hr_err *err)
{
	const struct connections *connections = family;

	(void)err;
	for (size_t i = 0; i < connections->open_count; i++)
		if (is_connection(&connections->open[i].row))
			add_connection(connections, drain, &connections->open[i].row, connections->open[i].flow_id,
				       connections->open[i].closed_ns);
	return 0;
}

static void *open_connections(struct hr_drain *drain, struct hr_err *err)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	(void)drain;
	if (!connections)
		hr_err_set(err, -ENOMEM, "out of memory");
	return connections;
}

static void close_connections(void *family)
{
	struct connections *connections = family;

	if (connections) {
		free(connections->open);
		free(connections->next);
		free(connections->ended);
	}
	free(connections);
}

const struct hr_family hr_family_connections = {
	"connections", open_connections, NULL, drain_connections, finish_connections, close_connections,
};
