/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_FAKE_SYSTEM_H
#define HR_TESTS_UNIT_FAKE_SYSTEM_H

/* A small tree of /proc and /sys in a temporary directory, for the modules that take a `root`. */

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fake_root[64];

static inline void fake_open(void)
{
	strcpy(fake_root, "/tmp/headroom-test-XXXXXX");
	if (!mkdtemp(fake_root)) {
		perror("mkdtemp");
		abort();
	}
}

static inline int fake_remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline void fake_close(void)
{
	nftw(fake_root, fake_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path below the root, with all directories above it made. */
static inline void fake_path(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s%s", fake_root, name);
	for (char *slash = path + strlen(fake_root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			abort();
		*slash = '/';
	}
}

static inline void fake_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	fake_path(path, name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

static inline void fake_link(const char *name, const char *target)
{
	char path[PATH_MAX];

	fake_path(path, name);
	unlink(path);
	if (symlink(target, path))
		abort();
}

#define FAKE_KERNEL_THREAD 0x00200000u

/* A process: its stat, cmdline, exe and network namespace. flags as in the field of that name of its stat. */
static inline void fake_process_of(int pid, int parent, const char *name, const char *exe, char state,
				   unsigned int flags)
{
	char path[128], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	snprintf(text, sizeof(text), "%d (%s) %c %d 1 1 0 -1 %u 0 0 0 0 1 1 0 0 20 0 1 0 %d 0 0\n", pid, name, state,
		 parent, flags, 1000 + pid);
	fake_file(path, text);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fake_link(path, "net:[1]");
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fake_link(path, exe);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	fake_link(path, "/dev/null");
}

static inline void fake_process(int pid, int parent, const char *name)
{
	char exe[64];

	snprintf(exe, sizeof(exe), "/usr/bin/%s", name);
	fake_process_of(pid, parent, name, exe, 'S', 0x400000);
}

/* It has the socket open as that fd. */
static inline void fake_socket(int pid, int fd, unsigned int inode)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	snprintf(text, sizeof(text), "socket:[%u]", inode);
	fake_link(path, text);
}

#endif
