/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_SUBJECTS_H
#define HR_COLLECT_SUBJECTS_H

#include "collect/netaddr.h"
#include "headroom/waits.h"

/* Names of what is waited for. */
struct hr_subjects;

#define HR_SUBJECT_BYTES HR_ENDPOINT_BYTES

/* root: to be put in front of /proc, kept. NULL: out of memory. */
struct hr_subjects *hr_subjects_new(const char *root);
void hr_subjects_free(struct hr_subjects *subjects); /* takes NULL */

/*
 * What the edge is for: "0x7f55", "127.0.0.1:5432", ":8000", "/dev/nvidia0 195:0", "mmap_lock"; of another kernel lock the variable
 * that it lies in, or "in do_exit", the function that takes it. In text or constant; NULL: nothing that has a name.
 */
const char *hr_subjects_text(struct hr_subjects *subjects, const struct hr_edge *edge, char text[HR_SUBJECT_BYTES]);

#endif
