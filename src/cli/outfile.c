/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/place.h"

static bool is_run(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool run = fd >= 0 && hr_place_holds_run(fd);

	if (fd >= 0)
		close(fd);
	return run;
}

static int check_place(const char *path, bool replace, struct hr_err *err)
{
	struct stat there;

	if (!*path)
		return hr_err_set(err, -EINVAL, "the output path is empty");
	if (lstat(path, &there))
		return errno == ENOENT ? 0 : hr_err_errno(err, -errno, "cannot write '%s'", path);
	if (!S_ISREG(there.st_mode))
		return hr_err_set(err, -EEXIST, "'%s' is there and not a regular file; choose another name", path);
	if (is_run(path))
		return hr_err_set(err, -EEXIST, "'%s' is a run of headroom, which is never replaced by what is made of one; choose another name",
				  path);
	if (!replace)
		return hr_err_set(err, -EEXIST, "'%s' exists; --force replaces it", path);
	return 0;
}

/* mkstemp() makes it private; give it the mode that open() would have. */
static void set_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

int hr_outfile_open(const char *path, bool replace, struct hr_outfile *ret_outfile, struct hr_err *err)
{
	struct hr_outfile outfile = { .replace = replace };
	int result, fd;

	result = check_place(path, replace, err);
	if (result)
		return result;
	outfile.path = strdup(path);
	if (!outfile.path || asprintf(&outfile.temporary, "%s.XXXXXX", path) < 0) {
		free(outfile.path);
		return hr_err_set(err, -ENOMEM, "out of memory");
	}
	hr_interrupt_hold(&outfile.interrupt);
	fd = mkostemp(outfile.temporary, O_CLOEXEC);
	if (fd < 0) {
		result = hr_err_errno(err, -errno, "cannot write '%s'", path);
		goto out;
	}
	set_mode(fd);
	outfile.stream = fdopen(fd, "w");
	if (!outfile.stream) {
		result = hr_err_errno(err, -errno, "cannot write '%s'", path);
		close(fd);
		unlink(outfile.temporary);
	}
out:
	if (result) {
		hr_interrupt_release(&outfile.interrupt);
		free(outfile.path);
		free(outfile.temporary);
		return result;
	}
	*ret_outfile = outfile;
	return 0;
}

/* link() fails where something is; rename() replaces it. */
static int move(const struct hr_outfile *outfile)
{
	if (outfile->replace)
		return rename(outfile->temporary, outfile->path) ? -errno : 0;
	if (renameat2(AT_FDCWD, outfile->temporary, AT_FDCWD, outfile->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS) /* file systems without it */
		return -errno;
	if (link(outfile->temporary, outfile->path))
		return -errno;
	unlink(outfile->temporary);
	return 0;
}

int hr_outfile_commit(struct hr_outfile *outfile, struct hr_err *err)
{
	int result = 0;

	errno = 0;
	if (fflush(outfile->stream) || ferror(outfile->stream) || fsync(fileno(outfile->stream)))
		result = errno ? -errno : -EIO;
	if (fclose(outfile->stream) && !result)
		result = -errno;
	outfile->stream = NULL;
	if (!result)
		result = move(outfile);
	if (result)
		hr_err_errno(err, result, "cannot write '%s'", outfile->path);
	else
		outfile->temporary[0] = '\0';
	hr_outfile_discard(outfile);
	return result;
}

void hr_outfile_discard(struct hr_outfile *outfile)
{
	if (outfile->stream)
		fclose(outfile->stream);
	if (outfile->temporary && outfile->temporary[0])
		unlink(outfile->temporary);
	hr_interrupt_release(&outfile->interrupt);
	free(outfile->temporary);
	free(outfile->path);
	*outfile = (struct hr_outfile){ 0 };
}
