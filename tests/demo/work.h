/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_WORK_H
#define DEMO_WORK_H

#include <stdint.h>

#include "base/err.h"
#include "model.h"
#include "options.h"

/* What one inference does: the forward pass, and the faults that were asked for. Shared by all workers. */
struct work;

struct answer {
	unsigned int class;
	float probabilities[MODEL_CLASSES];
};

/* Make the model and open what the faults need. options must outlive the result. -errno, with err. */
int work_open(struct work **ret, const struct options *options, struct hr_err *err);
void work_close(struct work *work);

/* What one worker needs for its forward passes. NULL if there is not enough memory, or room for its team. */
struct scratch;
struct scratch *scratch_new(const struct work *work);
void scratch_free(struct scratch *scratch); /* takes NULL */

/* Returns an HTTP status: 200, *ret is the answer; 500, the log cannot be written; 502, the backend does not answer. */
int work_infer(struct work *work, struct scratch *scratch, const uint8_t image[MODEL_INPUTS], struct answer *ret);

#endif
