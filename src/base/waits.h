/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_WAITS_H
#define HR_BASE_WAITS_H

#include "headroom/waits.h"

/* Names of what stands in the tables about waits. */

/* "futex", "peer", ...; NULL for HR_SUBJECT_NONE and what is no subject. */
const char *hr_subject_name(enum hr_subject subject);

/* "thread", "interrupt", ...; "unknown" for what is no source. */
const char *hr_source_name(enum hr_source source);

/* The source of a wait that had not ended when the recording did: in no record of the kernel. */
#define HR_SOURCE_OPEN_NAME "open"

#endif
