/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_resources.h"

#include "report/json_values.h"

static double recorded_s(const struct hr_summary *summary)
{
	return (double)summary->run.recorded_ns / 1e9;
}

static double mean_us(const struct hr_disk_work_summary *work, uint64_t total_ns)
{
	return ratio((double)total_ns / 1e3, (double)work->count);
}

static json_t *operation(const struct hr_summary *summary, int which, const struct hr_disk_operation_summary *of)
{
	const struct hr_disk_work_summary *all = &of->all, *target = &of->target;
	json_t *targets = json_pack("{s:o, s:o, s:o, s:o}",
				    "count", count(target->count),
				    "bytes", count(target->data_bytes),
				    "errors", count(target->errors),
				    "mean_us", real(mean_us(target, target->latency_ns)));

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "operation", hr_disk_operation_name(which),
			 "count", count(all->count),
			 "bytes", count(all->data_bytes),
			 "errors", count(all->errors),
			 "per_s", real(ratio((double)all->count, recorded_s(summary))),
			 "bytes_per_s", real(ratio((double)all->data_bytes, recorded_s(summary))),
			 "mean_us", real(mean_us(all, all->latency_ns)),
			 "queued_mean_us", real(mean_us(all, all->queued_ns)),
			 "p50_us", micros(of->latency.p50_ns),
			 "p90_us", micros(of->latency.p90_ns),
			 "p99_us", micros(of->latency.p99_ns),
			 "target", targets);
}

static json_t *operations(const struct hr_summary *summary, const struct hr_disk_summary *disk)
{
	json_t *all = json_array();

	for (int i = 0; i < HR_DISK_OPERATIONS; i++)
		if (disk->operations[i].all.count)
			all = append(all, operation(summary, i, &disk->operations[i]));
	return all;
}

json_t *hr_json_disks(const struct hr_summary *summary)
{
	json_t *all = summary->disks_known || summary->disk_count ? json_array() : json_null();

	for (size_t i = 0; i < summary->disk_count; i++) {
		const struct hr_disk_summary *disk = &summary->disks[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o}",
					    "name", text(disk->name),
					    "device", text(disk->device),
					    "utilisation", real(hr_disk_utilisation(summary, disk)),
					    "in_flight", real(ratio((double)disk->in_flight_ns, (double)summary->run.recorded_ns)),
					    "operations", operations(summary, disk)));
	}
	return all;
}

static json_t *per_second(const struct hr_summary *summary, int64_t value)
{
	return value == HR_NULL ? json_null() : real(ratio((double)value, recorded_s(summary)));
}

static json_t *limits(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->memory_limit_count; i++) {
		const struct hr_memory_limit_summary *limit = &summary->memory_limits[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
					    "cgroup", text(limit->cgroup),
					    "limit_bytes", count(limit->limit_bytes),
					    "used_bytes_max", count(limit->used_bytes),
					    "used_share_max", real(limit->used_share),
					    "cache_bytes", whole(limit->cache_bytes),
					    "hits", whole(limit->hits),
					    "oom_kills", whole(limit->oom_kills),
					    "refaults", whole(limit->refaults)));
	}
	return all;
}

json_t *hr_json_memory(const struct hr_summary *summary)
{
	const struct hr_memory_summary *memory = &summary->memory;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "minor_faults", whole(memory->minor_faults),
			 "major_faults", whole(memory->major_faults),
			 "minor_faults_per_s", per_second(summary, memory->minor_faults),
			 "major_faults_per_s", per_second(summary, memory->major_faults),
			 "resident_bytes_max", whole(memory->resident_bytes),
			 "swapped_bytes_max", whole(memory->swapped_bytes),
			 "limits", limits(summary));
}

json_t *hr_json_pressure(const struct hr_summary *summary)
{
	json_t *all = summary->pressure_known ? json_array() : json_null();

	for (size_t i = 0; i < summary->pressure_count; i++) {
		const struct hr_pressure_summary *pressure = &summary->pressures[i];
		double recorded_ns = (double)summary->run.recorded_ns;

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
					    "cgroup", text(pressure->cgroup),
					    "resource", text(pressure->resource),
					    "some_s", seconds(pressure->some_ns),
					    "full_s", known_seconds(pressure->full_ns),
					    "some_share", real(ratio((double)pressure->some_ns, recorded_ns)),
					    "full_share", pressure->full_ns == HR_NULL ? json_null() :
							  real(ratio((double)pressure->full_ns, recorded_ns))));
	}
	return all;
}
