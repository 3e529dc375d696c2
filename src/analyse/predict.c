/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/predict.h"

#include <math.h>

#include "analyse/fair.h"

/* How far the bounds are off, apart from noise: they leave out that parts of a system hinder each other near their limits. */
#define BOUND_ERROR 0.15
#define SAME_ERROR 0.08 /* where nothing is expected to change */
#define COLD_ERROR 0.15 /* of CPU time that remains where other goes: among that it found its caches cold, alone it may take less */
/*
 * With an idle CPU a request takes so much more of it than with a busy one: who has to be woken finds its caches cold. Of 12 servers on
 * two CPUs those that compute for 0.7 ms and more took 4 to 14 % less per request at full load, and those of 0.1 to 0.3 ms 80 to 150 us,
 * a third to a half.
 */
#define WAKE_SHARE 0.1
#define WAKE_US 60
#define WAKE_SHARE_MOST 0.5
#define GROWN 0.2 /* of the throughput, from the lowest load to the highest: with less, what others take more is not for the requests */

/* The resources of a server of which there can be more or fewer. */
enum part { PART_CPU, PART_THREAD, PART_POOL, PART_LOCK, PART_LOAD, PARTS };

static const char *const part_words[PARTS] = {
	[PART_CPU] = "the CPUs",
	[PART_THREAD] = "the busiest thread",
	[PART_POOL] = "the workers",
	[PART_LOCK] = "the lock",
	[PART_LOAD] = "the load that was offered",
};

/* The highest throughput that each allows; INFINITY: as much as anybody likes. */
struct bounds {
	double rps[PARTS];
	double error[PARTS];   /* 95 %, as a share of it, beside what all are off; 0: no more */
	struct hr_range unknown[PARTS]; /* and it may be so many times that, by what is not known and has no odds; 0, 0: no such thing */
};

static double or_infinity(double value)
{
	return isfinite(value) && value > 0 ? value : INFINITY;
}

/* What others take of the CPUs: at any load, as the rest of the host does, and with each request, as a load generator does. */
struct others {
	double always, per_request_us;
};

static double all_cpus(const struct hr_contrast *contrast)
{
	const double *top = contrast->top.value;

	return (top[HR_LAW_CPUS_TARGET] + top[HR_LAW_CPUS_OTHER]) / top[HR_LAW_CPUS_BUSY];
}

/* As if all of it were for the requests: where throughput does not grow, nothing tells. */
static struct others all_with_requests(const struct hr_laws *laws)
{
	return (struct others){ 0, laws->value[HR_LAW_CPUS_OTHER] / laws->value[HR_LAW_THROUGHPUT] * 1e6 };
}

/* By the lowest load and the highest. */
static struct others others_of(const struct hr_contrast *contrast)
{
	const double *top = contrast->top.value, *low = contrast->low.value;
	double grown, more;

	if (!contrast->has_low)
		return all_with_requests(&contrast->top);
	grown = top[HR_LAW_THROUGHPUT] - low[HR_LAW_THROUGHPUT];
	more = top[HR_LAW_CPUS_OTHER] - low[HR_LAW_CPUS_OTHER];
	if (grown < GROWN * low[HR_LAW_THROUGHPUT] || more <= 0)
		return (struct others){ (low[HR_LAW_CPUS_OTHER] + top[HR_LAW_CPUS_OTHER]) / 2, 0 };
	if (low[HR_LAW_CPUS_OTHER] <= more / grown * low[HR_LAW_THROUGHPUT])
		return all_with_requests(&contrast->top);
	return (struct others){ low[HR_LAW_CPUS_OTHER] - more / grown * low[HR_LAW_THROUGHPUT], more / grown * 1e6 };
}

/* What a request takes where that CPU has no idle time left, of the time that it takes where it is busy for this share. */
static double warm_share(double demand_us, double busy)
{
	double wake = fmin(WAKE_SHARE_MOST, fmax(WAKE_SHARE, WAKE_US / demand_us));

	return busy < 1 ? 1 - wake * (1 - busy) : 1;
}

/* The CPUs that are left by others over what a request takes of them. */
static double cpu_bound_rps(const struct hr_contrast *contrast, double demand_us, struct others others)
{
	return or_infinity((all_cpus(contrast) - others.always) / (demand_us + others.per_request_us) /
			   warm_share(demand_us, contrast->top.value[HR_LAW_CPUS_BUSY]) * 1e6);
}

/*
 * Whether others would give way if the server wanted their CPUs is not known: a fair share is reckoned with, and the range reaches from
 * all to nothing. What they take with each request is the load generator's, and stays; but without the cause that may be work of the
 * kernel for its sake, as reclaim and I/O are, and go: then half of it.
 */
static void set_cpu_bound(struct bounds *bounds, const struct hr_contrast *contrast, double demand_us, bool per_request_may_go)
{
	struct others others = others_of(contrast);
	double kept = hr_fair_kept_share(others.always, all_cpus(contrast), contrast->top.value[HR_LAW_POOL_SLOTS]);
	double least_rps = fmin(cpu_bound_rps(contrast, demand_us, others),
				cpu_bound_rps(contrast, demand_us, all_with_requests(&contrast->top)));
	double most_rps = cpu_bound_rps(contrast, demand_us, (struct others){ 0, per_request_may_go ? 0 : others.per_request_us });

	others.always *= kept;
	others.per_request_us *= per_request_may_go ? 0.5 : 1;
	bounds->rps[PART_CPU] = cpu_bound_rps(contrast, demand_us, others);
	bounds->error[PART_CPU] = 1 - warm_share(demand_us, contrast->top.value[HR_LAW_CPUS_BUSY]);
	bounds->unknown[PART_CPU] = (struct hr_range){ least_rps / bounds->rps[PART_CPU], most_rps / bounds->rps[PART_CPU] };
}

/* Bounds as they are measured at the highest load. */
static struct bounds measure(const struct hr_contrast *contrast)
{
	const double *top = contrast->top.value, *low = contrast->low.value;
	struct bounds bounds = { 0 };

	set_cpu_bound(&bounds, contrast, top[HR_LAW_CPU_DEMAND], false);
	bounds.rps[PART_THREAD] = or_infinity(top[HR_LAW_THROUGHPUT] / top[HR_LAW_THREAD_BUSY] /
					       warm_share(top[HR_LAW_CPU_DEMAND], top[HR_LAW_THREAD_BUSY]));
	bounds.error[PART_THREAD] = 1 - warm_share(top[HR_LAW_CPU_DEMAND], top[HR_LAW_THREAD_BUSY]);
	bounds.rps[PART_POOL] = or_infinity(top[HR_LAW_POOL_SLOTS] / top[HR_LAW_POOL_DEMAND] * 1e6);
	bounds.rps[PART_LOCK] = or_infinity(top[HR_LAW_THROUGHPUT] / top[HR_LAW_LOCK_CONTENDED]);
	bounds.rps[PART_LOAD] = INFINITY;
	if (contrast->has_low && top[HR_LAW_CLIENTS] > 0 && low[HR_LAW_CLIENTS] > 0)
		bounds.rps[PART_LOAD] = low[HR_LAW_THROUGHPUT] / low[HR_LAW_CLIENTS] * top[HR_LAW_CLIENTS];
	else if (contrast->has_low && top[HR_LAW_IN_FLIGHT] > 0 && low[HR_LAW_IN_FLIGHT] > 0)
		bounds.rps[PART_LOAD] = low[HR_LAW_THROUGHPUT] / low[HR_LAW_IN_FLIGHT] * top[HR_LAW_IN_FLIGHT];
	return bounds;
}

/* Which part each class says is full; PARTS: another one. */
static enum part part_of(enum hr_verdict_class class)
{
	switch (class) {
	case HR_VERDICT_CPU_SATURATED:
	case HR_VERDICT_CPU_OVERSUBSCRIBED: return PART_CPU;
	case HR_VERDICT_SERIAL_THREAD: return PART_THREAD;
	case HR_VERDICT_WORKER_POOL: return PART_POOL;
	case HR_VERDICT_LOCK_CONTENTION: return PART_LOCK;
	default: return PARTS;
	}
}

static void add(struct hr_verdict *verdict, enum hr_change change, double throughput_rps, struct hr_range range, const char *limit)
{
	if (!isfinite(throughput_rps) || throughput_rps <= 0)
		return;
	verdict->predictions[verdict->prediction_count++] = (struct hr_prediction){
		.change = change,
		.throughput_rps = throughput_rps,
		.range = range,
		.limit = limit,
	};
}

static struct hr_range around(double rps, double error)
{
	return (struct hr_range){ rps * (1 - error), rps * (1 + error) };
}

/* How little and how much a bound may be. */
static struct hr_range range_of(const struct bounds *bounds, enum part part, double noise)
{
	double error = hypot(hypot(noise, BOUND_ERROR), bounds->error[part]);
	struct hr_range unknown = bounds->unknown[part], range = around(bounds->rps[part], fmin(1, error));

	range.low *= unknown.low > 0 ? fmin(1, unknown.low) : 1;
	range.high *= unknown.high > 0 ? fmax(1, unknown.high) : 1;
	return range;
}

/* With these bounds; not below what is there now: a change for the better does not make it worse. */
static void add_bounded(struct hr_verdict *verdict, enum hr_change change, const struct bounds *bounds, double now_rps, double noise)
{
	struct hr_range least_range = { INFINITY, INFINITY };
	enum part least = 0;

	for (enum part part = 0; part < PARTS; part++) {
		struct hr_range range = range_of(bounds, part, noise);

		if (bounds->rps[part] < bounds->rps[least])
			least = part;
		least_range.low = fmin(least_range.low, range.low);
		least_range.high = fmin(least_range.high, range.high);
	}
	if (isinf(bounds->rps[least]))
		return;
	if (bounds->rps[least] < now_rps) {
		least_range.low = around(now_rps, hypot(noise, BOUND_ERROR)).low;
		least_range.high = fmax(least_range.high, around(now_rps, hypot(noise, BOUND_ERROR)).high);
	}
	add(verdict, change, fmax(bounds->rps[least], now_rps), least_range, part_words[least]);
}

/* 95 % of the mean over the windows of a level, as a share of it. */
static double noise_of(const struct hr_level *level)
{
	double sum = 0, squares = 0, seconds = 0, mean;

	for (size_t i = 0; i < level->window_count; i++) {
		sum += level->windows[i].throughput_rps * level->windows[i].seconds;
		seconds += level->windows[i].seconds;
	}
	mean = sum / seconds;
	for (size_t i = 0; i < level->window_count; i++)
		squares += pow(level->windows[i].throughput_rps / mean - 1, 2) * level->windows[i].seconds / seconds;
	return level->window_count > 1 && mean > 0 ? 2 * sqrt(squares / (double)(level->window_count - 1)) : 0;
}

/* What of a request's time at low load goes with the cause, where it is not known of requests but of all that is not idle: its share. */
static double gone_share(enum hr_verdict_class class, const double *low)
{
	double share;

	switch (class) {
	case HR_VERDICT_DISK_IO: share = low[HR_LAW_BUSY_DISK]; break;
	case HR_VERDICT_MEMORY: share = low[HR_LAW_BUSY_MEMORY]; break;
	case HR_VERDICT_KERNEL_LOCK: share = low[HR_LAW_BUSY_KLOCK]; break;
	case HR_VERDICT_DEVICE: share = low[HR_LAW_BUSY_DEVICE]; break;
	case HR_VERDICT_TIMER: share = low[HR_LAW_BUSY_SLEEP]; break;
	default: return 0;
	}
	return share > 0 && share < 1 ? share : 0;
}

/*
 * What the load allows without the cause. A client's turn at low load is the time in the server and what it takes between two requests;
 * what is saved in the server shortens it, but to no less than the CPU time that is left.
 */
static double load_bound_rps(enum hr_verdict_class class, const struct hr_remains *remains, double measured_rps,
			     const struct hr_contrast *contrast)
{
	const double *low = contrast->low.value;
	double saved_us = fmax(remains->saved_us, gone_share(class, low) * low[HR_LAW_LATENCY]);
	double most_us = low[HR_LAW_LATENCY] - (remains->cpu_us > 0 ? remains->cpu_us : low[HR_LAW_CPU_DEMAND]);
	double clients = low[HR_LAW_CLIENTS] > 0 ? low[HR_LAW_CLIENTS] : low[HR_LAW_IN_FLIGHT];
	double turn_us = clients / low[HR_LAW_THROUGHPUT] * 1e6;

	saved_us = fmin(saved_us, fmax(0, most_us));
	return saved_us > 0 && turn_us > saved_us ? measured_rps * turn_us / (turn_us - saved_us) : measured_rps;
}

/*
 * What a request takes more of the CPUs at the highest load than at the lowest goes with the lock for which more wait: switches, and
 * attempts to take it.
 */
static double contended_demand_us(enum hr_verdict_class class, const struct hr_contrast *contrast)
{
	const double *top = contrast->top.value, *low = contrast->low.value;

	if (class != HR_VERDICT_LOCK_CONTENTION || !contrast->has_low)
		return top[HR_LAW_CPU_DEMAND];
	return fmin(top[HR_LAW_CPU_DEMAND], low[HR_LAW_CPU_DEMAND] * warm_share(low[HR_LAW_CPU_DEMAND], low[HR_LAW_CPUS_BUSY]) /
							   warm_share(top[HR_LAW_CPU_DEMAND], top[HR_LAW_CPUS_BUSY]));
}

/* With the cause gone: what is bound by it now is bound by the others. */
static struct bounds without(enum hr_verdict_class class, const struct bounds *measured, const struct hr_remains *remains,
			     const struct hr_contrast *contrast)
{
	const double *top = contrast->top.value;
	double demand_us = fmin(remains->cpu_us > 0 ? remains->cpu_us : top[HR_LAW_CPU_DEMAND], contended_demand_us(class, contrast));
	enum part part = part_of(class);
	struct bounds left = *measured;

	if (part < PARTS)
		left.rps[part] = INFINITY;
	left.rps[PART_LOAD] = load_bound_rps(class, remains, left.rps[PART_LOAD], contrast);
	if (class == HR_VERDICT_LOCK_CONTENTION)
		set_cpu_bound(&left, contrast, demand_us, false);
	if (remains->cpu_us > 0) {
		set_cpu_bound(&left, contrast, demand_us, true);
		left.rps[PART_THREAD] *= top[HR_LAW_CPU_DEMAND] / demand_us;
		for (enum part each = PART_CPU; each <= PART_POOL; each++)
			left.error[each] = hypot(remains->cpu_error, COLD_ERROR);
	}
	/* time in the lock, the disk, ... is time of the workers: with the cause it goes too */
	if (class != HR_VERDICT_WORKER_POOL && class != HR_VERDICT_CLIENT_LIMITED) {
		left.rps[PART_POOL] = or_infinity(top[HR_LAW_POOL_SLOTS] / demand_us / warm_share(demand_us, top[HR_LAW_CPUS_BUSY]) * 1e6);
		left.error[PART_POOL] = fmax(left.error[PART_POOL], 1 - warm_share(demand_us, top[HR_LAW_CPUS_BUSY]));
	}
	if (class == HR_VERDICT_CPU_OVERSUBSCRIBED) { /* what is spun away is not there at low load */
		left.rps[PART_THREAD] = left.rps[PART_POOL] = INFINITY;
		left.rps[PART_CPU] = or_infinity(measured->rps[PART_CPU] * top[HR_LAW_CPU_DEMAND] / contrast->low.value[HR_LAW_CPU_DEMAND]);
	}
	if (class == HR_VERDICT_CPU_NEIGHBOUR) { /* the CPUs where it may run are its own; at low load it had them no more than now */
		left.rps[PART_CPU] = or_infinity(top[HR_LAW_CPUS_USABLE] / top[HR_LAW_CPU_DEMAND] * 1e6);
		left.unknown[PART_CPU] = (struct hr_range){ 0, 0 };
		left.rps[PART_LOAD] = INFINITY;
	}
	if (class == HR_VERDICT_CLIENT_LIMITED) {
		left.rps[PART_LOAD] = INFINITY;
		left.rps[PART_CPU] = or_infinity(measured->rps[PART_CPU] / top[HR_LAW_CPU_TARGET_SHARE]);
	}
	if (class == HR_VERDICT_NETWORK_LOSS || class == HR_VERDICT_NETWORK_SEND) /* it is waited for at any load, by each client alone */
		left.rps[PART_LOAD] = INFINITY;
	if (class == HR_VERDICT_SERIAL_THREAD)
		left.rps[PART_POOL] = left.rps[PART_LOCK] = INFINITY;
	if (class == HR_VERDICT_LOCK_CONTENTION)
		left.rps[PART_THREAD] = INFINITY;
	if (class != HR_VERDICT_LOCK_CONTENTION && part_of(class) == PARTS)
		left.rps[PART_LOCK] = INFINITY;
	return left;
}

/* What there is without any change: the best level, which need not be the one of the highest load. NAN: not known. */
static double most_now_rps(const struct hr_contrast *contrast, const struct hr_verdict *verdict)
{
	double top_rps = contrast->top.value[HR_LAW_THROUGHPUT];

	return verdict->throughput_rps > top_rps ? verdict->throughput_rps : top_rps;
}

/*
 * The server has the CPUs where it runs and as many more. On those there may be others already: where it takes all there are, all of these
 * come with them, and grow with the throughput as a load generator does; where some are left, as many as fall to its part. The range
 * reaches on to where they keep out of its way.
 */
static void double_cpus(const struct hr_contrast *contrast, struct bounds *bounds)
{
	const double *top = contrast->top.value;
	double here = top[HR_LAW_CPUS_USABLE], here_busy = top[HR_LAW_CPUS_HERE] * here, away = all_cpus(contrast) - here;
	double away_busy = top[HR_LAW_CPUS_TARGET] + top[HR_LAW_CPUS_OTHER] - here_busy;
	double come = away > 0.5 ? fmax(0, away_busy) * fmin(1, here / away) : 0;

	bounds->rps[PART_CPU] *= 2;
	if (!(come > 0))
		return;
	bounds->unknown[PART_CPU] = (struct hr_range){ 1, 1 + come / here_busy };
	bounds->rps[PART_CPU] /= bounds->unknown[PART_CPU].high;
}

static void predict_twice(const struct hr_contrast *contrast, const struct bounds *measured, double noise, struct hr_verdict *verdict)
{
	static const struct {
		enum hr_change change;
		enum part part;
		bool also_threads; /* twice of it is twice of the thread that is the limit, too */
	} twice[] = {
		{ HR_CHANGE_TWICE_CPUS, PART_CPU, false },
		{ HR_CHANGE_TWICE_WORKERS, PART_POOL, true },
	};
	double now_rps = most_now_rps(contrast, verdict);
	enum part part = part_of(verdict->finding.class);

	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		struct bounds bounds = *measured;

		if (part != twice[i].part && !(twice[i].also_threads && part == PART_THREAD)) {
			add(verdict, twice[i].change, now_rps, around(now_rps, hypot(noise, SAME_ERROR)), NULL);
			continue;
		}
		bounds.rps[PART_LOCK] = part == PART_LOCK ? bounds.rps[PART_LOCK] : INFINITY;
		if (twice[i].part == PART_CPU)
			double_cpus(contrast, &bounds);
		else
			bounds.rps[twice[i].part] *= 2;
		if (twice[i].also_threads)
			bounds.rps[PART_THREAD] *= 2;
		if (part == PART_CPU)
			bounds.rps[PART_POOL] = INFINITY; /* its workers are busy because they wait for a CPU */
		if (part == PART_THREAD)
			bounds.rps[PART_POOL] = INFINITY;
		add_bounded(verdict, twice[i].change, &bounds, now_rps, noise);
	}
}

/* Replicas bring everything twice but what they share. */
static bool is_shared(enum hr_verdict_class class)
{
	return class == HR_VERDICT_DOWNSTREAM || class == HR_VERDICT_CLIENT_LIMITED || class == HR_VERDICT_NETWORK_LOSS ||
	       class == HR_VERDICT_NETWORK_SEND;
}

void hr_predict(const struct hr_contrast *contrast, const struct hr_remains *remains, const struct hr_level *top, struct hr_verdict *verdict)
{
	double now_rps = most_now_rps(contrast, verdict), noise = noise_of(top);
	struct bounds measured, left;

	if (!(now_rps > 0) || verdict->finding.class == HR_VERDICT_INCONCLUSIVE)
		return;
	measured = measure(contrast);
	if (verdict->finding.class == HR_VERDICT_CPU_SATURATED) { /* those where it may run, which need not be all */
		measured.unknown[PART_CPU] = (struct hr_range){ 0, 0 };
		measured.rps[PART_CPU] = or_infinity(contrast->top.value[HR_LAW_THROUGHPUT] / contrast->top.value[HR_LAW_CPUS_HERE]);
	}
	if (verdict->finding.subject && verdict->finding.subject == contrast->top.subject.links) /* workers are there; connections are not */
		measured.rps[PART_POOL] = or_infinity(contrast->top.value[HR_LAW_THROUGHPUT]);
	if (verdict->finding.class == HR_VERDICT_NOT_SATURATED) {
		double least = fmin(measured.rps[PART_CPU], fmin(measured.rps[PART_THREAD], measured.rps[PART_POOL]));

		verdict->headroom = isfinite(least) ? least / now_rps : NAN;
		return;
	}
	predict_twice(contrast, &measured, noise, verdict);
	if (is_shared(verdict->finding.class)) {
		add(verdict, HR_CHANGE_TWICE_REPLICAS, now_rps, around(now_rps, hypot(noise, SAME_ERROR)), NULL);
	} else {
		double twice_rps = fmin(2 * now_rps, fmax(now_rps, measured.rps[PART_LOAD]));

		add(verdict, HR_CHANGE_TWICE_REPLICAS, twice_rps, around(twice_rps, hypot(noise, BOUND_ERROR)),
		    measured.rps[PART_LOAD] < 2 * now_rps ? part_words[PART_LOAD] : "each replica, as this one");
	}
	if (verdict->finding.class == HR_VERDICT_CPU_SATURATED)
		return; /* useful work is no cause that could go: twice the CPUs says what there is to say */
	left = without(verdict->finding.class, &measured, remains, contrast);
	add_bounded(verdict, HR_CHANGE_CAUSE_REMOVED, &left, now_rps, noise);
}
