/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server whose requests are known by construction. It serves from when it is ready, and prints its truth when told to
 * go on: how many requests it read, how many it answered, and how long their stages took by its own clock.
 *
 * Usage: request_server NAME=VALUE..., see settings[]. What it does in a request, in this order: ask its backend, burn
 * CPU in user mode, sleep, sleep with a lock held that all its threads share.
 */
#include "exchange.h"
#include "uring.h"

#include <sys/epoll.h>

enum { MAX_EVENTS = 64, INPUT_BYTES = 16 << 10, ANSWER_MAX_BYTES = 16 << 20 };

static const char *transport = "tcp4", *address, *path, *calls_name = "recv", *mode_name = "threads";
static const char *backend_transport, *backend_address, *backend_path;
static long port, backlog = 1024, request_bytes = 64, answer_bytes = 128, workers = 2;
static long burn_us, sleep_us, lock_us, read_delay_us, accept_delay_us;
static long chunks = 1, gap_us, backend_port, backend_fresh, send_buffer;

static const struct setting settings[] = {
	{ "transport", NULL, &transport }, /* tcp4, tcp6, unix */
	{ "address", NULL, &address },	   /* the loopback's */
	{ "port", &port, NULL },	   /* any free one */
	{ "path", NULL, &path },	   /* of unix */
	{ "calls", NULL, &calls_name },	   /* a row of all_calls[]; mode uring has its own */
	{ "mode", NULL, &mode_name },	   /* a row of modes[] */
	{ "backlog", &backlog, NULL },
	{ "request", &request_bytes, NULL },
	{ "answer", &answer_bytes, NULL },
	{ "workers", &workers, NULL },		     /* of mode workers */
	{ "burn_us", &burn_us, NULL },
	{ "sleep_us", &sleep_us, NULL },
	{ "lock_us", &lock_us, NULL },		     /* how long each request holds the lock */
	{ "read_delay_us", &read_delay_us, NULL },   /* a pause before each read */
	{ "accept_delay_us", &accept_delay_us, NULL }, /* a pause before each accept */
	{ "chunks", &chunks, NULL },		     /* writes per answer */
	{ "gap_us", &gap_us, NULL },		     /* a pause between them */
	{ "backend_transport", NULL, &backend_transport }, /* NULL: there is no backend */
	{ "backend_address", NULL, &backend_address },
	{ "backend_path", NULL, &backend_path },
	{ "backend_port", &backend_port, NULL },
	{ "backend_fresh", &backend_fresh, NULL }, /* 1: a connection to it for each request, not for each thread */
	{ "send_buffer", &send_buffer, NULL },	   /* SO_SNDBUF of connections */
};

/* Counted by all threads. Stages are from right after the first read to right before the first write, and so on. */
static struct {
	uint64_t accepted, reads, requests, answered, hung_up;
	uint64_t service_ns, stream_ns, lock_wait_ns, backend_ns, connect_ns;
} totals;

struct conversation {
	int fd;
	size_t have;
	uint64_t read_ns; /* of the first byte of the request at hand; 0: none yet */
	bool is_sending;  /* of mode uring */
	char data[INPUT_BYTES];
};

static const struct calls *calls;
static struct endpoint endpoint, backend;
static int listen_fd;
static char *answer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool handle_request(struct conversation *conversation);

static void count(uint64_t *total, uint64_t by)
{
	__atomic_fetch_add(total, by, __ATOMIC_RELAXED);
}

static void pause_us(long us)
{
	if (us)
		sleep_ns((uint64_t)us * 1000);
}

static int connect_to_backend(void)
{
	const uint64_t start_ns = now_ns();
	const int fd = endpoint_connect(&backend);

	count(&totals.connect_ns, now_ns() - start_ns);
	return fd;
}

/* The backend's requests and answers have the same sizes as ours. */
static void ask_backend(const struct conversation *conversation)
{
	static __thread int fd = -1;
	static __thread char *reply;
	uint64_t start_ns;

	if (!reply)
		reply = allocate((size_t)answer_bytes);
	if (fd < 0)
		fd = connect_to_backend();
	start_ns = now_ns();
	if (!send_all(calls, fd, conversation->data, (size_t)request_bytes) ||
	    !receive_all(calls, fd, reply, (size_t)answer_bytes))
		die("the backend does not answer");
	count(&totals.backend_ns, now_ns() - start_ns);
	if (backend_fresh) {
		close(fd);
		fd = -1;
	}
}

static void work(const struct conversation *conversation)
{
	uint64_t start_ns;

	if (backend_transport)
		ask_backend(conversation);
	if (burn_us)
		spin_until(now_ns() + (uint64_t)burn_us * 1000);
	pause_us(sleep_us);
	if (lock_us) {
		start_ns = now_ns();
		pthread_mutex_lock(&lock);
		count(&totals.lock_wait_ns, now_ns() - start_ns);
		pause_us(lock_us);
		pthread_mutex_unlock(&lock);
	}
}

/* Counted before its last write: the client may be told everything while this thread has yet to come back from it. */
static bool send_answer(struct conversation *conversation)
{
	const size_t chunk = (size_t)(answer_bytes / chunks);
	const uint64_t first_ns = now_ns();
	size_t sent = 0;

	count(&totals.service_ns, first_ns - conversation->read_ns);
	for (long left = chunks; left > 1; left--, sent += chunk) {
		if (!send_all(calls, conversation->fd, answer + sent, chunk))
			return false;
		pause_us(gap_us);
	}
	count(&totals.stream_ns, now_ns() - first_ns);
	count(&totals.answered, 1);
	return send_all(calls, conversation->fd, answer + sent, (size_t)answer_bytes - sent);
}

/* A whole request is there: take it off the front. */
static void take_request(struct conversation *conversation)
{
	conversation->have -= (size_t)request_bytes;
	memmove(conversation->data, conversation->data + request_bytes, conversation->have);
}

/* What a request is, for those who delimit it by a function. false: the conversation is over. */
__attribute__((noinline)) bool handle_request(struct conversation *conversation)
{
	bool goes_on = true;

	count(&totals.requests, 1);
	if (conversation->data[0] == REQUEST_HANG_UP) {
		count(&totals.hung_up, 1);
		return false;
	}
	work(conversation);
	goes_on = send_answer(conversation);
	take_request(conversation);
	if (!conversation->have)
		conversation->read_ns = 0;
	return goes_on;
}

static bool has_request(const struct conversation *conversation)
{
	return conversation->have >= (size_t)request_bytes;
}

/* Count what a read has brought; as read(2) otherwise. */
static ssize_t take_in(struct conversation *conversation, ssize_t got)
{
	if (got > 0) {
		count(&totals.reads, 1);
		conversation->have += (size_t)got;
		if (!conversation->read_ns)
			conversation->read_ns = now_ns();
	}
	return got;
}

static ssize_t receive(struct conversation *conversation)
{
	return take_in(conversation, calls->receive(conversation->fd, conversation->data + conversation->have,
						    sizeof(conversation->data) - conversation->have));
}

/* Handle all that has arrived whole. false: the conversation is over. */
static bool handle_all(struct conversation *conversation)
{
	while (has_request(conversation))
		if (!handle_request(conversation))
			return false;
	return true;
}

static struct conversation *conversation_begin(int fd)
{
	struct conversation *conversation = allocate(sizeof(*conversation));

	if (fd < 0)
		die("cannot accept");
	conversation->fd = fd;
	send_at_once(fd, &endpoint);
	if (send_buffer) {
		const int bytes = (int)send_buffer;

		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	}
	count(&totals.accepted, 1);
	return conversation;
}

static void conversation_end(struct conversation *conversation)
{
	close(conversation->fd);
	free(conversation);
}

static struct conversation *accept_next(int flags)
{
	if (accept_delay_us) {
		struct pollfd door = { .fd = listen_fd, .events = POLLIN };

		poll(&door, 1, -1);
		pause_us(accept_delay_us);
	}
	return conversation_begin(accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | flags));
}

/* Modes: who waits for data, and who answers. */

static void wait_and_pause(int fd)
{
	struct pollfd socket = { .fd = fd, .events = POLLIN };

	if (!read_delay_us)
		return;
	poll(&socket, 1, -1);
	pause_us(read_delay_us);
}

static void *converse(void *argument)
{
	struct conversation *conversation = argument;
	ssize_t got;

	do {
		wait_and_pause(conversation->fd);
		got = receive(conversation);
	} while ((got > 0 || (got < 0 && errno == EINTR)) && handle_all(conversation));
	conversation_end(conversation);
	return NULL;
}

/* One thread, one connection at a time: the others wait to be accepted. */
static void serve_one_by_one(void)
{
	for (;;)
		converse(accept_next(0));
}

static void serve_by_threads(void)
{
	pthread_t thread;

	for (;;) {
		start_thread(&thread, converse, accept_next(0));
		pthread_detach(thread);
	}
}

static int epoll_fd;

static void watch(int operation, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	if (epoll_ctl(epoll_fd, operation, fd, &event))
		die("cannot watch a socket");
}

/* The listener is the event without a conversation. */
static void event_loop(uint32_t events, void (*turn)(struct conversation *))
{
	struct epoll_event ready[MAX_EVENTS];
	int found;

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch(EPOLL_CTL_ADD, listen_fd, EPOLLIN, NULL);
	for (;;) {
		found = epoll_wait(epoll_fd, ready, MAX_EVENTS, -1);
		for (int i = 0; i < found; i++) {
			struct conversation *conversation = ready[i].data.ptr;

			if (conversation) {
				turn(conversation);
				continue;
			}
			conversation = accept_next(SOCK_NONBLOCK);
			watch(EPOLL_CTL_ADD, conversation->fd, events, conversation);
		}
	}
}

static void turn_level(struct conversation *conversation)
{
	ssize_t got;

	pause_us(read_delay_us);
	got = receive(conversation);
	if (got == 0 || (got < 0 && errno != EAGAIN) || !handle_all(conversation))
		conversation_end(conversation);
}

/* Told of new data only: read until there is no more. */
static void turn_edge(struct conversation *conversation)
{
	ssize_t got;

	pause_us(read_delay_us);
	while ((got = receive(conversation)) > 0) {
		if (handle_all(conversation))
			continue;
		got = 0;
		break;
	}
	if (got == 0 || errno != EAGAIN)
		conversation_end(conversation);
}

static void serve_by_level(void)
{
	event_loop(EPOLLIN, turn_level);
}

static void serve_by_edge(void)
{
	event_loop(EPOLLIN | EPOLLET, turn_edge);
}

/* What the loop has read, for the workers. More than there can be connections at once. */
static struct {
	struct conversation *items[1 << 15];
	unsigned int head, tail;
	pthread_mutex_t lock;
	pthread_cond_t filled;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER };

enum { QUEUE_MASK = (1 << 15) - 1 };

static void *answer_queued(void *argument)
{
	struct conversation *conversation;

	set_name("worker");
	for (;;) {
		pthread_mutex_lock(&queue.lock);
		while (queue.head == queue.tail)
			pthread_cond_wait(&queue.filled, &queue.lock);
		conversation = queue.items[queue.head++ & QUEUE_MASK];
		pthread_mutex_unlock(&queue.lock);
		if (handle_all(conversation))
			watch(EPOLL_CTL_MOD, conversation->fd, EPOLLIN | EPOLLONESHOT, conversation);
		else
			conversation_end(conversation);
	}
	return argument;
}

static void turn_hand_off(struct conversation *conversation)
{
	ssize_t got;

	pause_us(read_delay_us);
	got = receive(conversation);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		conversation_end(conversation);
	} else if (!has_request(conversation)) {
		watch(EPOLL_CTL_MOD, conversation->fd, EPOLLIN | EPOLLONESHOT, conversation);
	} else {
		pthread_mutex_lock(&queue.lock);
		queue.items[queue.tail++ & QUEUE_MASK] = conversation;
		pthread_cond_signal(&queue.filled);
		pthread_mutex_unlock(&queue.lock);
	}
}

static void serve_by_workers(void)
{
	pthread_t thread;

	for (long i = 0; i < workers; i++)
		start_thread(&thread, answer_queued, NULL);
	event_loop(EPOLLIN | EPOLLONESHOT, turn_hand_off);
}

static struct uring ring;

static void uring_receive(struct conversation *conversation)
{
	conversation->is_sending = false;
	uring_ask(&ring, IORING_OP_RECV, conversation->fd, conversation->data + conversation->have,
		  sizeof(conversation->data) - conversation->have, conversation);
}

static void uring_answer(struct conversation *conversation)
{
	count(&totals.requests, 1);
	if (conversation->data[0] == REQUEST_HANG_UP) {
		count(&totals.hung_up, 1);
		conversation_end(conversation);
		return;
	}
	work(conversation);
	count(&totals.service_ns, now_ns() - conversation->read_ns);
	count(&totals.answered, 1); /* as in send_answer() */
	take_request(conversation);
	conversation->is_sending = true;
	uring_ask(&ring, IORING_OP_SEND, conversation->fd, answer, (size_t)answer_bytes, conversation);
}

static void uring_result(struct conversation *conversation, int result)
{
	if (conversation->is_sending && result > 0) { /* answers are small enough to go out whole */
		conversation->read_ns = conversation->have ? now_ns() : 0;
	} else if (take_in(conversation, result) <= 0) {
		conversation_end(conversation);
		return;
	}
	if (has_request(conversation))
		uring_answer(conversation);
	else
		uring_receive(conversation);
}

static void uring_accept(void)
{
	uring_ask(&ring, IORING_OP_ACCEPT, listen_fd, NULL, 0, NULL);
}

static void serve_by_uring(void)
{
	struct conversation *conversation;
	int result;

	uring_accept();
	for (;;) {
		conversation = uring_wait(&ring, &result);
		if (conversation) {
			uring_result(conversation, result);
			continue;
		}
		uring_receive(conversation_begin(result));
		uring_accept();
	}
}

static const struct mode {
	const char *name;
	void (*serve)(void);
} modes[] = {
	{ "one", serve_one_by_one },   { "threads", serve_by_threads }, { "epoll", serve_by_level },
	{ "edge", serve_by_edge },     { "workers", serve_by_workers }, { "uring", serve_by_uring },
};

static void *serve(void *argument)
{
	const struct mode *mode = argument;

	set_name("server");
	mode->serve();
	return NULL;
}

static const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	errno = EINVAL;
	die("no mode is named '%s'", name);
}

static void print_truth(void)
{
	printf("{\"accepted\":%lu,\"reads\":%lu,\"requests\":%lu,", totals.accepted, totals.reads, totals.requests);
	printf("\"answered\":%lu,\"hung_up\":%lu,", totals.answered, totals.hung_up);
	printf("\"service_ns\":%lu,\"stream_ns\":%lu,", totals.service_ns, totals.stream_ns);
	printf("\"lock_wait_ns\":%lu,\"backend_ns\":%lu,", totals.lock_wait_ns, totals.backend_ns);
	printf("\"connect_ns\":%lu}", totals.connect_ns);
}

int main(int argc, char **argv)
{
	const struct mode *mode;
	pthread_t thread;
	int skipped = 0;

	workload_begin(&argc, &argv);
	settings_read(settings, sizeof(settings) / sizeof(settings[0]), argc, argv);
	errno = EINVAL;
	if (request_bytes < 1 || request_bytes > INPUT_BYTES || answer_bytes < chunks || answer_bytes > ANSWER_MAX_BYTES)
		die("sizes out of range");
	signal(SIGPIPE, SIG_IGN);
	take_all_descriptors();
	calls = calls_find(calls_name);
	mode = mode_find(mode_name);
	answer = allocate((size_t)answer_bytes);
	fill_request(answer, (size_t)answer_bytes, REQUEST_ANSWER, 0);
	endpoint = endpoint_make(transport, address, port, path);
	listen_fd = endpoint_listen(&endpoint, (int)backlog);
	if (backend_transport)
		backend = endpoint_make(backend_transport, backend_address, backend_port, backend_path);
	if (mode->serve == serve_by_uring)
		skipped = uring_open(&ring, 256);
	if (!skipped)
		start_thread(&thread, serve, (void *)(uintptr_t)mode);
	printf("{\"ready\":true,\"port\":%d,\"skipped\":\"%s\"}", endpoint_port(&endpoint), skipped ? strerror(skipped) : "");
	workload_await_go();
	print_truth();
	workload_end();
	return 0;
}
