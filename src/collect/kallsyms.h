/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_KALLSYMS_H
#define HR_COLLECT_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The functions of the kernel and its modules, as /proc/kallsyms has them at one moment. */
struct hr_kallsyms;

/*
 * Read all of them: some 6 MiB for 120,000. root is put in front of /proc.
 * 0 (free with hr_kallsyms_free()); -EACCES: the kernel hides their addresses; -ENOENT, -ENOMEM, ...
 */
int hr_kallsyms_read(const char *root, struct hr_kallsyms **ret);
void hr_kallsyms_free(struct hr_kallsyms *symbols); /* takes NULL */

/*
 * The function that the address lies in: the nearest that begins at or before it, as ends are not known. *ret_module: "[nf_tables]";
 * "[kernel]". False: it lies in front of all.
 */
bool hr_kallsyms_find(const struct hr_kallsyms *symbols, uint64_t address, const char **ret_name, const char **ret_module);

#endif
