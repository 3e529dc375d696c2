/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/caller.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* An id from the environment. (uid_t)-1 means "leave it" to the kernel, and is none. */
static bool id_from(const char *variable, uint32_t *ret_id)
{
	const char *text = getenv(variable);
	unsigned long id;
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return false;
	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || *end || id >= UINT32_MAX)
		return false;
	*ret_id = id;
	return true;
}

bool hr_caller(uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *user;
	uint32_t uid, gid;

	*ret_uid = geteuid();
	*ret_gid = getegid();
	if (*ret_uid != 0 || !id_from("SUDO_UID", &uid) || uid == 0)
		return false;
	if (!id_from("SUDO_GID", &gid)) {
		user = getpwuid(uid);
		gid = user ? user->pw_gid : uid;
	}
	*ret_uid = uid;
	*ret_gid = gid;
	return true;
}
