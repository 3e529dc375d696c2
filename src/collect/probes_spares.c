/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "collect/probes_private.h"

bool hr_probes_is_second(const struct bpf_program *program)
{
	const char *end = strrchr(bpf_program__name(program), '_');

	return end && !strcmp(end, "_again");
}

bool hr_probes_is_classic(const struct bpf_program *program)
{
	return !strncmp(bpf_program__section_name(program), "tp/", 3);
}

/* Of maps and configuration there is one for both. */
static int share_maps(struct headroom_bpf *spares, const struct headroom_bpf *bpf)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, spares->obj) {
		const struct bpf_map *shared = bpf_object__find_map_by_name(bpf->obj, bpf_map__name(map));
		int ret = bpf_map__reuse_fd(map, bpf_map__fd(shared));

		if (ret)
			return ret;
	}
	return 0;
}

struct headroom_bpf *hr_probes_load_spares(const struct hr_probes *probes, bool (*is_needed)(const struct bpf_program *program))
{
	struct headroom_bpf *spares = headroom_bpf__open();
	struct bpf_program *program;

	if (!spares)
		return NULL;
	bpf_object__for_each_program(program, spares->obj)
		bpf_program__set_autoload(program, is_needed(program));
	if (!share_maps(spares, probes->bpf) && !headroom_bpf__load(spares))
		return spares;
	headroom_bpf__destroy(spares);
	return NULL;
}
