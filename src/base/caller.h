/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_CALLER_H
#define HR_BASE_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whose the things are that headroom makes, and as whom the command runs that it starts: the user who called sudo, by SUDO_UID and
 * SUDO_GID (without the latter, the user's own group). Otherwise who runs headroom.
 *
 * True: somebody called sudo, and is not root. Numbers that are none are taken for nobody's.
 */
bool hr_caller(uid_t *ret_uid, gid_t *ret_gid);

#endif
