/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/html_shell.h"

#include <errno.h>
#include <string.h>

#include "report/html_assets.h"

/* In JSON these stand in strings only, where the escape means the same. */
static int put_escaped(const char *bytes, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++) {
		int failed = strchr("<>&", bytes[i]) && bytes[i] ? fprintf(out, "\\u%04x", (unsigned int)bytes[i]) < 0 :
								    fputc(bytes[i], out) == EOF;

		if (failed)
			return -1;
	}
	return 0;
}

int hr_html_data(FILE *out, const char *id, json_t *document, size_t digits, struct hr_err *err)
{
	int failed;

	if (!document)
		return hr_err_set(err, -ENOMEM, "no memory for the report");
	fprintf(out, "<script type=\"application/json\" id=\"%s\">", id);
	failed = json_dump_callback(document, put_escaped, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(digits));
	fputs("</script>\n", out);
	json_decref(document);
	return failed && !ferror(out) ? hr_err_set(err, -ENOMEM, "no memory for the report") : 0;
}

static void put_asset(FILE *out, const struct hr_html_asset *asset)
{
	fwrite(asset->text, 1, asset->bytes, out);
}

int hr_html_begin(FILE *out, struct hr_err *err)
{
	struct hr_html_assets assets;

	if (!hr_html_assets(&assets))
		return hr_err_set(err, -ENOSYS, "this headroom was built without the charts of the HTML report; in its source, "
				  "`scripts/setup build && make charts` adds them");
	errno = 0;
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"", out);
	put_asset(out, &assets.policy);
	fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"generator\" content=\"headroom " HR_VERSION "\">\n<title>Headroom report</title>\n<style>", out);
	put_asset(out, &assets.style);
	fputs("</style>\n</head>\n<body>\n<noscript>This report draws itself with a script that is in this file; it needs JavaScript, and no "
	      "network.</noscript>\n<main id=\"page\"></main>\n", out);
	return 0;
}

int hr_html_end(FILE *out, struct hr_err *err)
{
	struct hr_html_assets assets;

	if (hr_html_assets(&assets)) {
		fputs("<script>", out);
		put_asset(out, &assets.script);
		fputs("</script>\n</body>\n</html>\n", out);
	}
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the report");
	return 0;
}
