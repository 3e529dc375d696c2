/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/paint.h"
#include "cli/verb.h"
#include "collect/features.h"

static const char verb[] = "doctor";

struct values {
	int format;
};

/* What there is to say: what was found, and why nothing can be recorded, if so. */
struct findings {
	struct hr_features features;
	struct utsname system;
	bool can_record;
	struct hr_err reason;
};

/* A feature's answer: its word, and its colour on a terminal. */
struct mark {
	const char *word, *colour;
};
static const struct mark mark_has = { "has", "\033[32m" };
static const struct mark mark_lacks = { "lacks", "\033[33m" };
static const struct mark mark_lacks_required = { "lacks", "\033[1;31m" };
static const struct mark mark_unknown = { "unknown", "\033[33m" };

static const struct mark *mark_of(const struct findings *findings, enum hr_feature feature)
{
	if (findings->features.has[feature])
		return &mark_has;
	if (!findings->features.known[feature])
		return &mark_unknown;
	return hr_feature_row(feature)->required ? &mark_lacks_required : &mark_lacks;
}

static void print_feature(const struct findings *findings, enum hr_feature feature, bool colour)
{
	const struct hr_feature_row *row = hr_feature_row(feature);
	const struct mark *mark = mark_of(findings, feature);

	printf("  %s%-8s%s %s\n", colour ? mark->colour : "", mark->word, colour ? "\033[0m" : "", row->what);
	if (mark == &mark_has)
		return;
	printf("           lost: %s\n", row->lost_without);
	if (mark != &mark_unknown)
		printf("           do:   %s\n", row->remedy);
}

static void print_group(const struct findings *findings, bool required, const char *title, bool colour)
{
	printf("\n%s\n", title);
	for (int i = 0; i < HR_FEATURES; i++)
		if (hr_feature_row(i)->required == required)
			print_feature(findings, i, colour);
}

static int print_text(const struct findings *findings)
{
	bool colour = hr_paint_wanted();
	int missing = 0;

	for (int i = 0; i < HR_FEATURES; i++)
		missing += !findings->features.has[i];
	printf("kernel %s on %s\n", findings->system.release, findings->system.machine);
	print_group(findings, true, "needed to record", colour);
	print_group(findings, false, "make a recording tell more", colour);
	if (!findings->can_record)
		printf("\ncannot record: %s\n", findings->reason.text);
	else if (missing)
		printf("\ncan record; %d feature%s missing\n", missing, missing == 1 ? " is" : "s are");
	else
		printf("\ncan record, with everything\n");
	return 0;
}

static json_t *feature_to_json(const struct findings *findings, enum hr_feature feature)
{
	const struct hr_feature_row *row = hr_feature_row(feature);
	json_t *has = findings->features.known[feature] ? json_boolean(findings->features.has[feature]) : json_null();

	return json_pack("{s:s, s:s, s:o, s:b, s:s, s:s}", "name", row->name, "what", row->what, "has", has, "required",
			 row->required, "lost_without", row->lost_without, "remedy", row->remedy);
}

static int print_json(const struct findings *findings)
{
	json_t *features = json_array();
	json_t *document = json_pack("{s:s, s:s, s:s, s:b, s:s?, s:o}", "schema", "headroom.doctor/1", "kernel",
				     findings->system.release, "arch", findings->system.machine, "can_record",
				     findings->can_record, "reason",
				     findings->can_record ? NULL : findings->reason.text, "features", features);
	int rc = document ? 0 : -ENOMEM;

	for (int i = 0; !rc && i < HR_FEATURES; i++)
		if (json_array_append_new(features, feature_to_json(findings, i)))
			rc = -ENOMEM;
	if (!rc && json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)))
		rc = -EIO;
	if (!rc)
		putchar('\n');
	json_decref(document);
	return rc;
}

/* In the order of the words of --format. */
static int (*const prints[])(const struct findings *findings) = { print_text, print_json };

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	struct findings findings = { 0 };
	struct hr_err err;
	int rc;

	(void)arguments;
	uname(&findings.system);
	if (hr_features_probe("", &findings.features, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	findings.can_record = !hr_features_check(&findings.features, &findings.reason);
	rc = prints[values->format](&findings);
	if (rc || fflush(stdout) || ferror(stdout))
		return hr_cli_failf(verb, HR_EXIT_FAILED, "cannot write to the standard output: %s",
				    strerror(rc ? -rc : errno));
	return findings.can_record ? HR_EXIT_DONE : HR_EXIT_FAILED;
}

static const struct hr_option options[] = {
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json",
		       "text (the default), or json: \"headroom.doctor/1\""),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_doctor = {
	.name = verb,
	.summary = "say what this kernel gives, and what is lost without it",
	.usage = "[--format text|json]",
	.notes = "It needs no root, and loads nothing into the kernel.\n"
		 "It ends with status 1 if nothing can be recorded.\n",
	.examples = "  headroom doctor\n"
		    "  headroom doctor --format json | jq '.features[] | select(.has | not) | .name'\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.run = run,
};
