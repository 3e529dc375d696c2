/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/load.h"
#include "store/tables.h"

static int on_cpu(struct hr_load *load, struct hr_query *query)
{
	struct hr_cpu_summary *cpu = HR_LOAD_APPEND(load, load->summary->cpus, load->summary->cpu_count);
	struct hr_cpu_summary *total = &load->summary->cpu_total;

	if (!cpu)
		return 0;
	*cpu = (struct hr_cpu_summary){
		.cpu = hr_query_int(query, 0),
		.target_ns = hr_load_amount(query, 1),
		.other_ns = hr_load_amount(query, 2),
		.idle_ns = hr_load_amount(query, 3),
		.steal_ns = hr_query_int(query, 4),
		.irq_ns = hr_query_int(query, 5),
	};
	total->target_ns += cpu->target_ns;
	total->other_ns += cpu->other_ns;
	total->idle_ns += cpu->idle_ns;
	total->steal_ns = hr_account_known_sum(total->steal_ns, cpu->steal_ns);
	total->irq_ns = hr_account_known_sum(total->irq_ns, cpu->irq_ns);
	return 0;
}

static int on_neighbour(struct hr_load *load, struct hr_query *query)
{
	struct hr_neighbour_summary *neighbour =
		HR_LOAD_APPEND(load, load->summary->neighbours, load->summary->neighbour_count);

	if (!neighbour)
		return 0;
	neighbour->pid = hr_query_int(query, 0);
	neighbour->name = hr_load_text(load, hr_query_text(query, 1));
	neighbour->cpu_ns = hr_load_amount(query, 2);
	return 0;
}

static int on_quota(struct hr_load *load, struct hr_query *query)
{
	struct hr_quota_summary *quota = HR_LOAD_APPEND(load, load->summary->quotas, load->summary->quota_count);

	if (!quota)
		return 0;
	*quota = (struct hr_quota_summary){
		.cgroup = hr_load_text(load, hr_query_text(query, 0)),
		.quota_ns = hr_load_amount(query, 1),
		.period_ns = hr_load_amount(query, 2),
		.periods = hr_load_amount(query, 3),
		.throttled_periods = hr_load_amount(query, 4),
		.throttled_ns = hr_load_amount(query, 5),
	};
	return 0;
}

int hr_load_host(struct hr_load *load)
{
	static const struct {
		const char *sql;
		hr_load_row *row;
	} queries[] = {
		{ "SELECT cpu, sum(target_ns), sum(other_ns), sum(idle_ns), sum(steal_ns), sum(irq_ns) FROM cpus "
		  "GROUP BY cpu ORDER BY cpu", on_cpu },
		/* a process keeps its row when it changes its name; the rest together comes last, however much it is */
		{ "SELECT pid, max(name), sum(cpu_ns) AS cpu_ns FROM neighbours GROUP BY pid "
		  "ORDER BY pid IS NULL, cpu_ns DESC, pid",
		  on_neighbour },
		/* max(interval_id) makes the bare columns those of the last interval */
		{ "SELECT cgroup, quota_ns, period_ns, sum(periods), sum(throttled_periods), sum(throttled_ns), "
		  "max(interval_id) FROM quotas GROUP BY cgroup ORDER BY sum(throttled_ns) DESC, cgroup", on_quota },
	};
	int err = 0;

	load->summary->cpu_total = (struct hr_cpu_summary){ .steal_ns = HR_NULL, .irq_ns = HR_NULL };
	for (size_t i = 0; !err && i < sizeof(queries) / sizeof(queries[0]); i++)
		err = hr_load_query(load, queries[i].sql, queries[i].row);
	return err;
}
