/* SPDX-License-Identifier: BSD-2-Clause */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "base/clock.h"

#define SECOND_NS UINT64_C(1000000000)

/* How long a request is held while the server warms up. */
#define COLD_NS (20 * UINT64_C(1000000))

enum { PAGE_BYTES = 4096 };

struct faults {
	const struct options *options;
	struct backend *backend;     /* NULL: none */
	int log_fd;		     /* -1: none */
	char *line;		     /* what is written to it */
	int token[2];		     /* -1: none */
	_Atomic uint64_t let_through_ns; /* when the next request may go on, at --rate */
	_Atomic uint64_t warm_ns;    /* when it will be warm; 0: no request yet */
	char *region;		     /* whose protection changes; NULL: none */
	const volatile char *weights;/* the mapped file; NULL: none */
	size_t weights_bytes;
	_Atomic uint64_t looked_up;  /* pages so far, as the seed of where to look next */
};

/* Of static storage, unlike all else, so that their addresses have names that a tool can find. */
static pthread_mutex_t model_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t warm_up_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t model_spin;

static int open_log(struct faults *faults, const char *path, size_t line_bytes, struct hr_err *err)
{
	faults->line = malloc(line_bytes);
	if (!faults->line)
		return hr_err_set(err, -ENOMEM, "not enough memory for a line of %zu bytes", line_bytes);
	memset(faults->line, '.', line_bytes);
	faults->line[line_bytes - 1] = '\n';
	faults->log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return faults->log_fd < 0 ? hr_err_errno(err, -errno, "cannot open '%s'", path) : 0;
}

static int open_token(struct faults *faults, struct hr_err *err)
{
	if (pipe2(faults->token, O_CLOEXEC) < 0 || write(faults->token[1], "", 1) != 1)
		return hr_err_errno(err, -errno, "cannot make a pipe for the token");
	return 0;
}

/* Its pages are small, and all there, so that to change their protection takes a while. */
static int open_region(struct faults *faults, size_t bytes, struct hr_err *err)
{
	char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED)
		return hr_err_errno(err, -errno, "cannot map %zu bytes", bytes);
	faults->region = region;
	madvise(region, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += PAGE_BYTES)
		region[i] = 1;
	return 0;
}

/* Read at random, so that the kernel reads nothing ahead. */
static int open_weights(struct faults *faults, const char *path, struct hr_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;
	void *weights = MAP_FAILED;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		code = hr_err_errno(err, -errno, "cannot open '%s'", path);
	else if (stat.st_size < PAGE_BYTES)
		code = hr_err_set(err, -EINVAL, "'%s' is smaller than a page", path);
	if (code == 0) {
		weights = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (weights == MAP_FAILED)
			code = hr_err_errno(err, -errno, "cannot map '%s'", path);
	}
	if (code == 0) {
		faults->weights_bytes = (size_t)stat.st_size;
		madvise(weights, faults->weights_bytes, MADV_RANDOM);
		faults->weights = weights;
	}
	if (fd >= 0)
		close(fd);
	return code;
}

int faults_open(struct faults **ret, const struct options *options, struct hr_err *err)
{
	struct faults *faults = calloc(1, sizeof(*faults));
	int code = 0;

	if (!faults)
		return hr_err_set(err, -ENOMEM, "not enough memory");
	faults->options = options;
	faults->log_fd = faults->token[0] = faults->token[1] = -1;
	pthread_spin_init(&model_spin, PTHREAD_PROCESS_PRIVATE);
	if (options->backend_port)
		code = backend_new(&faults->backend, (int)options->backend_port, (int)options->pool, err);
	if (code == 0 && options->fsync_path)
		code = open_log(faults, options->fsync_path, (size_t)options->line_bytes, err);
	if (code == 0 && options->token)
		code = open_token(faults, err);
	if (code == 0 && options->remap_mib)
		code = open_region(faults, (size_t)options->remap_mib << 20, err);
	if (code == 0 && options->weights_path)
		code = open_weights(faults, options->weights_path, err);
	if (code < 0)
		faults_close(faults);
	else
		*ret = faults;
	return code;
}

void faults_close(struct faults *faults)
{
	const int fds[] = { faults ? faults->log_fd : -1, faults ? faults->token[0] : -1, faults ? faults->token[1] : -1 };

	if (!faults)
		return;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (faults->region)
		munmap(faults->region, (size_t)faults->options->remap_mib << 20);
	if (faults->weights)
		munmap((void *)faults->weights, faults->weights_bytes);
	backend_free(faults->backend);
	free(faults->line);
	pthread_spin_destroy(&model_spin);
	free(faults);
}

static void sleep_until_ns(uint64_t until_ns)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ns / SECOND_NS), .tv_nsec = (long)(until_ns % SECOND_NS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void sleep_ns(uint64_t ns)
{
	if (ns)
		sleep_until_ns(hr_clock_mono_ns() + ns);
}

void faults_enter(struct faults *faults)
{
	char token;

	if (faults->options->lock)
		pthread_mutex_lock(&model_lock);
	if (faults->options->spin)
		pthread_spin_lock(&model_spin);
	while (faults->options->token && read(faults->token[0], &token, 1) != 1)
		;
	sleep_ns(faults->options->hold_ns);
}

void faults_leave(struct faults *faults)
{
	while (faults->options->token && write(faults->token[1], "", 1) != 1)
		;
	if (faults->options->spin)
		pthread_spin_unlock(&model_spin);
	if (faults->options->lock)
		pthread_mutex_unlock(&model_lock);
}

static int warm_up(struct faults *faults)
{
	const uint64_t length_ns = faults->options->warm_up_ns, now_ns = hr_clock_mono_ns();
	uint64_t none = 0;

	if (!length_ns)
		return 200;
	atomic_compare_exchange_strong(&faults->warm_ns, &none, now_ns + length_ns);
	if (now_ns >= faults->warm_ns)
		return 200;
	pthread_mutex_lock(&warm_up_lock);
	sleep_ns(COLD_NS);
	pthread_mutex_unlock(&warm_up_lock);
	return 200;
}

/* Each request takes the next place in time, and sleeps until it is there; what was not used is not kept. */
static int wait_for_rate(struct faults *faults)
{
	uint64_t now_ns, place_ns, next_ns = faults->let_through_ns;

	if (!faults->options->rate)
		return 200;
	do {
		now_ns = hr_clock_mono_ns();
		place_ns = next_ns > now_ns ? next_ns : now_ns;
	} while (!atomic_compare_exchange_weak(&faults->let_through_ns, &next_ns,
					       place_ns + SECOND_NS / (uint64_t)faults->options->rate));
	if (place_ns > now_ns)
		sleep_until_ns(place_ns);
	return 200;
}

static int rest(struct faults *faults)
{
	sleep_ns(faults->options->sleep_ns);
	return 200;
}

static int remap(struct faults *faults)
{
	const size_t bytes = (size_t)faults->options->remap_mib << 20;

	if (faults->region && (mprotect(faults->region, bytes, PROT_READ) < 0 ||
			       mprotect(faults->region, bytes, PROT_READ | PROT_WRITE) < 0))
		return 500;
	return 200;
}

/* Steps of an odd number of pages by a mix of the count (Fibonacci hashing), so that all of the file is wanted alike. */
static int look_up(struct faults *faults)
{
	const uint64_t pages = faults->weights_bytes / PAGE_BYTES;

	for (int64_t i = 0; faults->weights && i < faults->options->lookups; i++) {
		uint64_t place = atomic_fetch_add(&faults->looked_up, 1) * UINT64_C(0x9e3779b97f4a7c15);

		(void)faults->weights[(place >> 16) % pages * PAGE_BYTES];
	}
	return 200;
}

static int log_to_disk(struct faults *faults)
{
	const ssize_t bytes = faults->options->line_bytes;

	if (faults->log_fd < 0)
		return 200;
	if (write(faults->log_fd, faults->line, (size_t)bytes) != bytes || fsync(faults->log_fd) < 0)
		return 500;
	return 200;
}

static int ask_backend(struct faults *faults)
{
	return !faults->backend || backend_ask(faults->backend) == 0 ? 200 : 502;
}

int faults_commit(struct faults *faults)
{
	static int (*const rows[])(struct faults *) = { warm_up, wait_for_rate, rest, remap, look_up, log_to_disk, ask_backend };
	int status = 200;

	for (size_t i = 0; status == 200 && i < sizeof(rows) / sizeof(rows[0]); i++)
		status = rows[i](faults);
	return status;
}
