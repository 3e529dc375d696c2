/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_code.h"

#include "report/json_values.h"

#define PLACES 50 /* of each kind: the rest are a few samples each, and all are in the run file */

/* What places on and off CPU have in common. */
static json_t *place(const struct hr_summary *summary, const struct hr_code_place *of)
{
	const struct hr_group_summary *group = &summary->groups[of->group];

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "process", text(group->process),
			 "thread", text(group->pattern),
			 "function", text(of->function),
			 "module", text(of->module),
			 "has_stack", json_boolean(of->has_stack),
			 "samples", count(of->count),
			 "seconds", seconds(of->time_ns));
}

static json_t *on_cpu(const struct hr_summary *summary)
{
	const struct hr_code *code = &summary->code;
	json_t *all = json_array();

	for (size_t i = 0; i < code->on_cpu_count && i < PLACES; i++) {
		const struct hr_code_place *of = &code->on_cpu[i];
		json_t *item = place(summary, of);

		item = with(item, "kernel", json_boolean(of->is_kernel));
		item = with(item, "driver", json_boolean(of->is_driver));
		item = with(item, "cpu_share", real(ratio((double)of->time_ns, (double)code->on_cpu_ns)));
		item = with(item, "wall_share", real(ratio((double)of->alone_ns, (double)code->alone_ns)));
		all = append(all, item);
	}
	return all;
}

static json_t *off_cpu(const struct hr_summary *summary)
{
	const struct hr_code *code = &summary->code;
	json_t *all = json_array();

	for (size_t i = 0; i < code->off_cpu_count && i < PLACES; i++) {
		const struct hr_code_place *of = &code->off_cpu[i];
		json_t *item = place(summary, of);

		item = with(item, "state", text(hr_state_name(of->state)));
		item = with(item, "syscall", text(of->syscall));
		item = with(item, "blocked_share", real(ratio((double)of->time_ns, (double)code->off_cpu_ns)));
		all = append(all, item);
	}
	return all;
}

json_t *hr_json_code(const struct hr_summary *summary)
{
	const struct hr_code *code = &summary->code;
	double samples = (double)code->samples;

	if (!code->samples)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "on_cpu", on_cpu(summary),
			 "off_cpu", off_cpu(summary),
			 "samples", count(code->samples),
			 "without_stack_share", real(ratio((double)code->samples_without_stack, samples)),
			 "short_stack_share", real(ratio((double)code->samples_with_short_stack, samples)));
}
