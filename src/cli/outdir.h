/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_OUTDIR_H
#define HR_CLI_OUTDIR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/interrupt.h"

/*
 * A folder of files that appears at once or not at all: it is filled beside its place under a hidden name, and moved there when
 * it is complete. No symbolic link is followed below the root. What would end the program meanwhile waits (interrupt.h).
 */
struct hr_outdir {
	char *path;	 /* root/parent/name, for sentences */
	char *parent, *name;
	char *temporary; /* its name until it is complete */
	char *root;	 /* if it was made for this; else NULL */
	int root_fd, parent_fd, fd;
	bool replace;
	struct hr_interrupt interrupt; /* held from the first folder that is made until nothing is left half-done */
};

/*
 * Begin the folder root/parent/name; root and parent are made if need be. -EEXIST: it is there, and `replace` is false, or it holds files
 * other than those of an export: such a folder is never replaced. -EACCES, -ENOTDIR, ... likewise with err
 * set. On failure there is nothing to discard.
 */
int hr_outdir_open(const char *root, const char *parent, const char *name, bool replace, struct hr_outdir *ret_outdir,
		   struct hr_err *err);

/* A new file in it, which the caller closes with hr_outdir_close(); NULL with err set. */
FILE *hr_outdir_create(const struct hr_outdir *outdir, const char *file, struct hr_err *err);

/* Close a file of it, for good: 0 and its length, or -ENOSPC, -EIO, ... */
int hr_outdir_close(const struct hr_outdir *outdir, FILE *stream, const char *file, uint64_t *ret_bytes, struct hr_err *err);

/* Bring it to its place, in that of one that is to be replaced. On failure nothing is left of it. Either way it is closed. */
int hr_outdir_commit(struct hr_outdir *outdir, struct hr_err *err);

/* Drop it. Takes one that is all zero, committed or not opened. */
void hr_outdir_discard(struct hr_outdir *outdir);

#endif
