/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyse/flame.h"
#include "report/html.h"
#include "report/html_assets.h"
#include "report/html_series.h"
#include "report/json_document.h"
#include "report/json_values.h"
#include "report/json_write.h"

/*
 * The document is a shell: its head, a policy that lets nothing run or load but what is in it, two documents of data, and the
 * script that makes the page of them. Names, paths and labels are other people's text. They are in the data only, where they
 * cannot end the element that they are in, and the script puts them on the page as text and never as markup.
 */

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

/* In JSON these stand in strings only, where the escape means the same. */
static int put_escaped(const char *bytes, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++) {
		int failed = strchr("<>&", bytes[i]) && bytes[i] ? fprintf(out, "\\u%04x", (unsigned int)bytes[i]) < 0 :
								    fputc(bytes[i], out) == EOF;

		if (failed)
			return -1;
	}
	return 0;
}

/* Takes the document. Not ASCII is escaped too, U+2028 and U+2029 among it. */
static int put_data(FILE *out, const char *id, json_t *document, size_t digits)
{
	int failed;

	if (!document)
		return -ENOMEM;
	fprintf(out, "<script type=\"application/json\" id=\"%s\">", id);
	failed = json_dump_callback(document, put_escaped, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(digits));
	fputs("</script>\n", out);
	json_decref(document);
	return failed && !ferror(out) ? -ENOMEM : 0;
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
	ret = put_data(out, "course", json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
						"series", hr_html_series(summary, series),
						"heatmap", hr_html_heatmap(series),
						"marks", hr_html_marks(series),
						"states", hr_html_states(summary),
						"flame_on_cpu", on_cpu,
						"flame_off_cpu", off_cpu,
						"left_out", left_out), SERIES_DIGITS);
	return ret ? hr_err_set(err, ret, "no memory for the report") : 0;
}

static void put_asset(FILE *out, const struct hr_html_asset *asset)
{
	fwrite(asset->text, 1, asset->bytes, out);
}

static void put_head(const struct hr_html_assets *assets, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"", out);
	put_asset(out, &assets->policy);
	fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"generator\" content=\"headroom " HR_VERSION "\">\n<title>Headroom report</title>\n<style>", out);
	put_asset(out, &assets->style);
	fputs("</style>\n</head>\n<body>\n<noscript>This report draws itself with a script that is in this file; it needs JavaScript, and no "
	      "network.</noscript>\n<main id=\"page\"></main>\n", out);
}

int hr_report_html(const struct hr_analysis *analysis, const struct hr_series *series, FILE *out, struct hr_err *err)
{
	struct hr_html_assets assets;
	json_t *document, *left_out;
	int ret;

	if (!hr_html_assets(&assets))
		return hr_err_set(err, -ENOSYS, "this headroom was built without the charts of the HTML report; in its source, "
				  "`scripts/setup build && make charts` adds them");
	document = hr_json_document(analysis);
	left_out = cut_lists(document);
	errno = 0;
	put_head(&assets, out);
	ret = put_data(out, "report", document, HR_JSON_REAL_DIGITS);
	if (ret) {
		json_decref(left_out);
		return hr_err_set(err, ret, "no memory for the report");
	}
	ret = put_course(analysis->summary, series, left_out, out, err);
	if (ret)
		return ret;
	fputs("<script>", out);
	put_asset(out, &assets.script);
	fputs("</script>\n</body>\n</html>\n", out);
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the report");
	return 0;
}
