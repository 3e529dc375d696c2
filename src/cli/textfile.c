/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/clock.h"

#define SUFFIX ".prom"

/* What each file of ours begins with. */
static const char first_words[] = "# HELP headroom_";

struct hr_textfile {
	char *path, *target;
	const char *name; /* within path */
	char temporary[NAME_MAX + 1];
	int folder_fd;
	uint64_t started_ns, started_unix_ns;
};

static int open_folder(struct hr_textfile *textfile, struct hr_err *err)
{
	const char *slash = strrchr(textfile->path, '/');
	char folder[PATH_MAX];
	int length;

	textfile->name = slash ? slash + 1 : textfile->path;
	if (strlen(textfile->name) <= strlen(SUFFIX) ||
	    strcmp(textfile->name + strlen(textfile->name) - strlen(SUFFIX), SUFFIX))
		return hr_err_set(err, -EINVAL, "--textfile: '%s' does not end in " SUFFIX ", without which nobody reads it",
				  textfile->path);
	length = snprintf(textfile->temporary, sizeof(textfile->temporary), ".%s.tmp", textfile->name);
	if (length >= (int)sizeof(textfile->temporary) || strlen(textfile->path) >= sizeof(folder))
		return hr_err_set(err, -ENAMETOOLONG, "--textfile: the name is too long");
	snprintf(folder, sizeof(folder), "%.*s", !slash ? 1 : slash == textfile->path ? 1 : (int)(slash - textfile->path),
		 slash ? textfile->path : ".");
	textfile->folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (textfile->folder_fd < 0)
		return hr_err_errno(err, -errno, "--textfile: cannot open directory '%s'", folder);
	return 0;
}

/* A slip of the finger must not cost a file that means something to somebody. */
static int check_place(const struct hr_textfile *textfile, struct hr_err *err)
{
	char begins[sizeof(first_words)] = "";
	struct stat there;
	ssize_t bytes;
	int fd;

	if (fstatat(textfile->folder_fd, textfile->name, &there, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : hr_err_errno(err, -errno, "cannot write '%s'", textfile->path);
	if (!S_ISREG(there.st_mode))
		return hr_err_set(err, -EEXIST, "'%s' is there and not a regular file; choose another name", textfile->path);
	fd = openat(textfile->folder_fd, textfile->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return hr_err_errno(err, -errno, "cannot read '%s'", textfile->path);
	bytes = read(fd, begins, sizeof(begins) - 1);
	close(fd);
	if (bytes > 0 && strcmp(begins, first_words))
		return hr_err_set(err, -EEXIST, "'%s' exists and was not written by headroom; choose another name", textfile->path);
	return 0;
}

int hr_textfile_open(const char *path, const char *target, struct hr_textfile **ret_textfile, struct hr_err *err)
{
	struct hr_textfile *textfile = calloc(1, sizeof(*textfile));
	int result;

	if (!textfile)
		return hr_err_set(err, -ENOMEM, "out of memory");
	textfile->folder_fd = -1;
	textfile->path = strdup(path);
	textfile->target = strdup(target);
	result = textfile->path && textfile->target ? open_folder(textfile, err) : hr_err_set(err, -ENOMEM, "out of memory");
	if (!result)
		result = check_place(textfile, err);
	if (result)
		hr_textfile_close(textfile);
	else
		*ret_textfile = textfile;
	if (!result)
		hr_textfile_start(textfile);
	return result;
}

void hr_textfile_start(struct hr_textfile *textfile)
{
	textfile->started_ns = hr_clock_mono_ns();
	textfile->started_unix_ns = hr_clock_real_ns();
}

/* As the run file: it is of the user who called sudo. And the collector is another one, whatever our umask is. */
static int give(int fd)
{
	uid_t uid;
	gid_t gid;

	return (hr_caller(&uid, &gid) && fchown(fd, uid, gid)) || fchmod(fd, 0644) ? -1 : 0;
}

/* A new file, whatever stood at the name: what a recorder left that was killed, or somebody put there. */
static FILE *create(const struct hr_textfile *textfile)
{
	FILE *stream = NULL;
	int fd;

	unlinkat(textfile->folder_fd, textfile->temporary, 0);
	fd = openat(textfile->folder_fd, textfile->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	if (give(fd) == 0)
		stream = fdopen(fd, "w");
	if (!stream) {
		const int error = errno;

		close(fd);
		unlinkat(textfile->folder_fd, textfile->temporary, 0);
		errno = error;
	}
	return stream;
}

int hr_textfile_write(struct hr_textfile *textfile, const struct hr_live *live, bool recording, struct hr_err *err)
{
	const struct hr_metrics metrics = {
		.target = textfile->target,
		.recording = recording,
		.started_ns = textfile->started_ns,
		.started_unix_ns = textfile->started_unix_ns,
		.live = live,
	};
	FILE *stream = create(textfile);
	bool failed;

	if (!stream)
		return hr_err_errno(err, -errno, "cannot write '%s'", textfile->path);
	hr_metrics_write(&metrics, stream);
	failed = fflush(stream) || ferror(stream);
	failed = fclose(stream) || failed;
	if (!failed && renameat(textfile->folder_fd, textfile->temporary, textfile->folder_fd, textfile->name) == 0)
		return 0;
	hr_err_errno(err, errno ? -errno : -EIO, "cannot write '%s'", textfile->path);
	unlinkat(textfile->folder_fd, textfile->temporary, 0);
	return -EIO;
}

void hr_textfile_close(struct hr_textfile *textfile)
{
	if (!textfile)
		return;
	if (textfile->folder_fd >= 0)
		close(textfile->folder_fd);
	free(textfile->path);
	free(textfile->target);
	free(textfile);
}
