/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_TROUBLE_H
#define HR_STORE_TROUBLE_H

#include <sqlite3.h>

#include "base/err.h"

/*
 * SQLite's result codes as ours: returns the negative errno of rc on db (may be NULL), and writes "<what> '<path>':
 * <why>".
 */
int hr_trouble_set(struct hr_err *err, sqlite3 *db, int rc, const char *what, const char *path);

#endif
