/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_HTML_ASSETS_H
#define HR_REPORT_HTML_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The script and the style of the HTML report, bundled from src/report/html/ by scripts/gen-report-page and embedded when
 * headroom is built.
 */
struct hr_html_asset {
	const char *text; /* not terminated */
	size_t bytes;
};

struct hr_html_assets {
	struct hr_html_asset script, style;
	struct hr_html_asset policy; /* the Content-Security-Policy that allows these two, by their hashes, and nothing else */
};

/* false: this headroom was built where they could not be bundled. */
bool hr_html_assets(struct hr_html_assets *ret_assets);

#endif
