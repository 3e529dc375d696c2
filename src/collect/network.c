/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel itself counts of TCP, for each network namespace that the target is in: what the namespace's other processes
 * do is in these counters too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/drain.h"
#include "collect/files.h"
#include "collect/netstat.h"
#include "collect/roster.h"

#define NAMESPACES_MAX 16 /* beyond them a namespace is not measured */

struct namespace {
	uint64_t inode;
	struct hr_netstat before;
};

struct network {
	uint64_t own_inode; /* of the namespace that headroom is in */
	struct namespace namespaces[NAMESPACES_MAX];
	int count;
	struct {
		int64_t process_id;
		uint64_t inode; /* 0: not known */
		uint32_t execs; /* it has gone through when that was looked up */
	} processes[HR_PROCESS_SLOTS];
};

/* The inode of a process's network namespace; 0: it is gone. who: a pid, or "self". */
static uint64_t namespace_of(const char *who)
{
	uint64_t inode;
	char link[64];

	if (hr_link_readf(link, sizeof(link), "/proc/%s/ns/net", who) < 0)
		return 0;
	return sscanf(link, "net:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

static void add_namespace(struct network *network, uint64_t inode)
{
	for (int i = 0; i < network->count; i++)
		if (network->namespaces[i].inode == inode)
			return;
	if (inode && network->count < NAMESPACES_MAX)
		network->namespaces[network->count++] = (struct namespace){ .inode = inode };
}

/* Where the processes are that came since the last pass, or began another program: a command enters a namespace and then execs. */
static void look_at_newcomers(struct network *network, const struct hr_drain *drain)
{
	char who[16];

	for (uint32_t slot = 1; slot < hr_roster_process_slots(drain->roster); slot++) {
		const struct hr_process *process = hr_probes_process(drain->probes, slot);
		int64_t process_id = hr_roster_process_id(drain->roster, slot);
		uint32_t execs = process->execs;

		if (network->processes[slot].process_id == process_id && network->processes[slot].execs == execs)
			continue;
		snprintf(who, sizeof(who), "%u", process->pid);
		network->processes[slot].process_id = process_id;
		network->processes[slot].execs = execs;
		network->processes[slot].inode = process_id ? namespace_of(who) : 0;
		add_namespace(network, network->processes[slot].inode);
	}
}

/* Somebody who is in the namespace at this moment. False: nobody is left. */
static bool find_member(const struct network *network, const struct hr_drain *drain, uint64_t inode, char who[16])
{
	if (inode == network->own_inode) {
		snprintf(who, 16, "self");
		return true;
	}
	for (uint32_t slot = 1; slot < hr_roster_process_slots(drain->roster); slot++) {
		const struct hr_process *process = hr_probes_process(drain->probes, slot);

		if (network->processes[slot].inode != inode || process->ended_ns)
			continue;
		snprintf(who, 16, "%u", process->pid);
		if (namespace_of(who) == inode) /* not gone since, nor moved */
			return true;
	}
	return false;
}

static void add_growth(struct hr_drain *drain, const struct namespace *namespace, const struct hr_netstat *now)
{
	for (int counter = 0; counter < HR_NETSTAT_COUNTERS; counter++) {
		bool known = now->known[counter];
		uint64_t growth = hr_drain_growth(now->counts[counter], namespace->before.counts[counter]);

		if (known && (!growth || !namespace->before.known[counter]))
			continue;
		hr_drain_add(drain, HR_TABLE_network_counters,
			     &(struct hr_row_network_counters){
				     .interval_id = drain->interval_id,
				     .namespace = namespace->inode,
				     .counter = hr_netstat_name(counter),
				     .count = known ? (int64_t)growth : HR_NULL,
			     });
	}
}

/* A counter that could not be read keeps its base: the next pass has its growth since then. */
static void drain_namespace(const struct network *network, struct hr_drain *drain, struct namespace *namespace)
{
	struct hr_netstat now;
	char who[16];

	if (!find_member(network, drain, namespace->inode, who))
		return;
	hr_netstat_read("", who, &now);
	add_growth(drain, namespace, &now);
	for (int counter = 0; counter < HR_NETSTAT_COUNTERS; counter++) {
		if (!now.known[counter])
			continue;
		namespace->before.counts[counter] = now.counts[counter];
		namespace->before.known[counter] = true;
	}
}

static int drain_network(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct network *network = family;

	(void)err;
	look_at_newcomers(network, drain);
	for (int i = 0; i < network->count; i++)
		drain_namespace(network, drain, &network->namespaces[i]);
	return 0;
}

static void *open_network(struct hr_drain *drain, struct hr_err *err)
{
	struct network *network = calloc(1, sizeof(*network));

	(void)drain;
	if (network)
		network->own_inode = namespace_of("self");
	else
		hr_err_set(err, -ENOMEM, "out of memory");
	return network;
}

const struct hr_family hr_family_network = { "network", open_network, NULL, drain_network, NULL, free };
