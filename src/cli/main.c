/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "cli/cli.h"
#include "cli/verb.h"

static const struct hr_verb *const verbs[] = {
	&hr_verb_record,
	&hr_verb_report,
	&hr_verb_export,
	&hr_verb_doctor,
	NULL,
};

int main(int argc, char **argv)
{
	return hr_cli_main(verbs, argc, argv);
}
