/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_OUTFILE_H
#define HR_CLI_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/interrupt.h"

/*
 * A file that appears at once or not at all: it is written beside its place under another name and moved there when it
 * is complete. No file descriptor or name is left behind by a failure, and what would end the program meanwhile waits (interrupt.h).
 */
struct hr_outfile {
	FILE *stream;
	char *path, *temporary;
	bool replace;
	struct hr_interrupt interrupt;
};

/*
 * Begin. -EEXIST: something is at that path and `replace` is false, or it is a run of headroom or not a regular file, which are never
 * replaced: what is made of a run can be made again, and the run cannot; -ENOENT, -EACCES, ...: the folder. err names the path and the way out.
 */
int hr_outfile_open(const char *path, bool replace, struct hr_outfile *ret_outfile, struct hr_err *err);

/* Bring it to its place. On failure (disk full, the path taken meanwhile) nothing is left. Either way it is closed. */
int hr_outfile_commit(struct hr_outfile *outfile, struct hr_err *err);

/* Drop it. Takes one that is all zero, committed or not opened. */
void hr_outfile_discard(struct hr_outfile *outfile);

#endif
