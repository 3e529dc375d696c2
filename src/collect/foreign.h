/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_FOREIGN_H
#define HR_COLLECT_FOREIGN_H

#include <sys/stat.h>
#include <sys/types.h>

/* Opening files whose paths belong to others: only for reading, and only regular files, for to open a device or a pipe does something. */

/* What a descriptor of a path (O_PATH) stands for, which is closed. -errno; a negative path_fd is returned as it is. */
int hr_foreign_open(int path_fd, struct stat *ret);

/* Below a folder: symbolic links there lead to nowhere outside. -errno. */
int hr_foreign_open_below(int root_fd, const char *path, struct stat *ret);

/* The root folder of a process, as a descriptor of its path. -errno. root: put in front of /proc. */
int hr_foreign_root(const char *root, pid_t pid);

#endif
