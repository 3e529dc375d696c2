// SPDX-License-Identifier: BSD-2-Clause
// What DuckDB reads in an exported tree: as sums.py. Its whole numbers are BigInt here, and stay exact.
import fs from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const root = process.argv[2];
const db = await (await DuckDBInstance.create()).connect();
const rows = async (sql) => (await db.runAndReadAll(sql)).getRows();
const run = fs.readdirSync(root)[0];
const folder = path.join(root, run, fs.readdirSync(path.join(root, run))[0]);

for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".csv")).sort()) {
  const table = file.slice(0, -4);
  const from = `read_csv('${root}/run=*/host=*/${file}', sample_size = -1, hive_partitioning = false)`;
  for (const [column, type] of await rows(`SELECT column_name, column_type FROM (DESCRIBE FROM ${from})`)) {
    const isNumber = /INT|DOUBLE|HUGEINT/.test(type);
    const select = isNumber
      ? `SELECT coalesce(sum("${column}"), 0), count("${column}"), coalesce(max(abs("${column}")), 0) FROM ${from}`
      : `SELECT 'text', count("${column}"), 'text' FROM ${from}`;
    const [[sum, count, largest]] = await rows(select);
    console.log([table, column, sum, count, largest].join("\t"));
  }
}
