/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/packer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 64
#define ROWS_MAX 16384 /* that wait, of a table: the recorder shares the host with what it measures */
#define FLUSHES_PER_SWEEP 256 /* of the keys */

void hr_packer_init(struct hr_packer *packer)
{
	memset(packer, 0, sizeof(*packer));
	for (int i = 0; i < HR_PACKED; i++) {
		struct hr_packer_table *table = &packer->tables[i];

		table->table = &hr_tables[hr_packed[i].table];
		table->part = i;
		table->keys = hr_packed[i].keys;
		hr_keymap_init(&table->map, table->table->columns + 1, table->keys);
	}
}

void hr_packer_fini(struct hr_packer *packer)
{
	for (int i = 0; i < HR_PACKED; i++) {
		struct hr_packer_table *table = &packer->tables[i];

		sqlite3_finalize(table->insert_key);
		sqlite3_finalize(table->insert_row);
		hr_keymap_fini(&table->map);
		free(table->rows);
	}
	sqlite3_finalize(packer->insert_range);
	memset(packer, 0, sizeof(*packer));
}

/* INSERT of `count` values, prepared now or before. */
static int prepare(sqlite3 *db, const char *table, const char *suffix, int count, sqlite3_stmt **statement)
{
	sqlite3_str *sql;
	char *text;
	int rc;

	if (*statement)
		return SQLITE_OK;
	sql = sqlite3_str_new(db);
	sqlite3_str_appendf(sql, "INSERT INTO packed_%s%s VALUES (?", table, suffix);
	for (int i = 1; i < count; i++)
		sqlite3_str_appendall(sql, ", ?");
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	rc = text ? sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
	return rc;
}

static int insert(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement), end = sqlite3_reset(statement);

	return rc == SQLITE_DONE ? SQLITE_OK : end;
}

static void bind_integer(sqlite3_stmt *statement, int parameter, int64_t value)
{
	if (value == HR_NULL)
		sqlite3_bind_null(statement, parameter);
	else
		sqlite3_bind_int64(statement, parameter, value);
}

static int insert_key(struct hr_packer_table *table, sqlite3 *db, int64_t key_id, const union hr_cell *cells)
{
	int rc = prepare(db, table->table->name, "_keys", table->keys + 1, &table->insert_key);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(table->insert_key, 1, key_id);
	for (int i = 0; i < table->keys; i++) {
		if (table->map.columns[i].type == HR_COLUMN_TEXT)
			sqlite3_bind_text(table->insert_key, i + 2, cells[i].text, -1, SQLITE_STATIC); /* NULL binds NULL */
		else
			bind_integer(table->insert_key, i + 2, cells[i].integer);
	}
	return insert(table->insert_key);
}

/* Room for one more row that waits; NULL: no memory. */
static union hr_cell *next_place(struct hr_packer_table *table)
{
	const size_t row_bytes = (size_t)table->table->column_count * sizeof(union hr_cell);
	size_t capacity = table->capacity ? 2 * table->capacity : FIRST_ROWS;
	union hr_cell *rows;

	if (table->count == table->capacity) {
		rows = reallocarray(table->rows, capacity, row_bytes);
		if (!rows)
			return NULL;
		table->rows = rows;
		table->capacity = capacity;
	}
	return table->rows + table->count * (size_t)table->table->column_count;
}

/* By interval and key. */
static int compare_rows(const void *a, const void *b)
{
	const union hr_cell *one = a, *other = b;

	for (int i = 0; i < 2; i++)
		if (one[i].integer != other[i].integer)
			return one[i].integer < other[i].integer ? -1 : 1;
	return 0;
}

static void sort_rows(struct hr_packer_table *table)
{
	const size_t columns = (size_t)table->table->column_count;

	for (size_t i = 1; i < table->count; i++) {
		if (compare_rows(table->rows + (i - 1) * columns, table->rows + i * columns) <= 0)
			continue;
		qsort(table->rows, table->count, columns * sizeof(union hr_cell), compare_rows);
		return;
	}
}

static int insert_row(struct hr_packer_table *table, int64_t row_id, const union hr_cell *cells)
{
	sqlite3_bind_int64(table->insert_row, 1, row_id);
	for (int i = table->keys + 1; i < table->table->column_count; i++)
		bind_integer(table->insert_row, i - table->keys + 1, cells[i].integer);
	return insert(table->insert_row);
}

/* The rows from `from` on that are of one interval and of keys that rise: one range. *ret_end: the row after it. */
static int flush_range(struct hr_packer *packer, struct hr_packer_table *table, sqlite3 *db, size_t from, size_t *ret_end)
{
	const size_t columns = (size_t)table->table->column_count;
	const union hr_cell *first = table->rows + from * columns, *row = first;
	const int64_t first_row_id = table->last_row_id + 1, key_offset = first[1].integer - first_row_id;
	int64_t key_id;
	size_t at = from;
	int rc;

	do {
		key_id = row[1].integer;
		table->last_row_id = key_id - key_offset;
		rc = insert_row(table, table->last_row_id, row);
		row += columns;
	} while (rc == SQLITE_OK && ++at < table->count && row[0].integer == first[0].integer && row[1].integer > key_id);
	*ret_end = at;
	if (rc != SQLITE_OK)
		return rc;
	return hr_packer_add_range(packer, db, table->part, first[0].integer, first_row_id, table->last_row_id, key_offset);
}

static int flush_table(struct hr_packer *packer, struct hr_packer_table *table, sqlite3 *db)
{
	const int amounts = table->table->column_count - table->keys - 1;
	size_t at = 0;
	int rc;

	if (!table->count)
		return SQLITE_OK;
	sort_rows(table);
	rc = prepare(db, table->table->name, "", amounts + 1, &table->insert_row);
	while (rc == SQLITE_OK && at < table->count)
		rc = flush_range(packer, table, db, at, &at);
	table->count = 0;
	return rc;
}

/* The row, as it came but for its key, waits. */
static int hold_row(struct hr_packer_table *table, sqlite3 *db, const void *row)
{
	union hr_cell *cells = next_place(table);
	int64_t key_id;
	bool is_new;
	int rc;

	if (!cells)
		return SQLITE_NOMEM;
	memcpy(cells, row, (size_t)table->table->column_count * sizeof(*cells));
	if (cells[0].integer == HR_NULL)
		return SQLITE_CONSTRAINT;
	if (hr_keymap_find(&table->map, cells + 1, &key_id, &is_new))
		return SQLITE_NOMEM;
	rc = is_new ? insert_key(table, db, key_id, cells + 1) : SQLITE_OK;
	if (rc != SQLITE_OK) {
		hr_keymap_clear(&table->map); /* the next row of that key is to write it */
		return rc;
	}
	cells[1].integer = key_id;
	table->count++;
	return SQLITE_OK;
}

int hr_packer_add(struct hr_packer *packer, sqlite3 *db, int part, const void *row)
{
	struct hr_packer_table *table = &packer->tables[part];
	int rc = packer->rc;

	if (rc == SQLITE_OK)
		rc = hold_row(table, db, row);
	if (rc == SQLITE_OK && table->count == ROWS_MAX)
		rc = packer->rc = flush_table(packer, table, db);
	return rc;
}

int hr_packer_flush(struct hr_packer *packer, sqlite3 *db)
{
	for (int i = 0; i < HR_PACKED && packer->rc == SQLITE_OK; i++)
		packer->rc = flush_table(packer, &packer->tables[i], db);
	if (++packer->flushes % FLUSHES_PER_SWEEP == 0)
		for (int i = 0; i < HR_PACKED; i++)
			hr_keymap_sweep(&packer->tables[i].map);
	return packer->rc;
}

int hr_packer_add_range(struct hr_packer *packer, sqlite3 *db, int part, int64_t interval_id, int64_t first_row_id, int64_t last_row_id,
			int64_t key_offset)
{
	const int64_t cells[] = { part, interval_id, first_row_id, last_row_id, key_offset };
	int rc = prepare(db, "ranges", "", 5, &packer->insert_range);

	if (rc != SQLITE_OK)
		return rc;
	for (int i = 0; i < 5; i++)
		sqlite3_bind_int64(packer->insert_range, i + 1, cells[i]);
	return insert(packer->insert_range);
}

void hr_packer_forget(struct hr_packer *packer)
{
	for (int i = 0; i < HR_PACKED; i++) {
		packer->tables[i].count = 0;
		hr_keymap_clear(&packer->tables[i].map);
	}
	packer->rc = SQLITE_OK;
}
