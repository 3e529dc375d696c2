/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_DDL_H
#define HR_REPORT_DDL_H

#include <stdio.h>

#include "store/relations.h"

/* Databases that the CSV files are loaded into: how they call the types, and what else a table of theirs has. */
struct hr_dialect;

/* The one of that name, "clickhouse" or "duckdb"; NULL: no such. */
const struct hr_dialect *hr_dialect_find(const char *name);

/* One CREATE TABLE, ended by ";": the columns of the CSV file in their order. There is no other ';' in it. */
void hr_ddl_write(const struct hr_dialect *dialect, const struct hr_relation *relation, FILE *out);

#endif
