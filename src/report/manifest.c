/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "report/csv.h"
#include "report/json_values.h"
#include "report/json_write.h"

struct hr_manifest {
	json_t *document;
	json_t *tables; /* of the document */
};

/* Nanoseconds since 1970 are more than a number in JSON can hold: as a date, they are exact. */
static json_t *date_of(int64_t unix_ns)
{
	time_t unix_s = (time_t)(unix_ns / 1000000000);
	char date[32], stamp[48];
	struct tm utc;

	if (unix_ns < 0 || !gmtime_r(&unix_s, &utc)) /* HR_NULL too */
		return json_null();
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp, sizeof(stamp), "%s.%09" PRId64 "Z", date, unix_ns % 1000000000);
	return json_string(stamp);
}

/* What a damaged file says may be no text in UTF-8. */
static json_t *clean(const char *said)
{
	size_t length = said ? strlen(said) : 0;
	char *copy = malloc(3 * length + 1);
	json_t *value = NULL;

	if (copy && said) {
		hr_text_clean(copy, 3 * length + 1, said, length);
		value = json_string(copy);
	} else if (copy) {
		value = json_null();
	}
	free(copy);
	return value;
}

static json_t *run_facts(struct hr_query *query)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "run_id", clean(hr_query_text(query, 0)),
			 "host", clean(hr_query_text(query, 1)),
			 "kernel", clean(hr_query_text(query, 2)),
			 "arch", clean(hr_query_text(query, 3)),
			 "cpus", whole(hr_query_int(query, 4)),
			 "headroom_version", clean(hr_query_text(query, 5)),
			 "target", clean(hr_query_text(query, 6)),
			 "started", date_of(hr_query_int(query, 7)),
			 "interval_ns", whole(hr_query_int(query, 8)),
			 "ended_ns", whole(hr_query_int(query, 9)),
			 "target_status", whole(hr_query_int(query, 10)));
}

/* The row of the run as JSON: 0 and *ret_run. */
static int read_run(struct hr_reader *reader, json_t **ret_run, struct hr_err *err)
{
	struct hr_query *query;
	json_t *run;
	int result = hr_query_open(reader, &query, err, "SELECT run_id, host, kernel, arch, cpus, headroom_version, target, "
				   "started_unix_ns, interval_ns, ended_ns, target_status FROM run WHERE run_id IS NOT NULL "
				   "AND host IS NOT NULL LIMIT 1", "");

	if (result)
		return result;
	result = hr_query_next(query);
	if (result == 1) {
		run = run_facts(query);
		result = run ? 0 : hr_err_set(err, -ENOMEM, "no memory for the manifest");
		*ret_run = run;
	} else if (result == 0) {
		result = hr_err_set(err, -EINVAL, "'%s' holds no run: its recording has not begun yet, or ended before it did", hr_reader_path(reader));
	}
	hr_query_close(query);
	return result;
}

struct hr_manifest *hr_manifest_new(struct hr_reader *reader, const char *null_text, struct hr_err *err)
{
	struct hr_manifest *manifest = calloc(1, sizeof(*manifest));
	json_t *run = NULL;

	if (!manifest) {
		hr_err_set(err, -ENOMEM, "no memory for the manifest");
		return NULL;
	}
	if (read_run(reader, &run, err)) {
		free(manifest);
		return NULL;
	}
	manifest->tables = json_array();
	manifest->document = json_pack("{s:s, s:s, s:o, s:{s:s, s:s, s:s}, s:O}",
				       "schema", "headroom.manifest/1",
				       "headroom_version", HR_VERSION,
				       "run", run,
				       "csv", "null", null_text, "line_end", "\r\n", "encoding", "UTF-8",
				       "tables", manifest->tables);
	json_decref(manifest->tables); /* the document holds it */
	if (!manifest->document) {
		hr_err_set(err, -ENOMEM, "no memory for the manifest");
		free(manifest);
		return NULL;
	}
	return manifest;
}

static json_t *describe_columns(const struct hr_relation *relation)
{
	static const char *const types[] = {
		[HR_COLUMN_INT] = "integer",
		[HR_COLUMN_REAL] = "real",
		[HR_COLUMN_TEXT] = "text",
	};
	json_t *columns = json_array();

	for (int i = 0; i < hr_csv_column_count(relation); i++) {
		const struct hr_column *column = hr_csv_column(relation, i);

		columns = append(columns, json_pack("{s:s, s:s, s:o, s:s}", "name", column->name, "type", types[column->type], "unit",
						    text(*column->unit ? column->unit : NULL), "meaning", column->meaning));
	}
	return columns;
}

int hr_manifest_add(struct hr_manifest *manifest, const struct hr_relation *relation, const char *file, uint64_t rows, uint64_t bytes,
		    struct hr_err *err)
{
	json_t *table = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}",
				  "name", relation->name,
				  "kind", relation->select ? "view" : "table",
				  "meaning", relation->meaning,
				  "file", file,
				  "rows", rows == UINT64_MAX ? json_null() : count(rows),
				  "bytes", count(bytes),
				  "columns", describe_columns(relation));

	if (!table || json_array_append_new(manifest->tables, table))
		return hr_err_set(err, -ENOMEM, "no memory for the manifest");
	return 0;
}

int hr_manifest_write(const struct hr_manifest *manifest, FILE *out, struct hr_err *err)
{
	return hr_json_write(json_incref(manifest->document), "the manifest", out, err);
}

static const char *fact(const struct hr_manifest *manifest, const char *name)
{
	return json_string_value(json_object_get(json_object_get(manifest->document, "run"), name));
}

const char *hr_manifest_run_id(const struct hr_manifest *manifest)
{
	return fact(manifest, "run_id");
}

const char *hr_manifest_host(const struct hr_manifest *manifest)
{
	return fact(manifest, "host");
}

void hr_manifest_free(struct hr_manifest *manifest)
{
	if (!manifest)
		return;
	json_decref(manifest->document);
	free(manifest);
}
