/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_FILES_H
#define HR_COLLECT_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reading the small files of /proc and /sys. Functions of this folder that look there take a `root` to put in front of
 * the paths: "" for the running system, a directory for a test's own tree.
 */

/* Write a path. 0; -ENAMETOOLONG, and an empty path. */
int hr_path(char path[PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Read a file of at most size - 1 bytes, the rest is cut off, and end it with a NUL. Its length, or -errno. */
ssize_t hr_file_read(const char *path, char *buf, size_t size);

/* The same, of a path that is written on the way. */
ssize_t hr_file_readf(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What a symbolic link holds, ended by NUL. Its length, or -errno. */
ssize_t hr_link_readf(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The value of a line "name value" in the text of a file. False: there is no such line. */
bool hr_file_value(const char *text, const char *name, uint64_t *ret);

#endif
