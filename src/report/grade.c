/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/forecast.h"

#include <errno.h>
#include <math.h>

#include "base/text.h"
#include "report/json_values.h"
#include "report/json_write.h"
#include "report/page.h"
#include "report/sentence.h"

static void put_forecast(const struct hr_page *page, const struct hr_forecast *forecast)
{
	struct hr_sentence sentence = { "", 0 };
	char point[16], low[16], high[16], base[16];

	hr_say(&sentence, "With %s %s requests/s were predicted [%s .. %s]", hr_change_words(forecast->change),
	       hr_text_count(forecast->throughput_rps, point), hr_text_count(forecast->range.low, low),
	       hr_text_count(forecast->range.high, high));
	if (!isnan(forecast->base_throughput_rps))
		hr_say(&sentence, ", %+.1f %% on the %s that there were", 100 * (forecast->throughput_rps / forecast->base_throughput_rps - 1),
		       hr_text_count(forecast->base_throughput_rps, base));
	hr_say(&sentence, ".");
	hr_page_paragraph(page, "before", HR_HEAD_COLUMNS, sentence.text);
}

static void put_measured(const struct hr_page *page, const struct hr_grade *grade)
{
	struct hr_sentence sentence = { "", 0 };
	char rate[16];

	hr_say(&sentence, "%s requests/s were measured at most", hr_text_count(grade->throughput_rps, rate));
	if (!isnan(grade->load))
		hr_say(&sentence, ", at a load of %.6g", grade->load);
	hr_say(&sentence, ". The prediction was %.1f %% too %s.", 100 * fabs(grade->error_share), grade->error_share < 0 ? "low" : "high");
	hr_page_paragraph(page, "after", HR_HEAD_COLUMNS, sentence.text);
}

int hr_grade_text(const struct hr_grade *grade, bool utf8, FILE *out, struct hr_err *err)
{
	const struct hr_page page = { out, utf8 };

	hr_page_paragraph(&page, "grade", HR_HEAD_COLUMNS,
			  grade->hit ? "Hit: what was measured lies within the interval that was predicted." :
				       "Miss: what was measured lies outside of the interval that was predicted.");
	put_forecast(&page, &grade->forecast);
	put_measured(&page, grade);
	if (grade->less_load)
		hr_page_paragraph(&page, "warning", HR_HEAD_COLUMNS,
				  "the later run never offered the load that had the most throughput before: measure it with as much");
	if (grade->lossy)
		hr_page_paragraph(&page, "warning", HR_HEAD_COLUMNS, "the later run lost more data than its numbers can bear");
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, -EIO, "cannot write the grade");
	return 0;
}

int hr_grade_json(const struct hr_grade *grade, FILE *out, struct hr_err *err)
{
	const struct hr_forecast *forecast = &grade->forecast;
	json_t *root;

	root = json_pack("{s:s, s:s, s:b, s:f, s:{s:f, s:f, s:f, s:o, s:o}, s:{s:f, s:o, s:o, s:b, s:b}}",
			 "schema", "headroom.check/1",
			 "change", hr_change_name(forecast->change),
			 "hit", grade->hit,
			 "error_share", grade->error_share,
			 "predicted",
			 "throughput_rps", forecast->throughput_rps,
			 "low_rps", forecast->range.low,
			 "high_rps", forecast->range.high,
			 "base_throughput_rps", real(forecast->base_throughput_rps),
			 "base_load", real(forecast->base_load),
			 "measured",
			 "throughput_rps", grade->throughput_rps,
			 "load", real(grade->load),
			 "highest_load", real(grade->highest_load),
			 "less_load", grade->less_load,
			 "lossy", grade->lossy);
	return hr_json_write(root, "the grade", out, err);
}
