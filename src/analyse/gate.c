/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/gate.h"

#include <math.h>
#include <string.h>

#include "analyse/laws.h"
#include "analyse/lock_use.h"
#include "analyse/station.h"
#include "headroom/net.h"

#define TURNS_GROWTH 1.5 /* of the waits per request; where nothing is waited for they do not grow, but for noise */
#define OWN_GROWTH 0.1 /* of the time of a request: what it waits more in the program itself, but for noise */

/* Who may come to a lock or take a turn: the clients, where it is known how many there are. */
static double customers_of(const struct hr_level *level)
{
	return level->is_rate ? NAN : level->offered;
}

/* What passes it at a level, as those see it who wait. */
struct passage {
	double waited_ns;
	double waits, handover_ns, contended_ns; /* NAN: not known */
};

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_at_gate(const struct hr_summary *summary, const struct hr_wait_summary *wait, const struct hr_gate *gate)
{
	return wait->state == gate->turn->state && is_same_text(wait->subject, gate->turn->subject) &&
	       is_same_text(summary->groups[wait->group].label, gate->summary->groups[gate->turn->group].label) && hr_wait_is_turn(summary, wait);
}

static struct passage passage_of_turns(const struct hr_summary *summary, const struct hr_gate *gate)
{
	struct passage passage = { .contended_ns = NAN };

	for (size_t i = 0; i < summary->waits.wait_count; i++) {
		const struct hr_wait_summary *wait = &summary->waits.waits[i];

		if (!is_at_gate(summary, wait, gate))
			continue;
		passage.waits += (double)wait->count;
		passage.waited_ns += (double)wait->time_ns;
		passage.handover_ns += wait->handover_ns == HR_NULL ? 0 : (double)wait->handover_ns;
	}
	return passage;
}

static double wait_in_ns(const struct hr_level *level, enum hr_state state)
{
	const struct hr_budget *budget = &level->summary->requests.budget;

	return (double)budget->state_ns[state] / (double)budget->requests;
}

/* Of a request: what it waits in the program itself. */
static double own_wait_ns(const struct hr_level *level, bool with_polls)
{
	return wait_in_ns(level, HR_STATE_FUTEX) + wait_in_ns(level, HR_STATE_SLEEP) + (with_polls ? wait_in_ns(level, HR_STATE_POLL) : 0);
}

static struct passage passage_of(const struct hr_level *level, const struct hr_gate *gate)
{
	struct hr_lock_use use;

	if (gate->turn)
		return passage_of_turns(level->summary, gate);
	if (gate->low)
		return (struct passage){ (own_wait_ns(level, gate->with_polls) - own_wait_ns(gate->low, gate->with_polls)) *
						 (double)level->summary->requests.requests, NAN, NAN, NAN };
	if (!gate->lock)
		return (struct passage){ 0 };
	use = hr_lock_use_of(level->summary, gate->lock);
	return (struct passage){ use.waited_ns, use.waits, use.handover_ns, use.contended_ns };
}

double hr_gate_used(const struct hr_level *level, const struct hr_gate *gate)
{
	double recorded_ns = (double)level->summary->run.recorded_ns;
	struct passage passage = passage_of(level, gate);
	const struct hr_station station = {
		.customers = customers_of(level),
		.contended_share = passage.contended_ns / recorded_ns,
		.waiting = passage.waited_ns / recorded_ns,
		.waits_per_s = passage.waits / recorded_ns * 1e9,
		.requests_per_s = level->summary->requests.throughput_rps,
		.handover_s = passage.handover_ns / passage.waits / 1e9,
	};

	return passage.waited_ns > 0 ? hr_station_used_full(&station) : NAN;
}

static double waited_per_request(const struct hr_level *level, const struct hr_gate *gate)
{
	double requests = level->summary->requests.throughput_rps * (double)level->summary->run.recorded_ns;

	return passage_of(level, gate).waited_ns / requests;
}

/*
 * Threads that have nothing to do wait on a lock or for each other too, as for one that hands out work. But those waits are shorter the
 * more there is to do, and those for a turn longer: so they must grow per request, over the levels up to that load.
 */
static bool grows(const struct hr_axis *axis, double load_most, const struct hr_gate *gate)
{
	const struct hr_level *first = NULL, *last = NULL;

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++) {
		if (!(waited_per_request(&axis->levels[i], gate) > 0))
			continue;
		first = first ? first : &axis->levels[i];
		last = &axis->levels[i];
	}
	return first != last && waited_per_request(last, gate) > TURNS_GROWTH * waited_per_request(first, gate);
}

/* The lock for which the waits grow that is waited for most, of those levels that are not above that load. */
struct hr_gate hr_gate_find_lock(const struct hr_axis *axis, double load_most)
{
	struct hr_gate worst = { 0 };

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++) {
		const struct hr_waits_summary *waits = &axis->levels[i].summary->waits;

		for (size_t k = 0; k < waits->lock_count; k++) {
			struct hr_gate gate = { .lock = &waits->locks[k] };

			if (hr_lock_is_of_user(gate.lock) && (!worst.lock || gate.lock->time_ns > worst.lock->time_ns) &&
			    grows(axis, load_most, &gate))
				worst = gate;
		}
	}
	return worst;
}

/* Likewise the waits for a turn. */
struct hr_gate hr_gate_find_turns(const struct hr_axis *axis, double load_most)
{
	struct hr_gate worst = { 0 };

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++) {
		const struct hr_summary *summary = axis->levels[i].summary;

		for (size_t k = 0; k < summary->waits.wait_count; k++) {
			struct hr_gate gate = { .turn = &summary->waits.waits[k], .summary = summary };

			if (hr_wait_is_turn(summary, gate.turn) && (!worst.turn || gate.turn->time_ns > worst.turn->time_ns) &&
			    grows(axis, load_most, &gate))
				worst = gate;
		}
	}
	return worst;
}

/* Most polls wait for clients or peers. Do others of their kind end as much of them as requests wait longer in them? */
static bool polls_are_turns(const struct hr_level *low, const struct hr_level *level)
{
	const struct hr_waits_summary *waits = &level->summary->waits;
	double longer_ns = (wait_in_ns(level, HR_STATE_POLL) - wait_in_ns(low, HR_STATE_POLL)) * (double)level->summary->requests.requests;
	double turns_ns = 0;

	for (size_t i = 0; i < waits->wait_count; i++)
		if (waits->waits[i].state == HR_STATE_POLL && hr_wait_is_turn(level->summary, &waits->waits[i]))
			turns_ns += (double)waits->waits[i].time_ns;
	return turns_ns > longer_ns;
}

struct hr_gate hr_gate_find_own(const struct hr_axis *axis, double load_most, const struct hr_gate *lock, const struct hr_gate *turns)
{
	struct hr_gate own = { .low = &axis->levels[0] };
	const struct hr_level *last = own.low;
	double longer_ns, seen_ns;

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++)
		last = &axis->levels[i];
	own.with_polls = polls_are_turns(own.low, last);
	longer_ns = own_wait_ns(last, own.with_polls) - own_wait_ns(own.low, own.with_polls);
	seen_ns = passage_of(last, lock).waited_ns + passage_of(last, turns).waited_ns;
	if (!(longer_ns > OWN_GROWTH * own.low->summary->requests.in_flight / own.low->summary->requests.throughput_rps * 1e9) ||
	    !(passage_of(last, &own).waited_ns > 2 * seen_ns))
		return (struct hr_gate){ 0 };
	return own;
}
