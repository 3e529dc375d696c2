/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "report/fleet.h"
#include "report/fleet_document.h"
#include "report/html_shell.h"
#include "report/json_values.h"
#include "report/json_write.h"

#define HOSTS_SHOWN 200 /* of 20 levels: about 1 MB */

/* Which hosts are shown: those that are unlike the others first, then as they were named. NULL: no memory. */
static bool *choose_hosts(const struct hr_fleet *fleet)
{
	bool *shown = calloc(fleet->run_count, sizeof(*shown));
	size_t shown_count = 0;

	for (int round = 0; shown && round < 2; round++)
		for (size_t i = 0; i < fleet->run_count && shown_count < HOSTS_SHOWN; i++)
			if (!shown[i] && (round || hr_fleet_is_off(fleet, i))) {
				shown[i] = true;
				shown_count++;
			}
	return shown;
}

/* Keep of a list in the order of the hosts those that are shown. */
static void cut_list(json_t *list, const bool *shown)
{
	for (size_t i = json_array_size(list); i > 0; i--)
		if (!shown[i - 1])
			json_array_remove(list, i - 1);
}

/* What is of all hosts together stays. */
static int cut_hosts(const struct hr_fleet *fleet, json_t *document)
{
	bool *shown = choose_hosts(fleet);
	json_t *level;
	size_t i;

	if (!shown)
		return -ENOMEM;
	cut_list(json_object_get(document, "hosts"), shown);
	cut_list(json_object_get(json_object_get(document, "total"), "by_host"), shown);
	json_array_foreach(json_object_get(document, "levels"), i, level)
		cut_list(json_object_get(level, "by_host"), shown);
	free(shown);
	return json_object_set_new(document, "host_count", count(fleet->run_count)) ? -ENOMEM : 0;
}

int hr_fleet_html(const struct hr_fleet *fleet, FILE *out, struct hr_err *err)
{
	int ret = hr_html_begin(out, err);
	json_t *document;

	if (ret)
		return ret;
	document = hr_fleet_document(fleet);
	if (document && cut_hosts(fleet, document)) {
		json_decref(document);
		document = NULL;
	}
	ret = hr_html_data(out, "report", document, HR_JSON_REAL_DIGITS, err);
	return ret ? ret : hr_html_end(out, err);
}
