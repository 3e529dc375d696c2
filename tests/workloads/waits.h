/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_WAITS_H
#define HR_TESTS_WAITS_H

#include "workload.h"

/*
 * The driver of the *_waits workloads: one thread per kind of wait blocks `rounds` times, and another one wakes it
 * each time `wait_ms` after it blocked. A kind is a row; a file of kinds ends in WAITS_MAIN(kinds).
 *
 * Usage: NAME_waits [--now] [--before] [ROUNDS [WAIT_MS [KIND...]]]. Without --before the threads wait once the test
 * says go. With it they all wait already when the workload is ready, and those that somebody wakes are woken once,
 * WAIT_MS after go: for recordings that begin in mid-wait. Then the truth, as far as it is known, is what it prints
 * when it is ready.
 *
 * The truth per thread: its waits lasted at least low_ns, from entering the call to the moment of its wake-up, and at
 * most high_ns, from entering the call to returning from it. woken_unix_ns is the moment of its last wake-up.
 */

struct wait;

struct wait_kind {
	const char *name;  /* at most 15 bytes: becomes the thread's name */
	const char *state; /* that the thread must be found in */
	/* 0, or an errno: this machine cannot do it. Called once: in the waker if setup_in_waker, else in the main thread */
	int (*setup)(struct wait *wait);
	void (*prepare)(struct wait *wait); /* before each round, in the waker; may be NULL */
	void (*block)(struct wait *wait);   /* the wait itself */
	void (*wake)(struct wait *wait);    /* ends it; NULL: the wait ends by itself after wait->wait_ns */
	bool setup_in_waker;
};

struct wait {
	const struct wait_kind *kind;
	uint64_t wait_ns;
	int rounds, skipped;
	int fd[2];	      /* for the kind's own use, as are: */
	unsigned int word;
	void *object;
	volatile pid_t tid;   /* of the waiter */
	pthread_t waiter, waker;
	/* rounds that the waker has prepared, that the waiter has entered, that it has left */
	volatile int prepared, entered, left;
	volatile uint64_t enter_ns, wake_ns;
	uint64_t low_ns, high_ns, longest_ns;
};

static pthread_mutex_t waits_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waits_end = PTHREAD_COND_INITIALIZER;
static bool waits_may_end; /* guarded by waits_lock. With --before: after go */

static inline void waits_until(volatile int *count, int round)
{
	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < round)
		sleep_ns(MS / 2);
}

static inline void waits_await_end(void)
{
	pthread_mutex_lock(&waits_lock);
	while (!waits_may_end)
		pthread_cond_wait(&waits_end, &waits_lock);
	pthread_mutex_unlock(&waits_lock);
}

static inline void waits_let_end(void)
{
	pthread_mutex_lock(&waits_lock);
	waits_may_end = true;
	pthread_cond_broadcast(&waits_end);
	pthread_mutex_unlock(&waits_lock);
}

static inline void wait_round(struct wait *wait, int round)
{
	uint64_t left_ns, woken_ns;

	/*
	 * It must block in no other way that could be taken for its kind. Those that nobody wakes may be a kind of sleep;
	 * all others are no sleep, and sleep here.
	 */
	if (wait->kind->wake)
		waits_until(&wait->prepared, round);
	if (wait->skipped)
		return;
	wait->enter_ns = now_ns();
	__atomic_store_n(&wait->entered, round, __ATOMIC_RELEASE);
	wait->kind->block(wait);
	left_ns = now_ns();
	__atomic_store_n(&wait->left, round, __ATOMIC_RELEASE);
	woken_ns = wait->kind->wake ? wait->wake_ns : wait->enter_ns + wait->wait_ns;
	if (woken_ns > left_ns) /* it came back without having been woken */
		woken_ns = wait->enter_ns;
	if (woken_ns > wait->enter_ns) /* else it was woken before it waited */
		wait->low_ns += woken_ns - wait->enter_ns;
	wait->high_ns += left_ns - wait->enter_ns;
	if (left_ns - wait->enter_ns > wait->longest_ns)
		wait->longest_ns = left_ns - wait->enter_ns;
}

static inline void *wait_thread(void *argument)
{
	struct wait *wait = argument;

	set_name(wait->kind->name);
	wait->tid = own_tid();
	for (int round = 1; round <= wait->rounds && !wait->skipped; round++)
		wait_round(wait, round);
	return NULL;
}

static inline void *wake_thread(void *argument)
{
	struct wait *wait = argument;
	const struct wait_kind *kind = wait->kind;

	set_name("waker");
	if (kind->setup_in_waker)
		wait->skipped = kind->setup(wait);
	if (wait->skipped)
		__atomic_store_n(&wait->prepared, 1, __ATOMIC_RELEASE);
	for (int round = 1; round <= wait->rounds && kind->wake && !wait->skipped; round++) {
		if (kind->prepare)
			kind->prepare(wait);
		__atomic_store_n(&wait->prepared, round, __ATOMIC_RELEASE);
		waits_until(&wait->entered, round);
		waits_await_end();
		sleep_ns(wait->wait_ns);
		__atomic_store_n(&wait->wake_ns, now_ns(), __ATOMIC_SEQ_CST);
		kind->wake(wait);
		waits_until(&wait->left, round);
	}
	return NULL;
}

static inline void waits_print(const struct wait *waits, int count, uint64_t realtime_offset_ns)
{
	printf("{\"ready\":true,\"waits\":[");
	for (int i = 0; i < count; i++) {
		const struct wait *wait = &waits[i];

		printf("%s{\"kind\":\"%s\",\"state\":\"%s\",\"tid\":%d,\"rounds\":%d,", i ? "," : "", wait->kind->name,
		       wait->kind->state, wait->tid, wait->rounds);
		printf("\"skipped\":\"%s\",\"low_ns\":%lu,\"high_ns\":%lu,\"longest_ns\":%lu,\"woken_unix_ns\":%lu}",
		       wait->skipped ? strerror(wait->skipped) : "", wait->low_ns, wait->high_ns, wait->longest_ns,
		       wait->wake_ns + realtime_offset_ns);
	}
	printf("]}");
}

static inline bool waits_wanted(const char *name, int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 3;
}

static inline void waits_block_all(struct wait *waits, int count)
{
	for (int i = 0; i < count; i++)
		while (!waits[i].skipped && waits[i].entered < 1)
			sleep_ns(MS);
	sleep_ns(20 * MS); /* for the last of them to get from there into its call */
}

static inline int waits_main(const struct wait_kind *kinds, size_t kind_count, int argc, char **argv)
{
	struct wait *waits = calloc(kind_count, sizeof(*waits));
	bool before = false;
	int count = 0;

	workload_begin(&argc, &argv);
	if (argc > 1 && !strcmp(argv[1], "--before")) {
		before = true;
		argc--;
		argv++;
	}
	for (size_t i = 0; i < kind_count; i++)
		if (waits_wanted(kinds[i].name, argc, argv))
			waits[count++].kind = &kinds[i];
	for (int i = 0; i < count; i++) {
		struct wait *wait = &waits[i];

		wait->rounds = before ? 1 : (int)argument(argc, argv, 1, 5);
		wait->wait_ns = (uint64_t)argument(argc, argv, 2, 30) * MS;
		wait->fd[0] = wait->fd[1] = -1;
		if (!wait->kind->setup_in_waker)
			wait->skipped = wait->kind->setup ? wait->kind->setup(wait) : 0;
	}
	if (!before) {
		workload_ready();
		waits_may_end = true;
	}
	for (int i = 0; i < count; i++) {
		start_thread(&waits[i].waiter, wait_thread, &waits[i]);
		start_thread(&waits[i].waker, wake_thread, &waits[i]);
	}
	if (before) {
		waits_block_all(waits, count);
		waits_print(waits, count, 0);
		workload_await_go();
		waits_let_end();
	}
	for (int i = 0; i < count; i++) {
		if (before && !waits[i].kind->wake)
			continue; /* it may sleep on */
		pthread_join(waits[i].waiter, NULL);
		pthread_join(waits[i].waker, NULL);
	}
	waits_print(waits, count, clock_ns(CLOCK_REALTIME) - now_ns());
	workload_end();
	free(waits);
	return 0;
}

#define WAITS_MAIN(kinds) \
	int main(int argc, char **argv) \
	{ \
		return waits_main(kinds, sizeof(kinds) / sizeof((kinds)[0]), argc, argv); \
	}

#endif
