/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_EHFRAME_H
#define HR_COLLECT_EHFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "headroom/unwind.h"

/* How to unwind the code of one ELF file; see headroom/unwind.h. The file is somebody else's: it is read, never mapped. */

#define HR_EHFRAME_SEGMENTS 8

struct hr_ehframe {
	struct hr_unwind_row *rows;
	size_t count;
	/* What of the file is loaded to be executed. Addresses count from the same base as the rows. */
	struct hr_ehframe_segment {
		uint64_t offset, end; /* in the file */
		uint64_t address;     /* of offset */
	} segments[HR_EHFRAME_SEGMENTS];
	size_t segment_count;
};

/*
 * Read at most max rows. Leaves fd open. 0 (free with hr_ehframe_fini()); -ENOEXEC: no ELF file for x86-64; -ENOENT: it does not say
 * how to unwind it; -ENOSPC: there are more rows; -ENOMEM.
 */
int hr_ehframe_read(int fd, size_t max, struct hr_ehframe *ret);

/* The same of a file's image in memory. */
int hr_ehframe_read_image(const void *image, size_t bytes, size_t max, struct hr_ehframe *ret);
void hr_ehframe_fini(struct hr_ehframe *frames);

/* Where an offset in the file is loaded. False: it is no code. */
bool hr_ehframe_address(const struct hr_ehframe *frames, uint64_t offset, uint64_t *ret_address);

#endif
