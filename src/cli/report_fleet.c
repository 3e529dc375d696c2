/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_fleet.h"

#include "cli/cli.h"
#include "cli/run_list.h"
#include "report/fleet.h"

struct rendering {
	struct hr_run_list list;
	struct hr_fleet fleet;
	hr_fleet_render *render;
};

static int render(const void *context, FILE *out, struct hr_err *err)
{
	const struct rendering *rendering = context;

	return rendering->render(&rendering->fleet, out, err);
}

static int check_losses(const char *verb, const struct rendering *rendering)
{
	for (size_t i = 0; i < rendering->list.count; i++)
		if (rendering->list.runs[i].analysis->summary->lossy)
			return hr_cli_failf(verb, HR_EXIT_LOSSY, "data was lost; headroom report %s says what", rendering->list.runs[i].path);
	return HR_EXIT_DONE;
}

static int load(struct rendering *rendering, char *const *paths, int count, struct hr_err *err)
{
	int ret = 0;

	for (int i = 0; i < count && !ret; i++)
		ret = hr_run_list_add(&rendering->list, paths[i], err);
	return ret ? ret : hr_fleet_load(rendering->list.runs, rendering->list.count, &rendering->fleet, err);
}

int hr_report_fleet(const char *verb, char *const *paths, int count, hr_fleet_render *format, bool strict,
		    const struct hr_cli_output *output)
{
	struct rendering rendering = { .render = format };
	struct hr_err err;
	int ret = load(&rendering, paths, count, &err);

	if (!ret)
		ret = hr_cli_write(output, render, &rendering, &err);
	if (ret)
		ret = hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	else if (strict)
		ret = check_losses(verb, &rendering);
	hr_fleet_fini(&rendering.fleet);
	hr_run_list_fini(&rendering.list);
	return ret;
}
