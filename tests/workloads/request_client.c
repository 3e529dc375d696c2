/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of request_server: it asks, waits for the whole answer, and measures. Its truth is what it was answered, and
 * how long that took.
 *
 * Usage: request_client NAME=VALUE..., see settings[].
 */
#include "exchange.h"

enum { MAX_BYTES = 16 << 20 };

static const char *transport = "tcp4", *address, *path, *mode_name = "threads";
static long port, connections = 1, requests = 1, request_bytes = 64, answer_bytes = 128, early, fresh, depth = 1;
static long pieces = 1, piece_gap_us, think_us, hang_up, half, reset, sources, receive_buffer, step_bytes, step_us, hold_us;

static const struct setting settings[] = {
	{ "transport", NULL, &transport },
	{ "address", NULL, &address },
	{ "port", &port, NULL },
	{ "path", NULL, &path },
	{ "mode", NULL, &mode_name },	     /* threads: one for each connection; sweep: one asks on all, then reads on all */
	{ "connections", &connections, NULL },
	{ "requests", &requests, NULL },     /* per connection */
	{ "request", &request_bytes, NULL },
	{ "answer", &answer_bytes, NULL },
	{ "early", &early, NULL },	     /* 1: connect before being ready */
	{ "fresh", &fresh, NULL },	     /* 1: a connection for each request */
	{ "depth", &depth, NULL },	     /* requests that are sent at once */
	{ "pieces", &pieces, NULL },	     /* writes per request */
	{ "piece_gap_us", &piece_gap_us, NULL }, /* between them */
	{ "think_us", &think_us, NULL },     /* before each request */
	{ "hang_up", &hang_up, NULL },	     /* 1: at last, a request that the server answers by closing */
	{ "half", &half, NULL },	     /* 1: at last, half of a request, and the end */
	{ "reset", &reset, NULL },	     /* 1: close by a reset */
	{ "sources", &sources, NULL },	     /* so many addresses of 127.0.0.0/24 in turn; tcp4 */
	{ "receive_buffer", &receive_buffer, NULL }, /* SO_RCVBUF */
	{ "step", &step_bytes, NULL },	     /* read at most this much at once */
	{ "step_us", &step_us, NULL },	     /* a pause before each read */
	{ "hold_us", &hold_us, NULL },	     /* how long connections stay open after their last answer */
};

struct client {
	long index;
	int fd;
	pthread_t thread;
	long answered, failed, opened;
	char *question, *answer;
	uint64_t *latencies_ns;
};

static const struct calls *calls;
static struct endpoint endpoint;

static void pause_us(long us)
{
	if (us)
		sleep_ns((uint64_t)us * 1000);
}

static void set_buffer(int fd)
{
	const int bytes = (int)receive_buffer;

	if (bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static void bind_to_source(int fd, long index)
{
	struct sockaddr_in source = { .sin_family = AF_INET };
	const int on = 1;

	if (!sources)
		return;
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index % sources));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&source, sizeof(source)))
		die("cannot bind to a source address");
}

static void open_connection(struct client *client)
{
	client->fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		die("cannot make a socket");
	set_buffer(client->fd);
	bind_to_source(client->fd, client->index);
	if (connect(client->fd, (struct sockaddr *)&endpoint.address, endpoint.size))
		die("cannot connect");
	send_at_once(client->fd, &endpoint);
	client->opened++;
}

static void close_connection(struct client *client)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (client->fd < 0)
		return;
	if (reset)
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(client->fd);
	client->fd = -1;
}

/* Requests `number` and, in a pipeline, those that follow. */
static bool ask(struct client *client, long number)
{
	const size_t size = (size_t)request_bytes * (size_t)depth;
	size_t sent = 0, piece = size / (size_t)pieces;

	for (long i = 0; i < depth; i++)
		fill_request(client->question + i * request_bytes, (size_t)request_bytes, REQUEST_ANSWER,
			     (uint64_t)(client->index << 24 | (number + i)));
	for (long i = 0; i < pieces; i++, sent += piece) {
		if (i)
			pause_us(piece_gap_us);
		if (i == pieces - 1)
			piece = size - sent;
		if (!send_all(calls, client->fd, client->question + sent, piece))
			return false;
	}
	return true;
}

static bool take_answers(struct client *client)
{
	size_t left = (size_t)answer_bytes * (size_t)depth, step;

	while (left) {
		step = step_bytes && (size_t)step_bytes < left ? (size_t)step_bytes : left;
		pause_us(step_us);
		if (!receive_all(calls, client->fd, client->answer, step))
			return false;
		left -= step;
	}
	return true;
}

/* `depth` requests, from the first byte of the question to the last of the answer. */
static void exchange(struct client *client, long number)
{
	const uint64_t start_ns = now_ns();
	uint64_t end_ns;

	if (client->fd < 0)
		open_connection(client);
	if (!ask(client, number) || !take_answers(client)) {
		client->failed += depth;
		close_connection(client);
		return;
	}
	end_ns = now_ns();
	for (long i = 0; i < depth; i++)
		client->latencies_ns[client->answered++] = end_ns - start_ns;
	if (fresh)
		close_connection(client);
}

/* What the server is to make of the end, and the end. */
static void part(struct client *client)
{
	char byte;

	if ((hang_up || half) && client->fd < 0)
		open_connection(client);
	if (hang_up || half)
		fill_request(client->question, (size_t)request_bytes, hang_up ? REQUEST_HANG_UP : REQUEST_ANSWER, 1);
	if (hang_up && send_all(calls, client->fd, client->question, (size_t)request_bytes))
		receive_all(calls, client->fd, &byte, 1);
	if (half)
		send_all(calls, client->fd, client->question, (size_t)request_bytes / 2);
	pause_us(hold_us);
	close_connection(client);
}

static void *run_client(void *argument)
{
	struct client *client = argument;

	for (long i = 0; i < requests; i += depth) {
		pause_us(think_us);
		exchange(client, i);
	}
	part(client);
	return NULL;
}

static void run_threads(struct client *clients)
{
	for (long i = 0; i < connections; i++)
		start_thread(&clients[i].thread, run_client, &clients[i]);
	for (long i = 0; i < connections; i++)
		pthread_join(clients[i].thread, NULL);
}

/* Keep a request in flight on every connection at once. */
static void sweep_once(struct client *clients, uint64_t *asked_ns, long number)
{
	for (long i = 0; i < connections; i++) {
		asked_ns[i] = now_ns();
		if (!ask(&clients[i], number))
			die("cannot ask");
	}
	for (long i = 0; i < connections; i++) {
		if (!take_answers(&clients[i]))
			die("not answered");
		clients[i].latencies_ns[clients[i].answered++] = now_ns() - asked_ns[i];
	}
}

static void run_sweep(struct client *clients)
{
	uint64_t *asked_ns = allocate((size_t)connections * sizeof(*asked_ns));

	for (long i = 0; i < connections; i++)
		if (clients[i].fd < 0)
			open_connection(&clients[i]);
	for (long number = 0; number < requests; number++) {
		pause_us(think_us);
		sweep_once(clients, asked_ns, number);
	}
	pause_us(hold_us);
	for (long i = 0; i < connections; i++)
		close_connection(&clients[i]);
	free(asked_ns);
}

static int by_value(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void print_truth(const struct client *clients, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t *all_ns = allocate((size_t)(connections * (requests + depth)) * sizeof(*all_ns));
	uint64_t sum_ns = 0;
	long answered = 0, failed = 0, opened = 0;

	for (long i = 0; i < connections; i++) {
		for (long k = 0; k < clients[i].answered; k++)
			sum_ns += all_ns[answered++] = clients[i].latencies_ns[k];
		failed += clients[i].failed;
		opened += clients[i].opened;
	}
	qsort(all_ns, (size_t)answered, sizeof(*all_ns), by_value);
	printf("{\"answered\":%ld,\"failed\":%ld,\"opened\":%ld,", answered, failed, opened);
	printf("\"duration_ns\":%lu,\"sum_ns\":%lu,", end_ns - start_ns, sum_ns);
	printf("\"p50_ns\":%lu,\"p99_ns\":%lu}", answered ? all_ns[answered / 2] : 0, answered ? all_ns[answered * 99 / 100] : 0);
	free(all_ns);
}

static void client_init(struct client *client, long index)
{
	*client = (struct client){ .index = index, .fd = -1 };
	client->question = allocate((size_t)(request_bytes * depth));
	client->answer = allocate((size_t)(answer_bytes * depth));
	client->latencies_ns = allocate((size_t)(requests + depth) * sizeof(uint64_t));
	if (early)
		open_connection(client);
}

int main(int argc, char **argv)
{
	struct client *clients;
	uint64_t start_ns;

	workload_begin(&argc, &argv);
	settings_read(settings, sizeof(settings) / sizeof(settings[0]), argc, argv);
	errno = EINVAL;
	if (request_bytes < 1 || answer_bytes < 1 || answer_bytes * depth > MAX_BYTES || depth < 1 || pieces < 1)
		die("sizes out of range");
	signal(SIGPIPE, SIG_IGN);
	take_all_descriptors();
	calls = calls_find("recv");
	endpoint = endpoint_make(transport, address, port, path);
	clients = allocate((size_t)connections * sizeof(*clients));
	for (long i = 0; i < connections; i++)
		client_init(&clients[i], i);
	workload_ready();
	start_ns = now_ns();
	if (!strcmp(mode_name, "sweep"))
		run_sweep(clients);
	else
		run_threads(clients);
	print_truth(clients, start_ns, now_ns());
	workload_end();
	return 0;
}
