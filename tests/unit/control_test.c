/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "collect/control.h"
#include "collect/control_client.h"
#include "run_fixture.h"

/* Both sides of --control: a recording that answers, in a thread, and those who ask. */

#define SECOND 1000000000ULL

static struct hr_err err;

struct recording {
	struct hr_control *control;
	const char *answer; /* to a mark; NULL: ack */
	bool silent;
	struct hr_mark mark; /* the last one */
	int marks;
	bool stop;
	pthread_t thread;
	char spec[200];
};

static void *listen_to(void *context)
{
	struct recording *recording = context;
	enum hr_control_command command;

	while (!__atomic_load_n(&recording->stop, __ATOMIC_ACQUIRE)) {
		command = hr_control_read(recording->control, &recording->mark);
		recording->marks += command == HR_CONTROL_MARK;
		if (command != HR_CONTROL_NONE && !recording->silent)
			hr_control_answer(recording->control, recording->answer);
		usleep(500);
	}
	return NULL;
}

static void start(struct recording *recording, const struct scratch *scratch)
{
	snprintf(recording->spec, sizeof(recording->spec), "fifo:%s/ctl,%s/ack", scratch->folder, scratch->folder);
	assert_int_equal(hr_control_open(recording->spec, &recording->control, &err), 0);
	assert_int_equal(pthread_create(&recording->thread, NULL, listen_to, recording), 0);
}

static void stop(struct recording *recording)
{
	__atomic_store_n(&recording->stop, true, __ATOMIC_RELEASE);
	pthread_join(recording->thread, NULL);
	hr_control_close(recording->control);
}

static void a_mark_is_there_when_it_is_acknowledged(void **state)
{
	struct recording recording = { 0 };

	start(&recording, *state);
	assert_int_equal(hr_control_send(recording.spec, "mark level=8 a=b", 5 * SECOND, &err), 0);
	assert_int_equal(hr_control_send(recording.spec + strlen("fifo:"), "ping", 5 * SECOND, &err), 0);
	stop(&recording);
	assert_int_equal(recording.marks, 1);
	assert_string_equal(recording.mark.label, "8");
	assert_string_equal(recording.mark.notes, "a=b");
}

static void an_error_is_passed_on(void **state)
{
	struct recording recording = { .answer = "no level is open" };

	start(&recording, *state);
	assert_int_equal(hr_control_send(recording.spec, "mark level=", 5 * SECOND, &err), -EPROTO);
	assert_string_equal(err.text, "no level is open");
	assert_int_equal(hr_control_send(recording.spec, "mark level", 5 * SECOND, &err), -EPROTO);
	assert_string_equal(err.text, "'level' is not key=value, as in level=8");
	assert_int_equal(hr_control_send(recording.spec, "dance", 5 * SECOND, &err), -EPROTO);
	assert_non_null(strstr(err.text, "unknown command 'dance'"));
	stop(&recording);
}

static void answers_that_nobody_took_are_not_taken_for_ours(void **state)
{
	struct recording recording = { .answer = "ours" };

	start(&recording, *state);
	hr_control_answer(recording.control, NULL);
	hr_control_answer(recording.control, "old");
	assert_int_equal(hr_control_send(recording.spec, "mark level=8", 5 * SECOND, &err), -EPROTO);
	assert_string_equal(err.text, "ours");
	stop(&recording);
}

static void *send_many(void *context)
{
	struct hr_err why;

	for (int i = 0; i < 20; i++)
		if (hr_control_send(context, "mark level=8", 20 * SECOND, &why))
			return (void *)1;
	return NULL;
}

static void several_at_once_each_get_their_own_answer(void **state)
{
	struct recording recording = { 0 };
	pthread_t threads[4];
	void *failed;

	start(&recording, *state);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, recording.spec), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	stop(&recording);
	assert_int_equal(recording.marks, 80);
}

static void without_an_answer_it_is_given_up_in_time(void **state)
{
	struct recording recording = { .silent = true };

	start(&recording, *state);
	assert_int_equal(hr_control_send(recording.spec, "mark level=8", SECOND / 20, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "did not answer in time"));
	stop(&recording);
}

static void where_nobody_listens_that_is_said(void **state)
{
	const struct scratch *scratch = *state;
	const char *fifo = in(scratch, "fifo");

	assert_int_equal(hr_control_send(in(scratch, "none"), "ping", SECOND, &err), -ENXIO);
	assert_non_null(strstr(err.text, "no recording listens on '"));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(hr_control_send(fifo, "ping", SECOND, &err), -ENXIO);
	assert_non_null(strstr(err.text, "no recording listens on '"));
	write_file(in(scratch, "plain"), "", 0);
	assert_int_equal(hr_control_send(in(scratch, "plain"), "ping", SECOND, &err), -ENXIO);
	assert_non_null(strstr(err.text, "is no FIFO"));
	assert_int_equal(hr_control_send("fifo:", "ping", SECOND, &err), -EINVAL);
	assert_int_equal(hr_control_send(",x", "ping", SECOND, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_mark_is_there_when_it_is_acknowledged),
		scratch_test(an_error_is_passed_on),
		scratch_test(answers_that_nobody_took_are_not_taken_for_ours),
		scratch_test(several_at_once_each_get_their_own_answer),
		scratch_test(without_an_answer_it_is_given_up_in_time),
		scratch_test(where_nobody_listens_that_is_said),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
