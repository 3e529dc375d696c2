/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

enum kind { FLAG, NUMBER, DURATION, TEXT };

/* One option: where its value goes, and between which bounds. */
struct row {
	const char *name;
	const char *value; /* what the help calls it; NULL for a flag */
	enum kind kind;
	size_t offset;
	int64_t low, high;
	const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct row rows[] = {
	{ "port", "PORT", NUMBER, FIELD(port), 0, 65535, "listen on 127.0.0.1:PORT; 0 takes any free one (8080)" },
	{ "threads", "N", NUMBER, FIELD(threads), 1, 1024, "worker threads (4)" },
	{ "hidden", "N", NUMBER, FIELD(hidden), 1, 8192, "width of the hidden layers: a request's cost (600)" },
	{ "seed", "N", NUMBER, FIELD(seed), 0, INT64_MAX, "seed of the weights (1)" },
	{ "backlog", "N", NUMBER, FIELD(backlog), 1, 65535, "connections that may wait for accept (1024)" },
	{ "team", "N", NUMBER, FIELD(team), 1, 64, "fault: N threads share each forward pass, and spin for each other" },
	{ "rate", "N", NUMBER, FIELD(rate), 1, 1000000, "fault: let N requests through a second" },
	{ "remap", "MIB", NUMBER, FIELD(remap_mib), 1, 4096, "fault: change the protection of MIB of memory in each request" },
	{ "weights", "PATH", TEXT, FIELD(weights_path), 0, 0, "fault: look up pages of the file PATH in each request" },
	{ "lookups", "N", NUMBER, FIELD(lookups), 1, 4096, "how many pages of it (16)" },
	{ "accept-every", "DURATION", DURATION, FIELD(accept_every_ns), 0, 0, "fault: look at the listener only so often" },
	{ "warm-up", "DURATION", DURATION, FIELD(warm_up_ns), 0, 0, "fault: be slow for so long after the first request" },
	{ "token", NULL, FLAG, FIELD(token), 0, 0, "fault: one token in a pipe for the forward pass" },
	{ "lock", NULL, FLAG, FIELD(lock), 0, 0, "fault: one mutex around the forward pass" },
	{ "hold", "DURATION", DURATION, FIELD(hold_ns), 0, 0, "fault: sleep while holding the mutex or the token" },
	{ "spin", NULL, FLAG, FIELD(spin), 0, 0, "fault: one spin lock around the forward pass" },
	{ "sleep", "DURATION", DURATION, FIELD(sleep_ns), 0, 0, "fault: sleep in each request, as in 5ms" },
	{ "fsync", "PATH", TEXT, FIELD(fsync_path), 0, 0, "fault: append a line to PATH and fsync it in each request" },
	{ "line", "BYTES", NUMBER, FIELD(line_bytes), 1, 1 << 20, "length of that line (10)" },
	{ "backend", "PORT", NUMBER, FIELD(backend_port), 1, 65535, "fault: each request asks the instance on PORT" },
	{ "pool", "N", NUMBER, FIELD(pool), 1, 1024, "connections to the backend (one for each worker)" },
	{ "help", NULL, FLAG, FIELD(help), 0, 0, "print this" },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static int row_set(const struct row *row, const char *value, struct options *options, struct hr_err *err)
{
	void *field = (char *)options + row->offset;
	struct hr_err why;
	int code = 0;

	switch (row->kind) {
	case FLAG: *(bool *)field = true; break;
	case TEXT: *(const char **)field = value; break;
	case NUMBER: code = hr_parse_int(value, row->low, row->high, field, &why); break;
	case DURATION: code = hr_parse_duration_ns(value, field, &why); break;
	}
	return code < 0 ? hr_err_set(err, -EINVAL, "--%s: %s", row->name, why.text) : 0;
}

static int check(const struct options *options, struct hr_err *err)
{
	if (options->lock && options->spin)
		return hr_err_set(err, -EINVAL, "--lock and --spin are two kinds of the same lock: give one");
	if (options->hold_ns && !options->lock && !options->token)
		return hr_err_set(err, -EINVAL, "--hold needs --lock or --token");
	if (options->lookups && !options->weights_path)
		return hr_err_set(err, -EINVAL, "--lookups needs --weights PATH");
	if (options->pool && !options->backend_port)
		return hr_err_set(err, -EINVAL, "--pool needs --backend PORT");
	return 0;
}

int options_parse(struct options *ret, int argc, char *argv[], struct hr_err *err)
{
	struct options options = { .port = 8080, .threads = 4, .hidden = 600, .seed = 1, .backlog = 1024, .team = 1, .line_bytes = 10 };
	struct option longs[ROWS + 1] = { 0 };
	int index, letter, code;

	for (int i = 0; i < ROWS; i++)
		longs[i] = (struct option){ rows[i].name, rows[i].value ? required_argument : no_argument, NULL, 0 };
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", longs, &index)) != -1) {
		if (letter == ':')
			return hr_err_set(err, -EINVAL, "%s needs a value; see --help", argv[optind - 1]);
		if (letter == '?' && optopt)
			return hr_err_set(err, -EINVAL, "unknown option '-%c'; see --help", optopt);
		if (letter == '?')
			return hr_err_set(err, -EINVAL, "unknown option '%s'; see --help", argv[optind - 1]);
		code = row_set(&rows[index], optarg, &options, err);
		if (code < 0)
			return code;
	}
	if (optind < argc)
		return hr_err_set(err, -EINVAL, "unexpected argument '%s'; see --help", argv[optind]);
	code = check(&options, err);
	if (code < 0)
		return code;
	if (options.backend_port && !options.pool)
		options.pool = options.threads;
	if (options.weights_path && !options.lookups)
		options.lookups = 16;
	*ret = options;
	return 0;
}

void options_print(void)
{
	char left[32];

	puts("usage: server [OPTION]...\n"
	     "A small inference server: GET /infer?seed=N, POST /infer with 784 bytes, GET /health.\n");
	for (int i = 0; i < ROWS; i++) {
		snprintf(left, sizeof(left), "--%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
		printf("  %-24s %s\n", left, rows[i].help);
	}
}
