/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/nearest.h"
#include "cli/outdir.h"
#include "cli/outfile.h"
#include "report/csv.h"
#include "report/ddl.h"
#include "report/manifest.h"

/* The tables and views that were asked for, in the order of the list of all. */
struct selection {
	struct hr_relation *relations;
	int count;
};

/* One run, while it is read. */
struct source {
	struct hr_reader *reader;
	struct hr_manifest *manifest;
	struct hr_csv csv;
};

static int refuse_table(const char *verb, const char *name)
{
	struct hr_nearest nearest = { .word = name };

	for (int i = 0; i < hr_relation_count(); i++)
		hr_nearest_offer(&nearest, hr_relation_at(i).name);
	if (nearest.name)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "there is no table '%s'; did you mean '%s'?", name, nearest.name);
	return hr_cli_failf(verb, HR_EXIT_USAGE, "there is no table '%s'; docs/data.md and the table dictionary of a run list them all",
			    name);
}

static bool is_in_list(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* Each name of the list is that of a table. */
static int check_names(const char *verb, const char *list)
{
	char *names = strdup(list), *rest = names, *name;
	struct hr_relation relation;
	int status = names ? HR_EXIT_DONE : hr_cli_failf(verb, HR_EXIT_FAILED, "out of memory");

	while (status == HR_EXIT_DONE && (name = strsep(&rest, ",")))
		if (!hr_relation_find(name, &relation))
			status = refuse_table(verb, name);
	free(names);
	return status;
}

/* HR_EXIT_DONE and *ret_selection, whose relations the caller frees; or what was said to be wrong. */
static int select_tables(const struct hr_export_tables *wanted, struct selection *ret_selection)
{
	int status = wanted->tables ? check_names(wanted->verb, wanted->tables) : HR_EXIT_DONE;
	struct selection selection = { 0 };

	if (status)
		return status;
	selection.relations = calloc((size_t)hr_relation_count(), sizeof(*selection.relations));
	if (!selection.relations)
		return hr_cli_failf(wanted->verb, HR_EXIT_FAILED, "out of memory");
	for (int i = 0; i < hr_relation_count(); i++) {
		struct hr_relation relation = hr_relation_at(i);

		if (!wanted->tables || is_in_list(wanted->tables, relation.name))
			selection.relations[selection.count++] = relation;
	}
	*ret_selection = selection;
	return HR_EXIT_DONE;
}

static void close_source(struct source *source)
{
	hr_manifest_free(source->manifest);
	hr_reader_close(source->reader);
}

static int open_source(const char *path, const char *null_text, struct source *ret_source, struct hr_err *err)
{
	struct source source = { 0 };
	int result = hr_reader_open(path, &source.reader, err);

	if (result)
		return result;
	result = hr_relations_begin(source.reader, err);
	if (!result) {
		source.manifest = hr_manifest_new(source.reader, null_text, err);
		result = source.manifest ? 0 : -EINVAL;
	}
	if (result) {
		close_source(&source);
		return result;
	}
	source.csv = (struct hr_csv){ hr_manifest_run_id(source.manifest), hr_manifest_host(source.manifest), null_text };
	*ret_source = source;
	return 0;
}

/* As folders of partitions are named: "run=", and the value with %XX for all but letters, digits and a few others. */
static void partition_name(char *dst, size_t size, const char *key, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t length = (size_t)snprintf(dst, size, "%s=", key);

	for (; *value && length + 4 < size; value++)
		length += (size_t)snprintf(dst + length, size - length, strchr(plain, *value) ? "%c" : "%%%02X", (unsigned char)*value);
}

/* One table as a file of the folder, and its entry in the manifest. */
static int write_table(const struct source *source, const struct hr_relation *relation, const struct hr_outdir *outdir,
		       uint64_t *rows_of_all, struct hr_err *err)
{
	uint64_t rows = 0, bytes = 0;
	char file[96];
	FILE *stream;
	bool there;
	int result, end;

	snprintf(file, sizeof(file), "%s.csv", relation->name);
	result = hr_relation_is_there(source->reader, relation, &there, err);
	if (result)
		return result;
	stream = hr_outdir_create(outdir, file, err);
	if (!stream)
		return -EIO;
	hr_csv_header(relation, stream);
	result = hr_csv_rows(&source->csv, source->reader, relation, &rows, stream, err);
	end = hr_outdir_close(outdir, stream, file, &bytes, result ? NULL : err);
	*rows_of_all += rows;
	if (result || end)
		return result ? result : end;
	return hr_manifest_add(source->manifest, relation, file, there ? rows : UINT64_MAX, bytes, err);
}

static int write_manifest(const struct source *source, const struct hr_outdir *outdir, struct hr_err *err)
{
	static const char file[] = "manifest.json";
	FILE *stream = hr_outdir_create(outdir, file, err);
	uint64_t bytes;
	int result, end;

	if (!stream)
		return -EIO;
	result = hr_manifest_write(source->manifest, stream, err);
	end = hr_outdir_close(outdir, stream, file, &bytes, result ? NULL : err);
	return result ? result : end;
}

/* A run as a folder of the tree. */
static int write_folder(const struct hr_export_tables *wanted, const struct selection *selection, const struct source *source,
			struct hr_err *err)
{
	char run[768], host[768];
	struct hr_outdir outdir = { 0 };
	uint64_t rows = 0;
	int result;

	hr_reader_stop_when(source->reader, hr_interrupt_waits);
	partition_name(run, sizeof(run), "run", source->csv.run_id);
	partition_name(host, sizeof(host), "host", source->csv.host);
	result = hr_outdir_open(wanted->output, run, host, wanted->replace, &outdir, err);
	for (int i = 0; !result && i < selection->count; i++)
		result = write_table(source, &selection->relations[i], &outdir, &rows, err);
	if (!result)
		result = write_manifest(source, &outdir, err);
	if (result) {
		hr_outdir_discard(&outdir);
		return result;
	}
	result = hr_outdir_commit(&outdir, err);
	if (!result)
		hr_cli_say(wanted->verb, "%s/%s/%s: %d files, %llu rows", wanted->output, run, host, selection->count,
			   (unsigned long long)rows);
	return result;
}

/* The rows of a run after those of the one before. */
static int write_stream(const struct selection *selection, const struct source *source, struct hr_err *err)
{
	uint64_t rows;

	return hr_csv_rows(&source->csv, source->reader, &selection->relations[0], &rows, stdout, err);
}

static int write_run(const struct hr_export_tables *wanted, const struct selection *selection, const char *path, struct hr_err *err)
{
	struct source source;
	int result = open_source(path, wanted->null_text, &source, err);

	if (result)
		return result;
	result = wanted->output ? write_folder(wanted, selection, &source, err) : write_stream(selection, &source, err);
	close_source(&source);
	return result;
}

static int write_runs(const struct hr_export_tables *wanted, const struct selection *selection, const struct hr_arguments *runs)
{
	struct hr_err err;
	int result = 0;

	if (!wanted->output)
		hr_csv_header(&selection->relations[0], stdout);
	for (int i = 0; !result && i < runs->count; i++)
		result = write_run(wanted, selection, runs->given[i], &err);
	if (!result && !wanted->output) {
		errno = 0;
		if (fflush(stdout) || ferror(stdout))
			result = hr_err_errno(&err, errno ? -errno : -EIO, "cannot write the table");
	}
	return result ? hr_cli_fail(wanted->verb, HR_EXIT_FAILED, &err) : HR_EXIT_DONE;
}

static int check_wanted(const struct hr_export_tables *wanted, const struct hr_arguments *runs)
{
	if (!runs->count)
		return hr_cli_failf(wanted->verb, HR_EXIT_USAGE, "which run? name its file: headroom export RUN.db --format csv -o DIR");
	if (!wanted->output && (!wanted->tables || strchr(wanted->tables, ',')))
		return hr_cli_failf(wanted->verb, HR_EXIT_USAGE, "where to? -o DIR for a folder, or --table NAME for one table on the "
				    "standard output");
	if (strpbrk(wanted->null_text, ",\"\r\n"))
		return hr_cli_failf(wanted->verb, HR_EXIT_USAGE, "--null is written without quotes: no comma, quote or end of line can "
				    "be in it");
	return HR_EXIT_DONE;
}

int hr_export_tables_run(const struct hr_export_tables *asked, const struct hr_arguments *runs)
{
	struct hr_export_tables wanted = *asked;
	struct selection selection;
	int status;

	if (wanted.output && strcmp(wanted.output, "-") == 0)
		wanted.output = NULL;
	status = check_wanted(&wanted, runs);
	if (!status)
		status = select_tables(&wanted, &selection);
	if (status)
		return status;
	status = write_runs(&wanted, &selection, runs);
	free(selection.relations);
	return status;
}

static void write_ddl(const struct hr_dialect *dialect, const struct selection *selection, FILE *out)
{
	for (int i = 0; i < selection->count; i++)
		hr_ddl_write(dialect, &selection->relations[i], out);
}

static int put_ddl(const struct hr_export_tables *wanted, const struct hr_dialect *dialect, const struct selection *selection,
		   struct hr_err *err)
{
	struct hr_outfile outfile;
	int result;

	if (wanted->output && strcmp(wanted->output, "-")) {
		result = hr_outfile_open(wanted->output, wanted->replace, &outfile, err);
		if (result)
			return result;
		write_ddl(dialect, selection, outfile.stream);
		return hr_outfile_commit(&outfile, err);
	}
	errno = 0;
	write_ddl(dialect, selection, stdout);
	if (fflush(stdout) || ferror(stdout))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the statements");
	return 0;
}

int hr_export_ddl_run(const struct hr_export_tables *wanted, const char *dialect)
{
	const struct hr_dialect *found = hr_dialect_find(dialect);
	struct selection selection;
	struct hr_err err;
	int status;

	if (!found)
		return hr_cli_failf(wanted->verb, HR_EXIT_USAGE, "unknown database '%s'; it is clickhouse or duckdb", dialect);
	status = select_tables(wanted, &selection);
	if (status)
		return status;
	if (put_ddl(wanted, found, &selection, &err))
		status = hr_cli_fail(wanted->verb, HR_EXIT_FAILED, &err);
	free(selection.relations);
	return status;
}
