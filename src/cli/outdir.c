/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an export consists of; nothing else is ever removed. */
static bool is_ours(const char *file)
{
	size_t length = strlen(file);

	return strcmp(file, "manifest.json") == 0 || (length > 4 && strcmp(file + length - 4, ".csv") == 0);
}

/* Calls take() for each file of the folder, "." and ".." left out, until one returns something else than 0. */
static int each_file(int fd, int (*take)(int fd, const char *file))
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *folder = again < 0 ? NULL : fdopendir(again);

	if (!folder) {
		result = -errno;
		if (again >= 0)
			close(again);
		return result;
	}
	for (struct dirent *entry; !result && (entry = readdir(folder));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			result = take(fd, entry->d_name);
	closedir(folder);
	return result;
}

static int refuse_foreign(int fd, const char *file)
{
	struct stat found;

	return is_ours(file) && fstatat(fd, file, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode) ? 0 : -EEXIST;
}

static int remove_file(int fd, const char *file)
{
	if (is_ours(file))
		unlinkat(fd, file, 0);
	return 0;
}

/* A folder with nothing in it but an export. */
static void remove_folder(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	each_file(fd, remove_file);
	close(fd);
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

/* May what is at that name be replaced, if there is anything? */
static int check_place(const struct hr_outdir *outdir, struct hr_err *err)
{
	int fd = openat(outdir->parent_fd, outdir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), result;

	if (fd < 0)
		return errno == ENOENT ? 0 : hr_err_errno(err, -errno, "cannot write '%s'", outdir->path);
	result = outdir->replace ? each_file(fd, refuse_foreign) : -EEXIST;
	close(fd);
	if (result == -EEXIST && outdir->replace)
		return hr_err_set(err, result, "'%s' holds more than an export; remove it or choose another folder", outdir->path);
	if (result == -EEXIST)
		return hr_err_set(err, result, "'%s' exists; --force replaces it", outdir->path);
	return result ? hr_err_errno(err, result, "cannot read '%s'", outdir->path) : 0;
}

/* The folder, made if it is not there; its parent is. at_fd AT_FDCWD: where links are followed, as it is the user's own choice. */
static int make_folder(int at_fd, const char *name, int *ret_fd)
{
	int links = at_fd == AT_FDCWD ? 0 : O_NOFOLLOW;

	if (mkdirat(at_fd, name, 0777) && errno != EEXIST)
		return -errno;
	*ret_fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | links);
	return *ret_fd < 0 ? -errno : 0;
}

static int open_parent(struct hr_outdir *outdir, const char *root, const char *parent, struct hr_err *err)
{
	int result;

	if (!*root)
		return hr_err_set(err, -EINVAL, "the output path is empty");
	if (access(root, F_OK))
		outdir->root = strdup(root);
	result = make_folder(AT_FDCWD, root, &outdir->root_fd);
	if (result)
		return hr_err_errno(err, result, "cannot write into the folder '%s'", root);
	result = make_folder(outdir->root_fd, parent, &outdir->parent_fd);
	return result ? hr_err_errno(err, result, "cannot write into the folder '%s/%s'", root, parent) : 0;
}

/* A folder of a name that nothing has. */
static int open_temporary(struct hr_outdir *outdir, struct hr_err *err)
{
	for (unsigned int i = 0; i < 100; i++) {
		free(outdir->temporary);
		if (asprintf(&outdir->temporary, ".%s.%d.%u", outdir->name, (int)getpid(), i) < 0) {
			outdir->temporary = NULL;
			return hr_err_set(err, -ENOMEM, "out of memory");
		}
		if (mkdirat(outdir->parent_fd, outdir->temporary, 0777) == 0) {
			outdir->fd = openat(outdir->parent_fd, outdir->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			return outdir->fd < 0 ? hr_err_errno(err, -errno, "cannot write '%s'", outdir->path) : 0;
		}
		if (errno != EEXIST)
			break;
	}
	return hr_err_errno(err, -errno, "cannot write '%s'", outdir->path);
}

int hr_outdir_open(const char *root, const char *parent, const char *name, bool replace, struct hr_outdir *ret_outdir,
		   struct hr_err *err)
{
	struct hr_outdir outdir = { .root_fd = -1, .parent_fd = -1, .fd = -1, .replace = replace };
	int result;

	outdir.name = strdup(name);
	outdir.parent = strdup(parent);
	if (asprintf(&outdir.path, "%s/%s/%s", root, parent, name) < 0)
		outdir.path = NULL;
	hr_interrupt_hold(&outdir.interrupt);
	if (outdir.name && outdir.parent && outdir.path)
		result = open_parent(&outdir, root, parent, err);
	else
		result = hr_err_set(err, -ENOMEM, "out of memory");
	if (!result)
		result = check_place(&outdir, err);
	if (!result)
		result = open_temporary(&outdir, err);
	if (result)
		hr_outdir_discard(&outdir);
	else
		*ret_outdir = outdir;
	return result;
}

FILE *hr_outdir_create(const struct hr_outdir *outdir, const char *file, struct hr_err *err)
{
	int fd = openat(outdir->fd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");

	if (!stream) {
		hr_err_errno(err, -errno, "cannot write '%s/%s'", outdir->path, file);
		if (fd >= 0)
			close(fd);
	}
	return stream;
}

int hr_outdir_close(const struct hr_outdir *outdir, FILE *stream, const char *file, uint64_t *ret_bytes, struct hr_err *err)
{
	struct stat written = { 0 };
	int result = 0;

	errno = 0;
	if (fflush(stream) || ferror(stream) || fsync(fileno(stream)) || fstat(fileno(stream), &written))
		result = errno ? -errno : -EIO;
	if (fclose(stream) && !result)
		result = -errno;
	if (result)
		return hr_err_errno(err, result, "cannot write '%s/%s'", outdir->path, file);
	*ret_bytes = (uint64_t)written.st_size;
	return 0;
}

/* In the place of the old one, which is then at the temporary name; where names cannot be exchanged, there is a moment without either. */
static int move(const struct hr_outdir *outdir)
{
	int fd = outdir->parent_fd;

	if (renameat2(fd, outdir->temporary, fd, outdir->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST && !outdir->replace)
		return -EEXIST;
	if (errno == EEXIST && renameat2(fd, outdir->temporary, fd, outdir->name, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS) /* file systems without it */
		return -errno;
	if (outdir->replace)
		remove_folder(fd, outdir->name);
	return renameat(fd, outdir->temporary, fd, outdir->name) ? -errno : 0;
}

int hr_outdir_commit(struct hr_outdir *outdir, struct hr_err *err)
{
	int result = move(outdir);

	if (result)
		hr_err_errno(err, result, "cannot write '%s'", outdir->path);
	else
		fsync(outdir->parent_fd);
	hr_outdir_discard(outdir); /* what is at the temporary name now */
	return result;
}

void hr_outdir_discard(struct hr_outdir *outdir)
{
	if (!outdir->name)
		return;
	if (outdir->fd >= 0) {
		close(outdir->fd);
		remove_folder(outdir->parent_fd, outdir->temporary);
	}
	if (outdir->parent_fd >= 0) {
		close(outdir->parent_fd);
		unlinkat(outdir->root_fd, outdir->parent, AT_REMOVEDIR); /* if nothing is in it */
	}
	if (outdir->root_fd >= 0)
		close(outdir->root_fd);
	if (outdir->root)
		rmdir(outdir->root); /* likewise */
	hr_interrupt_release(&outdir->interrupt);
	free(outdir->root);
	free(outdir->temporary);
	free(outdir->parent);
	free(outdir->name);
	free(outdir->path);
	*outdir = (struct hr_outdir){ .root_fd = -1, .parent_fd = -1, .fd = -1 };
}
