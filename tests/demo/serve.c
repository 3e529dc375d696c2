/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "connection.h"
#include "queue.h"

enum {
	MAX_CONNECTIONS = 4096, /* more wait in the accept queue */
	SPARE_FDS = 64,		/* for all but clients, besides the backend's connections */
	MAX_EVENTS = 64,	/* handled before the next look at the listener */
	SWEEP_MS = 500,		/* between two looks at the deadlines */
};

/* Handed to each thread as it starts. */
struct worker {
	struct serve *serve;
	struct scratch *scratch;
	pthread_t thread;
};

struct serve {
	struct work *work;
	int listen_fd, epoll_fd, stop_fd;
	int accept_timer_fd; /* -1: the listener itself says when to accept */
	struct queue queue;

	/* the acceptor's */
	struct connection *connections; /* MAX_CONNECTIONS of them; fd -1: not in use */
	struct connection *free_list;
	int open_count, open_max;
	bool accepting;

	pthread_t acceptor;
	bool acceptor_started;
	struct worker *workers;
	int workers_started;
};

/* One-shot: whoever handles the event has the connection to himself until he parks it again. */
static int watch(struct serve *serve, int operation, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	return epoll_ctl(serve->epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

/* What is watched to know when to accept. */
static int accept_fd(const struct serve *serve)
{
	return serve->accept_timer_fd >= 0 ? serve->accept_timer_fd : serve->listen_fd;
}

static void set_accepting(struct serve *serve, bool accepting)
{
	if (serve->accepting == accepting)
		return;
	if (watch(serve, EPOLL_CTL_MOD, accept_fd(serve), accepting ? EPOLLIN : 0, &serve->listen_fd) == 0)
		serve->accepting = accepting;
}

static void connection_close(struct serve *serve, struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	connection->next_free = serve->free_list;
	serve->free_list = connection;
	serve->open_count--;
	set_accepting(serve, true);
}

/* The caller sees to it that there is a free one. */
static void connection_open(struct serve *serve, int fd)
{
	struct connection *connection = serve->free_list;
	const int on = 1;

	serve->free_list = connection->next_free;
	serve->open_count++;
	connection_init(connection, fd);
	/* an answer is one small send: it has nothing to wait for */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (watch(serve, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, connection) < 0)
		connection_close(serve, connection);
}

/* Accept whoever waits. With no room left, the others stay in the accept queue until someone goes or the next sweep. */
static void accept_all(struct serve *serve)
{
	uint64_t ticks;
	int fd;

	if (serve->accept_timer_fd >= 0 && read(serve->accept_timer_fd, &ticks, sizeof(ticks)) < 0)
		return;
	for (int i = 0; i < MAX_EVENTS; i++) {
		if (serve->open_count >= serve->open_max) {
			set_accepting(serve, false);
			return;
		}
		fd = accept4(serve->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			connection_open(serve, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			set_accepting(serve, false);
		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* Shut overdue clients down; their sockets then report an end, which takes the usual way to a worker and back. */
static void sweep(struct serve *serve, uint64_t now_ns)
{
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		struct connection *connection = &serve->connections[i];

		if (connection->fd >= 0 && connection->deadline_ns < now_ns) {
			connection->deadline_ns = UINT64_MAX;
			shutdown(connection->fd, SHUT_RDWR);
		}
	}
	set_accepting(serve, serve->open_count < serve->open_max);
}

/*
 * Hand a client that reported something to a worker. The exchange meets the store in park(), so that all that the last
 * worker wrote is seen.
 */
static void dispatch(struct serve *serve, struct connection *connection)
{
	atomic_exchange(&connection->deadline_ns, UINT64_MAX);
	if (connection->finished)
		connection_close(serve, connection);
	else
		queue_push(&serve->queue, connection);
}

static void *acceptor_main(void *argument)
{
	struct serve *serve = argument;
	struct epoll_event events[MAX_EVENTS];
	uint64_t sweep_at_ns = 0, now_ns;
	int count;

	pthread_setname_np(pthread_self(), "acceptor");
	for (;;) {
		count = epoll_wait(serve->epoll_fd, events, MAX_EVENTS,
				   serve->open_count || !serve->accepting ? SWEEP_MS : -1);
		for (int i = 0; i < count; i++) {
			void *what = events[i].data.ptr;

			if (what == &serve->stop_fd)
				return NULL;
			if (what == &serve->listen_fd)
				accept_all(serve);
			else
				dispatch(serve, what);
		}
		now_ns = hr_clock_mono_ns();
		if (now_ns >= sweep_at_ns) {
			sweep(serve, now_ns);
			sweep_at_ns = now_ns + SWEEP_MS * UINT64_C(1000000);
		}
	}
}

/* The end of a worker's turn. Once it is watched, the connection is the acceptor's: no look at it after that. */
static void park(struct serve *serve, struct connection *connection, enum connection_next next)
{
	const int fd = connection->fd;

	if (next == CONNECTION_TURN) {
		queue_push(&serve->queue, connection);
		return;
	}
	if (next == CONNECTION_CLOSE) {
		/* it then reports an end as soon as it is watched again, and the acceptor closes it */
		connection->finished = true;
		shutdown(fd, SHUT_RDWR);
	}
	connection->deadline_ns = connection_deadline_ns(connection, next);
	watch(serve, EPOLL_CTL_MOD, fd, EPOLLONESHOT | (next == CONNECTION_WRITE ? EPOLLOUT : EPOLLIN), connection);
}

static void *worker_main(void *argument)
{
	const struct worker *worker = argument;
	struct serve *serve = worker->serve;
	struct connection *connection;
	char name[16];

	snprintf(name, sizeof(name), "worker-%u", (unsigned int)(worker - serve->workers) & 0xffff);
	pthread_setname_np(pthread_self(), name);
	while ((connection = queue_pop(&serve->queue)))
		park(serve, connection, connection_turn(connection, serve->work, worker->scratch));
	return NULL;
}

static int listen_on(struct serve *serve, const struct options *options, struct hr_err *err)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)options->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const int on = 1;

	serve->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (serve->listen_fd < 0 || setsockopt(serve->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(serve->listen_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(serve->listen_fd, (int)options->backlog) < 0)
		return hr_err_errno(err, -errno, "cannot listen on 127.0.0.1:%d", (int)options->port);
	return 0;
}

/* The fault of a loop that is busy with something else, and comes to its listener only now and then. */
static int open_accept_timer(struct serve *serve, uint64_t every_ns, struct hr_err *err)
{
	const struct timespec every = { .tv_sec = (time_t)(every_ns / 1000000000), .tv_nsec = (long)(every_ns % 1000000000) };
	const struct itimerspec times = { .it_interval = every, .it_value = every };

	if (!every_ns)
		return 0;
	serve->accept_timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (serve->accept_timer_fd < 0 || timerfd_settime(serve->accept_timer_fd, 0, &times, NULL) < 0)
		return hr_err_errno(err, -errno, "cannot make a timer");
	return 0;
}

static int open_epoll(struct serve *serve, struct hr_err *err)
{
	serve->stop_fd = eventfd(0, EFD_CLOEXEC);
	serve->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (serve->stop_fd < 0 || serve->epoll_fd < 0)
		return hr_err_errno(err, -errno, "cannot create an epoll instance");
	if (watch(serve, EPOLL_CTL_ADD, serve->stop_fd, EPOLLIN, &serve->stop_fd) < 0 ||
	    watch(serve, EPOLL_CTL_ADD, accept_fd(serve), EPOLLIN, &serve->listen_fd) < 0)
		return hr_err_errno(err, -errno, "cannot watch the listener");
	serve->accepting = true;
	return 0;
}

/* Take all the file descriptors that the limit allows, and as many clients as fit in them. */
static int allocate(struct serve *serve, const struct options *options, struct hr_err *err)
{
	struct rlimit limit;
	rlim_t spare = SPARE_FDS + (rlim_t)options->pool;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return hr_err_errno(err, -errno, "cannot read the limit of open files");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur <= spare)
		return hr_err_set(err, -EMFILE, "the limit of open files must be over %d (ulimit -n)", (int)spare);
	serve->open_max = limit.rlim_cur - spare < MAX_CONNECTIONS ? (int)(limit.rlim_cur - spare) : MAX_CONNECTIONS;
	serve->connections = calloc(MAX_CONNECTIONS, sizeof(*serve->connections));
	serve->workers = calloc((size_t)options->threads, sizeof(*serve->workers));
	if (!serve->connections || !serve->workers || queue_init(&serve->queue, MAX_CONNECTIONS) < 0)
		return hr_err_set(err, -ENOMEM, "not enough memory for %d connections", MAX_CONNECTIONS);
	for (int i = MAX_CONNECTIONS - 1; i >= 0; i--) {
		serve->connections[i].fd = -1;
		serve->connections[i].next_free = serve->free_list;
		serve->free_list = &serve->connections[i];
	}
	return 0;
}

static int start_threads(struct serve *serve, const struct options *options, struct hr_err *err)
{
	int code;

	while (serve->workers_started < options->threads) {
		struct worker *worker = &serve->workers[serve->workers_started];

		worker->serve = serve;
		worker->scratch = scratch_new(serve->work);
		code = worker->scratch ? pthread_create(&worker->thread, NULL, worker_main, worker) : ENOMEM;
		if (code) {
			scratch_free(worker->scratch);
			return hr_err_errno(err, -code, "cannot start worker %d", serve->workers_started);
		}
		serve->workers_started++;
	}
	code = pthread_create(&serve->acceptor, NULL, acceptor_main, serve);
	if (code)
		return hr_err_errno(err, -code, "cannot start the acceptor");
	serve->acceptor_started = true;
	return 0;
}

int serve_start(struct serve **ret, const struct options *options, struct work *work, struct hr_err *err)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	int code;

	if (!serve)
		return hr_err_set(err, -ENOMEM, "not enough memory");
	serve->work = work;
	serve->listen_fd = serve->epoll_fd = serve->stop_fd = serve->accept_timer_fd = -1;
	code = allocate(serve, options, err);
	if (code == 0)
		code = listen_on(serve, options, err);
	if (code == 0)
		code = open_accept_timer(serve, options->accept_every_ns, err);
	if (code == 0)
		code = open_epoll(serve, err);
	if (code == 0)
		code = start_threads(serve, options, err);
	if (code < 0)
		serve_stop(serve);
	else
		*ret = serve;
	return code;
}

int serve_port(const struct serve *serve)
{
	struct sockaddr_in address = { 0 };
	socklen_t size = sizeof(address);

	getsockname(serve->listen_fd, (struct sockaddr *)&address, &size);
	return ntohs(address.sin_port);
}

static void stop_threads(struct serve *serve)
{
	if (serve->acceptor_started) {
		eventfd_write(serve->stop_fd, 1);
		pthread_join(serve->acceptor, NULL);
	}
	if (serve->workers_started)
		queue_close(&serve->queue);
	for (int i = 0; i < serve->workers_started; i++) {
		pthread_join(serve->workers[i].thread, NULL);
		scratch_free(serve->workers[i].scratch);
	}
}

void serve_stop(struct serve *serve)
{
	const int fds[] = { serve ? serve->listen_fd : -1, serve ? serve->epoll_fd : -1, serve ? serve->stop_fd : -1,
			    serve ? serve->accept_timer_fd : -1 };

	if (!serve)
		return;
	stop_threads(serve);
	for (int i = 0; serve->connections && i < MAX_CONNECTIONS; i++)
		if (serve->connections[i].fd >= 0)
			close(serve->connections[i].fd);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	queue_fini(&serve->queue);
	free(serve->workers);
	free(serve->connections);
	free(serve);
}
