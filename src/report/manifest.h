/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_MANIFEST_H
#define HR_REPORT_MANIFEST_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store/relations.h"

/*
 * What lies beside the CSV files of a run: "headroom.manifest/1", described by docs/manifest.schema.json. The run, and for each
 * file its rows, its bytes, and its columns with type, unit and meaning.
 */
struct hr_manifest;

/* The facts of the run that is being read; NULL is out of memory, or a damaged file, and err says which. */
struct hr_manifest *hr_manifest_new(struct hr_reader *reader, const char *null_text, struct hr_err *err);

/* A file that was written. rows UINT64_MAX: the run file has no such table. 0 or -ENOMEM. */
int hr_manifest_add(struct hr_manifest *manifest, const struct hr_relation *relation, const char *file, uint64_t rows, uint64_t bytes,
		    struct hr_err *err);

/* 0; -EIO and other errnos with err set. Flushes. */
int hr_manifest_write(const struct hr_manifest *manifest, FILE *out, struct hr_err *err);

/* Of the run; live as long as the manifest. */
const char *hr_manifest_run_id(const struct hr_manifest *manifest);
const char *hr_manifest_host(const struct hr_manifest *manifest);

void hr_manifest_free(struct hr_manifest *manifest); /* takes NULL */

#endif
