/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/waits.h"

#include <stddef.h>

static const char *const subjects[HR_SUBJECTS] = {
	[HR_SUBJECT_FUTEX] = "futex",
	[HR_SUBJECT_PEER] = "peer",
	[HR_SUBJECT_CLIENTS] = "clients",
	[HR_SUBJECT_FILE] = "file",
	[HR_SUBJECT_PIPE] = "pipe",
	[HR_SUBJECT_UNIX] = "unix",
	[HR_SUBJECT_DEVICE] = "device",
	[HR_SUBJECT_EVENT] = "event",
	[HR_SUBJECT_KLOCK] = "kernel_lock",
};

static const char *const sources[HR_SOURCES] = {
	[HR_SOURCE_UNKNOWN] = "unknown",
	[HR_SOURCE_THREAD] = "thread",
	[HR_SOURCE_OTHER] = "other",
	[HR_SOURCE_INTERRUPT] = "interrupt",
	[HR_SOURCE_TIMEOUT] = "timeout",
	[HR_SOURCE_SIGNAL] = "signal",
};

const char *hr_subject_name(enum hr_subject subject)
{
	return (unsigned int)subject < HR_SUBJECTS ? subjects[subject] : NULL;
}

const char *hr_source_name(enum hr_source source)
{
	return (unsigned int)source < HR_SOURCES ? sources[source] : "unknown";
}
