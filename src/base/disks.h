/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_DISKS_H
#define HR_BASE_DISKS_H

#include "headroom/disks.h"

/* The names of headroom/disks.h, as they stand in the run file and in reports. */

const char *hr_disk_operation_name(enum hr_disk_operation operation);
const char *hr_disk_owner_name(enum hr_disk_owner owner);

/* The number of a name, or -1. */
int hr_disk_operation_by_name(const char *name);
int hr_disk_owner_by_name(const char *name);

#endif
