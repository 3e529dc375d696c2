/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"

struct work {
	const struct options *options;
	struct model *model;
	struct backend *backend; /* NULL: none */
	int log_fd;		 /* -1: none */
};

/* Of static storage, unlike all else, so that their addresses have names that a tool can find. */
static pthread_mutex_t model_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t model_spin;

int work_open(struct work **ret, const struct options *options, struct hr_err *err)
{
	struct work *work = calloc(1, sizeof(*work));
	int code = 0;

	if (!work)
		return hr_err_set(err, -ENOMEM, "not enough memory");
	work->options = options;
	work->log_fd = -1;
	pthread_spin_init(&model_spin, PTHREAD_PROCESS_PRIVATE);
	work->model = model_new((uint64_t)options->seed, (unsigned int)options->hidden);
	if (!work->model)
		code = hr_err_set(err, -ENOMEM, "not enough memory for a model %d wide", (int)options->hidden);
	if (code == 0 && options->backend_port)
		code = backend_new(&work->backend, (int)options->backend_port, (int)options->pool, err);
	if (code == 0 && options->fsync_path) {
		work->log_fd = open(options->fsync_path,
				    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		if (work->log_fd < 0)
			code = hr_err_errno(err, -errno, "cannot open '%s'", options->fsync_path);
	}
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
	if (work->log_fd >= 0)
		close(work->log_fd);
	backend_free(work->backend);
	model_free(work->model);
	pthread_spin_destroy(&model_spin);
	free(work);
}

float *work_scratch_new(const struct work *work)
{
	return calloc(model_scratch_floats(work->model), sizeof(float));
}

static int forward(struct work *work, float *scratch, const uint8_t *image, struct answer *ret)
{
	const struct options *options = work->options;

	if (options->lock)
		pthread_mutex_lock(&model_lock);
	if (options->spin)
		pthread_spin_lock(&model_spin);
	ret->class = model_forward(work->model, image, scratch, ret->probabilities);
	if (options->spin)
		pthread_spin_unlock(&model_spin);
	if (options->lock)
		pthread_mutex_unlock(&model_lock);
	return 200;
}

static int rest(const struct work *work)
{
	const uint64_t ns = work->options->sleep_ns;
	struct timespec left = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };

	while (ns && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
	return 200;
}

static int log_to_disk(const struct work *work)
{
	static const char line[] = "inference\n";

	if (work->log_fd < 0)
		return 200;
	if (write(work->log_fd, line, sizeof(line) - 1) != sizeof(line) - 1 || fsync(work->log_fd) < 0)
		return 500;
	return 200;
}

static int ask_backend(const struct work *work)
{
	return !work->backend || backend_ask(work->backend) == 0 ? 200 : 502;
}

int work_infer(struct work *work, float *scratch, const uint8_t image[MODEL_INPUTS], struct answer *ret)
{
	static int (*const faults[])(const struct work *) = { rest, log_to_disk, ask_backend };
	int status = forward(work, scratch, image, ret);

	for (size_t i = 0; status == 200 && i < sizeof(faults) / sizeof(faults[0]); i++)
		status = faults[i](work);
	return status;
}
