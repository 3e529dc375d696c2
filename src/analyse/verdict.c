/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/verdict.h"

#include <math.h>
#include <string.h>

#include "analyse/predict.h"
#include "analyse/rules.h"
#include "store/tables.h"

#define SECONDS_MIN 1.0	 /* at the highest load: less is a moment, not a level */
#define REQUESTS_MIN 30	 /* there: a mean of fewer is within 20 % at best */
#define APPROXIMATED_SHARE 0.03 /* of the switches: a server with few of them has few missed ones, and they are soon 1 % */
#define DEGREE_MIN 0.3	 /* a rule that is met less says nothing */
#define RUNNER_UP_MIN 0.15
#define RIVALRY 0.25	 /* how much surer a verdict is that has no rival; many causes show in more than one rule */
#define HALF_LOAD 0.7	 /* throughput is compared with that at levels of at most so much of the load */

#define NAME(id, name) [HR_VERDICT_##id] = name,
static const char *const class_names[HR_VERDICT_COUNT] = { HR_VERDICT_CLASSES(NAME) };
#undef NAME
#define NAME(id, name) [HR_ACTION_##id] = name,
static const char *const action_names[HR_ACTION_COUNT] = { HR_ACTIONS(NAME) };
#undef NAME
#define NAME(id, name, words) [HR_CHANGE_##id] = { name, words },
static const struct {
	const char *name, *words;
} changes[HR_CHANGE_COUNT] = { HR_CHANGES(NAME) };
#undef NAME

const char *hr_verdict_class_name(enum hr_verdict_class class)
{
	return class_names[class];
}

const char *hr_action_name(enum hr_action action)
{
	return action_names[action];
}

const char *hr_change_name(enum hr_change change)
{
	return changes[change].name;
}

const char *hr_change_words(enum hr_change change)
{
	return changes[change].words;
}

/* The place of a level on the axis by which growth is told: what was offered, if that is a rate. */
static double axis_load(const struct hr_level *level)
{
	return level->is_rate ? level->offered : level->load;
}

static bool is_on_axis(const struct hr_level *level)
{
	return axis_load(level) > 0 && level->summary->requests.throughput_rps > 0;
}

/* The highest load, and the lowest; of several levels only those that have a load and requests. */
static void find_ends(const struct hr_axis *axis, const struct hr_level **ret_top, const struct hr_level **ret_low)
{
	*ret_top = *ret_low = NULL;
	for (size_t i = 0; i < axis->level_count; i++) {
		const struct hr_level *level = &axis->levels[i];

		if (!is_on_axis(level))
			continue;
		if (!*ret_top || axis_load(level) > axis_load(*ret_top))
			*ret_top = level;
		if (!*ret_low || axis_load(level) < axis_load(*ret_low))
			*ret_low = level;
	}
	if (!*ret_top && axis->level_count)
		*ret_top = *ret_low = &axis->levels[axis->level_count - 1];
}

/* d ln X / d ln N between the highest load and the best of the levels well below it; NAN: there is none. */
static double find_elasticity(const struct hr_axis *axis, const struct hr_level *top)
{
	const struct hr_level *below = NULL;

	for (size_t i = 0; i < axis->level_count; i++) {
		const struct hr_level *level = &axis->levels[i];

		if (is_on_axis(level) && axis_load(level) <= HALF_LOAD * axis_load(top) &&
		    (!below || level->summary->requests.throughput_rps > below->summary->requests.throughput_rps))
			below = level;
	}
	if (!below)
		return NAN;
	return log(top->summary->requests.throughput_rps / below->summary->requests.throughput_rps) /
	       log(axis_load(top) / axis_load(below));
}

static void add_evidence(struct hr_finding *finding, const struct hr_condition *condition, double value, struct hr_text **texts)
{
	const struct hr_law_info *info = &hr_law_infos[condition->law];
	struct hr_evidence evidence = { .what = info->meaning, .value = value, .unit = info->unit };

	if (isnan(value) || finding->evidence_count == HR_EVIDENCE_MAX)
		return;
	if (condition->look == HR_ELASTICITY)
		evidence = (struct hr_evidence){ "how throughput follows the load at its top: 1 fully, 0 not at all", value, "elasticity" };
	if (condition->look == HR_GROWTH)
		evidence = (struct hr_evidence){ hr_texts_print(texts, "%s, at the highest load over the lowest", info->meaning), value,
						 "times" };
	if (evidence.what)
		finding->evidence[finding->evidence_count++] = evidence;
}

static const char *subject_of(const struct hr_rule *rule, const struct hr_laws *laws)
{
	return rule->subject == HR_NO_SUBJECT ? NULL : *(const char *const *)((const char *)&laws->subject + rule->subject);
}

/* The advice of a rule with its subject in the place of %s. */
static const char *advice_of(const char *advice, const char *subject, struct hr_text **texts)
{
	const char *place = strstr(advice, "%s");

	if (!place)
		return advice;
	return hr_texts_print(texts, "%.*s%s%s", (int)(place - advice), advice, subject ? subject : "it", place + 2);
}

static struct hr_finding finding_of(const struct hr_rule *rule, const struct hr_contrast *contrast, struct hr_text **texts)
{
	struct hr_finding finding = {
		.class = rule->class,
		.subject = subject_of(rule, &contrast->top),
		.action = rule->action,
		.limit_rps = NAN,
	};

	finding.advice = advice_of(rule->advice, finding.subject, texts);
	if (rule->limit_rps)
		finding.limit_rps = rule->limit_rps(&contrast->top, &finding.limit_basis, texts);
	else if (rule->class != HR_VERDICT_NOT_SATURATED && rule->class != HR_VERDICT_CLIENT_LIMITED)
		finding.limit_rps = contrast->top.value[HR_LAW_THROUGHPUT];
	if (!rule->limit_rps && isfinite(finding.limit_rps))
		finding.limit_basis = "what was measured at the highest load";
	if (!isfinite(finding.limit_rps)) {
		finding.limit_rps = NAN;
		finding.limit_basis = NULL;
	}
	for (size_t i = 0; i < HR_CONDITIONS_MAX && rule->conditions[i].reason; i++)
		add_evidence(&finding, &rule->conditions[i], hr_condition_value(&rule->conditions[i], contrast), texts);
	return finding;
}

/* Fewer levels show less of how things grow. */
static double trust_in_axis(const struct hr_axis *axis)
{
	return axis->level_count >= HR_MODEL_LEVELS_MIN ? 1 : axis->level_count > 1 ? 0.85 : 0.6;
}

static struct hr_finding inconclusive(const char *why)
{
	return (struct hr_finding){
		.class = HR_VERDICT_INCONCLUSIVE,
		.limit_rps = NAN,
		.advice = why,
		.action = HR_ACTION_MEASURE_AGAIN,
	};
}

/* An approximation moves one slice or wait to another state; the thresholds of the rules are wider than a few of those. */
static bool is_borne(const struct hr_loss_summary *loss)
{
	if (!loss->info)
		return false;
	return loss->info->is_beside || (loss->info->kind == HR_APPROXIMATED &&
					 (double)loss->count <= APPROXIMATED_SHARE * (double)loss->base_count + 1);
}

/* Was too much lost of what verdicts rest on? */
static bool is_too_lossy(const struct hr_summary *whole)
{
	for (size_t i = 0; i < whole->loss_count; i++)
		if (whole->losses[i].above_limit && !is_borne(&whole->losses[i]))
			return true;
	return false;
}

/* Why no verdict can be given; NULL: one can. */
static const char *refusal(const struct hr_summary *whole, const struct hr_axis *axis, const struct hr_level *top,
			   struct hr_text **texts)
{
	double seconds;

	if (!whole->run.interval_count || !top)
		return "The run holds no finished interval: record for longer.";
	if (is_too_lossy(whole))
		return "More was lost than a verdict can bear: see what is missing, and measure again.";
	seconds = (double)top->summary->run.recorded_ns / 1e9;
	if (seconds < SECONDS_MIN)
		return hr_texts_print(texts, "The highest load lasted for %.2f s: measure each level for some seconds.", seconds);
	if (top->summary->requests.requests == HR_NULL)
		return axis->level_count < 2 ? NULL :
					       "The requests cannot be told apart (UDP, or several at once on a connection), so it is not "
					       "known whether throughput grows with the load: --request-probe names a function that is one.";
	if (!top->summary->requests.requests)
		return "No request was answered at the highest load: the load went elsewhere, or the server never answered.";
	if (top->summary->requests.requests < REQUESTS_MIN)
		return hr_texts_print(texts, "Only %lld requests were answered at the highest load: measure for longer.",
				      (long long)top->summary->requests.requests);
	return NULL;
}

static void judge(const struct hr_axis *axis, const struct hr_contrast *contrast, struct hr_verdict *verdict)
{
	const struct hr_rule *best = NULL, *second = NULL;
	double best_degree = 0, second_degree = 0;

	for (size_t i = 0; i < hr_rule_count; i++) {
		double degree = hr_rule_degree(&hr_rules[i], contrast);

		if (degree > best_degree) {
			if (best && best->class != hr_rules[i].class) {
				second = best;
				second_degree = best_degree;
			}
			best = &hr_rules[i];
			best_degree = degree;
		} else if (degree > second_degree && best && best->class != hr_rules[i].class) {
			second = &hr_rules[i];
			second_degree = degree;
		}
	}
	if (!best || best_degree < DEGREE_MIN) {
		verdict->finding = inconclusive(axis->level_count < 2 ?
							"Of one load nothing is full, and it is not known whether throughput grows with it: "
							"measure several levels." :
							"No rule is met: nothing is full, and yet throughput does not grow. More levels, or "
							"longer ones, may tell.");
	} else {
		verdict->finding = finding_of(best, contrast, &verdict->texts);
		verdict->finding.confidence = best_degree * trust_in_axis(axis) * (1 - RIVALRY * second_degree);
	}
	if (best_degree < DEGREE_MIN) {
		second = best;
		second_degree = best_degree;
	}
	verdict->has_runner_up = second && second_degree >= RUNNER_UP_MIN;
	if (verdict->has_runner_up) {
		verdict->runner_up = finding_of(second, contrast, &verdict->texts);
		verdict->runner_up.confidence = second_degree * trust_in_axis(axis) * (1 - RIVALRY * best_degree);
	}
}

void hr_verdict_find(const struct hr_summary *whole, const struct hr_axis *axis, struct hr_verdict *ret_verdict)
{
	const struct hr_level *top, *low;
	struct hr_contrast contrast;
	struct hr_remains remains;
	const char *why;

	*ret_verdict = (struct hr_verdict){ .throughput_rps = NAN, .load = NAN, .headroom = NAN };
	find_ends(axis, &top, &low);
	for (size_t i = 0; i < axis->level_count; i++) {
		double throughput_rps = axis->levels[i].summary->requests.throughput_rps;

		if (throughput_rps > ret_verdict->throughput_rps || (isnan(ret_verdict->throughput_rps) && throughput_rps >= 0)) {
			ret_verdict->throughput_rps = throughput_rps;
			ret_verdict->load = axis->levels[i].load;
		}
	}
	hr_knee_find(axis, &ret_verdict->knee);
	why = refusal(whole, axis, top, &ret_verdict->texts);
	if (why) {
		ret_verdict->finding = inconclusive(why);
		return;
	}
	contrast.has_low = low != top;
	contrast.elasticity = find_elasticity(axis, top);
	hr_laws_of(top, &ret_verdict->texts, &contrast.top);
	hr_laws_of(low, &ret_verdict->texts, &contrast.low);
	judge(axis, &contrast, ret_verdict);
	hr_remains_find(ret_verdict->finding.class, whole, contrast.has_low ? low->summary : NULL, &remains);
	hr_predict(&contrast, &remains, top, ret_verdict);
}

void hr_verdict_fini(struct hr_verdict *verdict)
{
	hr_texts_free(&verdict->texts);
	*verdict = (struct hr_verdict){ 0 };
}
