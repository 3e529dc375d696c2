/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/flame.h"
#include "report/html.h"
#include "report/html_series.h"
#include "report/html_shell.h"
#include "report/json_document.h"
#include "report/json_values.h"
#include "report/json_write.h"

#define FLAME_NODES 2500 /* per graph */
#define SERIES_DIGITS 5

/* What the page shows of lists that have no bound; all of it is in the JSON report. */
static const struct limit {
	const char *key;
	size_t max;
} limits[] = {
	{ "processes", 100 },
	{ "thread_groups", 200 },
	{ "syscalls", 100 },
	{ "connections", 100 },
	{ "listeners", 50 },
	{ "levels", 200 },
};

/* Cut the lists; how many of each are missing. */
static json_t *cut_lists(json_t *document)
{
	json_t *left_out = json_object();

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		json_t *list = json_object_get(document, limits[i].key);
		size_t size = json_array_size(list);

		if (size <= limits[i].max)
			continue;
		left_out = with(left_out, limits[i].key, count(size - limits[i].max));
		while (size > limits[i].max)
			json_array_remove(list, --size);
	}
	return left_out;
}

static int make_flame(const struct hr_summary *summary, bool on_cpu, json_t **ret, struct hr_err *err)
{
	struct hr_flame flame = { 0 };
	int result = hr_flame_make(summary, on_cpu, FLAME_NODES, &flame, err);

	if (!result)
		*ret = hr_html_flame(summary, &flame);
	hr_flame_fini(&flame);
	return result;
}

static int put_course(const struct hr_summary *summary, const struct hr_series *series, json_t *left_out, FILE *out, struct hr_err *err)
{
	json_t *on_cpu = NULL, *off_cpu = NULL;
	int ret = make_flame(summary, true, &on_cpu, err);

	if (!ret)
		ret = make_flame(summary, false, &off_cpu, err);
	if (ret) {
		json_decref(on_cpu);
		json_decref(left_out);
		return ret;
	}
	return hr_html_data(out, "course", json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
						"series", hr_html_series(summary, series),
						"heatmap", hr_html_heatmap(series),
						"marks", hr_html_marks(series),
						"states", hr_html_states(summary),
						"flame_on_cpu", on_cpu,
						"flame_off_cpu", off_cpu,
						"left_out", left_out), SERIES_DIGITS, err);
}

int hr_report_html(const struct hr_analysis *analysis, const struct hr_series *series, FILE *out, struct hr_err *err)
{
	json_t *document, *left_out;
	int ret = hr_html_begin(out, err);

	if (ret)
		return ret;
	document = hr_json_document(analysis);
	left_out = cut_lists(document);
	ret = hr_html_data(out, "report", document, HR_JSON_REAL_DIGITS, err);
	if (ret) {
		json_decref(left_out);
		return ret;
	}
	ret = put_course(analysis->summary, series, left_out, out, err);
	return ret ? ret : hr_html_end(out, err);
}
