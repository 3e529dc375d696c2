/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run file of a long recording, without the recording: how large it gets, and what it takes to read it.
 * usage: long_run FILE [SECONDS [THREADS]]   (3600 s of 500 threads, in intervals of a second)
 */
#include "long_run.h"

int main(int argc, char **argv)
{
	struct bench bench = { .seconds = argc > 2 ? atoll(argv[2]) : 3600, .threads = argc > 3 ? atoll(argv[3]) : 500 };

	if (argc < 2 || bench.seconds < 1 || bench.threads < 1) {
		fprintf(stderr, "usage: long_run FILE [SECONDS [THREADS]]\n");
		return 2;
	}
	if (hr_writer_create(argv[1], true, (uid_t)-1, (gid_t)-1, &bench.writer, &bench.err)) {
		fprintf(stderr, "long_run: %s\n", bench.err.text);
		return 1;
	}
	add_cast(&bench);
	for (int64_t i = 1; i <= bench.seconds; i++) {
		add_second(&bench, i);
		if (hr_writer_commit(bench.writer, &bench.err))
			break;
	}
	if (hr_writer_finish(bench.writer, &bench.err)) {
		fprintf(stderr, "long_run: %s\n", bench.err.text);
		return 1;
	}
	hr_writer_close(bench.writer);
	printf("%" PRId64 " rows\n", bench.rows);
	return 0;
}
