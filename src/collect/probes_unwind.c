/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/sysinfo.h>

#include "collect/probes_private.h"

/* Rows for 8 to 64 MiB, by what the host has. A program and its libraries have 10,000 to 500,000; large ones some million. */
#define ROWS_MIN (1U << 20)
#define ROWS_MAX (1U << 23)
#define MEMORY_SHARE 1024

static uint32_t rows_for_host(void)
{
	struct sysinfo info;
	uint64_t rows;

	if (sysinfo(&info))
		return ROWS_MIN;
	rows = (uint64_t)info.totalram * info.mem_unit / MEMORY_SHARE / sizeof(struct hr_unwind_row);
	if (rows < ROWS_MIN)
		return ROWS_MIN;
	return rows < ROWS_MAX ? (uint32_t)rows : ROWS_MAX;
}

void hr_probes_unwind_configure(struct hr_probes *probes, bool is_used)
{
	struct headroom_bpf *bpf = probes->bpf;

	probes->unwind_rows_max = 0;
#ifdef __x86_64__
	if (is_used)
		probes->unwind_rows_max = rows_for_host();
#endif
	bpf_map__set_max_entries(bpf->maps.unwind_rows, probes->unwind_rows_max ? probes->unwind_rows_max : 1);
	bpf_map__set_max_entries(bpf->maps.unwind_spaces, probes->unwind_rows_max ? HR_UNWIND_SPACES : 1);
}

int hr_probes_unwind_prepare(struct hr_probes *probes, struct hr_err *err)
{
	struct headroom_bpf *bpf = probes->bpf;
	int ret;

	if (!probes->unwind_rows_max)
		return 0;
	if ((ret = hr_probes_map(bpf->maps.unwind_rows, &probes->unwind_rows, err)) ||
	    (ret = hr_probes_map(bpf->maps.unwind_spaces, &probes->unwind_spaces, err)))
		return ret;
	return hr_probes_map(bpf->maps.unwind_processes, &probes->unwind_processes, err);
}

void hr_probes_unwind_close(struct hr_probes *probes)
{
	hr_probes_unmap(&probes->unwind_rows);
	hr_probes_unmap(&probes->unwind_spaces);
	hr_probes_unmap(&probes->unwind_processes);
}

void hr_probes_unwind_tables(struct hr_probes *probes, struct hr_unwind_tables *ret)
{
	*ret = (struct hr_unwind_tables){
		.rows = probes->unwind_rows.base,
		.row_max = probes->unwind_rows_max,
		.spaces = probes->unwind_spaces.base,
		.processes = probes->unwind_processes.base,
	};
}
