/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floor TRACEPOINT...: attach an empty BPF program to each of these tracepoints, print "ready", and hold them until
 * stdin ends or a signal comes. What they cost is the kernel's own way to a BPF program; what a tool costs above them
 * is its own doing.
 *
 * A tracepoint that this kernel lacks is named on stderr and left out, as the tool itself would do.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int load_empty_program(int tracepoint_btf_id)
{
	const struct bpf_insn return_0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = (__u32)tracepoint_btf_id);

	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", return_0, sizeof(return_0) / sizeof(return_0[0]),
			     &options);
}

/* The program and its link stay open, and the tracepoint with them, for as long as this process lives. */
static int attach_empty_program(const char *tracepoint)
{
	int program, link, btf_id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP);

	if (btf_id < 0) {
		fprintf(stderr, "floor: this kernel has no tracepoint %s\n", tracepoint);
		return 0;
	}
	program = load_empty_program(btf_id);
	link = program < 0 ? program : bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		fprintf(stderr, "floor: cannot attach to %s: %s\n", tracepoint, strerror(-link));
	return link < 0 ? link : 0;
}

static void wait_for_end_of_input(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: floor TRACEPOINT...\n");
		return 2;
	}
	libbpf_set_print(NULL); /* what fails is said here */
	for (int i = 1; i < argc; i++)
		if (attach_empty_program(argv[i]))
			return 1;
	puts("ready");
	fflush(stdout);
	wait_for_end_of_input();
	return 0;
}
