/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/remains.h"

#include <math.h>
#include <string.h>

#include "headroom/net.h"

#define SITE_SHARE 0.05 /* of the waits for the cause: a place with less is not where it is */
#define NORMAL_95 1.96

/* Which calls go too, if they wait for the cause: one that only stores what was written is not made again, one that reads is. */
enum gone_calls { NO_CALLS, STORING_CALLS, ALL_CALLS };

static const char *const storing_calls[] = { "fsync", "fdatasync", "msync", "sync_file_range", "syncfs", "sync" };

/* What goes with each cause. */
struct cause {
	enum hr_verdict_class class;
	enum hr_state states[2]; /* its waits; twice the same: there is one */
	enum gone_calls calls;
	bool with_faults;	 /* page faults that read from disk go */
};

static const struct cause causes[] = {
	{ HR_VERDICT_KERNEL_LOCK, { HR_STATE_KLOCK, HR_STATE_KLOCK }, ALL_CALLS, false },
	{ HR_VERDICT_MEMORY, { HR_STATE_FAULT, HR_STATE_RECLAIM }, NO_CALLS, true },
	{ HR_VERDICT_DISK_IO, { HR_STATE_DISK, HR_STATE_DISK }, STORING_CALLS, false },
	{ HR_VERDICT_DEVICE, { HR_STATE_DEVICE, HR_STATE_DEVICE }, NO_CALLS, false },
	{ HR_VERDICT_TIMER, { HR_STATE_SLEEP, HR_STATE_SLEEP }, NO_CALLS, false },
};

/* The kernel's functions under which it handles a page fault or ends a read of the disk, whatever the architecture. */
static const char *const fault_functions[] = { "handle_mm_fault", "exc_page_fault", "asm_exc_page_fault", "do_page_fault",
					       "do_translation_fault", "blk_update_request" };

static const struct cause *cause_of(enum hr_verdict_class class)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].class == class)
			return &causes[i];
	return NULL;
}

static bool is_wait_for(const struct cause *cause, const struct hr_stack_sample *sample)
{
	return sample->user_depth && (sample->state == cause->states[0] || sample->state == cause->states[1]);
}

static bool call_goes(const struct cause *cause, const char *call)
{
	for (size_t i = 0; call && cause->calls == STORING_CALLS && i < sizeof(storing_calls) / sizeof(storing_calls[0]); i++)
		if (strcmp(storing_calls[i], call) == 0)
			return true;
	return cause->calls == ALL_CALLS;
}

static bool is_same_place(const struct hr_stack_sample *a, const struct hr_stack_sample *b)
{
	return a->user_depth == b->user_depth && memcmp(a->path, b->path, a->user_depth * sizeof(*a->path)) == 0;
}

/* Was the call made from where a good part of the waits is? The samples of a place may be of several groups and calls. */
static bool is_call_of(const struct cause *cause, const struct hr_profile *profile, const struct hr_stack_sample *sample)
{
	double here_ns = 0, all_ns = 0;

	if (!sample->user_depth || sample->depth <= sample->user_depth)
		return false;
	for (size_t i = 0; i < profile->sample_count; i++) {
		const struct hr_stack_sample *wait = &profile->samples[i];

		if (!is_wait_for(cause, wait))
			continue;
		all_ns += (double)wait->time_ns;
		here_ns += call_goes(cause, wait->syscall) && is_same_place(wait, sample) ? (double)wait->time_ns : 0;
	}
	return all_ns > 0 && here_ns >= SITE_SHARE * all_ns;
}

static bool is_in_fault(const struct hr_profile *profile, const struct hr_stack_sample *sample)
{
	for (size_t i = sample->user_depth; i < sample->depth; i++) {
		const struct hr_frame *frame = &profile->frames[sample->path[i]];

		for (size_t k = 0; frame->kind == HR_FRAME_KERNEL && frame->function && k < sizeof(fault_functions) / sizeof(fault_functions[0]); k++)
			if (strcmp(frame->function, fault_functions[k]) == 0)
				return true;
	}
	return false;
}

/* Faults that need no disk stay; one that does takes no less CPU time than they. */
static double major_share(const struct hr_memory_summary *memory)
{
	double major = (double)memory->major_faults, all = major + (double)memory->minor_faults;

	return memory->major_faults > 0 && memory->minor_faults >= 0 ? major / all : 0;
}

/* The share of the CPU time in a state that goes, by the samples. */
static double gone_share(const struct cause *cause, const struct hr_summary *whole, enum hr_state state, double *ret_samples)
{
	double faults = cause->with_faults ? major_share(&whole->memory) : 0, all_ns = 0, gone_ns = 0;

	*ret_samples = 0;
	for (size_t i = 0; i < whole->profile.sample_count; i++) {
		const struct hr_stack_sample *sample = &whole->profile.samples[i];

		if (sample->state != state)
			continue;
		if (cause->calls != NO_CALLS && is_call_of(cause, &whole->profile, sample))
			gone_ns += (double)sample->time_ns;
		else if (faults > 0 && is_in_fault(&whole->profile, sample))
			gone_ns += faults * (double)sample->time_ns;
		all_ns += (double)sample->time_ns;
		*ret_samples += (double)sample->count;
	}
	return all_ns > 0 ? gone_ns / all_ns : 0;
}

static void find_cpu(const struct cause *cause, const struct hr_summary *whole, struct hr_remains *remains)
{
	double left_ns = 0, gone_ns = 0, variance = 0;

	for (int state = 0; state < HR_STATES; state++) {
		double exact_ns = (double)whole->total.state_ns[state], samples, gone;

		if (hr_state_group(state) != HR_GROUP_ON_CPU)
			continue;
		gone = gone_share(cause, whole, state, &samples);
		gone = fmin(gone, 1 - 1 / (samples + 1)); /* that no sample is left does not mean that nothing is */
		left_ns += exact_ns * (1 - gone);
		gone_ns += exact_ns * gone;
		variance += samples > 0 ? pow(exact_ns, 2) * gone * (1 - gone) / samples : 0;
	}
	if (!(gone_ns > 0) || whole->requests.requests <= 0)
		return;
	remains->cpu_us = left_ns / (double)whole->requests.requests / 1e3;
	remains->cpu_error = NORMAL_95 * sqrt(variance) / left_ns;
}

/* Waits of the threads that serve a request, while they do. */
static double waits_us(const struct cause *cause, const struct hr_budget *budget)
{
	uint64_t waits_ns = budget->state_ns[cause->states[0]];

	if (cause->states[1] != cause->states[0])
		waits_ns += budget->state_ns[cause->states[1]];
	return budget->requests ? (double)waits_ns / (double)budget->requests / 1e3 : 0;
}

static double cpu_us(const struct hr_summary *summary)
{
	return (double)hr_account_group_ns(&summary->total, HR_GROUP_ON_CPU) / (double)summary->requests.requests / 1e3;
}

void hr_remains_find(enum hr_verdict_class class, const struct hr_summary *whole, const struct hr_summary *low,
		     struct hr_remains *ret_remains)
{
	const struct cause *cause = cause_of(class);

	*ret_remains = (struct hr_remains){ NAN, 0, 0 };
	if (!cause)
		return;
	if (cause->calls != NO_CALLS || cause->with_faults)
		find_cpu(cause, whole, ret_remains);
	if (!low || low->requests.requests <= 0)
		return;
	ret_remains->saved_us = waits_us(cause, &low->requests.budget);
	if (ret_remains->cpu_us > 0)
		ret_remains->saved_us += fmax(0, cpu_us(low) - ret_remains->cpu_us);
}
