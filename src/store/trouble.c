/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/trouble.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	int rc, code;
} codes[] = {
	{ SQLITE_FULL, ENOSPC },
	{ SQLITE_NOMEM, ENOMEM },
	{ SQLITE_BUSY, EBUSY },
	{ SQLITE_LOCKED, EBUSY },
	{ SQLITE_READONLY, EROFS },
	{ SQLITE_PERM, EACCES },
	{ SQLITE_AUTH, EACCES },
	{ SQLITE_CANTOPEN, EACCES },
	{ SQLITE_TOOBIG, E2BIG },
	{ SQLITE_CONSTRAINT, EEXIST },
	{ SQLITE_CORRUPT, EINVAL },
	{ SQLITE_NOTADB, EINVAL },
	{ SQLITE_IOERR, EIO },
	{ SQLITE_ERROR, EINVAL },
};

int hr_trouble_set(struct hr_err *err, sqlite3 *db, int rc, const char *what, const char *path)
{
	const int primary = rc & 0xFF;
	int code = EIO;

	/* only for these is SQLite's note of the errno of this failure, and not of an earlier one */
	if (db && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && sqlite3_system_errno(db) > 0)
		return hr_err_errno(err, -sqlite3_system_errno(db), "%s '%s'", what, path);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].rc == primary)
			code = codes[i].code;
	if (code == ENOSPC)
		return hr_err_errno(err, -code, "%s '%s'", what, path);
	return hr_err_set(err, -code, "%s '%s': %s", what, path, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}
