/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_HTML_SHELL_H
#define HR_REPORT_HTML_SHELL_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"

/*
 * The document of a page is a shell: its head, a policy that lets nothing run or load but what is in it, documents of data, and the
 * script that makes the page of them. Names, paths and labels are other people's text. They are in the data only, where they
 * cannot end the element that they are in, and the script puts them on the page as text and never as markup.
 */

/* The head. -ENOSYS: this headroom was built without the charts, err says how to get them, and nothing is written. */
int hr_html_begin(FILE *out, struct hr_err *err);

/* Data that the script finds by its id. Takes the document. Not ASCII is escaped, U+2028 and U+2029 among it. -ENOMEM, also of NULL. */
int hr_html_data(FILE *out, const char *id, json_t *document, size_t digits, struct hr_err *err);

/* The script, and what was written is flushed. -EIO and other errnos: out did not take everything. */
int hr_html_end(FILE *out, struct hr_err *err);

#endif
