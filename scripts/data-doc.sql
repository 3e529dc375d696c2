-- SPDX-License-Identifier: BSD-2-Clause
-- The dictionary of a run file as the lines of docs/data.md: scripts/gen-data-doc writes them, tests/unit/data_doc_test.c
-- compares.
SELECT CASE
	WHEN column_name IS NULL THEN printf('%s### `%s`%s%s%s', char(10), table_name, char(10) || char(10),
		CASE type WHEN 'view' THEN 'View: ' ELSE '' END || meaning || '.',
		char(10) || char(10) || '| column | type | unit | meaning |' || char(10) || '|---|---|---|---|')
	ELSE printf('| `%s` | %s | %s | %s |', column_name, lower(type), coalesce(unit, ''), meaning)
	END
FROM dictionary ORDER BY rowid;
