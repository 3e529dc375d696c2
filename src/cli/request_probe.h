/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_REQUEST_PROBE_H
#define HR_CLI_REQUEST_PROBE_H

#include "base/err.h"

/* The function that --request-probe names: BINARY:SYMBOL. */
struct hr_request_probe {
	char *binary; /* absolute path */
	const char *symbol;
	char text[512]; /* as it was given, in valid UTF-8 */
};

/*
 * Split at the last ':' and look for the file; whether it has that symbol is seen when the probe is attached. text must outlive
 * *ret. 0 (free with hr_request_probe_fini()). With err set: -EINVAL: a part is missing; -ENOENT, -EACCES, ...: the file is.
 */
int hr_request_probe_parse(const char *text, struct hr_request_probe *ret, struct hr_err *err);

/* Takes one of zeros. */
void hr_request_probe_fini(struct hr_request_probe *probe);

#endif
