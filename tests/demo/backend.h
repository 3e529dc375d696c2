/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_BACKEND_H
#define DEMO_BACKEND_H

#include "base/err.h"

/* Another instance of this server, asked over a fixed number of connections that the workers share. */
struct backend;

/* Prepare for connections of them to 127.0.0.1:port; none is made yet. -ENOMEM. */
int backend_new(struct backend **ret, int port, int connections, struct hr_err *err);
void backend_free(struct backend *backend);

/*
 * Have the backend answer one request; waits while all connections are out. 0; below 0: it cannot be reached, took over
 * 5 s for one step, or did not answer 200.
 */
int backend_ask(struct backend *backend);

#endif
