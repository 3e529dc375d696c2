/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_verdict.h"

#include "report/json_values.h"

static json_t *range(const struct hr_range *range)
{
	return isfinite(range->low) && isfinite(range->high) ? json_pack("[f, f]", range->low, range->high) : json_null();
}

static json_t *band(const struct hr_model *model)
{
	json_t *all = json_array();

	for (size_t i = 0; i < HR_MODEL_BAND; i++)
		all = append(all, json_pack("{s:o, s:o, s:o}",
					    "load", real(model->band[i].load),
					    "low_rps", real(model->band[i].throughput_rps.low),
					    "high_rps", real(model->band[i].throughput_rps.high)));
	return all;
}

json_t *hr_json_model(const struct hr_model *model)
{
	bool any = model->kind != HR_MODEL_NONE;
	json_t *intervals = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
				      "lambda", any ? range(&model->lambda_range) : json_null(),
				      "sigma", any ? range(&model->sigma_range) : json_null(),
				      "kappa", any ? range(&model->kappa_range) : json_null(),
				      "cap_rps", any ? range(&model->cap_range) : json_null(),
				      "peak_concurrency", any ? range(&model->peak_load_range) : json_null(),
				      "peak_throughput_rps", any ? range(&model->peak_throughput_range) : json_null());

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o}",
			 "kind", hr_model_name(model->kind),
			 "why", text(model->why),
			 "lambda", any ? real(model->lambda) : json_null(),
			 "sigma", any ? real(model->sigma) : json_null(),
			 "kappa", any ? real(model->kappa) : json_null(),
			 "cap_rps", any ? real(model->cap_rps) : json_null(),
			 "intervals", intervals,
			 "band", any ? band(model) : json_null(),
			 "r_squared", any ? real(model->r_squared) : json_null(),
			 "aicc", any ? json_pack("{s:o, s:o, s:o}",
						 "linear", real(model->aicc[HR_MODEL_LINEAR]),
						 "hard_cap", real(model->aicc[HR_MODEL_CAP]),
						 "usl", real(model->aicc[HR_MODEL_USL])) : json_null(),
			 "peak_identified", any && model->peak_identified,
			 "peak_measured", any && model->peak_measured,
			 "peak_concurrency", any ? real(model->peak_load) : json_null(),
			 "peak_throughput_rps", any ? real(model->peak_throughput_rps) : json_null());
}

static json_t *finding(const struct hr_finding *finding)
{
	json_t *evidence = json_array();

	for (size_t i = 0; i < finding->evidence_count; i++)
		evidence = append(evidence, json_pack("{s:o, s:o, s:o}",
						      "what", text(finding->evidence[i].what),
						      "value", real(finding->evidence[i].value),
						      "unit", text(finding->evidence[i].unit)));
	return json_pack("{s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:s}",
			 "class", hr_verdict_class_name(finding->class),
			 "subject", text(finding->subject),
			 "confidence", finding->confidence,
			 "limit_rps", real(finding->limit_rps),
			 "limit_basis", text(finding->limit_basis),
			 "evidence", evidence,
			 "advice", text(finding->advice),
			 "action", hr_action_name(finding->action));
}

static json_t *predictions(const struct hr_verdict *verdict)
{
	json_t *all = json_array();

	for (size_t i = 0; i < verdict->prediction_count; i++) {
		const struct hr_prediction *prediction = &verdict->predictions[i];

		all = append(all, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}",
					    "change", hr_change_name(prediction->change),
					    "words", hr_change_words(prediction->change),
					    "throughput_rps", real(prediction->throughput_rps),
					    "low_rps", real(prediction->range.low),
					    "high_rps", real(prediction->range.high),
					    "limit", text(prediction->limit)));
	}
	return all;
}

static json_t *knee(const struct hr_knee *knee)
{
	if (isnan(knee->load))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			 "load", real(knee->load),
			 "throughput_rps", real(knee->throughput_rps),
			 "predicted_rps", real(knee->predicted_rps),
			 "range_rps", range(&knee->range),
			 "resource", text(knee->resource),
			 "from_levels", count(knee->level_count));
}

json_t *hr_json_verdict(const struct hr_verdict *verdict)
{
	json_t *item = finding(&verdict->finding);

	item = with(item, "prediction", predictions(verdict));
	item = with(item, "throughput_rps", real(verdict->throughput_rps));
	item = with(item, "load", real(verdict->load));
	item = with(item, "knee", knee(&verdict->knee));
	return with(item, "headroom", real(verdict->headroom));
}

json_t *hr_json_runner_up(const struct hr_verdict *verdict)
{
	return verdict->has_runner_up ? finding(&verdict->runner_up) : json_null();
}
