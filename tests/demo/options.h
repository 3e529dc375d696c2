/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_OPTIONS_H
#define DEMO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What the server was asked to be. The faults are off by default; each makes one known bottleneck, by having it. */
struct options {
	int64_t port;	       /* 0: any free one */
	int64_t threads;       /* workers */
	int64_t hidden;	       /* width of the model's hidden layers: the cost of a request */
	int64_t seed;	       /* of the model's weights */
	int64_t backlog;       /* connections that may wait for accept */
	int64_t team;	       /* fault: threads that share each forward pass, and spin until the others are there */
	int64_t rate;	       /* fault: requests per second that are let through, all workers together; 0: any number */
	int64_t remap_mib;     /* fault: memory whose protection each request changes, under the lock of the address space */
	const char *weights_path; /* fault: a file that each request looks things up in, page by page; NULL: none */
	int64_t lookups;       /* pages of it that a request reads */
	uint64_t accept_every_ns; /* fault: the acceptor looks at its listener only so often; 0: at once */
	uint64_t warm_up_ns;   /* fault: so long after its first request, the server is slow and takes one at a time */
	bool token;	       /* fault: one token in a pipe, which a request holds during its forward pass */
	bool lock;	       /* fault: one mutex around the forward pass */
	uint64_t hold_ns;      /* fault: the holder of that mutex, or of the token, sleeps with it */
	bool spin;	       /* fault: one spin lock around the forward pass */
	uint64_t sleep_ns;     /* fault: the server's own pause in each request */
	const char *fsync_path;/* fault: a line written to stable storage in each request; NULL: none */
	int64_t line_bytes;    /* how long that line is */
	int64_t backend_port;  /* fault: each request asks the instance on this port; 0: none */
	int64_t pool;	       /* connections to the backend; 0: one for each worker */
	bool help;
};

/*
 * Read the command line. 0; -EINVAL: an unknown option, a value out of range, or options that do not go together; err
 * says which. The strings belong to argv.
 */
int options_parse(struct options *ret, int argc, char *argv[], struct hr_err *err);

/* Print the options, each with its meaning. */
void options_print(void);

#endif
