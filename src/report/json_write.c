/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_write.h"

#include <errno.h>

int hr_json_write(json_t *document, const char *what, FILE *out, struct hr_err *err)
{
	int failed;

	if (!document)
		return hr_err_set(err, -ENOMEM, "no memory for %s", what);
	errno = 0;
	failed = json_dumpf(document, out, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(HR_JSON_REAL_DIGITS));
	json_decref(document);
	if (failed || fputc('\n', out) == EOF || fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write %s", what);
	return 0;
}
