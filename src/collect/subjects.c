/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/subjects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collect/kallsyms.h"

#define MINOR_BITS 20 /* of a device number in the kernel */
#define PTS_MAJOR 136 /* of terminals that are files of /dev/pts, and how many there are of those */
#define PTS_MAJORS 8
#define VARIABLE_BYTES_MAX 16384 /* a lock so far behind the nearest variable lies in none */

struct hr_subjects {
	const char *root;
	bool has_read_kernel;
	struct hr_kallsyms *functions, *data; /* NULL: not read, or hidden */
};

struct hr_subjects *hr_subjects_new(const char *root)
{
	struct hr_subjects *subjects = calloc(1, sizeof(*subjects));

	if (subjects)
		subjects->root = root;
	return subjects;
}

void hr_subjects_free(struct hr_subjects *subjects)
{
	if (subjects) {
		hr_kallsyms_free(subjects->functions);
		hr_kallsyms_free(subjects->data);
	}
	free(subjects);
}

/* Few runs have waits for locks that need it. */
static void read_kernel(struct hr_subjects *subjects)
{
	if (subjects->has_read_kernel)
		return;
	subjects->has_read_kernel = true;
	if (hr_kallsyms_read(subjects->root, HR_KALLSYMS_FUNCTIONS, &subjects->functions))
		subjects->functions = NULL;
	if (hr_kallsyms_read(subjects->root, HR_KALLSYMS_DATA, &subjects->data))
		subjects->data = NULL;
}

static void write_file(char text[HR_SUBJECT_BYTES], const struct hr_edge_key *key, const char *name)
{
	if (name[0])
		snprintf(text, HR_SUBJECT_BYTES, "%s", name);
	else
		snprintf(text, HR_SUBJECT_BYTES, "inode %" PRIu64, (uint64_t)key->value);
}

static void write_device(char text[HR_SUBJECT_BYTES], const struct hr_edge_key *key, const char *name)
{
	unsigned int major = (unsigned int)(key->value >> MINOR_BITS), minor = (unsigned int)(key->value & ((1U << MINOR_BITS) - 1));
	bool is_pts = major >= PTS_MAJOR && major < PTS_MAJOR + PTS_MAJORS; /* their files are called "0", "1", ... */

	snprintf(text, HR_SUBJECT_BYTES, "%s%s%s%u:%u", is_pts ? "pts/" : "", name, name[0] ? " " : "", major, minor);
}

static void write_unix(char text[HR_SUBJECT_BYTES], const struct hr_edge *edge)
{
	if (!hr_netaddr_unix(text, edge->subject_name, sizeof(edge->subject_name)))
		snprintf(text, HR_SUBJECT_BYTES, "unix:[%" PRIu64 "]", (uint64_t)edge->key.value);
}

static void write_address(char text[HR_SUBJECT_BYTES], uint64_t address)
{
	snprintf(text, HR_SUBJECT_BYTES, "0x%" PRIx64, address);
}

/* By the variable that it lies in; where it has none, by the function that takes it; or by its address. */
static void write_lock(char text[HR_SUBJECT_BYTES], struct hr_subjects *subjects, const struct hr_edge_key *key)
{
	const char *name, *module;
	uint64_t offset;

	read_kernel(subjects);
	offset = subjects->data ? hr_kallsyms_offset(subjects->data, key->value) : UINT64_MAX;
	if (offset < VARIABLE_BYTES_MAX && hr_kallsyms_find(subjects->data, key->value, &name, &module)) {
		snprintf(text, HR_SUBJECT_BYTES, offset ? "%s+0x%" PRIx64 : "%s", name, offset);
		return;
	}
	if (key->address[0] && subjects->functions && hr_kallsyms_find(subjects->functions, key->address[0] - 1, &name, &module))
		snprintf(text, HR_SUBJECT_BYTES, "in %s", name);
	else
		write_address(text, key->value);
}

const char *hr_subjects_text(struct hr_subjects *subjects, const struct hr_edge *edge, char text[HR_SUBJECT_BYTES])
{
	const struct hr_edge_key *key = &edge->key;
	char name[3 * HR_SUBJECT_NAME_BYTES + 1];
	uint8_t peer[16];

	hr_text_clean(name, sizeof(name), edge->subject_name, sizeof(edge->subject_name));
	switch ((enum hr_subject)key->subject) {
	case HR_SUBJECT_FUTEX: write_address(text, key->value); return text;
	case HR_SUBJECT_PEER: memcpy(peer, key->address, sizeof(peer)); return hr_netaddr_inet(text, peer, key->port);
	case HR_SUBJECT_CLIENTS: snprintf(text, HR_SUBJECT_BYTES, ":%u", key->port); return text;
	case HR_SUBJECT_FILE: write_file(text, key, name); return text;
	case HR_SUBJECT_PIPE: snprintf(text, HR_SUBJECT_BYTES, "pipe:[%" PRIu64 "]", (uint64_t)key->value); return text;
	case HR_SUBJECT_UNIX: write_unix(text, edge); return text;
	case HR_SUBJECT_DEVICE: write_device(text, key, name); return text;
	case HR_SUBJECT_EVENT: snprintf(text, HR_SUBJECT_BYTES, "%s", name); return name[0] ? text : NULL;
	case HR_SUBJECT_KLOCK:
		if (!key->value)
			return "mmap_lock";
		write_lock(text, subjects, key);
		return text;
	case HR_SUBJECT_NONE:
	case HR_SUBJECTS: break;
	}
	return NULL;
}
