/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_RESULTS_H
#define HR_STORE_RESULTS_H

#include "base/err.h"
#include "store/writer.h"

/*
 * What a load generator itself measured, from a CSV file with a header: level, throughput_rps, errors, p50_ms, p90_ms, p99_ms in
 * any order, and all but the level may be missing, as may be any cell. Other columns are not read.
 */
struct hr_results;

/*
 * Read a file. 0 and *ret_results (free with hr_results_free()); with err set: -EINVAL: something in it is not as it should be,
 * and err names file and line; -EFBIG: too long; -ENOENT, -EACCES, ...: it cannot be read.
 */
int hr_results_load(const char *path, struct hr_results **ret_results, struct hr_err *err);
void hr_results_free(struct hr_results *results);

/* The name of a column that is not read, in valid UTF-8; NULL: all are. */
const char *hr_results_surplus(const struct hr_results *results);

/*
 * Add them to a run whose levels have been written. A number that is written in another way than the level's label ("8.0") is that
 * level. The caller commits.
 */
int hr_results_write(const struct hr_results *results, struct hr_writer *writer, struct hr_err *err);

#endif
