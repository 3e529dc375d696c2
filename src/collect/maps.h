/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_MAPS_H
#define HR_COLLECT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The address space of a process, as /proc/PID/maps shows it at one moment. */

struct hr_vma {
	uint64_t start, end;  /* end: the first address after it */
	uint64_t offset;      /* of start in the file, in bytes */
	uint64_t inode;	      /* 0: no file */
	uint32_t major, minor; /* device of that inode: not what stat() says on every file system */
	bool is_shared;	      /* stores reach other processes */
	bool is_code;	      /* can be executed */
	const char *path;     /* as it is there: "" for anonymous memory, "[heap]", "/tmp/x (deleted)" */
};

struct hr_maps {
	struct hr_vma *rows; /* by address, ascending */
	size_t count;
	char *text;	     /* the paths are in it */
};

/* Read one line, without its newline. ret->path points into it. 0; -EINVAL. */
int hr_vma_parse(const char *line, struct hr_vma *ret);

/*
 * All areas of a process; of one that has more than some 100,000, those at the lowest addresses. 0 (free with hr_maps_fini());
 * -ENOENT, -ESRCH: there is no such process, or it has no memory any more; -EACCES, -ENOMEM, ...
 */
int hr_maps_read(const char *root, pid_t pid, struct hr_maps *ret);
void hr_maps_fini(struct hr_maps *maps);

/* The area that holds the address; NULL: nothing is mapped there. */
const struct hr_vma *hr_maps_find(const struct hr_maps *maps, uint64_t address);

#endif
