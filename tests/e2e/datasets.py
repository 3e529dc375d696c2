# SPDX-License-Identifier: BSD-2-Clause
"""What is exported, read by others: pandas, R, DuckDB, ClickHouse; and the examples of docs/data.md."""

import contextlib
import functools
import json
import math
import os
import re
import shutil
import sqlite3
import time

from clickhouse import ClickHouse, make_fleet
from harness import HEADROOM, ROOT, SLOWNESS, Skip, between, cases, check, equal, need, run_command, temporary_directory, test
from loads import NPM_CACHE, Demo

READERS = os.path.join(ROOT, "tests", "e2e", "readers")
PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
LEVELS = (1, 2, 4, 8)
EXACT = 2**53
# of which it is known that no double holds them; v_run has them in parts
TOO_LARGE = {("run", "started_unix_ns"), ("run", "asked_unix_ns")}
HOSTS = 200

HOSTILE = (
    'a,b "c"',
    "two\nlines",
    "=1+1",
    "'quoted'",
    " led",
    "trailed ",
    "\\N",
    "NULL",
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    "",
)


def headroom(*arguments, **options):
    done = run_command(HEADROOM, *map(str, arguments), **options)
    equal(f"status of headroom {arguments[0]} ({done.stderr.strip()})", done.returncode, 0)
    return done.stdout


@functools.cache
def folder():
    """A folder that stays until the program ends, with run.db, a sweep over the demo server, and its tree fleet/."""
    need("wrk")
    stack = contextlib.ExitStack()
    path = stack.enter_context(temporary_directory())
    KEPT.append(stack)
    with Demo() as demo:
        headroom(
            *("sweep", "--port", demo.port, "--levels", ",".join(map(str, LEVELS)), "--duration", "1s", "--warmup", "200ms"),
            *("-i", "100ms", "-o", f"{path}/run.db", "--", "wrk", "-t1", "-c{level}", "-d{duration}", f"http://127.0.0.1:{demo.port}/infer"),
        )
    headroom("export", f"{path}/run.db", "--format", "csv", "-o", f"{path}/fleet")
    return path


KEPT = []


def hostile_folder(directory):
    """A copy of that run with names from an enemy, and its tree."""
    shutil.copy(f"{folder()}/run.db", f"{directory}/run.db")
    with contextlib.closing(sqlite3.connect(f"{directory}/run.db")) as db:
        for i, name in enumerate(HOSTILE):
            db.execute("INSERT INTO processes VALUES (?, 1, 1, ?, ?, 0, NULL)", (1000 + i, name, name or None))
        db.commit()
    headroom("export", f"{directory}/run.db", "--format", "csv", "-o", f"{directory}/fleet")
    return directory


def relations(path):
    """{table or view: [(column, type)]} of the run file, by its own dictionary."""
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        for table, column, kind in db.execute(
            "SELECT table_name, column_name, type FROM dictionary WHERE column_name IS NOT NULL AND table_name <> 'dictionary' ORDER BY rowid"
        ):
            found.setdefault(table, []).append((column, kind))
    return found


def truth(path):
    """{(table, column): (sum, count)} of all columns of numbers, as SQLite adds up."""
    sums = {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        for table, columns in relations(path).items():
            names = [name for name, kind in columns if kind != "TEXT"]
            if not names:
                continue
            select = ", ".join(f"coalesce(sum({name}), 0), count({name})" for name in names)
            row = db.execute(f"SELECT {select} FROM {table}").fetchone()
            for i, name in enumerate(names):
                sums[table, name] = (row[2 * i], row[2 * i + 1])
    return sums


def check_sums(path, output, engine, exact=False):
    """Every column of numbers has the sum and the number of values that SQLite says, and only numbers that a double holds."""
    seen = {}
    for line in output.splitlines():
        table, column, *values = line.split("\t")
        seen[table, column] = values
    expected = truth(path)
    check(len(expected) > 250, f"only {len(expected)} columns of numbers")
    for key, (total, count) in expected.items():
        name = f"{key[0]}.{key[1]} in {engine}"
        check(key in seen, f"{name} is missing")
        shown, shown_count, largest = seen[key]
        equal(f"values of {name}", int(shown_count), count)
        if count == 0:
            continue
        check(shown != "text", f"{name} was not taken for numbers")
        if exact and isinstance(total, int):
            equal(f"sum of {name}", int(shown), total)
        else:
            check(math.isclose(float(shown), total, rel_tol=1e-12, abs_tol=1e-12), f"the sum of {name} is {shown}, not {total!r}")
        if isinstance(total, int) and key not in TOO_LARGE:
            check(float(largest) < EXACT, f"{name} has {largest}, which no double holds")


@test
def pandas_reads_every_table_with_the_same_sums():
    if run_command(PYTHON, "-c", "import pandas").returncode:
        raise Skip("pandas is not installed")
    done = run_command(PYTHON, f"{READERS}/sums.py", f"{folder()}/fleet")
    equal(f"status of pandas ({done.stderr.strip()})", done.returncode, 0)
    check_sums(f"{folder()}/run.db", done.stdout, "pandas")


@test
def r_reads_every_table_with_the_same_sums():
    need("Rscript")
    done = run_command("Rscript", "--vanilla", f"{READERS}/sums.R", f"{folder()}/fleet")
    equal(f"status of R ({done.stderr.strip()})", done.returncode, 0)
    check_sums(f"{folder()}/run.db", done.stdout, "R")


def node(directory, script, *arguments):
    """Run a script of Node.js, copied to where it finds the packages of npm."""
    need("node")
    if not os.path.isdir(f"{NPM_CACHE}/node_modules/@duckdb"):
        raise Skip("DuckDB's package of npm is not there: `scripts/setup test` gets it")
    if not os.path.exists(f"{directory}/node_modules"):
        os.symlink(f"{NPM_CACHE}/node_modules", f"{directory}/node_modules")
    shutil.copy(script, f"{directory}/script.mjs")
    return run_command("node", "--preserve-symlinks-main", f"{directory}/script.mjs", *arguments, cwd=directory)


@test
def duckdb_reads_every_table_with_the_same_sums():
    done = node(folder(), f"{READERS}/sums.mjs", f"{folder()}/fleet")
    equal(f"status of DuckDB ({done.stderr.strip()})", done.returncode, 0)
    check_sums(f"{folder()}/run.db", done.stdout, "DuckDB", exact=True)


def create_tables(server):
    for statement in headroom("export", "--ddl", "clickhouse").split(";"):
        if statement.strip():
            server.run(statement)


def insert(server, table, data):
    server.run(f"INSERT INTO {table} FORMAT CSVWithNames", data.encode())


def stream(path, table):
    return headroom("export", path, "--format", "csv", "--null", "\\N", "--table", table)


@test
def clickhouse_reads_every_table_with_the_same_sums():
    run = f"{folder()}/run.db"
    with temporary_directory() as directory, ClickHouse(directory) as server:
        create_tables(server)
        for table in relations(run):
            insert(server, table, stream(run, table))
        lines = []
        for table, columns in relations(run).items():
            names = [name for name, kind in columns if kind != "TEXT"]
            if names:
                select = ", ".join(f"ifNull(sum({name}), 0), count({name}), ifNull(max(abs({name})), 0)" for name in names)
                row = server.ask(f"SELECT {select} FROM {table}")[0]
                lines += ["\t".join((table, name, *row[3 * i : 3 * i + 3])) for i, name in enumerate(names)]
        check_sums(run, "\n".join(lines), "ClickHouse", exact=True)


# Text


@cases
def names_from_an_enemy():
    with temporary_directory() as directory:
        hostile_folder(directory)
        for engine, read in (("pandas", text_of_pandas), ("R", text_of_r), ("DuckDB", text_of_duckdb), ("ClickHouse", text_of_clickhouse)):
            yield f"names from an enemy come through {engine}", functools.partial(check_names, engine, read, directory)


def check_names(engine, read, directory):
    seen = [name or "" for name in read(directory)]  # some do not tell an empty text from NULL
    equal(f"names in {engine}", seen, list(HOSTILE))


def text_of_pandas(directory):
    if run_command(PYTHON, "-c", "import pandas").returncode:
        raise Skip("pandas is not installed")
    code = (
        "import glob, json, pandas as pd\n"
        "d = pd.read_csv(glob.glob('fleet/*/*/processes.csv')[0], keep_default_na=False, na_values=[''])\n"
        "print(json.dumps(d[d.process_id >= 1000].name.fillna('').tolist()))"
    )
    return json.loads(output_of(run_command(PYTHON, "-c", code, cwd=directory)))


def text_of_r(directory):
    need("Rscript")
    code = (
        "d <- read.csv(Sys.glob('fleet/*/*/processes.csv'), na.strings = '', encoding = 'UTF-8');"
        "n <- d$name[d$process_id >= 1000]; n[is.na(n)] <- '';"
        "cat(paste(sapply(n, function(x) paste(sprintf('%02x', as.integer(charToRaw(enc2utf8(x)))), collapse = '')), collapse = '\\n'))"
    )
    lines = output_of(run_command("Rscript", "--vanilla", "-e", code, cwd=directory)).split("\n")
    return [bytes.fromhex(line).decode() for line in lines]


def text_of_duckdb(directory):
    with open(f"{directory}/names.mjs", "w", encoding="utf-8") as file:
        file.write(
            'import { DuckDBInstance } from "@duckdb/node-api";\n'
            "const db = await (await DuckDBInstance.create()).connect();\n"
            "const sql = \"SELECT name FROM read_csv('fleet/*/*/processes.csv') WHERE process_id >= 1000 ORDER BY process_id\";\n"
            "console.log(JSON.stringify((await db.runAndReadAll(sql)).getRows().map(([name]) => name)));\n"
        )
    return json.loads(output_of(node(directory, f"{directory}/names.mjs")))


def text_of_clickhouse(directory):
    with ClickHouse(directory) as server:
        create_tables(server)
        insert(server, "processes", stream(f"{directory}/run.db", "processes"))
        rows = server.run("SELECT name FROM processes WHERE process_id >= 1000 ORDER BY process_id FORMAT JSONEachRow")
        # here NULL and an empty text are two
        return [json.loads(line)["name"] for line in rows.splitlines()]


def output_of(done):
    equal(f"status ({done.stderr.strip()})", done.returncode, 0)
    return done.stdout


# The manifest


@test
def the_manifest_agrees_with_its_schema_and_the_files():
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed") from None
    path = os.path.join(folder(), "fleet")
    for part in (0, 1):
        path = os.path.join(path, os.listdir(path)[part * 0])
    with open(f"{path}/manifest.json", encoding="utf-8") as file, open(f"{ROOT}/docs/manifest.schema.json", encoding="utf-8") as schema:
        manifest = json.load(file)
        jsonschema.validate(manifest, json.load(schema))
    for table in manifest["tables"]:
        equal(f"bytes of {table['file']}", os.path.getsize(f"{path}/{table['file']}"), table["bytes"])


# The examples


def section(title):
    """The part of docs/data.md below that heading."""
    with open(f"{ROOT}/docs/data.md", encoding="utf-8") as file:
        page = file.read()
    begin = page.index(f"### {title}\n")
    return page[begin : page.index("\n### ", begin + 1)]


def blocks(title, language):
    found = re.findall(rf"```{language}\n(.*?)```", section(title), re.S)
    check(found, f"'{title}' has no block of {language}")
    return found


def known(view="v_levels", columns="p99_us, throughput_rps"):
    with contextlib.closing(sqlite3.connect(f"file:{folder()}/run.db?mode=ro", uri=True)) as db:
        return db.execute(f"SELECT {columns} FROM {view}").fetchall()


def check_prints(what, output, expected):
    """Each of the numbers is in what was printed."""
    seen = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", output)]
    for value in expected:
        check(any(math.isclose(number, value, rel_tol=1e-4) for number in seen), f"{what} does not print {value}: {output}")


def example_in_python():
    if run_command(PYTHON, "-c", "import pandas").returncode:
        raise Skip("pandas is not installed")
    return output_of(run_command(PYTHON, "-c", blocks("Python", "python")[0], cwd=folder()))


def example_in_r():
    need("Rscript")
    return output_of(run_command("Rscript", "--vanilla", "-e", blocks("R", "r")[0], cwd=folder()))


def example_in_duckdb():
    with open(f"{folder()}/example.mjs", "w", encoding="utf-8") as file:
        file.write(blocks("DuckDB", "js")[0])
    return output_of(node(folder(), f"{folder()}/example.mjs"))


@cases
def examples_of_the_page():
    for title, run, columns in (
        ("Python", example_in_python, "p99_us"),
        ("R", example_in_r, "p99_us, throughput_rps, in_flight"),
        ("DuckDB", example_in_duckdb, "p99_us, throughput_rps, in_flight"),
    ):
        yield f"the example in {title} prints what the views say", functools.partial(check_example, title, run, columns)


def check_example(title, run, columns):
    rows = known(columns=columns)
    equal("levels", len(rows), len(LEVELS))
    check_prints(title, run(), [value for row in rows for value in row])


@test
def the_example_in_sql_gives_what_the_view_says():
    with contextlib.closing(sqlite3.connect(f"file:{folder()}/run.db?mode=ro", uri=True)) as db:
        rows = db.execute(blocks("SQL on the run file", "sql")[0]).fetchall()
        equal("percentiles", rows, db.execute("SELECT offered, p99_us FROM v_levels").fetchall())


@test
def the_shell_of_the_page_loads_clickhouse_and_its_percentiles_are_those_of_the_view():
    need("curl", "bash")
    title = "ClickHouse, for a fleet"
    with temporary_directory() as directory, ClickHouse(directory) as server:
        shutil.copy(f"{folder()}/run.db", f"{directory}/run.db")
        path = f"{os.path.dirname(HEADROOM)}:{os.environ['PATH']}"
        done = run_command("bash", "-euo", "pipefail", "-c", blocks(title, "sh")[0], cwd=directory,
                           env={**os.environ, "server": server.url, "PATH": path})
        output_of(done)
        for sql in blocks(title, "sql clickhouse"):
            answer = server.ask(sql)
            if "GROUP BY offered ORDER BY offered" in sql:
                expected = known(columns="offered, p99_us")
                equal("levels in ClickHouse", len(answer), len(expected))
                for (level, p99), row in zip(expected, answer):
                    check(float(row[0]) == level and math.isclose(float(row[1]), p99, rel_tol=1e-9), f"{row} is not {level}, {p99}")


# The fleet


@test
def a_fleet_of_200_hosts_is_asked_in_clickhouse():
    run = f"{folder()}/run.db"
    questions = blocks("ClickHouse, for a fleet", "sql clickhouse")
    # without HEADROOM_SHOW only those that are asked for: to make the data takes ten times as long as to load it
    asked = [table for table in relations(run) if any(re.search(rf"\b{table}\b", sql) for sql in questions)]
    streams = {table: stream(run, table) for table in (relations(run) if os.environ.get("HEADROOM_SHOW") else asked)}
    rows = 0
    with temporary_directory() as directory, ClickHouse(directory) as server:
        create_tables(server)
        spent = 0
        for table, data in make_fleet(streams, HOSTS):
            begin = time.monotonic()
            insert(server, table, data)
            spent += time.monotonic() - begin
            rows += data.count("\r\n") - 1
        requests = int(server.ask("SELECT sum(count) FROM request_stages WHERE stage = 'total'")[0][0])
        check(requests > 0, "no request is in the fleet")
        equal("hosts", int(server.ask("SELECT uniqExact(host) FROM request_stages")[0][0]), HOSTS)
        figures = [f"loaded {rows} rows in {spent:.1f} s"]
        for sql in questions:
            begin = time.monotonic()
            answer = server.ask(sql)
            took = time.monotonic() - begin
            check(answer or "FROM losses" in sql, f"no answer to {sql}")
            check(took < 10 * SLOWNESS, f"{took:.1f} s for {sql}")
            figures.append(f"{took * 1000:.0f} ms")
            if "mean_us" in sql or "GROUP BY host ORDER BY p99_us" in sql:
                slow = {f"host-{host:03}" for host in range(HOSTS) if host % 20 == 7}
                equal("the ten slowest hosts", {row[0] for row in answer}, slow)
        if os.environ.get("HEADROOM_SHOW"):
            print(", ".join(figures))


@test
def an_export_that_is_cut_off_leaves_no_half_folder():
    """A disk that is full, as a limit of the size of files."""
    need("bash")
    with temporary_directory() as directory:
        command = f"ulimit -f 8; trap '' XFSZ; exec {HEADROOM} export {folder()}/run.db --format csv -o {directory}/tree"
        done = run_command("bash", "-c", command)
        equal("status", done.returncode, 1)
        between("lines on stderr", done.stderr.count("\n"), 1, 1)
        equal("what is left", os.listdir(directory), [])
