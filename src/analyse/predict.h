/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_PREDICT_H
#define HR_ANALYSE_PREDICT_H

#include "analyse/remains.h"
#include "analyse/rules.h"
#include "analyse/verdict.h"

/*
 * What the highest throughput up to the load that was offered would be, if something were changed: the least of the bounds that are left
 * (Denning and Buzen 1978): X <= N / R0 with the response time of the lowest load, and X <= 1 / D_k of each resource k. With the cause
 * removed these are of what remains of a request (remains.h; its errors widen the range). Fills
 * verdict->predictions and headroom; the finding must be there. Nothing is predicted of a run without requests.
 */
void hr_predict(const struct hr_contrast *contrast, const struct hr_remains *remains, const struct hr_level *top,
		struct hr_verdict *verdict);

#endif
