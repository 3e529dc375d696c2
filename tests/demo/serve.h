/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_SERVE_H
#define DEMO_SERVE_H

#include "base/err.h"
#include "options.h"
#include "work.h"

/*
 * The server's threads: one "acceptor", which waits on the listener and on every client with epoll, and the workers,
 * "worker-0" and up, which take clients that sent something out of one queue, read, infer and answer.
 */
struct serve;

/*
 * Listen and start the threads, with every signal blocked in them that is blocked in the caller. options and work must
 * outlive the result. -errno, with err: the port is taken, or there is no room for the threads.
 */
int serve_start(struct serve **ret, const struct options *options, struct work *work, struct hr_err *err);

/* The port that it listens on. */
int serve_port(const struct serve *serve);

/* Finish the requests that workers have in hand, drop the others, end the threads and close everything. Takes NULL. */
void serve_stop(struct serve *serve);

#endif
