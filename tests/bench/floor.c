/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floor: attach an empty program to each hook of floor.bpf.c, print "ready", and hold them until stdin ends or a signal
 * comes. A tracepoint that this kernel lacks is named on stderr and left out, as headroom leaves it out.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "floor.skel.h"

#define PREFIX "tp_btf/"

/* An absent tracepoint fails the load of the whole object, so what is loaded is decided here. */
static bool kernel_has(const struct btf *kernel, const struct bpf_program *program)
{
	const char *tracepoint = bpf_program__section_name(program) + strlen(PREFIX);
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", tracepoint);
	if (btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) > 0)
		return true;
	fprintf(stderr, "floor: this kernel has no tracepoint %s\n", tracepoint);
	return false;
}

static int choose_programs(struct bpf_object *object)
{
	struct bpf_program *program;
	struct btf *kernel = btf__load_vmlinux_btf();

	if (!kernel)
		return -errno;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, kernel_has(kernel, program));
	btf__free(kernel);
	return 0;
}

static int attach(struct floor_bpf *floor)
{
	int rc = choose_programs(floor->obj);

	if (!rc)
		rc = floor_bpf__load(floor);
	if (!rc)
		rc = floor_bpf__attach(floor);
	return rc;
}

static void wait_for_end_of_input(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(void)
{
	struct floor_bpf *floor = floor_bpf__open();
	int rc = floor ? attach(floor) : -errno;

	if (rc) {
		fprintf(stderr, "floor: cannot attach empty programs: %s\n", strerror(-rc));
	} else {
		puts("ready");
		fflush(stdout);
		wait_for_end_of_input();
	}
	floor_bpf__destroy(floor);
	return rc ? 1 : 0;
}
