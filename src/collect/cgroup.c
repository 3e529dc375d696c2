/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/files.h"

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* True if a comma-separated list holds the word. */
static bool lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	while (list) {
		if (!strncmp(list, word, length) && (list[length] == ',' || !list[length]))
			return true;
		list = strchr(list, ',');
		if (list)
			list++;
	}
	return false;
}

int hr_cgroup_parse_mount(const char *line, const char *controller, struct hr_cgroup_mount *ret)
{
	const char *rest = strstr(line, " - ");
	char type[32], options[1024] = "";
	int version;

	if (!rest || sscanf(rest, " - %31s %*s %1023s", type, options) < 1)
		return 0;
	if (!strcmp(type, "cgroup2"))
		version = 2;
	else if (!strcmp(type, "cgroup") && lists(options, controller))
		version = 1;
	else
		return 0;
	_Static_assert(PATH_MAX == 4096, "the widths below are PATH_MAX - 1");
	if (sscanf(line, "%*d %*d %*s %4095s %4095s", ret->shows, ret->at) != 2)
		return 0;
	unescape(ret->shows);
	unescape(ret->at);
	ret->mounted = true;
	return version;
}

int hr_cgroup_mounts(const char *root, const char *controller, struct hr_cgroup_mounts *ret, struct hr_err *err)
{
	char path[PATH_MAX], *line = NULL;
	struct hr_cgroup_mount found;
	size_t room = 0;
	FILE *table;
	int rc;

	memset(ret, 0, sizeof(*ret));
	ret->controller = controller;
	rc = hr_path(path, "%s/proc/self/mountinfo", root);
	table = rc ? NULL : fopen(path, "re");
	if (!table)
		return hr_err_errno(err, rc ? rc : -errno, "cannot read '%s'", path);
	while (getline(&line, &room, table) > 0) {
		int version = hr_cgroup_parse_mount(line, controller, &found);
		struct hr_cgroup_mount *mount = version == 1 ? &ret->v1 : &ret->v2;

		/* the first one of each: later ones show parts of it elsewhere */
		if (!version || mount->mounted || hr_path(mount->at, "%s%s", root, found.at))
			continue;
		memcpy(mount->shows, found.shows, sizeof(mount->shows));
		mount->mounted = true;
	}
	free(line);
	fclose(table);
	return 0;
}

static bool is_cgroup(const char *dir)
{
	char path[PATH_MAX];

	return !hr_path(path, "%s/cgroup.procs", dir) && !access(path, F_OK);
}

int hr_cgroup_find(const char *root, const char *path, char ret_dir[PATH_MAX], struct hr_err *err)
{
	struct hr_cgroup_mounts mounts;
	const struct hr_cgroup_mount *candidates[] = { &mounts.v1, &mounts.v2 };
	char directory[PATH_MAX] = "";
	struct stat info;
	int rc;

	rc = hr_cgroup_mounts(root, "cpu", &mounts, err);
	if (rc)
		return rc;
	if (!hr_path(ret_dir, "%s%s", root, path) && path[0] == '/') {
		if (is_cgroup(ret_dir))
			return 0;
		if (!stat(ret_dir, &info) && S_ISDIR(info.st_mode))
			memcpy(directory, ret_dir, sizeof(directory));
	}
	for (int i = 0; i < 2; i++)
		if (candidates[i]->mounted && !hr_path(ret_dir, "%s/%s", candidates[i]->at, path + (path[0] == '/')) &&
		    is_cgroup(ret_dir))
			return 0;
	ret_dir[0] = '\0';
	if (directory[0])
		return hr_err_set(err, -EINVAL, "'%s' is a directory but not a cgroup: it has no cgroup.procs", path);
	if (!mounts.v1.mounted && !mounts.v2.mounted)
		return hr_err_set(err, -ENOENT, "no cgroup file system with the CPU controller is mounted");
	return hr_err_set(err, -ENOENT, "no such cgroup: neither '%s' nor that path below '%s' is there", path,
			  mounts.v1.mounted ? mounts.v1.at : mounts.v2.at);
}

static int read_pids(const char *dir, struct hr_pids *pids)
{
	char path[PATH_MAX];
	FILE *list;
	pid_t pid;
	int rc;

	rc = hr_path(path, "%s/cgroup.procs", dir);
	if (rc)
		return rc;
	list = fopen(path, "re");
	if (!list)
		return -errno;
	errno = 0;
	while (!rc && fscanf(list, "%d", &pid) == 1)
		if (pid > 0) /* 0: of another pid namespace */
			rc = hr_pids_add(pids, pid);
	if (!rc && ferror(list))
		rc = errno ? -errno : -EIO;
	fclose(list);
	return rc;
}

static int read_tree(const char *dir, struct hr_pids *pids, bool top)
{
	char below[PATH_MAX];
	struct dirent *entry;
	DIR *children;
	int rc;

	rc = read_pids(dir, pids);
	/*
	 * Below the top one may vanish. A threaded cgroup does not list processes: -EOPNOTSUPP; the domain above it
	 * lists them all.
	 */
	if (rc == -ENOMEM || (rc && top))
		return rc;
	children = opendir(dir);
	if (!children)
		return 0;
	rc = 0;
	while (rc != -ENOMEM && (entry = readdir(children)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && !hr_path(below, "%s/%s", dir, entry->d_name))
			rc = read_tree(below, pids, false);
	closedir(children);
	return rc == -ENOMEM ? rc : 0;
}

int hr_cgroup_processes(const char *dir, struct hr_pids *pids, struct hr_err *err)
{
	int rc = read_tree(dir, pids, true);

	if (rc == -EOPNOTSUPP)
		return hr_err_set(err, rc, "cgroup '%s' is threaded and holds no whole process: name the one above",
				  dir);
	if (rc)
		return hr_err_errno(err, rc, "cannot read the processes of cgroup '%s'", dir);
	return 0;
}

/*
 * The directory that shows a cgroup, in which `path` is counted from the tree's root. False: this mount does not show
 * it.
 */
static bool directory_of(const struct hr_cgroup_mount *mount, const char *path, char ret_dir[PATH_MAX])
{
	size_t length = strlen(mount->shows);

	if (!mount->mounted)
		return false;
	if (!strcmp(mount->shows, "/"))
		length = 0;
	if (strncmp(path, mount->shows, length) || (path[length] && path[length] != '/'))
		return false;
	path += length;
	return !hr_path(ret_dir, "%s%s", mount->at, !strcmp(path, "/") ? "" : path);
}

int hr_cgroup_of(const char *root, const struct hr_cgroup_mounts *mounts, pid_t pid, char ret_v1[PATH_MAX],
		 char ret_v2[PATH_MAX])
{
	char text[8192], *rest = text, *line;

	ret_v1[0] = ret_v2[0] = '\0';
	if (hr_file_readf(text, sizeof(text), "%s/proc/%d/cgroup", root, pid) < 0)
		return -ESRCH;
	while ((line = strsep(&rest, "\n"))) {
		/* id:controllers:path, "0::path" for v2 */
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		controllers++;
		if (!*controllers && !directory_of(&mounts->v2, path, ret_v2))
			ret_v2[0] = '\0';
		else if (lists(controllers, mounts->controller) && !directory_of(&mounts->v1, path, ret_v1))
			ret_v1[0] = '\0';
	}
	return 0;
}
