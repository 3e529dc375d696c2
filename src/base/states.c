/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/states.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *meaning;
	enum hr_state_group group;
} states[HR_STATES] = {
	[HR_STATE_USER] = { "user", "on CPU, in user mode", HR_GROUP_ON_CPU },
	[HR_STATE_KERNEL] = { "kernel", "on CPU, in a syscall", HR_GROUP_ON_CPU },
	[HR_STATE_RUNQ] = { "runq", "woken and waiting for a CPU", HR_GROUP_RUNNABLE },
	[HR_STATE_PREEMPTED] = { "preempted", "runnable, but another thread got its CPU", HR_GROUP_RUNNABLE },
	[HR_STATE_FUTEX] = { "futex", "blocked on a user-space lock or condition", HR_GROUP_BLOCKED },
	[HR_STATE_POLL] = { "poll", "blocked in epoll_wait, poll, select or an io_uring wait", HR_GROUP_BLOCKED },
	[HR_STATE_NET_RECV] = { "net_recv", "waits to receive on an inet socket", HR_GROUP_BLOCKED },
	[HR_STATE_NET_SEND] = { "net_send", "waits to send on an inet socket", HR_GROUP_BLOCKED },
	[HR_STATE_NET_ACCEPT] = { "net_accept", "waits to accept a connection on an inet socket", HR_GROUP_BLOCKED },
	[HR_STATE_NET_CONNECT] = { "net_connect", "waits for an inet socket to be connected", HR_GROUP_BLOCKED },
	[HR_STATE_IPC] = { "ipc", "waits for a pipe, unix socket, eventfd, queue or signal",
			   HR_GROUP_BLOCKED },
	[HR_STATE_DISK] = { "disk", "waits for block I/O", HR_GROUP_BLOCKED },
	[HR_STATE_FAULT] = { "fault", "off CPU in a page fault outside a syscall", HR_GROUP_BLOCKED },
	[HR_STATE_RECLAIM] = { "reclaim", "off CPU in direct memory reclaim or compaction", HR_GROUP_BLOCKED },
	[HR_STATE_KLOCK] = { "klock", "waits for a lock inside the kernel", HR_GROUP_BLOCKED },
	[HR_STATE_SLEEP] = { "sleep", "sleeps for a time that it asked for", HR_GROUP_BLOCKED },
	[HR_STATE_DEVICE] = { "device", "waits for a character device", HR_GROUP_BLOCKED },
	[HR_STATE_CHILD] = { "child", "waits for a child process", HR_GROUP_BLOCKED },
	[HR_STATE_STOPPED] = { "stopped", "stopped by a signal, a tracer or the cgroup freezer", HR_GROUP_BLOCKED },
	[HR_STATE_OTHER] = { "other", "blocked in none of the ways above", HR_GROUP_BLOCKED },
};

static const char *const groups[HR_GROUPS] = {
	[HR_GROUP_ON_CPU] = "on CPU",
	[HR_GROUP_RUNNABLE] = "waiting for CPU",
	[HR_GROUP_BLOCKED] = "blocked",
};

static const struct {
	const char *name, *meaning;
} owners[HR_OWNERS] = {
	[HR_OWNER_TARGET] = { "target", "threads of the target" },
	[HR_OWNER_OTHER] = { "other", "threads of other processes and of the kernel" },
	[HR_OWNER_IDLE] = { "idle", "nobody: the CPU was on its way out of idle" },
	[HR_OWNER_QUOTA] = { "quota", "nobody: the cgroup's CPU quota was used up" },
	[HR_OWNER_STEAL] = { "steal", "the hypervisor" },
	[HR_OWNER_IRQ] = { "irq", "interrupts" },
};

/* A run file may hold numbers and names of a later version. */
static const char unknown[] = "unknown";

const char *hr_state_name(enum hr_state state)
{
	return (unsigned int)state < HR_STATES ? states[state].name : unknown;
}

int hr_state_from_name(const char *name)
{
	for (int i = 0; i < HR_STATES; i++)
		if (!strcmp(states[i].name, name))
			return i;
	return -ENOENT;
}

const char *hr_state_meaning(enum hr_state state)
{
	return (unsigned int)state < HR_STATES ? states[state].meaning : unknown;
}

enum hr_state_group hr_state_group(enum hr_state state)
{
	return (unsigned int)state < HR_STATES ? states[state].group : HR_GROUP_BLOCKED;
}

const char *hr_state_group_name(enum hr_state_group group)
{
	return (unsigned int)group < HR_GROUPS ? groups[group] : unknown;
}

const char *hr_owner_name(enum hr_cpu_owner owner)
{
	return (unsigned int)owner < HR_OWNERS ? owners[owner].name : unknown;
}

int hr_owner_from_name(const char *name)
{
	for (int i = 0; i < HR_OWNERS; i++)
		if (!strcmp(owners[i].name, name))
			return i;
	return -ENOENT;
}

const char *hr_owner_meaning(enum hr_cpu_owner owner)
{
	return (unsigned int)owner < HR_OWNERS ? owners[owner].meaning : unknown;
}
