/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that wait for user-space locks and conditions, by each operation of futex(2) and its successors. */
#include "waits.h"

#include <linux/futex.h>
#include <semaphore.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif
#define FUTEX_32 2 /* FUTEX2_SIZE_U32, FUTEX_32 */

static int mutex_setup(struct wait *wait, int protocol)
{
	pthread_mutexattr_t attributes;

	wait->object = calloc(1, sizeof(pthread_mutex_t));
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	return pthread_mutex_init(wait->object, &attributes);
}

static int plain_setup(struct wait *wait)
{
	return mutex_setup(wait, PTHREAD_PRIO_NONE);
}

static int inherit_setup(struct wait *wait)
{
	return mutex_setup(wait, PTHREAD_PRIO_INHERIT);
}

static void mutex_hold(struct wait *wait)
{
	pthread_mutex_lock(wait->object);
}

static void mutex_block(struct wait *wait)
{
	pthread_mutex_lock(wait->object);
	pthread_mutex_unlock(wait->object);
}

static void mutex_give(struct wait *wait)
{
	pthread_mutex_unlock(wait->object);
}

struct condition {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int value;
};

static int condition_setup(struct wait *wait)
{
	static const struct condition fresh = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

	wait->object = malloc(sizeof(fresh));
	memcpy(wait->object, &fresh, sizeof(fresh));
	return 0;
}

static void condition_block(struct wait *wait)
{
	struct condition *condition = wait->object;

	pthread_mutex_lock(&condition->mutex);
	while (condition->value == 0)
		pthread_cond_wait(&condition->changed, &condition->mutex);
	condition->value = 0;
	pthread_mutex_unlock(&condition->mutex);
}

static void condition_wake(struct wait *wait)
{
	struct condition *condition = wait->object;

	pthread_mutex_lock(&condition->mutex);
	condition->value = 1;
	pthread_cond_signal(&condition->changed);
	pthread_mutex_unlock(&condition->mutex);
}

static int semaphore_setup(struct wait *wait)
{
	wait->object = calloc(1, sizeof(sem_t));
	return sem_init(wait->object, 0, 0);
}

static void semaphore_block(struct wait *wait)
{
	sem_wait(wait->object);
}

static void semaphore_wake(struct wait *wait)
{
	sem_post(wait->object);
}

static void word_clear(struct wait *wait)
{
	__atomic_store_n(&wait->word, 0, __ATOMIC_SEQ_CST);
}

static bool word_is_clear(struct wait *wait)
{
	return __atomic_load_n(&wait->word, __ATOMIC_SEQ_CST) == 0;
}

static void word_wake(struct wait *wait)
{
	__atomic_store_n(&wait->word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &wait->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_block(struct wait *wait)
{
	while (word_is_clear(wait))
		syscall(SYS_futex, &wait->word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* Times out over and over: each round of it is a wait of its own. */
static void timed_block(struct wait *wait)
{
	struct timespec slice = { 0, 5 * (long)MS };

	while (word_is_clear(wait))
		syscall(SYS_futex, &wait->word, FUTEX_WAIT, 0, &slice, NULL, 0);
}

struct vector_entry {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static long vector_wait(struct wait *wait, uint64_t value)
{
	struct vector_entry entry = { value, (uint64_t)(uintptr_t)&wait->word, FUTEX_32, 0 };

	return syscall(SYS_futex_waitv, &entry, 1, 0, NULL, 0);
}

static int vector_setup(struct wait *wait)
{
	return vector_wait(wait, 7) < 0 && errno != EAGAIN ? errno : 0;
}

static void vector_block(struct wait *wait)
{
	while (word_is_clear(wait))
		vector_wait(wait, 0);
}

static long second_wait(struct wait *wait, unsigned long value)
{
	return syscall(SYS_futex_wait, &wait->word, value, 0xffffffffUL, FUTEX_32, NULL, 0);
}

static int second_setup(struct wait *wait)
{
	return second_wait(wait, 7) < 0 && errno != EAGAIN ? errno : 0;
}

static void second_block(struct wait *wait)
{
	while (word_is_clear(wait))
		second_wait(wait, 0);
}

static const struct wait_kind kinds[] = {
	{ "mutex", "futex", plain_setup, mutex_hold, mutex_block, mutex_give, false },
	{ "pi_mutex", "futex", inherit_setup, mutex_hold, mutex_block, mutex_give, false },
	{ "condition", "futex", condition_setup, NULL, condition_block, condition_wake, false },
	{ "semaphore", "futex", semaphore_setup, NULL, semaphore_block, semaphore_wake, false },
	{ "futex_wait", "futex", NULL, word_clear, futex_block, word_wake, false },
	{ "futex_timed", "futex", NULL, word_clear, timed_block, word_wake, false },
	{ "futex_waitv", "futex", vector_setup, word_clear, vector_block, word_wake, false },
	{ "futex2_wait", "futex", second_setup, word_clear, second_block, word_wake, false },
};

WAITS_MAIN(kinds)
