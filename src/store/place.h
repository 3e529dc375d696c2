/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_PLACE_H
#define HR_STORE_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Where a run file is put. Root creates it in folders of other people, so it is made with O_EXCL in a folder that is
 * held open, and no symbolic link is followed at its name.
 */
struct hr_place {
	char *path;	  /* as asked for: what sentences name */
	char *real_path;  /* absolute, without symbolic links: what SQLite opens */
	const char *name; /* the last part of real_path */
	int folder_fd;
	int file_fd;	  /* the new file; its close drops the process's locks, so SQLite's connection goes first */
};

/*
 * Create an empty file there, for owner and group ((uid_t)-1: leave it). With `replace`, a run of headroom that stands
 * there is removed first, with its side files; it is gone even if what follows fails.
 *
 * 0; -EEXIST, -ELOOP, -EISDIR, -EBUSY, -EACCES, -ENOENT, -ENOSPC, ... with err set and nothing left behind.
 */
int hr_place_create(const char *path, bool replace, uid_t owner, gid_t group, struct hr_place *ret_place,
		    struct hr_err *err);

/* Does SQLite's file header say that this is a run of headroom? Moves no file offset. */
bool hr_place_holds_run(int fd);

/* Remove the file that was created, if it still is the one at that name, and SQLite's side files. */
void hr_place_remove(const struct hr_place *place);

/* Close and free. Takes one that is all zero. */
void hr_place_fini(struct hr_place *place);

#endif
