/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of processes: CHILDREN children, each of which starts CHILDREN of its own by fork and exec; every process of
 * the tree sleeps MS milliseconds once. The truth: how many of each kind.
 */
#include "workload.h"

#include <sys/wait.h>

static char self[512];

static void leaf(long ms)
{
	set_name("leaf");
	sleep_ns((uint64_t)ms * MS);
	exit(0);
}

static void branch(long children, const char *ms)
{
	set_name("branch");
	for (long i = 0; i < children; i++) {
		if (fork() == 0) {
			execl(self, "fork_tree", "--leaf", ms, (char *)NULL);
			die("cannot start '%s'", self);
		}
	}
	sleep_ns((uint64_t)strtol(ms, NULL, 10) * MS);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *ms;
	long children;

	if (argc == 3 && !strcmp(argv[1], "--leaf"))
		leaf(strtol(argv[2], NULL, 10));
	workload_begin(&argc, &argv);
	children = argument(argc, argv, 1, 3);
	ms = argc > 2 ? argv[2] : "30";
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("cannot find myself");
	workload_ready();
	for (long i = 0; i < children; i++)
		if (fork() == 0)
			branch(children, ms);
	while (wait(NULL) > 0)
		;
	printf("{\"branches\":%ld,\"leaves\":%ld,\"sleep_ns\":%llu}", children, children * children,
	       (unsigned long long)strtol(ms, NULL, 10) * MS);
	workload_end();
	return 0;
}
