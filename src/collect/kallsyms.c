/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/kallsyms.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/files.h"

#define SYMBOLS_MAX (1U << 21)
#define KERNEL "[kernel]"

struct symbol {
	uint64_t start;
	uint32_t text;	/* name, NUL, module or nothing, NUL */
	bool is_global; /* of several at one address, the name that others link to */
};

struct hr_kallsyms {
	struct symbol *symbols; /* by start, no two the same */
	size_t count, room;
	char *text;
	size_t text_bytes, text_room;
};

/* Room for one more of `bytes`, in an array that doubles. */
static int make_room(void **array, size_t *room, size_t needed, size_t bytes)
{
	size_t more = *room ? *room : 4096;
	void *grown;

	if (needed <= *room)
		return 0;
	while (more < needed)
		more *= 2;
	grown = realloc(*array, more * bytes);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = more;
	return 0;
}

/* The word that begins at *at, ended by NUL; *at moves behind it. "" at the end of the line. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t\n");
	size_t length = strcspn(word, " \t\n");

	*at = word + length + (word[length] != '\0');
	word[length] = '\0';
	return word;
}

static const char *const types[HR_KALLSYMS_KINDS] = {
	[HR_KALLSYMS_FUNCTIONS] = "tTwW",
	[HR_KALLSYMS_DATA] = "dDbBrRgGsSvV",
};

/* "ffffffff81000040 T name [module]". 0, also for what is of another kind. */
static int add_line(struct hr_kallsyms *symbols, enum hr_kallsyms_kind kind, char *line)
{
	char *address = next_word(&line), *type = next_word(&line), *name = next_word(&line), *module = next_word(&line);
	size_t name_bytes = strlen(name) + 1, module_bytes = strlen(module) + 1;
	uint64_t start = strtoull(address, NULL, 16);

	if (!start || !type[0] || type[1] || !strchr(types[kind], type[0]) || name_bytes == 1 || symbols->count >= SYMBOLS_MAX)
		return 0;
	if (make_room((void **)&symbols->symbols, &symbols->room, symbols->count + 1, sizeof(*symbols->symbols)) ||
	    make_room((void **)&symbols->text, &symbols->text_room, symbols->text_bytes + name_bytes + module_bytes, 1))
		return -ENOMEM;
	symbols->symbols[symbols->count++] = (struct symbol){
		.start = start,
		.text = (uint32_t)symbols->text_bytes,
		.is_global = isupper((unsigned char)type[0]),
	};
	memcpy(symbols->text + symbols->text_bytes, name, name_bytes);
	memcpy(symbols->text + symbols->text_bytes + name_bytes, module, module_bytes);
	symbols->text_bytes += name_bytes + module_bytes;
	return 0;
}

/* Of those at one address the best comes first. */
static int by_start(const void *a, const void *b)
{
	const struct symbol *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->is_global != right->is_global)
		return left->is_global ? -1 : 1;
	return left->text < right->text ? -1 : left->text > right->text;
}

/* For questions, and in no more memory than needed. */
static void settle(struct hr_kallsyms *symbols)
{
	size_t kept = 0;
	void *smaller;

	qsort(symbols->symbols, symbols->count, sizeof(*symbols->symbols), by_start);
	for (size_t i = 0; i < symbols->count; i++)
		if (!kept || symbols->symbols[i].start != symbols->symbols[kept - 1].start)
			symbols->symbols[kept++] = symbols->symbols[i];
	symbols->count = kept;
	if ((smaller = realloc(symbols->symbols, kept * sizeof(*symbols->symbols))))
		symbols->symbols = smaller;
	if ((smaller = realloc(symbols->text, symbols->text_bytes)))
		symbols->text = smaller;
}

static int read_lines(struct hr_kallsyms *symbols, enum hr_kallsyms_kind kind, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	while (!ret && getline(&line, &room, file) > 0)
		ret = add_line(symbols, kind, line);
	free(line);
	if (!ret && ferror(file))
		ret = -EIO;
	if (!ret && !symbols->count)
		ret = -EACCES; /* every address reads 0 */
	return ret;
}

int hr_kallsyms_read(const char *root, enum hr_kallsyms_kind kind, struct hr_kallsyms **ret)
{
	struct hr_kallsyms *symbols;
	char path[PATH_MAX];
	FILE *file;
	int rc = hr_path(path, "%s/proc/kallsyms", root);

	if (rc)
		return rc;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	symbols = calloc(1, sizeof(*symbols));
	rc = symbols ? read_lines(symbols, kind, file) : -ENOMEM;
	fclose(file);
	if (rc) {
		hr_kallsyms_free(symbols);
		return rc;
	}
	settle(symbols);
	*ret = symbols;
	return 0;
}

void hr_kallsyms_free(struct hr_kallsyms *symbols)
{
	if (symbols) {
		free(symbols->symbols);
		free(symbols->text);
	}
	free(symbols);
}

/* The last that begins at or before the address; NULL: it lies in front of all. */
static const struct symbol *find(const struct hr_kallsyms *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols->symbols[low - 1] : NULL;
}

bool hr_kallsyms_find(const struct hr_kallsyms *symbols, uint64_t address, const char **ret_name, const char **ret_module)
{
	const struct symbol *symbol = find(symbols, address);
	const char *name, *module;

	if (!symbol)
		return false;
	name = symbols->text + symbol->text;
	module = name + strlen(name) + 1;
	*ret_name = name;
	*ret_module = module[0] ? module : KERNEL;
	return true;
}

uint64_t hr_kallsyms_offset(const struct hr_kallsyms *symbols, uint64_t address)
{
	const struct symbol *symbol = find(symbols, address);

	return symbol ? address - symbol->start : UINT64_MAX;
}
