/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_CHECK_H
#define HR_ANALYSE_CHECK_H

#include <stdbool.h>

#include "analyse/analysis.h"

/* The grade of a prediction: what an earlier report said a change would do, and what a later run did after it. */

/* Of the earlier report. What it does not have is NAN. */
struct hr_forecast {
	enum hr_change change;
	double throughput_rps;
	struct hr_range range;
	double base_throughput_rps, base_load; /* the highest throughput before the change, and the load that had it */
};

struct hr_grade {
	struct hr_forecast forecast;
	double throughput_rps;	/* the highest that the later run measured; of its load generator where the server's is not known */
	double load;		/* at which; NAN: not known */
	double highest_load;	/* that it measured; NAN likewise */
	double error_share;	/* of the prediction: (predicted - measured) / measured */
	bool hit;		/* measured lies within the range */
	bool less_load;		/* the later run never offered the load that had the most before: a miss may be for want of load */
	bool lossy;		/* the later run lost more data than its numbers can bear */
};

/* 0 and *ret_grade; -ENODATA: the later run has no throughput. */
int hr_check(const struct hr_forecast *forecast, const struct hr_analysis *later, struct hr_grade *ret_grade, struct hr_err *err);

/* HR_CHANGE_COUNT: there is no such change. */
enum hr_change hr_change_find(const char *name);

#endif
