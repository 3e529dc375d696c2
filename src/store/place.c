/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/tables.h"

static const char *const side_suffixes[] = { "-wal", "-shm", "-journal" };
#define SIDES (sizeof(side_suffixes) / sizeof(side_suffixes[0]))
#define SUFFIX_BYTES_MAX 8

static void side_name(const struct hr_place *place, size_t side, char buf[NAME_MAX + 1])
{
	snprintf(buf, NAME_MAX + 1, "%s%s", place->name, side_suffixes[side]);
}

static void remove_sides(const struct hr_place *place)
{
	char name[NAME_MAX + 1];

	for (size_t i = 0; i < SIDES; i++) {
		side_name(place, i, name);
		unlinkat(place->folder_fd, name, 0);
	}
}

/* Open the folder of the path and write down what the path is without symbolic links. */
static int open_folder(struct hr_place *place, struct hr_err *err)
{
	const char *slash = strrchr(place->path, '/');
	const char *name = slash ? slash + 1 : place->path;
	char folder[PATH_MAX], link[32];
	ssize_t length;

	if (!*name)
		return hr_err_set(err, -EISDIR, "'%s' names a directory; name a file in it", place->path);
	if (strlen(name) + SUFFIX_BYTES_MAX > NAME_MAX || strlen(place->path) >= PATH_MAX)
		return hr_err_set(err, -ENAMETOOLONG, "the file name '%.64s...' is too long", name);
	if (slash == place->path)
		strcpy(folder, "/");
	else
		snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - place->path) : 1,
			 slash ? place->path : ".");
	place->folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->folder_fd < 0)
		return hr_err_errno(err, -errno, "cannot open directory '%s'", folder);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", place->folder_fd);
	length = readlink(link, folder, sizeof(folder) - 1);
	if (length < 0)
		return hr_err_errno(err, -errno, "cannot read '%s'", link);
	folder[length] = '\0';
	if (asprintf(&place->real_path, "%s/%s", strcmp(folder, "/") ? folder : "", name) < 0) {
		place->real_path = NULL;
		return hr_err_errno(err, -ENOMEM, "cannot create '%s'", place->path);
	}
	place->name = strrchr(place->real_path, '/') + 1;
	return 0;
}

bool hr_place_holds_run(int fd)
{
	static const char magic[16] = "SQLite format 3";
	unsigned char header[100];
	uint32_t id;

	if (pread(fd, header, sizeof(header), 0) != sizeof(header) || memcmp(header, magic, sizeof(magic)))
		return false;
	id = (uint32_t)header[68] << 24 | (uint32_t)header[69] << 16 | (uint32_t)header[70] << 8 | header[71];
	return id == HR_APPLICATION_ID;
}

/* Process that has the file open with SQLite, 0: none that can be seen. */
static pid_t user_of(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

/* Remove the run that stands there, unless it is none or in use. */
static int remove_run(const struct hr_place *place, struct hr_err *err)
{
	int fd = openat(place->folder_fd, place->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	pid_t user;
	bool run;

	if (fd < 0)
		return hr_err_errno(err, -errno, "cannot replace '%s'", place->path);
	run = hr_place_holds_run(fd);
	user = user_of(fd);
	close(fd);
	if (!run)
		return hr_err_set(err, -EEXIST, "'%s' exists and is not a run of headroom; choose another name",
				  place->path);
	if (user)
		return hr_err_set(err, -EBUSY, "'%s' is in use by process %d; choose another name", place->path,
				  (int)user);
	if (unlinkat(place->folder_fd, place->name, 0))
		return hr_err_errno(err, -errno, "cannot replace '%s'", place->path);
	remove_sides(place);
	return 0;
}

/* What to do about a name that is taken. 0: it is free now. */
static int make_free(const struct hr_place *place, bool replace, struct hr_err *err)
{
	struct stat found;

	if (fstatat(place->folder_fd, place->name, &found, AT_SYMLINK_NOFOLLOW))
		return hr_err_errno(err, -errno, "cannot create '%s'", place->path);
	if (S_ISLNK(found.st_mode))
		return hr_err_set(err, -ELOOP, "'%s' is a symbolic link, which is not followed; name the file itself",
				  place->path);
	if (S_ISDIR(found.st_mode))
		return hr_err_set(err, -EISDIR, "'%s' is a directory; name a file in it", place->path);
	if (!S_ISREG(found.st_mode))
		return hr_err_set(err, -EEXIST, "'%s' is not a regular file; choose another name", place->path);
	if (!replace)
		return hr_err_set(err, -EEXIST, "'%s' exists; choose another name or give --force", place->path);
	return remove_run(place, err);
}

/* A side file without its run would be taken for the new run's. */
static int check_sides(const struct hr_place *place, struct hr_err *err)
{
	struct stat found;
	char name[NAME_MAX + 1];

	for (size_t i = 0; i < SIDES; i++) {
		side_name(place, i, name);
		if (!fstatat(place->folder_fd, name, &found, AT_SYMLINK_NOFOLLOW))
			return hr_err_set(err, -EEXIST,
					  "'%s%s' is left of another file; remove it or choose another name",
					  place->path, side_suffixes[i]);
	}
	return 0;
}

static int create_file(struct hr_place *place, bool replace, struct hr_err *err)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int result;

	place->file_fd = openat(place->folder_fd, place->name, flags, 0644);
	if (place->file_fd < 0 && errno == EEXIST) {
		result = make_free(place, replace, err);
		if (result)
			return result;
		place->file_fd = openat(place->folder_fd, place->name, flags, 0644);
	}
	if (place->file_fd < 0)
		return hr_err_errno(err, -errno, "cannot create '%s'", place->path);
	return 0;
}

int hr_place_create(const char *path, bool replace, uid_t owner, gid_t group, struct hr_place *ret_place,
		    struct hr_err *err)
{
	struct hr_place place = { .folder_fd = -1, .file_fd = -1 };
	int result;

	place.path = strdup(path);
	if (!place.path)
		return hr_err_errno(err, -ENOMEM, "cannot create '%s'", path);
	result = open_folder(&place, err);
	if (result)
		goto out;
	result = create_file(&place, replace, err);
	if (result)
		goto out;
	result = check_sides(&place, err);
	if (!result && fchown(place.file_fd, owner, group))
		result = hr_err_errno(err, -errno, "cannot give '%s' to user %u", path, (unsigned int)owner);
	if (result)
		unlinkat(place.folder_fd, place.name, 0);
out:
	if (result)
		hr_place_fini(&place);
	else
		*ret_place = place;
	return result;
}

void hr_place_remove(const struct hr_place *place)
{
	struct stat ours, found;

	if (fstat(place->file_fd, &ours) || fstatat(place->folder_fd, place->name, &found, AT_SYMLINK_NOFOLLOW))
		return;
	if (ours.st_dev != found.st_dev || ours.st_ino != found.st_ino)
		return;
	unlinkat(place->folder_fd, place->name, 0);
	remove_sides(place);
}

void hr_place_fini(struct hr_place *place)
{
	if (place->path && place->file_fd >= 0)
		close(place->file_fd);
	if (place->path && place->folder_fd >= 0)
		close(place->folder_fd);
	free(place->real_path);
	free(place->path);
	*place = (struct hr_place){ .folder_fd = -1, .file_fd = -1 };
}
