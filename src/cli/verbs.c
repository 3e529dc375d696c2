/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/verb.h"

const struct hr_verb *const hr_verbs[] = {
	&hr_verb_record,
	&hr_verb_sweep,
	&hr_verb_mark,
	&hr_verb_report,
	&hr_verb_compare,
	&hr_verb_export,
	&hr_verb_plan,
	&hr_verb_check,
	&hr_verb_doctor,
	NULL,
};
