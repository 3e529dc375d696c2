/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/files.h"

int hr_foreign_open(int path_fd, struct stat *ret)
{
	char path[64];
	int fd = -EINVAL;

	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, ret) == 0 && S_ISREG(ret->st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	close(path_fd);
	return fd;
}

int hr_foreign_open_below(int root_fd, const char *path, struct stat *ret)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int fd = root_fd < 0 ? -1 : (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -ENOENT : hr_foreign_open(fd, ret);
}

int hr_foreign_root(const char *root, pid_t pid)
{
	char path[PATH_MAX];
	int fd = hr_path(path, "%s/proc/%d/root", root, pid);

	if (fd)
		return fd;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
