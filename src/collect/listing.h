/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_LISTING_H
#define HR_COLLECT_LISTING_H

#include "collect/drain.h"

/* What there is on the host at a pass, for all families: drain->tasks and drain->sockets, until hr_listing_forget(). 0, or -errno with err. */

int hr_listing_tasks(struct hr_drain *drain, struct hr_err *err);

/* Before the flows are read, so that these have the requests that are finished by the listing. */
int hr_listing_sockets(struct hr_drain *drain, struct hr_err *err);

void hr_listing_forget(struct hr_drain *drain);

#endif
