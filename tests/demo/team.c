/* SPDX-License-Identifier: BSD-2-Clause */
#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct member {
	struct team *team;
	unsigned int index;
	pthread_t thread;
};

struct team {
	unsigned int count, started;
	pthread_mutex_t lock;	/* guards piece, part, argument and ended */
	pthread_cond_t changed;
	unsigned long piece;	/* how many there have been */
	team_part *part;
	void *argument;
	bool ended;
	atomic_uint arrived, round; /* of the barrier */
	struct member members[];
};

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

void team_barrier(struct team *team)
{
	unsigned int round;

	if (!team)
		return;
	round = atomic_load(&team->round);
	if (atomic_fetch_add(&team->arrived, 1) + 1 == team->count) {
		atomic_store(&team->arrived, 0);
		atomic_fetch_add(&team->round, 1);
		return;
	}
	while (atomic_load(&team->round) == round)
		pause_cpu();
}

static void *member_main(void *argument)
{
	const struct member *member = argument;
	struct team *team = member->team;
	unsigned long done = 0;

	pthread_setname_np(pthread_self(), "team");
	for (;;) {
		pthread_mutex_lock(&team->lock);
		while (team->piece == done && !team->ended)
			pthread_cond_wait(&team->changed, &team->lock);
		done = team->piece;
		pthread_mutex_unlock(&team->lock);
		if (team->ended)
			return NULL;
		team->part(team, team->argument, member->index, team->count);
		team_barrier(team);
	}
}

struct team *team_new(unsigned int count)
{
	struct team *team = calloc(1, sizeof(*team) + count * sizeof(team->members[0]));

	if (!team)
		return NULL;
	team->count = count;
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->changed, NULL);
	for (team->started = 1; team->started < count; team->started++) {
		struct member *member = &team->members[team->started];

		*member = (struct member){ .team = team, .index = team->started };
		if (pthread_create(&member->thread, NULL, member_main, member)) {
			team_free(team);
			return NULL;
		}
	}
	return team;
}

void team_free(struct team *team)
{
	if (!team)
		return;
	pthread_mutex_lock(&team->lock);
	team->ended = true;
	pthread_mutex_unlock(&team->lock);
	pthread_cond_broadcast(&team->changed);
	for (unsigned int i = 1; i < team->started; i++)
		pthread_join(team->members[i].thread, NULL);
	pthread_cond_destroy(&team->changed);
	pthread_mutex_destroy(&team->lock);
	free(team);
}

void team_run(struct team *team, team_part *part, void *argument)
{
	pthread_mutex_lock(&team->lock);
	team->part = part;
	team->argument = argument;
	team->piece++;
	pthread_mutex_unlock(&team->lock);
	pthread_cond_broadcast(&team->changed);
	part(team, argument, 0, team->count);
	team_barrier(team);
}
