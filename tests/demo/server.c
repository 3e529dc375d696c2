/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The demo inference server: a small HTTP/1.1 server that runs a real forward pass for each request, to have something
 * to measure. Its faults (--lock, --fsync and so on) each make one bottleneck whose truth is known.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"
#include "serve.h"
#include "work.h"

enum { EXIT_USAGE = 2 };

static int fail(int status, const struct hr_err *err)
{
	fprintf(stderr, "server: %s\n", err->text);
	return status;
}

/* Serve until SIGINT or SIGTERM, which are blocked in every thread by then, so that none is lost before the wait. */
static int run(const struct options *options, const sigset_t *ends, struct hr_err *err)
{
	struct serve *serve = NULL;
	struct work *work = NULL;
	int code, number;

	code = work_open(&work, options, err);
	if (code == 0)
		code = serve_start(&serve, options, work, err);
	if (code == 0) {
		printf("listening on 127.0.0.1:%d\n", serve_port(serve));
		fflush(stdout);
		sigwait(ends, &number);
	}
	serve_stop(serve);
	work_close(work);
	return code;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct hr_err err;
	sigset_t ends;

	if (options_parse(&options, argc, argv, &err) < 0)
		return fail(EXIT_USAGE, &err);
	if (options.help) {
		options_print();
		return EXIT_SUCCESS;
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	return run(&options, &ends, &err) < 0 ? fail(EXIT_FAILURE, &err) : EXIT_SUCCESS;
}
