/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "report/profile.h"

/*
 * The format of https://www.speedscope.app/file-format-schema.json: frames are shared, a profile of type "sampled" has a list of stacks,
 * outermost frame first, and a weight for each. It is written piece by piece: as a tree of JSON values a large run takes gigabytes.
 */

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

/* Samples of one group and side: they lie together in the profile of the run. */
struct span {
	size_t begin, end;
	uint64_t time_ns;
};

static int put_text(FILE *out, const char *text)
{
	json_t *value = json_string(text);
	int failed = !value || json_dumpf(value, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	json_decref(value);
	return failed ? -ENOMEM : 0;
}

/* Exact, so that the weights add up to the end of their profile. */
static void put_milliseconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
}

static int put_frames(const struct hr_profile *profile, FILE *out)
{
	int ret = 0;

	fputs("\"shared\": {\"frames\": [", out);
	for (size_t i = 0; !ret && i < profile->frame_count; i++) {
		const struct hr_frame *frame = &profile->frames[i];

		fprintf(out, "%s\n{\"name\": ", i ? "," : "");
		ret = put_text(out, frame->label);
		if (!ret && frame->module) {
			fputs(", \"file\": ", out);
			ret = put_text(out, frame->module);
		}
		fputc('}', out);
	}
	fputs("]}", out);
	return ret;
}

static struct span span_at(const struct hr_profile *profile, size_t begin)
{
	const struct hr_stack_sample *first = &profile->samples[begin];
	struct span span = { .begin = begin, .end = begin };

	while (span.end < profile->sample_count && profile->samples[span.end].group == first->group &&
	       hr_sample_is_on_cpu(&profile->samples[span.end]) == hr_sample_is_on_cpu(first))
		span.time_ns += profile->samples[span.end++].time_ns;
	return span;
}

static int put_profile(const struct hr_summary *summary, const struct span *span, FILE *out)
{
	const struct hr_stack_sample *samples = summary->profile.samples;
	char name[512];
	int ret;

	snprintf(name, sizeof(name), "%s %s CPU", summary->groups[samples[span->begin].group].label,
		 hr_sample_is_on_cpu(&samples[span->begin]) ? "on" : "off");
	fputs("\n{\"type\": \"sampled\", \"name\": ", out);
	ret = put_text(out, name);
	fputs(", \"unit\": \"milliseconds\", \"startValue\": 0, \"endValue\": ", out);
	put_milliseconds(out, span->time_ns);
	fputs(",\n\"samples\": [", out);
	for (size_t i = span->begin; i < span->end; i++) {
		fputs(i > span->begin ? ",\n[" : "[", out);
		for (size_t frame = 0; frame < samples[i].depth; frame++)
			fprintf(out, "%s%" PRIu32, frame ? "," : "", samples[i].path[frame]);
		fputc(']', out);
	}
	fputs("],\n\"weights\": [", out);
	for (size_t i = span->begin; i < span->end; i++) {
		fputs(i > span->begin ? "," : "", out);
		put_milliseconds(out, samples[i].time_ns);
	}
	fputs("]}", out);
	return ret;
}

static int put_profiles(const struct hr_summary *summary, enum hr_export_side side, FILE *out)
{
	const struct hr_profile *profile = &summary->profile;
	struct span span = { 0 };
	bool any = false;
	int ret = 0;

	fputs("\"profiles\": [", out);
	while (!ret && span.end < profile->sample_count) {
		span = span_at(profile, span.end);
		if (!hr_export_takes(side, &profile->samples[span.begin]))
			continue;
		fputs(any ? "," : "", out);
		ret = put_profile(summary, &span, out);
		any = true;
	}
	fputs("]", out);
	return ret;
}

static int put_head(const struct hr_summary *summary, FILE *out)
{
	int ret;

	fputs("{\"$schema\": \"" SCHEMA "\",\n\"exporter\": \"headroom " HR_VERSION "\",\n\"name\": ", out);
	ret = put_text(out, summary->run.target ? summary->run.target : "unknown");
	fputs(",\n\"activeProfileIndex\": 0,\n", out);
	return ret;
}

int hr_export_speedscope(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err)
{
	int ret = put_head(summary, out);

	if (!ret)
		ret = put_frames(&summary->profile, out);
	fputs(",\n", out);
	if (!ret)
		ret = put_profiles(summary, side, out);
	fputs("}\n", out);
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the stacks");
	return ret ? hr_err_set(err, ret, "no memory for the stacks") : 0;
}
