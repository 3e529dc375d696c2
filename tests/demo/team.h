/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_TEAM_H
#define DEMO_TEAM_H

/*
 * Threads that share each piece of work and wait for each other by spinning, as the runtimes of parallel loops do: fast
 * while every one of them has a CPU, and a waste of CPUs when they are more than those. Between two pieces they sleep.
 */
struct team;

/* What member `index` of `count` does. */
typedef void team_part(struct team *team, void *argument, unsigned int index, unsigned int count);

/* A team of `count` with the caller. NULL: there is no room for its threads. */
struct team *team_new(unsigned int count);
void team_free(struct team *team); /* takes NULL */

/* Have every member run its part; the caller is member 0, and returns when all are done. */
void team_run(struct team *team, team_part *part, void *argument);

/* Within a part: go on when every member is here. Does nothing with NULL. */
void team_barrier(struct team *team);

#endif
