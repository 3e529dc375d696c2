/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known numbers of switches: two threads pass a byte to and fro over pipes ROUNDS times, each blocking once per round;
 * a third moves itself to and fro between two CPUs. The truth: the kernel's own counts of each thread since its birth.
 */
#include "workload.h"

static int there[2], back[2];
static long rounds;

struct player {
	const char *name;
	pid_t tid;
	pthread_t thread;
	struct books books;
	long migrations; /* at least; -1: the kernel does not say */
};

static void pass(int from, int to)
{
	char byte = 0;

	if (to >= 0 && write(to, &byte, 1) != 1)
		die("cannot write");
	if (from >= 0 && read(from, &byte, 1) != 1)
		die("cannot read");
}

static void *ping(void *argument)
{
	struct player *player = argument;

	player->tid = own_tid();
	set_name(player->name);
	for (long i = 0; i < rounds; i++)
		pass(back[0], there[1]);
	player->books = read_books();
	return NULL;
}

static void *pong(void *argument)
{
	struct player *player = argument;

	player->tid = own_tid();
	set_name(player->name);
	for (long i = 0; i < rounds; i++) {
		pass(there[0], -1);
		pass(-1, back[1]);
	}
	player->books = read_books();
	return NULL;
}

/* How often the kernel moved the calling thread. */
static long migrations(void)
{
	char path[64], line[256];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/sched", own_tid());
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "se.nr_migrations : %ld", &count) == 1)
			break;
	if (file)
		fclose(file);
	return count;
}

static void *move(void *argument)
{
	struct player *player = argument;
	int cpus[2], count = allowed_cpus(cpus, 2);
	long moved = migrations();

	player->tid = own_tid();
	set_name(player->name);
	for (int i = 0; i < 50; i++)
		pin_to_cpu(cpus[i % count]);
	player->books = read_books();
	player->migrations = moved < 0 ? -1 : migrations() - moved;
	return NULL;
}

int main(int argc, char **argv)
{
	struct player players[] = { { .name = "ping" }, { .name = "pong" }, { .name = "mover" } };
	void *(*runs[])(void *) = { ping, pong, move };

	workload_begin(&argc, &argv);
	rounds = argument(argc, argv, 1, 2000);
	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		die("cannot make pipes");
	workload_ready();
	for (int i = 0; i < 3; i++)
		start_thread(&players[i].thread, runs[i], &players[i]);
	printf("{\"rounds\":%ld,\"threads\":[", rounds);
	for (int i = 0; i < 3; i++) {
		pthread_join(players[i].thread, NULL);
		printf("%s{\"name\":\"%s\",\"tid\":%d,\"migrations\":%ld,", i ? "," : "", players[i].name,
		       players[i].tid, players[i].migrations);
		print_books(players[i].books);
		printf("}");
	}
	printf("]}");
	workload_end();
	return 0;
}
