/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_TEXTFILE_H
#define HR_CLI_TEXTFILE_H

#include "base/err.h"
#include "cli/metrics.h"

/*
 * A file of metrics for the textfile collector of Prometheus' node_exporter. Each version of it appears at once: it is written
 * beside the file as ".NAME.tmp" (which the collector does not read) and moved there, in a folder that is held open, without
 * following a symbolic link at either name. The file belongs to the user who called sudo (base/caller.h), is readable for everybody,
 * and stays when the recording ends.
 */
struct hr_textfile;

/*
 * Begin; the target's text is copied. -EINVAL: the name does not end in .prom; -EEXIST: what stands there is no regular file or was
 * not written by headroom; -ENOENT, -EACCES, ...: the folder. 0 and *ret_textfile, free with hr_textfile_close().
 */
int hr_textfile_open(const char *path, const char *target, struct hr_textfile **ret_textfile, struct hr_err *err);

/* The run begins now; it may be said again. */
void hr_textfile_start(struct hr_textfile *textfile);

/* Write it anew; recording: it goes on. On failure the last version stays, and the next may succeed. */
int hr_textfile_write(struct hr_textfile *textfile, const struct hr_live *live, bool recording, struct hr_err *err);

/* Takes NULL. */
void hr_textfile_close(struct hr_textfile *textfile);

#endif
