/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>

#include "analyse/load.h"
#include "store/tables.h"

double hr_disk_utilisation(const struct hr_summary *summary, const struct hr_disk_summary *disk)
{
	if (!summary->run.recorded_ns)
		return NAN;
	/* its intervals end a little after those of the threads */
	return fmin(1, (double)disk->busy_ns / (double)summary->run.recorded_ns);
}

static int on_disk(struct hr_load *load, struct hr_query *query)
{
	struct hr_disk_summary *disk = HR_LOAD_APPEND(load, load->summary->disks, load->summary->disk_count);

	if (!disk)
		return 0;
	disk->disk_id = hr_query_int(query, 0);
	disk->name = hr_load_text(load, hr_query_text(query, 1));
	disk->device = hr_load_text(load, hr_query_text(query, 2));
	disk->busy_ns = hr_load_amount(query, 3);
	disk->in_flight_ns = hr_load_amount(query, 4);
	for (int i = 0; i < HR_DISK_OPERATIONS; i++)
		disk->operations[i].latency = hr_slots_latency(NULL, 0);
	return 0;
}

/* The operation of a row that begins with the disk's id and the operation's name; NULL: no such. */
static struct hr_disk_operation_summary *operation_of(struct hr_load *load, struct hr_query *query)
{
	const char *name = hr_query_text(query, 1);
	int operation = name ? hr_disk_operation_by_name(name) : -1;

	for (size_t i = 0; operation >= 0 && i < load->summary->disk_count; i++)
		if (load->summary->disks[i].disk_id == hr_query_int(query, 0))
			return &load->summary->disks[i].operations[operation];
	return NULL;
}

static void add_work(struct hr_disk_work_summary *sum, const struct hr_disk_work_summary *work)
{
	sum->count += work->count;
	sum->data_bytes += work->data_bytes;
	sum->errors += work->errors;
	sum->latency_ns += work->latency_ns;
	sum->queued_ns += work->queued_ns;
}

static int on_disk_operation(struct hr_load *load, struct hr_query *query)
{
	struct hr_disk_operation_summary *operation = operation_of(load, query);
	const char *owner = hr_query_text(query, 2);
	const struct hr_disk_work_summary work = {
		.count = hr_load_amount(query, 3),
		.data_bytes = hr_load_amount(query, 4),
		.errors = hr_load_amount(query, 5),
		.latency_ns = hr_load_amount(query, 6),
		.queued_ns = hr_load_amount(query, 7),
	};

	if (!operation)
		return 0;
	add_work(&operation->all, &work);
	if (owner && hr_disk_owner_by_name(owner) == HR_DISK_TARGET)
		add_work(&operation->target, &work);
	return 0;
}

static int on_disk_slot(struct hr_load *load, struct hr_query *query)
{
	struct hr_disk_operation_summary *operation = operation_of(load, query);
	const struct hr_slot slot = {
		.low = hr_load_amount(query, 2),
		.high = hr_load_amount(query, 3),
		.count = hr_load_amount(query, 4),
	};

	hr_load_slot(load, operation ? &operation->latency : NULL, &slot);
	return 0;
}

static int on_memory(struct hr_load *load, struct hr_query *query)
{
	load->summary->memory = (struct hr_memory_summary){
		.minor_faults = hr_query_int(query, 0),
		.major_faults = hr_query_int(query, 1),
		.resident_bytes = hr_query_int(query, 2),
		.swapped_bytes = hr_query_int(query, 3),
	};
	return 0;
}

static int on_memory_limit(struct hr_load *load, struct hr_query *query)
{
	struct hr_memory_limit_summary *limit =
		HR_LOAD_APPEND(load, load->summary->memory_limits, load->summary->memory_limit_count);

	if (!limit)
		return 0;
	*limit = (struct hr_memory_limit_summary){
		.cgroup = hr_load_text(load, hr_query_text(query, 0)),
		.limit_bytes = hr_load_amount(query, 1),
		.used_bytes = hr_load_amount(query, 2),
		.used_share = hr_query_real(query, 3),
		.cache_bytes = hr_query_int(query, 4),
		.hits = hr_query_int(query, 5),
		.oom_kills = hr_query_int(query, 6),
		.refaults = hr_query_int(query, 7),
	};
	return 0;
}

static int on_pressure(struct hr_load *load, struct hr_query *query)
{
	struct hr_pressure_summary *pressure = HR_LOAD_APPEND(load, load->summary->pressures, load->summary->pressure_count);

	if (!pressure)
		return 0;
	pressure->cgroup = hr_load_text(load, hr_query_text(query, 0));
	pressure->resource = hr_load_text(load, hr_query_text(query, 1));
	pressure->some_ns = hr_load_amount(query, 2);
	pressure->full_ns = hr_query_int(query, 3);
	return 0;
}

int hr_load_resources(struct hr_load *load)
{
	static const struct {
		const char *sql;
		hr_load_row *row;
	} queries[] = {
		{ "SELECT d.disk_id, d.name, d.device, sum(l.busy_ns) AS busy_ns, sum(l.in_flight_ns) FROM disks AS d "
		  "LEFT JOIN disk_load AS l ON l.disk_id = d.disk_id GROUP BY d.disk_id ORDER BY busy_ns DESC, d.name", on_disk },
		{ "SELECT disk_id, operation, owner, sum(count), sum(data_bytes), sum(errors), sum(latency_ns), sum(queued_ns) "
		  "FROM disk_operations GROUP BY disk_id, operation, owner", on_disk_operation },
		{ "SELECT disk_id, operation, low_ns, high_ns, sum(count) FROM disk_histograms "
		  "GROUP BY disk_id, operation, low_ns, high_ns ORDER BY disk_id, operation, low_ns", on_disk_slot },
		/* max() makes the bare column that of the interval with the most; a process that is not known makes it null */
		{ "SELECT (SELECT sum(minor_faults) FROM memory), (SELECT sum(major_faults) FROM memory), max(resident_bytes), "
		  "(SELECT max(swapped_bytes) FROM (SELECT CASE WHEN count(*) = count(swapped_bytes) THEN sum(swapped_bytes) END "
		  "AS swapped_bytes FROM memory GROUP BY interval_id)) "
		  "FROM (SELECT sum(resident_bytes) AS resident_bytes FROM memory GROUP BY interval_id)", on_memory },
		{ "SELECT m.cgroup, (SELECT limit_bytes FROM memory_limits WHERE cgroup IS m.cgroup ORDER BY interval_id DESC LIMIT 1), "
		  "max(m.used_bytes), max(m.used_bytes * 1.0 / m.limit_bytes) AS used_share, "
		  "(SELECT cache_bytes FROM memory_limits WHERE cgroup IS m.cgroup ORDER BY used_bytes DESC LIMIT 1), "
		  "sum(m.hits), sum(m.oom_kills), sum(m.refaults) FROM memory_limits AS m "
		  "GROUP BY m.cgroup ORDER BY m.cgroup IS NULL, used_share DESC, m.cgroup", on_memory_limit },
		{ "SELECT cgroup, resource, sum(some_ns), CASE WHEN count(*) = count(full_ns) THEN sum(full_ns) END FROM pressure "
		  "GROUP BY cgroup, resource ORDER BY cgroup, resource", on_pressure },
	};
	bool is_in_file = false;
	int err = hr_load_has_table(load, "disks", &is_in_file);

	for (size_t i = 0; !err && is_in_file && i < sizeof(queries) / sizeof(queries[0]); i++) {
		err = hr_load_query(load, queries[i].sql, queries[i].row);
		hr_load_slots_end(load);
	}
	return err;
}
