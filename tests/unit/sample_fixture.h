/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_SAMPLE_FIXTURE_H
#define HR_TESTS_UNIT_SAMPLE_FIXTURE_H

#include <jansson.h>

#include "sample_run.h"

/* A run file per test, and what is made of it. */
struct fixture {
	char path[64];		    /* of the run, which is there once somebody wrote it */
	struct hr_summary *summary; /* NULL until somebody loads it */
	char *text;		    /* rendered */
	json_t *json;
};

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	sample_path(fixture->path);
	return 0;
}

/* With a run, and its summary. */
static inline int set_up_loaded(void **state, void (*write)(const char *path))
{
	struct fixture *fixture;

	set_up(state);
	fixture = *state;
	write(fixture->path);
	fixture->summary = sample_load(fixture->path);
	return 0;
}

/* All but the run file: it may be another one now. */
static inline void forget(struct fixture *fixture)
{
	json_decref(fixture->json);
	free(fixture->text);
	hr_summary_free(fixture->summary);
	fixture->json = NULL;
	fixture->text = NULL;
	fixture->summary = NULL;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	forget(fixture);
	sample_remove(fixture->path);
	free(fixture);
	return 0;
}

#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
