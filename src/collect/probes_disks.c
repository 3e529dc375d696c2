/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probes_private.h"

int hr_probes_disks_prepare(struct hr_probes *probes, struct hr_err *err)
{
	return hr_probes_map(probes->bpf->maps.disks, &probes->disks, err);
}

void hr_probes_disks_close(struct hr_probes *probes)
{
	hr_probes_unmap(&probes->disks);
}

bool hr_probes_has_disks(const struct hr_probes *probes)
{
	return bpf_program__autoload(probes->bpf->progs.blockio_issue) && bpf_program__autoload(probes->bpf->progs.blockio_complete);
}

struct hr_disk *hr_probes_disk(struct hr_probes *probes, uint32_t disk)
{
	return hr_probes_record(&probes->disks, disk);
}
