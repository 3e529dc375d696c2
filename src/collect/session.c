/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/session.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/cost.h"
#include "collect/listing.h"
#include "collect/roster.h"

/*
 * In the order of a pass: the CPUs' shares are used by the threads, whose open calls are written with the syscalls. The requests
 * are read right after the threads; they number the flows of the connections.
 */
static const struct hr_family *const families[] = {
	&hr_family_cpus, &hr_family_threads, &hr_family_calls, &hr_family_waits, &hr_family_parallel, &hr_family_requests,
	&hr_family_connections, &hr_family_network, &hr_family_quotas, &hr_family_disks, &hr_family_memory, &hr_family_pressure,
	&hr_family_stacks, &hr_family_health,
};

/* A mean number of requests in flight that is none: one that lasts 2.5 ms in an interval of 250 ms. */
#define IDLE_IN_FLIGHT 0.01

#define FAMILIES (sizeof(families) / sizeof(*families))

struct hr_session {
	struct hr_drain drain;
	void *families[FAMILIES];
	struct hr_cost *cost;
	struct hr_cost_sample cost_sample;
	bool cost_measured; /* cost_sample belongs to this interval */
	bool disabled;
	struct hr_levels levels;
	char *target;	 /* for the run file */
	int64_t asked_unix_ns; /* when the run was to begin; HR_NULL: at once */
	uint64_t started_unix_ns;
	uint64_t interval_asked_ns, interval_ns;
	struct hr_drain_totals totals;
};

static int seed_sockets(const struct hr_drain *drain, struct hr_err *err)
{
	return hr_probes_has_requests(drain->probes) ? hr_probes_seed_sockets(drain->probes, err) : 0;
}

/* One pass over all accounts. */
static int pass(struct hr_session *session, struct hr_err *err)
{
	struct hr_drain *drain = &session->drain;
	int ret;

	memset(&drain->totals, 0, sizeof(drain->totals));
	drain->live.busiest_ns = 0;
	ret = hr_listing_sockets(drain, err);
	for (size_t i = 0; i < FAMILIES && !ret; i++)
		if (families[i]->look)
			ret = families[i]->look(session->families[i], drain, err);
	if (!ret)
		ret = hr_listing_tasks(drain, err);
	if (!ret)
		ret = hr_roster_update(drain->roster, drain, err);
	for (size_t i = 0; i < FAMILIES && !ret; i++)
		ret = families[i]->drain(session->families[i], drain, err);
	if (!ret)
		ret = hr_roster_sweep(drain->roster, drain, err);
	hr_listing_forget(drain);
	return ret;
}

static void add_cost_sample(struct hr_session *session)
{
	const struct hr_cost_sample *sample = &session->cost_sample;

	for (size_t i = 0; session->cost_measured && i < sample->count; i++)
		if (sample->programs[i].runs)
			hr_drain_add(&session->drain, HR_TABLE_probe_costs,
				     &(struct hr_row_probe_costs){
					     .interval_id = session->drain.interval_id,
					     .program = sample->programs[i].name,
					     .runs = sample->programs[i].runs,
					     .time_ns = sample->programs[i].time_ns,
					     .window_ns = sample->window_ns,
				     });
	if (session->cost_measured)
		session->drain.live.probes_share = hr_cost_share(sample);
	session->cost_measured = false;
}

static void note_live(struct hr_session *session, uint64_t end_ns)
{
	struct hr_live *live = &session->drain.live;

	live->intervals++;
	live->interval_ns = session->interval_ns;
	live->ended_ns = end_ns;
	live->threads = session->totals.threads;
}

/* False also where requests cannot be told apart. */
static bool is_idle(const struct hr_drain_totals *totals)
{
	return !totals->requests && totals->in_flight < IDLE_IN_FLIGHT;
}

int hr_session_interval(struct hr_session *session, struct hr_err *err)
{
	struct hr_drain *drain = &session->drain;
	uint64_t end_ns;
	int ret;

	if (session->disabled)
		return 0;
	hr_session_cost_end(session);
	add_cost_sample(session);
	ret = pass(session, err);
	if (ret)
		return ret;
	end_ns = drain->read_end_ns;
	session->interval_ns = end_ns - drain->start_ns;
	session->totals = drain->totals;
	note_live(session, end_ns);
	drain->late_intervals += session->interval_ns > 2 * session->interval_asked_ns;
	ret = hr_writer_add(drain->writer, HR_TABLE_intervals,
			    &(struct hr_row_intervals){
				    .interval_id = drain->interval_id,
				    .start_ns = hr_drain_time(drain, drain->start_ns),
				    .end_ns = hr_drain_time(drain, end_ns),
			    },
			    err);
	if (!ret)
		ret = hr_levels_interval(&session->levels, drain->writer, hr_drain_time(drain, drain->start_ns),
					 hr_drain_time(drain, end_ns), is_idle(&session->totals), err);
	if (!ret)
		ret = hr_writer_commit(drain->writer, err);
	drain->start_ns = end_ns;
	drain->interval_id++;
	return ret;
}

/* End the interval here; *ret_ns is the moment, as the file has it. */
static int cut(struct hr_session *session, int64_t *ret_ns, struct hr_err *err)
{
	int ret = hr_session_interval(session, err);

	*ret_ns = hr_drain_time(&session->drain, session->disabled ? hr_clock_mono_ns() : session->drain.start_ns);
	return ret;
}

int hr_session_mark(struct hr_session *session, const struct hr_mark *mark, struct hr_err *err)
{
	int64_t now_ns = 0;
	int ret = hr_levels_check(&session->levels, mark, err);

	if (!ret && hr_levels_cuts(mark))
		ret = cut(session, &now_ns, err);
	if (!ret)
		ret = hr_levels_mark(&session->levels, session->drain.writer, mark, now_ns, err);
	return ret ? ret : hr_writer_commit(session->drain.writer, err);
}

uint64_t hr_session_warmup_end_ns(const struct hr_session *session)
{
	return session->levels.is_warming ? session->drain.epoch_ns + session->levels.measured_ns : UINT64_MAX;
}

int hr_session_measure(struct hr_session *session, struct hr_err *err)
{
	int64_t now_ns;
	int ret = cut(session, &now_ns, err);

	if (!ret)
		ret = hr_levels_measure(&session->levels, session->drain.writer, now_ns, err);
	return ret ? ret : hr_writer_commit(session->drain.writer, err);
}

int hr_session_level_result(struct hr_session *session, const struct hr_level_result *result, struct hr_err *err)
{
	int ret = hr_levels_result(&session->levels, session->drain.writer, result, err);

	return ret ? ret : hr_writer_commit(session->drain.writer, err);
}

int hr_session_level_settled(struct hr_session *session, uint64_t settled_ns, struct hr_err *err)
{
	int ret = hr_levels_settled(&session->levels, session->drain.writer, (int64_t)settled_ns, err);

	return ret ? ret : hr_writer_commit(session->drain.writer, err);
}

/* Take the accounts as they are now for the base that the next interval counts from. */
static int rebase(struct hr_session *session, struct hr_err *err)
{
	int ret;

	session->drain.discard = true;
	ret = pass(session, err);
	session->drain.discard = false;
	session->drain.start_ns = session->drain.read_begin_ns;
	return ret;
}

int hr_session_enable(struct hr_session *session, bool enabled, struct hr_err *err)
{
	int ret = 0;

	if (enabled != session->disabled)
		return 0;
	ret = enabled ? rebase(session, err) : hr_session_interval(session, err);
	session->disabled = !enabled;
	return ret;
}

void hr_session_cost_begin(struct hr_session *session)
{
	if (!session->disabled)
		hr_cost_begin(session->cost, session->drain.probes);
}

void hr_session_cost_end(struct hr_session *session)
{
	if (hr_cost_is_open(session->cost))
		session->cost_measured = hr_cost_end(session->cost, session->drain.probes, &session->cost_sample);
}

/* Time and chance: sorts by start, and no two hosts make the same. */
static void make_run_id(char id[40], uint64_t unix_ns)
{
	uint64_t chance = 0;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance = hr_clock_mono_ns() ^ (uint64_t)getpid() << 32;
	snprintf(id, 40, "%013llx-%016llx", (unsigned long long)(unix_ns / 1000000), (unsigned long long)chance);
}

static int write_features(struct hr_drain *drain, const struct hr_features *features, struct hr_err *err)
{
	int ret = 0;

	for (int i = 0; i < HR_FEATURES && !ret; i++)
		ret = hr_writer_add(drain->writer, HR_TABLE_features,
				    &(struct hr_row_features){
					    .feature = hr_feature_row(i)->name,
					    .has = features->known[i] ? (int64_t)features->has[i] : HR_NULL,
					    .lost_without = hr_feature_row(i)->lost_without,
				    },
				    err);
	return ret;
}

static int write_run(struct hr_session *session, struct hr_err *err)
{
	uint64_t unix_ns = hr_clock_real_ns() - (hr_clock_mono_ns() - session->drain.epoch_ns);
	struct utsname name;
	char id[40], host[256];

	session->started_unix_ns = unix_ns;
	uname(&name);
	make_run_id(id, unix_ns);
	hr_text_clean(host, sizeof(host), name.nodename, sizeof(name.nodename));
	return hr_writer_add(session->drain.writer, HR_TABLE_run,
			     &(struct hr_row_run){
				     .run_id = id,
				     .host = host,
				     .kernel = name.release,
				     .arch = name.machine,
				     .cpus = sysconf(_SC_NPROCESSORS_ONLN),
				     .headroom_version = HR_VERSION,
				     .target = session->target,
				     .started_unix_ns = unix_ns,
				     .asked_unix_ns = session->asked_unix_ns,
				     .interval_ns = session->interval_asked_ns,
				     .ended_ns = HR_NULL,
				     .target_status = HR_NULL,
			     },
			     err);
}

static int open_families(struct hr_session *session, struct hr_err *err)
{
	session->drain.roster = hr_roster_new();
	if (!session->drain.roster)
		return hr_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < FAMILIES; i++) {
		session->families[i] = families[i]->open(&session->drain, err);
		if (!session->families[i])
			return -EIO;
	}
	return hr_cost_open(&session->cost, err);
}

/* The run begins with the first look at the accounts. */
static int begin(struct hr_session *session, struct hr_err *err)
{
	struct hr_drain *drain = &session->drain;
	int ret = rebase(session, err);

	if (!ret)
		ret = write_run(session, err);
	if (!ret)
		ret = hr_writer_commit(drain->writer, err);
	drain->interval_id = 1;
	return ret;
}

int hr_session_begin(struct hr_session *session, uint64_t asked_unix_ns, struct hr_err *err)
{
	session->asked_unix_ns = (int64_t)asked_unix_ns;
	return begin(session, err);
}

const char *hr_session_target(const struct hr_session *session)
{
	return session->target;
}

uint64_t hr_session_started_unix_ns(const struct hr_session *session)
{
	return session->started_unix_ns;
}

/* Attach before looking: what is born between the look and the attach would be missed. */
static int start(struct hr_session *session, const struct hr_session_options *options, struct hr_err *err)
{
	struct hr_drain *drain = &session->drain;
	int ret = hr_probes_attach(drain->probes, err);

	if (!ret)
		ret = hr_probes_seed(drain->probes, options->pids, options->pid_count, err);
	if (!ret)
		ret = seed_sockets(drain, err);
	if (!ret)
		ret = write_features(drain, options->features, err);
	return ret || options->waits ? ret : begin(session, err);
}

int hr_session_open(const struct hr_session_options *options, struct hr_writer *writer, struct hr_session **ret_session,
		    struct hr_err *err)
{
	struct hr_session *session = calloc(1, sizeof(*session));
	struct hr_probes_options probes = {
		.follow_children = true,
		.sample_hz = options->sample_hz,
		.request_binary = options->request_binary,
		.request_symbol = options->request_symbol,
	};
	int ret;

	if (!session)
		return hr_err_set(err, -ENOMEM, "out of memory");
	session->drain.writer = writer;
	session->interval_asked_ns = options->interval_ns;
	session->drain.live.probes_share = session->drain.live.in_flight = NAN;
	session->drain.live.collector_rss_bytes = HR_NULL;
	session->asked_unix_ns = HR_NULL;
	session->drain.request_probe = options->request_probe;
	session->target = strdup(options->target);
	ret = session->target ? 0 : hr_err_set(err, -ENOMEM, "out of memory");
	if (!ret)
		ret = hr_probes_open(&probes, &session->drain.probes, err);
	if (!ret)
		ret = open_families(session, err);
	if (!ret)
		ret = start(session, options, err);
	if (ret)
		hr_session_close(session);
	else
		*ret_session = session;
	return ret;
}

int hr_session_add(struct hr_session *session, const pid_t *pids, size_t count, struct hr_err *err)
{
	int ret = count ? hr_probes_seed(session->drain.probes, pids, count, err) : 0;

	if (ret == -ENOSPC) { /* the recording goes on with those that it has */
		session->drain.processes_lost++;
		return 0;
	}
	return !ret && count ? seed_sockets(&session->drain, err) : ret;
}

int hr_session_finish(struct hr_session *session, int64_t status, struct hr_err *err)
{
	struct hr_drain *drain = &session->drain;
	int ret;

	drain->last = true;
	ret = hr_session_interval(session, err);
	hr_probes_detach(drain->probes);
	for (size_t i = 0; i < FAMILIES && !ret; i++)
		if (families[i]->finish)
			ret = families[i]->finish(session->families[i], drain, err);
	if (!ret)
		ret = hr_levels_end(&session->levels, drain->writer, hr_drain_time(drain, drain->start_ns), err);
	if (!ret && status == HR_NULL)
		ret = hr_writer_exec(drain->writer, err, "UPDATE run SET ended_ns = ?", "i",
				     hr_drain_time(drain, drain->start_ns));
	else if (!ret)
		ret = hr_writer_exec(drain->writer, err, "UPDATE run SET ended_ns = ?, target_status = ?", "ii",
				     hr_drain_time(drain, drain->start_ns), status);
	return ret ? ret : hr_writer_finish(drain->writer, err);
}

void hr_session_close(struct hr_session *session)
{
	if (!session)
		return;
	hr_cost_close(session->cost);
	for (size_t i = 0; i < FAMILIES; i++)
		families[i]->close(session->families[i]);
	hr_roster_free(session->drain.roster);
	hr_probes_close(session->drain.probes);
	free(session->drain.open_calls);
	free(session->target);
	free(session);
}

void hr_session_mend(struct hr_session *session)
{
	hr_probes_mend(session->drain.probes);
}

uint32_t hr_session_alive(const struct hr_session *session)
{
	return hr_roster_alive(session->drain.roster, session->drain.probes);
}

const struct hr_drain_totals *hr_session_totals(const struct hr_session *session, uint64_t *ret_interval_ns)
{
	*ret_interval_ns = session->interval_ns;
	return &session->totals;
}

const struct hr_live *hr_session_live(const struct hr_session *session)
{
	return &session->drain.live;
}
