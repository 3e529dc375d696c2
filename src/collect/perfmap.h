/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_PERFMAP_H
#define HR_COLLECT_PERFMAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * The symbols that a just-in-time compiler writes into /tmp/perf-PID.map as it goes: "START SIZE name" a line, in hex. Code moves and
 * its memory is used again: of several symbols at an address the last one counts.
 */
struct hr_perfmap;

struct hr_perfmap *hr_perfmap_new(void); /* NULL: out of memory */
void hr_perfmap_free(struct hr_perfmap *map); /* takes NULL */

/*
 * Read what came since the last call: whole lines, some MiB at most, and no more once some 100,000 symbols are there. A file that is
 * another, or shorter, than at the last call begins anew. info: of the file.
 * 1: there are new symbols; 0: none; -errno.
 */
int hr_perfmap_read(struct hr_perfmap *map, int fd, const struct stat *info);

/* The name at an address, as it stands in the file; NULL: none. */
const char *hr_perfmap_find(struct hr_perfmap *map, uint64_t address);

/* How much memory it takes. */
size_t hr_perfmap_bytes(const struct hr_perfmap *map);

#endif
