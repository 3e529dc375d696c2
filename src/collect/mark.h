/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_MARK_H
#define HR_COLLECT_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What is said of the load while it runs, "level=8 unit=rps warmup=2s": a script says it by --control, sweep does so itself.
 *
 *	level=8		a level of the load begins, and the one before it ends
 *	level=		the level ends
 *	warmup=2s	what the level had so far, and the 2 s that follow, do not count; a bare "0" or "0s": what it had so far
 *	KEY=VALUE	anything else is kept with the level. unit=rps: its label is a request rate, and not a number of clients
 */

#define HR_LABEL_BYTES 64
#define HR_NOTES_BYTES 512

struct hr_mark {
	bool has_level;
	bool has_warmup;
	char label[HR_LABEL_BYTES]; /* "": the level ends */
	char notes[HR_NOTES_BYTES]; /* "": none */
	uint64_t warmup_ns;	    /* from the mark on */
	const char *command;	    /* that makes the load, in valid UTF-8; NULL: not known */
	bool follows_load;	    /* the command takes time to begin and to end: see hr_levels_interval() */
};

/* Read a mark. 0; -EINVAL: not one, err says why; -E2BIG: too long to be kept. *ret is written on success only. */
int hr_mark_parse(const char *text, struct hr_mark *ret, struct hr_err *err);

/* A label as a number: 8, 0.5, 1e3; NAN: it is none. */
double hr_mark_number(const char *label);

#endif
