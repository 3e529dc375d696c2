/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/profile.h"

/*
 * Folded stacks: "process;thread;outermost;...;innermost count" per line, as flamegraph.pl and its like read them. ';' separates and
 * a line ends with its count, so neither ';' nor a new line may be in a name. Texts of a summary have no new lines.
 */

#define KERNEL_SUFFIX "_[k]" /* how flame graphs know and colour the kernel */

struct line {
	char *stack;
	uint64_t count;
};

static void put_name(FILE *out, const char *name, const char *suffix)
{
	for (; *name; name++)
		fputc(*name == ';' ? ':' : *name, out);
	fputs(suffix, out);
}

static char *fold(const struct hr_summary *summary, const struct hr_stack_sample *sample)
{
	const struct hr_group_summary *group = &summary->groups[sample->group];
	char *stack = NULL;
	size_t size;
	FILE *out = open_memstream(&stack, &size);

	if (!out)
		return NULL;
	put_name(out, group->process, ";");
	put_name(out, group->pattern, "");
	for (size_t i = 0; i < sample->depth; i++) {
		const struct hr_frame *frame = &summary->profile.frames[sample->path[i]];

		fputc(';', out);
		put_name(out, frame->label, frame->kind == HR_FRAME_KERNEL ? KERNEL_SUFFIX : "");
	}
	if (fclose(out)) {
		free(stack);
		return NULL;
	}
	return stack;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	return strcmp(left->stack, right->stack);
}

static void put_lines(struct line *lines, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && strcmp(lines[i].stack, lines[i + 1].stack) == 0)
			lines[i + 1].count += lines[i].count; /* functions of one name in two files */
		else
			fprintf(out, "%s %" PRIu64 "\n", lines[i].stack, lines[i].count);
	}
}

int hr_export_folded(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err)
{
	const struct hr_profile *profile = &summary->profile;
	struct line *lines = calloc(profile->sample_count + 1, sizeof(*lines));
	size_t count = 0;
	int ret = lines ? 0 : hr_err_set(err, -ENOMEM, "no memory for the stacks");

	for (size_t i = 0; !ret && i < profile->sample_count; i++) {
		const struct hr_stack_sample *sample = &profile->samples[i];

		if (!hr_export_takes(side, sample))
			continue;
		lines[count].count = sample->count;
		lines[count].stack = fold(summary, sample);
		if (!lines[count].stack)
			ret = hr_err_set(err, -ENOMEM, "no memory for the stacks");
		else
			count++;
	}
	if (!ret) {
		qsort(lines, count, sizeof(*lines), compare_lines);
		put_lines(lines, count, out);
		if (fflush(out) || ferror(out))
			ret = hr_err_errno(err, errno ? -errno : -EIO, "cannot write the stacks");
	}
	for (size_t i = 0; i < count; i++)
		free(lines[i].stack);
	free(lines);
	return ret;
}
