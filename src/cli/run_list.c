/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/run_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hr_run_list_add(struct hr_run_list *list, const char *path, struct hr_err *err)
{
	struct hr_run *runs;
	int ret;

	if (!*path)
		return hr_err_set(err, -EINVAL, "the name of a run file is empty");
	runs = reallocarray(list->runs, list->count + 1, sizeof(*runs));
	if (!runs)
		return hr_err_set(err, -ENOMEM, "out of memory");
	list->runs = runs;
	ret = hr_run_load(path, &runs[list->count], err);
	list->count += !ret;
	return ret;
}

int hr_run_list_load(const char *paths, struct hr_run_list *ret_list, struct hr_err *err)
{
	struct hr_run_list list = { .text = strdup(paths) };
	char *rest = list.text;
	int ret = 0;

	if (!list.text)
		return hr_err_set(err, -ENOMEM, "out of memory");
	if (access(paths, F_OK) == 0)
		ret = hr_run_list_add(&list, list.text, err);
	else
		for (char *path; !ret && (path = strsep(&rest, ","));)
			ret = hr_run_list_add(&list, path, err);
	if (ret)
		hr_run_list_fini(&list);
	else
		*ret_list = list;
	return ret;
}

void hr_run_list_fini(struct hr_run_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		hr_run_fini(&list->runs[i]);
	free(list->runs);
	free(list->text);
	*list = (struct hr_run_list){ 0 };
}
