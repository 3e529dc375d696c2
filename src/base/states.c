/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/states.h"

#include <assert.h>
#include <string.h>

static const struct hr_state_info states[HR_STATES] = {
	[HR_STATE_USER] = { "user", "on CPU, in its own code", HR_CLASS_ON_CPU },
	[HR_STATE_KERNEL] = { "kernel", "on CPU, in a syscall", HR_CLASS_ON_CPU },
	[HR_STATE_RUNQ] = { "runq", "woken, waiting for a CPU", HR_CLASS_FOR_CPU },
	[HR_STATE_PREEMPTED] = { "preempted", "put off its CPU, waiting to go on", HR_CLASS_FOR_CPU },
	[HR_STATE_FUTEX] = { "futex", "lock or condition in user space", HR_CLASS_BLOCKED },
	[HR_STATE_POLL] = { "poll", "waiting for events (epoll, poll, select)", HR_CLASS_BLOCKED },
	[HR_STATE_NET_RECV] = { "net_recv", "waiting for data from the network", HR_CLASS_BLOCKED },
	[HR_STATE_NET_SEND] = { "net_send", "network send buffer full", HR_CLASS_BLOCKED },
	[HR_STATE_NET_ACCEPT] = { "net_accept", "waiting for connections", HR_CLASS_BLOCKED },
	[HR_STATE_NET_CONNECT] = { "net_connect", "opening a connection", HR_CLASS_BLOCKED },
	[HR_STATE_IPC] = { "ipc", "pipe, unix socket, eventfd, message queue", HR_CLASS_BLOCKED },
	[HR_STATE_DISK] = { "disk", "block I/O", HR_CLASS_BLOCKED },
	[HR_STATE_FAULT] = { "fault", "page fault", HR_CLASS_BLOCKED },
	[HR_STATE_RECLAIM] = { "reclaim", "memory reclaim or compaction", HR_CLASS_BLOCKED },
	[HR_STATE_KLOCK] = { "klock", "lock inside the kernel", HR_CLASS_BLOCKED },
	[HR_STATE_SLEEP] = { "sleep", "sleeping on a timer", HR_CLASS_BLOCKED },
	[HR_STATE_DEVICE] = { "device", "character device (GPU and its like)", HR_CLASS_BLOCKED },
	[HR_STATE_CHILD] = { "child", "waiting for a child process", HR_CLASS_BLOCKED },
	[HR_STATE_STOPPED] = { "stopped", "stopped, traced or frozen", HR_CLASS_BLOCKED },
	[HR_STATE_OTHER] = { "other", "none of these", HR_CLASS_BLOCKED },
};

static const char *const owners[HR_OWNERS] = {
	[HR_OWNER_TARGET] = "target", [HR_OWNER_OTHER] = "other", [HR_OWNER_IDLE] = "idle",
	[HR_OWNER_QUOTA] = "quota",   [HR_OWNER_STEAL] = "steal", [HR_OWNER_IRQ] = "irq",
};

const struct hr_state_info *hr_state_info(enum hr_state state)
{
	assert(state < HR_STATES);
	return &states[state];
}

const char *hr_state_name(enum hr_state state)
{
	return hr_state_info(state)->name;
}

int hr_state_by_name(const char *name)
{
	for (int i = 0; i < HR_STATES; i++)
		if (strcmp(states[i].name, name) == 0)
			return i;
	return -1;
}

const char *hr_owner_name(enum hr_cpu_owner owner)
{
	assert(owner < HR_OWNERS);
	return owners[owner];
}

int hr_owner_by_name(const char *name)
{
	for (int i = 0; i < HR_OWNERS; i++)
		if (strcmp(owners[i], name) == 0)
			return i;
	return -1;
}
