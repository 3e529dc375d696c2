/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/disks.h"

#include <string.h>

static const char *const operation_names[HR_DISK_OPERATIONS] = {
	[HR_DISK_READ] = "read",
	[HR_DISK_WRITE] = "write",
	[HR_DISK_FLUSH] = "flush",
	[HR_DISK_DISCARD] = "discard",
	[HR_DISK_OTHER] = "other",
};

static const char *const owner_names[HR_DISK_OWNERS] = {
	[HR_DISK_TARGET] = "target",
	[HR_DISK_OTHERS] = "others",
};

static int find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *hr_disk_operation_name(enum hr_disk_operation operation)
{
	return operation_names[operation];
}

const char *hr_disk_owner_name(enum hr_disk_owner owner)
{
	return owner_names[owner];
}

int hr_disk_operation_by_name(const char *name)
{
	return find(operation_names, HR_DISK_OPERATIONS, name);
}

int hr_disk_owner_by_name(const char *name)
{
	return find(owner_names, HR_DISK_OWNERS, name);
}
