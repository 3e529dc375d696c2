/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probes_private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"

int hr_probes_iterate(const struct bpf_program *program, const struct bpf_iter_attach_opts *options, char **ret_data,
		      size_t *ret_bytes, struct hr_err *err)
{
	struct bpf_link *link = bpf_program__attach_iter(program, options);
	size_t used = 0, room = 0;
	char *data = NULL, discard[4096];
	ssize_t n;
	int fd = -1, ret = 0;

	if (!link)
		return hr_err_errno(err, -errno, "cannot attach the iterator '%s'", bpf_program__name(program));
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		ret = hr_err_errno(err, -errno, "cannot start the iterator '%s'", bpf_program__name(program));
		goto out;
	}
	do {
		if (ret_data && room - used < 65536) {
			char *more = realloc(data, room + 262144);

			if (!more) {
				ret = hr_err_set(err, -ENOMEM, "out of memory");
				goto out;
			}
			data = more;
			room += 262144;
		}
		n = ret_data ? read(fd, data + used, room - used) : read(fd, discard, sizeof(discard));
		if (n > 0)
			used += n;
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	if (n < 0)
		ret = hr_err_errno(err, -errno, "cannot read the iterator '%s'", bpf_program__name(program));
out:
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	if (ret || !ret_data) {
		free(data);
		return ret;
	}
	*ret_data = data;
	*ret_bytes = used;
	return 0;
}

/* A process that a birth brought in is known already. */
static bool is_known(struct hr_probes *probes, uint32_t pid)
{
	for (uint32_t slot = 1; slot < HR_PROCESS_SLOTS; slot++) {
		const struct hr_process *process = hr_probes_process(probes, slot);

		if (process->pid == pid && !process->ended_ns)
			return true;
	}
	return false;
}

static int seed_process(struct hr_probes *probes, uint32_t pid, struct hr_err *err)
{
	struct hr_process *process;
	uint32_t slot;

	if (bpf_map_lookup_and_delete_elem(bpf_map__fd(probes->bpf->maps.free_processes), NULL, &slot))
		return hr_err_set(err, -ENOSPC, "the target has more than %d processes; choose fewer with -p",
				  HR_PROCESS_SLOTS - 1);
	process = hr_probes_process(probes, slot);
	process->born_ns = probes->epoch_ns;
	process->pid = pid;
	if (bpf_map_update_elem(bpf_map__fd(probes->bpf->maps.target_processes), &pid, &slot, BPF_ANY))
		return hr_err_errno(err, -errno, "cannot seed process %u", pid);
	return 0;
}

int hr_probes_seed(struct hr_probes *probes, const pid_t *pids, size_t count, struct hr_err *err)
{
	int ret;

	for (size_t i = 0; i < count; i++) {
		if (is_known(probes, pids[i]))
			continue;
		ret = seed_process(probes, pids[i], err);
		if (ret)
			return ret;
	}
	ret = hr_probes_iterate(probes->bpf->progs.seed_tasks, NULL, NULL, NULL, err);
	for (uint32_t slot = 1; slot < HR_PROCESS_SLOTS && !ret; slot++) {
		struct hr_process *process = hr_probes_process(probes, slot);

		if (process->pid && !process->parent && !process->threads && !process->ended_ns)
			process->ended_ns = hr_clock_mono_ns(); /* a zombie: no thread of it was left */
	}
	return ret;
}

int hr_probes_list_tasks(struct hr_probes *probes, struct hr_task_row **ret_rows, size_t *ret_count, struct hr_err *err)
{
	char *data = NULL;
	size_t bytes = 0;
	int ret = hr_probes_iterate(probes->bpf->progs.list_tasks, NULL, &data, &bytes, err);

	if (ret)
		return ret;
	*ret_rows = (struct hr_task_row *)data;
	*ret_count = bytes / sizeof(struct hr_task_row);
	return 0;
}
