/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_RULES_H
#define HR_ANALYSE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "analyse/laws.h"
#include "analyse/verdict.h"

/*
 * The rules by which a verdict is given, as data. A rule has conditions on the quantities of laws.h; each is met to a degree, from
 * 0 at `no` to 1 at `yes` and in proportion between (a threshold with a soft edge, so that noise does not flip a verdict: Zadeh
 * 1965), and a rule is met to the degree of its least condition.
 */
enum hr_look {
	HR_AT_TOP,    /* at the highest load */
	HR_AT_LOW,    /* at the lowest */
	HR_GROWTH,    /* highest over lowest */
	HR_ELASTICITY /* of throughput: d ln X / d ln N at the highest load; 1 grows in step, 0 no longer. The law is ignored */
};

struct hr_condition {
	enum hr_look look;
	enum hr_law law;
	double no, yes;
	bool may_lack;	    /* where it was not measured, the rule can be met without it */
	const char *reason; /* for these thresholds */
};

#define HR_CONDITIONS_MAX 8

struct hr_rule {
	enum hr_verdict_class class;
	enum hr_action action;
	size_t subject;	    /* offset in hr_law_subjects; HR_NO_SUBJECT */
	const char *advice; /* with %s for the subject */
	struct hr_condition conditions[HR_CONDITIONS_MAX]; /* up to the first without a reason */
	double (*limit_rps)(const struct hr_laws *top, const char **ret_basis, struct hr_text **texts); /* NULL: what was measured */
};

#define HR_NO_SUBJECT ((size_t)-1)

/* Those that are more to the point come first: of equal degrees the first is taken. */
extern const struct hr_rule hr_rules[];
extern const size_t hr_rule_count;

/* Two ends of the load axis. */
struct hr_contrast {
	struct hr_laws top, low;
	bool has_low;	   /* false: there is one level only */
	double elasticity; /* NAN: one level, or throughput is not known */
};

/* The quantity that a condition looks at; NAN: not measured. */
double hr_condition_value(const struct hr_condition *condition, const struct hr_contrast *contrast);

/* 0 to 1; NAN: not measured. */
double hr_condition_degree(const struct hr_condition *condition, const struct hr_contrast *contrast);

/* 0 to 1. What only two levels can show counts half where there is one. */
double hr_rule_degree(const struct hr_rule *rule, const struct hr_contrast *contrast);

#endif
