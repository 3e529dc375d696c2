/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/request_probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* Absolute, so that a bare name is a file of this folder and not a program of PATH. */
static int find_binary(const char *path, char **ret, struct hr_err *err)
{
	struct stat info;
	char *found = realpath(path, NULL);

	if (!found || stat(found, &info)) {
		int code = -errno;

		free(found);
		return hr_err_errno(err, code, "--request-probe: cannot find '%s'", path);
	}
	if (!S_ISREG(info.st_mode)) {
		free(found);
		return hr_err_set(err, -ENOEXEC, "--request-probe: '%s' is not a file", path);
	}
	*ret = found;
	return 0;
}

int hr_request_probe_parse(const char *text, struct hr_request_probe *ret, struct hr_err *err)
{
	const char *colon = strrchr(text, ':');
	struct hr_request_probe probe = { 0 };
	char path[PATH_MAX];
	int code;

	hr_text_clean(probe.text, sizeof(probe.text), text, strlen(text));
	if (!colon || colon == text || !colon[1])
		return hr_err_set(err, -EINVAL, "--request-probe: '%s' is not BINARY:SYMBOL, as in ./server:handle_request",
				  probe.text);
	if (snprintf(path, sizeof(path), "%.*s", (int)(colon - text), text) >= (int)sizeof(path))
		return hr_err_set(err, -ENAMETOOLONG, "--request-probe: the path is too long");
	code = find_binary(path, &probe.binary, err);
	if (code)
		return code;
	probe.symbol = colon + 1;
	*ret = probe;
	return 0;
}

void hr_request_probe_fini(struct hr_request_probe *probe)
{
	free(probe->binary);
	*probe = (struct hr_request_probe){ 0 };
}
