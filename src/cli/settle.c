/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/settle.h"

#include <math.h>

#include "base/clock.h"

#define LOOK_NS 100000000ULL /* how long one look at the target is */
#define REST_LOOKS 3	     /* before the first level */
#define QUIET_LOOKS 2	     /* in a row: between two requests it is quiet too */
#define CPUS_SLACK 0.03	     /* timers and the like come when they like */
#define IN_FLIGHT_SLACK 0.5

/* An interval of its own, and what the target did in it. */
static enum hr_end look(struct hr_recorder *recorder, struct hr_rest *ret, struct hr_err *err)
{
	const struct hr_drain_totals *totals;
	enum hr_end end = hr_recorder_run(recorder, LOOK_NS, err);
	uint64_t interval_ns;

	if (end != HR_END_DURATION)
		return end;
	if (hr_recorder_cut(recorder, err))
		return HR_END_FAILURE;
	totals = hr_session_totals(recorder->session, &interval_ns);
	*ret = (struct hr_rest){
		.in_flight = totals->in_flight,
		.cpus = interval_ns ? (double)(totals->on_cpu_ns + totals->runnable_ns) / (double)interval_ns : 0,
	};
	return end;
}

enum hr_end hr_rest_measure(struct hr_recorder *recorder, struct hr_rest *ret, struct hr_err *err)
{
	struct hr_rest sum = { 0 }, now;

	for (int i = 0; i < REST_LOOKS; i++) {
		enum hr_end end = look(recorder, &now, err);

		if (end != HR_END_DURATION)
			return end;
		sum.in_flight += now.in_flight;
		sum.cpus += now.cpus;
	}
	*ret = (struct hr_rest){ .in_flight = sum.in_flight / REST_LOOKS, .cpus = sum.cpus / REST_LOOKS };
	return HR_END_DURATION;
}

bool hr_rest_is(const struct hr_rest *now, const struct hr_rest *rest)
{
	const double in_flight = isnan(rest->in_flight) ? 0 : rest->in_flight;

	if (!isnan(now->in_flight) && now->in_flight > in_flight + IN_FLIGHT_SLACK)
		return false;
	return now->cpus <= 1.5 * rest->cpus + CPUS_SLACK;
}

enum hr_end hr_rest_wait(struct hr_recorder *recorder, const struct hr_rest *rest, uint64_t limit_ns, bool *ret_settled,
			 uint64_t *ret_settled_ns, struct hr_err *err)
{
	const uint64_t begin_ns = hr_clock_mono_ns();
	uint64_t quiet_since_ns = begin_ns;
	struct hr_rest now;

	for (int quiet = 0; quiet < QUIET_LOOKS;) {
		enum hr_end end;

		if (hr_clock_mono_ns() - begin_ns >= limit_ns) {
			*ret_settled = false;
			return HR_END_DURATION;
		}
		end = look(recorder, &now, err);
		if (end != HR_END_DURATION)
			return end;
		quiet = hr_rest_is(&now, rest) ? quiet + 1 : 0;
		if (!quiet)
			quiet_since_ns = hr_clock_mono_ns();
	}
	*ret_settled = true;
	*ret_settled_ns = quiet_since_ns - begin_ns;
	return HR_END_DURATION;
}
