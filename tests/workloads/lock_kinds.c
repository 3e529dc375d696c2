/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks other than a mutex of one process, with holders that are on CPU or asleep.
 *
 * Usage: lock_kinds KIND [MILLISECONDS], KIND one of kinds[]. Prints the lock's address and how long threads named "waiter" waited
 * for it, by their own clocks.
 */
#include "workload.h"

#include <sys/mman.h>
#include <sys/wait.h>

#define HOLD_NS (3 * MS)
#define PAUSE_NS (MS / 2)
#define READERS 3

pthread_rwlock_t starved_lock = PTHREAD_RWLOCK_INITIALIZER;

/* What both processes see: at the same address, as the second is a fork. */
struct shared {
	pthread_mutex_t lock;
	uint64_t waited_ns;
};

static uint64_t end_ns, waited_ns;

/* ---- readers that nearly always overlap: the writer hardly gets in, and then they wait ---- */

static void *read_on(void *reader)
{
	set_name("reader");
	sleep_ns((uint64_t)(uintptr_t)reader * HOLD_NS / READERS);
	while (now_ns() < end_ns) {
		pthread_rwlock_rdlock(&starved_lock);
		sleep_ns(HOLD_NS);
		pthread_rwlock_unlock(&starved_lock);
		sleep_ns(PAUSE_NS);
	}
	return NULL;
}

static void *write_on(void *argument)
{
	set_name("waiter");
	while (now_ns() < end_ns) {
		uint64_t before_ns = now_ns();

		pthread_rwlock_wrlock(&starved_lock);
		waited_ns += now_ns() - before_ns;
		sleep_ns(MS);
		pthread_rwlock_unlock(&starved_lock);
	}
	return argument;
}

static const void *starve(void)
{
	pthread_t readers[READERS], writer;

	for (size_t i = 0; i < READERS; i++)
		start_thread(&readers[i], read_on, (void *)i);
	start_thread(&writer, write_on, NULL);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	pthread_join(writer, NULL);
	return &starved_lock;
}

/* ---- two processes and one lock ---- */

static void take_turns(struct shared *shared)
{
	while (now_ns() < end_ns) {
		uint64_t before_ns = now_ns();

		pthread_mutex_lock(&shared->lock);
		shared->waited_ns += now_ns() - before_ns;
		spin_until(now_ns() + HOLD_NS);
		pthread_mutex_unlock(&shared->lock);
		sleep_ns(MS / 10);
	}
}

static const void *share(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	pid_t child;

	if (shared == MAP_FAILED)
		die("cannot map");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->lock, &attributes);
	child = fork();
	if (child < 0)
		die("cannot fork");
	set_name(child ? "parent" : "child");
	take_turns(shared);
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	waited_ns = shared->waited_ns;
	return &shared->lock;
}

/* ---- readers that hand over to each other: the writer never gets in ---- */

static int reading; /* how many have the lock for reading */

/* No reader lets go before another one has the lock. */
static void let_go(void)
{
	int count = __atomic_load_n(&reading, __ATOMIC_SEQ_CST);

	while (count < 2 || !__atomic_compare_exchange_n(&reading, &count, count - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		sleep_ns(HOLD_NS);
		count = __atomic_load_n(&reading, __ATOMIC_SEQ_CST);
	}
	pthread_rwlock_unlock(&starved_lock);
}

static void *read_for_ever(void *argument)
{
	set_name("reader");
	for (;;) {
		pthread_rwlock_rdlock(&starved_lock);
		__atomic_fetch_add(&reading, 1, __ATOMIC_SEQ_CST);
		sleep_ns(HOLD_NS);
		let_go();
		sleep_ns(PAUSE_NS);
	}
	return argument;
}

static void *write_never(void *argument)
{
	set_name("waiter");
	pthread_rwlock_wrlock(&starved_lock);
	die("the writer got in");
	return argument;
}

/* Nobody is waited for: they go on until the process ends. */
static const void *starve_for_ever(void)
{
	pthread_t reader, writer;
	uint64_t begin_ns;

	for (size_t i = 0; i < READERS; i++)
		start_thread(&reader, read_for_ever, NULL);
	while (!__atomic_load_n(&reading, __ATOMIC_SEQ_CST))
		sleep_ns(MS);
	begin_ns = now_ns();
	start_thread(&writer, write_never, NULL);
	while (now_ns() < end_ns)
		sleep_ns(MS);
	waited_ns = now_ns() - begin_ns;
	return &starved_lock;
}

/* ---- a lock on the heap, for which two functions wait ---- */

static pthread_mutex_t *heap_lock;

static inline __attribute__((always_inline)) void use_heap_lock(void)
{
	uint64_t before_ns = now_ns();

	pthread_mutex_lock(heap_lock);
	__atomic_fetch_add(&waited_ns, now_ns() - before_ns, __ATOMIC_RELAXED);
	sleep_ns(HOLD_NS);
	pthread_mutex_unlock(heap_lock);
	sleep_ns(MS / 10);
}

static unsigned int requests, statistics;

/* They differ, so that the compiler keeps both. */
static __attribute__((noinline)) void serve_request(void)
{
	use_heap_lock();
	__atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void write_statistics(void)
{
	use_heap_lock();
	__atomic_fetch_add(&statistics, 1, __ATOMIC_RELAXED);
}

static void *take_turns_on_heap(void *argument)
{
	set_name("waiter");
	for (unsigned int turn = 0; now_ns() < end_ns; turn++) {
		if (turn % 5 < 4)
			serve_request();
		else
			write_statistics();
	}
	return argument;
}

static const void *share_heap(void)
{
	pthread_t threads[READERS];

	heap_lock = calloc(1, sizeof(*heap_lock));
	if (!heap_lock)
		die("no memory");
	pthread_mutex_init(heap_lock, NULL);
	for (size_t i = 0; i < READERS; i++)
		start_thread(&threads[i], take_turns_on_heap, NULL);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	return heap_lock;
}

static const struct {
	const char *name;
	const void *(*run)(void);
} kinds[] = {
	{ "rwlock", starve },
	{ "starved", starve_for_ever },
	{ "heap", share_heap },
	{ "shared", share },
};

int main(int argc, char **argv)
{
	const void *lock = NULL;

	workload_begin(&argc, &argv);
	workload_ready();
	end_ns = now_ns() + (uint64_t)argument(argc, argv, 2, 2000) * MS;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (argc > 1 && !strcmp(argv[1], kinds[i].name))
			lock = kinds[i].run();
	if (!lock)
		die("no such kind of lock");
	printf("{\"address\":\"%p\",\"waited_ns\":%lu}", lock, waited_ns);
	workload_end();
	return 0;
}
