/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/laws.h"
#include "store/tables.h"

#define MS 1000000ULL

/* The quantities of a level that is made here: one second, 100 requests of 100 ms, of which each asks a peer once. */
static struct hr_laws laws_of(struct hr_flow_summary *peer)
{
	struct hr_summary summary = {
		.run.recorded_ns = 1000 * MS,
		.requests_known = true,
		.requests = { .requests = 100, .throughput_rps = 100, .in_flight = 10 },
		.flows = peer,
		.flow_count = 1,
	};
	const struct hr_level level = { .summary = &summary, .offered = 10, .load = 10 };
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	hr_laws_of(&level, &texts, &laws);
	hr_texts_free(&texts);
	return laws;
}

static void assert_close(double actual, double expected)
{
	if (!(fabs(actual - expected) <= 1e-6 * fmax(1, fabs(expected))))
		fail_msg("%.9g is not %.9g", actual, expected);
}

static void an_answer_that_lies_unread_does_not_wait_for_the_peer(void **state)
{
	struct hr_flow_summary peer = {
		.role = HR_ROLE_DOWNSTREAM,
		.requests = { .in_flight = 8, .stages = { [HR_STAGE_WAIT] = { .count = 100, .total_ns = 8000 * MS },
							  [HR_STAGE_QUEUE] = { .count = 100, .total_ns = 100 * MS } } },
	};
	struct hr_laws laws = laws_of(&peer);

	(void)state;
	assert_close(laws.value[HR_LAW_DOWNSTREAM_WAIT], 80000);
	assert_close(laws.value[HR_LAW_PEER_TIME], 79000);
	assert_close(laws.value[HR_LAW_DOWNSTREAM_SHARE], 0.8 * 79 / 80);

	peer.requests.stages[HR_STAGE_QUEUE].total_ns = 7900 * MS; /* it answers in 1 ms, and is left to lie */
	laws = laws_of(&peer);
	assert_close(laws.value[HR_LAW_DOWNSTREAM_WAIT], 80000);
	assert_close(laws.value[HR_LAW_PEER_TIME], 1000);
	assert_close(laws.value[HR_LAW_DOWNSTREAM_SHARE], 0.8 * 1 / 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_lies_unread_does_not_wait_for_the_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
