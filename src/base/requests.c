/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/requests.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const roles[HR_ROLES] = {
	[HR_ROLE_SERVER] = "server",
	[HR_ROLE_DOWNSTREAM] = "downstream",
	[HR_ROLE_PROBE] = "probe",
};

static const char *const transports[HR_TRANSPORTS] = {
	[HR_TRANSPORT_TCP] = "tcp",
	[HR_TRANSPORT_UNIX] = "unix",
	[HR_TRANSPORT_FUNCTION] = "function",
};

static const char *const endings[HR_ENDINGS] = {
	[HR_ENDING_OPEN] = "open",
	[HR_ENDING_LOCAL] = "local",
	[HR_ENDING_PEER] = "peer",
	[HR_ENDING_RESET_IN] = "reset_in",
	[HR_ENDING_RESET_OUT] = "reset_out",
	[HR_ENDING_FAILED] = "failed",
};

static const struct {
	const char *name, *meaning;
} stages[HR_STAGES] = {
	[HR_STAGE_ACCEPT] = { "accept", "connection established until accept returns it" },
	[HR_STAGE_QUEUE] = { "queue", "data arrives until its first read" },
	[HR_STAGE_SERVICE] = { "service", "first read until the first write of the answer" },
	[HR_STAGE_STREAM] = { "stream", "first until last write of the answer" },
	[HR_STAGE_TOTAL] = { "total", "data arrives until the last write of the answer" },
	[HR_STAGE_CONNECT] = { "connect", "a connection is asked for until it stands" },
	[HR_STAGE_WAIT] = { "wait", "last write of a question until the first read of the answer" },
};

/* The surest first. */
static const struct {
	unsigned int bit;
	const char *name;
} multiplexed[] = {
	{ HR_MULTIPLEXED_HTTP2, "http2" },
	{ HR_MULTIPLEXED_UPGRADED, "upgraded" },
	{ HR_MULTIPLEXED_BATCH, "batch" },
	{ HR_MULTIPLEXED_OVERLAP, "overlap" },
};

static const char *name_of(const char *const *names, unsigned int count, unsigned int number)
{
	return number < count && names[number] ? names[number] : "unknown";
}

const char *hr_role_name(enum hr_role role)
{
	return name_of(roles, HR_ROLES, role);
}

const char *hr_transport_name(enum hr_transport transport)
{
	return name_of(transports, HR_TRANSPORTS, transport);
}

const char *hr_ending_name(enum hr_ending ending)
{
	return name_of(endings, HR_ENDINGS, ending);
}

const char *hr_stage_name(enum hr_stage stage)
{
	return (unsigned int)stage < HR_STAGES ? stages[stage].name : "unknown";
}

const char *hr_stage_meaning(enum hr_stage stage)
{
	return (unsigned int)stage < HR_STAGES ? stages[stage].meaning : "unknown";
}

const char *hr_multiplexed_name(unsigned int bits)
{
	for (size_t i = 0; i < sizeof(multiplexed) / sizeof(*multiplexed); i++)
		if (bits & multiplexed[i].bit)
			return multiplexed[i].name;
	return NULL;
}

int hr_role_from_name(const char *name)
{
	for (int role = 0; role < HR_ROLES; role++)
		if (roles[role] && !strcmp(roles[role], name))
			return role;
	return -ENOENT;
}

int hr_stage_from_name(const char *name)
{
	for (int stage = 0; stage < HR_STAGES; stage++)
		if (!strcmp(stages[stage].name, name))
			return stage;
	return -ENOENT;
}
