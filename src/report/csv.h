/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_CSV_H
#define HR_REPORT_CSV_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store/relations.h"

/*
 * Tables and views as CSV of RFC 4180: lines end in CR LF, the first has the names. Each row begins with run_id and host, so that runs of
 * many hosts are one data set. NULL is an empty field and an empty text is "", unless another text stands for NULL. A REAL
 * always has a point or an exponent, and reads back as the same number; of a column of numbers, what is none is NULL.
 */
struct hr_csv {
	const char *run_id, *host; /* of the run whose rows are written */
	const char *null_text;	   /* "", or "\\N" for ClickHouse: no text in the file looks like it */
};

/*
 * Columns of a relation as exported. `run` has run_id and host of its own; all others are led by those of hr_csv_key[].
 */
extern const struct hr_column hr_csv_key[2];
int hr_csv_column_count(const struct hr_relation *relation);
const struct hr_column *hr_csv_column(const struct hr_relation *relation, int index);

/* The line with the names. */
void hr_csv_header(const struct hr_relation *relation, FILE *out);

/*
 * All rows, one at a time: no table is held in memory. 0 and how many there were; as hr_query_next(); -EIO and other errnos: `out` did not
 * take them. The last of it may still be in the stream's buffer.
 */
int hr_csv_rows(const struct hr_csv *csv, struct hr_reader *reader, const struct hr_relation *relation, uint64_t *ret_rows, FILE *out,
		struct hr_err *err);

#endif
