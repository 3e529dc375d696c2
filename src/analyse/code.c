/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What every wait goes through on its way into the kernel: how the files begin, and the functions where they are linked in. */
static const char *const runtime_modules[] = {
	"libc.so", "libc-", "libpthread", "ld-linux", "ld-musl", "libstdc++", "libc++", "libgcc_s", "librt", "[vdso]", "linux-vdso",
};
static const char *const runtime_functions[] = {
	"pthread_", "__pthread_", "__futex_", "__lll_", "__libc_", "__GI_", /* C */
	"std::", "<std::", "core::", "<core::",				    /* C++, Rust */
	"runtime.", "runtime/", "internal/", "syscall.", "sync.",	    /* Go */
	"g_mutex_", "g_cond_", "g_rw_lock_", "uv_mutex_", "uv_cond_", "uv_rwlock_", "uv_sem_", "apr_thread_mutex_", "absl::Mutex", "absl::CondVar",
	"parking_lot::", "<parking_lot", "PyThread_", "take_gil",	    /* locks of libraries, and of Python */
};

/* Libraries of drivers that talk to a device from user space: how their files begin. */
static const char *const driver_modules[] = {
	"libcuda.so", "libnvidia-", "libnvcuvid", "libamdhip64", "libhsa-runtime64", "libamdocl64", "libze_", "libze_intel", "libigdrcl",
	"libdrm", "libhabanalabs", "libnrt.so", "libtpu.so", "libmlx5", "libibverbs",
};

static bool begins_with_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static const char *file_name(const char *module)
{
	const char *slash = module ? strrchr(module, '/') : NULL;

	return slash ? slash + 1 : module;
}

static const char *file_of(const struct hr_frame *frame)
{
	return file_name(frame->module);
}

static bool is_driver(const struct hr_frame *frame)
{
	const char *file = file_of(frame);

	return file && frame->kind == HR_FRAME_USER &&
	       begins_with_any(file, driver_modules, sizeof(driver_modules) / sizeof(driver_modules[0]));
}

bool hr_code_is_runtime(const char *function, const char *module)
{
	const char *file = file_name(module);

	if (file && begins_with_any(file, runtime_modules, sizeof(runtime_modules) / sizeof(runtime_modules[0])))
		return true;
	return function && begins_with_any(function, runtime_functions, sizeof(runtime_functions) / sizeof(runtime_functions[0]));
}

/* The function that a sample is counted for. */
static const struct hr_frame *place_of(const struct hr_profile *profile, const struct hr_stack_sample *sample)
{
	size_t innermost = sample->user_depth ? sample->user_depth - 1 : 0;

	if (hr_sample_is_on_cpu(sample)) {
		for (size_t i = sample->user_depth; i-- > 0;)
			if (is_driver(&profile->frames[sample->path[i]]))
				return &profile->frames[sample->path[i]];
		return &profile->frames[sample->path[sample->depth - 1]];
	}
	for (size_t i = innermost + 1; i-- > 0;) {
		const struct hr_frame *frame = &profile->frames[sample->path[i]];

		if (!hr_code_is_runtime(frame->function, frame->module))
			return frame;
	}
	return &profile->frames[sample->path[innermost]];
}

static struct hr_code_place place(const struct hr_profile *profile, const struct hr_stack_sample *sample)
{
	const struct hr_frame *frame = place_of(profile, sample);
	bool on_cpu = hr_sample_is_on_cpu(sample);

	return (struct hr_code_place){
		.group = sample->group,
		.state = on_cpu ? HR_STATE_USER : sample->state,
		.syscall = on_cpu ? NULL : sample->syscall,
		.function = on_cpu && is_driver(frame) ? NULL : frame->function,
		.is_driver = on_cpu && is_driver(frame),
		.module = frame->module,
		.is_kernel = frame->kind == HR_FRAME_KERNEL,
		.has_stack = frame->kind != HR_FRAME_MISSING,
		.count = sample->count,
		.time_ns = sample->time_ns,
		.alone_ns = sample->alone_ns,
	};
}

static int compare_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_places(const void *a, const void *b)
{
	const struct hr_code_place *left = a, *right = b;
	int order = compare_numbers(left->group, right->group);

	order = order ? order : compare_numbers(left->state, right->state);
	order = order ? order : compare_numbers(left->has_stack, right->has_stack);
	order = order ? order : compare_numbers(left->is_kernel, right->is_kernel);
	order = order ? order : compare_texts(left->syscall, right->syscall);
	order = order ? order : compare_texts(left->function, right->function);
	return order ? order : compare_texts(left->module, right->module);
}

static int compare_weights(const void *a, const void *b)
{
	const struct hr_code_place *left = a, *right = b;
	int order = compare_numbers(right->alone_ns, left->alone_ns);

	order = order ? order : compare_numbers(right->time_ns, left->time_ns);
	return order ? order : compare_places(a, b);
}

/* Places that are the same become one; how many are left. */
static size_t merge(struct hr_code_place *places, size_t count)
{
	size_t kept = 0;

	qsort(places, count, sizeof(*places), compare_places);
	for (size_t i = 0; i < count; i++) {
		if (kept && compare_places(&places[kept - 1], &places[i]) == 0) {
			places[kept - 1].count += places[i].count;
			places[kept - 1].time_ns += places[i].time_ns;
			places[kept - 1].alone_ns += places[i].alone_ns;
		} else {
			places[kept++] = places[i];
		}
	}
	qsort(places, kept, sizeof(*places), compare_weights);
	return kept;
}

static void count_stack(struct hr_code *code, const struct hr_stack_sample *sample)
{
	code->samples += sample->count;
	if (!sample->user_depth)
		code->samples_without_stack += sample->count;
	else if (sample->user_depth < HR_SHORT_STACK_FRAMES)
		code->samples_with_short_stack += sample->count;
}

int hr_code_find(const struct hr_profile *profile, struct hr_code *ret_code)
{
	struct hr_code code = { 0 };

	if (profile->sample_count) {
		code.on_cpu = calloc(profile->sample_count, sizeof(*code.on_cpu));
		code.off_cpu = calloc(profile->sample_count, sizeof(*code.off_cpu));
		if (!code.on_cpu || !code.off_cpu) {
			hr_code_fini(&code);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < profile->sample_count; i++) {
		const struct hr_stack_sample *sample = &profile->samples[i];

		count_stack(&code, sample);
		if (hr_sample_is_on_cpu(sample)) {
			code.on_cpu[code.on_cpu_count++] = place(profile, sample);
			code.on_cpu_ns += sample->time_ns;
			code.alone_ns += sample->alone_ns;
		} else {
			code.off_cpu[code.off_cpu_count++] = place(profile, sample);
			code.off_cpu_ns += sample->time_ns;
		}
	}
	if (profile->sample_count) {
		code.on_cpu_count = merge(code.on_cpu, code.on_cpu_count);
		code.off_cpu_count = merge(code.off_cpu, code.off_cpu_count);
	}
	*ret_code = code;
	return 0;
}

void hr_code_fini(struct hr_code *code)
{
	free(code->on_cpu);
	free(code->off_cpu);
	*code = (struct hr_code){ 0 };
}
