/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

#include <errno.h>
#include <stdlib.h>

#include "faults.h"

struct work {
	const struct options *options;
	struct model *model;
	struct faults *faults;
};

struct scratch {
	struct team *team; /* NULL: the worker computes alone */
	float values[];
};

int work_open(struct work **ret, const struct options *options, struct hr_err *err)
{
	struct work *work = calloc(1, sizeof(*work));
	int code = 0;

	if (!work)
		return hr_err_set(err, -ENOMEM, "not enough memory");
	work->options = options;
	work->model = model_new((uint64_t)options->seed, (unsigned int)options->hidden);
	if (!work->model)
		code = hr_err_set(err, -ENOMEM, "not enough memory for a model %d wide", (int)options->hidden);
	if (code == 0)
		code = faults_open(&work->faults, options, err);
	if (code < 0)
		work_close(work);
	else
		*ret = work;
	return code;
}

void work_close(struct work *work)
{
	if (!work)
		return;
	faults_close(work->faults);
	model_free(work->model);
	free(work);
}

struct scratch *scratch_new(const struct work *work)
{
	const size_t floats = model_scratch_floats(work->model);
	struct scratch *scratch = calloc(1, sizeof(*scratch) + floats * sizeof(float));

	if (scratch && work->options->team > 1) {
		scratch->team = team_new((unsigned int)work->options->team);
		if (!scratch->team) {
			free(scratch);
			return NULL;
		}
	}
	return scratch;
}

void scratch_free(struct scratch *scratch)
{
	if (scratch)
		team_free(scratch->team);
	free(scratch);
}

int work_infer(struct work *work, struct scratch *scratch, const uint8_t image[MODEL_INPUTS], struct answer *ret)
{
	faults_enter(work->faults);
	ret->class = model_forward(work->model, image, scratch->values, ret->probabilities, scratch->team);
	faults_leave(work->faults);
	return faults_commit(work->faults);
}
