/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_COMPARE_H
#define HR_REPORT_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/compare.h"

/* What a comparison is rendered with: the gate, if there is one. */
struct hr_compare_gate {
	double share; /* NAN: there is none */
	bool failed;
};

/* As hr_report_text() and hr_report_json(). JSON: "headroom.compare/1", see docs/compare.schema.json. */
int hr_compare_text(const struct hr_comparison *comparison, const struct hr_compare_gate *gate, bool utf8, FILE *out,
		    struct hr_err *err);
int hr_compare_json(const struct hr_comparison *comparison, const struct hr_compare_gate *gate, FILE *out, struct hr_err *err);

#endif
